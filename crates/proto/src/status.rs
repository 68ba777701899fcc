//! Reason phrases.

/// The phrase of a status code, or "" when the code has none here.
pub fn reason(code: i64) -> &'static str {
    u16::try_from(code)
        .ok()
        .and_then(|code| REASONS.binary_search_by_key(&code, |&(known, _)| known).ok())
        .map_or("", |index| REASONS[index].1)
}

/// Whether a response with this code has no content, whatever its header list says (RFC 9110,
/// section 6.4.1): what is sent behind its head looks like the next response.
pub fn is_without_content(code: i64) -> bool {
    matches!(code, 100..=199 | 204 | 304)
}

/// The codes that have a phrase, in ascending order.
///
/// These are the reference's codes and wordings, older than RFC 9110's: tests
/// read them from `statusText`. 308, 422, 429 and others have none.
pub const REASONS: &[(u16, &str)] = &[
    (100, "Continue"),
    (101, "Switching Protocols"),
    (200, "OK"),
    (201, "Created"),
    (202, "Accepted"),
    (203, "Non-Authoritative Information"),
    (204, "No Content"),
    (205, "Reset Content"),
    (206, "Partial Content"),
    (300, "Multiple Choices"),
    (301, "Moved Permanently"),
    (302, "Found"),
    (303, "See Other"),
    (304, "Not Modified"),
    (305, "Use Proxy"),
    (307, "Temporary Redirect"),
    (400, "Bad Request"),
    (401, "Unauthorized"),
    (402, "Payment Required"),
    (403, "Forbidden"),
    (404, "Not Found"),
    (405, "Method Not Allowed"),
    (406, "Not Acceptable"),
    (407, "Proxy Authentication Required"),
    (408, "Request Timeout"),
    (409, "Conflict"),
    (410, "Gone"),
    (411, "Length Required"),
    (412, "Precondition Failed"),
    (413, "Request Entity Too Large"),
    (414, "Request-URI Too Long"),
    (415, "Unsupported Media Type"),
    (416, "Requested Range Not Satisfiable"),
    (417, "Expectation Failed"),
    (500, "Internal Server Error"),
    (501, "Not Implemented"),
    (502, "Bad Gateway"),
    (503, "Service Unavailable"),
    (504, "Gateway Timeout"),
    (505, "HTTP Version Not Supported"),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn known_codes() {
        assert_eq!(reason(200), "OK");
        assert_eq!(reason(413), "Request Entity Too Large");
        assert_eq!(reason(505), "HTTP Version Not Supported");
        for &(code, phrase) in REASONS {
            assert_eq!(reason(i64::from(code)), phrase);
        }
    }

    #[test]
    fn unknown_codes_have_an_empty_phrase() {
        for code in [0, -200, 299, 308, 429, 600, 65_736, i64::MAX, i64::MIN] {
            assert_eq!(reason(code), "");
        }
    }

    #[test]
    fn codes_ascend() {
        assert!(REASONS.is_sorted_by(|a, b| a.0 < b.0));
    }
}

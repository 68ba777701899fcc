//! What a request head says about its body and its connection
//! (RFC 9112 sections 6 and 9).

use thiserror::Error;

use crate::headers::HeaderList;
use crate::request_head::Version;

/// How a request's body ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BodyFraming {
    /// There is no body.
    None,
    /// After so many bytes, which may be 0.
    Length(u64),
    /// With the last chunk.
    Chunked,
}

/// Why it cannot be told where the body ends. What follows the head must then
/// not be read as another request.
#[derive(Clone, Copy, Debug, Error, PartialEq, Eq)]
pub enum FramingError {
    /// A Content-Length is no number, or none that fits 64 bits.
    #[error("Bad Content-Length")]
    BadContentLength,
    /// Two Content-Lengths differ.
    #[error("Differing Content-Lengths")]
    DifferingContentLengths,
    /// Both a Content-Length and a Transfer-Encoding.
    #[error("Content-Length with Transfer-Encoding")]
    LengthWithTransferEncoding,
    /// A Transfer-Encoding in a version that has none.
    #[error("Transfer-Encoding in HTTP/1.0")]
    TransferEncodingInHttp10,
    /// `chunked` is repeated or not last, or there is no coding at all.
    #[error("Bad Transfer-Encoding")]
    BadTransferEncoding,
    /// A transfer coding other than `chunked`.
    #[error("Unknown transfer coding")]
    UnknownTransferCoding,
}

impl FramingError {
    /// The status that the peer is owed.
    pub fn status(&self) -> u16 {
        match self {
            Self::UnknownTransferCoding => 501,
            _ => 400,
        }
    }

    /// What to tell the peer.
    pub fn message(&self) -> String {
        self.to_string()
    }
}

impl BodyFraming {
    /// Reads Content-Length and Transfer-Encoding. Whatever two servers could
    /// read differently is an error; only equal Content-Lengths may repeat.
    pub fn of(headers: &HeaderList, version: Version) -> Result<Self, FramingError> {
        let has_length = headers.contains(b"content-length");
        if headers.contains(b"transfer-encoding") {
            if has_length {
                return Err(FramingError::LengthWithTransferEncoding);
            }
            if version == Version::Http10 {
                return Err(FramingError::TransferEncodingInHttp10);
            }
            return transfer_encoding(headers);
        }
        if has_length {
            return content_length(headers).map(Self::Length);
        }
        Ok(Self::None)
    }
}

fn transfer_encoding(headers: &HeaderList) -> Result<BodyFraming, FramingError> {
    let mut codings = list_members(headers, b"transfer-encoding").peekable();
    if codings.peek().is_none() {
        return Err(FramingError::BadTransferEncoding);
    }
    let mut is_unknown = false;
    while let Some(coding) = codings.next() {
        if coding.is_empty() {
            return Err(FramingError::BadTransferEncoding);
        }
        if !coding.eq_ignore_ascii_case(b"chunked") {
            is_unknown = true;
        } else if codings.peek().is_some() {
            return Err(FramingError::BadTransferEncoding);
        }
    }
    if is_unknown { Err(FramingError::UnknownTransferCoding) } else { Ok(BodyFraming::Chunked) }
}

fn content_length(headers: &HeaderList) -> Result<u64, FramingError> {
    let mut length = None;
    for member in list_members(headers, b"content-length") {
        let value = parse_decimal(member).ok_or(FramingError::BadContentLength)?;
        if length.is_some_and(|length| length != value) {
            return Err(FramingError::DifferingContentLengths);
        }
        length = Some(value);
    }
    length.ok_or(FramingError::BadContentLength)
}

fn parse_decimal(digits: &[u8]) -> Option<u64> {
    if digits.is_empty() {
        return None;
    }
    digits.iter().try_fold(0_u64, |value, byte| {
        let digit = byte.is_ascii_digit().then(|| u64::from(byte - b'0'))?;
        value.checked_mul(10)?.checked_add(digit)
    })
}

/// Whether the connection is kept after this request, as far as the client is
/// concerned: not when Connection says `close`, and in HTTP/1.0 only when it
/// says `keep-alive`.
pub fn keeps_alive(version: Version, headers: &HeaderList) -> bool {
    let says = |option: &[u8]| {
        list_members(headers, b"connection").any(|member| member.eq_ignore_ascii_case(option))
    };
    !says(b"close") && (version >= Version::Http11 || says(b"keep-alive"))
}

/// Whether the client waits for `100 Continue` before it sends the body.
pub fn expects_continue(version: Version, headers: &HeaderList) -> bool {
    version >= Version::Http11
        && headers.get(b"expect").is_some_and(|value| value.eq_ignore_ascii_case(b"100-continue"))
}

/// The members of a comma-separated field, over all its lines, empty ones
/// included.
fn list_members<'a>(headers: &'a HeaderList, name: &'a [u8]) -> impl Iterator<Item = &'a [u8]> {
    headers.get_all(name).flat_map(|value| value.split(|&byte| byte == b',')).map(trim_white_space)
}

fn trim_white_space(value: &[u8]) -> &[u8] {
    let is_white = |byte: &u8| matches!(byte, b' ' | b'\t');
    let start = value.iter().take_while(|byte| is_white(byte)).count();
    let value = &value[start..];
    let end = value.iter().rev().take_while(|byte| is_white(byte)).count();
    &value[..value.len() - end]
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn list(fields: &[(&'static str, &'static str)]) -> HeaderList {
        fields.iter().copied().collect()
    }

    fn framing(fields: &[(&'static str, &'static str)]) -> Result<BodyFraming, FramingError> {
        BodyFraming::of(&list(fields), Version::Http11)
    }

    #[test]
    fn no_field_no_body() {
        assert_eq!(framing(&[("Content-Type", "5")]), Ok(BodyFraming::None));
    }

    #[test]
    fn a_length() {
        let length = |value| framing(&[("content-LENGTH", value)]);
        assert_eq!(length("0"), Ok(BodyFraming::Length(0)));
        assert_eq!(length("005"), Ok(BodyFraming::Length(5)));
        assert_eq!(length("18446744073709551615"), Ok(BodyFraming::Length(u64::MAX)));
        for bad in [
            "",
            " ",
            "x",
            "+5",
            "-5",
            "5x",
            "0x5",
            "5.0",
            "5 5",
            "1_0",
            "5,",
            ",5",
            "18446744073709551616",
            "99999999999999999999999",
        ] {
            assert_eq!(length(bad), Err(FramingError::BadContentLength), "{bad:?}");
        }
    }

    #[test]
    fn equal_lengths_may_repeat() {
        assert_eq!(
            framing(&[("Content-Length", "5"), ("content-length", "5")]),
            Ok(BodyFraming::Length(5))
        );
        assert_eq!(framing(&[("Content-Length", "5 ,\t5")]), Ok(BodyFraming::Length(5)));
        assert_eq!(
            framing(&[("Content-Length", "5"), ("content-length", "6")]),
            Err(FramingError::DifferingContentLengths)
        );
        assert_eq!(
            framing(&[("Content-Length", "5, 6")]),
            Err(FramingError::DifferingContentLengths)
        );
    }

    #[test]
    fn chunked_must_be_the_only_coding() {
        let coded = |value| framing(&[("Transfer-Encoding", value)]);
        assert_eq!(coded("chunked"), Ok(BodyFraming::Chunked));
        assert_eq!(coded(" CHUNKED\t"), Ok(BodyFraming::Chunked));
        for bad in
            ["", "chunked, chunked", "chunked, gzip", "chunked,", ",chunked", "gzip,,chunked"]
        {
            assert_eq!(coded(bad), Err(FramingError::BadTransferEncoding), "{bad:?}");
        }
        for unknown in
            ["gzip", "identity", "gzip, chunked", "xchunked", "chunked;a", "\u{b}chunked"]
        {
            assert_eq!(coded(unknown), Err(FramingError::UnknownTransferCoding), "{unknown:?}");
        }
        assert_eq!(
            framing(&[("Transfer-Encoding", "chunked"), ("transfer-encoding", "identity")]),
            Err(FramingError::BadTransferEncoding)
        );
    }

    #[test]
    fn a_length_and_a_coding_contradict() {
        assert_eq!(
            framing(&[("Content-Length", "5"), ("Transfer-Encoding", "chunked")]),
            Err(FramingError::LengthWithTransferEncoding)
        );
    }

    #[test]
    fn http_1_0_has_no_transfer_encoding() {
        let headers = list(&[("Transfer-Encoding", "chunked")]);
        assert_eq!(
            BodyFraming::of(&headers, Version::Http10),
            Err(FramingError::TransferEncodingInHttp10)
        );
    }

    #[test]
    fn errors_have_a_status_and_a_message() {
        let told = |error: FramingError| (error.status(), error.message());
        assert_eq!(
            told(FramingError::UnknownTransferCoding),
            (501, "Unknown transfer coding".to_owned())
        );
        assert_eq!(
            told(FramingError::DifferingContentLengths),
            (400, "Differing Content-Lengths".to_owned())
        );
    }

    #[test]
    fn the_connection_field_is_a_list_in_which_close_wins() {
        let kept = |version, value| keeps_alive(version, &list(&[("Connection", value)]));
        assert!(keeps_alive(Version::Http11, &HeaderList::new()));
        assert!(!keeps_alive(Version::Http10, &HeaderList::new()));
        assert!(kept(Version::Http10, "Keep-Alive"));
        assert!(kept(Version::Http10, "upgrade, keep-alive"));
        assert!(kept(Version::Http11, "Upgrade"));
        assert!(kept(Version::Http11, "closed"));
        assert!(!kept(Version::Http11, "CLOSE"));
        assert!(!kept(Version::Http11, "keep-alive ,close"));
        assert!(!kept(Version::Http10, "close, keep-alive"));
        let twice = list(&[("Connection", "keep-alive"), ("connection", "close")]);
        assert!(!keeps_alive(Version::Http11, &twice));
    }

    #[test]
    fn expectations() {
        let expects = |version, value| expects_continue(version, &list(&[("Expect", value)]));
        assert!(expects(Version::Http11, "100-Continue"));
        assert!(!expects(Version::Http10, "100-continue"));
        assert!(!expects(Version::Http11, "100-continue, x"));
        assert!(!expects_continue(Version::Http11, &HeaderList::new()));
    }

    proptest! {
        #[test]
        fn any_length_is_read(length: u64, times in 1_usize..4) {
            let headers: HeaderList = (0..times)
                .map(|_| ("Content-Length", length.to_string()))
                .collect();
            prop_assert_eq!(
                BodyFraming::of(&headers, Version::Http10),
                Ok(BodyFraming::Length(length))
            );
        }
    }
}

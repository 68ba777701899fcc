//! The body of an error that the server itself answers.

use std::fmt::Write;

/// `{"error": {"code": N, "message": "…"}}`, byte for byte as Python's
/// `json.dumps` writes it: ASCII only, a space after `:` and `,`, other
/// characters as `\uXXXX` with surrogate pairs.
pub fn error_body(code: i64, message: &str) -> String {
    let mut body = String::with_capacity(48 + message.len());
    // Writing to a String cannot fail.
    let _ = write!(body, "{{\"error\": {{\"code\": {code}, \"message\": \"");
    for character in message.chars() {
        push_escaped(&mut body, character);
    }
    body.push_str("\"}}");
    body
}

fn push_escaped(body: &mut String, character: char) {
    match character {
        '"' => body.push_str("\\\""),
        '\\' => body.push_str("\\\\"),
        '\n' => body.push_str("\\n"),
        '\r' => body.push_str("\\r"),
        '\t' => body.push_str("\\t"),
        '\u{8}' => body.push_str("\\b"),
        '\u{c}' => body.push_str("\\f"),
        ' '..='~' => body.push(character),
        other => {
            for unit in other.encode_utf16(&mut [0; 2]) {
                let _ = write!(body, "\\u{unit:04x}");
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_empty_message() {
        assert_eq!(error_body(404, ""), r#"{"error": {"code": 404, "message": ""}}"#);
    }

    #[test]
    fn a_traceback_is_escaped() {
        assert_eq!(
            error_body(-5, "a \"b\"\\\n\r\t\u{8}\u{c}/'"),
            r#"{"error": {"code": -5, "message": "a \"b\"\\\n\r\t\b\f/'"}}"#
        );
    }

    #[test]
    fn controls_and_non_ascii_become_code_units() {
        assert_eq!(
            error_body(500, "\0\u{1f}\u{7f}\u{80}é天\u{1f600}"),
            "{\"error\": {\"code\": 500, \"message\": \"\\u0000\\u001f\\u007f\\u0080\\u00e9\\u5929\\ud83d\\ude00\"}}"
        );
    }
}

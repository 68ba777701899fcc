//! Writing the head of a response.

/// Appends `HTTP/1.1 <code> <reason>` and a line end.
///
/// Any number is a code and any bytes are a reason, none of them looked into:
/// tests ask for odd status lines on purpose. The space before the reason is
/// there even when the reason is empty.
pub fn encode_status_line(out: &mut Vec<u8>, code: i64, reason: &[u8]) {
    out.extend_from_slice(b"HTTP/1.1 ");
    push_decimal(out, code);
    out.push(b' ');
    out.extend_from_slice(reason);
    out.extend_from_slice(b"\r\n");
}

/// Appends `name: value` and a line end.
///
/// A CR or LF in either is written as it stands, so a handler can add lines of
/// its own. That is wanted: tests rely on it to send broken heads. Whoever
/// passes on what a peer sent has to check it first.
pub fn encode_field(out: &mut Vec<u8>, name: &[u8], value: &[u8]) {
    out.reserve(name.len() + value.len() + 4);
    out.extend_from_slice(name);
    out.extend_from_slice(b": ");
    out.extend_from_slice(value);
    out.extend_from_slice(b"\r\n");
}

fn push_decimal(out: &mut Vec<u8>, number: i64) {
    if number < 0 {
        out.push(b'-');
    }
    let start = out.len();
    let mut rest = number.unsigned_abs();
    loop {
        // A remainder of 10 fits a byte.
        out.push(b'0' + u8::try_from(rest % 10).unwrap_or(0));
        rest /= 10;
        if rest == 0 {
            break;
        }
    }
    out[start..].reverse();
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn status_line(code: i64, reason: &[u8]) -> Vec<u8> {
        let mut out = Vec::new();
        encode_status_line(&mut out, code, reason);
        out
    }

    #[test]
    fn status_lines() {
        assert_eq!(status_line(200, b"OK"), b"HTTP/1.1 200 OK\r\n");
        assert_eq!(status_line(299, b""), b"HTTP/1.1 299 \r\n");
        assert_eq!(status_line(-5, b"\xe9"), b"HTTP/1.1 -5 \xe9\r\n");
        assert_eq!(status_line(0, b""), b"HTTP/1.1 0 \r\n");
        assert_eq!(status_line(i64::MIN, b""), b"HTTP/1.1 -9223372036854775808 \r\n");
    }

    #[test]
    fn fields_are_written_as_they_are_given() {
        let mut out = b"before".to_vec();
        encode_field(&mut out, b"X-a", b"b\r\nInjected: c");
        encode_field(&mut out, b"", b"");
        assert_eq!(out, b"beforeX-a: b\r\nInjected: c\r\n: \r\n");
    }

    proptest! {
        #[test]
        fn codes_are_decimal(code: i64) {
            prop_assert_eq!(
                status_line(code, b"R"),
                format!("HTTP/1.1 {code} R\r\n").into_bytes()
            );
        }
    }
}

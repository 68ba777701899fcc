use super::*;
use crate::target::TargetForm;
use proptest::prelude::*;

fn parse(input: &[u8]) -> Result<Option<RequestHead>, HeadError> {
    parse_request_head(&mut BytesMut::from(input))
}

/// The head that must be there, and what it leaves behind.
fn head(input: &[u8]) -> (RequestHead, BytesMut) {
    let mut buf = BytesMut::from(input);
    let head = parse_request_head(&mut buf).unwrap().unwrap();
    (head, buf)
}

fn with_line(line: &[u8]) -> Vec<u8> {
    [line, b"\r\n\r\n"].concat()
}

/// Feeds `input` in pieces of `step` bytes until a head or an error comes.
fn in_pieces(input: &[u8], step: usize) -> Result<Option<(RequestHead, usize)>, HeadError> {
    let mut parser = HeadParser::new();
    let mut buf = BytesMut::new();
    let mut fed = 0;
    for piece in input.chunks(step) {
        buf.extend_from_slice(piece);
        fed += piece.len();
        let before = buf.clone();
        if let Some(head) = parser.parse(&mut buf)? {
            return Ok(Some((head, fed - buf.len())));
        }
        assert_eq!(buf, before);
    }
    Ok(None)
}

#[test]
fn a_whole_head() {
    let (head, rest) = head(b"POST /a?b=c HTTP/1.1\r\nHost: h\r\nX-a:  b c \t\r\nx-A:\r\n\r\nbody");
    let expected = RequestHead {
        method: Bytes::from_static(b"POST"),
        raw_target: Bytes::from_static(b"/a?b=c"),
        target: Target {
            form: TargetForm::Origin,
            path: Bytes::from_static(b"/a"),
            query: Some(Bytes::from_static(b"b=c")),
        },
        version: Version::Http11,
        headers: [("Host", "h"), ("X-a", "b c"), ("x-A", "")].into_iter().collect(),
        request_line: Bytes::from_static(b"POST /a?b=c HTTP/1.1\r\n"),
    };
    assert_eq!(head, expected);
    assert_eq!(&rest[..], b"body");
}

#[test]
fn pipelined_heads_come_one_by_one() {
    let mut buf = BytesMut::from(&b"GET /1 HTTP/1.1\r\n\r\n\r\nGET /2 HTTP/1.0\n\nGET"[..]);
    let mut parser = HeadParser::new();
    let first = parser.parse(&mut buf).unwrap().unwrap();
    let second = parser.parse(&mut buf).unwrap().unwrap();
    assert_eq!(&first.request_line[..], b"GET /1 HTTP/1.1\r\n");
    assert_eq!(&second.request_line[..], b"GET /2 HTTP/1.0\n");
    assert_eq!(second.version, Version::Http10);
    assert_eq!(parser.parse(&mut buf), Ok(None));
    assert_eq!(&buf[..], b"GET");
    buf.extend_from_slice(b" /3 HTTP/1.1\r\n\r\n");
    let third = parser.parse(&mut buf).unwrap().unwrap();
    assert_eq!(&third.raw_target[..], b"/3");
    assert!(buf.is_empty());
}

#[test]
fn empty_lines_before_a_head_are_skipped() {
    let (head, rest) = head(b"\r\n\n\r\nGET / HTTP/1.1\r\n\r\n\r\n");
    assert_eq!(&head.request_line[..], b"GET / HTTP/1.1\r\n");
    assert_eq!(&rest[..], b"\r\n");
    assert_eq!(parse(b""), Ok(None));
    assert_eq!(parse(b"\r\n\n\r"), Ok(None));
    assert_eq!(parse(b"\r\r\n"), Err(HeadError::BadRequestLine));
    assert_eq!(parse(&b"\r\n".repeat(MAX_HEAD)), Err(HeadError::BadRequestLine));
}

#[test]
fn lines_may_end_with_a_bare_lf() {
    let (head, rest) = head(b"GET / HTTP/1.1\nA: b\r\nC: d\n\n\n");
    assert_eq!(&head.request_line[..], b"GET / HTTP/1.1\n");
    assert_eq!(head.headers, [("A", "b"), ("C", "d")].into_iter().collect());
    assert_eq!(&rest[..], b"\n");
}

#[test]
fn any_token_is_a_method() {
    let (head, _) = head(&with_line(b"x!#$%&'*+-.^_`|~9 / HTTP/1.1"));
    assert_eq!(&head.method[..], b"x!#$%&'*+-.^_`|~9");
}

#[test]
fn slashes_at_the_start_of_a_target_collapse() {
    let (head, _) = head(&with_line(b"GET ///a//b?//c HTTP/1.1"));
    assert_eq!(&head.raw_target[..], b"/a//b?//c");
    assert_eq!(&head.target.path[..], b"/a//b");
    assert_eq!(&head.request_line[..], b"GET ///a//b?//c HTTP/1.1\r\n");
}

#[test]
fn a_target_may_have_any_bytes_above_ascii() {
    let (head, _) = head(&with_line(b"GET /\xe9\xc3\xa9?\xff HTTP/1.1"));
    assert_eq!(&head.raw_target[..], b"/\xe9\xc3\xa9?\xff");
    assert_eq!(head.target.query, Some(Bytes::from_static(b"\xff")));
}

#[test]
fn a_field_value_may_have_any_bytes_above_ascii() {
    let (head, _) = head(b"GET / HTTP/1.1\r\nA: \xe9\xff\t\x80\r\n\r\n");
    assert_eq!(head.headers.get(b"a"), Some(&Bytes::from_static(b"\xe9\xff\t\x80")));
}

#[test]
fn connect_names_an_authority() {
    let (head, _) = head(&with_line(b"CONNECT h:443 HTTP/1.1"));
    assert_eq!(head.target.form, TargetForm::Authority);
}

#[test]
fn versions() {
    let version = |text: &str| {
        parse(&with_line(format!("GET / {text}").as_bytes()))
            .map(|head| head.map(|head| head.version))
    };
    assert_eq!(version("HTTP/1.0"), Ok(Some(Version::Http10)));
    assert_eq!(version("HTTP/1.1"), Ok(Some(Version::Http11)));
    assert_eq!(version("HTTP/1.7"), Ok(Some(Version::Http11)));
    for unsupported in ["HTTP/2.0", "HTTP/3.1", "HTTP/10.11"] {
        assert_eq!(version(unsupported), Err(HeadError::UnsupportedVersion));
    }
    for bad in [
        "",
        "HTTP",
        "HTTP/",
        "HTTP/1",
        "HTTP/1.",
        "HTTP/.1",
        "HTTP/0.9",
        "HTTP/1.10",
        "HTTP/2",
        "HTTP/2.",
        "HTTP/2.0.0",
        "HTTP/1.1.1",
        "HTTP/02.0",
        "HTTP/2.x",
        "HTTP/-2.0",
        "http/1.1",
        "HTTPS/1.1",
        "HTTP/1.1 ",
        " HTTP/1.1",
        "HTTP/1.1\r",
        "HTTP/22222222222.0",
    ] {
        assert_eq!(version(bad), Err(HeadError::BadRequestLine), "{bad:?}");
    }
}

#[test]
fn bad_request_lines() {
    for line in [
        &b"GET"[..],
        b"GET /",
        b"GET  / HTTP/1.1",
        b"GET /  HTTP/1.1",
        b"GET\t/ HTTP/1.1",
        b" GET / HTTP/1.1",
        b"GET / a HTTP/1.1",
        b"GET /\0 HTTP/1.1",
        b"GET /\x7f HTTP/1.1",
        b"GET /\r HTTP/1.1",
        b"G(T / HTTP/1.1",
        b"\xe9 / HTTP/1.1",
        b"/ HTTP/1.1",
    ] {
        assert_eq!(
            parse(&with_line(line)),
            Err(HeadError::BadRequestLine),
            "{}",
            line.escape_ascii()
        );
    }
}

#[test]
fn a_bad_request_line_is_refused_before_the_head_ends() {
    for line in [&b"GET /\r\n"[..], b"GET / HTTP/9.9\r\n"] {
        assert_eq!(in_pieces(line, 3), parse(line).map(|_| None));
        assert!(parse(line).is_err());
    }
}

#[test]
fn tls_is_refused_before_a_line_ends() {
    assert_eq!(parse(b"\x16\x03\x01\x02\x00\x01"), Err(HeadError::BadRequestLine));
}

#[test]
fn bad_fields() {
    for field in [
        &b"A"[..],
        b": a",
        b"A : b",
        b" A: b",
        b"A: b\r\n c",
        b"A: b\r\n\tc",
        b"A: b\0",
        b"A\x01: b\x01",
        b"A: b\rC: d",
        b"\xe9: b",
        b"A b: c",
    ] {
        let input = [b"GET / HTTP/1.1\r\n", field, b"\r\n\r\n"].concat();
        assert_eq!(parse(&input), Err(HeadError::BadField), "{}", field.escape_ascii());
    }
}

#[test]
fn values_may_have_control_characters() {
    let value: Vec<u8> = (1..=0x7f).filter(|byte| !b"\t\n\r".contains(byte)).collect();
    let head = [b"GET / HTTP/1.1\r\nA: ", &value[..], b"\r\nB: \x01\r\n\r\n"].concat();
    let head = parse(&head).unwrap().unwrap();
    assert_eq!(head.headers.get(b"a").unwrap(), &value);
    assert_eq!(head.headers.get(b"b").unwrap(), b"\x01".as_slice());
}

#[test]
fn the_request_line_has_a_limit() {
    let line = |length: usize| {
        let frame = "GET / HTTP/1.1\r\n".len();
        format!("GET /{} HTTP/1.1\r\n", "a".repeat(length - frame))
    };
    let longest = line(MAX_LINE) + "\r\n";
    assert_eq!(head(longest.as_bytes()).0.raw_target.len(), MAX_LINE - 15);
    let too_long = line(MAX_LINE + 1) + "\r\n";
    assert_eq!(parse(too_long.as_bytes()), Err(HeadError::RequestLineTooLong));
    let endless = vec![b'a'; MAX_LINE * 2];
    assert_eq!(parse(&endless[..MAX_LINE]), Err(HeadError::RequestLineTooLong));
    assert_eq!(parse(&endless[..MAX_LINE - 1]), Ok(None));
    assert_eq!(in_pieces(&endless, 1_000), Err(HeadError::RequestLineTooLong));
}

#[test]
fn a_field_line_has_a_limit() {
    let with_field = |length: usize| {
        format!("GET / HTTP/1.1\r\nA: {}\r\n\r\n", "b".repeat(length - "A: \r\n".len()))
    };
    let (longest, _) = head(with_field(MAX_LINE).as_bytes());
    assert_eq!(longest.headers.get(b"a").map(Bytes::len), Some(MAX_LINE - 5));
    let too_long = with_field(MAX_LINE + 1);
    assert_eq!(parse(too_long.as_bytes()), Err(HeadError::FieldTooLong));
    assert_eq!(in_pieces(too_long.as_bytes(), 777), Err(HeadError::FieldTooLong));
    let endless = [b"GET / HTTP/1.1\r\nA: ".to_vec(), vec![b'b'; MAX_LINE]].concat();
    assert_eq!(parse(&endless), Err(HeadError::FieldTooLong));
}

#[test]
fn the_number_of_fields_has_a_limit() {
    let with_fields = |count: usize| format!("GET / HTTP/1.1\r\n{}\r\n", "A: b\r\n".repeat(count));
    for count in [USUAL_FIELDS, USUAL_FIELDS + 1, MAX_FIELDS] {
        let input = with_fields(count);
        assert_eq!(head(input.as_bytes()).0.headers.len(), count);
        let (pieced, _) = in_pieces(input.as_bytes(), 100).unwrap().unwrap();
        assert_eq!(pieced.headers.len(), count);
    }
    let too_many = with_fields(MAX_FIELDS + 1);
    assert_eq!(parse(too_many.as_bytes()), Err(HeadError::TooManyFields));
    assert_eq!(
        in_pieces(&too_many.as_bytes()[..too_many.len() - 2], 100),
        Err(HeadError::TooManyFields)
    );
}

#[test]
fn a_whole_head_has_a_limit() {
    let field = format!("A: {}\r\n", "b".repeat(60_000));
    let input = format!("GET / HTTP/1.1\r\n{}\r\n", field.repeat(17));
    assert!(input.len() < MAX_HEAD);
    assert_eq!(head(input.as_bytes()).0.headers.len(), 17);
    let input = format!("GET / HTTP/1.1\r\n{}\r\n", field.repeat(18));
    assert_eq!(parse(input.as_bytes()), Err(HeadError::TooManyFields));
    assert_eq!(in_pieces(input.as_bytes(), 4_096), Err(HeadError::TooManyFields));
}

#[test]
fn a_long_body_behind_a_head_breaks_no_limit() {
    let mut input = b"POST / HTTP/1.1\r\nA: b\r\n\r\n".to_vec();
    input.extend(std::iter::repeat_n(b'x', 2 * MAX_HEAD));
    let (head, rest) = head(&input);
    assert_eq!(head.headers.len(), 1);
    assert_eq!(rest.len(), 2 * MAX_HEAD);
}

#[test]
fn a_head_may_come_byte_by_byte() {
    let input = b"\r\nPUT http://h/x HTTP/1.1\r\nA: b\nC:d\r\n\r\nrest";
    let (whole, rest) = head(input);
    let (pieced, taken) = in_pieces(input, 1).unwrap().unwrap();
    assert_eq!(pieced, whole);
    assert_eq!(taken, input.len() - rest.len());
}

#[test]
fn errors_have_a_status_and_a_message() {
    let told = |error: HeadError| (error.status(), error.message());
    assert_eq!(told(HeadError::BadRequestLine), (400, "Bad request line".to_owned()));
    assert_eq!(told(HeadError::BadField), (400, "Bad header field".to_owned()));
    assert_eq!(
        told(HeadError::RequestLineTooLong),
        (414, "Request line longer than 65536 bytes".to_owned())
    );
    assert_eq!(
        told(HeadError::FieldTooLong),
        (431, "Header field longer than 65536 bytes".to_owned())
    );
    assert_eq!(
        told(HeadError::TooManyFields),
        (431, "More than 512 header fields or 1048576 bytes of them".to_owned())
    );
    assert_eq!(told(HeadError::UnsupportedVersion), (505, "HTTP version not supported".to_owned()));
}

proptest! {
    #[test]
    fn a_written_head_comes_back(
        method in "[A-Za-z!#$.-]{1,8}",
        target in "/[a-z?&=%]{0,20}",
        fields in prop::collection::vec(("[A-Za-z0-9-]{1,10}", "([!-~]([ -~]{0,10}[!-~])?)?"), 0..80),
        bare_lf: bool,
        step in 1_usize..40,
    ) {
        let end = if bare_lf { "\n" } else { "\r\n" };
        let mut input = format!("{method} {target} HTTP/1.1{end}");
        for (name, value) in &fields {
            input.extend([name, ": ", value, end]);
        }
        input.push_str(end);
        let length = input.len();
        input.push_str("rest");

        let (pieced, taken) = in_pieces(input.as_bytes(), step)?.unwrap();
        prop_assert_eq!(taken, length);
        let (whole, rest) = head(input.as_bytes());
        prop_assert_eq!(&rest[..], b"rest");
        prop_assert_eq!(&pieced, &whole);
        prop_assert_eq!(whole.method, method.as_bytes());
        prop_assert_eq!(whole.raw_target, target.as_bytes());
        prop_assert_eq!(whole.headers, fields.into_iter().collect::<HeaderList>());
    }

    #[test]
    fn pieces_end_as_the_whole_does(
        input in prop::collection::vec(
            prop::sample::select(&b"GET / HTTP/1.1\r\n:A \x80"[..]), 0..60),
        step in 1_usize..10,
    ) {
        let input = [b"G / HTTP/1.1\n", &input[..], b"\n\n"].concat();
        let pieced = in_pieces(&input, step).map(|found| found.map(|(head, _)| head));
        prop_assert_eq!(pieced.is_err(), parse(&input).is_err());
        if let Ok(whole) = parse(&input) {
            prop_assert_eq!(pieced, Ok(whole));
        }
    }
}

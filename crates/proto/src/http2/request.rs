//! A request's head over HTTP/2: from its header list (RFC 9113 section 8.3).

use bytes::Bytes;
use thiserror::Error;

use super::CONNECTION_FIELDS;
use crate::{
    framing::{BodyFraming, FramingError},
    headers::{Field, HeaderList},
    request_head::{
        HeadError, MAX_FIELDS, MAX_LINE, RequestHead, Version, is_target_byte, is_token,
    },
    target::Target,
};

/// What a request's header list says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Http2Head {
    /// The head, with a Host field where there is an `:authority`, and with its cookies in one
    /// field: the client may send each in one of its own (section 8.2.3).
    pub head: RequestHead,
    /// The `:protocol` of an extended CONNECT (RFC 8441).
    pub protocol: Option<Bytes>,
    /// The Content-Length.
    pub length: Option<u64>,
}

/// Why a header list is no request's.
#[derive(Clone, Copy, Debug, Error, PartialEq, Eq)]
pub enum Http2HeadError {
    /// It is malformed, which is an error of its stream (section 8.1.1).
    #[error("{0}")]
    Malformed(&'static str),
    /// It is too long, by the measures of HTTP/1.
    #[error("{0}")]
    TooLong(HeadError),
}

use Http2HeadError::{Malformed, TooLong};

impl From<FramingError> for Http2HeadError {
    fn from(error: FramingError) -> Self {
        Malformed(match error {
            FramingError::DifferingContentLengths => "content-length fields differ",
            _ => "content-length is not a number",
        })
    }
}

/// The pseudo-header fields of a request.
#[derive(Debug, Default)]
struct Pseudo {
    method: Option<Bytes>,
    scheme: Option<Bytes>,
    authority: Option<Bytes>,
    path: Option<Bytes>,
    protocol: Option<Bytes>,
}

/// Reads a header list. Values and the path may have what they may have over HTTP/1.1.
pub fn parse_request(fields: &HeaderList) -> Result<Http2Head, Http2HeadError> {
    let pseudo_count = fields.iter().take_while(|field| field.name.starts_with(b":")).count();
    let mut pseudo = Pseudo::default();
    for field in fields.iter().take(pseudo_count) {
        pseudo.take(field)?;
    }
    let mut headers = HeaderList::with_capacity(fields.len());
    if let Some(authority) = &pseudo.authority {
        headers.push("host", authority.clone());
    }
    let mut cookies = Vec::new();
    for field in fields.iter().skip(pseudo_count) {
        check_field(field)?;
        match &field.name[..] {
            // The `:authority` replaces it (section 8.3.1).
            b"host" if pseudo.authority.is_some() => {}
            b"cookie" => {
                if cookies.is_empty() {
                    headers.push("cookie", field.value.clone());
                }
                cookies.push(&field.value[..]);
            }
            _ => headers.push(field.name.clone(), field.value.clone()),
        }
    }
    if cookies.len() > 1 {
        headers.set("cookie", cookies.join(&b"; "[..]));
    }
    let length = match BodyFraming::of(&headers, Version::Http2)? {
        BodyFraming::Length(length) => Some(length),
        BodyFraming::None | BodyFraming::Chunked => None,
    };
    let head = pseudo.head(headers)?;
    check_length(&head)?;
    Ok(Http2Head { head, protocol: pseudo.protocol, length })
}

/// Looks at the fields of trailers, which are malformed as a head may be (section 8.1).
pub fn check_trailers(fields: &HeaderList) -> Result<(), Http2HeadError> {
    fields.iter().try_for_each(check_field)
}

impl Pseudo {
    fn take(&mut self, field: &Field) -> Result<(), Http2HeadError> {
        let place = match &field.name[..] {
            b":method" => &mut self.method,
            b":scheme" => &mut self.scheme,
            b":authority" => &mut self.authority,
            b":path" => &mut self.path,
            b":protocol" => &mut self.protocol,
            _ => return Err(Malformed("a pseudo-header field is not one of a request")),
        };
        if place.replace(field.value.clone()).is_some() {
            return Err(Malformed("a pseudo-header field comes twice"));
        }
        Ok(())
    }

    fn head(&self, headers: HeaderList) -> Result<RequestHead, Http2HeadError> {
        let method = self.method.clone().ok_or(Malformed("no :method"))?;
        if method.is_empty() || !method.iter().all(|&byte| is_token(byte)) {
            return Err(Malformed(":method is not a token"));
        }
        let authority = self.authority.as_ref();
        if authority.is_some_and(|authority| !is_target(authority)) {
            return Err(Malformed(":authority is empty or has a control character"));
        }
        let (raw_target, form) = if method == "CONNECT" && self.protocol.is_none() {
            if self.scheme.is_some() || self.path.is_some() {
                return Err(Malformed("CONNECT has a :scheme or a :path"));
            }
            (authority.ok_or(Malformed("CONNECT has no :authority"))?, &method[..])
        } else {
            let scheme = self.scheme.as_ref().ok_or(Malformed("no :scheme"))?;
            if !is_scheme(scheme) {
                return Err(Malformed(":scheme is not a scheme"));
            }
            let path = self.path.as_ref().ok_or(Malformed("no :path"))?;
            if !(path.starts_with(b"/") || path == "*") || !is_target(path) {
                return Err(Malformed(":path does not begin with / or has a control character"));
            }
            // An extended CONNECT has a path like any other request (RFC 8441, section 4).
            (path, if self.protocol.is_some() { &b"GET"[..] } else { &method })
        };
        match &self.protocol {
            Some(_) if method != "CONNECT" => {
                return Err(Malformed(":protocol in a request that is not CONNECT"));
            }
            Some(protocol) if !is_value(protocol) => {
                return Err(Malformed(":protocol has a control character"));
            }
            _ => {}
        }
        Ok(RequestHead {
            target: Target::parse(raw_target.clone(), form),
            raw_target: raw_target.clone(),
            method,
            version: Version::Http2,
            headers,
            request_line: Bytes::new(),
        })
    }
}

/// What makes any message malformed (sections 8.2.1 and 8.2.2).
fn check_field(Field { name, value }: &Field) -> Result<(), Http2HeadError> {
    if name.starts_with(b":") {
        return Err(Malformed("a pseudo-header field behind others, or in trailers"));
    }
    if name.is_empty() || !name.iter().all(|&byte| is_token(byte) && !byte.is_ascii_uppercase()) {
        return Err(Malformed("the name of a field is not a token in lower case"));
    }
    if !is_value(value) {
        return Err(Malformed("the value of a field has NUL, CR or LF, or white space around it"));
    }
    if CONNECTION_FIELDS.contains(&&name[..]) || (name == "te" && value != "trailers") {
        return Err(Malformed("a field speaks of the connection"));
    }
    Ok(())
}

/// The limits of HTTP/1 on lines and fields.
fn check_length(head: &RequestHead) -> Result<(), Http2HeadError> {
    let line = |one: &[u8], other: &[u8]| one.len() + other.len();
    if line(&head.method, &head.raw_target) > MAX_LINE {
        return Err(TooLong(HeadError::RequestLineTooLong));
    }
    if head.headers.len() > MAX_FIELDS {
        return Err(TooLong(HeadError::TooManyFields));
    }
    // Cookies were lines of their own.
    let is_long =
        |field: &Field| field.name != "cookie" && line(&field.name, &field.value) > MAX_LINE;
    if head.headers.iter().any(is_long) {
        return Err(TooLong(HeadError::FieldTooLong));
    }
    Ok(())
}

fn is_target(value: &[u8]) -> bool {
    !value.is_empty() && value.iter().all(|&byte| is_target_byte(byte))
}

/// RFC 3986, section 3.1.
fn is_scheme(value: &[u8]) -> bool {
    value.first().is_some_and(u8::is_ascii_alphabetic)
        && value.iter().all(|&byte| byte.is_ascii_alphanumeric() || b"+-.".contains(&byte))
}

fn is_value(value: &[u8]) -> bool {
    let is_white = |byte: Option<&u8>| matches!(byte, Some(b' ' | b'\t'));
    !value.iter().any(|byte| matches!(byte, b'\0' | b'\r' | b'\n'))
        && !is_white(value.first())
        && !is_white(value.last())
}

#[cfg(test)]
mod tests {
    use super::*;

    const GET: [(&str, &str); 4] =
        [(":method", "GET"), (":scheme", "http"), (":authority", "a.test"), (":path", "/")];

    fn list(fields: &[(&str, &str)]) -> HeaderList {
        fields
            .iter()
            .map(|(name, value)| (name.as_bytes().to_vec(), value.as_bytes().to_vec()))
            .collect()
    }

    fn parse(fields: &[(&str, &str)]) -> Result<Http2Head, Http2HeadError> {
        parse_request(&list(fields))
    }

    /// A GET with these fields too.
    fn get(fields: &[(&str, &str)]) -> Result<Http2Head, Http2HeadError> {
        parse(&[&GET[..], fields].concat())
    }

    /// A GET in which one field has another value.
    fn with(name: &str, value: &str) -> Result<Http2Head, Http2HeadError> {
        parse(&GET.map(|(other, old)| (other, if other == name { value } else { old })))
    }

    fn without(name: &str) -> Result<Http2Head, Http2HeadError> {
        let kept: Vec<_> = GET.into_iter().filter(|(other, _)| *other != name).collect();
        parse(&kept)
    }

    #[track_caller]
    fn assert_malformed(parsed: &Result<Http2Head, Http2HeadError>) {
        assert!(matches!(parsed, Err(Malformed(_))), "{parsed:?}");
    }

    #[test]
    fn a_head_has_a_host() {
        let Http2Head { head, protocol, length } = get(&[("x-a", "b")]).unwrap();
        assert_eq!((&head.method[..], &head.raw_target[..]), (&b"GET"[..], &b"/"[..]));
        assert_eq!(head.headers, list(&[("host", "a.test"), ("x-a", "b")]));
        assert_eq!((protocol, length), (None, None));
    }

    #[test]
    fn the_authority_replaces_a_host() {
        let head = get(&[("x-a", "b"), ("host", "other.test")]).unwrap().head;
        assert_eq!(head.headers, list(&[("host", "a.test"), ("x-a", "b")]));
        let fields = [(":method", "GET"), (":scheme", "http"), (":path", "/"), ("host", "b.test")];
        assert_eq!(parse(&fields).unwrap().head.headers, list(&[("host", "b.test")]));
        assert!(without(":authority").unwrap().head.headers.is_empty());
    }

    #[test]
    fn cookies_are_one_field() {
        let head = get(&[("cookie", "a=1"), ("x", "y"), ("cookie", "b=2")]).unwrap().head;
        let expected = [("host", "a.test"), ("cookie", "a=1; b=2"), ("x", "y")];
        assert_eq!(head.headers, list(&expected));
        let head = get(&[("cookie", "a=1")]).unwrap().head;
        assert_eq!(head.headers.get(b"cookie").unwrap(), "a=1");
    }

    #[test]
    fn values_and_paths_are_as_over_http1() {
        let value = "a\u{b}b\u{1}\u{7f}\u{e9}\"";
        assert_eq!(get(&[("x-a", value)]).unwrap().head.headers.get(b"x-a").unwrap(), value);
        assert!(get(&[("x-a", "")]).is_ok());
        let path = "/a\"<>|\\^`{}\u{e9}?q=\"x\"#f";
        let head = with(":path", path).unwrap().head;
        assert_eq!(head.raw_target, path);
        assert_eq!(head.target.query.unwrap(), "q=\"x\"");
        assert!(with(":path", "*").is_ok());
        assert!(with(":authority", "user@[::1]:80").is_ok());
        assert!(with(":method", "x!").is_ok());
    }

    #[test]
    fn pseudo_header_fields_come_once_and_first() {
        for (name, value) in GET {
            assert_malformed(&get(&[(name, value)]));
            assert_malformed(&get(&[("x-a", "b"), (name, value)]));
            if name != ":authority" {
                assert_malformed(&without(name));
            }
            assert_malformed(&with(name, ""));
            assert_malformed(&with(name, "/ \u{1}"));
        }
        assert_malformed(&get(&[(":status", "200")]));
        assert_malformed(&get(&[(":x", "y")]));
        assert_malformed(&get(&[(":protocol", "websocket")]));
        assert_malformed(&with(":path", "path"));
        assert_malformed(&with(":scheme", "1x"));
        assert_malformed(&parse(&[]));
    }

    #[test]
    fn connect_names_a_host_or_a_protocol() {
        let connect = parse(&[(":method", "CONNECT"), (":authority", "a.test:80")]).unwrap();
        assert_eq!(connect.head.raw_target, "a.test:80");
        assert_malformed(&parse(&[(":method", "CONNECT")]));
        assert_malformed(&with(":method", "CONNECT"));
        let extended = |protocol: &'static str| {
            let mut fields = GET.to_vec();
            fields[0].1 = "CONNECT";
            fields.insert(1, (":protocol", protocol));
            parse(&fields)
        };
        let head = extended("websocket").unwrap();
        assert_eq!(head.protocol.unwrap(), "websocket");
        assert_eq!(head.head.target.path, "/");
        assert_malformed(&extended("web\nsocket"));
    }

    #[test]
    fn fields_that_no_message_has() {
        for (name, value) in [
            ("X-A", "b"),
            ("", "b"),
            ("x a", "b"),
            ("x:a", "b"),
            ("x\u{e9}", "b"),
            ("x-a", "a\0"),
            ("x-a", "a\rb"),
            ("x-a", "a\nb"),
            ("x-a", " a"),
            ("x-a", "a\t"),
            ("connection", "close"),
            ("keep-alive", "1"),
            ("proxy-connection", "x"),
            ("transfer-encoding", "chunked"),
            ("upgrade", "x"),
            ("te", "gzip"),
        ] {
            assert_malformed(&get(&[(name, value)]));
            assert!(check_trailers(&list(&[(name, value)])).is_err());
        }
        assert!(get(&[("te", "trailers")]).is_ok());
        assert!(check_trailers(&list(&[(":path", "/")])).is_err());
        assert_eq!(check_trailers(&list(&[("x", "y\u{1}")])), Ok(()));
    }

    #[test]
    fn a_length_is_a_number() {
        assert_eq!(get(&[("content-length", "12")]).unwrap().length, Some(12));
        let twice = [("content-length", "1"), ("content-length", "1")];
        assert_eq!(get(&twice).unwrap().length, Some(1));
        assert_malformed(&get(&[("content-length", "1"), ("content-length", "2")]));
        assert_malformed(&get(&[("content-length", "x")]));
        assert_malformed(&get(&[("content-length", "")]));
    }

    #[test]
    fn a_head_is_as_long_as_over_http1() {
        let long = "x".repeat(MAX_LINE);
        assert_eq!(get(&[("x-a", &long)]), Err(TooLong(HeadError::FieldTooLong)));
        assert_eq!(with(":path", &format!("/{long}")), Err(TooLong(HeadError::RequestLineTooLong)));
        assert_eq!(get(&[("x", "y"); MAX_FIELDS]), Err(TooLong(HeadError::TooManyFields)));
        assert!(get(&[("x", "y"); MAX_FIELDS - 1]).is_ok());
        assert!(get(&vec![("cookie", "y"); 2 * MAX_FIELDS]).is_ok());
    }
}

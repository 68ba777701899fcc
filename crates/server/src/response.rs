//! A response as a value, for handlers that know all of it at once.

use std::{
    fmt, io,
    task::{Context, Poll},
};

use bytes::Bytes;
use proto::{HeaderList, json_error, response_head, status};

use crate::{clock, parts::Parts};

/// A whole response.
#[derive(Debug)]
pub struct Response {
    /// Heads of informational responses (RFC 9110, section 15.2) that go ahead of this one.
    pub informational: Vec<Informational>,
    /// The status code.
    pub status: i64,
    /// The reason phrase; the usual one when absent.
    pub reason: Option<Bytes>,
    /// The header list; Server, Date and the framing fields are added when it is sent.
    pub headers: HeaderList,
    /// The content.
    pub body: Body,
    /// Where the response is broken off, if it is.
    pub cut: Option<Cut>,
}

/// The head of an informational response.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Informational {
    /// The status code, 1xx.
    pub status: i64,
    /// The reason phrase.
    pub reason: &'static str,
    /// The header list; nothing is added.
    pub headers: HeaderList,
}

/// The content of a [`Response`].
pub enum Body {
    /// None, and no length is announced either: for CONNECT.
    None,
    /// So many bytes that nobody will ask for: in answer to HEAD.
    Unread {
        /// The length that is announced.
        length: u64,
    },
    /// In memory.
    Bytes(Bytes),
    /// Put together of bytes and ranges of files, which are read while they are sent.
    Parts(Parts),
    /// Made while it is sent; it ends with the connection unless a Content-Length is set.
    Stream(Box<dyn BodyStream>),
}

/// Content that is made while it is sent.
pub trait BodyStream: Send {
    /// The next piece; `None` at the end. Polled on the I/O thread.
    fn poll_next(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<Option<Bytes>>>;

    /// Whether the next piece is being read from a file.
    fn is_reading(&self) -> bool;

    /// All of it at once, for a pipe that comes behind.
    fn into_parts(self: Box<Self>) -> Parts;
}

/// The point at which a response is broken off.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Cut {
    /// How many bytes of the content are sent.
    pub after: u64,
    /// Whether the connection is reset rather than closed.
    pub reset: bool,
}

impl Response {
    /// A response with an empty header list.
    pub fn new(status: u16, body: impl Into<Bytes>) -> Self {
        Self {
            informational: Vec::new(),
            status: i64::from(status),
            reason: None,
            headers: HeaderList::new(),
            body: Body::Bytes(body.into()),
            cut: None,
        }
    }

    /// The same with one more header field.
    #[must_use]
    pub fn with(mut self, name: &'static str, value: impl Into<Bytes>) -> Self {
        self.headers.push(name, value);
        self
    }

    /// The error response of the reference: a JSON object with the code and a message.
    pub fn error(status: u16, message: &str) -> Self {
        let body = json_error::error_body(i64::from(status), message);
        let mut response = Self::new(status, "")
            .with("Content-Type", "application/json")
            .with("Content-Length", body.len().to_string());
        response.body = Body::Bytes(body.into());
        response
    }

    /// The head as it goes over an HTTP/1.1 connection: the fields, then Server and Date, then
    /// Content-Length where the length is known, each unless it is there; and
    /// `Connection: close` when `close`. It is written behind what `head` has.
    pub fn encode_head(&self, close: bool, head: &mut Vec<u8>) {
        for Informational { status, reason, headers } in &self.informational {
            encode_start(head, *status, Some(reason.as_bytes()), headers);
            head.extend_from_slice(b"\r\n");
        }
        encode_start(head, self.status, self.reason.as_deref(), &self.headers);
        if !self.headers.contains(b"server") {
            response_head::encode_field(head, b"Server", SERVER.as_bytes());
        }
        if !self.headers.contains(b"date") {
            response_head::encode_field(head, b"Date", &clock::http_date_now());
        }
        if !self.is_framed()
            && !self.ends_with_connection()
            && let Some(length) = self.body.length()
        {
            let length = length.to_string();
            response_head::encode_field(head, b"Content-Length", length.as_bytes());
        }
        if close && !self.headers.contains(b"connection") {
            response_head::encode_field(head, b"Connection", b"close");
        }
        head.extend_from_slice(b"\r\n");
    }

    /// Whether the connection closes behind it: it says so, its content ends with it, or what
    /// frames the content is not the server's to answer for.
    pub(crate) fn closes_connection(&self) -> bool {
        self.ends_with_connection()
            || self.has_stray_content()
            || self.headers.contains(b"transfer-encoding")
            || self
                .headers
                .get(b"connection")
                .is_some_and(|value| value.eq_ignore_ascii_case(b"close"))
    }

    /// Whether only the end of the connection shows where the content ends: it is made while it
    /// is sent, or the status has no content (RFC 9110, section 6.4.1) and this has.
    pub fn ends_with_connection(&self) -> bool {
        !self.is_framed()
            && match self.body {
                Body::None => false,
                Body::Stream(_) => true,
                Body::Unread { .. } | Body::Bytes(_) | Body::Parts(_) => {
                    status::is_without_content(self.status)
                }
            }
    }

    /// Whether its header list says where the content ends.
    fn is_framed(&self) -> bool {
        self.headers.contains(b"content-length") || self.headers.contains(b"transfer-encoding")
    }

    /// Whether it has content that a client does not read as such.
    fn has_stray_content(&self) -> bool {
        status::is_without_content(self.status)
            && match &self.body {
                Body::None | Body::Unread { .. } => false,
                Body::Stream(_) => true,
                body => body.length() != Some(0),
            }
    }
}

fn encode_start(head: &mut Vec<u8>, status: i64, reason: Option<&[u8]>, headers: &HeaderList) {
    let reason = reason.unwrap_or_else(|| status::reason(status).as_bytes());
    response_head::encode_status_line(head, status, reason);
    for field in headers {
        response_head::encode_field(head, &field.name, &field.value);
    }
}

impl Body {
    /// The length in bytes, where it is known.
    pub fn length(&self) -> Option<u64> {
        match self {
            Self::None | Self::Stream(_) => None,
            Self::Bytes(bytes) => Some(bytes.len() as u64),
            Self::Unread { length } => Some(*length),
            Self::Parts(parts) => Some(parts.length()),
        }
    }

    /// All of the content in memory. Not for the I/O thread.
    pub fn read(self) -> io::Result<Bytes> {
        self.into_parts().read_whole()
    }

    /// The content for pipes that change it.
    pub(crate) fn into_parts(self) -> Parts {
        match self {
            Self::None | Self::Unread { .. } => Parts::default(),
            Self::Bytes(bytes) => bytes.into(),
            Self::Parts(parts) => parts,
            Self::Stream(stream) => stream.into_parts(),
        }
    }
}

/// Short content in memory is one piece, which goes out with the head.
impl From<Parts> for Body {
    fn from(parts: Parts) -> Self {
        let whole = if parts.length() <= SHORT { parts.in_memory() } else { parts.as_bytes() };
        whole.map_or(Self::Parts(parts), Self::Bytes)
    }
}

const SHORT: u64 = 64 * 1024;

impl fmt::Debug for Body {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::None => f.write_str("None"),
            Self::Unread { length } => f.debug_struct("Unread").field("length", length).finish(),
            Self::Bytes(bytes) => f.debug_tuple("Bytes").field(bytes).finish(),
            Self::Parts(parts) => f.debug_tuple("Parts").field(parts).finish(),
            Self::Stream(_) => f.write_str("Stream"),
        }
    }
}

/// The value of the `Server` field.
pub const SERVER: &str = concat!("wptserve/", env!("CARGO_PKG_VERSION"));

#[cfg(test)]
mod tests {
    use super::*;

    fn head(response: &Response, close: bool) -> Vec<u8> {
        let mut head = Vec::new();
        response.encode_head(close, &mut head);
        head
    }

    #[test]
    fn an_error_is_the_references_json() {
        let response = Response::error(404, "404").with("Date", "D");
        assert_eq!(
            String::from_utf8(head(&response, false)).unwrap(),
            format!(
                "HTTP/1.1 404 Not Found\r\nContent-Type: application/json\r\nContent-Length: 42\r\n\
                 Date: D\r\nServer: {SERVER}\r\n\r\n"
            )
        );
        let Body::Bytes(body) = response.body else { panic!("no bytes") };
        assert_eq!(body, r#"{"error": {"code": 404, "message": "404"}}"#);
    }

    #[test]
    fn a_close_is_announced() {
        let response = Response::new(200, "x").with("date", "D").with("server", "S");
        assert_eq!(
            head(&response, true),
            b"HTTP/1.1 200 OK\r\ndate: D\r\nserver: S\r\nContent-Length: 1\r\nConnection: close\r\n\r\n"
        );
    }

    #[test]
    fn informational_heads_go_ahead_with_nothing_added() {
        let mut response = Response::new(200, "").with("date", "D").with("server", "S");
        let hints: HeaderList = [("Link", "</a>; rel=preload")].into_iter().collect();
        response.informational.push(Informational {
            status: 103,
            reason: "Early Hints",
            headers: hints,
        });
        assert_eq!(
            head(&response, false),
            b"HTTP/1.1 103 Early Hints\r\nLink: </a>; rel=preload\r\n\r\n\
              HTTP/1.1 200 OK\r\ndate: D\r\nserver: S\r\nContent-Length: 0\r\n\r\n"
        );
    }
}

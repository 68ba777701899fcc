//! A response as a value, for handlers that know all of it at once.

use std::fs::File;

use bytes::Bytes;
use proto::{HeaderList, json_error, response_head, status};

use crate::clock;

/// A whole response.
#[derive(Debug)]
pub struct Response {
    /// The status code.
    pub status: u16,
    /// The header list; Server, Date and the framing fields are added when it is sent.
    pub headers: HeaderList,
    /// The content.
    pub body: Body,
}

/// The content of a [`Response`].
#[derive(Debug)]
pub enum Body {
    /// None, and no length is announced either: for CONNECT.
    None,
    /// In memory.
    Bytes(Bytes),
    /// The first `length` bytes of a file.
    File {
        /// The file, read from its cursor on.
        file: File,
        /// How many bytes are sent.
        length: u64,
    },
}

impl Response {
    /// A response with an empty header list.
    pub fn new(status: u16, body: impl Into<Bytes>) -> Self {
        Self { status, headers: HeaderList::new(), body: Body::Bytes(body.into()) }
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
        Self::new(status, Bytes::new())
            .with("Content-Type", "application/json")
            .with("Content-Length", body.len().to_string())
            .with_body(body)
    }

    fn with_body(mut self, body: String) -> Self {
        self.body = Body::Bytes(body.into());
        self
    }

    /// The content's length in bytes.
    pub fn content_length(&self) -> u64 {
        match &self.body {
            Body::None => 0,
            Body::Bytes(bytes) => bytes.len() as u64,
            Body::File { length, .. } => *length,
        }
    }

    /// The head as it goes over an HTTP/1.1 connection: the fields, then Server and Date, then
    /// Content-Length, each unless it is there; and `Connection: close` when `close`.
    pub fn encode_head(&self, close: bool) -> Vec<u8> {
        let mut head = Vec::with_capacity(256);
        let reason = status::reason(i64::from(self.status));
        response_head::encode_status_line(&mut head, i64::from(self.status), reason.as_bytes());
        for field in &self.headers {
            response_head::encode_field(&mut head, &field.name, &field.value);
        }
        if !self.headers.contains(b"server") {
            response_head::encode_field(&mut head, b"Server", SERVER.as_bytes());
        }
        if !self.headers.contains(b"date") {
            response_head::encode_field(&mut head, b"Date", &clock::http_date_now());
        }
        if !matches!(self.body, Body::None) && !self.headers.contains(b"content-length") {
            let length = self.content_length().to_string();
            response_head::encode_field(&mut head, b"Content-Length", length.as_bytes());
        }
        if close && !self.headers.contains(b"connection") {
            response_head::encode_field(&mut head, b"Connection", b"close");
        }
        head.extend_from_slice(b"\r\n");
        head
    }
}

/// The value of the `Server` field.
pub const SERVER: &str = concat!("wptserve/", env!("CARGO_PKG_VERSION"));

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_error_is_the_references_json() {
        let response = Response::error(404, "404").with("Date", "D");
        assert_eq!(
            String::from_utf8(response.encode_head(false)).unwrap(),
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
            response.encode_head(true),
            b"HTTP/1.1 200 OK\r\ndate: D\r\nserver: S\r\nContent-Length: 1\r\nConnection: close\r\n\r\n"
        );
    }
}

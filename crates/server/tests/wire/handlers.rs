//! Handlers of the tests' own.

use std::thread;

use bytes::Bytes;
use server::{Exchange, Handler, Request, Response};

/// A closure as a handler, called on the I/O thread.
pub(crate) struct Inline<F>(pub(crate) F);

impl<F: Fn(Exchange) + Send + Sync> Handler for Inline<F> {
    fn handle(&self, exchange: Exchange) {
        (self.0)(exchange);
    }
}

/// A function as a handler, called on a thread of its own, where it may wait.
pub(crate) struct Threaded<F>(pub(crate) F);

impl<F: Fn(Exchange) + Send + Sync + Clone + 'static> Handler for Threaded<F> {
    fn handle(&self, exchange: Exchange) {
        let answer = self.0.clone();
        thread::spawn(move || answer(exchange));
    }
}

/// Answers with what the request was: see [`echo_text`]. Waits for the body.
pub(crate) struct Echo;

impl Handler for Echo {
    fn handle(&self, exchange: Exchange) {
        let Exchange { request, mut writer } = exchange;
        if request.body.try_read_at(0, request.body.length()).is_some() {
            writer.respond(echo(&request));
        } else {
            thread::spawn(move || writer.respond(echo(&request)));
        }
    }
}

fn echo(request: &Request) -> Response {
    match request.body.read_at(0, request.body.length()) {
        Ok(body) => {
            let method = String::from_utf8_lossy(&request.head.method);
            let query = request.query().map(|query| String::from_utf8_lossy(query));
            response(200, echo_text(&method, request.path(), query.as_deref(), &body))
        }
        Err(error) => response(500, error.to_string()),
    }
}

/// `METHOD path ?query: body`, each as the handler sees it.
pub(crate) fn echo_text(method: &str, path: &[u8], query: Option<&str>, body: &[u8]) -> Vec<u8> {
    let mut text = format!("{method} ").into_bytes();
    text.extend_from_slice(path);
    if let Some(query) = query {
        text.extend_from_slice(format!(" ?{query}").as_bytes());
    }
    text.extend_from_slice(b": ");
    text.extend_from_slice(body);
    text
}

/// A response whose bytes are known: [`ok`] for the status 200.
pub(crate) fn response(status: u16, body: impl Into<Bytes>) -> Response {
    Response::new(status, body).with("Server", "S").with("Date", "D")
}

/// What [`response`] looks like on the wire.
pub(crate) fn ok(body: impl AsRef<[u8]>) -> Vec<u8> {
    let body = body.as_ref();
    let mut bytes = ok_head(body.len(), false);
    bytes.extend_from_slice(body);
    bytes
}

/// The same on a connection that closes behind it.
pub(crate) fn ok_and_close(body: impl AsRef<[u8]>) -> Vec<u8> {
    let body = body.as_ref();
    let mut bytes = ok_head(body.len(), true);
    bytes.extend_from_slice(body);
    bytes
}

/// The head alone, for a content of `length` bytes.
pub(crate) fn ok_head(length: usize, close: bool) -> Vec<u8> {
    let close = if close { "Connection: close\r\n" } else { "" };
    format!("HTTP/1.1 200 OK\r\nServer: S\r\nDate: D\r\nContent-Length: {length}\r\n{close}\r\n")
        .into_bytes()
}

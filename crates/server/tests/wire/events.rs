//! What the engine reports.

use std::{
    sync::{Arc, Mutex},
    time::Duration,
};

use server::{
    Exchange, Limits,
    event::{Event, EventSink},
    latin1,
};

use crate::{
    handlers::{Echo, Inline, ok, response},
    harness::{Setup, assert_bytes, error},
};

/// Keeps every event as a line, without what differs from run to run.
#[derive(Default)]
pub(crate) struct Recorder {
    lines: Mutex<Vec<String>>,
}

impl Recorder {
    pub(crate) fn lines(&self) -> Vec<String> {
        self.lines.lock().unwrap().clone()
    }
}

impl EventSink for Recorder {
    fn emit(&self, event: &Event<'_>) {
        let line = match event {
            Event::Request(record) => format!(
                "{} {} {:?} {}",
                latin1(record.method),
                latin1(record.target),
                record.status,
                record.bytes
            ),
            Event::BadRequest { status, message, .. } => format!("{status} {message}"),
            Event::HandlerFailed { url, .. } => format!("failed {url}"),
            Event::Message { level, source, text } => format!("{level:?} {source} {text}"),
        };
        self.lines.lock().unwrap().push(line);
    }

    fn wants_requests(&self) -> bool {
        true
    }
}

#[test]
fn every_request_is_reported_once_with_its_bytes() {
    let recorder = Arc::new(Recorder::default());
    let raw = Inline(|exchange: Exchange| {
        let mut writer = exchange.writer;
        writer.finish("raw".into(), server::Finish::KeepAlive);
    });
    let noted = Inline(|exchange: Exchange| {
        let mut writer = exchange.writer;
        writer.note_status(299);
        writer.finish("noted".into(), server::Finish::KeepAlive);
    });
    let server = Setup::new()
        .events(Arc::<Recorder>::clone(&recorder))
        .route("/echo", Echo)
        .route("/raw", raw)
        .route("/noted", noted)
        .route("/dropped", Inline(drop::<Exchange>))
        .start();
    server.answer(
        "GET /echo?q HTTP/1.1\r\n\r\nHEAD /nothing HTTP/1.1\r\n\r\nGET /raw HTTP/1.1\r\n\r\n\
         GET /noted HTTP/1.1\r\n\r\nGET /dropped HTTP/1.1\r\n\r\n",
    );
    let echoed = ok("GET /echo ?q: ").len();
    let lines = recorder.lines.lock().unwrap().clone();
    // The length of a date does not change.
    let head = format!(
        "HTTP/1.1 404 Not Found\r\nContent-Type: application/json\r\nContent-Length: 39\r\n\
         Server: {}\r\nDate: Thu, 01 Jan 1970 00:00:00 GMT\r\n\r\n",
        server::response::SERVER
    );
    assert_eq!(
        lines,
        [
            format!("GET /echo?q Some(200) {echoed}"),
            format!("HEAD /nothing Some(404) {}", head.len()),
            "GET /raw None 3".to_owned(),
            "GET /noted Some(299) 5".to_owned(),
            "GET /dropped None 0".to_owned(),
        ]
    );
}

#[test]
fn what_is_refused_is_reported_with_its_reason() {
    let recorder = Arc::new(Recorder::default());
    let server = Setup::new().events(Arc::<Recorder>::clone(&recorder)).start();
    server.answer("bad\r\n\r\n");
    server.answer("GET / HTTP/1.1\r\nContent-Length: x\r\n\r\n");
    server.answer("");
    assert_eq!(*recorder.lines.lock().unwrap(), ["400 Bad request line", "400 Bad Content-Length"]);
}

#[test]
fn a_handler_that_is_given_up_is_reported() {
    let recorder = Arc::new(Recorder::default());
    let kept = Mutex::new(Vec::new());
    let silent = Inline(move |exchange: Exchange| kept.lock().unwrap().push(exchange));
    let prompt = Inline(|exchange: Exchange| exchange.respond(response(200, "prompt")));
    let limits = Limits { handler_timeout: Some(Duration::from_millis(50)), ..Limits::default() };
    let server = Setup::new()
        .events(Arc::<Recorder>::clone(&recorder))
        .limits(limits)
        .route("/silent", silent)
        .route("/prompt", prompt)
        .start();
    let answer = server.answer("GET /prompt HTTP/1.1\r\n\r\nGET /silent HTTP/1.1\r\n\r\n");
    let refusal = error(504, "Gateway Timeout", "the handler did not finish within 0.05 s", true);
    assert_bytes(&answer, [ok("prompt"), refusal].concat());
    let lines = recorder.lines.lock().unwrap().clone();
    let prompt = format!("GET /prompt Some(200) {}", ok("prompt").len());
    assert_eq!(lines[..2], [prompt, format!("failed http://{}/silent", server.address)]);
    assert!(lines[2].starts_with("GET /silent Some(504) "), "{lines:?}");
    assert_eq!(lines.len(), 3);
}

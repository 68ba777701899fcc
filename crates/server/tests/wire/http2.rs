//! HTTP/2 without TLS: frames in, the frames of a stream out.

use std::{
    fmt::Write,
    sync::{Arc, Mutex, mpsc},
};

use bytes::Bytes;
use proto::{
    HeaderList,
    http2::{self, Flags, FrameHeader, HEADER_LENGTH, Kind, PREFACE},
};
use server::{BodyFrame, Exchange, Finish, Limits, Piece};

use crate::{
    handlers::{Echo, Inline, Threaded, response},
    harness::{Client, DEADLINE, Running, Setup},
};

const END_HEADERS: Flags = Flags::END_HEADERS;

/// A frame that a stream received: its type, its flags and its payload.
type Frame = (Kind, Flags, Vec<u8>);

/// One connection, past its preface.
struct Connection(Client);

impl Connection {
    fn new(server: &Running) -> Self {
        let mut client = server.connect();
        client.send(PREFACE);
        client.send(frame(Kind::SETTINGS, Flags::NONE, 0, b""));
        Self(client)
    }

    /// A request's head; its stream ends with it unless there are `frames`, the last of which does.
    fn ask(&mut self, stream: u32, method: &str, path: &str, frames: &[&[u8]]) {
        let mut bytes = Vec::new();
        let flags = END_HEADERS.with(Flags::END_STREAM, frames.is_empty());
        http2::headers(&mut bytes, Kind::HEADERS, stream, flags, &block(method, path), None);
        for (number, data) in frames.iter().enumerate() {
            let flags = Flags::NONE.with(Flags::END_STREAM, number + 1 == frames.len());
            http2::data(&mut bytes, stream, flags, data);
        }
        self.0.send(bytes);
    }

    /// The next frame of any stream.
    #[track_caller]
    fn frame(&mut self) -> (u32, Frame) {
        let head = self.0.receive_until(HEADER_LENGTH, DEADLINE);
        let head = FrameHeader::decode(head.first_chunk().expect("the connection ended"));
        let payload = self.0.receive_until(head.length as usize, DEADLINE);
        assert_eq!(payload.len(), head.length as usize);
        (head.stream, (head.kind, head.flags, payload))
    }

    /// All frames of a stream, up to its end.
    #[track_caller]
    fn frames(&mut self, stream: u32) -> Vec<Frame> {
        let mut found = Vec::new();
        loop {
            let (of, frame) = self.frame();
            if of != stream || frame.0 == Kind::WINDOW_UPDATE {
                continue;
            }
            let over = frame.0 == Kind::RST_STREAM || frame.1.contains(Flags::END_STREAM);
            found.push(frame);
            if over {
                return found;
            }
        }
    }

    /// The block and the content of a stream's response.
    #[track_caller]
    fn answer(&mut self, stream: u32) -> (Vec<u8>, Vec<u8>) {
        let mut frames = self.frames(stream).into_iter();
        let (kind, _, head) = frames.next().unwrap();
        assert_eq!(kind, Kind::HEADERS);
        (head, frames.flat_map(|(_, _, payload)| payload).collect())
    }
}

fn frame(kind: Kind, flags: Flags, stream: u32, payload: &[u8]) -> Vec<u8> {
    let length = u32::try_from(payload.len()).unwrap();
    [&FrameHeader { length, kind, flags, stream }.encode()[..], payload].concat()
}

fn block(method: &str, path: &str) -> Vec<u8> {
    let fields =
        [(":method", method), (":scheme", "http"), (":path", path), (":authority", "a.test")];
    encoded(&fields)
}

fn encoded(fields: &[(&str, &str)]) -> Vec<u8> {
    let mut block = Vec::new();
    http2::encode_block(&mut block, fields.iter().copied());
    block
}

fn setup() -> Setup {
    Setup::new().prior_knowledge()
}

#[test]
fn a_response_is_a_block_and_data() {
    let server = setup()
        .route("/", Inline(|exchange: Exchange| exchange.respond(response(200, "hi"))))
        .start();
    let mut client = Connection::new(&server);
    client.ask(1, "GET", "/", &[]);
    let head = encoded(&[(":status", "200"), ("server", "S"), ("date", "D")]);
    let expected = [
        (Kind::HEADERS, END_HEADERS, head.clone()),
        (Kind::DATA, Flags::END_STREAM, b"hi".to_vec()),
    ];
    assert_eq!(client.frames(1), expected);
    client.ask(3, "HEAD", "/", &[]);
    assert_eq!(
        client.frames(3),
        [(Kind::HEADERS, END_HEADERS.with(Flags::END_STREAM, true), head)]
    );
}

#[test]
fn a_block_may_come_in_continuations() {
    let server = setup().route("*", Echo).start();
    let mut client = Connection::new(&server);
    let block = block("GET", "/path?query");
    client.0.send(frame(Kind::HEADERS, Flags::END_STREAM, 1, &block[..3]));
    client.0.send(frame(Kind::CONTINUATION, Flags::NONE, 1, b""));
    client.0.send(frame(Kind::CONTINUATION, END_HEADERS, 1, &block[3..]));
    assert_eq!(client.answer(1).1, b"GET /path ?query: ");
}

#[test]
fn a_request_may_come_byte_by_byte() {
    let server = setup().route("*", Echo).start();
    let mut client = Connection::new(&server);
    let mut bytes = Vec::new();
    let block = [block("POST", "/"), encoded(&[("content-length", "4")])].concat();
    http2::headers(&mut bytes, Kind::HEADERS, 1, Flags::NONE, &block, Some(9));
    http2::data(&mut bytes, 1, Flags::END_STREAM, b"body");
    for byte in bytes {
        client.0.send([byte]);
    }
    assert_eq!(client.answer(1).1, b"POST /: body");
}

/// Answers with the header list of the request as handlers see it, then as it came.
fn list_fields(exchange: Exchange) {
    let Exchange { request, mut writer } = exchange;
    let mut text = Vec::new();
    let came = request.http2.as_ref().unwrap().fields();
    for field in request.headers().iter().chain(came) {
        text.extend([&field.name[..], b"=", &field.value, b"|"].concat());
    }
    writer.respond(response(200, text));
}

#[test]
fn a_head_is_read_with_the_table_of_its_connection() {
    let server = setup().route("*", Inline(list_fields)).start();
    let mut client = Connection::new(&server);
    // The first adds x-a and a second cookie to the table; `cookie` is the static table's entry 32.
    let added = [&b"\x40\x03x-a\x03a\x0bb"[..], b"\x0f\x11\x03c=1", b"\x60\x03d=2"].concat();
    let request = [&b"\x82\x86\x84\x01\x06a.test"[..], &added].concat();
    let flags = END_HEADERS.with(Flags::END_STREAM, true);
    client.0.send(frame(Kind::HEADERS, flags, 1, &request));
    let pseudo = b":method=GET|:scheme=http|:path=/|:authority=a.test|";
    let expected = [
        &b"host=a.test|x-a=a\x0bb|cookie=c=1; d=2|"[..],
        pseudo,
        b"x-a=a\x0bb|cookie=c=1|cookie=d=2|",
    ];
    assert_eq!(client.answer(1).1, expected.concat());
    // The second refers to them, behind padding and a priority.
    let request = b"\x02\0\0\0\0\x10\x82\x86\x84\x01\x06a.test\xbe\xbf\0\0";
    let padded = flags.with(Flags::PADDED, true).with(Flags::PRIORITY, true);
    client.0.send(frame(Kind::HEADERS, padded, 3, request));
    let expected = [&b"host=a.test|cookie=d=2|x-a=a\x0bb|"[..], pseudo, b"cookie=d=2|x-a=a\x0bb|"];
    assert_eq!(client.answer(3).1, expected.concat());
}

#[test]
fn a_status_without_content_ends_the_stream() {
    let whole = |exchange: Exchange| {
        let status = if exchange.request.path() == b"/204" { 204 } else { 304 };
        exchange.respond(response(status, "content"));
    };
    let pieces = |exchange: Exchange| {
        let mut writer = exchange.writer;
        let fields: HeaderList = [(":status", "204")].into_iter().collect();
        let trailers: HeaderList = [("x", "y")].into_iter().collect();
        for piece in [
            Piece::Head { fields, end: false },
            Piece::Data { data: Bytes::from_static(b"content"), end: false },
            Piece::Head { fields: trailers, end: true },
        ] {
            assert!(writer.try_send(piece).is_ok());
        }
        writer.finish(Bytes::new(), Finish::KeepAlive);
    };
    let server = setup()
        .route("/204", Inline(whole))
        .route("/304", Inline(whole))
        .route("/pieces", Inline(pieces))
        .start();
    let mut client = Connection::new(&server);
    for (stream, path) in [(1, "/204"), (3, "/304"), (5, "/pieces")] {
        client.ask(stream, "GET", path, &[]);
        let frames = client.frames(stream);
        assert_eq!(frames.len(), 1);
        assert_eq!(frames[0].1, END_HEADERS.with(Flags::END_STREAM, true));
    }
    client.ask(7, "GET", "/none", &[]);
    assert_eq!(client.frame().0, 7);
}

/// Answers with the body's frames, each between brackets, the last with a full stop.
fn list_frames(exchange: Exchange) {
    let Exchange { request, mut writer } = exchange;
    let mut text = String::new();
    while let Ok(BodyFrame::Data { data, last }) = request.body.next_frame() {
        write!(text, "[{}]{}", data.escape_ascii(), if last { "." } else { "" }).unwrap();
    }
    writer.respond(response(200, text));
}

#[test]
fn frames_without_content_are_frames_of_the_body() {
    let server = setup().route("*", Threaded(list_frames)).start();
    let mut client = Connection::new(&server);
    client.ask(1, "POST", "/", &[b"", b"a", b"", b"", b"b", b""]);
    assert_eq!(client.answer(1).1, b"[][a][][][b][].");
    // Nothing but padding is no content either.
    client.ask(3, "POST", "/", &[b"x", b"y"]);
    assert_eq!(client.answer(3).1, b"[x][y].");
    let mut bytes = Vec::new();
    http2::headers(&mut bytes, Kind::HEADERS, 5, END_HEADERS, &block("POST", "/"), None);
    bytes.extend(frame(Kind::DATA, Flags::PADDED, 5, b"\x02\0\0"));
    bytes.extend(frame(Kind::DATA, Flags::PADDED, 5, b"\x01a\0"));
    bytes.extend(frame(Kind::DATA, Flags::END_STREAM, 5, b"b"));
    client.0.send(bytes);
    assert_eq!(client.answer(5).1, b"[][a][b].");
}

#[test]
fn streams_are_answered_side_by_side() {
    let (go, wait) = mpsc::channel();
    let wait = Arc::new(Mutex::new(wait));
    let slow = Threaded(move |exchange: Exchange| {
        wait.lock().unwrap().recv_timeout(DEADLINE).unwrap();
        exchange.respond(response(200, "slow"));
    });
    let quick = Inline(move |exchange: Exchange| {
        exchange.respond(response(200, "quick"));
        go.send(()).unwrap();
    });
    let server = setup().route("/slow", slow).route("/quick", quick).start();
    let mut client = Connection::new(&server);
    client.ask(1, "GET", "/slow", &[]);
    client.ask(3, "GET", "/quick", &[]);
    assert_eq!(client.answer(3).1, b"quick");
    assert_eq!(client.answer(1).1, b"slow");
}

#[test]
fn a_reset_by_the_client_reaches_the_handler() {
    let (tell, told) = mpsc::channel();
    let handler = Threaded(move |exchange: Exchange| {
        let writer = exchange.writer;
        let head: HeaderList = [(":status", "200")].into_iter().collect();
        writer.send(Piece::Head { fields: head, end: false }).unwrap();
        let data = || Piece::Data { data: Bytes::from(vec![0; 64 * 1024]), end: false };
        // The window is full long before this ends by itself.
        let gone = (0..1000).any(|_| writer.send(data()).is_err());
        tell.send(gone).unwrap();
    });
    let server = setup().route("/", handler).start();
    let mut client = Connection::new(&server);
    client.ask(1, "GET", "/", &[]);
    while client.frame().1.0 != Kind::DATA {}
    client.0.send(frame(Kind::RST_STREAM, Flags::NONE, 1, &8_u32.to_be_bytes()));
    assert!(told.recv_timeout(DEADLINE).unwrap());
    // What was sent has taken the connection's window.
    let mut room = Vec::new();
    http2::window_update(&mut room, 0, 1 << 20);
    client.0.send(room);
    client.ask(3, "GET", "/none", &[]);
    assert_eq!(client.answer(3).1, br#"{"error": {"code": 404, "message": ""}}"#);
}

#[test]
fn frames_of_a_handlers_own_keep_their_place() {
    let handler = Inline(|exchange: Exchange| {
        let mut writer = exchange.writer;
        let fields: HeaderList =
            [(":status", "200"), ("Not A Name", "\u{1}")].into_iter().collect();
        let mut ping_like = Vec::new();
        http2::data(&mut ping_like, 1, Flags::NONE, b"raw");
        let pieces = [
            Piece::Head { fields, end: false },
            Piece::Data { data: Bytes::from_static(b"before"), end: false },
            Piece::Raw { frames: ping_like.into(), counted: 3, end: false },
            Piece::Data { data: Bytes::from_static(b"behind"), end: false },
            Piece::Reset { code: 7 },
        ];
        for piece in pieces {
            assert!(writer.try_send(piece).is_ok());
        }
        writer.finish(Bytes::new(), Finish::KeepAlive);
    });
    let server = setup().route("/", handler).start();
    let mut client = Connection::new(&server);
    client.ask(1, "GET", "/", &[]);
    let head = encoded(&[(":status", "200"), ("Not A Name", "\u{1}")]);
    let data = |data: &[u8]| (Kind::DATA, Flags::NONE, data.to_vec());
    let expected = [
        (Kind::HEADERS, END_HEADERS, head),
        data(b"before"),
        data(b"raw"),
        data(b"behind"),
        (Kind::RST_STREAM, Flags::NONE, 7_u32.to_be_bytes().to_vec()),
    ];
    assert_eq!(client.frames(1), expected);
}

#[test]
fn a_body_that_is_too_long_is_refused() {
    let limits = Limits { max_body: Some(4), ..Limits::default() };
    let server = setup().route("*", Threaded(list_frames)).limits(limits).start();
    let mut client = Connection::new(&server);
    client.ask(1, "POST", "/", &[b"four"]);
    assert_eq!(client.answer(1).1, b"[four].");
    client.ask(3, "POST", "/", &[b"more", b" than four"]);
    let (head, _) = client.answer(3);
    assert!(head.starts_with(&encoded(&[(":status", "413")])));
}

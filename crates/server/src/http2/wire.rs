//! What goes over an HTTP/2 connection, seen frame by frame.
//!
//! The HTTP/2 library keeps the states of streams, the windows and the settings. It also refuses to
//! send what tests ask for. So between it and the socket stands this: it sees every frame in both
//! directions, and
//!
//! * keeps the heads of requests, which it does not see (see `heads`);
//! * puts whole frames of others between the library's, each in its place among those of its
//!   request's stream;
//! * puts the real header list into the HEADERS frame of a response, which the library believes
//!   to be `:status: 200` or empty: any field, in any order, whatever the library thinks of it;
//! * notes the DATA frames without content, which the library drops and handlers are to see;
//! * keeps from the library what concerns streams that it does not know, and from the client
//!   what the library says of streams that others have ended.

use std::{
    collections::{HashMap, VecDeque},
    sync::{Mutex, MutexGuard, PoisonError},
    task::{Context, Poll, Waker},
};

use bytes::{Bytes, BytesMut};
use proto::http2::{self, Flags, FrameHeader, Kind, MIN_MAX_FRAME_SIZE};

use super::heads::{Failure, Head, Refusal};

/// The state of a connection that its streams share with its transport.
#[derive(Debug)]
pub(crate) struct Wire {
    state: Mutex<State>,
}

#[derive(Debug)]
struct State {
    lanes: HashMap<u32, Lane>,
    /// The heads of requests that the library has not handed out yet.
    heads: HashMap<u32, Result<Head, Refusal>>,
    /// The bodies that are being received.
    bodies: HashMap<u32, Body>,
    /// The last stream that the client began.
    begun: u32,
    /// Frames whose turn has come.
    ready: Vec<u8>,
    /// The connection's task.
    waker: Option<Waker>,
    /// The last promised stream.
    promised: u32,
    may_push: bool,
    /// What the client said in its SETTINGS.
    max_frame_size: usize,
    initial_window: i64,
    /// The connection's window as the client knows it.
    window: i64,
    /// How much of it raw frames took, of which the library knows nothing.
    debt: u64,
    /// Why the connection is to end.
    failure: Option<Failure>,
    /// The connection is over.
    closed: bool,
}

/// What is on its way on one stream, in order.
#[derive(Debug, Default)]
struct Lane {
    items: VecDeque<Item>,
    /// What DATA frames took of the window, less what the client gave back.
    used: i64,
    /// Others have ended the stream; what the library says of it is not sent.
    ended: bool,
    /// Who waits until all is sent.
    waiting: Option<Waker>,
}

/// The DATA frames of a body.
#[derive(Debug, Default)]
struct Body {
    /// How many had content, which the library hands on.
    frames: u64,
    /// Behind how many of them each came that had none.
    empty: VecDeque<u64>,
    /// The last one was received.
    ended: bool,
}

/// What a HEADERS frame is on its stream.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum HeadersOf {
    /// The head of a request.
    Request,
    /// What follows the content of one.
    Trailers,
    /// A mistake, which the library deals with.
    Nothing,
}

#[derive(Debug)]
enum Item {
    /// The library sends a HEADERS frame, into which this block goes.
    Block(Bytes),
    /// The library sends so many bytes of data.
    Data(usize),
    /// Frames of ours.
    Raw(Bytes),
}

impl Wire {
    pub(super) fn new() -> Self {
        Self {
            state: Mutex::new(State {
                lanes: HashMap::new(),
                heads: HashMap::new(),
                bodies: HashMap::new(),
                begun: 0,
                ready: Vec::new(),
                waker: None,
                promised: 0,
                may_push: true,
                max_frame_size: MIN_MAX_FRAME_SIZE,
                initial_window: DEFAULT_WINDOW,
                window: DEFAULT_WINDOW,
                debt: 0,
                failure: None,
                closed: false,
            }),
        }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        // No code panics while it holds the lock with the state half changed.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Keeps the head of a stream that begins.
    pub(super) fn keep_head(&self, stream: u32, head: Result<Head, Refusal>) {
        self.lock().heads.insert(stream, head);
    }

    /// The head of a stream that the library hands out; none when the client has reset it.
    pub(super) fn take_head(&self, stream: u32) -> Option<Result<Head, Refusal>> {
        self.lock().heads.remove(&stream)
    }

    /// The connection cannot go on.
    pub(super) fn fail(&self, failure: Failure) {
        self.lock().failure = Some(failure);
    }

    /// Why the connection is to end, once. The task that reads looks for it when it has read.
    pub(super) fn take_failure(&self) -> Option<Failure> {
        self.lock().failure.take()
    }

    /// Notes a HEADERS frame that the client sends, and tells what it is.
    pub(super) fn begin(&self, header: FrameHeader) -> HeadersOf {
        let mut state = self.lock();
        let ends = header.flags.contains(Flags::END_STREAM);
        if header.stream > state.begun {
            state.begun = header.stream;
            if !ends {
                state.bodies.insert(header.stream, Body::default());
            }
            return HeadersOf::Request;
        }
        match state.bodies.get_mut(&header.stream) {
            Some(body) if !body.ended => {
                body.ended = ends;
                HeadersOf::Trailers
            }
            _ => HeadersOf::Nothing,
        }
    }

    /// The header block that the library's next HEADERS frame of a stream is to have.
    pub(super) fn expect_block(&self, stream: u32, block: Bytes) {
        self.lock().lane(stream).items.push_back(Item::Block(block));
    }

    /// How much data the library sends next on a stream; nothing is a frame too.
    pub(super) fn expect_data(&self, stream: u32, length: usize) {
        self.lock().lane(stream).items.push_back(Item::Data(length));
    }

    /// Sends frames behind all that was sent on a stream before.
    pub(super) fn send_raw(&self, stream: u32, frames: Bytes, counted: usize) {
        let mut state = self.lock();
        state.debt += counted as u64;
        state.window -= i64::try_from(counted).unwrap_or(i64::MAX);
        let lane = state.lane(stream);
        if lane.items.is_empty() {
            state.ready.extend_from_slice(&frames);
        } else {
            lane.items.push_back(Item::Raw(frames));
        }
        let waker = state.waker.take();
        drop(state);
        if let Some(waker) = waker {
            waker.wake();
        }
    }

    /// From now on nothing that the library says of a stream is sent.
    pub(super) fn end(&self, stream: u32) {
        self.lock().lane(stream).ended = true;
    }

    /// Ready when all that was given to a stream is sent.
    pub(super) fn poll_sent(&self, stream: u32, cx: &Context<'_>) -> Poll<()> {
        let mut state = self.lock();
        let closed = state.closed;
        match state.lanes.get_mut(&stream) {
            Some(lane) if !closed && !lane.items.is_empty() => {
                lane.waiting = Some(cx.waker().clone());
                Poll::Pending
            }
            _ => Poll::Ready(()),
        }
    }

    /// The connection is over: nothing is sent any more.
    pub(super) fn close(&self) {
        let mut state = self.lock();
        state.closed = true;
        let lanes = std::mem::take(&mut state.lanes);
        let heads = std::mem::take(&mut state.heads);
        drop(state);
        drop(heads);
        lanes.into_values().filter_map(|lane| lane.waiting).for_each(Waker::wake);
    }

    /// Forgets a stream to which nothing is added any more: at once when it is `reset`, else once
    /// all of it is sent.
    pub(super) fn forget(&self, stream: u32, reset: bool) {
        let mut state = self.lock();
        state.bodies.remove(&stream);
        let unused = |lane: &Lane| lane.items.is_empty() && !lane.ended;
        if reset || state.lanes.get(&stream).is_some_and(unused) {
            state.lanes.remove(&stream);
        }
    }

    /// How many frames without content came on a stream ahead of the one that follows `frames`
    /// others, and were not asked for before; with the body's `last` frame, all that came.
    pub(super) fn take_empty(&self, stream: u32, frames: u64, last: bool) -> usize {
        let mut state = self.lock();
        let Some(body) = state.bodies.get_mut(&stream) else { return 0 };
        if last {
            return body.empty.drain(..).count();
        }
        let taken = body.empty.iter().take_while(|&&behind| behind <= frames).count();
        body.empty.drain(..taken).count()
    }

    /// The number of a new promised stream; one that was asked for may be any.
    pub(super) fn promise(&self, wanted: Option<u32>) -> u32 {
        let mut state = self.lock();
        let next = state.promised.saturating_add(2);
        let promised = wanted.unwrap_or(next);
        state.promised = state.promised.max(promised & !1);
        promised
    }

    /// Whether the client takes promises.
    pub(super) fn may_push(&self) -> bool {
        self.lock().may_push
    }

    /// The longest payload that a frame may have.
    pub(super) fn max_frame_size(&self) -> usize {
        self.lock().max_frame_size
    }

    /// How much data the client has room for on a stream.
    pub(super) fn window(&self, stream: u32) -> i64 {
        let state = self.lock();
        let used = state.lanes.get(&stream).map_or(0, |lane| lane.used);
        state.window.min(state.initial_window - used)
    }

    /// Moves what others have to send behind the library's frames.
    pub(super) fn take_ready(&self, output: &mut BytesMut, cx: Option<&Context<'_>>) {
        let mut state = self.lock();
        if let Some(cx) = cx {
            match &mut state.waker {
                Some(waker) if waker.will_wake(cx.waker()) => {}
                waker => *waker = Some(cx.waker().clone()),
            }
        }
        output.extend_from_slice(&state.ready);
        state.ready.clear();
    }

    /// What becomes of a frame that the library sends.
    pub(super) fn outgoing(&self, header: FrameHeader) -> Outgoing {
        let mut state = self.lock();
        let max_frame_size = state.max_frame_size;
        let Some(lane) = state.lanes.get_mut(&header.stream) else { return Outgoing::Pass };
        match header.kind {
            Kind::HEADERS => {
                let flags = header.flags;
                let Some(Item::Block(block)) = lane.items.front_mut() else {
                    return Outgoing::Pass;
                };
                let block = std::mem::take(block);
                lane.items.pop_front();
                Outgoing::Replace { block, limit: max_frame_size, flags }
            }
            Kind::RST_STREAM if lane.ended => Outgoing::Drop,
            _ => Outgoing::Pass,
        }
    }

    /// Notes that a frame of the library's was sent, and brings forward what comes behind it.
    pub(super) fn sent(&self, header: FrameHeader) {
        let mut state = self.lock();
        let length = header.length as usize;
        if header.kind == Kind::DATA {
            state.window -= i64::from(header.length);
        }
        if header.kind == Kind::RST_STREAM {
            state.heads.remove(&header.stream);
            state.bodies.remove(&header.stream);
        }
        let State { lanes, ready, .. } = &mut *state;
        let Some(lane) = lanes.get_mut(&header.stream) else { return };
        if header.kind == Kind::DATA {
            lane.used += i64::from(header.length);
            if let Some(Item::Data(left)) = lane.items.front_mut() {
                *left = left.saturating_sub(length);
                if *left == 0 {
                    lane.items.pop_front();
                }
            }
        }
        while let Some(Item::Raw(frames)) = lane.items.front() {
            ready.extend_from_slice(frames);
            lane.items.pop_front();
        }
        if lane.items.is_empty()
            && let Some(waiting) = lane.waiting.take()
        {
            waiting.wake();
        }
        let over = match header.kind {
            Kind::RST_STREAM => true,
            Kind::DATA | Kind::HEADERS => {
                header.flags.contains(Flags::END_STREAM) && lane.items.is_empty() && !lane.ended
            }
            _ => false,
        };
        if over {
            lanes.remove(&header.stream);
        }
    }

    /// What becomes of a frame that the client sends. Its payload is at hand as far as [`wanted`]
    /// says.
    pub(super) fn incoming(&self, header: &mut FrameHeader, payload: &mut [u8]) {
        let mut state = self.lock();
        let own = header.stream != 0
            && header.stream.is_multiple_of(2)
            && header.stream <= state.promised;
        match header.kind {
            Kind::DATA => {
                let Some(body) = state.bodies.get_mut(&header.stream) else { return };
                let padded = header.flags.contains(Flags::PADDED);
                body.ended |= header.flags.contains(Flags::END_STREAM);
                // One byte says how much of the rest is padding.
                let padding =
                    if padded { payload.first().map_or(1, |&pad| u32::from(pad) + 1) } else { 0 };
                if header.length > padding || header.flags.contains(Flags::END_STREAM) {
                    body.frames += 1;
                } else if body.empty.len() < MAX_EMPTY {
                    body.empty.push_back(body.frames);
                }
            }
            Kind::SETTINGS if !header.flags.contains(Flags::ACK) => state.settings(payload),
            Kind::WINDOW_UPDATE => {
                let Ok(bytes) = payload.try_into() else { return };
                let increment = u32::from_be_bytes(bytes) & 0x7fff_ffff;
                if header.stream == 0 {
                    state.window += i64::from(increment);
                    let repaid = state.debt.min(u64::from(increment));
                    if repaid == 0 {
                        return;
                    }
                    state.debt -= repaid;
                    // `repaid` is at most `increment`.
                    let left = increment - u32::try_from(repaid).unwrap_or(increment);
                    payload.copy_from_slice(&left.to_be_bytes());
                    if left == 0 {
                        header.kind = Kind::IGNORED;
                    }
                } else if own {
                    header.kind = Kind::IGNORED;
                } else if let Some(lane) = state.lanes.get_mut(&header.stream) {
                    lane.used -= i64::from(increment);
                }
            }
            Kind::RST_STREAM | Kind::PRIORITY if own => header.kind = Kind::IGNORED,
            Kind::RST_STREAM => {
                state.heads.remove(&header.stream);
                state.bodies.remove(&header.stream);
                let lane = state.lanes.remove(&header.stream);
                if let Some(waiting) = lane.and_then(|lane| lane.waiting) {
                    waiting.wake();
                }
            }
            _ => {}
        }
    }
}

impl State {
    fn lane(&mut self, stream: u32) -> &mut Lane {
        self.lanes.entry(stream).or_default()
    }

    fn settings(&mut self, payload: &[u8]) {
        for setting in payload.chunks_exact(6) {
            let [a, b, value @ ..] = setting else { continue };
            let value = <[u8; 4]>::try_from(value).map_or(0, u32::from_be_bytes);
            match u16::from_be_bytes([*a, *b]) {
                ENABLE_PUSH => self.may_push = value != 0,
                INITIAL_WINDOW_SIZE => self.initial_window = i64::from(value),
                // The library refuses what is out of bounds.
                MAX_FRAME_SIZE => {
                    self.max_frame_size = (value as usize).clamp(MIN_MAX_FRAME_SIZE, 0x00ff_ffff);
                }
                _ => {}
            }
        }
    }
}

/// What becomes of a frame that the library sends.
#[derive(Debug)]
pub(super) enum Outgoing {
    /// It is sent.
    Pass,
    /// It is not sent.
    Drop,
    /// It is sent with another header block.
    Replace {
        /// The block.
        block: Bytes,
        /// The longest payload of a frame.
        limit: usize,
        /// The frame's flags.
        flags: Flags,
    },
}

impl Outgoing {
    /// Appends the frame that is sent instead, of which the library's own block is `original`.
    pub(super) fn encode(
        block: &[u8],
        limit: usize,
        flags: Flags,
        stream: u32,
        original: &[u8],
        out: &mut Vec<u8>,
    ) {
        // Changes of the table's size stand in front of a block and have to arrive (RFC 7541,
        // section 4.2); the table stays empty all the same.
        let updates = size_updates(original);
        let flags = Flags::NONE.with(Flags::END_STREAM, flags.contains(Flags::END_STREAM));
        if updates == 0 {
            return http2::headers(out, Kind::HEADERS, stream, flags, block, Some(limit));
        }
        let block = [&original[..updates], block].concat();
        http2::headers(out, Kind::HEADERS, stream, flags, &block, Some(limit));
    }
}

/// How many bytes at the start of a block change the size of the dynamic table.
fn size_updates(block: &[u8]) -> usize {
    let mut at = 0;
    while block.get(at).is_some_and(|byte| byte & 0xe0 == 0x20) {
        let long = block[at] & 0x1f == 0x1f;
        at += 1;
        while long && block.get(at).is_some_and(|byte| byte & 0x80 != 0) {
            at += 1;
        }
        at += usize::from(long);
    }
    at.min(block.len())
}

/// How much of a frame's payload has to be at hand before [`Wire::incoming`] sees it.
pub(super) fn wanted(header: FrameHeader) -> usize {
    let most = match header.kind {
        Kind::SETTINGS => MIN_MAX_FRAME_SIZE,
        Kind::WINDOW_UPDATE => 4,
        Kind::DATA if header.flags.contains(Flags::PADDED) => 1,
        _ => 0,
    };
    (header.length as usize).min(most)
}

/// Of frames without content, which cost a client nothing, so many wait on a stream.
const MAX_EMPTY: usize = 256;
const DEFAULT_WINDOW: i64 = 65_535;
const ENABLE_PUSH: u16 = 2;
const INITIAL_WINDOW_SIZE: u16 = 4;
const MAX_FRAME_SIZE: u16 = 5;

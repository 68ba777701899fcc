//! The channel from a handler to its connection's task.
//!
//! A handler writes through [`ResponseWriter`] from any thread; the task takes what is there and
//! puts it on the wire. The channel is bounded in bytes: a handler that is ahead of the client
//! waits in [`ResponseWriter::send`].

use std::{
    sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError},
    task::{Context, Poll, Waker},
};

use bytes::Bytes;
use proto::HeaderList;

use crate::{Response, takeover::Inbox, wakes::Wakes};

/// A handler's side. Dropped without [`finish`](Self::finish), it aborts the response, so that
/// a handler which fails never leaves the client waiting.
#[derive(Debug)]
pub struct ResponseWriter {
    outbox: Arc<Outbox>,
    finished: bool,
}

/// The peer is gone, or the engine gave up on the handler: nothing more can be sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the client closed the connection")]
pub struct PeerGone;

/// What a handler sends.
#[derive(Debug)]
pub enum Piece {
    /// Bytes of an HTTP/1 response, its head included. Over HTTP/2 the head becomes a header list,
    /// and what follows DATA frames.
    Bytes(Bytes),
    /// Over HTTP/2: a header list as it is, pseudo-header fields included.
    Head {
        /// The fields, none of them looked into.
        fields: HeaderList,
        /// Whether the stream ends with it.
        end: bool,
    },
    /// Over HTTP/2: content, in DATA frames as the client has room for them.
    Data {
        /// The content.
        data: Bytes,
        /// Whether the stream ends with it.
        end: bool,
    },
    /// Over HTTP/2: whole frames, in any state and without flow control.
    Raw {
        /// The frames.
        frames: Bytes,
        /// How many bytes of them count against the connection's window.
        counted: usize,
        /// Whether the request's stream ends with them.
        end: bool,
    },
    /// Over HTTP/2: `RST_STREAM`, when all before it is sent.
    Reset {
        /// The error code (RFC 9113 section 7).
        code: u32,
    },
}

impl Piece {
    fn length(&self) -> usize {
        match self {
            Self::Bytes(bytes) => bytes.len(),
            Self::Data { data, .. } => data.len(),
            Self::Raw { frames, .. } => frames.len(),
            Self::Head { .. } | Self::Reset { .. } => 0,
        }
    }
}

impl From<Bytes> for Piece {
    fn from(bytes: Bytes) -> Self {
        Self::Bytes(bytes)
    }
}

/// Why nothing was sent at once.
#[derive(Debug)]
pub enum TrySendError {
    /// The client is slow; what was to be sent comes back, for [`ResponseWriter::send`].
    Full(Piece),
    /// See [`PeerGone`].
    PeerGone,
}

/// What becomes of the connection after a response.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Finish {
    /// The next request may follow, if the request itself did not ask to close.
    KeepAlive,
    /// All that was written is delivered, then the connection closes.
    Close,
    /// The response is broken off: delivered as far as it was written, then closed.
    Abort,
}

impl ResponseWriter {
    /// A writer and the task's side of it.
    pub(crate) fn new(wakes: Arc<Wakes>) -> (Self, Arc<Outbox>) {
        let outbox = Arc::new(Outbox { wakes, ..Outbox::default() });
        (Self { outbox: Arc::clone(&outbox), finished: false }, outbox)
    }

    /// Sends a piece, unless that would have to wait for the client.
    pub fn try_send(&self, piece: impl Into<Piece>) -> Result<(), TrySendError> {
        let mut state = self.outbox.lock();
        if state.peer_gone || state.finish.is_some() {
            return Err(TrySendError::PeerGone);
        }
        if state.queued >= HIGH_WATER {
            return Err(TrySendError::Full(piece.into()));
        }
        state.push(piece.into());
        self.outbox.wake(state);
        Ok(())
    }

    /// Sends a piece; waits while the client is too far behind. Not for the I/O thread.
    pub fn send(&self, piece: impl Into<Piece>) -> Result<(), PeerGone> {
        let mut state = self.outbox.lock();
        while state.queued >= HIGH_WATER && !state.peer_gone && state.finish.is_none() {
            state = self.outbox.space.wait(state).unwrap_or_else(PoisonError::into_inner);
        }
        if state.peer_gone || state.finish.is_some() {
            return Err(PeerGone);
        }
        state.push(piece.into());
        self.outbox.wake(state);
        Ok(())
    }

    /// Sends a whole response and ends. The task frames it.
    pub fn respond(&mut self, response: Response) {
        self.finished = true;
        let mut state = self.outbox.lock();
        state.response = Some(Box::new(response));
        state.finish = Some(Finish::KeepAlive);
        self.outbox.wake_soon(state);
    }

    /// Sends the last bytes and ends.
    pub fn finish(&mut self, bytes: Bytes, finish: Finish) {
        self.finished = true;
        let mut state = self.outbox.lock();
        if state.finish.is_none() {
            if !bytes.is_empty() {
                state.push(bytes.into());
            }
            state.finish = Some(finish);
        }
        self.outbox.wake_soon(state);
    }

    /// Ends after what was written; from whichever thread, and only the first time.
    pub fn end(&self, finish: Finish) {
        let mut state = self.outbox.lock();
        if state.finish.is_none() {
            state.finish = Some(finish);
        }
        self.outbox.wake_soon(state);
    }

    /// Whether nothing more can be sent.
    pub fn is_peer_gone(&self) -> bool {
        self.outbox.lock().peer_gone
    }

    /// Notes the status code for the log.
    pub fn note_status(&self, status: u16) {
        self.outbox.lock().status = Some(status);
    }

    /// Lifts the limit on writes that make no progress, for a handler that cares for that itself.
    pub fn allow_stalls(&self) {
        self.outbox.lock().may_stall = true;
    }

    /// Makes the connection the handler's own: from now on the task hands over what the client
    /// sends, beginning with what follows the request's head, and nothing is parsed any more.
    pub fn take_over(&self) -> Arc<Inbox> {
        let mut state = self.outbox.lock();
        let inbox = Arc::clone(state.inbox.get_or_insert_with(Arc::default));
        if state.peer_gone {
            inbox.end();
        }
        self.outbox.wake(state);
        inbox
    }
}

impl Drop for ResponseWriter {
    fn drop(&mut self) {
        if !self.finished {
            self.finish(Bytes::new(), Finish::Abort);
        }
    }
}

/// The task's side.
#[derive(Debug, Default)]
pub(crate) struct Outbox {
    state: Mutex<State>,
    space: Condvar,
    wakes: Arc<Wakes>,
}

#[derive(Debug, Default)]
struct State {
    queue: Vec<Piece>,
    queued: usize,
    response: Option<Box<Response>>,
    finish: Option<Finish>,
    inbox: Option<Arc<Inbox>>,
    may_stall: bool,
    status: Option<u16>,
    peer_gone: bool,
    waker: Option<Waker>,
}

/// What the task found in the outbox.
#[derive(Debug, Default)]
pub(crate) struct Batch {
    /// What to put on the wire, in order.
    pub(crate) queue: Vec<Piece>,
    /// A whole response, to be framed; nothing else is in such a batch.
    pub(crate) response: Option<Box<Response>>,
    /// Set when nothing follows.
    pub(crate) finish: Option<Finish>,
    /// Set once the handler took the connection over.
    pub(crate) inbox: Option<Arc<Inbox>>,
    /// Whether writes may make no progress for as long as the client likes.
    pub(crate) may_stall: bool,
    /// The status code, where the handler told it.
    pub(crate) status: Option<u16>,
}

impl Outbox {
    /// Takes everything that is queued; pending while there is nothing new.
    pub(crate) fn poll_take(&self, cx: &mut Context<'_>, batch: &mut Batch) -> Poll<()> {
        let mut state = self.lock();
        let news = !state.queue.is_empty()
            || state.response.is_some()
            || state.finish.is_some()
            || state.inbox.is_some() != batch.inbox.is_some();
        if !news {
            match &mut state.waker {
                Some(waker) if waker.will_wake(cx.waker()) => {}
                waker => *waker = Some(cx.waker().clone()),
            }
            return Poll::Pending;
        }
        batch.queue.append(&mut state.queue);
        batch.response = state.response.take();
        batch.finish = state.finish;
        batch.status = batch.status.or(state.status);
        batch.inbox.clone_from(&state.inbox);
        batch.may_stall = state.may_stall;
        let was_full = state.queued >= HIGH_WATER;
        state.queued = 0;
        drop(state);
        if was_full {
            self.space.notify_all();
        }
        Poll::Ready(())
    }

    /// Makes every later write fail, and wakes a handler that waits.
    pub(crate) fn set_peer_gone(&self) {
        let mut state = self.lock();
        state.peer_gone = true;
        state.queue.clear();
        if let Some(inbox) = &state.inbox {
            inbox.end();
        }
        // Only then does anyone wait: this runs after every response, and costs a system call.
        let was_full = state.queued >= HIGH_WATER;
        drop(state);
        if was_full {
            self.space.notify_all();
        }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        // No code panics while it holds the lock with the state half changed.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn wake(&self, mut state: MutexGuard<'_, State>) {
        let waker = state.waker.take();
        drop(state);
        if let Some(waker) = waker {
            self.wakes.wake(waker);
        }
    }

    /// At the end of a response, when nobody minds if others end first.
    fn wake_soon(&self, mut state: MutexGuard<'_, State>) {
        let waker = state.waker.take();
        drop(state);
        if let Some(waker) = waker {
            self.wakes.wake_soon(waker);
        }
    }
}

impl State {
    fn push(&mut self, piece: Piece) {
        if !self.peer_gone {
            self.queued += piece.length();
            self.queue.push(piece);
        }
    }
}

/// A handler waits once this many bytes are queued.
const HIGH_WATER: usize = 1024 * 1024;

#[cfg(test)]
mod tests {
    use super::*;
    use std::thread;

    fn bytes(piece: Piece) -> Bytes {
        let Piece::Bytes(bytes) = piece else { panic!("a frame") };
        bytes
    }

    fn take(outbox: &Outbox) -> Option<Batch> {
        let mut batch = Batch::default();
        let mut cx = Context::from_waker(Waker::noop());
        outbox.poll_take(&mut cx, &mut batch).is_ready().then_some(batch)
    }

    #[test]
    fn what_is_sent_arrives_in_order_in_one_batch() {
        let (mut writer, outbox) = ResponseWriter::new(Arc::default());
        assert!(take(&outbox).is_none());
        writer.send(Bytes::from_static(b"a")).unwrap();
        writer.send(Bytes::from_static(b"b")).unwrap();
        writer.finish(Bytes::from_static(b"c"), Finish::KeepAlive);
        let batch = take(&outbox).unwrap();
        let bytes: Vec<_> = batch.queue.into_iter().map(bytes).collect();
        assert_eq!(bytes, ["a", "b", "c"]);
        assert_eq!(batch.finish, Some(Finish::KeepAlive));
    }

    #[test]
    fn a_writer_that_is_dropped_aborts() {
        let (writer, outbox) = ResponseWriter::new(Arc::default());
        drop(writer);
        assert_eq!(take(&outbox).unwrap().finish, Some(Finish::Abort));
    }

    #[test]
    fn a_writer_ahead_of_the_client_waits_for_space() {
        let (writer, outbox) = ResponseWriter::new(Arc::default());
        writer.send(Bytes::from(vec![0; HIGH_WATER])).unwrap();
        assert!(matches!(
            writer.try_send(Bytes::from_static(b"x")),
            Err(TrySendError::Full(Piece::Bytes(bytes))) if bytes == "x"
        ));
        let sender = thread::spawn(move || writer.send(Bytes::from_static(b"x")));
        assert_eq!(take(&outbox).unwrap().queue[0].length(), HIGH_WATER);
        assert_eq!(sender.join().unwrap(), Ok(()));
    }

    #[test]
    fn a_writer_learns_that_the_peer_is_gone() {
        let (writer, outbox) = ResponseWriter::new(Arc::default());
        writer.send(Bytes::from(vec![0; HIGH_WATER])).unwrap();
        outbox.set_peer_gone();
        assert_eq!(writer.send(Bytes::from_static(b"x")), Err(PeerGone));
    }
}

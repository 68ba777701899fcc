//! A connection that a handler took over: what the client sends, as raw bytes.

use std::{
    sync::{Condvar, Mutex, MutexGuard, PoisonError},
    task::{Context, Poll, Waker},
    time::{Duration, Instant},
};

use bytes::{Buf, Bytes, BytesMut};

/// Bytes from the client for a handler that took the connection over. Bounded: the task stops
/// reading from the socket while the handler is behind.
#[derive(Debug, Default)]
pub struct Inbox {
    state: Mutex<State>,
    arrived: Condvar,
}

#[derive(Debug, Default)]
struct State {
    data: BytesMut,
    ended: bool,
    waker: Option<Waker>,
}

impl Inbox {
    /// One to `limit` bytes; empty at the end of the stream; `None` when `timeout` passed first.
    pub fn read(&self, limit: usize, timeout: Option<Duration>) -> Option<Bytes> {
        let deadline = timeout.and_then(|timeout| Instant::now().checked_add(timeout));
        let mut state = self.lock();
        while state.data.is_empty() && !state.ended {
            state = match deadline {
                None => self.arrived.wait(state).unwrap_or_else(PoisonError::into_inner),
                Some(deadline) => {
                    let left = deadline.checked_duration_since(Instant::now())?;
                    self.arrived.wait_timeout(state, left).unwrap_or_else(PoisonError::into_inner).0
                }
            };
        }
        let length = limit.min(state.data.len());
        let bytes = state.data.copy_to_bytes(length);
        let waker = state.waker.take();
        drop(state);
        if let Some(waker) = waker {
            waker.wake();
        }
        Some(bytes)
    }

    /// What is there, one to `limit` bytes; `None` when that is nothing and more may come.
    pub fn try_read(&self, limit: usize) -> Option<Bytes> {
        self.read(limit, Some(Duration::ZERO))
    }

    /// Says that the client sends no more.
    pub(crate) fn end(&self) {
        self.lock().ended = true;
        self.arrived.notify_all();
    }

    /// Ready when there is room for more.
    pub(crate) fn poll_room(&self, cx: &mut Context<'_>) -> Poll<()> {
        let mut state = self.lock();
        if state.data.len() < HIGH_WATER {
            return Poll::Ready(());
        }
        state.waker = Some(cx.waker().clone());
        Poll::Pending
    }

    /// Adds received bytes.
    pub(crate) fn push(&self, data: &[u8]) {
        self.lock().data.extend_from_slice(data);
        self.arrived.notify_all();
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        // No code panics while it holds the lock with the state half changed.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

const HIGH_WATER: usize = 256 * 1024;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_what_there_is_then_times_out_then_ends() {
        let inbox = Inbox::default();
        inbox.push(b"abc");
        assert_eq!(inbox.read(2, None).unwrap(), "ab");
        assert_eq!(inbox.read(2, None).unwrap(), "c");
        assert_eq!(inbox.read(2, Some(Duration::from_millis(1))), None);
        inbox.end();
        assert_eq!(inbox.read(2, None).unwrap(), "");
    }
}

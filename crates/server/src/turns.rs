//! Driving a server's connections from threads that do other work in between.

use std::{
    future::poll_fn,
    sync::{
        Arc, PoisonError, RwLock,
        atomic::{AtomicBool, Ordering},
    },
    task::{Context, Poll},
};

use tokio::{runtime::Runtime, task::JoinHandle};

use crate::wakes::Wakes;

/// Threads that drive a server's connections, one at a time.
pub trait Driver: Send + Sync {
    /// Begins to take turns, until one of them says that the server has ended. Does not wait for
    /// them. `false` when it has no thread for that.
    fn begin(&self, turns: Arc<Turns>) -> bool;
}

/// The connections of a server, to be driven turn by turn.
///
/// Work that comes out of a turn and is done between two of them, by the same thread, needs no
/// hand-over to another one. Only a thread that is kept from its next turn has to be replaced.
pub struct Turns {
    /// Until the server has ended.
    runtime: RwLock<Option<Runtime>>,
    wakes: Arc<Wakes>,
    paused: AtomicBool,
    ended: AtomicBool,
}

/// Why a turn is over.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Turn {
    /// Somebody asked for a pause.
    Paused,
    /// The server has ended, and there will be no other turn.
    Ended,
}

impl Turns {
    pub(crate) fn new(runtime: Runtime, wakes: Arc<Wakes>) -> Self {
        Self {
            runtime: RwLock::new(Some(runtime)),
            wakes,
            paused: AtomicBool::new(false),
            ended: AtomicBool::new(false),
        }
    }

    /// Begins a task of the server. `None` once it has ended.
    pub fn spawn<F>(&self, task: F) -> Option<JoinHandle<F::Output>>
    where
        F: Future<Output: Send> + Send + 'static,
    {
        // Nothing panics while it holds the lock.
        let runtime = self.runtime.read().unwrap_or_else(PoisonError::into_inner);
        runtime.as_ref().map(|runtime| runtime.spawn(task))
    }

    /// Drives the connections until somebody asks for a pause. Not for two threads at once.
    pub fn take(&self) -> Turn {
        // Nothing panics while it holds the lock.
        let runtime = self.runtime.read().unwrap_or_else(PoisonError::into_inner);
        runtime
            .as_ref()
            .map_or(Turn::Ended, |runtime| runtime.block_on(poll_fn(|cx| self.poll(cx))))
    }

    /// Ends the current turn soon, or else the next one.
    pub fn pause(&self) {
        self.paused.store(true, Ordering::Release);
        self.wakes.wake_dispatcher();
    }

    fn poll(&self, cx: &mut Context<'_>) -> Poll<Turn> {
        self.wakes.dispatch(cx);
        if self.ended.load(Ordering::Acquire) {
            return Poll::Ready(Turn::Ended);
        }
        if self.paused.swap(false, Ordering::AcqRel) {
            return Poll::Ready(Turn::Paused);
        }
        Poll::Pending
    }

    /// Tells the thread that drives that the server has ended.
    pub(crate) fn finish(&self) {
        self.ended.store(true, Ordering::Release);
        self.wakes.wake_dispatcher();
    }

    /// Drops whatever is still under way, once the server has ended.
    pub(crate) fn close(&self) {
        let runtime = self.runtime.write().unwrap_or_else(PoisonError::into_inner).take();
        if let Some(runtime) = runtime {
            runtime.shutdown_background();
        }
    }
}

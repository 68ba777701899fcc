//! Waking connection tasks from handler threads, many at a time.
//!
//! To wake a task of another thread's runtime costs a system call. So handler threads only list
//! whom to wake, and wake one task, the dispatcher, which wakes the others from within. A thread
//! that runs one short handler after the other lists what it finished and wakes the dispatcher
//! when it has nothing left to do.

use std::{
    cell::Cell,
    sync::{Mutex, MutexGuard, PoisonError},
    task::{Context, Waker},
};

/// Tasks to wake.
#[derive(Debug, Default)]
pub struct Wakes {
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    tasks: Vec<Waker>,
    dispatcher: Option<Waker>,
}

thread_local! {
    static DEFERS: Cell<bool> = const { Cell::new(false) };
}

impl Wakes {
    /// From now on the end of a response wakes nobody when it comes from this thread, which
    /// promises to call [`flush`](Self::flush) before long.
    pub fn defer_on_this_thread() {
        DEFERS.set(true);
    }

    /// Wakes everybody that is listed.
    pub fn flush(&self) {
        let state = self.lock();
        if !state.tasks.is_empty() {
            wake_dispatcher(state);
        }
    }

    /// Wakes a task, and those that are listed.
    pub(crate) fn wake(&self, task: Waker) {
        let mut state = self.lock();
        state.tasks.push(task);
        wake_dispatcher(state);
    }

    /// Lists a task; wakes it unless this thread defers.
    pub(crate) fn wake_soon(&self, task: Waker) {
        if DEFERS.get() {
            self.lock().tasks.push(task);
        } else {
            self.wake(task);
        }
    }

    /// The dispatcher's work: wakes everybody that is listed, from within the runtime.
    pub(crate) fn dispatch(&self, cx: &mut Context<'_>) {
        let mut state = self.lock();
        if state.dispatcher.is_none() {
            state.dispatcher = Some(cx.waker().clone());
        }
        let tasks = std::mem::take(&mut state.tasks);
        drop(state);
        for task in tasks {
            task.wake();
        }
    }

    /// Wakes the dispatcher.
    pub(crate) fn wake_dispatcher(&self) {
        wake_dispatcher(self.lock());
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        // No code panics while it holds the lock with the state half changed.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Wakes the dispatcher, unless it is on its way. The lock is let go first: the dispatcher takes it.
fn wake_dispatcher(mut state: MutexGuard<'_, State>) {
    let dispatcher = state.dispatcher.take();
    drop(state);
    if let Some(dispatcher) = dispatcher {
        dispatcher.wake();
    }
}

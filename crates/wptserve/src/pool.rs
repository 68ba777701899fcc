//! The elastic, GIL-first pool that runs handlers.
//!
//! A thread takes the GIL before it takes a job and keeps it while jobs are queued, so that short
//! handlers run one behind the other with no hand-over at all. At most one more thread, the
//! *successor*, waits for the GIL; when a handler blocks and lets it go, the successor takes over
//! and appoints the next. So a handler that sleeps holds a thread, never the others' time, and a
//! thread is made only when no idle one is left.

use std::{
    collections::VecDeque,
    panic::{AssertUnwindSafe, catch_unwind},
    sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError},
    thread,
    time::Duration,
};

use pyo3::prelude::*;

/// Work for a thread that holds the GIL.
pub(crate) type Job = Box<dyn FnOnce(Python<'_>) + Send>;

/// Told once whenever the pool comes to its limit.
pub(crate) type OnFull = Box<dyn Fn(usize) + Send + Sync>;

/// Threads that run [`Job`]s in order of arrival.
#[derive(Clone)]
pub(crate) struct Pool {
    shared: Arc<Shared>,
}

struct Shared {
    state: Mutex<State>,
    appointed: Condvar,
    max_threads: usize,
    on_full: OnFull,
}

#[derive(Default)]
struct State {
    jobs: VecDeque<Job>,
    threads: usize,
    idle: usize,
    /// A thread was appointed and has not got the GIL yet.
    successor: bool,
    /// An idle thread was notified and has not woken yet.
    called: bool,
    full: bool,
}

impl Pool {
    /// A pool that grows up to `max_threads`; beyond it jobs wait, and `on_full` is told.
    pub(crate) fn new(max_threads: usize, on_full: OnFull) -> Self {
        Self {
            shared: Arc::new(Shared {
                state: Mutex::default(),
                appointed: Condvar::new(),
                max_threads,
                on_full,
            }),
        }
    }

    /// Queues a job. Never blocks on the GIL.
    pub(crate) fn submit(&self, job: Job) {
        let mut state = self.shared.lock();
        state.jobs.push_back(job);
        Shared::appoint(&self.shared, state);
    }
}

impl Shared {
    /// Sees to it that a successor is on its way while jobs are queued.
    fn appoint(shared: &Arc<Self>, mut state: MutexGuard<'_, State>) {
        if state.successor || state.jobs.is_empty() {
            return;
        }
        if state.idle > 0 {
            state.successor = true;
            state.called = true;
            drop(state);
            shared.appointed.notify_one();
        } else if state.threads < shared.max_threads {
            state.successor = true;
            state.threads += 1;
            state.full = false;
            drop(state);
            Self::start_thread(shared);
        } else if !std::mem::replace(&mut state.full, true) {
            drop(state);
            (shared.on_full)(shared.max_threads);
        }
    }

    fn start_thread(shared: &Arc<Self>) {
        let thread = Arc::clone(shared);
        let started = thread::Builder::new()
            .name("handler".to_owned())
            // Deep recursion through C needs the room; only what is used takes memory.
            .stack_size(8 * 1024 * 1024)
            .spawn(move || Python::attach(|py| thread.run(py)));
        if started.is_err() {
            // The threads there are go on with the queue.
            let mut state = shared.lock();
            state.threads -= 1;
            state.successor = false;
        }
    }

    /// A thread's life. It is attached once: a new thread state for every job would cost more
    /// than most handlers.
    fn run(self: Arc<Self>, py: Python<'_>) {
        let mut first = true;
        loop {
            // A new thread is the successor already, and has the GIL.
            if !std::mem::take(&mut first) && !py.detach(|| self.wait_for_appointment()) {
                return;
            }
            self.lock().successor = false;
            while let Some(job) = self.next_job() {
                // A panic is the job's own; its exchange was dropped and so aborted.
                let _panicked = catch_unwind(AssertUnwindSafe(|| job(py)));
            }
        }
    }

    fn next_job(self: &Arc<Self>) -> Option<Job> {
        let mut state = self.lock();
        let job = state.jobs.pop_front()?;
        // This job may block: somebody has to be there for the next.
        Self::appoint(self, state);
        Some(job)
    }

    /// Waits to be appointed. `false` after a long time without.
    fn wait_for_appointment(&self) -> bool {
        let mut state = self.lock();
        state.idle += 1;
        loop {
            let (guard, waited) = self
                .appointed
                .wait_timeout(state, IDLE_LIFE)
                .unwrap_or_else(PoisonError::into_inner);
            state = guard;
            if std::mem::take(&mut state.called) {
                state.idle -= 1;
                return true;
            }
            if waited.timed_out() && state.idle > KEPT_IDLE {
                state.idle -= 1;
                state.threads -= 1;
                return false;
            }
        }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        // No code panics while it holds the lock with the state half changed.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// An idle thread ends after this time,
const IDLE_LIFE: Duration = Duration::from_secs(10);
/// but for these.
const KEPT_IDLE: usize = 2;

//! The elastic, GIL-first pool that runs handlers.
//!
//! One thread, the *runner*, takes the GIL before it takes a job and keeps it while jobs are
//! queued, so that short handlers run one behind the other with no hand-over at all. When a job
//! blocks and lets the GIL go, another thread, the *successor*, takes the GIL and is the runner
//! from then on; the old one ends its job and becomes idle. So a handler that sleeps holds a
//! thread and not the others' time, and a thread is made only when no idle one is left.
//!
//! Whether a job blocks or is about to end cannot be seen from outside. A successor that stood
//! ready for the GIL all the time would take it from a runner in the middle of its work again
//! and again. So one thread is *on watch*: it looks every [`TICK`] whether the queue moves, and
//! becomes the successor when it does not. A runner whose job has lasted longer than that already
//! is succeeded at once, and so is every runner for a while after one was found blocked: where
//! one handler sleeps, others do.
//!
//! Threads are woken for many jobs at a time where that costs no time: [`Pool::submit`] leaves it
//! to [`Pool::flush`], which the I/O thread calls before it waits, and the runner wakes the I/O
//! thread when it has nothing left to run.
//!
//! Each server has a pool of its own. To the rest of the process its threads are ordinary ones:
//! Python takes the GIL from a runner as from any other thread that runs Python code.

use std::{
    cell::Cell,
    collections::VecDeque,
    panic::{AssertUnwindSafe, catch_unwind},
    sync::{
        Arc, Condvar, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicU8, Ordering},
    },
    thread::{self, JoinHandle, Thread, ThreadId},
    time::{Duration, Instant},
};

use pyo3::prelude::*;
use server::Wakes;

/// Work for a thread that holds the GIL.
pub(crate) type Job = Box<dyn FnOnce(Python<'_>) + Send>;

/// Told whenever the pool comes to its limit of threads.
pub(crate) type OnFull = Box<dyn Fn(usize) + Send + Sync>;

/// Threads that run [`Job`]s in order of arrival.
#[derive(Clone)]
pub(crate) struct Pool {
    shared: Arc<Shared>,
}

struct Shared {
    state: Mutex<State>,
    /// Told when a thread leaves a closed pool.
    left: Condvar,
    max_threads: usize,
    on_full: OnFull,
    wakes: Arc<Wakes>,
}

struct State {
    jobs: VecDeque<Job>,
    threads: usize,
    /// Threads that run jobs.
    busy: usize,
    /// The threads that have not been joined, and those of them that have left.
    handles: Vec<JoinHandle<()>>,
    gone: Vec<ThreadId>,
    closed: bool,
    /// Threads without a task; the last one used is the first to be used again.
    idle: Vec<Arc<Seat>>,
    watch: Option<Arc<Seat>>,
    /// A successor is on its way to the GIL.
    successor: bool,
    /// The runner's number; 0 when there is none.
    runner: u64,
    last_runner: u64,
    /// Jobs that were begun, and when the last one was.
    begun: u64,
    begun_at: Instant,
    /// How many more jobs are succeeded without waiting for the watch.
    eager: u32,
    full: bool,
}

/// A thread's place in the pool.
struct Seat {
    thread: Thread,
    task: AtomicU8,
}

const IDLE: u8 = 0;
const WATCH: u8 = 1;
const SUCCEED: u8 = 2;

impl Pool {
    /// A pool that grows up to `max_threads`; beyond it jobs wait, and `on_full` is told.
    /// `wakes` leads to the tasks that wait for what the jobs finish.
    pub(crate) fn new(max_threads: usize, on_full: OnFull, wakes: Arc<Wakes>) -> Self {
        Self {
            shared: Arc::new(Shared {
                state: Mutex::new(State {
                    jobs: VecDeque::new(),
                    threads: 0,
                    busy: 0,
                    handles: Vec::new(),
                    gone: Vec::new(),
                    closed: false,
                    idle: Vec::new(),
                    watch: None,
                    successor: false,
                    runner: 0,
                    last_runner: 0,
                    begun: 0,
                    begun_at: Instant::now(),
                    eager: 0,
                    full: false,
                }),
                left: Condvar::new(),
                max_threads,
                on_full,
                wakes,
            }),
        }
    }

    /// Queues a job, to be begun at the next [`flush`](Self::flush) if not before. Never waits
    /// for the GIL.
    pub(crate) fn submit(&self, job: Job) {
        let mut state = self.shared.lock();
        if state.closed {
            // The job is dropped behind the lock.
            drop(state);
            return;
        }
        state.jobs.push_back(job);
        if state.jobs.len() >= BATCH {
            self.shared.see_to_queue(state);
        }
    }

    /// Sees to it that queued jobs are begun.
    pub(crate) fn flush(&self) {
        self.shared.see_to_queue(self.shared.lock());
    }

    /// Drops the queued jobs and ends the threads, those that run a job once it is done. Waits
    /// for the others, not for these. Not to be called with the GIL held.
    pub(crate) fn close(&self) {
        let mut state = self.shared.lock();
        state.closed = true;
        let dropped = std::mem::take(&mut state.jobs);
        for seat in state.idle.iter().chain(&state.watch) {
            seat.thread.unpark();
        }
        drop(state);
        drop(dropped);
        let state = self.shared.lock();
        let (mut state, _late) = self
            .shared
            .left
            .wait_timeout_while(state, PATIENCE, |state| state.threads > state.busy)
            .unwrap_or_else(PoisonError::into_inner);
        let gone = std::mem::take(&mut state.gone);
        let handles = std::mem::take(&mut state.handles);
        drop(state);
        for handle in handles {
            if gone.contains(&handle.thread().id()) {
                // It has left the pool and is about to end; a panic of its own is over.
                let _panicked = handle.join();
            }
        }
    }
}

thread_local! {
    static IN_POOL: Cell<bool> = const { Cell::new(false) };
}

/// Whether this is a pool's thread.
pub(crate) fn is_pool_thread() -> bool {
    IN_POOL.get()
}

impl Shared {
    /// Sees to it that somebody takes the next job, whatever the runner does.
    fn see_to_queue(self: &Arc<Self>, mut state: MutexGuard<'_, State>) {
        if state.successor || state.jobs.is_empty() || state.closed {
            return;
        }
        if state.runner == 0 || state.eager > 0 || state.begun_at.elapsed() > TICK {
            state.successor = true;
            self.assign(state, SUCCEED);
        } else if state.watch.is_none() {
            self.assign(state, WATCH);
        }
    }

    /// Gives a task to an idle thread, to the one on watch, or to a new one.
    fn assign(self: &Arc<Self>, mut state: MutexGuard<'_, State>, task: u8) {
        let seat = state.idle.pop().or_else(|| state.watch.take());
        if let Some(seat) = seat {
            seat.task.store(task, Ordering::Relaxed);
            if task == WATCH {
                state.watch = Some(Arc::clone(&seat));
            }
            drop(state);
            seat.thread.unpark();
        } else if state.threads < self.max_threads {
            state.threads += 1;
            state.full = false;
            drop(state);
            self.start_thread(task);
        } else {
            state.successor &= task != SUCCEED;
            if !std::mem::replace(&mut state.full, true) {
                drop(state);
                (self.on_full)(self.max_threads);
            }
        }
    }

    fn start_thread(self: &Arc<Self>, task: u8) {
        let shared = Arc::clone(self);
        let started = thread::Builder::new()
            .name("handler".to_owned())
            // Deep recursion through C needs the room; only what is used takes memory.
            .stack_size(8 * 1024 * 1024)
            .spawn(move || {
                let seat = Arc::new(Seat { thread: thread::current(), task: AtomicU8::new(task) });
                if task == WATCH {
                    shared.lock().watch = Some(Arc::clone(&seat));
                }
                Wakes::defer_on_this_thread();
                IN_POOL.set(true);
                Python::attach(|py| shared.live(py, &seat));
            });
        let mut state = self.lock();
        if let Ok(handle) = started {
            // Of those that left since, nobody wants to know.
            let gone = std::mem::take(&mut state.gone);
            state.handles.retain(|handle| !gone.contains(&handle.thread().id()));
            state.handles.push(handle);
        } else {
            // The threads there are go on with the queue.
            state.threads -= 1;
            state.successor &= task != SUCCEED;
        }
    }

    /// A thread's life. It is attached once: a new thread state for every job would cost more
    /// than most handlers.
    fn live(self: &Arc<Self>, py: Python<'_>, seat: &Arc<Seat>) {
        while py.detach(|| self.wait(seat)) {
            // Here the GIL is held, and this is the successor.
            let mut state = self.lock();
            state.successor = false;
            if state.jobs.is_empty() {
                state.retire(seat);
                continue;
            }
            if state.runner != 0 {
                state.eager = EAGER;
            }
            state.last_runner += 1;
            let number = state.last_runner;
            state.runner = number;
            state.busy += 1;
            drop(state);
            while let Some(job) = self.next_job(number) {
                // A panic is the job's own; its exchange was dropped and so aborted.
                let _panicked = catch_unwind(AssertUnwindSafe(|| job(py)));
            }
            let mut state = self.lock();
            state.busy -= 1;
            state.retire(seat);
        }
    }

    /// The next job for a runner; `None` when the queue is empty or there is another runner.
    fn next_job(self: &Arc<Self>, number: u64) -> Option<Job> {
        let mut state = self.lock();
        if state.runner != number {
            drop(state);
            self.wakes.flush();
            return None;
        }
        let Some(job) = state.jobs.pop_front() else {
            state.runner = 0;
            drop(state);
            self.wakes.flush();
            return None;
        };
        state.begun += 1;
        state.begun_at = Instant::now();
        state.eager = state.eager.saturating_sub(1);
        // This job may block. Then the watch wakes those whose responses are finished.
        let flush = state.watch.is_none() || state.begun.is_multiple_of(BATCH as u64);
        self.see_to_queue(state);
        if flush {
            self.wakes.flush();
        }
        Some(job)
    }

    /// Waits for a task, and keeps watch when that is the task. `true` when the thread is to
    /// take the GIL, `false` when it is to end.
    fn wait(&self, seat: &Arc<Seat>) -> bool {
        loop {
            match seat.task.load(Ordering::Relaxed) {
                SUCCEED => return true,
                WATCH => {
                    if self.watch(seat) {
                        return true;
                    }
                }
                _ => {
                    if self.leave_closed(seat) {
                        return false;
                    }
                    let since = Instant::now();
                    thread::park_timeout(IDLE_LIFE);
                    // Parking also ends without reason.
                    if since.elapsed() >= IDLE_LIFE && self.leave(seat) {
                        return false;
                    }
                }
            }
        }
    }

    /// Looks every tick whether the queue moves. `true` when it does not: the watch is the
    /// successor. `false` when the task changed.
    fn watch(&self, seat: &Arc<Seat>) -> bool {
        let mut begun = u64::MAX;
        let mut quiet = 0;
        loop {
            thread::park_timeout(TICK);
            self.wakes.flush();
            let mut state = self.lock();
            if seat.task.load(Ordering::Relaxed) != WATCH {
                return false;
            }
            if state.closed {
                state.watch = None;
                state.retire(seat);
                return false;
            }
            if state.begun != begun {
                begun = state.begun;
                quiet = 0;
            } else if state.jobs.is_empty() {
                quiet += 1;
                if quiet > WATCH_LIFE {
                    state.watch = None;
                    state.retire(seat);
                    return false;
                }
            } else if !state.successor {
                state.watch = None;
                state.successor = true;
                seat.task.store(SUCCEED, Ordering::Relaxed);
                return true;
            }
        }
    }

    /// Takes a thread that has long been idle out of the pool, unless it is one of the last.
    fn leave(&self, seat: &Arc<Seat>) -> bool {
        let mut state = self.lock();
        if seat.task.load(Ordering::Relaxed) != IDLE || state.idle.len() <= KEPT_IDLE {
            return false;
        }
        state.leave(seat);
        true
    }

    /// Takes an idle thread out of a closed pool.
    fn leave_closed(&self, seat: &Arc<Seat>) -> bool {
        let mut state = self.lock();
        if !state.closed || seat.task.load(Ordering::Relaxed) != IDLE {
            return false;
        }
        state.leave(seat);
        drop(state);
        self.left.notify_all();
        true
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        // No code panics while it holds the lock with the state half changed.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    /// Makes a thread idle.
    fn retire(&mut self, seat: &Arc<Seat>) {
        seat.task.store(IDLE, Ordering::Relaxed);
        self.idle.push(Arc::clone(seat));
    }

    /// Takes this thread out.
    fn leave(&mut self, seat: &Arc<Seat>) {
        self.idle.retain(|other| !Arc::ptr_eq(other, seat));
        self.threads -= 1;
        self.gone.push(seat.thread.id());
    }
}

/// How often the watch looks, and how long a job may last before it counts as blocked.
const TICK: Duration = Duration::from_micros(200);
/// At most so many jobs, or finished responses, wait for others before somebody is woken.
const BATCH: usize = 16;
/// The watch ends after this many ticks without a job.
const WATCH_LIFE: u32 = 100;
/// Jobs that are succeeded at once after one was found blocked.
const EAGER: u32 = 32;
/// An idle thread looks after this time whether it is one too many,
const IDLE_LIFE: Duration = Duration::from_secs(10);
/// which these are not.
const KEPT_IDLE: usize = 4;
/// How long the end of idle threads is waited for; each needs the GIL once.
const PATIENCE: Duration = Duration::from_secs(2);
/// The most handlers that run or sleep at once; each holds a thread.
pub(crate) const MAX_THREADS: usize = 8192;

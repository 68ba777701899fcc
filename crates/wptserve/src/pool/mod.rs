//! The elastic pool, which drives the connections and runs the handlers.
//!
//! One thread, the *leader*, drives the connections turn by turn. The jobs that come out of a turn
//! it runs itself before the next one, with the GIL taken once: a request that one thread reads,
//! answers and sends needs no hand-over at all. But a job may block, and the connections must not
//! wait for it. So one thread is *on watch*: it looks every [`TICK`] whether the leader gets on,
//! and leads in its place when it does not; the old leader ends its job and becomes idle.
//!
//! For a while after that the leader stays *apart*: it does nothing but drive, for where one
//! handler sleeps, others do. So it does where jobs are long, which is better done beside the
//! driving. Meanwhile another thread, the *runner*, takes the GIL before it takes a job and keeps
//! it while jobs are queued, so that they run one behind the other. When a job blocks and lets the
//! GIL go, a *successor* takes the GIL and is the runner from then on; the old one ends its job and
//! becomes idle. So a handler that sleeps holds a thread and not the others' time, and a thread is
//! made only when no idle one is left.
//!
//! Whether a job blocks or is about to end cannot be seen from outside. A successor that stood
//! ready for the GIL all the time would take it from a runner in the middle of its work again
//! and again. So it is the watch that becomes the successor, when the queue does not move for a
//! tick. A runner whose job has lasted longer than that already is succeeded at once, and so is
//! every runner for a while after one was found blocked.
//!
//! Threads are woken for many jobs at a time where that costs no time: [`Pool::submit`] leaves it
//! to [`Pool::flush`], which the leader calls before it waits, and a runner wakes the leader when it
//! has nothing left to run.
//!
//! Without a GIL several runners run abreast. A pool that drives no connections, as that of a server
//! in a Python program, has no leader; to the rest of the process its threads are ordinary ones, and
//! Python takes the GIL from a runner as from any other thread that runs Python code.

mod lead;
mod state;
mod watch;

use std::{
    cell::Cell,
    fmt, io,
    panic::{AssertUnwindSafe, catch_unwind},
    sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError, atomic::Ordering},
    thread,
    time::{Duration, Instant},
};

use pyo3::{intern, prelude::*};
use server::{Exchange, Response, Wakes};

use crate::fork;

use state::{IDLE, LEAD, SUCCEED, Seat, State, WATCH};

/// Work for a thread that holds the GIL.
pub(crate) type Job = Box<dyn Work>;

/// What a thread of the pool does; or what is done when there is none for it.
pub(crate) trait Work: Send {
    fn run(self: Box<Self>, py: Python<'_>);

    /// No thread can be had.
    fn refuse(self: Box<Self>) {}
}

impl<F: FnOnce(Python<'_>) + Send> Work for F {
    fn run(self: Box<Self>, py: Python<'_>) {
        self(py);
    }
}

/// A request and what answers it.
pub(crate) struct Answer<F> {
    pub(crate) exchange: Exchange,
    pub(crate) answer: F,
}

impl<F: FnOnce(Python<'_>, Exchange) + Send> Work for Answer<F> {
    fn run(self: Box<Self>, py: Python<'_>) {
        (self.answer)(py, self.exchange);
    }

    fn refuse(self: Box<Self>) {
        self.exchange.respond(Response::error(503, "no thread can be started for the handler"));
    }
}

/// What a pool is short of.
#[derive(Debug)]
pub(crate) enum Shortage {
    /// It has as many threads as it may have.
    Full(usize),
    /// The system starts no more.
    NoThread { error: io::Error, refused: usize },
}

impl fmt::Display for Shortage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Full(threads) => {
                write!(f, "{threads} handlers are running; more requests wait for one to end")
            }
            Self::NoThread { error, refused } => write!(
                f,
                "no thread can be started for handlers: {error}; requests answered with 503: \
                 {refused}"
            ),
        }
    }
}

/// Told whenever the pool is short of threads.
pub(crate) type OnShortage = Box<dyn Fn(&Shortage) + Send + Sync>;

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
    /// How many runners there can be at a time.
    abreast: usize,
    on_shortage: OnShortage,
    wakes: Arc<Wakes>,
}

/// What a thread does once it has waited.
enum Next {
    /// It runs jobs, under this number.
    Run(u64),
    /// It becomes a runner, now that it has the GIL.
    Succeed,
    End,
}

impl Pool {
    /// A pool that grows up to `max_threads`; beyond it jobs wait, and `on_shortage` is told.
    /// `wakes` leads to the tasks that wait for what the jobs finish.
    pub(crate) fn new(max_threads: usize, on_shortage: OnShortage, wakes: Arc<Wakes>) -> Self {
        Self {
            shared: Arc::new(Shared {
                state: Mutex::new(State::new()),
                left: Condvar::new(),
                max_threads,
                abreast: abreast(),
                on_shortage,
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
        if state.jobs.len() >= BATCH && !state.leader_runs() {
            self.shared.see_to_queue(state);
        }
    }

    /// Sees to it that queued jobs are begun.
    pub(crate) fn flush(&self) {
        self.shared.flush();
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
    fn flush(self: &Arc<Self>) {
        let state = self.lock();
        if state.jobs.is_empty() {
            // Nothing is to be done.
        } else if state.leader_runs() {
            self.pause(state);
        } else {
            self.see_to_queue(state);
        }
    }

    /// Sees to it that somebody takes the next job, whatever the runners do.
    fn see_to_queue(self: &Arc<Self>, state: MutexGuard<'_, State>) {
        if state.successor || state.jobs.is_empty() || state.closed {
            return;
        }
        if state.has_room(self.abreast) || state.eager > 0 || state.begun_at.elapsed() > LONGEST {
            self.assign(state, SUCCEED);
        } else if !state.has_watch() {
            self.assign(state, WATCH);
        }
    }

    /// Gives a task to an idle thread, to the one on watch, or to a new one. `false` when there is
    /// none.
    fn assign(self: &Arc<Self>, mut state: MutexGuard<'_, State>, task: u8) -> bool {
        let seat = state.idle.pop().or_else(|| state.watch.take());
        if let Some(seat) = seat {
            state.seat(&seat, task);
            drop(state);
            seat.thread.unpark();
            true
        } else if state.threads < self.max_threads {
            state.threads += 1;
            state.full = false;
            state.successor |= task == SUCCEED;
            state.watch_begins |= task == WATCH;
            drop(state);
            self.start_thread(task)
        } else {
            if !std::mem::replace(&mut state.full, true) {
                drop(state);
                (self.on_shortage)(&Shortage::Full(self.max_threads));
            }
            false
        }
    }

    fn start_thread(self: &Arc<Self>, task: u8) -> bool {
        let shared = Arc::clone(self);
        let started = thread::Builder::new()
            .name("handler".to_owned())
            // Deep recursion through C needs the room; only what is used takes memory.
            .stack_size(8 * 1024 * 1024)
            .spawn(move || {
                let seat = Arc::new(Seat::of_this_thread());
                shared.lock().seat(&seat, task);
                Wakes::defer_on_this_thread();
                IN_POOL.set(true);
                fork::serve_on_this_thread();
                // To watch and to drive takes no GIL, which a handler may hold for long.
                let first = shared.wait(&seat);
                Python::attach(|py| shared.live(py, &seat, first));
            });
        let mut state = self.lock();
        match started {
            Ok(handle) => {
                // Of those that left since, nobody wants to know.
                let gone = std::mem::take(&mut state.gone);
                state.handles.retain(|handle| !gone.contains(&handle.thread().id()));
                state.handles.push(handle);
                true
            }
            Err(error) => {
                state.threads -= 1;
                state.successor &= task != SUCCEED;
                state.watch_begins &= task != WATCH;
                self.refuse_queue(state, error);
                false
            }
        }
    }

    /// No thread can be started for the queue. Where the runner gets on it comes to the jobs; those
    /// that nobody comes to are refused.
    fn refuse_queue(self: &Arc<Self>, mut state: MutexGuard<'_, State>, error: io::Error) {
        if state.jobs.is_empty() {
            return;
        }
        let gets_on = !state.runners.is_empty() && state.begun_at.elapsed() <= LONGEST;
        if gets_on && let Some(turns) = state.lead.turns() {
            if !std::mem::replace(&mut state.looks_again, true) {
                drop(state);
                let pool = Arc::clone(self);
                turns.spawn(async move {
                    tokio::time::sleep(2 * LONGEST).await;
                    pool.lock().looks_again = false;
                    pool.flush();
                });
            }
            return;
        }
        let refused = std::mem::take(&mut state.jobs);
        drop(state);
        (self.on_shortage)(&Shortage::NoThread { error, refused: refused.len() });
        for job in refused {
            job.refuse();
        }
        self.wakes.flush();
    }

    /// A thread's life with Python. It is attached once: a new thread state for every job would
    /// cost more than most handlers.
    fn live(self: &Arc<Self>, py: Python<'_>, seat: &Arc<Seat>, first: Next) {
        let mut next = first;
        loop {
            let number = match next {
                Next::Run(number) => Some(number),
                Next::Succeed => self.succeed(seat),
                Next::End => return,
            };
            if let Some(number) = number {
                self.run(py, seat, number);
            }
            next = py.detach(|| self.wait(seat));
        }
    }

    /// Runs jobs, with the GIL, until there are none or another thread does.
    fn run(self: &Arc<Self>, py: Python<'_>, seat: &Arc<Seat>, number: u64) {
        let since = Instant::now();
        let mut jobs = 0;
        while let Some(job) = self.next_job(number) {
            // A panic is the job's own; its exchange was dropped and so aborted.
            let _panicked = catch_unwind(AssertUnwindSafe(|| job.run(py)));
            if fork::is_child() {
                // The job has forked, and nobody else has ended the child.
                fork::end(py, None);
            }
            jobs += 1;
        }
        let mut state = self.lock();
        state.busy -= 1;
        if state.lead.between == number {
            state.lead.ran(jobs, since.elapsed());
        } else {
            state.retire(seat);
        }
    }

    /// Makes a thread a runner, unless there is nothing to run.
    fn succeed(&self, seat: &Arc<Seat>) -> Option<u64> {
        let mut state = self.lock();
        state.successor = false;
        if state.jobs.is_empty() {
            state.retire(seat);
            return None;
        }
        if state.runners.len() >= self.abreast {
            state.runners.remove(0);
            state.eager = EAGER;
        }
        Some(state.add_runner(seat))
    }

    /// The next job for a runner; `None` when the queue is empty or it was succeeded.
    fn next_job(self: &Arc<Self>, number: u64) -> Option<Job> {
        let mut state = self.lock();
        // What the leader has finished it sends itself, in its next turn.
        let leads = state.lead.between == number;
        let takes = state.runners.iter().any(|(runner, _)| *runner == number);
        let job = if takes { state.jobs.pop_front() } else { None };
        let Some(job) = job else {
            state.runners.retain(|(runner, _)| *runner != number);
            drop(state);
            if !leads {
                self.wakes.flush();
            }
            return None;
        };
        state.begun += 1;
        state.begun_at = Instant::now();
        state.eager = state.eager.saturating_sub(1);
        // This job may block. Then the watch wakes those whose responses are finished.
        let flush = !leads && (!state.has_watch() || state.begun.is_multiple_of(BATCH as u64));
        self.see_to_queue(state);
        if flush {
            self.wakes.flush();
        }
        Some(job)
    }

    /// Waits for a task; keeps watch and drives connections when that is the task.
    fn wait(self: &Arc<Self>, seat: &Arc<Seat>) -> Next {
        loop {
            match seat.task.load(Ordering::Relaxed) {
                SUCCEED => return Next::Succeed,
                LEAD => {
                    if let Some(number) = self.lead(seat) {
                        return Next::Run(number);
                    }
                }
                WATCH => self.watch(seat),
                _ => {
                    if self.leave_closed(seat) {
                        return Next::End;
                    }
                    let since = Instant::now();
                    thread::park_timeout(IDLE_LIFE);
                    // Parking also ends without reason.
                    if since.elapsed() >= IDLE_LIFE && self.leave(seat) {
                        return Next::End;
                    }
                }
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

/// How many threads run Python code at a time: one with the GIL, else as many as there are CPUs.
fn abreast() -> usize {
    let has_gil = Python::attach(|py| {
        let sys = py.import(intern!(py, "sys"))?;
        // Only free-threaded Pythons can be asked.
        match sys.getattr_opt(intern!(py, "_is_gil_enabled"))? {
            Some(ask) => ask.call0()?.extract(),
            None => Ok(true),
        }
    });
    match has_gil {
        Ok(false) => thread::available_parallelism().map_or(1, usize::from),
        Ok(true) | Err(_) => 1,
    }
}

/// How often the watch looks, and how long a job may last before it counts as blocked.
const TICK: Duration = Duration::from_micros(200);
/// What has lasted longer is waited for no more, even if it is busy.
const LONGEST: Duration = Duration::from_millis(5);
/// At most so many jobs, or finished responses, wait for others before somebody is woken.
const BATCH: usize = 16;
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

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

mod policy;
mod seat;
mod work;

use std::{
    cell::Cell,
    io,
    panic::{AssertUnwindSafe, catch_unwind},
    sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError},
    thread::{self, JoinHandle, ThreadId},
    time::{Duration, Instant},
};

use pyo3::{intern, prelude::*};
use server::{Driver, Turn, Turns, Wakes};

use crate::fork;

use policy::{Look, MAX_BATCH, Member, Next, Orders, Policy, Role, Shortfall, TICK, Tick, Watch};
use seat::Seat;
pub(crate) use work::{Answer, Job, OnShortage, Shortage};

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
    on_shortage: OnShortage,
    wakes: Arc<Wakes>,
}

struct State {
    policy: Policy<Job>,
    /// Where the threads are, by the numbers of the members; none before a thread has begun.
    seats: Vec<Option<Arc<Seat>>>,
    /// The threads that have not been joined, and those of them that have left.
    handles: Vec<JoinHandle<()>>,
    gone: Vec<ThreadId>,
    /// The connections, where the pool drives any.
    turns: Option<Arc<Turns>>,
}

/// What a thread does once it has waited.
enum Awake {
    Run,
    /// It becomes a runner, now that it has the GIL.
    Succeed,
    End,
}

impl Pool {
    /// A pool that grows up to `max_threads`; beyond it jobs wait, and `on_shortage` is told.
    /// `wakes` leads to the tasks that wait for what the jobs finish.
    pub(crate) fn new(max_threads: usize, on_shortage: OnShortage, wakes: Arc<Wakes>) -> Self {
        let state = State {
            policy: Policy::new(max_threads, max_runners(), Instant::now()),
            seats: Vec::new(),
            handles: Vec::new(),
            gone: Vec::new(),
            turns: None,
        };
        Self {
            shared: Arc::new(Shared {
                state: Mutex::new(state),
                left: Condvar::new(),
                max_threads,
                on_shortage,
                wakes,
            }),
        }
    }

    /// Queues a job, to be begun at the next [`flush`](Self::flush) if not before. Never waits
    /// for the GIL.
    pub(crate) fn submit(&self, job: Job) {
        let mut state = self.shared.lock();
        match state.policy.submit(job) {
            Ok(queued) if queued >= MAX_BATCH => {
                let orders = state.policy.batch(Instant::now());
                self.shared.carry_out(state, orders);
            }
            Ok(_) => {}
            Err(job) => {
                // Only once the lock is free: to drop a job runs code of others.
                drop(state);
                drop(job);
            }
        }
    }

    /// Sees to it that queued jobs are begun.
    pub(crate) fn flush(&self) {
        let mut state = self.shared.lock();
        let orders = state.policy.flush(Instant::now());
        self.shared.carry_out(state, orders);
    }

    /// Drops the queued jobs and ends the threads, those that run a job once it is done. Waits
    /// for the others, not for these. Not to be called with the GIL held.
    pub(crate) fn close(&self) {
        let mut state = self.shared.lock();
        let (dropped, sleepers) = state.policy.close();
        for sleeper in sleepers {
            state.wake(sleeper);
        }
        drop(state);
        drop(dropped);
        let state = self.shared.lock();
        let (mut state, _late) = self
            .shared
            .left
            .wait_timeout_while(state, END_TIMEOUT, |state| !state.policy.only_runners_are_left())
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

impl Driver for Pool {
    fn begin(&self, turns: Arc<Turns>) -> bool {
        let mut state = self.shared.lock();
        let Some(orders) = state.policy.begin_driving(Instant::now()) else { return false };
        state.turns = Some(turns);
        let has_begun = self.shared.carry_out(state, orders);
        if !has_begun {
            self.shared.lock().turns = None;
        }
        has_begun
    }
}

thread_local! {
    static IN_POOL: Cell<bool> = const { Cell::new(false) };
}

/// Whether this is a pool's thread.
pub(crate) fn is_pool_thread() -> bool {
    IN_POOL.get()
}

impl State {
    fn wake(&self, member: Member) {
        // One that has not begun finds its role when it does.
        if let Some(Some(seat)) = self.seats.get(member.index()) {
            seat.thread.unpark();
        }
    }

    fn sit_down(&mut self, member: Member, seat: Arc<Seat>) {
        if self.seats.len() <= member.index() {
            self.seats.resize(member.index() + 1, None);
        }
        self.seats[member.index()] = Some(seat);
    }

    /// A thread ends.
    fn leave(&mut self, member: Member) {
        self.seats[member.index()] = None;
        self.gone.push(thread::current().id());
    }
}

impl Shared {
    /// Does what the policy says. `false` when a thread was to be started and could not.
    fn carry_out(
        self: &Arc<Self>,
        state: MutexGuard<'_, State>,
        Orders { wake, start, end_turn, report_full }: Orders,
    ) -> bool {
        let turns = if end_turn { state.turns.clone() } else { None };
        if let Some(member) = wake {
            state.wake(member);
        }
        drop(state);
        if report_full {
            (self.on_shortage)(&Shortage::Full(self.max_threads));
        }
        if let Some(member) = start
            && !self.start_thread(member)
        {
            return false;
        }
        if let Some(turns) = turns {
            turns.pause();
        }
        true
    }

    fn start_thread(self: &Arc<Self>, member: Member) -> bool {
        let shared = Arc::clone(self);
        let started = thread::Builder::new()
            .name("handler".to_owned())
            // Deep recursion through C needs the room; only what is used takes memory.
            .stack_size(8 * 1024 * 1024)
            .spawn(move || {
                shared.lock().sit_down(member, Arc::new(Seat::of_this_thread()));
                Wakes::defer_on_this_thread();
                IN_POOL.set(true);
                fork::serve_on_this_thread();
                // To watch and to drive takes no GIL, which a handler may hold for long.
                let first = shared.wait(member);
                Python::attach(|py| shared.live(py, member, first));
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
                let shortfall = state.policy.not_started(member, Instant::now());
                self.fall_short(state, shortfall, error);
                false
            }
        }
    }

    /// No thread can be started for the queue.
    fn fall_short(
        self: &Arc<Self>,
        state: MutexGuard<'_, State>,
        shortfall: Shortfall<Job>,
        error: io::Error,
    ) {
        let turns = state.turns.clone();
        drop(state);
        match shortfall {
            Shortfall::LookAgain(time) => {
                let pool = Arc::clone(self);
                if let Some(turns) = turns {
                    turns.spawn(async move {
                        tokio::time::sleep(time).await;
                        let mut state = pool.lock();
                        let orders = state.policy.look_again(Instant::now());
                        pool.carry_out(state, orders);
                    });
                }
            }
            Shortfall::Refuse(jobs) if !jobs.is_empty() => {
                (self.on_shortage)(&Shortage::NoThread { error, refused: jobs.len() });
                for job in jobs {
                    job.refuse();
                }
                self.wakes.flush();
            }
            Shortfall::Refuse(_) | Shortfall::Nothing => {}
        }
    }

    /// A thread's life with Python. It is attached once: a new thread state for every job would
    /// cost more than most handlers.
    fn live(self: &Arc<Self>, py: Python<'_>, member: Member, first: Awake) {
        let mut awake = first;
        loop {
            let runs = match awake {
                Awake::Run => true,
                Awake::Succeed => self.lock().policy.succeed(member, Instant::now()),
                Awake::End => return,
            };
            if runs {
                self.run(py, member);
            }
            awake = py.detach(|| self.wait(member));
        }
    }

    /// Runs jobs, with the GIL, until there are none or another thread does.
    fn run(self: &Arc<Self>, py: Python<'_>, member: Member) {
        let since = Instant::now();
        let mut jobs = 0;
        while let Some(job) = self.next_job(member) {
            // A panic is the job's own; its exchange was dropped and so aborted.
            let _panicked = catch_unwind(AssertUnwindSafe(|| job.run(py)));
            if fork::is_child() {
                // The job has forked, and nobody else has ended the child.
                fork::end(py, None);
            }
            jobs += 1;
        }
        let now = Instant::now();
        let mut state = self.lock();
        let orders = state.policy.stopped(member, jobs, now - since, now);
        self.carry_out(state, orders);
    }

    /// The next job for a runner; `None` when the queue is empty or another thread runs jobs.
    fn next_job(self: &Arc<Self>, member: Member) -> Option<Job> {
        let mut state = self.lock();
        let (job, flush) = match state.policy.next(member, Instant::now()) {
            Next::Run { job, orders, flush } => {
                self.carry_out(state, orders);
                (Some(job), flush)
            }
            Next::Stop { flush } => {
                drop(state);
                (None, flush)
            }
        };
        if flush {
            self.wakes.flush();
        }
        job
    }

    /// Waits for work with the GIL; keeps watch and drives connections when that is the role.
    fn wait(self: &Arc<Self>, member: Member) -> Awake {
        loop {
            let mut state = self.lock();
            match state.policy.role(member) {
                Role::Successor => return Awake::Succeed,
                Role::Leader => {
                    let turns = state.turns.clone();
                    drop(state);
                    if self.lead(member, turns) {
                        return Awake::Run;
                    }
                }
                Role::Watch => {
                    drop(state);
                    self.watch(member);
                }
                Role::Idle => {
                    if state.policy.leave_closed(member) {
                        state.leave(member);
                        drop(state);
                        self.left.notify_all();
                        return Awake::End;
                    }
                    drop(state);
                    let since = Instant::now();
                    thread::park_timeout(IDLE_LIFE);
                    // Parking also ends without reason.
                    if since.elapsed() >= IDLE_LIFE {
                        let mut state = self.lock();
                        if state.policy.leave_idle(member) {
                            state.leave(member);
                            return Awake::End;
                        }
                    }
                }
                // Neither waits.
                Role::Runner | Role::Gone => return Awake::End,
            }
        }
    }

    /// Drives the connections turn by turn, until there are jobs to run, which it says, or no more
    /// connections.
    fn lead(&self, member: Member, turns: Option<Arc<Turns>>) -> bool {
        if let Some(turns) = turns {
            while turns.take() == Turn::Paused {
                if self.lock().policy.turn_ended(member, Instant::now()) {
                    return true;
                }
            }
        }
        let mut state = self.lock();
        state.turns = None;
        state.policy.driving_ended(member);
        false
    }

    /// Looks every tick whether the leader comes back to the connections and the queue moves, until
    /// the thread has another role.
    fn watch(self: &Arc<Self>, member: Member) {
        let mut watch = Watch::default();
        let mut time = TICK;
        loop {
            thread::park_timeout(time);
            let mut state = self.lock();
            let flush = !state.policy.is_between_turns();
            let tick = match state.policy.tick(member, &mut watch, Instant::now()) {
                Look::Done(tick) => tick,
                Look::Observe(runners) => {
                    let seat = |runner: Member| state.seats[runner.index()].clone();
                    let seats: Vec<_> = runners.into_iter().filter_map(seat).collect();
                    drop(state);
                    // Without the lock: they may be asleep there.
                    let are_asleep = seats.iter().all(|seat| seat.sleeps());
                    state = self.lock();
                    state.policy.observed(member, &watch, are_asleep, Instant::now())
                }
            };
            let is_relieved = match tick {
                Tick::Wait(next) => {
                    time = next;
                    drop(state);
                    false
                }
                Tick::Relieved(orders) => {
                    self.carry_out(state, orders);
                    true
                }
            };
            if flush {
                self.wakes.flush();
            }
            if is_relieved {
                return;
            }
        }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        // No code panics while it holds the lock with the state half changed.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// How many threads run Python code at a time: one with the GIL, else as many as there are CPUs.
fn max_runners() -> usize {
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

/// An idle thread looks after this time whether it is one too many.
const IDLE_LIFE: Duration = Duration::from_secs(10);
/// How long the end of idle threads is waited for; each needs the GIL once.
const END_TIMEOUT: Duration = Duration::from_secs(2);
/// The most handlers that run or sleep at once; each holds a thread.
pub(crate) const MAX_THREADS: usize = 8192;

//! What a pool knows of its threads.

use std::{
    collections::VecDeque,
    fs,
    path::{Path, PathBuf},
    sync::{
        Arc,
        atomic::{AtomicU8, Ordering},
    },
    thread::{self, JoinHandle, Thread, ThreadId},
    time::Instant,
};

use super::{Job, lead::Lead};

#[expect(clippy::struct_excessive_bools, reason = "independent facts, not one state")]
pub(super) struct State {
    pub(super) jobs: VecDeque<Job>,
    pub(super) threads: usize,
    /// Threads that run jobs.
    pub(super) busy: usize,
    /// The threads that have not been joined, and those of them that have left.
    pub(super) handles: Vec<JoinHandle<()>>,
    pub(super) gone: Vec<ThreadId>,
    pub(super) closed: bool,
    /// Threads without a task; the last one used is the first to be used again.
    pub(super) idle: Vec<Arc<Seat>>,
    pub(super) watch: Option<Arc<Seat>>,
    /// A thread is being started that will keep watch.
    pub(super) watch_begins: bool,
    pub(super) lead: Lead,
    /// A successor is on its way to the GIL.
    pub(super) successor: bool,
    /// The threads that take jobs, with their numbers, in the order in which they began to.
    pub(super) runners: Vec<(u64, Arc<Seat>)>,
    last_runner: u64,
    /// Jobs that were begun, and when the last one or its runner was.
    pub(super) begun: u64,
    pub(super) begun_at: Instant,
    /// How many more jobs are succeeded without waiting for the watch.
    pub(super) eager: u32,
    pub(super) full: bool,
    /// The queue is looked at again in a moment, for want of threads.
    pub(super) looks_again: bool,
}

/// A thread's place in the pool.
pub(super) struct Seat {
    pub(super) thread: Thread,
    pub(super) task: AtomicU8,
    /// The system's account of the thread, where there is one.
    account: Option<PathBuf>,
}

pub(super) const IDLE: u8 = 0;
pub(super) const WATCH: u8 = 1;
pub(super) const SUCCEED: u8 = 2;
pub(super) const LEAD: u8 = 3;

impl State {
    pub(super) fn new() -> Self {
        Self {
            jobs: VecDeque::new(),
            threads: 0,
            busy: 0,
            handles: Vec::new(),
            gone: Vec::new(),
            closed: false,
            idle: Vec::new(),
            watch: None,
            watch_begins: false,
            lead: Lead::new(),
            successor: false,
            runners: Vec::new(),
            last_runner: 0,
            begun: 0,
            begun_at: Instant::now(),
            eager: 0,
            full: false,
            looks_again: false,
        }
    }

    /// Gives a thread its task.
    pub(super) fn seat(&mut self, seat: &Arc<Seat>, task: u8) {
        seat.task.store(task, Ordering::Relaxed);
        match task {
            WATCH => {
                self.watch = Some(Arc::clone(seat));
                self.watch_begins = false;
            }
            SUCCEED => self.successor = true,
            IDLE => self.idle.push(Arc::clone(seat)),
            _ => {}
        }
    }

    /// Whether a thread keeps watch, or is about to.
    pub(super) fn has_watch(&self) -> bool {
        self.watch.is_some() || self.watch_begins
    }

    /// Makes a thread idle.
    pub(super) fn retire(&mut self, seat: &Arc<Seat>) {
        self.seat(seat, IDLE);
    }

    /// Takes an idle thread out.
    pub(super) fn leave(&mut self, seat: &Arc<Seat>) {
        self.idle.retain(|other| !Arc::ptr_eq(other, seat));
        self.threads -= 1;
        self.gone.push(seat.thread.id());
    }

    /// Whether another runner is of use at once. Beside a leader that runs jobs it is not, until
    /// they turn out to be long.
    pub(super) fn has_room(&self, abreast: usize) -> bool {
        self.runners.len() < abreast && self.lead.between == 0
    }

    /// The number of a thread that begins to take jobs.
    pub(super) fn add_runner(&mut self, seat: &Arc<Seat>) -> u64 {
        self.busy += 1;
        self.begun_at = Instant::now();
        self.last_runner += 1;
        self.runners.push((self.last_runner, Arc::clone(seat)));
        self.last_runner
    }

    /// Whether the jobs are the leader's, who has nothing else to do than to drive.
    pub(super) fn leader_runs(&self) -> bool {
        self.lead.may_run()
            && self.runners.is_empty()
            && !self.successor
            && self.eager == 0
            && !self.closed
    }
}

impl Seat {
    pub(super) fn of_this_thread() -> Self {
        let account = fs::read_link("/proc/thread-self");
        Self {
            thread: thread::current(),
            task: AtomicU8::new(IDLE),
            account: account.ok().map(|link| Path::new("/proc").join(link).join("stat")),
        }
    }

    /// Whether the thread waits for something else than a CPU, as far as that can be known.
    pub(super) fn sleeps(&self) -> bool {
        let Some(account) = &self.account else { return true };
        // Without a descriptor to spare it counts as busy; what is long is found all the same.
        let Ok(stat) = fs::read(account) else { return false };
        // The state follows the name, which is in parentheses and may contain any of them.
        let name_end = stat.iter().rposition(|&byte| byte == b')');
        name_end.and_then(|end| stat.get(end + 2)) != Some(&b'R')
    }
}

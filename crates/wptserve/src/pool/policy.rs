//! Who does what next: the pool's decisions, by themselves.
//!
//! This knows no thread and no Python. A thread is a [`Member`] with a [`Role`]; whatever happens to
//! it is a call of a method here, and what is to be done about it are the [`Orders`] that the method
//! returns. The clock is the caller's.

use std::{
    collections::VecDeque,
    time::{Duration, Instant},
};

/// A thread of the pool, by its number.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Member(usize);

impl Member {
    /// The number: small, and given to another thread once this one has left.
    pub(crate) fn index(self) -> usize {
        self.0
    }
}

/// What a thread of the pool is there for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Role {
    /// It waits to be woken.
    Idle,
    /// It looks whether the others get on.
    Watch,
    /// It is on its way to the GIL, and runs jobs once it has it.
    Successor,
    /// It drives the connections, and may run jobs between two turns.
    Leader,
    /// It runs jobs, or ends its last one.
    Runner,
    /// It has left the pool, or was never begun.
    Gone,
}

/// What is to be done, once the policy can be asked by others again.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[must_use]
pub(crate) struct Orders {
    /// Wake this thread: its role is another one.
    pub(crate) wake: Option<Member>,
    /// Start this thread, and say so if that [fails](Policy::not_started).
    pub(crate) start: Option<Member>,
    /// End the leader's turn, once the thread that is started has been.
    pub(crate) end_turn: bool,
    /// Report that jobs wait because the pool has all the threads that it may have.
    pub(crate) report_full: bool,
}

/// What a runner does next.
#[derive(Debug)]
pub(crate) enum Next<J> {
    /// It runs this job.
    Run {
        job: J,
        orders: Orders,
        /// Wake those who wait for finished jobs first.
        flush: bool,
    },
    /// It has nothing more to run.
    Stop {
        /// Wake those who wait for finished jobs.
        flush: bool,
    },
}

/// What becomes of the queue where the system has no thread for it.
#[derive(Debug)]
pub(crate) enum Shortfall<J> {
    Nothing,
    /// A runner gets on with the jobs: [look again](Policy::look_again) after this time.
    LookAgain(Duration),
    /// Nobody comes to these jobs.
    Refuse(VecDeque<J>),
}

/// What the thread on watch does next.
#[derive(Debug)]
pub(crate) enum Look {
    /// It finds out whether all of these are asleep, and [says so](Policy::observed).
    Observe(Vec<Member>),
    /// It goes on so.
    Done(Tick),
}

/// How the thread on watch goes on.
#[derive(Debug)]
pub(crate) enum Tick {
    /// It looks again after this time.
    Wait(Duration),
    /// It has another role.
    Relieved(Orders),
}

/// What the thread on watch has seen.
#[derive(Debug, Default)]
pub(crate) struct Watch {
    /// How many jobs had begun at the last tick.
    begun: Option<u64>,
    /// Ticks since the last job was begun.
    still: u32,
    /// Ticks without a job to run.
    quiet: u32,
    /// Since when the leader had run jobs at the last tick.
    between: Option<Instant>,
}

/// The decisions of a pool whose jobs are `J`.
#[derive(Debug)]
pub(crate) struct Policy<J> {
    max_threads: usize,
    max_runners: usize,
    jobs: VecDeque<J>,
    roles: Vec<Role>,
    /// Threads without anything to do; the last one used is the first to be used again.
    idle: Vec<Member>,
    watch: Option<Member>,
    successor: Option<Member>,
    /// Those that take jobs, in the order in which they began to.
    runners: Vec<Member>,
    lead: Option<Lead>,
    /// How many jobs were begun, and when the last one or its runner was.
    begun: u64,
    begun_at: Instant,
    /// How many more jobs are succeeded without waiting for the watch.
    eager: u32,
    is_full: bool,
    /// The queue is looked at again in a moment, for want of threads.
    looks_again: bool,
    is_closed: bool,
}

/// The leader's part, where the pool drives connections.
#[derive(Debug)]
struct Lead {
    /// Who runs jobs between two turns, and since when.
    between: Option<(Member, Instant)>,
    /// The leader stays apart until then: it does nothing but drive.
    apart_until: Instant,
    /// How many times in a row the jobs after a turn were long.
    long: u32,
}

impl<J> Policy<J> {
    /// A pool of at most `max_threads`, of which at most `max_runners` take jobs at a time.
    pub(crate) fn new(max_threads: usize, max_runners: usize, now: Instant) -> Self {
        Self {
            max_threads,
            max_runners,
            jobs: VecDeque::new(),
            roles: Vec::new(),
            idle: Vec::new(),
            watch: None,
            successor: None,
            runners: Vec::new(),
            lead: None,
            begun: 0,
            begun_at: now,
            eager: 0,
            is_full: false,
            looks_again: false,
            is_closed: false,
        }
    }

    /// What a thread is there for.
    pub(crate) fn role(&self, member: Member) -> Role {
        self.roles[member.0]
    }

    /// Has a thread drive connections from now on. `None` when there is none for that.
    pub(crate) fn begin_driving(&mut self, now: Instant) -> Option<Orders> {
        let orders = self.assign(Role::Leader);
        if orders.report_full || (orders.wake.is_none() && orders.start.is_none()) {
            return None;
        }
        self.lead = Some(Lead { between: None, apart_until: now, long: 0 });
        Some(orders)
    }

    /// Queues a job, and says how many there are; gives it back once the pool is closed.
    pub(crate) fn submit(&mut self, job: J) -> Result<usize, J> {
        if self.is_closed {
            return Err(job);
        }
        self.jobs.push_back(job);
        Ok(self.jobs.len())
    }

    /// So many jobs wait that a thread other than the leader is worth waking for them.
    pub(crate) fn batch(&mut self, now: Instant) -> Orders {
        if self.leader_runs(now) { Orders::default() } else { self.ensure_runner(now) }
    }

    /// No more jobs come for now: those that wait are to be begun.
    pub(crate) fn flush(&mut self, now: Instant) -> Orders {
        if self.jobs.is_empty() {
            return Orders::default();
        }
        if !self.leader_runs(now) {
            return self.ensure_runner(now);
        }
        let mut orders = Orders::default();
        if self.watch.is_none() {
            orders = self.assign(Role::Watch);
            if self.watch.is_none() {
                return orders;
            }
        }
        orders.end_turn = true;
        orders
    }

    /// The system has no thread for a member that was to be started.
    pub(crate) fn not_started(&mut self, member: Member, now: Instant) -> Shortfall<J> {
        match self.role(member) {
            Role::Watch => self.watch = None,
            Role::Successor => self.successor = None,
            Role::Leader => self.lead = None,
            Role::Idle | Role::Runner | Role::Gone => {}
        }
        self.roles[member.0] = Role::Gone;
        let gets_on =
            !self.runners.is_empty() && now.saturating_duration_since(self.begun_at) <= MAX_WAIT;
        if gets_on && self.lead.is_some() {
            if std::mem::replace(&mut self.looks_again, true) {
                Shortfall::Nothing
            } else {
                Shortfall::LookAgain(2 * MAX_WAIT)
            }
        } else {
            Shortfall::Refuse(std::mem::take(&mut self.jobs))
        }
    }

    /// Looks again at a queue that had no thread.
    pub(crate) fn look_again(&mut self, now: Instant) -> Orders {
        self.looks_again = false;
        self.flush(now)
    }

    /// The leader's turn is over. Whether it is to run the jobs that have come up.
    pub(crate) fn turn_ended(&mut self, leader: Member, now: Instant) -> bool {
        if self.jobs.is_empty() || !self.leader_runs(now) {
            return false;
        }
        self.add_runner(leader, now);
        if let Some(lead) = &mut self.lead {
            lead.between = Some((leader, now));
        }
        true
    }

    /// There are no more connections to drive.
    pub(crate) fn driving_ended(&mut self, leader: Member) {
        self.lead = None;
        self.give(leader, Role::Idle);
    }

    /// The successor has the GIL. Whether it runs jobs.
    pub(crate) fn succeed(&mut self, member: Member, now: Instant) -> bool {
        self.successor = None;
        if self.jobs.is_empty() {
            self.give(member, Role::Idle);
            return false;
        }
        if self.runners.len() >= self.max_runners {
            self.runners.remove(0);
            self.eager = EAGER;
        }
        self.give(member, Role::Runner);
        self.add_runner(member, now);
        true
    }

    /// A runner has no job.
    pub(crate) fn next(&mut self, runner: Member, now: Instant) -> Next<J> {
        // What the leader has finished it sends itself, in its next turn.
        let leads = self.is_between(runner);
        let job = if self.runners.contains(&runner) { self.jobs.pop_front() } else { None };
        let Some(job) = job else {
            self.runners.retain(|other| *other != runner);
            return Next::Stop { flush: !leads };
        };
        self.begun += 1;
        self.begun_at = now;
        self.eager = self.eager.saturating_sub(1);
        // This job may block. Then the watch wakes those whose responses are finished.
        let flush = !leads && (self.watch.is_none() || self.begun.is_multiple_of(MAX_BATCH as u64));
        Next::Run { job, orders: self.ensure_runner(now), flush }
    }

    /// A runner that was told to stop has done so, after so many jobs.
    pub(crate) fn stopped(
        &mut self,
        runner: Member,
        jobs: u32,
        took: Duration,
        now: Instant,
    ) -> Orders {
        match &mut self.lead {
            Some(lead) if lead.between.is_some_and(|(leader, _)| leader == runner) => {
                lead.ran(jobs, took, now);
            }
            _ => self.give(runner, Role::Idle),
        }
        // Jobs may have waited for a thread.
        self.ensure_runner(now)
    }

    /// The thread on watch looks.
    pub(crate) fn tick(&mut self, member: Member, watch: &mut Watch, now: Instant) -> Look {
        if self.role(member) != Role::Watch {
            return Look::Done(Tick::Relieved(Orders::default()));
        }
        watch.still = if watch.begun == Some(self.begun) { watch.still + 1 } else { 0 };
        watch.begun = Some(self.begun);
        watch.between = self.between_since();
        let is_idle = self.jobs.is_empty() && watch.between.is_none();
        watch.quiet = if is_idle && watch.still > 0 { watch.quiet + 1 } else { 0 };
        if self.is_closed || watch.quiet > WATCH_LIFE {
            self.watch = None;
            self.give(member, Role::Idle);
            return Look::Done(Tick::Relieved(Orders::default()));
        }
        if is_idle || self.successor.is_some() || self.leader_runs(now) {
            return Look::Done(Tick::Wait(self.tick_length(now)));
        }
        let is_late = |since: Instant| now.saturating_duration_since(since) > MAX_WAIT;
        let is_blocked = watch.between.is_some_and(is_late) || is_late(self.begun_at);
        if !is_blocked && watch.still.is_power_of_two() {
            return Look::Observe(self.runners.clone());
        }
        Look::Done(self.relieve(member, watch, is_blocked, now))
    }

    /// The thread on watch has found out whether all runners are asleep.
    pub(crate) fn observed(
        &mut self,
        member: Member,
        watch: &Watch,
        are_asleep: bool,
        now: Instant,
    ) -> Tick {
        if self.role(member) != Role::Watch {
            return Tick::Relieved(Orders::default());
        }
        // They may have gone on in the meantime.
        let is_same = Some(self.begun) == watch.begun && self.between_since() == watch.between;
        self.relieve(member, watch, are_asleep && is_same, now)
    }

    /// Has the thread on watch take the place of whoever is in the way.
    fn relieve(&mut self, member: Member, watch: &Watch, is_blocked: bool, now: Instant) -> Tick {
        let between = self.lead.as_ref().and_then(|lead| lead.between);
        let helps = (1..self.max_runners).contains(&self.runners.len());
        if is_blocked && let Some((leader, _)) = between {
            if watch.still > 0 {
                self.runners.retain(|runner| *runner != leader);
            }
            self.give(leader, Role::Runner);
            self.watch = None;
            self.give(member, Role::Leader);
            if let Some(lead) = &mut self.lead {
                lead.replace(now);
            }
            Tick::Relieved(self.ensure_runner(now))
        } else if (is_blocked || helps) && !self.jobs.is_empty() && self.successor.is_none() {
            self.watch = None;
            // The leader may block yet, and then somebody has to take its place.
            let orders =
                if between.is_some() { self.assign(Role::Watch) } else { Orders::default() };
            if between.is_some() && self.watch.is_none() {
                self.give(member, Role::Watch);
                return Tick::Wait(self.tick_length(now));
            }
            self.give(member, Role::Successor);
            Tick::Relieved(orders)
        } else {
            Tick::Wait(self.tick_length(now))
        }
    }

    /// Takes a thread that has long been idle out of the pool, unless it is one of the last.
    pub(crate) fn leave_idle(&mut self, member: Member) -> bool {
        self.idle.len() > MIN_IDLE && self.leave(member)
    }

    /// Takes an idle thread out of a closed pool.
    pub(crate) fn leave_closed(&mut self, member: Member) -> bool {
        self.is_closed && self.leave(member)
    }

    fn leave(&mut self, member: Member) -> bool {
        if self.role(member) != Role::Idle {
            return false;
        }
        self.idle.retain(|other| *other != member);
        self.roles[member.0] = Role::Gone;
        true
    }

    /// Takes no more jobs. Returns those that wait, and whom to wake so that they leave.
    pub(crate) fn close(&mut self) -> (VecDeque<J>, Vec<Member>) {
        self.is_closed = true;
        let sleepers = self.idle.iter().chain(&self.watch).copied().collect();
        (std::mem::take(&mut self.jobs), sleepers)
    }

    /// Whether all have left but those that run a job.
    pub(crate) fn only_runners_are_left(&self) -> bool {
        let mut members = (0..self.roles.len()).map(Member);
        members.all(|member| match self.role(member) {
            Role::Gone | Role::Runner => true,
            Role::Leader => self.is_between(member),
            Role::Idle | Role::Watch | Role::Successor => false,
        })
    }

    /// Whether the leader runs jobs now.
    pub(crate) fn is_between_turns(&self) -> bool {
        self.between_since().is_some()
    }

    fn is_between(&self, member: Member) -> bool {
        let between = self.lead.as_ref().and_then(|lead| lead.between);
        between.is_some_and(|(leader, _)| leader == member)
    }

    fn between_since(&self) -> Option<Instant> {
        Some(self.lead.as_ref()?.between?.1)
    }

    /// Whether the jobs are the leader's, who has nothing else to do than to drive.
    fn leader_runs(&self, now: Instant) -> bool {
        self.lead.as_ref().is_some_and(|lead| now >= lead.apart_until)
            && self.runners.is_empty()
            && self.successor.is_none()
            && self.eager == 0
            && !self.is_closed
    }

    /// Where the leader runs short jobs, there is less to look for.
    fn tick_length(&self, now: Instant) -> Duration {
        let runs = self.lead.as_ref().is_some_and(|lead| now >= lead.apart_until);
        if runs { LONG_TICK } else { TICK }
    }

    /// Sees to it that somebody takes the next job, whatever the runners do.
    fn ensure_runner(&mut self, now: Instant) -> Orders {
        if self.successor.is_some() || self.jobs.is_empty() || self.is_closed {
            return Orders::default();
        }
        // Beside a leader that runs jobs another runner is of no use, until they turn out to be long.
        let has_room = self.runners.len() < self.max_runners && !self.is_between_turns();
        let is_late = now.saturating_duration_since(self.begun_at) > MAX_WAIT;
        if has_room || self.eager > 0 || is_late {
            self.assign(Role::Successor)
        } else if self.watch.is_none() {
            self.assign(Role::Watch)
        } else {
            Orders::default()
        }
    }

    /// Gives a role to an idle thread, to the one on watch, or to a new one.
    fn assign(&mut self, role: Role) -> Orders {
        let mut orders = Orders::default();
        // A leader that runs jobs is not left without a watch.
        let spare = if self.is_between_turns() { &mut None } else { &mut self.watch };
        if let Some(member) = self.idle.pop().or_else(|| spare.take()) {
            self.give(member, role);
            orders.wake = Some(member);
        } else if let Some(member) = self.vacant() {
            self.is_full = false;
            self.give(member, role);
            orders.start = Some(member);
        } else {
            orders.report_full = !std::mem::replace(&mut self.is_full, true);
        }
        orders
    }

    /// A number for a thread that is to be started.
    fn vacant(&mut self) -> Option<Member> {
        let vacant = self.roles.iter().position(|role| *role == Role::Gone);
        let index = vacant.unwrap_or(self.roles.len());
        if index == self.max_threads {
            return None;
        }
        if index == self.roles.len() {
            self.roles.push(Role::Gone);
        }
        Some(Member(index))
    }

    fn give(&mut self, member: Member, role: Role) {
        self.roles[member.0] = role;
        match role {
            Role::Watch => self.watch = Some(member),
            Role::Successor => self.successor = Some(member),
            Role::Idle => self.idle.push(member),
            Role::Leader | Role::Runner | Role::Gone => {}
        }
    }

    fn add_runner(&mut self, member: Member, now: Instant) {
        self.begun_at = now;
        self.runners.push(member);
    }
}

impl Lead {
    /// Another thread drives from now on: the connections have waited long enough.
    fn replace(&mut self, now: Instant) {
        self.between = None;
        self.apart_until = now + APART;
    }

    /// The leader has run the jobs of a turn, and drives again.
    fn ran(&mut self, jobs: u32, took: Duration, now: Instant) {
        self.between = None;
        // With a single job, being apart gains nothing: nobody else has a request.
        self.long = if jobs > 1 && took > SHORT * jobs { self.long + 1 } else { 0 };
        // Once may be the system's doing, which gave the CPU to others.
        if self.long == MAX_LONG {
            self.long = 0;
            self.apart_until = now + APART;
        }
    }
}

/// How many jobs, or finished responses, wait at most for others before somebody is woken.
pub(crate) const MAX_BATCH: usize = 16;
/// How often the watch looks, and how long a job may last before it counts as blocked.
pub(crate) const TICK: Duration = Duration::from_micros(200);
/// The same where the leader runs short jobs.
const LONG_TICK: Duration = Duration::from_micros(600);
/// A job that has lasted longer is not waited for, even if it is busy.
const MAX_WAIT: Duration = Duration::from_millis(5);
/// How many ticks without a job the watch lasts.
const WATCH_LIFE: u32 = 100;
/// How many jobs are succeeded at once after one was found blocked.
const EAGER: u32 = 32;
/// How many idle threads are kept.
const MIN_IDLE: usize = 4;
/// How long the leader only drives after it was kept from that, or found jobs that are not short.
const APART: Duration = Duration::from_millis(250);
/// The longest time a short job takes.
const SHORT: Duration = Duration::from_micros(20);
/// After so many turns in a row with jobs that are not short the leader stays apart.
const MAX_LONG: u32 = 4;

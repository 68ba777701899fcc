//! The pool's policy, driven by a model of threads, jobs, a GIL and a clock.
//!
//! The policy stands by itself here, which also shows that it needs neither threads nor Python.

#[expect(dead_code, reason = "the pool uses all of it")]
#[path = "../src/pool/policy.rs"]
mod policy;

use std::{
    collections::VecDeque,
    time::{Duration, Instant},
};

use policy::{Look, MAX_BATCH, Member, Next, Orders, Policy, Role, Shortfall, TICK, Tick, Watch};
use proptest::prelude::*;

/// What a job does once it runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    Short,
    /// Keeps the GIL for some time.
    Busy(Duration),
    /// Lets the GIL go, and waits until it is released.
    Blocks,
}

/// What happens to the pool.
#[derive(Clone, Debug)]
enum Event {
    Submit(Kind),
    /// Jobs that come one behind the other, and are begun together.
    Burst(Vec<Kind>),
    Flush,
    Pass(Duration),
    /// One thread goes on, if it can.
    Step(usize),
    /// One of the jobs that block goes on.
    Release(usize),
}

/// What a thread does at the moment.
#[derive(Debug)]
enum Doing {
    /// It has been started, or woken, and is about to ask for its role.
    Asks,
    Parked,
    Watches {
        watch: Watch,
        until: Instant,
    },
    Drives,
    /// It wants the GIL, to become the runner or to run the jobs of a turn.
    WantsGil {
        succeeds: bool,
    },
    /// It has the GIL, and asks for a job.
    TakesJob,
    Runs {
        job: usize,
        until: Instant,
    },
    /// Without the GIL.
    Blocked(usize),
    /// It was released, and wants the GIL back.
    WantsGilBack(usize),
}

struct Thread {
    member: Member,
    doing: Doing,
    /// Since when it has run jobs, and how many.
    running: Option<(Instant, u32)>,
}

struct Model {
    policy: Policy<usize>,
    threads: Vec<Option<Thread>>,
    /// Which of them were woken. A thread may wake itself.
    woken: Vec<bool>,
    now: Instant,
    /// Who has the GIL, of each that there is.
    gils: Vec<Option<usize>>,
    kinds: Vec<Kind>,
    begun: Vec<usize>,
    finished: Vec<usize>,
    released: Vec<bool>,
    turn_ends: bool,
    is_full: bool,
    /// How many starts of a thread fail, from here on.
    refused_starts: usize,
    /// Jobs that no thread came to.
    refused: Vec<usize>,
    looks_again: Option<Instant>,
}

impl Model {
    fn new(max_threads: usize, gils: usize, drives: bool) -> Self {
        let now = Instant::now();
        let mut model = Self {
            policy: Policy::new(max_threads, gils, now),
            threads: Vec::new(),
            woken: Vec::new(),
            now,
            gils: vec![None; gils],
            kinds: Vec::new(),
            begun: Vec::new(),
            finished: Vec::new(),
            released: Vec::new(),
            turn_ends: false,
            is_full: false,
            refused_starts: 0,
            refused: Vec::new(),
            looks_again: None,
        };
        if drives {
            let orders = model.policy.begin_driving(now).expect("there is room for a leader");
            model.carry_out(orders);
        }
        model
    }

    fn happens(&mut self, event: &Event) {
        match event {
            Event::Submit(kind) => self.submit(*kind),
            Event::Burst(kinds) => {
                for kind in kinds {
                    self.submit(*kind);
                }
                self.flush();
            }
            Event::Flush => self.flush(),
            Event::Pass(time) => self.now += *time,
            Event::Step(number) => {
                if !self.threads.is_empty() {
                    self.step(number % self.threads.len());
                }
            }
            Event::Release(number) => {
                if !self.released.is_empty() {
                    let job = number % self.released.len();
                    self.released[job] = true;
                }
            }
        }
        self.check();
    }

    fn submit(&mut self, kind: Kind) {
        let job = self.kinds.len();
        self.kinds.push(kind);
        self.released.push(false);
        let queued = self.policy.submit(job).expect("the pool is not closed");
        if queued >= MAX_BATCH {
            let orders = self.policy.batch(self.now);
            self.carry_out(orders);
        }
    }

    fn flush(&mut self) {
        let orders = self.policy.flush(self.now);
        self.carry_out(orders);
    }

    fn carry_out(&mut self, orders: Orders) {
        let Orders { wake, start, end_turn, report_full } = orders;
        self.is_full |= report_full;
        if let Some(member) = wake {
            self.woken[member.index()] = true;
        }
        if let Some(member) = start {
            if self.refused_starts > 0 {
                self.refused_starts -= 1;
                match self.policy.not_started(member, self.now) {
                    Shortfall::Refuse(jobs) => self.refused.extend(jobs),
                    Shortfall::LookAgain(time) => self.looks_again = Some(self.now + time),
                    Shortfall::Nothing => {}
                }
            } else {
                let index = member.index();
                if self.threads.len() <= index {
                    self.threads.resize_with(index + 1, || None);
                    self.woken.resize(index + 1, false);
                }
                assert!(self.threads[index].is_none(), "a number is given to two threads");
                self.threads[index] = Some(Thread { member, doing: Doing::Asks, running: None });
                self.woken[index] = false;
            }
        }
        self.turn_ends |= end_turn;
    }

    /// A thread goes on as far as it can without waiting. Whether it did anything.
    fn step(&mut self, index: usize) -> bool {
        let Some(mut thread) = self.threads[index].take() else { return false };
        let member = thread.member;
        let is_woken = std::mem::take(&mut self.woken[index]);
        let (doing, goes_on) = match thread.doing {
            Doing::Parked if is_woken => (Doing::Asks, true),
            Doing::Parked => (Doing::Parked, false),
            Doing::Asks => match self.policy.role(member) {
                Role::Successor => (Doing::WantsGil { succeeds: true }, true),
                Role::Leader => (Doing::Drives, true),
                Role::Watch => {
                    (Doing::Watches { watch: Watch::default(), until: self.now + TICK }, true)
                }
                Role::Idle if self.policy.leave_closed(member) => return true,
                Role::Idle => (Doing::Parked, false),
                role @ (Role::Runner | Role::Gone) => panic!("{role:?} asks for its role"),
            },
            Doing::Watches { watch, until } if is_woken || self.now >= until => {
                (self.look(member, watch), true)
            }
            watches @ Doing::Watches { .. } => (watches, false),
            Doing::Drives if self.turn_ends => {
                self.turn_ends = false;
                if self.policy.turn_ended(member, self.now) {
                    (Doing::WantsGil { succeeds: false }, true)
                } else {
                    (Doing::Drives, true)
                }
            }
            Doing::Drives => (Doing::Drives, false),
            Doing::WantsGil { succeeds } if self.take_gil(index) => {
                let runs = !succeeds || self.policy.succeed(member, self.now);
                thread.running = Some((self.now, 0));
                if runs {
                    (Doing::TakesJob, true)
                } else {
                    self.let_gil_go(index);
                    (Doing::Asks, true)
                }
            }
            Doing::TakesJob => (self.take_job(member, &mut thread), true),
            Doing::Runs { job, until } if self.now >= until => {
                self.finished.push(job);
                (Doing::TakesJob, true)
            }
            Doing::Blocked(job) if self.released[job] => (Doing::WantsGilBack(job), true),
            Doing::WantsGilBack(job) if self.take_gil(index) => {
                self.finished.push(job);
                (Doing::TakesJob, true)
            }
            waits => (waits, false),
        };
        thread.doing = doing;
        self.threads[index] = Some(thread);
        goes_on
    }

    fn look(&mut self, member: Member, mut watch: Watch) -> Doing {
        let tick = match self.policy.tick(member, &mut watch, self.now) {
            Look::Done(tick) => tick,
            Look::Observe(runners) => {
                let are_asleep = runners.iter().all(|runner| self.sleeps(*runner));
                self.policy.observed(member, &watch, are_asleep, self.now)
            }
        };
        match tick {
            Tick::Wait(time) => Doing::Watches { watch, until: self.now + time },
            Tick::Relieved(orders) => {
                self.carry_out(orders);
                Doing::Asks
            }
        }
    }

    fn sleeps(&self, runner: Member) -> bool {
        let thread = self.threads[runner.index()].as_ref();
        !thread.is_some_and(|thread| matches!(thread.doing, Doing::Runs { .. } | Doing::TakesJob))
    }

    fn take_job(&mut self, member: Member, thread: &mut Thread) -> Doing {
        match self.policy.next(member, self.now) {
            Next::Run { job, orders, .. } => {
                self.carry_out(orders);
                self.begun.push(job);
                if let Some((_, jobs)) = &mut thread.running {
                    *jobs += 1;
                }
                match self.kinds[job] {
                    Kind::Short => Doing::Runs { job, until: self.now },
                    Kind::Busy(time) => Doing::Runs { job, until: self.now + time },
                    Kind::Blocks => {
                        self.let_gil_go(member.index());
                        Doing::Blocked(job)
                    }
                }
            }
            Next::Stop { .. } => {
                self.let_gil_go(member.index());
                let (since, jobs) = thread.running.take().expect("it ran");
                let orders = self.policy.stopped(member, jobs, self.now - since, self.now);
                self.carry_out(orders);
                Doing::Asks
            }
        }
    }

    fn take_gil(&mut self, index: usize) -> bool {
        let free = self.gils.iter_mut().find(|owner| owner.is_none());
        free.map(|owner| *owner = Some(index)).is_some()
    }

    fn let_gil_go(&mut self, index: usize) {
        let mine = self.gils.iter_mut().find(|owner| **owner == Some(index));
        *mine.expect("the thread has the GIL") = None;
    }

    /// Lets everybody go on, and time pass, until nothing more happens.
    fn settle(&mut self) {
        for _ in 0..100_000 {
            let mut goes_on = false;
            for index in 0..self.threads.len() {
                goes_on |= self.step(index);
                self.check();
            }
            if self.looks_again.is_some_and(|time| time <= self.now) {
                self.looks_again = None;
                let orders = self.policy.look_again(self.now);
                self.carry_out(orders);
                goes_on = true;
            }
            if !goes_on {
                let Some(next) = self.next_deadline() else { return };
                self.now = self.now.max(next);
            }
        }
        panic!("it never ends");
    }

    /// When a thread goes on by itself.
    fn next_deadline(&self) -> Option<Instant> {
        let deadlines = self.threads.iter().flatten().filter_map(|thread| match thread.doing {
            Doing::Watches { until, .. } | Doing::Runs { until, .. } => Some(until),
            _ => None,
        });
        deadlines.chain(self.looks_again).min()
    }

    /// What holds at any time.
    fn check(&self) {
        let members = || self.threads.iter().flatten().map(|thread| thread.member);
        let has = |role| members().filter(|member| self.policy.role(*member) == role).count();
        assert!(has(Role::Watch) <= 1, "several threads keep watch");
        assert!(has(Role::Leader) <= 1, "several threads drive");
        assert!(has(Role::Successor) <= 1, "several threads succeed");
        let runs = self
            .threads
            .iter()
            .flatten()
            .filter(|thread| matches!(thread.doing, Doing::Runs { .. } | Doing::TakesJob));
        assert!(runs.count() <= self.gils.len(), "more threads run jobs than may");
    }

    /// The jobs that were submitted, but for those that block and were not released.
    fn due(&self) -> Vec<usize> {
        let is_due = |job: &usize| self.kinds[*job] != Kind::Blocks || self.released[*job];
        (0..self.kinds.len()).filter(is_due).collect()
    }

    fn drives(&self) -> bool {
        self.threads.iter().flatten().any(|thread| matches!(thread.doing, Doing::Drives))
    }
}

fn sorted(jobs: &[usize]) -> Vec<usize> {
    let mut jobs = jobs.to_vec();
    jobs.sort_unstable();
    jobs
}

fn kinds() -> impl Strategy<Value = Kind> {
    prop_oneof![
        4 => Just(Kind::Short),
        1 => (0_u64..20_000).prop_map(|time| Kind::Busy(Duration::from_micros(time))),
        2 => Just(Kind::Blocks),
    ]
}

fn events() -> impl Strategy<Value = Vec<Event>> {
    let event = prop_oneof![
        4 => kinds().prop_map(Event::Submit),
        2 => prop::collection::vec(kinds(), 1..40).prop_map(Event::Burst),
        3 => Just(Event::Flush),
        4 => (0_u64..2_000).prop_map(|time| Event::Pass(Duration::from_micros(time))),
        1 => (0_u64..600_000).prop_map(|time| Event::Pass(Duration::from_micros(time))),
        30 => any::<usize>().prop_map(Event::Step),
        2 => any::<usize>().prop_map(Event::Release),
    ];
    prop::collection::vec(event, 0..120)
}

const MANY: usize = 8192;

proptest! {
    #![proptest_config(ProptestConfig { cases: 200, ..ProptestConfig::default() })]

    /// Also with few threads: those that run jobs come back.
    #[test]
    fn no_job_is_lost(
        events in events(),
        max_threads in 2_usize..6,
        gils in 1_usize..3,
        drives: bool,
    ) {
        let mut model = Model::new(max_threads, gils, drives);
        for event in &events {
            model.happens(event);
        }
        model.flush();
        model.released.fill(true);
        model.settle();
        prop_assert_eq!(sorted(&model.finished), (0..model.kinds.len()).collect::<Vec<_>>());
        prop_assert_eq!(&model.begun, &(0..model.kinds.len()).collect::<Vec<_>>(), "in order of arrival");
        prop_assert_eq!(model.drives(), drives);
    }

    #[test]
    fn a_blocked_job_delays_no_other_and_no_connection(
        events in events(),
        gils in 1_usize..3,
        drives: bool,
    ) {
        let mut model = Model::new(MANY, gils, drives);
        for event in &events {
            model.happens(event);
        }
        model.flush();
        model.settle();
        prop_assert!(!model.is_full);
        prop_assert_eq!(sorted(&model.finished), model.due());
        prop_assert_eq!(model.begun.len(), model.kinds.len());
        prop_assert_eq!(model.drives(), drives);
    }

    #[test]
    fn everything_ends_at_a_stop(
        events in events(),
        max_threads in 2_usize..6,
        gils in 1_usize..3,
    ) {
        let mut model = Model::new(max_threads, gils, false);
        for event in &events {
            model.happens(event);
        }
        let (dropped, sleepers) = model.policy.close();
        let begun = model.begun.len();
        prop_assert_eq!(begun + dropped.len(), model.kinds.len());
        for sleeper in sleepers {
            model.woken[sleeper.index()] = true;
        }
        prop_assert_eq!(model.policy.submit(usize::MAX), Err(usize::MAX));
        model.released.fill(true);
        model.settle();
        prop_assert_eq!(model.begun.len(), begun, "no job begins after the stop");
        prop_assert_eq!(model.finished.len(), begun);
        prop_assert!(model.threads.iter().all(Option::is_none), "a thread is left");
        prop_assert!(model.policy.only_runners_are_left());
    }

    /// Where the system has no threads, jobs are refused or wait for those that there are.
    #[test]
    fn no_job_is_lost_where_threads_are_short(
        events in events(),
        refused in 1_usize..100,
        drives: bool,
    ) {
        let mut model = Model::new(MANY, 1, drives);
        model.refused_starts = refused;
        for event in &events {
            model.happens(event);
        }
        model.flush();
        model.released.fill(true);
        model.settle();
        let mut ended = model.finished.clone();
        ended.extend(&model.refused);
        prop_assert_eq!(sorted(&ended), (0..model.kinds.len()).collect::<Vec<_>>());
    }
}

#[test]
fn a_short_request_needs_no_other_thread_than_the_leader_and_the_watch() {
    let mut model = Model::new(MANY, 1, true);
    for _ in 0..100 {
        model.happens(&Event::Burst(vec![Kind::Short; 3]));
        for _ in 0..10 {
            for index in 0..model.threads.len() {
                model.step(index);
            }
        }
    }
    assert_eq!(model.finished.len(), 300);
    assert_eq!(model.threads.len(), 2);
}

#[test]
fn a_full_pool_reports_it_once() {
    let mut model = Model::new(2, 1, false);
    model.happens(&Event::Burst(vec![Kind::Blocks; 8]));
    model.settle();
    assert!(model.is_full);
    assert_eq!(model.begun.len(), 2);
    let _waiting: VecDeque<usize> = model.policy.close().0;
}

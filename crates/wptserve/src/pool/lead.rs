//! Driving the connections, and running jobs in between.

use std::{
    sync::{Arc, MutexGuard},
    time::{Duration, Instant},
};

use server::{Driver, Turn, Turns};

use super::{
    Pool, Shared,
    state::{LEAD, Seat, State, WATCH},
};

/// Who drives the connections, and what else that thread does.
pub(super) struct Lead {
    /// The connections, where the pool drives any.
    turns: Option<Arc<Turns>>,
    /// The leader's number as a runner, between two turns; 0 while it drives.
    pub(super) between: u64,
    /// The leader stays apart until then.
    apart_until: Instant,
    /// So many times in a row the jobs after a turn were long.
    long: u32,
}

impl Driver for Pool {
    fn begin(&self, turns: Arc<Turns>) -> bool {
        let mut state = self.shared.lock();
        state.lead.turns = Some(turns);
        let begun = self.shared.assign(state, LEAD);
        if !begun {
            self.shared.lock().lead = Lead::new();
        }
        begun
    }
}

impl Lead {
    pub(super) fn new() -> Self {
        Self { turns: None, between: 0, apart_until: Instant::now(), long: 0 }
    }

    /// The connections, while they are driven.
    pub(super) fn turns(&self) -> Option<Arc<Turns>> {
        self.turns.clone()
    }

    /// Whether the leader runs jobs, as far as it depends on itself.
    pub(super) fn may_run(&self) -> bool {
        self.turns.is_some() && Instant::now() >= self.apart_until
    }

    /// Another thread drives from now on: the connections have waited long enough.
    pub(super) fn replace(&mut self) {
        self.between = 0;
        self.apart_until = Instant::now() + APART;
    }

    /// The leader has run the jobs of a turn, and drives again.
    pub(super) fn ran(&mut self, jobs: u32, took: Duration) {
        self.between = 0;
        // Of one job there is no use in being apart: nobody else has a request.
        self.long = if jobs > 1 && took > SHORT * jobs { self.long + 1 } else { 0 };
        // Once may be the system's doing, which gave the CPU to others.
        if self.long == LONG {
            self.long = 0;
            self.apart_until = Instant::now() + APART;
        }
    }
}

impl Shared {
    /// Ends the leader's turn, so that it runs the queued jobs; with a watch beside it.
    pub(super) fn pause(self: &Arc<Self>, state: MutexGuard<'_, State>) {
        let Some(turns) = state.lead.turns.clone() else { return };
        if state.has_watch() || self.assign(state, WATCH) {
            turns.pause();
        } else {
            self.see_to_queue(self.lock());
        }
    }

    /// Drives the connections for a turn. Returns the thread's number when it is to run the jobs
    /// that have come up.
    pub(super) fn lead(&self, seat: &Arc<Seat>) -> Option<u64> {
        let turns = self.lock().lead.turns.clone();
        let turn = turns.map_or(Turn::Ended, |turns| turns.take());
        let mut state = self.lock();
        if turn == Turn::Ended {
            state.lead = Lead::new();
            state.retire(seat);
            return None;
        }
        if state.jobs.is_empty() || !state.leader_runs() {
            return None;
        }
        let number = state.add_runner(seat);
        state.lead.between = number;
        Some(number)
    }
}

/// How long the leader only drives after it was kept from that, or found jobs that are not short.
const APART: Duration = Duration::from_millis(250);
/// What a short job takes at most.
const SHORT: Duration = Duration::from_micros(20);
/// So many turns in a row leave jobs that are not short before the leader stays apart.
const LONG: u32 = 4;

//! The thread that looks whether the others get on.

use std::{
    sync::{Arc, atomic::Ordering},
    thread,
    time::{Duration, Instant},
};

use super::{
    LONGEST, Shared, TICK,
    state::{LEAD, SUCCEED, Seat, WATCH},
};

impl Shared {
    /// Looks every tick whether the leader comes back to the connections and the queue moves, and
    /// takes the place of whoever is in the way. Returns when the task has changed.
    pub(super) fn watch(self: &Arc<Self>, seat: &Arc<Seat>) {
        let mut begun = u64::MAX;
        // Ticks since the last job was begun, and those without any to run.
        let (mut still, mut quiet) = (0u32, 0);
        // The leader's number, and since when it has run jobs under it.
        let (mut between, mut since) = (0, Instant::now());
        let mut tick = TICK;
        loop {
            thread::park_timeout(tick);
            let mut state = self.lock();
            if seat.task.load(Ordering::Relaxed) != WATCH {
                return;
            }
            still = if state.begun == begun { still + 1 } else { 0 };
            begun = state.begun;
            if state.lead.between != between {
                (between, since) = (state.lead.between, Instant::now());
            }
            if between == 0 {
                self.wakes.flush();
            }
            tick = if state.lead.may_run() { LONG_TICK } else { TICK };
            let idles = state.jobs.is_empty() && between == 0;
            quiet = if idles && still > 0 { quiet + 1 } else { 0 };
            if state.closed || quiet > WATCH_LIFE {
                state.watch = None;
                state.retire(seat);
                return;
            }
            if idles || state.successor || state.leader_runs() {
                continue;
            }
            let late = since.elapsed() > LONGEST && between != 0;
            let mut blocked = late || state.begun_at.elapsed() > LONGEST;
            if !blocked && still.is_power_of_two() {
                let runners = state.runners.clone();
                drop(state);
                // Not behind the lock: they may be asleep there.
                let asleep = runners.iter().all(|(_, runner)| runner.sleeps());
                state = self.lock();
                if seat.task.load(Ordering::Relaxed) != WATCH {
                    return;
                }
                blocked = asleep && state.begun == begun && state.lead.between == between;
            }
            let helps = (1..self.abreast).contains(&state.runners.len());
            if blocked && between != 0 {
                state.watch = None;
                if still > 0 {
                    state.runners.retain(|(number, _)| *number != between);
                }
                state.lead.replace();
                state.seat(seat, LEAD);
                self.see_to_queue(state);
                return;
            } else if (blocked || helps) && !state.jobs.is_empty() && !state.successor {
                state.watch = None;
                state.seat(seat, SUCCEED);
                return;
            }
        }
    }
}

/// Where the leader runs short jobs, there is less to look for.
const LONG_TICK: Duration = Duration::from_micros(600);
/// The watch ends after this many ticks without a job.
const WATCH_LIFE: u32 = 100;

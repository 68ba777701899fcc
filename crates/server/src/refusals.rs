//! What the system refuses: descriptors, threads, memory, an answer of the disk.

use std::{
    collections::HashMap,
    sync::{Mutex, PoisonError},
    time::{Duration, Instant},
};

use crate::event::{Event, EventSink, Level};

/// Tells what was refused, at most once a second for each part of the server: under a load every
/// request meets the same lack.
#[derive(Debug, Default)]
pub struct Refusals(Mutex<HashMap<&'static str, Told>>);

/// What a part of the server has told, and what it has not.
#[derive(Debug)]
struct Told {
    last: Instant,
    untold: u64,
}

impl Refusals {
    /// Tells that a part of the server was refused something, unless it has just told so.
    pub fn tell(&self, events: &dyn EventSink, source: &'static str, text: &str) {
        let Some(untold) = self.turn(source, Instant::now()) else { return };
        let more = match untold {
            0 => String::new(),
            _ => format!(" (and {untold} more like it since the last line)"),
        };
        let text = format!("{text}{more}");
        events.emit(&Event::Message { level: Level::Error, source, text: &text });
    }

    /// How many were not told before this one; `None` when this one is not told either.
    fn turn(&self, source: &'static str, now: Instant) -> Option<u64> {
        // Nothing panics while it holds this.
        let mut told = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        match told.get_mut(source) {
            Some(told) if now.saturating_duration_since(told.last) < INTERVAL => {
                told.untold += 1;
                None
            }
            Some(told) => {
                told.last = now;
                Some(std::mem::take(&mut told.untold))
            }
            None => {
                told.insert(source, Told { last: now, untold: 0 });
                Some(0)
            }
        }
    }
}

const INTERVAL: Duration = Duration::from_secs(1);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_a_second_is_told_and_the_next_says_how_many_were_not() {
        let (refusals, start) = (Refusals::default(), Instant::now());
        let turns = [0, 1, 999, 1000, 1001, 3000].map(|milliseconds| {
            refusals.turn("files", start + Duration::from_millis(milliseconds))
        });
        assert_eq!(turns, [Some(0), None, None, Some(2), None, Some(1)]);
        assert_eq!(refusals.turn("listener", start), Some(0));
    }
}

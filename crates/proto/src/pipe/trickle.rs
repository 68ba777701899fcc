//! What `trickle(20:d1:r2)` asks for: content in pieces, with delays between them.

use std::{ops::Range, time::Duration};

use thiserror::Error;

use crate::number::{parse_float, parse_int};

/// One step of a `trickle` argument.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum TrickleStep {
    /// `N`: sends the next N bytes, and moves on by N. Below zero it is what a Python slice makes
    /// of it.
    Bytes(i64),
    /// `dN`: waits for N seconds, finite and not below zero.
    Delay(f64),
    /// `rN`: does the N steps before it again until the content is sent. It counts only as the
    /// last step.
    Repeat(usize),
}

/// Why a text is no `trickle` argument.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
pub enum TrickleError {
    /// A step is none of the three.
    #[error("`{0}` is no step: write a number of bytes, d and seconds, or r and a number of steps")]
    BadStep(String),
    /// Steps are repeated in pairs.
    #[error("`{0}` repeats an odd number of steps")]
    OddRepeat(String),
    /// Nobody can wait for that long.
    #[error("`{0}` is no time that one can wait")]
    BadDelay(String),
    /// A step is of the same kind as the one before it, at which the reference fails.
    #[error("`{0}` follows a step of the same kind")]
    SameKind(String),
}

/// How many rounds without an effect are tried: the offset may come from before the start.
const IDLE_ROUNDS: usize = 64;

/// Python cannot sleep for more nanoseconds than 63 bits hold.
const MAX_SECONDS: f64 = 9_223_372_036.0;

/// Reads the steps, which colons separate.
pub fn parse_trickle(delays: &str) -> Result<Vec<TrickleStep>, TrickleError> {
    let mut steps = Vec::new();
    let mut last_repeat = 0;
    for text in delays.split(':') {
        let bad_step = || TrickleError::BadStep(text.to_owned());
        let step = if let Some(seconds) = text.strip_prefix('d') {
            let seconds = parse_float(seconds).ok_or_else(bad_step)?;
            if !(0.0..=MAX_SECONDS).contains(&seconds) {
                return Err(TrickleError::BadDelay(text.to_owned()));
            }
            TrickleStep::Delay(seconds)
        } else if let Some(count) = text.strip_prefix('r') {
            last_repeat = parse_int(count).ok_or_else(bad_step)?;
            if last_repeat % 2 != 0 {
                return Err(TrickleError::OddRepeat(text.to_owned()));
            }
            TrickleStep::Repeat(usize::try_from(last_repeat).unwrap_or(0))
        } else {
            TrickleStep::Bytes(parse_int(text).ok_or_else(bad_step)?)
        };
        let same_kind = |last| std::mem::discriminant(last) == std::mem::discriminant(&step);
        if steps.last().is_some_and(same_kind) {
            return Err(TrickleError::SameKind(text.to_owned()));
        }
        steps.push(step);
    }
    let steps_before = steps.len().saturating_sub(1);
    if let Some(TrickleStep::Repeat(count)) = steps.last_mut() {
        *count = repeated_steps(last_repeat, steps_before);
    }
    Ok(steps)
}

/// How many of the steps before an `rN` are done again. N counts from the end; below zero it
/// says how many steps at the start are left out, and one more.
fn repeated_steps(count: i64, steps_before: usize) -> usize {
    if let Ok(count) = usize::try_from(count) {
        return count.min(steps_before);
    }
    let left_out = usize::try_from(count.saturating_add(1).unsigned_abs());
    steps_before.saturating_sub(left_out.unwrap_or(usize::MAX))
}

/// What is to be done next for a trickled content.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum TrickleEvent {
    /// Send this part of the content, which is not empty. A part may come more than once.
    Send(Range<usize>),
    /// Wait for this long, which is more than nothing.
    Wait(Duration),
}

/// All that is to be done for a content of a known length, in order.
///
/// It may go on for ever, as the reference does for a repeat that sends nothing but waits, or
/// sends the same bytes again. But when 64 rounds in a row neither send nor wait, it is over, and
/// what is left is not sent: there the reference spins.
#[derive(Clone, Debug)]
pub struct TricklePlan {
    steps: Vec<TrickleStep>,
    length: usize,
    /// Where the next bytes are. Steps below zero move it back, even before the start. Sums of
    /// 64-bit numbers do not overflow 128 bits.
    offset: i128,
    /// The next step; past the last one when the plan is over.
    position: usize,
    /// Whether this round has neither sent nor waited so far.
    idle: bool,
    idle_rounds: usize,
}

impl TricklePlan {
    /// The plan for a content of `length` bytes.
    pub fn new(steps: Vec<TrickleStep>, length: usize) -> Self {
        Self { steps, length, offset: 0, position: 0, idle: false, idle_rounds: 0 }
    }

    fn is_unsent(&self) -> bool {
        usize::try_from(self.offset).map_or(self.offset < 0, |offset| offset < self.length)
    }

    /// The Python slice `[start:stop]` of the content.
    fn slice(&self, start: i128, stop: i128) -> Option<Range<usize>> {
        let place = |index: i128| match usize::try_from(index) {
            Ok(index) => index.min(self.length),
            Err(_) if index > 0 => self.length,
            Err(_) => {
                let from_end = usize::try_from(index.unsigned_abs()).unwrap_or(usize::MAX);
                self.length.saturating_sub(from_end)
            }
        };
        let range = place(start)..place(stop);
        (!range.is_empty()).then_some(range)
    }

    /// Does a step other than the last repeat.
    fn take(&mut self, step: TrickleStep) -> Option<TrickleEvent> {
        match step {
            TrickleStep::Bytes(count) => {
                let start = self.offset;
                self.offset += i128::from(count);
                self.slice(start, self.offset).map(TrickleEvent::Send)
            }
            TrickleStep::Delay(seconds) => {
                let delay = Duration::try_from_secs_f64(seconds).unwrap_or(Duration::MAX);
                (!delay.is_zero()).then_some(TrickleEvent::Wait(delay))
            }
            TrickleStep::Repeat(_) => None,
        }
    }

    /// Goes back by `count` steps, unless that has no effect any more.
    fn start_round(&mut self, count: usize) {
        self.idle_rounds = if self.idle { self.idle_rounds + 1 } else { 0 };
        self.idle = true;
        self.position = if self.idle_rounds == IDLE_ROUNDS {
            self.steps.len() + 1
        } else {
            self.position.saturating_sub(count)
        };
    }
}

impl Iterator for TricklePlan {
    type Item = TrickleEvent;

    fn next(&mut self) -> Option<TrickleEvent> {
        loop {
            let is_last = self.position + 1 == self.steps.len();
            match self.steps.get(self.position).copied() {
                Some(TrickleStep::Repeat(count)) if is_last && self.is_unsent() => {
                    self.start_round(count);
                }
                Some(step) => {
                    self.position += 1;
                    if let Some(event) = self.take(step) {
                        self.idle = false;
                        return Some(event);
                    }
                }
                None if self.position == self.steps.len() => {
                    self.position += 1;
                    let rest = self.length as i128;
                    let unsent =
                        if self.is_unsent() { self.slice(self.offset, rest) } else { None };
                    return unsent.map(TrickleEvent::Send);
                }
                None => return None,
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use TrickleEvent::{Send, Wait};
    use TrickleStep::{Bytes, Delay, Repeat};
    use proptest::prelude::*;

    fn plan(delays: &str, length: usize) -> TricklePlan {
        TricklePlan::new(parse_trickle(delays).unwrap(), length)
    }

    fn events(delays: &str, length: usize) -> Vec<TrickleEvent> {
        plan(delays, length).collect()
    }

    const SECOND: Duration = Duration::from_secs(1);

    #[test]
    fn the_three_kinds_of_steps() {
        assert_eq!(
            parse_trickle("d0.5:20:d 1_0:-3:r2"),
            Ok(vec![Delay(0.5), Bytes(20), Delay(10.0), Bytes(-3), Repeat(2)])
        );
    }

    #[test]
    fn a_last_repeat_counts_what_there_is() {
        assert_eq!(parse_trickle("1:d1:r8"), Ok(vec![Bytes(1), Delay(1.0), Repeat(2)]));
        assert_eq!(parse_trickle("1:d1:r0"), Ok(vec![Bytes(1), Delay(1.0), Repeat(0)]));
        assert_eq!(parse_trickle("r4"), Ok(vec![Repeat(0)]));
    }

    #[test]
    fn a_repeat_below_zero_leaves_steps_at_the_start_out() {
        let steps = vec![Delay(1.0), Bytes(2), Delay(3.0), Repeat(2)];
        assert_eq!(parse_trickle("d1:2:d3:r-2"), Ok(steps));
        let steps = vec![Delay(1.0), Bytes(2), Repeat(0)];
        assert_eq!(parse_trickle("d1:2:r-9223372036854775808"), Ok(steps));
    }

    #[test]
    fn what_is_no_step() {
        for (text, error) in [
            ("", TrickleError::BadStep(String::new())),
            ("1:", TrickleError::BadStep(String::new())),
            ("d", TrickleError::BadStep("d".to_owned())),
            ("d1:1.5", TrickleError::BadStep("1.5".to_owned())),
            ("r", TrickleError::BadStep("r".to_owned())),
            (" d1", TrickleError::BadStep(" d1".to_owned())),
            ("1:r3", TrickleError::OddRepeat("r3".to_owned())),
            ("1:r-1", TrickleError::OddRepeat("r-1".to_owned())),
            ("1:d-1", TrickleError::BadDelay("d-1".to_owned())),
            ("dinf", TrickleError::BadDelay("dinf".to_owned())),
            ("dnan", TrickleError::BadDelay("dnan".to_owned())),
            ("d1e10", TrickleError::BadDelay("d1e10".to_owned())),
        ] {
            assert_eq!(parse_trickle(text), Err(error), "{text:?}");
        }
    }

    #[test]
    fn equal_neighbours_fail_as_in_the_reference() {
        for (text, second) in [("1:2", "2"), ("d1:d2", "d2"), ("1:r2:r4", "r4")] {
            assert_eq!(parse_trickle(text), Err(TrickleError::SameKind(second.to_owned())));
        }
    }

    #[test]
    fn what_is_left_comes_last() {
        assert_eq!(events("d1", 5), [Wait(SECOND), Send(0..5)]);
        assert_eq!(events("2:d1", 5), [Send(0..2), Wait(SECOND), Send(2..5)]);
        assert_eq!(events("9:d1:9", 5), [Send(0..5), Wait(SECOND)]);
        assert_eq!(events("d0", 5), [Send(0..5)]);
        assert_eq!(events("d1", 0), [Wait(SECOND)]);
    }

    #[test]
    fn a_last_repeat_goes_on_until_all_is_sent() {
        assert_eq!(
            events("1:d2:2:d1:r2", 6),
            [
                Send(0..1),
                Wait(2 * SECOND),
                Send(1..3),
                Wait(SECOND),
                Send(3..5),
                Wait(SECOND),
                Send(5..6),
                Wait(SECOND)
            ]
        );
        assert_eq!(events("9:d1:r2", 5), [Send(0..5), Wait(SECOND)]);
    }

    #[test]
    fn a_repeat_that_is_not_last_does_nothing() {
        assert_eq!(events("1:r2:d1", 3), [Send(0..1), Wait(SECOND), Send(1..3)]);
        let endless: Vec<_> = plan("1:r2:d1:r2", 3).take(4).collect();
        assert_eq!(endless, [Send(0..1), Wait(SECOND), Wait(SECOND), Wait(SECOND)]);
    }

    #[test]
    fn counts_below_zero_are_python_slices() {
        assert_eq!(events("-2:d1", 5), [Send(0..3), Wait(SECOND), Send(3..5)]);
        assert_eq!(events("4:d1:-2", 5), [Send(0..4), Wait(SECOND), Send(2..5)]);
        assert_eq!(events("-9:d1", 5), [Wait(SECOND), Send(0..5)]);
        assert_eq!(events("9223372036854775807:d1:-9223372036854775807", 2), {
            [Send(0..2), Wait(SECOND), Send(0..2)]
        });
    }

    #[test]
    fn a_repeat_that_sends_nothing_waits_for_ever() {
        let mut plan = plan("0:d1:r2", 5);
        assert!((0..1000).all(|_| plan.next() == Some(Wait(SECOND))));
    }

    #[test]
    fn a_repeat_that_does_nothing_ends() {
        for delays in ["r0", "d1:r0", "0:d0:r2", "d1:0:d0:r2", "-5:d0:r2", "d1:2:r-8"] {
            assert!(plan(delays, 5).count() <= 2, "{delays}");
        }
    }

    fn step() -> impl Strategy<Value = TrickleStep> {
        prop_oneof![
            (-9_i64..9).prop_map(Bytes),
            (0_u8..3).prop_map(|seconds| Delay(f64::from(seconds))),
            (0_usize..3).prop_map(|pairs| Repeat(2 * pairs)),
        ]
    }

    proptest! {
        #[test]
        fn events_have_an_effect(steps in prop::collection::vec(step(), 0..6), length in 0_usize..20) {
            for event in TricklePlan::new(steps, length).take(1000) {
                match event {
                    Send(range) => prop_assert!(range.start < range.end && range.end <= length),
                    Wait(delay) => prop_assert!(!delay.is_zero()),
                }
            }
        }

        #[test]
        fn counts_above_zero_send_each_byte_once(
            counts in prop::collection::vec(1_i64..9, 1..4),
            repeats: bool,
            length in 0_usize..40,
        ) {
            let mut steps: Vec<_> =
                counts.iter().flat_map(|&count| [Bytes(count), Delay(1.0)]).collect();
            if repeats {
                steps.push(Repeat(2));
            }
            let mut sent = 0;
            for event in TricklePlan::new(steps, length) {
                if let Send(range) = event {
                    prop_assert_eq!(range.start, sent);
                    sent = range.end;
                }
            }
            prop_assert_eq!(sent, length);
        }
    }
}

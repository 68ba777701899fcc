//! When a host that has ended is started again.

use std::time::Duration;

/// The ends of the hosts with one number.
#[derive(Debug, Default)]
pub(super) struct Restarts {
    /// How many in a row have ended without having done anything.
    in_vain: u32,
}

/// What comes after an end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Restart {
    /// How long to wait.
    pub(super) delay: Duration,
    /// Whether it has been tried so often that there is little hope.
    pub(super) is_hopeless: bool,
}

impl Restarts {
    /// What to do after an end; `in_vain` when the host had done nothing.
    pub(super) fn after(&mut self, in_vain: bool) -> Restart {
        if !in_vain {
            self.in_vain = 0;
            return Restart { delay: Duration::ZERO, is_hopeless: false };
        }
        self.in_vain = self.in_vain.saturating_add(1);
        // At once, then after 0.1 s, 0.2 s, 0.4 s and so on.
        let delay = match self.in_vain {
            1 => Duration::ZERO,
            more => FIRST.saturating_mul(1 << (more - 2).min(16)).min(LONGEST),
        };
        Restart { delay, is_hopeless: self.in_vain >= TRIES }
    }
}

const FIRST: Duration = Duration::from_millis(100);
const LONGEST: Duration = Duration::from_secs(5);
/// So many times in a row, about three seconds.
const TRIES: u32 = 7;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_host_that_worked_is_replaced_at_once() {
        let mut restarts = Restarts::default();
        for _ in 0..100 {
            assert_eq!(
                restarts.after(false),
                Restart { delay: Duration::ZERO, is_hopeless: false }
            );
        }
    }

    #[test]
    fn one_that_never_works_waits_longer_each_time_until_there_is_no_hope() {
        let mut restarts = Restarts::default();
        let ends: Vec<_> = (0..200).map(|_| restarts.after(true)).collect();
        let delays: Vec<_> = ends.iter().take(8).map(|end| end.delay.as_millis()).collect();
        assert_eq!(delays, [0, 100, 200, 400, 800, 1600, 3200, 5000]);
        assert_eq!(ends.iter().position(|end| end.is_hopeless), Some(6));
        assert_eq!(ends[199].delay, LONGEST);
        assert!(!restarts.after(false).is_hopeless);
        assert!(!restarts.after(true).is_hopeless);
    }
}

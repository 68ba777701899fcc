//! Writes that wait for a client, and for how long.

use std::{
    pin::Pin,
    task::{Context, Poll},
    time::Duration,
};

use tokio::time::{Instant, Sleep, sleep};

/// Notices that a client takes nothing any more.
///
/// What was written is with the system long before the client has it. So where the system tells,
/// what the client acknowledges counts as progress too: a slow client is none that has stopped.
#[derive(Default)]
pub(crate) struct Stall {
    still: Option<Still>,
    alarm: Option<Pin<Box<Sleep>>>,
}

/// How far a write has come, and since when it has come no further.
#[derive(Clone, Copy)]
struct Still {
    written: u64,
    unacknowledged: Option<u32>,
    since: Instant,
}

impl Stall {
    /// To be called when a write waits, with how much was written so far. Ready when the client
    /// has taken nothing for `limit`, or for a quarter more.
    pub(crate) fn poll(
        &mut self,
        limit: Duration,
        written: u64,
        unacknowledged: impl Fn() -> Option<u32>,
        cx: &mut Context<'_>,
    ) -> Poll<()> {
        let now = Instant::now();
        let fresh = Still { written, unacknowledged: None, since: now };
        let still = self.still.get_or_insert(fresh);
        if still.written != written {
            *still = fresh;
        }
        let look = limit / LOOKS;
        let alarm = self.alarm.get_or_insert_with(|| Box::pin(sleep(look)));
        while alarm.as_mut().poll(cx).is_ready() {
            let left = unacknowledged();
            if still.unacknowledged.is_some() && still.unacknowledged != left {
                still.since = now;
            }
            still.unacknowledged = left;
            if now.duration_since(still.since) >= limit {
                return Poll::Ready(());
            }
            alarm.set(sleep(look));
        }
        Poll::Pending
    }
}

/// How often a client is looked at within the limit.
const LOOKS: u32 = 4;

#[cfg(test)]
mod tests {
    use std::{cell::Cell, future::poll_fn, time::Duration};

    use super::*;

    const LIMIT: Duration = Duration::from_millis(80);

    fn runtime() -> tokio::runtime::Runtime {
        tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap()
    }

    #[test]
    fn a_write_that_comes_no_further_is_over() {
        runtime().block_on(async {
            let mut stall = Stall::default();
            let begun = Instant::now();
            poll_fn(|cx| stall.poll(LIMIT, 7, || None, cx)).await;
            assert!(begun.elapsed() >= LIMIT);
        });
    }

    #[test]
    fn what_is_acknowledged_is_progress() {
        runtime().block_on(async {
            let mut stall = Stall::default();
            let left = Cell::new(10);
            let begun = Instant::now();
            let looks = || {
                left.set(left.get().max(1) - 1);
                Some(left.get())
            };
            poll_fn(|cx| stall.poll(LIMIT, 7, looks, cx)).await;
            assert_eq!(left.get(), 0);
            assert!(begun.elapsed() >= 2 * LIMIT);
        });
    }
}

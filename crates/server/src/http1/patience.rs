//! How long a connection waits for its client.

use std::{
    future::Future,
    pin::Pin,
    task::{Context, Poll},
    time::Duration,
};

use tokio::{
    sync::watch,
    time::{Instant, Sleep, sleep},
};

use crate::{
    clock,
    service::{Phase, no_more_requests},
};

/// Ends a wait when its time is up, or when the server stops. It is made once for a connection:
/// to make a timer for each wait costs more than the rest of a short request's bookkeeping.
pub(super) struct Patience {
    /// When the time is up, on the coarse clock.
    until: Duration,
    /// When the alarm goes off: then, or before. It is set anew only where it would be too late.
    rings: Duration,
    alarm: Pin<Box<Sleep>>,
    stop: Pin<Box<dyn Future<Output = ()> + Send>>,
}

impl Patience {
    pub(super) fn new(shutdown: watch::Receiver<Phase>, limit: Duration) -> Self {
        let until = clock::monotonic().saturating_add(limit);
        Self {
            until,
            rings: until,
            alarm: Box::pin(sleep(limit)),
            stop: Box::pin(no_more_requests(shutdown)),
        }
    }

    /// Begins a wait of at most `limit`.
    pub(super) fn begin(&mut self, limit: Duration) {
        self.until = clock::monotonic().saturating_add(limit);
        if self.until < self.rings {
            self.set_alarm(limit);
        }
    }

    /// Ready when the time is up.
    pub(super) fn poll_elapsed(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        while self.alarm.as_mut().poll(cx).is_ready() {
            let left = self.until.saturating_sub(clock::monotonic());
            if left.is_zero() {
                return Poll::Ready(());
            }
            self.set_alarm(left);
        }
        Poll::Pending
    }

    fn set_alarm(&mut self, left: Duration) {
        self.rings = self.until;
        self.alarm.as_mut().reset(after(left));
    }

    /// Ready when the server takes no more requests; not to be polled again then.
    pub(super) fn poll_stopped(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        self.stop.as_mut().poll(cx)
    }
}

/// A limit that the clock cannot hold is some decades.
fn after(limit: Duration) -> Instant {
    let now = Instant::now();
    now.checked_add(limit).unwrap_or_else(|| now + Duration::from_secs(86_400 * 365 * 30))
}

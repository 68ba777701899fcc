//! How long a connection waits for its client.

use std::{
    future::Future,
    pin::Pin,
    task::{Context, Poll},
    time::Duration,
};

use tokio::{
    sync::watch,
    time::{Instant, Sleep, sleep_until},
};

/// Ends a wait when its time is up, or when the server stops. It is made once for a connection:
/// to make a timer for each wait costs more than the rest of a short request's bookkeeping.
pub(super) struct Patience {
    /// When the time is up.
    until: Instant,
    /// Goes off then, or before: it is set anew only where it would go off too late.
    alarm: Pin<Box<Sleep>>,
    stop: Pin<Box<dyn Future<Output = ()> + Send>>,
}

impl Patience {
    pub(super) fn new(mut shutdown: watch::Receiver<bool>, limit: Duration) -> Self {
        let until = after(limit);
        Self {
            until,
            alarm: Box::pin(sleep_until(until)),
            stop: Box::pin(async move {
                // An error means that the server is gone, which is a stop too.
                let _gone = shutdown.wait_for(|stop| *stop).await;
            }),
        }
    }

    /// Begins a wait of at most `limit`.
    pub(super) fn begin(&mut self, limit: Duration) {
        self.until = after(limit);
        if self.until < self.alarm.deadline() {
            self.alarm.as_mut().reset(self.until);
        }
    }

    /// Ready when the time is up.
    pub(super) fn poll_elapsed(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        while self.alarm.as_mut().poll(cx).is_ready() {
            if Instant::now() >= self.until {
                return Poll::Ready(());
            }
            self.alarm.as_mut().reset(self.until);
        }
        Poll::Pending
    }

    /// Ready when the server stops; not to be polled again then.
    pub(super) fn poll_stopped(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        self.stop.as_mut().poll(cx)
    }
}

/// A limit that the clock cannot hold is some decades.
fn after(limit: Duration) -> Instant {
    let now = Instant::now();
    now.checked_add(limit).unwrap_or_else(|| now + Duration::from_secs(86_400 * 365 * 30))
}

//! Clocks that are read with every request: cheap ones, some milliseconds behind where the system
//! has such.

use std::{cell::RefCell, time::Duration};

use bytes::Bytes;

thread_local! {
    static LAST: RefCell<(u64, Bytes)> = const { RefCell::new((u64::MAX, Bytes::new())) };
}

/// The `Date` field's value: now, as an HTTP date (RFC 9110, section 5.6.7). It is made once a
/// second.
pub fn http_date_now() -> Bytes {
    let now = since_epoch().as_secs();
    LAST.with_borrow_mut(|(second, date)| {
        if *second != now {
            *second = now;
            *date = Bytes::from(proto::date::http_date(now));
        }
        date.clone()
    })
}

/// The time since some point in the past; it never goes back.
#[cfg(target_os = "linux")]
pub(crate) fn monotonic() -> Duration {
    coarse(rustix::time::ClockId::MonotonicCoarse)
}

/// The time since 1970.
#[cfg(target_os = "linux")]
fn since_epoch() -> Duration {
    coarse(rustix::time::ClockId::RealtimeCoarse)
}

#[cfg(target_os = "linux")]
fn coarse(clock: rustix::time::ClockId) -> Duration {
    // Neither part is ever negative.
    Duration::try_from(rustix::time::clock_gettime(clock)).unwrap_or_default()
}

/// The time since some point in the past; it never goes back.
#[cfg(not(target_os = "linux"))]
pub(crate) fn monotonic() -> Duration {
    use std::{sync::LazyLock, time::Instant};
    static START: LazyLock<Instant> = LazyLock::new(Instant::now);
    START.elapsed()
}

/// The time since 1970.
#[cfg(not(target_os = "linux"))]
fn since_epoch() -> Duration {
    use std::time::{SystemTime, UNIX_EPOCH};
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default()
}

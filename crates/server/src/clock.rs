//! The `Date` field's value, made once a second.

use std::{
    cell::RefCell,
    time::{SystemTime, UNIX_EPOCH},
};

use bytes::Bytes;

thread_local! {
    static LAST: RefCell<(u64, Bytes)> = const { RefCell::new((u64::MAX, Bytes::new())) };
}

/// The time of now as an HTTP date (RFC 9110, section 5.6.7).
pub fn http_date_now() -> Bytes {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |elapsed| elapsed.as_secs());
    LAST.with_borrow_mut(|(second, date)| {
        if *second != now {
            *second = now;
            *date = Bytes::from(proto::date::http_date(now));
        }
        date.clone()
    })
}

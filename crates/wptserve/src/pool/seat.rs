//! A thread, as the pool finds it.

use std::{
    fs,
    path::{Path, PathBuf},
    thread::{self, Thread},
};

/// Where a thread of the pool is.
pub(super) struct Seat {
    pub(super) thread: Thread,
    /// The system's account of the thread, where there is one.
    account: Option<PathBuf>,
}

impl Seat {
    pub(super) fn of_this_thread() -> Self {
        let account = fs::read_link("/proc/thread-self");
        Self {
            thread: thread::current(),
            account: account.ok().map(|link| Path::new("/proc").join(link).join("stat")),
        }
    }

    /// Whether the thread waits for something else than a CPU, as far as that can be known.
    pub(super) fn sleeps(&self) -> bool {
        let Some(account) = &self.account else { return true };
        // Without a descriptor to spare it counts as busy; what takes long is found anyway.
        let Ok(stat) = fs::read(account) else { return false };
        // The state follows the name, which is in parentheses and may contain any of them.
        let name_end = stat.iter().rposition(|&byte| byte == b')');
        name_end.and_then(|end| stat.get(end + 2)) != Some(&b'R')
    }
}

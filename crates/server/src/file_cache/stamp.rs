//! What tells one state of a file, or of a folder, from another.

use std::{
    fs::Metadata,
    time::{Duration, SystemTime, UNIX_EPOCH},
};

/// One state of what is at a path: which file it is, and when it changed. The time of the last
/// change of any kind (`ctime`) cannot be set, as that of the content can.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Stamp {
    modified: Option<SystemTime>,
    size: u64,
    #[cfg(unix)]
    identity: (u64, u64),
    #[cfg(unix)]
    changed: (i64, i64),
}

impl Stamp {
    /// The stamp of a state.
    pub fn of(metadata: &Metadata) -> Self {
        #[cfg(unix)]
        use std::os::unix::fs::MetadataExt;
        Self {
            modified: metadata.modified().ok(),
            size: metadata.len(),
            #[cfg(unix)]
            identity: (metadata.dev(), metadata.ino()),
            #[cfg(unix)]
            changed: (metadata.ctime(), metadata.ctime_nsec()),
        }
    }

    /// How many bytes the file has.
    pub fn size(&self) -> u64 {
        self.size
    }

    /// Whether a later change must have another stamp.
    pub fn is_settled(&self) -> bool {
        self.modified.is_some() && self.changed().is_some_and(is_settled)
    }

    #[cfg(unix)]
    fn changed(&self) -> Option<SystemTime> {
        let (seconds, nanoseconds) = self.changed;
        let since = Duration::new(seconds.try_into().ok()?, nanoseconds.try_into().ok()?);
        UNIX_EPOCH.checked_add(since)
    }

    #[cfg(not(unix))]
    fn changed(&self) -> Option<SystemTime> {
        self.modified
    }
}

/// Whether a time stamp is old enough that a later change must have another: file systems count
/// in steps of some milliseconds.
fn is_settled(time: SystemTime) -> bool {
    SystemTime::now().duration_since(time).is_ok_and(|age| age > SETTLED_AFTER)
}

pub(super) const SETTLED_AFTER: Duration = Duration::from_millis(100);

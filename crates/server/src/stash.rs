//! The stash: a store of values that outlive a request, one global lock, and queues.

use std::{
    collections::HashMap,
    io,
    sync::{Condvar, Mutex, PoisonError},
    time::Duration,
};

/// A path and a UUID: the same UUID under two paths names two values.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct StashKey {
    /// The path, by default that of the request.
    pub path: Vec<u8>,
    /// The UUID's sixteen bytes.
    pub id: [u8; 16],
}

/// A stash in another process does not answer. Whether it has done what was asked is not known.
#[derive(Debug, thiserror::Error)]
pub enum StashError {
    /// No connection to it can be made.
    #[error("the stash cannot be reached: {0}")]
    Unreachable(#[source] io::Error),
    /// The connection ended before the answer.
    #[error("the stash has closed the connection without an answer: {0}")]
    Unanswered(#[source] io::Error),
    /// The connection was not taken.
    #[error(
        "the process that keeps the stash takes no more connections; it may have no descriptors left"
    )]
    Refused,
}

/// A store shared by all handlers. Values are opaque (pickled) bytes.
pub trait StashStore: Send + Sync {
    /// Stores a value. When the key is taken nothing changes and the value that is there is
    /// returned.
    fn put(&self, key: StashKey, value: Vec<u8>) -> Result<Option<Vec<u8>>, StashError>;

    /// Removes and returns a value.
    fn take(&self, key: &StashKey) -> Result<Option<Vec<u8>>, StashError>;

    /// Takes the global lock if it is free.
    fn try_lock(&self) -> Result<bool, StashError>;

    /// Waits for the global lock. It is not re-entrant and belongs to nobody in particular.
    fn lock(&self) -> Result<(), StashError>;

    /// Gives the global lock back. `false` when it was not held.
    fn unlock(&self) -> Result<bool, StashError>;

    /// Whether every call may take as long as another process needs to answer.
    fn waits(&self) -> bool {
        false
    }

    /// The queues that go with the store, where handlers of several processes share it.
    fn queues(&self) -> Option<&dyn StashQueues> {
        None
    }
}

/// A queue's number.
pub type QueueId = u64;

/// Queues of opaque items, first in, first out. One that was never made, or was removed, is empty
/// and full. A `patience` of `None` has no end.
pub trait StashQueues {
    /// Makes a queue that holds `most` items at a time; 0 is any number.
    fn create(&self, most: u64) -> Result<QueueId, StashError>;

    /// Adds an item; `false` when there was no room in time.
    fn push(
        &self,
        queue: QueueId,
        item: Vec<u8>,
        patience: Option<Duration>,
    ) -> Result<bool, StashError>;

    /// Removes and returns the first item; `None` when none came in time.
    fn pop(
        &self,
        queue: QueueId,
        patience: Option<Duration>,
    ) -> Result<Option<Vec<u8>>, StashError>;

    /// How many items are there.
    fn len(&self, queue: QueueId) -> Result<u64, StashError>;

    /// An item that was taken is done with. `false` when that was said of all already.
    fn done(&self, queue: QueueId) -> Result<bool, StashError>;

    /// Waits until all items are done with.
    fn join(&self, queue: QueueId) -> Result<(), StashError>;

    /// Removes a queue that nobody can find any more.
    fn remove(&self, queue: QueueId) -> Result<(), StashError>;
}

/// A stash in this process's memory.
#[derive(Debug, Default)]
pub struct MemoryStash {
    values: Mutex<HashMap<StashKey, Vec<u8>>>,
    locked: Mutex<bool>,
    released: Condvar,
}

impl StashStore for MemoryStash {
    fn put(&self, key: StashKey, value: Vec<u8>) -> Result<Option<Vec<u8>>, StashError> {
        use std::collections::hash_map::Entry;
        // A panic cannot happen while the map is half changed, so a poisoned lock is still good.
        match self.values.lock().unwrap_or_else(PoisonError::into_inner).entry(key) {
            Entry::Occupied(entry) => Ok(Some(entry.get().clone())),
            Entry::Vacant(entry) => {
                entry.insert(value);
                Ok(None)
            }
        }
    }

    fn take(&self, key: &StashKey) -> Result<Option<Vec<u8>>, StashError> {
        Ok(self.values.lock().unwrap_or_else(PoisonError::into_inner).remove(key))
    }

    fn try_lock(&self) -> Result<bool, StashError> {
        let mut locked = self.locked.lock().unwrap_or_else(PoisonError::into_inner);
        Ok(!std::mem::replace(&mut *locked, true))
    }

    fn lock(&self) -> Result<(), StashError> {
        let mut locked = self.locked.lock().unwrap_or_else(PoisonError::into_inner);
        while *locked {
            locked = self.released.wait(locked).unwrap_or_else(PoisonError::into_inner);
        }
        *locked = true;
        Ok(())
    }

    fn unlock(&self) -> Result<bool, StashError> {
        let was = std::mem::replace(
            &mut *self.locked.lock().unwrap_or_else(PoisonError::into_inner),
            false,
        );
        self.released.notify_one();
        Ok(was)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::{sync::Arc, thread};

    fn key(path: &str, id: u8) -> StashKey {
        StashKey { path: path.as_bytes().to_vec(), id: [id; 16] }
    }

    #[test]
    fn a_value_is_taken_once_and_only_under_its_path() {
        let stash = MemoryStash::default();
        assert_eq!(stash.put(key("/a", 1), b"x".to_vec()).unwrap(), None);
        assert_eq!(stash.take(&key("/b", 1)).unwrap(), None);
        assert_eq!(stash.take(&key("/a", 1)).unwrap(), Some(b"x".to_vec()));
        assert_eq!(stash.take(&key("/a", 1)).unwrap(), None);
    }

    #[test]
    fn a_taken_key_is_refused_with_the_value_that_is_there() {
        let stash = MemoryStash::default();
        assert_eq!(stash.put(key("/a", 1), b"x".to_vec()).unwrap(), None);
        assert_eq!(stash.put(key("/a", 1), b"y".to_vec()).unwrap(), Some(b"x".to_vec()));
        assert_eq!(stash.take(&key("/a", 1)).unwrap(), Some(b"x".to_vec()));
    }

    #[test]
    fn the_lock_excludes() {
        let stash = Arc::new(MemoryStash::default());
        let total = Arc::new(Mutex::new(0));
        stash.lock().unwrap();
        assert!(!stash.try_lock().unwrap());
        let threads: Vec<_> = (0..8)
            .map(|_| {
                let (stash, total) = (Arc::clone(&stash), Arc::clone(&total));
                thread::spawn(move || {
                    stash.lock().unwrap();
                    *total.lock().unwrap() += 1;
                    assert!(stash.unlock().unwrap());
                })
            })
            .collect();
        assert_eq!(*total.lock().unwrap(), 0);
        assert!(stash.unlock().unwrap());
        for thread in threads {
            thread.join().unwrap();
        }
        assert_eq!(*total.lock().unwrap(), 8);
        assert!(!stash.unlock().unwrap());
    }
}

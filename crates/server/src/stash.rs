//! The stash: a store of values that outlive a request, one global lock, and queues.

use std::{
    collections::HashMap,
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

/// A store shared by all handlers. Values are opaque (pickled) bytes.
pub trait StashStore: Send + Sync {
    /// Stores a value. When the key is taken nothing changes and the value that is there is
    /// returned as the error.
    fn put(&self, key: StashKey, value: Vec<u8>) -> Result<(), Vec<u8>>;

    /// Removes and returns a value.
    fn take(&self, key: &StashKey) -> Option<Vec<u8>>;

    /// Takes the global lock if it is free.
    fn try_lock(&self) -> bool;

    /// Waits for the global lock. It is not re-entrant and belongs to nobody in particular.
    fn lock(&self);

    /// Gives the global lock back. `false` when it was not held.
    fn unlock(&self) -> bool;

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
    fn create(&self, most: u64) -> QueueId;

    /// Adds an item; `false` when there was no room in time.
    fn push(&self, queue: QueueId, item: Vec<u8>, patience: Option<Duration>) -> bool;

    /// Removes and returns the first item; `None` when none came in time.
    fn pop(&self, queue: QueueId, patience: Option<Duration>) -> Option<Vec<u8>>;

    /// How many items are there.
    fn len(&self, queue: QueueId) -> u64;

    /// An item that was taken is done with. `false` when that was said of all already.
    fn done(&self, queue: QueueId) -> bool;

    /// Waits until all items are done with.
    fn join(&self, queue: QueueId);

    /// Removes a queue that nobody can find any more.
    fn remove(&self, queue: QueueId);
}

/// A stash in this process's memory.
#[derive(Debug, Default)]
pub struct MemoryStash {
    values: Mutex<HashMap<StashKey, Vec<u8>>>,
    locked: Mutex<bool>,
    released: Condvar,
}

impl StashStore for MemoryStash {
    fn put(&self, key: StashKey, value: Vec<u8>) -> Result<(), Vec<u8>> {
        use std::collections::hash_map::Entry;
        // A panic cannot happen while the map is half changed, so a poisoned lock is still good.
        match self.values.lock().unwrap_or_else(PoisonError::into_inner).entry(key) {
            Entry::Occupied(entry) => Err(entry.get().clone()),
            Entry::Vacant(entry) => {
                entry.insert(value);
                Ok(())
            }
        }
    }

    fn take(&self, key: &StashKey) -> Option<Vec<u8>> {
        self.values.lock().unwrap_or_else(PoisonError::into_inner).remove(key)
    }

    fn try_lock(&self) -> bool {
        let mut locked = self.locked.lock().unwrap_or_else(PoisonError::into_inner);
        !std::mem::replace(&mut *locked, true)
    }

    fn lock(&self) {
        let mut locked = self.locked.lock().unwrap_or_else(PoisonError::into_inner);
        while *locked {
            locked = self.released.wait(locked).unwrap_or_else(PoisonError::into_inner);
        }
        *locked = true;
    }

    fn unlock(&self) -> bool {
        let was = std::mem::replace(
            &mut *self.locked.lock().unwrap_or_else(PoisonError::into_inner),
            false,
        );
        self.released.notify_one();
        was
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
        assert_eq!(stash.put(key("/a", 1), b"x".to_vec()), Ok(()));
        assert_eq!(stash.take(&key("/b", 1)), None);
        assert_eq!(stash.take(&key("/a", 1)), Some(b"x".to_vec()));
        assert_eq!(stash.take(&key("/a", 1)), None);
    }

    #[test]
    fn a_taken_key_is_refused_with_the_value_that_is_there() {
        let stash = MemoryStash::default();
        assert_eq!(stash.put(key("/a", 1), b"x".to_vec()), Ok(()));
        assert_eq!(stash.put(key("/a", 1), b"y".to_vec()), Err(b"x".to_vec()));
        assert_eq!(stash.take(&key("/a", 1)), Some(b"x".to_vec()));
    }

    #[test]
    fn the_lock_excludes() {
        let stash = Arc::new(MemoryStash::default());
        let total = Arc::new(Mutex::new(0));
        stash.lock();
        assert!(!stash.try_lock());
        let threads: Vec<_> = (0..8)
            .map(|_| {
                let (stash, total) = (Arc::clone(&stash), Arc::clone(&total));
                thread::spawn(move || {
                    stash.lock();
                    *total.lock().unwrap() += 1;
                    assert!(stash.unlock());
                })
            })
            .collect();
        assert_eq!(*total.lock().unwrap(), 0);
        assert!(stash.unlock());
        for thread in threads {
            thread.join().unwrap();
        }
        assert_eq!(*total.lock().unwrap(), 8);
        assert!(!stash.unlock());
    }
}

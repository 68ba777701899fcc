//! How much memory the messages of many connections may take together.

use std::sync::{
    Arc,
    atomic::{AtomicUsize, Ordering},
};

/// What the messages of all connections take.
#[derive(Debug, Default)]
pub struct Budget(AtomicUsize);

/// One connection's part of a [`Budget`], given back when it is dropped.
#[derive(Debug)]
pub struct Share {
    budget: Arc<Budget>,
    /// How much all may take together.
    limit: usize,
    taken: usize,
}

impl Share {
    /// A part of a budget of `limit` bytes, with nothing in it.
    pub fn new(budget: Arc<Budget>, limit: usize) -> Self {
        Self { budget, limit, taken: 0 }
    }

    /// Makes the part `bytes` large, of which the first [`FREE`] do not count. `false`, with the
    /// part as it was, when it would grow and others have too much.
    pub fn resize(&mut self, bytes: usize) -> bool {
        let wanted = if bytes <= FREE { 0 } else { bytes };
        let budget = &self.budget.0;
        if wanted > self.taken {
            let more = wanted - self.taken;
            let add = |all: usize| all.checked_add(more).filter(|&all| all <= self.limit);
            if budget.fetch_update(Ordering::Relaxed, Ordering::Relaxed, add).is_err() {
                return false;
            }
        } else if wanted < self.taken {
            budget.fetch_sub(self.taken - wanted, Ordering::Relaxed);
        }
        self.taken = wanted;
        true
    }
}

impl Drop for Share {
    fn drop(&mut self) {
        self.resize(0);
    }
}

/// Short messages are taken from everybody.
pub const FREE: usize = 16 * 1024;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_one_gives_back_another_can_take() {
        let budget = Arc::new(Budget::default());
        let share = || Share::new(Arc::clone(&budget), 100_000);
        let (mut one, mut other) = (share(), share());
        assert!(one.resize(60_000));
        assert!(!other.resize(50_000));
        assert!(other.resize(FREE));
        assert!(one.resize(50_000));
        assert!(other.resize(50_000));
        assert!(!one.resize(50_001));
        drop(other);
        assert!(one.resize(100_000));
        drop(one);
        assert_eq!(budget.0.load(Ordering::Relaxed), 0);
    }
}

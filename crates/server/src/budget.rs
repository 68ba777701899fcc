//! What clients may make the server keep in memory at a time.

use std::sync::{
    Arc,
    atomic::{AtomicUsize, Ordering},
};

/// A number of bytes, taken piece by piece and given back.
#[derive(Debug)]
pub(crate) struct Budget {
    limit: usize,
    used: AtomicUsize,
    /// One that this is a part of: what is taken is taken from both.
    whole: Option<Arc<Self>>,
}

impl Budget {
    pub(crate) fn new(limit: usize) -> Self {
        Self { limit, used: AtomicUsize::new(0), whole: None }
    }

    /// A budget within another.
    pub(crate) fn within(whole: Arc<Self>, limit: usize) -> Self {
        Self { whole: Some(whole), ..Self::new(limit) }
    }

    /// Takes bytes, until what is returned is dropped. `None` when there are not as many left.
    pub(crate) fn take(self: &Arc<Self>, bytes: usize) -> Option<Taken> {
        self.add(bytes).then(|| Taken { budget: Arc::clone(self), bytes })
    }

    fn add(&self, bytes: usize) -> bool {
        let more = |used: usize| used.checked_add(bytes).filter(|used| *used <= self.limit);
        if self.used.fetch_update(Ordering::Relaxed, Ordering::Relaxed, more).is_err() {
            return false;
        }
        let added = self.whole.as_ref().is_none_or(|whole| whole.add(bytes));
        if !added {
            self.used.fetch_sub(bytes, Ordering::Relaxed);
        }
        added
    }

    fn give_back(&self, bytes: usize) {
        self.used.fetch_sub(bytes, Ordering::Relaxed);
        if let Some(whole) = &self.whole {
            whole.give_back(bytes);
        }
    }
}

/// Bytes of a budget.
#[derive(Debug)]
pub(crate) struct Taken {
    budget: Arc<Budget>,
    bytes: usize,
}

impl Drop for Taken {
    fn drop(&mut self) {
        self.budget.give_back(self.bytes);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_dropped_is_given_back() {
        let budget = Arc::new(Budget::new(10));
        let taken = budget.take(7).unwrap();
        assert!(budget.take(4).is_none());
        assert!(budget.take(usize::MAX).is_none());
        drop(taken);
        assert!(budget.take(10).is_some());
    }

    #[test]
    fn a_part_takes_from_the_whole() {
        let whole = Arc::new(Budget::new(10));
        let parts = [0; 2].map(|_| Arc::new(Budget::within(Arc::clone(&whole), 7)));
        let taken = parts[0].take(7).unwrap();
        assert!(parts[1].take(4).is_none());
        assert!(parts[1].take(3).is_some());
        drop(taken);
        assert!(parts[1].take(7).is_some());
    }
}

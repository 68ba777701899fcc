//! A router that can be replaced while the server runs.

use std::sync::{Arc, PoisonError, RwLock};

use crate::Router;

/// The router of a running server. Each request is routed by the one that is current when its
/// head is complete.
#[derive(Default)]
pub struct SharedRouter(RwLock<Arc<Router>>);

impl SharedRouter {
    /// The current router.
    pub fn current(&self) -> Arc<Router> {
        // Nothing panics while it holds the lock.
        Arc::clone(&self.0.read().unwrap_or_else(PoisonError::into_inner))
    }

    /// Makes another router the current one.
    pub fn replace(&self, router: Router) {
        let new = Arc::new(router);
        let old = {
            let mut current = self.0.write().unwrap_or_else(PoisonError::into_inner);
            std::mem::replace(&mut *current, new)
        };
        // What was queued by handlers that are no longer asked is to be begun all the same.
        old.flush();
    }
}

impl From<Router> for Arc<SharedRouter> {
    fn from(router: Router) -> Self {
        Self::new(SharedRouter(RwLock::new(Arc::new(router))))
    }
}

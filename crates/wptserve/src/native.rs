//! The engine without a Python.

use std::{path::PathBuf, sync::Arc};

use cli::HandlerLoader;
use server::{
    Environment, ErrorHandler, Handler,
    stash::{MemoryStash, StashStore},
};

/// Answers 501 for Python files, and says why.
pub(crate) struct NativeLoader {
    pub(crate) reason: String,
}

impl HandlerLoader for NativeLoader {
    fn load(&self, _environment: &Arc<Environment>) -> Result<Arc<dyn Handler>, String> {
        let message = format!(
            "Python file handlers cannot be run: {}. Install Python 3.10 or newer, or name one \
             with --python.",
            self.reason
        );
        Ok(Arc::new(ErrorHandler { status: 501, message }))
    }

    fn extension(&self) -> Result<PathBuf, String> {
        crate::extension()
    }

    fn stash(&self) -> Arc<dyn StashStore> {
        Arc::new(MemoryStash::default())
    }
}

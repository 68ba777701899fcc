//! The engine without a Python.

use std::{path::PathBuf, sync::Arc};

use cli::{HandlerLoader, WebSocketHandlers};
use server::{
    Environment, ErrorHandler, Handler,
    stash::{MemoryStash, StashStore},
};

/// Answers 501 for Python files, and says why.
pub(crate) struct NativeLoader {
    pub(crate) reason: String,
}

impl NativeLoader {
    fn refusal(&self, what: &str) -> Arc<dyn Handler> {
        let message = format!(
            "{what} cannot be run: {}. Install Python 3.10 or newer, or name one with --python.",
            self.reason
        );
        Arc::new(ErrorHandler { status: 501, message })
    }
}

impl HandlerLoader for NativeLoader {
    fn load(&self, _environment: &Arc<Environment>) -> Result<Arc<dyn Handler>, String> {
        Ok(self.refusal("Python file handlers"))
    }

    fn load_websocket(
        &self,
        _environment: &Arc<Environment>,
        _handlers: &WebSocketHandlers,
    ) -> Result<Arc<dyn Handler>, String> {
        Ok(self.refusal("WebSocket handlers"))
    }

    fn extension(&self) -> Result<PathBuf, String> {
        crate::extension()
    }

    fn stash(&self) -> Arc<dyn StashStore> {
        Arc::new(MemoryStash::default())
    }
}

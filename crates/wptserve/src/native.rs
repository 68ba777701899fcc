//! The engine without a Python.

use std::{env, ffi::OsString, fs::File, path::PathBuf, process::Command, sync::Arc};

use cli::{HandlerLoader, WebSocketHandlers, interpreter::Interpreter};
use server::{
    Driver, Environment, ErrorHandler, Handler,
    stash::{MemoryStash, StashStore},
};

/// Answers 501 for Python files, and says why. A supervisor's hosts may well have a Python.
pub(crate) struct NativeLoader {
    /// Why there is no Python here.
    pub(crate) reason: String,
    /// The command's arguments.
    pub(crate) arguments: Vec<OsString>,
    /// The Python of the hosts, and the extension that it is to load.
    pub(crate) hosts: Option<(Interpreter, PathBuf)>,
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
        crate::extension(None)
    }

    fn driver(&self, _environment: &Arc<Environment>) -> Option<Arc<dyn Driver>> {
        None
    }

    fn stash(&self, shared: Option<Arc<dyn StashStore>>) -> Arc<dyn StashStore> {
        shared.unwrap_or_else(|| Arc::new(MemoryStash::default()))
    }

    fn host_command(&self) -> Result<Command, String> {
        let arguments = cli::supervised(&self.arguments);
        if let Some((python, extension)) = &self.hosts {
            return Ok(cli::python_command(python, extension, arguments));
        }
        let executable = env::current_exe()
            .map_err(|error| format!("the executable's place is unknown: {error}"))?;
        let mut command = Command::new(executable);
        command.args(arguments);
        Ok(command)
    }

    fn keep_journal(&self, _journal: File, _last_words: File) -> Result<(), String> {
        // No handler runs here.
        Ok(())
    }
}

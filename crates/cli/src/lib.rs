//! The command line of wptserve: arguments, settings, logging and commands.
//!
//! It knows no Python: what runs `.py` files is handed in as a [`HandlerLoader`].

#![forbid(unsafe_code)]

mod arguments;
mod browser_args;
mod cache;
mod certificates;
mod certs;
mod configuration;
mod doctor;
mod engine;
mod environment;
mod exec;
mod exit;
#[cfg(unix)]
mod hangup;
mod hosts;
pub mod interpreter;
mod launch;
mod log;
mod processes;
mod ready;
mod routes;
mod serve;
mod settings;
mod shell;
mod wpt;

use std::{
    ffi::OsString,
    fs::File,
    path::{Path, PathBuf},
    process,
    sync::Arc,
};

use server::{Driver, Environment, Handler, stash::StashStore};

pub use arguments::{Command, ConfigArguments, RoutesArguments, ServeArguments, parse};
pub use browser_args::{BrowserArguments, browser_args};
pub use certs::{CertsArguments, certs};
pub use configuration::configuration;
pub use doctor::{DoctorArguments, doctor};
pub use exec::{ExecArguments, exec};
pub use exit::Exit;
pub use hosts::{HostsArguments, hosts};
pub use launch::{launch, python_command};
pub use log::{error, print};
pub use processes::{journal, supervised};
pub use routes::routes;
pub use serve::serve;
pub use wpt::{WptArguments, wpt};

/// Where the WebSocket handlers are.
#[derive(Debug, Clone)]
pub struct WebSocketHandlers {
    /// The directories that are searched, in order: a later one replaces what an earlier one has.
    pub roots: Vec<PathBuf>,
    /// Whether a file that changes is loaded anew.
    pub reload: bool,
    /// The most connections at once, where that is less than there can be.
    pub max_open: Option<usize>,
}

/// Makes the handlers that are written in Python.
pub trait HandlerLoader {
    /// The handler for a server. The error says why there can be none.
    fn load(&self, environment: &Arc<Environment>) -> Result<Arc<dyn Handler>, String>;

    /// The file of the extension module, for commands that are to load it.
    fn extension(&self) -> Result<PathBuf, String>;

    /// The handler for the WebSockets of the same server, once that for Python files is made.
    fn load_websocket(
        &self,
        environment: &Arc<Environment>,
        handlers: &WebSocketHandlers,
    ) -> Result<Arc<dyn Handler>, String>;

    /// What drives the connections of the same server, where that is not the thread that runs it.
    fn driver(&self, environment: &Arc<Environment>) -> Option<Arc<dyn Driver>>;

    /// The store behind the stash of the handlers: from now on the `shared` one, where processes
    /// share one.
    fn stash(&self, shared: Option<Arc<dyn StashStore>>) -> Arc<dyn StashStore>;

    /// The command of a process that serves with such handlers, for a supervisor: this program's,
    /// with [`supervised`] arguments.
    fn host_command(&self) -> Result<process::Command, String>;

    /// Writes down from now on what runs, in the form of [`journal`], and a crash's last words:
    /// once this process is dead, its supervisor reads them.
    fn keep_journal(&self, journal: File, last_words: File) -> Result<(), String>;
}

/// The Python that the arguments name for a command that runs handlers.
pub fn python(command: &Command) -> Option<&Path> {
    match command {
        Command::Serve(serve) => serve.python(),
        Command::Wpt(wpt) => wpt.python(),
        _ => None,
    }
}

/// Parses the arguments, without the program's name, and runs the command they name. Returns the
/// exit code.
pub fn run(arguments: Vec<OsString>, loader: &dyn HandlerLoader) -> u8 {
    let exit = match parse(arguments) {
        Ok(Command::Serve(arguments)) => serve(&arguments, loader),
        Ok(Command::Wpt(arguments)) => wpt(&arguments, loader),
        Ok(Command::Hosts(arguments)) => hosts(&arguments),
        Ok(Command::BrowserArgs(arguments)) => browser_args(&arguments),
        Ok(Command::Doctor(arguments)) => doctor(&arguments),
        Ok(Command::Routes(arguments)) => routes(&arguments),
        Ok(Command::Config(arguments)) => configuration(&arguments),
        Ok(Command::Exec(arguments)) => match loader.extension() {
            Ok(extension) => exec(&arguments, &extension),
            Err(reason) => {
                error(&reason);
                Exit::Failure
            }
        },
        Ok(Command::Certs(arguments)) => certs(&arguments),
        Ok(Command::Version { .. }) => {
            print(&format!("wptserve {}\n", env!("CARGO_PKG_VERSION")));
            Exit::Success
        }
        Err(exit) => exit,
    };
    exit.code()
}

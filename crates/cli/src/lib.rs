//! The command line of wptserve: arguments, settings, logging and commands.
//!
//! It knows no Python: what runs `.py` files is handed in as a [`HandlerLoader`].

mod arguments;
mod certs;
mod configuration;
mod engine;
mod exit;
pub mod interpreter;
mod log;
mod ready;
mod routes;
mod serve;
mod settings;
mod wpt;

use std::{ffi::OsString, sync::Arc};

use server::{Environment, Handler, stash::StashStore};

pub use arguments::{Command, ConfigArguments, RoutesArguments, ServeArguments, parse};
pub use certs::{CertsArguments, certs};
pub use configuration::configuration;
pub use exit::Exit;
pub use log::{error, print};
pub use routes::routes;
pub use serve::serve;
pub use wpt::{WptArguments, wpt};

/// Makes the handler for Python files.
pub trait HandlerLoader {
    /// The handler for a server. The error says why there can be none.
    fn load(&self, environment: &Arc<Environment>) -> Result<Arc<dyn Handler>, String>;

    /// The store behind the stash of the handlers.
    fn stash(&self) -> Arc<dyn StashStore>;
}

/// Parses the arguments, without the program's name, and runs the command they name. Returns the
/// exit code.
pub fn run(arguments: Vec<OsString>, loader: &dyn HandlerLoader) -> u8 {
    let exit = match parse(arguments) {
        Ok(Command::Serve(arguments)) => serve(&arguments, loader),
        Ok(Command::Wpt(arguments)) => wpt(&arguments, loader),
        Ok(Command::Routes(arguments)) => routes(&arguments),
        Ok(Command::Config(arguments)) => configuration(&arguments),
        Ok(Command::Certs(arguments)) => certs(&arguments),
        Ok(Command::Version { .. }) => {
            print(&format!("wptserve {}\n", env!("CARGO_PKG_VERSION")));
            Exit::Success
        }
        Err(exit) => exit,
    };
    exit.code()
}

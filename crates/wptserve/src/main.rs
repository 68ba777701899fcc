//! The launcher: finds a Python and becomes it, or runs the engine without one.

#![forbid(unsafe_code)]

mod native;

use std::{
    env,
    ffi::OsString,
    path::{Path, PathBuf},
    process::ExitCode,
};

use cli::{
    Command, Exit,
    interpreter::{self, Interpreter, NotFound},
};
use native::NativeLoader;

fn main() -> ExitCode {
    let arguments: Vec<OsString> = env::args_os().skip(1).collect();
    let exit = match cli::parse(arguments.clone()) {
        Ok(Command::Version { python }) => version(python.as_deref()),
        Ok(Command::Serve(serve)) => {
            let (python, supervises) = (serve.python(), serve.supervises());
            launch(python, supervises, arguments, |loader| cli::serve(&serve, loader))
        }
        Ok(Command::Wpt(wpt)) => {
            let (python, supervises) = (wpt.python(), wpt.supervises());
            launch(python, supervises, arguments, |loader| cli::wpt(&wpt, loader))
        }
        Ok(Command::Hosts(hosts)) => cli::hosts(&hosts),
        Ok(Command::BrowserArgs(browser)) => cli::browser_args(&browser),
        Ok(Command::Doctor(doctor)) => cli::doctor(&doctor),
        Ok(Command::Routes(routes)) => cli::routes(&routes),
        Ok(Command::Config(config)) => cli::configuration(&config),
        Ok(Command::Exec(exec)) => match extension(None) {
            Ok(extension) => cli::exec(&exec, &extension),
            Err(reason) => {
                cli::error(&reason);
                Exit::Failure
            }
        },
        Ok(Command::Certs(certs)) => cli::certs(&certs),
        Err(exit) => exit,
    };
    ExitCode::from(exit.code())
}

fn version(python: Option<&Path>) -> Exit {
    let python = match interpreter::find(python) {
        Ok(Interpreter { executable, version, own_extensions }) => {
            let kind = if own_extensions.is_some() { "free-threaded " } else { "" };
            format!("{kind}Python {version} at {}", executable.display())
        }
        Err(NotFound::Asked(reason) | NotFound::Nowhere(reason)) => format!("no Python: {reason}"),
    };
    cli::print(&format!("wptserve {}\n{python}\n", env!("CARGO_PKG_VERSION")));
    Exit::Success
}

/// Hands over to Python with the extension; without a Python, runs the engine here. A supervisor
/// stays what it is, and its hosts have the Python.
fn launch(
    python: Option<&Path>,
    supervises: bool,
    arguments: Vec<OsString>,
    serve: impl FnOnce(&NativeLoader) -> Exit,
) -> Exit {
    let reason = match interpreter::find(python) {
        Ok(found) => match extension(Some(&found)) {
            Ok(extension) if supervises => {
                let (reason, hosts) = ("it only supervises".to_owned(), Some((found, extension)));
                return serve(&NativeLoader { reason, arguments, hosts });
            }
            Ok(extension) => return cli::launch(&found, &extension, arguments),
            Err(reason) if found.own_extensions.is_some() && interpreter::is_asked(python) => {
                cli::error(&reason);
                return Exit::Python;
            }
            Err(reason) => reason,
        },
        Err(NotFound::Asked(reason)) => {
            cli::error(&reason);
            return Exit::Python;
        }
        Err(NotFound::Nowhere(reason)) => format!("no Python of version 3.10 or newer: {reason}"),
    };
    serve(&NativeLoader { reason, arguments, hosts: None })
}

/// The extension beside this executable, for a Python if one is named.
fn extension(python: Option<&Interpreter>) -> Result<PathBuf, String> {
    let executable = env::current_exe()
        .and_then(|path| path.canonicalize())
        .map_err(|error| format!("the executable's place is unknown: {error}"))?;
    let folder = executable.parent().unwrap_or(Path::new("/"));
    let name = python.map_or(EXTENSION.to_owned(), |python| python.extension_name(EXTENSION));
    let extension = folder.join(&name);
    if extension.is_file() {
        return Ok(extension);
    }
    let missing = format!("{name} is missing beside {}", executable.display());
    Err(match python.and_then(Interpreter::needs_its_own) {
        Some(why) => format!("{why} ({missing})"),
        None => missing,
    })
}

const EXTENSION: &str = if cfg!(target_os = "macos") {
    "lib_wptserve.dylib"
} else if cfg!(windows) {
    "_wptserve.dll"
} else {
    "lib_wptserve.so"
};

//! The launcher: finds a Python and becomes it, or runs the engine without one.

mod native;

use std::{
    env,
    ffi::OsString,
    io,
    path::{Path, PathBuf},
    process::{Command as Process, ExitCode},
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
        Ok(Command::Exec(exec)) => match extension() {
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
        Ok(Interpreter { executable, version }) => {
            format!("Python {version} at {}", executable.display())
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
        Ok(python) => match extension() {
            Ok(extension) if supervises => {
                let (reason, hosts) = ("it only supervises".to_owned(), Some((python, extension)));
                return serve(&NativeLoader { reason, arguments, hosts });
            }
            Ok(extension) => return hand_over(&python, &extension, arguments),
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

/// The extension beside this executable.
fn extension() -> Result<PathBuf, String> {
    let executable = env::current_exe()
        .and_then(|path| path.canonicalize())
        .map_err(|error| format!("the executable's place is unknown: {error}"))?;
    let folder = executable.parent().unwrap_or(Path::new("/"));
    let extension = folder.join(EXTENSION);
    if extension.is_file() {
        return Ok(extension);
    }
    Err(format!("{EXTENSION} is missing beside {}", executable.display()))
}

/// Replaces this process by Python, which runs the engine. Comes back only when that fails.
fn hand_over(python: &Interpreter, extension: &Path, arguments: Vec<OsString>) -> Exit {
    let error = become_process(python_command(python, extension, arguments));
    cli::error(&format!("{} cannot be started: {error}", python.executable.display()));
    Exit::Python
}

/// The command of a Python that runs the engine.
fn python_command(python: &Interpreter, extension: &Path, arguments: Vec<OsString>) -> Process {
    let mut process = Process::new(&python.executable);
    process.arg("-c").arg(START).arg(extension).args(arguments);
    process
}

#[cfg(unix)]
fn become_process(mut process: Process) -> io::Error {
    use std::os::unix::process::CommandExt;
    process.exec()
}

#[cfg(not(unix))]
fn become_process(mut process: Process) -> io::Error {
    match process.status() {
        Ok(status) => std::process::exit(status.code().unwrap_or(1)),
        Err(error) => error,
    }
}

/// What Python runs: let Ctrl-C end it until the engine takes signals over, load the extension by
/// its path, then hand it the arguments. The working directory, which `-c` puts on the path, is no
/// place to import from.
const START: &str = "import _imp, _signal, sys
_signal.signal(_signal.SIGINT, _signal.SIG_DFL)
from importlib.machinery import ExtensionFileLoader, ModuleSpec
extension, *arguments = sys.argv[1:]
sys.argv[:] = ['wptserve', *arguments]
sys.path[:] = [entry for entry in sys.path if entry]
loader = ExtensionFileLoader('_wptserve', extension)
module = _imp.create_dynamic(ModuleSpec('_wptserve', loader, origin=extension))
_imp.exec_dynamic(module)
module.install()
module.main(arguments)";

const EXTENSION: &str = if cfg!(target_os = "macos") {
    "lib_wptserve.dylib"
} else if cfg!(windows) {
    "_wptserve.dll"
} else {
    "lib_wptserve.so"
};

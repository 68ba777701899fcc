//! Handing a process over to a Python with the extension.

use std::{ffi::OsString, io, path::Path, process::Command};

use crate::{Exit, interpreter::Interpreter, log};

/// Replaces this process by a Python that loads the extension and runs the command line. Comes
/// back only when that fails.
pub fn launch(python: &Interpreter, extension: &Path, arguments: Vec<OsString>) -> Exit {
    let error = become_process(python_command(python, extension, arguments));
    log::error(&format!("{} cannot be started: {error}", python.executable.display()));
    Exit::Python
}

/// The command of a Python that loads the extension and runs the command line.
pub fn python_command(python: &Interpreter, extension: &Path, arguments: Vec<OsString>) -> Command {
    let mut command = Command::new(&python.executable);
    command.arg("-c").arg(START).arg(extension).args(arguments);
    command
}

/// Replaces this process by a command. Comes back only when that fails.
#[cfg(unix)]
pub(crate) fn become_process(mut command: Command) -> io::Error {
    use std::os::unix::process::CommandExt;
    command.exec()
}

#[cfg(not(unix))]
pub(crate) fn become_process(mut command: Command) -> io::Error {
    match command.status() {
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

//! `wptserve exec`: a Python command with our modules in place of a `wptserve` that it brings.
//!
//! A file `sitecustomize.py`, which every Python runs as it starts, is put on PYTHONPATH; so it
//! is there before the command edits `sys.path`, and in the processes that it starts.

use std::{
    env,
    ffi::OsString,
    fs, io,
    path::{Path, PathBuf},
    process::{self, Command},
};

use clap::Args;

use crate::{Exit, cache, launch::become_process, log};

/// Run a Python command with these modules in place of its own `wptserve`
///
/// For example `wptserve exec -- ./wpt serve` in a checkout of web-platform-tests. The command's
/// own Python runs it; 3.10 or newer.
#[derive(Debug, Clone, Args)]
pub struct ExecArguments {
    /// The command and its arguments
    #[arg(required = true, trailing_var_arg = true, allow_hyphen_values = true)]
    pub command: Vec<OsString>,
}

/// Replaces this process by the command. Comes back only when that fails.
pub fn exec(arguments: &ExecArguments, extension: &Path) -> Exit {
    let [program, rest @ ..] = arguments.command.as_slice() else {
        // The parser lets no empty command through.
        return Exit::Usage;
    };
    let folder = match folder() {
        Ok(folder) => folder,
        Err(reason) => {
            log::error(&reason);
            return Exit::Failure;
        }
    };
    let path = match env::var_os("PYTHONPATH").filter(|path| !path.is_empty()) {
        Some(others) => env::join_paths([folder].into_iter().chain(env::split_paths(&others))),
        None => env::join_paths([folder]),
    };
    let path = match path {
        Ok(path) => path,
        Err(error) => {
            log::error(&format!("PYTHONPATH cannot lead to wptserve's modules: {error}"));
            return Exit::Failure;
        }
    };
    let mut command = Command::new(program);
    command.args(rest).env("PYTHONPATH", path).env("WPTSERVE_EXEC", extension);
    command.env_remove("WPTSERVE_EXEC_TOLD");
    let error = become_process(command);
    log::error(&format!("{} cannot be started: {error}", program.display()));
    Exit::Failure
}

/// The folder with `sitecustomize.py`, in the user's cache.
fn folder() -> Result<PathBuf, String> {
    let folder = cache::folder()
        .ok_or("neither XDG_CACHE_HOME nor HOME is set; one is needed for a folder of modules")?
        .join(concat!("exec-", env!("CARGO_PKG_VERSION")));
    write(&folder).map_err(|error| format!("{} cannot be written: {error}", folder.display()))?;
    Ok(folder)
}

fn write(folder: &Path) -> io::Result<()> {
    let file = folder.join("sitecustomize.py");
    if fs::read(&file).is_ok_and(|content| content == SITECUSTOMIZE.as_bytes()) {
        return Ok(());
    }
    fs::create_dir_all(folder)?;
    // Whole or not at all: others may start at the same time.
    let new = folder.join(format!("sitecustomize.{}", process::id()));
    fs::write(&new, SITECUSTOMIZE)?;
    fs::rename(&new, &file)
}

const SITECUSTOMIZE: &str = include_str!("sitecustomize.py");

//! The project's own commands: `cargo xtask check` is what CI runs, `cargo xtask bench` measures.
//!
//! Only the standard library, so that a fresh machine builds this in a second.

#![forbid(unsafe_code)]
#![expect(clippy::print_stdout, clippy::print_stderr, reason = "a command line speaks there")]

mod bench;
mod check;
mod extension;
mod process;
mod python;
mod steps;
mod tally;

use std::{
    env,
    path::{Path, PathBuf},
    process::ExitCode,
};

const USAGE: &str = "Usage: cargo xtask check [--list] [STEP...]
       cargo xtask bench [OPTIONS]
       cargo xtask extension PYTHON

check: runs the steps of the check, all of them by default, and sets up what they need.
  --list    name the steps

bench: measures this server and others side by side, and writes docs/performance.md.
  --list    name the cases and the servers
  --help    the options

extension: builds the extension for a free-threaded Python, and puts it beside the binary.
";

fn main() -> ExitCode {
    let arguments: Vec<String> = env::args().skip(1).collect();
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    match arguments.as_slice() {
        ["check", "--list"] => {
            print!("{}", check::list());
            ExitCode::SUCCESS
        }
        [] | ["-h" | "--help" | "help"] | ["check", "-h" | "--help"] => {
            print!("{USAGE}");
            ExitCode::SUCCESS
        }
        ["check", names @ ..] => match check::select(names) {
            Ok(steps) => check::run(&mut Project::find(), &steps),
            Err(message) => {
                eprintln!("error: {message}");
                ExitCode::from(2)
            }
        },
        ["bench", options @ ..] => bench::run(&Project::find(), options),
        ["extension", python] => extension::run(&Project::find(), python),
        ["extension", ..] => {
            eprintln!("error: `extension` wants one Python\n\n{USAGE}");
            ExitCode::from(2)
        }
        [command, ..] => {
            eprintln!("error: there is no command `{command}`\n\n{USAGE}");
            ExitCode::from(2)
        }
    }
}

/// Where things are.
pub(crate) struct Project {
    /// The top of the work tree.
    pub(crate) root: PathBuf,
    /// Cargo's target folder.
    pub(crate) target: PathBuf,
    /// The virtual environments, once the step `setup` has made them.
    pub(crate) environments: Vec<python::Environment>,
}

impl Project {
    fn find() -> Self {
        // Cargo sets it for what it runs; the one of build time is another clone's when clones
        // share a target folder.
        let manifest = env::var_os("CARGO_MANIFEST_DIR");
        let manifest = manifest.map_or_else(|| env!("CARGO_MANIFEST_DIR").into(), PathBuf::from);
        let root = manifest.parent().unwrap_or(&manifest).to_owned();
        let target = match env::var_os("CARGO_TARGET_DIR") {
            Some(folder) => std::path::absolute(&folder).unwrap_or_else(|_| folder.into()),
            None => root.join("target"),
        };
        Self { root, target, environments: Vec::new() }
    }

    /// The server's binary.
    pub(crate) fn binary(&self) -> PathBuf {
        self.target.join("release/wptserve")
    }

    /// The extension module beside it.
    pub(crate) fn extension(&self) -> PathBuf {
        let name = if cfg!(target_os = "macos") { "lib_wptserve.dylib" } else { "lib_wptserve.so" };
        self.target.join("release").join(name)
    }

    /// A path as a person in the project's folder would write it.
    pub(crate) fn shown(&self, path: &Path) -> String {
        path.strip_prefix(&self.root).unwrap_or(path).display().to_string()
    }
}

//! `cargo xtask extension PYTHON`: the extension for a Python that needs one of its own.

use std::{fs, path::PathBuf, process::ExitCode};

use crate::{
    Project,
    process::{Failure, Process},
};

/// Builds the extension for a Python and puts it beside the binary.
pub(crate) fn run(project: &Project, python: &str) -> ExitCode {
    match build(project, python) {
        Ok(place) => {
            println!("{}", project.shown(&place));
            ExitCode::SUCCESS
        }
        Err(Failure { message, .. }) => {
            eprintln!("error: {message}");
            ExitCode::FAILURE
        }
    }
}

fn build(project: &Project, python: &str) -> Result<PathBuf, Failure> {
    let answer = Process::new(project, python).argument("-c").argument(QUESTION).quiet().run()?;
    let mut lines = answer.lines();
    let (Some(executable), Some(ending)) = (lines.next(), lines.next()) else {
        return Err(format!("{python} has the GIL; the usual build is for such Pythons").into());
    };
    // A folder of its own: the bindings to Python are built for one kind of Python at a time.
    let target = project.target.join("free-threaded");
    let build = Process::cargo(project).arguments("build --release --package wptserve --lib");
    build.argument("--target-dir").argument(&target).variable("PYO3_PYTHON", executable).run()?;
    let extension = project.extension();
    let output = target.join("release").join(extension.file_name().unwrap_or_default());
    let place = extension.with_extension("").display().to_string() + ending;
    fs::copy(&output, &place)
        .map_err(|error| format!("{} cannot be copied to {place}: {error}", output.display()))?;
    Ok(place.into())
}

/// Prints the executable, and if it is free-threaded how the names of its extensions end.
const QUESTION: &str = "import _imp, sys
print(sys.executable)
if 't' in sys.abiflags: print(_imp.extension_suffixes()[0])";

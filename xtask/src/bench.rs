//! `cargo xtask bench`: builds what is measured, and hands over to `bench/run.py`.

use std::process::ExitCode;

use crate::{
    Project,
    process::{Failure, Process},
    python,
};

/// What only prints something.
const TOLD: [&str; 3] = ["--list", "--help", "-h"];

/// Runs the bench with its own options. It installs the other servers itself.
pub(crate) fn run(project: &Project, options: &[&str]) -> ExitCode {
    match bench(project, options) {
        Ok(()) => ExitCode::SUCCESS,
        Err(Failure { message, .. }) => {
            eprintln!("error: {message}");
            ExitCode::FAILURE
        }
    }
}

fn bench(project: &Project, options: &[&str]) -> Result<(), Failure> {
    let python = python::interpreter(project)?;
    let run = Process::new(project, python).argument("bench/run.py").argument("--bin");
    let run = run.argument(project.binary());
    if options.iter().any(|option| TOLD.contains(option)) {
        print!("{}", options.iter().fold(run, Process::argument).quiet().run()?);
        return Ok(());
    }
    Process::cargo(project).arguments("build --release").run()?;
    options.iter().fold(run, Process::argument).run().map(|_output| ())
}

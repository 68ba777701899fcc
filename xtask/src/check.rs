//! `cargo xtask check`: which steps run, in which order, and what is said of them.

use std::{
    fmt::Write as _,
    process::ExitCode,
    time::{Duration, Instant},
};

use crate::{Project, process::Failure, steps, tally::Tally};

/// One step of the check.
pub(crate) struct Step {
    /// Its name on the command line.
    pub(crate) name: &'static str,
    /// What it does.
    pub(crate) about: &'static str,
    /// The steps that must have passed before; they run even when only this one is asked for.
    pub(crate) needs: &'static [&'static str],
    /// Does it.
    pub(crate) run: fn(&mut Project) -> Result<Outcome, Failure>,
}

/// How a step that did not fail ended.
pub(crate) enum Outcome {
    /// It passed, with so many test cases.
    Passed(Tally),
    /// It had nothing to do here, for this reason.
    Skipped(String),
}

/// What `--list` prints.
pub(crate) fn list() -> String {
    let mut text = String::new();
    for Step { name, about, needs, .. } in steps::ALL {
        // Writing to a String cannot fail.
        let _ = write!(text, "{name:<12} {about}");
        if !needs.is_empty() {
            let _ = write!(text, " (after {})", needs.join(", "));
        }
        text.push('\n');
    }
    text
}

/// The steps that are asked for, with those they need; all without a name.
pub(crate) fn select(names: &[&str]) -> Result<Vec<&'static Step>, String> {
    let mut wanted: Vec<&str> = Vec::new();
    for &name in names {
        let Some(step) = steps::ALL.iter().find(|step| step.name == name) else {
            let known: Vec<&str> = steps::ALL.iter().map(|step| step.name).collect();
            return Err(format!("there is no step `{name}`; there are {}", known.join(", ")));
        };
        wanted.push(name);
        wanted.extend(step.needs);
    }
    let is_wanted = |step: &&Step| names.is_empty() || wanted.contains(&step.name);
    Ok(steps::ALL.iter().filter(is_wanted).collect())
}

/// Runs steps one after the other, also after one has failed: a run shows all that is wrong.
pub(crate) fn run(project: &mut Project, selected: &[&'static Step]) -> ExitCode {
    let started = Instant::now();
    let mut sum = Tally::default();
    let mut unmet: Vec<&str> = Vec::new();
    let mut failures = String::new();
    let mut table = String::new();
    for step in selected {
        println!("\n== {}: {}", step.name, step.about);
        let step_started = Instant::now();
        let result = match step.needs.iter().find(|need| unmet.contains(need)) {
            Some(need) => Err(Failure::from(format!("not run, because `{need}` failed"))),
            None => (step.run)(project),
        };
        let said = match result {
            Ok(Outcome::Passed(tally)) => {
                sum += tally;
                if tally.passed > 0 { format!("ok, {} passed", tally.passed) } else { "ok".into() }
            }
            Ok(Outcome::Skipped(reason)) => format!("skipped: {reason}"),
            Err(Failure { message, output }) => {
                let mut tally = Tally::of(&output);
                // A step that fails outside of its test cases counts too.
                tally.failed = tally.failed.max(1);
                sum += tally;
                unmet.push(step.name);
                // Writing to a String cannot fail.
                let _ = writeln!(
                    failures,
                    "\n{} failed: {message}\n    this step alone: cargo xtask check {}",
                    step.name, step.name
                );
                format!("FAILED, {} passed, {} failed", tally.passed, tally.failed)
            }
        };
        let line = format!("{:<12} {:>8}  {said}", step.name, seconds(step_started.elapsed()));
        println!("-- {line}");
        let _ = writeln!(table, "{line}");
    }
    print!("\n{table}{:<12} {:>8}\n{failures}\n", "all", seconds(started.elapsed()));
    println!("{} passed, {} failed", sum.passed, sum.failed);
    if failures.is_empty() { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

fn seconds(duration: Duration) -> String {
    format!("{:.1} s", duration.as_secs_f64())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(asked: &[&str]) -> Vec<&'static str> {
        select(asked).unwrap().iter().map(|step| step.name).collect()
    }

    #[test]
    fn a_step_brings_what_it_needs_in_order() {
        assert_eq!(names(&["conformance"]), ["build", "setup", "conformance"]);
        assert_eq!(names(&["rust", "fmt"]), ["fmt", "rust"]);
        assert_eq!(names(&[]).len(), steps::ALL.len());
    }

    #[test]
    fn needs_are_steps_that_come_before() {
        for (index, step) in steps::ALL.iter().enumerate() {
            for need in step.needs {
                let before = steps::ALL[..index].iter().find(|other| other.name == *need);
                let before = before.unwrap_or_else(|| panic!("{} needs {need}", step.name));
                assert!(before.needs.is_empty(), "{need} needs steps itself");
            }
        }
    }

    #[test]
    fn an_unknown_step_is_told_the_known_ones() {
        let Err(message) = select(&["rsut"]) else { panic!("`rsut` was taken") };
        assert!(message.starts_with("there is no step `rsut`; there are fmt, "), "{message}");
    }
}

//! `wptserve doctor`: what the environment needs, what is amiss, and the command that mends it.

mod certificates;
mod checkout;
mod machine;
mod metadata;
mod names;
mod ports;
mod python;

use std::path::PathBuf;

use clap::Args;
use serde_json::{Value, json};

use crate::{
    Exit, log,
    wpt::settings::{is_checkout, surrounding_checkout, with_files},
};
use server::Config;

/// Check what a test environment needs, and say how to mend what is amiss
///
/// It looks at the Python, the checkout, its configuration, the host names, the ports, the
/// certificates and this machine's limits. It changes nothing.
///
/// Exit codes: 0 nothing stands in the way, 1 there is a problem.
#[derive(Debug, Clone, Args)]
pub struct DoctorArguments {
    /// The checkout [default: the one that the working directory is in]
    #[arg(value_name = "WPT_ROOT")]
    root: Option<PathBuf>,

    /// A configuration file, laid over the checkout's config.json
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,

    /// The Python that runs handlers
    #[arg(long, value_name = "PATH")]
    python: Option<PathBuf>,

    /// Print a JSON array
    #[arg(long)]
    json: bool,
}

/// How something is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    Ok,
    /// Something does not work, but the server does.
    Warning,
    /// The server, or most tests, cannot work.
    Problem,
}

/// What one check has found.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Finding {
    /// What was looked at, in a word or two.
    about: &'static str,
    state: State,
    /// What is there, or what is wrong.
    text: String,
    /// The command, or the edit, that mends it.
    remedy: Option<String>,
}

impl Finding {
    fn ok(about: &'static str, text: impl Into<String>) -> Self {
        Self { about, state: State::Ok, text: text.into(), remedy: None }
    }

    fn warning(about: &'static str, text: impl Into<String>, remedy: impl Into<String>) -> Self {
        Self { about, state: State::Warning, text: text.into(), remedy: Some(remedy.into()) }
    }

    fn problem(about: &'static str, text: impl Into<String>, remedy: impl Into<String>) -> Self {
        Self { about, state: State::Problem, text: text.into(), remedy: Some(remedy.into()) }
    }
}

/// Prints what it finds.
pub fn doctor(arguments: &DoctorArguments) -> Exit {
    let findings = examine(arguments);
    log::print(&if arguments.json {
        let list: Vec<Value> = findings.iter().map(Finding::json).collect();
        format!("{:#}\n", Value::Array(list))
    } else {
        findings.iter().map(Finding::text).collect()
    });
    let healthy = findings.iter().all(|finding| finding.state != State::Problem);
    if healthy { Exit::Success } else { Exit::Failure }
}

fn examine(arguments: &DoctorArguments) -> Vec<Finding> {
    let root = arguments.root.clone().or_else(surrounding_checkout).unwrap_or_else(|| ".".into());
    let mut findings = python::check(arguments.python.as_deref(), &root);
    findings.push(checkout::check(&root));
    let absolute = root.canonicalize().unwrap_or_else(|_| root.clone());
    let defaults = Config::for_wpt(&absolute);
    let own = if is_checkout(&absolute) { absolute.as_path() } else { "".as_ref() };
    let config = match with_files(&defaults, own, arguments.config.as_deref()) {
        Ok((config, warnings)) => {
            findings.push(match warnings.as_slice() {
                [] => Finding::ok("configuration", "it has no mistakes"),
                warnings => Finding::warning("configuration", warnings.join("; "), EDIT),
            });
            config
        }
        Err(error) => {
            findings.push(Finding::problem("configuration", error.to_string(), EDIT));
            defaults
        }
    };
    if is_checkout(&absolute) {
        findings.extend(metadata::check(&root));
    }
    findings.push(names::check(&config));
    findings.push(ports::check(&config));
    findings.push(certificates::check(&config));
    findings.extend(machine::check());
    findings
}

const EDIT: &str = "edit the file; `wptserve config --schema` describes it";

impl Finding {
    fn word(&self) -> &'static str {
        match self.state {
            State::Ok => "ok",
            State::Warning => "warning",
            State::Problem => "problem",
        }
    }

    fn text(&self) -> String {
        let Self { about, text, .. } = self;
        let remedy = self.remedy.iter().map(|remedy| format!("         → {remedy}\n"));
        let first = format!("{:<8} {about}: {text}\n", self.word());
        remedy.fold(first, |text, line| text + &line)
    }

    fn json(&self) -> Value {
        json!({
            "about": self.about,
            "state": self.word(),
            "text": self.text,
            "remedy": self.remedy,
        })
    }
}

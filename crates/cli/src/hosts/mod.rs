//! `wptserve hosts`: the entries of the hosts file, printed, installed or removed.

mod block;
mod edit;

use std::{net::IpAddr, path::PathBuf};

use clap::Args;

use crate::{Exit, environment::EnvironmentArguments, log, settings::Failure};
use block::{Change, Entries};

/// Print the entries of a hosts file, or edit the file
///
/// The entries are those that `./wpt make-hosts-file` prints, for the configured hosts and
/// subdomains. --install and --remove change what is between the two comments, and nothing else.
#[derive(Debug, Clone, Args)]
pub struct HostsArguments {
    /// Put the entries into the hosts file
    #[arg(long, conflicts_with = "remove")]
    install: bool,

    /// Take the entries out of the hosts file
    #[arg(long)]
    remove: bool,

    /// The address of the entries
    #[arg(long, value_name = "ADDRESS", default_value = "127.0.0.1")]
    ip: IpAddr,

    /// The hosts file [default: the system's]
    #[arg(long, value_name = "PATH")]
    file: Option<PathBuf>,

    #[command(flatten)]
    environment: EnvironmentArguments,
}

/// Prints the entries, or edits the file.
pub fn hosts(arguments: &HostsArguments) -> Exit {
    match answer(arguments) {
        Ok(text) => {
            log::print(&text);
            Exit::Success
        }
        Err(failure) => failure.told(),
    }
}

fn answer(arguments: &HostsArguments) -> Result<String, Failure> {
    let names = arguments.environment.load()?.host_names();
    let entries = Entries { names: &names, ip: arguments.ip, excludes: cfg!(windows) };
    if !arguments.install && !arguments.remove {
        return Ok(entries.text());
    }
    let path = arguments.file.clone().unwrap_or_else(edit::system_file);
    let shown = path.display();
    let failure = |message: String| Failure { exit: Exit::Failure, message };
    let before = edit::read(&path)
        .map_err(|error| failure(format!("the hosts file {shown} cannot be read: {error}")))?;
    let change = if arguments.install { entries.install(&before) } else { entries.remove(&before) };
    let Change { after, said, warnings } = change
        .map_err(|reason| failure(format!("the hosts file {shown} is left as it is: {reason}")))?;
    for warning in warnings {
        log::warning(&format!("{shown}: {warning}"));
    }
    if after != before {
        edit::write(&path, &after)
            .map_err(|error| failure(edit::cannot_write(&path, arguments, &error)))?;
    }
    Ok(format!("{shown}: {said}\n"))
}

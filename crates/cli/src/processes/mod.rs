//! `--processes N`: a supervisor and its hosts.
//!
//! The supervisor binds the sockets and starts N processes, the *hosts*, that accept from them:
//! each has a Python of its own, or none. It keeps the stash that is one for all of them, writes
//! their log, replaces one that dies, and all of them at SIGHUP. It runs no handler and no Python,
//! so that no handler can end it; when it ends all the same, the hosts end with it.
//!
//! A host is the same command with `--supervised`. Its standard input is a Unix socket, over which
//! it gets its [`assignment`] and its [`orders`], and whose end is the supervisor's. It [`reports`]
//! over another. What it does is in its [`journal`], which the supervisor reads once it is dead.
//! A [`board`] tells all hosts how many connections each of them has.

#[cfg(unix)]
mod assignment;
#[cfg(unix)]
mod board;
#[cfg(unix)]
mod descriptors;
#[cfg(unix)]
mod frame;
#[cfg(unix)]
mod host;
pub mod journal;
#[cfg(unix)]
mod orders;
#[cfg(unix)]
mod post_mortem;
#[cfg(unix)]
mod reports;
#[cfg(unix)]
mod restarts;
#[cfg(unix)]
mod stash;
#[cfg(unix)]
mod supervisor;
#[cfg(unix)]
mod worker;

use std::ffi::{OsStr, OsString};

#[cfg(unix)]
pub(crate) use host::run as host;
#[cfg(unix)]
pub(crate) use supervisor::run as supervise;

/// The arguments of a host: the supervisor's, and that it is supervised.
pub fn supervised(arguments: &[OsString]) -> Vec<OsString> {
    let mut arguments = arguments.to_vec();
    // The options of a command come behind its name, and before what may be behind `--`.
    let place = usize::from(arguments.first().is_some_and(|first| first == OsStr::new("wpt")));
    arguments.insert(place, "--supervised".into());
    arguments
}

#[cfg(not(unix))]
mod elsewhere {
    use crate::{Exit, HandlerLoader, engine::Site, settings::Failure};

    /// Several processes need Unix sockets.
    pub(crate) fn supervise(
        _site: &dyn Site,
        _loader: &dyn HandlerLoader,
    ) -> Result<Exit, Failure> {
        Err(Failure {
            exit: Exit::Usage,
            message: "--processes: this system has no sockets that processes can share; start one \
                      server for each port"
                .to_owned(),
        })
    }

    pub(crate) use supervise as host;
}

#[cfg(not(unix))]
pub(crate) use elsewhere::{host, supervise};

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_option_of_a_host_comes_behind_the_command() {
        let of = |arguments: &[&str]| {
            let arguments: Vec<OsString> = arguments.iter().map(Into::into).collect();
            supervised(&arguments).join(OsStr::new(" "))
        };
        assert_eq!(of(&[]), "--supervised");
        assert_eq!(of(&["--processes", "2", "--", "-x"]), "--supervised --processes 2 -- -x");
        assert_eq!(of(&["wpt", "--processes=2"]), "wpt --supervised --processes=2");
    }
}

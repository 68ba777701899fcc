//! Whether the host names resolve: a warning when they do not, never a reason to stop.

use std::{
    collections::HashSet,
    net::ToSocketAddrs,
    sync::{Arc, mpsc},
    thread,
    time::{Duration, Instant},
};

use crate::{log::Log, settings::Settings};

/// Asks for the names beside the server; a resolver may take its time.
pub(super) fn check(settings: &Settings, log: &Arc<Log>) {
    let names = settings.config.host_names().domains;
    let log = Arc::clone(log);
    let ask = move || {
        let missing = unresolved(&names);
        if let Some(first) = missing.first() {
            let text = format!(
                "{} of {} host names do not resolve here, such as {first}; \
                 `wptserve browser-args` prints the flags with which a browser needs no names, \
                 `wptserve hosts --install` adds them to the hosts file",
                missing.len(),
                names.len()
            );
            log.warn("names", &text);
        }
    };
    // Without a thread there is no warning, and nothing else is lost.
    let _no_thread = thread::Builder::new().name("names".to_owned()).spawn(ask);
}

/// The names that this machine cannot resolve, or not in time. They are asked for at once: each may
/// take a resolver on the network a while.
pub(crate) fn unresolved(names: &[String]) -> Vec<&String> {
    let (tell, told) = mpsc::channel();
    for name in names.iter().cloned() {
        let tell = tell.clone();
        let ask = move || {
            if (name.as_str(), 80).to_socket_addrs().is_ok() {
                // Nobody waits any more once the time is up.
                let _late = tell.send(name);
            }
        };
        // Without a thread the name counts as one that does not resolve.
        let _no_thread = thread::Builder::new().spawn(ask);
    }
    drop(tell);
    let end = Instant::now() + PATIENCE;
    let mut resolved = HashSet::new();
    while let Ok(name) = told.recv_timeout(end.saturating_duration_since(Instant::now())) {
        resolved.insert(name);
    }
    names.iter().filter(|name| !resolved.contains(*name)).collect()
}

/// A resolver that takes longer is of no use to a browser.
const PATIENCE: Duration = Duration::from_secs(3);

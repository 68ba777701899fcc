//! Whether the host names resolve: a warning when they do not, never a reason to stop.

use std::{
    collections::HashSet,
    net::ToSocketAddrs,
    sync::{Arc, Mutex, PoisonError, mpsc},
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

/// The names that this machine cannot resolve, or not in time. Several are asked for at once: each
/// may take a resolver on the network a while. None when no thread can be started that asks.
pub(crate) fn unresolved(names: &[String]) -> Vec<&String> {
    let (tell, told) = mpsc::channel();
    let unasked = Arc::new(Mutex::new(names.to_vec()));
    let mut threads = 0;
    for _ in 0..RESOLVERS.min(names.len()) {
        let (tell, unasked) = (tell.clone(), Arc::clone(&unasked));
        let ask = move || {
            // Nothing panics while it holds this.
            let next = || unasked.lock().unwrap_or_else(PoisonError::into_inner).pop();
            while let Some(name) = next() {
                let resolves = (name.as_str(), 80).to_socket_addrs().is_ok();
                if resolves && tell.send(name).is_err() {
                    // Nobody waits any more: the time is up.
                    return;
                }
            }
        };
        threads += usize::from(thread::Builder::new().spawn(ask).is_ok());
    }
    drop(tell);
    if threads == 0 {
        return Vec::new();
    }
    let end = Instant::now() + PATIENCE;
    let mut resolved = HashSet::new();
    while let Ok(name) = told.recv_timeout(end.saturating_duration_since(Instant::now())) {
        resolved.insert(name);
    }
    names.iter().filter(|name| !resolved.contains(*name)).collect()
}

/// So many names are asked for at once.
const RESOLVERS: usize = 16;

/// A resolver that takes longer is of no use to a browser.
const PATIENCE: Duration = Duration::from_secs(3);

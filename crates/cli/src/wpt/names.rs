//! Whether the host names resolve: a warning when they do not, never a reason to stop.

use std::{net::ToSocketAddrs, sync::Arc, thread};

use crate::{log::Log, settings::Settings};

/// Asks for the names beside the server; a resolver may take its time.
pub(super) fn check(settings: &Settings, log: &Arc<Log>) {
    let config = settings.resolved(&[]);
    let names: Vec<String> = config["domains_set"]
        .as_array()
        .into_iter()
        .flatten()
        .filter_map(|name| name.as_str().map(str::to_owned))
        .collect();
    let log = Arc::clone(log);
    let ask = move || {
        let missing: Vec<&String> =
            names.iter().filter(|name| (name.as_str(), 80).to_socket_addrs().is_err()).collect();
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

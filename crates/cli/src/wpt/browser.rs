//! `--open`: the default browser at the root.

use std::{net::ToSocketAddrs, sync::Arc, thread};

use crate::engine::Listening;

/// Opens the root, or the start page where the root's host does not resolve: it says how a browser
/// comes to the hosts.
pub(super) fn open(root: String, start_page: Option<String>, listening: &Listening) {
    let log = Arc::clone(&listening.log);
    // A resolver, and a browser, may take their time.
    let open = move || {
        let url = if resolves(&root) { root } else { start_page.unwrap_or(root) };
        if let Err(error) = open::that_detached(&url) {
            log.warn("browser", &format!("no browser can be opened at {url}: {error}"));
        }
    };
    // Without a thread there is no browser, and nothing else is lost.
    let _no_thread = thread::Builder::new().name("browser".to_owned()).spawn(open);
}

fn resolves(url: &str) -> bool {
    let host = url.split_once("://").map_or("", |(_, rest)| rest).trim_end_matches('/');
    host.to_socket_addrs().is_ok()
}

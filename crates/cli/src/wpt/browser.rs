//! `--open`: the default browser at the root.

use std::{net::ToSocketAddrs, sync::Arc, thread};

use server::Scheme;

use crate::engine::Listening;

/// Opens a URL, or the same page by address where its host does not resolve.
pub(super) fn open(url: String, listening: &Listening) {
    let log = Arc::clone(&listening.log);
    let port = listening.port(Scheme::Http);
    // A resolver, and a browser, may take their time.
    let open = move || {
        let host = url.split_once("://").map_or("", |(_, rest)| rest).trim_end_matches('/');
        let url = match port {
            Some(port) if host.to_socket_addrs().is_err() => format!("http://127.0.0.1:{port}/"),
            _ => url,
        };
        if let Err(error) = open::that_detached(&url) {
            log.warn("browser", &format!("no browser can be opened at {url}: {error}"));
        }
    };
    // Without a thread there is no browser, and nothing else is lost.
    let _no_thread = thread::Builder::new().name("browser".to_owned()).spawn(open);
}

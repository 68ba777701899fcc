//! A request that was never sent: what `wptserve routes URL` asks about.

use std::{
    fmt::Write as _,
    net::{IpAddr, Ipv4Addr, SocketAddr},
    sync::Arc,
};

use bytes::{Bytes, BytesMut};
use server::{
    ConnectionInfo, Encryption, Environment, Limits, Refusals, Request, RequestBody, Wakes,
    event::NoEvents, file_cache::FileCache, stash::MemoryStash,
};

use crate::settings::Settings;

/// The request that a browser sends for a URL.
pub(super) fn request(settings: &Settings, method: &str, url: &str) -> Result<Request, String> {
    let port = settings.endpoints.first().map_or(0, |endpoint| endpoint.port);
    let (authority, target) = split(url);
    let host = match authority {
        Some(authority) => authority.to_owned(),
        None => format!("{}:{port}", settings.config.browser_host),
    };
    if method == "CONNECT" {
        return Err("CONNECT is answered without a route".to_owned());
    }
    let head = format!("{method} {target} HTTP/1.1\r\nHost: {host}\r\n\r\n");
    let head = proto::parse_request_head(&mut BytesMut::from(head.as_str()))
        .map_err(|error| error.message())
        .and_then(|head| head.ok_or_else(|| "Bad request line".to_owned()))
        .map_err(|reason| format!("`{method} {url}` is no request: {reason}"))?;
    let here = SocketAddr::new(IpAddr::V4(Ipv4Addr::LOCALHOST), port);
    let connection = ConnectionInfo {
        peer: here,
        local: here,
        scheme: "http",
        encryption: Encryption::None,
        only_http2: false,
    };
    let environment = Environment {
        doc_root: settings.doc_root.clone(),
        config: settings.resolved(&settings.ports()),
        files: FileCache::default(),
        stash: Arc::new(MemoryStash::default()),
        events: Arc::new(NoEvents),
        refusals: Refusals::default(),
        limits: Limits::default(),
        wakes: Arc::new(Wakes::default()),
    };
    let body = RequestBody::Complete(Bytes::new());
    Ok(Request::new(head, body, Arc::new(connection), Arc::new(environment)))
}

/// The authority of a URL that has one, and the target that is asked for: without the fragment,
/// and with escapes for what no request line can have.
fn split(url: &str) -> (Option<&str>, String) {
    let url = url.split('#').next().unwrap_or_default();
    let absolute = url.split_once("://").filter(|(scheme, _)| {
        !scheme.is_empty() && scheme.bytes().all(|byte| byte.is_ascii_alphanumeric())
    });
    let (authority, path) = match absolute {
        Some((_, rest)) => {
            let end = rest.find(['/', '?']).unwrap_or(rest.len());
            (Some(&rest[..end]), &rest[end..])
        }
        None => (None, url),
    };
    let mut target = String::new();
    if !path.starts_with('/') {
        target.push('/');
    }
    for byte in path.bytes() {
        if byte.is_ascii_graphic() {
            target.push(char::from(byte));
        } else {
            // Writing to a String cannot fail.
            let _ = write!(target, "%{byte:02X}");
        }
    }
    (authority, target)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_url_is_split_as_a_browser_does() {
        for (url, expected) in [
            ("/a?b#c", (None, "/a?b")),
            ("a b/é", (None, "/a%20b/%C3%A9")),
            ("", (None, "/")),
            ("?q", (None, "/?q")),
            ("http://web.test:8000/x?y=http://z/", (Some("web.test:8000"), "/x?y=http://z/")),
            ("https://web.test", (Some("web.test"), "/")),
            ("https://web.test?q#f", (Some("web.test"), "/?q")),
            ("/x?y=http://z/", (None, "/x?y=http://z/")),
        ] {
            let (authority, target) = split(url);
            assert_eq!((authority, target.as_str()), expected, "{url}");
        }
    }
}

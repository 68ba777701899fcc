//! One request, as handlers see it.

use std::{
    borrow::Cow,
    net::SocketAddr,
    path::Path,
    sync::{Arc, OnceLock},
};

use bytes::Bytes;
use proto::{HeaderList, RequestHead, Target, TargetForm, Version, percent, route::RouteMatch};

use crate::{
    RequestBody, environment::Environment, http2::Http2Stream, injection::Injection, socket_table,
};

/// What all requests of a connection have in common.
#[derive(Debug, Clone)]
pub struct ConnectionInfo {
    /// The client's address.
    pub peer: SocketAddr,
    /// The address that the client connected to.
    pub local: SocketAddr,
    /// `http` or `https`.
    pub scheme: &'static str,
    /// Whether the bytes on the wire are encrypted.
    pub encryption: Encryption,
    /// Whether the port speaks nothing but HTTP/2.
    pub only_http2: bool,
}

impl ConnectionInfo {
    /// How much of what was written the client has not acknowledged, where the system tells.
    pub(crate) fn unacknowledged(&self) -> Option<u32> {
        socket_table::end(self.local, self.peer).map(|end| end.unacknowledged)
    }
}

/// Whether a connection is encrypted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Encryption {
    /// It is not.
    None,
    /// It will be, after a CONNECT request.
    AfterConnect,
    /// It is, with TLS.
    Tls,
}

/// A request whose head is complete. Its body may still be arriving.
pub struct Request {
    /// The head as received.
    pub head: RequestHead,
    /// The body.
    pub body: RequestBody,
    /// The connection it came on.
    pub connection: Arc<ConnectionInfo>,
    /// What the server offers to handlers.
    pub environment: Arc<Environment>,
    /// What the route's pattern matched; set by the router.
    pub route_match: Option<RouteMatch>,
    /// The prefix of the path that the route is mounted at; `/` unless it is a mount point.
    pub url_base: Cow<'static, str>,
    /// The directory of the mount point, in place of the document root.
    pub base_path: Option<Arc<Path>>,
    /// What the route puts into HTML responses.
    pub injection: Option<Arc<Injection>>,
    /// The stream, when the request came over HTTP/2.
    pub http2: Option<Http2Stream>,
    /// Whether the connection takes no further request, whatever the handler does.
    pub is_last: bool,
    decoded_path: Option<Vec<u8>>,
    url_parts: OnceLock<UrlParts>,
}

/// The parts of a request's URL, as Python's `urlsplit` has them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UrlParts {
    /// The scheme, in lower case.
    pub scheme: String,
    /// The host without brackets and port, in lower case; `None` when it is empty.
    pub hostname: Option<String>,
    /// The port, when there is one and it is a port.
    pub port: Option<u16>,
}

impl Request {
    /// A request with the given head and body.
    pub fn new(
        head: RequestHead,
        body: RequestBody,
        connection: Arc<ConnectionInfo>,
        environment: Arc<Environment>,
    ) -> Self {
        let decoded_path = decode_path(&head.target.path);
        Self {
            head,
            body,
            connection,
            environment,
            route_match: None,
            url_base: Cow::Borrowed("/"),
            base_path: None,
            injection: None,
            http2: None,
            is_last: false,
            decoded_path,
            url_parts: OnceLock::new(),
        }
    }

    /// Replaces the target's path, as a rewrite does: the query and the fragment stay. The path may
    /// bring a query itself; the request line stays as it was received.
    pub fn set_path(&mut self, path: &[u8]) {
        let head = &self.head;
        let mut target = Vec::with_capacity(head.raw_target.len() + path.len());
        if let TargetForm::Absolute { scheme, authority } = &head.target.form {
            target.extend_from_slice(scheme);
            target.extend_from_slice(b"://");
            target.extend_from_slice(authority);
        }
        target.extend_from_slice(path);
        // An empty query or fragment is dropped with its mark, as Python's `urlunsplit` does.
        if let Some(query) = head.target.query.as_ref().filter(|query| !query.is_empty()) {
            target.push(b'?');
            target.extend_from_slice(query);
        }
        let fragment = head.raw_target.iter().position(|&byte| byte == b'#');
        if let Some(fragment) = fragment.filter(|at| at + 1 < head.raw_target.len()) {
            target.extend_from_slice(&head.raw_target[fragment..]);
        }
        self.set_target(target.into());
    }

    /// Replaces the whole target; the request line stays as it was received.
    pub fn set_target(&mut self, target: Bytes) {
        let head = &mut self.head;
        head.target = Target::parse(target.clone(), &head.method);
        head.raw_target = target;
        self.decoded_path = decode_path(&head.target.path);
        self.url_parts.take();
    }

    /// The directory that paths are resolved against.
    pub fn doc_root(&self) -> &Path {
        self.base_path.as_deref().unwrap_or(&self.environment.doc_root)
    }

    /// The parts of [`url`](Self::url).
    pub fn url_parts(&self) -> &UrlParts {
        self.url_parts.get_or_init(|| self.split_url())
    }

    fn split_url(&self) -> UrlParts {
        let url = self.display_url();
        let (scheme, rest) = url.split_once("://").unwrap_or(("", &url));
        let authority = rest.split(['/', '?', '#']).next().unwrap_or_default();
        let host = authority.rsplit('@').next().unwrap_or_default();
        let (hostname, port) = match host.strip_prefix('[').and_then(|host| host.split_once(']')) {
            Some((hostname, rest)) => (hostname, rest.strip_prefix(':')),
            None => match host.split_once(':') {
                Some((hostname, port)) => (hostname, Some(port)),
                None => (host, None),
            },
        };
        UrlParts {
            scheme: scheme.to_lowercase(),
            hostname: (!hostname.is_empty()).then(|| hostname.to_lowercase()),
            port: port.and_then(|port| port.parse().ok()),
        }
    }

    /// The header list.
    pub fn headers(&self) -> &HeaderList {
        &self.head.headers
    }

    /// The percent-decoded path, always with a leading `/` for origin-form and absolute-form
    /// targets.
    pub fn path(&self) -> &[u8] {
        self.decoded_path.as_deref().unwrap_or(&self.head.target.path)
    }

    /// Whether the client asks for a connection to another host. A CONNECT that names a protocol
    /// (RFC 8441) asks for one to this server, and is routed.
    pub fn is_connect(&self) -> bool {
        self.head.method.as_ref() == b"CONNECT" && self.protocol().is_none()
    }

    /// What an extended CONNECT asks to speak (RFC 8441), such as `websocket`.
    pub fn protocol(&self) -> Option<&[u8]> {
        self.http2.as_ref()?.protocol()
    }

    /// Whether the request asks for the head only.
    pub fn is_head(&self) -> bool {
        self.head.method.as_ref() == b"HEAD"
    }

    /// The target as the reference spells it in `request.url`: an absolute-form target as it is,
    /// any other behind `scheme://host:port`. The host is the `Host` field's, or the address that
    /// the client connected to.
    pub fn url(&self) -> Vec<u8> {
        if matches!(self.head.target.form, TargetForm::Absolute { .. }) {
            return self.head.raw_target.to_vec();
        }
        let mut url = Vec::with_capacity(64 + self.head.raw_target.len());
        url.extend_from_slice(self.connection.scheme.as_bytes());
        url.extend_from_slice(b"://");
        match self.headers().get(b"host") {
            Some(host) => {
                url.extend_from_slice(host);
                if !host.contains(&b':') {
                    url.extend_from_slice(format!(":{}", self.connection.local.port()).as_bytes());
                }
            }
            None => url.extend_from_slice(self.connection.local.to_string().as_bytes()),
        }
        url.extend_from_slice(&self.head.raw_target);
        url
    }

    /// [`url`](Self::url) for a message.
    pub fn display_url(&self) -> String {
        latin1(&self.url())
    }

    /// The version of HTTP that the client spoke.
    pub fn version(&self) -> Version {
        self.head.version
    }

    /// The query, without `?`.
    pub fn query(&self) -> Option<&Bytes> {
        self.head.target.query.as_ref()
    }
}

/// The path that escapes stand for; `None` when it has none. A raw byte beyond ASCII is a latin-1
/// character, as in the reference, and file names are UTF-8.
fn decode_path(path: &[u8]) -> Option<Vec<u8>> {
    if !path.is_ascii() {
        return Some(percent::decode(latin1(path).as_bytes()).into_owned());
    }
    match percent::decode(path) {
        Cow::Borrowed(_) => None,
        Cow::Owned(decoded) => Some(decoded),
    }
}

/// Text with one character per byte.
pub fn latin1(bytes: &[u8]) -> String {
    match str::from_utf8(bytes) {
        Ok(text) if text.is_ascii() => text.to_owned(),
        _ => bytes.iter().map(|&byte| char::from(byte)).collect(),
    }
}

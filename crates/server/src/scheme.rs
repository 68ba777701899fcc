//! The schemes of `wpt serve`: what a port speaks, and for whom.

use std::fmt;

/// What a port is for. The names are the keys of the configuration's `ports`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Scheme {
    /// HTTP/1.
    Http,
    /// HTTP/1 for the tests of the local address space.
    HttpLocal,
    /// HTTP/1 for the tests of the public address space.
    HttpPublic,
    /// HTTP/1 over TLS.
    Https,
    /// HTTP/1 over TLS, local address space.
    HttpsLocal,
    /// HTTP/1 over TLS, public address space.
    HttpsPublic,
    /// HTTP/2 over TLS.
    H2,
    /// WebSocket.
    Ws,
    /// WebSocket over TLS.
    Wss,
    /// WebTransport over HTTP/3.
    WebTransportH3,
    /// DNS.
    Dns,
}

impl Scheme {
    /// All schemes, in the order of `wpt serve`.
    pub const ALL: [Self; 11] = [
        Self::Http,
        Self::HttpLocal,
        Self::HttpPublic,
        Self::Https,
        Self::HttpsLocal,
        Self::HttpsPublic,
        Self::H2,
        Self::Ws,
        Self::Wss,
        Self::WebTransportH3,
        Self::Dns,
    ];

    /// The scheme of a name; older names are known too.
    pub fn from_name(name: &str) -> Option<Self> {
        let name = OLD_NAMES.iter().find(|(old, _)| *old == name).map_or(name, |(_, new)| new);
        Self::ALL.into_iter().find(|scheme| scheme.name() == name)
    }

    /// The name in the configuration.
    pub fn name(self) -> &'static str {
        match self {
            Self::Http => "http",
            Self::HttpLocal => "http-local",
            Self::HttpPublic => "http-public",
            Self::Https => "https",
            Self::HttpsLocal => "https-local",
            Self::HttpsPublic => "https-public",
            Self::H2 => "h2",
            Self::Ws => "ws",
            Self::Wss => "wss",
            Self::WebTransportH3 => "webtransport-h3",
            Self::Dns => "dns",
        }
    }

    /// Whether it is WebSocket.
    pub fn is_websocket(self) -> bool {
        matches!(self, Self::Ws | Self::Wss)
    }

    /// Whether its connections begin with a TLS handshake.
    pub fn is_secure(self) -> bool {
        matches!(self, Self::Https | Self::HttpsLocal | Self::HttpsPublic | Self::H2 | Self::Wss)
    }

    /// Whether this version speaks what the scheme asks for.
    pub fn is_built(self) -> bool {
        match self {
            Self::Http
            | Self::HttpLocal
            | Self::HttpPublic
            | Self::Https
            | Self::HttpsLocal
            | Self::HttpsPublic
            | Self::H2
            | Self::Ws
            | Self::Wss
            | Self::Dns => true,
            Self::WebTransportH3 => false,
        }
    }

    /// The protocols that its handshake offers (ALPN, RFC 7301), the preferred one first; on ports
    /// for HTTPS with HTTP/2 if `http2`.
    pub(crate) fn alpn(self, http2: bool) -> &'static [&'static [u8]] {
        match self {
            Self::H2 => &[b"h2"],
            Self::Https | Self::HttpsLocal | Self::HttpsPublic if http2 => {
                &[b"h2", b"http/1.1", b"http/1.0"]
            }
            Self::Https | Self::HttpsLocal | Self::HttpsPublic | Self::Wss => {
                &[b"http/1.1", b"http/1.0"]
            }
            _ => &[],
        }
    }

    /// The scheme of its URLs.
    pub fn url_scheme(self) -> &'static str {
        if self.is_secure() { "https" } else { "http" }
    }
}

impl fmt::Display for Scheme {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// What schemes were called before, and their names now.
pub const OLD_NAMES: [(&str, &str); 2] =
    [("http-private", "http-local"), ("https-private", "https-local")];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_name_leads_back_to_its_scheme() {
        for scheme in Scheme::ALL {
            assert_eq!(Scheme::from_name(scheme.name()), Some(scheme));
        }
        assert_eq!(Scheme::from_name("http-private"), Some(Scheme::HttpLocal));
        assert_eq!(Scheme::from_name("gopher"), None);
    }
}

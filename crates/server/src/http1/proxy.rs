//! The server as a browser's proxy: which hosts and ports it leads to.

use std::net::{IpAddr, SocketAddr};

use proto::{RequestHead, TargetForm};

use crate::{ConnectionInfo, Encryption, Request, Scheme, dns::DnsNames};

/// A proxy to nowhere else than this server.
#[derive(Debug, Clone)]
pub(crate) struct Proxy {
    /// What is listened on.
    listening: Vec<(Scheme, SocketAddr)>,
    /// The hosts that the server stands for; all without them.
    names: Option<DnsNames>,
}

impl Proxy {
    /// A proxy to the addresses that are listened on, under any name.
    pub(crate) fn new(listening: Vec<(Scheme, SocketAddr)>) -> Self {
        Self { listening, names: None }
    }

    /// The same for these names only.
    pub(crate) fn for_names(self, names: DnsNames) -> Self {
        Self { names: Some(names), ..self }
    }

    /// The host and the port that a request asks a proxy for, where they are not this server's.
    pub(super) fn foreign(&self, head: &RequestHead, info: &ConnectionInfo) -> Option<String> {
        let names = self.names.as_ref()?;
        let is_connect = head.method.as_ref() == b"CONNECT";
        // There the request only begins the encryption, whatever it names.
        if is_connect && info.encryption == Encryption::AfterConnect {
            return None;
        }
        let (authority, default) = match &head.target.form {
            TargetForm::Authority => (&head.raw_target, None),
            TargetForm::Absolute { scheme, authority } => (authority, default_port(scheme)),
            TargetForm::Origin | TargetForm::Asterisk => return None,
        };
        let shown = || authority.escape_ascii().to_string();
        let Some((host, port)) = host_and_port(authority) else {
            return Some(shown());
        };
        let is_ours = match host.trim_matches(['[', ']']).parse::<IpAddr>() {
            Ok(ip) => ip.is_loopback() || ip == info.local.ip() || self.listens_at(ip),
            Err(_) => host.eq_ignore_ascii_case("localhost") || names.resolves(host),
        };
        let port = port.or(default);
        let leads_here = is_ours && port.is_some_and(|port| self.has_port(port, info.local));
        (!leads_here).then(shown)
    }

    /// The address that a CONNECT request on `local` leads to. None for every other request, and
    /// for the port that it came to: there, as in the reference, the connection is its own proxy.
    pub(super) fn tunnel(&self, head: &RequestHead, local: SocketAddr) -> Option<SocketAddr> {
        if head.method.as_ref() != b"CONNECT" {
            return None;
        }
        let port = host_and_port(&head.raw_target)?.1?;
        if port == local.port() {
            return None;
        }
        let addresses = self.listening.iter().map(|(_, address)| address);
        let at_port = |address: &&SocketAddr| address.port() == port;
        let nearest = |address: &&SocketAddr| (address.ip() == local.ip(), address.ip().is_ipv4());
        let address = addresses.filter(at_port).max_by_key(nearest)?;
        let ip = match address.ip() {
            ip if !ip.is_unspecified() => ip,
            IpAddr::V4(_) => [127, 0, 0, 1].into(),
            IpAddr::V6(_) => std::net::Ipv6Addr::LOCALHOST.into(),
        };
        Some(SocketAddr::new(ip, port))
    }

    /// Whether a request asks a proxy for a port of `ws`. Some clients make no tunnel for a
    /// WebSocket without TLS.
    pub(crate) fn is_asked_for_websocket(&self, request: &Request) -> bool {
        let TargetForm::Absolute { scheme, authority } = &request.head.target.form else {
            return false;
        };
        let port = host_and_port(authority).and_then(|(_, port)| port.or(default_port(scheme)));
        let speaks = |(scheme, address): &(Scheme, SocketAddr)| {
            *scheme == Scheme::Ws && Some(address.port()) == port
        };
        self.listening.iter().any(speaks)
    }

    fn has_port(&self, port: u16, local: SocketAddr) -> bool {
        port == local.port() || self.listening.iter().any(|(_, address)| address.port() == port)
    }

    fn listens_at(&self, ip: IpAddr) -> bool {
        self.listening.iter().any(|(_, address)| address.ip() == ip)
    }
}

/// The parts of an authority, without user information; none when the port is not one.
fn host_and_port(authority: &[u8]) -> Option<(&str, Option<u16>)> {
    let authority = std::str::from_utf8(authority).ok()?;
    let authority = authority.rsplit('@').next().unwrap_or_default();
    match authority.rsplit_once(':') {
        // A colon within brackets belongs to an address.
        Some((host, port)) if !port.contains(']') => Some((host, Some(port.parse().ok()?))),
        _ => Some((authority, None)),
    }
}

fn default_port(scheme: &[u8]) -> Option<u16> {
    let is = |known: &str| scheme.eq_ignore_ascii_case(known.as_bytes());
    match () {
        () if is("http") || is("ws") => Some(80),
        () if is("https") || is("wss") => Some(443),
        () => None,
    }
}

#[cfg(test)]
mod tests {
    use bytes::BytesMut;
    use proto::HeadParser;

    use super::*;

    fn head(request: &str) -> RequestHead {
        let mut input = BytesMut::from(format!("{request} HTTP/1.1\r\nHost: x\r\n\r\n").as_bytes());
        HeadParser::default().parse(&mut input).unwrap().unwrap()
    }

    #[test]
    fn only_the_own_ports_are_reached() {
        let at = |text: &str| (Scheme::Http, text.parse::<SocketAddr>().unwrap());
        let proxy = Proxy::new(
            ["127.0.0.1:80", "[::1]:443", "127.0.0.1:443", "0.0.0.0:90", "[::]:91"].map(at).into(),
        );
        let tunnel = |request: &str| proxy.tunnel(&head(request), at("127.0.0.1:80").1);
        assert_eq!(tunnel("CONNECT web.test:443"), Some(at("127.0.0.1:443").1));
        assert_eq!(tunnel("CONNECT other.test:90"), Some(at("127.0.0.1:90").1));
        assert_eq!(tunnel("CONNECT [::2]:91"), Some(at("[::1]:91").1));
        for none in ["CONNECT web.test:80", "CONNECT web.test:22", "CONNECT x", "GET http://x:443/"]
        {
            assert_eq!(tunnel(none), None, "{none}");
        }
        let address = proxy.tunnel(&head("CONNECT web.test:443"), at("[::1]:80").1);
        assert_eq!(address, Some(at("[::1]:443").1));
    }

    #[test]
    fn an_authority_has_a_host_and_perhaps_a_port() {
        assert_eq!(host_and_port(b"a.test:1"), Some(("a.test", Some(1))));
        assert_eq!(host_and_port(b"u:p@a.test"), Some(("a.test", None)));
        assert_eq!(host_and_port(b"[::1]"), Some(("[::1]", None)));
        assert_eq!(host_and_port(b"[::1]:2"), Some(("[::1]", Some(2))));
        assert_eq!(host_and_port(b"a.test:x"), None);
        assert_eq!(host_and_port(b"\xff:1"), None);
    }
}

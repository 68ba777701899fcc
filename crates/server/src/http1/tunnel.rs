//! Tunnels to the server's own ports, for browsers that use it as their proxy.

use std::{
    net::{IpAddr, SocketAddr},
    time::Instant,
};

use proto::RequestHead;
use tokio::{
    io::{AsyncWriteExt, copy_bidirectional},
    net::TcpStream,
    time::timeout,
};

use super::{Connection, Ending, Transport};
use crate::event::{Event, RequestRecord};

/// Where a CONNECT request may lead to: nowhere else than to this server.
#[derive(Debug)]
pub(crate) struct Tunnels {
    addresses: Vec<SocketAddr>,
}

impl Tunnels {
    /// Tunnels to the addresses that are listened on.
    pub(crate) fn new(addresses: Vec<SocketAddr>) -> Self {
        Self { addresses }
    }

    /// The address that a CONNECT request on `local` leads to. None for every other request, and
    /// for the port that it came to: there, as in the reference, the connection is its own proxy.
    pub(super) fn address(&self, head: &RequestHead, local: SocketAddr) -> Option<SocketAddr> {
        if head.method.as_ref() != b"CONNECT" {
            return None;
        }
        let target = std::str::from_utf8(head.raw_target.as_ref()).ok()?;
        let port: u16 = target.rsplit_once(':')?.1.parse().ok()?;
        if port == local.port() {
            return None;
        }
        let at_port = |address: &&SocketAddr| address.port() == port;
        let nearest = |address: &&SocketAddr| (address.ip() == local.ip(), address.ip().is_ipv4());
        let address = self.addresses.iter().filter(at_port).max_by_key(nearest)?;
        let ip = match address.ip() {
            ip if !ip.is_unspecified() => ip,
            IpAddr::V4(_) => [127, 0, 0, 1].into(),
            IpAddr::V6(_) => std::net::Ipv6Addr::LOCALHOST.into(),
        };
        Some(SocketAddr::new(ip, port))
    }
}

impl<S: Transport> Connection<S> {
    /// Passes bytes to and fro until either side ends, or the server stops.
    pub(super) async fn tunnel(&mut self, head: &RequestHead, address: SocketAddr) -> Ending {
        let started = Instant::now();
        let patience = self.service.environment.limits.head_timeout;
        let Ok(Ok(mut far)) = timeout(patience, TcpStream::connect(address)).await else {
            let message = format!("the server cannot be reached at {address}");
            return self.refuse(502, &message).await;
        };
        // Both fail only when the connection is gone, which the copy below finds out.
        let _gone = far.set_nodelay(true);
        let early = self.input.split();
        let open = async {
            self.stream.write_all(b"HTTP/1.1 200 OK\r\n\r\n").await?;
            far.write_all(&early).await
        };
        let status = open.await.is_ok().then_some(200);
        let mut bytes = 0;
        if status.is_some() {
            let shutdown = &mut self.service.shutdown;
            tokio::select! {
                copied = copy_bidirectional(&mut self.stream, &mut far) => {
                    bytes = copied.map_or(0, |(_, back)| back);
                }
                _ = shutdown.wait_for(|phase| phase.is_last()) => {}
            }
        }
        self.service.environment.events.emit(&Event::Request(RequestRecord {
            method: &head.method,
            target: &head.raw_target,
            status,
            bytes,
            duration: started.elapsed(),
            peer: self.info.peer,
        }));
        Ending::Gone
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
        let at = |text: &str| text.parse::<SocketAddr>().unwrap();
        let tunnels = Tunnels::new(
            ["127.0.0.1:80", "[::1]:443", "127.0.0.1:443", "0.0.0.0:90", "[::]:91"].map(at).into(),
        );
        let address = |request: &str| tunnels.address(&head(request), at("127.0.0.1:80"));
        assert_eq!(address("CONNECT web.test:443"), Some(at("127.0.0.1:443")));
        assert_eq!(address("CONNECT other.test:90"), Some(at("127.0.0.1:90")));
        assert_eq!(address("CONNECT [::2]:91"), Some(at("[::1]:91")));
        for none in ["CONNECT web.test:80", "CONNECT web.test:22", "CONNECT x", "GET http://x:443/"]
        {
            assert_eq!(address(none), None, "{none}");
        }
        let address = tunnels.address(&head("CONNECT web.test:443"), at("[::1]:80"));
        assert_eq!(address, Some(at("[::1]:443")));
    }
}

//! A DNS server for the host names of the configuration, over UDP and TCP.
//!
//! It knows these names and nothing else: what it is not asked to know does not exist. A browser or
//! a device that asks it needs no hosts file.

mod answer;
mod names;

use std::{
    io,
    net::{IpAddr, SocketAddr},
    sync::Arc,
    time::Duration,
};

use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream, UdpSocket},
    task::JoinSet,
    time::{sleep, timeout},
};

use crate::{Error, accept::accept, listener};
use answer::{Addresses, answer};

pub use names::DnsNames;

/// Answers queries.
#[derive(Debug)]
pub struct Server {
    names: DnsNames,
    /// Where the web server is.
    listening: Vec<IpAddr>,
}

impl Server {
    /// A server for these names. Their address is the one that a query came to; the loopback
    /// address of the other family belongs to them too when it is among those listened on.
    pub fn new(names: DnsNames, listening: Vec<IpAddr>) -> Self {
        Self { names, listening }
    }

    /// Answers datagrams until it is dropped.
    pub async fn serve_udp(self: Arc<Self>, socket: UdpSocket) {
        let mut packet = vec![0; LARGEST];
        loop {
            let Ok((length, peer)) = socket.recv_from(&mut packet).await else {
                // Of a socket that has no connection; only time can mend it.
                sleep(PAUSE).await;
                continue;
            };
            let Ok(local) = socket.local_addr() else {
                continue;
            };
            let addresses = Addresses::of(destination(local, peer), &self.listening);
            if let Some(response) = answer(&packet[..length], &self.names, addresses) {
                // Who asks again gets another answer.
                let _lost = socket.send_to(&response, peer).await;
            }
        }
    }

    /// Answers connections until it is dropped.
    pub async fn serve_tcp(self: Arc<Self>, listener: TcpListener) {
        let mut connections = JoinSet::new();
        loop {
            let (stream, _) = accept(&listener, |_| ()).await;
            while connections.try_join_next().is_some() {}
            if connections.len() < MOST_CONNECTIONS {
                connections.spawn(Arc::clone(&self).converse(stream));
            }
        }
    }

    /// Answers the queries of a connection, each behind its length (RFC 1035, section 4.2.2).
    async fn converse(self: Arc<Self>, mut stream: TcpStream) -> io::Result<()> {
        let destination = stream.local_addr()?.ip();
        let addresses = Addresses::of(destination, &self.listening);
        loop {
            let query = timeout(PATIENCE, async {
                let length = stream.read_u16().await?;
                let mut query = vec![0; usize::from(length)];
                stream.read_exact(&mut query).await?;
                io::Result::Ok(query)
            })
            .await??;
            let Some(response) = answer(&query, &self.names, addresses) else {
                return Ok(());
            };
            // It has 512 bytes at most.
            let length = u16::try_from(response.len()).unwrap_or_default();
            let mut framed = length.to_be_bytes().to_vec();
            framed.extend_from_slice(&response);
            timeout(PATIENCE, stream.write_all(&framed)).await??;
        }
    }
}

/// The address that a datagram from `peer` came to.
fn destination(local: SocketAddr, peer: SocketAddr) -> IpAddr {
    if !local.ip().is_unspecified() {
        return local.ip();
    }
    // The socket is bound to all addresses: the one that leads to the peer. Nothing is sent.
    let route = std::net::UdpSocket::bind((local.ip(), 0))
        .and_then(|socket| socket.connect(peer).and_then(|()| socket.local_addr()));
    route.map_or(local.ip(), |local| local.ip())
}

/// Binds every address that `host` resolves to, for both protocols on the same port. Port 0 picks
/// a free one.
pub(crate) fn bind(
    host: &str,
    port: u16,
) -> Result<Vec<(std::net::TcpListener, std::net::UdpSocket)>, Error> {
    // A port that is free for one protocol may be taken for the other.
    let mut attempts = if port == 0 { 8 } else { 1 };
    loop {
        attempts -= 1;
        let pairs = listener::bind(host, port)?.into_iter().map(with_datagrams).collect();
        match pairs {
            Err(Error::PortInUse { .. }) if attempts > 0 => {}
            result => return result,
        }
    }
}

fn with_datagrams(
    listener: std::net::TcpListener,
) -> Result<(std::net::TcpListener, std::net::UdpSocket), Error> {
    let address = listener.local_addr().map_err(Error::Runtime)?;
    let socket = listener::bind_datagrams(address)?;
    Ok((listener, socket))
}

/// No UDP packet is larger.
const LARGEST: usize = 65_535;

/// How long a client may take for a query.
const PATIENCE: Duration = Duration::from_secs(10);

const PAUSE: Duration = Duration::from_millis(100);

/// More connections than these are closed at once.
const MOST_CONNECTIONS: usize = 256;

//! The system's own view of a TCP connection: what reads and writes do not tell.
//!
//! A client that has closed its socket and one that has only ended its sending half look the same
//! on the wire: both have sent a FIN, and only an answer to what is sent to them would tell them
//! apart. Where the client runs on this machine, as a browser under test does, the system's table
//! of sockets says whether a process still has the client's.

use std::net::SocketAddr;

/// One end of a TCP connection of this machine.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct End {
    /// Whether a process has it open.
    pub(crate) is_open: bool,
    /// How many bytes the other end has yet to acknowledge, while it is open.
    pub(crate) unacknowledged: u32,
}

/// The end at `local` of a connection to `peer`. `None` when there is none on this machine, or
/// when the system does not tell.
pub(crate) fn end(local: SocketAddr, peer: SocketAddr) -> Option<End> {
    #[cfg(target_os = "linux")]
    return sock_diag::end(canonical(local), canonical(peer)).ok().flatten();
    #[cfg(not(target_os = "linux"))]
    {
        let _unknown = (local, peer);
        None
    }
}

/// Whether nobody has the client's end of a connection any more, as far as that can be known.
pub(crate) fn is_abandoned(peer: SocketAddr, local: SocketAddr) -> bool {
    end(peer, local).is_some_and(|end| !end.is_open)
}

/// An IPv4 address that is written as an IPv6 one is the same socket.
#[cfg(target_os = "linux")]
fn canonical(address: SocketAddr) -> SocketAddr {
    SocketAddr::new(address.ip().to_canonical(), address.port())
}

/// `sock_diag(7)`: a question about one socket, and its answer.
#[cfg(target_os = "linux")]
mod sock_diag {
    use std::net::{IpAddr, SocketAddr};

    use rustix::{
        io::Errno,
        net::{
            AddressFamily, RecvFlags, SendFlags, SocketFlags, SocketType,
            netlink::{SOCK_DIAG, SocketAddrNetlink},
            recv, sendto, socket_with,
        },
    };

    use super::End;

    pub(super) fn end(local: SocketAddr, peer: SocketAddr) -> Result<Option<End>, Errno> {
        let socket = socket_with(
            AddressFamily::NETLINK,
            SocketType::RAW,
            SocketFlags::CLOEXEC | SocketFlags::NONBLOCK,
            Some(SOCK_DIAG),
        )?;
        let kernel = SocketAddrNetlink::new(0, 0);
        sendto(&socket, &question(local, peer), SendFlags::empty(), &kernel)?;
        // The kernel answers before the question returns.
        let mut answer = [0; 1024];
        let (length, _) = recv(&socket, &mut answer, RecvFlags::empty())?;
        Ok(read(&answer[..length]))
    }

    /// A `struct nlmsghdr` and a `struct inet_diag_req_v2`.
    fn question(local: SocketAddr, peer: SocketAddr) -> Vec<u8> {
        let family = if local.is_ipv4() { AF_INET } else { AF_INET6 };
        let mut bytes = Vec::with_capacity(usize::from(QUESTION));
        bytes.extend(u32::from(QUESTION).to_ne_bytes());
        bytes.extend(SOCK_DIAG_BY_FAMILY.to_ne_bytes());
        bytes.extend(NLM_F_REQUEST.to_ne_bytes());
        // A sequence number and a port ID, of which a socket for one question needs none.
        bytes.extend([0; 8]);
        bytes.extend([family, IPPROTO_TCP, 0, 0]);
        bytes.extend(ALL_STATES.to_ne_bytes());
        bytes.extend(local.port().to_be_bytes());
        bytes.extend(peer.port().to_be_bytes());
        for address in [local.ip(), peer.ip()] {
            let mut octets = [0; 16];
            match address {
                IpAddr::V4(address) => octets[..4].copy_from_slice(&address.octets()),
                IpAddr::V6(address) => octets = address.octets(),
            }
            bytes.extend(octets);
        }
        // Any interface, and no cookie of an earlier answer.
        bytes.extend(0_u32.to_ne_bytes());
        bytes.extend([0xff; 8]);
        bytes
    }

    /// The end that a `struct inet_diag_msg` behind a `struct nlmsghdr` tells of.
    fn read(answer: &[u8]) -> Option<End> {
        let kind = u16::from_ne_bytes(answer.get(4..6)?.try_into().ok()?);
        if kind != SOCK_DIAG_BY_FAMILY {
            return None;
        }
        let word = |at: usize| {
            let at = HEADER + at;
            Some(u32::from_ne_bytes(answer.get(at..at + 4)?.try_into().ok()?))
        };
        Some(End { is_open: word(INODE)? != 0, unacknowledged: word(SEND_QUEUE)? })
    }

    const SOCK_DIAG_BY_FAMILY: u16 = 20;
    const NLM_F_REQUEST: u16 = 1;
    const AF_INET: u8 = 2;
    const AF_INET6: u8 = 10;
    const IPPROTO_TCP: u8 = 6;
    const ALL_STATES: u32 = u32::MAX;
    const HEADER: usize = 16;
    const QUESTION: u16 = 16 + 56;
    /// Where the fields `idiag_wqueue` and `idiag_inode` are.
    const SEND_QUEUE: usize = 60;
    const INODE: usize = 68;
}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use std::{
        io::Write,
        net::{Shutdown, TcpListener, TcpStream},
    };

    use super::*;

    #[test]
    fn a_closed_end_is_told_from_a_half_closed_one() {
        for host in ["127.0.0.1:0", "[::1]:0"] {
            let Ok(listener) = TcpListener::bind(host) else { continue };
            let address = listener.local_addr().unwrap();
            let client = TcpStream::connect(address).unwrap();
            let (_server, peer) = listener.accept().unwrap();
            assert_eq!(end(peer, address), Some(End { is_open: true, unacknowledged: 0 }));
            client.shutdown(Shutdown::Write).unwrap();
            assert!(!is_abandoned(peer, address));
            drop(client);
            assert!(is_abandoned(peer, address));
        }
    }

    #[test]
    fn what_the_peer_does_not_read_is_counted() {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let client = TcpStream::connect(address).unwrap();
        let (mut server, peer) = listener.accept().unwrap();
        server.set_nonblocking(true).unwrap();
        while server.write(&[0; 4096]).is_ok() {}
        assert!(end(address, peer).unwrap().unacknowledged > 0);
        drop(client);
    }

    #[test]
    fn an_end_elsewhere_is_unknown() {
        let local = "127.0.0.1:1".parse().unwrap();
        let peer = "192.0.2.1:2".parse().unwrap();
        assert_eq!(end(local, peer), None);
        assert!(!is_abandoned(peer, local));
    }
}

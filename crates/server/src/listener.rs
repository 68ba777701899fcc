//! Binding.

use std::{
    fs,
    io::{self, ErrorKind},
    net::{SocketAddr, ToSocketAddrs},
    time::Duration,
};

use socket2::{Domain, Protocol, Socket, TcpKeepalive, Type};

use crate::Error;

/// Binds every address that `host` resolves to, all on the same port. Port 0 picks a free one.
pub(crate) fn bind(host: &str, port: u16) -> Result<Vec<std::net::TcpListener>, Error> {
    open_standard_descriptors();
    // A port that is free on one address may be taken on another.
    let mut attempts = if port == 0 { 8 } else { 1 };
    loop {
        attempts -= 1;
        match bind_all(host, port) {
            Err(Error::PortInUse { .. }) if attempts > 0 => {}
            result => return result,
        }
    }
}

/// Opens the null device as each of the standard descriptors that is closed. A socket would take
/// its number, and whatever is then written to the standard output or error would go to a client.
#[cfg(unix)]
fn open_standard_descriptors() {
    use std::os::fd::{AsRawFd, IntoRawFd};

    use rustix::fs::{Mode, OFlags, open};

    // The lowest number that is free is the one that is given. Without the null device, or without
    // a descriptor left, nothing better can be done.
    while let Ok(null) = open("/dev/null", OFlags::RDWR, Mode::empty()) {
        if null.as_raw_fd() > 2 {
            break;
        }
        // From now on it belongs to the process.
        let _standard = null.into_raw_fd();
    }
}

#[cfg(not(unix))]
fn open_standard_descriptors() {}

fn bind_all(host: &str, port: u16) -> Result<Vec<std::net::TcpListener>, Error> {
    let resolve = |source| Error::Resolve { host: host.to_owned(), source };
    let mut addresses: Vec<SocketAddr> = (host, port).to_socket_addrs().map_err(resolve)?.collect();
    addresses.dedup();
    if addresses.is_empty() {
        return Err(resolve(io::Error::new(ErrorKind::NotFound, "no address")));
    }
    let mut listeners = Vec::new();
    let mut port = port;
    for address in addresses {
        let address = SocketAddr::new(address.ip(), port);
        match bind_one(address) {
            Ok(listener) => {
                port = listener.local_addr().map_or(port, |bound| bound.port());
                listeners.push(listener);
            }
            // A name such as localhost may have an IPv6 address on a host without IPv6.
            Err(error)
                if !listeners.is_empty()
                    && matches!(
                        error.kind(),
                        ErrorKind::AddrNotAvailable | ErrorKind::Unsupported
                    ) => {}
            Err(error) if error.kind() == ErrorKind::AddrInUse => {
                let holder = holder(address).map(|name| format!(" by {name}")).unwrap_or_default();
                return Err(Error::PortInUse { host: host.to_owned(), port, holder });
            }
            Err(source) => return Err(Error::Listen { address, source }),
        }
    }
    Ok(listeners)
}

fn bind_one(address: SocketAddr) -> io::Result<std::net::TcpListener> {
    let socket = Socket::new(Domain::for_address(address), Type::STREAM, Some(Protocol::TCP))?;
    if cfg!(unix) {
        // Otherwise a restart fails while old connections are in TIME-WAIT.
        socket.set_reuse_address(true)?;
    }
    if address.is_ipv6() {
        socket.set_only_v6(true)?;
    }
    socket.bind(&address.into())?;
    // Accepted sockets inherit it. A client that left without a word is noticed while its response
    // waits, and so is one on another machine that closed: it answers a probe with a reset.
    socket.set_tcp_keepalive(&KEEPALIVE)?;
    socket.listen(BACKLOG)?;
    socket.set_nonblocking(true)?;
    Ok(socket.into())
}

/// Binds the UDP socket of an address that is listened on already.
pub(crate) fn bind_datagrams(address: SocketAddr) -> Result<std::net::UdpSocket, Error> {
    let bind = || {
        let socket = Socket::new(Domain::for_address(address), Type::DGRAM, Some(Protocol::UDP))?;
        if address.is_ipv6() {
            socket.set_only_v6(true)?;
        }
        socket.bind(&address.into())?;
        socket.set_nonblocking(true)?;
        io::Result::Ok(socket.into())
    };
    bind().map_err(|source| match source.kind() {
        ErrorKind::AddrInUse => Error::PortInUse {
            host: address.ip().to_string(),
            port: address.port(),
            holder: " for UDP".to_owned(),
        },
        _ => Error::Listen { address, source },
    })
}

/// `NAME (pid N)` of the process that listens on an address, as far as this user may know it.
#[cfg(target_os = "linux")]
fn holder(address: SocketAddr) -> Option<String> {
    let inode = ["/proc/net/tcp", "/proc/net/tcp6"]
        .iter()
        .filter_map(|table| fs::read_to_string(table).ok())
        .find_map(|table| listening_inode(&table, address.port()).map(str::to_owned))?;
    let wanted = format!("socket:[{inode}]");
    for process in fs::read_dir("/proc").ok()?.flatten() {
        let name = process.file_name();
        let Some(pid) = name.to_str().filter(|name| name.bytes().all(|b| b.is_ascii_digit()))
        else {
            continue;
        };
        let Ok(descriptors) = fs::read_dir(process.path().join("fd")) else {
            continue;
        };
        for descriptor in descriptors.flatten() {
            if fs::read_link(descriptor.path()).is_ok_and(|link| link.as_os_str() == &*wanted) {
                let name = fs::read_to_string(process.path().join("comm")).unwrap_or_default();
                return Some(format!("{} (pid {pid})", name.trim()));
            }
        }
    }
    None
}

#[cfg(not(target_os = "linux"))]
fn holder(_address: SocketAddr) -> Option<String> {
    None
}

/// The inode of the listening socket on a port, out of the text of `/proc/net/tcp`.
#[cfg(target_os = "linux")]
fn listening_inode(table: &str, port: u16) -> Option<&str> {
    table.lines().skip(1).find_map(|line| {
        let fields: Vec<&str> = line.split_whitespace().collect();
        let (_, hex_port) = fields.get(1)?.rsplit_once(':')?;
        let listening = fields.get(3) == Some(&"0A");
        (listening && u16::from_str_radix(hex_port, 16) == Ok(port))
            .then(|| fields.get(9).copied())
            .flatten()
    })
}

const BACKLOG: i32 = 2048;
const KEEPALIVE: TcpKeepalive = TcpKeepalive::new()
    .with_time(Duration::from_secs(30))
    .with_interval(Duration::from_secs(15))
    .with_retries(4);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_port_in_use_names_the_process() {
        let listeners = bind("127.0.0.1", 0).unwrap();
        let port = listeners[0].local_addr().unwrap().port();
        let Err(Error::PortInUse { holder, port: named, .. }) = bind("127.0.0.1", port) else {
            panic!("bound twice");
        };
        assert_eq!(named, port);
        if cfg!(target_os = "linux") {
            assert!(holder.contains(&format!("(pid {})", std::process::id())), "{holder}");
        }
    }

    #[test]
    fn a_name_that_does_not_resolve_is_named() {
        let error = bind("no-such-name.invalid", 0).unwrap_err();
        assert!(error.to_string().starts_with("the host `no-such-name.invalid`"), "{error}");
    }
}

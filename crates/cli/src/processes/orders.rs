//! What a supervisor tells a host after its assignment: one byte each.

use std::io;

use tokio::{io::AsyncReadExt, net::UnixStream};

/// An order.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Order {
    /// Stop as at SIGTERM.
    Stop,
    /// Accept no more connections, finish what there is, then end.
    Drain,
}

impl Order {
    fn byte(self) -> u8 {
        match self {
            Self::Stop => b'S',
            Self::Drain => b'D',
        }
    }

    /// Gives an order. One that finds no way has nobody to take it.
    pub(super) fn give(self, control: &UnixStream) {
        let _gone = control.try_write(&[self.byte()]);
    }
}

/// The orders of a supervisor.
pub(super) struct Orders(UnixStream);

impl Orders {
    /// The orders that come over a socket; within the runtime.
    pub(super) fn new(control: std::os::unix::net::UnixStream) -> io::Result<Self> {
        control.set_nonblocking(true)?;
        UnixStream::from_std(control).map(Self)
    }

    /// The next order. A supervisor that is gone is an order to stop.
    pub(super) async fn next(&mut self) -> Order {
        match self.0.read_u8().await {
            Ok(byte) if byte == Order::Drain.byte() => Order::Drain,
            _ => Order::Stop,
        }
    }
}

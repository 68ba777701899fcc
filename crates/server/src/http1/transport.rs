//! The streams that carry HTTP/1.

use std::{
    fs::File,
    io,
    pin::Pin,
    task::{Context, Poll},
};

use tokio::{
    io::{AsyncRead, AsyncWrite},
    net::TcpStream,
};

/// A stream that carries HTTP/1.
pub(crate) trait Transport: AsyncRead + AsyncWrite + Unpin {
    /// Whether it has [`poll_send_file`](Self::poll_send_file).
    const SENDS_FILES: bool = false;

    /// The socket beneath.
    fn socket(&self) -> &TcpStream;

    /// Makes the close a reset (RST), which drops what the client has not read.
    fn reset_on_close(&self) {
        // Fails only on a socket that is closed already.
        let _closed = self.socket().set_zero_linger();
    }

    /// Writes bytes; `more` says that others follow at once, so that these may wait for them.
    fn poll_send(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[u8],
        _more: bool,
    ) -> Poll<io::Result<usize>> {
        self.poll_write(cx, bytes)
    }

    /// Sends at most `length` bytes of a file from a position on, without reading them.
    fn poll_send_file(
        &self,
        _cx: &mut Context<'_>,
        _file: &File,
        _position: u64,
        _length: u64,
    ) -> Poll<io::Result<usize>> {
        Poll::Ready(Err(io::ErrorKind::Unsupported.into()))
    }
}

impl Transport for TcpStream {
    const SENDS_FILES: bool = cfg!(target_os = "linux");

    fn socket(&self) -> &TcpStream {
        self
    }

    #[cfg(target_os = "linux")]
    fn poll_send(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[u8],
        more: bool,
    ) -> Poll<io::Result<usize>> {
        use rustix::net::{SendFlags, send};
        if !more {
            return self.poll_write(cx, bytes);
        }
        let stream = self.get_mut();
        poll_system_call(stream, cx, || {
            send(&*stream, bytes, SendFlags::MORE | SendFlags::NOSIGNAL)
        })
    }

    #[cfg(target_os = "linux")]
    fn poll_send_file(
        &self,
        cx: &mut Context<'_>,
        file: &File,
        position: u64,
        length: u64,
    ) -> Poll<io::Result<usize>> {
        let length = usize::try_from(length).unwrap_or(usize::MAX);
        poll_system_call(self, cx, || {
            rustix::fs::sendfile(self, file, Some(&mut { position }), length)
        })
    }
}

/// Makes a system call that writes to a stream, once there is room.
#[cfg(target_os = "linux")]
fn poll_system_call(
    stream: &TcpStream,
    cx: &mut Context<'_>,
    mut call: impl FnMut() -> rustix::io::Result<usize>,
) -> Poll<io::Result<usize>> {
    use tokio::io::Interest;
    loop {
        std::task::ready!(stream.poll_write_ready(cx))?;
        match stream.try_io(Interest::WRITABLE, || call().map_err(io::Error::from)) {
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
            result => return Poll::Ready(result),
        }
    }
}

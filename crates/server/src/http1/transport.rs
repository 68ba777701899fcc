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

    /// Sends at most `length` bytes of a file from its cursor on, without reading them; `None` on a
    /// stream that cannot.
    fn poll_send_file(
        &self,
        _cx: &mut Context<'_>,
        _file: &File,
        _length: u64,
    ) -> Option<Poll<io::Result<usize>>> {
        None
    }
}

impl Transport for TcpStream {
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
        length: u64,
    ) -> Option<Poll<io::Result<usize>>> {
        let length = usize::try_from(length).unwrap_or(usize::MAX).min(MOST_AT_ONCE);
        Some(poll_system_call(self, cx, || rustix::fs::sendfile(self, file, None, length)))
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

/// How much of a file is sent by one call.
#[cfg(target_os = "linux")]
const MOST_AT_ONCE: usize = 1024 * 1024;

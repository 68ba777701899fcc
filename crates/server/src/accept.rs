//! Accepting, alone or beside other processes on the same sockets.

use std::{
    io::{self, ErrorKind},
    net::SocketAddr,
    sync::Arc,
    time::Duration,
};

use tokio::net::{TcpListener, TcpStream};

/// How the connections of processes that accept from the same sockets are to spread.
///
/// The system wakes all of them for a connection, and the fastest takes it: without more, one
/// process may have them all.
pub trait AcceptShare: Send + Sync {
    /// A connection was accepted.
    fn opened(&self);

    /// A connection has ended.
    fn closed(&self);

    /// Whether this process has more connections than its share, so that the others come first.
    fn is_ahead(&self) -> bool;
}

/// A listening socket.
pub(crate) enum Listener {
    /// Of this process alone.
    Own(TcpListener),
    /// Of several processes.
    #[cfg(unix)]
    Shared(shared::SharedListener),
}

/// Counts a connection as open while it lives, where connections are counted.
pub(crate) struct Counted(Option<Arc<dyn AcceptShare>>);

impl Drop for Counted {
    fn drop(&mut self) {
        if let Some(share) = &self.0 {
            share.closed();
        }
    }
}

impl Listener {
    /// A listener within the runtime.
    pub(crate) fn new(
        listener: std::net::TcpListener,
        share: Option<Arc<dyn AcceptShare>>,
    ) -> io::Result<Self> {
        #[cfg(unix)]
        if let Some(share) = share {
            return shared::SharedListener::new(listener, share).map(Self::Shared);
        }
        #[cfg(not(unix))]
        let _none = share;
        TcpListener::from_std(listener).map(Self::Own)
    }

    /// The next connection. Waits out what only time can mend.
    pub(crate) async fn accept(
        &mut self,
        warn: impl FnMut(&io::Error),
    ) -> (TcpStream, SocketAddr, Counted) {
        match self {
            Self::Own(listener) => {
                let (stream, peer) = accept(listener, warn).await;
                (stream, peer, Counted(None))
            }
            #[cfg(unix)]
            Self::Shared(listener) => listener.accept(warn).await,
        }
    }
}

/// The next connection. Waits out what only time can mend, such as a lack of descriptors.
pub(crate) async fn accept(
    listener: &TcpListener,
    mut warn: impl FnMut(&io::Error),
) -> (TcpStream, SocketAddr) {
    loop {
        match listener.accept().await {
            Ok(accepted) => return ready(accepted),
            Err(error) => wait_out(&error, &mut warn).await,
        }
    }
}

fn ready((stream, peer): (TcpStream, SocketAddr)) -> (TcpStream, SocketAddr) {
    // Without it a response in two writes waits 40 ms for the client's ACK. It fails only when the
    // client is gone already.
    let _gone = stream.set_nodelay(true);
    (stream, peer)
}

async fn wait_out(error: &io::Error, warn: &mut impl FnMut(&io::Error)) {
    if matches!(
        error.kind(),
        ErrorKind::ConnectionAborted | ErrorKind::ConnectionReset | ErrorKind::Interrupted
    ) {
        return;
    }
    warn(error);
    tokio::time::sleep(Duration::from_millis(100)).await;
}

#[cfg(unix)]
mod shared {
    use super::{
        AcceptShare, Arc, Counted, Duration, ErrorKind, SocketAddr, TcpStream, io, ready, wait_out,
    };
    use tokio::io::unix::AsyncFd;

    /// A socket from which other processes accept too.
    ///
    /// That a connection waits can be seen before it is taken. A process that is ahead of the
    /// others leaves it to them for a moment; when nobody has come for it by then, they are busy,
    /// and the process goes on without further ado for some connections.
    pub(crate) struct SharedListener {
        listener: AsyncFd<std::net::TcpListener>,
        share: Arc<dyn AcceptShare>,
        /// So many connections are taken without a look at the others,
        unasked: u32,
        /// and so many after the next one that was left to them in vain.
        next_unasked: u32,
    }

    impl SharedListener {
        pub(super) fn new(
            listener: std::net::TcpListener,
            share: Arc<dyn AcceptShare>,
        ) -> io::Result<Self> {
            #[expect(
                deprecated,
                reason = "a TcpListener keeps the promise that `register` asks for"
            )]
            let listener = AsyncFd::new(listener)?;
            Ok(Self { listener, share, unasked: 0, next_unasked: 0 })
        }

        pub(super) async fn accept(
            &mut self,
            mut warn: impl FnMut(&io::Error),
        ) -> (TcpStream, SocketAddr, Counted) {
            loop {
                match self.try_accept().await {
                    Ok(accepted) => {
                        self.share.opened();
                        let counted = Counted(Some(Arc::clone(&self.share)));
                        let (stream, peer) = ready(accepted);
                        return (stream, peer, counted);
                    }
                    // Another process was faster.
                    Err(error) if error.kind() == ErrorKind::WouldBlock => {}
                    Err(error) => wait_out(&error, &mut warn).await,
                }
            }
        }

        async fn try_accept(&mut self) -> io::Result<(TcpStream, SocketAddr)> {
            let mut ready = self.listener.readable().await?;
            let mut moments = 0;
            if self.unasked > 0 {
                self.unasked -= 1;
            } else {
                while moments < MOMENTS && self.share.is_ahead() {
                    tokio::time::sleep(MOMENT).await;
                    moments += 1;
                }
            }
            let Ok(accepted) = ready.try_io(|listener| listener.get_ref().accept()) else {
                self.next_unasked = 0;
                return Err(ErrorKind::WouldBlock.into());
            };
            let (stream, peer) = accepted?;
            if moments == MOMENTS {
                self.unasked = self.next_unasked;
                self.next_unasked = (2 * self.next_unasked + 1).min(MOST_UNASKED);
            }
            stream.set_nonblocking(true)?;
            Ok((TcpStream::from_std(stream)?, peer))
        }
    }

    /// How often it is looked whether others have caught up. No timer is finer.
    const MOMENT: Duration = Duration::from_millis(1);
    /// So many moments is a connection left to others: on a machine where all CPUs are busy, that
    /// is how long one may take to get its turn.
    const MOMENTS: u32 = 10;
    /// Others that have no time for so many connections get the next one offered again.
    const MOST_UNASKED: u32 = 31;
}

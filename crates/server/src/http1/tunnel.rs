//! Tunnels to the server's own ports, for browsers that use it as their proxy.

use std::{net::SocketAddr, time::Instant};

use proto::RequestHead;
use tokio::{
    io::{AsyncWriteExt, copy_bidirectional},
    net::TcpStream,
    time::timeout,
};

use super::{Connection, Ending, Transport};
use crate::event::{Event, RequestRecord};

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

//! An accepted connection: encrypted or not, and the protocol that it speaks.

use bytes::BytesMut;
use tokio::net::TcpStream;

use crate::{
    ConnectionInfo, Encryption,
    accept::Counted,
    event::{Event, Level},
    http1::{self, Follows},
    http2,
    service::{Phase, Service},
    tls::{Handshake, Refusal},
};

/// Serves a connection until it closes. With a handshake it is encrypted: from its first byte on,
/// or from a CONNECT request on. It is counted until then.
pub(crate) async fn serve(
    stream: TcpStream,
    info: ConnectionInfo,
    handshake: Option<Handshake>,
    service: Service,
    _counted: Counted,
) {
    if let Some(handshake) = &handshake
        && info.encryption != Encryption::AfterConnect
    {
        return encrypted(stream, BytesMut::new(), info, handshake, service).await;
    }
    let handed_back = http1::serve(stream, info.clone(), service.clone()).await;
    let Some((stream, received, follows)) = handed_back else { return };
    match (follows, handshake) {
        (Follows::Http2, _) => http2::serve(stream, received, info, service).await,
        (Follows::Encryption, Some(handshake)) => {
            let info = ConnectionInfo { encryption: Encryption::Tls, ..info };
            encrypted(stream, received, info, &handshake, service).await;
        }
        // Only a port with a handshake encrypts.
        (Follows::Encryption, None) => {}
    }
}

/// Serves a connection whose handshake comes next; some of it may be received already.
async fn encrypted(
    stream: TcpStream,
    received: BytesMut,
    info: ConnectionInfo,
    handshake: &Handshake,
    service: Service,
) {
    let stop = service.shutdown.clone();
    let accepted = tokio::select! {
        accepted = handshake.accept(stream, received) => accepted,
        () = stopped(stop) => return,
    };
    let stream = match accepted {
        Ok(stream) => stream,
        Err(refusal) => return refuse(refusal, info, service).await,
    };
    // What the handshake settled on decides who serves the connection. A client of a port for
    // HTTP/2 that offers nothing speaks it all the same, as in the reference.
    let speaks_http2 = match stream.protocol() {
        Some(protocol) => protocol == b"h2",
        None => info.only_http2,
    };
    if speaks_http2 {
        http2::serve(stream, BytesMut::new(), info, service).await;
    } else {
        // Nothing follows on a stream that is encrypted.
        let _nothing = http1::serve(stream, info, service).await;
    }
}

async fn stopped(mut shutdown: tokio::sync::watch::Receiver<Phase>) {
    // An error means that the server is gone, which is a stop too.
    let _gone = shutdown.wait_for(|phase| phase.is_last()).await;
}

/// Tells the client where it can read it, and the log.
async fn refuse(refusal: Refusal, info: ConnectionInfo, service: Service) {
    if let Some(text) = refusal.describe() {
        service.environment.events.emit(&Event::Message {
            level: Level::Info,
            source: "tls",
            text: &format!("{}: {text}", info.peer),
        });
    }
    if let Refusal::Plain(stream) = refusal {
        http1::refuse_plain(stream, info, service).await;
    }
}

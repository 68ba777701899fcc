//! Handshakes.

use std::{io, sync::Arc, time::Duration};

use bytes::BytesMut;
use rustls::{
    AlertDescription, ServerConfig, ServerConnection, crypto::ring, server::ResolvesServerCert,
};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
    time::timeout,
};
use tokio_rustls::TlsAcceptor;

use super::{Identity, TlsStream};
use crate::{Error, Scheme};

/// Makes encrypted streams with a server's key and certificate.
#[derive(Clone)]
pub struct Acceptor {
    config: ServerConfig,
    encrypts_after_connect: bool,
}

impl Acceptor {
    /// An acceptor with the key and the certificates of an identity.
    pub fn new(identity: &Identity) -> Result<Self, Error> {
        let config = ServerConfig::builder_with_provider(Arc::new(ring::default_provider()))
            .with_safe_default_protocol_versions()
            .map_err(|error| Error::Tls(error.to_string()))?
            .with_no_client_auth()
            .with_cert_resolver(Arc::clone(identity.keys()) as Arc<dyn ResolvesServerCert>);
        Ok(Self { config, encrypts_after_connect: identity.encrypts_after_connect() })
    }

    /// Whether the connections of a scheme begin unencrypted, until a CONNECT request.
    pub(crate) fn encrypts_after_connect(&self, scheme: Scheme) -> bool {
        self.encrypts_after_connect && scheme != Scheme::Wss
    }

    /// Handshakes for the connections of a scheme; with HTTP/2 on ports for HTTPS if `http2`.
    pub(crate) fn handshake(&self, scheme: Scheme, http2: bool) -> Handshake {
        let mut config = self.config.clone();
        config.alpn_protocols = scheme.alpn(http2).iter().map(|name| name.to_vec()).collect();
        Handshake { acceptor: TlsAcceptor::from(Arc::new(config)) }
    }
}

/// The server's side of a handshake.
#[derive(Clone)]
pub(crate) struct Handshake {
    acceptor: TlsAcceptor,
}

/// Why a connection is not encrypted.
#[derive(Debug)]
pub(crate) enum Refusal {
    /// The client ended the connection before it said anything, as one does that looks whether a
    /// port is open.
    Silent,
    /// The client speaks something else.
    Plain(TcpStream),
    /// The handshake took too long.
    Late,
    /// The handshake failed.
    Failed(io::Error),
}

impl Handshake {
    /// Encrypts a connection of which `received` is read already.
    pub(crate) async fn accept(
        &self,
        stream: TcpStream,
        received: BytesMut,
    ) -> Result<TlsStream, Refusal> {
        match timeout(HANDSHAKE, self.negotiate(stream, received)).await {
            Ok(result) => result,
            Err(_) => Err(Refusal::Late),
        }
    }

    async fn negotiate(
        &self,
        mut stream: TcpStream,
        mut received: BytesMut,
    ) -> Result<TlsStream, Refusal> {
        if received.is_empty() {
            received.reserve(FIRST_READ);
            match stream.read_buf(&mut received).await {
                Ok(1..) => {}
                Ok(0) | Err(_) => return Err(Refusal::Silent),
            }
        }
        if received[0] != HANDSHAKE_RECORD {
            return Err(Refusal::Plain(stream));
        }
        let mut fed = Ok(());
        let mut alert = Vec::new();
        let mut accept = self.acceptor.accept_with(stream, |session| {
            session.set_buffer_limit(Some(BUFFER));
            fed = feed(session, &received);
            if fed.is_err() {
                // The alert is all that there is to send. Writing to a vector cannot fail.
                while session.wants_write() && session.write_tls(&mut alert).is_ok() {}
            }
        });
        if let Err(error) = fed {
            if let Some(stream) = accept.get_mut() {
                // The client may be gone already.
                let _gone = stream.write_all(&alert).await;
                let _gone = stream.shutdown().await;
            }
            return Err(Refusal::Failed(io::Error::new(io::ErrorKind::InvalidData, error)));
        }
        accept.await.map(TlsStream::new).map_err(Refusal::Failed)
    }
}

/// Gives a session the bytes that were read before it began.
fn feed(session: &mut ServerConnection, mut received: &[u8]) -> Result<(), rustls::Error> {
    while !received.is_empty() {
        // A slice can be read without an error; a full session takes nothing more.
        if session.read_tls(&mut received).is_ok_and(|length| length == 0) {
            break;
        }
        session.process_new_packets()?;
    }
    Ok(())
}

impl Refusal {
    /// What happened, for the log; `None` where nothing is to be said.
    pub(crate) fn describe(&self) -> Option<String> {
        let error = match self {
            Self::Silent | Self::Plain(_) => return None,
            Self::Late => {
                return Some(format!(
                    "the TLS handshake did not end within {} s",
                    HANDSHAKE.as_secs()
                ));
            }
            Self::Failed(error) => error,
        };
        let alert = error.get_ref().and_then(|error| match error.downcast_ref() {
            Some(rustls::Error::AlertReceived(alert)) => Some(*alert),
            _ => None,
        });
        Some(match alert {
            Some(alert) if DISTRUST.contains(&alert) => format!(
                "the client does not trust the certificate ({alert:?}); `wptserve certs trust` \
                 shows how it does"
            ),
            Some(alert) => format!("the client ended the TLS handshake: {alert:?}"),
            None => format!("the TLS handshake failed: {error}"),
        })
    }
}

/// The alerts of a client that does not trust a certificate. One that trusts an authority of the
/// same name with another key finds the signature wrong: `DecryptError`.
const DISTRUST: [AlertDescription; 4] = [
    AlertDescription::DecryptError,
    AlertDescription::UnknownCA,
    AlertDescription::CertificateUnknown,
    AlertDescription::BadCertificate,
];

/// The first byte of a TLS connection: a record of the handshake (RFC 8446, section 5.1).
pub(crate) const HANDSHAKE_RECORD: u8 = 22;

/// How long a handshake may take.
const HANDSHAKE: Duration = Duration::from_secs(10);
const FIRST_READ: usize = 4096;
/// How much may be encrypted ahead of the socket: a few big writes rather than many small ones.
const BUFFER: usize = 256 * 1024;

//! What other commands say of the certificates. None is made here.

use std::path::PathBuf;

use server::{
    Config,
    tls::{Authority, Identity},
};

/// What a browser has to accept.
pub(crate) struct KnownAuthority {
    /// The file of its certificate.
    pub(crate) path: PathBuf,
    /// The hash of its public key, in the form of Chromium's flags.
    pub(crate) spki_hash: String,
}

/// The authority behind a configuration's certificates, if it has been made; for a certificate
/// from a file, that one.
pub(crate) fn known_authority(config: &Config) -> Option<KnownAuthority> {
    if config.ssl.kind == "authority" || config.ssl.kind == "none" {
        let authority = Authority::existing().ok()??;
        return Some(KnownAuthority {
            path: authority.path().to_owned(),
            spki_hash: authority.certificate().spki_hash.clone(),
        });
    }
    let identity = Identity::of(config, &config.hosts()).ok()?;
    Some(KnownAuthority {
        path: identity.files().certificate.clone(),
        spki_hash: identity.spki_hash().to_owned(),
    })
}

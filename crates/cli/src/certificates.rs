//! What other commands say of the certificate authority.

use std::path::PathBuf;

/// The certificate authority, if it has been made.
pub(crate) struct KnownAuthority {
    /// The file of its certificate.
    pub(crate) path: PathBuf,
    /// The hash of its public key, in the form of Chromium's flags.
    pub(crate) spki_hash: String,
}

/// The authority of this user. None is made here.
pub(crate) fn known_authority() -> Option<KnownAuthority> {
    None
}

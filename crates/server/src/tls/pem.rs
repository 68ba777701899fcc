//! PEM files: certificates and private keys (RFC 7468).

use std::{fs, io::Write as _, path::Path};

use base64::{Engine, engine::general_purpose::STANDARD};
use rustls::pki_types::{CertificateDer, PrivateKeyDer, pem::PemObject};

use crate::{Error, regular_file};

/// The certificates of a file, at least one, in its order.
pub(super) fn certificates(path: &Path) -> Result<Vec<CertificateDer<'static>>, Error> {
    let unusable =
        |reason| Error::Certificate { what: "certificate", path: path.to_owned(), reason };
    let text = regular_file::read(path).map_err(|error| unusable(unread(&error)))?;
    let certificates = CertificateDer::pem_slice_iter(&text)
        .collect::<Result<Vec<_>, _>>()
        .map_err(|error| unusable(format!("its PEM is malformed: {error}")))?;
    if certificates.is_empty() {
        let reason = if text.starts_with(DER) {
            "it is in DER form; PEM is expected, as `openssl x509 -inform der` makes it"
        } else if contains(&text, "PRIVATE KEY-----") {
            "it holds a private key and no certificate"
        } else {
            "it holds no PEM certificate (a part from -----BEGIN CERTIFICATE----- on)"
        };
        return Err(unusable(reason.to_owned()));
    }
    Ok(certificates)
}

/// The private key of a file.
pub(super) fn private_key(path: &Path) -> Result<PrivateKeyDer<'static>, Error> {
    let unusable = |reason| Error::Certificate { what: "key", path: path.to_owned(), reason };
    let text = regular_file::read(path).map_err(|error| unusable(unread(&error)))?;
    if is_encrypted(&text) {
        let shown = path.display();
        return Err(unusable(format!(
            "it is encrypted; `openssl pkey -in {shown} -out {shown}` takes the password away"
        )));
    }
    match PrivateKeyDer::from_pem_slice(&text) {
        Ok(key) => Ok(key),
        Err(rustls::pki_types::pem::Error::NoItemsFound) => {
            Err(unusable(if contains(&text, "-----BEGIN CERTIFICATE-----") {
                "it holds a certificate and no private key".to_owned()
            } else if text.starts_with(DER) {
                "it is in DER form; PEM is expected, as `openssl pkey -inform der` makes it"
                    .to_owned()
            } else {
                "it holds no PEM private key (a part from -----BEGIN PRIVATE KEY----- on)"
                    .to_owned()
            }))
        }
        Err(error) => Err(unusable(format!("its PEM is malformed: {error}"))),
    }
}

/// Whether a key is encrypted: in PKCS #8 or in the older form of OpenSSL.
pub(super) fn is_encrypted(text: &[u8]) -> bool {
    contains(text, "-----BEGIN ENCRYPTED PRIVATE KEY-----")
        || contains(text, "Proc-Type: 4,ENCRYPTED")
}

/// The PEM form of certificates.
pub(super) fn encode_certificates(certificates: &[CertificateDer<'_>]) -> String {
    certificates.iter().map(|certificate| encode("CERTIFICATE", certificate)).collect()
}

/// The PEM form of a private key in PKCS #8.
pub(super) fn encode_key(pkcs8: &[u8]) -> String {
    encode("PRIVATE KEY", pkcs8)
}

fn encode(label: &str, der: &[u8]) -> String {
    let text = STANDARD.encode(der);
    let mut pem = format!("-----BEGIN {label}-----\n");
    let mut rest = text.as_str();
    while !rest.is_empty() {
        // Base64 is ASCII: every index is a boundary.
        let (line, after) = rest.split_at(rest.len().min(64));
        pem.push_str(line);
        pem.push('\n');
        rest = after;
    }
    pem + &format!("-----END {label}-----\n")
}

/// Writes a file that only its owner can read.
pub(super) fn write_private(path: &Path, text: &str) -> std::io::Result<()> {
    let mut options = fs::OpenOptions::new();
    options.write(true).create(true).truncate(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let mut file = options.open(path)?;
    // One that was there keeps its mode.
    restrict(path, 0o600)?;
    file.write_all(text.as_bytes())
}

/// Takes from a file or folder the rights that are not in `mode`, and gives none.
#[cfg(unix)]
pub(super) fn restrict(path: &Path, mode: u32) -> std::io::Result<()> {
    use std::os::unix::fs::PermissionsExt;
    let mut permissions = match fs::metadata(path) {
        Ok(metadata) => metadata.permissions(),
        // Whoever needs it says that it is missing.
        Err(_) => return Ok(()),
    };
    let held = permissions.mode() & 0o7777;
    if held & !mode == 0 {
        return Ok(());
    }
    permissions.set_mode(held & mode);
    fs::set_permissions(path, permissions)
}

/// Takes nothing: other platforms keep a user's data to the user.
#[cfg(not(unix))]
pub(super) fn restrict(_path: &Path, _mode: u32) -> std::io::Result<()> {
    Ok(())
}

fn unread(error: &std::io::Error) -> String {
    format!("it cannot be read: {error}")
}

fn contains(text: &[u8], part: &str) -> bool {
    text.windows(part.len()).any(|window| window == part.as_bytes())
}

/// How a long DER sequence begins.
const DER: &[u8] = &[0x30, 0x82];

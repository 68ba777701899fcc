//! The certificate authority: made once, it issues a certificate at every start.

use std::{
    fs, io,
    net::IpAddr,
    path::{Path, PathBuf},
    time::{Duration, SystemTime},
};

use rcgen::{
    BasicConstraints, CertificateParams, DnType, ExtendedKeyUsagePurpose, IsCa, Issuer, KeyPair,
    KeyUsagePurpose, SanType, SerialNumber,
};
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use time::OffsetDateTime;
use uuid::Uuid;

use super::{
    Certificate,
    certificate::{DAY, NOTICE, date},
    folder, pem,
};
use crate::Error;

/// A key and a certificate that issue others.
#[derive(Debug)]
pub struct Authority {
    issuer: Issuer<'static, KeyPair>,
    der: CertificateDer<'static>,
    certificate: Certificate,
    path: PathBuf,
}

impl Authority {
    /// The user's own, which is made when there is none yet: in `XDG_DATA_HOME`, or where the
    /// platform keeps the data of users.
    pub fn open() -> Result<Self, Error> {
        Self::open_in(&folder::authority()?)
    }

    /// The user's own, unless there is none yet.
    pub fn existing() -> Result<Option<Self>, Error> {
        let folder = folder::authority()?;
        if folder.join(CERTIFICATE).exists() { Self::open_in(&folder).map(Some) } else { Ok(None) }
    }

    /// The one in a folder, which is made when there is none. Of several processes that make it
    /// at once one wins, and all have the same.
    pub fn open_in(folder: &Path) -> Result<Self, Error> {
        if !folder.join(CERTIFICATE).exists() && !folder.join(KEY).exists() {
            make(folder).map_err(|error| Error::Authority {
                folder: folder.to_owned(),
                reason: format!(
                    "it cannot be made: {error}; set XDG_DATA_HOME to a folder that can be written"
                ),
            })?;
        }
        // Who issues certificates that this user's browsers take is for this user alone.
        for (path, mode) in [(folder, 0o700), (&folder.join(KEY), 0o600)] {
            pem::restrict(path, mode).map_err(|error| Error::Authority {
                folder: folder.to_owned(),
                reason: format!("{} cannot be kept to its owner: {error}", path.display()),
            })?;
        }
        let broken = |reason: String| Error::Authority {
            folder: folder.to_owned(),
            reason: format!(
                "{reason}; remove the folder, and a new one is made, to be trusted anew"
            ),
        };
        let authority = Self::load(&folder.join(KEY), &folder.join(CERTIFICATE))
            .map_err(|error| broken(error.to_string()))?;
        if authority.certificate.ends < SystemTime::now() + NOTICE {
            return Err(broken(format!("it ends on {}", date(authority.certificate.ends))));
        }
        Ok(authority)
    }

    /// The one of two PEM files.
    pub(super) fn load(key: &Path, certificate: &Path) -> Result<Self, Error> {
        let unusable =
            |what, path: &Path, reason| Error::Certificate { what, path: path.to_owned(), reason };
        let der = pem::certificates(certificate)?.swap_remove(0);
        let summary = Certificate::parse(&der)
            .map_err(|reason| unusable("certificate", certificate, reason))?;
        if !summary.is_authority {
            let reason = "it is no authority's: it may not issue others".to_owned();
            return Err(unusable("certificate", certificate, reason));
        }
        let pair =
            key_pair(&pem::private_key(key)?).map_err(|reason| unusable("key", key, reason))?;
        let issuer = Issuer::from_ca_cert_der(&der, pair)
            .map_err(|error| unusable("certificate", certificate, error.to_string()))?;
        let authority = Self { issuer, der, certificate: summary, path: certificate.to_owned() };
        authority.check_key().map_err(|reason| unusable("key", key, reason))?;
        Ok(authority)
    }

    /// Makes one and writes it to two PEM files.
    pub(super) fn make(key: &Path, certificate: &Path, name: &str, days: u32) -> io::Result<()> {
        let pair = KeyPair::generate().map_err(io::Error::other)?;
        let mut params = params(name, days);
        params.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
        params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
        let made = params.self_signed(&pair).map_err(io::Error::other)?;
        pem::write_private(key, &pem::encode_key(pair.serialized_der()))?;
        fs::write(certificate, pem::encode_certificates(&[made.der().clone()]))
    }

    /// What its certificate says.
    pub fn certificate(&self) -> &Certificate {
        &self.certificate
    }

    /// The PEM file of its certificate.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// A certificate for hosts, in front of the authority's own: whoever allows for the
    /// authority's public key finds it in the chain.
    pub(super) fn issue(
        &self,
        key: &KeyPair,
        hosts: &[String],
        days: u32,
    ) -> Result<Vec<CertificateDer<'static>>, String> {
        // A common name has at most 64 characters (RFC 5280, appendix A.1); hosts may be longer.
        let name = hosts.first().filter(|host| host.len() <= 64);
        let name = name.map_or("wptserve", String::as_str);
        let mut params = params(name, days);
        params.subject_alt_names =
            hosts.iter().map(|host| alternative(host)).collect::<Result<_, _>>()?;
        params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
        params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
        params.use_authority_key_identifier_extension = true;
        let leaf = params.signed_by(key, &self.issuer).map_err(|error| error.to_string())?;
        Ok(vec![leaf.der().clone(), self.der.clone()])
    }

    /// Whether the key belongs to the certificate.
    fn check_key(&self) -> Result<(), String> {
        let params = params("check", 1);
        let certified = params.self_signed(self.issuer.key()).map_err(|error| error.to_string())?;
        let own = Certificate::parse(certified.der())?;
        if own.spki_hash == self.certificate.spki_hash {
            Ok(())
        } else {
            Err(format!("it does not belong to the certificate {}", self.path.display()))
        }
    }
}

/// Makes an authority in a folder that is not there, or is empty. It appears whole.
fn make(folder: &Path) -> io::Result<()> {
    let parent = folder.parent().unwrap_or(Path::new("."));
    fs::create_dir_all(parent)?;
    let partial = tempfile::Builder::new().prefix(".authority-").tempdir_in(parent)?;
    pem::restrict(partial.path(), 0o700)?;
    Authority::make(&partial.path().join(KEY), &partial.path().join(CERTIFICATE), NAME, DAYS)?;
    match fs::rename(partial.path(), folder) {
        Ok(()) => {
            // There is nothing left to remove.
            let _moved = partial.keep();
            Ok(())
        }
        // Another process was faster.
        Err(_) if folder.join(CERTIFICATE).exists() => Ok(()),
        Err(error) => Err(error),
    }
}

/// A private key that signs certificates.
fn key_pair(key: &PrivateKeyDer<'_>) -> Result<KeyPair, String> {
    KeyPair::try_from(key).map_err(|error| format!("no certificate can be signed with it: {error}"))
}

/// What all certificates have in common.
fn params(name: &str, days: u32) -> CertificateParams {
    let mut params = CertificateParams::default();
    params.distinguished_name = rcgen::DistinguishedName::new();
    params.distinguished_name.push(DnType::CommonName, name);
    params.distinguished_name.push(DnType::OrganizationName, "wptserve");
    // A clock that is a little behind is forgiven.
    let now = SystemTime::now();
    params.not_before = OffsetDateTime::from(now - Duration::from_secs(60 * 60));
    params.not_after = OffsetDateTime::from(now + DAY * days);
    // Two certificates of an issuer with the same number are refused by NSS. The first bit stays
    // clear, since a number is positive.
    let mut serial = *Uuid::new_v4().as_bytes();
    serial[0] = serial[0] & 0x7f | 0x40;
    params.serial_number = Some(SerialNumber::from_slice(&serial));
    params
}

/// A host as a certificate names it.
fn alternative(host: &str) -> Result<SanType, String> {
    if let Ok(address) = host.trim_matches(['[', ']']).parse::<IpAddr>() {
        return Ok(SanType::IpAddress(address));
    }
    let ascii = idna::domain_to_ascii(host).unwrap_or_else(|_| host.to_owned());
    let name = ascii.try_into().map_err(|_| format!("`{host}` is no host name"))?;
    Ok(SanType::DnsName(name))
}

const KEY: &str = "ca.key";
const CERTIFICATE: &str = "ca.pem";
const NAME: &str = "wptserve local authority";
/// Long enough for a trust that is given once.
const DAYS: u32 = 3650;

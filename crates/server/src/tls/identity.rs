//! A server's key and certificate, and where they come from.

use std::{
    fs,
    path::{Path, PathBuf},
    sync::{Arc, PoisonError, RwLock},
    time::SystemTime,
};

use rcgen::KeyPair;
use rustls::{
    crypto::ring,
    pki_types::{CertificateDer, PrivateKeyDer, PrivatePkcs8KeyDer},
    server::{ClientHello, ResolvesServerCert},
    sign::CertifiedKey,
};
use serde_json::{Value, json};
use tempfile::TempDir;

use super::{Authority, Certificate, certificate::DAY, openssl, pem};
use crate::{Config, Error, config::Folders};

/// A key with its certificates.
#[derive(Debug)]
pub struct Identity {
    keys: Arc<Keys>,
    certificate: Certificate,
    authority: Option<Certificate>,
    files: Files,
    encrypts_after_connect: bool,
    /// Removed when the identity is dropped.
    folder: Option<TempDir>,
}

/// The PEM files of an identity.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Files {
    /// The private key.
    pub key: PathBuf,
    /// The certificate, and those that follow it in its chain.
    pub certificate: PathBuf,
    /// The certificate of the authority, where it is known.
    pub authority: Option<PathBuf>,
}

impl Identity {
    /// What a configuration's `ssl` asks for, for these hosts. Its type `none` is as `authority`:
    /// it is asked for only where a port needs a certificate.
    pub fn of(config: &Config, hosts: &[String]) -> Result<Self, Error> {
        let mut identity = Self::from_source(config, hosts)?;
        identity.encrypts_after_connect = config.ssl.encrypt_after_connect;
        Ok(identity)
    }

    fn from_source(config: &Config, hosts: &[String]) -> Result<Self, Error> {
        match config.ssl.kind.as_str() {
            "pregenerated" => {
                let path = |key: &str| {
                    let path = config.ssl.pregenerated.get(key).and_then(Value::as_str);
                    path.map(|path| config.ssl.folders.find(path)).ok_or_else(|| {
                        Error::Certificate {
                            what: "file of",
                            path: PathBuf::from(format!("ssl.pregenerated.{key}")),
                            reason: "`ssl.type` is `pregenerated`, and it names no file".to_owned(),
                        }
                    })
                };
                Self::load(&path("host_key_path")?, &path("host_cert_path")?, None)
            }
            "openssl" => openssl::identity(&config.ssl.openssl, &config.ssl.folders, hosts),
            _ => Self::issued(Authority::open()?, hosts),
        }
    }

    /// A key and a certificate for hosts in a folder, as of the type `openssl`: made, with an
    /// authority, when there is none that lasts for some time, or when they are wanted `anew`.
    pub fn in_folder(
        folder: &Path,
        hosts: &[String],
        days: u32,
        anew: bool,
    ) -> Result<Self, Error> {
        let mut settings = serde_json::Map::new();
        settings.insert("base_path".to_owned(), json!(folder.to_string_lossy()));
        settings.insert("duration".to_owned(), json!(days));
        settings.insert("force_regenerate".to_owned(), json!(anew));
        openssl::identity(&settings, &Folders::default(), hosts)
    }

    /// The same, for connections that begin unencrypted until a CONNECT request.
    #[must_use]
    pub fn encrypting_after_connect(self, encrypts_after_connect: bool) -> Self {
        Self { encrypts_after_connect, ..self }
    }

    /// A key and certificates from PEM files.
    pub fn load(key: &Path, certificate: &Path, authority: Option<&Path>) -> Result<Self, Error> {
        let chain = pem::certificates(certificate)?;
        let unusable =
            |what, path: &Path, reason| Error::Certificate { what, path: path.to_owned(), reason };
        let summary = Certificate::parse(&chain[0])
            .map_err(|reason| unusable("certificate", certificate, reason))?;
        let certified = certified(chain, pem::private_key(key)?).map_err(|error| {
            let reason = match error {
                rustls::Error::InconsistentKeys(_) => {
                    format!("it does not belong to the certificate {}", certificate.display())
                }
                rustls::Error::General(reason) => format!("it is no usable private key: {reason}"),
                error => error.to_string(),
            };
            unusable("key", key, reason)
        })?;
        let known = authority.map(|path| {
            let der = pem::certificates(path)?.swap_remove(0);
            Certificate::parse(&der).map_err(|reason| unusable("certificate", path, reason))
        });
        Ok(Self {
            keys: Arc::new(Keys { current: RwLock::new(certified), renewal: None }),
            certificate: summary,
            authority: known.transpose()?,
            files: Files {
                key: key.to_owned(),
                certificate: certificate.to_owned(),
                authority: authority.map(Path::to_owned),
            },
            encrypts_after_connect: false,
            folder: None,
        })
    }

    /// The identity of another process, from its files, for one that serves beside it. What was
    /// `issued` there is renewed here too, for the same key.
    pub fn shared(files: &Files, issued: bool, hosts: &[String]) -> Result<Self, Error> {
        let mut identity = Self::load(&files.key, &files.certificate, files.authority.as_deref())?;
        if issued {
            let key = pem::private_key(&files.key)?;
            let key = KeyPair::try_from(&key).map_err(|error| Error::Tls(error.to_string()))?;
            let renewal = Renewal {
                authority: Authority::open()?,
                key,
                hosts: hosts.to_vec(),
                path: files.certificate.clone(),
            };
            let current = identity.keys.current();
            identity.keys =
                Arc::new(Keys { current: RwLock::new(current), renewal: Some(renewal) });
        }
        Ok(identity)
    }

    /// A new key with a certificate of an authority. It is short-lived, and renewed while the
    /// server runs. Its files are in a folder that is there as long as the identity.
    pub fn issued(authority: Authority, hosts: &[String]) -> Result<Self, Error> {
        let failed = |reason| Error::Tls(reason);
        let folder = tempfile::Builder::new().prefix("wptserve-").tempdir().map_err(|error| {
            failed(format!("no folder for the certificate can be made: {error}"))
        })?;
        let files = Files {
            key: folder.path().join("host.key"),
            certificate: folder.path().join("host.pem"),
            authority: Some(authority.path().to_owned()),
        };
        let key = KeyPair::generate().map_err(|error| failed(error.to_string()))?;
        let known = authority.certificate().clone();
        let renewal =
            Renewal { authority, key, hosts: hosts.to_vec(), path: files.certificate.clone() };
        let certified = renewal.issue().map_err(failed)?;
        pem::write_private(&files.key, &pem::encode_key(renewal.key.serialized_der())).map_err(
            |error| failed(format!("{} cannot be written: {error}", files.key.display())),
        )?;
        let certificate = Certificate::parse(&certified.cert[0]).map_err(failed)?;
        Ok(Self {
            keys: Arc::new(Keys { current: RwLock::new(certified), renewal: Some(renewal) }),
            certificate,
            authority: Some(known),
            files,
            encrypts_after_connect: false,
            folder: Some(folder),
        })
    }

    /// Keeps a folder until the identity is dropped.
    pub(super) fn keeping(mut self, folder: Option<TempDir>) -> Self {
        self.folder = folder;
        self
    }

    /// Whether connections begin unencrypted until a CONNECT request.
    pub fn encrypts_after_connect(&self) -> bool {
        self.encrypts_after_connect
    }

    pub(super) fn keys(&self) -> &Arc<Keys> {
        &self.keys
    }

    /// What the certificate says.
    pub fn certificate(&self) -> &Certificate {
        &self.certificate
    }

    /// What the authority's certificate says, where it is known.
    pub fn authority(&self) -> Option<&Certificate> {
        self.authority.as_ref()
    }

    /// The PEM files.
    pub fn files(&self) -> &Files {
        &self.files
    }

    /// Whether the key was made for this identity alone, and lasts no longer.
    pub fn is_issued(&self) -> bool {
        self.keys.renewal.is_some()
    }

    /// The SPKI hash that makes a browser accept every certificate of this kind: the authority's,
    /// which is in the chain and stays the same, or else the certificate's own.
    pub fn spki_hash(&self) -> &str {
        match &self.authority {
            Some(authority) if self.is_issued() => &authority.spki_hash,
            _ => &self.certificate.spki_hash,
        }
    }

    /// What a user should know: that the certificate ends, and which hosts it is not for.
    pub fn warnings(&self, hosts: &[String]) -> Vec<String> {
        let path = self.files.certificate.display();
        let mut warnings = Vec::new();
        // An issued certificate is renewed in time.
        if !self.is_issued()
            && let Some(text) = self.certificate.time_warning(SystemTime::now())
        {
            warnings.push(format!("the certificate {path}: {text}"));
        }
        let others: Vec<&str> =
            hosts.iter().filter(|host| !self.certificate.names(host)).map(String::as_str).collect();
        if let Some((first, rest)) = others.split_first() {
            let more = match rest.len() {
                0 => String::new(),
                count => format!(" and {count} more"),
            };
            warnings.push(format!("the certificate {path}: it is not for the host {first}{more}"));
        }
        warnings
    }

    /// The `ssl_config` that handlers and templates see.
    pub fn ssl_config(&self) -> Value {
        let Files { key, certificate, authority } = &self.files;
        json!({
            "key_path": key.to_string_lossy(),
            "ca_cert_path": authority.as_ref().map(|path| path.to_string_lossy()),
            "cert_path": certificate.to_string_lossy(),
            "encrypt_after_connect": self.encrypts_after_connect,
        })
    }
}

/// The key and the certificates of the moment.
#[derive(Debug)]
pub(super) struct Keys {
    current: RwLock<Arc<CertifiedKey>>,
    renewal: Option<Renewal>,
}

/// How a certificate is issued again, for the same key.
#[derive(Debug)]
struct Renewal {
    authority: Authority,
    key: KeyPair,
    hosts: Vec<String>,
    path: PathBuf,
}

impl Renewal {
    /// Issues the certificate, and writes it to its file.
    fn issue(&self) -> Result<Arc<CertifiedKey>, String> {
        let chain = self.authority.issue(&self.key, &self.hosts, DAYS)?;
        fs::write(&self.path, pem::encode_certificates(&chain))
            .map_err(|error| format!("{} cannot be written: {error}", self.path.display()))?;
        let key = PrivatePkcs8KeyDer::from(self.key.serialize_der());
        certified(chain, key.into()).map_err(|error| error.to_string())
    }
}

impl Keys {
    fn current(&self) -> Arc<CertifiedKey> {
        Arc::clone(&self.current.read().unwrap_or_else(PoisonError::into_inner))
    }
}

impl ResolvesServerCert for Keys {
    fn resolve(&self, _hello: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        let current = self.current();
        let Some(renewal) = &self.renewal else {
            return Some(current);
        };
        let ends = Certificate::parse(&current.cert[0]).map(|certificate| certificate.ends);
        if ends.is_ok_and(|ends| ends > SystemTime::now() + DAY * (DAYS / 2)) {
            return Some(current);
        }
        // What cannot be renewed now goes on as long as it is valid.
        let Ok(renewed) = renewal.issue() else {
            return Some(current);
        };
        *self.current.write().unwrap_or_else(PoisonError::into_inner) = Arc::clone(&renewed);
        Some(renewed)
    }
}

fn certified(
    chain: Vec<CertificateDer<'static>>,
    key: PrivateKeyDer<'static>,
) -> Result<Arc<CertifiedKey>, rustls::Error> {
    CertifiedKey::from_der(chain, key, &ring::default_provider()).map(Arc::new)
}

/// How long an issued certificate is valid.
const DAYS: u32 = 13;

#[cfg(test)]
mod tests {
    use super::*;

    fn authority(folder: &TempDir) -> Authority {
        Authority::open_in(&folder.path().join("authority")).unwrap()
    }

    fn hosts() -> Vec<String> {
        ["a.test", "www.a.test", "127.0.0.1", "::1", "élève.a.test"].map(str::to_owned).into()
    }

    #[test]
    fn an_issued_certificate_is_for_exactly_the_hosts_and_its_files_go_with_it() {
        let folder = TempDir::new().unwrap();
        let identity = Identity::issued(authority(&folder), &hosts()).unwrap();
        let certificate = identity.certificate();
        let named = ["a.test", "www.a.test", "127.0.0.1", "::1", "xn--lve-6lad.a.test"];
        assert_eq!(certificate.hosts, named);
        assert!(certificate.ends <= SystemTime::now() + DAY * 14);
        assert_eq!(identity.spki_hash(), identity.authority().unwrap().spki_hash);
        let files = identity.files().clone();
        let loaded = Identity::load(&files.key, &files.certificate, None).unwrap();
        assert_eq!(loaded.certificate(), certificate);
        drop(identity);
        assert!(!files.key.exists() && !files.certificate.exists());
    }

    #[test]
    fn an_authority_stays_the_same() {
        let folder = TempDir::new().unwrap();
        let first = authority(&folder).certificate().clone();
        assert_eq!(authority(&folder).certificate(), &first);
        assert!(first.is_authority);
    }

    #[test]
    fn an_authority_without_its_key_is_an_error_with_a_remedy() {
        let folder = TempDir::new().unwrap();
        authority(&folder);
        fs::remove_file(folder.path().join("authority").join("ca.key")).unwrap();
        let error = Authority::open_in(&folder.path().join("authority")).unwrap_err().to_string();
        assert!(error.contains("ca.key cannot be used: it cannot be read"), "{error}");
        assert!(error.ends_with("remove the folder, and a new one is made, to be trusted anew"));
    }

    #[test]
    fn a_key_of_another_certificate_is_refused() {
        let folder = TempDir::new().unwrap();
        let one = Identity::issued(authority(&folder), &hosts()).unwrap();
        let other = Identity::issued(authority(&folder), &hosts()).unwrap();
        let error = Identity::load(&one.files().key, &other.files().certificate, None).unwrap_err();
        let certificate = other.files().certificate.display();
        let reason = format!("it does not belong to the certificate {certificate}");
        assert!(error.to_string().ends_with(&reason), "{error}");
    }

    #[test]
    fn a_renewed_certificate_has_the_same_key_and_another_number() {
        let folder = TempDir::new().unwrap();
        let identity = Identity::issued(authority(&folder), &hosts()).unwrap();
        let renewed = identity.keys.renewal.as_ref().unwrap().issue().unwrap();
        let renewed = Certificate::parse(&renewed.cert[0]).unwrap();
        assert_eq!(renewed.spki_hash, identity.certificate().spki_hash);
        assert_ne!(renewed.fingerprint, identity.certificate().fingerprint);
    }

    #[test]
    fn the_type_openssl_keeps_its_pair_as_long_as_it_is_for_all_hosts() {
        let folder = TempDir::new().unwrap();
        let mut config = Config::default();
        config.ssl.kind = "openssl".to_owned();
        config.ssl.openssl["base_path"] = folder.path().to_str().unwrap().into();
        let made = |hosts: &[String]| Identity::of(&config, hosts).unwrap();
        let first = made(&hosts()[..2]);
        assert_eq!(first.files().key, folder.path().join("a.test.key"));
        assert_eq!(made(&hosts()[..1]).certificate(), first.certificate());
        let second = made(&hosts());
        assert_ne!(second.certificate(), first.certificate());
        assert_eq!(second.authority(), first.authority());
    }

    #[test]
    fn an_end_within_two_weeks_and_hosts_that_are_missing_are_spoken_of() {
        let folder = TempDir::new().unwrap();
        let issued = Identity::issued(authority(&folder), &hosts()).unwrap();
        let certificate = issued.certificate();
        let at = |days: u32| certificate.ends - DAY * days;
        assert_eq!(issued.authority().unwrap().time_warning(SystemTime::now()), None);
        assert!(certificate.time_warning(at(15)).unwrap().starts_with("it is valid only from 20"));
        assert!(certificate.time_warning(at(3)).unwrap().starts_with("it ends in 3 days, on 20"));
        assert!(certificate.time_warning(certificate.ends).unwrap().starts_with("it ended on 20"));
        let loaded = Identity::load(&issued.files().key, &issued.files().certificate, None);
        let warnings = loaded.unwrap().warnings(&["a.test", "b.test", "c.test"].map(str::to_owned));
        assert_eq!(warnings.len(), 2);
        assert!(warnings[1].ends_with("it is not for the host b.test and 1 more"), "{warnings:?}");
    }
}

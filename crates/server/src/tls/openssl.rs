//! The configuration's type `openssl`: an authority and a pair for the hosts below `base_path`, in
//! the reference's layout. No openssl program is needed.

use std::{
    fs, io,
    net::IpAddr,
    path::{Path, PathBuf},
    time::{Duration, SystemTime},
};

use rcgen::KeyPair;
use serde_json::{Map, Value};
use tempfile::TempDir;

use super::{Authority, Identity, pem};
use crate::{Error, config::Folders};

/// The pair of `base_path` when it is valid, else a new one, and a new authority where there is
/// none.
pub(super) fn identity(
    settings: &Map<String, Value>,
    relative_to: &Folders,
    hosts: &[String],
) -> Result<Identity, Error> {
    let (folder, temporary) = folder(settings, relative_to)?;
    // The shortest name, as in the reference; an address of this machine is no name.
    let names = hosts.iter().filter(|host| host.parse::<IpAddr>().is_err());
    let host = names.min_by_key(|host| host.len()).map_or("localhost", String::as_str);
    let layout = Layout {
        authority_key: folder.join("cacert.key"),
        authority: folder.join("cacert.pem"),
        key: folder.join(format!("{host}.key")),
        certificate: folder.join(format!("{host}.pem")),
    };
    let days = settings.get("duration").and_then(Value::as_u64);
    let days = days.and_then(|days| u32::try_from(days).ok()).unwrap_or(30);
    let anew = settings.get("force_regenerate").and_then(Value::as_bool) == Some(true);
    if !anew && let Some(identity) = layout.existing(hosts) {
        return Ok(identity.keeping(temporary));
    }
    layout.make(hosts, days, anew)?;
    let Layout { key, certificate, authority, .. } = &layout;
    Ok(Identity::load(key, certificate, Some(authority))?.keeping(temporary))
}

/// The folder of the files; a temporary one when none is named.
fn folder(
    settings: &Map<String, Value>,
    relative_to: &Folders,
) -> Result<(PathBuf, Option<TempDir>), Error> {
    let unusable = |folder: &Path, error: &io::Error| Error::Authority {
        folder: folder.to_owned(),
        reason: format!("the folder cannot be made: {error}; set `ssl.openssl.base_path`"),
    };
    if let Some(path) = settings.get("base_path").and_then(Value::as_str) {
        let folder = relative_to.find(path);
        fs::create_dir_all(&folder).map_err(|error| unusable(&folder, &error))?;
        return Ok((folder, None));
    }
    let temporary = tempfile::Builder::new()
        .prefix("wptserve-")
        .tempdir()
        .map_err(|error| unusable(Path::new("base_path"), &error))?;
    Ok((temporary.path().to_owned(), Some(temporary)))
}

struct Layout {
    authority_key: PathBuf,
    authority: PathBuf,
    key: PathBuf,
    certificate: PathBuf,
}

impl Layout {
    /// The pair that is there, when it is valid for some time and for all hosts.
    fn existing(&self, hosts: &[String]) -> Option<Identity> {
        let identity = Identity::load(&self.key, &self.certificate, Some(&self.authority)).ok()?;
        let certificate = identity.certificate();
        let lasts = certificate.ends > SystemTime::now() + MARGIN;
        (lasts && hosts.iter().all(|host| certificate.names(host))).then_some(identity)
    }

    /// Makes the pair, and the authority unless there is one that lasts.
    fn make(&self, hosts: &[String], days: u32, anew: bool) -> Result<(), Error> {
        let unwritten = |path: &Path, error: &dyn std::fmt::Display| Error::Certificate {
            what: "file",
            path: path.to_owned(),
            reason: format!("it cannot be written: {error}"),
        };
        if anew || !self.authority_lasts()? {
            Authority::make(&self.authority_key, &self.authority, NAME, days)
                .map_err(|error| unwritten(&self.authority, &error))?;
        }
        let authority = Authority::load(&self.authority_key, &self.authority)?;
        let key = KeyPair::generate().map_err(|error| Error::Tls(error.to_string()))?;
        let chain = authority.issue(&key, hosts, days).map_err(Error::Tls)?;
        pem::write_private(&self.key, &pem::encode_key(key.serialized_der()))
            .map_err(|error| unwritten(&self.key, &error))?;
        fs::write(&self.certificate, pem::encode_certificates(&chain))
            .map_err(|error| unwritten(&self.certificate, &error))
    }

    /// Whether there is an authority, and it lasts. One that somebody may trust is not replaced
    /// just because its key is encrypted: then that is an error.
    fn authority_lasts(&self) -> Result<bool, Error> {
        if !self.authority_key.exists() || !self.authority.exists() {
            return Ok(false);
        }
        let authority = Authority::load(&self.authority_key, &self.authority)?;
        Ok(authority.certificate().ends > SystemTime::now() + MARGIN)
    }
}

/// What ends sooner than this is made anew, as in the reference.
const MARGIN: Duration = Duration::from_secs(6 * 60 * 60);
const NAME: &str = "web-platform-tests";

//! What a certificate says.

use std::{
    net::{Ipv4Addr, Ipv6Addr},
    time::{Duration, SystemTime, UNIX_EPOCH},
};

use base64::{Engine, engine::general_purpose::STANDARD};
use sha2::{Digest, Sha256};
use time::OffsetDateTime;
use x509_parser::prelude::{FromDer, GeneralName, X509Certificate};

/// The parts of an X.509 certificate (RFC 5280) that people and browsers ask for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Certificate {
    /// The subject's distinguished name.
    pub subject: String,
    /// The issuer's distinguished name.
    pub issuer: String,
    /// The host names and addresses that it is for.
    pub hosts: Vec<String>,
    /// When it begins to be valid.
    pub begins: SystemTime,
    /// When it ends.
    pub ends: SystemTime,
    /// The SHA-256 hash of its public key's `SubjectPublicKeyInfo`, in base64, as Chromium's
    /// `--ignore-certificate-errors-spki-list` takes it.
    pub spki_hash: String,
    /// The SHA-256 hash of the certificate, in hexadecimal digits.
    pub fingerprint: String,
    /// Whether it may issue others.
    pub is_authority: bool,
}

impl Certificate {
    /// Reads the DER form. The error says what is wrong with it.
    pub fn parse(der: &[u8]) -> Result<Self, String> {
        let malformed = |error: &dyn std::fmt::Display| format!("it is malformed: {error}");
        let (_, certificate) = X509Certificate::from_der(der).map_err(|error| malformed(&error))?;
        let names = certificate.subject_alternative_name().map_err(|error| malformed(&error))?;
        let names = names.map_or(&[][..], |extension| &extension.value.general_names);
        let validity = certificate.validity();
        Ok(Self {
            subject: certificate.subject().to_string(),
            issuer: certificate.issuer().to_string(),
            hosts: names.iter().filter_map(host).collect(),
            begins: moment(validity.not_before.timestamp()),
            ends: moment(validity.not_after.timestamp()),
            spki_hash: STANDARD.encode(Sha256::digest(certificate.public_key().raw)),
            fingerprint: hexadecimal(&Sha256::digest(der)),
            is_authority: certificate.is_ca(),
        })
    }

    /// Whether it is for a host. `*` stands for one label, the first.
    pub fn names(&self, host: &str) -> bool {
        let host = host.to_ascii_lowercase();
        self.hosts.iter().any(|name| {
            let name = name.to_ascii_lowercase();
            name == host
                || name.strip_prefix("*.").is_some_and(|parent| {
                    host.split_once('.').is_some_and(|(_, rest)| rest == parent)
                })
        })
    }

    /// What is to be said of its time: that it has ended, that it ends soon, or that it has not
    /// begun.
    pub fn time_warning(&self, now: SystemTime) -> Option<String> {
        if now >= self.ends {
            return Some(format!("it ended on {}; browsers refuse it", date(self.ends)));
        }
        if now < self.begins {
            return Some(format!("it is valid only from {} on", date(self.begins)));
        }
        let left = self.ends.duration_since(now).unwrap_or_default();
        if left >= NOTICE {
            return None;
        }
        let days = left.as_secs() / DAY.as_secs();
        let left = match days {
            0 => "today".to_owned(),
            1 => "in 1 day".to_owned(),
            days => format!("in {days} days"),
        };
        Some(format!("it ends {left}, on {}", date(self.ends)))
    }
}

fn host(name: &GeneralName<'_>) -> Option<String> {
    match name {
        GeneralName::DNSName(name) => Some((*name).to_owned()),
        GeneralName::IPAddress(bytes) => match bytes.len() {
            4 => <[u8; 4]>::try_from(*bytes).ok().map(|octets| Ipv4Addr::from(octets).to_string()),
            16 => {
                <[u8; 16]>::try_from(*bytes).ok().map(|octets| Ipv6Addr::from(octets).to_string())
            }
            _ => None,
        },
        _ => None,
    }
}

/// The moment of a Unix time, which may lie before 1970.
fn moment(seconds: i64) -> SystemTime {
    let distance = Duration::from_secs(seconds.unsigned_abs());
    let moment = if seconds < 0 {
        UNIX_EPOCH.checked_sub(distance)
    } else {
        UNIX_EPOCH.checked_add(distance)
    };
    moment.unwrap_or(UNIX_EPOCH)
}

/// A moment for people: `2026-01-31 12:00 UTC`.
pub fn date(moment: SystemTime) -> String {
    let moment = OffsetDateTime::from(moment);
    format!(
        "{:04}-{:02}-{:02} {:02}:{:02} UTC",
        moment.year(),
        u8::from(moment.month()),
        moment.day(),
        moment.hour(),
        moment.minute()
    )
}

fn hexadecimal(bytes: &[u8]) -> String {
    use std::fmt::Write as _;
    bytes.iter().fold(String::new(), |mut text, byte| {
        // Writing to a String cannot fail.
        let _ = write!(text, "{byte:02x}");
        text
    })
}

/// How long before its end a certificate is spoken of.
pub const NOTICE: Duration = Duration::from_secs(14 * 24 * 60 * 60);
pub(super) const DAY: Duration = Duration::from_secs(24 * 60 * 60);

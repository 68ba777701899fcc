//! `wptserve certs`: the authority, the certificate, and how browsers come to trust them.

pub(crate) mod nss;
mod trust;

use std::path::Path;

use clap::{Args, Subcommand};
use serde_json::{Value, json};
use server::tls::{Authority, Certificate, Identity, date};

use crate::{Exit, arguments::Source, log, settings::Failure};

/// Show the certificates, and have browsers trust them
///
/// The authority is made once for each user, at the first start that needs it or by this command.
/// It issues a new certificate at every start of a server.
#[derive(Debug, Clone, Args)]
pub struct CertsArguments {
    #[command(subcommand)]
    what: What,
}

#[derive(Debug, Clone, Subcommand)]
enum What {
    /// Show the authority and the certificate of a configuration
    Show {
        #[command(flatten)]
        source: Source,

        /// Print JSON, for programs
        #[arg(long)]
        json: bool,
    },
    /// Print the path of the authority's certificate, a PEM file
    Ca,
    /// Print the commands that make the system and its browsers trust the authority
    Trust {
        /// Run them
        #[arg(long)]
        run: bool,
    },
    /// Print the hash for Chromium's --ignore-certificate-errors-spki-list
    Spki {
        #[command(flatten)]
        source: Source,
    },
}

/// Does what is asked for.
pub fn certs(arguments: &CertsArguments) -> Exit {
    let result = match &arguments.what {
        What::Show { source, json } => show(source, *json),
        What::Ca => Authority::open()
            .map(|authority| log::print(&format!("{}\n", authority.path().display())))
            .map_err(Failure::from),
        What::Trust { run } => trust::trust(*run),
        What::Spki { source } => {
            identity(source).map(|(identity, _)| log::print(&format!("{}\n", identity.spki_hash())))
        }
    };
    result.map_or_else(Failure::told, |()| Exit::Success)
}

/// What a start with this configuration would use, and the hosts it would be for.
fn identity(source: &Source) -> Result<(Identity, Vec<String>), Failure> {
    let settings = source.settings()?;
    settings.warn();
    let hosts = settings.certificate_hosts();
    Ok((Identity::of(&settings.config, &hosts)?, hosts))
}

fn show(source: &Source, json: bool) -> Result<(), Failure> {
    let (identity, hosts) = identity(source)?;
    for text in identity.warnings(&hosts) {
        log::warning(&text);
    }
    let text = if json { format!("{:#}\n", described(&identity)) } else { shown(&identity) };
    log::print(&text);
    Ok(())
}

/// The key of an issued certificate is made at each start: neither it nor its files last.
fn described(identity: &Identity) -> Value {
    let files = identity.files();
    let lasts = !identity.is_issued();
    let entry = |certificate: &Certificate, file: Option<String>| {
        json!({
            "subject": certificate.subject,
            "issuer": certificate.issuer,
            "hosts": certificate.hosts,
            "begins": date(certificate.begins),
            "ends": date(certificate.ends),
            "spki_hash": file.is_some().then_some(&certificate.spki_hash),
            "sha256": file.is_some().then_some(&certificate.fingerprint),
            "file": file,
        })
    };
    let path = |path: &Path| path.to_string_lossy().into_owned();
    let authority = identity.authority().zip(files.authority.as_deref());
    json!({
        "spki_hash": identity.spki_hash(),
        "authority": authority.map(|(authority, file)| entry(authority, Some(path(file)))),
        "certificate": entry(identity.certificate(), lasts.then(|| path(&files.certificate))),
        "made_at_every_start": !lasts,
    })
}

fn shown(identity: &Identity) -> String {
    let files = identity.files();
    let mut text = String::new();
    if let Some((authority, file)) = identity.authority().zip(files.authority.as_deref()) {
        text += &block("Authority", authority, Some(file));
    }
    text + &if identity.is_issued() {
        block("Certificate, with a new key at every start", identity.certificate(), None)
    } else {
        block("Certificate", identity.certificate(), Some(&files.certificate))
    }
}

/// A certificate for people; with a file when both last.
fn block(title: &str, certificate: &Certificate, file: Option<&Path>) -> String {
    let mut lines = vec![("subject", certificate.subject.clone())];
    if !certificate.hosts.is_empty() {
        lines.push(("hosts", certificate.hosts.join(" ")));
    }
    lines.push(("ends", date(certificate.ends)));
    if let Some(file) = file {
        lines.push(("SPKI", certificate.spki_hash.clone()));
        lines.push(("SHA-256", certificate.fingerprint.clone()));
        lines.push(("file", file.display().to_string()));
    }
    let lines: Vec<String> =
        lines.into_iter().map(|(name, value)| format!("  {name:<9}{value}\n")).collect();
    format!("{title}\n{}", lines.concat())
}

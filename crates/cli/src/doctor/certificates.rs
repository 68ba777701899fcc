//! The certificates, and the authority behind them.

use std::time::SystemTime;

use server::{
    Config, Error,
    tls::{Authority, Identity, date},
};

use super::Finding;
use crate::shell::quoted;

/// What a start would use; nothing is made here.
pub(super) fn check(config: &Config) -> Finding {
    let made = match config.ssl.kind.as_str() {
        "pregenerated" => pair(config),
        "openssl" => Ok(Finding::ok(ABOUT, "a start makes them, as `ssl.type` `openssl` says")),
        _ => authority(),
    };
    made.unwrap_or_else(|error| {
        let remedy = match &error {
            Error::Authority { folder, .. } => {
                format!("rm -r {}", quoted(&folder.to_string_lossy()))
            }
            _ => REMEDY.to_owned(),
        };
        Finding::problem(ABOUT, error.to_string(), remedy)
    })
}

/// The user's own authority.
fn authority() -> Result<Finding, Error> {
    let Some(authority) = Authority::existing()? else {
        let text = "there is no certificate authority yet; the first start makes one";
        return Ok(Finding::ok(ABOUT, text));
    };
    let certificate = authority.certificate();
    let shown = authority.path().display();
    Ok(if let Some(warning) = certificate.time_warning(SystemTime::now()) {
        let folder = authority.path().parent().unwrap_or(authority.path());
        let remedy = format!("rm -r {}", quoted(&folder.to_string_lossy()));
        Finding::warning(ABOUT, format!("{shown}: {warning}"), remedy)
    } else {
        let ends = date(certificate.ends);
        Finding::ok(ABOUT, format!("the authority of {shown} lasts until {ends}"))
    })
}

/// A key and a certificate that the configuration names.
fn pair(config: &Config) -> Result<Finding, Error> {
    let hosts = config.host_names().domains;
    let identity = Identity::of(config, &hosts)?;
    Ok(match identity.warnings(&hosts).as_slice() {
        [] => {
            let ends = date(identity.certificate().ends);
            Finding::ok(ABOUT, format!("those of the configuration last until {ends}"))
        }
        warnings => Finding::warning(ABOUT, warnings.join("; "), REMEDY),
    })
}

const ABOUT: &str = "certificates";

/// Whoever names no files has an authority of their own and new certificates at every start.
const REMEDY: &str = "set `ssl.type` to `none` in the file of --config";

//! The preferences of Firefox.

use std::fs;

use serde_json::{Value, json};

use super::{Output, Reach};
use crate::{Exit, settings::Failure, shell::quoted};

/// The preferences as a `user.js`. With a profile the file is written there, and what is printed
/// are the arguments that name the profile.
pub(super) fn preferences(reach: &Reach) -> Result<Output, Failure> {
    let preferences = list(reach);
    let line = |(name, value): &(&str, Value)| format!("user_pref({}, {value});\n", json!(name));
    let text = preferences.iter().map(line).collect::<Vec<_>>().concat();
    let warnings = trust(reach);
    let Some(profile) = &reach.profile else {
        let json = preferences
            .into_iter()
            .map(|(name, value)| json!({"name": name, "value": value}))
            .collect();
        return Ok(Output { text, json: Value::Array(json), warnings });
    };
    let file = profile.join("user.js");
    fs::create_dir_all(profile).and_then(|()| fs::write(&file, text)).map_err(|error| Failure {
        exit: Exit::Failure,
        message: format!("{} cannot be written: {error}", file.display()),
    })?;
    let profile = std::path::absolute(profile).unwrap_or_else(|_| profile.clone());
    let arguments = ["--profile".to_owned(), profile.to_string_lossy().into_owned()];
    Ok(Output::arguments(&arguments, warnings))
}

fn list(reach: &Reach) -> Vec<(&'static str, Value)> {
    // Firefox takes such names for localhost. Another address needs the PAC file.
    let mut list = if reach.address.is_loopback() {
        vec![
            ("network.dns.localDomains", json!(reach.names.domains.join(","))),
            ("network.proxy.type", json!(0)),
        ]
    } else {
        vec![
            ("network.proxy.autoconfig_url", json!(reach.pac_url())),
            ("network.proxy.type", json!(2)),
        ]
    };
    list.extend([
        // A resolver on the web does not know the names.
        ("network.trr.mode", json!(5)),
        // On Windows and macOS the system's trust store counts too.
        ("security.enterprise_roots.enabled", json!(true)),
        ("dom.security.https_first", json!(false)),
        ("dom.security.https_first_schemeless", json!(false)),
        ("dom.security.https_only_mode", json!(false)),
    ]);
    if reach.for_tests {
        list.extend([
            ("app.normandy.enabled", json!(false)),
            ("app.update.disabledForTesting", json!(true)),
            ("browser.shell.checkDefaultBrowser", json!(false)),
            ("browser.startup.page", json!(0)),
            ("datareporting.policy.dataSubmissionEnabled", json!(false)),
            ("dom.disable_open_during_load", json!(false)),
            ("dom.max_chrome_script_run_time", json!(0)),
            ("dom.max_script_run_time", json!(0)),
            ("media.autoplay.default", json!(0)),
            ("media.navigator.streams.fake", json!(true)),
            ("media.navigator.permission.disabled", json!(true)),
            ("network.captive-portal-service.enabled", json!(false)),
            ("network.connectivity-service.enabled", json!(false)),
            ("places.history.enabled", json!(false)),
        ]);
    }
    list
}

/// How the profile comes to trust the authority; Firefox has no preference for one certificate.
fn trust(reach: &Reach) -> Vec<String> {
    let Some(authority) = &reach.authority else {
        return reach.lacks_authority();
    };
    let profile = match &reach.profile {
        Some(profile) => profile.to_string_lossy().into_owned(),
        None => "PROFILE".to_owned(),
    };
    vec![format!(
        "for https the profile has to trust the authority; run `certutil -A -n wptserve -t C,, -i {} \
         -d {}`",
        quoted(&authority.path.to_string_lossy()),
        quoted(&format!("sql:{profile}")),
    )]
}

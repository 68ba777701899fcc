//! The preferences of Firefox, and how it comes to trust the certificate.

use std::{fs, io, path::Path};

use serde_json::{Value, json};

use super::{Output, Reach};
use crate::{
    Exit,
    certs::nss,
    settings::Failure,
    shell::{execute, line},
};

/// The preferences as a `user.js`. With a profile they are written there and the profile trusts the
/// authority, and what is printed are the arguments that name the profile.
pub(super) fn preferences(reach: &Reach) -> Result<Output, Failure> {
    let preferences = list(reach);
    let line = |(name, value): &(&str, Value)| format!("user_pref({}, {value});\n", json!(name));
    let text = preferences.iter().map(line).collect::<Vec<_>>().concat();
    let Some(profile) = &reach.profile else {
        let json = preferences
            .into_iter()
            .map(|(name, value)| json!({"name": name, "value": value}))
            .collect();
        return Ok(Output { text, json: Value::Array(json), warnings: how_to_trust(reach) });
    };
    let file = profile.join("user.js");
    fs::create_dir_all(profile).and_then(|()| put(&file, &text)).map_err(|error| Failure {
        exit: Exit::Failure,
        message: format!("{} cannot be written: {error}", file.display()),
    })?;
    let profile = std::path::absolute(profile).unwrap_or_else(|_| profile.clone());
    let warnings = trust(reach, &profile);
    let arguments = ["--profile".to_owned(), profile.to_string_lossy().into_owned()];
    Ok(Output::arguments(&arguments, warnings))
}

/// Puts our lines into a `user.js`, in the place of those of an earlier time. All else is the
/// user's and stays.
fn put(file: &Path, ours: &str) -> io::Result<()> {
    let before = match fs::read_to_string(file) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => String::new(),
        before => before?,
    };
    fs::write(file, with_block(&before, ours))
}

fn with_block(before: &str, ours: &str) -> String {
    let mut kept = String::new();
    let mut is_ours = false;
    for line in before.split_inclusive('\n') {
        match line.trim_end() {
            START => is_ours = true,
            END if is_ours => is_ours = false,
            _ if !is_ours => kept.push_str(line),
            _ => {}
        }
    }
    if !kept.is_empty() && !kept.ends_with('\n') {
        kept.push('\n');
    }
    format!("{kept}{START}\n{ours}{END}\n")
}

/// Has a profile trust the authority; what remains to be done is told.
fn trust(reach: &Reach, profile: &Path) -> Vec<String> {
    let Some(authority) = &reach.authority else {
        return reach.lacks_authority();
    };
    let commands = nss::commands(profile, nss::is_database(profile), &authority.path);
    let failed = commands.iter().find_map(|command| execute(command).err());
    let told = failed.map(|reason| {
        format!(
            "{reason}; for https the profile has to trust the authority: run `{}`, or use the \
             policies of `wptserve browser-args firefox --policies`",
            shown(&commands)
        )
    });
    told.into_iter().collect()
}

/// What to tell where no profile is named: Firefox has no preference for one certificate.
fn how_to_trust(reach: &Reach) -> Vec<String> {
    let Some(authority) = &reach.authority else {
        return reach.lacks_authority();
    };
    let commands = nss::commands(Path::new("PROFILE"), false, &authority.path);
    vec![format!(
        "for https the profile has to trust the authority: --profile sees to it, or run `{}`, or \
         use the policies of --policies",
        shown(&commands)
    )]
}

/// Both ways to have the certificate trusted by hand, where there is one.
pub(super) fn trust_commands(reach: &Reach) -> Option<String> {
    let authority = reach.authority.as_ref()?;
    let commands = nss::commands(Path::new("PROFILE"), false, &authority.path);
    let lines = commands.iter().map(|command| line(command)).collect::<Vec<_>>().join("\n");
    let policies = format!("{:#}\n", policies_for(&authority.path));
    Some(format!("{lines}\n\n# without certutil, for all profiles: {POLICIES}\n{policies}"))
}

/// The policies that have every profile trust the authority, for a machine without certutil.
pub(super) fn policies(reach: &Reach) -> Result<Output, Failure> {
    let Some(authority) = &reach.authority else {
        let message = reach.lacks_authority().concat();
        return Err(Failure { exit: Exit::Failure, message });
    };
    let json = policies_for(&authority.path);
    Ok(Output {
        text: format!("{json:#}\n"),
        json,
        warnings: vec![format!("the file is {POLICIES}")],
    })
}

fn policies_for(authority: &Path) -> Value {
    json!({"policies": {"Certificates": {"Install": [authority]}}})
}

/// Commands that are to be run one after the other, while each succeeds.
fn shown(commands: &[Vec<String>]) -> String {
    commands.iter().map(|command| line(command)).collect::<Vec<_>>().join(" && ")
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
            ("browser.chrome.favicons", json!(false)),
            ("browser.chrome.site_icons", json!(false)),
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

const POLICIES: &str = "/etc/firefox/policies/policies.json, or distribution/policies.json beside \
                        the program";
const START: &str = "// wptserve: what stands up to its end is written by `wptserve browser-args`";
const END: &str = "// wptserve: end";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_lines_of_a_user_stay() {
        let ours = "user_pref(\"a\", 1);\n";
        let once = with_block("// mine\nuser_pref(\"b\", 2);", ours);
        assert_eq!(once, format!("// mine\nuser_pref(\"b\", 2);\n{START}\n{ours}{END}\n"));
        assert_eq!(with_block(&once, ours), once);
        let later = with_block(&format!("{once}// more\n"), "x\n");
        let expected = "// mine\nuser_pref(\"b\", 2);\n// more\n";
        assert_eq!(later, format!("{expected}{START}\nx\n{END}\n"));
    }
}

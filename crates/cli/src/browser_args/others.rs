//! Browsers with ways of their own: Safari, Servo, Ladybird.

use std::fs;

use serde_json::Value;
use server::Scheme;

use super::{Output, Reach};
use crate::{Exit, settings::Failure, shell::quoted};

/// Safari takes the system's proxy: the commands that set it for a network service, and back.
pub(super) fn safari(reach: &Reach) -> Output {
    let set = ["networksetup", "-setautoproxyurl", "Wi-Fi", &reach.pac_url()].map(str::to_owned);
    let back = ["networksetup", "-setautoproxystate", "Wi-Fi", "off"].map(str::to_owned);
    let line =
        |words: &[String]| words.iter().map(|word| quoted(word)).collect::<Vec<_>>().join(" ");
    let mut warnings = vec![
        "Safari has no settings of its own for names: these change the system's proxy, for every \
         program; Wi-Fi is the name of the network service"
            .to_owned(),
    ];
    warnings.extend(match &reach.authority {
        Some(_) => {
            vec!["for https run `wptserve certs trust`: Safari takes the system's trust".to_owned()]
        }
        None => reach.lacks_authority(),
    });
    Output {
        text: format!("{}\n# and back:\n{}\n", line(&set), line(&back)),
        json: Value::Array(vec![Value::from(set.to_vec()), Value::from(back.to_vec())]),
        warnings,
    }
}

/// Servo reads a hosts file of its own, which a variable names.
pub(super) fn servo(reach: &Reach) -> Result<Output, Failure> {
    let mut warnings = reach.lacks_authority();
    let hosts = if let Some(profile) = &reach.profile {
        let file = profile.join("hosts");
        let line = |name: &String| format!("{} {name}\n", reach.address);
        let lines = reach.names.domains.iter().map(line).collect::<Vec<_>>().concat();
        fs::create_dir_all(profile).and_then(|()| fs::write(&file, lines)).map_err(|error| {
            let message = format!("{} cannot be written: {error}", file.display());
            Failure { exit: Exit::Failure, message }
        })?;
        std::path::absolute(&file).unwrap_or(file).to_string_lossy().into_owned()
    } else {
        let placeholder = "HOSTS stands for a file with the output of `wptserve hosts`; \
                           --profile DIR writes one";
        warnings.push(placeholder.to_owned());
        "HOSTS".to_owned()
    };
    let mut words = vec!["env".to_owned(), format!("HOST_FILE={hosts}"), "servo".to_owned()];
    if let Some(authority) = &reach.authority {
        words.push(format!("--certificate-path={}", authority.path.display()));
    }
    words.push(reach.url());
    Ok(Output::command(&words, warnings))
}

/// Ladybird asks the DNS server that it is told.
pub(super) fn ladybird(reach: &Reach) -> Output {
    let mut words = vec!["Ladybird".to_owned()];
    let mut warnings = reach.lacks_authority();
    if let Some(port) = reach.ports(Scheme::Dns).first() {
        words.push(format!("--dns-server={}", reach.address));
        words.push(format!("--dns-port={port}"));
    } else {
        warnings.push(
            "this server answers no DNS queries, from which Ladybird would have the names; start \
             it with `wptserve wpt --dns`, or run `wptserve hosts --install`"
                .to_owned(),
        );
    }
    if let Some(authority) = &reach.authority {
        words.push(format!("--certificate={}", authority.path.display()));
    }
    words.push(reach.url());
    Output::command(&words, warnings)
}

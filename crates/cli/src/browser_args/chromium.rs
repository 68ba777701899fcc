//! The flags of Chromium and the browsers that are built from it.

use server::Scheme;

use super::{Output, Reach};
use crate::shell::is_root;

/// The flags for reaching the server, and for tests when they are asked for.
pub(super) fn flags(reach: &Reach) -> Output {
    let mut flags = vec![format!("--host-resolver-rules={}", resolver_rules(reach))];
    if let Some(authority) = &reach.authority {
        let hash = &authority.spki_hash;
        flags.push(format!("--ignore-certificate-errors-spki-list={hash}"));
    }
    // Chromium accepts the hash only for a profile that is named.
    if !reach.no_profile {
        flags.push(format!("--user-data-dir={}", reach.folder("chromium").display()));
    }
    // Its sandbox refuses to be started by root.
    if is_root() {
        flags.push("--no-sandbox".to_owned());
    }
    // A proxy of the system would be asked for names that only this machine knows.
    flags.push("--no-proxy-server".to_owned());
    flags.extend(["--no-first-run", "--no-default-browser-check"].map(str::to_owned));
    if reach.for_tests {
        flags.extend(address_spaces(reach));
        flags.extend(FOR_TESTS.map(str::to_owned));
    }
    Output::arguments(&flags, reach.lacks_authority())
}

/// The rules, of which the first that fits counts. `^NOTFOUND` is no host but a name that does not
/// resolve.
fn resolver_rules(reach: &Reach) -> String {
    let address = match reach.address {
        std::net::IpAddr::V4(ip) => ip.to_string(),
        std::net::IpAddr::V6(ip) => format!("[{ip}]"),
    };
    // A rule for a name is one for all that are below it: only the topmost are listed.
    let missing = &reach.names.not_domains;
    let topmost = missing.iter().filter(|name| {
        let below = |other: &&String| name.ends_with(&format!(".{other}"));
        !missing.iter().any(|other| below(&other))
    });
    let missing = topmost.map(|name| (name, "^NOTFOUND"));
    let hosts = reach.names.hosts.iter().map(|name| (name, address.as_str()));
    let rules = missing.chain(hosts).flat_map(|(name, to)| {
        // With a dot at the end it is another name to Chromium.
        [name.clone(), format!("*.{name}"), format!("{name}."), format!("*.{name}.")]
            .map(|pattern| format!("MAP {pattern} {to}"))
    });
    rules.collect::<Vec<_>>().join(", ")
}

/// Which ports are of which address space, where they are known.
fn address_spaces(reach: &Reach) -> Option<String> {
    let spaces = [
        (Scheme::HttpLocal, "private"),
        (Scheme::HttpPublic, "public"),
        (Scheme::HttpsLocal, "private"),
        (Scheme::HttpsPublic, "public"),
    ];
    let overrides = spaces.iter().flat_map(|(scheme, space)| {
        reach
            .ports(*scheme)
            .into_iter()
            .map(move |port| format!("{}={space}", std::net::SocketAddr::new(reach.address, port)))
    });
    let overrides: Vec<String> = overrides.collect();
    let some = !overrides.is_empty();
    some.then(|| format!("--ip-address-space-overrides={}", overrides.join(",")))
}

/// What wptrunner gives Chromium beside the ways to the server.
const FOR_TESTS: [&str; 10] = [
    "--autoplay-policy=no-user-gesture-required",
    "--disable-infobars",
    "--disable-popup-blocking",
    "--enable-experimental-web-platform-features",
    "--short-reporting-delay",
    "--use-fake-device-for-media-stream",
    "--use-fake-ui-for-digital-identity",
    "--use-fake-ui-for-fedcm",
    "--use-fake-ui-for-media-stream",
    "--webtransport-developer-mode",
];

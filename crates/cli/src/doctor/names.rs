//! Which host names resolve.

use server::Config;

use super::Finding;
use crate::wpt::names::unresolved;

pub(super) fn check(config: &Config) -> Finding {
    let names = config.host_names();
    let missing = unresolved(&names.domains);
    let all = names.domains.len();
    if let Some(first) = missing.first() {
        let text = format!(
            "{} of {all} host names do not resolve here, such as {first}; a browser needs its \
             flags, or the hosts file the entries (`wptserve hosts --install`)",
            missing.len()
        );
        return Finding::warning("names", text, "wptserve browser-args chrome");
    }
    let absent = unresolved(&names.not_domains);
    if let Some(present) = names.not_domains.iter().find(|name| !absent.contains(name)) {
        let text = format!("{present} resolves, and tests need a name that does not");
        return Finding::warning("names", text, "wptserve browser-args chrome");
    }
    Finding::ok("names", format!("all {all} host names resolve"))
}

//! The certificates, and the authority behind them.

use server::Config;

use super::Finding;
use crate::certificates::known_authority;

pub(super) fn check(config: &Config) -> Vec<Finding> {
    vec![match known_authority(config) {
        Some(authority) => {
            Finding::ok("certificates", format!("the authority is {}", authority.path.display()))
        }
        None => Finding::warning(
            "certificates",
            "there is no certificate authority yet; the first start makes one",
            "wptserve certs show",
        ),
    }]
}

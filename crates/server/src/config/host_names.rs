//! The host names of a configuration: which are to resolve, and which are not.

use std::cmp::Ordering;

use serde_json::Value;

use super::{Config, resolved::below};

/// Host names in ASCII, each once. Their order is that of a hosts file: by label, from the last one
/// on.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct HostNames {
    /// The browser host and the alternate ones.
    pub hosts: Vec<String>,
    /// What is to resolve: the hosts and the subdomains of each.
    pub domains: Vec<String>,
    /// What is not to resolve.
    pub not_domains: Vec<String>,
    /// The labels of subdomains that are not to resolve, without the host.
    pub not_subdomains: Vec<String>,
}

impl Config {
    /// The host names.
    pub fn host_names(&self) -> HostNames {
        let hosts: Vec<String> = self
            .alternate_hosts
            .values()
            .chain([&self.browser_host])
            .map(|host| idna::domain_to_ascii(host).unwrap_or_else(|_| host.clone()))
            .collect();
        let all_below = |subdomains: &[String]| {
            let below = hosts.iter().flat_map(|host| below(host, subdomains).into_iter());
            below.filter_map(|(_, name)| text(name)).collect::<Vec<_>>()
        };
        let domains = hosts.iter().cloned().chain(all_below(&self.subdomains)).collect();
        let not_domains = all_below(&self.not_subdomains);
        let ascii = |name: &String| idna::domain_to_ascii(name).unwrap_or_else(|_| name.clone());
        let not_subdomains = self.not_subdomains.iter().map(ascii).collect();
        HostNames {
            hosts: ordered(hosts),
            domains: ordered(domains),
            not_domains: ordered(not_domains),
            not_subdomains: ordered(not_subdomains),
        }
    }
}

fn text(value: Value) -> Option<String> {
    match value {
        Value::String(text) => Some(text),
        _ => None,
    }
}

fn ordered(mut names: Vec<String>) -> Vec<String> {
    names.sort_by(|one, other| by_label(one, other));
    names.dedup();
    names
}

fn by_label(one: &str, other: &str) -> Ordering {
    one.rsplit('.').cmp(other.rsplit('.'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_in_the_order_of_a_hosts_file() {
        let config = Config {
            browser_host: "web.test".to_owned(),
            alternate_hosts: [("alt".to_owned(), "not-web.test".to_owned())].into(),
            subdomains: ["www", "www.www", "élève"].map(str::to_owned).into(),
            not_subdomains: vec!["no".to_owned()],
            ..Config::default()
        };
        let names = config.host_names();
        assert_eq!(names.hosts, ["not-web.test", "web.test"]);
        assert_eq!(
            names.domains,
            [
                "not-web.test",
                "www.not-web.test",
                "www.www.not-web.test",
                "xn--lve-6lad.not-web.test",
                "web.test",
                "www.web.test",
                "www.www.web.test",
                "xn--lve-6lad.web.test",
            ]
        );
        assert_eq!(names.not_domains, ["no.not-web.test", "no.web.test"]);
    }

    #[test]
    fn a_name_that_repeats_is_one() {
        let config = Config {
            alternate_hosts: [("alt".to_owned(), "localhost".to_owned())].into(),
            ..Config::default()
        };
        assert_eq!(config.host_names().domains, ["localhost"]);
    }
}

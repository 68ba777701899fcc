//! Which names the DNS server knows.

use std::collections::HashSet;

use crate::config::HostNames;

/// A name as its labels in lower case, the last one first: a name is below another when it begins
/// with it.
pub(super) type Labels = Vec<Box<[u8]>>;

/// What resolves and what does not.
#[derive(Debug, Clone, Default)]
pub struct DnsNames {
    /// The hosts, which are the zones.
    zones: Vec<Labels>,
    /// The names that exist.
    existing: HashSet<Labels>,
    /// Names that exist because others are below them.
    parents: HashSet<Labels>,
    /// Names that do not exist, nor do any below them.
    missing: HashSet<Labels>,
    /// Labels that no name below a zone may have.
    missing_labels: HashSet<Box<[u8]>>,
    /// Whether every name below a zone exists.
    wildcards: bool,
}

/// What there is at a name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Existence {
    /// Addresses.
    Host,
    /// Nothing, but there are names below.
    Parent,
    /// Nothing at all.
    Missing,
}

impl DnsNames {
    /// The names of a configuration. With `wildcards`, every name below a host resolves also,
    /// except those that are not to. Their number is that of the patterns `*.host`, `*.*.host` and
    /// so on that the reference has, and a `*` there stands for several labels too; 0 is as many as
    /// the configuration's deepest name has dots.
    pub fn new(names: &HostNames, wildcards: Option<usize>) -> Self {
        let all_labels = |names: &[String]| -> Vec<Labels> {
            names.iter().map(|name| labels(name.split('.').map(str::as_bytes))).collect()
        };
        let zones = all_labels(&names.hosts);
        let existing: HashSet<Labels> = all_labels(&names.domains).into_iter().collect();
        let parents = existing
            .iter()
            .flat_map(|name| {
                let zone = deepest_zone(&zones, name).map_or(name.len(), Vec::len);
                (zone..name.len()).map(|length| name[..length].to_vec())
            })
            .collect();
        // As in the reference, which counts the dots of whole names.
        let deepest = || {
            let all = names.domains.iter().chain(&names.not_domains);
            all.map(|name| name.matches('.').count()).max().unwrap_or_default()
        };
        let missing_labels = match wildcards {
            Some(_) => names
                .not_subdomains
                .iter()
                .map(|name| name.to_ascii_lowercase().into_bytes().into_boxed_slice())
                .collect(),
            None => HashSet::new(),
        };
        let wildcards = match wildcards {
            Some(0) => deepest() > 0,
            wildcards => wildcards.is_some(),
        };
        let missing = all_labels(&names.not_domains).into_iter().collect();
        Self { zones, existing, parents, missing, missing_labels, wildcards }
    }

    /// Whether a name has addresses.
    pub(crate) fn resolves(&self, name: &str) -> bool {
        let name = name.strip_suffix('.').unwrap_or(name);
        self.find(&labels(name.split('.').map(str::as_bytes))).0 == Existence::Host
    }

    /// What there is at a name, and the zone that says so.
    pub(super) fn find(&self, name: &Labels) -> (Existence, Option<&Labels>) {
        let zone = deepest_zone(&self.zones, name);
        (self.existence(name, zone), zone)
    }

    fn existence(&self, name: &Labels, zone: Option<&Labels>) -> Existence {
        let excluded = (1..=name.len()).any(|length| self.missing.contains(&name[..length]));
        if excluded {
            return Existence::Missing;
        }
        if self.existing.contains(name) {
            return Existence::Host;
        }
        if let Some(zone) = zone.filter(|_| self.wildcards) {
            let mut below = name[zone.len()..].iter();
            if !below.any(|label| self.missing_labels.contains(label)) {
                return Existence::Host;
            }
        }
        if self.parents.contains(name) { Existence::Parent } else { Existence::Missing }
    }
}

/// The labels of a name that are given in the usual order.
pub(super) fn labels<'a>(labels: impl DoubleEndedIterator<Item = &'a [u8]>) -> Vec<Box<[u8]>> {
    labels.rev().map(|label| label.to_ascii_lowercase().into_boxed_slice()).collect()
}

fn deepest_zone<'a>(zones: &'a [Labels], name: &Labels) -> Option<&'a Labels> {
    zones.iter().filter(|zone| name.starts_with(zone)).max_by_key(|zone| zone.len())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Config;

    fn names(wildcards: Option<usize>) -> DnsNames {
        let config = Config {
            browser_host: "web.test".to_owned(),
            subdomains: vec!["www".to_owned(), "a.b".to_owned()],
            not_subdomains: vec!["no".to_owned(), "no.no".to_owned()],
            ..Config::default()
        };
        DnsNames::new(&config.host_names(), wildcards)
    }

    fn existence(names: &DnsNames, name: &str) -> Existence {
        names.find(&labels(name.split('.').map(str::as_bytes))).0
    }

    #[test]
    fn what_is_configured_exists() {
        let names = names(None);
        for name in ["web.test", "WWW.Web.Test", "a.b.web.test"] {
            assert_eq!(existence(&names, name), Existence::Host, "{name}");
        }
        assert_eq!(existence(&names, "b.web.test"), Existence::Parent);
        for name in ["x.web.test", "no.web.test", "no.no.web.test", "xweb.test", "test", "other"] {
            assert_eq!(existence(&names, name), Existence::Missing, "{name}");
        }
    }

    #[test]
    fn wildcards_cross_dots() {
        let names = names(Some(1));
        for name in ["x.web.test", "x.y.z.z.web.test", "b.web.test", "www.web.test"] {
            assert_eq!(existence(&names, name), Existence::Host, "{name}");
        }
        for name in ["no.web.test", "x.no.web.test", "no.x.web.test", "x.test"] {
            assert_eq!(existence(&names, name), Existence::Missing, "{name}");
        }
    }

    #[test]
    fn no_wildcards_are_as_many_as_the_deepest_name_has_dots() {
        assert_eq!(existence(&names(Some(0)), "x.y.z.z.web.test"), Existence::Host);
        let flat = Config { browser_host: "web".to_owned(), ..Config::default() };
        let flat = DnsNames::new(&flat.host_names(), Some(0));
        assert_eq!(existence(&flat, "x.web"), Existence::Missing);
    }
}

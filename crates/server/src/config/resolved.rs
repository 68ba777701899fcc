//! The configuration as handlers and templates see it.

use std::{collections::BTreeMap, path::Path};

use serde_json::{Map, Value, json};

use super::{Config, Port};
use crate::scheme::{OLD_NAMES, Scheme};

impl Config {
    /// The configuration as handlers see it: the keys of the file and what follows from them.
    /// `ports` are those that are listened on; a port that repeats is one.
    pub fn resolved(&self, doc_root: &Path, ports: &[(Scheme, u16)]) -> Value {
        let doc_root = doc_root.to_string_lossy();
        let (mut domains, mut not_domains, mut all_domains) = (Map::new(), Map::new(), Map::new());
        let (mut domains_set, mut not_domains_set) = (Vec::new(), Vec::new());
        let hosts = self.alternate_hosts.iter().map(|(name, host)| (name.as_str(), host));
        for (name, host) in hosts.chain([("", &self.browser_host)]) {
            let mut below = below(host, &self.subdomains);
            below.insert(String::new(), host.clone().into());
            let not_below = self::below(host, &self.not_subdomains);
            domains_set.extend(below.values().cloned());
            not_domains_set.extend(not_below.values().cloned());
            let all: Map<_, _> = below.clone().into_iter().chain(not_below.clone()).collect();
            domains.insert(name.to_owned(), below.into());
            not_domains.insert(name.to_owned(), not_below.into());
            all_domains.insert(name.to_owned(), all.into());
        }
        let all_domains_set: Vec<_> = domains_set.iter().chain(&not_domains_set).cloned().collect();
        let ports = self.resolved_ports(ports);
        let mut value = json!({
            "browser_host": self.browser_host,
            "alternate_hosts": self.alternate_hosts,
            "doc_root": doc_root,
            "server_host": self.server_host.as_ref().unwrap_or(&self.browser_host),
            "ports": ports,
            "check_subdomains": self.check_subdomains,
            "bind_address": self.bind_address,
            "ssl": self.ssl,
            "aliases": self.aliases,
            "logging": self.logging,
            "subdomains": self.subdomains,
            "not_subdomains": self.not_subdomains,
            "paths": {"doc_root": doc_root},
            "domains": domains,
            "not_domains": not_domains,
            "all_domains": all_domains,
            "domains_set": domains_set,
            "not_domains_set": not_domains_set,
            "all_domains_set": all_domains_set,
            "ssl_config": self.ssl_config(),
        });
        if self.checkout.is_some() {
            let ws_doc_root = json!(self.ws_doc_root(Path::new(&*doc_root)).to_string_lossy());
            value["paths"]["ws_doc_root"] = ws_doc_root.clone();
            value["paths"]["ws_extra"] = json!(self.ws_extra);
            value["ws_doc_root"] = ws_doc_root;
            value["ws_extra"] = json!(self.ws_extra);
        }
        // The reference's config has no such keys: they are there when the file has them.
        if !self.rewrites.is_empty() {
            value["rewrites"] = json!(self.rewrites);
        }
        if !self.routes.is_empty() {
            value["routes"] = json!(self.routes);
        }
        value["logging"]["level"] = self.logging.level.to_uppercase().into();
        value
    }

    /// The host names of the configuration: every host and its subdomains, `browser_host` first.
    pub fn hosts(&self) -> Vec<String> {
        let mut names = Vec::new();
        for host in [&self.browser_host].into_iter().chain(self.alternate_hosts.values()) {
            names.push(host.clone());
            let below = below(host, &self.subdomains);
            names.extend(below.values().filter_map(Value::as_str).map(str::to_owned));
        }
        names
    }

    /// The ports by scheme; a scheme that had another name is there under both.
    fn resolved_ports(&self, ports: &[(Scheme, u16)]) -> Map<String, Value> {
        let mut listened: BTreeMap<&str, Vec<Option<u16>>> =
            self.ports.keys().map(|name| (name.as_str(), Vec::new())).collect();
        for (scheme, port) in ports {
            let ports = listened.entry(scheme.name()).or_default();
            if !ports.contains(&Some(*port)) {
                ports.push(Some(*port));
            }
        }
        let mut by_name: Map<String, Value> = Map::new();
        for (name, mut ports) in listened {
            // A slot that is off keeps its place.
            for (place, port) in self.ports.get(name).into_iter().flatten().enumerate() {
                if *port == Port::Off(()) && place <= ports.len() {
                    ports.insert(place, None);
                }
            }
            by_name.insert(name.to_owned(), json!(ports));
        }
        for (old, new) in OLD_NAMES {
            if let Some(ports) = by_name.get(new).cloned() {
                by_name.insert(old.to_owned(), ports);
            }
        }
        by_name
    }

    /// The key and the certificate that the `pregenerated` type names.
    fn ssl_config(&self) -> Value {
        match self.ssl.kind.as_str() {
            "pregenerated" => json!({
                "key_path": self.ssl.pregenerated["host_key_path"],
                "ca_cert_path": null,
                "cert_path": self.ssl.pregenerated["host_cert_path"],
                "encrypt_after_connect": self.ssl.encrypt_after_connect,
            }),
            _ => Value::Null,
        }
    }
}

/// The host names of subdomains, by the subdomain's Unicode name.
pub(super) fn below(host: &str, subdomains: &[String]) -> Map<String, Value> {
    subdomains
        .iter()
        .map(|subdomain| {
            // What IDNA does not allow stays as it is: it is a name all the same.
            let ascii = idna::domain_to_ascii(subdomain).unwrap_or_else(|_| subdomain.clone());
            (subdomain.clone(), format!("{ascii}.{host}").into())
        })
        .collect()
}

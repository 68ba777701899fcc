//! The configuration file: the reference's keys, typed; unknown keys are refused by name.

use std::{collections::BTreeMap, fs, path::Path};

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

use crate::Error;

/// A configuration. Every key is optional in a file; what it does not say has the default.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Config {
    /// The host name that browsers use.
    pub browser_host: String,
    /// Further host names, by a name of their own.
    pub alternate_hosts: BTreeMap<String, String>,
    /// Names below each host that are to resolve, such as `www`.
    pub subdomains: Vec<String>,
    /// Names below each host that are not to resolve.
    pub not_subdomains: Vec<String>,
    /// The document root.
    pub doc_root: Option<String>,
    /// The host or address to listen on; `browser_host` when absent.
    pub server_host: Option<String>,
    /// Ports by scheme.
    pub ports: BTreeMap<String, Vec<Port>>,
    /// Whether to check that the subdomains resolve.
    pub check_subdomains: bool,
    /// Whether to listen on the host's address alone (`true`), or on every one.
    pub bind_address: bool,
    /// Certificates.
    pub ssl: Ssl,
    /// URL paths that are served from elsewhere.
    pub aliases: Vec<Alias>,
    /// What is logged.
    pub logging: Logging,
}

/// A port, or the wish for a free one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(untagged, expecting = "a port from 0 to 65535 or \"auto\" is expected")]
pub enum Port {
    /// This port.
    Number(u16),
    /// A free port.
    Auto(Auto),
}

/// The word `auto`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Auto {
    /// `auto`
    #[serde(rename = "auto")]
    Auto,
}

/// The `ssl` key.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Ssl {
    /// `none`, `openssl` or `pregenerated`.
    #[serde(rename = "type")]
    pub kind: String,
    /// Whether TLS starts only after a CONNECT request.
    pub encrypt_after_connect: bool,
    /// Settings of the type `none`: there are none.
    pub none: Map<String, Value>,
    /// Settings of the type `openssl`.
    pub openssl: Map<String, Value>,
    /// Settings of the type `pregenerated`.
    pub pregenerated: Map<String, Value>,
}

/// One entry of the `aliases` key.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Alias {
    /// The URL path, with a trailing slash for a directory.
    #[serde(rename = "url-path")]
    pub url_path: String,
    /// The file or directory that answers it.
    #[serde(rename = "local-dir")]
    pub local_dir: String,
}

/// The `logging` key.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Logging {
    /// `debug`, `info`, `warning`, `error` or `critical`.
    pub level: String,
    /// Whether a failing handler's traceback is cut down to one line.
    pub suppress_handler_traceback: bool,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            browser_host: "localhost".to_owned(),
            alternate_hosts: BTreeMap::new(),
            subdomains: Vec::new(),
            not_subdomains: Vec::new(),
            doc_root: None,
            server_host: None,
            ports: BTreeMap::new(),
            check_subdomains: true,
            bind_address: true,
            ssl: Ssl::default(),
            aliases: Vec::new(),
            logging: Logging::default(),
        }
    }
}

impl Default for Ssl {
    fn default() -> Self {
        let object = |value| match value {
            Value::Object(map) => map,
            _ => Map::new(),
        };
        Self {
            kind: "none".to_owned(),
            encrypt_after_connect: false,
            none: Map::new(),
            openssl: object(json!({
                "openssl_binary": "openssl",
                "base_path": "_certs",
                "password": "web-platform-tests",
                "force_regenerate": false,
                "duration": 30,
                "base_conf_path": null,
            })),
            pregenerated: object(json!({"host_key_path": null, "host_cert_path": null})),
        }
    }
}

impl Default for Logging {
    fn default() -> Self {
        Self { level: "debug".to_owned(), suppress_handler_traceback: false }
    }
}

impl Config {
    /// Reads a file over the defaults. Also returns warnings, one for each old name it uses.
    pub fn load(path: &Path) -> Result<(Self, Vec<String>), Error> {
        let text = fs::read_to_string(path)
            .map_err(|source| Error::ConfigRead { path: path.to_owned(), source })?;
        Self::parse(&text).map_err(|reason| Error::Config { path: path.to_owned(), reason })
    }

    fn parse(text: &str) -> Result<(Self, Vec<String>), String> {
        let value: Value = serde_json::from_str(text).map_err(|error| error.to_string())?;
        let Value::Object(overrides) = value else {
            return Err("a JSON object is expected".to_owned());
        };
        let mut warnings = Vec::new();
        let overrides = rename(overrides, &mut warnings);
        let mut merged = serde_json::to_value(Self::default()).map_err(|e| e.to_string())?;
        merge(&mut merged, Value::Object(overrides), "")?;
        let config: Self = serde_path_to_error::deserialize(merged)
            .map_err(|error| format!("`{}`: {}", error.path(), error.inner()))?;
        let level = config.logging.level.to_lowercase();
        if !LEVELS.contains(&level.as_str()) {
            return Err(format!(
                "`logging.level` is `{level}`; it may be one of {}",
                LEVELS.join(", ")
            ));
        }
        if !["none", "openssl", "pregenerated"].contains(&config.ssl.kind.as_str()) {
            return Err(format!(
                "`ssl.type` is `{}`; it may be `none`, `openssl` or `pregenerated`",
                config.ssl.kind
            ));
        }
        Ok((config, warnings))
    }

    /// The keys that say something which this version cannot do yet.
    pub fn without_effect(&self) -> Vec<&'static str> {
        let default = Self::default();
        let other_ports =
            self.ports.iter().any(|(scheme, ports)| scheme != "http" && !ports.is_empty());
        [
            (other_ports, "ports of schemes other than http"),
            (self.bind_address != default.bind_address, "bind_address"),
            (self.ssl != default.ssl, "ssl"),
            (self.aliases != default.aliases, "aliases"),
        ]
        .into_iter()
        .filter_map(|(said, key)| said.then_some(key))
        .collect()
    }

    /// The ports for HTTP, 0 for each `auto`.
    pub fn http_ports(&self) -> Vec<u16> {
        self.ports.get("http").into_iter().flatten().map(|port| port.number()).collect()
    }

    /// The configuration as handlers see it: the keys of the file and what follows from them.
    pub fn resolved(&self, doc_root: &Path, http_ports: &[u16]) -> Value {
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
        let mut ports: Map<String, Value> = self
            .ports
            .iter()
            .map(|(scheme, ports)| {
                (scheme.clone(), ports.iter().map(|port| port.number()).collect::<Vec<_>>().into())
            })
            .collect();
        ports.insert("http".to_owned(), json!(http_ports));
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
        value["logging"]["level"] = self.logging.level.to_uppercase().into();
        value
    }
}

impl Config {
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
fn below(host: &str, subdomains: &[String]) -> Map<String, Value> {
    subdomains
        .iter()
        .map(|subdomain| {
            // What IDNA does not allow stays as it is: it is a name all the same.
            let ascii = idna::domain_to_ascii(subdomain).unwrap_or_else(|_| subdomain.clone());
            (subdomain.clone(), format!("{ascii}.{host}").into())
        })
        .collect()
}

impl Port {
    fn number(self) -> u16 {
        match self {
            Self::Number(port) => port,
            Self::Auto(Auto::Auto) => 0,
        }
    }
}

const LEVELS: [&str; 5] = ["debug", "info", "warning", "error", "critical"];

/// Old names of keys, as the reference still takes them.
const RENAMED: [(&str, &str); 4] = [
    ("host", "browser_host"),
    ("bind_hostname", "bind_address"),
    ("external_host", "server_host"),
    ("host_ip", "server_host"),
];

fn rename(overrides: Map<String, Value>, warnings: &mut Vec<String>) -> Map<String, Value> {
    overrides
        .into_iter()
        .map(|(key, value)| match RENAMED.iter().find(|(old, _)| *old == key) {
            Some((old, new)) => {
                warnings.push(format!("the key `{old}` has a new name, `{new}`"));
                ((*new).to_owned(), value)
            }
            None => (key, value),
        })
        .collect()
}

/// Lays an override over a default: objects key by key, all else as a whole.
fn merge(base: &mut Value, over: Value, at: &str) -> Result<(), String> {
    match (base, over) {
        (Value::Object(base), Value::Object(over)) if !OPEN.contains(&at) => {
            for (key, value) in over {
                let path = if at.is_empty() { key.clone() } else { format!("{at}.{key}") };
                let Some(slot) = base.get_mut(&key) else {
                    return Err(unknown(&path, &key, base.keys()));
                };
                merge(slot, value, &path)?;
            }
            Ok(())
        }
        (Value::Object(base), Value::Object(over)) => {
            base.extend(over);
            Ok(())
        }
        (Value::Object(base), over) => {
            let keys: Vec<&str> = base.keys().map(String::as_str).collect();
            let keys =
                if keys.is_empty() { String::new() } else { format!(", with {}", keys.join(", ")) };
            Err(format!("`{at}` is {over}; a JSON object is expected{keys}"))
        }
        (base, over) => {
            *base = over;
            Ok(())
        }
    }
}

/// Objects whose keys are the user's own.
const OPEN: [&str; 2] = ["alternate_hosts", "ports"];

fn unknown<'a>(path: &str, key: &str, known: impl Iterator<Item = &'a String>) -> String {
    let known: Vec<&String> = known.collect();
    let nearest = known
        .iter()
        .map(|name| (strsim::jaro_winkler(key, name), name))
        .filter(|(likeness, _)| *likeness > 0.7)
        .max_by(|(a, _), (b, _)| a.total_cmp(b));
    if let Some((_, name)) = nearest {
        let parent = path.strip_suffix(key).unwrap_or_default();
        return format!("the key `{path}` is unknown; is `{parent}{name}` meant?");
    }
    if known.is_empty() {
        return format!("the key `{path}` is unknown; no key is known there");
    }
    let known: Vec<&str> = known.iter().map(|name| name.as_str()).collect();
    format!("the key `{path}` is unknown; known are {}", known.join(", "))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_is_laid_over_the_defaults_key_by_key() {
        let (config, warnings) = Config::parse(
            r#"{"host": "test", "ports": {"http": [8001, "auto"]},
                "logging": {"suppress_handler_traceback": true}}"#,
        )
        .unwrap();
        assert_eq!(config.browser_host, "test");
        assert_eq!(config.http_ports(), [8001, 0]);
        assert_eq!(config.logging.level, "debug");
        assert!(config.logging.suppress_handler_traceback);
        assert_eq!(warnings, ["the key `host` has a new name, `browser_host`"]);
    }

    #[test]
    fn an_unknown_key_is_refused_with_its_neighbour() {
        assert_eq!(
            Config::parse(r#"{"browser_hots": "x"}"#).unwrap_err(),
            "the key `browser_hots` is unknown; is `browser_host` meant?"
        );
        assert_eq!(
            Config::parse(r#"{"logging": {"levle": "x"}}"#).unwrap_err(),
            "the key `logging.levle` is unknown; is `logging.level` meant?"
        );
    }

    #[test]
    fn a_value_of_the_wrong_kind_is_refused() {
        assert_eq!(
            Config::parse(r#"{"logging": 3}"#).unwrap_err(),
            "`logging` is 3; a JSON object is expected, with level, suppress_handler_traceback"
        );
        assert_eq!(
            Config::parse(r#"{"ports": {"http": ["x"]}}"#).unwrap_err(),
            "`ports.http[0]`: a port from 0 to 65535 or \"auto\" is expected"
        );
        assert_eq!(Config::parse("[]").unwrap_err(), "a JSON object is expected");
    }

    #[test]
    fn handlers_see_what_follows_from_the_keys() {
        let value = Config::default().resolved(Path::new("/root"), &[81]);
        assert_eq!(value["domains"], json!({"": {"": "localhost"}}));
        assert_eq!(value["ports"], json!({"http": [81]}));
        assert_eq!(value["logging"]["level"], "DEBUG");
        assert_eq!(value["paths"]["doc_root"], "/root");
    }

    #[test]
    fn subdomains_are_below_every_host() {
        let config = Config {
            browser_host: "a.test".to_owned(),
            alternate_hosts: [("alt".to_owned(), "b.test".to_owned())].into(),
            subdomains: vec!["www".to_owned(), "élève".to_owned()],
            not_subdomains: vec!["no".to_owned()],
            ..Config::default()
        };
        let value = config.resolved(Path::new("/"), &[]);
        assert_eq!(value["domains"]["alt"]["élève"], "xn--lve-6lad.b.test");
        assert_eq!(value["domains"][""]["www"], "www.a.test");
        assert_eq!(value["domains"][""].get("no"), None);
        assert_eq!(value["all_domains"][""]["no"], "no.a.test");
        assert_eq!(value["not_domains_set"], json!(["no.b.test", "no.a.test"]));
    }
}

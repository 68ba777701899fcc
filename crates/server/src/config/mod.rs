//! The configuration file: the reference's keys, typed; unknown keys are refused by name.

mod environment;
mod environment_routes;
mod host_names;
mod overlay;
mod resolved;
mod route_handler;
mod routing;
mod schema;

use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
};

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

use crate::{Error, Scheme, regular_file};
use overlay::{merge, rename, unknown};

pub use host_names::HostNames;
pub use route_handler::RouteHandler;
pub use routing::{Alias, Methods, Rewrite, RouteEntry};
pub use schema::SCHEMA;

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
    /// Where WebSocket handlers are.
    pub ws_doc_root: Option<String>,
    /// Further places of WebSocket handlers.
    pub ws_extra: Option<Vec<String>>,
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
    /// Paths that are replaced before a request is routed.
    pub rewrites: Vec<Rewrite>,
    /// Routes that come before all others.
    pub routes: Vec<RouteEntry>,
    /// What is logged.
    pub logging: Logging,
    /// What relative directories start from: the file's own folder.
    #[serde(skip)]
    pub folder: PathBuf,
    /// Whether this is the environment of `wpt serve`, rather than a bare server.
    #[serde(skip)]
    pub environment: bool,
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
    /// `none`, `authority`, `openssl` or `pregenerated`.
    #[serde(rename = "type")]
    pub kind: String,
    /// Whether TLS starts only after a CONNECT request.
    pub encrypt_after_connect: bool,
    /// What relative paths of files start from: the folder of the file that has this key.
    #[serde(skip)]
    pub folder: PathBuf,
    /// Settings of the type `none`: there are none.
    pub none: Map<String, Value>,
    /// Settings of the type `openssl`.
    pub openssl: Map<String, Value>,
    /// Settings of the type `pregenerated`.
    pub pregenerated: Map<String, Value>,
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
            ws_doc_root: None,
            ws_extra: None,
            server_host: None,
            ports: BTreeMap::new(),
            check_subdomains: true,
            bind_address: true,
            ssl: Ssl::default(),
            aliases: Vec::new(),
            rewrites: Vec::new(),
            routes: Vec::new(),
            logging: Logging::default(),
            folder: PathBuf::from("."),
            environment: false,
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
            folder: PathBuf::from("."),
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
        Self::default().overlaid(path)
    }

    /// Lays a file over this configuration, with warnings as [`load`](Self::load) has them.
    pub fn overlaid(&self, path: &Path) -> Result<(Self, Vec<String>), Error> {
        let text = regular_file::read_to_string(path)
            .map_err(|source| Error::ConfigRead { path: path.to_owned(), source })?;
        let folder = path.parent().unwrap_or(Path::new(""));
        // The parent of a bare name is empty.
        let folder = if folder.as_os_str().is_empty() { Path::new(".") } else { folder };
        self.parse_over(&text, folder)
            .map_err(|reason| Error::Config { path: path.to_owned(), reason })
    }

    fn parse_over(&self, text: &str, folder: &Path) -> Result<(Self, Vec<String>), String> {
        let value: Value = serde_json::from_str(text).map_err(|error| error.to_string())?;
        let Value::Object(overrides) = value else {
            return Err("a JSON object is expected".to_owned());
        };
        let mut warnings = Vec::new();
        let overrides = rename(overrides, &mut warnings);
        let names_folders = ["aliases", "routes"].iter().any(|key| overrides.contains_key(*key));
        let names_files = overrides.contains_key("ssl");
        let mut merged = serde_json::to_value(self).map_err(|e| e.to_string())?;
        merge(&mut merged, Value::Object(overrides), "")?;
        routing::check_entries(&merged)?;
        let mut config: Self = serde_path_to_error::deserialize(merged)
            .map_err(|error| format!("`{}`: {}", error.path(), error.inner()))?;
        config.environment = self.environment;
        let ssl_folder = if names_files { folder } else { &self.ssl.folder };
        ssl_folder.clone_into(&mut config.ssl.folder);
        let folder = if names_folders { folder } else { &self.folder };
        folder.clone_into(&mut config.folder);
        config.check()?;
        Ok((config, warnings))
    }

    /// Refuses what the types alone let pass.
    fn check(&self) -> Result<(), String> {
        let level = self.logging.level.to_lowercase();
        if !LEVELS.contains(&level.as_str()) {
            return Err(format!(
                "`logging.level` is `{level}`; it may be one of {}",
                LEVELS.join(", ")
            ));
        }
        if !["none", "authority", "openssl", "pregenerated"].contains(&self.ssl.kind.as_str()) {
            return Err(format!(
                "`ssl.type` is `{}`; it may be `none`, `authority`, `openssl` or `pregenerated`",
                self.ssl.kind
            ));
        }
        if let Some(name) = self.ports.keys().find(|name| Scheme::from_name(name).is_none()) {
            return Err(unknown(&format!("ports.{name}"), name, Scheme::ALL.map(Scheme::name)));
        }
        self.check_hosts()?;
        self.check_routing()
    }

    /// The ports of a scheme, 0 for each `auto`; `None` when nothing is said of them.
    pub fn ports(&self, scheme: Scheme) -> Option<Vec<u16>> {
        let ports = self.ports.get(scheme.name())?;
        Some(ports.iter().map(|port| port.number()).collect())
    }
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

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(text: &str) -> Result<(Config, Vec<String>), String> {
        Config::default().parse_over(text, Path::new("."))
    }

    #[test]
    fn a_file_is_laid_over_the_defaults_key_by_key() {
        let (config, warnings) = parse(
            r#"{"host": "test", "ports": {"http": [8001, "auto"]},
                "logging": {"suppress_handler_traceback": true}}"#,
        )
        .unwrap();
        assert_eq!(config.browser_host, "test");
        assert_eq!(config.ports(Scheme::Http), Some(vec![8001, 0]));
        assert_eq!(config.logging.level, "debug");
        assert!(config.logging.suppress_handler_traceback);
        assert_eq!(warnings, ["the key `host` has a new name, `browser_host`"]);
    }

    #[test]
    fn an_unknown_key_is_refused_with_its_neighbour() {
        assert_eq!(
            parse(r#"{"browser_hots": "x"}"#).unwrap_err(),
            "the key `browser_hots` is unknown; is `browser_host` meant?"
        );
        assert_eq!(
            parse(r#"{"logging": {"levle": "x"}}"#).unwrap_err(),
            "the key `logging.levle` is unknown; is `logging.level` meant?"
        );
    }

    #[test]
    fn an_unknown_scheme_is_refused_with_its_neighbour() {
        assert_eq!(
            parse(r#"{"ports": {"htps": [1]}}"#).unwrap_err(),
            "the key `ports.htps` is unknown; is `ports.https` meant?"
        );
        let all = Scheme::ALL.map(|scheme| format!("\"{scheme}\": [\"auto\"]")).join(",");
        let (config, _) = parse(&format!("{{\"$schema\": \"x\", \"ports\": {{{all}}}}}")).unwrap();
        assert_eq!(config.ports.len(), Scheme::ALL.len());
    }

    #[test]
    fn a_value_of_the_wrong_kind_is_refused() {
        assert_eq!(
            parse(r#"{"logging": 3}"#).unwrap_err(),
            "`logging` is 3; a JSON object is expected, with level, suppress_handler_traceback"
        );
        assert_eq!(
            parse(r#"{"ports": {"http": ["x"]}}"#).unwrap_err(),
            "`ports.http[0]`: a port from 0 to 65535 or \"auto\" is expected"
        );
        assert_eq!(parse("[]").unwrap_err(), "a JSON object is expected");
    }

    #[test]
    fn handlers_see_what_follows_from_the_keys() {
        let value = Config::default()
            .resolved(Path::new("/root"), &[(Scheme::Http, 81), (Scheme::Http, 81)]);
        assert_eq!(value["domains"], json!({"": {"": "localhost"}}));
        assert_eq!(value["ports"], json!({"http": [81]}));
        assert_eq!(value["logging"]["level"], "DEBUG");
        assert_eq!(value["paths"]["doc_root"], "/root");
        assert_eq!((value.get("rewrites"), value.get("routes")), (None, None));
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

//! The configuration file: the reference's keys, typed; unknown keys are refused by name.

mod environment;
mod environment_routes;
mod folders;
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

pub use folders::{CHECKOUT_MARK, Folders};
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
    /// What relative directories start from.
    #[serde(skip)]
    pub folders: Folders,
    /// The checkout whose environment this is, as of `wpt serve`; `None` for a bare server.
    #[serde(skip)]
    pub checkout: Option<PathBuf>,
}

/// A port, the wish for a free one, or a slot that is off.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(untagged, expecting = "a port from 0 to 65535, \"auto\" or null is expected")]
pub enum Port {
    /// This port.
    Number(u16),
    /// A free port.
    Auto(Auto),
    /// None: `null` keeps a place in the list.
    Off(()),
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
    /// What relative paths of files start from.
    #[serde(skip)]
    pub folders: Folders,
    /// Whether a file says `none`: then what is secure is not served. Without a word of it, secure
    /// ports have the user's authority.
    #[serde(skip)]
    pub off: bool,
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
    /// A level of Python's `logging`, in any case.
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
            folders: Folders::default(),
            checkout: None,
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
            folders: Folders::default(),
            off: false,
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
        let names_folders = ["aliases", "routes", "ws_doc_root", "ws_extra"]
            .iter()
            .any(|key| overrides.contains_key(*key));
        let names_files = overrides.contains_key("ssl");
        let names_root = overrides.contains_key("doc_root");
        let ssl_kind = overrides.get("ssl").and_then(|ssl| ssl.get("type")).cloned();
        let mut merged = serde_json::to_value(self).map_err(|e| e.to_string())?;
        merge(&mut merged, Value::Object(overrides), "")?;
        routing::check_entries(&merged)?;
        let mut config: Self = serde_path_to_error::deserialize(merged)
            .map_err(|error| format!("`{}`: {}", error.path(), error.inner()))?;
        config.checkout.clone_from(&self.checkout);
        let folders = Folders::of_file(self.checkout.as_deref(), folder);
        if let Some(path) = config.doc_root.as_mut().filter(|_| names_root) {
            *path = folders.find_document_root(Path::new(path)).to_string_lossy().into_owned();
        }
        config.ssl.off = ssl_kind.map_or(self.ssl.off, |kind| kind == "none");
        config.ssl.folders = if names_files { &folders } else { &self.ssl.folders }.clone();
        config.folders = if names_folders { folders } else { self.folders.clone() };
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
            let path = format!("ports.{name}");
            return Err(match FORMER.iter().find(|(former, _)| former == name) {
                Some((_, now)) => format!("the key `{path}` is unknown; is `ports.{now}` meant?"),
                None => unknown(&path, name, Scheme::ALL.map(Scheme::name)),
            });
        }
        self.check_hosts()?;
        self.check_routing()
    }

    /// The ports of a scheme, 0 for each `auto`; `None` when nothing is said of them.
    pub fn ports(&self, scheme: Scheme) -> Option<Vec<u16>> {
        let ports = self.ports.get(scheme.name())?;
        if self.ssl.off && scheme.is_secure() {
            return Some(Vec::new());
        }
        Some(ports.iter().filter_map(|port| port.number()).collect())
    }
}

impl Port {
    fn number(self) -> Option<u16> {
        match self {
            Self::Number(port) => Some(port),
            Self::Auto(Auto::Auto) => Some(0),
            Self::Off(()) => None,
        }
    }
}

/// Python's names of levels.
const LEVELS: [&str; 8] =
    ["debug", "info", "warning", "error", "critical", "notset", "warn", "fatal"];

/// Keys of `ports` that configurations of former years have, and which are no other names: what
/// they asked for is another protocol, or its port had another default.
const FORMER: [(&str, &str); 2] = [("http2", "h2"), ("quic-transport", "webtransport-h3")];

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
        assert_eq!(
            parse(r#"{"ports": {"http2": [1]}}"#).unwrap_err(),
            "the key `ports.http2` is unknown; is `ports.h2` meant?"
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
            "`ports.http[0]`: a port from 0 to 65535, \"auto\" or null is expected"
        );
        assert_eq!(parse("[]").unwrap_err(), "a JSON object is expected");
    }

    #[test]
    fn null_is_a_slot_that_is_off() {
        let (config, _) = parse(r#"{"ports": {"https": [null, 8444], "http": [1]}}"#).unwrap();
        assert_eq!(config.ports(Scheme::Https), Some(vec![8444]));
        let value = config
            .resolved(Path::new("/"), &[(Scheme::Http, 1), (Scheme::Https, 2), (Scheme::Https, 2)]);
        assert_eq!(value["ports"], json!({"http": [1], "https": [null, 2]}));
    }

    #[test]
    fn without_tls_nothing_secure_is_served() {
        let ports = r#""ports": {"http": [1], "https": [2], "h2": [3], "wss": [4], "ws": [5]}"#;
        let secure = |text: &str| {
            let (config, _) = parse(text).unwrap();
            [Scheme::Http, Scheme::Https, Scheme::H2, Scheme::Wss, Scheme::Ws]
                .map(|scheme| config.ports(scheme).unwrap())
        };
        let none = format!(r#"{{{ports}, "ssl": {{"type": "none"}}}}"#);
        assert_eq!(secure(&none), [vec![1], vec![], vec![], vec![], vec![5]]);
        assert_eq!(secure(&format!("{{{ports}}}")), [[1], [2], [3], [4], [5]]);
    }

    #[test]
    fn levels_have_the_names_of_python() {
        for level in ["WARN", "fatal", "NotSet", "CRITICAL", "debug"] {
            let (config, _) = parse(&format!(r#"{{"log_level": "{level}"}}"#)).unwrap();
            let value = config.resolved(Path::new("/"), &[]);
            assert_eq!(value["logging"]["level"], level.to_uppercase());
        }
        assert!(parse(r#"{"log_level": "trace"}"#).is_err());
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

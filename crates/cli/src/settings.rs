//! What is to be served: the configuration file and the arguments that override it.

use std::{
    collections::HashSet,
    fs,
    path::{Path, PathBuf},
};

use serde_json::Value;
use server::{Config, Endpoint, Error, Scheme, tls::Identity};

use crate::{Exit, log};

/// Why a command failed.
pub(crate) struct Failure {
    pub(crate) exit: Exit,
    pub(crate) message: String,
}

impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        Self { exit: Exit::of(&error), message: error.to_string() }
    }
}

impl Failure {
    /// Prints the message.
    pub(crate) fn told(self) -> Exit {
        log::error(&self.message);
        self.exit
    }
}

/// Arguments that override a configuration.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Overrides<'a> {
    pub(crate) config: Option<&'a Path>,
    pub(crate) doc_root: Option<&'a Path>,
    pub(crate) host: Option<&'a str>,
    pub(crate) port: Option<u16>,
}

/// What is to be served, and where.
pub(crate) struct Settings {
    pub(crate) config: Config,
    /// What is outdated in the configuration file.
    pub(crate) warnings: Vec<String>,
    /// The document root, absolute.
    pub(crate) doc_root: PathBuf,
    /// The document root as it was named.
    pub(crate) shown_root: PathBuf,
    pub(crate) host: String,
    /// Where to listen.
    pub(crate) endpoints: Vec<Endpoint>,
    /// Ports that handlers and templates see although nothing listens there.
    pub(crate) unserved: Vec<(Scheme, u16)>,
}

impl Settings {
    pub(crate) fn load(overrides: Overrides<'_>) -> Result<Self, Error> {
        let (mut config, warnings) = match overrides.config {
            Some(path) => Config::load(path)?,
            None => (Config::default(), Vec::new()),
        };
        let shown_root = match (overrides.doc_root, &config.doc_root) {
            (Some(doc_root), _) => doc_root.to_owned(),
            (None, Some(doc_root)) => doc_root.into(),
            (None, None) => PathBuf::from("."),
        };
        let doc_root = fs::canonicalize(&shown_root)
            .and_then(|path| fs::read_dir(&path).map(|_readable| path))
            .map_err(|error| Error::DocRoot {
                path: shown_root.clone(),
                reason: error.to_string(),
            })?;
        let host = match (overrides.host, config.bind_address) {
            (Some(host), _) => host,
            (None, false) => "0.0.0.0",
            (None, true) => config.server_host.as_deref().unwrap_or("127.0.0.1"),
        };
        let host = host.to_owned();
        if overrides.config.is_none() {
            // As in the reference: without a configuration, browsers use what is listened on.
            config.browser_host.clone_from(&host);
        }
        let mut endpoints = Vec::new();
        let mut unserved = Vec::new();
        for scheme in Scheme::ALL {
            let mut ports = match (scheme, config.ports(scheme)) {
                (Scheme::Http, None) => vec![DEFAULT_PORT],
                (_, ports) => ports.unwrap_or_default(),
            };
            if let Some(port) = overrides.port {
                // It is the only port; handlers and templates see the others all the same.
                if scheme == Scheme::Http {
                    endpoints.push(Endpoint { scheme, host: host.clone(), port });
                    ports = ports.split_off(1.min(ports.len()));
                }
                unserved.extend(ports.into_iter().map(|port| (scheme, port)));
                continue;
            }
            let endpoint = |port| Endpoint { scheme, host: host.clone(), port };
            endpoints.extend(ports.into_iter().map(endpoint));
        }
        Ok(Self { config, warnings, doc_root, shown_root, host, endpoints, unserved })
    }

    /// Refuses to listen for what this version does not speak.
    pub(crate) fn check_schemes(&self) -> Result<(), Failure> {
        match self.endpoints.iter().find(|endpoint| !endpoint.scheme.is_built()) {
            Some(endpoint) => Err(not_built(endpoint.scheme)),
            None => Ok(()),
        }
    }

    /// The key and the certificate, where something asks for them: a port whose scheme is secure,
    /// or an `ssl.type` that makes files which handlers are told of.
    pub(crate) fn identity(&self) -> Result<Option<Identity>, Error> {
        let secure = self.endpoints.iter().any(|endpoint| endpoint.scheme.is_secure());
        let makes_files = matches!(self.config.ssl.kind.as_str(), "authority" | "openssl");
        if !secure && !makes_files {
            return Ok(None);
        }
        Identity::of(&self.config, &self.certificate_hosts()).map(Some)
    }

    /// The hosts that a certificate is for: those of the configuration, and the one that is
    /// listened on. One name of the loopback brings the others.
    pub(crate) fn certificate_hosts(&self) -> Vec<String> {
        let mut hosts = self.config.hosts();
        if !["0.0.0.0", "::", ""].contains(&self.host.as_str()) {
            hosts.push(self.host.clone());
        }
        if hosts.iter().any(|host| LOOPBACK.contains(&host.as_str())) {
            hosts.extend(LOOPBACK.map(str::to_owned));
        }
        let mut seen = HashSet::new();
        hosts.retain(|host| seen.insert(host.clone()));
        hosts
    }

    /// Prints the warnings, for a command without a log.
    pub(crate) fn warn(&self) {
        for text in &self.warnings {
            log::warning(&format!("config: {text}"));
        }
    }

    /// The configuration as handlers see it when these ports are listened on.
    pub(crate) fn resolved(&self, ports: &[(Scheme, u16)]) -> Value {
        self.config.resolved(&self.doc_root, ports)
    }

    /// The ports as they are configured, for a command that listens on none.
    pub(crate) fn ports(&self) -> Vec<(Scheme, u16)> {
        let served = self.endpoints.iter().map(|endpoint| (endpoint.scheme, endpoint.port));
        served.chain(self.unserved.iter().copied()).collect()
    }
}

/// Why a scheme that was asked for cannot be served.
pub(crate) fn not_built(scheme: Scheme) -> Failure {
    Failure {
        exit: Exit::Config,
        message: format!(
            "`ports.{scheme}`: this version does not serve {scheme}; an empty list, `[]`, does \
             without it"
        ),
    }
}

/// The names of this machine for itself.
const LOOPBACK: [&str; 3] = ["localhost", "127.0.0.1", "::1"];

/// The port for HTTP when nothing says another.
pub(crate) const DEFAULT_PORT: u16 = 8000;

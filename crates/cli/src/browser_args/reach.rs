//! Where the server is, and what a browser has to know to come there.

use std::{
    env,
    net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr},
    path::{Path, PathBuf},
};

use serde_json::Value;
use server::{Config, Scheme, config::HostNames, pac::PAC_PATH};

use super::BrowserArguments;
use crate::{
    Exit, cache,
    certificates::{KnownAuthority, known_authority},
    ready,
    settings::{DEFAULT_PORT, Failure},
};

/// A server and its names.
pub(super) struct Reach {
    pub(super) names: HostNames,
    /// The browser host.
    pub(super) host: String,
    pub(super) address: IpAddr,
    /// The ports that are known: of the ready file, else the numbers of the configuration.
    ports: Vec<(Scheme, u16)>,
    pub(super) authority: Option<KnownAuthority>,
    pub(super) profile: Option<PathBuf>,
    /// Whether whoever starts the browser gives it a profile.
    pub(super) no_profile: bool,
    pub(super) for_tests: bool,
    /// Whether the names are only the usual ones, for want of a checkout or a server that says.
    are_names_usual: bool,
}

impl Reach {
    pub(super) fn of(config: &Config, arguments: &BrowserArguments) -> Result<Self, Failure> {
        let ready = match &arguments.ready_file {
            Some(source) => Some(Ready::read(source)?),
            None => None,
        };
        let mut reach = match &ready {
            Some(ready) => Self::at(config, &ready.listeners),
            None => Self::at(config, &[]),
        };
        let told = ready.and_then(|ready| ready.environment);
        reach.are_names_usual = told.is_none() && arguments.environment.is_unknown();
        match told {
            Some(Environment { names, host, authority }) => {
                reach = Self { names, host, authority, ..reach };
            }
            None if arguments.ready_file.is_none() => {
                let numbers =
                    |scheme| config.ports(scheme).into_iter().flatten().map(move |p| (scheme, p));
                let configured = Scheme::ALL.into_iter().flat_map(numbers);
                reach.ports = configured.filter(|(_, port)| *port != 0).collect();
            }
            None => {}
        }
        if let Some(ip) = arguments.ip {
            reach.address = ip;
        }
        Ok(Self {
            profile: arguments.profile.clone(),
            no_profile: arguments.no_profile,
            for_tests: arguments.for_tests,
            ..reach
        })
    }

    /// A server that listens on these addresses.
    pub(super) fn at(config: &Config, listeners: &[(Scheme, SocketAddr)]) -> Self {
        let address = listeners.iter().find(|(scheme, _)| *scheme != Scheme::Dns);
        let address = address.map(|(_, address)| reachable(address.ip()));
        Self {
            names: config.host_names(),
            host: config.browser_host.clone(),
            address: address.unwrap_or(Ipv4Addr::LOCALHOST.into()),
            ports: listeners.iter().map(|(scheme, address)| (*scheme, address.port())).collect(),
            authority: known_authority(config),
            profile: None,
            no_profile: false,
            for_tests: false,
            are_names_usual: false,
        }
    }

    /// The known ports of a scheme, each once.
    pub(super) fn ports(&self, scheme: Scheme) -> Vec<u16> {
        let mut ports: Vec<u16> = self
            .ports
            .iter()
            .filter(|(other, _)| *other == scheme)
            .map(|(_, port)| *port)
            .collect();
        ports.dedup();
        ports
    }

    /// The URL of the PAC file.
    pub(super) fn pac_url(&self) -> String {
        let port = self.ports(Scheme::Http).first().copied().unwrap_or(DEFAULT_PORT);
        format!("http://{}{PAC_PATH}", SocketAddr::new(self.address, port))
    }

    /// The URL of the root, by a name.
    pub(super) fn url(&self) -> String {
        let port = |scheme| Some((scheme, *self.ports(scheme).first()?));
        let (scheme, port) = port(Scheme::Https)
            .or_else(|| port(Scheme::Http))
            .unwrap_or((Scheme::Http, DEFAULT_PORT));
        format!("{}://{}:{port}/", scheme.url_scheme(), self.host)
    }

    /// The folder of a profile that is named, or else one of the user's own for this browser.
    pub(super) fn folder(&self, browser: &str) -> PathBuf {
        let own = || {
            let cache = cache::folder();
            cache.unwrap_or_else(|| env::temp_dir().join("wptserve")).join(browser)
        };
        let folder = self.profile.clone().unwrap_or_else(own);
        std::path::absolute(&folder).unwrap_or(folder)
    }

    /// What to tell where nothing says which names the server has.
    pub(super) fn lacks_names(&self) -> Vec<String> {
        let lacking = self.are_names_usual.then(|| {
            "these are the usual names and the certificate of this user; a server of a checkout may \
             have more names: give --ready-file, the server's file or \
             http://127.0.0.1:8000/.well-known/wptserve/ready.json, or --root, the checkout"
                .to_owned()
        });
        lacking.into_iter().collect()
    }

    /// What to tell where there is no authority: https does not work.
    pub(super) fn lacks_authority(&self) -> Vec<String> {
        let lacking = self.authority.is_none().then(|| {
            "there is no certificate authority yet, so https pages will not load; make one with \
             `wptserve certs show`, then ask again"
                .to_owned()
        });
        lacking.into_iter().collect()
    }
}

/// Who listens on all addresses is reached at the loopback one.
pub(crate) fn reachable(ip: IpAddr) -> IpAddr {
    match ip {
        IpAddr::V4(ip) if ip.is_unspecified() => Ipv4Addr::LOCALHOST.into(),
        IpAddr::V6(ip) if ip.is_unspecified() => Ipv6Addr::LOCALHOST.into(),
        ip => ip,
    }
}

/// What a ready file says.
struct Ready {
    listeners: Vec<(Scheme, SocketAddr)>,
    /// Of a server for a checkout.
    environment: Option<Environment>,
}

/// The names of a server, and what a browser has to accept.
struct Environment {
    host: String,
    names: HostNames,
    authority: Option<KnownAuthority>,
}

impl Ready {
    fn read(source: &Path) -> Result<Self, Failure> {
        let wrong = |reason: &str| Failure {
            exit: Exit::Failure,
            message: format!(
                "the ready file {} {reason}; name the file that the server was given with \
                 --ready-file",
                source.display()
            ),
        };
        let text =
            ready::read(source).map_err(|error| wrong(&format!("cannot be read: {error}")))?;
        let content: Value = serde_json::from_str(&text)
            .map_err(|error| wrong(&format!("is not the JSON of a server: {error}")))?;
        let listener = |value: &Value| {
            let scheme = Scheme::from_name(value["scheme"].as_str()?)?;
            let ip: IpAddr = value["host"].as_str()?.parse().ok()?;
            let port = u16::try_from(value["port"].as_u64()?).ok()?;
            Some((scheme, SocketAddr::new(ip, port)))
        };
        let listeners = content["listeners"].as_array().into_iter().flatten().map(listener);
        match listeners.collect::<Option<Vec<_>>>() {
            Some(listeners) if !listeners.is_empty() => {
                Ok(Self { listeners, environment: Environment::of(&content) })
            }
            _ => Err(wrong("does not say where a server listens")),
        }
    }
}

impl Environment {
    fn of(content: &Value) -> Option<Self> {
        let list = |name: &str| {
            let names = content["names"][name].as_array()?.iter();
            names.map(|name| name.as_str().map(str::to_owned)).collect::<Option<Vec<_>>>()
        };
        let authority = &content["authority"];
        let authority = authority["file"].as_str().zip(authority["spki_hash"].as_str());
        Some(Self {
            host: content["browser_host"].as_str()?.to_owned(),
            names: HostNames {
                hosts: list("hosts")?,
                domains: list("domains")?,
                not_domains: list("not_domains")?,
                not_subdomains: list("not_subdomains")?,
            },
            authority: authority.map(|(file, hash)| KnownAuthority {
                path: file.into(),
                spki_hash: hash.to_owned(),
            }),
        })
    }
}

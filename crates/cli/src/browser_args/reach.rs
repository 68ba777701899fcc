//! Where the server is, and what a browser has to know to come there.

use std::{
    fs,
    net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr},
    path::{Path, PathBuf},
};

use serde_json::Value;
use server::{Config, Scheme, config::HostNames, pac::PAC_PATH};

use super::BrowserArguments;
use crate::{
    Exit,
    certificates::{KnownAuthority, known_authority},
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
    pub(super) for_tests: bool,
}

impl Reach {
    pub(super) fn of(config: &Config, arguments: &BrowserArguments) -> Result<Self, Failure> {
        let listeners = match &arguments.ready_file {
            Some(path) => Some(listeners(path)?),
            None => None,
        };
        let configured = || {
            let number =
                |scheme| config.ports(scheme).into_iter().flatten().map(move |p| (scheme, p));
            Scheme::ALL.into_iter().flat_map(number).filter(|(_, port)| *port != 0).collect()
        };
        let mut reach = Self::at(config, listeners.as_deref().unwrap_or_default());
        if listeners.is_none() {
            reach.ports = configured();
        }
        if let Some(ip) = arguments.ip {
            reach.address = ip;
        }
        Ok(Self { profile: arguments.profile.clone(), for_tests: arguments.for_tests, ..reach })
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
            for_tests: false,
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

/// The listeners that a ready file names.
fn listeners(path: &Path) -> Result<Vec<(Scheme, SocketAddr)>, Failure> {
    let wrong = |reason: &str| Failure {
        exit: Exit::Failure,
        message: format!(
            "the ready file {} {reason}; name the file that the server was given with --ready-file",
            path.display()
        ),
    };
    let text =
        fs::read_to_string(path).map_err(|error| wrong(&format!("cannot be read: {error}")))?;
    let content: Value = serde_json::from_str(&text)
        .map_err(|error| wrong(&format!("is no JSON of a server: {error}")))?;
    let listener = |value: &Value| {
        let scheme = Scheme::from_name(value["scheme"].as_str()?)?;
        let ip: IpAddr = value["host"].as_str()?.parse().ok()?;
        let port = u16::try_from(value["port"].as_u64()?).ok()?;
        Some((scheme, SocketAddr::new(ip, port)))
    };
    let listeners = content["listeners"].as_array().into_iter().flatten().map(listener);
    match listeners.collect::<Option<Vec<_>>>() {
        Some(listeners) if !listeners.is_empty() => Ok(listeners),
        _ => Err(wrong("does not say where a server listens")),
    }
}

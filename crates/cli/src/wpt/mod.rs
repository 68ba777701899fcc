//! `wptserve wpt`: the environment of web-platform-tests in one process.

mod arguments;
mod browser;
pub(crate) mod names;
pub(crate) mod settings;
mod start_page;

use std::{collections::BTreeMap, time::Duration};

use serde_json::{Map, Value};
use server::{Error, Router, Scheme, regular_file, router::FileHandlers};

pub use arguments::WptArguments;

use crate::{
    Exit, HandlerLoader,
    arguments::EngineArguments,
    certificates::known_authority,
    engine::{self, Listening, Site},
    log, ready,
    settings::{Failure, Settings},
};

/// Serves until SIGINT or SIGTERM.
pub fn wpt(arguments: &WptArguments, loader: &dyn HandlerLoader) -> Exit {
    match start(arguments, loader) {
        Ok(exit) => exit,
        Err(failure) => failure.told(),
    }
}

fn start(arguments: &WptArguments, loader: &dyn HandlerLoader) -> Result<Exit, Failure> {
    let settings = Settings::for_wpt(arguments)?;
    let inject = match &arguments.inject_script {
        Some(path) => Some(regular_file::read(path).map_err(|error| Failure {
            exit: Exit::Failure,
            message: format!("the script {} cannot be read: {error}", path.display()),
        })?),
        None => None,
    };
    engine::run(&Checkout { arguments, settings, inject }, loader)
}

/// A checkout and its environment.
struct Checkout<'a> {
    arguments: &'a WptArguments,
    settings: Settings,
    /// The script to put into pages.
    inject: Option<Vec<u8>>,
}

impl Site for Checkout<'_> {
    fn settings(&self) -> &Settings {
        &self.settings
    }

    fn engine(&self) -> &EngineArguments {
        &self.arguments.engine
    }

    fn latency(&self) -> Option<Duration> {
        self.arguments.latency
    }

    fn dns_wildcards(&self) -> Option<usize> {
        self.arguments.dns_wildcards.map(usize::from)
    }

    /// It serves the PAC file.
    fn is_proxy(&self) -> bool {
        true
    }

    fn router(&self, files: &FileHandlers, listening: &Listening) -> Result<Router, Error> {
        let Settings { config, doc_root, .. } = &self.settings;
        let mut router = config.environment_router(files, doc_root, self.inject.as_deref())?;
        let url = self.url(listening);
        router.add_first(start_page::route(&self.settings, listening, &url)?);
        let mut ready = ready::content(&url, &listening.addresses);
        ready.extend(self.environment());
        router.add_first(start_page::ready_route(&ready)?);
        Ok(router)
    }

    fn cannot_bind(&self, error: Error) -> Failure {
        let Error::PortInUse { host, port, holder } = &error else {
            return error.into();
        };
        let endpoint = self.settings.endpoints.iter().find(|endpoint| endpoint.port == *port);
        let scheme = endpoint.map_or(Scheme::Http, |endpoint| endpoint.scheme);
        let message = format!(
            "port {port} on {host} is in use{holder}; stop what uses it, or give \
             `ports.{scheme}` another in a --config file (\"auto\" picks a free one)"
        );
        Failure { exit: Exit::Listen, message }
    }

    fn url(&self, listening: &Listening) -> String {
        let host = &self.settings.config.browser_host;
        let scheme = [Scheme::Http, Scheme::Https]
            .into_iter()
            .find_map(|scheme| Some((scheme, listening.port(scheme)?)));
        match scheme {
            Some((scheme, port)) => format!("{scheme}://{host}:{port}/"),
            None => format!("http://{host}/"),
        }
    }

    fn environment(&self) -> Map<String, Value> {
        let config = &self.settings.config;
        let authority = known_authority(config);
        let names = config.host_names();
        ready::environment(
            &self.settings.doc_root,
            &config.browser_host,
            &names,
            authority.as_ref(),
        )
    }

    fn announce(&self, listening: &Listening) -> bool {
        let root = self.settings.shown_root.display();
        let url = self.url(listening);
        let ports = ports_by_scheme(listening);
        let mut lines = vec![format!("Serving {root} at {url}")];
        for (scheme, ports) in &ports {
            let ports: Vec<String> = ports.iter().map(u16::to_string).collect();
            lines.push(format!("  {:<12} {}", scheme.name(), ports.join(", ")));
        }
        let start_page = start_page::url(listening);
        if let Some(start_page) = &start_page {
            lines.push(format!("What listens where, and how browsers come there: {start_page}"));
        }
        let by_name: Map<_, _> = ports
            .into_iter()
            .map(|(scheme, ports)| (scheme.name().to_owned(), ports.into()))
            .collect();
        lines.push(Value::Object(by_name).to_string());
        log::print(&format!("{}\n", lines.join("\n")));
        if self.arguments.exit_after_start {
            return false;
        }
        if self.settings.config.check_subdomains {
            names::check(&self.settings, &listening.log);
        }
        if self.arguments.open {
            browser::open(url, start_page, listening);
        }
        true
    }
}

/// The ports of each scheme, each once.
fn ports_by_scheme(listening: &Listening) -> BTreeMap<Scheme, Vec<u16>> {
    let mut by_scheme: BTreeMap<Scheme, Vec<u16>> = BTreeMap::new();
    for (scheme, port) in listening.ports() {
        let ports = by_scheme.entry(scheme).or_default();
        if !ports.contains(&port) {
            ports.push(port);
        }
    }
    by_scheme
}

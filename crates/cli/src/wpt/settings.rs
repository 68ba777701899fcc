//! What `wptserve wpt` serves: the environment's defaults, the files laid over them, the arguments.

use std::{
    env, fs,
    net::TcpListener,
    path::{Path, PathBuf},
};

use server::{Config, Endpoint, Error, Scheme, config::Alias, regular_file};

use super::WptArguments;
use crate::{
    Exit,
    settings::{Failure, Settings, not_built},
};

impl Settings {
    /// The settings of the environment of a checkout.
    pub(super) fn for_wpt(arguments: &WptArguments) -> Result<Self, Failure> {
        let shown_root = shown_root(arguments.root.as_deref());
        let root = directory(&shown_root)?;
        if !is_checkout(&root) {
            return Err(Failure {
                exit: Exit::DocRoot,
                message: format!(
                    "{} is no checkout of web-platform-tests: it has no {MARK}; name the checkout, \
                     as in `wptserve wpt path/to/wpt`",
                    shown_root.display()
                ),
            });
        }
        let defaults = Config::for_wpt(&root);
        let (config, warnings) = configuration(&defaults, &root, arguments)?;
        let doc_root = directory(Path::new(config.doc_root.as_deref().unwrap_or(".")))?;
        // The host names need not resolve: what they stand for is this machine.
        let host = match (&config.server_host, config.bind_address) {
            (_, false) => "0.0.0.0",
            (Some(host), true) => host,
            (None, true) => "127.0.0.1",
        };
        let host = host.to_owned();
        let mut endpoints = Vec::new();
        let mut unserved = Vec::new();
        for scheme in Scheme::ALL {
            let wanted = match scheme {
                Scheme::Dns => arguments.dns,
                Scheme::WebTransportH3 => arguments.webtransport_h3,
                _ => true,
            };
            let asked = match scheme {
                Scheme::Dns | Scheme::WebTransportH3 => wanted,
                _ => config.ports.get(scheme.name()) != defaults.ports.get(scheme.name()),
            };
            for port in config.ports(scheme).into_iter().flatten() {
                if wanted && scheme.is_built() {
                    endpoints.push(Endpoint { scheme, host: host.clone(), port });
                } else if asked {
                    return Err(not_built(scheme));
                } else {
                    unserved.push((scheme, if port == 0 { free_port() } else { port }));
                }
            }
        }
        let shown_root = arguments.doc_root.clone().unwrap_or(shown_root);
        Ok(Self { config, warnings, doc_root, shown_root, host, endpoints, unserved })
    }
}

impl Settings {
    /// The settings of the environment of a checkout, for a command that serves nothing. Without a
    /// checkout the defaults do.
    pub(crate) fn of_environment(
        root: Option<&Path>,
        config: Option<&Path>,
    ) -> Result<Self, Failure> {
        let (shown_root, config, warnings) = of_checkout(root, config)?;
        let doc_root = directory(Path::new(config.doc_root.as_deref().unwrap_or(".")))?;
        let host = "127.0.0.1".to_owned();
        let ports =
            |scheme| config.ports(scheme).into_iter().flatten().map(move |port| (scheme, port));
        let endpoints = Scheme::ALL
            .into_iter()
            .flat_map(ports)
            .map(|(scheme, port)| Endpoint { scheme, host: host.clone(), port })
            .collect();
        Ok(Self { config, warnings, doc_root, shown_root, host, endpoints, unserved: Vec::new() })
    }
}

/// The checkout as it is shown, its configuration, and warnings. Without a checkout the defaults do.
pub(crate) fn of_checkout(
    root: Option<&Path>,
    config: Option<&Path>,
) -> Result<(PathBuf, Config, Vec<String>), Failure> {
    let shown_root = shown_root(root);
    let root = directory(&shown_root)?;
    let (config, warnings) = with_files(&Config::for_wpt(&root), &root, config)?;
    Ok((shown_root, config, warnings))
}

/// The checkout that is asked for, else the one that the working directory is in.
fn shown_root(root: Option<&Path>) -> PathBuf {
    match root {
        Some(root) => root.to_owned(),
        None => surrounding_checkout().unwrap_or_else(|| PathBuf::from(".")),
    }
}

/// The defaults, the checkout's own file, the file of the arguments, the arguments.
fn configuration(
    defaults: &Config,
    root: &Path,
    arguments: &WptArguments,
) -> Result<(Config, Vec<String>), Failure> {
    let (mut config, mut warnings) = with_files(defaults, root, arguments.config.as_deref())?;
    if arguments.no_h2 {
        config.ports.insert(Scheme::H2.name().to_owned(), Vec::new());
    }
    let ports = |scheme: Scheme| config.ports.get(scheme.name()).is_none_or(Vec::is_empty);
    for (asked, scheme) in
        [(arguments.dns, Scheme::Dns), (arguments.webtransport_h3, Scheme::WebTransportH3)]
    {
        if asked && ports(scheme) {
            return Err(Failure {
                exit: Exit::Config,
                message: format!("--{scheme} needs a port, and `ports.{scheme}` has none"),
            });
        }
    }
    if arguments.engine.verbose > 0 {
        "debug".clone_into(&mut config.logging.level);
    }
    if let Some(path) = &arguments.doc_root {
        config.doc_root = Some(directory(path)?.to_string_lossy().into_owned());
    }
    if let Some(path) = &arguments.ws_doc_root {
        config.ws_doc_root = Some(directory(path)?.to_string_lossy().into_owned());
    }
    for path in &arguments.ws_extra {
        let path = directory(path)?.to_string_lossy().into_owned();
        config.ws_extra.get_or_insert_default().push(path);
    }
    if let Some(path) = &arguments.alias_file {
        config.aliases.extend(aliases(path)?);
    }
    if arguments.report {
        warnings.push("--report has no effect".to_owned());
    }
    Ok((config, warnings))
}

/// The defaults, the checkout's own file, then another.
pub(crate) fn with_files(
    defaults: &Config,
    root: &Path,
    file: Option<&Path>,
) -> Result<(Config, Vec<String>), Error> {
    let mut config = defaults.clone();
    let mut warnings = Vec::new();
    let own = root.join("config.json");
    let own = own.is_file().then_some(own.as_path());
    for path in own.into_iter().chain(file) {
        let (overlaid, more) = config.overlaid(path)?;
        config = overlaid;
        warnings.extend(more);
    }
    Ok((config, warnings))
}

/// The lines `/URL_PATH/, DIR` of a file.
fn aliases(path: &Path) -> Result<Vec<Alias>, Failure> {
    let wrong = |reason: String| Failure {
        exit: Exit::Config,
        message: format!("the alias file {} {reason}", path.display()),
    };
    let text =
        regular_file::read_to_string(path).map_err(|e| wrong(format!("cannot be read: {e}")))?;
    let mut aliases = Vec::new();
    for (number, line) in text.lines().enumerate().filter(|(_, line)| !line.trim().is_empty()) {
        let at = number + 1;
        let parts: Vec<&str> = line.split(',').map(str::trim).collect();
        let [url_path, local_dir] = parts[..] else {
            return Err(wrong(format!("is wrong in line {at}: `/URL_PATH/, DIR` is expected")));
        };
        if !url_path.starts_with('/') {
            return Err(wrong(format!("is wrong in line {at}: `{url_path}` must start with `/`")));
        }
        let local_dir = directory(Path::new(local_dir))?.to_string_lossy().into_owned();
        aliases.push(Alias { url_path: url_path.to_owned(), local_dir });
    }
    Ok(aliases)
}

/// An existing directory, absolute.
pub(crate) fn directory(path: &Path) -> Result<PathBuf, Error> {
    fs::canonicalize(path)
        .and_then(|absolute| fs::read_dir(&absolute).map(|_readable| absolute))
        .map_err(|error| Error::DocRoot { path: path.to_owned(), reason: error.to_string() })
}

/// The checkout that the working directory is in.
pub(crate) fn surrounding_checkout() -> Option<PathBuf> {
    let here = env::current_dir().ok()?;
    here.ancestors().find(|path| is_checkout(path)).map(Path::to_owned)
}

pub(crate) fn is_checkout(path: &Path) -> bool {
    path.join(MARK).is_file()
}

/// A port for a scheme that is not served: pages name it all the same.
fn free_port() -> u16 {
    let port = TcpListener::bind(("127.0.0.1", 0)).and_then(|listener| listener.local_addr());
    port.map_or(0, |address| address.port())
}

pub(crate) use server::config::CHECKOUT_MARK as MARK;

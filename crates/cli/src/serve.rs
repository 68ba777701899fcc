//! `wptserve DOC_ROOT`: one server in the foreground.

use std::{io, net::SocketAddr, path::Path, sync::Arc};

use server::{
    Bound, Environment, Error, Limits, Scheme, Server, Wakes,
    event::{Event, EventSink, Level},
    file_cache::FileCache,
    files::{AsIsHandler, FileHandler},
    router::FileHandlers,
    tls::Acceptor,
};

use crate::{
    Exit, HandlerLoader, ServeArguments,
    log::{self, Log, Style},
    ready,
    settings::{Failure, Settings},
};

/// Serves until SIGINT or SIGTERM.
pub fn serve(arguments: &ServeArguments, loader: &dyn HandlerLoader) -> Exit {
    match start(arguments, loader) {
        Ok(()) => Exit::Success,
        Err(failure) => failure.told(),
    }
}

fn start(arguments: &ServeArguments, loader: &dyn HandlerLoader) -> Result<(), Failure> {
    let settings = Settings::load(arguments.overrides())?;
    settings.check_schemes()?;
    let identity = settings.identity()?;

    // Thousands of connections at once need more descriptors than the usual soft limit. Where it
    // cannot be raised, the usual number has to do.
    let _unchanged = rlimit::increase_nofile_limit(u64::MAX);
    let bound = Bound::new(&settings.endpoints)?;
    let addresses = bound.addresses();

    let log = Arc::new(Log::new(Style::of(arguments)).map_err(Error::Runtime)?);
    for text in &settings.warnings {
        warn(&log, "config", text);
    }
    for key in settings.config.without_effect() {
        warn(&log, "config", &format!("{key}: this has no effect yet"));
    }
    if let Some(identity) = &identity {
        for text in identity.warnings(&settings.certificate_hosts()) {
            warn(&log, "tls", &text);
        }
    }
    warn_when_exposed(&log, &addresses);
    let ports: Vec<_> =
        addresses.iter().map(|(scheme, address)| (*scheme, address.port())).collect();
    let mut config = settings.resolved(&ports);
    if let Some(identity) = &identity {
        config["ssl_config"] = identity.ssl_config();
    }
    let tls = identity.as_ref().map(Acceptor::new).transpose()?;
    let environment = Arc::new(Environment {
        config,
        files: FileCache::default(),
        doc_root: settings.doc_root.clone(),
        stash: loader.stash(),
        events: Arc::clone(&log) as _,
        limits: Limits {
            max_body: arguments.max_body,
            handler_timeout: arguments.handler_timeout,
            ..Limits::default()
        },
        wakes: Arc::new(Wakes::default()),
    });
    let announce = || {
        // Whoever waits for the announcement finds the warnings in the log.
        log.flush();
        announce(arguments, &settings.shown_root, &settings.host, &addresses)
    };
    let result = run(arguments, &settings, bound, tls, environment, loader, announce);
    log.flush();
    result
}

fn run(
    arguments: &ServeArguments,
    settings: &Settings,
    bound: Bound,
    tls: Option<Acceptor>,
    environment: Arc<Environment>,
    loader: &dyn HandlerLoader,
    announce: impl FnOnce() -> Result<(), Failure>,
) -> Result<(), Failure> {
    let python = loader.load(&environment).map_err(|reason| Failure {
        exit: Exit::Python,
        message: format!("Python handlers cannot be run: {reason}"),
    })?;
    let router = settings.config.router(&FileHandlers {
        python,
        as_is: Arc::new(AsIsHandler),
        files: Arc::new(FileHandler { validators: arguments.validators }),
    })?;
    Server::new(bound, environment, router, tls).run(|| {
        // Before the announcement: a signal that comes right after it must find its handler.
        let stop = stop_signal().map_err(Error::Runtime)?;
        announce()?;
        Ok(stop)
    })
}

/// Completes at SIGINT or SIGTERM.
#[cfg(unix)]
fn stop_signal() -> io::Result<impl Future<Output = ()>> {
    use tokio::signal::unix::{SignalKind, signal};
    let mut interrupt = signal(SignalKind::interrupt())?;
    let mut terminate = signal(SignalKind::terminate())?;
    Ok(async move {
        tokio::select! {
            _ = interrupt.recv() => {}
            _ = terminate.recv() => {}
        }
    })
}

/// Completes at Ctrl-C.
#[cfg(not(unix))]
fn stop_signal() -> io::Result<impl Future<Output = ()>> {
    Ok(async {
        // An error means that no signal can come.
        let _none = tokio::signal::ctrl_c().await;
    })
}

fn announce(
    arguments: &ServeArguments,
    root: &Path,
    host: &str,
    addresses: &[(Scheme, SocketAddr)],
) -> Result<(), Failure> {
    let urls = urls(host, addresses);
    if let Some(path) = &arguments.ready_file {
        let url = urls.first().map_or("", String::as_str);
        ready::write(path, url, addresses).map_err(|error| Failure {
            exit: Exit::Failure,
            message: format!("the ready file {} cannot be written: {error}", path.display()),
        })?;
    }
    log::print(&format!("Serving {} at {}\n", root.display(), urls.join(" ")));
    Ok(())
}

/// The URLs of the first port of each scheme, that of plain HTTP first.
fn urls(host: &str, addresses: &[(Scheme, SocketAddr)]) -> Vec<String> {
    let host = match host {
        "0.0.0.0" | "::" | "" => "localhost".to_owned(),
        host if host.contains(':') => format!("[{host}]"),
        host => host.to_owned(),
    };
    let mut schemes = Vec::new();
    let first = |(scheme, address): &(Scheme, SocketAddr)| {
        let new = !schemes.contains(scheme);
        schemes.push(*scheme);
        new.then(|| format!("{}://{host}:{}/", scheme.url_scheme(), address.port()))
    };
    addresses.iter().filter_map(first).collect()
}

/// A document root is trusted code: whoever reaches the server can run its handlers.
fn warn_when_exposed(log: &Log, addresses: &[(Scheme, SocketAddr)]) {
    if let Some((_, address)) = addresses.iter().find(|(_, address)| !address.ip().is_loopback()) {
        let text = format!(
            "{address} can be reached from other machines; the handlers of the document root run \
             for whoever asks, with this user's rights"
        );
        warn(log, "listener", &text);
    }
}

fn warn(log: &Log, source: &str, text: &str) {
    log.emit(&Event::Message { level: Level::Warning, source, text });
}

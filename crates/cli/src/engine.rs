//! Running the engine for a command: sockets, log, signals, and the announcement.

use std::{env, io, net::SocketAddr, sync::Arc, time::Duration};

use serde_json::{Map, Value};
use server::{
    AcceptShare, Bound, Environment, Error, Http2Use, Limits, Refusals, Router, Scheme, Server,
    Stop, Wakes, WebSocketService,
    dns::DnsNames,
    event::{Event, EventSink, Level},
    file_cache::FileCache,
    files::{AsIsHandler, FileHandler},
    router::FileHandlers,
    stash::StashStore,
    tls::{Acceptor, Identity},
};

#[cfg(unix)]
use crate::hangup::{Hangup, Hangups};
use crate::{
    Exit, HandlerLoader, WebSocketHandlers,
    arguments::EngineArguments,
    log::{Log, Style},
    processes, ready,
    settings::{Failure, Settings},
};

/// What a command serves, and how it says so.
pub(crate) trait Site {
    /// What is served, and where.
    fn settings(&self) -> &Settings;

    /// The arguments of the engine.
    fn engine(&self) -> &EngineArguments;

    /// How long each request waits before it is answered.
    fn latency(&self) -> Option<Duration> {
        None
    }

    /// For how many levels below the hosts the DNS server knows every name.
    fn dns_wildcards(&self) -> Option<usize> {
        None
    }

    /// Whether it is a proxy for the configuration's hosts, and for no others.
    fn is_proxy(&self) -> bool {
        false
    }

    /// What answers which request.
    fn router(&self, files: &FileHandlers, listening: &Listening) -> Result<Router, Error>;

    /// What to tell when an endpoint cannot be bound.
    fn cannot_bind(&self, error: Error) -> Failure {
        error.into()
    }

    /// The URL that the ready file and the announcement name.
    fn url(&self, listening: &Listening) -> String;

    /// What the ready file says beside the addresses.
    fn environment(&self) -> Map<String, Value> {
        Map::new()
    }

    /// Tells people, and starts what begins once the server is there. `false` ends the server.
    fn announce(&self, listening: &Listening) -> bool;
}

/// Where the server listens, and the log for what goes on beside it.
pub(crate) struct Listening {
    pub(crate) addresses: Vec<(Scheme, SocketAddr)>,
    pub(crate) log: Arc<Log>,
}

impl Listening {
    /// The ports with their schemes.
    pub(crate) fn ports(&self) -> Vec<(Scheme, u16)> {
        self.addresses.iter().map(|(scheme, address)| (*scheme, address.port())).collect()
    }

    /// The first port of a scheme.
    pub(crate) fn port(&self, scheme: Scheme) -> Option<u16> {
        let (_, address) = self.addresses.iter().find(|(other, _)| *other == scheme)?;
        Some(address.port())
    }
}

/// Serves until SIGINT or SIGTERM.
pub(crate) fn run(site: &dyn Site, loader: &dyn HandlerLoader) -> Result<Exit, Failure> {
    // Thousands of connections at once need more descriptors than the usual soft limit. Where it
    // cannot be raised, the usual number has to do.
    let _unchanged = rlimit::increase_nofile_limit(u64::MAX);
    let engine = site.engine();
    if engine.supervised {
        return processes::host(site, loader);
    }
    if engine.supervises() {
        return processes::supervise(site, loader);
    }
    Ground::new(site)?.serve(site, loader, Beside::default(), |listening| {
        // Before the announcement: a signal that comes right after it must find its handler.
        let stop = stop_signal().map_err(Error::Runtime)?;
        let closed = terminal_closed(Arc::clone(&listening.log)).map_err(Error::Runtime)?;
        let goes_on = announce(site, listening)?;
        Ok(async move {
            if goes_on {
                tokio::select! {
                    () = stop => {}
                    () = closed => {}
                }
            }
            Stop::Now
        })
    })?;
    Ok(Exit::Success)
}

/// What there is before anything is served: the key, the sockets, the log.
pub(crate) struct Ground {
    pub(crate) identity: Option<Identity>,
    pub(crate) bound: Bound,
    /// Ports that handlers and templates see although nothing listens there.
    pub(crate) unserved: Vec<(Scheme, u16)>,
    pub(crate) listening: Listening,
}

/// What a process shares with others that serve the same site.
#[derive(Default)]
pub(crate) struct Beside {
    pub(crate) stash: Option<Arc<dyn StashStore>>,
    pub(crate) share: Option<Arc<dyn AcceptShare>>,
}

impl Ground {
    /// Binds the sockets, and warns of what users should know.
    pub(crate) fn new(site: &dyn Site) -> Result<Self, Failure> {
        let settings = site.settings();
        let identity = settings.identity()?;
        let bound = Bound::new(&settings.endpoints).map_err(|error| site.cannot_bind(error))?;
        let log = Log::new(Style::of(site.engine())).map_err(Error::Runtime)?;
        let listening = Listening { addresses: bound.addresses(), log: Arc::new(log) };
        for text in &settings.warnings {
            listening.log.warn("config", text);
        }
        if let Some(identity) = &identity {
            for text in identity.warnings(&settings.certificate_hosts()) {
                listening.log.warn("tls", &text);
            }
        }
        warn_when_exposed(&listening);
        Ok(Self { identity, bound, unserved: settings.unserved.clone(), listening })
    }

    /// Serves. `begun` is called once the sockets are about to accept; what it returns says when
    /// and how the server ends.
    pub(crate) fn serve<F: Future<Output = Stop> + Send + 'static>(
        self,
        site: &dyn Site,
        loader: &dyn HandlerLoader,
        beside: Beside,
        begun: impl FnOnce(&Listening) -> Result<F, Failure>,
    ) -> Result<(), Failure> {
        let Self { identity, bound, unserved, listening } = self;
        if let Some(checkout) = &site.settings().config.checkout {
            // As `./wpt serve` does, which is run there. All that the arguments name is absolute by
            // now, and what a supervisor starts finds the arguments' own directory.
            env::set_current_dir(checkout).map_err(|error| Error::DocRoot {
                path: checkout.clone(),
                reason: error.to_string(),
            })?;
        }
        let tls = identity.as_ref().map(Acceptor::new).transpose()?;
        let mut ports = listening.ports();
        ports.extend(unserved);
        let mut config = site.settings().resolved(&ports);
        if let Some(identity) = &identity {
            config["ssl_config"] = identity.ssl_config();
        }
        let engine = site.engine();
        let environment = Arc::new(Environment {
            config,
            files: FileCache::default(),
            doc_root: site.settings().doc_root.clone(),
            stash: loader.stash(beside.stash),
            events: Arc::clone(&listening.log) as _,
            refusals: Refusals::default(),
            limits: Limits {
                max_body: engine.max_body,
                handler_timeout: engine.handler_timeout,
                write_timeout: engine.write_timeout.unwrap_or(Limits::default().write_timeout),
                latency: site.latency(),
                max_message: engine.max_message.unwrap_or(Limits::default().max_message),
                ..Limits::default()
            },
            wakes: Arc::new(Wakes::default()),
        });
        let server = server(site, bound, tls, environment, &listening, loader);
        let server = server.map(|server| match beside.share {
            Some(share) => server.with_share(share),
            None => server,
        });
        let result = server.and_then(|server| server.run(|| begun(&listening)));
        listening.log.flush();
        result
    }
}

fn server(
    site: &dyn Site,
    bound: Bound,
    tls: Option<Acceptor>,
    environment: Arc<Environment>,
    listening: &Listening,
    loader: &dyn HandlerLoader,
) -> Result<Server, Failure> {
    let python = loader.load(&environment).map_err(|reason| Failure {
        exit: Exit::Python,
        message: format!("Python handlers cannot be run: {reason}"),
    })?;
    let handlers = FileHandlers {
        python,
        as_is: Arc::new(AsIsHandler),
        files: Arc::new(FileHandler { validators: site.engine().validators }),
    };
    let router = site.router(&handlers, listening)?;
    let websocket = websocket(site, &environment, listening, loader)?;
    let dns_names = DnsNames::new(&site.settings().config.host_names(), site.dns_wildcards());
    let engine = site.engine();
    let http2 = Http2Use { prior_knowledge: engine.h2c, alpn: engine.alpn_h2 };
    let driver = loader.driver(&environment);
    let mut server = Server::new(bound, environment, router, tls).with_http2(http2);
    if site.is_proxy() {
        server = server.with_proxied_names(dns_names.clone());
    }
    server = server.with_dns_names(dns_names);
    if let Some(websocket) = websocket {
        server = server.with_websocket(websocket);
    }
    if let Some(driver) = driver {
        server = server.with_driver(driver);
    }
    Ok(server)
}

/// What answers WebSocket handshakes, where anything may bring one.
fn websocket(
    site: &dyn Site,
    environment: &Arc<Environment>,
    listening: &Listening,
    loader: &dyn HandlerLoader,
) -> Result<Option<WebSocketService>, Failure> {
    let (settings, engine) = (site.settings(), site.engine());
    let carries = |scheme: Scheme| scheme.is_websocket() || scheme == Scheme::H2;
    let listens = listening.addresses.iter().any(|(scheme, _)| carries(*scheme));
    // Over HTTP/2 an extended CONNECT brings one, which every connection offers (RFC 8441).
    if !(listens || engine.ws_on_http || engine.h2c || engine.alpn_h2) {
        return Ok(None);
    }
    let handlers = WebSocketHandlers {
        roots: settings.config.ws_roots(&settings.doc_root),
        reload: engine.reload,
        max_open: engine.max_websockets,
    };
    let handler = loader.load_websocket(environment, &handlers).map_err(|reason| Failure {
        exit: Exit::Python,
        message: format!("WebSocket handlers cannot be run: {reason}"),
    })?;
    Ok(Some(WebSocketService { handler, on_http: engine.ws_on_http }))
}

/// Writes the ready file, and tells people. `false` ends the server.
pub(crate) fn announce(site: &dyn Site, listening: &Listening) -> Result<bool, Failure> {
    // Whoever waits for the announcement finds the warnings in the log.
    listening.log.flush();
    if let Some(path) = &site.engine().ready_file {
        let mut content = ready::content(&site.url(listening), &listening.addresses);
        content.extend(site.environment());
        ready::write(path, &content).map_err(|error| Failure {
            exit: Exit::Failure,
            message: format!("the ready file {} cannot be written: {error}", path.display()),
        })?;
    }
    Ok(site.announce(listening))
}

/// Completes at SIGINT or SIGTERM.
#[cfg(unix)]
pub(crate) fn stop_signal() -> io::Result<impl Future<Output = ()> + Send> {
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
pub(crate) fn stop_signal() -> io::Result<impl Future<Output = ()> + Send> {
    Ok(async {
        // An error means that no signal can come.
        let _none = tokio::signal::ctrl_c().await;
    })
}

/// Completes when the terminal is closed. Who asks for a reload is told that there is none: Python
/// cannot be put back to where it was, and one process has no other to take its place.
#[cfg(unix)]
fn terminal_closed(log: Arc<Log>) -> io::Result<impl Future<Output = ()> + Send> {
    let mut hangups = Hangups::new()?;
    Ok(async move {
        while hangups.next().await == Hangup::Asked {
            let text = "SIGHUP changes nothing in one process: handler files are read again \
                        whenever they change, all else takes a restart; with --processes 2 or more \
                        it replaces the processes one generation by the next";
            log.emit(&Event::Message { level: Level::Info, source: "signals", text });
        }
    })
}

/// There is no such signal.
#[cfg(not(unix))]
fn terminal_closed(_log: Arc<Log>) -> io::Result<impl Future<Output = ()> + Send> {
    Ok(std::future::pending())
}

/// A document root is trusted code: whoever reaches the server can run its handlers.
fn warn_when_exposed(listening: &Listening) {
    let exposed = listening.addresses.iter().find(|(_, address)| !address.ip().is_loopback());
    if let Some((_, address)) = exposed {
        let text = format!(
            "{address} can be reached from other machines; the handlers of the document root run \
             for whoever asks, with this user's rights"
        );
        listening.log.warn("listener", &text);
    }
}

impl Log {
    /// Logs a warning of a part of the server.
    pub(crate) fn warn(&self, source: &str, text: &str) {
        self.emit(&Event::Message { level: Level::Warning, source, text });
    }
}

//! Servers in a Python program: `wptserve.server` starts and stops them.

use std::{
    ffi::OsString,
    os::fd::{FromRawFd, OwnedFd, RawFd},
    path::{Path, PathBuf},
    sync::{Arc, Mutex, PoisonError},
    thread::{self, JoinHandle},
    time::Duration,
};

use proto::HeaderList;
use pyo3::{
    exceptions::{PyOSError, PyRuntimeError, PyValueError},
    prelude::*,
};
use server::{
    Bound as BoundSockets, Endpoint, Environment, Error, ErrorHandler, Handler, Limits, Refusals,
    Router, Scheme, SharedRouter, Stop, StringHandler, Wakes, WebSocketService,
    event::EventSink,
    file_cache::FileCache,
    files::{AsIsHandler, FileHandler},
    router::{Method, Mount, RewriteRule, Route},
    tls::{Acceptor, Files, Identity},
};
use tokio::sync::oneshot;

use crate::{
    callable::CallableHandler,
    pool::{MAX_THREADS, Pool, Shortage},
    program_log::ProgramLog,
    request::Host,
    script::PythonHandler,
    stash,
    websocket::{Sources, WebSocketHandler},
};

/// A server in a Python program. Its sockets are bound when it is made, and accept from `start`
/// on; connections run on a thread of its own.
#[pyclass(frozen, module = "wptserve.server")]
pub(crate) struct Engine {
    state: Mutex<State>,
    addresses: Vec<(String, u16)>,
    /// The listening sockets, for a forked child that is to let go of them.
    descriptors: Vec<RawFd>,
}

enum State {
    Bound(BoundSockets, Option<Acceptor>),
    Running(Running),
    Stopped,
}

struct Running {
    stop: oneshot::Sender<()>,
    thread: JoinHandle<Result<(), Error>>,
    pool: Pool,
    router: Arc<SharedRouter>,
    handlers: Handlers,
}

/// A route as Python gives it: the method, `None` for any; the pattern; what kind of handler it
/// is; the handler; and its base path and URL base.
type PythonRoute = (Option<String>, String, String, Py<PyAny>, Option<PathBuf>, String);
/// A header field's name and value.
type PythonField = (Vec<u8>, Vec<u8>);
/// Methods, the path, and the path instead.
type PythonRewrite = (Vec<String>, String, String);

/// What routes lead to.
struct Handlers {
    pool: Pool,
    host: Arc<Host>,
    files: Arc<dyn Handler>,
    as_is: Arc<dyn Handler>,
    scripts: Arc<dyn Handler>,
}

impl Handlers {
    fn router(
        &self,
        routes: Vec<PythonRoute>,
        rewrites: Vec<PythonRewrite>,
        rewrite: Option<&Py<PyAny>>,
        py: Python<'_>,
    ) -> PyResult<Router> {
        let mut table = Router::default();
        for (method, pattern, kind, handler, base_path, url_base) in routes {
            let native: Arc<dyn Handler> = match kind.as_str() {
                "file" => Arc::clone(&self.files),
                "asis" => Arc::clone(&self.as_is),
                "python" => Arc::clone(&self.scripts),
                "string" => Arc::new(string_handler(handler.bind(py))?),
                "error" => {
                    let status = handler.bind(py).getattr("status")?.extract()?;
                    Arc::new(ErrorHandler { status, message: String::new() })
                }
                _ => Arc::new(CallableHandler::new(
                    self.pool.clone(),
                    handler,
                    rewrite.map(|rewrite| rewrite.clone_ref(py)),
                    Arc::clone(&self.host),
                )),
            };
            let method = method.map_or(Method::Any, |name| Method::new(&name));
            let mount = (base_path.is_some() || url_base != "/")
                .then(|| Mount { url_base, base_path: base_path.map(Arc::from) });
            let route = Route::new(method, &pattern, &kind, native)
                .map_err(|error| PyValueError::new_err(error.to_string()))?;
            table.add(route.mounted(mount));
        }
        for (methods, from, to) in rewrites {
            table.add_rewrite(RewriteRule {
                methods: methods.into_iter().map(String::into_bytes).collect(),
                from: from.into_bytes(),
                to: to.into_bytes(),
            });
        }
        Ok(table)
    }
}

fn websocket_service(
    py: Python<'_>,
    pool: &Pool,
    root: PathBuf,
    doc_root: &Path,
    host: &Arc<Host>,
) -> PyResult<WebSocketService> {
    let sources = Sources { roots: &[root], doc_root, reload: false, limit: None };
    let handler = WebSocketHandler::new(py, pool.clone(), &sources, Some(Arc::clone(host)))?;
    Ok(WebSocketService { handler: Arc::new(handler), on_http: false })
}

/// A handler out of content and pairs of name and value.
fn string_handler(parts: &Bound<'_, PyAny>) -> PyResult<StringHandler> {
    let (content, fields): (Vec<u8>, Vec<PythonField>) = parts.extract()?;
    let mut headers = HeaderList::new();
    for (name, value) in fields {
        headers.append(name, value);
    }
    Ok(StringHandler { content: content.into(), headers })
}

#[pymethods]
impl Engine {
    /// Binds every address of a host. With a key and a certificate it speaks TLS, and HTTP/2
    /// where that is wanted.
    #[new]
    #[pyo3(signature = (
        host, port, *, http2 = false, key = None, certificate = None, encrypt_after_connect = false,
    ))]
    fn new(
        py: Python<'_>,
        host: String,
        port: u16,
        http2: bool,
        key: Option<PathBuf>,
        certificate: Option<PathBuf>,
        encrypt_after_connect: bool,
    ) -> PyResult<Self> {
        let tls = match (key, certificate) {
            (Some(key), Some(certificate)) => {
                let identity = Identity::load(&key, &certificate, None)
                    .map_err(|error| PyValueError::new_err(error.to_string()))?
                    .encrypting_after_connect(encrypt_after_connect);
                Some(Acceptor::new(&identity).map_err(|error| os_error(py, &error))?)
            }
            _ => None,
        };
        let scheme = match (http2, &tls) {
            (true, Some(_)) => Scheme::H2,
            (true, None) => return Err(PyValueError::new_err("HTTP/2 is spoken with TLS only")),
            (false, Some(_)) => Scheme::Https,
            (false, None) => Scheme::Http,
        };
        let endpoint = Endpoint { scheme, host, port };
        // A name may take its time.
        let bound = py.detach(|| BoundSockets::new(&[endpoint]));
        let bound = bound.map_err(|error| os_error(py, &error))?;
        let addresses = bound.addresses();
        let addresses =
            addresses.iter().map(|(_, address)| (address.ip().to_string(), address.port()));
        Ok(Self {
            addresses: addresses.collect(),
            descriptors: bound.descriptors(),
            state: Mutex::new(State::Bound(bound, tls)),
        })
    }

    /// The addresses that are listened on.
    #[getter]
    fn addresses(&self) -> Vec<(String, u16)> {
        self.addresses.clone()
    }

    /// The first listening socket's descriptor.
    fn fileno(&self) -> RawFd {
        self.descriptors[0]
    }

    /// Begins to accept. `config` is for handlers, `settings` the same as JSON for templates. The
    /// handlers in `ws_doc_root` answer the WebSockets that come over HTTP/2.
    #[pyo3(signature = (
        doc_root, ws_doc_root, config, settings, routes, rewrites, rewrite, latency, verbose,
    ))]
    #[expect(clippy::too_many_arguments, reason = "what `wptserve.server` knows of a server")]
    #[expect(clippy::needless_pass_by_value, reason = "a method of Python takes what it made")]
    fn start(
        &self,
        py: Python<'_>,
        doc_root: PathBuf,
        ws_doc_root: Option<PathBuf>,
        config: Py<PyAny>,
        settings: &str,
        routes: Vec<PythonRoute>,
        rewrites: Vec<PythonRewrite>,
        rewrite: Option<Py<PyAny>>,
        latency: Option<f64>,
        verbose: bool,
    ) -> PyResult<()> {
        let latency = latency
            .map(|milliseconds| Duration::try_from_secs_f64(milliseconds / 1000.0))
            .transpose()
            .map_err(|error| PyValueError::new_err(format!("latency: {error}")))?;
        let settings = serde_json::from_str(settings)
            .map_err(|error| PyValueError::new_err(format!("config: {error}")))?;
        let log = Arc::new(ProgramLog::new(verbose));
        let wakes = Arc::new(Wakes::default());
        let warned = Arc::downgrade(&log);
        let on_shortage = move |shortage: &Shortage| {
            if let Some(log) = warned.upgrade() {
                log.warn_of_shortage(shortage);
            }
        };
        let pool = Pool::new(MAX_THREADS, Box::new(on_shortage), Arc::clone(&wakes));
        log.set_pool(pool.clone());
        let host = Arc::new(Host { config });
        let websocket = match ws_doc_root {
            Some(root) => Some(websocket_service(py, &pool, root, &doc_root, &host)?),
            None => None,
        };
        let handlers = Handlers {
            files: Arc::new(FileHandler::default()),
            as_is: Arc::new(AsIsHandler),
            scripts: Arc::new(PythonHandler::new(pool.clone(), Some(Arc::clone(&host)))),
            pool: pool.clone(),
            host,
        };
        let table: Arc<SharedRouter> =
            handlers.router(routes, rewrites, rewrite.as_ref(), py)?.into();
        let environment = Arc::new(Environment {
            doc_root,
            config: settings,
            files: FileCache::default(),
            stash: Arc::clone(stash::store()),
            events: log as Arc<dyn EventSink>,
            refusals: Refusals::default(),
            limits: Limits { latency, ..Limits::default() },
            wakes,
        });

        let mut state = self.lock();
        let (bound, tls) = match std::mem::replace(&mut *state, State::Stopped) {
            State::Bound(bound, tls) => (bound, tls),
            other => {
                *state = other;
                return Err(PyRuntimeError::new_err("a server can be started once"));
            }
        };
        let mut server = server::Server::new(bound, environment, Arc::clone(&table), tls);
        if let Some(websocket) = websocket {
            server = server.with_websocket(websocket);
        }
        let (stop, stopped) = oneshot::channel();
        let thread = thread::Builder::new().name("wptserve".to_owned()).spawn(move || {
            server.run(|| {
                Ok(async {
                    // An error means that the sender is gone, which is a stop too.
                    let _dropped = stopped.await;
                    Stop::Now
                })
            })
        })?;
        *state = State::Running(Running { stop, thread, pool, router: table, handlers });
        Ok(())
    }

    /// Takes other routes and rewrites from the next request on.
    #[expect(clippy::needless_pass_by_value, reason = "a method of Python takes what it made")]
    fn route(
        &self,
        py: Python<'_>,
        routes: Vec<PythonRoute>,
        rewrites: Vec<PythonRewrite>,
        rewrite: Option<Py<PyAny>>,
    ) -> PyResult<()> {
        if let State::Running(running) = &*self.lock() {
            let table = running.handlers.router(routes, rewrites, rewrite.as_ref(), py)?;
            running.router.replace(table);
        }
        Ok(())
    }

    /// Stops: closes the sockets, gives running responses a moment, ends the threads. A handler
    /// that still runs then ends on its own, and its response goes nowhere.
    fn stop(&self, py: Python<'_>) -> PyResult<()> {
        let state = std::mem::replace(&mut *self.lock(), State::Stopped);
        let State::Running(Running { stop, thread, pool, router, handlers }) = state else {
            return Ok(());
        };
        let result = py.detach(|| {
            // Fails when the thread has ended already.
            let _ended = stop.send(());
            let result = thread.join();
            pool.close();
            result
        });
        router.replace(Router::default());
        drop(handlers);
        match result {
            Ok(Ok(())) => Ok(()),
            Ok(Err(error)) => Err(os_error(py, &error)),
            Err(_) => Err(PyRuntimeError::new_err("the server's thread has panicked")),
        }
    }

    /// In a forked child, where none of the server's threads runs: lets go of the sockets.
    fn abandon(&self) {
        let state = std::mem::replace(&mut *self.lock(), State::Stopped);
        match state {
            State::Bound(bound, _) => drop(bound),
            State::Running(running) => {
                // The threads that it belongs to are the parent's.
                std::mem::forget(running);
                for &descriptor in &self.descriptors {
                    // SAFETY: the descriptor is this process's copy of a listening socket, which
                    // the forgotten server owned and nothing else uses.
                    drop(unsafe { OwnedFd::from_raw_fd(descriptor) });
                }
            }
            State::Stopped => {}
        }
    }
}

impl Engine {
    fn lock(&self) -> std::sync::MutexGuard<'_, State> {
        // Nothing panics while it holds the lock.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The system's error with its number, so that Python makes the right class of it.
fn os_error(py: Python<'_>, error: &Error) -> PyErr {
    let number = match error {
        Error::PortInUse { .. } => py
            .import("errno")
            .and_then(|errno| errno.getattr("EADDRINUSE"))
            .and_then(|number| number.extract())
            .ok(),
        Error::Listen { source, .. } | Error::Resolve { source, .. } | Error::Runtime(source) => {
            source.raw_os_error()
        }
        _ => None,
    };
    match number {
        Some(number) => PyOSError::new_err((number, error.to_string())),
        None => PyOSError::new_err(error.to_string()),
    }
}

/// A key, a certificate for hosts, and the certificate of the authority in a folder; made when
/// there are none that last for some time, or when they are wanted anew.
#[pyfunction]
#[expect(clippy::needless_pass_by_value, reason = "a function of Python takes what it made")]
pub(crate) fn certificate_files(
    folder: PathBuf,
    hosts: Vec<String>,
    days: u32,
    anew: bool,
) -> PyResult<(OsString, OsString, Option<OsString>)> {
    let identity = Identity::in_folder(&folder, &hosts, days, anew)
        .map_err(|error| PyValueError::new_err(error.to_string()))?;
    let Files { key, certificate, authority } = identity.files().clone();
    // Python knows paths as text.
    let text = |path: PathBuf| path.into_os_string();
    Ok((text(key), text(certificate), authority.map(text)))
}

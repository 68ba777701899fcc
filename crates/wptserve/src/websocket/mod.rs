//! WebSocket handlers: each connection is a job of the pool, from its handshake to its end.
//!
//! The frames are read and written here, without the GIL while the client is waited for; what is
//! rare is Python, in `python/wptserve/pywebsocket`.

mod connection;
mod functions;
mod stream;

use std::{
    path::{Path, PathBuf},
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
};

use proto::websocket::Budget;
use pyo3::{prelude::*, types::PyList};
use server::{
    Environment, Exchange, Handler, Request, Response,
    event::{Event, Level},
};

use crate::{
    failure, fork, journal, modules,
    pool::{Answer, MAX_THREADS, Pool},
    request::{self, Host},
    text::latin1_str,
};

pub(crate) use connection::WebSocketConnection;
pub(crate) use functions::{
    websocket_accept, websocket_deflate_offer, websocket_format_extensions, websocket_is_key,
    websocket_mask, websocket_parse_extensions, websocket_parse_tokens, websocket_quote,
};
pub(crate) use stream::{PerMessageDeflate, WebSocketStream};

/// Runs the `*_wsh.py` file that a request's path names.
pub(crate) struct WebSocketHandler {
    pool: Pool,
    service: Arc<Service>,
    open: Arc<AtomicUsize>,
    limit: usize,
}

struct Service {
    /// A `wptserve.pywebsocket.request_handler.Service`.
    object: Py<PyAny>,
    host: Option<Arc<Host>>,
    /// The memory for the messages of all connections.
    budget: Arc<Budget>,
}

/// Where the `*_wsh.py` files are, and what else is to be known of them.
pub(crate) struct Sources<'a> {
    /// The directories; there is one at least.
    pub(crate) roots: &'a [PathBuf],
    /// What a request without a handler is answered from.
    pub(crate) doc_root: &'a Path,
    /// Whether a file that has changed is loaded anew.
    pub(crate) reload: bool,
    /// How many connections may be open at once.
    pub(crate) limit: Option<usize>,
}

impl WebSocketHandler {
    /// A handler whose requests know of the host, if there is one.
    pub(crate) fn new(
        py: Python<'_>,
        pool: Pool,
        sources: &Sources<'_>,
        host: Option<Arc<Host>>,
    ) -> PyResult<Self> {
        modules::prepare(py);
        let module = modules::module(py, "wptserve.pywebsocket.request_handler")?;
        let roots: Vec<_> = sources.roots.iter().map(|root| root.as_os_str()).collect();
        let arguments = (roots, sources.doc_root.as_os_str(), sources.reload);
        let object = module.call_method1("Service", arguments)?.unbind();
        let limit = sources.limit.map_or(MAX_OPEN, |limit| limit.min(MAX_OPEN));
        let service = Arc::new(Service { object, host, budget: Arc::default() });
        Ok(Self { pool, service, open: Arc::default(), limit })
    }

    fn refuse(&self, exchange: Exchange) {
        let text = format!("{} WebSockets are open; no more can be", self.limit);
        exchange.request.environment.events.emit(&Event::Message {
            level: Level::Warning,
            source: "websocket",
            text: &text,
        });
        let response = Response::error(503, &text).with("Connection", "close");
        exchange.respond(response);
    }
}

impl Handler for WebSocketHandler {
    fn handle(&self, exchange: Exchange) {
        if self.open.fetch_add(1, Ordering::Relaxed) >= self.limit {
            self.open.fetch_sub(1, Ordering::Relaxed);
            return self.refuse(exchange);
        }
        let open = Open(Arc::clone(&self.open));
        let service = Arc::clone(&self.service);
        let answer = move |py: Python<'_>, exchange| {
            service.answer(py, exchange);
            drop(open);
        };
        self.pool.submit(Box::new(Answer { exchange, answer }));
    }

    fn flush(&self) {
        self.pool.flush();
    }
}

/// Counts as open while it lives.
struct Open(Arc<AtomicUsize>);

impl Drop for Open {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}

impl Service {
    fn answer(&self, py: Python<'_>, exchange: Exchange) {
        let Exchange { request, writer } = exchange;
        let _runs = journal::runs(&request, b"");
        let environment = Arc::clone(&request.environment);
        let (host, budget) = (self.host.clone(), Arc::clone(&self.budget));
        let connection = WebSocketConnection::new(&request, writer, host, budget);
        let wire = Arc::clone(connection.wire());
        let result = Bound::new(py, connection).and_then(|connection| {
            let head = head(py, &request)?;
            self.object.bind(py).call_method1("answer", (connection, head)).map(drop)
        });
        let result = fork::returned(py, result);
        if let Err(error) = result
            // A client that has left is no failure of the handler's.
            && !(wire.is_peer_gone() && error.is_instance_of::<pyo3::exceptions::PyOSError>(py))
        {
            let url = request.display_url();
            report(&environment, &url, error.value(py), self.host.as_ref());
        }
        wire.close();
    }
}

/// What Python needs of the request's head: method, target, version, fields, whether it is secure.
fn head<'py>(py: Python<'py>, request: &Request) -> PyResult<Bound<'py, PyAny>> {
    let head = &request.head;
    let fields = PyList::empty(py);
    for field in &head.headers {
        fields.append((latin1_str(py, &field.name), latin1_str(py, &field.value)))?;
    }
    let version = if head.version == proto::Version::Http10 {
        "HTTP/1.0"
    } else if head.version == proto::Version::Http11 {
        "HTTP/1.1"
    } else {
        "HTTP/2"
    };
    let head = (
        latin1_str(py, &head.method),
        latin1_str(py, &head.raw_target),
        version,
        fields,
        request.connection.scheme == "https",
    );
    Ok(head.into_pyobject(py)?.into_any())
}

/// Reports a handler's failure with the file and line it came from.
fn report(
    environment: &Environment,
    url: &str,
    error: &Bound<'_, PyAny>,
    host: Option<&Arc<Host>>,
) {
    let py = error.py();
    let details = request::config(py, host)
        .and_then(|config| {
            let details = modules::attribute(py, "wptserve.response", "failure_details")?;
            details.call1((error, config))?.extract::<String>()
        })
        // Its text fails, or is none.
        .unwrap_or_else(|_| "an exception without a text".to_owned());
    let location = failure::location(error, &environment.doc_root);
    environment.events.emit(&Event::HandlerFailed {
        url,
        location: location.as_ref().map(|(file, line)| (file.as_str(), *line)),
        message: &format!("the WebSocket handler of {url} failed:\n  {details}"),
    });
}

/// The most that are open at once: the rest of the threads is for requests.
const MAX_OPEN: usize = MAX_THREADS - 1024;

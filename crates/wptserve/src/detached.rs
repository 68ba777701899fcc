//! Requests and responses that a Python program makes itself, `Request(request_handler)` and
//! `Response(handler, request)`: of what a handler of `http.server`'s kind has read, and of the
//! file that it writes to. The engine has no part in them.

use std::{
    net::{Ipv4Addr, SocketAddr},
    path::PathBuf,
    sync::{Arc, Mutex, PoisonError},
};

use bytes::Bytes;
use proto::{HeaderList, RequestHead, Target, Version};
use pyo3::{
    intern,
    prelude::*,
    types::{PyDict, PyString},
};
use server::{
    ConnectionInfo, Encryption, Environment, Limits, Refusals, RequestBody, Wakes,
    event::EventSink, file_cache::FileCache,
};

use crate::{
    modules,
    program_log::ProgramLog,
    request::{Host, Request},
    stash,
    text::isomorphic,
};

/// The request that a handler has read; `wptserve.request.attributes_of` says what is taken from
/// where.
pub(crate) fn request(handler: &Bound<'_, PyAny>) -> PyResult<Request> {
    let py = handler.py();
    let attributes =
        modules::attribute(py, "wptserve.request", "attributes_of")?.call1((handler,))?;
    let attributes = attributes.cast_into::<PyDict>()?;
    let method = text(&attributes, "method")?.unwrap_or_else(|| Bytes::from_static(b"GET"));
    let target = text(&attributes, "request_path")?.unwrap_or_else(|| Bytes::from_static(b"/"));
    let mut headers = HeaderList::default();
    if let Some(host) = text(&attributes, "host")? {
        headers.append("Host", host);
    }
    let config = attributes.get_item("config")?.unwrap_or_else(|| py.None().into_bound(py));
    let doc_root = match attributes.get_item("doc_root")? {
        Some(path) => path.extract().unwrap_or_default(),
        None => PathBuf::new(),
    };
    let environment = environment(&config, doc_root)?;
    let is_https = attributes.get_item("scheme")?.is_some_and(|scheme| {
        scheme.cast::<PyString>().is_ok_and(|scheme| scheme.to_string_lossy() == "https")
    });
    let request = Request::detached(
        inner(method, target, headers, environment, is_https),
        Arc::new(Host { config: config.unbind() }),
    );
    request.adopt(&attributes)?;
    Ok(request)
}

/// A request for a response whose request is none of ours.
pub(crate) fn stand_in(py: Python<'_>, request: &Bound<'_, PyAny>) -> PyResult<Py<Request>> {
    let is_head = request
        .getattr_opt(intern!(py, "method"))?
        .is_some_and(|method| method.eq("HEAD").unwrap_or(false));
    let method = Bytes::from_static(if is_head { b"HEAD" } else { b"GET" });
    let target = Bytes::from_static(b"/");
    let environment = environment(py.None().bind(py), PathBuf::new())?;
    let inner = inner(method, target, HeaderList::default(), environment, false);
    Py::new(py, Request::detached(inner, Arc::new(Host { config: py.None() })))
}

fn inner(
    method: Bytes,
    raw_target: Bytes,
    headers: HeaderList,
    environment: Arc<Environment>,
    is_https: bool,
) -> server::Request {
    let nowhere = SocketAddr::from((Ipv4Addr::UNSPECIFIED, 0));
    let head = RequestHead {
        target: Target::parse(raw_target.clone(), &method),
        method,
        raw_target,
        version: Version::Http11,
        headers,
        request_line: Bytes::new(),
    };
    let connection = ConnectionInfo {
        peer: nowhere,
        local: nowhere,
        scheme: if is_https { "https" } else { "http" },
        encryption: Encryption::None,
        only_http2: false,
    };
    let body = RequestBody::Complete(Bytes::new());
    server::Request::new(head, body, Arc::new(connection), environment)
}

/// What handlers and templates find beside the request. Requests of one server share it.
fn environment(config: &Bound<'_, PyAny>, doc_root: PathBuf) -> PyResult<Arc<Environment>> {
    static LAST: Mutex<Option<(Py<PyAny>, Arc<Environment>)>> = Mutex::new(None);
    let py = config.py();
    let lock = || LAST.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some((of, environment)) = &*lock()
        && of.is(config)
        && environment.doc_root == doc_root
    {
        return Ok(Arc::clone(environment));
    }
    let settings: String =
        py.import("wptserve.server")?.call_method1("settings_of", (config,))?.extract()?;
    let environment = Arc::new(Environment {
        doc_root,
        config: serde_json::from_str(&settings).unwrap_or_default(),
        files: FileCache::default(),
        stash: Arc::clone(stash::store()),
        events: Arc::new(ProgramLog::new(false)) as Arc<dyn EventSink>,
        refusals: Refusals::default(),
        limits: Limits::default(),
        wakes: Arc::new(Wakes::default()),
    });
    let last = lock().replace((config.clone().unbind(), Arc::clone(&environment)));
    // Dropped without the lock: an object of Python's may run code then.
    drop(last);
    Ok(environment)
}

/// An attribute that is text or bytes.
fn text(attributes: &Bound<'_, PyDict>, name: &str) -> PyResult<Option<Bytes>> {
    let value = attributes.get_item(name)?;
    Ok(value.and_then(|value| Some(Bytes::from(isomorphic(&value).ok()?.into_owned()))))
}

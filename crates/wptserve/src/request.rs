//! `Request` and `Server`: what a handler reads.

use std::sync::Arc;

use pyo3::{
    PyTraverseError, PyVisit,
    prelude::*,
    sync::PyOnceLock,
    types::{PyBytes, PyDict, PyList, PyString, PyTuple, PyType},
};
use server::RequestBody;

use crate::{
    detached, http2,
    input_file::{InputFile, read_at},
    modules,
    slot::{Slot, lazy_attributes},
    stash,
    text::latin1_str,
};

/// An HTTP request. Every attribute is made when it is first read, and may be replaced.
#[pyclass(frozen, subclass, dict, weakref, module = "wptserve.request")]
pub(crate) struct Request {
    pub(crate) inner: server::Request,
    host: Option<Arc<Host>>,
    /// A Python program made it: what is not in the attributes comes from those that are.
    detached: bool,
    attributes: Attributes,
}

/// The Python program that a server runs in, when it is not the server's own process.
pub(crate) struct Host {
    /// What handlers read as `request.server.config`.
    pub(crate) config: Py<PyAny>,
}

/// The configuration that handlers see.
pub(crate) fn config(py: Python<'_>, host: Option<&Arc<Host>>) -> PyResult<Py<PyAny>> {
    match host {
        Some(host) => Ok(host.config.clone_ref(py)),
        None => crate::host::config(py),
    }
}

#[derive(Default)]
#[expect(non_snake_case, reason = "GET and POST are the attributes' names")]
struct Attributes {
    doc_root: Slot,
    route_match: Slot,
    client_address: Slot,
    protocol_version: Slot,
    method: Slot,
    raw_headers: Slot,
    request_path: Slot,
    url_base: Slot,
    url: Slot,
    url_parts: Slot,
    request_line: Slot,
    raw_input: Slot,
    body: Slot,
    GET: Slot,
    POST: Slot,
    cookies: Slot,
    headers: Slot,
    auth: Slot,
    server: Slot,
}

lazy_attributes!(Request {
    /// The directory that paths are resolved against, without a trailing slash (`str`).
    doc_root, set_doc_root = make_doc_root;
    /// What the route's pattern matched: names to `str`, `*` for the star.
    route_match, set_route_match = make_route_match;
    /// The client's `(host, port)`.
    client_address, set_client_address = make_client_address;
    /// `HTTP/1.1`: the version that is answered with.
    protocol_version, set_protocol_version = make_protocol_version;
    /// The method (`str`).
    method, set_method = make_method;
    /// The header fields with their case and order (`http.client.HTTPMessage`).
    raw_headers, set_raw_headers = make_raw_headers;
    /// The request target as received: path and query (`str`).
    request_path, set_request_path = make_request_path;
    /// The prefix of the path that the handler is mounted at.
    url_base, set_url_base = make_url_base;
    /// The absolute URL (`str`).
    url, set_url = make_url;
    /// The parts of the URL (`urllib.parse.SplitResult`).
    url_parts, set_url_parts = make_url_parts;
    /// The request line with its line end (`bytes`).
    request_line, set_request_line = make_request_line;
    /// The body as a file.
    raw_input, set_raw_input = make_raw_input;
    /// The whole body (`bytes`).
    body, set_body = make_body;
    /// The query's parameters (`MultiDict`).
    GET, set_get = make_get;
    /// The body's form fields (`MultiDict`); uploads are `FieldStorage`.
    POST, set_post = make_post;
    /// The cookies that were sent (`Cookies`).
    cookies, set_cookies = make_cookies;
    /// The header fields by lower-case name (`RequestHeaders`).
    headers, set_headers = make_headers;
    /// The credentials of HTTP Basic authentication (`Authentication`).
    auth, set_auth = make_auth;
    /// The stash and the configuration.
    server, set_server = make_server;
});

impl Request {
    pub(crate) fn new(inner: server::Request, host: Option<Arc<Host>>) -> Self {
        Self { inner, host, detached: false, attributes: Attributes::default() }
    }

    /// A request that did not come through the engine.
    pub(crate) fn detached(inner: server::Request, host: Arc<Host>) -> Self {
        Self { inner, host: Some(host), detached: true, attributes: Attributes::default() }
    }

    /// Takes attributes over.
    pub(crate) fn adopt(&self, given: &Bound<'_, PyDict>) -> PyResult<()> {
        let of = &self.attributes;
        let slots: [(&str, &Slot); 9] = [
            ("doc_root", &of.doc_root),
            ("client_address", &of.client_address),
            ("protocol_version", &of.protocol_version),
            ("method", &of.method),
            ("raw_headers", &of.raw_headers),
            ("request_path", &of.request_path),
            ("url", &of.url),
            ("request_line", &of.request_line),
            ("raw_input", &of.raw_input),
        ];
        for (name, slot) in slots {
            if let Some(value) = given.get_item(name)? {
                slot.set(value.unbind());
            }
        }
        Ok(())
    }
}

#[pymethods]
impl Request {
    /// The request that a handler of `http.server`'s kind has read.
    #[new]
    #[pyo3(signature = (request_handler, *_more, **_named))]
    fn py_new(
        request_handler: &Bound<'_, PyAny>,
        _more: &Bound<'_, PyTuple>,
        _named: Option<&Bound<'_, PyDict>>,
    ) -> PyResult<Self> {
        detached::request(request_handler)
    }

    /// Takes what a subclass has for its own; the request is made by then.
    #[pyo3(signature = (*_all, **_named))]
    #[expect(clippy::unused_self, reason = "a method of the object protocol")]
    fn __init__(&self, _all: &Bound<'_, PyTuple>, _named: Option<&Bound<'_, PyDict>>) {}

    /// Does nothing: the body goes with the request.
    #[expect(clippy::unused_self, reason = "a method of the context protocol")]
    fn close(&self) {}

    fn __enter__(slf: Bound<'_, Self>) -> Bound<'_, Self> {
        slf
    }

    #[pyo3(signature = (*_exc))]
    #[expect(clippy::unused_self, reason = "a method of the context protocol")]
    fn __exit__(&self, _exc: &Bound<'_, PyTuple>) -> bool {
        false
    }

    fn __repr__(slf: &Bound<'_, Self>) -> PyResult<String> {
        let method = slf.getattr("method")?;
        Ok(format!("<Request {method} {}>", slf.getattr("url")?))
    }
}

/// What makes an attribute; all have this shape, for [`lazy_attributes`].
type Made<'py> = PyResult<Bound<'py, PyAny>>;

fn make_doc_root<'py>(request: &Bound<'py, Request>) -> Made<'py> {
    Ok(request.get().inner.doc_root().as_os_str().into_pyobject(request.py())?.into_any())
}

fn make_route_match<'py>(request: &Bound<'py, Request>) -> Made<'py> {
    let py = request.py();
    let inner = &request.get().inner;
    let Some(matched) = &inner.route_match else {
        return Ok(py.None().into_bound(py));
    };
    let text = |range: &std::ops::Range<usize>| latin1_str(py, &inner.path()[range.clone()]);
    let parts = PyDict::new(py);
    for (name, range) in &matched.groups {
        parts.set_item(name, text(range))?;
    }
    if let Some(range) = &matched.star {
        parts.set_item("*", text(range))?;
    }
    Ok(parts.into_any())
}

fn make_client_address<'py>(request: &Bound<'py, Request>) -> Made<'py> {
    let peer = request.get().inner.connection.peer;
    Ok((peer.ip().to_string(), peer.port()).into_pyobject(request.py())?.into_any())
}

#[expect(clippy::unnecessary_wraps, reason = "the shape of all attributes")]
fn make_protocol_version<'py>(request: &Bound<'py, Request>) -> Made<'py> {
    let version = if http2::stream(request).is_some() { "HTTP/2.0" } else { "HTTP/1.1" };
    Ok(PyString::intern(request.py(), version).into_any())
}

#[expect(clippy::unnecessary_wraps, reason = "the shape of all attributes")]
fn make_method<'py>(request: &Bound<'py, Request>) -> Made<'py> {
    Ok(latin1_str(request.py(), &request.get().inner.head.method).into_any())
}

fn make_raw_headers<'py>(request: &Bound<'py, Request>) -> Made<'py> {
    let py = request.py();
    if http2::stream(request).is_some() {
        let fields = http2::request_fields(request)?;
        return helper(py, &H2_HEADERS, "H2Headers")?.call1((fields,));
    }
    let pairs = PyList::empty(py);
    for field in request.get().inner.headers() {
        pairs.append((latin1_str(py, &field.name), latin1_str(py, &field.value)))?;
    }
    helper(py, &RAW_HEADERS, "raw_headers")?.call1((pairs,))
}

#[expect(clippy::unnecessary_wraps, reason = "the shape of all attributes")]
fn make_request_path<'py>(request: &Bound<'py, Request>) -> Made<'py> {
    Ok(latin1_str(request.py(), &request.get().inner.head.raw_target).into_any())
}

#[expect(clippy::unnecessary_wraps, reason = "the shape of all attributes")]
fn make_url_base<'py>(request: &Bound<'py, Request>) -> Made<'py> {
    Ok(PyString::intern(request.py(), &request.get().inner.url_base).into_any())
}

#[expect(clippy::unnecessary_wraps, reason = "the shape of all attributes")]
fn make_url<'py>(request: &Bound<'py, Request>) -> Made<'py> {
    Ok(latin1_str(request.py(), &request.get().inner.url()).into_any())
}

fn make_url_parts<'py>(request: &Bound<'py, Request>) -> Made<'py> {
    static URLSPLIT: PyOnceLock<Py<PyAny>> = PyOnceLock::new();
    modules::once(request.py(), &URLSPLIT, "urllib.parse", "urlsplit")?
        .call1((request.getattr("url")?,))
}

#[expect(clippy::unnecessary_wraps, reason = "the shape of all attributes")]
fn make_request_line<'py>(request: &Bound<'py, Request>) -> Made<'py> {
    Ok(PyBytes::new(request.py(), &request.get().inner.head.request_line).into_any())
}

fn make_raw_input<'py>(request: &Bound<'py, Request>) -> Made<'py> {
    let body = request.get().inner.body.clone();
    Ok(Bound::new(request.py(), InputFile::new(body))?.into_any())
}

fn make_body<'py>(request: &Bound<'py, Request>) -> Made<'py> {
    let py = request.py();
    // A handler that replaced raw_input reads its own.
    if let Some(input) = request.get().attributes.raw_input.get(py)
        && (request.get().detached || !input.is_exact_instance_of::<InputFile>())
    {
        let position = input.call_method0("tell")?;
        input.call_method1("seek", (0,))?;
        let body = input.call_method0("read")?;
        input.call_method1("seek", (position,))?;
        return Ok(body);
    }
    let body: &RequestBody = &request.get().inner.body;
    Ok(PyBytes::new(py, &read_at(py, body, 0, body.length())?).into_any())
}

fn make_get<'py>(request: &Bound<'py, Request>) -> Made<'py> {
    let py = request.py();
    let parameters = class(py, &MULTI_DICT, "MultiDict")?.call0()?;
    let values = parameters.cast::<PyDict>()?;
    for (name, value) in request
        .get()
        .inner
        .query()
        .map(|query| proto::query::parse_query(query))
        .unwrap_or_default()
    {
        let name = PyBytes::new(py, &name);
        let value = PyBytes::new(py, &value);
        match values.get_item(&name)? {
            // `get_item` of a dict is the stored list, whatever the subclass makes of `[]`.
            Some(list) => list.cast::<PyList>()?.append(value)?,
            None => values.set_item(name, PyList::new(py, [value])?)?,
        }
    }
    Ok(parameters)
}

fn make_post<'py>(request: &Bound<'py, Request>) -> Made<'py> {
    static PARSE: PyOnceLock<Py<PyAny>> = PyOnceLock::new();
    let inner = &request.get().inner;
    let input = request.getattr("raw_input")?;
    if request.get().detached {
        let content_type = request.getattr("headers")?.call_method1("get", ("content-type",))?;
        let length = input.getattr("length")?;
        let arguments = (input, request.getattr("method")?, content_type, length);
        return modules::once(request.py(), &PARSE, "wptserve.forms", "parse_post")?
            .call1(arguments);
    }
    let content_type = inner.headers().get(b"content-type").map(AsRef::as_ref);
    modules::once(request.py(), &PARSE, "wptserve.forms", "parse_post")?.call1((
        input,
        request.getattr("method")?,
        content_type.map(|value| PyBytes::new(request.py(), value)),
        inner.body.length(),
    ))
}

fn make_cookies<'py>(request: &Bound<'py, Request>) -> Made<'py> {
    let py = request.py();
    if request.get().detached {
        let header = request.getattr("headers")?.call_method1("get", ("cookie",))?;
        return helper(py, &PARSE_COOKIES, "parse_cookies")?.call1((header,));
    }
    let header = request.get().inner.headers().get(b"cookie").map(|value| PyBytes::new(py, value));
    helper(py, &PARSE_COOKIES, "parse_cookies")?.call1((header,))
}

fn make_headers<'py>(request: &Bound<'py, Request>) -> Made<'py> {
    let py = request.py();
    let class = class(py, &REQUEST_HEADERS, "RequestHeaders")?;
    if request.get().detached {
        return class.call1((request.getattr("raw_headers")?,));
    }
    let headers = class.call0()?;
    let values = headers.cast::<PyDict>()?;
    if http2::stream(request).is_some() {
        // As in the reference, pseudo-header fields are headers, and of repeated ones the last
        // counts. That there is a Host is ours.
        for pair in http2::request_fields(request)? {
            let (name, value): (Bound<'py, PyBytes>, Bound<'py, PyBytes>) = pair.extract()?;
            let name = name.as_bytes();
            let name = PyBytes::new(py, name.strip_prefix(b":").unwrap_or(name));
            values.set_item(name, PyList::new(py, [value])?)?;
        }
        if let Some(host) = request.get().inner.headers().get(b"host") {
            values
                .set_item(PyBytes::new(py, b"host"), PyList::new(py, [PyBytes::new(py, host)])?)?;
        }
        return Ok(headers);
    }
    for field in request.get().inner.headers() {
        let name = PyBytes::new(py, &field.name.to_ascii_lowercase());
        // A repeated field is not combined: the first value counts, as in the reference.
        if !dict_contains(values, &name)? {
            values.set_item(name, PyList::new(py, [PyBytes::new(py, &field.value)])?)?;
        }
    }
    Ok(headers)
}

fn dict_contains(dict: &Bound<'_, PyDict>, key: &Bound<'_, PyBytes>) -> PyResult<bool> {
    Ok(dict.get_item(key)?.is_some())
}

fn make_auth<'py>(request: &Bound<'py, Request>) -> Made<'py> {
    let py = request.py();
    helper(py, &AUTHENTICATION, "Authentication")?.call1((request.getattr("headers")?,))
}

fn make_server<'py>(request: &Bound<'py, Request>) -> Made<'py> {
    let this = request.get();
    let path = this.inner.head.target.path.clone();
    let server = Server { path, host: this.host.clone(), stash: Slot::default() };
    Ok(Bound::new(request.py(), server)?.into_any())
}

/// What the server offers to a handler beside the request.
#[pyclass(frozen, subclass, dict, module = "wptserve.request")]
pub(crate) struct Server {
    path: bytes::Bytes,
    host: Option<Arc<Host>>,
    stash: Slot,
}

#[pymethods]
impl Server {
    /// The values that are kept between requests, under this request's path by default.
    #[getter]
    fn stash<'py>(&self, py: Python<'py>) -> Made<'py> {
        self.stash.get_or_init(py, || {
            let path = latin1_str(py, &self.path);
            if self.host.is_some() {
                return modules::attribute(py, "wptserve.stash", "of_request")?.call1((path,));
            }
            Ok(Bound::new(py, stash::Stash::new(path.into_any().unbind()))?.into_any())
        })
    }

    #[setter]
    fn set_stash(&self, value: Py<PyAny>) {
        self.stash.set(value);
    }

    fn __traverse__(&self, visit: PyVisit<'_>) -> Result<(), PyTraverseError> {
        self.stash.traverse(&visit)
    }

    fn __clear__(&self) {
        drop(self.stash.take());
    }

    /// The server's configuration.
    #[getter]
    fn config(&self, py: Python<'_>) -> PyResult<Py<PyAny>> {
        config(py, self.host.as_ref())
    }
}

static MULTI_DICT: PyOnceLock<Py<PyType>> = PyOnceLock::new();
static REQUEST_HEADERS: PyOnceLock<Py<PyType>> = PyOnceLock::new();
static PARSE_COOKIES: PyOnceLock<Py<PyAny>> = PyOnceLock::new();
static H2_HEADERS: PyOnceLock<Py<PyAny>> = PyOnceLock::new();
static RAW_HEADERS: PyOnceLock<Py<PyAny>> = PyOnceLock::new();
static AUTHENTICATION: PyOnceLock<Py<PyAny>> = PyOnceLock::new();

fn class<'py>(
    py: Python<'py>,
    cell: &'static PyOnceLock<Py<PyType>>,
    name: &str,
) -> PyResult<&'py Bound<'py, PyType>> {
    modules::once(py, cell, "wptserve.request", name)
}

fn helper<'py>(
    py: Python<'py>,
    cell: &'static PyOnceLock<Py<PyAny>>,
    name: &str,
) -> PyResult<&'py Bound<'py, PyAny>> {
    modules::once(py, cell, "wptserve.request", name)
}

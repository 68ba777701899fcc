//! The engine's pipes and templates for Python: applied to a handler's response.

use std::{
    borrow::Cow,
    sync::{Mutex, PoisonError},
};

use bytes::{Bytes, BytesMut};
use proto::{HeaderList, template::Escape};
use pyo3::{
    exceptions::{PyKeyError, PyTypeError, PyValueError},
    prelude::*,
    types::{PyBytes, PyInt, PyList, PyString},
};
use server::{
    Job,
    files::Failure,
    pipes::{self, PipeError},
    response::Body,
};

use crate::{
    os_error,
    request::Request,
    response::Response,
    response_headers::{ResponseHeaders, unpack},
    text::{field_bytes, isomorphic, latin1_bytes},
};

/// Content that the engine makes while it is sent, with no Python in it.
#[pyclass(frozen, module = "wptserve.pipes")]
pub(crate) struct NativeContent {
    body: Mutex<Option<Body>>,
}

impl NativeContent {
    /// The content; once.
    pub(crate) fn take(&self) -> Option<Body> {
        self.body.lock().unwrap_or_else(PoisonError::into_inner).take()
    }
}

#[pymethods]
impl NativeContent {
    /// All of it as one piece, without the delays.
    fn __iter__<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        let content = self.take().map_or_else(|| Ok(Bytes::new()), Body::read)?;
        Ok(PyList::new(py, [PyBytes::new(py, &content)])?.try_iter()?.into_any())
    }
}

/// The pipes of a pipe string: a list of names, each with its arguments.
#[pyfunction]
pub(crate) fn parse_pipes(text: &str) -> PyResult<Vec<(String, Vec<String>)>> {
    let calls = pipes::parse(text).map_err(|error| PyValueError::new_err(error.to_string()))?;
    Ok(calls.into_iter().map(|call| (call.name, call.arguments)).collect())
}

/// The pipe string for a file's path and a query: of the file's name, then of the query.
#[pyfunction]
pub(crate) fn pipe_string(path: &str, query: &Bound<'_, PyString>) -> PyResult<Option<String>> {
    let pipes = pipes::pipe_string(path.as_bytes(), Some(&latin1_bytes(query)?));
    Ok(pipes.map(Cow::into_owned))
}

/// The names of the engine's pipes.
#[pyfunction]
pub(crate) fn pipe_names() -> Vec<&'static str> {
    pipes::PIPES.iter().map(|pipe| pipe.name()).collect()
}

/// Applies one of the engine's pipes to a response.
#[pyfunction]
#[expect(clippy::needless_pass_by_value, reason = "a function of Python takes what it made")]
pub(crate) fn apply_pipe(
    name: &str,
    request: &Bound<'_, Request>,
    response: &Bound<'_, Response>,
    arguments: Vec<String>,
) -> PyResult<()> {
    let py = request.py();
    let pipe = pipes::find(name).map_err(|error| PyKeyError::new_err(error.to_string()))?;
    let this = response.get();
    let mut native = this.take_native(py)?;
    if pipe.reads_content() {
        native.body = Body::Bytes(resolve_content(response)?);
    }
    let inner = &request.get().inner;
    // To compress much takes long.
    let applied = py.detach(|| pipes::apply_one(pipe, &Job::of(inner), &mut native, &arguments));
    applied.map_err(|error| match error {
        PipeError::Failed { .. } | PipeError::Arity { .. } => {
            PyValueError::new_err(error.to_string())
        }
        error => PyKeyError::new_err(error.to_string()),
    })?;
    let headers = ResponseHeaders::default();
    *headers.lock() = std::mem::take(&mut native.headers);
    this.set_native(py, &native, headers)?;
    if pipe.reads_content() {
        let content = match native.body {
            body @ Body::Stream(_) => {
                Bound::new(py, NativeContent { body: Mutex::new(Some(body)) })?.into_any()
            }
            body => PyBytes::new(py, &body.read()?).into_any(),
        };
        this.content.set(content.unbind());
    }
    Ok(())
}

/// Substitutes the expressions of a template.
#[pyfunction]
#[pyo3(signature = (request, content, escape_type = "html"))]
pub(crate) fn template<'py>(
    request: &Bound<'py, Request>,
    content: &[u8],
    escape_type: &str,
) -> PyResult<Bound<'py, PyBytes>> {
    let escape = match escape_type {
        "html" => Escape::Html,
        "none" => Escape::None,
        other => return Err(PyKeyError::new_err(other.to_owned())),
    };
    let rendered = pipes::render(&Job::of(&request.get().inner), content, escape);
    rendered.map(|bytes| PyBytes::new(request.py(), &bytes)).map_err(PyValueError::new_err)
}

/// The header fields that `.headers` files give a file.
#[pyfunction]
#[expect(clippy::needless_pass_by_value, reason = "a function of Python takes what it made")]
pub(crate) fn load_headers<'py>(
    request: &Bound<'py, Request>,
    path: std::path::PathBuf,
) -> PyResult<Vec<(Bound<'py, PyBytes>, Bound<'py, PyBytes>)>> {
    let py = request.py();
    let inner = &request.get().inner;
    let fields = server::headers_files::load_headers(&Job::of(inner), &path);
    let fields = fields.map_err(|failure| match failure {
        Failure::Unavailable(error) => os_error::from_io(&error),
        other => PyValueError::new_err(other.to_string()),
    })?;
    Ok(fields.iter().map(|(n, v)| (PyBytes::new(py, n), PyBytes::new(py, v))).collect())
}

/// All of a response's content in memory.
pub(crate) fn resolve_content(response: &Bound<'_, Response>) -> PyResult<Bytes> {
    let py = response.py();
    if let Some(content) = response.get().content.get(py)
        && let Ok(bytes) = content.cast_exact::<PyBytes>()
    {
        return Ok(Bytes::copy_from_slice(bytes.as_bytes()));
    }
    if response.get().content.get(py).is_none() {
        return Ok(Bytes::new());
    }
    let mut content = BytesMut::new();
    for part in response.call_method1("iter_content", (true,))?.try_iter()? {
        let part = part?;
        let bytes = part.cast::<PyBytes>().map_err(|_| {
            PyTypeError::new_err("a pipe needs content in bytes, or a str as a whole")
        })?;
        content.extend_from_slice(bytes.as_bytes());
    }
    Ok(content.freeze())
}

/// The header list of a response's `headers`, whatever they are.
pub(crate) fn header_list(headers: &Bound<'_, PyAny>) -> PyResult<HeaderList> {
    if let Ok(own) = headers.cast_exact::<ResponseHeaders>() {
        return Ok(own.get().lock().clone());
    }
    let mut list = HeaderList::new();
    for pair in headers.try_iter()? {
        let (name, value) = unpack(&pair?)?;
        list.push(field_bytes(&name)?.into_owned(), field_bytes(&value)?.into_owned());
    }
    Ok(list)
}

/// A reason phrase as bytes.
pub(crate) fn reason(message: Option<&Bound<'_, PyAny>>) -> PyResult<Option<Bytes>> {
    let Some(message) = message else {
        return Ok(None);
    };
    if message.is_instance_of::<PyInt>() {
        return Ok(Some(field_bytes(message)?.into_owned().into()));
    }
    Ok(Some(isomorphic(message)?.into_owned().into()))
}

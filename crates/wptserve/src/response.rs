//! `Response`: what a handler fills in.

use std::sync::{
    Mutex, MutexGuard, PoisonError,
    atomic::{AtomicBool, Ordering},
};

use pyo3::{
    PyTraverseError, PyVisit,
    exceptions::PyValueError,
    intern,
    prelude::*,
    sync::PyOnceLock,
    types::{PyBytes, PyDict, PyInt, PyList, PyString, PyTuple},
};
use server::{
    event::Event,
    response::{Body, Cut, Informational},
};

use crate::{
    detached, failure,
    http2::{self, H2Response},
    modules,
    pipes::{self, NativeContent},
    request::Request,
    response_headers::ResponseHeaders,
    slot::{Link, Slot},
    writer::{Progress, ResponseWriter, SharedProgress, Sink, Steps},
};

/// The response to a request: status, headers and content, written when the handler is done; or
/// a [`ResponseWriter`] for a handler that writes by itself.
#[pyclass(frozen, subclass, dict, weakref, module = "wptserve.response")]
pub(crate) struct Response {
    request: Link<Request>,
    maker: Maker,
    pub(crate) progress: SharedProgress,
    status: Mutex<(i64, Option<Py<PyAny>>)>,
    pub(crate) content: Slot,
    headers: Slot,
    encoding: Slot,
    add_required_headers: Slot,
    send_body_for_head_request: Slot,
    close_connection: Slot,
    writer: Slot,
    logger: Slot,
    extras: Mutex<Extras>,
    /// A method that the engine calls was replaced on the instance.
    patched: AtomicBool,
}

/// The arguments of `Response(handler, request, response_writer_cls)`, when a program has made it.
#[derive(Default)]
struct Maker {
    /// The handler of `http.server`'s kind. The engine has none until it is asked for.
    handler: Slot,
    /// The request, when it is none of ours.
    request: Slot,
    writer_class: Slot,
}

/// What pipes add to a response that Python has no attribute for.
#[derive(Default)]
struct Extras {
    informational: Vec<Informational>,
    cut: Option<Cut>,
}

impl Response {
    pub(crate) fn new(request: Py<Request>, sink: Sink) -> Self {
        Self {
            request: Link::new(request),
            maker: Maker::default(),
            progress: SharedProgress::new(Progress::new(sink)),
            status: Mutex::new((200, None)),
            content: Slot::default(),
            headers: Slot::default(),
            encoding: Slot::default(),
            add_required_headers: Slot::default(),
            send_body_for_head_request: Slot::default(),
            close_connection: Slot::default(),
            writer: Slot::default(),
            logger: Slot::default(),
            extras: Mutex::default(),
            patched: AtomicBool::new(false),
        }
    }

    pub(crate) fn request<'a>(&'a self, py: Python<'a>) -> &'a Bound<'a, Request> {
        self.request.py().bind(py)
    }

    /// The encoding for text; `None` is UTF-8.
    pub(crate) fn encoding<'py>(&self, py: Python<'py>) -> Option<Bound<'py, PyAny>> {
        self.encoding.get(py)
    }

    pub(crate) fn adds_required_headers(&self, py: Python<'_>) -> PyResult<bool> {
        self.add_required_headers.get(py).map_or(Ok(true), |value| value.is_truthy())
    }

    pub(crate) fn closes(&self, py: Python<'_>) -> PyResult<bool> {
        if self.request(py).get().inner.is_last {
            return Ok(true);
        }
        if self.close_connection.get(py).map_or(Ok(false), |value| value.is_truthy())? {
            return Ok(true);
        }
        let handler = self.maker.handler.get(py);
        let closes = handler.map(|handler| handler.getattr_opt(intern!(py, "close_connection")));
        closes.transpose()?.flatten().map_or(Ok(false), |value| value.is_truthy())
    }

    /// Whether text or bytes are set that will be sent.
    pub(crate) fn sends_content(&self, py: Python<'_>) -> PyResult<bool> {
        let is_text = |content: &Bound<'_, PyAny>| {
            content.is_instance_of::<PyBytes>() || content.is_instance_of::<PyString>()
        };
        let content = self.content.get(py).filter(is_text);
        let is_some = content.map_or(Ok(false), |content| content.is_truthy())?;
        Ok(is_some
            && (!self.request(py).get().inner.is_head()
                || self.send_body_for_head_request(py).is_truthy()?))
    }

    /// Sets `close_connection`.
    pub(crate) fn close_after(&self, py: Python<'_>) {
        self.close_connection.set(boolean(py, true).unbind());
    }

    fn slots(&self) -> [&Slot; 11] {
        [
            &self.maker.handler,
            &self.maker.request,
            &self.maker.writer_class,
            &self.content,
            &self.headers,
            &self.encoding,
            &self.add_required_headers,
            &self.send_body_for_head_request,
            &self.close_connection,
            &self.writer,
            &self.logger,
        ]
    }

    /// Breaks the cycles of a response with its writer and its handler.
    pub(crate) fn release_writer(&self) {
        self.writer.take();
        self.maker.handler.take();
    }

    /// The handler of `http.server`'s kind: the program's own, or one that writes through the
    /// engine.
    pub(crate) fn handler<'py>(slf: &Bound<'py, Self>) -> PyResult<Bound<'py, PyAny>> {
        static MAKE: PyOnceLock<Py<PyAny>> = PyOnceLock::new();
        let py = slf.py();
        slf.get().maker.handler.get_or_init(py, || {
            let connection = &slf.get().request(py).get().inner.connection;
            let local = (connection.local.ip().to_string(), connection.local.port());
            let make = MAKE.import(py, "wptserve._engine_handler", "handler_of")?;
            make.call1((slf, connection.scheme, local))
        })
    }

    pub(crate) fn set_handler(&self, handler: Py<PyAny>) {
        self.maker.handler.set(handler);
    }

    /// The value that a method of the handler has for a header field, once there is a handler.
    pub(crate) fn of_handler(&self, py: Python<'_>, method: &str) -> PyResult<Option<Vec<u8>>> {
        let Some(handler) = self.maker.handler.get(py) else { return Ok(None) };
        let Some(method) = handler.getattr_opt(method)? else { return Ok(None) };
        crate::text::isomorphic(&method.call0()?).map(|value| Some(value.into_owned()))
    }

    /// The response as the engine has it, without the content.
    pub(crate) fn take_native(&self, py: Python<'_>) -> PyResult<server::Response> {
        let (status, message) = self.status(py);
        let mut native = server::Response::new(200, "");
        native.body = Body::None;
        native.status = status;
        native.reason = pipes::reason(message.as_ref())?;
        native.headers = pipes::header_list(&self.headers(py)?)?;
        let extras = std::mem::take(&mut *self.extras());
        native.informational = extras.informational;
        native.cut = extras.cut;
        Ok(native)
    }

    /// Takes over what a pipe made of it.
    pub(crate) fn set_native(
        &self,
        py: Python<'_>,
        native: &server::Response,
        headers: ResponseHeaders,
    ) -> PyResult<()> {
        let reason = native.reason.as_ref().map(|reason| PyBytes::new(py, reason).into_any());
        self.replace_status((native.status, reason.map(Bound::unbind)));
        self.headers.set(Bound::new(py, headers)?.into_any().unbind());
        *self.extras() = Extras { informational: native.informational.clone(), cut: native.cut };
        Ok(())
    }

    /// The response for the engine to send by itself: over HTTP/2 wherever its content is at hand;
    /// else when pipes made it one that Python cannot send: content that is made while it is sent,
    /// a cut, an informational response.
    pub(crate) fn native(slf: &Bound<'_, Self>) -> PyResult<Option<server::Response>> {
        let py = slf.py();
        let this = slf.get();
        if this.progress.lock().content_written {
            return Ok(None);
        }
        let content = this.content.get(py);
        let made = content.as_ref().and_then(|content| content.cast_exact::<NativeContent>().ok());
        let plain = {
            let extras = this.extras();
            extras.informational.is_empty() && extras.cut.is_none()
        };
        if made.is_none() && plain && !this.is_at_hand(slf) {
            return Ok(None);
        }
        let body = match made.and_then(|made| made.get().take()) {
            Some(body) => body,
            None => Body::Bytes(pipes::resolve_content(slf)?),
        };
        let mut native = this.take_native(py)?;
        native.body = body;
        if this.closes(py)? {
            native.headers.set("Connection", "close");
        }
        Ok(Some(native))
    }

    /// Answers with a response of the engine's.
    pub(crate) fn respond(slf: &Bound<'_, Self>, native: server::Response) {
        slf.get().progress.lock().respond(native);
        slf.get().release_writer();
    }

    /// Whether the request came over HTTP/2.
    fn is_over_http2(&self, py: Python<'_>) -> bool {
        http2::stream(self.request(py)).is_some()
    }

    /// Whether the engine can send the response over HTTP/2 in one go.
    fn is_at_hand(&self, this: &Bound<'_, Self>) -> bool {
        let py = this.py();
        self.is_over_http2(py)
            && !self.is_replaced(this)
            && self.replaced_writer(py).is_none()
            && self.content.get(py).is_none_or(|content| {
                content.is_instance_of::<PyBytes>() || content.is_instance_of::<PyString>()
            })
    }

    fn extras(&self) -> MutexGuard<'_, Extras> {
        // No code panics while it holds the lock with the state half changed.
        self.extras.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn replace_status(&self, status: (i64, Option<Py<PyAny>>)) {
        let mut slot = self.status.lock().unwrap_or_else(PoisonError::into_inner);
        let old = std::mem::replace(&mut *slot, status);
        drop(slot);
        drop(old);
    }

    fn is_replaced(&self, this: &Bound<'_, Self>) -> bool {
        self.patched.load(Ordering::Relaxed)
            || !(this.is_exact_instance_of::<Self>() || this.is_exact_instance_of::<H2Response>())
    }

    /// The writer, when one of its methods may have been replaced.
    fn replaced_writer<'py>(&self, py: Python<'py>) -> Option<Bound<'py, PyAny>> {
        let writer = self.writer.get(py)?;
        match writer.cast::<ResponseWriter>() {
            Ok(own) if !own.get().is_replaced(own) => None,
            _ => Some(writer),
        }
    }

    /// Applies what `main` returned, if anything: content, `(headers, content)` or
    /// `(status, headers, content)`. `false` when it returned nothing.
    pub(crate) fn apply(slf: &Bound<'_, Self>, returned: &Bound<'_, PyAny>) -> PyResult<bool> {
        if returned.is_none() {
            return Ok(false);
        }
        let this = slf.get();
        if let Ok(tuple) = returned.cast::<PyTuple>() {
            let at = match tuple.len() {
                3 => {
                    this.set_status(&tuple.get_item(0)?)?;
                    1
                }
                2 => 0,
                count => {
                    let message = format!(
                        "a handler returns content, (headers, content) or \
                         (status, headers, content), not a tuple of {count}"
                    );
                    return Err(crate::script::http_error(slf.py(), 500, Some(&message)));
                }
            };
            this.extend_headers(slf.py(), &tuple.get_item(at)?)?;
            this.content.set(tuple.get_item(at + 1)?.unbind());
        } else {
            this.content.set(returned.clone().unbind());
        }
        Ok(true)
    }

    fn extend_headers(&self, py: Python<'_>, pairs: &Bound<'_, PyAny>) -> PyResult<()> {
        let headers = self.headers(py)?;
        match headers.cast_exact::<ResponseHeaders>() {
            Ok(own) => own.get().extend(pairs),
            Err(_) => headers.call_method1("update", (pairs,)).map(|_| ()),
        }
    }

    /// Writes the whole response, if the handler has not written by itself.
    pub(crate) fn write_unless_written(slf: &Bound<'_, Self>) -> PyResult<()> {
        if slf.get().progress.lock().content_written {
            return Ok(());
        }
        if slf.get().is_replaced(slf) {
            slf.call_method0(intern!(slf.py(), "write"))?;
            return Ok(());
        }
        Self::write_status_headers(slf)?;
        Self::write_content(slf)
    }

    /// `set_error` without a text of one's own.
    pub(crate) fn set_error(
        slf: &Bound<'_, Self>,
        code: i64,
        err: Option<&Bound<'_, PyAny>>,
    ) -> PyResult<()> {
        let py = slf.py();
        if !(500..600).contains(&code) {
            let message = err.map_or_else(|| Ok(PyString::new(py, "")), PyAnyMethods::str)?;
            return Self::tell_error(slf, code, &message);
        }
        let message = modules::attribute(py, "wptserve.response", "format_server_error")?
            .call1((slf, err))?
            .cast_into::<PyString>()?;
        report(slf.get().request(py).get(), err, &printable(&message)?);
        Self::tell_error(slf, code, &message)
    }

    fn tell_error(slf: &Bound<'_, Self>, code: i64, message: &Bound<'_, PyString>) -> PyResult<()> {
        let py = slf.py();
        let this = slf.get();
        let data = if let Ok(message) = message.to_str() {
            proto::json_error::error_body(code, message)
        } else {
            // Rust has no text for lone surrogates; JSON's escapes have.
            let error = PyDict::new(py);
            error.set_item("code", code)?;
            error.set_item("message", message)?;
            let body = PyDict::new(py);
            body.set_item("error", error)?;
            modules::attribute(py, "json", "dumps")?.call1((body,))?.extract()?
        };
        *this.extras() = Extras::default();
        this.set_status(code.into_pyobject(py)?.as_any())?;
        let headers = PyList::empty(py);
        headers.append(("Content-Type", "application/json"))?;
        headers.append(("Content-Length", data.len()))?;
        this.headers.set(headers.into_any().unbind());
        this.content.set(PyString::new(py, &data).into_any().unbind());
        Ok(())
    }

    /// Writes the status line and the headers.
    fn write_status_headers(slf: &Bound<'_, Self>) -> PyResult<()> {
        let py = slf.py();
        let this = slf.get();
        let headers = this.headers(py)?;
        let (code, message) = this.status(py);
        if this.is_over_http2(py) {
            return match this.replaced_writer(py) {
                None => http2::write_headers(slf, &headers, code),
                Some(writer) => writer
                    .call_method1(intern!(py, "write_headers"), (headers, code, message))
                    .map(|_| ()),
            };
        }
        if let Some(writer) = this.replaced_writer(py) {
            writer.call_method1(intern!(py, "write_status"), (code, message))?;
            for header in headers.try_iter()? {
                let (name, value): (Bound<'_, PyAny>, Bound<'_, PyAny>) = header?.extract()?;
                writer.call_method1(intern!(py, "write_header"), (name, value))?;
            }
            writer.call_method0(intern!(py, "end_headers"))?;
            return Ok(());
        }
        let steps = Steps::direct(slf);
        let message = message.as_ref().map(crate::text::isomorphic).transpose()?;
        steps.status_line(code, message.as_deref())?;
        match headers.cast_exact::<ResponseHeaders>() {
            Ok(own) => {
                for field in &*own.get().lock() {
                    steps.field(&field.name, &field.value);
                }
            }
            Err(_) => {
                for header in headers.try_iter()? {
                    let (name, value): (Bound<'_, PyAny>, Bound<'_, PyAny>) = header?.extract()?;
                    steps.write_header(&name, &value)?;
                }
            }
        }
        steps.end_headers()?;
        Ok(())
    }

    /// Writes the content; nothing in answer to HEAD unless `send_body_for_head_request`.
    fn write_content(slf: &Bound<'_, Self>) -> PyResult<()> {
        let py = slf.py();
        let this = slf.get();
        if this.request.py().get().inner.is_head()
            && !this.send_body_for_head_request(py).is_truthy()?
        {
            return Ok(());
        }
        let writer = this.replaced_writer(py);
        if this.is_replaced(slf) {
            let parts = slf.call_method0("iter_content")?;
            return Self::write_parts(slf, writer.as_ref(), &parts);
        }
        let Some(content) = this.content.get(py) else {
            return Ok(());
        };
        if content.is_instance_of::<PyBytes>() || content.is_instance_of::<PyString>() {
            return Self::write_item(slf, writer.as_ref(), &content);
        }
        if content.is_instance_of::<PyList>() || content.is_instance_of::<PyTuple>() {
            for item in content.try_iter()? {
                let item = item?;
                if item.is_callable() {
                    // It may take its time; what is there goes ahead.
                    if !this.progress.flush(py) {
                        break;
                    }
                    let value = item.call0()?;
                    if value.is_truthy()? {
                        Self::write_item(slf, writer.as_ref(), &value)?;
                    }
                } else if item.is_truthy()? {
                    Self::write_item(slf, writer.as_ref(), &item)?;
                }
            }
            return Ok(());
        }
        this.progress.flush(py);
        if content.hasattr(intern!(py, "read"))? {
            let blocks = Self::iter_content(slf, false)?;
            return Self::write_parts(slf, writer.as_ref(), &blocks);
        }
        Self::write_parts(slf, writer.as_ref(), &content)
    }

    /// Writes the parts of an iterable one by one. It is closed early when the client is gone, which
    /// a part without content tells too.
    fn write_parts<'py>(
        slf: &Bound<'py, Self>,
        writer: Option<&Bound<'py, PyAny>>,
        parts: &Bound<'py, PyAny>,
    ) -> PyResult<()> {
        let py = slf.py();
        let parts = parts.try_iter()?;
        for item in parts.clone() {
            let item = item?;
            let part = if item.is_callable() { item.call0()? } else { item };
            if part.is_truthy()? {
                Self::write_item(slf, writer, &part)?;
            }
            if !slf.get().progress.flush(py) {
                if parts.hasattr(intern!(py, "close"))? {
                    parts.call_method0(intern!(py, "close"))?;
                }
                break;
            }
        }
        Ok(())
    }

    fn write_item<'py>(
        slf: &Bound<'py, Self>,
        writer: Option<&Bound<'py, PyAny>>,
        item: &Bound<'py, PyAny>,
    ) -> PyResult<()> {
        match writer {
            _ if slf.get().is_over_http2(slf.py()) => http2::write_part(slf, writer, item)?,
            Some(writer) => {
                writer.call_method1(intern!(slf.py(), "write_content"), (item,))?;
            }
            None => {
                Steps::direct(slf).write_content(item)?;
            }
        }
        Ok(())
    }
}

#[pymethods]
impl Response {
    /// A response that is written to the `wfile` of a handler of `http.server`'s kind.
    #[new]
    #[pyo3(signature = (handler, request, response_writer_cls = None, *_more, **_named))]
    fn py_new(
        handler: &Bound<'_, PyAny>,
        request: &Bound<'_, PyAny>,
        response_writer_cls: Option<Py<PyAny>>,
        _more: &Bound<'_, PyTuple>,
        _named: Option<&Bound<'_, PyDict>>,
    ) -> PyResult<Self> {
        let py = handler.py();
        let file = handler.getattr(intern!(py, "wfile"))?.unbind();
        let own = request.cast::<Request>().ok();
        let link = match own {
            Some(own) => own.clone().unbind(),
            None => detached::stand_in(py, request)?,
        };
        let response = Self::new(link, Sink::File(file));
        response.maker.handler.set(handler.clone().unbind());
        if own.is_none() {
            response.maker.request.set(request.clone().unbind());
        }
        if let Some(class) = response_writer_cls {
            response.maker.writer_class.set(class);
        }
        Ok(response)
    }

    /// Takes what a subclass has for its own; the response is made by then.
    #[pyo3(signature = (*_all, **_named))]
    #[expect(clippy::unused_self, reason = "a method of the object protocol")]
    fn __init__(&self, _all: &Bound<'_, PyTuple>, _named: Option<&Bound<'_, PyDict>>) {}

    /// The request that is answered.
    #[getter]
    fn get_request<'py>(&self, py: Python<'py>) -> Bound<'py, PyAny> {
        let given = self.maker.request.get(py);
        given.unwrap_or_else(|| self.request.py().clone_ref(py).into_bound(py).into_any())
    }

    /// The encoding for text in the content.
    #[getter]
    fn get_encoding<'py>(&self, py: Python<'py>) -> Bound<'py, PyAny> {
        self.encoding.get(py).unwrap_or_else(|| PyString::intern(py, "utf8").into_any())
    }

    #[setter]
    fn set_encoding(&self, value: Py<PyAny>) {
        self.encoding.set(value);
    }

    /// Whether Server, Date and Content-Length are added where they are missing.
    #[getter]
    fn add_required_headers<'py>(&self, py: Python<'py>) -> Bound<'py, PyAny> {
        self.add_required_headers.get(py).unwrap_or_else(|| boolean(py, true))
    }

    #[setter]
    fn set_add_required_headers(&self, value: Py<PyAny>) {
        self.add_required_headers.set(value);
    }

    /// Whether the content is sent in answer to HEAD.
    #[getter]
    fn send_body_for_head_request<'py>(&self, py: Python<'py>) -> Bound<'py, PyAny> {
        self.send_body_for_head_request.get(py).unwrap_or_else(|| boolean(py, false))
    }

    #[setter]
    fn set_send_body_for_head_request(&self, value: Py<PyAny>) {
        self.send_body_for_head_request.set(value);
    }

    /// Whether the connection closes after this response.
    #[getter]
    fn close_connection<'py>(&self, py: Python<'py>) -> Bound<'py, PyAny> {
        self.close_connection.get(py).unwrap_or_else(|| boolean(py, false))
    }

    #[setter]
    fn set_close_connection(&self, value: Py<PyAny>) {
        self.close_connection.set(value);
    }

    /// The header fields. May be replaced by a list of pairs.
    #[getter]
    pub(crate) fn headers<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        self.headers.get_or_init(py, || Ok(Bound::new(py, ResponseHeaders::default())?.into_any()))
    }

    #[setter]
    fn set_headers(&self, value: Py<PyAny>) {
        self.headers.set(value);
    }

    /// The content: text, bytes, a file, or an iterable of text, bytes and functions.
    #[getter]
    fn get_content<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        self.content.get_or_init(py, || Ok(PyList::empty(py).into_any()))
    }

    #[setter]
    fn set_content(&self, value: Py<PyAny>) {
        self.content.set(value);
    }

    /// The writer.
    #[getter]
    fn writer<'py>(slf: &Bound<'py, Self>) -> PyResult<Bound<'py, PyAny>> {
        let this = slf.get();
        this.writer.get_or_init(slf.py(), || match this.maker.writer_class.get(slf.py()) {
            Some(class) => class.call1((this.maker.handler.get(slf.py()), slf)),
            None => http2::response_writer(slf),
        })
    }

    #[setter]
    fn set_writer(&self, value: Py<PyAny>) {
        self.writer.set(value);
    }

    /// Python's root logger.
    #[getter]
    fn logger<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        self.logger
            .get_or_init(py, || modules::attribute(py, "wptserve.logger", "get_logger")?.call0())
    }

    #[setter]
    fn set_logger(&self, value: Py<PyAny>) {
        self.logger.set(value);
    }

    /// The status: `(code, message)`, where `None` stands for the usual reason phrase.
    #[getter]
    fn status<'py>(&self, py: Python<'py>) -> (i64, Option<Bound<'py, PyAny>>) {
        let status = self.status.lock().unwrap_or_else(PoisonError::into_inner);
        (status.0, status.1.as_ref().map(|message| message.bind(py).clone()))
    }

    /// Takes a code, or a `(code, message)` pair.
    #[setter]
    fn set_status(&self, value: &Bound<'_, PyAny>) -> PyResult<()> {
        let py = value.py();
        let status = if !value.is_instance_of::<PyInt>() && value.hasattr(intern!(py, "__len__"))? {
            if value.len()? != 2 {
                return Err(PyValueError::new_err(format!(
                    "a status is a code or a (code, message) pair, not {}",
                    value.repr()?
                )));
            }
            let message = value.get_item(1)?;
            let text = message.is_instance_of::<PyBytes>() || message.is_instance_of::<PyString>();
            let message = if text { message } else { message.str()?.into_any() };
            (integer(&value.get_item(0)?)?, Some(message.unbind()))
        } else {
            (integer(value)?, None)
        };
        self.replace_status(status);
        Ok(())
    }

    /// Adds a `Set-Cookie` header; see `wptserve.response.cookie_header` for the arguments.
    #[pyo3(signature = (*args, **kwargs))]
    fn set_cookie(
        &self,
        py: Python<'_>,
        args: &Bound<'_, PyTuple>,
        kwargs: Option<&Bound<'_, PyDict>>,
    ) -> PyResult<()> {
        static COOKIE_HEADER: PyOnceLock<Py<PyAny>> = PyOnceLock::new();
        let cookie = modules::once(py, &COOKIE_HEADER, "wptserve.response", "cookie_header")?
            .call(args, kwargs)?;
        let headers = self.headers(py)?;
        headers.call_method1(intern!(py, "append"), ("Set-Cookie", cookie))?;
        Ok(())
    }

    /// Takes a cookie back that this response sets.
    fn unset_cookie(slf: &Bound<'_, Self>, name: &Bound<'_, PyAny>) -> PyResult<()> {
        modules::attribute(slf.py(), "wptserve.response", "unset_cookie")?.call1((slf, name))?;
        Ok(())
    }

    /// Deletes a cookie on the client.
    #[pyo3(signature = (name, path = Some("/"), domain = None))]
    fn delete_cookie(
        slf: &Bound<'_, Self>,
        name: &Bound<'_, PyAny>,
        path: Option<&str>,
        domain: Option<&Bound<'_, PyAny>>,
    ) -> PyResult<()> {
        let py = slf.py();
        let kwargs = PyDict::new(py);
        kwargs.set_item("path", path)?;
        kwargs.set_item("domain", domain)?;
        slf.call_method("set_cookie", (name, py.None()), Some(&kwargs))?;
        Ok(())
    }

    /// Makes this an error response: a JSON body with the code and a message, and no other
    /// headers. For a 5xx code the message tells the traceback of `err`. `message` is a text for
    /// any code, as it was until 2022.
    #[pyo3(name = "set_error", signature = (code, err = None, *, message = None))]
    fn py_set_error(
        slf: &Bound<'_, Self>,
        code: i64,
        err: Option<&Bound<'_, PyAny>>,
        message: Option<&Bound<'_, PyAny>>,
    ) -> PyResult<()> {
        match message {
            Some(message) => Self::tell_error(slf, code, &message.str()?),
            None => Self::set_error(slf, code, err),
        }
    }

    /// The content's parts: functions are called, empty parts left out, a file read in blocks.
    #[pyo3(signature = (read_file = false))]
    fn iter_content<'py>(slf: &Bound<'py, Self>, read_file: bool) -> PyResult<Bound<'py, PyAny>> {
        modules::attribute(slf.py(), "wptserve.response", "iter_content")?.call1((slf, read_file))
    }

    /// Writes the status line and the headers.
    #[pyo3(name = "write_status_headers")]
    fn py_write_status_headers(slf: &Bound<'_, Self>) -> PyResult<()> {
        Self::write_status_headers(slf)?;
        slf.get().progress.flush_to_file(slf.py());
        Ok(())
    }

    /// Writes the content; nothing in answer to HEAD unless `send_body_for_head_request`.
    #[pyo3(name = "write_content")]
    fn py_write_content(slf: &Bound<'_, Self>) -> PyResult<()> {
        Self::write_content(slf)?;
        slf.get().progress.flush_to_file(slf.py());
        Ok(())
    }

    fn __traverse__(&self, visit: PyVisit<'_>) -> Result<(), PyTraverseError> {
        self.request.traverse(&visit)?;
        if let Ok(status) = self.status.try_lock() {
            visit.call(&status.1)?;
        }
        self.slots().into_iter().try_for_each(|slot| slot.traverse(&visit))
    }

    fn __clear__(&self) {
        for slot in self.slots() {
            drop(slot.take());
        }
    }

    /// Writes the whole response.
    fn write(slf: &Bound<'_, Self>) -> PyResult<()> {
        slf.call_method0(intern!(slf.py(), "write_status_headers"))?;
        slf.call_method0(intern!(slf.py(), "write_content"))?;
        Ok(())
    }

    fn __setattr__(
        slf: &Bound<'_, Self>,
        name: &Bound<'_, PyString>,
        value: &Bound<'_, PyAny>,
    ) -> PyResult<()> {
        if REPLACEABLE.contains(&name.to_str().unwrap_or_default()) {
            slf.get().patched.store(true, Ordering::Relaxed);
        }
        crate::attribute::set(slf.as_any(), name, Some(value))
    }

    fn __delattr__(slf: &Bound<'_, Self>, name: &Bound<'_, PyString>) -> PyResult<()> {
        crate::attribute::set(slf.as_any(), name, None)
    }
}

/// Methods that the engine calls, so that a replacement counts.
const REPLACEABLE: [&str; 4] = ["write", "write_status_headers", "write_content", "iter_content"];

fn boolean(py: Python<'_>, value: bool) -> Bound<'_, PyAny> {
    pyo3::types::PyBool::new(py, value).to_owned().into_any()
}

/// `int(value)`.
fn integer(value: &Bound<'_, PyAny>) -> PyResult<i64> {
    if let Ok(number) = value.extract() {
        return Ok(number);
    }
    value.py().get_type::<PyInt>().call1((value,))?.extract()
}

/// Text for the log: lone surrogates, which Rust cannot hold, are replaced by `?`.
fn printable(text: &Bound<'_, PyString>) -> PyResult<String> {
    if let Ok(text) = text.to_str() {
        return Ok(text.to_owned());
    }
    let bytes = text.call_method1("encode", ("utf-8", "replace"))?;
    Ok(String::from_utf8_lossy(bytes.cast::<PyBytes>()?.as_bytes()).into_owned())
}

/// Reports a handler's failure with the file and line it came from.
fn report(request: &Request, err: Option<&Bound<'_, PyAny>>, message: &str) {
    let doc_root = &request.inner.environment.doc_root;
    let location = err.and_then(|err| failure::location(err, doc_root));
    let url = server::latin1(&request.inner.url());
    request.inner.environment.events.emit(&Event::HandlerFailed {
        url: &url,
        location: location.as_ref().map(|(file, line)| (file.as_str(), *line)),
        message,
    });
}

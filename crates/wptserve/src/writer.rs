//! `ResponseWriter`: a response as a handler writes it, down to the raw bytes.

use std::{
    borrow::Cow,
    sync::{
        Mutex, MutexGuard, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
};

use bytes::Bytes;
use proto::response_head;
use pyo3::{
    PyTraverseError, PyVisit,
    exceptions::{PyBrokenPipeError, PyOSError, PyTypeError, PyValueError},
    intern,
    prelude::*,
    types::{PyBytes, PyDict, PyInt, PyString, PyTuple},
};
use server::{Finish, Piece, TrySendError, response::SERVER};

use crate::{
    connection::{ConnectionFile, RawConnection},
    fork,
    http2::H2ResponseWriter,
    response::Response,
    slot::{Link, Slot},
    text::{content_bytes, isomorphic},
};

/// Where a response stands. Shared by [`Response`] and its [`ResponseWriter`].
#[expect(clippy::struct_excessive_bools, reason = "independent facts, not one state")]
pub(crate) struct Progress {
    sink: Sink,
    /// Written, and not yet handed to the engine.
    pending: Vec<u8>,
    /// Bytes were handed to the engine.
    flushed: bool,
    status_written: bool,
    status: i64,
    headers_complete: bool,
    pub(crate) content_written: bool,
    /// A head was ended behind which a client expects no content.
    without_content: bool,
    /// Content was written behind such a head: it looks like the next response.
    pub(crate) has_stray_content: bool,
    /// Over HTTP/2: the stream has ended on this side.
    pub(crate) stream_ended: bool,
    seen: Seen,
}

/// Where a response goes.
pub(crate) enum Sink {
    /// To the engine.
    Engine(server::ResponseWriter),
    /// To a file of Python's: the response is one that a program has made.
    File(Py<PyAny>),
}

impl Sink {
    fn is_peer_gone(&self) -> bool {
        // To a child of this process the client is its parent's.
        matches!(self, Self::Engine(engine) if fork::is_child() || engine.is_peer_gone())
    }
}

/// Fields that were written and are not added again.
#[derive(Default)]
#[expect(clippy::struct_excessive_bools, reason = "independent facts, not one state")]
struct Seen {
    server: bool,
    date: bool,
    content_length: bool,
    connection: bool,
}

impl Progress {
    pub(crate) fn new(sink: Sink) -> Self {
        Self {
            sink,
            pending: Vec::with_capacity(256),
            flushed: false,
            status_written: false,
            status: DEFAULT_STATUS,
            headers_complete: false,
            content_written: false,
            without_content: false,
            has_stray_content: false,
            stream_ended: false,
            seen: Seen::default(),
        }
    }

    /// Adds bytes to what is pending.
    fn put(&mut self, bytes: &[u8]) {
        self.content_written = true;
        self.put_uncounted(bytes);
    }

    /// The same, but the response still counts as unwritten.
    fn put_uncounted(&mut self, bytes: &[u8]) {
        self.has_stray_content |= self.without_content && !bytes.is_empty();
        self.pending.extend_from_slice(bytes);
    }

    /// The head went to the engine as fields: what is written now is content.
    pub(crate) fn head_was_sent(&mut self) {
        self.status_written = true;
        self.headers_complete = true;
    }

    /// Drops what is pending. `false` when bytes are with the engine already.
    pub(crate) fn discard(&mut self) -> bool {
        self.pending.clear();
        self.status_written = false;
        self.headers_complete = false;
        self.without_content = false;
        self.has_stray_content = false;
        self.seen = Seen::default();
        !self.flushed
    }

    /// Ends with a response that the engine sends.
    pub(crate) fn respond(&mut self, response: server::Response) {
        if let Sink::Engine(engine) = &mut self.sink
            && !fork::is_child()
        {
            engine.respond(response);
        }
    }

    /// Hands over what is pending and ends the response.
    pub(crate) fn finish(&mut self, finish: Finish) {
        if let Sink::Engine(engine) = &mut self.sink
            && !fork::is_child()
        {
            engine.finish(Bytes::from(std::mem::take(&mut self.pending)), finish);
        }
    }
}

/// The progress behind its lock, which is never held while Python code runs.
pub(crate) struct SharedProgress(Mutex<Progress>);

impl SharedProgress {
    pub(crate) fn new(progress: Progress) -> Self {
        Self(Mutex::new(progress))
    }

    pub(crate) fn lock(&self) -> MutexGuard<'_, Progress> {
        // No code panics while it holds the lock with the state half changed.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Hands what is pending to the engine; lets the GIL go while the client is behind. `false`
    /// when the client is gone.
    pub(crate) fn flush(&self, py: Python<'_>) -> bool {
        let mut progress = self.lock();
        if progress.pending.is_empty() {
            return !progress.sink.is_peer_gone();
        }
        progress.flushed = true;
        let bytes = Bytes::from(std::mem::take(&mut progress.pending));
        self.hand_over(py, progress, bytes.into())
    }

    /// The same where nobody else will do it: the engine hands over what is left in the end.
    pub(crate) fn flush_to_file(&self, py: Python<'_>) {
        let is_file = matches!(self.lock().sink, Sink::File(_));
        if is_file {
            // A client that is gone is told to those who write.
            let _alive = self.flush(py);
        }
    }

    /// Hands what is pending over, and a piece behind it.
    pub(crate) fn send_piece(&self, py: Python<'_>, piece: Piece) -> bool {
        if !self.flush(py) {
            return false;
        }
        let mut progress = self.lock();
        progress.content_written = true;
        progress.flushed = true;
        self.hand_over(py, progress, piece)
    }

    fn hand_over(&self, py: Python<'_>, progress: MutexGuard<'_, Progress>, piece: Piece) -> bool {
        let engine = match &progress.sink {
            Sink::Engine(_) if fork::is_child() => return false,
            Sink::Engine(engine) => engine,
            Sink::File(file) => {
                let file = file.clone_ref(py);
                drop(progress);
                return matches!(&piece, Piece::Bytes(bytes) if write_file(file.bind(py), bytes));
            }
        };
        match engine.try_send(piece) {
            Ok(()) => true,
            Err(TrySendError::PeerGone) => false,
            Err(TrySendError::Full(piece)) => {
                drop(progress);
                // Nobody else writes: a response belongs to one handler.
                py.detach(|| match &self.lock().sink {
                    Sink::Engine(engine) => engine.send(piece).is_ok(),
                    Sink::File(_) => false,
                })
            }
        }
    }
}

/// Writes to a file of Python's; `false` when that fails, as when a client is gone.
fn write_file(file: &Bound<'_, PyAny>, bytes: &[u8]) -> bool {
    let py = file.py();
    match file.call_method1(intern!(py, "write"), (PyBytes::new(py, bytes),)) {
        Ok(_count) => true,
        Err(error) => {
            if !error.is_instance_of::<PyOSError>(py) {
                error.write_unraisable(py, Some(file));
            }
            false
        }
    }
}

/// The steps of writing a response. When a method of the writer was replaced, on the instance or
/// in a subclass, each step goes through it.
pub(crate) struct Steps<'a, 'py> {
    response: &'a Bound<'py, Response>,
    replaced: Option<&'a Bound<'py, ResponseWriter>>,
}

impl<'a, 'py> Steps<'a, 'py> {
    /// Steps that the engine takes for a response whose writer, if there is one, is unchanged.
    pub(crate) fn direct(response: &'a Bound<'py, Response>) -> Self {
        Self { response, replaced: None }
    }

    fn of(writer: &'a Bound<'py, ResponseWriter>, response: &'a Bound<'py, Response>) -> Self {
        Self { response, replaced: writer.get().is_replaced(writer).then_some(writer) }
    }

    fn py(&self) -> Python<'py> {
        self.response.py()
    }

    fn progress(&self) -> MutexGuard<'a, Progress> {
        self.response.get().progress.lock()
    }

    fn write_bytes(&self, bytes: &[u8]) -> PyResult<bool> {
        match self.replaced {
            Some(writer) => writer
                .call_method1(intern!(self.py(), "write"), (PyBytes::new(self.py(), bytes),))?
                .is_truthy(),
            None => Ok(self.put(bytes)),
        }
    }

    fn put(&self, bytes: &[u8]) -> bool {
        let mut progress = self.progress();
        progress.put(bytes);
        let more = progress.pending.len() < FLUSH_AT;
        drop(progress);
        more || self.response.get().progress.flush(self.py())
    }

    /// `write`: text and bytes as they are.
    fn write(&self, data: &Bound<'py, PyAny>) -> PyResult<bool> {
        if let Some(writer) = self.replaced {
            return writer.call_method1(intern!(self.py(), "write"), (data,))?.is_truthy();
        }
        self.write_here(data)
    }

    fn write_here(&self, data: &Bound<'py, PyAny>) -> PyResult<bool> {
        self.progress().content_written = true;
        let bytes = self.encode(data)?;
        Ok(self.put(&bytes))
    }

    fn encode<'b>(&self, data: &'b Bound<'py, PyAny>) -> PyResult<Cow<'b, [u8]>> {
        let encoding = self.response.get().encoding(self.py());
        content_bytes(data, encoding.as_ref())?.ok_or_else(|| {
            let name = data.get_type().name().map_or_else(|_| "?".to_owned(), |n| n.to_string());
            let shown = data.repr().map_or_else(|_| name.clone(), |repr| repr.to_string());
            PyValueError::new_err(format!("a str or bytes can be written, not {name}: {shown}"))
        })
    }

    /// `write_status`.
    pub(crate) fn write_status(
        &self,
        code: &Bound<'py, PyAny>,
        message: Option<&Bound<'py, PyAny>>,
    ) -> PyResult<()> {
        let number: i64 = match code.extract() {
            Ok(number) => number,
            Err(_) if code.is_instance_of::<pyo3::types::PyFloat>() => {
                code.call_method0("__int__")?.extract()?
            }
            Err(_) => {
                return Err(PyTypeError::new_err(format!(
                    "a status code is an int, not {}: {}",
                    code.get_type().name()?,
                    code.repr()?
                )));
            }
        };
        let message = message.map(isomorphic).transpose()?;
        self.status_line(number, message.as_deref())
    }

    pub(crate) fn status_line(&self, code: i64, message: Option<&[u8]>) -> PyResult<()> {
        let reason = message.unwrap_or_else(|| proto::status::reason(code).as_bytes());
        let mut line = Vec::with_capacity(16 + reason.len());
        response_head::encode_status_line(&mut line, code, reason);
        // An informational head may have come before.
        self.progress().without_content = false;
        self.write_bytes(&line)?;
        let mut progress = self.progress();
        progress.status_written = true;
        progress.status = code;
        if let (Ok(status), Sink::Engine(engine)) = (u16::try_from(code), &progress.sink) {
            engine.note_status(status);
        }
        Ok(())
    }

    fn ensure_status(&self) -> PyResult<()> {
        if self.progress().status_written {
            return Ok(());
        }
        match self.replaced {
            Some(writer) => {
                let status = writer.getattr("default_status")?;
                writer.call_method1(intern!(self.py(), "write_status"), (status,))?;
                Ok(())
            }
            None => self.status_line(DEFAULT_STATUS, None),
        }
    }

    /// `write_header`.
    pub(crate) fn write_header(
        &self,
        name: &Bound<'py, PyAny>,
        value: &Bound<'py, PyAny>,
    ) -> PyResult<bool> {
        self.ensure_status()?;
        let encoded = self.encode(name)?;
        self.see(&encoded);
        let value_bytes = if value.is_instance_of::<PyInt>() {
            Cow::Owned(value.str()?.to_str()?.as_bytes().to_vec())
        } else if self.replaced.is_some() {
            Cow::Borrowed(&b""[..])
        } else {
            self.encode(value)?
        };
        if self.replaced.is_none() {
            return Ok(self.field(&encoded, &value_bytes));
        }
        let written = self.write(name)? && self.write_bytes(b": ")?;
        let written = written
            && if value.is_instance_of::<PyInt>() {
                self.write_bytes(&value_bytes)?
            } else {
                self.write(value)?
            };
        Ok(written && self.write_bytes(b"\r\n")?)
    }

    /// One field of the head, on the direct way.
    pub(crate) fn field(&self, name: &[u8], value: &[u8]) -> bool {
        self.see(name);
        let mut progress = self.progress();
        progress.content_written = true;
        response_head::encode_field(&mut progress.pending, name, value);
        true
    }

    fn see(&self, name: &[u8]) {
        let mut progress = self.progress();
        let seen = &mut progress.seen;
        // The lengths tell most names apart without a look at them.
        match name.len() {
            4 => seen.date |= name.eq_ignore_ascii_case(b"date"),
            6 => seen.server |= name.eq_ignore_ascii_case(b"server"),
            10 => seen.connection |= name.eq_ignore_ascii_case(b"connection"),
            14 => seen.content_length |= name.eq_ignore_ascii_case(b"content-length"),
            _ => {}
        }
    }

    fn default_field(&self, name: &'static str, value: &[u8]) -> PyResult<bool> {
        match self.replaced {
            None => {
                self.ensure_status()?;
                Ok(self.field(name.as_bytes(), value))
            }
            Some(writer) => {
                let value = String::from_utf8_lossy(value);
                let arguments = (name, value.as_ref());
                writer.call_method1(intern!(self.py(), "write_header"), arguments)?.is_truthy()
            }
        }
    }

    /// `write_default_headers`: Server and Date, then Content-Length when the content is text or
    /// bytes, each unless it was written.
    fn write_default_headers(&self) -> PyResult<bool> {
        let server = self.progress().seen.server;
        if !server {
            let value = self.response.get().of_handler(self.py(), "version_string")?;
            let value = value.as_deref().unwrap_or(SERVER.as_bytes());
            if !self.default_field("Server", value)? {
                return Ok(false);
            }
        }
        let date = self.progress().seen.date;
        if !date {
            let value = self.response.get().of_handler(self.py(), "date_time_string")?;
            if !self.default_field("Date", value.as_deref().unwrap_or(&server::http_date_now()))? {
                return Ok(false);
            }
        }
        if !self.progress().seen.content_length
            && let Some(content) = self.response.get().content.get(self.py())
        {
            let encoding = self.response.get().encoding(self.py());
            if let Some(bytes) = content_bytes(&content, encoding.as_ref())? {
                let length = bytes.len().to_string();
                return self.default_field("Content-Length", length.as_bytes());
            }
        }
        Ok(true)
    }

    /// Whether a client expects no content behind the head that is being written.
    fn is_without_content(&self) -> bool {
        let request = self.response.get().request(self.py());
        request.get().inner.is_head() || proto::status::is_without_content(self.progress().status)
    }

    /// `end_headers`: the default headers unless they are switched off, and the empty line. A
    /// response without Content-Length ends with the connection, and says so; so does one whose
    /// content is more than a client expects.
    pub(crate) fn end_headers(&self) -> PyResult<bool> {
        let py = self.py();
        let response = self.response.get();
        let without_content = self.is_without_content();
        if without_content && response.sends_content(py)? {
            response.close_after(py);
        }
        if response.adds_required_headers(py)? {
            let written = match self.replaced {
                None => self.write_default_headers()?,
                Some(writer) => {
                    writer.call_method0(intern!(py, "write_default_headers"))?.is_truthy()?
                }
            };
            if !written {
                return Ok(false);
            }
            let seen = {
                let progress = self.progress();
                (progress.seen.content_length, progress.seen.connection)
            };
            if !seen.1 && (!seen.0 || response.closes(py)?) {
                self.default_field("Connection", b"close")?;
            }
        }
        if !self.write_bytes(b"\r\n")? {
            return Ok(false);
        }
        let mut progress = self.progress();
        progress.headers_complete = true;
        progress.without_content = without_content;
        let framed = progress.seen.content_length;
        drop(progress);
        if !framed {
            response.close_after(py);
        }
        Ok(true)
    }

    /// `write_content`: the head first when it was not written, as for this content.
    pub(crate) fn write_content(&self, data: &Bound<'py, PyAny>) -> PyResult<bool> {
        self.ensure_status()?;
        if !self.progress().headers_complete {
            self.response.get().content.set(data.clone().unbind());
            match self.replaced {
                None => self.end_headers()?,
                Some(writer) => {
                    writer.call_method0(intern!(self.py(), "end_headers"))?.is_truthy()?
                }
            };
        }
        match self.replaced {
            None => self.write_raw_content(data),
            Some(writer) => {
                writer.call_method1(intern!(self.py(), "write_raw_content"), (data,))?.is_truthy()
            }
        }
    }

    fn write_raw_content(&self, data: &Bound<'py, PyAny>) -> PyResult<bool> {
        if data.is_none() {
            return Err(PyValueError::new_err("content cannot be None"));
        }
        if data.is_instance_of::<PyBytes>() || data.is_instance_of::<PyString>() {
            return self.write(data);
        }
        match self.replaced {
            None => self.write_content_file(data, DEFAULT_CHUNK_SIZE),
            Some(writer) => {
                writer.call_method1(intern!(self.py(), "write_content_file"), (data,))?.is_truthy()
            }
        }
    }

    /// `write_content_file`: reads blocks and writes each as it comes. Always `False` once the
    /// file is at its end, as in the reference.
    fn write_content_file(&self, file: &Bound<'py, PyAny>, chunk_size: usize) -> PyResult<bool> {
        self.progress().content_written = true;
        let py = self.py();
        let progress = &self.response.get().progress;
        let mut alive = progress.flush(py);
        while alive {
            let block = file.call_method1(intern!(py, "read"), (chunk_size,))?;
            if !block.is_truthy()? {
                break;
            }
            let bytes = block.cast::<PyBytes>().map_err(|_| {
                PyTypeError::new_err("a file that is written has to be opened in binary mode")
            })?;
            self.put(bytes.as_bytes());
            alive = progress.flush(py);
        }
        file.call_method0(intern!(py, "close"))?;
        Ok(false)
    }
}

/// Writes a response to the client. Each method hands over what it wrote before it returns.
#[pyclass(frozen, subclass, dict, weakref, module = "wptserve.response")]
pub(crate) struct ResponseWriter {
    response: Link<Response>,
    file_chunk_size: Slot,
    default_status: Slot,
    /// An attribute was set that may be a method.
    patched: AtomicBool,
}

impl ResponseWriter {
    pub(crate) fn new(response: Py<Response>) -> Self {
        Self {
            response: Link::new(response),
            file_chunk_size: Slot::default(),
            default_status: Slot::default(),
            patched: AtomicBool::new(false),
        }
    }

    pub(crate) fn is_replaced(&self, this: &Bound<'_, Self>) -> bool {
        self.patched.load(Ordering::Relaxed)
            || !(this.is_exact_instance_of::<Self>()
                || this.is_exact_instance_of::<H2ResponseWriter>())
    }

    /// The response that this writes.
    pub(crate) fn response<'a, 'py>(&'a self, py: Python<'py>) -> &'a Bound<'py, Response> {
        self.response.py().bind(py)
    }

    /// Takes a step, then hands over what it wrote: `false` also when the client is gone.
    fn step<'py>(
        slf: &Bound<'py, Self>,
        step: impl FnOnce(&Steps<'_, 'py>) -> PyResult<bool>,
    ) -> PyResult<bool> {
        let response = slf.get().response.py().bind(slf.py());
        let written = step(&Steps::of(slf, response))?;
        Ok(response.get().progress.flush(slf.py()) && written)
    }
}

#[pymethods]
impl ResponseWriter {
    /// The writer of a response; a handler of `http.server`'s kind comes first, as in the
    /// reference.
    #[new]
    #[pyo3(signature = (handler, response, *_more, **_named))]
    #[expect(unused_variables, reason = "the response has the handler")]
    fn py_new(
        handler: &Bound<'_, PyAny>,
        response: Py<Response>,
        _more: &Bound<'_, PyTuple>,
        _named: Option<&Bound<'_, PyDict>>,
    ) -> Self {
        Self::new(response)
    }

    /// Takes what a subclass has for its own; the writer is made by then.
    #[pyo3(signature = (*_all, **_named))]
    #[expect(clippy::unused_self, reason = "a method of the object protocol")]
    fn __init__(&self, _all: &Bound<'_, PyTuple>, _named: Option<&Bound<'_, PyDict>>) {}

    /// Writes the status line; the usual reason phrase when there is no message.
    #[pyo3(signature = (code, message = None))]
    fn write_status(
        slf: &Bound<'_, Self>,
        code: &Bound<'_, PyAny>,
        message: Option<&Bound<'_, PyAny>>,
    ) -> PyResult<()> {
        Self::step(slf, |steps| steps.write_status(code, message).map(|()| true)).map(|_| ())
    }

    /// Writes one header field, after a default status line when there was none.
    fn write_header(
        slf: &Bound<'_, Self>,
        name: &Bound<'_, PyAny>,
        value: &Bound<'_, PyAny>,
    ) -> PyResult<bool> {
        Self::step(slf, |steps| steps.write_header(name, value))
    }

    /// Writes Server, Date and, where it is known, Content-Length, unless they were written.
    fn write_default_headers(slf: &Bound<'_, Self>) -> PyResult<bool> {
        #[expect(
            clippy::redundant_closure_for_method_calls,
            reason = "a path is not general enough"
        )]
        Self::step(slf, |steps| steps.write_default_headers())
    }

    /// Ends the head.
    fn end_headers(slf: &Bound<'_, Self>) -> PyResult<bool> {
        #[expect(
            clippy::redundant_closure_for_method_calls,
            reason = "a path is not general enough"
        )]
        Self::step(slf, |steps| steps.end_headers())
    }

    /// Writes content, after the head when that was not written.
    fn write_content(slf: &Bound<'_, Self>, data: &Bound<'_, PyAny>) -> PyResult<bool> {
        Self::step(slf, |steps| steps.write_content(data))
    }

    /// Writes content as it is: text, bytes, or a file.
    fn write_raw_content(slf: &Bound<'_, Self>, data: &Bound<'_, PyAny>) -> PyResult<bool> {
        Self::step(slf, |steps| steps.write_raw_content(data))
    }

    /// Writes what a binary file holds, block by block, and closes the file.
    fn write_content_file(slf: &Bound<'_, Self>, data: &Bound<'_, PyAny>) -> PyResult<bool> {
        let size = slf.getattr("file_chunk_size")?.extract()?;
        Self::step(slf, |steps| steps.write_content_file(data, size))
    }

    /// Writes text or bytes to the connection as they are. `False` once the client is gone.
    fn write(slf: &Bound<'_, Self>, data: &Bound<'_, PyAny>) -> PyResult<bool> {
        Self::step(slf, |steps| steps.write_here(data))
    }

    /// Hands over everything that was written. Every method has done so already.
    fn flush(slf: &Bound<'_, Self>) -> bool {
        slf.get().response.py().get().progress.flush(slf.py())
    }

    /// Text in the response's encoding, bytes as they are.
    fn encode<'py>(
        slf: &Bound<'py, Self>,
        data: &Bound<'py, PyAny>,
    ) -> PyResult<Bound<'py, PyBytes>> {
        let steps = Steps::direct(slf.get().response.py().bind(slf.py()));
        Ok(PyBytes::new(slf.py(), &steps.encode(data)?))
    }

    /// Makes the connection the handler's own, for reading and writing raw bytes. It closes when
    /// the handler is done.
    fn take_over(slf: &Bound<'_, Self>) -> PyResult<RawConnection> {
        let response = slf.get().response.py().clone_ref(slf.py());
        let shared = &response.get().progress;
        shared.flush(slf.py());
        let mut progress = shared.lock();
        progress.content_written = true;
        progress.flushed = true;
        let inbox = match &progress.sink {
            Sink::Engine(engine) => {
                engine.allow_stalls();
                engine.take_over()
            }
            Sink::File(_) => {
                let text = "a response that a program has made leaves the connection to it";
                return Err(PyValueError::new_err(text));
            }
        };
        drop(progress);
        response.get().close_after(slf.py());
        Ok(RawConnection::new(response, inbox))
    }

    /// The connection as a file that is written to.
    #[getter]
    fn _wfile(slf: &Bound<'_, Self>) -> ConnectionFile {
        ConnectionFile::new(slf.get().response.py().clone_ref(slf.py()))
    }

    /// The handler of `http.server`'s kind that the response belongs to.
    #[getter(_handler)]
    fn handler<'py>(slf: &Bound<'py, Self>) -> PyResult<Bound<'py, PyAny>> {
        Response::handler(slf.get().response(slf.py()))
    }

    #[setter(_handler)]
    fn set_handler(&self, value: Py<PyAny>) {
        self.response.py().get().set_handler(value);
    }

    /// The response that this writes.
    #[getter]
    fn _response(slf: &Bound<'_, Self>) -> Py<Response> {
        slf.get().response.py().clone_ref(slf.py())
    }

    /// The request that is answered.
    #[getter]
    fn request<'py>(slf: &Bound<'py, Self>) -> PyResult<Bound<'py, PyAny>> {
        slf.get().response.py().bind(slf.py()).getattr("request")
    }

    /// Whether anything was written.
    #[getter]
    fn content_written(&self) -> bool {
        self.response.py().get().progress.lock().content_written
    }

    #[setter]
    fn set_content_written(&self, value: bool) {
        self.response.py().get().progress.lock().content_written = value;
    }

    /// Whether the head has ended. A method that takes the place of `end_headers` says so.
    #[getter(_headers_complete)]
    fn headers_complete(&self) -> bool {
        self.response.py().get().progress.lock().headers_complete
    }

    #[setter(_headers_complete)]
    fn set_headers_complete(&self, value: bool) {
        self.response.py().get().progress.lock().headers_complete = value;
    }

    /// Whether there is a status line. A method that takes the place of `write_status` says so.
    #[getter(_status_written)]
    fn status_written(&self) -> bool {
        self.response.py().get().progress.lock().status_written
    }

    #[setter(_status_written)]
    fn set_status_written(&self, value: bool) {
        self.response.py().get().progress.lock().status_written = value;
    }

    /// The size of the blocks in which a file is read.
    #[getter]
    fn file_chunk_size<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        let make = || Ok(DEFAULT_CHUNK_SIZE.into_pyobject(py)?.into_any());
        self.file_chunk_size.get_or_init(py, make)
    }

    #[setter]
    fn set_file_chunk_size(&self, value: Py<PyAny>) {
        self.file_chunk_size.set(value);
    }

    /// The status of a response that none was written for.
    #[getter]
    fn default_status<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        self.default_status.get_or_init(py, || Ok(DEFAULT_STATUS.into_pyobject(py)?.into_any()))
    }

    #[setter]
    fn set_default_status(&self, value: Py<PyAny>) {
        self.default_status.set(value);
        self.patched.store(true, Ordering::Relaxed);
    }

    fn __traverse__(&self, visit: PyVisit<'_>) -> Result<(), PyTraverseError> {
        self.response.traverse(&visit)?;
        self.file_chunk_size.traverse(&visit)?;
        self.default_status.traverse(&visit)
    }

    fn __setattr__(
        slf: &Bound<'_, Self>,
        name: &Bound<'_, PyString>,
        value: &Bound<'_, PyAny>,
    ) -> PyResult<()> {
        slf.get().patched.store(true, Ordering::Relaxed);
        crate::attribute::set(slf.as_any(), name, Some(value))
    }

    fn __delattr__(slf: &Bound<'_, Self>, name: &Bound<'_, PyString>) -> PyResult<()> {
        crate::attribute::set(slf.as_any(), name, None)
    }
}

/// Sends bytes past the writer, in order with what it wrote. The connection's file and the
/// connection that was taken over write so. As in the reference the writer does not count them:
/// the response is written all the same, unless something else was or `content_written` is set.
pub(crate) fn send_raw(py: Python<'_>, response: &Response, data: &[u8]) -> PyResult<()> {
    response.progress.lock().put_uncounted(data);
    if response.progress.flush(py) {
        return Ok(());
    }
    Err(PyBrokenPipeError::new_err("the client closed the connection"))
}

const DEFAULT_STATUS: i64 = 200;
const DEFAULT_CHUNK_SIZE: usize = 32 * 1024;
/// What is pending is handed over at this size, whether or not a step is complete.
const FLUSH_AT: usize = 64 * 1024;

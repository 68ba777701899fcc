//! `InputFile`: the request's body as a file.

use std::sync::{Mutex, PoisonError};

use bytes::Bytes;
use pyo3::{
    exceptions::{PyStopIteration, PyValueError},
    intern,
    prelude::*,
    types::{PyBytes, PyDict, PyTuple},
};
use server::RequestBody;

/// The body of a request, readable and seekable while it still arrives.
#[pyclass(frozen, subclass, dict, weakref, module = "wptserve.request")]
pub(crate) struct InputFile {
    source: Source,
    position: Mutex<u64>,
}

/// Where the bytes come from.
enum Source {
    Body(RequestBody),
    /// The first `length` bytes of a file of Python's.
    File {
        file: Py<PyAny>,
        length: u64,
        read: Mutex<Vec<u8>>,
    },
}

impl Source {
    fn length(&self) -> u64 {
        match self {
            Self::Body(body) => body.length(),
            Self::File { length, .. } => *length,
        }
    }

    /// Bytes from a position on: all of `length`, unless the source ends before.
    fn read_at(&self, py: Python<'_>, position: u64, length: u64) -> PyResult<Bytes> {
        match self {
            Self::Body(body) => read_at(py, body, position, length),
            Self::File { file, read, .. } => read_file(file.bind(py), read, position, length),
        }
    }

    /// The same, but what is there of it will do.
    fn read_some_at(&self, py: Python<'_>, position: u64, length: u64) -> PyResult<Bytes> {
        match self {
            Self::Body(body) => match body.try_read_some_at(position, length) {
                Some(block) => Ok(block?),
                None => Ok(py.detach(|| body.read_some_at(position, length))?),
            },
            Self::File { .. } => self.read_at(py, position, length),
        }
    }
}

/// Reads on in a file as far as is wanted, and keeps what was read.
fn read_file(
    file: &Bound<'_, PyAny>,
    read: &Mutex<Vec<u8>>,
    position: u64,
    length: u64,
) -> PyResult<Bytes> {
    let lock = || read.lock().unwrap_or_else(PoisonError::into_inner);
    let index = |at: u64| usize::try_from(at).unwrap_or(usize::MAX);
    let end = position.saturating_add(length);
    let missing = end.saturating_sub(lock().len() as u64);
    if missing > 0 {
        let more = file.call_method1(intern!(file.py(), "read"), (missing,))?;
        lock().extend_from_slice(more.cast::<PyBytes>()?.as_bytes());
    }
    let read = lock();
    let end = index(end).min(read.len());
    Ok(Bytes::copy_from_slice(&read[index(position).min(end)..end]))
}

impl InputFile {
    pub(crate) fn new(body: RequestBody) -> Self {
        Self { source: Source::Body(body), position: Mutex::new(0) }
    }

    fn position(&self) -> u64 {
        *self.position.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn set_position(&self, position: u64) {
        *self.position.lock().unwrap_or_else(PoisonError::into_inner) = position;
    }

    fn left(&self) -> u64 {
        self.source.length().saturating_sub(self.position())
    }

    /// The next line, at most `limit` bytes of it, with its `\n`.
    fn next_line(&self, py: Python<'_>, limit: u64) -> PyResult<Vec<u8>> {
        let mut line = Vec::new();
        let mut position = self.position();
        while (line.len() as u64) < limit {
            let left = self.source.length().saturating_sub(position);
            let wanted = LINE_BLOCK.min(limit - line.len() as u64).min(left);
            let block = self.source.read_some_at(py, position, wanted)?;
            if block.is_empty() {
                break;
            }
            let end = block.iter().position(|&byte| byte == b'\n').map(|at| at + 1);
            let taken = end.unwrap_or(block.len());
            line.extend_from_slice(&block[..taken]);
            position += taken as u64;
            if end.is_some() {
                break;
            }
        }
        self.set_position(position);
        Ok(line)
    }
}

/// Bytes of a body; lets the GIL go only when they have yet to arrive.
pub(crate) fn read_at(
    py: Python<'_>,
    body: &RequestBody,
    position: u64,
    length: u64,
) -> PyResult<Bytes> {
    match body.try_read_at(position, length) {
        Some(read) => Ok(read?),
        None => Ok(py.detach(|| body.read_at(position, length))?),
    }
}

#[pymethods]
impl InputFile {
    /// The size above which the reference keeps a body on disk. There for code that sets it: the
    /// engine has a size of its own.
    #[classattr]
    #[expect(non_upper_case_globals, reason = "the attribute's name in Python")]
    const max_buffer_size: u64 = 1024 * 1024;

    /// The next `length` bytes of a binary file, read as they are asked for.
    #[new]
    #[pyo3(signature = (rfile, length, *_more, **_named))]
    fn py_new(
        rfile: Py<PyAny>,
        length: u64,
        _more: &Bound<'_, PyTuple>,
        _named: Option<&Bound<'_, PyDict>>,
    ) -> Self {
        let source = Source::File { file: rfile, length, read: Mutex::default() };
        Self { source, position: Mutex::new(0) }
    }

    /// Takes what a subclass has for its own; the file is made by then.
    #[pyo3(signature = (*_all, **_named))]
    #[expect(clippy::unused_self, reason = "a method of the object protocol")]
    fn __init__(&self, _all: &Bound<'_, PyTuple>, _named: Option<&Bound<'_, PyDict>>) {}

    /// The length of the body in bytes.
    #[getter]
    fn length(&self) -> u64 {
        self.source.length()
    }

    /// Up to `bytes` bytes; all that is left when negative.
    #[pyo3(signature = (bytes = -1))]
    fn read<'py>(&self, py: Python<'py>, bytes: i64) -> PyResult<Bound<'py, PyBytes>> {
        let left = self.left();
        let length = u64::try_from(bytes).map_or(left, |bytes| bytes.min(left));
        let position = self.position();
        let data = self.source.read_at(py, position, length)?;
        self.set_position(position + data.len() as u64);
        Ok(PyBytes::new(py, &data))
    }

    /// The next line with its `\n`, or at most `max_bytes` of it; empty at the end.
    #[pyo3(signature = (max_bytes = None))]
    fn readline<'py>(
        &self,
        py: Python<'py>,
        max_bytes: Option<i64>,
    ) -> PyResult<Bound<'py, PyBytes>> {
        let limit = max_bytes.and_then(|max| u64::try_from(max).ok()).unwrap_or(u64::MAX);
        Ok(PyBytes::new(py, &self.next_line(py, limit)?))
    }

    /// All lines that are left.
    fn readlines<'py>(&self, py: Python<'py>) -> PyResult<Vec<Bound<'py, PyBytes>>> {
        let mut lines = Vec::new();
        loop {
            let line = self.next_line(py, u64::MAX)?;
            if line.is_empty() {
                return Ok(lines);
            }
            lines.push(PyBytes::new(py, &line));
        }
    }

    /// The position from the start, in bytes.
    fn tell(&self) -> u64 {
        self.position()
    }

    /// Moves to a position from the start. Outside of the body it is a `ValueError`.
    fn seek(&self, offset: i64) -> PyResult<()> {
        match u64::try_from(offset) {
            Ok(offset) if offset <= self.source.length() => {
                self.set_position(offset);
                Ok(())
            }
            _ => Err(PyValueError::new_err(format!(
                "cannot seek to {offset} in a body of {} bytes",
                self.source.length()
            ))),
        }
    }

    /// Does nothing: the body goes with the request.
    #[expect(clippy::unused_self, reason = "a method of the file protocol")]
    fn close(&self) {}

    fn __enter__(slf: Bound<'_, Self>) -> Bound<'_, Self> {
        slf
    }

    #[pyo3(signature = (*_exc))]
    #[expect(clippy::unused_self, reason = "a method of the context protocol")]
    fn __exit__(&self, _exc: &Bound<'_, PyTuple>) -> bool {
        false
    }

    fn __iter__(slf: Bound<'_, Self>) -> Bound<'_, Self> {
        slf
    }

    fn __next__<'py>(&self, py: Python<'py>) -> PyResult<Option<Bound<'py, PyBytes>>> {
        let line = self.next_line(py, u64::MAX)?;
        Ok((!line.is_empty()).then(|| PyBytes::new(py, &line)))
    }

    fn next<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyBytes>> {
        self.__next__(py)?.ok_or_else(|| PyStopIteration::new_err(()))
    }
}

const LINE_BLOCK: u64 = 8192;

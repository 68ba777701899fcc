//! `InputFile`: the request's body as a file.

use std::sync::{Mutex, PoisonError};

use bytes::Bytes;
use pyo3::{
    exceptions::{PyStopIteration, PyValueError},
    prelude::*,
    types::PyBytes,
};
use server::RequestBody;

/// The body of a request, readable and seekable while it still arrives.
#[pyclass(frozen, subclass, dict, weakref, module = "wptserve.request")]
pub(crate) struct InputFile {
    body: RequestBody,
    position: Mutex<u64>,
}

impl InputFile {
    pub(crate) fn new(body: RequestBody) -> Self {
        Self { body, position: Mutex::new(0) }
    }

    fn position(&self) -> u64 {
        *self.position.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn set_position(&self, position: u64) {
        *self.position.lock().unwrap_or_else(PoisonError::into_inner) = position;
    }

    fn left(&self) -> u64 {
        self.body.length().saturating_sub(self.position())
    }

    /// The next line, at most `limit` bytes of it, with its `\n`.
    fn next_line(&self, py: Python<'_>, limit: u64) -> PyResult<Vec<u8>> {
        let mut line = Vec::new();
        let mut position = self.position();
        while (line.len() as u64) < limit {
            let wanted = LINE_BLOCK.min(limit - line.len() as u64);
            let block = match self.body.try_read_some_at(position, wanted) {
                Some(block) => block?,
                None => py.detach(|| self.body.read_some_at(position, wanted))?,
            };
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
    /// The next `length` bytes of a binary file, read at once.
    #[new]
    fn py_new(rfile: &Bound<'_, PyAny>, length: u64) -> PyResult<Self> {
        let content = rfile.call_method1("read", (length,))?;
        let content = Bytes::copy_from_slice(content.cast::<PyBytes>()?.as_bytes());
        Ok(Self::new(RequestBody::Complete(content)))
    }

    /// The length of the body in bytes.
    #[getter]
    fn length(&self) -> u64 {
        self.body.length()
    }

    /// Up to `bytes` bytes; all that is left when negative.
    #[pyo3(signature = (bytes = -1))]
    fn read<'py>(&self, py: Python<'py>, bytes: i64) -> PyResult<Bound<'py, PyBytes>> {
        let left = self.left();
        let length = u64::try_from(bytes).map_or(left, |bytes| bytes.min(left));
        let position = self.position();
        let data = read_at(py, &self.body, position, length)?;
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
            Ok(offset) if offset <= self.body.length() => {
                self.set_position(offset);
                Ok(())
            }
            _ => Err(PyValueError::new_err(format!(
                "cannot seek to {offset} in a body of {} bytes",
                self.body.length()
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
    fn __exit__(&self, _exc: &Bound<'_, pyo3::types::PyTuple>) -> bool {
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

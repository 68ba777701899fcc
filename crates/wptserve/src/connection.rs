//! The raw connection, for handlers that want more than a response.

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use pyo3::{
    PyTraverseError, PyVisit,
    exceptions::{PyTimeoutError, PyValueError},
    intern,
    prelude::*,
    sync::PyOnceLock,
    types::PyBytes,
};
use server::Inbox;

use crate::{response::Response, slot::Link, writer::send_raw};

/// The writing side of the connection, as a binary file: `response.writer._wfile`.
#[pyclass(frozen, module = "wptserve.response")]
pub(crate) struct ConnectionFile {
    response: Link<Response>,
}

impl ConnectionFile {
    pub(crate) fn new(response: Py<Response>) -> Self {
        Self { response: Link::new(response) }
    }
}

#[pymethods]
#[expect(clippy::unused_self, reason = "methods of the file protocol")]
impl ConnectionFile {
    fn __traverse__(&self, visit: PyVisit<'_>) -> Result<(), PyTraverseError> {
        self.response.traverse(&visit)
    }

    /// Sends bytes as they are. `BrokenPipeError` once the client is gone.
    fn write(&self, data: &Bound<'_, PyAny>) -> PyResult<usize> {
        let data = bytes_like(data)?;
        send_raw(data.py(), self.response.py().get(), data.as_bytes())?;
        Ok(data.as_bytes().len())
    }

    /// Writes pieces of bytes one after the other.
    fn writelines(&self, lines: &Bound<'_, PyAny>) -> PyResult<()> {
        for line in lines.try_iter()? {
            self.write(&line?)?;
        }
        Ok(())
    }

    /// Does nothing: what is written is sent at once.
    fn flush(&self) {}

    fn writable(&self) -> bool {
        true
    }

    fn readable(&self) -> bool {
        false
    }

    fn seekable(&self) -> bool {
        false
    }

    fn isatty(&self) -> bool {
        false
    }

    #[getter]
    fn closed(&self) -> bool {
        false
    }
}

/// The bytes of an object that has some, as a socket takes them.
pub(crate) fn bytes_like<'py>(data: &Bound<'py, PyAny>) -> PyResult<Bound<'py, PyBytes>> {
    static MEMORY_VIEW: PyOnceLock<Py<PyAny>> = PyOnceLock::new();
    if let Ok(bytes) = data.cast::<PyBytes>() {
        return Ok(bytes.clone());
    }
    let py = data.py();
    let view = MEMORY_VIEW.import(py, "builtins", "memoryview")?.call1((data,))?;
    Ok(view.call_method0(intern!(py, "tobytes"))?.cast_into()?)
}

/// A connection that a handler took over. It closes when the handler is done.
#[pyclass(frozen, module = "wptserve.response")]
pub(crate) struct RawConnection {
    response: Link<Response>,
    inbox: Arc<Inbox>,
    closed: AtomicBool,
}

impl RawConnection {
    pub(crate) fn new(response: Py<Response>, inbox: Arc<Inbox>) -> Self {
        Self { response: Link::new(response), inbox, closed: AtomicBool::new(false) }
    }

    fn check_open(&self) -> PyResult<()> {
        if self.closed.load(Ordering::Relaxed) {
            return Err(PyValueError::new_err("the connection was closed by this handler"));
        }
        Ok(())
    }
}

#[pymethods]
impl RawConnection {
    /// One to `size` bytes that the client sent; waits for the first. Empty when the client has
    /// ended its side. `TimeoutError` when `timeout` seconds pass without.
    #[pyo3(signature = (size, timeout = None))]
    fn read<'py>(
        &self,
        py: Python<'py>,
        size: usize,
        timeout: Option<f64>,
    ) -> PyResult<Bound<'py, PyBytes>> {
        self.check_open()?;
        let timeout = timeout
            .map(Duration::try_from_secs_f64)
            .transpose()
            .map_err(|error| PyValueError::new_err(format!("timeout: {error}")))?;
        match py.detach(|| self.inbox.read(size, timeout)) {
            Some(data) => Ok(PyBytes::new(py, &data)),
            None => Err(PyTimeoutError::new_err("the client sent nothing in time")),
        }
    }

    /// Sends bytes as they are; waits while the client is behind. `BrokenPipeError` once it is
    /// gone.
    fn write(&self, data: &Bound<'_, PyAny>) -> PyResult<usize> {
        self.check_open()?;
        let data = bytes_like(data)?;
        send_raw(data.py(), self.response.py().get(), data.as_bytes())?;
        Ok(data.as_bytes().len())
    }

    fn __traverse__(&self, visit: PyVisit<'_>) -> Result<(), PyTraverseError> {
        self.response.traverse(&visit)
    }

    /// Closes the connection once all that was written is delivered.
    fn close(&self) {
        if !self.closed.swap(true, Ordering::Relaxed) {
            self.response.py().get().progress.lock().finish(server::Finish::Close);
        }
    }
}

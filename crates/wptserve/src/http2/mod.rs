//! HTTP/2 as handlers see it: a request with its stream and its frames, and a writer down to single
//! frames.

mod frames;
mod writer;

use std::sync::Arc;

use pyo3::{PyTraverseError, PyVisit, prelude::*, types::PyList};
use server::{Exchange, http2::Http2Stream};

use crate::{
    request::{Host, Request},
    response::Response,
    slot::Slot,
    writer::{ResponseWriter, Sink},
};

pub(crate) use frames::{call_frame_handlers, request_fields};
pub(crate) use writer::{H2ResponseWriter, write_headers, write_part};

/// A request over HTTP/2.
#[pyclass(frozen, subclass, extends = Request, module = "wptserve.request")]
#[derive(Default)]
pub(crate) struct H2Request {
    frames: Slot,
}

#[pymethods]
impl H2Request {
    /// The number of the stream.
    #[getter]
    fn h2_stream_id(slf: &Bound<'_, Self>) -> u32 {
        stream(slf.as_super()).map_or(0, Http2Stream::id)
    }

    /// The frames that were handled so far.
    #[getter]
    fn get_frames<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        self.frames.get_or_init(py, || Ok(PyList::empty(py).into_any()))
    }

    #[setter]
    fn set_frames(&self, value: Py<PyAny>) {
        self.frames.set(value);
    }

    fn __traverse__(&self, visit: PyVisit<'_>) -> Result<(), PyTraverseError> {
        self.frames.traverse(&visit)
    }

    fn __clear__(&self) {
        drop(self.frames.take());
    }
}

/// The stream of a request that came over HTTP/2.
pub(crate) fn stream<'a>(request: &'a Bound<'_, Request>) -> Option<&'a Http2Stream> {
    request.get().inner.http2.as_ref()
}

/// A response over HTTP/2.
#[pyclass(frozen, subclass, extends = Response, module = "wptserve.response")]
pub(crate) struct H2Response;

/// A request and its response as handlers see them.
pub(crate) fn objects(
    py: Python<'_>,
    exchange: Exchange,
    host: Option<Arc<Host>>,
) -> PyResult<(Bound<'_, Request>, Bound<'_, Response>)> {
    let request = request(py, exchange.request, host)?;
    let response = response(&request, exchange.writer)?;
    Ok((request, response))
}

fn request(
    py: Python<'_>,
    inner: server::Request,
    host: Option<Arc<Host>>,
) -> PyResult<Bound<'_, Request>> {
    let over_http2 = inner.http2.is_some();
    let request = Request::new(inner, host);
    if !over_http2 {
        return Bound::new(py, request);
    }
    let class = PyClassInitializer::from(request).add_subclass(H2Request::default());
    Ok(Bound::new(py, class)?.into_super())
}

fn response<'py>(
    request: &Bound<'py, Request>,
    sink: server::ResponseWriter,
) -> PyResult<Bound<'py, Response>> {
    let py = request.py();
    let over_http2 = stream(request).is_some();
    let response = Response::new(request.clone().unbind(), Sink::Engine(sink));
    if !over_http2 {
        return Bound::new(py, response);
    }
    let class = PyClassInitializer::from(response).add_subclass(H2Response);
    Ok(Bound::new(py, class)?.into_super())
}

/// The writer of a response.
pub(crate) fn response_writer<'py>(response: &Bound<'py, Response>) -> PyResult<Bound<'py, PyAny>> {
    let py = response.py();
    let writer = ResponseWriter::new(response.clone().unbind());
    if stream(response.get().request(py)).is_none() {
        return Ok(Bound::new(py, writer)?.into_any());
    }
    let class = PyClassInitializer::from(writer).add_subclass(H2ResponseWriter);
    Ok(Bound::new(py, class)?.into_any())
}

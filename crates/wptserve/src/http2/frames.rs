//! Frames of a request, and the handlers that get them one by one.

use proto::Field;
use pyo3::{
    intern,
    prelude::*,
    types::{PyBytes, PyDict, PyList},
};
use server::BodyFrame;

use super::stream;
use crate::{fork, modules, request::Request, response::Response};

/// Calls a script's `handle_headers` with the head of a request and its `handle_data` with each
/// frame of its body, as they come. A script without either waits for the whole body, as in the
/// reference. `false` when the client left before the end.
pub(crate) fn call_frame_handlers(
    globals: &Bound<'_, PyDict>,
    request: &Bound<'_, Request>,
    response: &Bound<'_, Response>,
) -> PyResult<bool> {
    let py = request.py();
    let handle_headers = globals.get_item(intern!(py, "handle_headers"))?;
    let handle_data = globals.get_item(intern!(py, "handle_data"))?;
    let body = &request.get().inner.body;
    if handle_headers.is_none() && handle_data.is_none() {
        return Ok(body.is_complete() || py.detach(|| body.wait_complete()));
    }
    let frames = request.getattr(intern!(py, "frames"))?;
    let id = stream(request).map_or(0, server::http2::Http2Stream::id);
    let ended = matches!(body, server::RequestBody::Complete(_));
    let head = event(py, "RequestReceived")?.call1((id, request_fields(request)?, ended))?;
    if let Some(handler) = handle_headers {
        fork::returned(py, handler.call1((&head, request, response)))?;
    }
    frames.call_method1(intern!(py, "append"), (head,))?;
    loop {
        // What the handler wrote so far goes out before it waits.
        response.get().progress.flush(py);
        match py.detach(|| body.next_frame())? {
            BodyFrame::Data { data, last } => {
                let data = PyBytes::new(py, &data);
                let frame = event(py, "DataReceived")?.call1((id, data, last))?;
                if let Some(handler) = &handle_data {
                    fork::returned(py, handler.call1((&frame, request, response)))?;
                }
                frames.call_method1(intern!(py, "append"), (frame,))?;
                if last {
                    return Ok(true);
                }
            }
            BodyFrame::End => return Ok(true),
            BodyFrame::CutShort => return Ok(false),
        }
    }
}

fn event<'py>(py: Python<'py>, name: &str) -> PyResult<Bound<'py, PyAny>> {
    modules::attribute(py, "wptserve._events", name)
}

/// The header list of a request as it came: pairs of bytes, pseudo-header fields first.
pub(crate) fn request_fields<'py>(request: &Bound<'py, Request>) -> PyResult<Bound<'py, PyList>> {
    let py = request.py();
    let list = PyList::empty(py);
    let Some(stream) = stream(request) else { return Ok(list) };
    for Field { name, value } in stream.fields() {
        list.append((PyBytes::new(py, name), PyBytes::new(py, value)))?;
    }
    Ok(list)
}

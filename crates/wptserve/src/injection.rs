//! The script that a route puts into HTML responses, for what handlers return.

use pyo3::{
    prelude::*,
    sync::PyOnceLock,
    types::{PyBytes, PyString},
};
use server::injection::correct_length;

use crate::{
    modules, pipes::resolve_content, response::Response, response_headers::ResponseHeaders,
};

/// Puts the route's script into a response whose content is text, bytes or a file. Error
/// responses and those whose `headers` were replaced stay as they are, as in the reference.
pub(crate) fn inject(response: &Bound<'_, Response>) -> PyResult<()> {
    let py = response.py();
    let this = response.get();
    let Some(injection) = &this.request(py).get().inner.injection else {
        return Ok(());
    };
    if this.progress.lock().content_written {
        return Ok(());
    }
    let headers = this.headers(py)?;
    let Ok(headers) = headers.cast_exact::<ResponseHeaders>() else {
        return Ok(());
    };
    if !injection.is_for(&headers.get().lock()) {
        return Ok(());
    }
    match this.content.get(py) {
        Some(content) if is_known(&content)? => {}
        _ => return Ok(()),
    }
    let html = resolve_content(response)?;
    let content = match injection.inject(&html) {
        Some(injected) => {
            correct_length(&mut headers.get().lock(), html.len() as u64, injected.len() as u64);
            injected
        }
        // A file was read.
        None => html,
    };
    this.content.set(PyBytes::new(py, &content).into_any().unbind());
    Ok(())
}

/// Whether content is text, bytes or a file.
fn is_known(content: &Bound<'_, PyAny>) -> PyResult<bool> {
    static FILE: PyOnceLock<Py<PyAny>> = PyOnceLock::new();
    if content.is_instance_of::<PyBytes>() || content.is_instance_of::<PyString>() {
        return Ok(true);
    }
    content.is_instance(modules::once(content.py(), &FILE, "io", "IOBase")?)
}

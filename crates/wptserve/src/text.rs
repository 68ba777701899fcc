//! Text and bytes between Python and the wire.

use std::borrow::Cow;

use pyo3::{
    exceptions::{PyTypeError, PyUnicodeEncodeError},
    prelude::*,
    types::{PyBytes, PyInt, PyString},
};

/// The bytes of a `str` (latin-1), `bytes`, or anything else: a `TypeError`.
pub(crate) fn isomorphic<'a>(value: &'a Bound<'_, PyAny>) -> PyResult<Cow<'a, [u8]>> {
    if let Ok(bytes) = value.cast::<PyBytes>() {
        return Ok(Cow::Borrowed(bytes.as_bytes()));
    }
    if let Ok(text) = value.cast::<PyString>() {
        return latin1_bytes(text);
    }
    // The reference's words: they reach the client in the body of a 500.
    Err(PyTypeError::new_err(format!(
        "Unexpected value (expecting string-like): {}",
        value.repr()?
    )))
}

/// A header field's name or value as bytes; an `int` in decimal.
pub(crate) fn field_bytes<'a>(value: &'a Bound<'_, PyAny>) -> PyResult<Cow<'a, [u8]>> {
    if value.is_instance_of::<PyInt>() {
        return Ok(Cow::Owned(decimal(value)?));
    }
    isomorphic(value)
}

/// An `int` in decimal. `True` is 1.
pub(crate) fn decimal(value: &Bound<'_, PyAny>) -> PyResult<Vec<u8>> {
    match value.extract::<i64>() {
        Ok(number) => Ok(number.to_string().into_bytes()),
        Err(_) => Ok(value.str()?.to_str()?.as_bytes().to_vec()),
    }
}

/// The latin-1 bytes of a `str`.
pub(crate) fn latin1_bytes<'a>(text: &'a Bound<'_, PyString>) -> PyResult<Cow<'a, [u8]>> {
    if let Ok(utf8) = text.to_str() {
        if utf8.is_ascii() {
            return Ok(Cow::Borrowed(utf8.as_bytes()));
        }
        let bytes: Option<Vec<u8>> =
            utf8.chars().map(|c| u8::try_from(u32::from(c)).ok()).collect();
        if let Some(bytes) = bytes {
            return Ok(Cow::Owned(bytes));
        }
    }
    // Python's own error names the character and its place.
    let encoded = text.call_method1("encode", ("latin-1",))?;
    Ok(Cow::Owned(encoded.cast::<PyBytes>()?.as_bytes().to_vec()))
}

/// Bytes as a `str` of one character each.
pub(crate) fn latin1_str<'py>(py: Python<'py>, bytes: &[u8]) -> Bound<'py, PyString> {
    match std::str::from_utf8(bytes) {
        Ok(text) if text.is_ascii() => PyString::new(py, text),
        _ => PyString::new(py, &server::latin1(bytes)),
    }
}

/// Content as bytes: `bytes` as they are, a `str` in the response's encoding (`None`: UTF-8).
pub(crate) fn content_bytes<'a>(
    value: &'a Bound<'_, PyAny>,
    encoding: Option<&Bound<'_, PyAny>>,
) -> PyResult<Option<Cow<'a, [u8]>>> {
    if let Ok(bytes) = value.cast::<PyBytes>() {
        return Ok(Some(Cow::Borrowed(bytes.as_bytes())));
    }
    let Ok(text) = value.cast::<PyString>() else {
        return Ok(None);
    };
    if encoding.is_none()
        && let Ok(utf8) = text.to_str()
    {
        return Ok(Some(Cow::Borrowed(utf8.as_bytes())));
    }
    let encoded = match encoding {
        Some(encoding) => text.call_method1("encode", (encoding,))?,
        None => text.call_method0("encode")?,
    };
    let bytes = encoded.cast::<PyBytes>().map_err(|_| {
        PyUnicodeEncodeError::new_err("the response's encoding does not encode to bytes")
    })?;
    Ok(Some(Cow::Owned(bytes.as_bytes().to_vec())))
}

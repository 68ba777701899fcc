//! The system's errors as Rust and as Python have them.

use std::io;

use pyo3::{exceptions::PyOSError, intern, prelude::*};

/// The `OSError` of an error, with its number.
pub(crate) fn from_io(error: &io::Error) -> PyErr {
    match error.raw_os_error() {
        // From two arguments Python makes the subclass that belongs to the number.
        Some(number) => PyOSError::new_err((number, error.to_string())),
        None => PyOSError::new_err(error.to_string()),
    }
}

/// What an `OSError` says that the system has refused; one without a number says that something is
/// not there.
pub(crate) fn to_io(py: Python<'_>, error: &PyErr) -> io::Error {
    let number = error.value(py).getattr(intern!(py, "errno")).and_then(|number| number.extract());
    number.map_or_else(|_| io::ErrorKind::NotFound.into(), io::Error::from_raw_os_error)
}

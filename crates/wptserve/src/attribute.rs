//! Setting an attribute as a class without `__setattr__` would.

use pyo3::{ffi, prelude::*, types::PyString};

/// Sets (`Some`) or deletes (`None`) an attribute: a property through its setter, anything else
/// in the instance's `__dict__`.
pub(crate) fn set(
    object: &Bound<'_, PyAny>,
    name: &Bound<'_, PyString>,
    value: Option<&Bound<'_, PyAny>>,
) -> PyResult<()> {
    let value = value.map_or(std::ptr::null_mut(), Bound::as_ptr);
    // SAFETY: `object` and `name` are live references, `value` is one or null (which deletes),
    // and the GIL is held: `object` is bound to it.
    let result = unsafe { ffi::PyObject_GenericSetAttr(object.as_ptr(), name.as_ptr(), value) };
    if result == 0 {
        return Ok(());
    }
    Err(PyErr::fetch(object.py()))
}

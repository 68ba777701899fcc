//! A place for a Python object inside a frozen class.

use std::sync::{Mutex, PoisonError};

use pyo3::prelude::*;

/// Holds one object or none. No Python code ever runs under its lock: an object that is replaced
/// is dropped after it.
#[derive(Default)]
pub(crate) struct Slot(Mutex<Option<Py<PyAny>>>);

impl Slot {
    /// The object.
    pub(crate) fn get<'py>(&self, py: Python<'py>) -> Option<Bound<'py, PyAny>> {
        let guard = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        guard.as_ref().map(|value| value.bind(py).clone())
    }

    /// Puts an object in.
    pub(crate) fn set(&self, value: Py<PyAny>) {
        let old = self.0.lock().unwrap_or_else(PoisonError::into_inner).replace(value);
        drop(old);
    }

    /// Takes the object out.
    pub(crate) fn take(&self) -> Option<Py<PyAny>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).take()
    }

    /// The object; made and kept when there is none.
    pub(crate) fn get_or_init<'py>(
        &self,
        py: Python<'py>,
        make: impl FnOnce() -> PyResult<Bound<'py, PyAny>>,
    ) -> PyResult<Bound<'py, PyAny>> {
        if let Some(value) = self.get(py) {
            return Ok(value);
        }
        let value = make()?;
        self.set(value.clone().unbind());
        Ok(value)
    }
}

/// Gives a class attributes that are computed when they are first read, kept, and replaced by
/// assignment. `$slot` is the field that keeps it; `$make` gets the instance.
macro_rules! lazy_attributes {
    ($class:ident { $($(#[doc = $doc:literal])+ $name:ident, $setter:ident = $make:path;)* }) => {
        #[pyo3::pymethods]
        impl $class {
            $(
                $(#[doc = $doc])+
                #[getter($name)]
                #[allow(non_snake_case, reason = "GET and POST are the attributes' names")]
                fn $name<'py>(
                    slf: &pyo3::Bound<'py, Self>,
                ) -> pyo3::PyResult<pyo3::Bound<'py, pyo3::PyAny>> {
                    slf.get().attributes.$name.get_or_init(slf.py(), || $make(slf))
                }

                #[setter($name)]
                fn $setter(&self, value: pyo3::Py<pyo3::PyAny>) {
                    self.attributes.$name.set(value);
                }
            )*
        }
    };
}

pub(crate) use lazy_attributes;

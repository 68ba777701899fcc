//! A place for a Python object inside a frozen class.

use std::sync::{Mutex, PoisonError};

use pyo3::{PyTraverseError, PyVisit, prelude::*};

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

    /// Shows the object to the garbage collector. One that is being replaced right now is in use.
    pub(crate) fn traverse(&self, visit: &PyVisit<'_>) -> Result<(), PyTraverseError> {
        match self.0.try_lock() {
            Ok(value) => visit.call(&*value),
            Err(_) => Ok(()),
        }
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

/// An object that belongs to another one from its making on.
///
/// The garbage collector may look at an object whose Rust part is not written yet, all of it
/// zero: then an `Option` is empty, where a bare `Py` would be a null pointer.
pub(crate) struct Link<T>(Option<Py<T>>);

impl<T> Link<T> {
    pub(crate) fn new(object: Py<T>) -> Self {
        Self(Some(object))
    }

    /// The object.
    pub(crate) fn py(&self) -> &Py<T> {
        // Made full, and never emptied.
        self.0.as_ref().expect("a link is full once it is made")
    }

    /// Shows the object to the garbage collector.
    pub(crate) fn traverse(&self, visit: &PyVisit<'_>) -> Result<(), PyTraverseError> {
        visit.call(&self.0)
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

            fn __traverse__(
                &self,
                visit: pyo3::PyVisit<'_>,
            ) -> Result<(), pyo3::PyTraverseError> {
                $(self.attributes.$name.traverse(&visit)?;)*
                Ok(())
            }

            fn __clear__(&self) {
                $(drop(self.attributes.$name.take());)*
            }
        }
    };
}

pub(crate) use lazy_attributes;

//! `ResponseHeaders`: the header fields of a response, grouped by name.

use std::sync::{Mutex, MutexGuard, PoisonError};

use bytes::Bytes;
use proto::HeaderList;
use pyo3::{
    Borrowed,
    exceptions::{PyKeyError, PyValueError},
    prelude::*,
    types::{PyBytes, PyList, PyTuple},
};

use crate::text::field_bytes;

/// Header fields in order of their names' first appearance; the values of a repeated name stay
/// together, behind the name as it was first appended or last set.
#[pyclass(frozen, subclass, dict, module = "wptserve.response")]
#[derive(Default)]
pub(crate) struct ResponseHeaders {
    list: Mutex<HeaderList>,
}

impl ResponseHeaders {
    /// The fields in order.
    pub(crate) fn lock(&self) -> MutexGuard<'_, HeaderList> {
        // No code panics while it holds the lock with the list half changed.
        self.list.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Appends what an iterable of pairs holds.
    pub(crate) fn extend(&self, pairs: &Bound<'_, PyAny>) -> PyResult<()> {
        for pair in pairs.try_iter()? {
            let (name, value) = unpack(&pair?)?;
            self.append(&name, &value)?;
        }
        Ok(())
    }
}

/// The two items of an iterable.
pub(crate) fn unpack<'py>(
    pair: &Bound<'py, PyAny>,
) -> PyResult<(Bound<'py, PyAny>, Bound<'py, PyAny>)> {
    if let Ok(tuple) = pair.cast::<PyTuple>()
        && tuple.len() == 2
    {
        return Ok((tuple.get_item(0)?, tuple.get_item(1)?));
    }
    let items: Vec<Bound<'py, PyAny>> = pair.try_iter()?.collect::<PyResult<_>>()?;
    let count = items.len();
    let [name, value]: [Bound<'py, PyAny>; 2] = items.try_into().map_err(|_| {
        PyValueError::new_err(format!(
            "a header is a (name, value) pair; this one has {count} items"
        ))
    })?;
    Ok((name, value))
}

fn copied(value: &Bound<'_, PyAny>) -> PyResult<Bytes> {
    Ok(Bytes::copy_from_slice(&field_bytes(value)?))
}

/// The values of a header as a list; `None` when there is none.
fn values<'py>(
    py: Python<'py>,
    list: &HeaderList,
    name: &[u8],
) -> PyResult<Option<Bound<'py, PyAny>>> {
    let values: Vec<_> = list.get_all(name).map(|value| PyBytes::new(py, value)).collect();
    if values.is_empty() {
        return Ok(None);
    }
    Ok(Some(PyList::new(py, values)?.into_any()))
}

#[pymethods]
impl ResponseHeaders {
    #[new]
    fn new() -> Self {
        Self::default()
    }

    /// Sets a header to one value. A header of that name keeps its place.
    fn set(&self, key: &Bound<'_, PyAny>, value: &Bound<'_, PyAny>) -> PyResult<()> {
        let (name, value) = (copied(key)?, copied(value)?);
        self.lock().set(name, value);
        Ok(())
    }

    /// Adds a header beside those of that name.
    fn append(&self, key: &Bound<'_, PyAny>, value: &Bound<'_, PyAny>) -> PyResult<()> {
        let (name, value) = (copied(key)?, copied(value)?);
        self.lock().append(name, value);
        Ok(())
    }

    /// The values of a header; `default`, or an empty list, when there is none.
    #[pyo3(signature = (key, default = Fallback::EmptyList))]
    fn get<'py>(
        &self,
        key: &Bound<'py, PyAny>,
        default: Fallback<'py>,
    ) -> PyResult<Bound<'py, PyAny>> {
        let py = key.py();
        let name = field_bytes(key)?;
        Ok(match (values(py, &self.lock(), &name)?, default) {
            (Some(values), _) => values,
            (None, Fallback::EmptyList) => PyList::empty(py).into_any(),
            (None, Fallback::Given(default)) => default,
        })
    }

    fn __getitem__<'py>(&self, key: &Bound<'py, PyAny>) -> PyResult<Bound<'py, PyAny>> {
        let name = field_bytes(key)?;
        values(key.py(), &self.lock(), &name)?.ok_or_else(|| missing(key.py(), &name))
    }

    fn __setitem__(&self, key: &Bound<'_, PyAny>, value: &Bound<'_, PyAny>) -> PyResult<()> {
        self.set(key, value)
    }

    fn __delitem__(&self, key: &Bound<'_, PyAny>) -> PyResult<()> {
        let name = field_bytes(key)?;
        if self.lock().remove(&name) {
            return Ok(());
        }
        Err(missing(key.py(), &name))
    }

    fn __contains__(&self, key: &Bound<'_, PyAny>) -> PyResult<bool> {
        Ok(self.lock().contains(&field_bytes(key)?))
    }

    fn __iter__<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        Ok(self.items(py)?.try_iter()?.into_any())
    }

    /// All headers as a list of `(name, value)`, both `bytes`.
    fn items<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        let pair =
            |field: &proto::Field| (PyBytes::new(py, &field.name), PyBytes::new(py, &field.value));
        let items: Vec<_> = self.lock().iter().map(pair).collect();
        Ok(PyList::new(py, items)?.into_any())
    }

    /// Appends every pair of an iterable.
    fn update(&self, items_iter: &Bound<'_, PyAny>) -> PyResult<()> {
        self.extend(items_iter)
    }

    fn __repr__(&self, py: Python<'_>) -> PyResult<String> {
        Ok(format!("ResponseHeaders({})", self.items(py)?.repr()?))
    }
}

/// What `get` gives for a header that is not there; `None` is a value like others.
enum Fallback<'py> {
    EmptyList,
    Given(Bound<'py, PyAny>),
}

impl<'a, 'py> FromPyObject<'a, 'py> for Fallback<'py> {
    type Error = PyErr;

    fn extract(value: Borrowed<'a, 'py, PyAny>) -> PyResult<Self> {
        Ok(Self::Given(value.to_owned()))
    }
}

fn missing(py: Python<'_>, name: &[u8]) -> PyErr {
    PyKeyError::new_err(PyBytes::new(py, &name.to_ascii_lowercase()).unbind())
}

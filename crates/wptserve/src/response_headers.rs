//! `ResponseHeaders`: the header fields of a response, grouped by name.

use std::sync::{Mutex, MutexGuard, PoisonError};

use pyo3::{
    Borrowed,
    exceptions::PyKeyError,
    prelude::*,
    types::{PyBytes, PyList, PyTuple},
};

use crate::text::field_bytes;

/// Header fields in order of their names' first appearance; the values of a repeated name stay
/// together, behind the name as it was first appended or last set.
#[pyclass(frozen, subclass, dict, module = "wptserve.response")]
#[derive(Default)]
pub(crate) struct ResponseHeaders {
    groups: Mutex<Vec<Group>>,
}

struct Group {
    name: Vec<u8>,
    values: Vec<Vec<u8>>,
}

impl ResponseHeaders {
    fn lock(&self) -> MutexGuard<'_, Vec<Group>> {
        // No code panics while it holds the lock with the list half changed.
        self.groups.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Calls `each` with every name and value in order.
    pub(crate) fn for_each(&self, mut each: impl FnMut(&[u8], &[u8])) {
        for group in &*self.lock() {
            for value in &group.values {
                each(&group.name, value);
            }
        }
    }

    /// Appends what an iterable of pairs holds.
    pub(crate) fn extend(&self, pairs: &Bound<'_, PyAny>) -> PyResult<()> {
        for pair in pairs.try_iter()? {
            let pair = pair?;
            if let Ok(tuple) = pair.cast::<PyTuple>()
                && tuple.len() == 2
            {
                self.append(&tuple.get_item(0)?, &tuple.get_item(1)?)?;
            } else {
                let (name, value): (Bound<'_, PyAny>, Bound<'_, PyAny>) = unpack(&pair)?;
                self.append(&name, &value)?;
            }
        }
        Ok(())
    }

    fn values_of(&self, name: &[u8]) -> Option<Vec<Vec<u8>>> {
        find(&mut self.lock(), name).map(|group| group.values.clone())
    }
}

/// The two items of an iterable; Python's own error when there are not two.
fn unpack<'py>(pair: &Bound<'py, PyAny>) -> PyResult<(Bound<'py, PyAny>, Bound<'py, PyAny>)> {
    let items: Vec<Bound<'py, PyAny>> = pair.try_iter()?.collect::<PyResult<_>>()?;
    let count = items.len();
    let [name, value]: [Bound<'py, PyAny>; 2] = items.try_into().map_err(|_| {
        pyo3::exceptions::PyValueError::new_err(format!(
            "a header is a (name, value) pair; this one has {count} items"
        ))
    })?;
    Ok((name, value))
}

fn find<'a>(groups: &'a mut [Group], name: &[u8]) -> Option<&'a mut Group> {
    groups.iter_mut().find(|group| group.name.eq_ignore_ascii_case(name))
}

fn byte_list<'py>(py: Python<'py>, values: &[Vec<u8>]) -> PyResult<Bound<'py, PyAny>> {
    Ok(PyList::new(py, values.iter().map(|value| PyBytes::new(py, value)))?.into_any())
}

#[pymethods]
impl ResponseHeaders {
    #[new]
    fn new() -> Self {
        Self::default()
    }

    /// Sets a header to one value. A header of that name keeps its place.
    pub(crate) fn set(&self, key: &Bound<'_, PyAny>, value: &Bound<'_, PyAny>) -> PyResult<()> {
        let name = field_bytes(key)?.into_owned();
        let values = vec![field_bytes(value)?.into_owned()];
        let mut groups = self.lock();
        match find(&mut groups, &name) {
            Some(group) => *group = Group { name, values },
            None => groups.push(Group { name, values }),
        }
        Ok(())
    }

    /// Adds a header beside those of that name.
    pub(crate) fn append(&self, key: &Bound<'_, PyAny>, value: &Bound<'_, PyAny>) -> PyResult<()> {
        let name = field_bytes(key)?;
        let value = field_bytes(value)?.into_owned();
        let mut groups = self.lock();
        match find(&mut groups, &name) {
            Some(group) => group.values.push(value),
            None => groups.push(Group { name: name.into_owned(), values: vec![value] }),
        }
        Ok(())
    }

    /// The values of a header; `default`, or an empty list, when there is none.
    #[pyo3(signature = (key, default = Fallback::EmptyList))]
    fn get<'py>(
        &self,
        key: &Bound<'py, PyAny>,
        default: Fallback<'py>,
    ) -> PyResult<Bound<'py, PyAny>> {
        match (self.values_of(&field_bytes(key)?), default) {
            (Some(values), _) => byte_list(key.py(), &values),
            (None, Fallback::EmptyList) => Ok(PyList::empty(key.py()).into_any()),
            (None, Fallback::Given(default)) => Ok(default),
        }
    }

    fn __getitem__<'py>(&self, key: &Bound<'py, PyAny>) -> PyResult<Bound<'py, PyAny>> {
        let name = field_bytes(key)?;
        match self.values_of(&name) {
            Some(values) => byte_list(key.py(), &values),
            None => Err(missing(key.py(), &name)),
        }
    }

    fn __setitem__(&self, key: &Bound<'_, PyAny>, value: &Bound<'_, PyAny>) -> PyResult<()> {
        self.set(key, value)
    }

    fn __delitem__(&self, key: &Bound<'_, PyAny>) -> PyResult<()> {
        let name = field_bytes(key)?;
        let mut groups = self.lock();
        let at = groups.iter().position(|group| group.name.eq_ignore_ascii_case(&name));
        match at {
            Some(at) => {
                groups.remove(at);
                Ok(())
            }
            None => Err(missing(key.py(), &name)),
        }
    }

    fn __contains__(&self, key: &Bound<'_, PyAny>) -> PyResult<bool> {
        let name = field_bytes(key)?;
        Ok(find(&mut self.lock(), &name).is_some())
    }

    fn __iter__<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        Ok(self.items(py)?.try_iter()?.into_any())
    }

    /// All headers as a list of `(name, value)`, both `bytes`.
    pub(crate) fn items<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        let items = PyList::empty(py);
        let mut result = Ok(());
        self.for_each(|name, value| {
            if result.is_ok() {
                result = items.append((PyBytes::new(py, name), PyBytes::new(py, value)));
            }
        });
        result.map(|()| items.into_any())
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

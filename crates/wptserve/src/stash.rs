//! `Stash` and its lock.

use std::sync::{Arc, OnceLock};

use pyo3::{
    PyTraverseError, PyVisit,
    exceptions::{PyRuntimeError, PyValueError},
    prelude::*,
    sync::PyOnceLock,
    types::{PyBytes, PyString, PyTuple},
};
use server::stash::{StashError, StashKey, StashStore};

use crate::{modules, slot::Link, text::isomorphic};

/// The store of this process.
static STORE: OnceLock<Arc<dyn StashStore>> = OnceLock::new();

/// The store that every stash of this process uses.
pub(crate) fn store() -> &'static Arc<dyn StashStore> {
    STORE.get_or_init(|| Arc::new(server::stash::MemoryStash::default()))
}

/// From now on the stash is in another process. To be called before any is used.
pub(crate) fn share(shared: Arc<dyn StashStore>) {
    // There is one supervisor, which shares one.
    let _again = STORE.set(shared);
}

/// Asks the store; without the GIL where that may take a while.
pub(crate) fn ask<T: Send>(
    py: Python<'_>,
    question: impl FnOnce(&dyn StashStore) -> Result<T, StashError> + Send,
) -> PyResult<T> {
    let store = store().as_ref();
    let answer = if store.waits() { py.detach(|| question(store)) } else { question(store) };
    answer.map_err(|error| unanswered(&error))
}

/// A `RuntimeError`: an `OSError` of a file that is loaded would say that the file is not there.
fn unanswered(error: &StashError) -> PyErr {
    PyRuntimeError::new_err(error.to_string())
}

/// Values that outlive a request: written once, read once. A key is a UUID and a path, by default
/// the request's.
#[pyclass(frozen, subclass, dict, module = "wptserve.stash")]
pub(crate) struct Stash {
    default_path: Link<PyAny>,
}

impl Stash {
    pub(crate) fn new(default_path: Py<PyAny>) -> Self {
        Self { default_path: Link::new(default_path) }
    }

    fn key(&self, key: &Bound<'_, PyAny>, path: Option<&Bound<'_, PyAny>>) -> PyResult<StashKey> {
        let path = match path {
            Some(path) => isomorphic(path)?.into_owned(),
            None => isomorphic(self.default_path.py().bind(key.py()))?.into_owned(),
        };
        Ok(StashKey { path, id: uuid(key)? })
    }
}

#[pymethods]
impl Stash {
    #[new]
    #[pyo3(signature = (default_path, address = None, authkey = None))]
    fn py_new(
        default_path: Py<PyAny>,
        address: Option<&Bound<'_, PyAny>>,
        authkey: Option<&Bound<'_, PyAny>>,
    ) -> Self {
        // There is one store in this process, whatever address leads to it.
        let _ = (address, authkey);
        Self::new(default_path)
    }

    fn __traverse__(&self, visit: PyVisit<'_>) -> Result<(), PyTraverseError> {
        self.default_path.traverse(&visit)
    }

    /// The path of keys that name none.
    #[getter]
    fn default_path(&self, py: Python<'_>) -> Py<PyAny> {
        self.default_path.py().clone_ref(py)
    }

    /// Stores a value. `StashError` when there is one under that key, `ValueError` for `None` and
    /// for a key that is no UUID.
    #[pyo3(signature = (key, value, path = None))]
    fn put(
        &self,
        key: &Bound<'_, PyAny>,
        value: &Bound<'_, PyAny>,
        path: Option<&Bound<'_, PyAny>>,
    ) -> PyResult<()> {
        let py = key.py();
        if value.is_none() {
            return Err(PyValueError::new_err("None cannot be put into the stash"));
        }
        let key = self.key(key, path)?;
        let pickled = dumps(py)?.call1((value,))?;
        let pickled = pickled.cast::<PyBytes>()?.as_bytes().to_vec();
        let place = (PyBytes::new(py, &key.path), PyBytes::new(py, &key.id)).into_pyobject(py)?;
        let Some(old) = ask(py, |store| store.put(key, pickled))? else {
            return Ok(());
        };
        let old = loads(py).and_then(|loads| loads.call1((PyBytes::new(py, &old),)));
        let old = old.map_or_else(|error| error.to_string(), |old| old.to_string());
        let text =
            format!("the stash has a value for {place} already: {old} (the new one is {value})");
        Err(stash_error(py, &text))
    }

    /// Removes and returns a value; `None` when there is none.
    #[pyo3(signature = (key, path = None))]
    fn take<'py>(
        &self,
        key: &Bound<'py, PyAny>,
        path: Option<&Bound<'py, PyAny>>,
    ) -> PyResult<Option<Bound<'py, PyAny>>> {
        let py = key.py();
        let key = self.key(key, path)?;
        match ask(py, |store| store.take(&key))? {
            Some(pickled) => loads(py)?.call1((PyBytes::new(py, &pickled),)).map(Some),
            None => Ok(None),
        }
    }

    /// The lock that all handlers share.
    #[classattr]
    fn lock() -> StashLock {
        StashLock
    }

    /// A queue that can be put into the stash and taken out by other handlers.
    #[expect(clippy::unused_self, reason = "a method of the reference's class")]
    fn get_queue<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        let class = if store().queues().is_some() { "SharedQueue" } else { "StashQueue" };
        modules::attribute(py, "wptserve.stash", class)?.call0()
    }
}

/// One lock for all handlers; not re-entrant.
#[pyclass(frozen, module = "wptserve.stash")]
pub(crate) struct StashLock;

#[pymethods]
#[expect(clippy::unused_self, reason = "the lock is the store's")]
impl StashLock {
    /// Waits for the lock.
    fn acquire(&self, py: Python<'_>) -> PyResult<()> {
        if !store().waits() && store().try_lock().map_err(|error| unanswered(&error))? {
            return Ok(());
        }
        py.detach(|| store().lock()).map_err(|error| unanswered(&error))
    }

    /// Gives the lock back.
    fn release(&self, py: Python<'_>) -> PyResult<()> {
        if ask(py, |store| store.unlock())? {
            return Ok(());
        }
        Err(PyRuntimeError::new_err("the stash's lock is not held"))
    }

    fn __enter__(&self, py: Python<'_>) -> PyResult<()> {
        self.acquire(py)
    }

    #[pyo3(signature = (*exc))]
    fn __exit__(&self, exc: &Bound<'_, PyTuple>) -> PyResult<()> {
        self.release(exc.py())
    }
}

/// The sixteen bytes of a UUID in text or ASCII bytes.
fn uuid(key: &Bound<'_, PyAny>) -> PyResult<[u8; 16]> {
    static UUID: PyOnceLock<Py<PyAny>> = PyOnceLock::new();
    let py = key.py();
    let text = match key.cast::<PyBytes>() {
        Ok(bytes) => bytes.call_method1("decode", ("ascii",))?,
        Err(_) => key.clone(),
    };
    if let Ok(text) = text.cast::<PyString>()
        && let Some(id) = text.to_str().ok().and_then(parse_uuid)
    {
        return Ok(id);
    }
    // Other spellings, and the errors, are those of Python's own class.
    match modules::once(py, &UUID, "uuid", "UUID")?.call1((&text,)) {
        Ok(uuid) => uuid.getattr("bytes")?.extract(),
        Err(error) if error.is_instance_of::<PyValueError>(py) => {
            let invalid = PyValueError::new_err(format!("\"{text}\" is no UUID; a stash key is"));
            invalid.set_cause(py, Some(error));
            Err(invalid)
        }
        Err(error) => Err(error),
    }
}

/// The usual spelling: 32 hexadecimal digits, with hyphens or without.
fn parse_uuid(text: &str) -> Option<[u8; 16]> {
    let mut digits = text.bytes().filter(|&byte| byte != b'-');
    let mut id = [0; 16];
    for byte in &mut id {
        let high = char::from(digits.next()?).to_digit(16)?;
        let low = char::from(digits.next()?).to_digit(16)?;
        *byte = u8::try_from(high << 4 | low).ok()?;
    }
    digits.next().is_none().then_some(id)
}

fn stash_error(py: Python<'_>, message: &str) -> PyErr {
    let class = modules::attribute(py, "wptserve.stash", "StashError");
    class.and_then(|class| class.call1((message,))).map_or_else(|error| error, PyErr::from_value)
}

/// Where other parties find the stash, as JSON: an address and a key. There is one store in this
/// process, so any will do.
#[pyfunction]
pub(crate) fn stash_config() -> &'static str {
    r#"["", ""]"#
}

fn dumps(py: Python<'_>) -> PyResult<&Bound<'_, PyAny>> {
    static DUMPS: PyOnceLock<Py<PyAny>> = PyOnceLock::new();
    modules::once(py, &DUMPS, "pickle", "dumps")
}

fn loads(py: Python<'_>) -> PyResult<&Bound<'_, PyAny>> {
    static LOADS: PyOnceLock<Py<PyAny>> = PyOnceLock::new();
    modules::once(py, &LOADS, "pickle", "loads")
}

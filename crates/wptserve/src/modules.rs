//! The modules that the engine needs of Python, whatever handlers do to the import system.
//!
//! A handler may take modules out of `sys.modules`, empty `sys.path` or replace `__import__`, and a
//! document root may have a `string.py`: none of that is to keep an error from being told. So what
//! is needed is imported before the first handler runs and before the document root is on the path,
//! and stays.

use std::{
    path::{Path, PathBuf},
    sync::{Mutex, PoisonError},
};

use pyo3::{
    PyTypeInfo,
    prelude::*,
    sync::PyOnceLock,
    types::{PyDict, PyModule},
};

/// A module. One that has been imported once is not looked for again.
pub(crate) fn module<'py>(py: Python<'py>, name: &str) -> PyResult<Bound<'py, PyModule>> {
    let kept = kept(py);
    if let Some(module) = kept.get_item(name)? {
        return Ok(module.cast_into()?);
    }
    let module = py.import(name)?;
    kept.set_item(name, &module)?;
    Ok(module)
}

/// An attribute of a module.
pub(crate) fn attribute<'py>(
    py: Python<'py>,
    module_name: &str,
    name: &str,
) -> PyResult<Bound<'py, PyAny>> {
    module(py, module_name)?.getattr(name)
}

/// The same, looked up once.
pub(crate) fn once<'py, T: PyTypeInfo>(
    py: Python<'py>,
    cell: &'py PyOnceLock<Py<T>>,
    module_name: &str,
    name: &str,
) -> PyResult<&'py Bound<'py, T>> {
    let value = cell.get_or_try_init(py, || {
        let value = attribute(py, module_name, name)?;
        Ok::<_, PyErr>(value.cast_into::<T>()?.unbind())
    })?;
    Ok(value.bind(py))
}

/// Imports what the engine and the package may need, the first time that it is called. To be called
/// before any code of a handler runs.
pub(crate) fn prepare(py: Python<'_>) {
    static PREPARED: PyOnceLock<()> = PyOnceLock::new();
    PREPARED.get_or_init(py, || {
        for name in NEEDED {
            // A Python may lack a part of its library. Whoever needs it says so.
            let _missing = module(py, name);
        }
        let root = DOC_ROOT.lock().unwrap_or_else(PoisonError::into_inner).clone();
        if let Some(root) = root
            && let Err(error) = add_to_path(py, &root)
        {
            error.write_unraisable(py, None);
        }
    });
}

/// Has handlers import helpers by their place in the document root, from the moment on when
/// everything else is imported.
pub(crate) fn import_from_later(doc_root: PathBuf) {
    *DOC_ROOT.lock().unwrap_or_else(PoisonError::into_inner) = Some(doc_root);
}

static DOC_ROOT: Mutex<Option<PathBuf>> = Mutex::new(None);

/// Puts the document root first on `sys.path`.
fn add_to_path(py: Python<'_>, doc_root: &Path) -> PyResult<()> {
    let path = py.import("sys")?.getattr("path")?;
    if !path.contains(doc_root.as_os_str())? {
        path.call_method1("insert", (0, doc_root.as_os_str()))?;
    }
    Ok(())
}

/// The modules that were imported, by name.
fn kept(py: Python<'_>) -> &Bound<'_, PyDict> {
    static KEPT: PyOnceLock<Py<PyDict>> = PyOnceLock::new();
    KEPT.get_or_init(py, || PyDict::new(py).unbind()).bind(py)
}

/// What this crate names, and with `_on_demand` what the package imports within its functions.
const NEEDED: &[&str] = &[
    "builtins",
    "io",
    "sys",
    "json",
    "pickle",
    "urllib.parse",
    "uuid",
    "wptserve._on_demand",
    "wptserve._events",
    "wptserve.config",
    "wptserve.constants",
    "wptserve.forms",
    "wptserve.handlers",
    "wptserve.logger",
    "wptserve.pipes",
    "wptserve.request",
    "wptserve.response",
    "wptserve.stash",
    "wptserve.utils",
    "wptserve.pywebsocket.request_handler",
    "wptserve.pywebsocket._stream_exceptions",
];

//! The pure-Python modules inside the extension.

use pyo3::{
    ffi::c_str,
    prelude::*,
    types::{PyDict, PyModule},
};

struct Module {
    name: &'static str,
    file: &'static str,
    is_package: bool,
    source: &'static str,
}

/// Every module of `python/wptserve`, listed by the build script.
const MODULES: &[Module] = include!(concat!(env!("OUT_DIR"), "/modules.rs"));

/// Makes `import wptserve` find the embedded modules, before any that are installed.
pub(crate) fn install(extension: &Bound<'_, PyModule>) -> PyResult<()> {
    let py = extension.py();
    let modules = PyDict::new(py);
    for module in MODULES {
        modules.set_item(module.name, (module.file, module.is_package, module.source))?;
    }
    let importer = PyModule::from_code(
        py,
        c_str!(include_str!("importer.py")),
        c_str!("<embedded>/importer.py"),
        c_str!("_wptserve_importer"),
    )?;
    importer.call_method1("install", (modules, extension))?;
    Ok(())
}

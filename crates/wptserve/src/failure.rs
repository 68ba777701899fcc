//! Where a handler failed.

use std::path::{Path, PathBuf};

use pyo3::{exceptions::PySyntaxError, intern, prelude::*};

/// The file and line that an exception is to be looked for at: where the handler's own file, or
/// another file under the document root, was left last. What they call may have raised it, but is
/// not to blame. Of a text that does not compile it is the place in it, if it is such a file.
pub(crate) fn location(error: &Bound<'_, PyAny>, doc_root: &Path) -> Option<(String, u32)> {
    // The attributes of an exception may be anything, and this is for the log alone.
    let frames = frames(error).unwrap_or_default();
    let handler = frames.iter().find(|frame| !frame.is_ours).map(|frame| frame.file.clone());
    let belongs = |file: &Path| file.starts_with(doc_root) || Some(file) == handler.as_deref();
    if let Ok(Some((file, line))) = place_in_text(error)
        && (handler.is_none() || belongs(&file))
    {
        return Some((file.display().to_string(), line));
    }
    let frame = frames.iter().rev().find(|frame| !frame.is_ours && belongs(&frame.file))?;
    Some((frame.file.display().to_string(), frame.line))
}

struct Frame {
    file: PathBuf,
    line: u32,
    /// It runs a module of this package.
    is_ours: bool,
}

/// The frames of an exception's traceback, the innermost last.
fn frames(error: &Bound<'_, PyAny>) -> PyResult<Vec<Frame>> {
    let py = error.py();
    let mut traceback = error.getattr(intern!(py, "__traceback__"))?;
    let mut frames = Vec::new();
    while !traceback.is_none() {
        let frame = traceback.getattr(intern!(py, "tb_frame"))?;
        let code = frame.getattr(intern!(py, "f_code"))?;
        let globals = frame.getattr(intern!(py, "f_globals"))?;
        let module = globals.call_method1(intern!(py, "get"), (intern!(py, "__name__"),))?;
        let module: String = module.extract().unwrap_or_default();
        frames.push(Frame {
            file: code.getattr(intern!(py, "co_filename"))?.extract()?,
            line: traceback.getattr(intern!(py, "tb_lineno"))?.extract()?,
            is_ours: module == "wptserve"
                || ["wptserve.", "_wptserve"].iter().any(|prefix| module.starts_with(prefix)),
        });
        traceback = traceback.getattr(intern!(py, "tb_next"))?;
    }
    Ok(frames)
}

/// Where a text does not compile.
fn place_in_text(error: &Bound<'_, PyAny>) -> PyResult<Option<(PathBuf, u32)>> {
    if !error.is_instance_of::<PySyntaxError>() {
        return Ok(None);
    }
    let file: Option<PathBuf> = error.getattr("filename")?.extract()?;
    let line: Option<u32> = error.getattr("lineno")?.extract()?;
    Ok(file.zip(line))
}

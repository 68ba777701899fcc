//! The extension module `wptserve._wptserve`: the engine inside Python.

#![expect(unsafe_code, reason = "Python's C interface; each block has its SAFETY comment")]

mod attribute;
mod callable;
mod connection;
mod detached;
mod embedded;
mod failure;
mod fork;
mod host;
mod http2;
mod injection;
mod input_file;
mod journal;
mod library;
mod modules;
mod os_error;
mod pipes;
mod pool;
mod program_log;
mod request;
mod response;
mod response_headers;
mod script;
mod slot;
mod stash;
mod stash_queue;
mod text;
mod websocket;
mod writer;

use pyo3::prelude::*;

/// What the Python side of the package imports.
#[pymodule(gil_used = false)]
mod _wptserve {
    use pyo3::{
        prelude::*,
        types::{PyBytes, PyDict},
    };

    #[pymodule_export]
    use super::{
        callable::FunctionHandler,
        connection::{ConnectionFile, RawConnection},
        host::{install, log, main, start},
        http2::{H2Request, H2Response, H2ResponseWriter},
        input_file::InputFile,
        library::{Engine, certificate_files},
        pipes::{
            NativeContent, apply_pipe, load_headers, parse_pipes, pipe_names, pipe_string, template,
        },
        request::{Request, Server},
        response::Response,
        response_headers::ResponseHeaders,
        stash::{Stash, StashLock, stash_config},
        stash_queue::HostsQueue,
        websocket::{
            PerMessageDeflate, WebSocketConnection, WebSocketStream, websocket_accept,
            websocket_deflate_offer, websocket_format_extensions, websocket_is_key, websocket_mask,
            websocket_parse_extensions, websocket_parse_tokens, websocket_quote,
        },
        writer::ResponseWriter,
    };

    #[pymodule_export]
    #[expect(non_upper_case_globals, reason = "the attribute's name in Python")]
    const __version__: &str = env!("CARGO_PKG_VERSION");

    /// Calls a function of a handler. A child that it forks ends here.
    #[pyfunction]
    fn call_handler<'py>(
        function: &Bound<'py, PyAny>,
        request: &Bound<'py, PyAny>,
    ) -> PyResult<Bound<'py, PyAny>> {
        crate::fork::returned(function.py(), function.call1((request,)))
    }

    /// The media type of a file by the extension of its name.
    #[pyfunction]
    #[expect(clippy::needless_pass_by_value, reason = "a function of Python takes what it made")]
    fn guess_content_type(path: std::path::PathBuf) -> &'static str {
        proto::mime::content_type(path.file_name().unwrap_or_default().as_encoded_bytes())
    }

    /// The HTML page that lists a directory.
    #[pyfunction]
    #[expect(clippy::needless_pass_by_value, reason = "a function of Python takes what it made")]
    fn directory_listing(url_path: &str, path: std::path::PathBuf) -> PyResult<String> {
        let entries =
            server::files::list(&path).map_err(|error| crate::os_error::from_io(&error))?;
        Ok(proto::listing::render_listing(url_path.as_bytes(), entries))
    }

    /// The JSON body of an error response.
    #[pyfunction]
    fn json_error(code: i64, message: &str) -> String {
        proto::json_error::error_body(code, message)
    }

    /// The parameters of a query string.
    #[pyfunction]
    fn parse_query<'py>(
        py: Python<'py>,
        query: &[u8],
    ) -> Vec<(Bound<'py, PyBytes>, Bound<'py, PyBytes>)> {
        proto::query::parse_query(query)
            .into_iter()
            .map(|(name, value)| (PyBytes::new(py, &name), PyBytes::new(py, &value)))
            .collect()
    }

    /// Media types by file extension.
    #[pyfunction]
    fn content_types(py: Python<'_>) -> PyResult<Bound<'_, PyDict>> {
        let types = PyDict::new(py);
        for (extension, media_type) in proto::mime::CONTENT_TYPES {
            types.set_item(extension, media_type)?;
        }
        Ok(types)
    }

    /// Reason phrases by status code.
    #[pyfunction]
    fn reason_phrases(py: Python<'_>) -> PyResult<Bound<'_, PyDict>> {
        let phrases = PyDict::new(py);
        for (code, phrase) in proto::status::REASONS {
            phrases.set_item(code, phrase)?;
        }
        Ok(phrases)
    }
}

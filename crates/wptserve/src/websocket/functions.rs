//! Single functions of the protocol for Python.

use bytes::BytesMut;
use proto::websocket::{
    DeflateOffer, apply_mask,
    handshake::{self, Extension, GrammarError},
};
use pyo3::{exceptions::PyValueError, prelude::*, types::PyBytes};

use crate::text::isomorphic;

/// An extension's name and parameters.
type Parts = (String, Vec<(String, Option<String>)>);

/// The value of `Sec-WebSocket-Accept` for a key.
#[pyfunction]
pub(crate) fn websocket_accept<'py>(py: Python<'py>, key: &[u8]) -> Bound<'py, PyBytes> {
    PyBytes::new(py, handshake::accept(key).as_bytes())
}

/// Whether a text is a `Sec-WebSocket-Key`.
#[pyfunction]
pub(crate) fn websocket_is_key(key: &Bound<'_, PyAny>) -> PyResult<bool> {
    Ok(handshake::is_key(&isomorphic(key)?))
}

/// The tokens of a list. `ValueError` when it is none.
#[pyfunction]
pub(crate) fn websocket_parse_tokens(value: &Bound<'_, PyAny>) -> PyResult<Vec<String>> {
    let tokens = handshake::parse_tokens(&isomorphic(value)?).map_err(value_error)?;
    Ok(tokens.iter().map(|token| server::latin1(token)).collect())
}

/// The extensions of a field. `ValueError` when it is malformed.
#[pyfunction]
pub(crate) fn websocket_parse_extensions(value: &Bound<'_, PyAny>) -> PyResult<Vec<Parts>> {
    let extensions = handshake::parse_extensions(&isomorphic(value)?).map_err(value_error)?;
    let parameter = |(name, value): &(Vec<u8>, Option<Vec<u8>>)| {
        (server::latin1(name), value.as_deref().map(server::latin1))
    };
    let parts = |extension: &Extension| {
        let parameters = extension.parameters.iter().map(parameter).collect();
        (server::latin1(&extension.name), parameters)
    };
    Ok(extensions.iter().map(parts).collect())
}

/// A field out of extensions.
#[pyfunction]
pub(crate) fn websocket_format_extensions(extensions: Vec<Parts>) -> String {
    let parameter = |(name, value): (String, Option<String>)| {
        (name.into_bytes(), value.map(String::into_bytes))
    };
    let extensions: Vec<_> = extensions
        .into_iter()
        .map(|(name, parameters)| Extension {
            name: name.into_bytes(),
            parameters: parameters.into_iter().map(parameter).collect(),
        })
        .collect();
    // What went in as UTF-8 comes out as UTF-8.
    String::from_utf8_lossy(&handshake::format_extensions(&extensions)).into_owned()
}

/// A value, between quotes unless it is a token.
#[pyfunction]
pub(crate) fn websocket_quote(value: &str) -> String {
    let mut quoted = Vec::new();
    handshake::quote(value.as_bytes(), &mut quoted);
    // Quotes and backslashes were put between whole characters.
    String::from_utf8_lossy(&quoted).into_owned()
}

/// What an offer of permessage-deflate asks of the server: the window's size, whether it forgets,
/// and whether it may choose the client's window. `None` when the offer is to be declined.
#[pyfunction]
#[expect(clippy::needless_pass_by_value, reason = "a function of Python takes what it made")]
pub(crate) fn websocket_deflate_offer(
    parameters: Vec<(String, Option<String>)>,
) -> Option<(Option<u8>, bool, bool)> {
    let bytes = parameters
        .iter()
        .map(|(name, value)| (name.as_bytes(), value.as_deref().map(str::as_bytes)));
    let offer = DeflateOffer::parse(bytes)?;
    Some((
        offer.server_max_window_bits,
        offer.server_no_context_takeover,
        offer.client_max_window_bits.is_some(),
    ))
}

/// Bytes, masked with a key of four.
#[pyfunction]
pub(crate) fn websocket_mask<'py>(
    py: Python<'py>,
    data: &[u8],
    key: [u8; 4],
) -> Bound<'py, PyBytes> {
    let mut data = BytesMut::from(data);
    apply_mask(&mut data, key);
    PyBytes::new(py, &data)
}

fn value_error(error: GrammarError) -> PyErr {
    PyValueError::new_err(error.to_string())
}

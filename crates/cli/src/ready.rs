//! The ready file: where the server listens, for programs that start it.

use std::{
    fs, io,
    net::SocketAddr,
    path::{Path, PathBuf},
};

use serde_json::json;
use server::Scheme;

/// Writes the addresses as JSON. The file appears whole: a reader never sees a part of it.
pub(crate) fn write(path: &Path, url: &str, addresses: &[(Scheme, SocketAddr)]) -> io::Result<()> {
    let listeners: Vec<_> = addresses
        .iter()
        .map(|(scheme, address)| {
            json!({"scheme": scheme.name(), "host": address.ip().to_string(), "port": address.port()})
        })
        .collect();
    let content = json!({"pid": std::process::id(), "url": url, "listeners": listeners});
    let mut partial = path.as_os_str().to_owned();
    partial.push(format!(".{}", std::process::id()));
    let partial = PathBuf::from(partial);
    fs::write(&partial, format!("{content}\n"))?;
    fs::rename(&partial, path)
}

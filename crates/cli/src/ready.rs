//! The ready file: where the server listens and under which names, for programs that start it.

use std::{
    fs,
    io::{self, Read, Write},
    net::{SocketAddr, TcpStream},
    path::{Path, PathBuf},
    time::Duration,
};

use serde_json::{Map, Value, json};
use server::{Scheme, config::HostNames};

use crate::certificates::KnownAuthority;

/// What the file says of the addresses.
pub(crate) fn content(url: &str, addresses: &[(Scheme, SocketAddr)]) -> Map<String, Value> {
    let listeners: Vec<_> = addresses
        .iter()
        .map(|(scheme, address)| {
            json!({"scheme": scheme.name(), "host": address.ip().to_string(), "port": address.port()})
        })
        .collect();
    let mut content = Map::new();
    content.insert("pid".to_owned(), json!(std::process::id()));
    content.insert("url".to_owned(), json!(url));
    content.insert("listeners".to_owned(), json!(listeners));
    content
}

/// What it says besides of an environment: all that a browser has to know of it.
pub(crate) fn environment(
    root: &Path,
    browser_host: &str,
    names: &HostNames,
    authority: Option<&KnownAuthority>,
) -> Map<String, Value> {
    let authority =
        authority.map(|known| json!({"file": known.path, "spki_hash": known.spki_hash}));
    let mut content = Map::new();
    content.insert("root".to_owned(), json!(root));
    content.insert("browser_host".to_owned(), json!(browser_host));
    content.insert(
        "names".to_owned(),
        json!({
            "hosts": names.hosts,
            "domains": names.domains,
            "not_domains": names.not_domains,
            "not_subdomains": names.not_subdomains,
        }),
    );
    content.insert("authority".to_owned(), json!(authority));
    content
}

/// Writes the file. It appears whole: a reader never sees a part of it.
pub(crate) fn write(path: &Path, content: &Map<String, Value>) -> io::Result<()> {
    let mut partial = path.as_os_str().to_owned();
    partial.push(format!(".{}", std::process::id()));
    let partial = PathBuf::from(partial);
    fs::write(&partial, format!("{}\n", json!(content)))?;
    fs::rename(&partial, path)
}

/// The text of a ready file, or of the URL at which a server has the same.
pub(crate) fn read(source: &Path) -> io::Result<String> {
    match source.to_str().and_then(|source| source.strip_prefix("http://")) {
        Some(rest) => ask(rest),
        None => fs::read_to_string(source),
    }
}

/// Asks a server of ours; `url` is without its scheme.
fn ask(url: &str) -> io::Result<String> {
    let (authority, path) = url.split_once('/').unwrap_or((url, ""));
    let mut server = TcpStream::connect(authority)?;
    server.set_read_timeout(Some(PATIENCE))?;
    // A response to HTTP/1.0 ends with the connection.
    write!(server, "GET /{path} HTTP/1.0\r\nHost: {authority}\r\n\r\n")?;
    let mut response = String::new();
    server.read_to_string(&mut response)?;
    match response.split_once("\r\n\r\n") {
        Some((head, body)) if head.split(' ').nth(1) == Some("200") => Ok(body.to_owned()),
        _ => Err(io::Error::other("what answers there is not a server of this kind")),
    }
}

/// How long a server may take to say where it is.
const PATIENCE: Duration = Duration::from_secs(10);

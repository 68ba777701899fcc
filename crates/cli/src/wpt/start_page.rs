//! The start page: what listens where, for which hosts, and how a browser comes there.

use std::{net::SocketAddr, sync::Arc};

use proto::html::escape;
use serde_json::{Map, Value};
use server::{
    Error, Scheme, StringHandler,
    router::{Method, Route},
};

use super::ports_by_scheme;
use crate::{
    browser_args::{self, reachable},
    certificates::known_authority,
    engine::Listening,
    settings::Settings,
};

/// Where it is: no test has a URL below it.
pub(super) const PATH: &str = "/.well-known/wptserve/";

/// The route to the page, which comes before all others.
pub(super) fn route(
    settings: &Settings,
    listening: &Listening,
    root_url: &str,
) -> Result<Route, Error> {
    let page = page(settings, listening, root_url);
    let handler = StringHandler::text(page, "text/html; charset=utf-8".to_owned());
    Route::new(Method::new("GET"), PATH, "start page", Arc::new(handler))
}

/// The URL of the page, by address.
pub(super) fn url(listening: &Listening) -> Option<String> {
    let http = |(scheme, _): &&(Scheme, SocketAddr)| *scheme == Scheme::Http;
    let (_, address) = listening.addresses.iter().find(http)?;
    Some(format!("http://{}{PATH}", SocketAddr::new(reachable(address.ip()), address.port())))
}

/// The route to what the ready file says.
pub(super) fn ready_route(content: &Map<String, Value>) -> Result<Route, Error> {
    let text = format!("{}\n", Value::Object(content.clone()));
    let handler = StringHandler::text(text, "application/json".to_owned());
    let path = format!("{PATH}{}", browser_args::READY);
    Route::new(Method::new("GET"), &path, "ready file", Arc::new(handler))
}

fn page(settings: &Settings, listening: &Listening, root_url: &str) -> String {
    let root = settings.shown_root.display().to_string();
    let ports = ports_by_scheme(listening).into_iter().map(|(scheme, ports)| {
        let ports: Vec<String> = ports.iter().map(u16::to_string).collect();
        row(&[scheme.name(), &ports.join(", ")])
    });
    let hosts = settings.config.host_names();
    let list = |names: &[String]| {
        let items = names.iter().map(|name| format!("<li><code>{}</code>\n", escape(name)));
        format!("<ul class=names>\n{}</ul>\n", items.collect::<String>())
    };
    let certificate = match known_authority(&settings.config) {
        Some(authority) => format!(
            "<table>\n{}{}</table>\n",
            row(&["file", &authority.path.display().to_string()]),
            row(&["SPKI hash", &authority.spki_hash]),
        ),
        None => "<p>No port of this server speaks TLS.\n".to_owned(),
    };
    let browsers =
        browser_args::for_all(&settings.config, &listening.addresses, url(listening).as_deref());
    let browsers = browsers.into_iter().map(|(name, text)| {
        format!("<h3>{}</h3>\n<pre>{}</pre>\n", escape(name), escape(text.trim_end()))
    });
    format!(
        "<!doctype html>\n<html lang=en>\n<meta charset=utf-8>\n<title>wptserve</title>\n{STYLE}\
         <h1>wptserve</h1>\n<p>Serving <code>{}</code>. <a href=\"{}\">The root</a>, \
         <a href=\"/\">the same by this address</a>.\n<h2>Ports</h2>\n<table>\n{}</table>\n\
         <h2>Certificate</h2>\n{certificate}<h2>Browsers</h2>\n{}<h2>Hosts</h2>\n{}\
         <p>These do not resolve:\n{}",
        escape(&root),
        escape(root_url),
        ports.collect::<String>(),
        browsers.collect::<String>(),
        list(&hosts.domains),
        list(&hosts.not_domains),
    )
}

fn row(cells: &[&str]) -> String {
    let cells = cells.iter().map(|cell| format!("<td><code>{}</code>", escape(cell)));
    format!("<tr>{}\n", cells.collect::<String>())
}

const STYLE: &str = "<style>
body { font: 16px/1.5 system-ui, sans-serif; max-width: 60em; margin: 2em auto; padding: 0 1em }
td { padding-right: 2em }
pre { background: #f4f4f4; padding: 1em; overflow-x: auto }
.names { columns: 18em; list-style: none; padding: 0 }
@media (prefers-color-scheme: dark) {
  body { background: #1b1b1b; color: #ddd } pre { background: #2a2a2a } a { color: #8bf }
}
</style>
";

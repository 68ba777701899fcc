//! The PAC file: how a browser without any change of its system finds the configured hosts.
//!
//! A browser that is told to use it sends what is for one of the hosts to this server as to a proxy.
//! Requests of plain HTTP come to the very port that they are for, with a target in absolute form;
//! all else comes to an HTTP port with CONNECT, which leads to the port that is asked for. So pages,
//! scripts and handlers see the hosts and ports of the tests.

use std::{fmt::Write, net::IpAddr, sync::Arc};

use bytes::Bytes;
use serde_json::{Map, Value, json};

use crate::{
    Error, Handler, Request, Response, Scheme,
    response::Body,
    router::{Method, Route},
};

/// Where the PAC file is, on every port that speaks HTTP.
pub const PAC_PATH: &str = "/.well-known/wptserve/proxy.pac";

/// Serves the PAC file.
#[derive(Debug, Clone, Copy, Default)]
pub struct PacHandler;

impl PacHandler {
    /// The route to it, which comes before all others.
    pub fn route() -> Result<Route, Error> {
        Route::new(Method::new("GET"), PAC_PATH, "pac", Arc::new(Self))
    }
}

impl Handler for PacHandler {
    fn answer(&self, request: &Request) -> Option<Response> {
        let text = pac_file(&request.environment.config, request.connection.local.ip());
        let mut response = Response::new(200, "");
        response.headers.append("Content-Type", MIME_TYPE);
        response.headers.append("Cache-Control", "no-store");
        response.body = Body::Bytes(Bytes::from(text));
        Some(response)
    }
}

/// The PAC file of a resolved configuration, for browsers that reach the server at `address`.
pub fn pac_file(config: &Value, address: IpAddr) -> String {
    let address = match address {
        IpAddr::V4(ip) => ip.to_string(),
        IpAddr::V6(ip) => format!("[{ip}]"),
    };
    let hosts: Map<String, Value> = config["domains_set"]
        .as_array()
        .into_iter()
        .flatten()
        .filter_map(|host| Some((host.as_str()?.to_lowercase(), json!(1))))
        .collect();
    let ports = |scheme: Scheme| {
        let ports = config["ports"][scheme.name()].as_array().into_iter().flatten();
        ports.filter_map(Value::as_u64)
    };
    let plain = [Scheme::Http, Scheme::HttpLocal, Scheme::HttpPublic];
    let direct: Map<String, Value> =
        plain.into_iter().flat_map(ports).map(|port| (port.to_string(), json!(1))).collect();
    let tunnelled = Scheme::ALL.into_iter().filter(|scheme| {
        !plain.contains(scheme) && !matches!(scheme, Scheme::Dns | Scheme::WebTransportH3)
    });
    let tunnelled: Map<String, Value> =
        tunnelled.flat_map(ports).map(|port| (port.to_string(), json!(1))).collect();
    let mut text = format!("var hosts = {:#};\n", Value::Object(hosts));
    // What follows is ES3, the most that some evaluators of PAC files know.
    let _infallible = write!(
        text,
        "var direct = {};\nvar tunnelled = {};\nvar address = \"{address}:\";\nvar proxy = {};\n",
        Value::Object(direct.clone()),
        Value::Object(tunnelled),
        direct.keys().next().map_or("0", String::as_str),
    );
    text + FIND_PROXY
}

const FIND_PROXY: &str = r#"
function FindProxyForURL(url, host) {
  host = host.toLowerCase().replace(/\.$/, "");
  if (hosts[host] !== 1) return "DIRECT";
  var parts = /^([a-z]+):\/\/[^\/?#]*?(?::([0-9]+))?(?:[\/?#]|$)/i.exec(url);
  if (!parts) return "DIRECT";
  var secure = /^(?:https|wss)$/i.test(parts[1]);
  var port = parts[2] || (secure ? "443" : "80");
  if (direct[port] === 1 && !secure) return "PROXY " + address + port;
  if (tunnelled[port] === 1 && proxy) return "PROXY " + address + proxy;
  return "DIRECT";
}
"#;

const MIME_TYPE: &str = "application/x-ns-proxy-autoconfig";

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Config;

    #[test]
    fn it_has_the_hosts_and_the_ports() {
        let config = Config {
            browser_host: "web.test".to_owned(),
            subdomains: vec!["www".to_owned()],
            not_subdomains: vec!["no".to_owned()],
            ..Config::default()
        };
        let ports =
            [(Scheme::Http, 80), (Scheme::HttpPublic, 81), (Scheme::Wss, 444), (Scheme::Dns, 53)];
        let config = config.resolved(std::path::Path::new("/"), &ports);
        let text = pac_file(&config, "::1".parse().unwrap());
        let head = "var hosts = {\n  \"www.web.test\": 1,\n  \"web.test\": 1\n};\n\
            var direct = {\"80\":1,\"81\":1};\nvar tunnelled = {\"444\":1};\n\
            var address = \"[::1]:\";\nvar proxy = 80;\n";
        assert!(text.starts_with(head), "{text}");
    }
}

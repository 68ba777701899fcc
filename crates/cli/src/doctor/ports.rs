//! Whether the configured ports are free.

use server::{Bound, Config, Endpoint, Error, Scheme};

use super::Finding;

pub(super) fn check(config: &Config) -> Finding {
    let host = config.server_host.as_deref().unwrap_or("127.0.0.1");
    let host = if config.bind_address { host } else { "0.0.0.0" };
    let (mut free, mut taken) = (Vec::new(), Vec::new());
    for scheme in Scheme::ALL {
        for port in config.ports(scheme).into_iter().flatten().filter(|port| *port != 0) {
            let endpoint = Endpoint { scheme, host: host.to_owned(), port };
            // What is bound is let go at once.
            match Bound::new(&[endpoint]) {
                Ok(_) => free.push(port.to_string()),
                Err(Error::PortInUse { holder, .. }) => {
                    taken.push((scheme, port, format!("port {port} ({scheme}) is in use{holder}")));
                }
                Err(error) => taken.push((scheme, port, error.to_string())),
            }
        }
    }
    let Some((scheme, port, _)) = taken.first() else {
        let free = if free.is_empty() { "any".to_owned() } else { free.join(", ") };
        return Finding::ok("ports", format!("free: {free}"));
    };
    let text: Vec<&str> = taken.iter().map(|(_, _, text)| text.as_str()).collect();
    let remedy = process(text[0]).map_or_else(
        || format!("set `ports.{scheme}` to [\"auto\"] in the file of --config"),
        |pid| format!("kill {pid}    # or set `ports.{scheme}` to other ports than {port}"),
    );
    // The default of a scheme that is off is no problem, but who knows what will be asked for.
    let essential = taken.iter().any(|(scheme, ..)| *scheme != Scheme::Dns);
    if essential {
        Finding::problem("ports", text.join("; "), remedy)
    } else {
        Finding::warning("ports", text.join("; "), remedy)
    }
}

/// The process that a text names.
fn process(text: &str) -> Option<u32> {
    text.rsplit_once("(pid ")?.1.trim_end_matches(')').parse().ok()
}

//! The defaults of `wpt serve`: the hosts, ports and places of a checkout of the tests.

use std::path::{Path, PathBuf};

use serde_json::{Map, json};

use super::{Auto, Config, Logging, Port, Ssl};

impl Config {
    /// What `wpt serve` serves from a checkout when no file says otherwise.
    pub fn for_wpt(root: &Path) -> Self {
        let auto = Port::Auto(Auto::Auto);
        let number = Port::Number;
        let ports = [
            ("http", vec![number(8000), auto]),
            ("http-local", vec![auto]),
            ("http-public", vec![auto]),
            ("https", vec![number(8443), number(8444)]),
            ("https-local", vec![auto]),
            ("https-public", vec![auto]),
            ("h2", vec![number(9000)]),
            ("ws", vec![auto]),
            ("wss", vec![auto]),
            ("webtransport-h3", vec![auto]),
            ("dns", vec![number(8053)]),
        ];
        let path = |names: &[&str]| {
            let path = names.iter().fold(root.to_owned(), |path, name| path.join(name));
            path.to_string_lossy().into_owned()
        };
        let key_pair = [
            ("host_key_path", json!(path(&["tools", "certs", "web-platform.test.key"]))),
            ("host_cert_path", json!(path(&["tools", "certs", "web-platform.test.pem"]))),
        ];
        Self {
            browser_host: "web-platform.test".to_owned(),
            alternate_hosts: [("alt".to_owned(), "not-web-platform.test".to_owned())].into(),
            subdomains: subdomains(root),
            not_subdomains: products(&["nonexistent"]),
            doc_root: Some(root.to_string_lossy().into_owned()),
            ports: ports.into_iter().map(|(name, ports)| (name.to_owned(), ports)).collect(),
            ssl: Ssl {
                kind: "authority".to_owned(),
                pregenerated: key_pair
                    .into_iter()
                    .map(|(key, path)| (key.to_owned(), path))
                    .collect::<Map<_, _>>(),
                ..Ssl::default()
            },
            logging: Logging { level: "info".to_owned(), suppress_handler_traceback: false },
            checkout: Some(root.to_owned()),
            ..Self::default()
        }
    }

    /// Where the WebSocket handlers are.
    pub fn ws_doc_root(&self, doc_root: &Path) -> PathBuf {
        match &self.ws_doc_root {
            Some(path) => path.into(),
            None if self.checkout.is_some() => doc_root.join("websockets").join("handlers"),
            None => doc_root.to_owned(),
        }
    }

    /// The directories of WebSocket handlers: [`ws_doc_root`](Self::ws_doc_root), then the extra
    /// ones.
    pub fn ws_roots(&self, doc_root: &Path) -> Vec<PathBuf> {
        let extra = self.ws_extra.iter().flatten().map(PathBuf::from);
        std::iter::once(self.ws_doc_root(doc_root))
            .chain(extra)
            .map(|root| self.folders.find(root))
            .collect()
    }

    /// Whether the browser host and the alternate one are of different sites: tests of what is
    /// cross-site need two.
    pub(super) fn check_hosts(&self) -> Result<(), String> {
        let Some(alternate) = self.alternate_hosts.get("alt").filter(|_| self.checkout.is_some())
        else {
            return Ok(());
        };
        let labels = |host: &str| host.split('.').map(str::to_owned).rev().collect::<Vec<_>>();
        let (browser, alternate) = (labels(&self.browser_host), labels(alternate));
        if browser.iter().zip(&alternate).all(|(one, other)| one == other) {
            return Err(format!(
                "`alternate_hosts.alt` is `{}`, which shares its site with `browser_host`, `{}`; \
                 tests need two hosts of which neither is below the other",
                self.alternate_hosts["alt"], self.browser_host
            ));
        }
        Ok(())
    }
}

/// The names below each host. A checkout with the tests of origin policies, which went in 2022, has
/// one more for each of them: an origin's policy stays with it.
fn subdomains(root: &Path) -> Vec<String> {
    let mut names = products(&["www", "www1", "www2", "天気の良い日", "élève"]);
    if root.join("origin-policy").is_dir() {
        names.extend((1..=99).map(|number| format!("op{number}")));
    }
    names
}

/// The names, and each name below each.
fn products(names: &[&str]) -> Vec<String> {
    let single = names.iter().map(|name| (*name).to_owned());
    let pairs = names.iter().flat_map(|one| names.iter().map(move |two| format!("{one}.{two}")));
    single.chain(pairs).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Scheme;

    #[test]
    fn it_has_the_hosts_and_ports_of_wpt_serve() {
        let config = Config::for_wpt(Path::new("/wpt"));
        assert_eq!(config.ports(Scheme::Http), Some(vec![8000, 0]));
        assert_eq!(config.ports(Scheme::Dns), Some(vec![8053]));
        let value = config.resolved(Path::new("/wpt"), &[(Scheme::Http, 8000)]);
        assert_eq!(value["domains_set"].as_array().map(Vec::len), Some(62));
        assert_eq!(value["domains"]["alt"]["www.www1"], "www.www1.not-web-platform.test");
        assert_eq!(
            value["domains"][""]["天気の良い日"],
            "xn--n8j6ds53lwwkrqhv28a.web-platform.test"
        );
        assert_eq!(value["paths"]["ws_doc_root"], "/wpt/websockets/handlers");
        assert_eq!(value["ports"]["http-private"], json!([]));
    }

    #[test]
    fn tests_of_origin_policies_have_names_of_their_own() {
        let root = tempfile::tempdir().unwrap();
        std::fs::create_dir(root.path().join("origin-policy")).unwrap();
        let value = Config::for_wpt(root.path()).resolved(root.path(), &[]);
        assert_eq!(value["domains_set"].as_array().map(Vec::len), Some(62 + 2 * 99));
        assert_eq!(value["domains"]["alt"]["op99"], "op99.not-web-platform.test");
    }

    #[test]
    fn the_alternate_host_is_of_another_site() {
        let with = |alternate: &str| {
            let mut config = Config::for_wpt(Path::new("/wpt"));
            config.alternate_hosts.insert("alt".to_owned(), alternate.to_owned());
            config.check_hosts()
        };
        assert_eq!(with("other.test"), Ok(()));
        assert!(with("www.web-platform.test").unwrap_err().contains("shares its site"));
    }
}

//! The routes of a whole test environment: what `./wpt serve` has beyond a bare server.

use std::{path::Path, sync::Arc};

use super::{Config, RouteHandler};
use crate::{
    Error, Handler, Router,
    generated::{Edition, GeneratedHandler},
    injection::Injection,
    pac::PacHandler,
    router::{FileHandlers, Method, RewriteRule, Route},
};

impl Config {
    /// The router of a test environment in the tree at `doc_root`: paths that are not served, then
    /// the configuration's routes, then what its aliases mount, the later ones first, then the
    /// tree; each directory with the generated pages of the tree's edition. `inject` is a script
    /// for all HTML responses of directories.
    pub fn environment_router(
        &self,
        files: &FileHandlers,
        doc_root: &Path,
        inject: Option<&[u8]>,
    ) -> Result<Router, Error> {
        let tree = Tree {
            files,
            edition: Edition::of(doc_root),
            has_origin_policy: doc_root.join(ORIGIN_POLICY.trim_start_matches('/')).exists(),
            injection: inject.map(|script| Arc::new(Injection::new(script))),
        };
        let mut first = vec![PacHandler::route()?];
        first.extend(tree.forbidden()?);
        let mut router = self.assembled(files, first, &|below| tree.directory(below))?;
        for (from, to) in REWRITES {
            // Behind those of the configuration, so that one of the same path goes ahead.
            router.add_rewrite(RewriteRule {
                methods: vec![b"GET".to_vec()],
                from: from.into(),
                to: to.into(),
            });
        }
        Ok(router)
    }
}

/// What the routes of a tree are made from.
struct Tree<'a> {
    files: &'a FileHandlers,
    edition: Edition,
    has_origin_policy: bool,
    injection: Option<Arc<Injection>>,
}

impl Tree<'_> {
    /// The routes ahead of all others: the tree's tools and keys are not served, but for the runner.
    fn forbidden(&self) -> Result<Vec<Route>, Error> {
        let gone = RouteHandler::Error { status: 404, message: String::new() };
        [
            ("GET", "/tools/runner/*", RouteHandler::File),
            ("POST", "/tools/runner/update_manifest.py", RouteHandler::Python),
            ("*", "/_certs/*", gone.clone()),
            ("*", "/tools/*", gone.clone()),
            ("*", "{spec}/tools/*", gone.clone()),
            ("*", "/results/", gone),
        ]
        .into_iter()
        .map(|(method, pattern, handler)| {
            let (name, handler) = (handler.name(), handler.handler(self.files));
            Route::new(Method::new(method), pattern, &name, handler)
        })
        .collect()
    }

    /// The routes of a directory of tests below a URL path.
    fn directory(&self, below: &str) -> Result<Vec<Route>, Error> {
        let [python, as_is, other] = self.files.routes(below)?;
        // As the reference writes them: a pattern that starts with a slash has two below a mount.
        let prefix = if below == "/" { "" } else { below };
        let route = |method, pattern: &str, name, handler: Arc<dyn Handler>| {
            Route::new(Method::new(method), &format!("{prefix}{pattern}"), name, handler)
        };
        let mut routes = Vec::new();
        for page in GeneratedHandler::all(self.edition) {
            let kind = page.kind();
            routes.push(route("GET", kind.pattern, kind.name, Arc::new(page))?);
        }
        routes.push(as_is);
        let origin_policy = self.has_origin_policy.then_some(("GET", ORIGIN_POLICY));
        for (method, pattern) in WELL_KNOWN.into_iter().chain(origin_policy) {
            routes.push(route(method, pattern, "python", Arc::clone(&self.files.python))?);
        }
        routes.extend([python, other]);
        let injecting = |route: Route| route.injecting(self.injection.clone());
        Ok(routes.into_iter().map(injecting).collect())
    }
}

const REWRITES: [(&str, &str); 1] =
    [("/resources/WebIDLParser.js", "/resources/webidl2/lib/webidl2.js")];

/// Paths of Python handlers whose files do not end in `.py`.
const WELL_KNOWN: [(&str, &str); 14] = [
    ("*", "/.well-known/attribution-reporting/report-event-attribution"),
    ("*", "/.well-known/attribution-reporting/debug/report-event-attribution"),
    ("*", "/.well-known/attribution-reporting/report-aggregate-attribution"),
    ("*", "/.well-known/attribution-reporting/debug/report-aggregate-attribution"),
    ("*", "/.well-known/attribution-reporting/debug/report-aggregate-debug"),
    ("*", "/.well-known/attribution-reporting/debug/verbose"),
    ("GET", "/.well-known/interest-group/permissions/"),
    ("*", "/.well-known/interest-group/real-time-report"),
    ("*", "/.well-known/private-aggregation/*"),
    ("GET", "/.well-known/shared-storage/trusted-origins"),
    ("GET", "/.well-known/web-app-origin-association"),
    ("*", "/.well-known/web-identity"),
    ("*", "/.well-known/device-bound-sessions"),
    ("*", "/.well-known/email-verification"),
];

/// One that trees had until July 2022.
const ORIGIN_POLICY: &str = "/.well-known/origin-policy";

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;
    use crate::ErrorHandler;

    fn router(config: &str, root: &Path, inject: Option<&[u8]>) -> Router {
        let handler = || -> Arc<dyn Handler> {
            Arc::new(ErrorHandler { status: 500, message: String::new() })
        };
        let files = FileHandlers { python: handler(), as_is: handler(), files: handler() };
        let (config, _) = Config::default().parse_over(config, root).unwrap();
        config.environment_router(&files, root, inject).unwrap()
    }

    fn answers(router: &Router, method: &str, path: &str) -> String {
        let (route, _) = router.find(method.as_bytes(), path.as_bytes()).unwrap();
        format!("{} {}", route.name, route.pattern.as_str())
    }

    #[test]
    fn what_answers_in_an_environment() {
        let root = tempfile::tempdir().unwrap();
        fs::create_dir(root.path().join("other")).unwrap();
        let config = r#"{"aliases": [{"url-path": "/m/", "local-dir": "other"}],
            "routes": [{"method": "GET", "path": "/a.any.html", "handler": {"error": 410}}]}"#;
        let router = router(config, root.path(), None);
        for (method, path, expected) in [
            ("GET", "/tools/runner/index.html", "file /tools/runner/*"),
            ("POST", "/tools/runner/update_manifest.py", "python /tools/runner/update_manifest.py"),
            ("GET", "/tools/wpt", "error 404 /tools/*"),
            ("PUT", "/css/tools/x", "error 404 {spec}/tools/*"),
            ("GET", "/results/", "error 404 /results/"),
            ("GET", "/_certs/key", "error 404 /_certs/*"),
            ("GET", "/a.any.html", "error 410 /a.any.html"),
            ("HEAD", "/b.any.html", "any page *.any.html"),
            ("GET", "/b.any.worker.html", "worker page *.worker.html"),
            ("GET", "/b.any.worker.js", "worker script *.any.worker.js"),
            ("GET", "/m/b.window.html", "window page /m/*.window.html"),
            ("PUT", "/.well-known/web-identity", "python /.well-known/web-identity"),
            ("GET", "/.well-known/origin-policy", "file *"),
            ("GET", "/m/x", "file /m/*"),
            ("GET", "/x.asis", "asis *.asis"),
        ] {
            assert_eq!(answers(&router, method, path), expected, "{method} {path}");
        }
        assert!(router.rewrite(b"GET", b"/resources/WebIDLParser.js").is_some());
    }

    #[test]
    fn an_old_tree_has_the_routes_of_its_time() {
        let root = tempfile::tempdir().unwrap();
        for path in [".well-known/origin-policy", "resources/testharness.js"] {
            let path = root.path().join(path);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, "").unwrap();
        }
        let router = router("{}", root.path(), None);
        assert_eq!(answers(&router, "GET", "/x.extension.html"), "file *");
        assert_eq!(answers(&router, "GET", "/x.any.html"), "any page *.any.html");
        assert_eq!(
            answers(&router, "GET", "/.well-known/origin-policy"),
            "python /.well-known/origin-policy"
        );
    }

    #[test]
    fn a_script_goes_into_directories_only() {
        let root = tempfile::tempdir().unwrap();
        fs::write(root.path().join("x.html"), "").unwrap();
        let config = r#"{"aliases": [{"url-path": "/f.html", "local-dir": "."}],
            "routes": [{"method": "GET", "path": "/r", "handler": "file"}]}"#;
        let router = router(config, root.path(), Some(b"x()"));
        let injects =
            |path: &str| router.find(b"GET", path.as_bytes()).unwrap().0.injection.is_some();
        assert!(injects("/x.html") && injects("/x.any.html") && injects("/x.py"));
        assert!(!injects("/f.html") && !injects("/r") && !injects("/tools/runner/index.html"));
    }
}

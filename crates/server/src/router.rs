//! Which handler answers a request.

use std::{borrow::Cow, collections::HashMap, fmt, path::Path, sync::Arc};

use proto::route::{Pattern, RouteMatch};

use crate::{Error, Handler, Request, injection::Injection};

/// The method of a route.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Method {
    /// Any method.
    Any,
    /// This method, case-sensitive; GET also answers HEAD.
    Named(Vec<u8>),
}

impl Method {
    /// The method of that name; `*` is any.
    pub fn new(name: &str) -> Self {
        if name == "*" { Self::Any } else { Self::Named(name.as_bytes().to_vec()) }
    }

    /// Whether a route of this method answers a request's.
    pub fn matches(&self, method: &[u8]) -> bool {
        match self {
            Self::Any => true,
            Self::Named(name) => name == method || (name == b"GET" && method == b"HEAD"),
        }
    }
}

impl fmt::Display for Method {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Any => f.write_str("*"),
            Self::Named(name) => write!(f, "{}", name.escape_ascii()),
        }
    }
}

/// One route: what it matches, and what answers.
pub struct Route {
    /// The method.
    pub method: Method,
    /// The pattern of the decoded path.
    pub pattern: Pattern,
    /// What people call the handler, such as `file`.
    pub name: String,
    /// What answers.
    pub handler: Arc<dyn Handler>,
    /// Where it leads to when that is not the document root.
    pub mount: Option<Mount>,
    /// What it puts into HTML responses.
    pub injection: Option<Arc<Injection>>,
}

impl Route {
    /// A route below the document root.
    pub fn new(
        method: Method,
        pattern: &str,
        name: &str,
        handler: Arc<dyn Handler>,
    ) -> Result<Self, Error> {
        let pattern = Pattern::compile(pattern).map_err(|error| Error::Route {
            pattern: pattern.to_owned(),
            reason: error.to_string(),
        })?;
        Ok(Self { method, pattern, name: name.to_owned(), handler, mount: None, injection: None })
    }

    /// The same route to a place of its own.
    #[must_use]
    pub fn mounted(self, mount: Option<Mount>) -> Self {
        Self { mount, ..self }
    }

    /// The same route with a script for its HTML responses.
    #[must_use]
    pub fn injecting(self, injection: Option<Arc<Injection>>) -> Self {
        Self { injection, ..self }
    }
}

/// A place outside of the document root that a route leads to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mount {
    /// The prefix of the URL path that stands for the directory.
    pub url_base: String,
    /// The directory; the document root when absent.
    pub base_path: Option<Arc<Path>>,
}

/// The handlers of files.
#[derive(Clone)]
pub struct FileHandlers {
    /// For Python files.
    pub python: Arc<dyn Handler>,
    /// For `.asis` files.
    pub as_is: Arc<dyn Handler>,
    /// For all other files, and for directories.
    pub files: Arc<dyn Handler>,
}

impl FileHandlers {
    /// The routes of a directory of tests below a URL path, `/` or one that ends in `/`: Python
    /// files for any method, `.asis` files and all other files for GET.
    pub fn routes(&self, below: &str) -> Result<[Route; 3], Error> {
        // As the reference writes them; the slash before a pattern is optional.
        let below = if below == "/" { "" } else { below };
        let route = |method, pattern, name, handler: &Arc<dyn Handler>| {
            let pattern = format!("{below}{pattern}");
            Route::new(Method::new(method), &pattern, name, Arc::clone(handler))
        };
        Ok([
            route("*", "*.py", "python", &self.python)?,
            route("GET", "*.asis", "asis", &self.as_is)?,
            route("GET", "*", "file", &self.files)?,
        ])
    }
}

/// A rule that replaces a request's path before it is routed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RewriteRule {
    /// The methods, case-sensitive; `*` is any. GET does not stand for HEAD here.
    pub methods: Vec<Vec<u8>>,
    /// The raw path.
    pub from: Vec<u8>,
    /// The path instead; it may bring a query.
    pub to: Vec<u8>,
}

/// Rewrites, and routes in order; the first that matches the method and the decoded path answers.
#[derive(Default)]
pub struct Router {
    rewrites: Vec<RewriteRule>,
    /// Positions in `rewrites`. As in the reference the first rule of a path is its only one.
    rewrites_by_path: HashMap<Vec<u8>, usize>,
    routes: Vec<Route>,
    /// Each handler of the routes once.
    handlers: Vec<Arc<dyn Handler>>,
}

impl Router {
    /// The routes of a bare server.
    pub fn with_default_routes(handlers: &FileHandlers) -> Result<Self, Error> {
        let mut router = Self::default();
        router.extend(handlers.routes("/")?);
        Ok(router)
    }

    /// Adds a route behind the others.
    pub fn push(
        &mut self,
        method: Method,
        pattern: &str,
        handler: Arc<dyn Handler>,
    ) -> Result<(), Error> {
        self.add(Route::new(method, pattern, "handler", handler)?);
        Ok(())
    }

    /// Adds a route behind the others.
    pub fn add(&mut self, route: Route) {
        if !self.handlers.iter().any(|handler| Arc::ptr_eq(handler, &route.handler)) {
            self.handlers.push(Arc::clone(&route.handler));
        }
        self.routes.push(route);
    }

    /// Adds a route before all others.
    pub fn add_first(&mut self, route: Route) {
        self.add(route);
        self.routes.rotate_right(1);
    }

    /// Adds routes behind the others.
    pub fn extend(&mut self, routes: impl IntoIterator<Item = Route>) {
        for route in routes {
            self.add(route);
        }
    }

    /// Adds a rewrite; it does nothing when its path has one already.
    pub fn add_rewrite(&mut self, rule: RewriteRule) {
        self.rewrites_by_path.entry(rule.from.clone()).or_insert(self.rewrites.len());
        self.rewrites.push(rule);
    }

    /// The routes in order.
    pub fn routes(&self) -> &[Route] {
        &self.routes
    }

    /// The rewrites in the order in which they were added.
    pub fn rewrites(&self) -> &[RewriteRule] {
        &self.rewrites
    }

    /// Tells every handler that the I/O thread is about to wait.
    pub(crate) fn flush(&self) {
        for handler in &self.handlers {
            handler.flush();
        }
    }

    /// The rewrite that a request with this method and raw path meets.
    pub fn rewrite(&self, method: &[u8], path: &[u8]) -> Option<&RewriteRule> {
        if self.rewrites.is_empty() {
            return None;
        }
        let rule = &self.rewrites[*self.rewrites_by_path.get(path)?];
        rule.methods.iter().any(|name| name == method || name == b"*").then_some(rule)
    }

    /// The first route that matches a method and a decoded path.
    pub fn find(&self, method: &[u8], path: &[u8]) -> Option<(&Route, RouteMatch)> {
        self.routes
            .iter()
            .filter(|route| route.method.matches(method))
            .find_map(|route| Some((route, route.pattern.matches(path)?)))
    }

    /// The handler for a request, which is rewritten and whose `route_match` is set; `None` when
    /// no route matches.
    pub fn route(&self, request: &mut Request) -> Option<&Arc<dyn Handler>> {
        if let Some(rule) = self.rewrite(&request.head.method, &request.head.target.path) {
            request.set_path(&rule.to);
        }
        let (route, matched) = self.find(&request.head.method, request.path())?;
        request.route_match = Some(matched);
        request.injection.clone_from(&route.injection);
        if let Some(mount) = &route.mount {
            request.url_base = Cow::Owned(mount.url_base.clone());
            request.base_path.clone_from(&mount.base_path);
        }
        Some(&route.handler)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ErrorHandler;

    fn router() -> Router {
        let handler = || -> Arc<dyn Handler> {
            Arc::new(ErrorHandler { status: 500, message: String::new() })
        };
        let handlers = FileHandlers { python: handler(), as_is: handler(), files: handler() };
        Router::with_default_routes(&handlers).unwrap()
    }

    #[test]
    fn default_routes_go_by_ending_and_method() {
        let router = router();
        let name = |method: &[u8], path: &[u8]| {
            router.find(method, path).map(|(route, _)| route.name.as_str())
        };
        assert_eq!(name(b"PUT", b"/a/b.py"), Some("python"));
        assert_eq!(name(b"HEAD", b"/a.asis"), Some("asis"));
        assert_eq!(name(b"GET", b"/"), Some("file"));
        assert_eq!(name(b"get", b"/a.py"), Some("python"));
        assert_eq!(name(b"POST", b"/a.asis"), None);
    }

    #[test]
    fn the_first_rewrite_of_a_path_is_its_only_one() {
        let mut router = router();
        let rule = |method: &str, from: &str, to: &str| RewriteRule {
            methods: vec![method.into()],
            from: from.into(),
            to: to.into(),
        };
        router.add_rewrite(rule("GET", "/a", "/b"));
        router.add_rewrite(rule("*", "/a", "/c"));
        router.add_rewrite(rule("*", "/d", "/e"));
        let to = |method: &[u8], path: &[u8]| {
            router.rewrite(method, path).map(|rule| String::from_utf8(rule.to.clone()).unwrap())
        };
        assert_eq!(to(b"GET", b"/a"), Some("/b".to_owned()));
        assert_eq!(to(b"HEAD", b"/a"), None);
        assert_eq!(to(b"X", b"/d"), Some("/e".to_owned()));
        assert_eq!(to(b"GET", b"/a/"), None);
    }
}

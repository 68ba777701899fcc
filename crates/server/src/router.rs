//! Which handler answers a request.

use std::{borrow::Cow, path::Path, sync::Arc};

use proto::route::Pattern;

use crate::{Error, Handler, Request};

/// The method of a route.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Method {
    /// Any method.
    Any,
    /// This method, case-sensitive; GET also answers HEAD.
    Named(Vec<u8>),
}

impl Method {
    fn matches(&self, method: &[u8]) -> bool {
        match self {
            Self::Any => true,
            Self::Named(name) => name == method || (name == b"GET" && method == b"HEAD"),
        }
    }
}

struct Route {
    method: Method,
    pattern: Pattern,
    handler: Arc<dyn Handler>,
    mount: Option<Mount>,
}

/// A place outside of the document root that a route leads to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mount {
    /// The prefix of the URL path that stands for the directory.
    pub url_base: String,
    /// The directory.
    pub base_path: Arc<Path>,
}

/// Routes in order; the first that matches the method and the decoded path answers.
#[derive(Default)]
pub struct Router {
    routes: Vec<Route>,
}

impl Router {
    /// The routes of a bare server: Python files for any method, `.asis` files and all other
    /// files for GET.
    pub fn with_default_routes(
        python: Arc<dyn Handler>,
        as_is: Arc<dyn Handler>,
        files: Arc<dyn Handler>,
    ) -> Result<Self, Error> {
        let mut router = Self::default();
        let get = || Method::Named(b"GET".to_vec());
        router.push(Method::Any, "*.py", python)?;
        router.push(get(), "*.asis", as_is)?;
        router.push(get(), "*", files)?;
        Ok(router)
    }

    /// Adds a route behind the others.
    pub fn push(
        &mut self,
        method: Method,
        pattern: &str,
        handler: Arc<dyn Handler>,
    ) -> Result<(), Error> {
        let pattern = Pattern::compile(pattern).map_err(|error| Error::Route {
            pattern: pattern.to_owned(),
            reason: error.to_string(),
        })?;
        self.routes.push(Route { method, pattern, handler, mount: None });
        Ok(())
    }

    /// Adds a route in front of the others that leads to a directory of its own.
    pub fn mount(
        &mut self,
        method: Method,
        pattern: &str,
        handler: Arc<dyn Handler>,
        mount: Mount,
    ) -> Result<(), Error> {
        self.push(method, pattern, handler)?;
        if let Some(mut route) = self.routes.pop() {
            route.mount = Some(mount);
            self.routes.insert(0, route);
        }
        Ok(())
    }

    /// Tells every handler that the I/O thread is about to wait.
    pub(crate) fn flush(&self) {
        for route in &self.routes {
            route.handler.flush();
        }
    }

    /// The handler for a request, whose `route_match` is set; `None` when no route matches.
    pub fn route(&self, request: &mut Request) -> Option<&Arc<dyn Handler>> {
        self.routes.iter().find_map(|route| {
            if !route.method.matches(&request.head.method) {
                return None;
            }
            let matched = route.pattern.matches(request.path())?;
            request.route_match = Some(matched);
            if let Some(mount) = &route.mount {
                request.url_base = Cow::Owned(mount.url_base.clone());
                request.base_path = Some(Arc::clone(&mount.base_path));
            }
            Some(&route.handler)
        })
    }
}

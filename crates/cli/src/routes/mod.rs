//! `wptserve routes`: the routes in order, or what answers a URL and why.

mod explanation;
mod request;
mod text;

use std::{path::Path, sync::Arc};

use serde_json::{Value, json};
use server::{
    ErrorHandler, Router,
    files::{AsIsHandler, FileHandler},
    generated::KINDS,
    router::{FileHandlers, RewriteRule, Route},
};

use crate::{Exit, RoutesArguments, log, settings::Failure};
use explanation::Explanation;

/// Prints what is asked for.
pub fn routes(arguments: &RoutesArguments) -> Exit {
    match answer(arguments) {
        Ok(text) => {
            log::print(&text);
            Exit::Success
        }
        Err(failure) => failure.told(),
    }
}

fn answer(arguments: &RoutesArguments) -> Result<String, Failure> {
    let settings = arguments.source.settings()?;
    settings.warn();
    let handlers = FileHandlers {
        // It is never asked: no Python runs here.
        python: Arc::new(ErrorHandler { status: 501, message: String::new() }),
        as_is: Arc::new(AsIsHandler),
        files: Arc::new(FileHandler::default()),
    };
    let config = &settings.config;
    let router = if config.checkout.is_some() {
        config.environment_router(&handlers, &settings.doc_root, None)?
    } else {
        config.router(&handlers)?
    };
    let Some(url) = &arguments.url else {
        let root = &settings.doc_root;
        return Ok(if arguments.json {
            format!("{:#}\n", list(&router, root))
        } else {
            text::list(&router, root)
        });
    };
    let request = request::request(&settings, &arguments.method, url)
        .map_err(|message| Failure { exit: Exit::Usage, message })?;
    let explanation = Explanation::of(&router, request);
    Ok(if arguments.json {
        format!("{:#}\n", explanation.json())
    } else {
        text::explanation(&explanation)
    })
}

/// The list of routes, for programs.
fn list(router: &Router, root: &Path) -> Value {
    let entries: Vec<Value> = router.routes().iter().map(|route| route_json(route, root)).collect();
    let rewrites: Vec<Value> = router.rewrites().iter().map(rewrite_json).collect();
    json!({"doc_root": root.to_string_lossy(), "rewrites": rewrites, "routes": entries})
}

fn rewrite_json(rule: &RewriteRule) -> Value {
    let methods: Vec<_> = rule.methods.iter().map(|name| String::from_utf8_lossy(name)).collect();
    json!({
        "methods": methods,
        "from": String::from_utf8_lossy(&rule.from),
        "to": String::from_utf8_lossy(&rule.to),
    })
}

fn route_json(route: &Route, root: &Path) -> Value {
    json!({
        "method": route.method.to_string(),
        "pattern": route.pattern.as_str(),
        "handler": route.name,
        "directory": directory(route, root).map(Path::to_string_lossy),
        "url_base": directory(route, root).map(|_| url_base(route)),
    })
}

/// The directory that a route leads to, if its handler has one.
fn directory<'a>(route: &'a Route, root: &'a Path) -> Option<&'a Path> {
    let mounted = route.mount.as_ref().and_then(|mount| mount.base_path.as_deref());
    let name = route.name.as_str();
    let reads_files = FILE_HANDLERS.contains(&name) || KINDS.iter().any(|kind| kind.name == name);
    reads_files.then(|| mounted.unwrap_or(root))
}

fn url_base(route: &Route) -> &str {
    route.mount.as_ref().map_or("/", |mount| &mount.url_base)
}

/// The names of the handlers that read files, beside those that generate pages.
const FILE_HANDLERS: [&str; 3] = ["file", "python", "asis"];

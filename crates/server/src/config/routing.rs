//! The keys that say what answers a URL: `routes`, `rewrites` and `aliases`.

use std::{path::PathBuf, sync::Arc};

use proto::Pattern;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::{Config, route_handler::RouteHandler};
use crate::{
    Error, Router,
    router::{FileHandlers, Method, Mount, RewriteRule, Route},
};

/// One entry of the `aliases` key.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Alias {
    /// The URL path: a directory when it ends in `/`, else one file.
    #[serde(rename = "url-path")]
    pub url_path: String,
    /// The directory that answers below it, or that has the file.
    #[serde(rename = "local-dir")]
    pub local_dir: String,
}

/// One entry of the `rewrites` key.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(expecting = "[METHOD or METHODS, PATH, NEW PATH]")]
pub struct Rewrite(
    /// The methods; GET does not stand for HEAD.
    pub Methods,
    /// The raw path.
    pub String,
    /// The path instead.
    pub String,
);

/// A method or several; `*` is any.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(untagged, expecting = "a method or an array of methods is expected")]
pub enum Methods {
    /// One method.
    One(String),
    /// Each of these.
    Several(Vec<String>),
}

/// One entry of the `routes` key.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RouteEntry {
    /// The methods.
    pub method: Methods,
    /// The pattern of the decoded path.
    pub path: String,
    /// What answers.
    pub handler: RouteHandler,
    /// The directory in place of the document root.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub base_path: Option<String>,
    /// The prefix of the URL path that stands for the directory; `/` when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub url_base: Option<String>,
}

impl Methods {
    fn names(&self) -> &[String] {
        match self {
            Self::One(name) => std::slice::from_ref(name),
            Self::Several(names) => names,
        }
    }

    fn check(&self, key: &str) -> Result<(), String> {
        if self.names().is_empty() {
            return Err(format!("`{key}` is empty; a method or \"*\" is expected"));
        }
        let is_token = |name: &str| {
            let token =
                |byte: u8| byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte);
            !name.is_empty() && name.bytes().all(token)
        };
        match self.names().iter().find(|name| !is_token(name)) {
            Some(name) => Err(format!("`{key}` has `{name}`, which is no method")),
            None => Ok(()),
        }
    }
}

impl Config {
    /// The router that the configuration describes: its routes, then what its aliases mount, the
    /// later ones first, then the document root.
    pub fn router(&self, files: &FileHandlers) -> Result<Router, Error> {
        self.assembled(files, Vec::new(), &|below| Ok(files.routes(below)?.into()))
    }

    /// A router with `first` ahead of the configuration's routes, and for each directory what
    /// `directory` says of its URL path.
    pub(super) fn assembled(
        &self,
        files: &FileHandlers,
        first: Vec<Route>,
        directory: &dyn Fn(&str) -> Result<Vec<Route>, Error>,
    ) -> Result<Router, Error> {
        let mut router = Router::default();
        router.extend(first);
        for Rewrite(methods, from, to) in &self.rewrites {
            router.add_rewrite(RewriteRule {
                methods: methods.names().iter().map(|name| name.clone().into_bytes()).collect(),
                from: from.clone().into_bytes(),
                to: to.clone().into_bytes(),
            });
        }
        for entry in &self.routes {
            let handler = entry.handler.handler(files);
            let mount = (entry.base_path.is_some() || entry.url_base.is_some()).then(|| Mount {
                url_base: entry.url_base.clone().unwrap_or_else(|| "/".to_owned()),
                base_path: entry.base_path.as_ref().map(|path| self.directory(path).into()),
            });
            for method in entry.method.names() {
                let (method, handler) = (Method::new(method), Arc::clone(&handler));
                let route = Route::new(method, &entry.path, &entry.handler.name(), handler)?;
                router.add(route.mounted(mount.clone()));
            }
        }
        // As in the reference: a second mount of the same URL takes the place of the first.
        let mut mounts = vec![("/".to_owned(), directory("/")?)];
        for alias in &self.aliases {
            let (url, mounted) = self.mounted(alias, files, directory)?;
            match mounts.iter_mut().find(|(other, _)| *other == url) {
                Some(mount) => mount.1 = mounted,
                None => mounts.push((url, mounted)),
            }
        }
        for (_, routes) in mounts.into_iter().rev() {
            router.extend(routes);
        }
        Ok(router)
    }

    /// Where an alias is mounted, and its routes.
    fn mounted(
        &self,
        alias: &Alias,
        files: &FileHandlers,
        directory: &dyn Fn(&str) -> Result<Vec<Route>, Error>,
    ) -> Result<(String, Vec<Route>), Error> {
        let base_path = Some(self.directory(&alias.local_dir).into());
        let (url, url_base, routes) = if alias.url_path.ends_with('/') {
            let url = directory_url(&alias.url_path);
            (url.clone(), url.clone(), directory(&url)?)
        } else {
            let url = alias.url_path.clone();
            let folder = url.rfind('/').map_or("/", |slash| &url[..=slash]).to_owned();
            let handler = Arc::clone(&files.files);
            let route = Route::new(Method::new("GET"), &url, "file", handler)?;
            (url, folder, vec![route])
        };
        let mount = Mount { url_base, base_path };
        Ok((url, routes.into_iter().map(|route| route.mounted(Some(mount.clone()))).collect()))
    }

    /// A directory that the configuration names.
    fn directory(&self, path: &str) -> PathBuf {
        let path = self.folders.find(path);
        path.canonicalize().unwrap_or(path)
    }

    /// Refuses what cannot be served: paths, patterns and directories.
    pub(super) fn check_routing(&self) -> Result<(), String> {
        for (number, alias) in self.aliases.iter().enumerate() {
            let key = format!("aliases[{number}]");
            check_path(&format!("{key}.url-path"), &alias.url_path)?;
            let pattern = match &alias.url_path {
                directory if directory.ends_with('/') => format!("{}*", directory_url(directory)),
                file => file.clone(),
            };
            check_pattern(&format!("{key}.url-path"), &pattern)?;
            self.check_directory(&format!("{key}.local-dir"), &alias.local_dir)?;
        }
        for (number, Rewrite(methods, from, to)) in self.rewrites.iter().enumerate() {
            methods.check(&format!("rewrites[{number}][0]"))?;
            check_path(&format!("rewrites[{number}][1]"), from)?;
            if from.contains(['?', '#']) {
                return Err(format!(
                    "`rewrites[{number}][1]` is `{from}`; a path without a query is expected"
                ));
            }
            check_path(&format!("rewrites[{number}][2]"), to)?;
        }
        for (number, entry) in self.routes.iter().enumerate() {
            self.check_route(&format!("routes[{number}]"), entry)?;
        }
        Ok(())
    }

    fn check_route(&self, key: &str, entry: &RouteEntry) -> Result<(), String> {
        entry.method.check(&format!("{key}.method"))?;
        if entry.path.is_empty() {
            return Err(format!("`{key}.path` is empty; a pattern such as `/x/*` is expected"));
        }
        check_pattern(&format!("{key}.path"), &entry.path)?;
        let settings = [("base_path", &entry.base_path), ("url_base", &entry.url_base)];
        if let Some((name, _)) = settings.iter().find(|(_, value)| value.is_some())
            && !entry.handler.reads_files()
        {
            return Err(format!("`{key}.{name}` has no meaning for a handler that reads no files"));
        }
        if let Some(directory) = &entry.base_path {
            self.check_directory(&format!("{key}.base_path"), directory)?;
        }
        match &entry.url_base {
            Some(url_base) if !url_base.starts_with('/') || !url_base.ends_with('/') => {
                Err(format!("`{key}.url_base` is `{url_base}`; it must start and end with `/`"))
            }
            _ => Ok(()),
        }
    }

    fn check_directory(&self, key: &str, path: &str) -> Result<(), String> {
        let directory = self.folders.find(path);
        let reason = match directory.metadata() {
            _ if path.is_empty() => "a directory is expected".to_owned(),
            Ok(metadata) if metadata.is_dir() => return Ok(()),
            Ok(_) => format!("{} is no directory", directory.display()),
            Err(error) => format!("{}: {error}", directory.display()),
        };
        Err(format!("`{key}` is `{path}`; {reason}"))
    }
}

/// Refuses entries that are no objects: a type would read its fields off an array.
pub(super) fn check_entries(config: &Value) -> Result<(), String> {
    for (list, keys) in [("aliases", "url-path, local-dir"), ("routes", "method, path, handler")] {
        let entries = config[list].as_array().into_iter().flatten();
        if let Some((number, entry)) = entries.enumerate().find(|(_, entry)| !entry.is_object()) {
            return Err(format!(
                "`{list}[{number}]` is {entry}; a JSON object is expected, with {keys}"
            ));
        }
    }
    Ok(())
}

/// A directory's URL path with one slash at its start and one at its end.
fn directory_url(path: &str) -> String {
    match path.trim_matches('/') {
        "" => "/".to_owned(),
        inner => format!("/{inner}/"),
    }
}

fn check_path(key: &str, path: &str) -> Result<(), String> {
    if !path.starts_with('/') {
        return Err(format!("`{key}` is `{path}`; it must start with `/`"));
    }
    match path.chars().find(|c| c.is_control() || *c == ' ') {
        Some(wrong) => Err(format!("`{key}` has {wrong:?}; write it percent-encoded")),
        None => Ok(()),
    }
}

fn check_pattern(key: &str, pattern: &str) -> Result<(), String> {
    Pattern::compile(pattern).map(|_| ()).map_err(|error| format!("`{key}`: {error}"))
}

#[cfg(test)]
mod tests {
    use std::{fs, path::Path};

    use serde_json::json;

    use super::*;
    use crate::{ErrorHandler, Handler};

    fn files() -> FileHandlers {
        let handler = || -> Arc<dyn Handler> {
            Arc::new(ErrorHandler { status: 500, message: String::new() })
        };
        FileHandlers { python: handler(), as_is: handler(), files: handler() }
    }

    /// The routes as `method pattern name url_base base_path`, the last within `folder`.
    fn routes(config: &str, folder: &Path) -> Vec<String> {
        let (config, _) = Config::default().parse_over(config, folder).unwrap();
        let folder = folder.canonicalize().unwrap();
        let shown = |route: &Route| {
            let mut text = format!("{} {} {}", route.method, route.pattern.as_str(), route.name);
            if let Some(Mount { url_base, base_path }) = &route.mount {
                let path = base_path.as_ref().map(|path| path.strip_prefix(&folder).unwrap());
                text = format!("{text} {url_base} {}", path.unwrap_or(Path::new("-")).display());
            }
            text
        };
        config.router(&files()).unwrap().routes().iter().map(shown).collect()
    }

    #[test]
    fn routes_come_first_then_the_last_alias_then_the_document_root() {
        let folder = tempfile::tempdir().unwrap();
        fs::create_dir(folder.path().join("one")).unwrap();
        fs::create_dir(folder.path().join("two")).unwrap();
        let config = r#"{
            "aliases": [{"url-path": "/a//", "local-dir": "one"},
                        {"url-path": "/lib/x.js", "local-dir": "two"}],
            "routes": [{"method": ["PUT", "GET"], "path": "/s", "handler": {"error": 418}},
                       {"method": "*", "path": "/p/*", "handler": "python", "url_base": "/p/",
                        "base_path": "two"},
                       {"method": "GET", "path": "/q/*", "handler": "file", "url_base": "/q/"}]
        }"#;
        assert_eq!(
            routes(config, folder.path()),
            [
                "PUT /s error 418",
                "GET /s error 418",
                "* /p/* python /p/ two",
                "GET /q/* file /q/ -",
                "GET /lib/x.js file /lib/ two",
                "* /a/*.py python /a/ one",
                "GET /a/*.asis asis /a/ one",
                "GET /a/* file /a/ one",
                "* *.py python",
                "GET *.asis asis",
                "GET * file",
            ]
        );
    }

    #[test]
    fn an_alias_of_the_root_replaces_the_document_root_and_stays_last() {
        let folder = tempfile::tempdir().unwrap();
        fs::create_dir(folder.path().join("one")).unwrap();
        let config = r#"{"aliases": [{"url-path": "/f", "local-dir": "one"},
                                     {"url-path": "/", "local-dir": "one"}]}"#;
        assert_eq!(
            routes(config, folder.path()),
            [
                "GET /f file / one",
                "* *.py python / one",
                "GET *.asis asis / one",
                "GET * file / one"
            ]
        );
    }

    #[test]
    fn what_is_written_comes_back() {
        let rewrites = json!([["GET", "/a", "/b"], [["PUT", "POST"], "/c", "/d?e"]]);
        let read: Vec<Rewrite> = serde_json::from_value(rewrites.clone()).unwrap();
        assert_eq!(serde_json::to_value(read).unwrap(), rewrites);
    }

    #[test]
    fn what_has_no_meaning_is_refused_by_its_key() {
        let wrong =
            |text: &str| Config::default().parse_over(text, Path::new("/nowhere")).unwrap_err();
        assert_eq!(
            wrong(r#"{"aliases": [{"url-path": "x/", "local-dir": "."}]}"#),
            "`aliases[0].url-path` is `x/`; it must start with `/`"
        );
        assert_eq!(
            wrong(r#"{"rewrites": [["GET", "/a?b", "/c"]]}"#),
            "`rewrites[0][1]` is `/a?b`; a path without a query is expected"
        );
        assert_eq!(
            wrong(r#"{"routes": [{"method": [], "path": "/", "handler": "file"}]}"#),
            "`routes[0].method` is empty; a method or \"*\" is expected"
        );
    }
}

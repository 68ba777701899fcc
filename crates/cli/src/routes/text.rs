//! The routes, or an explanation, as text for people.

use std::{fmt::Write as _, path::Path};

use server::{
    Router,
    router::{RewriteRule, Route},
};

use super::{
    directory,
    explanation::{Answer, Explanation, Kind, Place},
};

/// The list of routes as a table, below the rewrites if there are any.
pub(super) fn list(router: &Router, root: &Path) -> String {
    let mut text = String::new();
    for rule in router.rewrites() {
        // Writing to a String cannot fail.
        let _ = writeln!(text, "rewrite {}", rewrite(rule));
    }
    if !router.rewrites().is_empty() {
        text.push('\n');
    }
    let mut rows = vec![["METHOD", "PATTERN", "HANDLER", "DIRECTORY"].map(str::to_owned)];
    rows.extend(router.routes().iter().map(|route| {
        let directory = directory(route, root);
        [
            route.method.to_string(),
            route.pattern.as_str().to_owned(),
            route.name.clone(),
            directory.map_or("-".to_owned(), |directory| directory.display().to_string()),
        ]
    }));
    let width = |column: usize| rows.iter().map(|row| row[column].chars().count()).max();
    let [method, pattern, handler] = [0, 1, 2].map(|column| width(column).unwrap_or_default());
    for [m, p, h, directory] in &rows {
        let _ = writeln!(text, "{m:method$}  {p:pattern$}  {h:handler$}  {directory}");
    }
    text
}

fn rewrite(rule: &RewriteRule) -> String {
    let methods: Vec<_> = rule.methods.iter().map(|name| String::from_utf8_lossy(name)).collect();
    format!(
        "{} {} to {}",
        methods.join(", "),
        String::from_utf8_lossy(&rule.from),
        String::from_utf8_lossy(&rule.to)
    )
}

/// What answers a URL, a line for each step.
pub(super) fn explanation(explanation: &Explanation<'_>) -> String {
    let Explanation { method, target, routes, .. } = explanation;
    let mut lines = Lines(format!("{method} {target}\n\n"));
    if let Some(rule) = explanation.rewrite {
        lines.add("rewrite", &rewrite(rule));
    }
    lines.add("path", &explanation.path);
    for (number, route) in &explanation.passed {
        lines
            .add("passed over", &format!("{number}: {}, for the method is {method}", shown(route)));
    }
    match explanation.route {
        Some((number, route)) => {
            lines.add("route", &format!("{number} of {routes}: {}", shown(route)));
        }
        None => lines.add("route", &format!("none of {routes} matches the path and the method")),
    }
    if let Some(place) = &explanation.place {
        lines.place(place);
    }
    for (number, pipe) in (1..).zip(&explanation.pipes) {
        let problem = pipe.problem.as_ref().map(|problem| format!(": {problem}"));
        let text = format!(
            "{number}. {} (from the {}){}",
            pipe.call,
            pipe.origin,
            problem.unwrap_or_default()
        );
        lines.add("pipes", &text);
    }
    lines.add("answer", &answer(&explanation.answer));
    lines.0
}

fn shown(route: &Route) -> String {
    let Route { method, pattern, name, .. } = route;
    format!("{method} {}, handler {name}", pattern.as_str())
}

fn answer(answer: &Answer) -> String {
    match answer {
        Answer::Known { status, content_type, length, message } => {
            let mut text = status.to_string();
            // Writing to a String cannot fail.
            if let Some(content_type) = content_type {
                let _ = write!(text, " {content_type}");
            }
            if let Some(length) = length.filter(|_| *status < 300) {
                let _ = write!(text, ", {length} byte{}", if length == 1 { "" } else { "s" });
            }
            if let Some(message) = message {
                let _ = write!(text, ", {message}");
            }
            text
        }
        Answer::Handler => "what main(request, response) of the file returns".to_owned(),
        Answer::AsIs => "the bytes of the file; then the connection closes".to_owned(),
    }
}

struct Lines(String);

impl Lines {
    /// Adds a line with a label, which is said once for lines in a row.
    fn add(&mut self, label: &str, text: &str) {
        let last = self.0.lines().rev().find(|line| !line.starts_with(' ')).unwrap_or_default();
        let shown = if last.starts_with(&format!("{label:LABEL$}")) { "" } else { label };
        // A control character of a path would garble the terminal.
        let text = text.replace(char::is_control, "\u{fffd}");
        // Writing to a String cannot fail.
        let _ = writeln!(self.0, "{shown:LABEL$}{text}");
    }

    fn place(&mut self, place: &Place) {
        self.add("directory", &place.directory.display().to_string());
        let path = place.path.as_ref().map(|path| path.display().to_string()).unwrap_or_default();
        self.add(
            "file",
            &match place.kind {
                Kind::File => path,
                Kind::Directory => format!("{path}, a directory"),
                Kind::Special => format!("{path}, no regular file"),
                Kind::Missing => format!("{path}, which does not exist"),
                Kind::Forbidden => "none: the path has `..`, a NUL or a second slash".to_owned(),
            },
        );
        match place.template {
            Some("html") => self.add("template", "yes; values are escaped for HTML"),
            Some(_) => self.add("template", "yes; values are as they are"),
            None => {}
        }
        for file in &place.headers_files {
            self.add("headers", &file.display().to_string());
        }
    }
}

/// The width of labels.
const LABEL: usize = 13;

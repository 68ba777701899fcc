//! The page that lists a directory.

use std::cmp::Ordering;

use crate::html::escape;
use crate::percent::quote;

const HEADERS_SUFFIX: &[u8] = b".headers";

/// A file or directory in a listing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// The name in the file system, any bytes.
    pub name: Vec<u8>,
    /// Whether it is a directory, links followed.
    pub is_dir: bool,
}

/// The page for the directory at the raw path `url_path`, which ends with `/`.
///
/// It is the reference's page. Names are sorted, but `x.headers` goes to
/// the line of `x`. Everywhere but at the root the first line leads up. Names
/// are taken for UTF-8; where one is not, its link is still right.
pub fn render_listing(url_path: &[u8], mut entries: Vec<Entry>) -> String {
    entries.sort_by(|a, b| by_owner(&a.name, &b.name));
    let mut lines = Vec::with_capacity(entries.len() + 1);
    if url_path != b"/" {
        lines.push(format!(r#"<li class="dir"><a href="{}">..</a></li>"#, parent(url_path)));
    }
    let mut entries = entries.iter().peekable();
    while let Some(entry) = entries.next() {
        let headers = entries.next_if(|next| is_headers_of(&next.name, &entry.name));
        lines.push(line(entry, headers));
    }
    let title = latin_1(url_path);
    let title = escape(&title);
    format!(
        "<!doctype html>\n\
         <meta name=\"viewport\" content=\"width=device-width\">\n\
         <title>Directory listing for {title}</title>\n\
         <h1>Directory listing for {title}</h1>\n\
         <ul>\n\
         {}\n\
         </ul>\n",
        lines.join("\n")
    )
}

fn line(entry: &Entry, headers: Option<&Entry>) -> String {
    let (class, slash) = if entry.is_dir { ("dir", "/") } else { ("file", "") };
    let link = quote(&entry.name);
    let name = String::from_utf8_lossy(&entry.name);
    let name = escape(&name);
    let headers = headers.map_or_else(String::new, |headers| {
        format!(r#" (<a href="{}">.headers</a>)"#, quote(&headers.name))
    });
    format!(r#"<li class="{class}"><a href="{link}{slash}">{name}</a>{headers}</li>"#)
}

/// Orders `x.headers` right after `x`, before `x-y`.
fn by_owner(a: &[u8], b: &[u8]) -> Ordering {
    let owner = |name| strip_headers(name).unwrap_or(name);
    owner(a).cmp(owner(b)).then_with(|| a.cmp(b))
}

fn is_headers_of(name: &[u8], owner: &[u8]) -> bool {
    strip_headers(name) == Some(owner)
}

fn strip_headers(name: &[u8]) -> Option<&[u8]> {
    name.strip_suffix(HEADERS_SUFFIX)
}

/// Where `..` leads from `url_path`, as Python's `urljoin` has it: empty and
/// `.` segments do not count.
fn parent(url_path: &[u8]) -> String {
    let mut segments: Vec<&[u8]> = Vec::new();
    for segment in url_path.split(|&byte| byte == b'/') {
        match segment {
            b"" | b"." => {}
            b".." => {
                segments.pop();
            }
            other => segments.push(other),
        }
    }
    segments.pop();
    let mut link = String::from("/");
    for segment in segments {
        link.push_str(&latin_1(segment));
        link.push('/');
    }
    link
}

/// A raw path as text, each byte a character, as the reference reads it.
fn latin_1(bytes: &[u8]) -> String {
    bytes.iter().copied().map(char::from).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn file(name: &str) -> Entry {
        Entry { name: name.as_bytes().to_vec(), is_dir: false }
    }

    fn dir(name: &str) -> Entry {
        Entry { is_dir: true, ..file(name) }
    }

    fn lines(url_path: &[u8], entries: Vec<Entry>) -> Vec<String> {
        let page = render_listing(url_path, entries);
        page.lines().filter(|line| line.starts_with("<li")).map(ToOwned::to_owned).collect()
    }

    #[test]
    fn an_empty_root() {
        assert_eq!(
            render_listing(b"/", vec![]),
            "<!doctype html>\n<meta name=\"viewport\" content=\"width=device-width\">\n\
             <title>Directory listing for /</title>\n<h1>Directory listing for /</h1>\n\
             <ul>\n\n</ul>\n"
        );
    }

    #[test]
    fn a_whole_page() {
        let entries = vec![file("b.html"), dir("a & b"), file("b.html.headers")];
        assert_eq!(
            render_listing(b"/x'y/\xe9/", entries),
            concat!(
                "<!doctype html>\n",
                "<meta name=\"viewport\" content=\"width=device-width\">\n",
                "<title>Directory listing for /x&#x27;y/é/</title>\n",
                "<h1>Directory listing for /x&#x27;y/é/</h1>\n",
                "<ul>\n",
                "<li class=\"dir\"><a href=\"/x'y/\">..</a></li>\n",
                "<li class=\"dir\"><a href=\"a%20%26%20b/\">a &amp; b</a></li>\n",
                "<li class=\"file\"><a href=\"b.html\">b.html</a>",
                " (<a href=\"b.html.headers\">.headers</a>)</li>\n",
                "</ul>\n",
            )
        );
    }

    #[test]
    fn header_files_go_with_their_file() {
        let names = ["x-y", "x.headers", "x", "y.headers", ".headers", "x.headers.headers"];
        assert_eq!(
            lines(b"/", names.into_iter().map(file).collect()),
            [
                r#"<li class="file"><a href=".headers">.headers</a></li>"#,
                r#"<li class="file"><a href="x">x</a> (<a href="x.headers">.headers</a>)</li>"#,
                r#"<li class="file"><a href="x-y">x-y</a></li>"#,
                r#"<li class="file"><a href="x.headers.headers">x.headers.headers</a></li>"#,
                r#"<li class="file"><a href="y.headers">y.headers</a></li>"#,
            ]
        );
    }

    #[test]
    fn a_name_that_is_not_utf_8_keeps_its_link() {
        let entry = Entry { name: b"a\xff".to_vec(), is_dir: false };
        assert_eq!(
            lines(b"/", vec![entry]),
            ["<li class=\"file\"><a href=\"a%FF\">a\u{fffd}</a></li>"]
        );
    }

    #[test]
    fn the_way_up() {
        assert_eq!(parent(b"/a/"), "/");
        assert_eq!(parent(b"/a/b/"), "/a/");
        assert_eq!(parent(b"/a//b//"), "/a/");
        assert_eq!(parent(b"/a/./b/"), "/a/");
        assert_eq!(parent(b"/a%2fb/c%20;d/"), "/a%2fb/");
    }
}

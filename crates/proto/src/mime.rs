//! Content types of files.

/// The type of a file by its name, case-sensitively; without a known
/// extension `application/octet-stream`.
///
/// The extension is what Python's `os.path.splitext` finds: after the last dot
/// of the last path component, dots at its start not counted. So `.html` has
/// none, and `a.` and `a.HTML` are unknown.
pub fn content_type(file_name: &[u8]) -> &'static str {
    extension(file_name)
        .and_then(|extension| CONTENT_TYPES.iter().find(|(known, _)| known.as_bytes() == extension))
        .map_or("application/octet-stream", |&(_, content_type)| content_type)
}

fn extension(file_name: &[u8]) -> Option<&[u8]> {
    let base = file_name.rsplit(|&byte| byte == b'/').next().unwrap_or(file_name);
    let leading_dots = base.iter().take_while(|&&byte| byte == b'.').count();
    let stem = &base[leading_dots..];
    let dot = stem.iter().rposition(|&byte| byte == b'.')?;
    Some(&stem[dot + 1..])
}

/// Extensions and their types: the reference's table, to which tests are
/// written.
pub const CONTENT_TYPES: &[(&str, &str)] = &[
    ("json", "application/json"),
    ("wasm", "application/wasm"),
    ("xht", "application/xhtml+xml"),
    ("xhtm", "application/xhtml+xml"),
    ("xhtml", "application/xhtml+xml"),
    ("xml", "application/xml"),
    ("xpi", "application/x-xpinstall"),
    ("m4a", "audio/mp4"),
    ("mp3", "audio/mpeg"),
    ("oga", "audio/ogg"),
    ("weba", "audio/webm"),
    ("wav", "audio/x-wav"),
    ("avif", "image/avif"),
    ("bmp", "image/bmp"),
    ("gif", "image/gif"),
    ("jpg", "image/jpeg"),
    ("jpeg", "image/jpeg"),
    ("png", "image/png"),
    ("svg", "image/svg+xml"),
    ("manifest", "text/cache-manifest"),
    ("css", "text/css"),
    ("event_stream", "text/event-stream"),
    ("htm", "text/html"),
    ("html", "text/html"),
    ("js", "text/javascript"),
    ("mjs", "text/javascript"),
    ("txt", "text/plain"),
    ("md", "text/plain"),
    ("vtt", "text/vtt"),
    ("mp4", "video/mp4"),
    ("m4v", "video/mp4"),
    ("webm", "video/webm"),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn known_extensions() {
        assert_eq!(content_type(b"a.html"), "text/html");
        assert_eq!(content_type(b"/x.y/a.any.js"), "text/javascript");
        assert_eq!(content_type(b"a..mp4"), "video/mp4");
        assert_eq!(content_type(b"..a.svg"), "image/svg+xml");
        assert_eq!(content_type(b"\xe9.wasm"), "application/wasm");
        for &(extension, expected) in CONTENT_TYPES {
            assert_eq!(content_type(format!("f.{extension}").as_bytes()), expected);
        }
    }

    #[test]
    fn everything_else_is_octet_stream() {
        for name in [
            &b""[..],
            b"html",
            b"a.",
            b"a.HTML",
            b".html",
            b"..html",
            b"x/.html",
            b"a.html/",
            b"a.html/b",
            b"a.ogv",
        ] {
            assert_eq!(content_type(name), "application/octet-stream");
        }
    }
}

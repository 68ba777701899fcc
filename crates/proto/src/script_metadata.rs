//! `// META: key=value` comments at the start of a script.

use std::str::Utf8Error;

use thiserror::Error;

/// A comment's key or value is not UTF-8.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
#[error("line {line} is not UTF-8: {source}")]
pub struct MetadataError {
    /// The line's number, from 1 on.
    pub line: usize,
    /// What is wrong with it.
    source: Utf8Error,
}

/// The keys and values of the `// META:` comments of a script, in order, repeated ones too. They
/// end at the first line that is none.
///
/// Lines end with LF alone, so that a value of a file with CR LF ends with CR, as in the reference.
/// There may be white space before `META:` and before the key, but not around the `=`. A key
/// consists of ASCII letters, digits and `_`, and may be empty; a value may be any UTF-8.
pub fn script_metadata(script: &[u8]) -> impl Iterator<Item = Result<(&str, &str), MetadataError>> {
    let lines = (1..).zip(script.split(|&byte| byte == b'\n'));
    lines.map_while(|(line, text)| {
        let (key, value) = comment(text)?;
        let text = |bytes| str::from_utf8(bytes).map_err(|source| MetadataError { line, source });
        Some(text(key).and_then(|key| Ok((key, text(value)?))))
    })
}

/// The key and the value of one comment.
fn comment(line: &[u8]) -> Option<(&[u8], &[u8])> {
    let rest = skip_space(line.strip_prefix(b"//")?).strip_prefix(b"META:")?;
    let rest = skip_space(rest);
    let is_word = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_';
    let end = rest.iter().position(|&byte| !is_word(byte))?;
    let value = rest[end..].strip_prefix(b"=")?;
    Some((&rest[..end], value))
}

/// Why a script's comments do not say what they seem to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Loss {
    /// The line, from 1 on.
    pub line: usize,
    /// What is lost, and why.
    pub reason: &'static str,
    /// What to do.
    pub remedy: &'static str,
}

/// The first loss of a script's metadata: what hides a comment, or counts as a part of its value. A
/// `global` has its white space taken away.
pub fn lost_metadata(script: &[u8]) -> Option<Loss> {
    if let Some(script) = script.strip_prefix(BYTE_ORDER_MARK) {
        let first = script.split(|&byte| byte == b'\n').next().unwrap_or_default();
        return comment(first).map(|_| Loss {
            line: 1,
            reason: "the byte order mark at its start hides every // META: line",
            remedy: "save the file as UTF-8 without a byte order mark",
        });
    }
    let lines = (1..).zip(script.split(|&byte| byte == b'\n'));
    let mut comments = lines.map_while(|(line, text)| Some((line, comment(text)?)));
    comments.find_map(|(line, (key, value))| {
        let (reason, remedy) = match value.last() {
            _ if key == b"global" => return None,
            Some(b'\r') => (
                "its // META: line ends with CR LF, and CR is taken as a part of the value",
                "save the file with LF line ends",
            ),
            Some(b' ' | b'\t' | b'\x0b' | b'\x0c') => (
                "white space at the end of its // META: line is taken as a part of the value",
                "remove the white space",
            ),
            _ => return None,
        };
        Some(Loss { line, reason, remedy })
    })
}

const BYTE_ORDER_MARK: &[u8] = b"\xef\xbb\xbf";

fn skip_space(text: &[u8]) -> &[u8] {
    let is_space = |byte: u8| matches!(byte, b' ' | b'\t'..=b'\r');
    let start = text.iter().position(|&byte| !is_space(byte)).unwrap_or(text.len());
    &text[start..]
}

/// Whether a script whose `global` key has this value is a test in a scope, such as
/// `dedicatedworker`. Without that key, as with an empty value, it is one in `window` and
/// `dedicatedworker`.
pub fn is_exposed(global: &str, scope: &str) -> bool {
    if global.is_empty() {
        return DEFAULT_SCOPES.contains(&scope);
    }
    global.split(',').map(|keyword| keyword.trim_matches(is_python_space)).any(|keyword| {
        let several = SHORTHANDS.iter().find(|(name, _)| *name == keyword);
        several.map_or(keyword == scope, |(_, scopes)| scopes.contains(&scope))
    })
}

/// What Python's `str.strip()` takes away.
fn is_python_space(character: char) -> bool {
    character.is_whitespace() || ('\x1c'..='\x1f').contains(&character)
}

const DEFAULT_SCOPES: [&str; 2] = ["window", "dedicatedworker"];

/// Keywords that stand for several scopes. `worker` is none itself; `shadowrealm` was the only
/// shadow realm until 2025.
const SHORTHANDS: [(&str, &[&str]); 2] = [
    ("worker", &["dedicatedworker", "sharedworker", "serviceworker"]),
    (
        "shadowrealm",
        &[
            "shadowrealm",
            "shadowrealm-in-window",
            "shadowrealm-in-shadowrealm",
            "shadowrealm-in-dedicatedworker",
            "shadowrealm-in-sharedworker",
            "shadowrealm-in-serviceworker",
            "shadowrealm-in-audioworklet",
        ],
    ),
];

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn read(script: &[u8]) -> Vec<(&str, &str)> {
        script_metadata(script).collect::<Result<_, _>>().unwrap()
    }

    #[test]
    fn comments_end_at_the_first_other_line() {
        assert_eq!(
            read(b"// META: script=/a.js\n//META:title=a=b\n\n// META: timeout=long\n"),
            [("script", "/a.js"), ("title", "a=b")]
        );
        assert_eq!(read(b"// a comment\n// META: title=x"), []);
        assert_eq!(read(b"// META: title=x"), [("title", "x")]);
        assert_eq!(read(b""), []);
    }

    #[test]
    fn white_space_is_kept_where_the_reference_keeps_it() {
        assert_eq!(read(b"// META: timeout=long\r\n"), [("timeout", "long\r")]);
        assert_eq!(read(b"//\t META: \x0b a= b \n"), [("a", " b ")]);
        assert_eq!(read(b"// META: a =b"), []);
        assert_eq!(read(b" // META: a=b"), []);
        assert_eq!(read(b"// META: =b"), [("", "b")]);
        assert_eq!(read(b"// META: a-b=c"), []);
    }

    #[test]
    fn what_is_lost_is_told() {
        let line = |script: &[u8]| lost_metadata(script).map(|loss| (loss.line, loss.remedy));
        assert_eq!(line(b"// META: title=x\n// META: global=window \r\n\r\nx \n"), None);
        assert_eq!(line(b"\xef\xbb\xbfx();\n// META: title=x"), None);
        let (_, remedy) = line(b"\xef\xbb\xbf// META: title=x\n").unwrap();
        assert!(remedy.contains("byte order mark"));
        let (at, remedy) = line(b"// META: title=x\n// META: timeout=long\r\n").unwrap();
        assert!(at == 2 && remedy.contains("LF"));
        let (at, remedy) = line(b"// META: timeout=long \n").unwrap();
        assert!(at == 1 && remedy.contains("white space"));
    }

    #[test]
    fn a_line_that_is_no_utf_8_is_an_error_of_its_own() {
        let script = b"// META: title=\xc3\xa9\n// META: title=\xe9\n// META: a=b";
        let all: Vec<_> = script_metadata(script).collect();
        assert_eq!(all[0], Ok(("title", "é")));
        let error = all[1].as_ref().unwrap_err();
        assert_eq!(error.line, 2);
        assert!(error.to_string().starts_with("line 2 is not UTF-8"));
        assert_eq!(all[2], Ok(("a", "b")));
    }

    #[test]
    fn exposure() {
        assert!(is_exposed("", "window") && is_exposed("", "dedicatedworker"));
        assert!(!is_exposed("", "sharedworker"));
        assert!(is_exposed("window, worker", "serviceworker"));
        assert!(!is_exposed("window,worker", "worker"));
        assert!(!is_exposed("jsshell", "window") && !is_exposed("!window", "dedicatedworker"));
        assert!(is_exposed("shadowrealm\r", "shadowrealm-in-audioworklet"));
        assert!(is_exposed("window,shadowrealm", "shadowrealm"));
        assert!(!is_exposed("shadowrealm-in-window", "shadowrealm"));
        assert!(is_exposed("\u{3000}window-module\x1f", "window-module"));
        assert!(!is_exposed(",", "window") && !is_exposed("WINDOW", "window"));
    }

    proptest! {
        #[test]
        fn written_comments_come_back(
            pairs in prop::collection::vec(("[a-zA-Z0-9_]{0,5}", "[^\n]{0,9}"), 0..6),
            rest in "(\n|x|//)?",
        ) {
            let lines: Vec<_> =
                pairs.iter().map(|(key, value)| format!("// META: {key}={value}\n")).collect();
            let mut script = lines.concat();
            script.push_str(&rest);
            let expected: Vec<_> =
                pairs.iter().map(|(key, value)| (key.as_str(), value.as_str())).collect();
            prop_assert_eq!(read(script.as_bytes()), expected);
        }
    }
}

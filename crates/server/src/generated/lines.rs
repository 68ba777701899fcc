//! The lines that a script's `// META:` comments, or the script itself, bring into a page.

use proto::{
    front_matter::{FrontMatter, Negative},
    html::escape,
    script_metadata::{MetadataError, script_metadata},
};

use super::Edition;

/// What the comments of a script become in a page made from it.
#[derive(Debug, Clone, Copy)]
pub enum Lines {
    /// Elements: a timeout, a title, scripts.
    Elements,
    /// The same, but for scripts statements that import them into a realm.
    Realm,
    /// Elements, and what the front matter of test262 asks for.
    Test262,
    /// For a worker: statements that set the title and import scripts. What stands before and
    /// behind a script's URL there.
    Imports(&'static str, &'static str),
    /// The script itself.
    Source,
}

/// What stands for `@META@` and `@SCRIPT@`.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Made {
    pub(super) meta: String,
    pub(super) script: String,
}

impl Lines {
    /// The lines for a script in the file `name` of a tree. The error says what is wrong with the
    /// script.
    pub(super) fn of(self, script: &[u8], name: &[u8], edition: Edition) -> Result<Made, String> {
        let told = |error: MetadataError| error.to_string();
        let comments: Vec<_> = script_metadata(script).collect::<Result<_, _>>().map_err(told)?;
        let (mut meta, mut scripts) = match self {
            Self::Imports(..) | Self::Source => (Vec::new(), Vec::new()),
            Self::Elements | Self::Realm | Self::Test262 => {
                (comments.iter().filter_map(head_element).collect(), Vec::new())
            }
        };
        match self {
            Self::Elements => scripts.extend(comments.iter().filter_map(script_element)),
            Self::Realm => {
                let import = |url: &str| format!("await import(\"{url}\");");
                scripts.extend(values(&comments, "script").map(import));
            }
            Self::Imports(before, behind) => {
                scripts.extend(comments.iter().filter_map(|(key, value)| {
                    let value = value.replace('\\', "\\\\").replace('"', "\\\"");
                    match *key {
                        "script" => Some(format!("{before}{value}{behind}")),
                        "title" => Some(format!("self.META_TITLE = \"{value}\";")),
                        _ => None,
                    }
                }));
            }
            Self::Test262 => {
                scripts.extend(comments.iter().filter_map(script_element));
                let source = text(script)?;
                // Only tests have front matter that counts.
                let front_matter = (!name.ends_with(b"_FIXTURE.js"))
                    .then(|| FrontMatter::parse(&source))
                    .flatten()
                    .unwrap_or_default();
                test262(&front_matter, edition, &mut meta, &mut scripts);
            }
            Self::Source => scripts.push(text(script)?),
        }
        Ok(Made { meta: meta.join("\n"), script: scripts.join("\n") })
    }
}

/// The values of a key.
fn values<'a>(comments: &'a [(&str, &str)], key: &str) -> impl Iterator<Item = &'a str> {
    comments.iter().filter(move |(name, _)| *name == key).map(|(_, value)| *value)
}

fn head_element(&(key, value): &(&str, &str)) -> Option<String> {
    match (key, value) {
        ("timeout", "long") => Some("<meta name=\"timeout\" content=\"long\">".to_owned()),
        ("title", title) => {
            let title = title.replace('&', "&amp;").replace('<', "&lt;");
            Some(format!("<title>{title}</title>"))
        }
        _ => None,
    }
}

fn script_element(&(key, value): &(&str, &str)) -> Option<String> {
    let attribute = || value.replace('&', "&amp;").replace('"', "&quot;");
    (key == "script").then(|| format!("<script src=\"{}\"></script>", attribute()))
}

fn test262(
    front_matter: &FrontMatter,
    edition: Edition,
    meta: &mut Vec<String>,
    scripts: &mut Vec<String>,
) {
    if let Some(Negative { kind, phase }) = &front_matter.negative {
        // What is missing has the name of Python's nothing there.
        let named = |value: &Option<String>| value.clone().unwrap_or_else(|| "None".to_owned());
        let (kind, phase) = (named(kind), named(phase));
        if edition >= Edition::Newest {
            meta.push(format!("<script>test262Negative('{kind}', '{phase}')</script>"));
        } else {
            meta.push(format!("<script>test262NegativeType('{kind}')</script>"));
            meta.push(format!("<script>test262NegativePhase('{phase}')</script>"));
        }
    }
    let harness =
        |file: &str| format!("<script src=\"/third_party/test262/harness/{file}\"></script>");
    scripts.extend(front_matter.includes.iter().map(|file| harness(&escape(file))));
    if front_matter.is_async() {
        meta.push("<script>test262IsAsync(true)</script>".to_owned());
        scripts.push(harness("doneprintHandle.js"));
    }
}

/// A script as text, with all line ends made LF.
fn text(script: &[u8]) -> Result<String, String> {
    let text = str::from_utf8(script).map_err(|error| format!("it is not UTF-8: {error}"))?;
    Ok(text.replace("\r\n", "\n").replace('\r', "\n"))
}

#[cfg(test)]
mod tests {
    use super::*;

    const SCRIPT: &[u8] =
        b"// META: title=a\"<&\\\n// META: timeout=long\n// META: script=/x?a&\"\\\n\
        // META: quic=true\n// META: timeout=short\nx();\n";

    fn made(lines: Lines, script: &[u8]) -> (String, String) {
        let Made { meta, script } = lines.of(script, b"a.js", Edition::Newest).unwrap();
        (meta, script)
    }

    #[test]
    fn each_form_escapes_in_its_own_way() {
        let (meta, script) = made(Lines::Elements, SCRIPT);
        assert_eq!(meta, "<title>a\"&lt;&amp;\\</title>\n<meta name=\"timeout\" content=\"long\">");
        assert_eq!(script, "<script src=\"/x?a&amp;&quot;\\\"></script>");
        assert_eq!(made(Lines::Realm, SCRIPT), (meta, "await import(\"/x?a&\"\\\");".to_owned()));
        let (meta, script) = made(Lines::Imports("importScripts(\"", "\")"), SCRIPT);
        assert_eq!(
            (meta.as_str(), script.as_str()),
            ("", "self.META_TITLE = \"a\\\"<&\\\\\";\nimportScripts(\"/x?a&\\\"\\\\\")")
        );
    }

    #[test]
    fn test262_has_its_harness() {
        let script = b"/*---\nflags: [async]\nincludes: [a.js, \"b'.js\"]\nnegative:\n  \
            type: TypeError\n---*/";
        let (meta, script) = made(Lines::Test262, script);
        assert_eq!(
            meta,
            "<script>test262Negative('TypeError', 'None')</script>\n\
             <script>test262IsAsync(true)</script>"
        );
        assert_eq!(
            script,
            "<script src=\"/third_party/test262/harness/a.js\"></script>\n\
             <script src=\"/third_party/test262/harness/b&#x27;.js\"></script>\n\
             <script src=\"/third_party/test262/harness/doneprintHandle.js\"></script>"
        );
        let fixture = b"/*---\nflags: [async]\n---*/";
        let fixture = Lines::Test262.of(fixture, b"a_FIXTURE.js", Edition::Newest);
        assert_eq!(fixture, Ok(Made::default()));
    }

    #[test]
    fn a_negative_test_of_early_2026_has_a_call_for_its_error_and_one_for_its_phase() {
        let script = b"/*---\nnegative:\n  type: TypeError\n  phase: runtime\n---*/";
        let made = Lines::Test262.of(script, b"a.js", Edition::ShadowRealms).unwrap();
        assert_eq!(
            made.meta,
            "<script>test262NegativeType('TypeError')</script>\n\
             <script>test262NegativePhase('runtime')</script>"
        );
    }

    #[test]
    fn a_source_has_line_feeds() {
        assert_eq!(made(Lines::Source, b"a\r\nb\rc\n").1, "a\nb\nc\n");
        assert!(
            Lines::Source
                .of(b"\xff", b"a.js", Edition::Newest)
                .unwrap_err()
                .starts_with("it is not UTF-8")
        );
    }
}

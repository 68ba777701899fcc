//! The front matter of test262 tests: a comment with a little YAML.

/// What a test's front matter says to the page that runs it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct FrontMatter {
    /// `includes`: files of the harness.
    pub includes: Vec<String>,
    /// `flags`: such as `async`.
    pub flags: Vec<String>,
    /// `negative`: the error that is expected.
    pub negative: Option<Negative>,
}

/// The error that a test expects.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Negative {
    /// `type`: the name of its constructor.
    pub kind: Option<String>,
    /// `phase`: when it is thrown.
    pub phase: Option<String>,
}

impl FrontMatter {
    /// The front matter of a test: what stands between the first `/*---` and the last `---*/`.
    /// `None` when the source has none.
    ///
    /// Of YAML this reads what tests are written in: block mappings at the left margin, scalars
    /// plain or in quotes, lists and mappings in brackets (over several lines) or in lines of their
    /// own, folded and literal text, comments. What it does not know it passes over.
    pub fn parse(source: &str) -> Option<Self> {
        let start = source.find("/*---")? + "/*---".len();
        let end = start + source[start..].rfind("---*/")?;
        let mut front_matter = Self::default();
        for (key, value) in entries(source[start..end].trim()) {
            match key {
                "includes" => front_matter.includes = list(&value),
                "flags" => front_matter.flags = list(&value),
                "negative" => front_matter.negative = negative(&value),
                _ => {}
            }
        }
        Some(front_matter)
    }

    /// Whether the test ends with a signal of its own.
    pub fn is_async(&self) -> bool {
        self.flags.iter().any(|flag| flag == "async")
    }
}

/// The keys at the left margin, each with the lines of its value, the first one behind the colon.
fn entries(text: &str) -> Vec<(&str, Vec<&str>)> {
    let mut entries: Vec<(&str, Vec<&str>)> = Vec::new();
    for line in text.lines() {
        let is_inner = line.starts_with([' ', '\t', '-', ']', '}']) || line.is_empty();
        match (line.split_once(':'), entries.last_mut()) {
            (Some((key, value)), _) if !is_inner && !line.starts_with('#') => {
                entries.push((key.trim_end(), vec![without_comment(value).trim()]));
            }
            (_, Some((_, lines))) => lines.push(without_comment(line)),
            (_, None) => {}
        }
    }
    entries
}

/// A line without the comment at its end: a `#` at its start or behind white space.
fn without_comment(line: &str) -> &str {
    let mut before = ' ';
    for (at, character) in line.char_indices() {
        if character == '#' && matches!(before, ' ' | '\t') {
            return &line[..at];
        }
        before = character;
    }
    line
}

/// A list: `[a, b]`, or lines that begin with `-`. A scalar is no list.
fn list(lines: &[&str]) -> Vec<String> {
    match joined(lines).strip_prefix('[') {
        Some(inner) => {
            let inner = inner.split(']').next().unwrap_or_default();
            inner.split(',').map(scalar).filter(|item| !item.is_empty()).collect()
        }
        None => {
            lines.iter().filter_map(|line| line.trim().strip_prefix("- ")).map(scalar).collect()
        }
    }
}

/// A mapping: `{type: a, phase: b}`, or lines of `type: a`.
fn negative(lines: &[&str]) -> Option<Negative> {
    let joined = joined(lines);
    let pairs: Vec<&str> = match joined.strip_prefix('{') {
        Some(inner) => inner.split('}').next().unwrap_or_default().split(',').collect(),
        None => lines.iter().skip(1).copied().collect(),
    };
    let mut found = None;
    for (key, value) in pairs.into_iter().filter_map(|pair| pair.split_once(':')) {
        let negative: &mut Negative = found.get_or_insert_default();
        match key.trim() {
            "type" => negative.kind = Some(scalar(value)),
            "phase" => negative.phase = Some(scalar(value)),
            _ => {}
        }
    }
    found
}

/// A value as one line.
fn joined(lines: &[&str]) -> String {
    lines.iter().map(|line| line.trim()).collect::<Vec<_>>().join(" ").trim().to_owned()
}

/// A scalar without its quotes.
fn scalar(text: &str) -> String {
    let text = text.trim();
    let quoted = |quote: char| text.strip_prefix(quote)?.strip_suffix(quote);
    quoted('"').or_else(|| quoted('\'')).unwrap_or(text).to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn read(yaml: &str) -> FrontMatter {
        FrontMatter::parse(&format!("// Copyright\n/*---\n{yaml}\n---*/\nx();\n")).unwrap()
    }

    #[test]
    fn lists_in_both_forms() {
        let flow =
            read("description: a: b\nflags: [onlyStrict, async]\nincludes: ['a.js',\n  b.js]");
        assert_eq!(flow.includes, ["a.js", "b.js"]);
        assert_eq!(flow.flags, ["onlyStrict", "async"]);
        assert!(flow.is_async());
        assert_eq!(
            read("includes:\n  - a.js # why\n  - \"b.js\"\nflags:\n- raw").includes,
            ["a.js", "b.js"]
        );
        assert_eq!(read("includes:\n- a.js\nflags:\n- raw").flags, ["raw"]);
        assert_eq!(read("includes: [\n  a.js,\n]\nflags: []").includes, ["a.js"]);
    }

    #[test]
    fn the_negative_in_both_forms() {
        let negative = |kind: &str, phase: &str| {
            Some(Negative { kind: Some(kind.to_owned()), phase: Some(phase.to_owned()) })
        };
        let block = read("negative:\n  phase: parse\n  type: SyntaxError\nflags: [raw]");
        assert_eq!(block.negative, negative("SyntaxError", "parse"));
        let flow = read("negative: { phase: runtime, type: Test262Error }");
        assert_eq!(flow.negative, negative("Test262Error", "runtime"));
        let half = read("negative:\n  type: TypeError");
        assert_eq!(half.negative, Some(Negative { kind: Some("TypeError".into()), phase: None }));
        assert_eq!(read("negative:").negative, None);
    }

    #[test]
    fn text_is_no_key() {
        let read = read(
            "info: |\n  flags: [async]\n\n  includes: [x.js]\ndescription: >\n    negative: none\n\
             # flags: [raw]\nes6id: 1.2",
        );
        assert_eq!(read, FrontMatter::default());
    }

    #[test]
    fn where_it_stands() {
        assert_eq!(FrontMatter::parse("x();"), None);
        assert_eq!(FrontMatter::parse("/*--- flags: [a] *"), None);
        assert_eq!(FrontMatter::parse("/*---\n---*/"), Some(FrontMatter::default()));
        let twice = FrontMatter::parse("/*---\nflags: [a]\n---*/\n/*---\nflags: [b]\n---*/");
        assert_eq!(twice.unwrap().flags, ["b"]);
    }

    proptest! {
        #[test]
        fn written_front_matter_comes_back(
            includes in prop::collection::vec("[a-zA-Z][a-zA-Z0-9.-]{0,8}", 0..4),
            flags in prop::collection::vec("[a-zA-Z]{1,8}", 0..4),
            block in any::<bool>(),
        ) {
            let list = |items: &[String]| {
                let (start, between, end) =
                    if block { ("\n  - ", "\n  - ", "") } else { ("[", ", ", "]") };
                let start = if items.is_empty() && block { "" } else { start };
                format!("{start}{}{end}", items.join(between))
            };
            let yaml = format!("flags: {}\nincludes: {}", list(&flags), list(&includes));
            prop_assert_eq!(read(&yaml), FrontMatter { includes, flags, negative: None });
        }

        #[test]
        fn any_text_is_read(text in "[\\PC\n]{0,80}") {
            let _ = FrontMatter::parse(&format!("/*---{text}---*/"));
        }
    }
}

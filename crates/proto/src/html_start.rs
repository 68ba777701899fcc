//! Where the content of an HTML document starts.
//!
//! A tokenizer for no more than that, with the parse errors of html5lib, whose tokenizer the
//! reference uses: a script is injected only where the reference injects one.

/// How much of a document is looked at: one chunk of html5lib.
const CHUNK: usize = 10240;

/// The same with a byte order mark before it.
pub const LONGEST_START: usize = CHUNK + 3;

/// The position behind the doctype, the comments, the white space and the `html` and `head` start
/// tags that a document begins with. `None` when a parse error comes before the end of what
/// follows them, when nothing follows, or when that does not end within the first 10240 bytes.
///
/// A text runs up to the next `<` or `&`. A control character, or a character that Unicode says
/// is none, is a parse error of the whole. A byte order mark is passed over; a document in UTF-16
/// has no position.
///
/// Known to differ from html5lib: of the named character references only the commonest are known,
/// others are parse errors; and bytes that form a C1 control or a non-character in UTF-8 count as
/// such, whatever the document's encoding.
pub fn content_start(html: &[u8]) -> Option<usize> {
    let start = if html.starts_with(b"\xef\xbb\xbf") { 3 } else { 0 };
    if html.starts_with(b"\xff\xfe") || html.starts_with(b"\xfe\xff") {
        return None;
    }
    let chunk = &html[start..html.len().min(start + CHUNK)];
    if !String::from_utf8_lossy(chunk).chars().all(is_valid) {
        return None;
    }
    let mut scanner = Scanner { rest: chunk };
    loop {
        let position = start + chunk.len() - scanner.rest.len();
        match scanner.token()? {
            Token::Preamble => {}
            Token::Content => return Some(position),
        }
    }
}

enum Token {
    /// A doctype, a comment, white space, an `html` or `head` start tag.
    Preamble,
    /// Any other.
    Content,
}

/// The bytes that are left. Every method is `None` at a parse error, and at the end.
struct Scanner<'a> {
    rest: &'a [u8],
}

impl Scanner<'_> {
    fn next(&mut self) -> Option<u8> {
        let (&byte, rest) = self.rest.split_first()?;
        self.rest = rest;
        Some(byte)
    }

    fn peek(&self) -> Option<u8> {
        self.rest.first().copied()
    }

    /// Takes what is said, in any case.
    fn takes(&mut self, word: &[u8]) -> bool {
        let found =
            self.rest.get(..word.len()).is_some_and(|start| start.eq_ignore_ascii_case(word));
        if found {
            self.rest = &self.rest[word.len()..];
        }
        found
    }

    /// Skips white space; whether there was any.
    fn space(&mut self) -> bool {
        let length = self.rest.iter().position(|&byte| !is_space(byte)).unwrap_or(self.rest.len());
        self.rest = &self.rest[length..];
        length > 0
    }

    fn token(&mut self) -> Option<Token> {
        match self.peek()? {
            b'<' => {}
            b'&' => {
                self.next();
                let space = u8::try_from(self.reference(None)?).is_ok_and(is_space);
                return Some(if space { Token::Preamble } else { Token::Content });
            }
            byte if is_space(byte) => {
                self.space();
                return Some(Token::Preamble);
            }
            0 => return None,
            _ => {
                // The end of a text must be seen.
                self.rest.iter().find(|byte| matches!(byte, b'<' | b'&' | 0))?;
                return Some(Token::Content);
            }
        }
        self.next();
        if self.takes(b"!--") {
            self.comment()?;
            return Some(Token::Preamble);
        }
        if self.takes(b"!doctype") {
            self.doctype()?;
            return Some(Token::Preamble);
        }
        let is_end = self.takes(b"/");
        if !self.peek()?.is_ascii_alphabetic() {
            return None;
        }
        let name = self.tag()?;
        let preamble =
            !is_end && (name.eq_ignore_ascii_case(b"html") || name.eq_ignore_ascii_case(b"head"));
        Some(if preamble { Token::Preamble } else { Token::Content })
    }

    fn comment(&mut self) -> Option<()> {
        if self.rest.starts_with(b">") || self.rest.starts_with(b"->") {
            return None;
        }
        let length = self.rest.windows(2).position(|pair| pair == b"--")?;
        if self.rest[..length].contains(&0) {
            return None;
        }
        self.rest = &self.rest[length + 2..];
        (self.next()? == b'>').then_some(())
    }

    fn doctype(&mut self) -> Option<()> {
        if !self.space() {
            return None;
        }
        let name = self.rest.iter().position(|&byte| is_space(byte) || byte == b'>')?;
        if name == 0 || self.rest[..name].contains(&0) {
            return None;
        }
        self.rest = &self.rest[name..];
        self.space();
        if self.takes(b"public") {
            self.spaced_identifier()?;
            let spaced = self.space();
            if spaced && self.peek()? != b'>' {
                self.identifier()?;
            }
        } else if self.takes(b"system") {
            self.spaced_identifier()?;
        }
        self.space();
        (self.next()? == b'>').then_some(())
    }

    fn spaced_identifier(&mut self) -> Option<()> {
        if self.space() { self.identifier() } else { None }
    }

    fn identifier(&mut self) -> Option<()> {
        let quote = self.next().filter(|byte| matches!(byte, b'"' | b'\''))?;
        let end = self.rest.iter().position(|byte| *byte == quote || matches!(byte, 0 | b'>'))?;
        let closed = self.rest[end] == quote;
        self.rest = &self.rest[end + 1..];
        closed.then_some(())
    }

    /// A tag from its name on; returns the name.
    fn tag(&mut self) -> Option<&[u8]> {
        let name = self.rest;
        let length = name.iter().position(|&byte| is_space(byte) || matches!(byte, b'/' | b'>'))?;
        let name = &name[..length];
        if name.contains(&0) {
            return None;
        }
        self.rest = &self.rest[length..];
        let mut attributes: Vec<Vec<u8>> = Vec::new();
        loop {
            self.space();
            match self.peek()? {
                b'>' => {
                    self.next();
                    return Some(name);
                }
                b'/' => {
                    self.next();
                    return (self.next()? == b'>').then_some(name);
                }
                _ => {
                    let attribute = self.attribute()?;
                    if attributes.contains(&attribute) {
                        return None;
                    }
                    attributes.push(attribute);
                }
            }
        }
    }

    /// An attribute with its value; returns its name in lower case.
    fn attribute(&mut self) -> Option<Vec<u8>> {
        let end = self.rest.iter().enumerate().position(|(at, &byte)| {
            is_space(byte) || matches!(byte, b'/' | b'>') || (byte == b'=' && at > 0)
        })?;
        let name = self.rest[..end].to_ascii_lowercase();
        if name.iter().any(|byte| matches!(byte, b'"' | b'\'' | b'<' | b'=' | 0)) {
            return None;
        }
        self.rest = &self.rest[end..];
        self.space();
        if self.peek()? == b'=' {
            self.next();
            self.space();
            self.value()?;
        }
        Some(name)
    }

    fn value(&mut self) -> Option<()> {
        match self.peek()? {
            quote @ (b'"' | b'\'') => {
                self.next();
                loop {
                    match self.next()? {
                        byte if byte == quote => break,
                        b'&' => _ = self.reference(Some(quote))?,
                        0 => return None,
                        _ => {}
                    }
                }
                let after = self.peek()?;
                (is_space(after) || matches!(after, b'>' | b'/')).then_some(())
            }
            b'>' => None,
            _ => loop {
                match self.peek()? {
                    byte if is_space(byte) || byte == b'>' => return Some(()),
                    0 | b'"' | b'\'' | b'=' | b'<' | b'`' => return None,
                    b'&' => {
                        self.next();
                        self.reference(Some(b'>'))?;
                    }
                    _ => _ = self.next(),
                }
            },
        }
    }

    /// A character reference behind its `&`: the character, which is `&` when it stands for
    /// itself. `end` is what may end an attribute's value.
    fn reference(&mut self, end: Option<u8>) -> Option<char> {
        let first = self.peek()?;
        if is_space(first) || matches!(first, b'<' | b'&') || Some(first) == end {
            return Some('&');
        }
        // No reference is longer than the longest number that may be meant.
        let semicolon = self.rest.iter().take(64).position(|&byte| byte == b';')?;
        let name = str::from_utf8(&self.rest[..semicolon]).ok()?;
        let character = match name.strip_prefix('#') {
            Some(number) => {
                let (digits, radix) = match number.strip_prefix(['x', 'X']) {
                    Some(digits) => (digits, 16),
                    None => (number, 10),
                };
                // `from_str_radix` would take a sign.
                digits.bytes().next().filter(u8::is_ascii_hexdigit)?;
                let number = u32::from_str_radix(digits, radix).ok()?;
                char::from_u32(number).filter(|&c| is_valid(c) && !matches!(c, '\0' | '\r'))?
            }
            None => NAMED.iter().find(|(known, _)| *known == name)?.1,
        };
        self.rest = &self.rest[semicolon + 1..];
        Some(character)
    }
}

fn is_space(byte: u8) -> bool {
    matches!(byte, b' ' | b'\t' | b'\n' | b'\r' | 0x0c)
}

/// Whether a character may stand in a document. NUL is told where it is met.
fn is_valid(character: char) -> bool {
    !matches!(
        u32::from(character),
        0x01..=0x08 | 0x0b | 0x0e..=0x1f | 0x7f..=0x9f | 0xfdd0..=0xfdef
    ) && u32::from(character) & 0xfffe != 0xfffe
}

const NAMED: [(&str, char); 14] = [
    ("amp", '&'),
    ("lt", '<'),
    ("gt", '>'),
    ("quot", '"'),
    ("apos", '\''),
    ("nbsp", '\u{a0}'),
    ("copy", '©'),
    ("ndash", '–'),
    ("mdash", '—'),
    ("hellip", '…'),
    ("eacute", 'é'),
    ("uuml", 'ü'),
    ("Tab", '\t'),
    ("NewLine", '\n'),
];

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// The document with a `|` at the position; `None` without one.
    fn marked(html: &str) -> Option<String> {
        content_start(html.as_bytes()).map(|at| format!("{}|{}", &html[..at], &html[at..]))
    }

    #[track_caller]
    fn is_at(marked_html: &str) {
        assert_eq!(marked(&marked_html.replacen('|', "", 1)).as_deref(), Some(marked_html));
    }

    #[track_caller]
    fn is_nowhere(html: &str) {
        assert_eq!(marked(html), None, "{html}");
    }

    #[test]
    fn behind_doctype_comments_html_and_head() {
        is_at("<!doctype html>\n|<meta charset=utf-8>\n");
        is_at("<!DOCTYPE html>\r\n<!-- c -->\r\n<HTML lang='en'>\n<head >\n|<title>x</title>");
        is_at("<html><head/>|</head>");
        is_at("<html>|text<br>");
        is_at("|<p>");
        is_at("\u{feff}<!doctype html>|<p>");
        is_at("<html><body>".replace("<body>", "|<body>").as_str());
        is_at("<html><html><!---->|<p>");
        is_at("<!DOCTYPE html PUBLIC \"-//W3C//DTD\" 'http://x'>|<p>");
        is_at("<!DOCTYPE html SYSTEM 'about:legacy-compat' >|<p>");
    }

    #[test]
    fn nowhere_without_content_or_with_an_error_before_it() {
        for html in [
            "",
            "<!doctype html>\n",
            "<html>text",
            "<!doctype><p>",
            "<!doctypehtml><p>",
            "<!doctype html PUBLIC><p>",
            "<!doctype html PUBLIC 'a'\"b\"><p>",
            "<!doctype html x><p>",
            "<!-- a -- b --><p>",
            "<!--><p>",
            "<?xml version='1.0'?><p>",
            "<![CDATA[x]]><p>",
            "<><p>",
            "</><p>",
            "<html a=1 A=2><p>",
            "<p a='b'c>",
            "<p a=b'c>",
            "<p =a>",
            "<p a=>",
            "<p / a>",
            "<p",
            "\0<p>",
            "\x01<p>",
            "<p>\x7f",
            "<p>\u{fdd0}",
            "<p href='?a=1&b=2'>",
            "<p href='&#0;'>",
        ] {
            is_nowhere(html);
        }
    }

    #[test]
    fn character_references() {
        is_at("|<p href='?a=1&amp;b=2&#38;&' x=&>");
        is_at("&#32;&#x0A;|<p>");
        is_at("|&lt;<p>");
        is_at("|& <p>");
        is_nowhere("&lt<p>");
        is_nowhere("&#+38;<p>");
    }

    #[test]
    fn only_the_first_chunk_counts() {
        let comment = |length: usize| format!("<!--{}--><p>", "x".repeat(length));
        assert_eq!(marked(&comment(CHUNK - 10)), Some(comment(CHUNK - 10).replace("<p>", "|<p>")));
        is_nowhere(&comment(CHUNK - 9));
        is_at(&format!("|<p>{}\u{1}", "x".repeat(CHUNK - 3)));
    }

    proptest! {
        #[test]
        fn what_stands_before_is_passed_over(
            preamble in prop::collection::vec(
                prop::sample::select(vec![
                    "<!doctype html>", " \n", "<!-- x -->", "<html a=\"&amp;\">", "<head>", "&#9;",
                ]),
                0..6,
            ),
            content in prop::sample::select(vec!["<p>", "</a>", "text<", "&gt;"]),
        ) {
            let preamble = preamble.concat();
            let html = format!("{preamble}{content}");
            prop_assert_eq!(content_start(html.as_bytes()), Some(preamble.len()));
        }

        #[test]
        fn a_position_is_in_the_document(html in prop::collection::vec(any::<u8>(), 0..40)) {
            prop_assert!(content_start(&html).is_none_or(|at| at < html.len()));
        }
    }
}

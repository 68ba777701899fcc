//! Text from outside in the form in which a log can show it.

use std::{borrow::Cow, fmt::Write as _};

/// A text in one line: what would end the line, steer a terminal or turn the direction of the text
/// is escaped, as in a string of Rust.
pub fn one_line(text: &str) -> Cow<'_, str> {
    escaped(text, steers)
}

/// A text of several lines, such as a traceback. All but the first are indented, so that none looks
/// like a line of the log.
pub fn indented_lines(text: &str) -> Cow<'_, str> {
    let text = escaped(text, |character| character != '\n' && steers(character));
    if text.contains('\n') { text.replace('\n', "\n  ").into() } else { text }
}

/// JSON on one line: what JSON allows in a string, but a terminal obeys, is escaped.
pub fn json_line(json: &str) -> Cow<'_, str> {
    // In JSON they stand within strings only.
    if !json.contains(steers) {
        return json.into();
    }
    let mut line = String::with_capacity(json.len() + 16);
    for character in json.chars() {
        if steers(character) {
            for unit in character.encode_utf16(&mut [0; 2]) {
                // Writing to a String cannot fail.
                let _ = write!(line, "\\u{unit:04x}");
            }
        } else {
            line.push(character);
        }
    }
    line.into()
}

fn escaped(text: &str, escapes: impl Fn(char) -> bool) -> Cow<'_, str> {
    if !text.contains(&escapes) {
        return text.into();
    }
    let mut shown = String::with_capacity(text.len() + 16);
    for character in text.chars() {
        match character {
            '\0'..='\x7f' if escapes(character) => {
                // An ASCII character, as the arm says.
                shown.extend(std::ascii::escape_default(character as u8).map(char::from));
            }
            _ if escapes(character) => shown.extend(character.escape_unicode()),
            _ => shown.push(character),
        }
    }
    shown.into()
}

/// Whether a terminal does more with a character than show it: controls but for the tab, line and
/// paragraph separators, and the marks of the bidirectional algorithm (UAX 9).
fn steers(character: char) -> bool {
    match character {
        '\t' => false,
        '\u{061c}'
        | '\u{200e}'
        | '\u{200f}'
        | '\u{2028}'..='\u{202e}'
        | '\u{2066}'..='\u{2069}' => true,
        _ => character.is_control(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_steers_a_terminal_is_escaped() {
        assert_eq!(one_line("a b\u{e9}\t\u{5929}\\"), "a b\u{e9}\t\u{5929}\\");
        assert_eq!(one_line("a\r\n\x1b[2J\x7f\u{9b}"), r"a\r\n\x1b[2J\x7f\u{9b}");
        assert_eq!(one_line("\u{202e}gpj.exe\u{2028}"), r"\u{202e}gpj.exe\u{2028}");
    }

    #[test]
    fn further_lines_are_indented() {
        assert_eq!(indented_lines("a\nb\r\n\n c\x1b"), "a\n  b\\r\n  \n   c\\x1b");
        assert!(matches!(indented_lines("a"), Cow::Borrowed("a")));
    }

    #[test]
    fn json_keeps_its_values() {
        let json = "{\"a\":\"\u{9b}2J\u{202e}\"}";
        assert_eq!(json_line(json), "{\"a\":\"\\u009b2J\\u202e\"}");
        assert_eq!(json_line("{\"a\":\"\u{5929}\"}"), "{\"a\":\"\u{5929}\"}");
    }
}

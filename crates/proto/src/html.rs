//! Text inside of HTML.

use std::borrow::Cow;

/// Replaces `&`, `<`, `>`, `"` and `'` by character references, the last one
/// by `&#x27;`, as Python's `html.escape` does.
pub fn escape(text: &str) -> Cow<'_, str> {
    let special = |character: char| matches!(character, '&' | '<' | '>' | '"' | '\'');
    if !text.contains(special) {
        return Cow::Borrowed(text);
    }
    let mut escaped = String::with_capacity(text.len() + 16);
    for character in text.chars() {
        match character {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '"' => escaped.push_str("&quot;"),
            '\'' => escaped.push_str("&#x27;"),
            other => escaped.push(other),
        }
    }
    Cow::Owned(escaped)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn five_characters_are_replaced() {
        assert_eq!(
            escape("<a href=\"x'y\">é & &amp;</a>"),
            "&lt;a href=&quot;x&#x27;y&quot;&gt;é &amp; &amp;amp;&lt;/a&gt;"
        );
    }

    #[test]
    fn plain_text_is_not_copied() {
        assert!(matches!(escape("plain é `text`"), Cow::Borrowed(_)));
    }
}

//! The fields of the opening handshake (RFC 6455, sections 4.2 and 9.1).

use base64::{Engine, engine::general_purpose::STANDARD};
use sha1::{Digest, Sha1};
use thiserror::Error;

/// The value of `Sec-WebSocket-Accept` for a key.
pub fn accept(key: &[u8]) -> String {
    STANDARD.encode(Sha1::new().chain_update(key).chain_update(GUID).finalize())
}

/// Whether a `Sec-WebSocket-Key` is one: 16 bytes in base64.
pub fn is_key(key: &[u8]) -> bool {
    // This decoder refuses bits that are set behind the last byte.
    STANDARD.decode(key).is_ok_and(|key| key.len() == 16)
}

/// An extension and its parameters, as a client offers it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Extension {
    /// Its name.
    pub name: Vec<u8>,
    /// Its parameters, in order; a value without its quotes.
    pub parameters: Vec<(Vec<u8>, Option<Vec<u8>>)>,
}

/// Why a field's value is none.
#[derive(Clone, Copy, Debug, Error, PartialEq, Eq)]
pub enum GrammarError {
    /// There is no element.
    #[error("there is nothing in the list")]
    Empty,
    /// Something else stands where an element ends.
    #[error("a comma is expected at byte {0}")]
    NoComma(usize),
    /// A parameter has no name.
    #[error("a parameter's name is expected at byte {0}")]
    NoName(usize),
    /// A parameter has no value behind its `=`.
    #[error("a parameter's value is expected at byte {0}")]
    NoValue(usize),
}

/// Reads `1#token`, as in `Connection` and `Sec-WebSocket-Protocol`. Empty elements are left out.
pub fn parse_tokens(value: &[u8]) -> Result<Vec<Vec<u8>>, GrammarError> {
    let mut parser = Parser { value, position: 0 };
    parser.list(|parser| Ok(parser.token().map(<[u8]>::to_vec)))
}

/// Reads `Sec-WebSocket-Extensions`. Empty elements are left out.
pub fn parse_extensions(value: &[u8]) -> Result<Vec<Extension>, GrammarError> {
    Parser { value, position: 0 }.list(Parser::extension)
}

/// Writes `Sec-WebSocket-Extensions`.
pub fn format_extensions(extensions: &[Extension]) -> Vec<u8> {
    let mut out = Vec::new();
    for (index, extension) in extensions.iter().enumerate() {
        if index > 0 {
            out.extend_from_slice(b", ");
        }
        out.extend_from_slice(&extension.name);
        for (name, value) in &extension.parameters {
            out.extend_from_slice(b"; ");
            out.extend_from_slice(name);
            if let Some(value) = value {
                out.push(b'=');
                quote(value, &mut out);
            }
        }
    }
    out
}

/// Appends a value, between quotes unless it is a token.
pub fn quote(value: &[u8], out: &mut Vec<u8>) {
    if !value.is_empty() && value.iter().all(|&byte| is_token(byte)) {
        out.extend_from_slice(value);
        return;
    }
    out.push(b'"');
    for &byte in value {
        if byte == b'"' || byte == b'\\' || byte.is_ascii_control() {
            out.push(b'\\');
        }
        out.push(byte);
    }
    out.push(b'"');
}

struct Parser<'a> {
    value: &'a [u8],
    position: usize,
}

impl<'a> Parser<'a> {
    fn list<T>(
        &mut self,
        mut element: impl FnMut(&mut Self) -> Result<Option<T>, GrammarError>,
    ) -> Result<Vec<T>, GrammarError> {
        let mut list = Vec::new();
        loop {
            list.extend(element(self)?);
            self.space();
            if self.position == self.value.len() {
                break;
            }
            if !self.eat(b',') {
                return Err(GrammarError::NoComma(self.position));
            }
            self.space();
        }
        if list.is_empty() { Err(GrammarError::Empty) } else { Ok(list) }
    }

    fn extension(&mut self) -> Result<Option<Extension>, GrammarError> {
        let Some(name) = self.token() else {
            return Ok(None);
        };
        let mut extension = Extension { name: name.to_vec(), parameters: Vec::new() };
        loop {
            self.space();
            if !self.eat(b';') {
                return Ok(Some(extension));
            }
            self.space();
            let name = self.token().ok_or(GrammarError::NoName(self.position))?.to_vec();
            self.space();
            let value = if self.eat(b'=') {
                self.space();
                let value = match self.quoted() {
                    Some(value) => Some(value),
                    None => self.token().map(<[u8]>::to_vec),
                };
                Some(value.ok_or(GrammarError::NoValue(self.position))?)
            } else {
                None
            };
            extension.parameters.push((name, value));
        }
    }

    fn rest(&self) -> &'a [u8] {
        &self.value[self.position..]
    }

    fn eat(&mut self, byte: u8) -> bool {
        let found = self.rest().first() == Some(&byte);
        self.position += usize::from(found);
        found
    }

    fn space(&mut self) {
        let blank = |byte: &&u8| matches!(byte, b' ' | b'\t');
        self.position += self.rest().iter().take_while(blank).count();
    }

    fn token(&mut self) -> Option<&'a [u8]> {
        let length = self.rest().iter().take_while(|&&byte| is_token(byte)).count();
        let token = &self.rest()[..length];
        self.position += length;
        (length > 0).then_some(token)
    }

    /// A quoted string without its quotes; nothing is taken when there is none.
    fn quoted(&mut self) -> Option<Vec<u8>> {
        let mut bytes = self.rest().strip_prefix(b"\"")?.iter().copied();
        let mut value = Vec::new();
        loop {
            match bytes.next()? {
                b'"' => break,
                b'\\' => value.push(bytes.next().filter(u8::is_ascii)?),
                byte if byte.is_ascii_control() && byte != b'\t' => return None,
                byte => value.push(byte),
            }
        }
        self.position = self.value.len() - bytes.len();
        Some(value)
    }
}

/// Whether a byte may stand in a token.
fn is_token(byte: u8) -> bool {
    byte.is_ascii_graphic() && !b"()<>@,;:\\\"/[]?={}".contains(&byte)
}

/// What the accept value is made with (RFC 6455, section 1.3).
const GUID: &[u8] = b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11";

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn the_example_of_the_rfc() {
        assert_eq!(accept(b"dGhlIHNhbXBsZSBub25jZQ=="), "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=");
        assert!(is_key(b"dGhlIHNhbXBsZSBub25jZQ=="));
        // Too short, bits behind the end, no base64.
        for key in
            ["dGhlIHNhbXBsZSBub25j", "dGhlIHNhbXBsZSBub25jZR==", "dGhlIHNhbXBsZSBub25j, =", ""]
        {
            assert!(!is_key(key.as_bytes()), "{key}");
        }
    }

    #[test]
    fn lists_of_tokens() {
        let tokens = |value: &str| parse_tokens(value.as_bytes());
        assert_eq!(tokens("a"), Ok(vec![b"a".to_vec()]));
        assert_eq!(tokens("a ,\tb,, c"), Ok(vec![b"a".to_vec(), b"b".to_vec(), b"c".to_vec()]));
        assert_eq!(tokens(" , "), Err(GrammarError::Empty));
        assert_eq!(tokens("a b"), Err(GrammarError::NoComma(2)));
        assert_eq!(tokens("a/b"), Err(GrammarError::NoComma(1)));
    }

    #[test]
    fn extensions_and_their_parameters() {
        let value = br#"foo; a; b=1 ;c = "x \"y;,", bar"#;
        let extensions = parse_extensions(value).unwrap();
        assert_eq!(extensions.len(), 2);
        assert_eq!(
            extensions[0].parameters,
            [
                (b"a".to_vec(), None),
                (b"b".to_vec(), Some(b"1".to_vec())),
                (b"c".to_vec(), Some(br#"x "y;,"#.to_vec())),
            ]
        );
        assert_eq!(format_extensions(&extensions), br#"foo; a; b=1; c="x \"y;,", bar"#);
        assert_eq!(parse_extensions(b"a;"), Err(GrammarError::NoName(2)));
        assert_eq!(parse_extensions(b"a; b="), Err(GrammarError::NoValue(5)));
        assert_eq!(parse_extensions(b"a; b=\"x"), Err(GrammarError::NoValue(5)));
        assert_eq!(parse_extensions(b"a b"), Err(GrammarError::NoComma(2)));
        assert_eq!(parse_extensions(b"; a"), Err(GrammarError::NoComma(0)));
    }

    proptest! {
        #[test]
        fn extensions_come_back(
            list in proptest::collection::vec(
                ("[a-z-]{1,9}", proptest::collection::vec(("[a-z_]{1,9}", any::<Option<String>>()), 0..4)),
                1..4),
        ) {
            let clean = String::into_bytes;
            let list: Vec<Extension> = list.into_iter().map(|(name, parameters)| Extension {
                name: name.into_bytes(),
                parameters: parameters.into_iter()
                    .map(|(name, value)| (name.into_bytes(), value.map(clean))).collect(),
            }).collect();
            prop_assert_eq!(parse_extensions(&format_extensions(&list)), Ok(list));
        }
    }
}

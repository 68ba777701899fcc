//! The `Range` field of a request for a file, read as the reference reads it.

use std::fmt::Write;

use thiserror::Error;

use crate::number::parse_int;

/// A part of a file that is not empty.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ByteRange {
    /// The first byte.
    pub start: u64,
    /// The byte after the last one.
    pub end: u64,
}

/// Why a `Range` field gets an error.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
pub enum RangeError {
    /// The value has bytes outside of ASCII.
    #[error("the Range header is not ASCII")]
    NotAscii,
    /// The value does not start with `bytes=`.
    #[error("the Range header does not start with `bytes=`")]
    UnknownUnit,
    /// This part of the value is no range, or no range of the file.
    #[error("`{0}` is no range of the file")]
    BadSpecifier(String),
}

impl RangeError {
    /// The status of the answer. For a value outside of ASCII it is 500: the reference means to
    /// say 400, and fails on the way.
    pub fn status(&self) -> u16 {
        match self {
            Self::NotAscii => 500,
            Self::UnknownUnit | Self::BadSpecifier(_) => 416,
        }
    }

    /// The message in the answer's JSON: how Python shows the reference's exception. Only for
    /// [`RangeError::NotAscii`], where the reference has a traceback, it is a text of our own.
    pub fn message(&self) -> String {
        match self {
            Self::NotAscii => self.to_string(),
            Self::UnknownUnit => "416".to_owned(),
            Self::BadSpecifier(specifier) => {
                format!("(416, {})", python_repr(&format!("Bad range specifier {specifier}")))
            }
        }
    }
}

/// Python's `repr()` of a text in ASCII.
fn python_repr(text: &str) -> String {
    let quote = if text.contains('\'') && !text.contains('"') { '"' } else { '\'' };
    let mut shown = String::from(quote);
    for character in text.chars() {
        match character {
            '\n' => shown.push_str("\\n"),
            '\r' => shown.push_str("\\r"),
            '\t' => shown.push_str("\\t"),
            '\0'..='\x1f' | '\x7f' => {
                // Writing to a String cannot fail.
                let _ = write!(shown, "\\x{:02x}", u32::from(character));
            }
            character => {
                if character == '\\' || character == quote {
                    shown.push('\\');
                }
                shown.push(character);
            }
        }
    }
    shown.push(quote);
    shown
}

impl ByteRange {
    /// The value of `Content-Range` for this part of a file of `size` bytes.
    pub fn content_range(&self, size: u64) -> String {
        format!("bytes {}-{}/{size}", self.start, self.end.saturating_sub(1))
    }

    /// Reads `first-last`, `first-` or `-length`; `-` is the whole file.
    fn parse(specifier: &str, size: u64) -> Option<Self> {
        let (first, last) = specifier.split_once('-')?;
        if last.contains('-') {
            return None;
        }
        let number = |text: &str| match text {
            "" => Some(None),
            // There is no minus sign in it.
            text => parse_int(text).map(|number| Some(number.unsigned_abs())),
        };
        let (start, end) = match (number(first)?, number(last)?) {
            (None, None) => (0, size),
            (None, Some(length)) => (size.saturating_sub(length), size),
            (Some(first), None) => (first, size),
            (Some(first), Some(last)) => (first, size.min(last.saturating_add(1))),
        };
        (start < end && start < size).then_some(Self { start, end })
    }
}

/// Reads a `Range` field for a file of `size` bytes: one range at least, none of them empty, in
/// the order of their starts.
///
/// From the last one on, each range is united with the one before it where they overlap or touch.
/// An overlap that only shows after that stays: `0-50,20-30,40-60` are `0-50` and `40-60`. A
/// single range outside of the file spoils all.
pub fn parse_ranges(header: &[u8], size: u64) -> Result<Vec<ByteRange>, RangeError> {
    let header = str::from_utf8(header).ok().filter(|header| header.is_ascii());
    let header = header.ok_or(RangeError::NotAscii)?;
    let specifiers = header.strip_prefix("bytes=").ok_or(RangeError::UnknownUnit)?;
    let ranges = specifiers.split(',').map(|specifier| {
        ByteRange::parse(specifier, size)
            .ok_or_else(|| RangeError::BadSpecifier(specifier.to_owned()))
    });
    let mut ranges = ranges.collect::<Result<Vec<_>, _>>()?;
    ranges.sort_by_key(|range| range.start);

    let mut united: Vec<ByteRange> = Vec::new();
    for range in ranges.into_iter().rev() {
        match united.last_mut() {
            Some(next) if next.start <= range.end => {
                *next = ByteRange { start: range.start, end: range.end.max(next.end) };
            }
            _ => united.push(range),
        }
    }
    united.reverse();
    Ok(united)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn ranges(specifiers: &str, size: u64) -> Vec<(u64, u64)> {
        let ranges = parse_ranges(format!("bytes={specifiers}").as_bytes(), size).unwrap();
        ranges.iter().map(|range| (range.start, range.end)).collect()
    }

    fn bad(specifier: &str) -> Result<Vec<ByteRange>, RangeError> {
        Err(RangeError::BadSpecifier(specifier.to_owned()))
    }

    #[test]
    fn the_forms_of_a_range() {
        assert_eq!(ranges("2-4", 10), [(2, 5)]);
        assert_eq!(ranges("2-", 10), [(2, 10)]);
        assert_eq!(ranges("-3", 10), [(7, 10)]);
        assert_eq!(ranges("-", 10), [(0, 10)]);
        assert_eq!(ranges("0-0", 1), [(0, 1)]);
    }

    #[test]
    fn a_range_ends_with_the_file() {
        assert_eq!(ranges("2-99999999999999999999999", 10), [(2, 10)]);
        assert_eq!(ranges("-99999999999999999999999", 10), [(0, 10)]);
    }

    #[test]
    fn numbers_are_python_s() {
        assert_eq!(ranges(" +1 -\t0_2", 10), [(1, 3)]);
    }

    #[test]
    fn overlapping_and_touching_ranges_are_united() {
        assert_eq!(ranges("5-6,0-1", 10), [(0, 2), (5, 7)]);
        assert_eq!(ranges("0-1,2-3", 10), [(0, 4)]);
        assert_eq!(ranges("0-5,0-2", 10), [(0, 6)]);
        assert_eq!(ranges("0-1,-2,1-4", 10), [(0, 5), (8, 10)]);
    }

    #[test]
    fn an_overlap_that_shows_late_stays() {
        assert_eq!(ranges("0-50,20-30,40-60", 104), [(0, 51), (40, 61)]);
    }

    #[test]
    fn what_is_no_range_of_the_file() {
        for specifier in
            ["", "5", "0-1-2", "--1", "a-5", "0x1-", "5-3", "5-4", "10-", "10-11", "-0"]
        {
            let header = format!("bytes=0-1,{specifier}");
            assert_eq!(parse_ranges(header.as_bytes(), 10), bad(specifier), "{specifier:?}");
        }
        for specifier in ["-", "0-", "0-0", "-1"] {
            assert_eq!(parse_ranges(format!("bytes={specifier}").as_bytes(), 0), bad(specifier));
        }
    }

    #[test]
    fn other_units_are_unknown() {
        for header in ["bits=0-1", "Bytes=0-1", "bytes = 0-1", " bytes=0-1", ""] {
            assert_eq!(parse_ranges(header.as_bytes(), 10), Err(RangeError::UnknownUnit));
        }
        assert_eq!(parse_ranges("bits=é".as_bytes(), 10), Err(RangeError::NotAscii));
        assert_eq!(parse_ranges(b"bytes=\xe9", 10), Err(RangeError::NotAscii));
    }

    #[test]
    fn messages_are_python_s_exceptions() {
        for (specifier, message) in [
            ("", "(416, 'Bad range specifier ')"),
            ("0-1-2", "(416, 'Bad range specifier 0-1-2')"),
            ("\u{1}\"\\\t\u{7f}", r#"(416, 'Bad range specifier \x01"\\\t\x7f')"#),
            ("'", r#"(416, "Bad range specifier '")"#),
            ("'\"", r#"(416, 'Bad range specifier \'"')"#),
        ] {
            let error = RangeError::BadSpecifier(specifier.to_owned());
            assert_eq!((error.status(), error.message().as_str()), (416, message));
        }
        let error = RangeError::UnknownUnit;
        assert_eq!((error.status(), error.message().as_str()), (416, "416"));
        assert_eq!(RangeError::NotAscii.status(), 500);
    }

    #[test]
    fn content_range_counts_the_last_byte() {
        assert_eq!(ByteRange { start: 0, end: 51 }.content_range(104), "bytes 0-50/104");
    }

    proptest! {
        #[test]
        fn ranges_are_in_the_file_and_in_order(header in "bytes=[0-9]?-[0-9]?(,[0-9]?-[0-9]?){0,4}", size in 1_u64..12) {
            if let Ok(ranges) = parse_ranges(header.as_bytes(), size) {
                prop_assert!(!ranges.is_empty());
                prop_assert!(ranges.iter().all(|range| range.start < range.end && range.end <= size));
                prop_assert!(ranges.windows(2).all(|pair| pair[0].start < pair[1].start));
            }
        }

        #[test]
        fn one_range_comes_back(start in 0_u64..1000, length in 1_u64..1000, more in 0_u64..1000) {
            let range = ByteRange { start, end: start + length };
            let header = format!("bytes={}-{}", range.start, range.end - 1);
            prop_assert_eq!(parse_ranges(header.as_bytes(), range.end + more), Ok(vec![range]));
        }
    }
}

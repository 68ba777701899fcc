//! Numbers in text, as Python's `int()` and `float()` read them.
//!
//! White space around a number does not count, a single `_` may stand between two digits, and the
//! decimal digits of every script are digits.

use std::borrow::Cow;

/// Python refuses to convert longer texts.
const MAX_DIGITS: usize = 4300;

/// An integer as `int(text)` gives it; beyond 64 bits it is the nearest that fits. `None` where
/// Python raises `ValueError`.
pub fn parse_int(text: &str) -> Option<i64> {
    let plain = plain_form(text)?;
    let (negative, digits) = match plain.as_bytes() {
        [b'-', digits @ ..] => (true, digits),
        [b'+', digits @ ..] | digits => (false, digits),
    };
    if digits.is_empty() || digits.len() > MAX_DIGITS || !digits.iter().all(u8::is_ascii_digit) {
        return None;
    }
    Some(digits.iter().fold(0_i64, |number, &digit| {
        let digit = i64::from(digit - b'0');
        let digit = if negative { -digit } else { digit };
        number.saturating_mul(10).saturating_add(digit)
    }))
}

/// A number as `float(text)` gives it: infinities and NaN are numbers too. `None` where Python
/// raises `ValueError`.
pub fn parse_float(text: &str) -> Option<f64> {
    plain_form(text)?.parse().ok()
}

/// The text without white space around it and without underscores, its digits in ASCII.
fn plain_form(text: &str) -> Option<Cow<'_, str>> {
    let is_space = |byte: char| matches!(byte, ' ' | '\t'..='\r');
    if text.is_ascii() {
        return without_underscores(Cow::Borrowed(text.trim_matches(is_space)));
    }
    let ascii = text.chars().map(|character| match character {
        character if character.is_ascii() => Some(character),
        character if character.is_whitespace() => Some(' '),
        character => decimal_digit(character),
    });
    let ascii = ascii.collect::<Option<String>>()?;
    without_underscores(Cow::Owned(ascii.trim_matches(is_space).to_owned()))
}

fn without_underscores(text: Cow<'_, str>) -> Option<Cow<'_, str>> {
    if !text.contains('_') {
        return Some(text);
    }
    let ends_in_digits = |part: &str| {
        let is_digit = |byte: Option<u8>| byte.is_some_and(|byte| byte.is_ascii_digit());
        (is_digit(part.bytes().next()), is_digit(part.bytes().next_back()))
    };
    let parts: Vec<_> = text.split('_').collect();
    let well_placed = parts.windows(2).all(|pair| {
        let (before, after) = (ends_in_digits(pair[0]), ends_in_digits(pair[1]));
        before.1 && after.0
    });
    well_placed.then(|| Cow::Owned(parts.concat()))
}

/// The ASCII digit of the same value.
fn decimal_digit(character: char) -> Option<char> {
    let code = u32::from(character);
    let after = ZEROS.partition_point(|&zero| zero <= code);
    let zero = ZEROS[after.checked_sub(1)?];
    char::from_digit(code - zero, 10)
}

/// The zeros of Unicode 14, which is Python 3.11's; nine more digits follow each of them.
const ZEROS: [u32; 65] = [
    0x0660, 0x06f0, 0x07c0, 0x0966, 0x09e6, 0x0a66, 0x0ae6, 0x0b66, 0x0be6, 0x0c66, 0x0ce6, 0x0d66,
    0x0de6, 0x0e50, 0x0ed0, 0x0f20, 0x1040, 0x1090, 0x17e0, 0x1810, 0x1946, 0x19d0, 0x1a80, 0x1a90,
    0x1b50, 0x1bb0, 0x1c40, 0x1c50, 0xa620, 0xa8d0, 0xa900, 0xa9d0, 0xa9f0, 0xaa50, 0xabf0, 0xff10,
    0x104a0, 0x10d30, 0x11066, 0x110f0, 0x11136, 0x111d0, 0x112f0, 0x11450, 0x114d0, 0x11650,
    0x116c0, 0x11730, 0x118e0, 0x11950, 0x11c50, 0x11d50, 0x11da0, 0x16a60, 0x16ac0, 0x16b50,
    0x1d7ce, 0x1d7d8, 0x1d7e2, 0x1d7ec, 0x1d7f6, 0x1e140, 0x1e2f0, 0x1e950, 0x1fbf0,
];

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn integers() {
        for (text, number) in [
            ("0", 0),
            ("007", 7),
            ("+5", 5),
            ("-5", -5),
            (" \t\n\r\u{b}\u{c}5 ", 5),
            ("1_000", 1000),
            ("\u{2000}٣٤\u{3000}", 34),
            ("-５", -5),
            ("𝟎𝟗", 9),
        ] {
            assert_eq!(parse_int(text), Some(number), "{text:?}");
        }
    }

    #[test]
    fn what_is_no_integer() {
        for text in [
            "", " ", "+", "-", "+ 5", "--5", "5.0", "0x5", "_5", "5_", "5__0", "+_5", "5\0", "é",
            "\u{1c}5", "5\u{7f}", "²",
        ] {
            assert_eq!(parse_int(text), None, "{text:?}");
        }
    }

    #[test]
    fn integers_beyond_64_bits_are_the_nearest() {
        assert_eq!(parse_int("9223372036854775807"), Some(i64::MAX));
        assert_eq!(parse_int("99999999999999999999"), Some(i64::MAX));
        assert_eq!(parse_int("-9223372036854775808"), Some(i64::MIN));
        assert_eq!(parse_int("-99999999999999999999"), Some(i64::MIN));
    }

    #[test]
    fn the_number_of_digits_is_limited_as_in_python() {
        assert_eq!(parse_int(&format!(" +{}", "1".repeat(4300))), Some(i64::MAX));
        assert_eq!(parse_int(&vec!["1"; 4300].join("_")), Some(i64::MAX));
        assert_eq!(parse_int(&"0".repeat(4301)), None);
    }

    #[test]
    fn floats() {
        for (text, number) in [
            ("1", 1.0),
            (" .5 ", 0.5),
            ("5.", 5.0),
            ("-1e3", -1000.0),
            ("1_0.2_5", 10.25),
            ("٣.٥", 3.5),
            ("Infinity", f64::INFINITY),
            ("-inf", f64::NEG_INFINITY),
            ("1e999", f64::INFINITY),
        ] {
            assert_eq!(parse_float(text), Some(number), "{text:?}");
        }
        assert!(parse_float("nan").is_some_and(f64::is_nan));
        for text in ["", ".", "e5", "1e", "1_.5", "1._5", "0x1", "1 2", "1f", "infinit"] {
            assert_eq!(parse_float(text), None, "{text:?}");
        }
    }

    proptest! {
        #[test]
        fn written_integers_come_back(number: i64) {
            prop_assert_eq!(parse_int(&number.to_string()), Some(number));
        }

        #[test]
        fn what_is_an_integer_is_a_float(text in "[ +\\-0-9_٣\u{2000}]{0,8}") {
            prop_assert_eq!(parse_int(&text).is_some(), parse_float(&text).is_some());
        }
    }
}

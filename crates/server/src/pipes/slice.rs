//! `slice(start[, end])`: a part of the content, with offsets as in Python's slices.

use std::ops::{Range, RangeInclusive};

use super::{Pipe, integer, nullable, take_content};
use crate::{Response, blocking::Job};

pub(super) struct Slice;

impl Pipe for Slice {
    fn name(&self) -> &'static str {
        "slice"
    }

    fn arity(&self) -> RangeInclusive<usize> {
        1..=2
    }

    fn reads_content(&self) -> bool {
        true
    }

    fn apply(
        &self,
        _job: &Job<'_>,
        response: &mut Response,
        arguments: &[String],
    ) -> Result<(), String> {
        let offset = |at: usize| {
            arguments.get(at).and_then(|argument| nullable(argument)).map(integer).transpose()
        };
        let (start, end) = (offset(0)?, offset(1)?);
        let content = take_content(response);
        let part = content.slice(python_range(start, end, content.length()));
        response.headers.set("Content-Length", part.length().to_string());
        response.body = part.into();
        Ok(())
    }
}

/// The range that `[start:end]` names in a sequence of `length` items.
fn python_range(start: Option<i64>, end: Option<i64>, length: u64) -> Range<u64> {
    let place = |offset: i64| {
        let distance = offset.unsigned_abs();
        if offset < 0 { length.saturating_sub(distance) } else { distance.min(length) }
    };
    let start = start.map_or(0, place);
    let end = end.map_or(length, place);
    start..end.max(start)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn offsets_are_python_s() {
        assert_eq!(python_range(Some(1), Some(3), 5), 1..3);
        assert_eq!(python_range(Some(-2), None, 5), 3..5);
        assert_eq!(python_range(None, Some(-2), 5), 0..3);
        assert_eq!(python_range(Some(-9), Some(9), 5), 0..5);
        assert_eq!(python_range(Some(4), Some(2), 5), 4..4);
        assert_eq!(python_range(Some(i64::MIN), Some(i64::MAX), 5), 0..5);
    }
}

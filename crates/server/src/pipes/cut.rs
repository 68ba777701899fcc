//! `close([bytes])` and `reset([bytes])`: break the response off after so many bytes of its
//! content. An addition to the reference's pipes.

use std::ops::RangeInclusive;

use super::{Pipe, integer};
use crate::{Response, blocking::Job, response};

pub(super) struct Cut {
    name: &'static str,
    reset: bool,
}

/// Closes the connection in good order.
pub(super) const CLOSE: Cut = Cut { name: "close", reset: false };
/// Resets the connection (RST).
pub(super) const RESET: Cut = Cut { name: "reset", reset: true };

impl Pipe for Cut {
    fn name(&self) -> &'static str {
        self.name
    }

    fn arity(&self) -> RangeInclusive<usize> {
        0..=1
    }

    fn apply(
        &self,
        _job: &Job<'_>,
        response: &mut Response,
        arguments: &[String],
    ) -> Result<(), String> {
        let after = match arguments.first().map(String::as_str) {
            None | Some("") => 0,
            Some(bytes) => u64::try_from(integer(bytes)?)
                .map_err(|_| format!("`{bytes}` is no number of bytes"))?,
        };
        response.cut = Some(response::Cut { after, reset: self.reset });
        Ok(())
    }
}

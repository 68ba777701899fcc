//! `status(code)`: sets the status code.

use std::ops::RangeInclusive;

use super::{Pipe, integer};
use crate::{Response, blocking::Job};

pub(super) struct Status;

impl Pipe for Status {
    fn name(&self) -> &'static str {
        "status"
    }

    fn arity(&self) -> RangeInclusive<usize> {
        1..=1
    }

    fn apply(
        &self,
        _job: &Job<'_>,
        response: &mut Response,
        arguments: &[String],
    ) -> Result<(), String> {
        response.status = integer(&arguments[0])?;
        response.reason = None;
        Ok(())
    }
}

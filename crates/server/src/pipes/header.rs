//! `header(name, value[, append])`: sets a header field, or adds one.

use std::ops::RangeInclusive;

use super::{Pipe, latin1_bytes};
use crate::{Response, blocking::Job};

pub(super) struct Header;

impl Pipe for Header {
    fn name(&self) -> &'static str {
        "header"
    }

    fn arity(&self) -> RangeInclusive<usize> {
        2..=3
    }

    fn apply(
        &self,
        _job: &Job<'_>,
        response: &mut Response,
        arguments: &[String],
    ) -> Result<(), String> {
        let name = latin1_bytes(&arguments[0])?;
        let value = latin1_bytes(&arguments[1])?;
        if arguments.get(2).map_or(Ok(false), |append| boolean(append))? {
            response.headers.append(name, value);
        } else {
            response.headers.set(name, value);
        }
        Ok(())
    }
}

fn boolean(argument: &str) -> Result<bool, String> {
    match argument.to_lowercase().as_str() {
        "true" | "1" => Ok(true),
        "false" | "0" => Ok(false),
        _ => Err(format!("`{argument}` is neither true nor false")),
    }
}

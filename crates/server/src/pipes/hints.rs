//! `hints(link, …)`: sends a 103 (Early Hints) response with these Link fields first (RFC 8297).
//! An addition to the reference's pipes.

use std::ops::RangeInclusive;

use proto::HeaderList;

use super::{Pipe, latin1_bytes};
use crate::{Response, blocking::Job, response::Informational};

pub(super) struct Hints;

impl Pipe for Hints {
    fn name(&self) -> &'static str {
        "hints"
    }

    fn arity(&self) -> RangeInclusive<usize> {
        1..=usize::MAX
    }

    fn apply(
        &self,
        _job: &Job<'_>,
        response: &mut Response,
        arguments: &[String],
    ) -> Result<(), String> {
        let mut headers = HeaderList::new();
        for link in arguments {
            headers.push("Link", latin1_bytes(link)?);
        }
        let reason = "Early Hints";
        response.informational.push(Informational { status: 103, reason, headers });
        Ok(())
    }
}

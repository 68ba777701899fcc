//! `trickle(delays)`: sends the content in pieces with delays between them.

use std::{
    ops::RangeInclusive,
    pin::Pin,
    task::{Context, Poll, ready},
};

use bytes::Bytes;
use proto::pipe::{TrickleEvent, TricklePlan, parse_trickle};
use tokio::time::Sleep;

use super::{Pipe, take_content};
use crate::{
    Request, Response,
    response::{Body, BodyStream},
};

pub(super) struct Trickle;

impl Pipe for Trickle {
    fn name(&self) -> &'static str {
        "trickle"
    }

    fn arity(&self) -> RangeInclusive<usize> {
        1..=1
    }

    fn reads_content(&self) -> bool {
        true
    }

    fn apply(
        &self,
        _request: &Request,
        response: &mut Response,
        arguments: &[String],
    ) -> Result<(), String> {
        let steps = parse_trickle(&arguments[0]).map_err(|error| error.to_string())?;
        let content = take_content(response)?;
        let headers = &mut response.headers;
        let fresh = [&b"cache-control"[..], b"pragma", b"expires"];
        if !fresh.iter().any(|name| headers.contains(name)) {
            headers.set("Cache-Control", "no-cache, no-store, must-revalidate");
            headers.set("Pragma", "no-cache");
            headers.set("Expires", "0");
        }
        let plan = TricklePlan::new(steps, content.len());
        response.body = Body::Stream(Box::new(Trickling { content, plan, delay: None }));
        Ok(())
    }
}

/// Content on its way. It holds no thread: ten thousand of them are ten thousand timers.
struct Trickling {
    content: Bytes,
    plan: TricklePlan,
    delay: Option<Pin<Box<Sleep>>>,
}

impl BodyStream for Trickling {
    fn into_content(self: Box<Self>) -> Bytes {
        self.content
    }

    fn poll_next(&mut self, cx: &mut Context<'_>) -> Poll<Option<Bytes>> {
        loop {
            if let Some(delay) = &mut self.delay {
                ready!(delay.as_mut().poll(cx));
                self.delay = None;
            }
            match self.plan.next() {
                None => return Poll::Ready(None),
                Some(TrickleEvent::Send(range)) if range.is_empty() => {}
                Some(TrickleEvent::Send(range)) => {
                    return Poll::Ready(Some(self.content.slice(range)));
                }
                Some(TrickleEvent::Wait(duration)) => {
                    self.delay = Some(Box::pin(tokio::time::sleep(duration)));
                }
            }
        }
    }
}

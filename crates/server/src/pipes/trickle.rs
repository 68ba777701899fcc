//! `trickle(delays)`: sends the content in pieces with delays between them.

use std::{
    io,
    ops::RangeInclusive,
    pin::Pin,
    task::{Context, Poll, ready},
};

use bytes::Bytes;
use proto::pipe::{TrickleEvent, TricklePlan, parse_trickle};
use tokio::time::Sleep;

use super::{Pipe, take_content};
use crate::{
    Response,
    blocking::Job,
    content::Content,
    parts::Parts,
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
        _job: &Job<'_>,
        response: &mut Response,
        arguments: &[String],
    ) -> Result<(), String> {
        let steps = parse_trickle(&arguments[0]).map_err(|error| error.to_string())?;
        let content = take_content(response);
        let headers = &mut response.headers;
        let fresh = [&b"cache-control"[..], b"pragma", b"expires"];
        if !fresh.iter().any(|name| headers.contains(name)) {
            headers.set("Cache-Control", "no-cache, no-store, must-revalidate");
            headers.set("Pragma", "no-cache");
            headers.set("Expires", "0");
        }
        let length = usize::try_from(content.length()).unwrap_or(usize::MAX);
        let plan = TricklePlan::new(steps, length);
        let sending = Content::default();
        response.body = Body::Stream(Box::new(Trickling { content, plan, sending, delay: None }));
        Ok(())
    }
}

/// Content on its way. It holds no thread: ten thousand of them are ten thousand timers.
struct Trickling {
    content: Parts,
    plan: TricklePlan,
    /// The piece of the content that is going out.
    sending: Content,
    delay: Option<Pin<Box<Sleep>>>,
}

impl BodyStream for Trickling {
    fn into_parts(self: Box<Self>) -> Parts {
        self.content
    }

    fn is_reading(&self) -> bool {
        self.sending.is_reading()
    }

    fn poll_next(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<Option<Bytes>>> {
        loop {
            if let Some(bytes) = ready!(self.sending.poll_next(cx))? {
                return Poll::Ready(Ok(Some(bytes)));
            }
            if let Some(delay) = &mut self.delay {
                ready!(delay.as_mut().poll(cx));
                self.delay = None;
            }
            match self.plan.next() {
                None => return Poll::Ready(Ok(None)),
                Some(TrickleEvent::Send(range)) => {
                    let piece = self.content.slice(range.start as u64..range.end as u64);
                    self.sending = Content::new(piece.into(), None);
                }
                Some(TrickleEvent::Wait(duration)) => {
                    self.delay = Some(Box::pin(tokio::time::sleep(duration)));
                }
            }
        }
    }
}

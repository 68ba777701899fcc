//! Whether the client of a response is still there, and takes it.
//!
//! A response may wait for long: for its handler, or for the client. Meanwhile nobody needs to read
//! from the connection, so it is read ahead, to see whether the client ends. One that has ended its
//! sending half may yet wait for the response (RFC 9112, section 9.6); only if nobody has its
//! socket any more is it gone. That is asked for now and then, since nothing tells.

use std::{
    io,
    pin::{Pin, pin},
    task::{Context, Poll},
    time::Duration,
};

use tokio::{
    io::AsyncReadExt,
    time::{Sleep, sleep},
};

use super::{Connection, READ_BLOCK, Transport};
use crate::{socket_table, stall::Stall};

/// What is known of the client of a response that waits.
#[derive(Default)]
pub(super) struct Presence {
    stall: Stall,
    /// When the client is to be looked for again.
    alarm: Option<Pin<Box<Sleep>>>,
}

/// What a client may still send.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Sending {
    /// More, which will be seen.
    On,
    /// More, for which there is no room.
    Ahead,
    /// Nothing: it has ended its side.
    Ended,
}

impl<S: Transport> Connection<S> {
    /// Begins to watch the client of a new response.
    pub(super) fn watch(&mut self) {
        self.presence.stall = Stall::default();
    }

    /// To be called when a response can go no further for now. Ready with the reason when nobody
    /// waits for it: the client is gone, or has taken nothing for too long, if writes are `limited`.
    pub(super) fn poll_lost(
        &mut self,
        sending: Sending,
        limited: bool,
        cx: &mut Context<'_>,
    ) -> Poll<io::Error> {
        if sending != Sending::On
            && let Poll::Ready(error) = self.poll_gone(cx)
        {
            return Poll::Ready(error);
        }
        if !limited || !self.output.waits_for_client() {
            return Poll::Pending;
        }
        let limit = self.service.environment.limits.write_timeout;
        let info = &self.info;
        let left = || info.unacknowledged();
        let stall = &mut self.presence.stall;
        if stall.poll(limit, self.output.written, left, cx).is_pending() {
            return Poll::Pending;
        }
        self.service.tell_stalled(self.info.peer, limit);
        Poll::Ready(io::ErrorKind::TimedOut.into())
    }

    /// Reads ahead of the present request as far as there is room.
    pub(super) fn poll_ahead(&mut self, cx: &mut Context<'_>) -> io::Result<Sending> {
        while self.input.len() < READ_AHEAD {
            // Most clients send nothing meanwhile, and need no room for it.
            if self.stream.socket().poll_read_ready(cx)?.is_pending() {
                return Ok(Sending::On);
            }
            self.input.reserve(READ_BLOCK);
            let read = pin!(self.stream.read_buf(&mut self.input));
            match read.poll(cx)? {
                Poll::Pending => return Ok(Sending::On),
                Poll::Ready(0) => return Ok(Sending::Ended),
                Poll::Ready(_) => {}
            }
        }
        Ok(Sending::Ahead)
    }

    /// Ready once nobody has the client's end of the connection any more.
    fn poll_gone(&mut self, cx: &mut Context<'_>) -> Poll<io::Error> {
        loop {
            if let Some(alarm) = &mut self.presence.alarm
                && alarm.as_mut().poll(cx).is_pending()
            {
                return Poll::Pending;
            }
            // Behind a FIN, a read does not tell of a reset.
            if let Ok(Some(error)) | Err(error) = self.stream.socket().take_error() {
                return Poll::Ready(error);
            }
            if socket_table::is_abandoned(self.info.peer, self.info.local) {
                return Poll::Ready(io::ErrorKind::ConnectionAborted.into());
            }
            self.presence.alarm = Some(Box::pin(sleep(LOOK)));
        }
    }
}

/// How much is read ahead of the present request.
const READ_AHEAD: usize = 16 * 1024;
/// How often a client that sends no more is looked for.
const LOOK: Duration = Duration::from_secs(1);

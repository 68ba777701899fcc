//! What a handler may ask of the stream that its request came on.

use std::{fmt, sync::Arc};

use bytes::Bytes;
use proto::HeaderList;

use super::wire::Wire;
use crate::budget::Taken;

/// The stream of a request over HTTP/2.
#[derive(Clone)]
pub struct Http2Stream {
    id: u32,
    received: Arc<Received>,
    wire: Arc<Wire>,
}

struct Received {
    fields: HeaderList,
    protocol: Option<Bytes>,
    /// Given back when nobody has the head any more.
    _taken: Taken,
}

impl Http2Stream {
    pub(super) fn new(
        id: u32,
        fields: HeaderList,
        protocol: Option<Bytes>,
        taken: Taken,
        wire: Arc<Wire>,
    ) -> Self {
        Self { id, received: Arc::new(Received { fields, protocol, _taken: taken }), wire }
    }

    /// Its number.
    pub fn id(&self) -> u32 {
        self.id
    }

    /// The request's header list as it came, pseudo-header fields first.
    pub fn fields(&self) -> &HeaderList {
        &self.received.fields
    }

    /// The `:protocol` of an extended CONNECT (RFC 8441).
    pub fn protocol(&self) -> Option<&[u8]> {
        self.received.protocol.as_deref()
    }

    /// Whether the client takes promises.
    pub fn may_push(&self) -> bool {
        self.wire.may_push()
    }

    /// A stream for a promise, even and unused; or the one that is asked for, whatever it is.
    pub fn promise(&self, wanted: Option<u32>) -> u32 {
        self.wire.promise(wanted)
    }

    /// The longest payload that the client takes in a frame.
    pub fn max_frame_size(&self) -> usize {
        self.wire.max_frame_size()
    }

    /// How much data the client has room for on a stream; negative when it was sent too much.
    pub fn window(&self, stream: u32) -> i64 {
        self.wire.window(stream)
    }
}

impl fmt::Debug for Http2Stream {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Http2Stream").field("id", &self.id).finish_non_exhaustive()
    }
}

//! `gzip`, `deflate`, `br` and `zstd`: compress the content and say so in Content-Encoding.
//!
//! The reference has gzip alone.

use std::{
    io::{self, Write},
    ops::RangeInclusive,
};

use flate2::write::{GzEncoder, ZlibEncoder};

use super::{Pipe, take_content};
use crate::{Request, Response, response::Body};

pub(super) struct Compress {
    /// The pipe's name and the content coding (RFC 9110, section 8.4.1).
    coding: &'static str,
    encode: fn(&[u8]) -> io::Result<Vec<u8>>,
}

pub(super) const GZIP: Compress = Compress {
    coding: "gzip",
    encode: |content| {
        let mut encoder = GzEncoder::new(Vec::new(), flate2::Compression::best());
        encoder.write_all(content)?;
        encoder.finish()
    },
};

pub(super) const DEFLATE: Compress = Compress {
    coding: "deflate",
    encode: |content| {
        let mut encoder = ZlibEncoder::new(Vec::new(), flate2::Compression::best());
        encoder.write_all(content)?;
        encoder.finish()
    },
};

pub(super) const BROTLI: Compress = Compress {
    coding: "br",
    encode: |content| {
        let mut compressed = Vec::new();
        let parameters = brotli::enc::BrotliEncoderParams { quality: 5, ..Default::default() };
        brotli::BrotliCompress(&mut &*content, &mut compressed, &parameters)?;
        Ok(compressed)
    },
};

pub(super) const ZSTD: Compress =
    Compress { coding: "zstd", encode: |content| zstd::encode_all(content, 0) };

impl Pipe for Compress {
    fn name(&self) -> &'static str {
        self.coding
    }

    fn arity(&self) -> RangeInclusive<usize> {
        0..=0
    }

    fn reads_content(&self) -> bool {
        true
    }

    fn apply(
        &self,
        _request: &Request,
        response: &mut Response,
        _arguments: &[String],
    ) -> Result<(), String> {
        let content = take_content(response)?;
        let compressed = (self.encode)(&content).map_err(|error| error.to_string())?;
        response.headers.set("Content-Encoding", self.coding);
        response.headers.set("Content-Length", compressed.len().to_string());
        response.body = Body::Bytes(compressed.into());
        Ok(())
    }
}

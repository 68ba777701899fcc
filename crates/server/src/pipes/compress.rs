//! `gzip`, `deflate`, `br` and `zstd`: compress the content and say so in Content-Encoding.
//!
//! The reference has gzip alone.

use std::{
    io::{self, Read, Write},
    ops::RangeInclusive,
};

use flate2::write::{GzEncoder, ZlibEncoder};

use super::{Pipe, made_content, take_content};
use crate::{Response, blocking::Job};

pub(super) struct Compress {
    /// The pipe's name and the content coding (RFC 9110, section 8.4.1).
    coding: &'static str,
    encode: fn(&mut dyn Read, &mut dyn Write) -> io::Result<()>,
}

pub(super) const GZIP: Compress = Compress {
    coding: "gzip",
    encode: |content, to| {
        let mut encoder = GzEncoder::new(to, flate2::Compression::best());
        io::copy(content, &mut encoder)?;
        encoder.finish()?;
        Ok(())
    },
};

pub(super) const DEFLATE: Compress = Compress {
    coding: "deflate",
    encode: |content, to| {
        let mut encoder = ZlibEncoder::new(to, flate2::Compression::best());
        io::copy(content, &mut encoder)?;
        encoder.finish()?;
        Ok(())
    },
};

pub(super) const BROTLI: Compress = Compress {
    coding: "br",
    encode: |mut content, mut to| {
        let parameters = brotli::enc::BrotliEncoderParams { quality: 5, ..Default::default() };
        brotli::BrotliCompress(&mut content, &mut to, &parameters)?;
        Ok(())
    },
};

pub(super) const ZSTD: Compress =
    Compress { coding: "zstd", encode: |content, to| zstd::stream::copy_encode(content, to, 0) };

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

    fn is_quick(&self, content: Option<&[u8]>) -> bool {
        content.is_some_and(|content| content.len() <= QUICK)
    }

    fn apply(
        &self,
        job: &Job<'_>,
        response: &mut Response,
        _arguments: &[String],
    ) -> Result<(), String> {
        let mut content = take_content(response).reader(job);
        response.body = made_content(|to| (self.encode)(&mut content, to))
            .map_err(|error| error.to_string())?;
        response.headers.set("Content-Encoding", self.coding);
        let length = response.body.length().unwrap_or_default();
        response.headers.set("Content-Length", length.to_string());
        Ok(())
    }
}

/// What is compressed in well under a millisecond.
const QUICK: usize = 8 * 1024;

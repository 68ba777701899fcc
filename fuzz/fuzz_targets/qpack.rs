//! Field sections of HTTP/3, and the instructions of QPACK's streams.
//!
//! - A section that is read, written again, reads the same.
//! - Whatever is refused is refused with the code that RFC 9204 has for it.
#![no_main]

use bytes::BytesMut;
use libfuzzer_sys::fuzz_target;
use proto::http3::{
    Code, decode_section, encode_section, read_decoder_stream, read_encoder_stream,
};

fuzz_target!(|data: &[u8]| {
    match decode_section(data, LIMIT) {
        Ok(section) => {
            let mut again = Vec::new();
            encode_section(&mut again, section.fields.iter().map(|f| (&f.name, &f.value)));
            if section.size <= LIMIT {
                assert_eq!(decode_section(&again, LIMIT), Ok(section));
            }
        }
        Err(error) => assert_eq!(error.code, Code::QPACK_DECOMPRESSION_FAILED),
    }
    if let Err(error) = read_encoder_stream(&mut BytesMut::from(data)) {
        assert_eq!(error.code, Code::QPACK_ENCODER_STREAM_ERROR);
    }
    if let Err(error) = read_decoder_stream(&mut BytesMut::from(data)) {
        assert_eq!(error.code, Code::QPACK_DECODER_STREAM_ERROR);
    }
});

const LIMIT: usize = 4096;

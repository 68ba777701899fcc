//! Messages between the processes of one server: a length, a kind, and bytes whose meaning the kind
//! says. Both ends are the same build, so there is no version.

use std::io::{self, ErrorKind, Read};

use tokio::io::{AsyncRead, AsyncReadExt};

/// A message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Frame {
    pub(super) kind: u8,
    pub(super) payload: Vec<u8>,
}

/// The bytes of a message; its payload is given in parts. It is shorter than 4 GiB: what a longer
/// one has beyond that is read as another message, which makes no sense and ends the connection.
pub(super) fn encode(kind: u8, parts: &[&[u8]]) -> Vec<u8> {
    let length: usize = parts.iter().map(|part| part.len()).sum();
    let mut bytes = Vec::with_capacity(HEAD + length);
    bytes.extend(u32::try_from(length).unwrap_or(u32::MAX).to_le_bytes());
    bytes.push(kind);
    for part in parts {
        bytes.extend_from_slice(part);
    }
    bytes
}

/// Reads a message; `None` when the stream ends before it begins.
pub(super) fn read(stream: &mut impl Read) -> io::Result<Option<Frame>> {
    let mut head = [0; HEAD];
    match stream.read(&mut head)? {
        0 => return Ok(None),
        begun => stream.read_exact(&mut head[begun..])?,
    }
    let (kind, length) = parse(head);
    let mut payload = Vec::new();
    // Room is made as bytes come, whatever the length says.
    stream.take(length).read_to_end(&mut payload)?;
    whole(Frame { kind, payload }, length)
}

/// The same for a stream of the runtime. Not to be cancelled.
pub(super) async fn read_async(stream: &mut (impl AsyncRead + Unpin)) -> io::Result<Option<Frame>> {
    let mut head = [0; HEAD];
    match stream.read(&mut head).await? {
        0 => return Ok(None),
        begun => stream.read_exact(&mut head[begun..]).await?,
    };
    let (kind, length) = parse(head);
    let mut payload = Vec::new();
    stream.take(length).read_to_end(&mut payload).await?;
    whole(Frame { kind, payload }, length)
}

fn parse(head: [u8; HEAD]) -> (u8, u64) {
    let [a, b, c, d, kind] = head;
    (kind, u32::from_le_bytes([a, b, c, d]).into())
}

fn whole(frame: Frame, length: u64) -> io::Result<Option<Frame>> {
    if frame.payload.len() as u64 == length {
        return Ok(Some(frame));
    }
    Err(io::Error::new(ErrorKind::UnexpectedEof, "a message ends in its middle"))
}

/// Takes so many bytes from the front.
pub(super) fn split<'a>(bytes: &mut &'a [u8], length: usize) -> Option<&'a [u8]> {
    let (front, rest) = bytes.split_at_checked(length)?;
    *bytes = rest;
    Some(front)
}

/// Takes a number from the front.
pub(super) fn split_u32(bytes: &mut &[u8]) -> Option<u32> {
    split(bytes, 4)?.try_into().ok().map(u32::from_le_bytes)
}

/// Takes a longer number from the front.
pub(super) fn split_u64(bytes: &mut &[u8]) -> Option<u64> {
    split(bytes, 8)?.try_into().ok().map(u64::from_le_bytes)
}

const HEAD: usize = 5;

#[cfg(test)]
mod tests {
    use super::*;
    use tokio::runtime;

    fn read_all(mut bytes: &[u8]) -> Vec<io::Result<Option<Frame>>> {
        let mut frames = Vec::new();
        loop {
            let frame = read(&mut bytes);
            let last = !matches!(frame, Ok(Some(_)));
            frames.push(frame);
            if last {
                return frames;
            }
        }
    }

    #[test]
    fn messages_come_out_as_they_went_in() {
        let mut bytes = encode(7, &[b"ab", b"", b"c"]);
        assert_eq!(bytes, b"\x03\0\0\0\x07abc");
        bytes.extend(encode(0, &[]));
        let frames: Vec<_> = read_all(&bytes).into_iter().map(Result::unwrap).collect();
        let first = Frame { kind: 7, payload: b"abc".to_vec() };
        assert_eq!(frames, [Some(first), Some(Frame { kind: 0, payload: Vec::new() }), None]);
    }

    #[test]
    fn a_message_that_is_cut_off_is_an_error_wherever_it_is() {
        let bytes = encode(1, &[&[9; 300]]);
        for end in 1..bytes.len() {
            let mut frames = read_all(&bytes[..end]);
            assert_eq!(frames.len(), 1, "{end}");
            let error = frames.remove(0).unwrap_err();
            assert_eq!(error.kind(), ErrorKind::UnexpectedEof, "{end}");
        }
    }

    #[test]
    fn a_length_makes_no_room() {
        let error = read_all(b"\xff\xff\xff\xff\x01abc").remove(0).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::UnexpectedEof);
    }

    #[test]
    fn both_readers_agree() {
        let runtime = runtime::Builder::new_current_thread().build().unwrap();
        let mut bytes = encode(3, &[&vec![1; 70_000]]);
        bytes.extend(encode(4, &[b"x"]));
        for end in 0..bytes.len() {
            // Every end of the first bytes and of the last ones.
            if (20..70_000).contains(&end) {
                continue;
            }
            let (mut left, mut right) = (&bytes[..end], &bytes[..end]);
            loop {
                let expected = read(&mut left).map_err(|error| error.kind());
                let got = runtime.block_on(read_async(&mut right)).map_err(|error| error.kind());
                assert_eq!(got, expected, "{end}");
                if !matches!(expected, Ok(Some(_))) {
                    break;
                }
            }
        }
    }

    #[test]
    fn numbers_and_bytes_come_off_the_front() {
        let mut bytes: &[u8] = b"\x02\0\0\0abc";
        assert_eq!(split_u32(&mut bytes), Some(2));
        assert_eq!(split(&mut bytes, 2), Some(&b"ab"[..]));
        assert_eq!(split(&mut bytes, 2), None);
        assert_eq!(split_u32(&mut bytes), None);
        assert_eq!(bytes, b"c");
    }
}

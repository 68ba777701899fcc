//! Messages out of frames (RFC 6455, sections 5.4 to 5.6).

use bytes::Bytes;
use thiserror::Error;

use super::{
    budget::Share,
    deflate::{InflateError, MessageInflater},
    frame::{Frame, Opcode},
};

/// What a peer said.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Message {
    /// Text: UTF-8, if the assembler checks that.
    Text(Bytes),
    /// Bytes.
    Binary(Bytes),
    /// It wants to close; see [`CloseStatus`](super::CloseStatus).
    Close(Bytes),
    /// It asks for a pong.
    Ping(Bytes),
    /// It answers a ping.
    Pong(Bytes),
}

/// Why a frame fits into no message. The frame was taken; what follows can be read all the same.
#[derive(Clone, Copy, Debug, Error, PartialEq, Eq)]
pub enum MessageError {
    /// A reserved bit is set that no extension gives a meaning.
    #[error("a reserved bit of a frame is set")]
    ReservedBit,
    /// The opcode has no meaning.
    #[error("a frame has the opcode {0:#x}, which is reserved")]
    ReservedOpcode(u8),
    /// A control frame is one frame.
    #[error("a control frame is fragmented")]
    FragmentedControl,
    /// No message was begun.
    #[error("a message is continued that was not begun")]
    NotBegun,
    /// A message was begun before the last one ended.
    #[error("a message begins within another")]
    NotEnded,
    /// Text is UTF-8.
    #[error("a message of text is not UTF-8")]
    NotUtf8,
    /// The compressed data is corrupt.
    #[error("the compressed data of a message is corrupt")]
    Corrupt,
    /// The message is longer than is allowed here.
    #[error("a message has more than {0} bytes")]
    TooLong(usize),
    /// The messages of all connections are longer than is allowed.
    #[error("the messages of all connections together take too much memory")]
    NoRoom,
}

/// Puts messages together.
#[derive(Debug)]
pub struct Assembler {
    /// The longest message, as it is once it is decompressed.
    max_message: usize,
    /// Whether text is checked.
    utf8: bool,
    current: Option<Current>,
    /// What the message that is received, or was received last, takes of the memory for all.
    share: Option<Share>,
}

/// The message that has begun.
#[derive(Debug)]
struct Current {
    opcode: Opcode,
    compressed: bool,
    data: Vec<u8>,
    /// Up to here the text is UTF-8.
    valid: usize,
}

impl Assembler {
    /// One for messages up to a length. With `utf8` false, what is text is not looked at.
    pub fn new(max_message: usize, utf8: bool) -> Self {
        Self { max_message, utf8, current: None, share: None }
    }

    /// The same, whose messages count in the memory for those of many connections.
    #[must_use]
    pub fn with_share(self, share: Share) -> Self {
        Self { share: Some(share), ..self }
    }

    /// Says that the last message is done with, and how many bytes are received that are no frames
    /// yet.
    pub fn note_unread(&mut self, unread: usize) -> Result<(), MessageError> {
        let begun = self.current.as_ref().map_or(0, |current| current.data.len());
        self.hold(begun + unread)
    }

    /// Counts so many bytes in the memory for all: twice, since a buffer grows by more than it needs
    /// and who receives a message copies it.
    fn hold(&mut self, bytes: usize) -> Result<(), MessageError> {
        let Some(share) = &mut self.share else { return Ok(()) };
        if share.resize(bytes.saturating_mul(2)) {
            return Ok(());
        }
        // The message ends here, and others may go on.
        share.resize(0);
        Err(MessageError::NoRoom)
    }

    /// Takes the next frame. `None` while its message has not ended. Text that is not UTF-8 is
    /// noticed with the frame that it comes in, not at the end of the message.
    ///
    /// With an `inflater`, permessage-deflate is in use.
    pub fn push(
        &mut self,
        frame: Frame,
        inflater: Option<&mut MessageInflater>,
    ) -> Result<Option<Message>, MessageError> {
        let Frame { header, payload } = frame;
        let compresses =
            inflater.is_some() && matches!(header.opcode, Opcode::TEXT | Opcode::BINARY);
        if (header.rsv1 && !compresses) || header.rsv2 || header.rsv3 {
            return Err(MessageError::ReservedBit);
        }
        if header.opcode.is_control() {
            if !header.fin {
                return Err(MessageError::FragmentedControl);
            }
            let payload = payload.freeze();
            return match header.opcode {
                Opcode::CLOSE => Ok(Some(Message::Close(payload))),
                Opcode::PING => Ok(Some(Message::Ping(payload))),
                Opcode::PONG => Ok(Some(Message::Pong(payload))),
                other => Err(MessageError::ReservedOpcode(other.bits())),
            };
        }
        let current = match (header.opcode, self.current.take()) {
            (Opcode::CONTINUATION, None) => return Err(MessageError::NotBegun),
            (Opcode::CONTINUATION, Some(current)) => current,
            (Opcode::TEXT | Opcode::BINARY, Some(_)) => return Err(MessageError::NotEnded),
            (opcode @ (Opcode::TEXT | Opcode::BINARY), None) => {
                if header.fin && !header.rsv1 {
                    return self.whole(opcode, payload.freeze()).map(Some);
                }
                Current { opcode, compressed: header.rsv1, data: Vec::new(), valid: 0 }
            }
            (other, current) => {
                self.current = current;
                return Err(MessageError::ReservedOpcode(other.bits()));
            }
        };
        self.extend(current, &payload, header.fin, inflater)
    }

    /// A message that is one frame, as it came.
    fn whole(&mut self, opcode: Opcode, payload: Bytes) -> Result<Message, MessageError> {
        if payload.len() > self.max_message {
            return Err(MessageError::TooLong(self.max_message));
        }
        self.hold(payload.len())?;
        if opcode != Opcode::TEXT {
            return Ok(Message::Binary(payload));
        }
        if self.utf8 && std::str::from_utf8(&payload).is_err() {
            return Err(MessageError::NotUtf8);
        }
        Ok(Message::Text(payload))
    }

    fn extend(
        &mut self,
        mut current: Current,
        payload: &[u8],
        fin: bool,
        inflater: Option<&mut MessageInflater>,
    ) -> Result<Option<Message>, MessageError> {
        match inflater {
            Some(inflater) if current.compressed => {
                // Piece by piece: little data may become much.
                let mut pieces = payload.chunks(PIECE).peekable();
                loop {
                    let piece = pieces.next().unwrap_or_default();
                    let last = pieces.peek().is_none();
                    let data = &mut current.data;
                    inflater.inflate(piece, fin && last, data, self.max_message).map_err(
                        |error| match error {
                            InflateError::Corrupt => MessageError::Corrupt,
                            InflateError::TooLong => MessageError::TooLong(self.max_message),
                        },
                    )?;
                    self.hold(current.data.len())?;
                    if last {
                        break;
                    }
                }
            }
            _ if payload.len() > self.max_message - current.data.len() => {
                return Err(MessageError::TooLong(self.max_message));
            }
            _ => {
                self.hold(current.data.len() + payload.len())?;
                current.data.extend_from_slice(payload);
            }
        }
        if self.utf8 && current.opcode == Opcode::TEXT {
            current.check_utf8(fin)?;
        }
        if !fin {
            self.current = Some(current);
            return Ok(None);
        }
        current.data.shrink_to_fit();
        let data = Bytes::from(current.data);
        Ok(Some(match current.opcode {
            Opcode::TEXT => Message::Text(data),
            _ => Message::Binary(data),
        }))
    }
}

impl Current {
    /// Checks the text as far as it is there: a character may end with the next frame.
    fn check_utf8(&mut self, fin: bool) -> Result<(), MessageError> {
        match std::str::from_utf8(&self.data[self.valid..]) {
            Ok(_) => self.valid = self.data.len(),
            Err(error) if error.error_len().is_none() && !fin => self.valid += error.valid_up_to(),
            Err(_) => return Err(MessageError::NotUtf8),
        }
        Ok(())
    }
}

/// How much compressed data is decompressed before the memory it takes is looked at.
const PIECE: usize = 4 * 1024;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::websocket::{Budget, FrameHeader, MessageDeflater};
    use bytes::BytesMut;
    use proptest::prelude::*;
    use std::sync::Arc;

    fn frame(fin: bool, opcode: Opcode, payload: &[u8]) -> Frame {
        let header = FrameHeader { fin, ..FrameHeader::whole(opcode) };
        Frame { header, payload: BytesMut::from(payload) }
    }

    fn push(
        assembler: &mut Assembler,
        fin: bool,
        opcode: Opcode,
        payload: &[u8],
    ) -> Result<Option<Message>, MessageError> {
        assembler.push(frame(fin, opcode, payload), None)
    }

    #[test]
    fn a_control_frame_may_come_within_a_message() {
        let mut a = Assembler::new(100, true);
        assert_eq!(push(&mut a, false, Opcode::TEXT, b"\xc3"), Ok(None));
        let ping = Message::Ping(Bytes::from_static(b"p"));
        assert_eq!(push(&mut a, true, Opcode::PING, b"p"), Ok(Some(ping)));
        let text = Message::Text(Bytes::from_static("é".as_bytes()));
        assert_eq!(push(&mut a, true, Opcode::CONTINUATION, b"\xa9"), Ok(Some(text)));
    }

    #[test]
    fn what_fits_into_no_message() {
        let mut a = Assembler::new(4, true);
        let error = |result: Result<_, _>| result.unwrap_err();
        assert_eq!(error(push(&mut a, true, Opcode::CONTINUATION, b"")), MessageError::NotBegun);
        assert_eq!(error(push(&mut a, false, Opcode::PING, b"")), MessageError::FragmentedControl);
        assert_eq!(error(push(&mut a, true, Opcode::new(3), b"")), MessageError::ReservedOpcode(3));
        assert_eq!(
            error(push(&mut a, true, Opcode::new(11), b"")),
            MessageError::ReservedOpcode(11)
        );
        assert_eq!(error(push(&mut a, true, Opcode::TEXT, b"\xff")), MessageError::NotUtf8);
        assert_eq!(error(push(&mut a, true, Opcode::BINARY, b"12345")), MessageError::TooLong(4));
        assert_eq!(push(&mut a, false, Opcode::BINARY, b"123"), Ok(None));
        assert_eq!(
            error(push(&mut a, true, Opcode::CONTINUATION, b"45")),
            MessageError::TooLong(4)
        );
        assert_eq!(push(&mut a, false, Opcode::TEXT, b"1"), Ok(None));
        assert_eq!(error(push(&mut a, true, Opcode::TEXT, b"")), MessageError::NotEnded);
        let header = FrameHeader { rsv1: true, ..FrameHeader::whole(Opcode::TEXT) };
        let compressed = Frame { header, payload: BytesMut::new() };
        assert_eq!(error(a.push(compressed, None)), MessageError::ReservedBit);
    }

    #[test]
    fn bad_text_is_noticed_with_its_frame() {
        let mut a = Assembler::new(100, true);
        assert_eq!(push(&mut a, false, Opcode::TEXT, b"ok \xed"), Ok(None));
        assert_eq!(
            push(&mut a, false, Opcode::CONTINUATION, b"\xa0\x80"),
            Err(MessageError::NotUtf8)
        );
        let mut unchecked = Assembler::new(100, false);
        assert!(push(&mut unchecked, true, Opcode::TEXT, b"\xff").unwrap().is_some());
    }

    #[test]
    fn a_bomb_is_refused() {
        let mut deflater = MessageDeflater::new(15, false);
        let data = deflater.deflate(&vec![0; 1 << 20], true, false).unwrap();
        let header = FrameHeader { rsv1: true, ..FrameHeader::whole(Opcode::BINARY) };
        let bomb = Frame { header, payload: BytesMut::from(&data[..]) };
        let mut inflater = MessageInflater::default();
        let mut a = Assembler::new(1 << 16, true);
        assert_eq!(a.push(bomb, Some(&mut inflater)), Err(MessageError::TooLong(1 << 16)));
    }

    #[test]
    fn bombs_on_many_connections_share_their_memory() {
        let mut deflater = MessageDeflater::new(15, true);
        let data = deflater.deflate(&vec![0; 1 << 20], true, false).unwrap();
        let header = FrameHeader { rsv1: true, ..FrameHeader::whole(Opcode::BINARY) };
        let bomb = || Frame { header, payload: BytesMut::from(&data[..]) };
        let budget = Arc::new(Budget::default());
        let assembler =
            || Assembler::new(1 << 20, true).with_share(Share::new(Arc::clone(&budget), 4 << 20));
        let push = |assembler: &mut Assembler| {
            assembler.push(bomb(), Some(&mut MessageInflater::default())).map(|message| {
                let Some(Message::Binary(data)) = message else { panic!("no message") };
                data.len()
            })
        };
        let mut all: Vec<_> = std::iter::repeat_with(assembler).take(3).collect();
        assert_eq!(push(&mut all[0]), Ok(1 << 20));
        assert_eq!(push(&mut all[1]), Ok(1 << 20));
        assert_eq!(push(&mut all[2]), Err(MessageError::NoRoom));
        // Short ones are taken all the same, and others once one is done with.
        assert!(self::push(&mut all[2], true, Opcode::BINARY, b"short").is_ok());
        all[0].note_unread(0).unwrap();
        assert_eq!(push(&mut all[2]), Ok(1 << 20));
        assert_eq!(all[0].note_unread(1 << 20), Err(MessageError::NoRoom));
    }

    proptest! {
        #[test]
        fn fragments_are_one_message(
            text in ".{0,200}",
            at in proptest::collection::vec(0_usize..400, 0..5),
            compressed in any::<bool>(),
        ) {
            let mut deflater = MessageDeflater::new(15, false);
            let data = if compressed {
                deflater.deflate(text.as_bytes(), true, false).unwrap()
            } else {
                text.as_bytes().to_vec()
            };
            let mut cuts: Vec<usize> = at.into_iter().map(|at| at.min(data.len())).collect();
            cuts.sort_unstable();
            cuts.push(data.len());
            let mut inflater = MessageInflater::default();
            let mut assembler = Assembler::new(10_000, true);
            let (mut start, mut got) = (0, None);
            for (index, &end) in cuts.iter().enumerate() {
                prop_assert_eq!(got, None);
                let opcode = if index == 0 { Opcode::TEXT } else { Opcode::CONTINUATION };
                let mut piece = frame(index + 1 == cuts.len(), opcode, &data[start..end]);
                piece.header.rsv1 = compressed && index == 0;
                got = assembler.push(piece, Some(&mut inflater)).unwrap();
                start = end;
            }
            prop_assert_eq!(got, Some(Message::Text(Bytes::from(text))));
        }
    }
}

//! What is asked of the stash, and its answers.

use server::stash::StashKey;

use crate::processes::frame::{self, Frame, split, split_u32};

/// A question.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Request {
    /// Store a value.
    Put(StashKey, Vec<u8>),
    /// Remove and return a value.
    Take(StashKey),
    /// Take the lock if it is free.
    TryLock,
    /// Wait for the lock.
    Lock,
    /// Give the lock back.
    Unlock,
}

/// An answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Answer {
    /// It is done.
    Yes,
    /// There is no such value, or the lock was not as it should be.
    No,
    /// The value that was taken, or is in the way.
    Value(Vec<u8>),
}

impl Request {
    pub(super) fn encode(&self) -> Vec<u8> {
        match self {
            Self::Put(key, value) => Self::with_key(PUT, key, value),
            Self::Take(key) => Self::with_key(TAKE, key, &[]),
            Self::TryLock => frame::encode(TRY_LOCK, &[]),
            Self::Lock => frame::encode(LOCK, &[]),
            Self::Unlock => frame::encode(UNLOCK, &[]),
        }
    }

    fn with_key(kind: u8, key: &StashKey, value: &[u8]) -> Vec<u8> {
        let length = u32::try_from(key.path.len()).unwrap_or(u32::MAX).to_le_bytes();
        frame::encode(kind, &[&key.id, &length, &key.path, value])
    }

    pub(super) fn decode(Frame { kind, payload }: Frame) -> Option<Self> {
        let mut rest = &payload[..];
        let mut key = || {
            let id = split(&mut rest, 16)?.try_into().ok()?;
            let length = usize::try_from(split_u32(&mut rest)?).ok()?;
            Some(StashKey { path: split(&mut rest, length)?.to_vec(), id })
        };
        match kind {
            PUT => {
                let key = key()?;
                Some(Self::Put(key, rest.to_vec()))
            }
            TAKE => key().map(Self::Take),
            TRY_LOCK => Some(Self::TryLock),
            LOCK => Some(Self::Lock),
            UNLOCK => Some(Self::Unlock),
            _ => None,
        }
    }
}

impl Answer {
    pub(super) fn encode(&self) -> Vec<u8> {
        match self {
            Self::Yes => frame::encode(YES, &[]),
            Self::No => frame::encode(NO, &[]),
            Self::Value(value) => frame::encode(VALUE, &[value]),
        }
    }

    pub(super) fn decode(Frame { kind, payload }: Frame) -> Option<Self> {
        match kind {
            YES => Some(Self::Yes),
            NO => Some(Self::No),
            VALUE => Some(Self::Value(payload)),
            _ => None,
        }
    }

    /// `Yes` or `No`.
    pub(super) fn of(yes: bool) -> Self {
        if yes { Self::Yes } else { Self::No }
    }
}

const PUT: u8 = b'P';
const TAKE: u8 = b'T';
const TRY_LOCK: u8 = b'?';
const LOCK: u8 = b'L';
const UNLOCK: u8 = b'U';

const YES: u8 = b'Y';
const NO: u8 = b'N';
const VALUE: u8 = b'V';

#[cfg(test)]
mod tests {
    use super::*;

    fn frame(bytes: &[u8]) -> Frame {
        frame::read(&mut &bytes[..]).unwrap().unwrap()
    }

    fn key(path: &[u8]) -> StashKey {
        StashKey { path: path.to_vec(), id: [7; 16] }
    }

    #[test]
    fn questions_come_out_as_they_went_in() {
        for request in [
            Request::Put(key(b"/a\xff"), b"value\0".to_vec()),
            Request::Put(key(b""), Vec::new()),
            Request::Take(key(b"/a")),
            Request::TryLock,
            Request::Lock,
            Request::Unlock,
        ] {
            assert_eq!(Request::decode(frame(&request.encode())), Some(request));
        }
    }

    #[test]
    fn answers_come_out_as_they_went_in() {
        for answer in [Answer::Yes, Answer::No, Answer::Value(b"x".to_vec())] {
            assert_eq!(Answer::decode(frame(&answer.encode())), Some(answer));
        }
    }

    #[test]
    fn what_is_no_question_is_none() {
        let whole = frame(&Request::Take(key(b"/path")).encode());
        for end in 0..whole.payload.len() {
            let cut = Frame { kind: TAKE, payload: whole.payload[..end].to_vec() };
            assert_eq!(Request::decode(cut), None, "{end}");
        }
        assert_eq!(Request::decode(Frame { kind: 0, payload: Vec::new() }), None);
        assert_eq!(Answer::decode(Frame { kind: 0, payload: Vec::new() }), None);
    }
}

//! What is asked of the stash, and its answers.

use std::time::Duration;

use server::stash::{QueueId, StashKey};

use crate::processes::frame::{self, Frame, split, split_u32, split_u64};

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
    /// Do something with a queue.
    Queue(QueueRequest),
}

/// What to do with a queue.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum QueueRequest {
    /// Make one for so many items.
    Create(u64),
    /// Add an item.
    Put(QueueId, Option<Duration>, Vec<u8>),
    /// Remove and return the first item.
    Take(QueueId, Option<Duration>),
    /// Say how many items there are.
    Len(QueueId),
    /// Take note that an item is done with.
    Done(QueueId),
    /// Wait until all are.
    Join(QueueId),
    /// Remove the queue.
    Remove(QueueId),
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
    /// A queue, or how many items it has.
    Number(u64),
}

impl Request {
    pub(super) fn encode(&self) -> Vec<u8> {
        match self {
            Self::Put(key, value) => Self::with_key(PUT, key, value),
            Self::Take(key) => Self::with_key(TAKE, key, &[]),
            Self::TryLock => frame::encode(TRY_LOCK, &[]),
            Self::Lock => frame::encode(LOCK, &[]),
            Self::Unlock => frame::encode(UNLOCK, &[]),
            Self::Queue(request) => request.encode(),
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
            _ => QueueRequest::decode(kind, &payload).map(Self::Queue),
        }
    }
}

impl QueueRequest {
    fn encode(&self) -> Vec<u8> {
        let (kind, number) = match self {
            Self::Create(most) => (CREATE, most),
            Self::Len(queue) => (LEN, queue),
            Self::Done(queue) => (DONE, queue),
            Self::Join(queue) => (JOIN, queue),
            Self::Remove(queue) => (REMOVE, queue),
            Self::Put(queue, patience, item) => {
                let patience = nanoseconds(*patience).to_le_bytes();
                return frame::encode(QUEUE_PUT, &[&queue.to_le_bytes(), &patience, item]);
            }
            Self::Take(queue, patience) => {
                let patience = nanoseconds(*patience).to_le_bytes();
                return frame::encode(QUEUE_TAKE, &[&queue.to_le_bytes(), &patience]);
            }
        };
        frame::encode(kind, &[&number.to_le_bytes()])
    }

    fn decode(kind: u8, mut rest: &[u8]) -> Option<Self> {
        let number = split_u64(&mut rest)?;
        match kind {
            CREATE => Some(Self::Create(number)),
            LEN => Some(Self::Len(number)),
            DONE => Some(Self::Done(number)),
            JOIN => Some(Self::Join(number)),
            REMOVE => Some(Self::Remove(number)),
            QUEUE_PUT => {
                let patience = duration(split_u64(&mut rest)?);
                Some(Self::Put(number, patience, rest.to_vec()))
            }
            QUEUE_TAKE => Some(Self::Take(number, duration(split_u64(&mut rest)?))),
            _ => None,
        }
    }
}

/// A patience as a number; the greatest has no end.
fn nanoseconds(patience: Option<Duration>) -> u64 {
    patience.and_then(|patience| u64::try_from(patience.as_nanos()).ok()).unwrap_or(u64::MAX)
}

fn duration(nanoseconds: u64) -> Option<Duration> {
    (nanoseconds != u64::MAX).then(|| Duration::from_nanos(nanoseconds))
}

impl Answer {
    pub(super) fn encode(&self) -> Vec<u8> {
        match self {
            Self::Yes => frame::encode(YES, &[]),
            Self::No => frame::encode(NO, &[]),
            Self::Value(value) => frame::encode(VALUE, &[value]),
            Self::Number(number) => frame::encode(NUMBER, &[&number.to_le_bytes()]),
        }
    }

    pub(super) fn decode(Frame { kind, payload }: Frame) -> Option<Self> {
        match kind {
            YES => Some(Self::Yes),
            NO => Some(Self::No),
            VALUE => Some(Self::Value(payload)),
            NUMBER => split_u64(&mut &payload[..]).map(Self::Number),
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
const CREATE: u8 = b'c';
const QUEUE_PUT: u8 = b'p';
const QUEUE_TAKE: u8 = b't';
const LEN: u8 = b'l';
const DONE: u8 = b'd';
const JOIN: u8 = b'j';
const REMOVE: u8 = b'r';

const YES: u8 = b'Y';
const NO: u8 = b'N';
const VALUE: u8 = b'V';
const NUMBER: u8 = b'#';

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
            Request::Queue(QueueRequest::Create(0)),
            Request::Queue(QueueRequest::Put(u64::MAX, None, b"item".to_vec())),
            Request::Queue(QueueRequest::Put(1, Some(Duration::from_millis(3)), Vec::new())),
            Request::Queue(QueueRequest::Take(2, Some(Duration::ZERO))),
            Request::Queue(QueueRequest::Take(2, None)),
            Request::Queue(QueueRequest::Len(3)),
            Request::Queue(QueueRequest::Done(4)),
            Request::Queue(QueueRequest::Join(5)),
            Request::Queue(QueueRequest::Remove(6)),
        ] {
            assert_eq!(Request::decode(frame(&request.encode())), Some(request));
        }
    }

    #[test]
    fn answers_come_out_as_they_went_in() {
        for answer in [Answer::Yes, Answer::No, Answer::Value(b"x".to_vec()), Answer::Number(7)] {
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

//! What a host tells its supervisor.

use std::{
    io::{self, Write},
    os::unix::net::UnixStream,
    sync::{Arc, Mutex, PoisonError},
};

use tokio::io::AsyncRead;

use super::frame::{self, Frame};
use crate::{Exit, settings::Failure};

/// A report.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Report {
    /// It accepts connections.
    Ready,
    /// It cannot serve, and ends.
    Failed {
        /// The exit code that tells why.
        code: u8,
        /// The reason.
        message: String,
    },
    /// The text of an event for the log, with its line ends.
    Log(String),
}

impl Report {
    fn encode(&self) -> Vec<u8> {
        match self {
            Self::Ready => frame::encode(READY, &[]),
            Self::Failed { code, message } => {
                frame::encode(FAILED, &[&[*code], message.as_bytes()])
            }
            Self::Log(text) => frame::encode(LOG, &[text.as_bytes()]),
        }
    }

    fn decode(Frame { kind, payload }: Frame) -> Option<Self> {
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        match (kind, payload.split_first()) {
            (READY, _) => Some(Self::Ready),
            (FAILED, Some((code, message))) => {
                Some(Self::Failed { code: *code, message: text(message) })
            }
            (LOG, _) => Some(Self::Log(text(&payload))),
            _ => None,
        }
    }

    /// The next report; `None` at the end.
    pub(super) async fn read(stream: &mut (impl AsyncRead + Unpin)) -> Option<Self> {
        frame::read_async(stream).await.ok().flatten().and_then(Self::decode)
    }
}

/// The host's end.
#[derive(Clone)]
pub(super) struct Reports(Arc<Mutex<UnixStream>>);

impl Reports {
    pub(super) fn new(stream: UnixStream) -> Self {
        Self(Arc::new(Mutex::new(stream)))
    }

    /// Sends a report. A supervisor that is gone misses nothing.
    pub(super) fn send(&self, report: &Report) {
        let mut stream = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let _gone = stream.write_all(&report.encode());
    }

    /// Tells why there is no host.
    pub(super) fn send_failure(&self, failure: &Failure) {
        let message = failure.message.clone();
        self.send(&Report::Failed { code: failure.exit.code(), message });
    }
}

/// What is written in one piece is one report for the log.
impl Write for Reports {
    fn write(&mut self, text: &[u8]) -> io::Result<usize> {
        self.send(&Report::Log(String::from_utf8_lossy(text).into_owned()));
        Ok(text.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// The failure that was reported.
pub(super) fn failure(code: u8, message: String) -> Failure {
    Failure { exit: Exit::of_code(code).unwrap_or(Exit::Failure), message }
}

const READY: u8 = b'R';
const FAILED: u8 = b'F';
const LOG: u8 = b'L';

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reports_come_out_as_they_went_in() {
        let failed = Report::Failed { code: 6, message: "no \u{fc}".to_owned() };
        for report in [Report::Ready, failed, Report::Log("a\nb\n".to_owned())] {
            let mut bytes = &report.encode()[..];
            let frame = frame::read(&mut bytes).unwrap().unwrap();
            assert_eq!(Report::decode(frame), Some(report));
        }
        assert_eq!(Report::decode(Frame { kind: FAILED, payload: Vec::new() }), None);
        assert_eq!(Report::decode(Frame { kind: b'?', payload: Vec::new() }), None);
    }
}

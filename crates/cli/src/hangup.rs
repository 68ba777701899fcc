//! SIGHUP: somebody asks for a reload, or the terminal was closed.

use std::{fs, io};

use tokio::signal::unix::{Signal, SignalKind, signal};

/// What a SIGHUP says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Hangup {
    /// That a reload is asked for.
    Asked,
    /// That the terminal was closed.
    TerminalClosed,
}

/// The SIGHUPs of this process.
pub(crate) struct Hangups {
    signal: Signal,
    /// Whether there was a terminal to begin with, whose end is to be this process's.
    has_terminal: bool,
}

impl Hangups {
    /// From now on they come here; within the runtime.
    pub(crate) fn new() -> io::Result<Self> {
        // `nohup` asks to outlive the terminal.
        let has_terminal = !is_ignored() && has_terminal();
        Ok(Self { signal: signal(SignalKind::hangup())?, has_terminal })
    }

    /// The next one.
    pub(crate) async fn next(&mut self) -> Hangup {
        self.signal.recv().await;
        let closed = self.has_terminal && !has_terminal();
        if closed { Hangup::TerminalClosed } else { Hangup::Asked }
    }
}

/// Whether the process has a terminal that controls it.
fn has_terminal() -> bool {
    fs::File::open("/dev/tty").is_ok()
}

/// Whether SIGHUP is ignored, as far as the system tells.
fn is_ignored() -> bool {
    let status = fs::read_to_string("/proc/self/status").unwrap_or_default();
    let ignored = status.lines().find_map(|line| line.strip_prefix("SigIgn:"));
    let ignored = ignored.and_then(|mask| u64::from_str_radix(mask.trim(), 16).ok());
    ignored.is_some_and(|mask| mask & 1 != 0)
}

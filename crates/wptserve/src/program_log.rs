//! The log of a server in a Python program: the program's own `logging`.

use std::sync::OnceLock;

use pyo3::prelude::*;
use server::{
    Refusals,
    event::{Event, EventSink, Level},
    printable::{indented_lines, one_line},
};

use crate::modules;
use crate::pool::{Pool, Shortage, is_pool_thread};

/// Writes events to `wptserve.logger`'s logger.
pub(crate) struct ProgramLog {
    pool: OnceLock<Pool>,
    /// Whether requests are logged.
    verbose: bool,
    refusals: Refusals,
}

impl ProgramLog {
    pub(crate) fn new(verbose: bool) -> Self {
        Self { pool: OnceLock::new(), verbose, refusals: Refusals::default() }
    }

    /// The pool whose threads write. Until it is set, those that emit do.
    pub(crate) fn set_pool(&self, pool: Pool) {
        // Set once, when the server is made.
        let _again = self.pool.set(pool);
    }

    pub(crate) fn warn_of_shortage(&self, shortage: &Shortage) {
        self.refusals.tell(self, "pool", &shortage.to_string());
    }
}

impl EventSink for ProgramLog {
    fn emit(&self, event: &Event<'_>) {
        let (level, text) = match event {
            Event::Request(record) => {
                let status = record.status.map_or_else(|| "-".to_owned(), |s| s.to_string());
                let (method, target) = (record.method.escape_ascii(), record.target.escape_ascii());
                (DEBUG, format!("{status} {method} {target} {}", record.bytes))
            }
            Event::HandlerFailed { message, .. } => (WARNING, indented_lines(message).into_owned()),
            Event::BadRequest { peer, status, message } => {
                (INFO, format!("{status} to {peer}: {}", one_line(message)))
            }
            Event::Message { level, source, text } => {
                let level = match level {
                    Level::Debug => DEBUG,
                    Level::Info => INFO,
                    Level::Warning => WARNING,
                    Level::Error => ERROR,
                };
                (level, format!("{}: {}", one_line(source), indented_lines(text)))
            }
        };
        match self.pool.get() {
            // The I/O thread never waits for the GIL.
            Some(pool) if !is_pool_thread() => {
                pool.submit(Box::new(move |py: Python<'_>| write(py, level, &text)));
                pool.flush();
            }
            _ => Python::attach(|py| write(py, level, &text)),
        }
    }

    fn wants_requests(&self) -> bool {
        self.verbose
    }
}

/// Writes a line to the logger, by the level's number.
pub(crate) fn write(py: Python<'_>, level: u32, text: &str) {
    let logged = modules::attribute(py, "wptserve.logger", "get_logger")
        .and_then(|get_logger| get_logger.call0())
        .and_then(|logger| logger.call_method1("log", (level, "%s", text)));
    if let Err(error) = logged {
        error.write_unraisable(py, None);
    }
}

// Python's levels.
const DEBUG: u32 = 10;
const INFO: u32 = 20;
const WARNING: u32 = 30;
const ERROR: u32 = 40;

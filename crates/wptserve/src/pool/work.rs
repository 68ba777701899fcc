//! What the pool runs, and what it says when it cannot.

use std::{fmt, io};

use pyo3::prelude::*;
use server::{Exchange, Response};

/// Work for a thread that holds the GIL.
pub(crate) type Job = Box<dyn Work>;

/// What a thread of the pool does; or what is done when there is none for it.
pub(crate) trait Work: Send {
    fn run(self: Box<Self>, py: Python<'_>);

    /// No thread can be had.
    fn refuse(self: Box<Self>) {}
}

impl<F: FnOnce(Python<'_>) + Send> Work for F {
    fn run(self: Box<Self>, py: Python<'_>) {
        self(py);
    }
}

/// A request and what answers it.
pub(crate) struct Answer<F> {
    pub(crate) exchange: Exchange,
    pub(crate) answer: F,
}

impl<F: FnOnce(Python<'_>, Exchange) + Send> Work for Answer<F> {
    fn run(self: Box<Self>, py: Python<'_>) {
        (self.answer)(py, self.exchange);
    }

    fn refuse(self: Box<Self>) {
        self.exchange.respond(Response::error(503, "no thread can be started for the handler"));
    }
}

/// What a pool is short of.
#[derive(Debug)]
pub(crate) enum Shortage {
    /// It has as many threads as it may have.
    Full(usize),
    /// The system starts no more.
    NoThread { error: io::Error, refused: usize },
}

impl fmt::Display for Shortage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Full(threads) => {
                write!(f, "{threads} handlers are running; more requests wait for one to end")
            }
            Self::NoThread { error, refused } => write!(
                f,
                "no thread can be started for handlers: {error}; requests answered with 503: \
                 {refused}"
            ),
        }
    }
}

/// Told whenever the pool is short of threads.
pub(crate) type OnShortage = Box<dyn Fn(&Shortage) + Send + Sync>;

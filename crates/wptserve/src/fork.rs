//! Processes that a handler forks.
//!
//! Of a process that forks, the child has the one thread that forked, and a copy of everything else:
//! the connections and the queue of requests are its parent's, locks may be held by threads that it
//! does not have. So a child runs what the handler has for it to run and then ends, as a Python
//! process does whose main code is left. What it writes to a response goes nowhere: its parent
//! answers.

use std::{
    cell::Cell,
    sync::{
        Once,
        atomic::{AtomicBool, AtomicU32, Ordering},
    },
};

use pyo3::{exceptions::PySystemExit, intern, prelude::*};

use crate::modules;

/// How many forks lie between this process and the first one.
static FORKS: AtomicU32 = AtomicU32::new(0);

/// Whether SIGINT and SIGTERM are the engine's, and not the program's.
static OWNS_SIGNALS: AtomicBool = AtomicBool::new(false);

thread_local! {
    /// The value of `FORKS` when this thread began to serve.
    static SERVES_SINCE: Cell<Option<u32>> = const { Cell::new(None) };
}

/// From now on this thread serves, as long as it is in this process.
pub(crate) fn serve_on_this_thread() {
    static COUNTS: Once = Once::new();
    COUNTS.call_once(|| {
        // SAFETY: the function touches nothing but atomics and the dispositions of signals, which a
        // child may do after a fork of a process with threads. It fails only when memory is out.
        let _no_memory = unsafe { libc::pthread_atfork(None, None, Some(in_child)) };
    });
    SERVES_SINCE.set(Some(FORKS.load(Ordering::Relaxed)));
}

/// Gives a child the usual ends by SIGINT, SIGTERM and SIGHUP: the engine's handlers tell its
/// parent's event loop, which the child does not run.
pub(crate) fn own_signals() {
    OWNS_SIGNALS.store(true, Ordering::Relaxed);
}

extern "C" fn in_child() {
    FORKS.fetch_add(1, Ordering::Relaxed);
    if !OWNS_SIGNALS.load(Ordering::Relaxed) {
        return;
    }
    for signal in [libc::SIGINT, libc::SIGTERM, libc::SIGHUP] {
        // SAFETY: both calls are allowed after a fork; `action` is valid for the system to write,
        // and all zeros is a value of its type.
        unsafe {
            let mut action: libc::sigaction = std::mem::zeroed();
            let known = libc::sigaction(signal, std::ptr::null(), &raw mut action) == 0;
            if known && action.sa_sigaction != libc::SIG_IGN {
                libc::signal(signal, libc::SIG_DFL);
            }
        }
    }
}

/// Whether this is the child of a process that served with this thread.
pub(crate) fn is_child() -> bool {
    SERVES_SINCE.get().is_some_and(|since| since != FORKS.load(Ordering::Relaxed))
}

/// What a call of a handler's code came to. In a child that was forked meanwhile, the end.
pub(crate) fn returned<T>(py: Python<'_>, result: PyResult<T>) -> PyResult<T> {
    if is_child() {
        end(py, result.err());
    }
    result
}

/// Ends a child as Python ends a process: with what was raised, if anything.
pub(crate) fn end(py: Python<'_>, raised: Option<PyErr>) -> ! {
    let code = match raised {
        None => 0,
        Some(error) if error.is_instance_of::<PySystemExit>(py) => exit_code(py, &error),
        Some(error) => {
            error.print(py);
            1
        }
    };
    if let Ok(sys) = modules::module(py, "sys") {
        for stream in ["stdout", "stderr"] {
            // A stream that is closed has nothing left to write.
            let _closed = sys.getattr(stream).and_then(|stream| stream.call_method0("flush"));
        }
    }
    // SAFETY: ends the process without the code that a process runs at its end: that is its
    // parent's, as are the threads and the locks that it would wait for.
    unsafe { libc::_exit(code) }
}

/// `sys.exit()` is 0, `sys.exit(number)` the number; anything else is printed.
fn exit_code(py: Python<'_>, error: &PyErr) -> i32 {
    let Ok(code) = error.value(py).getattr(intern!(py, "code")) else { return 1 };
    if code.is_none() {
        return 0;
    }
    code.extract().unwrap_or_else(|_| {
        let printed = modules::module(py, "sys").and_then(|sys| {
            let text = format!("{}\n", code.str()?);
            sys.getattr("stderr")?.call_method1("write", (text,))
        });
        // Nobody reads a closed stream.
        let _closed = printed;
        1
    })
}

//! The engine inside a Python process.

use std::{
    ffi::OsString,
    fs::File,
    io::{self, Write},
    path::PathBuf,
    process,
    sync::{Arc, Mutex, OnceLock, PoisonError, mpsc},
    thread,
    time::Duration,
};

use cli::{Exit, HandlerLoader, WebSocketHandlers, interpreter};
use pyo3::{prelude::*, sync::PyOnceLock, types::PyModule};
use server::{
    Driver, Environment, Handler,
    event::{Event, EventSink, Level},
    stash::StashStore,
};

use crate::{
    embedded, fork, modules,
    pool::{MAX_THREADS, Pool, Shortage},
    program_log,
    script::PythonHandler,
    stash,
    websocket::{Sources, WebSocketHandler},
};

/// Runs the command line, then ends the process: a handler may hold a thread for as long as it
/// likes, so there is no other way out.
#[pyfunction]
pub(crate) fn main(py: Python<'_>, argv: Vec<OsString>) {
    share_memory();
    fork::own_signals();
    // To the end without the GIL: a handler may hold it.
    py.detach(|| {
        let loader = PythonLoader { arguments: argv.clone(), pool: OnceLock::new() };
        let code = cli::run(argv, &loader);
        flush_standard_streams();
        process::exit(code.into());
    });
}

/// Has all threads share one heap, which keeps what it may need again. By itself the C library gives
/// up to eight threads for each CPU a heap of their own; here one thread after the other has the
/// connections, and each would keep what thousands of them took. And it gives the end of a heap back
/// to the system as soon as it is free: with large answers that is each buffer, which is then asked for
/// anew, page by page.
#[cfg(all(target_os = "linux", target_env = "gnu"))]
fn share_memory() {
    const MIB: i32 = 1024 * 1024;
    let settings = [
        (libc::M_ARENA_MAX, 1),
        (libc::M_TRIM_THRESHOLD, 32 * MIB),
        (libc::M_MMAP_THRESHOLD, 4 * MIB),
    ];
    for (setting, value) in settings {
        // SAFETY: the call changes a number that the allocator reads; there is one thread yet that
        // is at work.
        let _unchanged = unsafe { libc::mallopt(setting, value) };
    }
}

#[cfg(not(all(target_os = "linux", target_env = "gnu")))]
fn share_memory() {}

/// Runs the command line for a Python that the package is installed in. When the arguments or
/// `WPTSERVE_PYTHON` name another one, the process becomes that.
#[pyfunction]
pub(crate) fn start(py: Python<'_>, argv: Vec<OsString>) -> PyResult<()> {
    let own: PathBuf = py.import("sys")?.getattr("executable")?.extract()?;
    let asked = match cli::parse(argv.clone()) {
        Err(exit) => Some(Err(exit)),
        Ok(command @ (cli::Command::Serve(_) | cli::Command::Wpt(_))) => {
            let asked = interpreter::find_asked(cli::python(&command));
            asked.map(|asked| asked.map_err(|reason| tell(&reason, Exit::Python)))
        }
        Ok(_) => None,
    };
    let exit = match asked {
        Some(Ok(python)) if !python.is(&own) => match extension_file() {
            Ok(extension) if python.loads(&extension) => cli::launch(&python, &extension, argv),
            Ok(extension) => {
                let text = format!(
                    "{} cannot load {}: one of them is free-threaded, the other is not",
                    python.executable.display(),
                    extension.display()
                );
                tell(&text, Exit::Python)
            }
            Err(reason) => tell(&reason, Exit::Failure),
        },
        Some(Err(exit)) => exit,
        _ => {
            main(py, argv);
            return Ok(());
        }
    };
    flush_standard_streams();
    process::exit(exit.code().into());
}

fn tell(reason: &str, exit: Exit) -> Exit {
    cli::error(reason);
    exit
}

/// Writes out what handlers printed, unless that takes long.
fn flush_standard_streams() {
    let (done, wait) = mpsc::channel();
    let flush = move || {
        Python::attach(|py| {
            let Ok(sys) = modules::module(py, "sys") else { return };
            for stream in ["stdout", "stderr"] {
                // A stream that is closed has nothing left to write.
                let _closed = sys.getattr(stream).and_then(|s| s.call_method0("flush"));
            }
        });
        // The receiver is gone when this took too long.
        let _late = done.send(());
    };
    // Without a thread what they printed is lost; to wait for the GIL here may have no end.
    if thread::Builder::new().spawn(flush).is_err() {
        return;
    }
    let _timeout = wait.recv_timeout(Duration::from_millis(300));
}

fn extension_file() -> Result<PathBuf, String> {
    Python::attach(|py| py.import("wptserve._wptserve")?.getattr("__file__")?.extract())
        .map_err(|error: PyErr| format!("the extension's file is not known: {error}"))
}

/// Makes the Python handlers for a server.
struct PythonLoader {
    /// The command's arguments.
    arguments: Vec<OsString>,
    /// The threads of all handlers.
    pool: OnceLock<Pool>,
}

impl PythonLoader {
    fn pool(&self, environment: &Arc<Environment>) -> Pool {
        let make = || {
            let told = Arc::clone(environment);
            let on_shortage = move |shortage: &Shortage| {
                told.refusals.tell(told.events.as_ref(), "pool", &shortage.to_string());
            };
            Pool::new(MAX_THREADS, Box::new(on_shortage), Arc::clone(&environment.wakes))
        };
        self.pool.get_or_init(make).clone()
    }
}

impl HandlerLoader for PythonLoader {
    fn load(&self, environment: &Arc<Environment>) -> Result<Arc<dyn Handler>, String> {
        Python::attach(|py| prepare(py, environment)).map_err(|error| error.to_string())?;
        Ok(Arc::new(PythonHandler::new(self.pool(environment), None)))
    }

    fn extension(&self) -> Result<PathBuf, String> {
        extension_file()
    }

    fn load_websocket(
        &self,
        environment: &Arc<Environment>,
        handlers: &WebSocketHandlers,
    ) -> Result<Arc<dyn Handler>, String> {
        let sources = Sources {
            roots: &handlers.roots,
            doc_root: &environment.doc_root,
            reload: handlers.reload,
            limit: handlers.max_open,
        };
        let pool = self.pool(environment);
        let handler = Python::attach(|py| WebSocketHandler::new(py, pool, &sources, None));
        Ok(Arc::new(handler.map_err(|error| error.to_string())?))
    }

    fn driver(&self, environment: &Arc<Environment>) -> Option<Arc<dyn Driver>> {
        let pool = self.pool(environment);
        // While the server begins to listen. A handler that is asked for earlier does it itself.
        pool.submit(Box::new(modules::prepare));
        pool.flush();
        Some(Arc::new(pool))
    }

    fn stash(&self, shared: Option<Arc<dyn StashStore>>) -> Arc<dyn StashStore> {
        if let Some(shared) = shared {
            stash::share(shared);
        }
        Arc::clone(stash::store())
    }

    fn host_command(&self) -> Result<process::Command, String> {
        // Only a command of the package comes here: the binary's supervisor has no Python.
        let executable: PathBuf =
            Python::attach(|py| py.import("sys")?.getattr("executable")?.extract()).map_err(
                |error: PyErr| format!("this Python's executable is not known: {error}"),
            )?;
        let mut command = process::Command::new(executable);
        command.args(["-c", HOST]).args(cli::supervised(&self.arguments));
        Ok(command)
    }

    #[cfg(unix)]
    fn keep_journal(&self, journal: File, last_words: File) -> Result<(), String> {
        crate::journal::keep(&journal, last_words).map_err(|error| error.to_string())
    }

    #[cfg(not(unix))]
    fn keep_journal(&self, _journal: File, _last_words: File) -> Result<(), String> {
        Ok(())
    }
}

/// A host of the package: as `python -m wptserve`, but that the working directory is no place to
/// import from.
const HOST: &str = "import sys
sys.path[:] = [entry for entry in sys.path if entry]
from wptserve.__main__ import main
main()";

fn prepare(py: Python<'_>, environment: &Arc<Environment>) -> PyResult<()> {
    // The first server's; there is one in a process that the command line runs.
    let _same = EVENTS.set(Arc::clone(&environment.events));
    let mut config = CONFIG_JSON.lock().unwrap_or_else(PoisonError::into_inner);
    *config = environment.config.to_string();
    drop(config);
    let sys = py.import("sys")?;
    // A short handler beside a busy one waits for half a millisecond, not five.
    sys.call_method1("setswitchinterval", (0.0005,))?;
    modules::attribute(py, "wptserve.logger", "forward_all")?.call0()?;
    modules::import_from_later(environment.doc_root.clone());
    Ok(())
}

static EVENTS: OnceLock<Arc<dyn EventSink>> = OnceLock::new();
static CONFIG_JSON: Mutex<String> = Mutex::new(String::new());

/// `wptserve.config.Config` with the server's configuration.
pub(crate) fn config(py: Python<'_>) -> PyResult<Py<PyAny>> {
    static CONFIG: PyOnceLock<Py<PyAny>> = PyOnceLock::new();
    let config = CONFIG.get_or_try_init(py, || {
        let json = CONFIG_JSON.lock().unwrap_or_else(PoisonError::into_inner).clone();
        let from_json = modules::attribute(py, "wptserve.config", "from_json")?;
        from_json.call1((json,)).map(Bound::unbind)
    })?;
    Ok(config.clone_ref(py))
}

/// Passes a message of Python's `logging` on to the server's log; in a Python program that is the
/// program's.
#[pyfunction]
pub(crate) fn log(py: Python<'_>, level: u32, logger: &str, message: &str) {
    if fork::is_child() {
        // The thread that writes the log is its parent's.
        // Nobody reads a closed stream.
        let _closed = io::stderr().write_all(format!("{logger}: {message}\n").as_bytes());
        return;
    }
    let Some(events) = EVENTS.get() else {
        return program_log::write(py, level, &format!("{logger}: {message}"));
    };
    let level = match level {
        0..=10 => Level::Debug,
        11..=20 => Level::Info,
        21..=30 => Level::Warning,
        _ => Level::Error,
    };
    events.emit(&Event::Message { level, source: logger, text: message });
}

/// Makes the modules inside the extension importable, before any that are installed. For hosts
/// that have loaded the extension by its path; a package has its modules beside it.
#[pyfunction]
#[pyo3(pass_module)]
pub(crate) fn install(extension: &Bound<'_, PyModule>) -> PyResult<()> {
    embedded::install(extension)
}

//! Python file handlers: found, compiled once, executed afresh for every request.

use std::{
    collections::HashMap,
    ffi::OsStr,
    fs,
    io::{self, ErrorKind, Read},
    path::{Path, PathBuf},
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
    time::{Duration, Instant},
};

use pyo3::{
    exceptions::PyOSError,
    ffi, intern,
    prelude::*,
    sync::PyOnceLock,
    types::{PyBytes, PyDict, PyModule, PyString, PyType},
};
use server::{
    Exchange, Finish, Handler, event::Event, file_cache::Stamp, file_system, files, regular_file,
};

use crate::{
    failure, fork, http2, injection, journal, modules, os_error,
    pool::{Answer, Pool},
    request::{Host, Request},
    response::Response,
};

/// Runs the Python file that a request's path names.
pub(crate) struct PythonHandler {
    pool: Pool,
    scripts: Arc<Scripts>,
}

impl PythonHandler {
    /// A handler whose requests know of the host, if there is one.
    pub(crate) fn new(pool: Pool, host: Option<Arc<Host>>) -> Self {
        let scripts = Scripts { host, received: AtomicU64::new(0), compiled: Mutex::default() };
        Self { pool, scripts: Arc::new(scripts) }
    }
}

impl Handler for PythonHandler {
    fn handle(&self, exchange: Exchange) {
        let scripts = Arc::clone(&self.scripts);
        let number = scripts.received.fetch_add(1, Ordering::Release) + 1;
        let answer = move |py: Python<'_>, exchange| scripts.answer(py, exchange, number);
        self.pool.submit(Box::new(Answer { exchange, answer }));
    }

    fn flush(&self) {
        self.pool.flush();
    }
}

/// Compiled handler files by path.
struct Scripts {
    host: Option<Arc<Host>>,
    /// Counts the requests.
    received: AtomicU64,
    compiled: Mutex<HashMap<PathBuf, Compiled>>,
}

struct Compiled {
    stamp: Stamp,
    source: Vec<u8>,
    code: Py<PyAny>,
    /// When the file was read.
    read_at: Instant,
    /// Whether to look at the file takes no time.
    is_quick: bool,
    /// The last request that was here when the file was last looked at. What came before it need
    /// not look again: its client cannot know of a later change.
    good_for: u64,
}

impl Scripts {
    fn answer(&self, py: Python<'_>, exchange: Exchange, number: u64) {
        modules::prepare(py);
        let path = files::file_system_path(&exchange.request);
        let file = path.as_ref().map_or(&b""[..], |path| path.as_os_str().as_encoded_bytes());
        let _runs = journal::runs(&exchange.request, file);
        // Fails only when memory is out; the dropped exchange then closes the connection.
        let Ok((request, response)) = http2::objects(py, exchange, self.host.clone()) else {
            return;
        };
        let result = match path {
            Some(path) => self.run(py, path, number, &request, &response),
            None => Err(NotRun::Unopened(ErrorKind::NotFound.into())),
        };
        match result {
            Ok(()) => settle(&response, Ok(())),
            Err(NotRun::Raised(error)) => settle(&response, Err(error)),
            Err(NotRun::Unopened(error)) => {
                let native = files::unopened(&request.get().inner, error);
                Response::respond(&response, native);
            }
        }
    }

    /// Executes the file and calls its `main`.
    fn run(
        &self,
        py: Python<'_>,
        path: PathBuf,
        number: u64,
        request: &Bound<'_, Request>,
        response: &Bound<'_, Response>,
    ) -> Result<(), NotRun> {
        let (path, code) = self.load(py, path, number)?;
        let globals = PyDict::new(py);
        globals.set_item(intern!(py, "__builtins__"), builtins(py)?)?;
        globals.set_item(intern!(py, "__file__"), path.as_os_str())?;
        if let Err(error) = fork::returned(py, execute(&code, &globals)) {
            // A file that cannot be opened at import is a file that is not there, to the reference.
            return Err(if error.is_instance_of::<PyOSError>(py) {
                NotRun::Unopened(os_error::to_io(py, &error))
            } else {
                NotRun::Raised(error)
            });
        }
        let main = globals.get_item(intern!(py, "main"))?;
        if http2::stream(request).is_some() {
            let frames = [intern!(py, "handle_headers"), intern!(py, "handle_data")];
            let handles = |name| globals.contains(name);
            if main.is_none() && !handles(frames[0])? && !handles(frames[1])? {
                let message = format!("No main function or handlers in script {}", path.display());
                return Err(http_error(py, 500, Some(&message)).into());
            }
            if !http2::call_frame_handlers(&globals, request, response)? {
                // The client left: there is nobody to answer.
                return Ok(());
            }
        } else if main.is_none() {
            // The reference's words: they reach the client in the body of the 500.
            let message = format!("No main function in script {}", path.display());
            return Err(http_error(py, 500, Some(&message)).into());
        }
        if let Some(main) = main {
            let returned = fork::returned(py, main.call1((request, response)))?;
            Response::apply(response, &returned)?;
        }
        wrap_pipeline(request, response, &path)?;
        Ok(injection::inject(response)?)
    }

    /// The code of a file, or of a directory's first `default*.py`, for a request by its number.
    fn load<'py>(
        &self,
        py: Python<'py>,
        path: PathBuf,
        number: u64,
    ) -> Result<(PathBuf, Bound<'py, PyAny>), NotRun> {
        if let Some(known) = self.compiled().get(&path)
            && number <= known.good_for
        {
            let code = known.code.bind(py).clone();
            return Ok((path, code));
        }
        let good_for = self.received.load(Ordering::Acquire);
        let is_quick = self.compiled().get(&path).is_some_and(|known| known.is_quick);
        // A file system that does not answer must not keep the GIL.
        let (path, stamp) = if is_quick { find(path)? } else { py.detach(|| find(path))? };
        if let Some(known) = self.compiled().get_mut(&path)
            && known.stamp == stamp
            && known.read_at.elapsed() < TRUSTED_FOR
        {
            known.good_for = known.good_for.max(good_for);
            let code = known.code.bind(py).clone();
            return Ok((path, code));
        }
        let read_at = Instant::now();
        let (source, is_quick) = py.detach(|| read(&path))?;
        if let Some(known) = self.compiled().get_mut(&path)
            && known.stamp == stamp
            && known.source == source
        {
            known.read_at = read_at;
            known.good_for = known.good_for.max(good_for);
            let code = known.code.bind(py).clone();
            return Ok((path, code));
        }
        let code = compile(py, &PyBytes::new(py, &source), &path)?;
        // A file that changes again within a tick of its clock looks the same.
        if stamp.is_settled() {
            let compiled = code.clone().unbind();
            let new = Compiled { stamp, source, code: compiled, read_at, is_quick, good_for };
            let old = self.compiled().insert(path.clone(), new);
            drop(old);
        }
        Ok((path, code))
    }

    fn compiled(&self) -> MutexGuard<'_, HashMap<PathBuf, Compiled>> {
        // No code panics while it holds the lock with the map half changed.
        self.compiled.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Why a file did not run to the end of its `main`.
enum NotRun {
    /// It, or what it needs to begin with, cannot be opened.
    Unopened(io::Error),
    /// It has raised an exception.
    Raised(PyErr),
}

impl From<io::Error> for NotRun {
    fn from(error: io::Error) -> Self {
        Self::Unopened(error)
    }
}

impl From<PyErr> for NotRun {
    fn from(error: PyErr) -> Self {
        Self::Raised(error)
    }
}

/// The file that a path names, or a directory's first `default*.py`.
fn find(mut path: PathBuf) -> io::Result<(PathBuf, Stamp)> {
    let mut metadata = fs::metadata(&path)?;
    if metadata.is_dir()
        && let Some(default) = default_script(&path)?
    {
        path = default;
        metadata = fs::metadata(&path)?;
    }
    if !metadata.is_file() {
        // To open a named pipe would wait for its other end.
        return Err(ErrorKind::NotFound.into());
    }
    Ok((path, Stamp::of(&metadata)))
}

/// The source in a file, and whether to look at it again takes no time.
fn read(path: &Path) -> io::Result<(Vec<u8>, bool)> {
    let (mut file, _metadata) = regular_file::open(path)?;
    let mut source = Vec::new();
    file.read_to_end(&mut source)?;
    Ok((source, file_system::is_of_this_machine(&file)))
}

/// How long code is believed to be that of a file whose stamp is the same: a change through a
/// shared mapping may leave no trace in it.
const TRUSTED_FOR: Duration = Duration::from_secs(1);

/// The first file `default*.py` of a directory, by name.
fn default_script(directory: &Path) -> io::Result<Option<PathBuf>> {
    let mut first: Option<PathBuf> = None;
    for entry in fs::read_dir(directory)? {
        let path = entry?.path();
        let name = path.file_name().unwrap_or_default().as_encoded_bytes();
        if name.starts_with(b"default")
            && path.extension() == Some(OsStr::new("py"))
            && path.is_file()
            && first.as_ref().is_none_or(|first| path < *first)
        {
            first = Some(path);
        }
    }
    Ok(first)
}

fn compile<'py>(
    py: Python<'py>,
    source: &Bound<'py, PyBytes>,
    path: &Path,
) -> PyResult<Bound<'py, PyAny>> {
    static COMPILE: PyOnceLock<Py<PyAny>> = PyOnceLock::new();
    // No flags: what this crate compiles with is no business of the handler's.
    modules::once(py, &COMPILE, "builtins", "compile")?.call1((
        source,
        path.as_os_str(),
        "exec",
        0,
        true,
    ))
}

fn builtins(py: Python<'_>) -> PyResult<&Bound<'_, PyModule>> {
    static BUILTINS: PyOnceLock<Py<PyModule>> = PyOnceLock::new();
    let module = || modules::module(py, "builtins").map(Bound::unbind);
    BUILTINS.get_or_try_init(py, module).map(|module| module.bind(py))
}

fn execute(code: &Bound<'_, PyAny>, globals: &Bound<'_, PyDict>) -> PyResult<()> {
    // SAFETY: `code` is what `compile` returned, a code object; `globals` is a dict; both are live
    // and the GIL is held. The result is a new reference or null with an error set.
    let result = unsafe {
        let result = ffi::PyEval_EvalCode(code.as_ptr(), globals.as_ptr(), globals.as_ptr());
        Bound::from_owned_ptr_or_err(code.py(), result)
    };
    result.map(|_none| ())
}

/// Applies the pipes that the query or the file's name asks for: those of the engine, and those
/// that Python code registered.
fn wrap_pipeline(
    request: &Bound<'_, Request>,
    response: &Bound<'_, Response>,
    path: &Path,
) -> PyResult<()> {
    static PIPELINE: PyOnceLock<Py<PyAny>> = PyOnceLock::new();
    let query = request.get().inner.query().map(AsRef::as_ref);
    let path = path.as_os_str().as_encoded_bytes();
    let Some(pipes) = server::pipes::pipe_string(path, query) else { return Ok(()) };
    let pipeline =
        modules::once(request.py(), &PIPELINE, "wptserve.pipes", "Pipeline")?.call1((pipes,))?;
    pipeline.call1((request, response))?;
    Ok(())
}

/// Ends a response: with what the handler set or wrote, or with the error it raised.
pub(crate) fn settle(response: &Bound<'_, Response>, result: PyResult<()>) {
    if let Err(Untold(text)) = try_to_settle(response, result) {
        // Python cannot even tell what has failed. The engine tells what is known.
        let this = response.get();
        let inner = &this.request(response.py()).get().inner;
        let url = inner.display_url();
        let message = format!("Internal server error loading {url}:\n  {text}");
        let told = Event::HandlerFailed { url: &url, location: None, message: &message };
        inner.environment.events.emit(&told);
        let native = server::Response::error(500, &message);
        if this.progress.lock().discard() {
            return Response::respond(response, native);
        }
        this.progress.lock().finish(Finish::Abort);
        this.release_writer();
    }
}

/// An error that the response could not be made to tell; what is known of it.
struct Untold(String);

fn try_to_settle(response: &Bound<'_, Response>, result: PyResult<()>) -> Result<(), Untold> {
    let py = response.py();
    let this = response.get();
    let mut broken = false;
    if let Err(error) = result {
        broken = this.progress.lock().content_written;
        tell(response, error)?;
    }
    match Response::native(response) {
        Ok(None) => {}
        Ok(Some(native)) => {
            Response::respond(response, native);
            return Ok(());
        }
        Err(error) => tell(response, error)?,
    }
    if let Err(error) = Response::write_unless_written(response) {
        let untouched = this.progress.lock().discard();
        tell(response, error)?;
        if untouched {
            // Nothing is on the wire yet: the error can still be told.
            this.progress.lock().content_written = false;
            if let Err(second) = Response::write_unless_written(response) {
                return Err(Untold(described(py, &second)));
            }
        } else {
            broken = true;
        }
    }
    let stray = this.progress.lock().has_stray_content;
    let close = stray || this.closes(py).unwrap_or(true);
    let finish = match (broken, close) {
        (true, _) => Finish::Abort,
        (false, true) => Finish::Close,
        (false, false) => Finish::KeepAlive,
    };
    this.progress.lock().finish(finish);
    this.release_writer();
    Ok(())
}

/// Makes a response tell an error. An error that cannot be told, because its text fails too, is
/// told as such.
fn tell(response: &Bound<'_, Response>, error: PyErr) -> Result<(), Untold> {
    let py = response.py();
    if fork::is_child() {
        // It was forked where content is made.
        fork::end(py, Some(error));
    }
    let first = described(py, &error);
    let value = error.into_value(py).into_bound(py).into_any();
    let Err(second) = set_error(response, &value) else { return Ok(()) };
    let doc_root = &response.get().request(py).get().inner.environment.doc_root;
    let place = failure::location(&value, doc_root);
    let place = place.map_or_else(String::new, |(file, line)| format!(" at {file}:{line}"));
    let text = format!("{first}{place}; it cannot be told in full, for {}", described(py, &second));
    let told = PyString::new(py, &text);
    Response::set_error(response, 500, Some(told.as_any())).map_err(|_| Untold(text))
}

/// The type of an exception and its text, without the help of any module.
fn described(py: Python<'_>, error: &PyErr) -> String {
    let name = error.get_type(py).name();
    let name = name.map_or_else(|_| "an exception".to_owned(), |name| name.to_string());
    match error.value(py).str().map(|text| text.to_string_lossy().into_owned()) {
        Ok(text) if !text.is_empty() => format!("{name}: {text}"),
        _ => name,
    }
}

/// Turns an exception into an error response: an `HTTPException` has its own code, any other is
/// a 500.
fn set_error(response: &Bound<'_, Response>, error: &Bound<'_, PyAny>) -> PyResult<()> {
    if !error.is_instance(http_exception_class(error.py())?)? {
        return Response::set_error(response, 500, Some(error));
    }
    let code: i64 = error.getattr("code")?.extract()?;
    if (500..600).contains(&code) {
        for attribute in ["__cause__", "__context__"] {
            let cause = error.getattr(attribute)?;
            if !cause.is_none() {
                return Response::set_error(response, code, Some(&cause));
            }
        }
    }
    Response::set_error(response, code, Some(error))
}

pub(crate) fn http_exception_class(py: Python<'_>) -> PyResult<&Bound<'_, PyType>> {
    static CLASS: PyOnceLock<Py<PyType>> = PyOnceLock::new();
    modules::once(py, &CLASS, "wptserve.utils", "HTTPException")
}

/// `HTTPException(code)` or `HTTPException(code, message)`.
pub(crate) fn http_error(py: Python<'_>, code: u16, message: Option<&str>) -> PyErr {
    let exception = http_exception_class(py).and_then(|class| match message {
        Some(message) => class.call1((code, message)),
        None => class.call1((code,)),
    });
    exception.map_or_else(|error| error, PyErr::from_value)
}

//! The connection of a WebSocket: raw bytes, before, during and after the handshake.

use std::{
    iter,
    net::SocketAddr,
    path::PathBuf,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::{Duration, Instant},
};

use bytes::{Bytes, BytesMut};
use proto::{HeaderList, websocket::Budget};
use pyo3::{exceptions::PyBrokenPipeError, prelude::*, types::PyBytes};
use server::{Environment, Finish, Inbox, Request, ResponseWriter, TrySendError};

use crate::{connection::bytes_like, fork, request::Host};

/// Both directions of a connection. What was received and not yet read is kept here, for the
/// stream and for raw reads.
pub(crate) struct Wire {
    writer: ResponseWriter,
    inbox: Arc<Inbox>,
    received: Mutex<BytesMut>,
    /// Until when the client is waited for; without end while it has not been closed.
    until: Mutex<Option<Instant>>,
}

impl Wire {
    /// Sends bytes; waits without the GIL while the client is behind.
    pub(crate) fn send(&self, py: Python<'_>, bytes: Bytes) -> PyResult<()> {
        // To a child of this process the client is its parent's.
        let sent = !fork::is_child()
            && match self.writer.try_send(bytes) {
                Ok(()) => true,
                Err(TrySendError::PeerGone) => false,
                Err(TrySendError::Full(bytes)) => py.detach(|| self.writer.send(bytes)).is_ok(),
            };
        if sent {
            return Ok(());
        }
        Err(PyBrokenPipeError::new_err("the client closed the connection"))
    }

    /// What was received, while nobody else reads.
    pub(super) fn try_received(&self) -> Option<MutexGuard<'_, BytesMut>> {
        match self.received.try_lock() {
            Ok(received) => Some(received),
            Err(std::sync::TryLockError::Poisoned(error)) => Some(error.into_inner()),
            Err(std::sync::TryLockError::WouldBlock) => None,
        }
    }

    /// The same, once nobody else reads: not with the GIL.
    pub(super) fn received(&self) -> MutexGuard<'_, BytesMut> {
        // No code panics while it holds the lock with the buffer half changed.
        self.received.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Receives more, if there is more already. `false` when there is not.
    pub(super) fn try_receive(&self, received: &mut BytesMut) -> bool {
        let bytes = self.inbox.try_read(BLOCK).unwrap_or_default();
        received.extend_from_slice(&bytes);
        !bytes.is_empty()
    }

    /// Waits for more. `false` when the client sends no more, or is overdue. Not with the GIL.
    pub(super) fn receive(&self, received: &mut BytesMut) -> bool {
        if fork::is_child() {
            return false;
        }
        let left = self.until().map(|until| until.saturating_duration_since(Instant::now()));
        let bytes = self.inbox.read(BLOCK, left).unwrap_or_default();
        if received.is_empty() {
            // An idle connection keeps no memory of its last message.
            *received = BytesMut::from(&bytes[..]);
        } else {
            received.extend_from_slice(&bytes);
        }
        !bytes.is_empty()
    }

    /// One to `length` bytes, none at the end; all up to the end without a length. Not with the
    /// GIL.
    fn read(&self, length: Option<usize>) -> Bytes {
        let mut received = self.received();
        match length {
            Some(0) => return Bytes::new(),
            Some(_) if received.is_empty() => {
                self.receive(&mut received);
            }
            Some(_) => {}
            None => while self.receive(&mut received) {},
        }
        let length = length.unwrap_or(usize::MAX).min(received.len());
        received.split_to(length).freeze()
    }

    /// Whether the client did not answer a close in time.
    pub(super) fn is_overdue(&self) -> bool {
        self.until().is_some_and(|until| until <= Instant::now())
    }

    fn until(&self) -> Option<Instant> {
        *self.until.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// From now on the client is waited for no longer than `limit`.
    fn expect_answer(&self, limit: Duration) {
        let until = Instant::now().checked_add(limit);
        *self.until.lock().unwrap_or_else(PoisonError::into_inner) = until;
    }

    pub(super) fn is_peer_gone(&self) -> bool {
        self.writer.is_peer_gone()
    }

    /// Closes once all that was written is delivered.
    pub(super) fn close(&self) {
        self.writer.end(Finish::Close);
    }
}

/// `request.connection`
#[pyclass(frozen, dict, module = "wptserve.pywebsocket.request_handler")]
pub(crate) struct WebSocketConnection {
    wire: Arc<Wire>,
    remote: SocketAddr,
    local: SocketAddr,
    request_line: Bytes,
    headers: HeaderList,
    url: String,
    environment: Arc<Environment>,
    host: Option<Arc<Host>>,
    budget: Arc<Budget>,
}

impl WebSocketConnection {
    /// Takes the connection of a request over.
    pub(super) fn new(
        request: &Request,
        writer: ResponseWriter,
        host: Option<Arc<Host>>,
        budget: Arc<Budget>,
    ) -> Self {
        let inbox = writer.take_over();
        Self {
            wire: Arc::new(Wire {
                writer,
                inbox,
                received: Mutex::default(),
                until: Mutex::default(),
            }),
            remote: request.connection.peer,
            local: request.connection.local,
            request_line: request.head.request_line.clone(),
            headers: request.headers().clone(),
            url: request.display_url(),
            environment: Arc::clone(&request.environment),
            host,
            budget,
        }
    }

    pub(super) fn wire(&self) -> &Arc<Wire> {
        &self.wire
    }

    /// What the server offers.
    pub(super) fn environment(&self) -> &Arc<Environment> {
        &self.environment
    }

    /// The memory for the messages of all connections.
    pub(super) fn budget(&self) -> &Arc<Budget> {
        &self.budget
    }
}

#[pymethods]
#[expect(clippy::unused_self, reason = "methods of the file protocol")]
impl WebSocketConnection {
    /// Sends bytes as they are; waits while the client is behind. `BrokenPipeError` once it is
    /// gone. Returns their number.
    fn write(&self, data: &Bound<'_, PyAny>) -> PyResult<usize> {
        let data = bytes_like(data)?;
        self.wire.send(data.py(), Bytes::copy_from_slice(data.as_bytes()))?;
        Ok(data.as_bytes().len())
    }

    /// What the client has sent, at most `length` bytes; waits for the first, and is empty when it
    /// has ended its side. All that it sends until then with a negative length.
    #[pyo3(signature = (length = -1))]
    fn read<'py>(&self, py: Python<'py>, length: isize) -> Bound<'py, PyBytes> {
        let length = usize::try_from(length).ok();
        let data = py.detach(|| self.wire.read(length));
        PyBytes::new(py, &data)
    }

    /// Does nothing: what is written is sent at once.
    fn flush(&self) {}

    /// From now on the client, which is to answer a close, is waited for no longer than for one that
    /// does not read.
    fn expect_answer(&self) {
        self.wire.expect_answer(self.environment.limits.write_timeout);
    }

    /// The client's address and port.
    #[getter(remote_addr)]
    fn remote(&self) -> (String, u16) {
        (self.remote.ip().to_string(), self.remote.port())
    }

    fn get_remote_addr(&self) -> (String, u16) {
        self.remote()
    }

    /// The address and port that the client connected to.
    #[getter(local_addr)]
    fn local(&self) -> (String, u16) {
        (self.local.ip().to_string(), self.local.port())
    }

    fn get_local_addr(&self) -> (String, u16) {
        self.local()
    }

    /// The lines of the request's head with their line ends, the empty one too.
    fn get_memorized_lines<'py>(&self, py: Python<'py>) -> Vec<Bound<'py, PyBytes>> {
        let fields = self.headers.iter().map(|field| {
            let line = [&field.name[..], b": ", &field.value, b"\r\n"].concat();
            PyBytes::new(py, &line)
        });
        let first = PyBytes::new(py, &self.request_line);
        iter::once(first).chain(fields).chain([PyBytes::new(py, b"\r\n")]).collect()
    }

    /// Notes the handler's file, for the case that it ends the process.
    #[expect(clippy::unused_self, reason = "the thread's connection is this one")]
    #[expect(clippy::needless_pass_by_value, reason = "a method of Python takes what it made")]
    fn note_handler(&self, path: PathBuf) {
        crate::journal::name_file(path.as_os_str().as_encoded_bytes());
    }

    /// Notes the status for the log.
    fn note_status(&self, status: u16) {
        self.wire.writer.note_status(status);
    }

    /// Reports an exception of the handler's to the log.
    fn report(&self, error: &Bound<'_, PyAny>) {
        super::report(&self.environment, &self.url, error, self.host.as_ref());
    }
}

/// How much is received at a time.
const BLOCK: usize = 256 * 1024;

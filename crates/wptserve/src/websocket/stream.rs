//! The stream of an open WebSocket: messages in and out.

use std::sync::{
    Arc, Mutex, MutexGuard, PoisonError,
    atomic::{AtomicBool, AtomicU8, Ordering},
};

use bytes::{Bytes, BytesMut};
use proto::websocket::{
    Assembler, CloseError, CloseStatus, Frame, FrameDecoder, FrameError, FrameHeader, Message,
    MessageDeflater, MessageError, MessageInflater, Opcode, Share,
};
use pyo3::{
    PyTraverseError, PyVisit,
    exceptions::PyValueError,
    intern,
    prelude::*,
    types::{PyBytes, PyString},
};

use server::{
    Environment,
    event::{Event, Level},
};

use super::connection::{WebSocketConnection, Wire};
use crate::{modules, slot::Link};

/// permessage-deflate of one connection.
#[pyclass(frozen, module = "wptserve.pywebsocket.extensions")]
pub(crate) struct PerMessageDeflate {
    deflater: Mutex<MessageDeflater>,
    inflater: Mutex<MessageInflater>,
    compresses: AtomicBool,
    bfinal: AtomicBool,
}

#[pymethods]
impl PerMessageDeflate {
    /// The server's parameters.
    #[new]
    fn new(server_max_window_bits: Option<u8>, server_no_context_takeover: bool) -> Self {
        let bits = server_max_window_bits.unwrap_or(15);
        Self {
            deflater: Mutex::new(MessageDeflater::new(bits, server_no_context_takeover)),
            inflater: Mutex::default(),
            compresses: AtomicBool::new(true),
            bfinal: AtomicBool::new(false),
        }
    }

    /// Whether messages are compressed from now on, and whether each ends its DEFLATE stream.
    fn set(&self, compresses: bool, bfinal: bool) {
        self.compresses.store(compresses, Ordering::Relaxed);
        self.bfinal.store(bfinal, Ordering::Relaxed);
    }
}

/// Why there is no message.
enum Failure {
    /// The client closed the connection.
    Ended,
    /// It did not answer a close.
    Unanswered,
    Frame(FrameError),
    Message(MessageError),
}

/// The base of `wptserve.pywebsocket.stream.Stream`: what is done for every message.
#[pyclass(frozen, subclass, dict, module = "wptserve.pywebsocket.stream")]
pub(crate) struct WebSocketStream {
    request: Link<PyAny>,
    wire: Arc<Wire>,
    environment: Arc<Environment>,
    deflate: Option<Py<PerMessageDeflate>>,
    /// Whether frames and messages go through Python's filters.
    filtered: bool,
    decoder: FrameDecoder,
    assembler: Mutex<Assembler>,
    /// The message that is being sent in parts: its opcode, and whether it is compressed.
    sending: Mutex<Option<(Opcode, bool)>>,
    last_opcode: AtomicU8,
}

#[pymethods]
impl WebSocketStream {
    #[new]
    fn new(request: Py<PyAny>, options: &Bound<'_, PyAny>) -> PyResult<Self> {
        let py = options.py();
        let connection = request.bind(py).getattr(intern!(py, "connection"))?;
        let connection = connection.cast::<WebSocketConnection>()?.get();
        let filtered = !options.call_method0(intern!(py, "are_plain"))?.is_truthy()?;
        let environment = Arc::clone(connection.environment());
        let max_message = environment.limits.max_message;
        let share = Share::new(Arc::clone(connection.budget()), memory_for_all(max_message));
        Ok(Self {
            wire: Arc::clone(connection.wire()),
            request: Link::new(request),
            deflate: options.getattr(intern!(py, "deflate"))?.extract()?,
            filtered,
            decoder: FrameDecoder { masked: true, max_payload: max_message as u64 },
            assembler: Mutex::new(Assembler::new(max_message, !filtered).with_share(share)),
            environment,
            sending: Mutex::default(),
            last_opcode: AtomicU8::new(0),
        })
    }

    fn __traverse__(&self, visit: PyVisit<'_>) -> Result<(), PyTraverseError> {
        self.request.traverse(&visit)
    }

    /// The next message: `str` or `bytes`; `None` when the client closes. Pings are answered
    /// meanwhile.
    fn receive_message<'py>(slf: &Bound<'py, Self>) -> PyResult<Option<Bound<'py, PyAny>>> {
        let py = slf.py();
        let this = slf.get();
        let request = this.request.py().bind(py);
        if request.getattr(intern!(py, "client_terminated"))?.is_truthy()? {
            let text = "a message is to be received after the client closed";
            return Err(error(py, "BadOperationException", text));
        }
        loop {
            match this.next(slf)? {
                Message::Text(text) => {
                    this.note(Opcode::TEXT);
                    return this.text(slf, &text).map(Some);
                }
                Message::Binary(data) => {
                    this.note(Opcode::BINARY);
                    let data = PyBytes::new(py, &data).into_any();
                    return this.filter(slf, data).map(Some);
                }
                Message::Ping(data) => {
                    this.note(Opcode::PING);
                    let data = PyBytes::new(py, &data);
                    slf.call_method1(intern!(py, "_process_ping_message"), (data,))?;
                }
                Message::Pong(data) => {
                    this.note(Opcode::PONG);
                    let data = PyBytes::new(py, &data);
                    slf.call_method1(intern!(py, "_process_pong_message"), (data,))?;
                }
                Message::Close(body) => {
                    this.note(Opcode::CLOSE);
                    let status = match CloseStatus::parse(&body) {
                        Ok(status) => status,
                        Err(wrong) => {
                            // It closes all the same, and sends nothing more.
                            request.setattr(intern!(py, "client_terminated"), true)?;
                            return Err(close_error(py, wrong));
                        }
                    };
                    let status = status.map(|status| (status.code, status.reason));
                    let (code, reason) = status.unzip();
                    let process = intern!(py, "_process_close_message");
                    slf.call_method1(process, (code, reason))?;
                    return Ok(None);
                }
            }
        }
    }

    /// Sends a message, or with `end` false a part of one.
    #[pyo3(signature = (message, end = true, binary = false))]
    fn send_message(
        slf: &Bound<'_, Self>,
        message: &Bound<'_, PyAny>,
        end: bool,
        binary: bool,
    ) -> PyResult<()> {
        let py = slf.py();
        let this = slf.get();
        let request = this.request.py().bind(py);
        if request.getattr(intern!(py, "server_terminated"))?.is_truthy()? {
            let text = "a message is to be sent after the server closed";
            return Err(error(py, "BadOperationException", text));
        }
        if binary && message.is_instance_of::<PyString>() {
            let text = "a binary message is bytes, not text";
            return Err(error(py, "BadOperationException", text));
        }
        if this.filtered {
            let send = intern!(py, "_send_filtered");
            return slf.call_method1(send, (message, end, binary)).map(drop);
        }
        if let Ok(data) = message.cast::<PyBytes>()
            && binary
        {
            return this.send(py, data.as_bytes(), end, binary);
        }
        if let Ok(text) = message.cast::<PyString>()
            && let Ok(text) = text.to_str()
        {
            return this.send(py, text.as_bytes(), end, binary);
        }
        // Python's own errors for what is neither.
        let data = if binary {
            py.get_type::<PyBytes>().call1((message,))?
        } else {
            message.call_method1(intern!(py, "encode"), ("utf-8",)).map_err(|failed| {
                // As in the reference, a text that is none is the handler's own mistake.
                let mistake = this.deflate.is_none() && failed.is_instance_of::<PyValueError>(py);
                let text = || failed.value(py).to_string();
                if mistake { error(py, "BadOperationException", &text()) } else { failed }
            })?
        };
        this.send(py, data.cast::<PyBytes>()?.as_bytes(), end, binary)
    }

    /// The opcode of the last message that was received.
    fn get_last_received_opcode(&self) -> u8 {
        self.last_opcode.load(Ordering::Relaxed)
    }
}

impl WebSocketStream {
    fn note(&self, opcode: Opcode) {
        self.last_opcode.store(opcode.bits(), Ordering::Relaxed);
    }

    /// The next message, whatever it is.
    fn next(&self, stream: &Bound<'_, Self>) -> PyResult<Message> {
        let py = stream.py();
        if self.filtered {
            return self.next_filtered(stream);
        }
        // The one before is done with.
        let noted = lock(&self.assembler).note_unread(0);
        noted.map_err(|error| Failure::Message(error).raise(py))?;
        let deflate = self.deflate.as_ref().map(Py::get);
        let at_hand = match self.wire.try_received() {
            // Long ones are decoded without the GIL.
            Some(mut received) if received.len() <= SHORT => self.try_take(&mut received, deflate),
            _ => None,
        };
        let taken = match at_hand {
            Some(taken) => taken,
            None => py.detach(|| self.take(deflate)),
        };
        taken.map_err(|failure| {
            self.tell(&failure);
            failure.raise(py)
        })
    }

    /// Tells the log what is no mistake of the client's.
    fn tell(&self, failure: &Failure) {
        if let Failure::Message(error @ MessageError::NoRoom) = failure {
            self.environment.events.emit(&Event::Message {
                level: Level::Warning,
                source: "websocket",
                text: &format!("a message is refused: {error}"),
            });
        }
    }

    /// The next message, if it has arrived.
    fn try_take(
        &self,
        received: &mut BytesMut,
        deflate: Option<&PerMessageDeflate>,
    ) -> Option<Result<Message, Failure>> {
        let mut waited = received.is_empty();
        loop {
            if waited && !self.wire.try_receive(received) {
                return None;
            }
            if received.len() > SHORT {
                return None;
            }
            if let Some(message) = self.decode(received, deflate) {
                return Some(message);
            }
            waited = true;
        }
    }

    /// The next message; waits for it.
    fn take(&self, deflate: Option<&PerMessageDeflate>) -> Result<Message, Failure> {
        let mut received = self.wire.received();
        loop {
            if let Some(message) = self.decode(&mut received, deflate) {
                return message;
            }
            if !self.wire.receive(&mut received) {
                let unanswered = self.wire.is_overdue();
                return Err(if unanswered { Failure::Unanswered } else { Failure::Ended });
            }
            lock(&self.assembler).note_unread(received.len()).map_err(Failure::Message)?;
        }
    }

    /// A message out of what was received; `None` when more is needed.
    fn decode(
        &self,
        received: &mut BytesMut,
        deflate: Option<&PerMessageDeflate>,
    ) -> Option<Result<Message, Failure>> {
        loop {
            let frame = match self.decoder.decode(received) {
                Ok(frame) => frame?,
                Err(error) => return Some(Err(Failure::Frame(error))),
            };
            let mut inflater = deflate.map(|deflate| lock(&deflate.inflater));
            match lock(&self.assembler).push(frame, inflater.as_deref_mut()) {
                Ok(None) => {}
                Ok(Some(message)) => return Some(Ok(message)),
                Err(error) => return Some(Err(Failure::Message(error))),
            }
        }
    }

    /// The next message out of frames that Python reads and filters.
    fn next_filtered(&self, stream: &Bound<'_, Self>) -> PyResult<Message> {
        let py = stream.py();
        loop {
            let frame = stream.call_method0(intern!(py, "_filtered_frame"))?;
            let bit = |name: &str| frame.getattr(name)?.is_truthy();
            let header = FrameHeader {
                fin: bit("fin")?,
                rsv1: bit("rsv1")?,
                rsv2: bit("rsv2")?,
                rsv3: bit("rsv3")?,
                opcode: Opcode::new(frame.getattr("opcode")?.extract()?),
            };
            let payload: Vec<u8> = frame.getattr("payload")?.extract()?;
            if header.opcode.is_control() && payload.len() > 125 {
                let too_long = FrameError::ControlTooLong(payload.len() as u64);
                return Err(Failure::Frame(too_long).raise(py));
            }
            let frame = Frame { header, payload: BytesMut::from(&payload[..]) };
            let mut inflater = self.deflate.as_ref().map(|deflate| lock(&deflate.get().inflater));
            match lock(&self.assembler).push(frame, inflater.as_deref_mut()) {
                Ok(None) => {}
                Ok(Some(message)) => return Ok(message),
                Err(error) => return Err(Failure::Message(error).raise(py)),
            }
        }
    }

    /// A message of text for the handler.
    fn text<'py>(&self, stream: &Bound<'py, Self>, text: &Bytes) -> PyResult<Bound<'py, PyAny>> {
        let py = stream.py();
        let not_utf8 = || Failure::Message(MessageError::NotUtf8).raise(py);
        if !self.filtered {
            // The assembler has checked it.
            let text = std::str::from_utf8(text).map_err(|_| not_utf8())?;
            return Ok(PyString::new(py, text).into_any());
        }
        let data = self.filter(stream, PyBytes::new(py, text).into_any())?;
        let data: &[u8] = data.extract()?;
        let text = std::str::from_utf8(data).map_err(|_| not_utf8())?;
        Ok(PyString::new(py, text).into_any())
    }

    /// A message as Python's filters leave it.
    fn filter<'py>(
        &self,
        stream: &Bound<'py, Self>,
        data: Bound<'py, PyAny>,
    ) -> PyResult<Bound<'py, PyAny>> {
        if !self.filtered {
            return Ok(data);
        }
        stream.call_method1(intern!(stream.py(), "_filtered_message"), (data,))
    }

    fn send(&self, py: Python<'_>, data: &[u8], end: bool, binary: bool) -> PyResult<()> {
        let opcode = if binary { Opcode::BINARY } else { Opcode::TEXT };
        let deflate = self.deflate.as_ref().map(Py::get);
        let begun = *lock(&self.sending);
        let (header_opcode, compressed) = match begun {
            Some((other, _)) if other != opcode => {
                let text = "the parts of a message are of different types";
                return Err(error(py, "BadOperationException", text));
            }
            Some((_, compressed)) => (Opcode::CONTINUATION, compressed),
            None => (opcode, deflate.is_some_and(|d| d.compresses.load(Ordering::Relaxed))),
        };
        let header = FrameHeader {
            fin: end,
            rsv1: compressed && begun.is_none(),
            ..FrameHeader::whole(header_opcode)
        };
        let mut frame = Vec::new();
        match deflate {
            Some(deflate) if compressed => {
                let bfinal = deflate.bfinal.load(Ordering::Relaxed);
                let compress = || lock(&deflate.deflater).deflate(data, end, bfinal);
                let payload = if data.len() <= SHORT { compress() } else { py.detach(compress) };
                let payload = payload
                    .map_err(|error| pyo3::exceptions::PyMemoryError::new_err(error.to_string()))?;
                header.encode(&payload, None, &mut frame);
            }
            _ => header.encode(data, None, &mut frame),
        }
        *lock(&self.sending) = (!end).then_some((opcode, compressed));
        self.wire.send(py, Bytes::from(frame))
    }
}

impl Failure {
    /// The exception that handlers know.
    fn raise(self, py: Python<'_>) -> PyErr {
        let (class, text) = match self {
            Self::Ended => (
                "ConnectionTerminatedException",
                "the client closed the connection without a closing handshake".to_owned(),
            ),
            Self::Unanswered => (
                "ConnectionTerminatedException",
                "the client did not answer the closing handshake in time".to_owned(),
            ),
            Self::Frame(error @ FrameError::TooLong { .. }) => {
                ("MessageTooBigException", error.to_string())
            }
            Self::Frame(error) => ("InvalidFrameException", error.to_string()),
            Self::Message(error) => {
                let class = match error {
                    MessageError::ReservedBit | MessageError::ReservedOpcode(_) => {
                        "UnsupportedFrameException"
                    }
                    MessageError::NotUtf8 => "InvalidUTF8Exception",
                    MessageError::TooLong(_) | MessageError::NoRoom => "MessageTooBigException",
                    MessageError::FragmentedControl
                    | MessageError::NotBegun
                    | MessageError::NotEnded
                    | MessageError::Corrupt => "InvalidFrameException",
                };
                (class, error.to_string())
            }
        };
        error(py, class, &text)
    }
}

fn close_error(py: Python<'_>, close: CloseError) -> PyErr {
    let class = match close {
        CloseError::NotUtf8 => "InvalidUTF8Exception",
        CloseError::OneByte | CloseError::BadCode(_) => "InvalidFrameException",
    };
    error(py, class, &close.to_string())
}

/// An exception of `wptserve.pywebsocket._stream_exceptions`.
fn error(py: Python<'_>, class: &str, text: &str) -> PyErr {
    let class = modules::attribute(py, "wptserve.pywebsocket._stream_exceptions", class);
    let made = class.and_then(|class| class.call1((text,)));
    made.map_or_else(|error| error, PyErr::from_value)
}

/// No code panics while it holds one of these locks with the state half changed.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// What the messages of all connections may take together: room for the longest, which counts
/// twice, and for many that are short.
fn memory_for_all(max_message: usize) -> usize {
    max_message.saturating_mul(2).saturating_add(MEMORY_FOR_OTHERS)
}

const MEMORY_FOR_OTHERS: usize = 64 * 1024 * 1024;
/// Up to this length it costs less to keep the GIL than to give it away.
const SHORT: usize = 16 * 1024;

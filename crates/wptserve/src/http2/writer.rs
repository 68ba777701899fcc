//! `H2ResponseWriter`: a response in frames, those that no library sends among them.

use std::borrow::Cow;

use bytes::Bytes;
use proto::{
    HeaderList,
    http2::{self, Flags, Kind},
    status::is_without_content,
};
use pyo3::{
    exceptions::PyValueError,
    intern,
    prelude::*,
    types::{PyBytes, PyString},
};
use server::{Piece, http2::Http2Stream};

use crate::{
    response::Response,
    response_headers::{ResponseHeaders, unpack},
    text::content_bytes,
    writer::ResponseWriter,
};

/// Writes a response over HTTP/2. Beside the methods of `ResponseWriter`, whose output the engine
/// turns into frames, it has some for frames alone.
///
/// `write_headers`, `write_data` and `end_stream` keep to the windows of the client; what has
/// `raw` in its name is sent as it is, in any state. No field is looked into.
#[pyclass(frozen, subclass, extends = ResponseWriter, module = "wptserve.response")]
pub(crate) struct H2ResponseWriter;

/// A writer's response and stream.
struct Target<'py> {
    response: Bound<'py, Response>,
    stream: Http2Stream,
}

impl<'py> Target<'py> {
    fn of(writer: &Bound<'py, H2ResponseWriter>) -> PyResult<Self> {
        Self::new(writer.as_super().get().response(writer.py()))
    }

    fn new(response: &Bound<'py, Response>) -> PyResult<Self> {
        let request = response.get().request(response.py());
        let stream = super::stream(request).cloned();
        // Only a request over HTTP/2 is answered with this writer.
        let stream = stream.ok_or_else(|| PyValueError::new_err("the request has no stream"))?;
        Ok(Self { response: response.clone(), stream })
    }

    fn py(&self) -> Python<'py> {
        self.response.py()
    }

    fn is_own(&self, stream: Option<u32>) -> bool {
        stream.is_none_or(|stream| stream == self.stream.id())
    }

    fn send(&self, piece: Piece) -> bool {
        self.response.get().progress.send_piece(self.py(), piece)
    }

    fn ended(&self, ended: bool) {
        self.response.get().progress.lock().stream_ended = ended;
    }

    fn head(&self, fields: HeaderList, stream: Option<u32>, end: bool) -> bool {
        match stream.filter(|stream| !self.is_own(Some(*stream))) {
            None => {
                if end {
                    self.ended(true);
                }
                if !server::http2::is_informational(&fields) {
                    self.response.get().progress.lock().head_was_sent();
                }
                self.send(Piece::Head { fields, end })
            }
            Some(stream) => {
                let mut frames = Vec::new();
                let flags = Flags::NONE.with(Flags::END_STREAM, end);
                let limit = Some(self.stream.max_frame_size());
                http2::headers(&mut frames, Kind::HEADERS, stream, flags, &block(&fields), limit);
                self.raw(frames, 0, false)
            }
        }
    }

    fn data(&self, data: &[u8], stream: Option<u32>, end: bool) -> bool {
        match stream.filter(|stream| !self.is_own(Some(*stream))) {
            None => {
                self.ended(end);
                self.send(Piece::Data { data: Bytes::copy_from_slice(data), end })
            }
            Some(stream) => {
                let mut frames = Vec::new();
                let mut rest = data;
                loop {
                    let (part, after) = rest.split_at(rest.len().min(self.stream.max_frame_size()));
                    rest = after;
                    let last = rest.is_empty();
                    let flags = Flags::NONE.with(Flags::END_STREAM, end && last);
                    http2::data(&mut frames, stream, flags, part);
                    if last {
                        break;
                    }
                }
                self.raw(frames, data.len(), false)
            }
        }
    }

    fn raw(&self, frames: Vec<u8>, counted: usize, end: bool) -> bool {
        if end {
            self.ended(true);
        }
        self.send(Piece::Raw { frames: frames.into(), counted, end })
    }

    fn encode<'a>(&self, data: &'a Bound<'py, PyAny>) -> PyResult<Option<Cow<'a, [u8]>>> {
        let encoding = self.response.get().encoding(self.py());
        content_bytes(data, encoding.as_ref())
    }

    /// A file's content, or text and bytes.
    fn content(&self, item: &Bound<'py, PyAny>, stream: Option<u32>, end: bool) -> PyResult<bool> {
        if let Some(bytes) = self.encode(item)? {
            return Ok(self.data(&bytes, stream, end));
        }
        let py = self.py();
        item.call_method1(intern!(py, "seek"), (0,))?;
        loop {
            let block = item.call_method1(intern!(py, "read"), (FILE_BLOCK,))?;
            let Some(bytes) = self.encode(&block)? else {
                return Err(PyValueError::new_err("a file is read as str or bytes"));
            };
            let last = bytes.len() < FILE_BLOCK;
            let alive = self.data(&bytes, stream, end && last);
            if last || !alive {
                return Ok(alive);
            }
        }
    }
}

/// The fields of a head: pseudo-header fields first, the status last of them, names in lower case.
fn head_fields(headers: &Bound<'_, PyAny>, status: &Bound<'_, PyAny>) -> PyResult<HeaderList> {
    let mut fields = HeaderList::new();
    let mut others = HeaderList::new();
    let mut add = |name: &[u8], value: Vec<u8>| {
        let name = name.trim_ascii().to_ascii_lowercase();
        if PSEUDO.contains(&&name[..]) {
            fields.push([b":", &name[..]].concat(), value);
        } else {
            others.push(name, value);
        }
    };
    if let Ok(own) = headers.cast_exact::<ResponseHeaders>() {
        for field in &*own.get().lock() {
            add(&field.name, field.value.to_vec());
        }
    } else {
        for pair in headers.try_iter()? {
            let (name, value) = unpack(&pair?)?;
            add(&bytes_of(&name)?, bytes_of(&value)?.into_owned());
        }
    }
    fields.push(":status", bytes_of(status)?.into_owned());
    for field in &others {
        fields.push(field.name.clone(), field.value.clone());
    }
    Ok(fields)
}

/// Bytes as they are, text in UTF-8, anything else as its text.
fn bytes_of<'a>(value: &'a Bound<'_, PyAny>) -> PyResult<Cow<'a, [u8]>> {
    if let Ok(bytes) = value.cast::<PyBytes>() {
        return Ok(Cow::Borrowed(bytes.as_bytes()));
    }
    let text = match value.cast::<PyString>() {
        Ok(text) => text.clone(),
        Err(_) => value.str()?,
    };
    Ok(Cow::Owned(text.to_str()?.as_bytes().to_vec()))
}

fn raw_fields(headers: &Bound<'_, PyAny>) -> PyResult<HeaderList> {
    let mut fields = HeaderList::new();
    for pair in headers.try_iter()? {
        let (name, value) = unpack(&pair?)?;
        fields.push(bytes_of(&name)?.into_owned(), bytes_of(&value)?.into_owned());
    }
    Ok(fields)
}

fn block(fields: &HeaderList) -> Vec<u8> {
    let mut block = Vec::new();
    http2::encode_block(&mut block, fields.iter().map(|field| (&field.name, &field.value)));
    block
}

/// The head of a response that a handler filled in. What only HTTP/1 has is left out: a handler
/// for any version may set it.
pub(crate) fn write_headers(
    response: &Bound<'_, Response>,
    headers: &Bound<'_, PyAny>,
    code: i64,
) -> PyResult<()> {
    let target = Target::new(response)?;
    let status = code.into_pyobject(response.py())?.into_any();
    let mut fields = head_fields(headers, &status)?;
    for name in http2::CONNECTION_FIELDS {
        fields.remove(name);
    }
    let is_head = response.get().request(response.py()).get().inner.is_head();
    target.head(fields, None, is_head || is_without_content(code));
    Ok(())
}

/// Sends a part of the content of a response that a handler filled in. Which part is the last one
/// shows only when the next is asked for, which may take its time: the stream ends behind it, when
/// the response does.
pub(crate) fn write_part(
    response: &Bound<'_, Response>,
    writer: Option<&Bound<'_, PyAny>>,
    part: &Bound<'_, PyAny>,
) -> PyResult<()> {
    match writer {
        Some(writer) => {
            writer.call_method1(intern!(response.py(), "write_data"), (part,))?;
        }
        None => {
            Target::new(response)?.content(part, None, false)?;
        }
    }
    Ok(())
}

#[pymethods]
impl H2ResponseWriter {
    /// Sends the head of the response, or of one on another stream. Names are sent in lower case;
    /// `method`, `path` and such become pseudo-header fields.
    #[pyo3(signature = (headers, status_code, status_message = None, stream_id = None, last = false))]
    fn write_headers(
        slf: &Bound<'_, Self>,
        headers: &Bound<'_, PyAny>,
        status_code: &Bound<'_, PyAny>,
        status_message: Option<&Bound<'_, PyAny>>,
        stream_id: Option<u32>,
        last: bool,
    ) -> PyResult<bool> {
        // HTTP/2 has no reason phrases.
        let _ = status_message;
        let target = Target::of(slf)?;
        let head = target.response.get().request(slf.py()).get().inner.is_head();
        let fields = head_fields(headers, status_code)?;
        Ok(target.head(fields, stream_id, last || head))
    }

    /// Sends an informational response, such as 103.
    fn write_informational(
        slf: &Bound<'_, Self>,
        status_code: &Bound<'_, PyAny>,
        headers: &Bound<'_, PyAny>,
    ) -> PyResult<bool> {
        Ok(Target::of(slf)?.head(head_fields(headers, status_code)?, None, false))
    }

    /// Sends trailers, and ends the stream.
    fn write_trailers(slf: &Bound<'_, Self>, headers: &Bound<'_, PyAny>) -> PyResult<bool> {
        Ok(Target::of(slf)?.head(raw_fields(headers)?, None, true))
    }

    /// Sends text, bytes or a file, in as many frames as are needed.
    #[pyo3(signature = (item, last = false, stream_id = None))]
    fn write_data(
        slf: &Bound<'_, Self>,
        item: &Bound<'_, PyAny>,
        last: bool,
        stream_id: Option<u32>,
    ) -> PyResult<bool> {
        Target::of(slf)?.content(item, stream_id, last)
    }

    /// Sends bytes, in one frame where the client has room for it.
    #[pyo3(signature = (data, last, stream_id = None))]
    fn write_data_frame(
        slf: &Bound<'_, Self>,
        data: &[u8],
        last: bool,
        stream_id: Option<u32>,
    ) -> PyResult<bool> {
        Ok(Target::of(slf)?.data(data, stream_id, last))
    }

    /// Promises a response to another request, and sends it where its headers are given. The number
    /// of its stream.
    #[pyo3(signature = (
        promise_headers, push_stream_id = None, status = None, response_headers = None,
        response_data = None
    ))]
    fn write_push(
        slf: &Bound<'_, Self>,
        promise_headers: &Bound<'_, PyAny>,
        push_stream_id: Option<u32>,
        status: Option<&Bound<'_, PyAny>>,
        response_headers: Option<&Bound<'_, PyAny>>,
        response_data: Option<&Bound<'_, PyAny>>,
    ) -> PyResult<u32> {
        let target = Target::of(slf)?;
        if !target.stream.may_push() {
            return Err(PyValueError::new_err("the client does not want to be pushed to"));
        }
        let promise = block(&raw_fields(promise_headers)?);
        let id = target.stream.promise(push_stream_id);
        let mut frames = Vec::new();
        let limit = target.stream.max_frame_size();
        http2::push_promise(&mut frames, target.stream.id(), id, &promise, limit);
        target.raw(frames, 0, false);
        if let Some(headers) = response_headers {
            let status = status.ok_or_else(|| {
                PyValueError::new_err("response_headers need a status to go with them")
            })?;
            target.head(head_fields(headers, status)?, Some(id), response_data.is_none());
        }
        if let Some(data) = response_data {
            target.content(data, Some(id), true)?;
        }
        Ok(id)
    }

    /// Ends the request's stream, or another.
    #[pyo3(signature = (stream_id = None))]
    fn end_stream(slf: &Bound<'_, Self>, stream_id: Option<u32>) -> PyResult<bool> {
        Ok(Target::of(slf)?.data(b"", stream_id, true))
    }

    /// Sends one HEADERS frame, with exactly these flags and fields. `frame_cls` may be any class
    /// with the frame's type as its attribute `type`.
    #[pyo3(signature = (
        headers, stream_id = None, end_stream = false, end_headers = false, frame_cls = None
    ))]
    fn write_raw_header_frame(
        slf: &Bound<'_, Self>,
        headers: &Bound<'_, PyAny>,
        stream_id: Option<u32>,
        end_stream: bool,
        end_headers: bool,
        frame_cls: Option<&Bound<'_, PyAny>>,
    ) -> PyResult<bool> {
        let kind = match frame_cls {
            None => Kind::HEADERS,
            Some(class) => Kind(class.getattr("type")?.extract()?),
        };
        let target = Target::of(slf)?;
        let flags =
            Flags::NONE.with(Flags::END_STREAM, end_stream).with(Flags::END_HEADERS, end_headers);
        let stream = stream_id.filter(|id| *id != 0).unwrap_or(target.stream.id());
        let mut frames = Vec::new();
        http2::headers(&mut frames, kind, stream, flags, &block(&raw_fields(headers)?), None);
        Ok(target.raw(frames, 0, end_stream))
    }

    /// Sends one CONTINUATION frame.
    #[pyo3(signature = (headers, stream_id = None, end_headers = false))]
    fn write_raw_continuation_frame(
        slf: &Bound<'_, Self>,
        headers: &Bound<'_, PyAny>,
        stream_id: Option<u32>,
        end_headers: bool,
    ) -> PyResult<bool> {
        let target = Target::of(slf)?;
        let flags = Flags::NONE.with(Flags::END_HEADERS, end_headers);
        let stream = stream_id.filter(|id| *id != 0).unwrap_or(target.stream.id());
        let mut frames = Vec::new();
        let block = block(&raw_fields(headers)?);
        http2::headers(&mut frames, Kind::CONTINUATION, stream, flags, &block, None);
        Ok(target.raw(frames, 0, false))
    }

    /// Sends one DATA frame.
    #[pyo3(signature = (data, stream_id = None, end_stream = false))]
    fn write_raw_data_frame(
        slf: &Bound<'_, Self>,
        data: &[u8],
        stream_id: Option<u32>,
        end_stream: bool,
    ) -> PyResult<bool> {
        let target = Target::of(slf)?;
        let stream = stream_id.filter(|id| *id != 0).unwrap_or(target.stream.id());
        let mut frames = Vec::new();
        let flags = Flags::NONE.with(Flags::END_STREAM, end_stream);
        http2::data(&mut frames, stream, flags, data);
        Ok(target.raw(frames, data.len(), end_stream))
    }

    /// Sends bytes to the connection as they are; they should be whole frames.
    fn write_raw(slf: &Bound<'_, Self>, raw_data: &[u8]) -> PyResult<bool> {
        Ok(Target::of(slf)?.raw(raw_data.to_vec(), 0, false))
    }

    /// Resets the request's stream, or another, with an error code (RFC 9113, section 7).
    #[pyo3(signature = (error_code = 0, stream_id = None))]
    fn reset_stream(
        slf: &Bound<'_, Self>,
        error_code: u32,
        stream_id: Option<u32>,
    ) -> PyResult<bool> {
        let target = Target::of(slf)?;
        match stream_id.filter(|stream| !target.is_own(Some(*stream))) {
            None => {
                target.ended(true);
                Ok(target.send(Piece::Reset { code: error_code }))
            }
            Some(stream) => {
                let mut frames = Vec::new();
                http2::reset(&mut frames, stream, error_code);
                Ok(target.raw(frames, 0, false))
            }
        }
    }

    /// Sends a GOAWAY frame; by default this request's stream is the last one that is served. The
    /// connection goes on.
    #[pyo3(signature = (error_code = 0, last_stream_id = None, debug_data = None))]
    fn write_goaway(
        slf: &Bound<'_, Self>,
        error_code: u32,
        last_stream_id: Option<u32>,
        debug_data: Option<&[u8]>,
    ) -> PyResult<bool> {
        let target = Target::of(slf)?;
        let last = last_stream_id.unwrap_or(target.stream.id());
        let mut frames = Vec::new();
        http2::goaway(&mut frames, last, error_code, debug_data.unwrap_or_default());
        Ok(target.raw(frames, 0, false))
    }

    /// How long a frame's payload may be for the client to take it now, less the length of a
    /// frame's header, as in the reference.
    #[pyo3(signature = (stream_id = None))]
    fn get_max_payload_size(slf: &Bound<'_, Self>, stream_id: Option<u32>) -> PyResult<i64> {
        let stream = Target::of(slf)?.stream;
        let window = stream.window(stream_id.unwrap_or(stream.id()));
        let most = i64::try_from(stream.max_frame_size()).unwrap_or(i64::MAX);
        Ok(most.min(window) - HEADER_LENGTH)
    }

    /// Bytes as text in the response's encoding.
    fn decode<'py>(
        slf: &Bound<'py, Self>,
        data: &Bound<'py, PyAny>,
    ) -> PyResult<Bound<'py, PyAny>> {
        if data.is_instance_of::<PyString>() {
            return Ok(data.clone());
        }
        if !data.is_instance_of::<PyBytes>() {
            return Err(PyValueError::new_err(data.get_type().unbind()));
        }
        let response = slf.as_super().get().response(slf.py());
        match response.get().encoding(slf.py()) {
            Some(encoding) => data.call_method1("decode", (encoding,)),
            None => data.call_method0("decode"),
        }
    }

    /// Whether the stream has ended on this side.
    #[getter]
    fn get_stream_ended(slf: &Bound<'_, Self>) -> bool {
        slf.as_super().get().response(slf.py()).get().progress.lock().stream_ended
    }

    #[setter]
    fn set_stream_ended(slf: &Bound<'_, Self>, value: bool) {
        slf.as_super().get().response(slf.py()).get().progress.lock().stream_ended = value;
    }

    /// Python's root logger.
    #[getter]
    fn logger<'py>(slf: &Bound<'py, Self>) -> PyResult<Bound<'py, PyAny>> {
        slf.as_super().get().response(slf.py()).getattr("logger")
    }
}

/// Names that stand for pseudo-header fields.
const PSEUDO: [&[u8]; 6] = [b"method", b"scheme", b"host", b"path", b"authority", b"status"];
const FILE_BLOCK: usize = 64 * 1024;
const HEADER_LENGTH: i64 = 9;

//! The wire formats of wptserve: bytes in, values out.
//!
//! Nothing here reads a socket, a file or a clock, and nothing waits: a parser
//! is handed a buffer and returns a value, "not yet", or an error that says
//! which status the peer is owed. What comes from the wire stays bytes, in the
//! order and the case in which it came.
//!
//! | module | what it turns into what |
//! | --- | --- |
//! | [`headers`] | fields, ordered and repeated |
//! | [`request_head`] | a buffer → [`RequestHead`] |
//! | [`target`] | a request target → [`Target`] |
//! | [`framing`] | fields → how the body ends, whether the connection stays |
//! | [`chunked`] | a chunked body → its data and trailers |
//! | [`percent`], [`query`] | escapes and query strings → bytes |
//! | [`route`] | a route pattern → the paths that it matches |
//! | [`response_head`], [`status`], [`date`] | a status line, fields → bytes, and back |
//! | [`http2`] | fields, data → frames of HTTP/2; a frame's header → its parts |
//! | [`http3`] | streams of HTTP/3 → heads, data, settings, capsules; and back |
//! | [`mime`] | a file name → a content type |
//! | [`pipe`] | `?pipe=` → pipes and their arguments; `trickle`'s argument → what to send when |
//! | [`template`] | a template → literals and expressions; an expression → tokens |
//! | [`range`] | a `Range` field → parts of a file |
//! | [`headers_file`] | a `.headers` file → fields |
//! | [`script_metadata`], [`front_matter`] | a script → its `// META:` comments, its test262 front matter |
//! | [`html_start`] | a document → where its content starts |
//! | [`websocket`] | WebSocket frames and handshake fields → messages, and back |
//! | [`number`] | text → numbers, as Python reads them |
//! | [`json_error`], [`html`], [`listing`] | the bodies that the server itself writes |

#![forbid(unsafe_code)]

pub mod chunked;
pub mod date;
pub mod framing;
pub mod front_matter;
pub mod headers;
pub mod headers_file;
pub mod html;
pub mod html_start;
pub mod http2;
pub mod http3;
mod huffman;
pub mod json_error;
pub mod listing;
pub mod mime;
pub mod number;
pub mod percent;
pub mod pipe;
mod prefixed;
pub mod query;
pub mod range;
pub mod request_head;
pub mod response_head;
pub mod route;
pub mod script_metadata;
pub mod status;
pub mod target;
pub mod template;
pub mod websocket;

pub use chunked::{ChunkedDecoder, ChunkedError, ChunkedStep};
pub use framing::{BodyFraming, FramingError};
pub use headers::{Field, HeaderList};
pub use request_head::{HeadError, HeadParser, RequestHead, Version, parse_request_head};
pub use route::{Pattern, PatternError, RouteMatch};
pub use target::{Target, TargetForm};

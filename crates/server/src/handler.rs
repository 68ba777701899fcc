//! What answers a request.

use bytes::Bytes;
use proto::HeaderList;

use crate::{
    Request, Response, ResponseWriter,
    blocking::{self, Job, Lane},
    files::failure,
    pipes,
};

/// A request and the way to answer it.
pub struct Exchange {
    /// The request.
    pub request: Request,
    /// The way back to the client.
    pub writer: ResponseWriter,
}

impl Exchange {
    /// Answers with a whole response.
    pub fn respond(mut self, response: Response) {
        self.writer.respond(response);
    }

    /// Answers from a thread that may wait.
    pub(crate) fn respond_from(
        self,
        lane: &'static Lane,
        make: impl FnOnce(&Job<'_>) -> Response + Send + 'static,
    ) {
        self.run_on(lane, move |Self { request, mut writer }| {
            let response = make(&Job::watched(&request, &|| writer.is_peer_gone()));
            writer.respond(response);
        });
    }

    /// Goes on on a thread that may wait, unless the client is gone by then.
    pub(crate) fn run_on(self, lane: &'static Lane, go_on: impl FnOnce(Self) + Send + 'static) {
        match lane.place() {
            Ok(place) => place.run(move || {
                if !self.writer.is_peer_gone() {
                    go_on(self);
                }
            }),
            Err(error) => {
                let text = format!("no thread can be started for a request: {error}");
                let environment = &self.request.environment;
                environment.refusals.tell(environment.events.as_ref(), "threads", &text);
                self.respond(Response::error(503, "no thread can be started just now"));
            }
        }
    }
}

/// Answers requests: by [`answer`](Self::answer) or else by [`handle`](Self::handle).
///
/// Called on the I/O thread: an implementation has its answer at once or hands the exchange to
/// another thread, and never blocks.
pub trait Handler: Send + Sync {
    /// The response, of a handler that has it at once. No way back is made for it, which is the
    /// cheapest there is.
    fn answer(&self, _request: &Request) -> Option<Response> {
        None
    }

    /// Answers one request. An exchange that is dropped unanswered closes the connection.
    fn handle(&self, exchange: Exchange) {
        if let Some(response) = self.answer(&exchange.request) {
            exchange.respond(response);
        }
    }

    /// Called when the I/O thread has nothing more to do for now: exchanges that were only queued
    /// are to be begun.
    fn flush(&self) {}
}

/// Answers every request with one status: for routes whose handler cannot run here.
#[derive(Debug, Clone)]
pub struct ErrorHandler {
    /// The status code.
    pub status: u16,
    /// The message in the JSON body.
    pub message: String,
}

impl Handler for ErrorHandler {
    fn answer(&self, _request: &Request) -> Option<Response> {
        Some(Response::error(self.status, &self.message))
    }
}

/// Answers every request with the same content, through the pipes of its query.
#[derive(Debug, Clone)]
pub struct StringHandler {
    /// The content.
    pub content: Bytes,
    /// The header fields, its media type among them.
    pub headers: HeaderList,
}

impl StringHandler {
    fn response(&self, job: &Job<'_>) -> Response {
        let mut response = Response::new(200, self.content.clone());
        response.headers = self.headers.clone();
        // It is of no file: the pipes are those of the query.
        match pipes::apply_for(b"", job, &mut response) {
            Ok(()) => response,
            Err(error) => failure(job, &error.to_string()),
        }
    }

    /// Text of a media type.
    pub fn text(content: String, content_type: String) -> Self {
        let mut headers = HeaderList::default();
        headers.append("Content-Type", content_type);
        Self { content: content.into(), headers }
    }
}

impl Handler for StringHandler {
    fn answer(&self, request: &Request) -> Option<Response> {
        let query = request.query().map(AsRef::as_ref);
        pipes::are_quick_for(b"", query, Some(&self.content))
            .then(|| self.response(&Job::of(request)))
    }

    fn handle(&self, exchange: Exchange) {
        let handler = self.clone();
        exchange.respond_from(&blocking::CODECS, move |job| handler.response(job));
    }
}

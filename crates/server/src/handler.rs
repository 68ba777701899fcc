//! What answers a request.

use crate::{Request, Response, ResponseWriter, files::failure, pipes};

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
}

/// Answers requests.
///
/// Called on the I/O thread: an implementation answers at once or hands the exchange to another
/// thread, and never blocks.
pub trait Handler: Send + Sync {
    /// Answers one request. An exchange that is dropped unanswered closes the connection.
    fn handle(&self, exchange: Exchange);

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
    fn handle(&self, exchange: Exchange) {
        exchange.respond(Response::error(self.status, &self.message));
    }
}

/// Answers every request with the same content, through the pipes of its query.
#[derive(Debug, Clone)]
pub struct StringHandler {
    /// The content.
    pub content: String,
    /// Its media type.
    pub content_type: String,
}

impl Handler for StringHandler {
    fn handle(&self, exchange: Exchange) {
        let mut response = Response::new(200, self.content.clone())
            .with("Content-Type", self.content_type.clone());
        let request = &exchange.request;
        // It is of no file: the pipes are those of the query.
        if let Err(error) = pipes::apply_for(b"", request, &mut response) {
            response = failure(request, &error.to_string());
        }
        exchange.respond(response);
    }
}

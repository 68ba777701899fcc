//! A script that is put into HTML responses, for the routes that are asked to.

use std::io;

use bytes::{Bytes, BytesMut};
use proto::{
    HeaderList,
    html_start::{LONGEST_START, content_start},
};

use crate::{Response, response::Body};

/// The script, as the element that goes into documents.
///
/// It goes behind the doctype and the `html` and `head` start tags, into responses whose
/// Content-Type is exactly `text/html` and whose content is known: not into what is made while it
/// is sent, nor into error responses and listings of directories. A document whose start cannot be
/// parsed stays as it is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Injection {
    element: Bytes,
}

impl Injection {
    /// The injection of a script's text.
    pub fn new(script: &[u8]) -> Self {
        let element = [b"<script>\n", script, END].concat();
        Self { element: element.into() }
    }

    /// Whether a response with these fields is meant.
    pub fn is_for(&self, headers: &HeaderList) -> bool {
        headers.get(b"content-type").is_some_and(|value| value == "text/html")
    }

    /// A document with the script; `None` when it stays as it is.
    pub fn inject(&self, html: &[u8]) -> Option<Bytes> {
        let at = content_start(html)?;
        let mut injected = BytesMut::with_capacity(html.len() + self.element.len());
        injected.extend_from_slice(&html[..at]);
        injected.extend_from_slice(&self.element);
        injected.extend_from_slice(&html[at..]);
        Some(injected.freeze())
    }

    /// Puts the script into a response, if it is meant. A Content-Length that was right stays so.
    pub fn apply(&self, response: &mut Response) -> io::Result<()> {
        if !self.is_for(&response.headers) {
            return Ok(());
        }
        match response.body {
            Body::Bytes(_) | Body::Parts(_) => {}
            Body::None | Body::Unread { .. } | Body::Stream(_) => return Ok(()),
        }
        let html = std::mem::replace(&mut response.body, Body::None).into_parts();
        let start = html.slice(0..LONGEST_START as u64).read_whole()?;
        let Some(at) = content_start(&start) else {
            response.body = html.into();
            return Ok(());
        };
        let mut injected = html.slice(0..at as u64);
        injected.push(self.element.clone());
        injected.append(html.slice(at as u64..html.length()));
        correct_length(&mut response.headers, html.length(), injected.length());
        response.body = injected.into();
        Ok(())
    }
}

/// Corrects a Content-Length that was right before the content changed.
pub fn correct_length(headers: &mut HeaderList, old: u64, new: u64) {
    let old = old.to_string();
    if headers.get(b"content-length").is_some_and(|length| **length == *old.as_bytes()) {
        headers.set("Content-Length", new.to_string());
    }
}

/// What ends the element: the page is to find no trace of it.
const END: &[u8] = b"\n// Remove the injected script tag from the DOM.\n\
    document.currentScript.remove();\n</script>\n";

#[cfg(test)]
mod tests {
    use super::*;

    fn injected(response: Response) -> (String, HeaderList) {
        let mut response = response;
        Injection::new(b"x();").apply(&mut response).unwrap();
        let body = response.body.read().unwrap();
        (String::from_utf8(body.to_vec()).unwrap(), response.headers)
    }

    #[test]
    fn documents_get_the_script_and_their_length_follows() {
        let page = Response::new(200, "<!doctype html>\n<p>")
            .with("Content-Type", "text/html")
            .with("Content-Length", "19");
        let (body, headers) = injected(page);
        assert_eq!(
            body,
            "<!doctype html>\n<script>\nx();\n// Remove the injected script tag from the DOM.\n\
             document.currentScript.remove();\n</script>\n<p>"
        );
        assert_eq!(**headers.get(b"content-length").unwrap(), *body.len().to_string().as_bytes());
    }

    #[test]
    fn other_types_and_documents_that_start_with_an_error_stay() {
        for (content_type, content) in [
            ("text/html;charset=utf-8", "<p>"),
            ("TEXT/HTML", "<p>"),
            ("text/plain", "<p>"),
            ("text/html", "<!doctype><p>"),
        ] {
            let page = Response::new(200, content).with("Content-Type", content_type);
            assert_eq!(injected(page).0, content);
        }
        assert_eq!(injected(Response::new(200, "<p>")).0, "<p>");
    }
}

//! However a stream of requests is cut into writes, the answers are the same.

use proptest::{prelude::*, sample::Index, test_runner::TestRunner};

use crate::{
    handlers::{Echo, echo_text, ok, ok_head},
    harness::Setup,
};

#[derive(Debug, Clone)]
struct Request {
    method: &'static str,
    path: String,
    body: Body,
}

#[derive(Debug, Clone)]
enum Body {
    None,
    Length(Vec<u8>),
    Chunked { chunks: Vec<Vec<u8>>, trailers: bool },
}

impl Request {
    fn encode(&self, to: &mut Vec<u8>) {
        let line = format!("{} /{} HTTP/1.1\r\nHost: h\r\n", self.method, self.path);
        to.extend_from_slice(line.as_bytes());
        match &self.body {
            Body::None => to.extend_from_slice(b"\r\n"),
            Body::Length(body) => {
                let field = format!("Content-Length: {}\r\n\r\n", body.len());
                to.extend_from_slice(field.as_bytes());
                to.extend_from_slice(body);
            }
            Body::Chunked { chunks, trailers } => {
                to.extend_from_slice(b"Transfer-Encoding: chunked\r\n\r\n");
                for chunk in chunks {
                    to.extend_from_slice(format!("{:X};e\r\n", chunk.len()).as_bytes());
                    to.extend_from_slice(chunk);
                    to.extend_from_slice(b"\r\n");
                }
                let end: &[u8] = if *trailers { b"0\r\nT: u\r\n\r\n" } else { b"0\r\n\r\n" };
                to.extend_from_slice(end);
            }
        }
    }

    fn answer(&self, to: &mut Vec<u8>) {
        let body = match &self.body {
            Body::None => Vec::new(),
            Body::Length(body) => body.clone(),
            Body::Chunked { chunks, .. } => chunks.concat(),
        };
        let path = format!("/{}", self.path);
        let text = echo_text(self.method, path.as_bytes(), None, &body);
        if self.method == "HEAD" {
            to.extend_from_slice(&ok_head(text.len(), false));
        } else {
            to.extend_from_slice(&ok(text));
        }
    }
}

fn request() -> impl Strategy<Value = Request> {
    let bytes = |most| prop::collection::vec(any::<u8>(), 0..most);
    let chunk = prop::collection::vec(any::<u8>(), 1..40);
    let body = prop_oneof![
        Just(Body::None),
        bytes(80).prop_map(Body::Length),
        bytes(6000).prop_map(Body::Length),
        (prop::collection::vec(chunk, 0..5), any::<bool>())
            .prop_map(|(chunks, trailers)| Body::Chunked { chunks, trailers }),
    ];
    (prop::sample::select(vec!["GET", "POST", "HEAD", "OPTIONS", "X"]), "[a-z]{0,8}", body)
        .prop_map(|(method, path, body)| Request { method, path, body })
}

#[test]
fn any_split_has_the_same_answers() {
    let server = Setup::new().route("*", Echo).start();
    let config = ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(64) };
    let cuts = prop::collection::vec(any::<Index>(), 0..12);
    let cases = (prop::collection::vec(request(), 1..6), cuts);
    let result = TestRunner::new(config).run(&cases, |(requests, cuts)| {
        let (mut stream, mut expected) = (Vec::new(), Vec::new());
        for request in &requests {
            request.encode(&mut stream);
            request.answer(&mut expected);
        }
        let mut cuts: Vec<usize> = cuts.iter().map(|cut| cut.index(stream.len())).collect();
        cuts.sort_unstable();
        let mut client = server.connect();
        let mut sent = 0;
        for cut in cuts {
            client.send(&stream[sent..cut]);
            server.settle();
            sent = cut;
        }
        client.send(&stream[sent..]);
        client.end();
        let received = client.receive_rest();
        prop_assert!(
            received == expected,
            "received {}\nexpected {}",
            received.escape_ascii(),
            expected.escape_ascii()
        );
        Ok(())
    });
    if let Err(error) = result {
        panic!("{error}");
    }
}

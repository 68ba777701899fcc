//! Connections that are driven by threads which do other work between two turns.

use std::{
    sync::{
        Arc, Mutex, OnceLock,
        mpsc::{self, Sender},
    },
    thread,
};

use server::{Driver, Exchange, Handler, Turn, Turns, Wakes};

use crate::{
    handlers::{Inline, ok, response},
    harness::{DEADLINE, Setup, assert_bytes},
};

/// Answers what a turn has left behind before it takes the next one.
#[derive(Default)]
struct Desk {
    waiting: Mutex<Vec<Exchange>>,
    turns: OnceLock<Arc<Turns>>,
}

/// The handler that leaves requests to a desk.
struct Leaves(Arc<Desk>);

impl Handler for Leaves {
    fn handle(&self, exchange: Exchange) {
        self.0.waiting.lock().unwrap().push(exchange);
    }

    fn flush(&self) {
        if !self.0.waiting.lock().unwrap().is_empty() {
            self.0.turns.get().unwrap().pause();
        }
    }
}

impl Desk {
    /// Takes turns until the server has ended.
    fn serve(&self, turns: &Turns) {
        Wakes::defer_on_this_thread();
        while turns.take() == Turn::Paused {
            self.answer("between");
        }
    }

    fn answer(&self, text: &'static str) {
        for Exchange { mut writer, .. } in std::mem::take(&mut *self.waiting.lock().unwrap()) {
            writer.respond(response(200, text));
        }
    }
}

/// A handler that answers within the turn.
fn at_once(text: &'static str) -> impl Handler {
    Inline(move |exchange: Exchange| {
        let Exchange { mut writer, .. } = exchange;
        writer.respond(response(200, text));
    })
}

/// One thread, which tells when it has ended.
struct Alone(Arc<Desk>, Mutex<Sender<()>>);

impl Driver for Alone {
    fn begin(&self, turns: Arc<Turns>) -> bool {
        let (desk, ended) = (Arc::clone(&self.0), self.1.lock().unwrap().clone());
        assert!(desk.turns.set(Arc::clone(&turns)).is_ok());
        thread::spawn(move || {
            desk.serve(&turns);
            // Nobody listens when the test has failed.
            let _ = ended.send(());
        });
        true
    }
}

#[test]
fn what_a_turn_leaves_behind_is_answered_before_the_next_one() {
    let desk = Arc::new(Desk::default());
    let (ended, end) = mpsc::channel();
    let server = Setup::new()
        .route("/", Leaves(Arc::clone(&desk)))
        .driven_by(Arc::new(Alone(desk, Mutex::new(ended))))
        .start();
    assert_bytes(server.answer("GET / HTTP/1.1\r\n\r\n".repeat(50)), ok("between").repeat(50));
    let mut clients: Vec<_> = (0..20).map(|_| server.connect()).collect();
    for client in &mut clients {
        client.send("GET / HTTP/1.1\r\n\r\n");
    }
    for client in &mut clients {
        client.expect(ok("between"));
    }
    drop(server);
    end.recv_timeout(DEADLINE).unwrap();
}

/// One thread, and a second one that goes on when the first is kept from its next turn.
struct Replaced {
    desk: Arc<Desk>,
    kept: Mutex<mpsc::Receiver<()>>,
}

impl Driver for Replaced {
    fn begin(&self, turns: Arc<Turns>) -> bool {
        let desk = Arc::clone(&self.desk);
        let kept = std::mem::replace(&mut *self.kept.lock().unwrap(), mpsc::channel().1);
        assert!(desk.turns.set(Arc::clone(&turns)).is_ok());
        thread::spawn(move || {
            assert_eq!(turns.take(), Turn::Paused);
            let other = Arc::clone(&turns);
            thread::spawn(move || while other.take() == Turn::Paused {});
            kept.recv_timeout(DEADLINE).unwrap();
            desk.answer("late");
        });
        true
    }
}

#[test]
fn another_thread_goes_on_where_one_is_kept() {
    let desk = Arc::new(Desk::default());
    let (go, kept) = mpsc::channel();
    let server = Setup::new()
        .route("/late", Leaves(Arc::clone(&desk)))
        .route("/now", at_once("now"))
        .driven_by(Arc::new(Replaced { desk, kept: Mutex::new(kept) }))
        .start();
    let mut client = server.connect();
    client.send("GET /late HTTP/1.1\r\n\r\n");
    assert_bytes(server.answer("GET /now HTTP/1.1\r\n\r\n".repeat(3)), ok("now").repeat(3));
    go.send(()).unwrap();
    client.expect(ok("late"));
}

/// Has no thread for the connections.
struct Unable;

impl Driver for Unable {
    fn begin(&self, _turns: Arc<Turns>) -> bool {
        false
    }
}

#[test]
fn a_server_whose_driver_has_no_thread_drives_itself() {
    let server = Setup::new().route("/", at_once("itself")).driven_by(Arc::new(Unable)).start();
    assert_bytes(server.answer("GET / HTTP/1.1\r\n\r\n"), ok("itself"));
}

//! Work that may take long or wait for a disk, on threads of its own.
//!
//! The threads belong to the process: several servers share them, and none of them waits for
//! them when it ends. Work that nobody waits for any more ends at its next step (see [`Job`]).

use std::{
    collections::VecDeque,
    io,
    pin::Pin,
    sync::{Condvar, Mutex, MutexGuard, PoisonError},
    task::{Context, Poll, ready},
    thread,
    time::Duration,
};

use tokio::sync::oneshot;

use crate::Request;

/// For what waits for files. A file system that does not answer keeps a thread for each request.
pub(crate) static FILES: Lane = Lane::new("wptserve-files", 256, false);

/// For what computes: few at a time, and behind the threads that others wait for.
pub(crate) static CODECS: Lane = Lane::new("wptserve-codecs", 16, true);

/// A request that is being answered, and whether somebody still waits for the answer.
#[derive(Clone, Copy)]
pub struct Job<'a> {
    /// The request.
    pub request: &'a Request,
    is_given_up: &'a dyn Fn() -> bool,
}

impl<'a> Job<'a> {
    /// A request whose answer is always wanted.
    pub fn of(request: &'a Request) -> Self {
        Self { request, is_given_up: &|| false }
    }

    /// A request whose answer is wanted until `is_given_up`.
    pub(crate) fn watched(request: &'a Request, is_given_up: &'a dyn Fn() -> bool) -> Self {
        Self { request, is_given_up }
    }

    /// Whether the client is gone, or the time for the answer is up.
    pub(crate) fn is_given_up(&self) -> bool {
        (self.is_given_up)()
    }

    /// An error once nobody waits for the answer.
    pub(crate) fn check(&self) -> io::Result<()> {
        if self.is_given_up() {
            return Err(io::Error::new(io::ErrorKind::ConnectionAborted, "nobody waits for it"));
        }
        Ok(())
    }
}

/// Threads for one kind of work. They come as they are needed and go when they are not.
pub(crate) struct Lane {
    name: &'static str,
    most_threads: usize,
    /// Whether it gives way to other threads.
    gives_way: bool,
    state: Mutex<State>,
    work: Condvar,
}

struct State {
    queue: VecDeque<Work>,
    threads: usize,
    /// How many of them wait for work.
    idle: usize,
}

type Work = Box<dyn FnOnce() + Send>;

/// A promise that a thread will come to what is queued.
pub(crate) struct Place(&'static Lane);

impl Lane {
    const fn new(name: &'static str, most_threads: usize, gives_way: bool) -> Self {
        let state = State { queue: VecDeque::new(), threads: 0, idle: 0 };
        Self { name, most_threads, gives_way, state: Mutex::new(state), work: Condvar::new() }
    }

    /// A place in the queue; an error when there is no thread and none can be started.
    pub(crate) fn place(&'static self) -> io::Result<Place> {
        let mut state = self.lock();
        if state.idle <= state.queue.len() && state.threads < self.most_threads {
            let builder = thread::Builder::new().name(self.name.to_owned());
            match builder.spawn(|| self.serve()) {
                Ok(_detached) => state.threads += 1,
                Err(error) if state.threads == 0 => return Err(error),
                // Those that there are come to it.
                Err(_) => {}
            }
        }
        Ok(Place(self))
    }

    /// Has something done, and hands the result to the task that polls for it.
    pub(crate) fn ask<T: Send + 'static>(
        &'static self,
        work: impl FnOnce() -> T + Send + 'static,
    ) -> io::Result<Asked<T>> {
        let (tell, told) = oneshot::channel();
        self.place()?.run(move || {
            // Nobody is told whose task is gone.
            if !tell.is_closed() {
                let _told = tell.send(work());
            }
        });
        Ok(Asked(told))
    }

    fn serve(&'static self) {
        let _leaving = Leaving(self);
        if self.gives_way {
            give_way();
        }
        loop {
            let mut state = self.lock();
            while state.queue.is_empty() {
                state.idle += 1;
                let waited = self.work.wait_timeout(state, IDLE).unwrap_or_else(poisoned);
                state = waited.0;
                state.idle -= 1;
                if waited.1.timed_out() && state.queue.is_empty() {
                    return;
                }
            }
            let work = state.queue.pop_front();
            drop(state);
            if let Some(work) = work {
                work();
            }
        }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        // Nothing panics while it holds the lock.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn poisoned<T>(error: PoisonError<T>) -> T {
    error.into_inner()
}

impl Place {
    /// Queues work.
    pub(crate) fn run(self, work: impl FnOnce() + Send + 'static) {
        self.0.lock().queue.push_back(Box::new(work));
        self.0.work.notify_one();
    }
}

/// A thread that ends: also by a panic in what it did.
struct Leaving(&'static Lane);

impl Drop for Leaving {
    fn drop(&mut self) {
        self.0.lock().threads -= 1;
    }
}

/// The result of work, once it is there.
pub(crate) struct Asked<T>(oneshot::Receiver<T>);

impl<T> Asked<T> {
    /// The result; an error when the work has panicked.
    pub(crate) fn poll(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<T>> {
        let result = ready!(Pin::new(&mut self.0).poll(cx));
        Poll::Ready(result.map_err(|_| io::Error::other("the work has panicked")))
    }
}

/// Lowers the priority of this thread.
#[cfg(target_os = "linux")]
fn give_way() {
    // On Linux this is the thread's alone. Where it fails the thread competes with the others.
    let _lowered = rustix::process::setpriority_process(None, NICENESS);
}

#[cfg(not(target_os = "linux"))]
fn give_way() {}

#[cfg(target_os = "linux")]
const NICENESS: i32 = 15;

/// How long a thread waits for more work.
const IDLE: Duration = Duration::from_secs(10);

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::mpsc;

    #[test]
    fn threads_are_bounded_and_what_waits_has_its_turn() {
        static LANE: Lane = Lane::new("test", 2, false);
        let (tell, told) = mpsc::channel();
        let (go, gone) = mpsc::channel::<()>();
        let gone = std::sync::Arc::new(Mutex::new(gone));
        for number in 0..6 {
            let (tell, gone) = (tell.clone(), gone.clone());
            LANE.place().unwrap().run(move || {
                gone.lock().unwrap().recv().unwrap();
                tell.send(number).unwrap();
            });
        }
        assert_eq!(LANE.lock().threads, 2);
        for _ in 0..6 {
            go.send(()).unwrap();
        }
        let mut done: Vec<i32> = (0..6).map(|_| told.recv().unwrap()).collect();
        done.sort_unstable();
        assert_eq!(done, [0, 1, 2, 3, 4, 5]);
    }

    #[test]
    fn a_panic_ends_a_thread_and_not_the_lane() {
        static LANE: Lane = Lane::new("test", 1, false);
        let (tell, told) = mpsc::channel();
        LANE.place().unwrap().run(|| panic!("as the test wants it"));
        // The thread may be counted until it has ended.
        while LANE.lock().threads > 0 {
            thread::yield_now();
        }
        LANE.place().unwrap().run(move || tell.send(()).unwrap());
        assert!(told.recv().is_ok());
    }
}

//! A host's side.

use std::{
    io::{self, Write},
    os::{fd::AsFd, unix::net::UnixStream},
    process,
    sync::{Mutex, MutexGuard, PoisonError},
    thread,
    time::Duration,
};

use server::stash::{QueueId, StashKey, StashQueues, StashStore};

use super::message::{Answer, QueueRequest, Request};
use crate::processes::{descriptors, frame};

/// The stash that the supervisor keeps. Every call waits for its answer.
pub(in crate::processes) struct RemoteStash {
    door: UnixStream,
    idle: Mutex<Idle>,
}

/// Connections that nobody uses now.
struct Idle {
    /// Whose they are. A process that was forked off this one makes its own.
    process: u32,
    connections: Vec<UnixStream>,
}

impl RemoteStash {
    /// The stash behind a door.
    pub(in crate::processes) fn new(door: UnixStream) -> Self {
        let idle = Idle { process: process::id(), connections: Vec::new() };
        Self { door, idle: Mutex::new(idle) }
    }

    fn ask(&self, request: &Request) -> Answer {
        match self.try_ask(request) {
            Ok(answer) => answer,
            // The supervisor is gone, and this process ends with it in a moment. Nothing that
            // could be answered until then would be true.
            Err(_) => loop {
                thread::park();
            },
        }
    }

    fn try_ask(&self, request: &Request) -> io::Result<Answer> {
        let idle = self.idle().connections.pop();
        let mut connection = match idle {
            Some(connection) => connection,
            None => self.connect()?,
        };
        connection.write_all(&request.encode())?;
        let answer = frame::read(&mut connection)?.and_then(Answer::decode);
        let answer = answer.ok_or(io::ErrorKind::UnexpectedEof)?;
        let mut idle = self.idle();
        if idle.connections.len() < MOST_IDLE {
            idle.connections.push(connection);
        }
        Ok(answer)
    }

    fn connect(&self) -> io::Result<UnixStream> {
        let (here, there) = UnixStream::pair()?;
        descriptors::send(&self.door, &[there.as_fd()])?;
        Ok(here)
    }

    fn idle(&self) -> MutexGuard<'_, Idle> {
        // Nothing panics while it holds this.
        let mut idle = self.idle.lock().unwrap_or_else(PoisonError::into_inner);
        let process = process::id();
        if idle.process != process {
            *idle = Idle { process, connections: Vec::new() };
        }
        idle
    }
}

impl StashStore for RemoteStash {
    fn put(&self, key: StashKey, value: Vec<u8>) -> Result<(), Vec<u8>> {
        match self.ask(&Request::Put(key, value)) {
            Answer::Value(old) => Err(old),
            _ => Ok(()),
        }
    }

    fn take(&self, key: &StashKey) -> Option<Vec<u8>> {
        match self.ask(&Request::Take(key.clone())) {
            Answer::Value(value) => Some(value),
            _ => None,
        }
    }

    fn try_lock(&self) -> bool {
        self.ask(&Request::TryLock) == Answer::Yes
    }

    fn lock(&self) {
        self.ask(&Request::Lock);
    }

    fn unlock(&self) -> bool {
        self.ask(&Request::Unlock) == Answer::Yes
    }

    fn waits(&self) -> bool {
        true
    }

    fn queues(&self) -> Option<&dyn StashQueues> {
        Some(self)
    }
}

impl RemoteStash {
    fn ask_queue(&self, request: QueueRequest) -> Answer {
        self.ask(&Request::Queue(request))
    }
}

impl StashQueues for RemoteStash {
    fn create(&self, most: u64) -> QueueId {
        number(&self.ask_queue(QueueRequest::Create(most)))
    }

    fn push(&self, queue: QueueId, item: Vec<u8>, patience: Option<Duration>) -> bool {
        self.ask_queue(QueueRequest::Put(queue, patience, item)) == Answer::Yes
    }

    fn pop(&self, queue: QueueId, patience: Option<Duration>) -> Option<Vec<u8>> {
        match self.ask_queue(QueueRequest::Take(queue, patience)) {
            Answer::Value(item) => Some(item),
            _ => None,
        }
    }

    fn len(&self, queue: QueueId) -> u64 {
        number(&self.ask_queue(QueueRequest::Len(queue)))
    }

    fn done(&self, queue: QueueId) -> bool {
        self.ask_queue(QueueRequest::Done(queue)) == Answer::Yes
    }

    fn join(&self, queue: QueueId) {
        self.ask_queue(QueueRequest::Join(queue));
    }

    fn remove(&self, queue: QueueId) {
        self.ask_queue(QueueRequest::Remove(queue));
    }
}

fn number(answer: &Answer) -> u64 {
    match answer {
        Answer::Number(number) => *number,
        _ => 0,
    }
}

/// So many connections are kept; who needs more at once makes them.
const MOST_IDLE: usize = 64;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::processes::stash::StashService;
    use std::sync::{
        Arc, Barrier,
        atomic::{AtomicU32, Ordering},
        mpsc,
    };

    /// A service in a thread, and the stashes of hosts 0, 1 and so on.
    fn stashes(count: u64) -> (StashService, Vec<Arc<RemoteStash>>) {
        let service = StashService::default();
        let runs = service.clone();
        let (tell, doors) = mpsc::channel();
        thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
            runtime.unwrap().block_on(async {
                for host in 0..count {
                    let (here, there) = UnixStream::pair().unwrap();
                    runs.open(host, here).unwrap();
                    tell.send(Arc::new(RemoteStash::new(there))).unwrap();
                }
                std::future::pending::<()>().await;
            });
        });
        let stashes = (0..count).map(|_| doors.recv().unwrap()).collect();
        (service, stashes)
    }

    fn key(path: &str) -> StashKey {
        StashKey { path: path.into(), id: [1; 16] }
    }

    #[test]
    fn what_one_host_puts_another_takes_once() {
        let (_service, stashes) = stashes(2);
        let large = vec![7; 3_000_000];
        assert_eq!(stashes[0].put(key("/a"), large.clone()), Ok(()));
        assert_eq!(stashes[1].put(key("/a"), b"other".to_vec()), Err(large.clone()));
        assert_eq!(stashes[1].take(&key("/b")), None);
        assert_eq!(stashes[1].take(&key("/a")), Some(large));
        assert_eq!(stashes[0].take(&key("/a")), None);
    }

    #[test]
    fn of_many_that_take_one_gets_the_value() {
        let (_service, stashes) = stashes(3);
        let got = Arc::new(AtomicU32::new(0));
        let barrier = Arc::new(Barrier::new(12));
        let threads: Vec<_> = (0..12)
            .map(|number| {
                let stash = Arc::clone(&stashes[number % 3]);
                let (got, barrier) = (Arc::clone(&got), Arc::clone(&barrier));
                thread::spawn(move || {
                    for round in 0..50 {
                        let key = StashKey { path: b"/".to_vec(), id: [round; 16] };
                        if barrier.wait().is_leader() {
                            stash.put(key.clone(), b"x".to_vec()).unwrap();
                        }
                        barrier.wait();
                        got.fetch_add(stash.take(&key).is_some().into(), Ordering::Relaxed);
                        barrier.wait();
                    }
                })
            })
            .collect();
        for thread in threads {
            thread.join().unwrap();
        }
        assert_eq!(got.load(Ordering::Relaxed), 50);
    }

    #[test]
    fn the_lock_excludes_across_hosts() {
        let (_service, stashes) = stashes(2);
        let inside = Arc::new(AtomicU32::new(0));
        let threads: Vec<_> = (0..8)
            .map(|number| {
                let (stash, inside) = (Arc::clone(&stashes[number % 2]), Arc::clone(&inside));
                thread::spawn(move || {
                    for _ in 0..100 {
                        stash.lock();
                        assert_eq!(inside.fetch_add(1, Ordering::SeqCst), 0);
                        inside.fetch_sub(1, Ordering::SeqCst);
                        assert!(stash.unlock());
                    }
                })
            })
            .collect();
        for thread in threads {
            thread.join().unwrap();
        }
        assert!(stashes[0].try_lock());
        assert!(!stashes[1].try_lock());
        // It belongs to nobody in particular.
        assert!(stashes[1].unlock());
        assert!(!stashes[0].unlock());
    }

    #[test]
    fn a_queue_is_one_for_all_hosts() {
        let (_service, stashes) = stashes(2);
        let (here, there) = (&stashes[0], Arc::clone(&stashes[1]));
        let queue = here.create(2);
        assert_ne!(here.create(0), queue);
        let soon = Some(Duration::from_millis(1));
        let waiting = thread::spawn(move || there.pop(queue, None));
        assert!(here.push(queue, b"1".to_vec(), soon));
        assert_eq!(waiting.join().unwrap(), Some(b"1".to_vec()));
        for item in [b"2", b"3"] {
            assert!(here.push(queue, item.to_vec(), None));
        }
        assert!(!stashes[1].push(queue, b"4".to_vec(), soon));
        assert_eq!(stashes[1].len(queue), 2);
        let there = Arc::clone(&stashes[1]);
        let waiting = thread::spawn(move || there.push(queue, b"4".to_vec(), None));
        for item in [b"2", b"3", b"4"] {
            assert_eq!(here.pop(queue, None), Some(item.to_vec()));
        }
        assert!(waiting.join().unwrap());
        assert_eq!(here.pop(queue, soon), None);
        let there = Arc::clone(&stashes[1]);
        let joins = thread::spawn(move || there.join(queue));
        for _ in 0..4 {
            assert!(!joins.is_finished());
            assert!(here.done(queue));
        }
        joins.join().unwrap();
        assert!(!here.done(queue));
        here.remove(queue);
        assert_eq!(here.len(queue), 0);
        assert!(!here.push(queue, b"5".to_vec(), None));
        assert_eq!(here.pop(queue, None), None);
    }

    #[test]
    fn a_host_that_is_gone_has_the_lock_no_more_and_never_again() {
        let (service, stashes) = stashes(3);
        stashes[0].lock();
        let (tell, told) = mpsc::channel();
        for (host, stash) in stashes.iter().enumerate().skip(1) {
            let (stash, tell) = (Arc::clone(stash), tell.clone());
            thread::spawn(move || {
                stash.lock();
                tell.send(host).unwrap();
            });
            // The first one is to wait first.
            thread::sleep(Duration::from_millis(50));
        }
        assert!(told.try_recv().is_err());
        // Of those that wait, the first goes too.
        service.host_is_gone(1);
        service.host_is_gone(0);
        assert_eq!(told.recv_timeout(Duration::from_secs(10)), Ok(2));
        assert!(!stashes[0].try_lock());
        assert!(stashes[2].unlock());
        assert!(!stashes[0].try_lock());
        assert!(stashes[2].try_lock());
    }
}

//! A host's side.

use std::{
    io::{ErrorKind, Write},
    os::{fd::AsFd, unix::net::UnixStream},
    process,
    sync::{Arc, Mutex, MutexGuard, PoisonError, TryLockError},
    time::Duration,
};

use server::stash::{QueueId, StashError, StashKey, StashQueues, StashStore};

use super::message::{Answer, QueueRequest, Request};
use crate::processes::{descriptors, frame};

/// The stash that the supervisor keeps. Every call waits for its answer.
pub(in crate::processes) struct RemoteStash {
    door: UnixStream,
    state: Mutex<State>,
}

/// The connections of one process.
///
/// Each question has one to itself while it waits for the answer. Descriptors may run out on either
/// side, and then no more can be made; whoever has the lock must be able to give it back all the
/// same. So two are there from the start.
struct State {
    /// Whose they are. A process that was forked off this one makes its own.
    process: u32,
    /// Those that nobody uses now.
    idle: Vec<Connection>,
    /// Where the lock is waited for, by one thread at a time. The supervisor frees the lock when
    /// the connection ends on which it was given.
    lock: Arc<Mutex<Option<Connection>>>,
    /// Where short questions take turns when no other connection can be made.
    reserve: Arc<Mutex<Option<Connection>>>,
}

/// A connection to the supervisor, which greets those that it takes.
struct Connection {
    stream: UnixStream,
    is_greeted: bool,
}

impl Connection {
    /// Asks for a connection. Whether it is taken shows with its first use.
    fn through(door: &UnixStream) -> Result<Self, StashError> {
        let (here, there) = UnixStream::pair().map_err(StashError::Unreachable)?;
        descriptors::send(door, &[there.as_fd()]).map_err(StashError::Unreachable)?;
        Ok(Self { stream: here, is_greeted: false })
    }

    fn ask(&mut self, request: &Request) -> Result<Answer, StashError> {
        if !self.is_greeted {
            self.answer().map_err(|_| StashError::Refused)?;
            self.is_greeted = true;
        }
        self.stream.write_all(&request.encode()).map_err(StashError::Unanswered)?;
        self.answer()
    }

    fn answer(&mut self) -> Result<Answer, StashError> {
        let frame = frame::read(&mut self.stream).map_err(StashError::Unanswered)?;
        let answer = frame.and_then(Answer::decode);
        answer.ok_or_else(|| StashError::Unanswered(ErrorKind::UnexpectedEof.into()))
    }
}

impl State {
    fn of_this_process() -> Self {
        Self {
            process: process::id(),
            idle: Vec::new(),
            lock: Arc::default(),
            reserve: Arc::default(),
        }
    }
}

impl RemoteStash {
    /// The stash behind a door.
    pub(in crate::processes) fn new(door: UnixStream) -> Self {
        let mut state = State::of_this_process();
        // Where it fails it is tried again when they are needed.
        let connect = || Arc::new(Mutex::new(Connection::through(&door).ok()));
        (state.lock, state.reserve) = (connect(), connect());
        Self { door, state: Mutex::new(state) }
    }

    /// Asks what is answered at once.
    fn ask(&self, request: &Request) -> Result<Answer, StashError> {
        match self.wait_for(request) {
            // It was not asked.
            Err(StashError::Unreachable(_) | StashError::Refused) => {
                let reserve = Arc::clone(&self.state().reserve);
                let mut reserve = reserve.lock().unwrap_or_else(PoisonError::into_inner);
                self.ask_on(&mut reserve, request)
            }
            answer => answer,
        }
    }

    /// Asks what may take long to be answered.
    fn wait_for(&self, request: &Request) -> Result<Answer, StashError> {
        let idle = self.state().idle.pop();
        let mut connection = match idle {
            Some(connection) => connection,
            None => Connection::through(&self.door)?,
        };
        let answer = connection.ask(request)?;
        let mut state = self.state();
        if state.idle.len() < MOST_IDLE {
            state.idle.push(connection);
        }
        Ok(answer)
    }

    /// Asks on a connection that is kept as long as it is good.
    fn ask_on(
        &self,
        kept: &mut Option<Connection>,
        request: &Request,
    ) -> Result<Answer, StashError> {
        let mut connection = match kept.take() {
            Some(connection) => connection,
            None => Connection::through(&self.door)?,
        };
        let answer = connection.ask(request)?;
        *kept = Some(connection);
        Ok(answer)
    }

    fn state(&self) -> MutexGuard<'_, State> {
        // Nothing panics while it holds this.
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        if state.process != process::id() {
            *state = State::of_this_process();
        }
        state
    }
}

impl StashStore for RemoteStash {
    fn put(&self, key: StashKey, value: Vec<u8>) -> Result<Option<Vec<u8>>, StashError> {
        self.ask(&Request::Put(key, value)).map(value_of)
    }

    fn take(&self, key: &StashKey) -> Result<Option<Vec<u8>>, StashError> {
        self.ask(&Request::Take(key.clone())).map(value_of)
    }

    fn try_lock(&self) -> Result<bool, StashError> {
        let lock = Arc::clone(&self.state().lock);
        let mut connection = match lock.try_lock() {
            Ok(connection) => connection,
            Err(TryLockError::Poisoned(connection)) => connection.into_inner(),
            // Somebody here waits for the lock, so it is not free.
            Err(TryLockError::WouldBlock) => return Ok(false),
        };
        Ok(self.ask_on(&mut connection, &Request::TryLock)? == Answer::Yes)
    }

    fn lock(&self) -> Result<(), StashError> {
        let lock = Arc::clone(&self.state().lock);
        // Nothing panics while it holds this.
        let mut connection = lock.lock().unwrap_or_else(PoisonError::into_inner);
        self.ask_on(&mut connection, &Request::Lock).map(drop)
    }

    fn unlock(&self) -> Result<bool, StashError> {
        Ok(self.ask(&Request::Unlock)? == Answer::Yes)
    }

    fn waits(&self) -> bool {
        true
    }

    fn queues(&self) -> Option<&dyn StashQueues> {
        Some(self)
    }
}

impl StashQueues for RemoteStash {
    fn create(&self, most: u64) -> Result<QueueId, StashError> {
        self.ask(&Request::Queue(QueueRequest::Create(most))).map(|answer| number_of(&answer))
    }

    fn push(
        &self,
        queue: QueueId,
        item: Vec<u8>,
        patience: Option<Duration>,
    ) -> Result<bool, StashError> {
        let request = Request::Queue(QueueRequest::Put(queue, patience, item));
        Ok(self.wait_for(&request)? == Answer::Yes)
    }

    fn pop(
        &self,
        queue: QueueId,
        patience: Option<Duration>,
    ) -> Result<Option<Vec<u8>>, StashError> {
        self.wait_for(&Request::Queue(QueueRequest::Take(queue, patience))).map(value_of)
    }

    fn len(&self, queue: QueueId) -> Result<u64, StashError> {
        self.ask(&Request::Queue(QueueRequest::Len(queue))).map(|answer| number_of(&answer))
    }

    fn done(&self, queue: QueueId) -> Result<bool, StashError> {
        Ok(self.ask(&Request::Queue(QueueRequest::Done(queue)))? == Answer::Yes)
    }

    fn join(&self, queue: QueueId) -> Result<(), StashError> {
        self.wait_for(&Request::Queue(QueueRequest::Join(queue))).map(drop)
    }

    fn remove(&self, queue: QueueId) -> Result<(), StashError> {
        self.ask(&Request::Queue(QueueRequest::Remove(queue))).map(drop)
    }
}

fn value_of(answer: Answer) -> Option<Vec<u8>> {
    match answer {
        Answer::Value(value) => Some(value),
        _ => None,
    }
}

fn number_of(answer: &Answer) -> u64 {
    match answer {
        Answer::Number(number) => *number,
        _ => 0,
    }
}

/// At most this many idle connections are kept.
const MOST_IDLE: usize = 64;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::processes::stash::StashService;
    use std::sync::{
        Barrier,
        atomic::{AtomicU32, Ordering},
        mpsc,
    };
    use std::thread;

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
        assert_eq!(stashes[0].put(key("/a"), large.clone()).unwrap(), None);
        assert_eq!(stashes[1].put(key("/a"), b"other".to_vec()).unwrap(), Some(large.clone()));
        assert_eq!(stashes[1].take(&key("/b")).unwrap(), None);
        assert_eq!(stashes[1].take(&key("/a")).unwrap(), Some(large));
        assert_eq!(stashes[0].take(&key("/a")).unwrap(), None);
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
                        got.fetch_add(
                            stash.take(&key).unwrap().is_some().into(),
                            Ordering::Relaxed,
                        );
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
                        stash.lock().unwrap();
                        assert_eq!(inside.fetch_add(1, Ordering::SeqCst), 0);
                        inside.fetch_sub(1, Ordering::SeqCst);
                        assert!(stash.unlock().unwrap());
                    }
                })
            })
            .collect();
        for thread in threads {
            thread.join().unwrap();
        }
        assert!(stashes[0].try_lock().unwrap());
        assert!(!stashes[1].try_lock().unwrap());
        // It belongs to nobody in particular.
        assert!(stashes[1].unlock().unwrap());
        assert!(!stashes[0].unlock().unwrap());
    }

    #[test]
    fn a_queue_is_one_for_all_hosts() {
        let (_service, stashes) = stashes(2);
        let (here, there) = (&stashes[0], Arc::clone(&stashes[1]));
        let queue = here.create(2).unwrap();
        assert_ne!(here.create(0).unwrap(), queue);
        let soon = Some(Duration::from_millis(1));
        let waiting = thread::spawn(move || there.pop(queue, None).unwrap());
        assert!(here.push(queue, b"1".to_vec(), soon).unwrap());
        assert_eq!(waiting.join().unwrap(), Some(b"1".to_vec()));
        for item in [b"2", b"3"] {
            assert!(here.push(queue, item.to_vec(), None).unwrap());
        }
        assert!(!stashes[1].push(queue, b"4".to_vec(), soon).unwrap());
        assert_eq!(stashes[1].len(queue).unwrap(), 2);
        let there = Arc::clone(&stashes[1]);
        let waiting = thread::spawn(move || there.push(queue, b"4".to_vec(), None).unwrap());
        for item in [b"2", b"3", b"4"] {
            assert_eq!(here.pop(queue, None).unwrap(), Some(item.to_vec()));
        }
        assert!(waiting.join().unwrap());
        assert_eq!(here.pop(queue, soon).unwrap(), None);
        let there = Arc::clone(&stashes[1]);
        let joins = thread::spawn(move || there.join(queue).unwrap());
        for _ in 0..4 {
            assert!(!joins.is_finished());
            assert!(here.done(queue).unwrap());
        }
        joins.join().unwrap();
        assert!(!here.done(queue).unwrap());
        here.remove(queue).unwrap();
        assert_eq!(here.len(queue).unwrap(), 0);
        assert!(!here.push(queue, b"5".to_vec(), None).unwrap());
        assert_eq!(here.pop(queue, None).unwrap(), None);
    }

    #[test]
    fn a_host_that_is_gone_has_the_lock_no_more_and_never_again() {
        let (service, stashes) = stashes(3);
        stashes[0].lock().unwrap();
        let (tell, told) = mpsc::channel();
        for (host, stash) in stashes.iter().enumerate().skip(1) {
            let (stash, tell) = (Arc::clone(stash), tell.clone());
            thread::spawn(move || {
                if stash.lock().is_ok() {
                    tell.send(host).unwrap();
                }
            });
            // The first one is to wait first.
            thread::sleep(Duration::from_millis(50));
        }
        assert!(told.try_recv().is_err());
        // Of those that wait, the first goes too.
        service.host_is_gone(1);
        service.host_is_gone(0);
        assert_eq!(told.recv_timeout(Duration::from_secs(10)), Ok(2));
        assert!(!stashes[0].try_lock().unwrap());
        assert!(stashes[2].unlock().unwrap());
        assert!(!stashes[0].try_lock().unwrap());
        assert!(stashes[2].try_lock().unwrap());
    }

    #[test]
    fn a_door_that_nobody_keeps_is_an_error_and_no_wait() {
        let (here, there) = UnixStream::pair().unwrap();
        let stash = RemoteStash::new(here);
        drop(there);
        assert!(stash.take(&key("/a")).is_err());
        assert!(stash.lock().is_err());
        assert!(stash.create(0).is_err());
    }

    #[test]
    fn a_connection_that_is_not_taken_is_an_error_that_says_so() {
        let (here, there) = UnixStream::pair().unwrap();
        let stash = RemoteStash::new(here);
        thread::spawn(move || while let Ok(Some(_closed)) = descriptors::receive_some(&there) {});
        let error = stash.pop(1, None).unwrap_err();
        assert!(matches!(error, StashError::Refused), "{error}");
    }

    #[test]
    fn without_a_connection_of_its_own_a_short_question_takes_its_turn_on_the_reserve() {
        let (_service, stashes) = stashes(1);
        let stash = &stashes[0];
        // No more can be made: the door is closed for good.
        assert_eq!(stash.put(key("/a"), b"x".to_vec()).unwrap(), None);
        rustix::net::shutdown(&stash.door, rustix::net::Shutdown::Both).unwrap();
        stash.state().idle.clear();
        assert_eq!(stash.take(&key("/a")).unwrap(), Some(b"x".to_vec()));
        stash.lock().unwrap();
        assert!(!stash.try_lock().unwrap());
        assert!(stash.unlock().unwrap());
        // What may wait for long does not.
        assert!(stash.pop(1, None).is_err());
    }

    #[test]
    fn a_holder_whose_connection_ends_has_the_lock_no_more() {
        let (_service, stashes) = stashes(2);
        stashes[0].lock().unwrap();
        // As when a process that was forked off a handler ends.
        *stashes[0].state().lock.lock().unwrap() = None;
        stashes[1].lock().unwrap();
        assert!(stashes[1].unlock().unwrap());
    }
}

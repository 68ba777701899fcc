//! The supervisor's side.

use std::{
    collections::{HashSet, VecDeque},
    io,
    os::{fd::OwnedFd, unix::net::UnixStream as StdUnixStream},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use server::stash::{MemoryStash, StashStore};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt, Interest},
    net::UnixStream,
    sync::oneshot,
};

use super::{
    message::{Answer, Request},
    queues::Queues,
};
use crate::processes::{descriptors, frame};

/// Which process a question comes from. No two have the same.
pub(in crate::processes) type HostId = u64;

/// The values and the lock.
#[derive(Clone, Default)]
pub(in crate::processes) struct StashService(Arc<Shared>);

#[derive(Default)]
struct Shared {
    values: MemoryStash,
    queues: Queues,
    lock: Mutex<Lock>,
}

/// The lock: who has it, and who comes next. A host that is gone has nothing and gets nothing.
#[derive(Default)]
struct Lock {
    hosts: HashSet<HostId>,
    owner: Option<Owner>,
    waiting: VecDeque<(HostId, oneshot::Sender<Grant>)>,
    last_grant: Grant,
}

struct Owner {
    host: HostId,
    grant: Grant,
}

/// One of the times that the lock was given. No two have the same.
type Grant = u64;

impl StashService {
    /// Opens the door for a host; within the runtime.
    pub(in crate::processes) fn open(&self, host: HostId, door: StdUnixStream) -> io::Result<()> {
        door.set_nonblocking(true)?;
        let door = UnixStream::from_std(door)?;
        self.lock().hosts.insert(host);
        tokio::spawn(self.clone().admit(host, door));
        Ok(())
    }

    /// A host is dead: it gives the lock back, and waits for it no longer.
    pub(in crate::processes) fn host_is_gone(&self, host: HostId) {
        let mut lock = self.lock();
        lock.hosts.remove(&host);
        lock.waiting.retain(|(waiting, _)| *waiting != host);
        if lock.owner.as_ref().is_some_and(|owner| owner.host == host) {
            lock.release();
        }
    }

    /// Takes the connections that a host passes through its door.
    async fn admit(self, host: HostId, door: UnixStream) {
        loop {
            if door.readable().await.is_err() {
                return;
            }
            match door.try_io(Interest::READABLE, || descriptors::receive_some(&door)) {
                Ok(None) => return,
                // None among them when there was no descriptor left; the host finds it closed.
                Ok(Some(connections)) => {
                    for connection in connections {
                        tokio::spawn(self.clone().serve(host, connection));
                    }
                }
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
                Err(error) if error.kind() == io::ErrorKind::ConnectionReset => return,
                // The door is the only one that the host has: only time can help.
                Err(_) => tokio::time::sleep(PAUSE).await,
            }
        }
    }

    /// Answers one connection until it ends, and frees the lock if it was given to it.
    async fn serve(self, host: HostId, connection: OwnedFd) {
        let mut granted = None;
        // That it has ended is all that there is to know.
        let _end = self.converse(host, connection, &mut granted).await;
        if let Some(grant) = granted {
            self.lock().take_back(grant);
        }
    }

    async fn converse(
        &self,
        host: HostId,
        connection: OwnedFd,
        granted: &mut Option<Grant>,
    ) -> Option<()> {
        let connection = StdUnixStream::from(connection);
        connection.set_nonblocking(true).ok()?;
        let mut connection = UnixStream::from_std(connection).ok()?;
        // A host knows by this that the connection was taken.
        connection.write_all(&Answer::Yes.encode()).await.ok()?;
        while let Ok(Some(frame)) = frame::read_async(&mut connection).await {
            let answer = match Request::decode(frame)? {
                Request::Queue(request) => self.0.queues.answer(request, &mut connection).await?,
                Request::Put(key, value) => {
                    self.0.values.put(key, value).ok()?.map_or(Answer::Yes, Answer::Value)
                }
                Request::Take(key) => {
                    self.0.values.take(&key).ok()?.map_or(Answer::No, Answer::Value)
                }
                Request::TryLock => {
                    let grant = self.lock().try_acquire(host);
                    *granted = grant.or(*granted);
                    Answer::of(grant.is_some())
                }
                Request::Lock => {
                    *granted = Some(self.acquire(host, &mut connection).await?);
                    Answer::Yes
                }
                Request::Unlock => {
                    let mut lock = self.lock();
                    let held = lock.owner.is_some();
                    lock.release();
                    Answer::of(held)
                }
            };
            connection.write_all(&answer.encode()).await.ok()?;
        }
        None
    }

    /// Waits for the lock; `None` when who asks for it is gone.
    async fn acquire(&self, host: HostId, connection: &mut UnixStream) -> Option<Grant> {
        let mut granted = {
            let mut lock = self.lock();
            if !lock.hosts.contains(&host) {
                return None;
            }
            if let Some(grant) = lock.try_acquire(host) {
                return Some(grant);
            }
            let (grant, granted) = oneshot::channel();
            lock.waiting.push_back((host, grant));
            granted
        };
        tokio::select! {
            biased;
            granted = &mut granted => granted.ok(),
            // Nobody says anything on a connection that waits, so this is its end.
            _end = connection.read_u8() => {
                granted.close();
                if let Ok(grant) = granted.try_recv() {
                    // It was granted at the same time.
                    self.lock().take_back(grant);
                }
                None
            }
        }
    }

    fn lock(&self) -> MutexGuard<'_, Lock> {
        // Nothing panics while it holds this.
        self.0.lock.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Lock {
    fn try_acquire(&mut self, host: HostId) -> Option<Grant> {
        let free = self.owner.is_none() && self.hosts.contains(&host);
        free.then(|| self.give(host))
    }

    fn give(&mut self, host: HostId) -> Grant {
        self.last_grant += 1;
        self.owner = Some(Owner { host, grant: self.last_grant });
        self.last_grant
    }

    /// Gives the lock to who has waited longest.
    fn release(&mut self) {
        self.owner = None;
        while let Some((host, granted)) = self.waiting.pop_front() {
            let grant = self.give(host);
            if granted.send(grant).is_ok() {
                return;
            }
            self.owner = None;
        }
    }

    /// Releases the lock if it has not been given to others since.
    fn take_back(&mut self, grant: Grant) {
        if self.owner.as_ref().is_some_and(|owner| owner.grant == grant) {
            self.release();
        }
    }
}

/// Between two attempts at what only time can help.
const PAUSE: Duration = Duration::from_millis(100);

//! The supervisor's side.

use std::{
    collections::{HashSet, VecDeque},
    io,
    os::{fd::OwnedFd, unix::net::UnixStream as StdUnixStream},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
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
    owner: Option<HostId>,
    waiting: VecDeque<(HostId, oneshot::Sender<()>)>,
}

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
        if lock.owner == Some(host) {
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
                Ok(connections) if connections.is_empty() => return,
                Ok(connections) => {
                    for connection in connections {
                        tokio::spawn(self.clone().converse(host, connection));
                    }
                }
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
                Err(_) => return,
            }
        }
    }

    /// Answers one connection until it ends.
    async fn converse(self, host: HostId, connection: OwnedFd) -> Option<()> {
        let connection = StdUnixStream::from(connection);
        connection.set_nonblocking(true).ok()?;
        let mut connection = UnixStream::from_std(connection).ok()?;
        while let Ok(Some(frame)) = frame::read_async(&mut connection).await {
            let answer = match Request::decode(frame)? {
                Request::Queue(request) => self.0.queues.answer(request, &mut connection).await?,
                Request::Put(key, value) => match self.0.values.put(key, value) {
                    Ok(()) => Answer::Yes,
                    Err(old) => Answer::Value(old),
                },
                Request::Take(key) => self.0.values.take(&key).map_or(Answer::No, Answer::Value),
                Request::TryLock => Answer::of(self.lock().try_acquire(host)),
                Request::Lock => {
                    self.acquire(host, &mut connection).await?;
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
    async fn acquire(&self, host: HostId, connection: &mut UnixStream) -> Option<()> {
        let mut granted = {
            let mut lock = self.lock();
            if !lock.hosts.contains(&host) {
                return None;
            }
            if lock.try_acquire(host) {
                return Some(());
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
                if granted.try_recv().is_ok() {
                    // It was granted at the same time.
                    self.lock().release();
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
    fn try_acquire(&mut self, host: HostId) -> bool {
        let free = self.owner.is_none() && self.hosts.contains(&host);
        if free {
            self.owner = Some(host);
        }
        free
    }

    /// Gives the lock to who has waited longest.
    fn release(&mut self) {
        self.owner = None;
        while let Some((host, grant)) = self.waiting.pop_front() {
            if grant.send(()).is_ok() {
                self.owner = Some(host);
                return;
            }
        }
    }
}

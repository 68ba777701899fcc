//! Queues that handlers of all hosts share.

use std::{
    collections::{HashMap, VecDeque},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use server::stash::QueueId;
use tokio::{io::AsyncReadExt, net::UnixStream, sync::Notify, time::timeout};

use super::message::{Answer, QueueRequest};

/// All queues.
#[derive(Default)]
pub(super) struct Queues(Mutex<Numbered>);

#[derive(Default)]
struct Numbered {
    last: QueueId,
    queues: HashMap<QueueId, Arc<Queue>>,
}

/// One of them.
#[derive(Default)]
struct Queue {
    /// How many items it holds at most; 0 is any number.
    most: u64,
    state: Mutex<State>,
    /// Told whenever something has changed.
    changed: Notify,
}

#[derive(Default)]
struct State {
    items: VecDeque<Vec<u8>>,
    /// Those that were put in and are not done with.
    undone: u64,
}

impl Queues {
    /// Answers a question; `None` when who has asked is gone.
    pub(super) async fn answer(
        &self,
        request: QueueRequest,
        connection: &mut UnixStream,
    ) -> Option<Answer> {
        Some(match request {
            QueueRequest::Create(most) => {
                let mut numbered = self.lock();
                numbered.last += 1;
                let number = numbered.last;
                numbered.queues.insert(number, Arc::new(Queue { most, ..Queue::default() }));
                Answer::Number(number)
            }
            QueueRequest::Put(queue, patience, item) => match self.find(queue) {
                Some(queue) => {
                    let mut item = Some(item);
                    let put = |state: &mut State| {
                        let len = state.items.len() as u64;
                        if queue.most != 0 && len >= queue.most {
                            return None;
                        }
                        state.items.extend(item.take());
                        state.undone += 1;
                        Some(())
                    };
                    Answer::of(queue.wait(patience, connection, put).await?.is_some())
                }
                None => Answer::No,
            },
            QueueRequest::Take(queue, patience) => match self.find(queue) {
                Some(queue) => {
                    let take = |state: &mut State| state.items.pop_front();
                    let taken = queue.wait(patience, connection, take).await?;
                    taken.map_or(Answer::No, Answer::Value)
                }
                None => Answer::No,
            },
            QueueRequest::Len(queue) => {
                let queue = self.find(queue);
                Answer::Number(queue.map_or(0, |queue| queue.lock().items.len() as u64))
            }
            QueueRequest::Done(queue) => {
                let done = |queue: &Arc<Queue>| {
                    let mut state = queue.lock();
                    let rest = state.undone.checked_sub(1);
                    state.undone = rest.unwrap_or(0);
                    queue.changed.notify_waiters();
                    rest.is_some()
                };
                Answer::of(self.find(queue).as_ref().is_some_and(done))
            }
            QueueRequest::Join(queue) => {
                if let Some(queue) = self.find(queue) {
                    let join = |state: &mut State| (state.undone == 0).then_some(());
                    queue.wait(None, connection, join).await?;
                }
                Answer::Yes
            }
            QueueRequest::Remove(queue) => {
                self.lock().queues.remove(&queue);
                Answer::Yes
            }
        })
    }

    fn find(&self, queue: QueueId) -> Option<Arc<Queue>> {
        self.lock().queues.get(&queue).map(Arc::clone)
    }

    fn lock(&self) -> MutexGuard<'_, Numbered> {
        // Nothing panics while it holds this.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Queue {
    /// Tries until it succeeds or the patience ends, which is `Some(None)`; `None` when who waits
    /// is gone.
    async fn wait<T>(
        &self,
        patience: Option<Duration>,
        connection: &mut UnixStream,
        mut attempt: impl FnMut(&mut State) -> Option<T>,
    ) -> Option<Option<T>> {
        let succeed = async {
            loop {
                // Before the attempt: what changes after it is not to be missed.
                let changed = self.changed.notified();
                let result = attempt(&mut self.lock());
                if let Some(result) = result {
                    self.changed.notify_waiters();
                    return result;
                }
                changed.await;
            }
        };
        let in_time = async {
            match patience {
                Some(patience) => timeout(patience, succeed).await.ok(),
                None => Some(succeed.await),
            }
        };
        tokio::select! {
            biased;
            result = in_time => Some(result),
            // Nobody says anything on a connection that waits, so this is its end.
            _end = connection.read_u8() => None,
        }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        // Nothing panics while it holds this.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

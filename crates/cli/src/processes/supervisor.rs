//! The supervisor: starts hosts, replaces those that end, and ends them.

use std::{
    io,
    sync::Arc,
    time::{Duration, Instant},
};

use server::{
    Error,
    event::{Event, EventSink, Level},
};
use tokio::{
    runtime,
    signal::unix::{Signal, SignalKind, signal},
    sync::mpsc::{self, UnboundedReceiver, UnboundedSender},
    time::sleep,
};

use super::{
    assignment::{Described, SharedIdentity},
    board::{Board, MOST_ROWS},
    orders::Order,
    restarts::Restarts,
    stash::{HostId, StashService},
    worker::{News, Start, State, Worker},
};
use crate::{
    Exit, HandlerLoader,
    engine::{self, Ground, Site},
    hangup::{Hangup, Hangups},
    settings::Failure,
};

/// Serves with several hosts until SIGINT or SIGTERM.
pub(crate) fn run(site: &dyn Site, loader: &dyn HandlerLoader) -> Result<Exit, Failure> {
    let ground = Ground::new(site)?;
    let runtime =
        runtime::Builder::new_current_thread().enable_all().build().map_err(Error::Runtime)?;
    let log = Arc::clone(&ground.listening.log);
    let result = runtime.block_on(async {
        // Before the first host: a signal that comes early must find its handler.
        let signals = Signals::new().map_err(Error::Runtime)?;
        Supervisor::new(site, loader, ground)?.run(signals).await
    });
    log.flush();
    result
}

/// The signals that a supervisor takes.
struct Signals {
    interrupt: Signal,
    terminate: Signal,
    hangups: Hangups,
}

/// What a signal asks for.
enum Asked {
    Stop,
    Replace,
}

impl Signals {
    fn new() -> io::Result<Self> {
        Ok(Self {
            interrupt: signal(SignalKind::interrupt())?,
            terminate: signal(SignalKind::terminate())?,
            hangups: Hangups::new()?,
        })
    }

    async fn next(&mut self) -> Asked {
        tokio::select! {
            _ = self.interrupt.recv() => Asked::Stop,
            _ = self.terminate.recv() => Asked::Stop,
            hangup = self.hangups.next() => match hangup {
                Hangup::TerminalClosed => Asked::Stop,
                Hangup::Asked => Asked::Replace,
            },
        }
    }
}

struct Supervisor<'a> {
    site: &'a dyn Site,
    loader: &'a dyn HandlerLoader,
    ground: Ground,
    board: Board,
    stash: StashService,
    workers: Vec<Worker>,
    /// One for each number of a host.
    restarts: Vec<Restarts>,
    last_id: HostId,
    /// The generation that serves, and the one that is about to replace it.
    generation: u64,
    next: Option<u64>,
    /// Whether the hosts are to be replaced again.
    again: bool,
    announced: bool,
    stopping: bool,
    /// How the command ends.
    result: Result<Exit, Failure>,
    tell: UnboundedSender<Message>,
    news: UnboundedSender<News>,
    inbox: Inbox,
}

/// What a supervisor waits for, beside signals.
struct Inbox {
    news: UnboundedReceiver<News>,
    messages: UnboundedReceiver<Message>,
}

/// What the supervisor tells itself.
enum Message {
    /// The host with this number is to be started again.
    Start(u32),
    /// Hosts that have not ended by now are killed.
    Late,
}

impl<'a> Supervisor<'a> {
    fn new(
        site: &'a dyn Site,
        loader: &'a dyn HandlerLoader,
        ground: Ground,
    ) -> Result<Self, Failure> {
        let count = site.engine().processes;
        let (tell, messages) = mpsc::unbounded_channel();
        let (news, inbox) = mpsc::unbounded_channel();
        Ok(Self {
            site,
            loader,
            ground,
            // With room for several generations.
            board: Board::new((4 * count).min(MOST_ROWS)).map_err(Error::Runtime)?,
            stash: StashService::default(),
            workers: Vec::new(),
            restarts: (0..count).map(|_| Restarts::default()).collect(),
            last_id: 0,
            generation: 1,
            next: None,
            again: false,
            announced: false,
            stopping: false,
            result: Ok(Exit::Success),
            tell,
            news,
            inbox: Inbox { news: inbox, messages },
        })
    }

    async fn run(mut self, mut signals: Signals) -> Result<Exit, Failure> {
        for number in self.numbers() {
            self.start(number, self.generation)?;
        }
        while !(self.stopping && self.workers.is_empty()) {
            tokio::select! {
                Some(news) = self.inbox.news.recv() => self.hear(news),
                Some(message) = self.inbox.messages.recv() => match message {
                    Message::Start(number) => self.start_again(number),
                    Message::Late => self.kill_all(),
                },
                asked = signals.next() => match asked {
                    Asked::Stop if self.stopping => self.kill_all(),
                    Asked::Stop => self.stop(),
                    Asked::Replace => self.replace(),
                },
            }
        }
        self.result
    }

    fn numbers(&self) -> impl Iterator<Item = u32> + use<> {
        1..=u32::try_from(self.restarts.len()).unwrap_or(u32::MAX)
    }

    /// Starts a host.
    fn start(&mut self, number: u32, generation: u64) -> Result<(), Failure> {
        let failed = |reason: String| Failure {
            exit: Exit::Failure,
            message: format!("the host {number} cannot be started: {reason}"),
        };
        let command = self.loader.host_command().map_err(failed)?;
        let program = command.get_program().to_string_lossy().into_owned();
        self.last_id += 1;
        let id = self.last_id;
        let row = self.board.take_row();
        let started = self.start_command(command, id, number, generation, row);
        match started {
            Ok(worker) => {
                self.workers.push(worker);
                Ok(())
            }
            Err(error) => {
                self.forget(id, row);
                Err(failed(format!("{program}: {error}")))
            }
        }
    }

    fn start_command(
        &self,
        command: std::process::Command,
        id: HostId,
        number: u32,
        generation: u64,
        row: Option<usize>,
    ) -> io::Result<Worker> {
        let (door, stash) = std::os::unix::net::UnixStream::pair()?;
        self.stash.open(id, door)?;
        let described = Described {
            number,
            schemes: self.ground.bound.schemes(),
            unserved: self.ground.unserved.clone(),
            identity: self.ground.identity.as_ref().map(SharedIdentity::of),
            row,
        };
        let (board, sockets) = (self.board.file()?, self.ground.bound.sockets());
        let start = Start { id, generation, described, board, stash, sockets: &sockets };
        Worker::start(command, start, &self.news, &self.ground.listening.log)
    }

    /// A host is gone: what was its own is free.
    fn forget(&mut self, id: HostId, row: Option<usize>) {
        self.stash.host_is_gone(id);
        if let Some(row) = row {
            self.board.free_row(row);
        }
    }

    fn hear(&mut self, news: News) {
        match news {
            News::Ready(id) => {
                if let Some(worker) = self.workers.iter_mut().find(|worker| worker.id == id)
                    && worker.state == State::Starting
                {
                    worker.state = State::Ready(Instant::now());
                    self.see_who_is_ready();
                }
            }
            News::Failed(id, failure) => {
                if let Some(worker) = self.workers.iter_mut().find(|worker| worker.id == id) {
                    worker.failure = Some(failure);
                }
            }
            News::Ended(id, status) => {
                let place = self.workers.iter().position(|worker| worker.id == id);
                if let Some(place) = place {
                    let worker = self.workers.swap_remove(place);
                    self.forget(worker.id, worker.row);
                    self.bury(worker, status);
                }
            }
        }
    }

    /// Tells that all hosts serve, or lets those go that are replaced.
    fn see_who_is_ready(&mut self) {
        let generation = self.next.unwrap_or(self.generation);
        let ready = self.workers.iter().filter(|worker| {
            worker.generation == generation && matches!(worker.state, State::Ready(_))
        });
        if ready.count() < self.restarts.len() {
            return;
        }
        if !self.announced {
            self.announced = true;
            match engine::announce(self.site, &self.ground.listening) {
                Ok(true) => {}
                Ok(false) => self.stop(),
                Err(failure) => self.fail(failure),
            }
        } else if self.next.take().is_some() {
            self.generation = generation;
            let old = self.workers.iter_mut().filter(|worker| worker.generation != generation);
            for worker in old.filter(|worker| worker.state != State::Leaving) {
                worker.tell(Order::Drain);
            }
            self.log(Level::Info, "all are replaced; the old ones finish what they have");
            if std::mem::take(&mut self.again) {
                self.replace();
            }
        }
    }

    /// A host has ended: starts another, where it was not to end.
    fn bury(&mut self, mut worker: Worker, status: std::process::ExitStatus) {
        let remains = worker.remains();
        let (number, pid) = (worker.number, worker.pid);
        if worker.state == State::Leaving || self.stopping {
            // Those that were to replace others and do not are told of already.
            let served = worker.generation <= self.generation;
            if !status.success() && !self.stopping && served {
                self.log(Level::Error, &remains.text(number, pid, status, ""));
            }
            return;
        }
        let reason = worker.failure.as_ref().map(|failure| failure.message.clone());
        if Some(worker.generation) == self.next {
            let reason = reason.unwrap_or_else(|| remains.text(number, pid, status, ""));
            return self.keep_the_old(&reason);
        }
        if let Some(failure) = worker.failure.take_if(|_| !self.announced) {
            return self.fail(failure);
        }
        let restart = self.restarts[number as usize - 1].after(worker.was_in_vain(&remains));
        if restart.is_hopeless && !self.is_any_ready() {
            let last = reason.unwrap_or_else(|| remains.text(number, pid, status, ""));
            return self.fail(Failure {
                exit: Exit::Failure,
                message: format!(
                    "hosts end again and again before they serve; the last one: {last}"
                ),
            });
        }
        self.start_later(number, restart.delay);
        let then = match restart.delay {
            Duration::ZERO => " and is replaced".to_owned(),
            delay => format!(" and is replaced in {} s", delay.as_secs_f64()),
        };
        let mut text = remains.text(number, pid, status, &then);
        if let Some(reason) = reason {
            text.push('\n');
            text.push_str(&reason);
        }
        self.log(Level::Error, &text);
    }

    fn is_any_ready(&self) -> bool {
        self.workers.iter().any(|worker| matches!(worker.state, State::Ready(_)))
    }

    fn start_later(&mut self, number: u32, delay: Duration) {
        if delay.is_zero() {
            return self.start_again(number);
        }
        let tell = self.tell.clone();
        tokio::spawn(async move {
            sleep(delay).await;
            // An error means that the supervisor has ended.
            let _ended = tell.send(Message::Start(number));
        });
    }

    fn start_again(&mut self, number: u32) {
        let mut same = self.workers.iter().filter(|worker| worker.number == number);
        if self.stopping || same.any(|worker| worker.generation == self.generation) {
            return;
        }
        if let Err(failure) = self.start(number, self.generation) {
            let restart = self.restarts[number as usize - 1].after(true);
            if restart.is_hopeless && !self.is_any_ready() {
                return self.fail(failure);
            }
            self.log(Level::Error, &failure.message);
            self.start_later(number, restart.delay.max(Duration::from_millis(100)));
        }
    }

    /// Starts new hosts, which replace the others once all of them are ready.
    fn replace(&mut self) {
        if self.stopping {
            return;
        }
        if self.next.is_some() || !self.announced {
            // What was read anew since then may have changed again.
            self.again = self.announced;
            return;
        }
        let generation = self.workers.iter().map(|worker| worker.generation).max();
        let generation = generation.unwrap_or(0).max(self.generation) + 1;
        self.next = Some(generation);
        for number in self.numbers() {
            if let Err(failure) = self.start(number, generation) {
                return self.keep_the_old(&failure.message);
            }
        }
    }

    /// Gives up to replace the hosts.
    fn keep_the_old(&mut self, reason: &str) {
        if let Some(next) = self.next.take() {
            for worker in self.workers.iter_mut().filter(|worker| worker.generation == next) {
                worker.tell(Order::Stop);
            }
            let text = format!("none is replaced, because a new one does not serve: {reason}");
            self.log(Level::Error, &text);
            self.again = false;
        }
    }

    fn fail(&mut self, failure: Failure) {
        self.result = Err(failure);
        self.stop();
    }

    fn stop(&mut self) {
        self.stopping = true;
        for worker in &mut self.workers {
            worker.tell(Order::Stop);
        }
        let tell = self.tell.clone();
        tokio::spawn(async move {
            sleep(PATIENCE).await;
            // An error means that the supervisor has ended.
            let _ended = tell.send(Message::Late);
        });
    }

    fn kill_all(&mut self) {
        for worker in &mut self.workers {
            worker.kill();
        }
    }

    fn log(&self, level: Level, text: &str) {
        self.ground.listening.log.emit(&Event::Message { level, source: "hosts", text });
    }
}

/// How long hosts that are told to stop may take: their own bound, and some.
const PATIENCE: Duration = Duration::from_secs(1);

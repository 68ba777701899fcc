//! A host as its supervisor sees it: a process, its socket, and what is known of it.

use std::{
    fs::File,
    io,
    os::{fd::OwnedFd, unix::net::UnixStream as StdUnixStream, unix::process::CommandExt},
    process::{Command as StdCommand, ExitStatus},
    sync::Arc,
    time::{Duration, Instant},
};

use tokio::{
    net::UnixStream,
    process::Command,
    sync::{mpsc::UnboundedSender, oneshot},
    time::timeout,
};

use super::{
    assignment::{Described, Kit},
    journal,
    orders::Order,
    post_mortem::Remains,
    reports::Report,
    stash::HostId,
};
use crate::{log::Log, settings::Failure};

/// How far a host is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum State {
    /// It does not accept yet.
    Starting,
    /// It has accepted connections since then.
    Ready(Instant),
    /// It was told to end.
    Leaving,
}

/// A running host.
pub(super) struct Worker {
    /// No two have the same.
    pub(super) id: HostId,
    /// Its number among the hosts that serve at the same time, from 1 on.
    pub(super) number: u32,
    pub(super) pid: u32,
    /// Hosts that are started to replace others have a greater one.
    pub(super) generation: u64,
    pub(super) state: State,
    /// Why it cannot serve, when it has said so.
    pub(super) failure: Option<Failure>,
    pub(super) row: Option<usize>,
    control: UnixStream,
    /// Ends the process; taken once it was used.
    killer: Option<oneshot::Sender<()>>,
    journal: File,
    last_words: File,
}

/// What is new about a host.
pub(super) enum News {
    /// It accepts connections.
    Ready(HostId),
    /// It cannot serve, and says why.
    Failed(HostId, Failure),
    /// Its process has ended.
    Ended(HostId, ExitStatus),
}

/// What a host is started with.
pub(super) struct Start<'a> {
    pub(super) id: HostId,
    pub(super) generation: u64,
    pub(super) described: Described,
    pub(super) board: File,
    /// The host's end of its door to the stash.
    pub(super) stash: StdUnixStream,
    pub(super) sockets: &'a [std::os::fd::BorrowedFd<'a>],
}

impl Worker {
    /// Starts a host; within the runtime. What becomes of it is sent as `news`, and what it logs
    /// goes to the log.
    pub(super) fn start(
        mut command: StdCommand,
        start: Start<'_>,
        news: &UnboundedSender<News>,
        log: &Arc<Log>,
    ) -> io::Result<Self> {
        let Start { id, generation, described, board, stash, sockets } = start;
        let (control, theirs) = StdUnixStream::pair()?;
        let (reports, reporter) = StdUnixStream::pair()?;
        let (journal, last_words) = (journal::new()?, journal::shared_file("wptserve-last-words")?);
        let kit = Kit {
            reports: reporter,
            stash,
            board,
            journal: journal.try_clone()?,
            last_words: last_words.try_clone()?,
        };
        // A group of its own: Ctrl-C is for the supervisor, which tells the hosts.
        command.stdin(OwnedFd::from(theirs)).process_group(0);
        let mut command = Command::from(command);
        let mut child = command.kill_on_drop(true).spawn()?;
        // The command has the host's end of the socket; only the host is to have it.
        drop(command);
        // A host that is gone already cannot take it; that it is gone is the news.
        let _gone = described.send(&kit, sockets, &control);
        drop(kit);
        control.set_nonblocking(true)?;
        reports.set_nonblocking(true)?;
        let mut reports = UnixStream::from_std(reports)?;
        let pid = child.id().unwrap_or_default();

        // An error in sending news means that the supervisor is about to end.
        let (tell, log) = (news.clone(), Arc::clone(log));
        let mut reader = tokio::spawn(async move {
            while let Some(report) = Report::read(&mut reports).await {
                let _ending = match report {
                    Report::Log(text) => {
                        log.pass_on(text);
                        continue;
                    }
                    Report::Ready => tell.send(News::Ready(id)),
                    Report::Failed { code, message } => {
                        tell.send(News::Failed(id, super::reports::failure(code, message)))
                    }
                };
            }
        });
        let tell = news.clone();
        let (killer, kill) = oneshot::channel();
        tokio::spawn(async move {
            // Whoever kills has to know that the process is still this one.
            let ended = tokio::select! {
                ended = child.wait() => ended,
                Ok(()) = kill => {
                    // It fails when the process has ended.
                    let _ended = child.start_kill();
                    child.wait().await
                }
            };
            let Ok(status) = ended else { return };
            // What it has said last is there. A process that it has left behind may hold the
            // stream open, so this is not waited for long.
            if timeout(LAST_REPORTS, &mut reader).await.is_err() {
                reader.abort();
            }
            let _ending = tell.send(News::Ended(id, status));
        });
        Ok(Self {
            id,
            number: described.number,
            pid,
            generation,
            state: State::Starting,
            failure: None,
            row: described.row,
            control: UnixStream::from_std(control)?,
            killer: Some(killer),
            journal,
            last_words,
        })
    }

    /// Tells the host to end, one way or the other.
    pub(super) fn tell(&mut self, order: Order) {
        self.state = State::Leaving;
        order.give(&self.control);
    }

    /// Ends the process.
    pub(super) fn kill(&mut self) {
        self.state = State::Leaving;
        if let Some(killer) = self.killer.take() {
            // An error means that the process has ended.
            let _ended = killer.send(());
        }
    }

    /// Whether the host has been of no use: it never accepted, or ended soon and ran nothing.
    pub(super) fn was_in_vain(&self, remains: &Remains) -> bool {
        match self.state {
            State::Starting => true,
            State::Ready(since) => since.elapsed() < USEFUL && remains.running.is_empty(),
            State::Leaving => false,
        }
    }

    /// What a host that has ended leaves behind.
    pub(super) fn remains(&mut self) -> Remains {
        Remains::read(&self.journal, &mut self.last_words)
    }
}

const LAST_REPORTS: Duration = Duration::from_millis(20);
const USEFUL: Duration = Duration::from_secs(1);

//! A host: serves what its supervisor has assigned to it.

use std::{
    fs::File,
    io,
    os::{fd::AsFd, unix::net::UnixStream},
    sync::Arc,
    time::Duration,
};

use server::{Error, Stop, tls::Identity};

use super::{
    assignment::{Assignment, Kit},
    board::Row,
    orders::{Order, Orders},
    reports::{Report, Reports},
    stash::RemoteStash,
};
use crate::{
    Exit, HandlerLoader,
    engine::{self, Beside, Ground, Listening, Site},
    log::{Log, Style},
    settings::Failure,
};

/// Serves until the supervisor says otherwise, or is gone.
pub(crate) fn run(site: &dyn Site, loader: &dyn HandlerLoader) -> Result<Exit, Failure> {
    let (control, assignment) = assigned().map_err(|error| Failure {
        exit: Exit::Usage,
        message: format!(
            "--supervised is for the processes that --processes starts, and no supervisor is on \
             the standard input: {error}"
        ),
    })?;
    let Assignment { described, kit, bound } = assignment;
    let Kit { reports, stash, board, journal, last_words } = kit;
    let reports = Reports::new(reports);
    let serve = || {
        let style = Style { host: Some(described.number), ..Style::of(site.engine()) };
        let log = Log::to(reports.clone(), style).map_err(Error::Runtime)?;
        let hosts = site.settings().certificate_hosts();
        let identity = described.identity.map(|shared| {
            let identity = Identity::shared(&shared.files, shared.is_issued, &hosts)?;
            Ok::<_, Error>(identity.encrypting_after_connect(shared.encrypts_after_connect))
        });
        let listening = Listening { addresses: bound.addresses(), log: Arc::new(log) };
        let ground = Ground {
            identity: identity.transpose()?,
            bound,
            unserved: described.unserved,
            listening,
        };
        let row = described.row.map(|row| Arc::new(Row::new(board, row)));
        let beside = Beside {
            stash: Some(Arc::new(RemoteStash::new(stash))),
            share: row.clone().map(|row| row as _),
        };
        loader.keep_journal(journal, last_words).map_err(|reason| Failure {
            exit: Exit::Python,
            message: format!("a host cannot keep a journal: {reason}"),
        })?;
        ground.serve(site, loader, beside, |_| {
            let orders = Orders::new(control).map_err(Error::Runtime)?;
            let signal = engine::stop_signal().map_err(Error::Runtime)?;
            reports.send(&Report::Ready);
            Ok(ending(orders, signal, row))
        })
    };
    match serve() {
        Ok(()) => Ok(Exit::Success),
        Err(failure) => {
            // The supervisor tells it, once.
            reports.send_failure(&failure);
            Ok(failure.exit)
        }
    }
}

/// The supervisor's socket, which is the standard input, and what it says first. From then on the
/// standard input is empty, as handlers and what they start may read it.
fn assigned() -> io::Result<(UnixStream, Assignment)> {
    let control = UnixStream::from(io::stdin().as_fd().try_clone_to_owned()?);
    // A terminal or a file is told apart before it is waited for.
    control.local_addr()?;
    let assignment = Assignment::receive(&control)?;
    rustix::stdio::dup2_stdin(File::open("/dev/null")?)?;
    Ok((control, assignment))
}

/// Completes when the host is to end, and says how.
async fn ending(
    mut orders: Orders,
    signal: impl Future<Output = ()> + Send + 'static,
    row: Option<Arc<Row>>,
) -> Stop {
    let mut signal = Box::pin(signal);
    let order = tokio::select! {
        order = orders.next() => order,
        () = signal.as_mut() => Order::Stop,
    };
    match order {
        Order::Stop => Stop::Now,
        Order::Drain => {
            if let Some(row) = row {
                row.leave();
            }
            Stop::Drained(Box::pin(async move {
                tokio::select! {
                    _stop = orders.next() => {}
                    () = signal => {}
                    () = tokio::time::sleep(PATIENCE) => {}
                }
            }))
        }
    }
}

/// How long a host that is replaced may take to finish what it has: as long as a slow test.
const PATIENCE: Duration = Duration::from_secs(60);

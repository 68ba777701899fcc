//! Queues that handlers of several processes share, below what `wptserve.stash` makes of them.

use std::time::Duration;

use pyo3::{
    exceptions::{PyRuntimeError, PyValueError},
    prelude::*,
    types::PyBytes,
};
use server::stash::{QueueId, StashError, StashQueues};

use crate::stash::ask;

/// A queue of bytes that the processes of a server share.
#[pyclass(frozen, module = "wptserve._wptserve")]
pub(crate) struct HostsQueue {
    /// Its number, the same in all processes.
    #[pyo3(get)]
    number: QueueId,
}

#[pymethods]
impl HostsQueue {
    /// The queue with a number, or a new one that holds at most `maxsize` items; 0: any number.
    #[new]
    #[pyo3(signature = (maxsize = 0, number = None))]
    fn new(py: Python<'_>, maxsize: u64, number: Option<QueueId>) -> PyResult<Self> {
        let number = match number {
            Some(number) => number,
            None => with(py, |queues| queues.create(maxsize))?,
        };
        Ok(Self { number })
    }

    /// Adds an item; `False` when there was no room within so many seconds.
    #[pyo3(signature = (item, timeout = None))]
    fn push(
        &self,
        py: Python<'_>,
        item: &Bound<'_, PyBytes>,
        timeout: Option<f64>,
    ) -> PyResult<bool> {
        let (item, patience) = (item.as_bytes().to_vec(), patience(timeout)?);
        with(py, |queues| queues.push(self.number, item, patience))
    }

    /// Removes and returns the first item; `None` when there was none within so many seconds.
    #[pyo3(signature = (timeout = None))]
    fn pop<'py>(
        &self,
        py: Python<'py>,
        timeout: Option<f64>,
    ) -> PyResult<Option<Bound<'py, PyBytes>>> {
        let patience = patience(timeout)?;
        let item = with(py, |queues| queues.pop(self.number, patience))?;
        Ok(item.map(|item| PyBytes::new(py, &item)))
    }

    fn __len__(&self, py: Python<'_>) -> PyResult<usize> {
        let len = with(py, |queues| queues.len(self.number))?;
        Ok(usize::try_from(len).unwrap_or(usize::MAX))
    }

    /// An item is done with; `False` when that was said of all already.
    fn done(&self, py: Python<'_>) -> PyResult<bool> {
        with(py, |queues| queues.done(self.number))
    }

    /// Waits until all items are done with.
    fn join(&self, py: Python<'_>) -> PyResult<()> {
        with(py, |queues| queues.join(self.number))
    }

    /// Removes the queue.
    fn remove(&self, py: Python<'_>) -> PyResult<()> {
        with(py, |queues| queues.remove(self.number))
    }
}

/// Asks for something without the GIL.
fn with<T: Send>(
    py: Python<'_>,
    question: impl FnOnce(&dyn StashQueues) -> Result<T, StashError> + Send,
) -> PyResult<T> {
    ask(py, |store| store.queues().map(question).transpose())?
        .ok_or_else(|| PyRuntimeError::new_err("the stash of this process is not shared"))
}

fn patience(timeout: Option<f64>) -> PyResult<Option<Duration>> {
    let duration = timeout.map(Duration::try_from_secs_f64).transpose();
    duration.map_err(|_| PyValueError::new_err("'timeout' must be a non-negative number"))
}

//! Python callables as handlers of routes.

use std::sync::Arc;

use bytes::Bytes;
use pyo3::{
    PyTraverseError, PyVisit, exceptions::PyAttributeError, intern, prelude::*, types::PyTuple,
};
use server::{Exchange, Handler};

use crate::{
    fork, http2, modules,
    pool::{Answer, Pool},
    request::{Host, Request},
    response::Response,
    script::{http_error, http_exception_class, settle},
    slot::Slot,
    text::{isomorphic, latin1_str},
};

/// Calls a Python object with the request and the response.
pub(crate) struct CallableHandler {
    pool: Pool,
    call: Arc<Call>,
}

struct Call {
    callable: Py<PyAny>,
    /// `rewrite(path, method)`, asked for the request's path first.
    rewrite: Option<Py<PyAny>>,
    host: Arc<Host>,
}

impl CallableHandler {
    pub(crate) fn new(
        pool: Pool,
        callable: Py<PyAny>,
        rewrite: Option<Py<PyAny>>,
        host: Arc<Host>,
    ) -> Self {
        Self { pool, call: Arc::new(Call { callable, rewrite, host }) }
    }
}

impl Handler for CallableHandler {
    fn handle(&self, exchange: Exchange) {
        let call = Arc::clone(&self.call);
        let answer = move |py: Python<'_>, exchange| call.answer(py, exchange);
        self.pool.submit(Box::new(Answer { exchange, answer }));
    }

    fn flush(&self) {
        self.pool.flush();
    }
}

impl Call {
    fn answer(&self, py: Python<'_>, mut exchange: Exchange) {
        modules::prepare(py);
        let rewritten = match &self.rewrite {
            Some(rewrite) => rewrite_target(py, rewrite, &mut exchange),
            None => Ok(()),
        };
        // Fails only when memory is out; the dropped exchange then closes the connection.
        let Ok((request, response)) = http2::objects(py, exchange, Some(Arc::clone(&self.host)))
        else {
            return;
        };
        let callable = self.callable.bind(py);
        let result = rewritten
            .and_then(|()| mount(callable, &request))
            .and_then(|()| fork::returned(py, callable.call1((&request, &response))));
        settle(&response, result.map(|_ignored| ()));
    }
}

/// A handler with a place of its own gives it to the request, as in the reference.
fn mount(handler: &Bound<'_, PyAny>, request: &Bound<'_, Request>) -> PyResult<()> {
    let py = handler.py();
    if let Some(base_path) = attribute(handler, intern!(py, "base_path"))?
        && base_path.is_truthy()?
    {
        request.setattr(intern!(py, "doc_root"), base_path)?;
    }
    if let Some(url_base) = attribute(handler, intern!(py, "url_base"))?
        && !url_base.eq("/")?
    {
        request.setattr(intern!(py, "url_base"), url_base)?;
    }
    Ok(())
}

fn attribute<'py>(
    object: &Bound<'py, PyAny>,
    name: &Bound<'py, pyo3::types::PyString>,
) -> PyResult<Option<Bound<'py, PyAny>>> {
    match object.getattr(name) {
        Ok(value) => Ok(Some(value)),
        Err(error) if error.is_instance_of::<PyAttributeError>(object.py()) => Ok(None),
        Err(error) => Err(error),
    }
}

fn rewrite_target(py: Python<'_>, rewrite: &Py<PyAny>, exchange: &mut Exchange) -> PyResult<()> {
    let head = &exchange.request.head;
    let old = latin1_str(py, &head.raw_target);
    let new = rewrite.bind(py).call1((&old, latin1_str(py, &head.method)))?;
    if !new.eq(&old)? {
        exchange.request.set_target(Bytes::from(isomorphic(&new)?.into_owned()));
    }
    Ok(())
}

/// A function as a handler: calls it and applies what it returns.
#[pyclass(frozen, subclass, dict, module = "wptserve.handlers")]
pub(crate) struct FunctionHandler {
    func: Slot,
}

#[pymethods]
impl FunctionHandler {
    #[new]
    fn new(func: Py<PyAny>) -> Self {
        let slot = Slot::default();
        slot.set(func);
        Self { func: slot }
    }

    /// The function.
    #[getter]
    fn get_func<'py>(&self, py: Python<'py>) -> Option<Bound<'py, PyAny>> {
        self.func.get(py)
    }

    #[setter]
    fn set_func(&self, value: Py<PyAny>) {
        self.func.set(value);
    }

    /// A pickle is of the function, with what was set beside it.
    fn __reduce__<'py>(slf: &Bound<'py, Self>) -> PyResult<Bound<'py, PyTuple>> {
        let py = slf.py();
        let arguments = (slf.getattr(intern!(py, "func"))?,).into_pyobject(py)?;
        let state = slf.getattr(intern!(py, "__dict__"))?;
        (slf.get_type(), arguments, state).into_pyobject(py)
    }

    fn __traverse__(&self, visit: PyVisit<'_>) -> Result<(), PyTraverseError> {
        self.func.traverse(&visit)
    }

    fn __clear__(&self) {
        drop(self.func.take());
    }

    fn __call__(
        slf: &Bound<'_, Self>,
        request: &Bound<'_, PyAny>,
        response: &Bound<'_, Response>,
    ) -> PyResult<()> {
        let py = slf.py();
        let func = slf.getattr(intern!(py, "func"))?;
        let returned = fork::returned(py, func.call1((request, response))).map_err(|error| {
            match http_exception_class(py) {
                Ok(class) if !error.is_instance(py, class) => {
                    let wrapped = http_error(py, 500, None);
                    wrapped.set_cause(py, Some(error));
                    wrapped
                }
                _ => error,
            }
        })?;
        Response::apply(response, &returned)?;
        Ok(())
    }
}

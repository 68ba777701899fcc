//! Which Python runs the handlers.

use std::{
    env,
    ffi::OsString,
    path::{Path, PathBuf},
    process::Command,
};

/// A Python that can be used.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Interpreter {
    /// Its executable, as it names itself.
    pub executable: PathBuf,
    /// Its version, as in `3.11.7`.
    pub version: String,
}

/// Why there is none.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum NotFound {
    /// The one that was asked for cannot be used: a mistake to tell.
    Asked(String),
    /// None of the usual ones is there: no mistake, but handlers cannot run.
    Nowhere(String),
}

impl Interpreter {
    /// Whether it is a given executable.
    pub fn is(&self, executable: &Path) -> bool {
        // By the path, not by the file: a virtual environment's is a link to another.
        self.executable == executable
    }
}

/// Finds a Python ≥ 3.10: the one that `--python` names, else `WPTSERVE_PYTHON`, else that of
/// the active virtual environment, else `python3` or `python` on the path. The first two are the
/// user's own choice and have no substitute.
pub fn find(option: Option<&Path>) -> Result<Interpreter, NotFound> {
    if let Some(asked) = find_asked(option) {
        return asked.map_err(NotFound::Asked);
    }
    let environment = env::var_os("VIRTUAL_ENV").map(|root| {
        let inside = if cfg!(windows) { r"Scripts\python.exe" } else { "bin/python" };
        Path::new(&root).join(inside).into_os_string()
    });
    let mut reasons = Vec::new();
    for candidate in environment.into_iter().chain(["python3".into(), "python".into()]) {
        match probe(&candidate) {
            Ok(found) => return Ok(found),
            Err(reason) => reasons.push(reason),
        }
    }
    Err(NotFound::Nowhere(reasons.join("; ")))
}

/// The Python that `--python` or `WPTSERVE_PYTHON` names, if one of them does; the error tells why
/// it cannot be used.
pub fn find_asked(option: Option<&Path>) -> Option<Result<Interpreter, String>> {
    let variable = env::var_os("WPTSERVE_PYTHON").filter(|value| !value.is_empty());
    let (path, origin) = match (option, variable) {
        (Some(path), _) => (path.as_os_str().to_owned(), "--python"),
        (None, Some(path)) => (path, "WPTSERVE_PYTHON"),
        (None, None) => return None,
    };
    Some(probe(&path).map_err(|reason| {
        format!(
            "the Python of {origin} cannot be used: {reason}; name one of version 3.10 or newer"
        )
    }))
}

/// Asks a Python for its version and executable.
fn probe(candidate: &OsString) -> Result<Interpreter, String> {
    let shown = candidate.to_string_lossy();
    // -S and -I keep the question cheap and independent of what is installed.
    let output = Command::new(candidate)
        .args(["-I", "-S", "-c", QUESTION])
        .output()
        .map_err(|error| format!("{shown} cannot be run ({error})"))?;
    let answer = String::from_utf8_lossy(&output.stdout);
    let mut lines = answer.lines();
    let (Some(version), Some(gil), Some(executable)) = (lines.next(), lines.next(), lines.next())
    else {
        let said = String::from_utf8_lossy(&output.stderr);
        let said = said.lines().last().unwrap_or("it says nothing");
        return Err(format!("{shown} is no Python that answers ({said})"));
    };
    let numbers: Vec<u32> = version.split('.').map_while(|part| part.parse().ok()).collect();
    if numbers.get(..2).is_none_or(|number| number < &[3, 10]) {
        return Err(format!("{shown} is Python {version}, older than 3.10"));
    }
    if gil != "gil" {
        return Err(format!(
            "{shown} is a free-threaded Python {version}, into which the extension cannot be \
             loaded: it is built for Python's stable ABI, which such a Python does not have; one \
             with the GIL is needed, and --processes N makes it use N CPUs"
        ));
    }
    Ok(Interpreter { executable: executable.into(), version: version.to_owned() })
}

const QUESTION: &str = "import sys
print('.'.join(map(str, sys.version_info[:3])))
print('gil' if getattr(sys, 'abiflags', '').find('t') < 0 else 'free')
print(sys.executable)";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_no_python_is_told() {
        let reason = probe(&"no-such-python".into()).unwrap_err();
        assert!(reason.starts_with("no-such-python cannot be run ("), "{reason}");
        let reason = probe(&"true".into()).unwrap_err();
        assert_eq!(reason, "true is no Python that answers (it says nothing)");
    }

    #[test]
    fn the_option_has_no_substitute() {
        let error = find(Some(Path::new("no-such-python"))).unwrap_err();
        let NotFound::Asked(reason) = error else { panic!("{error:?}") };
        assert!(reason.starts_with("the Python of --python cannot be used: "), "{reason}");
    }
}

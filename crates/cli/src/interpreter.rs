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
    /// How the names of its extension modules end, if it is free-threaded: then it has no stable
    /// ABI, and loads those alone that were built for it.
    pub own_extensions: Option<String>,
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

    /// The name of an extension that it loads, for one that is called `name` with the GIL.
    pub fn extension_name(&self, name: &str) -> String {
        match &self.own_extensions {
            Some(ending) => {
                let stem = name.split_once('.').map_or(name, |(stem, _)| stem);
                format!("{stem}{ending}")
            }
            None => name.to_owned(),
        }
    }

    /// Whether it can load an extension, which is told by its name.
    pub fn loads(&self, extension: &Path) -> bool {
        let name = extension.file_name().unwrap_or_default().to_string_lossy();
        match &self.own_extensions {
            Some(ending) => name.ends_with(ending.as_str()),
            None => !name.contains(FREE_THREADED),
        }
    }

    /// Why an extension that it would load is wanted.
    pub fn needs_its_own(&self) -> Option<String> {
        self.own_extensions.as_ref().map(|_| {
            format!(
                "{executable} is a free-threaded Python {version}, which has no stable ABI and \
                 needs an extension of its own; `cargo xtask extension {executable}` in the source \
                 builds it. A Python with the GIL uses N CPUs with --processes N",
                executable = self.executable.display(),
                version = self.version,
            )
        })
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

/// Whether `--python` or `WPTSERVE_PYTHON` names a Python.
pub fn is_asked(option: Option<&Path>) -> bool {
    option.is_some() || asked_by_variable().is_some()
}

fn asked_by_variable() -> Option<OsString> {
    env::var_os("WPTSERVE_PYTHON").filter(|value| !value.is_empty())
}

/// The Python that `--python` or `WPTSERVE_PYTHON` names, if one of them does; the error tells why
/// it cannot be used.
pub fn find_asked(option: Option<&Path>) -> Option<Result<Interpreter, String>> {
    let variable = asked_by_variable();
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
    let (Some(version), Some(executable)) = (lines.next(), lines.next()) else {
        let said = String::from_utf8_lossy(&output.stderr);
        let said = said.lines().last().unwrap_or("it says nothing");
        return Err(format!("{shown} is no Python that answers ({said})"));
    };
    let numbers: Vec<u32> = version.split('.').map_while(|part| part.parse().ok()).collect();
    if numbers.get(..2).is_none_or(|number| number < &[3, 10]) {
        return Err(format!("{shown} is Python {version}, older than 3.10"));
    }
    Ok(Interpreter {
        executable: executable.into(),
        version: version.to_owned(),
        own_extensions: lines.next().map(str::to_owned),
    })
}

const QUESTION: &str = "import sys
print('.'.join(map(str, sys.version_info[:3])))
print(sys.executable)
if 't' in getattr(sys, 'abiflags', ''):
    from _imp import extension_suffixes
    print(extension_suffixes()[0])";

/// What the names of extensions for free-threaded Pythons have in common.
const FREE_THREADED: &str = "t-";

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
    fn a_free_threaded_python_loads_its_own_extensions_alone() {
        let python = |ending: Option<&str>| Interpreter {
            executable: "python3".into(),
            version: "3.14.0".to_owned(),
            own_extensions: ending.map(str::to_owned),
        };
        let (usual, own) = ("lib_wptserve.so", "lib_wptserve.cpython-314t-x86_64-linux-gnu.so");
        let free = python(Some(".cpython-314t-x86_64-linux-gnu.so"));
        assert_eq!(free.extension_name(usual), own);
        assert_eq!([usual, own].map(|name| free.loads(Path::new(name))), [false, true]);
        let locking = python(None);
        assert_eq!(locking.extension_name(usual), usual);
        assert_eq!([usual, own].map(|name| locking.loads(Path::new(name))), [true, false]);
    }

    #[test]
    fn the_option_has_no_substitute() {
        let error = find(Some(Path::new("no-such-python"))).unwrap_err();
        let NotFound::Asked(reason) = error else { panic!("{error:?}") };
        assert!(reason.starts_with("the Python of --python cannot be used: "), "{reason}");
    }
}

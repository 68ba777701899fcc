//! The Pythons of this machine, and a virtual environment for each.

use std::{
    cmp::Reverse,
    env,
    fmt::Write as _,
    fs, io,
    path::{Path, PathBuf},
    thread,
    time::Duration,
};

use crate::{
    Project,
    process::{Failure, Process},
};

/// A virtual environment that is ready for the tests.
pub(crate) struct Environment {
    /// The Python's version, as in `3.11`.
    pub(crate) version: String,
    /// The environment's interpreter.
    pub(crate) python: PathBuf,
    /// Its site-packages.
    pub(crate) site: PathBuf,
}

/// The supported versions, in the order in which they are preferred for the comparison with the
/// reference. 3.10 is last: the HTTP server in its library reads some malformed versions differently.
const MINORS: [u32; 4] = [11, 12, 13, 10];

/// What the tests need, pytest and the reference among it, at pinned versions.
const REQUIREMENTS: &str = "conformance/requirements.txt";

const NO_PYTHON: &str = "there is no Python of version 3.10 to 3.13 with venv and ensurepip, on the \
                         PATH or of pyenv; install one (on Debian: python3 and python3-venv)";

/// Makes `.venv`, with the reference, from the first Python that can; and for each further version
/// an environment that can run pytest. The first of the result is `.venv`.
pub(crate) fn environments(project: &Project) -> Result<Vec<Environment>, Failure> {
    let mut found = interpreters(project);
    if found.is_empty() && install_python(project) {
        found = interpreters(project);
    }
    let mut made: Vec<Environment> = Vec::new();
    let mut reasons = String::new();
    for interpreter in &found {
        if made.iter().any(|environment| environment.version == interpreter.version()) {
            continue;
        }
        let plan = if made.is_empty() {
            Plan::whole(project, interpreter)
        } else {
            Plan::pytest_alone(project, interpreter)
        };
        match plan.carry_out(project) {
            Ok(environment) => made.push(environment),
            Err(failure) => {
                let name = interpreter.executable.display();
                println!("{name} is left out: {}", failure.message);
                // Writing to a String cannot fail.
                let _ = write!(reasons, "\n    {name}: {}", failure.message);
            }
        }
    }
    if found.is_empty() {
        return Err(NO_PYTHON.to_owned().into());
    }
    if made.is_empty() {
        return Err(format!("no Python can install what the tests need:{reasons}").into());
    }
    Ok(made)
}

/// The Python of this machine that is preferred, for what needs no environment.
pub(crate) fn interpreter(project: &Project) -> Result<PathBuf, Failure> {
    match interpreters(project).into_iter().next() {
        Some(found) => Ok(found.executable),
        None => Err(NO_PYTHON.to_owned().into()),
    }
}

/// A Python of this machine.
#[derive(Debug, PartialEq, Eq)]
struct Interpreter {
    executable: PathBuf,
    minor: u32,
    patch: u32,
}

impl Interpreter {
    fn version(&self) -> String {
        format!("3.{}", self.minor)
    }

    /// `python3` is often a link to `python3.11`.
    fn same_file(&self, other: &Self) -> bool {
        let file = |path: &Path| path.canonicalize().unwrap_or_else(|_| path.to_owned());
        file(&self.executable) == file(&other.executable)
    }

    /// Asks a Python what it is. `None` when it is none, none of the supported ones, or one that
    /// cannot make virtual environments, as Debian's without python3-venv.
    fn ask(project: &Project, path: &Path) -> Option<Self> {
        let question = "import sys, venv, ensurepip
print(sys.implementation.name, *sys.version_info[:3], getattr(sys, 'abiflags', '') or '-')
print(getattr(sys, '_base_executable', sys.executable))";
        let ask = Process::new(project, path).arguments("-I -S -c").argument(question);
        Self::from_answer(&ask.quiet().run().ok()?)
    }

    fn from_answer(answer: &str) -> Option<Self> {
        let (version, executable) = answer.trim_end().split_once('\n')?;
        let ["cpython", "3", minor, patch, flags] = version.split(' ').collect::<Vec<_>>()[..]
        else {
            return None;
        };
        // The extension is built for Pythons with a lock.
        let minor = minor.parse().ok().filter(|minor| MINORS.contains(minor))?;
        let patch = patch.parse().ok().filter(|_| !flags.contains('t'))?;
        Some(Self { executable: executable.into(), minor, patch })
    }
}

/// All Pythons that are on the path or installed by pyenv, in order of preference.
fn interpreters(project: &Project) -> Vec<Interpreter> {
    let mut folders: Vec<PathBuf> =
        env::var_os("PATH").map(|path| env::split_paths(&path).collect()).unwrap_or_default();
    let pyenv = env::var_os("PYENV_ROOT")
        .map(PathBuf::from)
        .or_else(|| Some(Path::new(&env::var_os("HOME")?).join(".pyenv")));
    let versions = pyenv.and_then(|root| fs::read_dir(root.join("versions")).ok());
    folders.extend(versions.into_iter().flatten().flatten().map(|entry| entry.path().join("bin")));

    let mut names: Vec<String> = MINORS.iter().map(|minor| format!("python3.{minor}")).collect();
    names.extend(["python3".to_owned(), "python".to_owned()]);
    let mut found: Vec<Interpreter> = Vec::new();
    for path in folders.iter().flat_map(|folder| names.iter().map(|name| folder.join(name))) {
        // An environment that this makes is no Python of the machine.
        if !path.is_file() || path.starts_with(&project.root) {
            continue;
        }
        if let Some(interpreter) = Interpreter::ask(project, &path)
            && !found.iter().any(|known| known.same_file(&interpreter))
        {
            found.push(interpreter);
        }
    }
    let preference = |minor| MINORS.iter().position(|known| *known == minor);
    found.sort_by_key(|python| (preference(python.minor), Reverse(python.patch)));
    found
}

/// An environment as it should be.
struct Plan<'a> {
    interpreter: &'a Interpreter,
    folder: PathBuf,
    /// What pip is given.
    install: &'static [&'static str],
}

impl<'a> Plan<'a> {
    fn whole(project: &Project, interpreter: &'a Interpreter) -> Self {
        let folder = project.root.join(".venv");
        Self { interpreter, folder, install: &["--requirement", REQUIREMENTS] }
    }

    fn pytest_alone(project: &Project, interpreter: &'a Interpreter) -> Self {
        let folder = project.root.join(".cache/check").join(interpreter.version());
        Self { interpreter, folder, install: &["pytest", "--constraint", REQUIREMENTS] }
    }

    /// Makes the environment, unless it is there already as planned.
    fn carry_out(&self, project: &Project) -> Result<Environment, Failure> {
        let python = self.folder.join("bin/python");
        let stamp = self.folder.join("made-for-the-check");
        let wanted = self
            .described(project)
            .map_err(|error| format!("{REQUIREMENTS} cannot be read: {error}"))?;
        let usable = Process::new(project, &python).arguments("-c pass").quiet();
        if fs::read_to_string(&stamp).ok().as_ref() != Some(&wanted) || !usable.succeeds() {
            Process::new(project, &self.interpreter.executable)
                .arguments("-m venv --clear")
                .argument(&self.folder)
                .run()?;
            self.install(project, &python)?;
            fs::write(&stamp, wanted)
                .map_err(|error| format!("{} cannot be written: {error}", stamp.display()))?;
        }
        let version = self.interpreter.version();
        let site = self.folder.join(format!("lib/python{version}/site-packages"));
        println!("Python {version}: {}", project.shown(&python));
        Ok(Environment { version, python, site })
    }

    fn install(&self, project: &Project, python: &Path) -> Result<(), Failure> {
        let pip = || {
            let pip = Process::new(project, python)
                .arguments("-m pip install --quiet --no-input --disable-pip-version-check");
            self.install.iter().fold(pip, Process::argument).run()
        };
        let installed = pip().or_else(|failure| {
            println!("{}; once more, in case it was the network", failure.message);
            thread::sleep(Duration::from_secs(3));
            pip()
        });
        installed.map(|_output| ())
    }

    /// All that the environment depends on; when it changes, the environment is made anew.
    fn described(&self, project: &Project) -> io::Result<String> {
        let Interpreter { executable, minor, patch } = self.interpreter;
        let (executable, folder) = (executable.display(), self.folder.display());
        let requirements = fs::read_to_string(project.root.join(REQUIREMENTS))?;
        Ok(format!("{executable} 3.{minor}.{patch} in {folder}\n{requirements}"))
    }
}

/// Installs a Python where that can be done without asking: as root, with apt.
fn install_python(project: &Project) -> bool {
    let apt = || Process::new(project, "apt-get").variable("DEBIAN_FRONTEND", "noninteractive");
    let root = Process::new(project, "id").argument("-u").quiet().run();
    root.is_ok_and(|id| id.trim() == "0")
        && apt().argument("--version").succeeds()
        && apt().arguments("update -qq").run().is_ok()
        && apt()
            .arguments("install -y -qq --no-install-recommends python3 python3-venv")
            .run()
            .is_ok()
}

#[cfg(test)]
mod tests {
    use super::Interpreter;

    #[test]
    fn the_supported_pythons_are_taken() {
        let python = |minor, patch| {
            Some(Interpreter { executable: "/usr/bin/python3".into(), minor, patch })
        };
        for (version, expected) in [
            ("cpython 3 11 7 -", python(11, 7)),
            ("cpython 3 10 0 -", python(10, 0)),
            ("cpython 3 9 18 -", None),
            ("cpython 3 14 0 -", None),
            ("cpython 3 13 0 t", None),
            ("pypy 3 10 14 -", None),
        ] {
            let answer = format!("{version}\n/usr/bin/python3\n");
            assert_eq!(Interpreter::from_answer(&answer), expected, "{version}");
        }
    }
}

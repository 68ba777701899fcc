//! Running a command: its output is shown as it comes, and kept.

use std::{
    ffi::{OsStr, OsString},
    fmt::{self, Display},
    io::{self, BufRead, BufReader, Read},
    path::{Path, PathBuf},
    process::{Command, Stdio},
    sync::mpsc::{self, Sender},
    thread,
};

use crate::Project;

/// A command that runs in the project's folder, without input.
pub(crate) struct Process {
    program: PathBuf,
    arguments: Vec<OsString>,
    variables: Vec<(&'static str, OsString)>,
    folder: PathBuf,
    target: PathBuf,
    quiet: bool,
}

/// A command that did not do what it should, or that could not be run.
#[derive(Debug)]
pub(crate) struct Failure {
    /// What happened, with the command.
    pub(crate) message: String,
    /// What the command said until then.
    pub(crate) output: String,
}

impl From<String> for Failure {
    fn from(message: String) -> Self {
        Self { message, output: String::new() }
    }
}

/// Variables of the caller's shell that would change what is tested.
const REMOVED: [&str; 8] = [
    "PYTHONHOME",
    "PYTHONPATH",
    "VIRTUAL_ENV",
    "SUBJECT",
    "WPTSERVE_EXTENSION",
    "WPTSERVE_PYTHON",
    "REFERENCE_PYTHON",
    "REFERENCE_SITE",
];

impl Process {
    pub(crate) fn new(project: &Project, program: impl AsRef<Path>) -> Self {
        Self {
            program: program.as_ref().to_owned(),
            arguments: Vec::new(),
            variables: Vec::new(),
            folder: project.root.clone(),
            target: project.target.clone(),
            quiet: false,
        }
    }

    pub(crate) fn cargo(project: &Project) -> Self {
        Self::new(project, "cargo")
    }

    pub(crate) fn argument(mut self, argument: impl AsRef<OsStr>) -> Self {
        self.arguments.push(argument.as_ref().to_owned());
        self
    }

    /// Several arguments, separated by blanks.
    pub(crate) fn arguments(mut self, line: &str) -> Self {
        self.arguments.extend(line.split_whitespace().map(OsString::from));
        self
    }

    pub(crate) fn variable(mut self, name: &'static str, value: impl AsRef<OsStr>) -> Self {
        self.variables.push((name, value.as_ref().to_owned()));
        self
    }

    /// Shows neither the command nor its output.
    pub(crate) fn quiet(mut self) -> Self {
        self.quiet = true;
        self
    }

    /// Whether the command can be run at all and ends well.
    pub(crate) fn succeeds(self) -> bool {
        self.quiet().run().is_ok()
    }

    /// Runs it to its end and returns what it printed.
    pub(crate) fn run(self) -> Result<String, Failure> {
        if !self.quiet {
            println!("$ {self}");
        }
        let mut command = Command::new(&self.program);
        command
            .args(&self.arguments)
            .current_dir(&self.folder)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        for name in REMOVED {
            command.env_remove(name);
        }
        command.env("CARGO_TARGET_DIR", &self.target).env("PYTHONDONTWRITEBYTECODE", "1");
        command.envs(self.variables.iter().map(|(name, value)| (name, value)));
        let mut child = command
            .spawn()
            .map_err(|error| Failure::from(format!("`{self}` cannot be run: {error}")))?;

        let (sender, lines) = mpsc::channel();
        let streams: [Option<Box<dyn Read + Send>>; 2] = [
            child.stdout.take().map(|stream| Box::new(stream) as _),
            child.stderr.take().map(|stream| Box::new(stream) as _),
        ];
        for stream in streams.into_iter().flatten() {
            let sender = sender.clone();
            thread::spawn(move || send_lines(stream, &sender));
        }
        drop(sender);
        let mut output = String::new();
        for line in lines {
            if !self.quiet {
                println!("{line}");
            }
            output.push_str(&line);
            output.push('\n');
        }
        match child.wait() {
            Ok(status) if status.success() => Ok(output),
            Ok(status) => Err(Failure { message: format!("`{self}` ended with {status}"), output }),
            Err(error) => Err(Failure { message: format!("`{self}` was lost: {error}"), output }),
        }
    }
}

/// The command as it can be typed in the project's folder.
impl Display for Process {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let quoted = |text: &OsStr| {
            let path = Path::new(text);
            let text = path.strip_prefix(&self.folder).unwrap_or(path).to_string_lossy();
            let plain = |byte: char| byte.is_ascii_alphanumeric() || "-_./=:,%+@".contains(byte);
            if !text.is_empty() && text.chars().all(plain) {
                text.into_owned()
            } else {
                format!("'{}'", text.replace('\'', r"'\''"))
            }
        };
        for (name, value) in &self.variables {
            write!(formatter, "{name}={} ", quoted(value))?;
        }
        write!(formatter, "{}", quoted(self.program.as_os_str()))?;
        for argument in &self.arguments {
            write!(formatter, " {}", quoted(argument))?;
        }
        Ok(())
    }
}

fn send_lines(stream: impl Read, lines: &Sender<String>) {
    let mut stream = BufReader::new(stream);
    let mut line = Vec::new();
    loop {
        line.clear();
        let read: io::Result<usize> = stream.read_until(b'\n', &mut line);
        if !matches!(read, Ok(1..)) {
            return;
        }
        let text = String::from_utf8_lossy(&line);
        if lines.send(text.trim_end_matches(['\r', '\n']).to_owned()).is_err() {
            return;
        }
    }
}

//! The command in a child process, since what it says goes to the standard streams: the child is the
//! very test executable, told by a variable to be the command instead.

use std::{
    env,
    fs::File,
    io::Read,
    path::{Path, PathBuf},
    process::{self, Child, Command, Stdio},
    sync::{Arc, mpsc},
    thread,
    time::Duration,
};

use cli::{HandlerLoader, WebSocketHandlers};
use server::{
    Driver, Environment, Handler,
    stash::{MemoryStash, StashStore},
};

/// No wait is longer than this.
pub(crate) const DEADLINE: Duration = Duration::from_secs(20);

/// The child's arguments, one a line.
const ARGUMENTS: &str = "WPTSERVE_TEST_ARGUMENTS";

/// The child's handlers: `none` is an error, everything else works.
const HANDLERS: &str = "WPTSERVE_TEST_HANDLERS";

/// What the child prints before the command does.
const MARK: &str = "-- the command's own output --\n";

struct TestLoader;

impl HandlerLoader for TestLoader {
    fn load(&self, _environment: &Arc<Environment>) -> Result<Arc<dyn Handler>, String> {
        if env::var(HANDLERS).is_ok_and(|handlers| handlers == "none") {
            return Err("this test has none".to_owned());
        }
        let message = "no handlers".to_owned();
        Ok(Arc::new(server::ErrorHandler { status: 501, message }))
    }

    fn extension(&self) -> Result<PathBuf, String> {
        Err("no extension in this build".to_owned())
    }

    fn load_websocket(
        &self,
        environment: &Arc<Environment>,
        _handlers: &WebSocketHandlers,
    ) -> Result<Arc<dyn Handler>, String> {
        self.load(environment)
    }

    fn driver(&self, _environment: &Arc<Environment>) -> Option<Arc<dyn Driver>> {
        None
    }

    fn stash(&self, shared: Option<Arc<dyn StashStore>>) -> Arc<dyn StashStore> {
        shared.unwrap_or_else(|| Arc::new(MemoryStash::default()))
    }

    fn host_command(&self) -> Result<Command, String> {
        Err("no processes in this build".to_owned())
    }

    fn keep_journal(&self, _journal: File, _last_words: File) -> Result<(), String> {
        Ok(())
    }
}

/// No test: the command, when a child is to be it.
#[test]
fn child() {
    if let Ok(arguments) = env::var(ARGUMENTS) {
        cli::print(MARK);
        let arguments = arguments.lines().map(Into::into).collect();
        process::exit(cli::run(arguments, &TestLoader).into());
    }
}

/// The command in a child process, which does not outlive the test.
pub(crate) struct Process {
    pub(crate) child: Child,
    stderr: mpsc::Receiver<String>,
}

impl Process {
    /// Starts the command in `directory`.
    pub(crate) fn start(directory: &Path, arguments: &[&str], handlers: &str) -> Self {
        let mut child = Command::new(env::current_exe().unwrap())
            .args(["--exact", "command::child", "--nocapture"])
            .current_dir(directory)
            .env(ARGUMENTS, arguments.join("\n"))
            .env(HANDLERS, handlers)
            // No certificate authority of whoever runs the tests.
            .env("XDG_DATA_HOME", directory.join("data"))
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let stderr = read(child.stderr.take().unwrap());
        Self { child, stderr }
    }

    /// Waits for the end: what was said on standard error, and the exit code.
    pub(crate) fn end(mut self) -> (String, i32) {
        // The stream ends with the process.
        let stderr = self.stderr.recv_timeout(DEADLINE).expect("the command goes on");
        (stderr, self.child.wait().unwrap().code().unwrap())
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        // Fails when it has ended, as it should have.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Runs the command to its end: what was asked, what was said, and the exit code. The directory is
/// written `DIR`.
pub(crate) fn run(directory: &Path, arguments: &[&str], handlers: &str) -> String {
    let mut process = Process::start(directory, arguments, handlers);
    let stdout = read(process.child.stdout.take().unwrap());
    let (stderr, code) = process.end();
    let stdout = stdout.recv_timeout(DEADLINE).unwrap();
    let (_, stdout) = stdout.split_once(MARK).expect("the child was no command");
    let text = format!("$ wptserve {}\n{stdout}{stderr}[exit code {code}]\n", arguments.join(" "));
    text.replace(&*directory.to_string_lossy(), "DIR")
}

/// Reads a stream to its end in a thread.
fn read(mut stream: impl Read + Send + 'static) -> mpsc::Receiver<String> {
    let (tell, told) = mpsc::channel();
    thread::spawn(move || {
        let mut text = String::new();
        stream.read_to_string(&mut text).unwrap();
        // Nobody listens when the test has failed.
        let _ = tell.send(text);
    });
    told
}

/// Compares with the snapshot of that name.
pub(crate) fn assert_snapshot(name: &str, text: &str) {
    let mut settings = insta::Settings::clone_current();
    // Relative to this file.
    settings.set_snapshot_path("../snapshots");
    settings.set_omit_expression(true);
    settings.set_prepend_module_to_snapshot(false);
    settings.bind(|| insta::assert_snapshot!(name, text));
}

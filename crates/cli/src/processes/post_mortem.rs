//! What is told of a host that has ended by itself.

use std::{
    fmt::Write as _,
    fs::File,
    io::{Read, Seek},
    process::ExitStatus,
    time::SystemTime,
};

use super::journal::{self, Running};

/// What is left of a host.
pub(super) struct Remains {
    pub(super) running: Vec<Running>,
    last_words: String,
}

impl Remains {
    /// Reads what a dead host has written.
    pub(super) fn read(journal: &File, last_words: &mut File) -> Self {
        // Of what cannot be read, nothing is told.
        let running = journal::running(journal).unwrap_or_default();
        let mut bytes = Vec::new();
        let _unread =
            last_words.rewind().and_then(|()| last_words.take(MOST_WORDS).read_to_end(&mut bytes));
        Self { running, last_words: String::from_utf8_lossy(&bytes).trim().to_owned() }
    }

    /// The text for the log, as in `1 (pid 7) has ended with exit status: 3 and is replaced`.
    pub(super) fn text(&self, number: u32, pid: u32, status: ExitStatus, then: &str) -> String {
        let mut text = format!("{number} (pid {pid}) has ended with {status}{then}");
        text.push_str(match self.running.len() {
            0 => "; it ran no handler",
            1 => "; it ran:",
            _ => "; it ran, the last one first:",
        });
        for running in self.running.iter().take(MOST_TOLD) {
            text.push('\n');
            text.push_str(&line(running));
        }
        if let Some(more @ 1..) = self.running.len().checked_sub(MOST_TOLD) {
            // Writing to a String cannot fail.
            let _ = write!(text, "\nand {more} more");
        }
        for line in self.last_words.lines() {
            text.push('\n');
            text.push_str(line);
        }
        text
    }
}

fn line(Running { method, target, file, began }: &Running) -> String {
    // A clock that was set back says nothing.
    let seconds = SystemTime::now().duration_since(*began).unwrap_or_default().as_secs_f64();
    let (method, target) = (method.escape_ascii(), target.escape_ascii());
    let file = String::from_utf8_lossy(file);
    let file = if file.is_empty() { String::new() } else { format!(" in {file}") };
    format!("{method} {target}{file}, for {seconds:.1} s")
}

const MOST_TOLD: usize = 10;
/// A traceback is shorter.
const MOST_WORDS: u64 = 16 * 1024;

#[cfg(test)]
mod tests {
    use super::*;
    use std::{io::Write as _, os::unix::process::ExitStatusExt, time::Duration};

    #[test]
    fn it_is_told_what_ran_and_what_was_said() {
        let running = |target: &str, file: &str| Running {
            method: b"GET".to_vec(),
            target: target.into(),
            file: file.into(),
            began: SystemTime::now() - Duration::from_millis(1500),
        };
        let mut remains = Remains {
            running: vec![running("/x\x1b.py", "/doc/x.py"), running("/echo", "")],
            last_words: "Fatal Python error\n  File \"x.py\"".to_owned(),
        };
        assert_eq!(
            remains.text(2, 77, ExitStatus::from_raw(9), " and is replaced"),
            "2 (pid 77) has ended with signal: 9 (SIGKILL) and is replaced; it ran, the last one \
             first:\nGET /x\\x1b.py in /doc/x.py, for 1.5 s\nGET /echo, for 1.5 s\nFatal Python \
             error\n  File \"x.py\""
        );
        remains.running = (0..12).map(|_| running("/", "")).collect();
        assert!(remains.text(1, 1, ExitStatus::from_raw(9), "").contains("\nand 2 more\n"));
        remains.running.clear();
        remains.last_words.clear();
        assert_eq!(
            remains.text(1, 7, ExitStatus::from_raw(3 << 8), ""),
            "1 (pid 7) has ended with exit status: 3; it ran no handler"
        );
    }

    #[test]
    fn last_words_are_read_from_their_beginning() {
        let mut file = tempfile::tempfile().unwrap();
        writeln!(file, "Fatal").unwrap();
        let remains = Remains::read(&journal::new().unwrap(), &mut file);
        assert_eq!((remains.last_words.as_str(), remains.running.len()), ("Fatal", 0));
    }
}

//! The log: events as lines of text or JSON on standard error.
//!
//! A thread writes them, so that a reader who falls asleep does not stop the server: lines that
//! find no room are counted and dropped.

use std::{
    io::{self, IsTerminal, Write},
    sync::{
        atomic::{AtomicU64, Ordering},
        mpsc::{self, Receiver, SyncSender},
    },
    thread,
    time::{Duration, SystemTime, UNIX_EPOCH},
};

use serde_json::json;
use server::{
    event::{Event, EventSink, Level, RequestRecord},
    latin1,
    printable::{indented_lines, json_line, one_line},
};

use crate::arguments::{EngineArguments, LogFormat};

/// What the log shows, and how.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Style {
    pub(crate) format: LogFormat,
    pub(crate) requests: bool,
    pub(crate) least: Level,
    pub(crate) colour: bool,
    /// The number of this process among several.
    pub(crate) host: Option<u32>,
}

/// Writes events to standard error, or to whoever writes them there.
pub(crate) struct Log {
    style: Style,
    lines: SyncSender<Line>,
    lost: AtomicU64,
}

enum Line {
    Text(String),
    /// Answered when everything before it is written.
    Flush(SyncSender<()>),
}

impl Log {
    /// A log on standard error with a thread of its own.
    pub(crate) fn new(style: Style) -> io::Result<Self> {
        Self::to(io::stderr(), style)
    }

    /// A log with a thread that gives each event to `stream` in one write.
    pub(crate) fn to(stream: impl Write + Send + 'static, style: Style) -> io::Result<Self> {
        let (lines, queue) = mpsc::sync_channel(MOST_LINES);
        thread::Builder::new().name("log".to_owned()).spawn(move || write_lines(&queue, stream))?;
        Ok(Self { style, lines, lost: AtomicU64::new(0) })
    }

    /// Writes what another process's log has made of an event.
    #[cfg(unix)]
    pub(crate) fn pass_on(&self, text: String) {
        if self.lines.try_send(Line::Text(text)).is_err() {
            self.lost.fetch_add(1, Ordering::Relaxed);
        }
    }

    /// Waits until what was emitted is written, but not for long.
    pub(crate) fn flush(&self) {
        let (done, wait) = mpsc::sync_channel(1);
        if self.lines.try_send(Line::Flush(done)).is_ok() {
            // An error means that nobody reads the log: then nobody misses it.
            let _unread = wait.recv_timeout(Duration::from_millis(200));
        }
    }
}

fn write_lines(queue: &Receiver<Line>, mut stream: impl Write) {
    for line in queue {
        match line {
            Line::Text(text) => {
                // One write per line, so that lines of processes do not mix. Nobody reads a
                // closed stream.
                let _closed = stream.write_all(text.as_bytes());
            }
            Line::Flush(done) => {
                // Whoever asked may have gone on already.
                let _gone = done.try_send(());
            }
        }
    }
}

impl EventSink for Log {
    fn emit(&self, event: &Event<'_>) {
        let level = level_of(event);
        if level < self.style.least {
            return;
        }
        let mut line = self.style.render(event, level);
        let lost = self.lost.swap(0, Ordering::Relaxed);
        if lost > 0 {
            let text = format!("{lost} lines found no room and are lost");
            let event = Event::Message { level: Level::Warning, source: "log", text: &text };
            line.insert_str(0, &self.style.render(&event, Level::Warning));
        }
        if self.lines.try_send(Line::Text(line)).is_err() {
            self.lost.fetch_add(lost + 1, Ordering::Relaxed);
        }
    }

    fn wants_requests(&self) -> bool {
        self.style.requests
    }
}

fn level_of(event: &Event<'_>) -> Level {
    match event {
        Event::Request(_) => Level::Info,
        Event::BadRequest { .. } => Level::Warning,
        Event::HandlerFailed { .. } => Level::Error,
        Event::Message { level, .. } => *level,
    }
}

impl Style {
    /// The style that arguments ask for.
    pub(crate) fn of(arguments: &EngineArguments) -> Self {
        Self {
            format: arguments.log_format,
            requests: arguments.logs_requests(),
            least: if arguments.verbose > 1 { Level::Debug } else { Level::Info },
            colour: is_terminal(),
            host: None,
        }
    }

    fn render(self, event: &Event<'_>, level: Level) -> String {
        let mut line = match self.format {
            LogFormat::Text => match self.host {
                Some(host) => format!("[{host}] {}", self.text(event)),
                None => self.text(event),
            },
            LogFormat::Json => json(event, level, self.host),
        };
        line.push('\n');
        line
    }

    /// The event as text: one line, and what follows it is indented. Whoever sends a request may
    /// have chosen any part of it.
    fn text(self, event: &Event<'_>) -> String {
        match event {
            Event::Request(record) => self.request(record),
            Event::BadRequest { peer, status, message } => {
                self.labelled(Level::Warning, &format!("{status} to {peer}: {}", one_line(message)))
            }
            Event::HandlerFailed { url, location, message } => {
                let url = one_line(url);
                let mut text = match location {
                    Some((file, line)) => format!("{}:{line} failed for {url}", one_line(file)),
                    None => format!("the handler of {url} failed"),
                };
                // The first line of several names the URL again.
                if let Some((_, rest)) = message.split_once('\n') {
                    text.push_str("\n  ");
                    text.push_str(&indented_lines(rest.trim_end()));
                } else {
                    text.push_str(": ");
                    text.push_str(&one_line(message));
                }
                self.labelled(Level::Error, &text)
            }
            Event::Message { level, source, text } => self.labelled(
                *level,
                &format!("{}: {}", one_line(source), indented_lines(text.trim_end())),
            ),
        }
    }

    fn request(self, record: &RequestRecord<'_>) -> String {
        let status = record.status.map_or_else(|| "raw".to_owned(), |status| status.to_string());
        let colour = match record.status {
            Some(200..=299) => GREEN,
            Some(300..=399) => CYAN,
            Some(400..=499) => YELLOW,
            Some(500..=599) => RED,
            _ => MAGENTA,
        };
        format!(
            "{} {} {} {} B {:.1} ms",
            record.method.escape_ascii(),
            record.target.escape_ascii(),
            self.paint(colour, &status),
            record.bytes,
            record.duration.as_secs_f64() * 1000.0
        )
    }

    fn labelled(self, level: Level, text: &str) -> String {
        let (label, colour) = match level {
            Level::Debug => ("debug", CYAN),
            Level::Info => ("info", GREEN),
            Level::Warning => ("warning", YELLOW),
            Level::Error => ("error", RED),
        };
        format!("{}: {text}", self.paint(colour, label))
    }

    fn paint(self, colour: &str, text: &str) -> String {
        if self.colour { format!("{colour}{text}\x1b[0m") } else { text.to_owned() }
    }
}

fn json(event: &Event<'_>, level: Level, host: Option<u32>) -> String {
    let time = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_secs_f64();
    let level = match level {
        Level::Debug => "debug",
        Level::Info => "info",
        Level::Warning => "warning",
        Level::Error => "error",
    };
    let mut line = match event {
        Event::Request(record) => json!({
            "time": time, "level": level, "event": "request",
            "method": latin1(record.method), "target": latin1(record.target),
            "status": record.status, "bytes": record.bytes,
            "milliseconds": record.duration.as_secs_f64() * 1000.0,
            "peer": record.peer.to_string(),
        }),
        Event::BadRequest { peer, status, message } => json!({
            "time": time, "level": level, "event": "bad_request",
            "status": status, "peer": peer.to_string(), "message": message,
        }),
        Event::HandlerFailed { url, location, message } => json!({
            "time": time, "level": level, "event": "handler_failed",
            "url": url, "file": location.map(|(file, _)| file),
            "line": location.map(|(_, line)| line), "message": message,
        }),
        Event::Message { source, text, .. } => json!({
            "time": time, "level": level, "event": "message", "source": source, "message": text,
        }),
    };
    if let Some(host) = host {
        line["host"] = host.into();
    }
    json_line(&line.to_string()).into_owned()
}

/// Whether the log is a terminal.
pub(crate) fn is_terminal() -> bool {
    io::stderr().is_terminal()
}

/// Prints a result to standard output.
pub fn print(text: &str) {
    let mut stdout = io::stdout().lock();
    // Nobody reads a closed stream.
    let _closed = stdout.write_all(text.as_bytes()).and_then(|()| stdout.flush());
}

/// Prints an error that ends the command.
pub fn error(text: &str) {
    let label = if is_terminal() { format!("{RED}error{RESET}") } else { "error".to_owned() };
    // Nobody reads a closed stream.
    let _closed = io::stderr().lock().write_all(format!("{label}: {text}\n").as_bytes());
}

/// Prints a warning of a command that goes on.
pub(crate) fn warning(text: &str) {
    let label =
        if is_terminal() { format!("{YELLOW}warning{RESET}") } else { "warning".to_owned() };
    // Nobody reads a closed stream.
    let _closed = io::stderr().lock().write_all(format!("{label}: {text}\n").as_bytes());
}

/// So many lines wait at most.
const MOST_LINES: usize = 16 * 1024;

const GREEN: &str = "\x1b[32m";
const CYAN: &str = "\x1b[36m";
const YELLOW: &str = "\x1b[33m";
const RED: &str = "\x1b[31m";
const MAGENTA: &str = "\x1b[35m";
const RESET: &str = "\x1b[0m";

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn log(colour: bool) -> Style {
        Style { format: LogFormat::Text, requests: true, least: Level::Debug, colour, host: None }
    }

    #[test]
    fn a_request_is_one_line() {
        let record = RequestRecord {
            method: b"GET",
            target: b"/a\x1b?\xff",
            status: Some(404),
            bytes: 120,
            duration: Duration::from_micros(1240),
            peer: "127.0.0.1:9".parse().unwrap(),
        };
        let event = Event::Request(record);
        assert_eq!(log(false).text(&event), r"GET /a\x1b?\xff 404 120 B 1.2 ms");
        assert_eq!(log(true).text(&event), "GET /a\\x1b?\\xff \x1b[33m404\x1b[0m 120 B 1.2 ms");
    }

    #[test]
    fn a_failure_leads_with_file_line_and_url() {
        let event = Event::HandlerFailed {
            url: "http://h/x.py",
            location: Some(("/doc/x.py", 3)),
            message: "Internal server error loading http://h/x.py:\n  Traceback\nValueError: x",
        };
        assert_eq!(
            log(false).text(&event),
            "error: /doc/x.py:3 failed for http://h/x.py\n    Traceback\n  ValueError: x"
        );
        let line: serde_json::Value =
            serde_json::from_str(&json(&event, Level::Error, Some(2))).unwrap();
        assert_eq!((line["file"].as_str(), line["line"].as_u64()), (Some("/doc/x.py"), Some(3)));
        assert_eq!(line["host"].as_u64(), Some(2));
    }

    /// Whether a text is one event's: one line, what follows it is indented, and nothing in it
    /// steers a terminal.
    fn is_one_event(text: &str) -> bool {
        let mut lines = text.strip_suffix('\n').unwrap_or_default().split('\n');
        lines.next().is_some_and(|line| !line.is_empty())
            && lines.all(|line| line.starts_with("  "))
            && !text.contains(|c: char| c.is_control() && !['\n', '\t'].contains(&c))
            && !text.contains(['\u{2028}', '\u{2029}', '\u{202e}', '\u{2066}'])
    }

    /// Texts with more of what could forge a log than chance has.
    fn texts() -> impl Strategy<Value = String> {
        let part = prop_oneof![
            Just("\n".to_owned()),
            Just("\r\nGET / 200 1 B 1.0 ms\n".to_owned()),
            Just("\x1b[2J".to_owned()),
            Just("\u{9b}2J\u{202e}\u{2028}\u{7f}\0".to_owned()),
            any::<String>(),
        ];
        prop::collection::vec(part, 0..5).prop_map(|parts| parts.concat())
    }

    proptest! {
        #[test]
        fn no_event_forges_another(
            (one, other, third) in (texts(), texts(), texts()),
            line in proptest::option::of(any::<u32>()),
            host in proptest::option::of(0..4_u32),
        ) {
            let peer = "127.0.0.1:9".parse().unwrap();
            let record = RequestRecord {
                method: one.as_bytes(),
                target: other.as_bytes(),
                status: Some(200),
                bytes: 1,
                duration: Duration::ZERO,
                peer,
            };
            let location = line.map(|line| (other.as_str(), line));
            for event in [
                Event::Request(record),
                Event::BadRequest { peer, status: 400, message: &one },
                Event::HandlerFailed { url: &one, location, message: &third },
                Event::Message { level: Level::Info, source: &one, text: &other },
            ] {
                let style = Style { host, ..log(false) };
                let text = style.render(&event, Level::Info);
                prop_assert!(is_one_event(&text), "{text:?}");
                let json = Style { format: LogFormat::Json, ..style }.render(&event, Level::Info);
                prop_assert!(is_one_event(&json) && json.matches('\n').count() == 1, "{json:?}");
                let value: serde_json::Value = serde_json::from_str(&json).unwrap();
                if let Event::Message { .. } = event {
                    prop_assert_eq!(value["message"].as_str(), Some(other.as_str()));
                }
            }
        }
    }
}

//! The arguments.

use std::{ffi::OsString, path::PathBuf, time::Duration};

use clap::{Parser, ValueEnum};

use crate::{Exit, log};

/// What the arguments ask for.
#[derive(Debug)]
pub enum Command {
    /// Serve a document root.
    Serve(ServeArguments),
    /// Say which version this is.
    Version {
        /// The Python of `--python`.
        python: Option<PathBuf>,
    },
}

/// Serve a folder of tests: Python file handlers, static files, .asis files.
///
/// A file NAME.py with `def main(request, response)` answers the requests for its URL. It runs in
/// the Python that is found: --python, else WPTSERVE_PYTHON, else the active virtual
/// environment's, else python3 or python on the PATH; 3.10 or newer.
#[derive(Debug, Clone, Parser)]
#[expect(clippy::doc_markdown, reason = "this is also the text of --help")]
#[command(
    name = "wptserve",
    disable_version_flag = true,
    after_help = "Exit codes: 0 stopped by a signal, 2 wrong arguments, 3 the document root cannot \
                  be served,\n4 an address cannot be listened on, 5 the configuration is wrong, \
                  6 the Python cannot be used, 1 anything else."
)]
pub struct ServeArguments {
    /// The folder to serve
    #[arg(value_name = "DOC_ROOT")]
    pub doc_root: Option<PathBuf>,

    /// The host name or address to listen on [default: 127.0.0.1]
    #[arg(short = 'H', long, value_name = "HOST")]
    pub host: Option<String>,

    /// The port to listen on; 0 picks a free one [default: 8000]
    #[arg(short, long, value_name = "PORT")]
    pub port: Option<u16>,

    /// A configuration file in the reference's JSON format
    #[arg(long, value_name = "FILE")]
    pub config: Option<PathBuf>,

    /// The Python that runs handlers
    #[arg(long, value_name = "PATH")]
    pub python: Option<PathBuf>,

    /// Write the addresses as JSON to this file once they are listened on
    #[arg(long, value_name = "FILE")]
    pub ready_file: Option<PathBuf>,

    /// The largest request body [default: no limit]
    #[arg(long, value_name = "BYTES")]
    pub max_body: Option<u64>,

    /// Give a handler up after this time [default: never]
    #[arg(long, value_name = "SECONDS", value_parser = seconds)]
    pub handler_timeout: Option<Duration>,

    /// Send ETag and Last-Modified with files, and answer conditional requests with 304
    #[arg(long)]
    pub validators: bool,

    /// How the log is written
    #[arg(long, value_name = "FORMAT", default_value = "text")]
    pub log_format: LogFormat,

    /// Log each request also when the log is not a terminal; twice: details too
    #[arg(short, long, action = clap::ArgAction::Count)]
    pub verbose: u8,

    /// Print the version, and which Python would be used
    #[arg(short = 'V', long)]
    version: bool,
}

/// The format of the log.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum LogFormat {
    /// Lines for people.
    Text,
    /// One JSON object a line.
    Json,
}

/// Parses arguments, without the program's name. Help and errors are printed here.
pub fn parse(arguments: Vec<OsString>) -> Result<Command, Exit> {
    let name = OsString::from("wptserve");
    match ServeArguments::try_parse_from(std::iter::once(name).chain(arguments)) {
        Ok(arguments) if arguments.version => Ok(Command::Version { python: arguments.python }),
        Ok(arguments) => Ok(Command::Serve(arguments)),
        Err(error) => {
            // Fails only when the stream is closed, and then nobody reads it.
            let _closed = error.print();
            Err(if error.use_stderr() { Exit::Usage } else { Exit::Success })
        }
    }
}

fn seconds(text: &str) -> Result<Duration, String> {
    let number: f64 = text.parse().map_err(|_| "a number of seconds is expected".to_owned())?;
    let duration = Duration::try_from_secs_f64(number)
        .map_err(|_| "a positive number of seconds is expected".to_owned())?;
    if duration.is_zero() {
        return Err("more than 0 seconds are expected".to_owned());
    }
    Ok(duration)
}

impl ServeArguments {
    /// The folder to serve, by default the working directory.
    pub fn doc_root(&self) -> PathBuf {
        self.doc_root.clone().unwrap_or_else(|| PathBuf::from("."))
    }

    /// Whether requests are logged: always for people who watch, else when asked for.
    pub(crate) fn logs_requests(&self) -> bool {
        self.verbose > 0 || self.log_format == LogFormat::Json || log::is_terminal()
    }
}

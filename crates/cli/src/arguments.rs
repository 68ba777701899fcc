//! The arguments.

use std::{
    ffi::OsString,
    path::{Path, PathBuf},
    time::Duration,
};

use clap::{
    Args, CommandFactory, Parser, Subcommand, ValueEnum,
    builder::{OsStringValueParser, TypedValueParser},
    error::{ContextKind, ContextValue, ErrorKind},
};

use crate::{
    CertsArguments, ExecArguments, Exit,
    browser_args::BrowserArguments,
    doctor::DoctorArguments,
    hosts::HostsArguments,
    log,
    settings::{Failure, Overrides, Settings},
    wpt::WptArguments,
};

/// What the arguments ask for.
#[derive(Debug)]
pub enum Command {
    /// Serve a document root.
    Serve(ServeArguments),
    /// Serve a checkout of web-platform-tests.
    Wpt(Box<WptArguments>),
    /// Print or install the entries of the hosts file.
    Hosts(HostsArguments),
    /// Print the flags with which a browser reaches the server.
    BrowserArgs(BrowserArguments),
    /// Check what the environment needs.
    Doctor(DoctorArguments),
    /// List the routes, or explain what answers a URL.
    Routes(RoutesArguments),
    /// Print the configuration or its schema.
    Config(ConfigArguments),
    /// Run a command with our modules in place of its own.
    Exec(ExecArguments),
    /// Show the certificates, or have them trusted.
    Certs(CertsArguments),
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
#[derive(Debug, Parser)]
#[expect(clippy::doc_markdown, reason = "this is also the text of --help")]
#[command(
    name = "wptserve",
    disable_version_flag = true,
    // A folder may have any name: `wptserve ./routes` serves one of that name.
    args_conflicts_with_subcommands = true,
    disable_help_subcommand = true,
    after_help = "A folder with the name of a command is served as ./NAME.\n\n\
                  Exit codes: 0 stopped by a signal, 2 wrong arguments, 3 the document root cannot \
                  be served,\n4 an address cannot be listened on, 5 the configuration is wrong, \
                  6 the Python cannot be used, 1 anything else."
)]
struct Arguments {
    #[command(subcommand)]
    command: Option<Named>,

    #[command(flatten)]
    serve: ServeArguments,
}

/// A command with a name.
#[derive(Debug, Subcommand)]
enum Named {
    Wpt(Box<WptArguments>),
    Hosts(HostsArguments),
    BrowserArgs(BrowserArguments),
    Doctor(DoctorArguments),
    Routes(RoutesArguments),
    Config(ConfigArguments),
    Exec(ExecArguments),
    Certs(CertsArguments),
}

/// List the routes, or say what answers a URL and why
///
/// Without a URL the routes are listed in the order in which they are tried. With one: which
/// rewrite and which route it meets, which file that leads to, which .headers files and pipes
/// apply, and the answer. No Python runs.
#[derive(Debug, Clone, Args)]
pub struct RoutesArguments {
    /// A path such as /x/y.html?pipe=status(404), or a whole URL
    #[arg(value_name = "URL")]
    pub url: Option<String>,

    #[command(flatten)]
    pub(crate) source: Source,

    /// The method of the request
    #[arg(short, long, value_name = "METHOD", default_value = "GET")]
    pub method: String,

    /// Print JSON, for programs
    #[arg(long)]
    pub json: bool,
}

/// Print the configuration, or the schema of its file
#[derive(Debug, Clone, Args)]
#[group(id = "what", args = ["show", "schema"], required = true, multiple = false)]
pub struct ConfigArguments {
    /// Print the configuration as handlers and templates see it
    #[arg(long)]
    pub show: bool,

    /// Print the JSON Schema of the configuration file, for editors
    #[arg(long)]
    pub schema: bool,

    #[command(flatten)]
    pub(crate) source: Source,
}

// What a command looks at. (A doc comment would become the command's help.)
#[derive(Debug, Clone, Args)]
pub(crate) struct Source {
    /// A configuration file in the reference's JSON format
    #[arg(long, value_name = "FILE")]
    pub(crate) config: Option<PathBuf>,

    /// The document root [default: the configuration's, else the working directory]
    #[arg(long, value_name = "DIR")]
    pub(crate) root: Option<PathBuf>,

    /// The environment of `wptserve wpt`; --root is the checkout
    #[arg(long)]
    pub(crate) wpt: bool,
}

impl Source {
    /// What would be served.
    pub(crate) fn settings(&self) -> Result<Settings, Failure> {
        if self.wpt {
            return Settings::of_environment(self.root.as_deref(), self.config.as_deref());
        }
        let (config, doc_root) = (self.config.as_deref(), self.root.as_deref());
        Ok(Settings::load(Overrides { config, doc_root, ..Overrides::default() })?)
    }
}

/// What is served, and how.
#[derive(Debug, Clone, Args)]
pub struct ServeArguments {
    /// The folder to serve
    #[arg(value_name = "DOC_ROOT")]
    pub doc_root: Option<PathBuf>,

    /// The host name or address to listen on [default: 127.0.0.1]
    #[arg(short = 'H', long, value_name = "HOST")]
    pub host: Option<String>,

    /// The only port to listen on, for HTTP; 0 picks a free one [default: the configuration's, else
    /// 8000]
    #[arg(short, long, value_name = "PORT")]
    pub port: Option<u16>,

    /// A configuration file in the reference's JSON format
    #[arg(long, value_name = "FILE")]
    pub config: Option<PathBuf>,

    #[command(flatten)]
    pub(crate) engine: EngineArguments,

    /// Print the version, and which Python would be used
    #[arg(short = 'V', long)]
    version: bool,
}

// How the engine runs, whatever it serves. (A doc comment would become the command's help.)
#[derive(Debug, Clone, Args)]
#[expect(clippy::doc_markdown, reason = "this is also the text of --help")]
#[expect(clippy::struct_excessive_bools, reason = "each is a flag of its own")]
pub(crate) struct EngineArguments {
    /// The Python that runs handlers
    #[arg(long, value_name = "PATH")]
    pub(crate) python: Option<PathBuf>,

    /// Write the addresses as JSON to this file once they are listened on
    #[arg(long, value_name = "FILE", value_parser = absolute())]
    pub(crate) ready_file: Option<PathBuf>,

    /// The largest request body [default: no limit]
    #[arg(long, value_name = "BYTES")]
    pub(crate) max_body: Option<u64>,

    /// Give a handler up after this time [default: never]
    #[arg(long, value_name = "SECONDS", value_parser = seconds)]
    pub(crate) handler_timeout: Option<Duration>,

    /// Give a client up that takes nothing of its response for this time [default: 60]
    #[arg(long, value_name = "SECONDS", value_parser = seconds)]
    pub(crate) write_timeout: Option<Duration>,

    /// The largest WebSocket message, once it is decompressed [default: 268435456]
    #[arg(long, value_name = "BYTES")]
    pub(crate) max_message: Option<usize>,

    /// The most WebSockets at once; more are refused with 503 [default and most: 7168]
    #[arg(long, value_name = "NUMBER")]
    pub(crate) max_websockets: Option<usize>,

    /// Answer WebSocket handshakes on the ports for HTTP too
    #[arg(long)]
    pub(crate) ws_on_http: bool,

    /// Load a WebSocket handler anew when its file changes
    #[arg(long)]
    pub(crate) reload: bool,

    /// Send ETag and Last-Modified with files, and answer conditional requests with 304
    #[arg(long)]
    pub(crate) validators: bool,

    /// Speak HTTP/2 on ports without TLS too, with clients that begin with it
    #[arg(long)]
    pub(crate) h2c: bool,

    /// Speak HTTP/2 on ports for HTTPS too, with clients that offer it (ALPN)
    #[arg(long)]
    pub(crate) alpn_h2: bool,

    /// Serve from this many processes, auto: one for each CPU; module state is each process's own
    #[arg(long, value_name = "N|auto", default_value = "1", value_parser = processes)]
    pub(crate) processes: usize,

    /// A supervisor's process, which is told on its standard input what to do
    #[arg(long, hide = true)]
    pub(crate) supervised: bool,

    /// How the log is written
    #[arg(long, value_name = "FORMAT", default_value = "text")]
    pub(crate) log_format: LogFormat,

    /// Log each request also when the log is not a terminal; twice: details too
    #[arg(short, long, action = clap::ArgAction::Count)]
    pub(crate) verbose: u8,
}

/// The format of the log.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum LogFormat {
    /// Lines for people.
    Text,
    /// One JSON object a line.
    Json,
}

/// Parses arguments, without the program's name. Help and errors are printed here.
pub fn parse(arguments: Vec<OsString>) -> Result<Command, Exit> {
    let name = OsString::from("wptserve");
    match Arguments::try_parse_from(std::iter::once(name).chain(arguments)) {
        Ok(Arguments { command: Some(Named::Wpt(wpt)), .. }) => Ok(Command::Wpt(wpt)),
        Ok(Arguments { command: Some(Named::Hosts(hosts)), .. }) => Ok(Command::Hosts(hosts)),
        Ok(Arguments { command: Some(Named::BrowserArgs(browser)), .. }) => {
            Ok(Command::BrowserArgs(browser))
        }
        Ok(Arguments { command: Some(Named::Doctor(doctor)), .. }) => Ok(Command::Doctor(doctor)),
        Ok(Arguments { command: Some(Named::Routes(routes)), .. }) => Ok(Command::Routes(routes)),
        Ok(Arguments { command: Some(Named::Config(config)), .. }) => Ok(Command::Config(config)),
        Ok(Arguments { command: Some(Named::Exec(exec)), .. }) => Ok(Command::Exec(exec)),
        Ok(Arguments { command: Some(Named::Certs(certs)), .. }) => Ok(Command::Certs(certs)),
        Ok(Arguments { serve, .. }) if serve.version => {
            Ok(Command::Version { python: serve.engine.python })
        }
        Ok(Arguments { serve, .. }) => Ok(Command::Serve(serve)),
        Err(error) => {
            let error = second_argument(&error).unwrap_or(error);
            // Fails only when the stream is closed, and then nobody reads it.
            let _closed = error.print();
            Err(if error.use_stderr() { Exit::Usage } else { Exit::Success })
        }
    }
}

/// What clap takes for a command after a document root is one argument too many.
fn second_argument(error: &clap::Error) -> Option<clap::Error> {
    let Some(ContextValue::String(name)) = error.get(ContextKind::InvalidSubcommand) else {
        return None;
    };
    let message = format!("unexpected argument '{name}' found");
    let conflict = error.kind() == ErrorKind::ArgumentConflict;
    conflict.then(|| Arguments::command().error(ErrorKind::UnknownArgument, message))
}

fn processes(text: &str) -> Result<usize, String> {
    if text == "auto" {
        // Where the number is not known, one process does what it can.
        return Ok(std::thread::available_parallelism().map_or(1, usize::from).min(MOST_PROCESSES));
    }
    let number = text.parse().ok().filter(|number| (1..=MOST_PROCESSES).contains(number));
    number.ok_or_else(|| format!("a number from 1 to {MOST_PROCESSES} or `auto` is expected"))
}

/// More than there is a machine for.
const MOST_PROCESSES: usize = 256;

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
    pub(crate) fn overrides(&self) -> Overrides<'_> {
        Overrides {
            config: self.config.as_deref(),
            doc_root: self.doc_root.as_deref(),
            host: self.host.as_deref(),
            port: self.port,
        }
    }

    /// The Python of `--python`.
    pub fn python(&self) -> Option<&Path> {
        self.engine.python.as_deref()
    }

    /// Whether this process only supervises those that serve.
    pub fn supervises(&self) -> bool {
        self.engine.supervises()
    }
}

impl EngineArguments {
    pub(crate) fn supervises(&self) -> bool {
        self.processes > 1 && !self.supervised
    }

    /// Whether requests are logged: always for people who watch, else when asked for.
    pub(crate) fn logs_requests(&self) -> bool {
        self.verbose > 0 || self.log_format == LogFormat::Json || log::is_terminal()
    }
}
/// A path that stays the same when the working directory becomes another.
fn absolute() -> impl TypedValueParser<Value = PathBuf> {
    OsStringValueParser::new().try_map(std::path::absolute)
}

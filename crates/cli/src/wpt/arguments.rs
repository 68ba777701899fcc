//! The arguments of `wptserve wpt`: those of `./wpt serve`, and the engine's.

use std::{
    path::{Path, PathBuf},
    time::Duration,
};

use clap::Args;

use crate::arguments::EngineArguments;

/// Serve a checkout of web-platform-tests: every scheme, host and port in one command
///
/// What ./wpt serve does, with its flags and its configuration: the checkout's config.json, then
/// --config. Nothing on the system has to change first: no hosts file, no certificates.
/// `wptserve browser-args` prints the flags with which a browser finds the hosts.
#[derive(Debug, Clone, Args)]
#[expect(clippy::struct_excessive_bools, reason = "each is a flag of its own")]
pub struct WptArguments {
    /// The checkout [default: the working directory, or the checkout that it is in]
    #[arg(value_name = "WPT_ROOT")]
    pub root: Option<PathBuf>,

    /// A configuration file, laid over the checkout's config.json
    #[arg(long, value_name = "FILE")]
    pub config: Option<PathBuf>,

    /// The document root, in place of the checkout
    #[arg(long, alias = "doc_root", value_name = "DIR")]
    pub doc_root: Option<PathBuf>,

    /// The directory of WebSocket handlers [default: websockets/handlers]
    #[arg(long, alias = "ws_doc_root", value_name = "DIR")]
    pub ws_doc_root: Option<PathBuf>,

    /// A further directory of WebSocket handlers; may be given several times
    #[arg(long, alias = "ws_extra", value_name = "DIR")]
    pub ws_extra: Vec<PathBuf>,

    /// Further document roots: a file with lines `/URL_PATH/, DIR`
    #[arg(long, alias = "alias_file", value_name = "FILE")]
    pub alias_file: Option<PathBuf>,

    /// A script to put at the start of every HTML page
    #[arg(long, alias = "inject_script", value_name = "FILE")]
    pub inject_script: Option<PathBuf>,

    /// Wait before each response
    #[arg(long, value_name = "MILLISECONDS", value_parser = milliseconds)]
    pub latency: Option<Duration>,

    /// Serve HTTP/2, as is the default
    #[arg(long, overrides_with = "no_h2")]
    pub h2: bool,

    /// Do not serve HTTP/2
    #[arg(long, alias = "no_h2")]
    pub no_h2: bool,

    /// Serve WebTransport over HTTP/3
    #[arg(long, alias = "webtransport_h3")]
    pub webtransport_h3: bool,

    /// Answer DNS queries for the hosts
    #[arg(long)]
    pub dns: bool,

    /// Answer for any name below the hosts; the number is that of ./wpt serve, where all cross dots
    #[arg(long, alias = "dns_wildcards", value_name = "N", requires = "dns")]
    pub dns_wildcards: Option<u8>,

    /// Open a browser at the root
    #[arg(long)]
    pub open: bool,

    /// Stop once every port listens
    #[arg(long, alias = "exit_after_start")]
    pub exit_after_start: bool,

    /// Accepted because ./wpt serve takes it; it has no effect there either
    #[arg(long, hide = true)]
    pub report: bool,

    #[command(flatten)]
    pub(crate) engine: EngineArguments,
}

impl WptArguments {
    /// The Python of `--python`.
    pub fn python(&self) -> Option<&Path> {
        self.engine.python.as_deref()
    }

    /// Whether this process only supervises those that serve.
    pub fn supervises(&self) -> bool {
        self.engine.supervises()
    }
}

fn milliseconds(text: &str) -> Result<Duration, String> {
    let number = text.parse().map_err(|_| "a number of milliseconds is expected".to_owned())?;
    Ok(Duration::from_millis(number))
}

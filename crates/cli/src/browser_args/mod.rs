//! `wptserve browser-args`: how a browser reaches the server with no change of the system.

mod chromium;
mod firefox;
mod others;
mod reach;
mod webkitgtk;

use std::{
    net::{IpAddr, SocketAddr},
    path::PathBuf,
};

use clap::{Args, ValueEnum};
use serde_json::Value;
use server::{Config, Scheme};

use crate::{Exit, environment::EnvironmentArguments, log, settings::Failure, shell::quoted};
use reach::Reach;
pub(crate) use reach::reachable;

/// Print the flags with which a browser reaches the server
///
/// No hosts file and no trust store has to change: the flags map the host names to the server and
/// accept its certificates. Flags come one a line and quoted, as xargs reads them:
///
///   wptserve browser-args chrome | xargs -r chromium https://web-platform.test:8443/
///
/// For Firefox these are preferences, the text of a user.js; with --profile they are written there,
/// and certutil has the profile trust the certificate. For Servo, Ladybird and WebKitGTK it is a
/// command; for Safari, which has none of its own, settings of the system and how to take them back.
#[derive(Debug, Clone, Args)]
#[expect(clippy::struct_excessive_bools, reason = "each is a flag of its own")]
#[expect(clippy::doc_markdown, reason = "this is also the text of --help")]
#[command(verbatim_doc_comment)]
pub struct BrowserArguments {
    /// The browser
    #[arg(value_name = "BROWSER")]
    browser: Browser,

    /// The ready file of the server that runs, or its URL, which is /.well-known/wptserve/ready.json
    /// there: it has the names, the ports, the address and the certificate
    #[arg(long, value_name = "FILE|URL")]
    ready_file: Option<PathBuf>,

    /// The address of the server [default: the ready file's, else 127.0.0.1]
    #[arg(long, value_name = "ADDRESS")]
    ip: Option<IpAddr>,

    /// The browser's profile folder; for Firefox, Servo and WebKitGTK the files that are needed are
    /// written there
    #[arg(long, value_name = "DIR")]
    profile: Option<PathBuf>,

    /// Name no profile folder, for tools that give Chromium one themselves, as Playwright does
    #[arg(long, conflicts_with = "profile")]
    no_profile: bool,

    /// Print the policies with which Firefox trusts the certificate, the text of a policies.json
    #[arg(long, conflicts_with = "profile")]
    policies: bool,

    /// Add what tests need beside the server, such as faked devices and no questions
    #[arg(long)]
    for_tests: bool,

    /// Print a JSON array
    #[arg(long)]
    json: bool,

    #[command(flatten)]
    environment: EnvironmentArguments,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Browser {
    Chrome,
    Chromium,
    Edge,
    Firefox,
    Safari,
    #[value(name = "webkitgtk")]
    WebKitGtk,
    Servo,
    Ladybird,
}

/// What is to be printed.
struct Output {
    text: String,
    json: Value,
    /// What cannot work yet, and the remedy.
    warnings: Vec<String>,
}

/// Prints the flags.
pub fn browser_args(arguments: &BrowserArguments) -> Exit {
    match answer(arguments) {
        Ok(Output { text, json, warnings }) => {
            for warning in warnings {
                log::warning(&warning);
            }
            log::print(&if arguments.json { format!("{json:#}\n") } else { text });
            Exit::Success
        }
        Err(failure) => failure.told(),
    }
}

fn answer(arguments: &BrowserArguments) -> Result<Output, Failure> {
    let config = arguments.environment.load()?;
    let reach = Reach::of(&config, arguments)?;
    let mut output = for_one(&reach, arguments)?;
    output.warnings.splice(..0, reach.lacks_names());
    Ok(output)
}

fn for_one(reach: &Reach, arguments: &BrowserArguments) -> Result<Output, Failure> {
    match arguments.browser {
        Browser::Chrome | Browser::Chromium | Browser::Edge => Ok(chromium::flags(reach)),
        Browser::Firefox if arguments.policies => firefox::policies(reach),
        Browser::Firefox => firefox::preferences(reach),
        Browser::Safari => Ok(others::safari(reach)),
        Browser::WebKitGtk => webkitgtk::command(reach),
        Browser::Servo => others::servo(reach),
        Browser::Ladybird => Ok(others::ladybird(reach)),
    }
}

/// What each browser needs to reach a server that listens on these addresses: its name, and the
/// text that the command prints. What needs files is the command that writes them; `start_page` is
/// the folder of the server's own pages.
pub(crate) fn for_all(
    config: &Config,
    addresses: &[(Scheme, SocketAddr)],
    start_page: Option<&str>,
) -> Vec<(&'static str, String)> {
    let reach = Reach::at(config, addresses);
    let command = |browser: &str, folder: &str| {
        let source = start_page.map(|url| format!(" --ready-file {url}{READY}"));
        let source = source.unwrap_or_default();
        format!("wptserve browser-args {browser} --profile {folder}{source}\n")
    };
    let mut outputs = vec![
        ("Chrome, Chromium, Edge", chromium::flags(&reach).text),
        ("Firefox: one command for a profile", command("firefox", "PROFILE")),
    ];
    // Without a profile nothing is written, so nothing can fail.
    outputs.extend(
        firefox::preferences(&reach).ok().map(|output| ("Firefox: user.js by hand", output.text)),
    );
    outputs
        .extend(firefox::trust_commands(&reach).map(|text| {
            ("Firefox: the certificate by hand, which https needs; one of both", text)
        }));
    outputs.push(("Safari", others::safari(&reach).text));
    outputs.push((
        "WebKitGTK (this prints the command that runs MiniBrowser)",
        command("webkitgtk", "FOLDER"),
    ));
    outputs.push(("Servo (this prints the command that runs it)", command("servo", "FOLDER")));
    outputs.push(("Ladybird", others::ladybird(&reach).text));
    outputs
}

impl Output {
    /// Arguments, one a line.
    fn arguments(arguments: &[String], warnings: Vec<String>) -> Self {
        let lines = arguments.iter().map(|argument| format!("{}\n", quoted(argument)));
        Self { text: lines.collect(), json: Value::from(arguments), warnings }
    }

    /// A command, on one line.
    fn command(words: &[String], warnings: Vec<String>) -> Self {
        let line: Vec<String> = words.iter().map(|word| quoted(word)).collect();
        let text = format!("{}\n", line.join(" "));
        Self { text, json: Value::from(words), warnings }
    }
}

/// Where a server has what its ready file says, below the folder of its start page.
pub(crate) const READY: &str = "ready.json";

//! `wptserve DOC_ROOT`: one server in the foreground.

use server::{Error, Router, Scheme, router::FileHandlers};

use crate::{
    Exit, HandlerLoader, ServeArguments,
    arguments::EngineArguments,
    engine::{self, Listening, Site},
    log,
    settings::{DEFAULT_PORT, Failure, Settings},
};

/// Serves until SIGINT or SIGTERM.
pub fn serve(arguments: &ServeArguments, loader: &dyn HandlerLoader) -> Exit {
    match start(arguments, loader) {
        Ok(exit) => exit,
        Err(failure) => failure.told(),
    }
}

fn start(arguments: &ServeArguments, loader: &dyn HandlerLoader) -> Result<Exit, Failure> {
    let settings = Settings::load(arguments.overrides())?;
    settings.check_schemes()?;
    engine::run(&Folder { arguments, settings }, loader)
}

/// A folder of tests.
struct Folder<'a> {
    arguments: &'a ServeArguments,
    settings: Settings,
}

impl Site for Folder<'_> {
    fn settings(&self) -> &Settings {
        &self.settings
    }

    fn engine(&self) -> &EngineArguments {
        &self.arguments.engine
    }

    fn router(&self, files: &FileHandlers, _listening: &Listening) -> Result<Router, Error> {
        self.settings.config.router(files)
    }

    fn url(&self, listening: &Listening) -> String {
        let (scheme, port) = match listening.addresses.first() {
            Some((scheme, address)) => (scheme.url_scheme(), address.port()),
            None => (Scheme::Http.url_scheme(), DEFAULT_PORT),
        };
        let host = match self.settings.host.as_str() {
            "0.0.0.0" | "::" | "" => "localhost".to_owned(),
            host if host.contains(':') => format!("[{host}]"),
            host => host.to_owned(),
        };
        format!("{scheme}://{host}:{port}/")
    }

    fn announce(&self, listening: &Listening) -> bool {
        let root = self.settings.shown_root.display();
        log::print(&format!("Serving {root} at {}\n", self.url(listening)));
        true
    }
}

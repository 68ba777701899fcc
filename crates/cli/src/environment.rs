//! Which environment a command is about: the defaults of `wptserve wpt` and the files over them.

use std::path::PathBuf;

use clap::Args;
use server::Config;

use crate::{
    log,
    settings::Failure,
    wpt::settings::{of_checkout, surrounding_checkout},
};

// What a command looks at. (A doc comment would become the command's help.)
#[derive(Debug, Clone, Args)]
pub(crate) struct EnvironmentArguments {
    /// The checkout, for its config.json [default: the one that the working directory is in]
    #[arg(long, value_name = "WPT_ROOT")]
    pub(crate) root: Option<PathBuf>,

    /// A configuration file, laid over the checkout's config.json
    #[arg(long, value_name = "FILE")]
    pub(crate) config: Option<PathBuf>,
}

impl EnvironmentArguments {
    /// Whether nothing says which environment is meant, so that the defaults have to do.
    pub(crate) fn is_unknown(&self) -> bool {
        self.root.is_none() && self.config.is_none() && surrounding_checkout().is_none()
    }

    /// The configuration. Without a checkout the defaults do.
    pub(crate) fn load(&self) -> Result<Config, Failure> {
        let (_, config, warnings) = of_checkout(self.root.as_deref(), self.config.as_deref())?;
        for text in warnings {
            log::warning(&format!("config: {text}"));
        }
        Ok(config)
    }
}

//! `wptserve config`: the configuration as handlers see it, or the schema of its file.

use server::config::SCHEMA;

use crate::{ConfigArguments, Exit, log};

/// Prints what is asked for.
pub fn configuration(arguments: &ConfigArguments) -> Exit {
    if arguments.schema {
        log::print(SCHEMA);
        return Exit::Success;
    }
    match arguments.source.settings() {
        Ok(settings) => {
            settings.warn();
            log::print(&format!("{:#}\n", settings.resolved(&settings.ports())));
            Exit::Success
        }
        Err(failure) => failure.told(),
    }
}

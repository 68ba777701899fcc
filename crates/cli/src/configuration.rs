//! `wptserve config`: the configuration as handlers see it, or the schema of its file.

use server::config::SCHEMA;

use crate::{
    ConfigArguments, Exit, log,
    settings::{Failure, Settings},
};

/// Prints what is asked for.
pub fn configuration(arguments: &ConfigArguments) -> Exit {
    if arguments.schema {
        log::print(SCHEMA);
        return Exit::Success;
    }
    match Settings::load(arguments.source.overrides()) {
        Ok(settings) => {
            settings.warn();
            log::print(&format!("{:#}\n", settings.resolved(&settings.ports())));
            Exit::Success
        }
        Err(error) => Failure::from(error).told(),
    }
}

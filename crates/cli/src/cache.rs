//! The user's cache: a folder for what can be made again.

use std::{env, path::PathBuf};

/// Our folder in it; none where neither `XDG_CACHE_HOME` nor a home is known.
pub(crate) fn folder() -> Option<PathBuf> {
    let set = |name| env::var_os(name).filter(|value| !value.is_empty()).map(PathBuf::from);
    let home = if cfg!(windows) { "LOCALAPPDATA" } else { "HOME" };
    let below = if cfg!(windows) { "" } else { ".cache" };
    let cache = set("XDG_CACHE_HOME").or_else(|| Some(set(home)?.join(below)))?;
    Some(cache.join("wptserve"))
}

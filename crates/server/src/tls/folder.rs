//! Where the authority of a user is kept.

use std::{env, ffi::OsString, path::PathBuf};

use crate::Error;

/// The folder of the user's authority.
pub(super) fn authority() -> Result<PathBuf, Error> {
    let variable = |name: &str| env::var_os(name).filter(|value| !value.is_empty());
    data(variable).map(|folder| folder.join("wptserve").join("authority")).ok_or_else(|| {
        Error::Authority {
            folder: PathBuf::from("wptserve/authority"),
            reason: format!("no folder for a user's data is known; set {}", VARIABLES.join(" or ")),
        }
    })
}

/// The folder of the user's data: `XDG_DATA_HOME` where it is set, else what the platform has.
fn data(variable: impl Fn(&str) -> Option<OsString>) -> Option<PathBuf> {
    // A relative path there is to be ignored (XDG Base Directory Specification).
    let xdg = variable("XDG_DATA_HOME").map(PathBuf::from).filter(|path| path.is_absolute());
    xdg.or_else(|| {
        if cfg!(windows) {
            variable("LOCALAPPDATA").map(PathBuf::from)
        } else {
            let home = PathBuf::from(variable("HOME")?);
            Some(home.join(if cfg!(target_os = "macos") {
                "Library/Application Support"
            } else {
                ".local/share"
            }))
        }
    })
}

const VARIABLES: [&str; 2] = ["XDG_DATA_HOME", if cfg!(windows) { "LOCALAPPDATA" } else { "HOME" }];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn xdg_comes_first_when_it_is_absolute() {
        let with = |xdg: &'static str| {
            move |name: &str| match name {
                "XDG_DATA_HOME" => Some(OsString::from(xdg)),
                "HOME" | "LOCALAPPDATA" => Some(OsString::from("/home/u")),
                _ => None,
            }
        };
        if cfg!(unix) {
            assert_eq!(data(with("/data")), Some(PathBuf::from("/data")));
        }
        let fallback = data(with("data")).unwrap();
        assert!(fallback.starts_with("/home/u"), "{}", fallback.display());
        assert_eq!(data(|_| None), None);
    }
}

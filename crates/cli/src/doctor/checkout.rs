//! Whether there is a checkout of the tests.

use std::path::Path;

use super::Finding;
use crate::wpt::settings::{MARK, is_checkout};

pub(super) fn check(root: &Path) -> Finding {
    let shown = root.display();
    if is_checkout(root) {
        return Finding::ok("checkout", format!("{shown} has the tests"));
    }
    let reason = if root.is_dir() {
        format!("{shown} is no checkout of web-platform-tests: it has no {MARK}")
    } else {
        format!("{shown} is no directory")
    };
    Finding::problem("checkout", reason, "wptserve doctor path/to/wpt")
}

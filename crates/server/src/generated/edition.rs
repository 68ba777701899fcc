//! Which state of the web-platform-tests a tree is in.

use std::path::Path;

use crate::regular_file;

/// What a tree's pages know of. A tree's harness and its generated pages change together, so a
/// page must be the one that the tree's own server would make.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Edition {
    /// Before May 2022: `self.GLOBAL` knows of windows and workers.
    Workers,
    /// Until early 2025: of shadow realms too, which have one page.
    ShadowRealm,
    /// Until some time in 2026: a page for a shadow realm in each scope. Where there is test262, a
    /// negative test names its error and its phase in a call each.
    ShadowRealms,
    /// The newest, and that of a root that is not such a tree.
    Newest,
}

impl Edition {
    /// The edition of the tree at `root`, looked at once, when the server starts. What its harness
    /// has for the pages to call tells.
    pub fn of(root: &Path) -> Self {
        let resources = root.join("resources");
        let says = |name: &str, word: &[u8]| {
            regular_file::read(&resources.join(name)).ok().map(|text| contains(&text, word))
        };
        if says("testharness.js", b"isShadowRealm") == Some(false) {
            Self::Workers
        } else if resources.join("testharness.js").exists()
            && !resources.join("testharness-shadowrealm-outer.js").exists()
        {
            Self::ShadowRealm
        } else if says("test262/test262-reporter.js", b"test262NegativeType") == Some(true) {
            Self::ShadowRealms
        } else {
            Self::Newest
        }
    }
}

fn contains(text: &[u8], word: &[u8]) -> bool {
    text.windows(word.len()).any(|part| part == word)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs;

    #[test]
    fn the_harness_tells() {
        let root = tempfile::tempdir().unwrap();
        let write = |name: &str, text: &str| {
            let path = root.path().join("resources").join(name);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, text).unwrap();
        };
        assert_eq!(Edition::of(root.path()), Edition::Newest);
        write("testharness.js", "self.GLOBAL.isWorker()");
        assert_eq!(Edition::of(root.path()), Edition::Workers);
        write("testharness.js", "self.GLOBAL.isShadowRealm()");
        assert_eq!(Edition::of(root.path()), Edition::ShadowRealm);
        write("testharness-shadowrealm-outer.js", "");
        assert_eq!(Edition::of(root.path()), Edition::Newest);
        write("test262/test262-reporter.js", "window.test262Negative = x");
        assert_eq!(Edition::of(root.path()), Edition::Newest);
        write("test262/test262-reporter.js", "window.test262NegativeType = x");
        assert_eq!(Edition::of(root.path()), Edition::ShadowRealms);
    }
}

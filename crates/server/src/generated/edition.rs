//! Which state of the web-platform-tests a tree is in.

use std::{fs, path::Path};

/// What a tree's pages know of. A tree's harness and its generated pages change together, so a
/// page must be the one that the tree's own server would make.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Edition {
    /// Before May 2022: `self.GLOBAL` knows of windows and workers.
    Workers,
    /// Since then: of shadow realms too. The newest, and that of a root that is no such tree.
    ShadowRealms,
}

impl Edition {
    /// The edition of the tree at `root`. Its `resources/testharness.js` tells: it asks
    /// `isShadowRealm` of what the pages set. Looked at once, when the server starts.
    pub fn of(root: &Path) -> Self {
        match fs::read(root.join("resources/testharness.js")) {
            Ok(harness) if !contains(&harness, b"isShadowRealm") => Self::Workers,
            _ => Self::ShadowRealms,
        }
    }
}

fn contains(text: &[u8], word: &[u8]) -> bool {
    text.windows(word.len()).any(|part| part == word)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_harness_tells() {
        let root = tempfile::tempdir().unwrap();
        assert_eq!(Edition::of(root.path()), Edition::ShadowRealms);
        fs::create_dir(root.path().join("resources")).unwrap();
        let harness = root.path().join("resources/testharness.js");
        fs::write(&harness, "self.GLOBAL.isWorker()").unwrap();
        assert_eq!(Edition::of(root.path()), Edition::Workers);
        fs::write(&harness, "self.GLOBAL.isShadowRealm()").unwrap();
        assert_eq!(Edition::of(root.path()), Edition::ShadowRealms);
    }
}

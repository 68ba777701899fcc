//! What the relative paths of a configuration start from.

use std::{
    env,
    path::{Path, PathBuf},
};

/// Every checkout of the tests has it, and every copy of one.
pub const CHECKOUT_MARK: &str = "resources/testharness.js";

/// Folders, the first of which that has a path is the one that is meant.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Folders(Vec<PathBuf>);

impl Folders {
    /// Those of a file: the working directory, as in the reference, where a checkout's command is
    /// run in the checkout; then the file's own folder.
    pub(super) fn of_file(checkout: Option<&Path>, folder: &Path) -> Self {
        let folder = std::path::absolute(folder).unwrap_or_else(|_| folder.to_owned());
        let here = env::current_dir().ok();
        Self(here.into_iter().chain(checkout.map(Path::to_owned)).chain([folder]).collect())
    }

    /// The path as it starts from the first folder that has it; from the last one when none has.
    pub fn find(&self, path: impl AsRef<Path>) -> PathBuf {
        let path = path.as_ref();
        let candidate = self.candidates(path).find(|candidate| candidate.exists());
        candidate.or_else(|| self.candidates(path).last()).unwrap_or_else(|| path.to_owned())
    }

    /// The same for a document root: of several folders one with a checkout of the tests is meant.
    pub(super) fn find_document_root(&self, path: &Path) -> PathBuf {
        let checkout = self.candidates(path).find(|root| root.join(CHECKOUT_MARK).is_file());
        checkout.unwrap_or_else(|| self.find(path))
    }

    fn candidates<'a>(&'a self, path: &'a Path) -> impl Iterator<Item = PathBuf> + 'a {
        // A path that is absolute stays what it is.
        self.0.iter().map(move |folder| folder.join(path))
    }
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    #[test]
    fn the_first_folder_that_has_a_path_is_meant() {
        let places = tempfile::tempdir().unwrap();
        let [one, two, three] = ["1", "2", "3"].map(|name| places.path().join(name));
        for folder in [&one, &two, &three] {
            fs::create_dir(folder).unwrap();
        }
        fs::write(two.join("a"), "").unwrap();
        fs::write(three.join("a"), "").unwrap();
        fs::create_dir(three.join("resources")).unwrap();
        fs::write(three.join(CHECKOUT_MARK), "").unwrap();
        let folders = Folders(vec![one.clone(), two.clone(), three.clone()]);
        assert_eq!(folders.find("a"), two.join("a"));
        assert_eq!(folders.find("none"), three.join("none"));
        assert_eq!(folders.find("/none"), Path::new("/none"));
        assert_eq!(folders.find_document_root(Path::new(".")), three.join("."));
        assert_eq!(Folders::default().find("a"), Path::new("a"));
    }
}

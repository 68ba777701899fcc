//! NSS databases: what Firefox, and Chromium on Linux, trust.

use std::path::Path;

/// The commands that make a database trust an authority. Where there is none yet it is made first.
pub(crate) fn commands(folder: &Path, exists: bool, authority: &Path) -> Vec<Vec<String>> {
    let command = |words: &[&str]| words.iter().map(|&word| word.to_owned()).collect();
    let folder = folder.to_string_lossy();
    let database = format!("sql:{folder}");
    let mut commands = Vec::new();
    if !exists {
        commands.push(command(&["mkdir", "-p", &folder]));
        commands.push(command(&["certutil", "-d", &database, "-N", "--empty-password"]));
    }
    let authority = authority.to_string_lossy();
    commands.push(command(&[
        "certutil", "-d", &database, "-A", "-t", "C,,", "-n", NICKNAME, "-i", &authority,
    ]));
    commands
}

/// Whether a folder has a database.
pub(crate) fn is_database(folder: &Path) -> bool {
    folder.join("cert9.db").exists()
}

const NICKNAME: &str = "wptserve local authority";

//! Whether the `// META:` comments of the scripts say what they seem to.

use std::{
    collections::BTreeSet,
    fs,
    path::{Path, PathBuf},
};

use proto::script_metadata::lost_metadata;
use server::generated::KINDS;

use super::Finding;

/// A finding for each script that loses metadata.
pub(super) fn check(root: &Path) -> Vec<Finding> {
    let mut scripts = BTreeSet::new();
    collect(root, &mut scripts);
    let lost = scripts.iter().filter_map(|path| {
        let loss = lost_metadata(&fs::read(path).ok()?)?;
        let place = format!("{}:{}", path.display(), loss.line);
        Some(Finding::warning("metadata", format!("{place}: {}", loss.reason), loss.remedy))
    });
    let lost: Vec<Finding> = lost.collect();
    if lost.is_empty() {
        return vec![Finding::ok("metadata", "no script loses what its // META: lines say")];
    }
    lost
}

/// The scripts below a folder from which pages are generated.
fn collect(folder: &Path, scripts: &mut BTreeSet<PathBuf>) {
    // A folder that cannot be read serves no scripts.
    for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
        let (name, kind) = (entry.file_name(), entry.file_type());
        let name = name.to_string_lossy();
        if name.starts_with('.') {
            continue;
        }
        // A link is not followed: it may lead back.
        match kind {
            Ok(kind) if kind.is_dir() => collect(&entry.path(), scripts),
            Ok(kind) if kind.is_file() && is_source(&name) => {
                scripts.insert(entry.path());
            }
            _ => {}
        }
    }
}

fn is_source(name: &str) -> bool {
    // Those of test262 are all scripts that there are.
    let endings = KINDS.iter().flat_map(|kind| kind.endings).map(|ending| ending.source);
    endings.filter(|ending| *ending != ".js").any(|ending| name.ends_with(ending))
}

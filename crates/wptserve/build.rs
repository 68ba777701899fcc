//! Lists the pure-Python modules, so that they travel inside the extension.

use std::{
    env,
    error::Error,
    fmt::Write,
    fs,
    path::{Path, PathBuf},
};

fn main() -> Result<(), Box<dyn Error>> {
    let root = PathBuf::from(env::var("CARGO_MANIFEST_DIR")?).join("../../python");
    println!("cargo:rerun-if-changed={}", root.join("wptserve").display());
    let mut list = String::from("&[\n");
    add(&root, &root.join("wptserve"), &mut list)?;
    list.push(']');
    fs::write(PathBuf::from(env::var("OUT_DIR")?).join("modules.rs"), list)?;
    Ok(())
}

/// Adds a package's modules and those of the packages in it.
fn add(root: &Path, package: &Path, list: &mut String) -> Result<(), Box<dyn Error>> {
    let mut entries: Vec<PathBuf> =
        fs::read_dir(package)?.map(|entry| entry.map(|e| e.path())).collect::<Result<_, _>>()?;
    entries.sort();
    for path in entries {
        if path.join("__init__.py").is_file() {
            add(root, &path, list)?;
        } else if path.extension().is_some_and(|extension| extension == "py") {
            let relative = path.strip_prefix(root)?.to_str().ok_or("a module's name is no text")?;
            let dotted = relative.trim_end_matches(".py").replace('/', ".");
            let name = dotted.trim_end_matches(".__init__");
            let is_package = name.len() != dotted.len();
            let file = fs::canonicalize(&path)?.display().to_string();
            writeln!(
                list,
                "    Module {{ name: {name:?}, file: {relative:?}, is_package: {is_package}, \
                 source: include_str!({file:?}) }},"
            )?;
        }
    }
    Ok(())
}

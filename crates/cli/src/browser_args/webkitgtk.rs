//! `WebKitGTK`, which has no settings of its own for names and certificates: it takes the system's,
//! and is given a mount namespace in which these have what it needs.

use std::{fs, io, path::Path};

use super::{Output, Reach};
use crate::{Exit, settings::Failure};

/// The command that runs `MiniBrowser`; any other program may stand in its place. The files that it
/// has in place of the system's are written.
pub(super) fn command(reach: &Reach) -> Result<Output, Failure> {
    let folder = reach.folder("webkitgtk");
    let replaced = write(reach, &folder).map_err(|error| Failure {
        exit: Exit::Failure,
        message: format!("{} cannot be written: {error}", folder.display()),
    })?;
    let mut warnings = reach.lacks_authority();
    if reach.authority.is_some() && !replaced.iter().any(|(_, system)| system != HOSTS) {
        warnings.push(
            "no store of the system is known here that could be replaced for the browser alone; \
             for https run `wptserve certs trust`"
                .to_owned(),
        );
    }
    let mut words: Vec<String> =
        ["bwrap", "--dev-bind", "/", "/"].into_iter().map(str::to_owned).collect();
    for (file, system) in replaced {
        words.extend(["--ro-bind".to_owned(), file, system]);
    }
    // A proxy of the system would be asked for names that only this machine knows.
    for variable in ["http_proxy", "https_proxy", "all_proxy"] {
        words.extend(["--unsetenv".to_owned(), variable.to_owned()]);
    }
    words.extend(["MiniBrowser".to_owned(), reach.url()]);
    Ok(Output::command(&words, warnings))
}

/// Writes the files, and returns them with those of the system that they stand for.
fn write(reach: &Reach, folder: &Path) -> io::Result<Vec<(String, String)>> {
    fs::create_dir_all(folder)?;
    let mut replaced = Vec::new();
    let mut replace = |name: &str, system: &str| {
        let file = folder.join(name).to_string_lossy().into_owned();
        replaced.push((file, system.to_owned()));
    };
    let line = |name: &String| format!("{}\t{name}\n", reach.address);
    let ours: String = reach.names.domains.iter().map(line).collect();
    fs::write(folder.join("hosts"), after(HOSTS, ours.as_bytes())?)?;
    replace("hosts", HOSTS);
    let Some(authority) = &reach.authority else {
        return Ok(replaced);
    };
    let authority = fs::read(&authority.path)?;
    for (index, bundle) in BUNDLES.iter().enumerate().filter(|(_, path)| Path::new(path).is_file())
    {
        let name = format!("bundle{index}.pem");
        fs::write(folder.join(&name), after(bundle, &authority)?)?;
        replace(&name, bundle);
    }
    for (index, anchors) in ANCHORS.iter().enumerate().filter(|(_, path)| Path::new(path).is_dir())
    {
        let name = format!("anchors{index}");
        let own = folder.join(&name);
        fs::create_dir_all(&own)?;
        for entry in fs::read_dir(anchors)?.flatten().filter(|entry| entry.path().is_file()) {
            fs::copy(entry.path(), own.join(entry.file_name()))?;
        }
        fs::write(own.join("wptserve.pem"), &authority)?;
        replace(&name, anchors);
    }
    Ok(replaced)
}

/// A file of the system, with more at its end.
fn after(path: &str, more: &[u8]) -> io::Result<Vec<u8>> {
    let mut content = match fs::read(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Vec::new(),
        content => content?,
    };
    if !content.is_empty() && !content.ends_with(b"\n") {
        content.push(b'\n');
    }
    content.extend_from_slice(more);
    Ok(content)
}

const HOSTS: &str = "/etc/hosts";

/// The files of all that is trusted, from which `GnuTLS` takes it on Debian.
const BUNDLES: [&str; 1] = ["/etc/ssl/certs/ca-certificates.crt"];

/// The folders of what is trusted beside it, which p11-kit reads on Fedora and Arch Linux.
const ANCHORS: [&str; 2] =
    ["/etc/pki/ca-trust/source/anchors", "/etc/ca-certificates/trust-source/anchors"];

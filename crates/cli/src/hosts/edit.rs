//! Reading and replacing the hosts file.

use std::{
    env,
    fs::{self, File},
    io::{self, ErrorKind, Write},
    net::IpAddr,
    path::{Path, PathBuf},
};

use super::HostsArguments;
use crate::{environment::EnvironmentArguments, shell::quoted};

/// The hosts file of this system.
pub(super) fn system_file() -> PathBuf {
    if cfg!(windows) {
        let root = env::var_os("SystemRoot").unwrap_or_else(|| r"C:\Windows".into());
        return Path::new(&root).join(r"System32\drivers\etc\hosts");
    }
    PathBuf::from("/etc/hosts")
}

/// The file's bytes; none when there is no file.
pub(super) fn read(path: &Path) -> io::Result<Vec<u8>> {
    match fs::read(path) {
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(Vec::new()),
        result => result,
    }
}

/// Replaces the file's content: at once where that is possible, else in place.
pub(super) fn write(path: &Path, content: &[u8]) -> io::Result<()> {
    // A link goes on leading to the file.
    let path = fs::canonicalize(path).unwrap_or_else(|_| path.to_owned());
    match replace(&path, content) {
        Ok(()) => Ok(()),
        // A mounted file, as in containers, cannot be replaced, nor can one in a folder that is not
        // to be written to; its content can.
        Err(_) => overwrite(&path, content),
    }
}

fn replace(path: &Path, content: &[u8]) -> io::Result<()> {
    let mut partial = path.as_os_str().to_owned();
    partial.push(format!(".{}", std::process::id()));
    let partial = PathBuf::from(partial);
    let written = (|| {
        let mut file = File::create_new(&partial)?;
        if let Ok(metadata) = fs::metadata(path) {
            file.set_permissions(metadata.permissions())?;
            keep_owner(&partial, &metadata)?;
        }
        file.write_all(content)?;
        file.sync_all()?;
        fs::rename(&partial, path)
    })();
    if written.is_err() {
        // It may never have been there.
        let _gone = fs::remove_file(&partial);
    }
    written
}

#[cfg(unix)]
fn keep_owner(path: &Path, metadata: &fs::Metadata) -> io::Result<()> {
    use std::os::unix::fs::{MetadataExt, chown};
    chown(path, Some(metadata.uid()), Some(metadata.gid()))
}

#[cfg(not(unix))]
#[expect(clippy::unnecessary_wraps, reason = "it can fail elsewhere")]
fn keep_owner(_path: &Path, _metadata: &fs::Metadata) -> io::Result<()> {
    Ok(())
}

fn overwrite(path: &Path, content: &[u8]) -> io::Result<()> {
    let mut file = File::options().write(true).create(true).truncate(true).open(path)?;
    file.write_all(content)?;
    file.sync_all()
}

/// What to tell when the file cannot be written.
pub(super) fn cannot_write(path: &Path, arguments: &HostsArguments, error: &io::Error) -> String {
    let told = format!("the hosts file {} cannot be written: {error}", path.display());
    if !matches!(error.kind(), ErrorKind::PermissionDenied | ErrorKind::ReadOnlyFilesystem) {
        return told;
    }
    if cfg!(windows) {
        return format!("{told}; run the command in a terminal of an administrator");
    }
    format!("{told}; run `{}`", with_sudo(arguments))
}

/// The same command with another user's rights.
fn with_sudo(arguments: &HostsArguments) -> String {
    let HostsArguments { install, ip, file, environment, .. } = arguments;
    let EnvironmentArguments { root, config } = environment;
    let mut words = ["sudo", "wptserve", "hosts"].map(str::to_owned).to_vec();
    words.push(if *install { "--install" } else { "--remove" }.to_owned());
    if *ip != IpAddr::from([127, 0, 0, 1]) {
        words.push(format!("--ip {ip}"));
    }
    for (name, path) in [("file", file), ("root", root), ("config", config)] {
        let path = path.as_ref().map(|path| quoted(&path.to_string_lossy()));
        words.extend(path.map(|path| format!("--{name} {path}")));
    }
    words.join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn arguments() -> HostsArguments {
        HostsArguments {
            install: true,
            remove: false,
            ip: [127, 0, 0, 1].into(),
            file: Some("/etc/my hosts".into()),
            environment: EnvironmentArguments { root: None, config: Some("c.json".into()) },
        }
    }

    #[test]
    #[cfg(unix)]
    fn a_lack_of_rights_names_the_command() {
        let text = cannot_write(
            Path::new("/etc/my hosts"),
            &arguments(),
            &io::Error::from(ErrorKind::PermissionDenied),
        );
        assert_eq!(
            text,
            "the hosts file /etc/my hosts cannot be written: permission denied; run \
             `sudo wptserve hosts --install --file '/etc/my hosts' --config c.json`"
        );
        let other = io::Error::from(ErrorKind::StorageFull);
        assert!(!cannot_write(Path::new("/x"), &arguments(), &other).contains("sudo"));
    }

    #[test]
    #[cfg(unix)]
    fn a_file_is_replaced_with_its_mode_and_behind_links() {
        use std::os::unix::fs::{PermissionsExt, symlink};
        let folder = tempfile::tempdir().unwrap();
        let (file, link) = (folder.path().join("hosts"), folder.path().join("link"));
        fs::write(&file, "old").unwrap();
        fs::set_permissions(&file, fs::Permissions::from_mode(0o640)).unwrap();
        symlink(&file, &link).unwrap();
        write(&link, b"new").unwrap();
        assert_eq!(fs::read(&file).unwrap(), b"new");
        assert_eq!(fs::metadata(&file).unwrap().permissions().mode() & 0o777, 0o640);
        assert!(fs::symlink_metadata(&link).unwrap().is_symlink());
        overwrite(&file, b"n").unwrap();
        assert_eq!(fs::read(&file).unwrap(), b"n");
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 2, "nothing is left over");
    }
}

//! `wptserve certs trust`: the commands of this platform that make the authority trusted.

use std::{
    env, fs,
    path::{Path, PathBuf},
};

use server::tls::Authority;

use super::nss;
use crate::{
    Exit, log,
    settings::Failure,
    shell::{execute, is_root, line},
};

/// One store of trusted certificates.
#[derive(Debug, PartialEq, Eq)]
struct Store {
    name: String,
    commands: Vec<Vec<String>>,
}

/// Prints the commands, or runs them.
pub(super) fn trust(run: bool) -> Result<(), Failure> {
    let authority = Authority::open()?;
    let machine = Machine::this();
    let stores = machine.stores(authority.path());
    let mut failed = Vec::new();
    for Store { name, commands } in &stores {
        log::print(&format!("# {name}\n"));
        for command in commands {
            log::print(&format!("{}\n", line(command)));
            if run && let Err(reason) = execute(command) {
                log::warning(&reason);
                failed.push(name.as_str());
                break;
            }
        }
    }
    if failed.is_empty() {
        return Ok(());
    }
    let message = format!("not every store trusts the authority now: {}", failed.join(", "));
    Err(Failure { exit: Exit::Failure, message })
}

/// What decides on the commands.
struct Machine {
    system: System,
    home: PathBuf,
    /// Whether commands for the system need `sudo`.
    sudo: bool,
    /// The NSS databases of Firefox's profiles.
    profiles: Vec<PathBuf>,
    /// The folder of Chromium's NSS database, and whether it is there.
    nss: (PathBuf, bool),
}

/// Where a system keeps what it trusts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum System {
    Debian,
    RedHat,
    /// p11-kit's `trust`, as in Arch Linux.
    Trust,
    MacOs,
    Windows,
}

impl Machine {
    fn this() -> Self {
        let home = env::home_dir().unwrap_or_default();
        let system = if cfg!(windows) {
            System::Windows
        } else if cfg!(target_os = "macos") {
            System::MacOs
        } else if Path::new("/etc/pki/ca-trust/source/anchors").is_dir() {
            System::RedHat
        } else if Path::new("/usr/sbin/update-ca-certificates").exists()
            || Path::new("/usr/local/share/ca-certificates").is_dir()
        {
            System::Debian
        } else {
            System::Trust
        };
        let folder = |name| env::var_os(name).map(PathBuf::from).filter(|path| path.is_absolute());
        let config = folder("XDG_CONFIG_HOME").unwrap_or_else(|| home.join(".config"));
        let data = folder("XDG_DATA_HOME").unwrap_or_else(|| home.join(".local/share"));
        let profiles = if cfg!(windows) { Vec::new() } else { profiles(&home, &config) };
        let nss = chromium_nss(&home, &data);
        let nss = (nss.clone(), nss::is_database(&nss));
        Self { system, sudo: !is_root(), profiles, nss, home }
    }

    fn stores(&self, authority: &Path) -> Vec<Store> {
        let ca = authority.to_string_lossy().into_owned();
        let as_root = |command: &[&str]| {
            let sudo = self.sudo.then_some("sudo");
            sudo.into_iter().chain(command.iter().copied()).map(str::to_owned).collect()
        };
        let command = |command: &[&str]| command.iter().map(|&word| word.to_owned()).collect();
        let keychain = self.home.join("Library/Keychains/login.keychain-db");
        let keychain = keychain.to_string_lossy();
        let commands = match self.system {
            System::Debian => vec![
                as_root(&["cp", &ca, "/usr/local/share/ca-certificates/wptserve.crt"]),
                as_root(&["update-ca-certificates"]),
            ],
            System::RedHat => vec![
                as_root(&["cp", &ca, "/etc/pki/ca-trust/source/anchors/wptserve.pem"]),
                as_root(&["update-ca-trust"]),
            ],
            System::Trust => vec![as_root(&["trust", "anchor", "--store", &ca])],
            System::MacOs => {
                let trust = ["security", "add-trusted-cert", "-r", "trustRoot", "-k"];
                vec![command(&[&trust[..], &[&keychain, &ca]].concat())]
            }
            System::Windows => vec![command(&["certutil", "-user", "-addstore", "Root", &ca])],
        };
        let mut stores = vec![Store { name: "the system's store".to_owned(), commands }];
        if matches!(self.system, System::Debian | System::RedHat | System::Trust) {
            let (folder, exists) = &self.nss;
            let commands = nss::commands(folder, *exists, authority);
            stores.push(Store { name: "Chromium's NSS store".to_owned(), commands });
        }
        for profile in &self.profiles {
            let name = profile.file_name().unwrap_or_default().to_string_lossy();
            stores.push(Store {
                name: format!("Firefox's profile {name}"),
                commands: nss::commands(profile, true, authority),
            });
        }
        stores
    }
}

/// The profiles of Firefox that have a store.
fn profiles(home: &Path, config: &Path) -> Vec<PathBuf> {
    let mut profiles: Vec<PathBuf> = FIREFOX
        .iter()
        .map(|folder| home.join(folder))
        .chain([config.join("mozilla/firefox")])
        .filter_map(|folder| fs::read_dir(folder).ok())
        .flat_map(|entries| entries.flatten().map(|entry| entry.path()))
        .filter(|profile| nss::is_database(profile))
        .collect();
    profiles.sort();
    profiles
}

/// The folder of Chromium's store. Chromium looks for the older one first, so to make that would
/// hide what the user has in the newer. Older versions of it know the older one only.
fn chromium_nss(home: &Path, data: &Path) -> PathBuf {
    let (older, newer) = (home.join(".pki/nssdb"), data.join("pki/nssdb"));
    if !older.exists() && newer.exists() { newer } else { older }
}

const FIREFOX: [&str; 3] = [
    ".mozilla/firefox",
    "snap/firefox/common/.mozilla/firefox",
    "Library/Application Support/Firefox/Profiles",
];

#[cfg(test)]
mod tests {
    use super::*;

    fn commands(system: System) -> String {
        let machine = Machine {
            system,
            home: PathBuf::from("/home/u"),
            sudo: true,
            profiles: vec![PathBuf::from("/home/u/.mozilla/firefox/x.default")],
            nss: (PathBuf::from("/home/u/.pki/nssdb"), false),
        };
        let stores = machine.stores(Path::new("/home/u/my data/ca.pem"));
        let text = |store: &Store| {
            let lines: Vec<String> = store.commands.iter().map(|command| line(command)).collect();
            format!("# {}\n{}\n", store.name, lines.join("\n"))
        };
        stores.iter().map(text).collect::<Vec<_>>().concat()
    }

    #[test]
    fn each_system_has_its_commands() {
        let systems =
            [System::Debian, System::RedHat, System::Trust, System::MacOs, System::Windows];
        let texts = systems.map(|system| format!("{system:?}\n{}\n", commands(system)));
        insta::assert_snapshot!(texts.concat());
    }

    #[test]
    fn chromium_keeps_the_store_that_it_has() {
        let directory = tempfile::TempDir::new().unwrap();
        let (home, data) = (directory.path().join("home"), directory.path().join("data"));
        let (older, newer) = (home.join(".pki/nssdb"), data.join("pki/nssdb"));
        assert_eq!(chromium_nss(&home, &data), older);
        fs::create_dir_all(&newer).unwrap();
        assert_eq!(chromium_nss(&home, &data), newer);
        fs::create_dir_all(&older).unwrap();
        assert_eq!(chromium_nss(&home, &data), older);
    }

    #[test]
    fn profiles_of_firefox_are_found_where_the_configuration_is() {
        let directory = tempfile::TempDir::new().unwrap();
        let (home, config) = (directory.path().join("home"), directory.path().join("config"));
        let profile = config.join("mozilla/firefox/x.default");
        fs::create_dir_all(&profile).unwrap();
        assert_eq!(profiles(&home, &config), Vec::<PathBuf>::new());
        fs::write(profile.join("cert9.db"), "").unwrap();
        assert_eq!(profiles(&home, &config), [profile]);
    }
}

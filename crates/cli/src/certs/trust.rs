//! `wptserve certs trust`: the commands of this platform that make the authority trusted.

use std::{
    env, fs, io,
    path::{Path, PathBuf},
    process::Command,
};

use server::tls::Authority;

use crate::{Exit, log, settings::Failure};

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

fn execute(command: &[String]) -> Result<(), String> {
    let Some((program, arguments)) = command.split_first() else {
        return Ok(());
    };
    match Command::new(program).args(arguments).status() {
        Ok(status) if status.success() => Ok(()),
        Ok(status) => Err(format!("`{}` failed: {status}", line(command))),
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            let hint = if program == "certutil" {
                "; it is in the package libnss3-tools or nss-tools"
            } else {
                ""
            };
            Err(format!("the program {program} is not installed{hint}"))
        }
        Err(error) => Err(format!("`{}` cannot be run: {error}", line(command))),
    }
}

/// What decides on the commands.
struct Machine {
    system: System,
    home: PathBuf,
    /// Whether commands for the system need `sudo`.
    sudo: bool,
    /// The NSS databases of Firefox's profiles.
    profiles: Vec<PathBuf>,
    /// Whether Chromium's NSS database is there.
    has_nss: bool,
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
        let profiles = if cfg!(windows) { Vec::new() } else { profiles(&home) };
        let has_nss = home.join(NSS).join("cert9.db").exists();
        Self { system, sudo: !is_root(), profiles, has_nss, home }
    }

    fn stores(&self, ca: &Path) -> Vec<Store> {
        let ca = ca.to_string_lossy().into_owned();
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
        let add = |database: &str| {
            command(&["certutil", "-d", database, "-A", "-t", "C,,", "-n", NICKNAME, "-i", &ca])
        };
        if matches!(self.system, System::Debian | System::RedHat | System::Trust) {
            let folder = self.home.join(NSS);
            let folder = folder.to_string_lossy();
            let database = format!("sql:{folder}");
            let mut commands = Vec::new();
            if !self.has_nss {
                commands.push(command(&["mkdir", "-p", &folder]));
                commands.push(command(&["certutil", "-d", &database, "-N", "--empty-password"]));
            }
            commands.push(add(&database));
            stores.push(Store { name: "Chromium's NSS store".to_owned(), commands });
        }
        for profile in &self.profiles {
            let name = profile.file_name().unwrap_or_default().to_string_lossy();
            stores.push(Store {
                name: format!("Firefox's profile {name}"),
                commands: vec![add(&format!("sql:{}", profile.display()))],
            });
        }
        stores
    }
}

/// The profiles of Firefox that have a store.
fn profiles(home: &Path) -> Vec<PathBuf> {
    let mut profiles: Vec<PathBuf> = FIREFOX
        .iter()
        .filter_map(|folder| fs::read_dir(home.join(folder)).ok())
        .flat_map(|entries| entries.flatten().map(|entry| entry.path()))
        .filter(|profile| profile.join("cert9.db").exists())
        .collect();
    profiles.sort();
    profiles
}

/// Whether this process may do everything: its own entry below /proc belongs to its user.
#[cfg(unix)]
fn is_root() -> bool {
    use std::os::unix::fs::MetadataExt;
    fs::metadata("/proc/self").is_ok_and(|metadata| metadata.uid() == 0)
}

#[cfg(not(unix))]
fn is_root() -> bool {
    false
}

/// A command as a shell takes it.
fn line(command: &[String]) -> String {
    let quoted = |word: &String| {
        let plain = |c: char| c.is_ascii_alphanumeric() || "-_./:,=".contains(c);
        if !word.is_empty() && word.chars().all(plain) {
            word.clone()
        } else {
            format!("'{}'", word.replace('\'', r"'\''"))
        }
    };
    command.iter().map(quoted).collect::<Vec<_>>().join(" ")
}

const NSS: &str = ".pki/nssdb";
const NICKNAME: &str = "wptserve local authority";
const FIREFOX: [&str; 4] = [
    ".mozilla/firefox",
    ".config/mozilla/firefox",
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
            has_nss: false,
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
}

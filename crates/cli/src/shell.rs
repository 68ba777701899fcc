//! Commands: their words for a POSIX shell, and how they are run.

#[cfg(unix)]
use std::fs;
use std::{io, process::Command};

/// A word as a shell and xargs read it.
pub(crate) fn quoted(word: &str) -> String {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-_./:=,@%+".contains(&byte);
    if !word.is_empty() && word.bytes().all(plain) {
        return word.to_owned();
    }
    format!("'{}'", word.replace('\'', r"'\''"))
}

/// A command as a shell takes it.
pub(crate) fn line(command: &[String]) -> String {
    command.iter().map(|word| quoted(word)).collect::<Vec<_>>().join(" ")
}

/// Runs a command to its end. Standard output is for what is asked for, so what it prints goes to
/// standard error.
pub(crate) fn execute(command: &[String]) -> Result<(), String> {
    let Some((program, arguments)) = command.split_first() else {
        return Ok(());
    };
    match Command::new(program).args(arguments).stdout(io::stderr()).status() {
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

/// Whether this process may do everything: its own entry below /proc belongs to its user.
#[cfg(unix)]
pub(crate) fn is_root() -> bool {
    use std::os::unix::fs::MetadataExt;
    fs::metadata("/proc/self").is_ok_and(|metadata| metadata.uid() == 0)
}

#[cfg(not(unix))]
pub(crate) fn is_root() -> bool {
    false
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_quoted_where_needed() {
        assert_eq!(quoted("--a=b/c.d"), "--a=b/c.d");
        assert_eq!(quoted("MAP * ~N"), "'MAP * ~N'");
        assert_eq!(quoted("it's"), r"'it'\''s'");
        assert_eq!(quoted(""), "''");
    }
}

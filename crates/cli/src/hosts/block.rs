//! The text of a hosts file with and without our entries.

use std::{collections::HashSet, net::IpAddr};

use server::config::HostNames;

/// The entries for an address.
#[derive(Debug)]
pub(super) struct Entries<'a> {
    pub(super) names: &'a HostNames,
    pub(super) ip: IpAddr,
    /// Whether names that are not to resolve have an entry too. Only Windows takes 0.0.0.0 for no
    /// address.
    pub(super) excludes: bool,
}

/// What is to be done to a file.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Change {
    pub(super) after: Vec<u8>,
    /// What has been done, once it is.
    pub(super) said: String,
    /// Entries in the way.
    pub(super) warnings: Vec<String>,
}

impl Entries<'_> {
    /// All entries between the reference's comments, in its order.
    pub(super) fn text(&self) -> String {
        self.block(&HashSet::new(), "\n").concat()
    }

    /// The lines of the block, without the names that are there already.
    fn block(&self, present: &HashSet<String>, end: &str) -> Vec<String> {
        let entries = self.names.domains.iter().map(|name| (self.ip.to_string(), name));
        let excluded = self.names.not_domains.iter().map(|name| ("0.0.0.0".to_owned(), name));
        let excluded = excluded.filter(|_| self.excludes);
        let mut lines: Vec<String> = entries
            .chain(excluded)
            .filter(|(_, name)| !present.contains(&name.to_lowercase()))
            .map(|(ip, name)| format!("{ip}\t{name}{end}"))
            .collect();
        if !lines.is_empty() {
            lines.insert(0, format!("{START}{end}"));
            lines.push(format!("{END}{end}"));
        }
        lines
    }

    /// The file with the entries: in the place of those that are there, else at the end. Entries
    /// from elsewhere are left, and not repeated.
    pub(super) fn install(&self, before: &[u8]) -> Result<Change, String> {
        let file = File::parse(before)?;
        let mut present = HashSet::new();
        let mut warnings = Vec::new();
        for (number, line) in file.kept() {
            for name in line.names().filter(|name| self.knows(name)) {
                if line.address() == Some(self.ip) {
                    present.insert(name);
                } else if line.address().is_some_and(|ip| ip.is_ipv4() == self.ip.is_ipv4())
                    && file.start().is_none_or(|start| number < start)
                {
                    warnings.push(format!(
                        "line {number} gives {name} another address and comes first; remove it"
                    ));
                }
            }
        }
        let block = self.block(&present, file.line_end());
        let count = block.len().saturating_sub(2);
        let mut after = Vec::new();
        let mut put = false;
        for line in &file.lines {
            if !line.ours {
                after.extend_from_slice(line.bytes);
            } else if !put {
                put = true;
                after.extend(block.concat().bytes());
            }
        }
        if !put && !block.is_empty() {
            if !after.is_empty() && !after.ends_with(b"\n") {
                after.extend(file.line_end().bytes());
            }
            after.extend(block.concat().bytes());
        }
        let said = match (after == before, count, present.len()) {
            (true, ..) => "all names are there already; nothing is changed".to_owned(),
            (false, count, 0) => format!("{count} entries are there now"),
            (false, count, present) => {
                format!("{count} entries are there now, beside {present} from elsewhere")
            }
        };
        Ok(Change { after, said, warnings })
    }

    /// The file without the entries, and without those of the same form that have no comments
    /// around them: a loopback address or the given one, a tab, one of the names.
    pub(super) fn remove(&self, before: &[u8]) -> Result<Change, String> {
        let file = File::parse(before)?;
        let (mut after, mut count) = (Vec::new(), 0);
        for line in &file.lines {
            let bare = self.is_bare_entry(line);
            if line.ours || bare {
                count += usize::from(bare || line.address().is_some());
            } else {
                after.extend_from_slice(line.bytes);
            }
        }
        let said = match count {
            0 => "there are no entries; nothing is changed".to_owned(),
            count => format!("{count} entries are removed"),
        };
        Ok(Change { after, said, warnings: Vec::new() })
    }

    fn is_bare_entry(&self, line: &Line<'_>) -> bool {
        let text = line.text();
        let Some((address, name)) = text.split_once('\t') else {
            return false;
        };
        let address = address.parse::<IpAddr>();
        // The system's own line.
        name != "localhost"
            && self.knows(name)
            && address.is_ok_and(|ip| ip.is_loopback() || ip == self.ip)
    }

    fn knows(&self, name: &str) -> bool {
        self.names.domains.iter().any(|known| known.eq_ignore_ascii_case(name))
    }
}

/// A hosts file by lines.
struct File<'a> {
    lines: Vec<Line<'a>>,
}

struct Line<'a> {
    bytes: &'a [u8],
    /// Whether it belongs to a block between our comments.
    ours: bool,
}

impl<'a> File<'a> {
    fn parse(text: &'a [u8]) -> Result<Self, String> {
        let mut lines = Vec::new();
        let mut begun = None;
        for (index, bytes) in text.split_inclusive(|byte| *byte == b'\n').enumerate() {
            let mut line = Line { bytes, ours: false };
            match (line.text().as_str(), begun) {
                (START, None) => begun = Some(index + 1),
                (START, Some(start)) => return Err(endless(start)),
                _ => {}
            }
            line.ours = begun.is_some();
            if line.text() == END {
                begun = None;
            }
            lines.push(line);
        }
        match begun {
            Some(start) => Err(endless(start)),
            None => Ok(Self { lines }),
        }
    }

    /// The lines that are not ours, with their numbers.
    fn kept(&self) -> impl Iterator<Item = (usize, &Line<'a>)> {
        self.lines.iter().enumerate().filter(|(_, line)| !line.ours).map(|(i, line)| (i + 1, line))
    }

    /// The number of the line at which our entries are.
    fn start(&self) -> Option<usize> {
        self.lines.iter().position(|line| line.ours).map(|index| index + 1)
    }

    fn line_end(&self) -> &'static str {
        let windows = match self.lines.first() {
            Some(line) => line.bytes.ends_with(b"\r\n"),
            None => cfg!(windows),
        };
        if windows { "\r\n" } else { "\n" }
    }
}

fn endless(start: usize) -> String {
    format!("line {start}, `{START}`, has no `{END}` after it; add it behind the last entry")
}

impl Line<'_> {
    /// The line without its end. Bytes that are no text are in no entry of ours.
    fn text(&self) -> String {
        String::from_utf8_lossy(self.bytes).trim_end().to_owned()
    }

    fn fields(&self) -> Vec<String> {
        let text = self.text();
        let entry = text.split('#').next().unwrap_or_default();
        entry.split_whitespace().map(str::to_lowercase).collect()
    }

    fn address(&self) -> Option<IpAddr> {
        self.fields().first()?.parse().ok()
    }

    fn names(&self) -> impl Iterator<Item = String> {
        self.fields().into_iter().skip(1)
    }
}

/// The comments that the reference puts around its entries.
const START: &str = "# Start web-platform-tests hosts";
const END: &str = "# End web-platform-tests hosts";

#[cfg(test)]
mod tests {
    use server::Config;

    use super::*;

    fn names() -> HostNames {
        let config = Config {
            browser_host: "a.test".to_owned(),
            subdomains: vec!["www".to_owned()],
            not_subdomains: vec!["no".to_owned()],
            ..Config::default()
        };
        config.host_names()
    }

    fn with<T>(check: impl Fn(&Entries<'_>) -> T) -> T {
        check(&Entries { names: &names(), ip: [127, 0, 0, 1].into(), excludes: false })
    }

    fn install(before: &str) -> (String, Vec<String>) {
        let change = with(|entries| entries.install(before.as_bytes()).unwrap());
        (String::from_utf8(change.after).unwrap(), change.warnings)
    }

    fn names_text() -> String {
        Entries { names: &names(), ip: [127, 0, 0, 1].into(), excludes: false }.text()
    }

    fn remove(before: &str) -> String {
        let change = with(|entries| entries.remove(before.as_bytes()).unwrap());
        String::from_utf8(change.after).unwrap()
    }

    const BLOCK: &str = "# Start web-platform-tests hosts\n127.0.0.1\ta.test\n\
                         127.0.0.1\twww.a.test\n# End web-platform-tests hosts\n";

    #[test]
    fn entries_are_put_at_the_end_and_taken_out_again() {
        for before in ["", "127.0.0.1 localhost\n", "# caf\u{e9} \n\n::1\tlocalhost # x\n"] {
            let (after, warnings) = install(before);
            assert_eq!(after, format!("{before}{BLOCK}"));
            assert_eq!(warnings, [""; 0]);
            assert_eq!(install(&after).0, after, "a second time");
            assert_eq!(remove(&after), before);
        }
        assert_eq!(install("127.0.0.1 x").0, format!("127.0.0.1 x\n{BLOCK}"));
    }

    #[test]
    fn bytes_that_are_no_text_are_kept() {
        let before = b"\xff\xfe 127.0.0.1\n";
        let after = with(|entries| entries.install(before).unwrap().after);
        assert_eq!(after, [before, BLOCK.as_bytes()].concat());
        assert_eq!(with(|entries| entries.remove(&after).unwrap().after), before);
    }

    #[test]
    fn older_entries_are_replaced_in_their_place() {
        let old = BLOCK.replace("127.0.0.1", "10.0.0.1").replace("\twww", "\tother");
        assert_eq!(install(&format!("a\n{old}b\n{old}")).0, format!("a\n{BLOCK}b\n"));
    }

    #[test]
    fn entries_from_elsewhere_are_not_repeated() {
        let (after, _) = install("127.0.0.1 A.test x # mine\n");
        let block = BLOCK.replace("127.0.0.1\ta.test\n", "");
        assert_eq!(after, format!("127.0.0.1 A.test x # mine\n{block}"));
        let bare = "127.0.0.1\ta.test\n127.0.0.1\twww.a.test\n";
        assert_eq!(install(bare).0, bare);
        assert_eq!(
            remove(&format!("1.1.1.1\ta.test\n{bare}127.0.0.1 a.test\n")),
            "1.1.1.1\ta.test\n127.0.0.1 a.test\n"
        );
    }

    #[test]
    fn an_entry_that_comes_first_is_told() {
        let (after, warnings) = install("# 10.0.0.1 a.test\n10.0.0.1 a.test\n::1 a.test\n");
        assert!(after.ends_with(BLOCK));
        assert_eq!(warnings, ["line 2 gives a.test another address and comes first; remove it"]);
    }

    #[test]
    fn line_ends_are_those_of_the_file() {
        let (after, _) = install("127.0.0.1 localhost\r\n");
        assert_eq!(after, format!("127.0.0.1 localhost\r\n{}", BLOCK.replace('\n', "\r\n")));
        assert_eq!(remove(&after), "127.0.0.1 localhost\r\n");
    }

    #[test]
    fn a_block_without_an_end_is_left_alone() {
        let text = "x\n# Start web-platform-tests hosts\n127.0.0.1 a.test\n";
        let reason = with(|entries| entries.install(text.as_bytes()).unwrap_err());
        assert!(reason.starts_with("line 2, "), "{reason}");
        assert!(with(|entries| entries.remove(text.as_bytes())).is_err());
    }

    #[test]
    fn names_that_are_not_to_resolve_are_for_windows() {
        let names = names();
        let entries = Entries { names: &names, ip: [127, 0, 0, 1].into(), excludes: true };
        assert!(entries.text().contains("127.0.0.1\twww.a.test\n0.0.0.0\tno.a.test\n# End"));
        assert_eq!(names_text(), BLOCK);
    }
}

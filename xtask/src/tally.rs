//! How many test cases passed and failed, read from what test runners print.

use std::ops::AddAssign;

/// A number of test cases.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Tally {
    pub(crate) passed: usize,
    pub(crate) failed: usize,
}

impl AddAssign for Tally {
    fn add_assign(&mut self, other: Self) {
        self.passed += other.passed;
        self.failed += other.failed;
    }
}

impl Tally {
    /// Adds up the summary lines of pytest, nextest, `cargo test` and unittest.
    pub(crate) fn of(output: &str) -> Self {
        let mut sum = Self::default();
        for line in output.lines() {
            let line = line.trim_matches([' ', '=']);
            if line.starts_with("test result:")
                || line.starts_with("Summary [")
                || is_summary_of_pytest(line)
            {
                sum.passed += number_before(line, "passed");
                // A test that pytest could not set up is an "error", or one of several "errors".
                sum.failed += number_before(line, "failed") + number_before(line, "error");
            } else if let Some(rest) = line.strip_prefix("Ran ") {
                sum.passed += first_number(rest);
            } else if let Some(rest) = line.strip_prefix("FAILED (") {
                let failed = rest
                    .split(", ")
                    .filter(|part| part.starts_with("failures=") || part.starts_with("errors="));
                let failed = failed.map(|part| part.split('=').next_back().map_or(0, first_number));
                let failed = failed.sum();
                sum.passed = sum.passed.saturating_sub(failed);
                sum.failed += failed;
            }
        }
        sum
    }
}

/// As in `2 failed, 31 passed, 1 skipped in 4.02s`.
fn is_summary_of_pytest(line: &str) -> bool {
    line.starts_with(|first: char| first.is_ascii_digit())
        && line.split_once(" in ").is_some_and(|(_, time)| {
            time.starts_with(|first: char| first.is_ascii_digit()) && time.contains('s')
        })
}

/// The number before the first word that starts with `word`, else 0.
fn number_before(line: &str, word: &str) -> usize {
    let mut words = line.split(' ').peekable();
    while let Some(number) = words.next() {
        if words.peek().is_some_and(|next| next.starts_with(word))
            && let Ok(number) = number.parse()
        {
            return number;
        }
    }
    0
}

fn first_number(text: &str) -> usize {
    let digits = text.find(|byte: char| !byte.is_ascii_digit()).unwrap_or(text.len());
    text[..digits].parse().unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::Tally;

    #[track_caller]
    fn check(output: &str, passed: usize, failed: usize) {
        assert_eq!(Tally::of(output), Tally { passed, failed });
    }

    #[test]
    fn pytest() {
        check("....\n31 passed, 1 skipped in 4.02s\n", 31, 0);
        check("=== 2 failed, 31 passed, 1 error in 64.20s (0:01:04) ===\n", 31, 3);
        check("no tests ran in 0.01s\n3 passed the door\n", 0, 0);
    }

    #[test]
    fn cargo_test_and_nextest() {
        let line = "test result: ok. 12 passed; 1 failed; 0 ignored; 0 measured; 0 filtered out";
        check(&format!("{line}\n{line}"), 24, 2);
        check("     Summary [   1.1s] 9 tests run: 7 passed (1 slow), 2 failed, 0 skipped", 7, 2);
    }

    #[test]
    fn unittest() {
        check("Ran 14 tests in 0.014s\n\nOK\n", 14, 0);
        check("Ran 14 tests in 0.014s\n\nFAILED (failures=1, errors=2, skipped=4)\n", 11, 3);
    }
}

//! Route patterns.

use std::ops::Range;
use thiserror::Error;

/// A route's pattern, which matches whole paths.
///
/// - `{name}` matches one or more bytes other than `/`, as many as it can.
/// - One `*` matches any bytes, none as well. What follows it must end the
///   path, and belongs to what the star matched: `/x/*.py` on `/x/a/b.py`
///   gives `a/b.py`.
/// - Everything else matches itself. A backslash keeps the next character from
///   being special, but is matched itself, as in the reference.
/// - A `/` is put before a pattern that does not start with one.
#[derive(Clone, Debug)]
pub struct Pattern {
    source: String,
    /// What stands before the star, literals never side by side.
    parts: Vec<Part>,
    /// What must end the path, if there is a star.
    star_suffix: Option<Vec<u8>>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Part {
    Literal(Vec<u8>),
    Group(String),
}

/// The names of groups and what they matched, as ranges of the path.
type Groups = Vec<(String, Range<usize>)>;

/// Where a pattern matched, as ranges of the path.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct RouteMatch {
    /// What each `{name}` matched, in the pattern's order.
    pub groups: Vec<(String, Range<usize>)>,
    /// What the `*` and all after it matched.
    pub star: Option<Range<usize>>,
}

/// Why a text is no pattern.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
pub enum PatternError {
    /// A `{` starts no `{name}`.
    #[error("route pattern {0:?}: write {{name}}, with letters, digits and _ for the name")]
    BadGroup(String),
    /// Two groups have the same name.
    #[error("route pattern {0:?}: {{{1}}} comes twice")]
    RepeatedGroup(String, String),
    /// A group stands after the star.
    #[error("route pattern {0:?}: no {{name}} can follow the *")]
    GroupAfterStar(String),
    /// There is more than one star.
    #[error("route pattern {0:?}: only one * is possible")]
    SecondStar(String),
}

impl Pattern {
    /// Reads a pattern.
    pub fn compile(pattern: &str) -> Result<Self, PatternError> {
        let mut parts = Vec::new();
        let mut star = false;
        let mut literal = Vec::new();
        if !pattern.starts_with('/') {
            literal.push(b'/');
        }
        let mut rest = pattern;
        while let Some(character) = rest.chars().next() {
            rest = match character {
                '{' => {
                    let (name, tail) = group_name(rest)
                        .ok_or_else(|| PatternError::BadGroup(pattern.to_owned()))?;
                    if star {
                        return Err(PatternError::GroupAfterStar(pattern.to_owned()));
                    }
                    flush_literal(&mut literal, &mut parts);
                    let group = Part::Group(name.to_owned());
                    if parts.contains(&group) {
                        let source = pattern.to_owned();
                        return Err(PatternError::RepeatedGroup(source, name.to_owned()));
                    }
                    parts.push(group);
                    tail
                }
                '*' => {
                    if star {
                        return Err(PatternError::SecondStar(pattern.to_owned()));
                    }
                    star = true;
                    flush_literal(&mut literal, &mut parts);
                    &rest[1..]
                }
                _ => {
                    let (text, tail) = rest.split_at(literal_length(rest));
                    literal.extend_from_slice(text.as_bytes());
                    tail
                }
            };
        }
        let star_suffix = if star {
            Some(literal)
        } else {
            flush_literal(&mut literal, &mut parts);
            None
        };
        Ok(Self { source: pattern.to_owned(), parts, star_suffix })
    }

    /// The pattern as it was written.
    pub fn as_str(&self) -> &str {
        &self.source
    }

    /// Matches a whole path. The work is bounded by the path's length times
    /// the pattern's.
    pub fn matches(&self, path: &[u8]) -> Option<RouteMatch> {
        // Most patterns are one literal and a star.
        let has_groups = self.parts.iter().any(|part| matches!(part, Part::Group(_)));
        let (groups, end) = if has_groups {
            self.match_groups(path)?
        } else {
            (Vec::new(), self.match_literals(path)?)
        };
        let star = self.star_suffix.is_some().then_some(end..path.len());
        Some(RouteMatch { groups, star })
    }

    fn match_literals(&self, path: &[u8]) -> Option<usize> {
        let mut position = 0;
        for part in &self.parts {
            if let Part::Literal(literal) = part {
                position += path[position..].starts_with(literal).then_some(literal.len())?;
            }
        }
        self.star_matches(path, position).then_some(position)
    }

    /// Matches with groups, each as long as it can be while the rest matches.
    ///
    /// A search that tried lengths and went back could take very long on a
    /// hostile path. So the parts are taken from the last to the first, and
    /// for each one and each position it is noted where the part has to end
    /// for all after it to match; then one walk forward reads the ranges.
    fn match_groups(&self, path: &[u8]) -> Option<(Groups, usize)> {
        let mut after: Vec<bool> =
            (0..=path.len()).map(|position| self.star_matches(path, position)).collect();
        let mut part_ends = Vec::with_capacity(self.parts.len());
        for part in self.parts.iter().rev() {
            let ends = match part {
                Part::Literal(literal) => literal_ends(literal, path, &after),
                Part::Group(_) => group_ends(path, &after),
            };
            after.clear();
            after.extend(ends.iter().map(Option::is_some));
            part_ends.push(ends);
        }

        let mut groups = Vec::new();
        let mut position = 0;
        for (part, ends) in self.parts.iter().zip(part_ends.iter().rev()) {
            let end = ends[position]?;
            if let Part::Group(name) = part {
                groups.push((name.clone(), position..end));
            }
            position = end;
        }
        Some((groups, position))
    }

    /// Whether what remains at `position` is the star's, or is nothing.
    fn star_matches(&self, path: &[u8], position: usize) -> bool {
        match &self.star_suffix {
            Some(suffix) => path[position..].ends_with(suffix),
            None => position == path.len(),
        }
    }
}

fn flush_literal(literal: &mut Vec<u8>, parts: &mut Vec<Part>) {
    if !literal.is_empty() {
        parts.push(Part::Literal(std::mem::take(literal)));
    }
}

/// The name in the `{name}` at the start of `rest`, and what follows it.
fn group_name(rest: &str) -> Option<(&str, &str)> {
    let (name, tail) = rest.strip_prefix('{')?.split_once('}')?;
    let is_name = name.chars().all(|c| c.is_alphanumeric() || c == '_')
        && name.starts_with(|c: char| c.is_alphabetic() || c == '_');
    is_name.then_some((name, tail))
}

/// How much of `rest` is literal: up to the next `{` or `*` that has no
/// backslash before it.
fn literal_length(rest: &str) -> usize {
    let mut characters = rest.char_indices();
    while let Some((index, character)) = characters.next() {
        match character {
            '{' | '*' => return index,
            '\\' => {
                characters.next();
            }
            _ => {}
        }
    }
    rest.len()
}

/// For each position, where `literal` ends if it stands there and all matches
/// after it.
fn literal_ends(literal: &[u8], path: &[u8], after: &[bool]) -> Vec<Option<usize>> {
    (0..=path.len())
        .map(|position| {
            let end = position + literal.len();
            (path[position..].starts_with(literal) && after[end]).then_some(end)
        })
        .collect()
}

/// For each position, the last one in the same segment up to which a group can
/// reach from there so that all matches after it.
fn group_ends(path: &[u8], after: &[bool]) -> Vec<Option<usize>> {
    let mut ends = vec![None; path.len() + 1];
    let mut last = None;
    for position in (0..path.len()).rev() {
        if path[position] == b'/' {
            last = None;
            continue;
        }
        if last.is_none() && after[position + 1] {
            last = Some(position + 1);
        }
        ends[position] = last;
    }
    ends
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    type Found<'a> = Option<(Vec<(&'a str, &'a str)>, Option<&'a str>)>;

    /// What `pattern` matches in `path`, as text.
    fn found(pattern: &str, path: &'static str) -> Found<'static> {
        let matched = Pattern::compile(pattern).unwrap().matches(path.as_bytes())?;
        let groups =
            matched.groups.into_iter().map(|(name, range)| (&*name.leak(), &path[range])).collect();
        Some((groups, matched.star.map(|range| &path[range])))
    }

    #[test]
    fn literals_match_whole_paths() {
        let plain = Some((vec![], None));
        assert_eq!(found("/a/b.c", "/a/b.c"), plain);
        assert_eq!(found("a/b.c", "/a/b.c"), plain);
        assert_eq!(found("/a/b.c", "/a/b.cc"), None);
        assert_eq!(found("/a/b.c", "/a/bxc"), None);
        assert_eq!(found("/a/b.c", "/a/b"), None);
        assert_eq!(found("", "/"), plain);
        assert_eq!(found("/", ""), None);
        assert_eq!(found("//a", "/a"), None);
    }

    #[test]
    fn a_star_takes_the_rest_with_its_suffix() {
        let star = |text| Some((vec![], Some(text)));
        assert_eq!(found("*", "/"), star(""));
        assert_eq!(found("*", "/a/b"), star("a/b"));
        assert_eq!(found("*", "a"), None);
        assert_eq!(found("*.py", "/a/b.py"), star("a/b.py"));
        assert_eq!(found("*.py", "/.py"), star(".py"));
        assert_eq!(found("*.py", "/a.py/b"), None);
        assert_eq!(found("*.py", "/a.py.py"), star("a.py.py"));
        assert_eq!(found("/x/*/y/z.js", "/x/1/2/y/z.js"), star("1/2/y/z.js"));
        assert_eq!(found("/x/*/y", "/x/y"), None);
        assert_eq!(found("/x*", "/x"), star(""));
        assert_eq!(found("/ab*ba", "/aba"), None);
    }

    #[test]
    fn a_star_matches_a_line_end() {
        assert_eq!(found("*.py", "/a\nb.py"), Some((vec![], Some("a\nb.py"))));
        assert_eq!(found("*.py", "/a.py\n"), None);
    }

    #[test]
    fn the_documented_pattern() {
        assert_eq!(
            found("api/{resource}/*.json", "/api/test/test2/data.json"),
            Some((vec![("resource", "test")], Some("test2/data.json")))
        );
        assert_eq!(found("api/{resource}/*.json", "/api/test/data.py"), None);
        assert_eq!(found("api/{resource}/*.json", "/api//data.json"), None);
    }

    #[test]
    fn a_group_stays_in_its_segment() {
        assert_eq!(found("/{a}", "/x"), Some((vec![("a", "x")], None)));
        assert_eq!(found("/{a}", "/"), None);
        assert_eq!(found("/{a}", "/x/"), None);
        assert_eq!(found("/{a}", "/x/y"), None);
        assert_eq!(found("/{a}/{b_2}/", "/x/y/"), Some((vec![("a", "x"), ("b_2", "y")], None)));
    }

    #[test]
    fn groups_are_greedy_from_the_left() {
        assert_eq!(found("/{a}-{b}", "/1-2-3"), Some((vec![("a", "1-2"), ("b", "3")], None)));
        assert_eq!(found("/{a}{b}", "/123"), Some((vec![("a", "12"), ("b", "3")], None)));
        assert_eq!(found("/{a}{b}", "/1"), None);
        assert_eq!(
            found("/{a}.{b}x*y", "/1.2.3xxyy"),
            Some((vec![("a", "1.2"), ("b", "3x")], Some("yy")))
        );
        assert_eq!(found("/{a}*", "/x/y"), Some((vec![("a", "x")], Some("/y"))));
    }

    #[test]
    fn a_backslash_is_matched_as_in_the_reference() {
        assert_eq!(found(r"/a\*b", r"/a\*b"), Some((vec![], None)));
        assert_eq!(found(r"/a\*b", "/a*b"), None);
        assert_eq!(found(r"/a\{b}", r"/a\{b}"), Some((vec![], None)));
        assert_eq!(found(r"/a\", r"/a\"), Some((vec![], None)));
        assert_eq!(found(r"/a\\*", r"/a\\x"), Some((vec![], Some("x"))));
    }

    #[test]
    fn a_hostile_path_takes_no_longer() {
        let pattern = Pattern::compile("/{a}x{b}x{c}x{d}x{e}y").unwrap();
        let path = format!("/{}", "x".repeat(60_000));
        assert_eq!(pattern.matches(path.as_bytes()), None);
    }

    #[test]
    fn bad_patterns() {
        let refused = |pattern| Pattern::compile(pattern).unwrap_err();
        for bad in ["/{a-b}", "/{}", "/{1}", "/{a", "/{{a}}", "/*{", "/{a/b}"] {
            assert_eq!(refused(bad), PatternError::BadGroup(bad.to_owned()));
        }
        assert_eq!(refused("/{a}/{a}").to_string(), r#"route pattern "/{a}/{a}": {a} comes twice"#);
        assert_eq!(
            refused("/*/{a}").to_string(),
            r#"route pattern "/*/{a}": no {name} can follow the *"#
        );
        assert_eq!(refused("/*/*").to_string(), r#"route pattern "/*/*": only one * is possible"#);
        assert_eq!(
            refused("/{}").to_string(),
            r#"route pattern "/{}": write {name}, with letters, digits and _ for the name"#
        );
    }

    #[test]
    fn a_pattern_keeps_its_text() {
        assert_eq!(Pattern::compile("*.py").unwrap().as_str(), "*.py");
    }

    /// Whether the parts match, by trying every length, longest first.
    fn search(parts: &[Part], suffix: Option<&[u8]>, path: &[u8]) -> Option<Vec<usize>> {
        match parts.split_first() {
            None => match suffix {
                Some(suffix) => path.ends_with(suffix),
                None => path.is_empty(),
            }
            .then(Vec::new),
            Some((Part::Literal(literal), rest)) => {
                search(rest, suffix, path.strip_prefix(&literal[..])?)
            }
            Some((Part::Group(_), rest)) => {
                let segment = path.iter().take_while(|&&byte| byte != b'/').count();
                (1..=segment).rev().find_map(|length| {
                    let mut lengths = search(rest, suffix, &path[length..])?;
                    lengths.insert(0, length);
                    Some(lengths)
                })
            }
        }
    }

    proptest! {
        #[test]
        fn matches_are_those_of_a_plain_search(
            pattern in r"(/|a|b|\{x\}|\{y\}|\{z\}){0,8}(\*(/|a|b){0,3})?",
            path in "/[ab/]{0,12}",
        ) {
            let Ok(pattern) = Pattern::compile(&pattern) else {
                return Ok(());
            };
            let expected = search(&pattern.parts, pattern.star_suffix.as_deref(), path.as_bytes());
            let lengths = pattern
                .matches(path.as_bytes())
                .map(|found| found.groups.iter().map(|(_, range)| range.len()).collect());
            prop_assert_eq!(lengths, expected);
        }
    }
}

//! The request target (RFC 9112 section 3.2).

use bytes::Bytes;

/// Which of the four forms a target has.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum TargetForm {
    /// `/path?query`, and whatever fits no other form.
    Origin,
    /// `http://host:port/path?query`, as sent to a proxy.
    Absolute {
        /// What stands before `://`, case kept.
        scheme: Bytes,
        /// What stands between `://` and the path, user information included.
        authority: Bytes,
    },
    /// `host:port`, only with the method CONNECT.
    Authority,
    /// `*`, the server as a whole.
    Asterisk,
}

/// A request target taken apart, nothing decoded.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Target {
    /// The form, with what only that form has.
    pub form: TargetForm,
    /// The raw path up to `?` or `#`. `/` when an absolute form has none; the
    /// whole target in the authority and asterisk forms.
    pub path: Bytes,
    /// The raw query between `?` and `#`, without either; `None` when there is
    /// no `?`, empty when nothing follows it.
    pub query: Option<Bytes>,
}

impl Target {
    /// Takes a target apart. Never fails: what fits no form is taken for the
    /// origin form, and its path then matches no route.
    ///
    /// A path ends at `?` or `#`, a query at `#`; the fragment is dropped, as
    /// Python's `urlsplit` does. All parts are slices of `raw`.
    pub fn parse(raw: Bytes, method: &[u8]) -> Self {
        if method == b"CONNECT" {
            return Self { form: TargetForm::Authority, path: raw, query: None };
        }
        if &raw[..] == b"*" {
            return Self { form: TargetForm::Asterisk, path: raw, query: None };
        }
        let Some(scheme_end) = scheme_length(&raw) else {
            let (path, query) = path_and_query(&raw);
            return Self { form: TargetForm::Origin, path, query };
        };
        let scheme = raw.slice(..scheme_end);
        let rest = raw.slice(scheme_end + b"://".len()..);
        let authority_end =
            rest.iter().position(|byte| matches!(byte, b'/' | b'?' | b'#')).unwrap_or(rest.len());
        let authority = rest.slice(..authority_end);
        let (mut path, query) = path_and_query(&rest.slice(authority_end..));
        if path.is_empty() {
            path = Bytes::from_static(b"/");
        }
        Self { form: TargetForm::Absolute { scheme, authority }, path, query }
    }
}

/// How long the scheme is, if `raw` starts with one and `://`.
fn scheme_length(raw: &[u8]) -> Option<usize> {
    if !raw.first()?.is_ascii_alphabetic() {
        return None;
    }
    let end = raw
        .iter()
        .position(|byte| !byte.is_ascii_alphanumeric() && !matches!(byte, b'+' | b'-' | b'.'))?;
    raw[end..].starts_with(b"://").then_some(end)
}

fn path_and_query(raw: &Bytes) -> (Bytes, Option<Bytes>) {
    let Some(path_end) = raw.iter().position(|byte| matches!(byte, b'?' | b'#')) else {
        return (raw.clone(), None);
    };
    let path = raw.slice(..path_end);
    if raw[path_end] == b'#' {
        return (path, None);
    }
    let query = raw.slice(path_end + 1..);
    let query_end = query.iter().position(|&byte| byte == b'#').unwrap_or(query.len());
    (path, Some(query.slice(..query_end)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn parse(raw: &'static str) -> Target {
        Target::parse(Bytes::from_static(raw.as_bytes()), b"GET")
    }

    fn target(form: TargetForm, path: &'static str, query: Option<&'static str>) -> Target {
        Target {
            form,
            path: Bytes::from_static(path.as_bytes()),
            query: query.map(|query| Bytes::from_static(query.as_bytes())),
        }
    }

    fn absolute(scheme: &'static str, authority: &'static str) -> TargetForm {
        TargetForm::Absolute {
            scheme: Bytes::from_static(scheme.as_bytes()),
            authority: Bytes::from_static(authority.as_bytes()),
        }
    }

    #[test]
    fn origin_form() {
        let origin = |path, query| target(TargetForm::Origin, path, query);
        assert_eq!(parse("/"), origin("/", None));
        assert_eq!(parse("/a%20b?"), origin("/a%20b", Some("")));
        assert_eq!(parse("/a?b=1&c?d"), origin("/a", Some("b=1&c?d")));
        assert_eq!(parse("/http://x/"), origin("/http://x/", None));
    }

    #[test]
    fn a_fragment_is_dropped_from_path_and_query() {
        let origin = |path, query| target(TargetForm::Origin, path, query);
        assert_eq!(parse("/a#b"), origin("/a", None));
        assert_eq!(parse("/a#b?c"), origin("/a", None));
        assert_eq!(parse("/a?b#c?d"), origin("/a", Some("b")));
    }

    #[test]
    fn absolute_form() {
        assert_eq!(parse("http://h:80/a?b"), target(absolute("http", "h:80"), "/a", Some("b")));
        assert_eq!(parse("HTTP://u@h"), target(absolute("HTTP", "u@h"), "/", None));
        assert_eq!(parse("web+x://h?q"), target(absolute("web+x", "h"), "/", Some("q")));
        assert_eq!(parse("http://h//x"), target(absolute("http", "h"), "//x", None));
        assert_eq!(parse("http://"), target(absolute("http", ""), "/", None));
    }

    #[test]
    fn what_fits_no_form_is_origin() {
        assert_eq!(parse("a/b"), target(TargetForm::Origin, "a/b", None));
        assert_eq!(parse("1a://h"), target(TargetForm::Origin, "1a://h", None));
        assert_eq!(parse("http:/a"), target(TargetForm::Origin, "http:/a", None));
        assert_eq!(parse("?q"), target(TargetForm::Origin, "", Some("q")));
        assert_eq!(parse(""), target(TargetForm::Origin, "", None));
    }

    #[test]
    fn authority_and_asterisk_forms() {
        let connect = Target::parse(Bytes::from_static(b"h:1?x"), b"CONNECT");
        assert_eq!(connect, target(TargetForm::Authority, "h:1?x", None));
        let options = Target::parse(Bytes::from_static(b"*"), b"OPTIONS");
        assert_eq!(options, target(TargetForm::Asterisk, "*", None));
    }

    proptest! {
        #[test]
        fn an_origin_form_goes_together_again(
            path in "/[!-\"$->@-~]{0,20}",
            query in prop::option::of("[!-\"$-~]{0,20}"),
        ) {
            let mut raw = path.clone();
            if let Some(query) = &query {
                raw.push('?');
                raw.push_str(query);
            }
            let parsed = Target::parse(Bytes::from(raw), b"GET");
            let expected = Target {
                form: TargetForm::Origin,
                path: Bytes::from(path),
                query: query.map(Bytes::from),
            };
            prop_assert_eq!(parsed, expected);
        }

        #[test]
        fn any_bytes_are_taken(raw in prop::collection::vec(any::<u8>(), 0..40)) {
            Target::parse(Bytes::from(raw), b"GET");
        }
    }
}

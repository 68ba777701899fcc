//! Laying a file over the defaults: old names, unknown keys and their neighbours.

use serde_json::{Map, Value};

use crate::scheme::OLD_NAMES;

/// Old names of keys, as the reference still takes them.
pub(super) const RENAMED: [(&str, &str); 4] = [
    ("host", "browser_host"),
    ("bind_hostname", "bind_address"),
    ("external_host", "server_host"),
    ("host_ip", "server_host"),
];

/// Gives old names their new ones, with a warning for each. `$schema` is for editors alone.
pub(super) fn rename(
    mut overrides: Map<String, Value>,
    warnings: &mut Vec<String>,
) -> Map<String, Value> {
    overrides.shift_remove("$schema");
    let mut overrides = renamed(overrides, "", &RENAMED, warnings);
    if let Some(level) = overrides.shift_remove("log_level") {
        warnings.push("the key `log_level` has a new name, `logging.level`".to_owned());
        let logging = overrides.entry("logging").or_insert_with(|| Map::new().into());
        if let Value::Object(logging) = logging {
            logging.entry("level").or_insert(level);
        }
    }
    if let Some(Value::Object(ports)) = overrides.get_mut("ports") {
        *ports = renamed(std::mem::take(ports), "ports.", &OLD_NAMES, warnings);
    }
    overrides
}

fn renamed(
    object: Map<String, Value>,
    at: &str,
    names: &[(&str, &str)],
    warnings: &mut Vec<String>,
) -> Map<String, Value> {
    let rename = |(key, value)| match names.iter().find(|(old, _)| *old == key) {
        Some((old, new)) => {
            warnings.push(format!("the key `{at}{old}` has a new name, `{at}{new}`"));
            ((*new).to_owned(), value)
        }
        None => (key, value),
    };
    object.into_iter().map(rename).collect()
}

/// Lays an override over a default: objects key by key, all else as a whole.
pub(super) fn merge(base: &mut Value, over: Value, at: &str) -> Result<(), String> {
    match (base, over) {
        (Value::Object(base), Value::Object(over)) if !OPEN.contains(&at) => {
            for (key, value) in over {
                let path = if at.is_empty() { key.clone() } else { format!("{at}.{key}") };
                let Some(slot) = base.get_mut(&key) else {
                    return Err(unknown(&path, &key, base.keys()));
                };
                merge(slot, value, &path)?;
            }
            Ok(())
        }
        (Value::Object(base), Value::Object(over)) => {
            base.extend(over);
            Ok(())
        }
        (Value::Object(base), over) => {
            let keys: Vec<&str> = base.keys().map(String::as_str).collect();
            let keys =
                if keys.is_empty() { String::new() } else { format!(", with {}", keys.join(", ")) };
            Err(format!("`{at}` is {over}; a JSON object is expected{keys}"))
        }
        (base, over) => {
            *base = over;
            Ok(())
        }
    }
}

/// Objects whose keys are the user's own.
const OPEN: [&str; 2] = ["alternate_hosts", "ports"];

/// What is wrong with an unknown key, and which known one is its nearest neighbour.
pub(super) fn unknown(
    path: &str,
    key: &str,
    known: impl IntoIterator<Item = impl AsRef<str>>,
) -> String {
    let known: Vec<_> = known.into_iter().collect();
    let known: Vec<&str> = known.iter().map(AsRef::as_ref).collect();
    let nearest = known
        .iter()
        .map(|name| (strsim::jaro_winkler(key, name), name))
        .filter(|(likeness, _)| *likeness > 0.7)
        .max_by(|(a, _), (b, _)| a.total_cmp(b));
    if let Some((_, name)) = nearest {
        let parent = path.strip_suffix(key).unwrap_or_default();
        return format!("the key `{path}` is unknown; is `{parent}{name}` meant?");
    }
    if known.is_empty() {
        return format!("the key `{path}` is unknown; no key is known there");
    }
    format!("the key `{path}` is unknown; known are {}", known.join(", "))
}

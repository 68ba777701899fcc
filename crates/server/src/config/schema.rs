//! The JSON Schema of the configuration file, for editors.

/// The schema (JSON Schema, draft 2020-12). It is written by hand: what a type cannot say, such as
/// old names, defaults of merged objects and the forms of a handler, it says for people. The tests
/// here hold it against the types.
pub const SCHEMA: &str = include_str!("schema.json");

#[cfg(test)]
mod tests {
    use std::{collections::BTreeSet, path::Path};

    use serde_json::{Map, Value, json};

    use super::{
        super::{Config, overlay::RENAMED},
        *,
    };
    use crate::scheme::{OLD_NAMES, Scheme};

    fn schema() -> Value {
        serde_json::from_str(SCHEMA).unwrap()
    }

    fn keys(object: &Value) -> BTreeSet<&str> {
        object.as_object().into_iter().flat_map(Map::keys).map(String::as_str).collect()
    }

    /// Compares the properties of a schema with an object of the default configuration: the same
    /// keys, and the same defaults where the schema has one.
    fn assert_describes(schema: &Value, default: &Value, at: &str) {
        let properties = schema["properties"].as_object().unwrap();
        let described: BTreeSet<&str> = properties
            .iter()
            .filter(|(name, property)| *name != "$schema" && property["deprecated"] != true)
            .map(|(name, _)| name.as_str())
            .collect();
        assert_eq!(described, keys(default), "the keys of `{at}`");
        for (name, value) in default.as_object().unwrap() {
            let property = &properties[name];
            match property.get("default") {
                Some(said) => assert_eq!(said, value, "the default of `{at}.{name}`"),
                None => assert_describes(property, value, &format!("{at}.{name}")),
            }
        }
    }

    #[test]
    fn it_has_the_keys_and_the_defaults_of_the_types() {
        let default = serde_json::to_value(Config::default()).unwrap();
        assert_describes(&schema(), &default, "");
    }

    #[test]
    fn it_has_every_scheme_and_every_old_name() {
        let schema = schema();
        let old = OLD_NAMES.map(|(old, _)| old);
        let schemes = Scheme::ALL.map(Scheme::name).into_iter().chain(old).collect();
        assert_eq!(keys(&schema["properties"]["ports"]["properties"]), schemes);
        let old: BTreeSet<&str> = schema["properties"]
            .as_object()
            .unwrap()
            .iter()
            .filter(|(_, property)| property["deprecated"] == true)
            .map(|(name, _)| name.as_str())
            .collect();
        let renamed = RENAMED.map(|(old, _)| old).into_iter().chain(["log_level"]).collect();
        assert_eq!(old, renamed);
        for (old, new) in RENAMED {
            let properties = &schema["properties"];
            assert_eq!(properties[old]["type"], properties[new]["type"]);
            assert_eq!(properties[old]["description"], format!("The old name of `{new}`."));
        }
    }

    #[test]
    fn every_key_is_described_and_no_other_is_allowed() {
        fn walk(schema: &Value, at: &str) {
            match schema {
                Value::Object(fields) => {
                    if let Some(Value::Object(properties)) = fields.get("properties") {
                        assert_eq!(fields["additionalProperties"], false, "`{at}` is open");
                        for (name, property) in properties {
                            assert!(property["description"].is_string(), "`{at}.{name}`");
                        }
                    }
                    for (name, value) in fields {
                        walk(value, &format!("{at}.{name}"));
                    }
                }
                Value::Array(values) => {
                    for value in values {
                        walk(value, at);
                    }
                }
                _ => {}
            }
        }
        walk(&schema(), "");
    }

    #[test]
    fn the_entries_of_lists_have_the_keys_of_their_types() {
        let folder = tempfile::tempdir().unwrap();
        let schema = schema();
        let of = |list: &str| keys(&schema["properties"][list]["items"]["properties"]);
        let config = every_entry(folder.path());
        assert_eq!(of("aliases"), keys(&config["aliases"][0]));
        assert_eq!(of("routes"), keys(&config["routes"][0]));
        let forms = schema["properties"]["routes"]["items"]["properties"]["handler"]["oneOf"]
            .as_array()
            .unwrap();
        assert_eq!(forms[0]["enum"], json!(["file", "python", "asis"]));
        assert_eq!(keys(&forms[1]["properties"]), keys(&config["routes"][1]["handler"]));
        let string = &forms[2]["properties"]["string"]["properties"];
        assert_eq!(keys(string), keys(&config["routes"][2]["handler"]["string"]));
        assert_eq!(string["content_type"]["default"], "text/plain");
        assert_eq!(config["routes"][2]["handler"]["string"]["content_type"], "text/plain");
    }

    /// A configuration whose lists have an entry of each form, with every key.
    fn every_entry(folder: &Path) -> Value {
        let text = r#"{
            "aliases": [{"url-path": "/", "local-dir": "."}],
            "routes": [
                {"method": "*", "path": "/", "handler": "file", "base_path": ".", "url_base": "/"},
                {"method": "*", "path": "/", "handler": {"error": 400}},
                {"method": "*", "path": "/", "handler": {"string": {"content": ""}}}
            ]
        }"#;
        let (config, _) = Config::default().parse_over(text, folder).unwrap();
        serde_json::to_value(config).unwrap()
    }
}

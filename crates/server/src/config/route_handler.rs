//! The handlers that a route of the configuration can name.

use std::sync::Arc;

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::{ErrorHandler, Handler, StringHandler, router::FileHandlers};

/// What answers a route of the configuration.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "Value", into = "Value")]
pub enum RouteHandler {
    /// Files and directories.
    File,
    /// Python file handlers.
    Python,
    /// Files whose bytes are the whole response.
    AsIs,
    /// An error response.
    Error {
        /// Its status code.
        status: u16,
        /// The message in its JSON body.
        message: String,
    },
    /// The same content for everyone.
    String {
        /// The content.
        content: String,
        /// Its media type.
        content_type: String,
    },
}

impl TryFrom<Value> for RouteHandler {
    type Error = String;

    fn try_from(value: Value) -> Result<Self, String> {
        #[derive(Deserialize)]
        #[serde(deny_unknown_fields)]
        struct ErrorFields {
            error: Value,
            #[serde(default)]
            message: String,
        }
        #[derive(Deserialize)]
        #[serde(deny_unknown_fields)]
        struct StringFields {
            string: Text,
        }
        #[derive(Deserialize)]
        #[serde(deny_unknown_fields, expecting = "{\"content\": TEXT, \"content_type\": TYPE}")]
        struct Text {
            content: String,
            #[serde(default = "plain_text")]
            content_type: String,
        }
        match value {
            Value::String(name) if name == "file" => Ok(Self::File),
            Value::String(name) if name == "python" => Ok(Self::Python),
            Value::String(name) if name == "asis" => Ok(Self::AsIs),
            Value::Object(fields) if fields.contains_key("error") => {
                let ErrorFields { error, message } = read(fields.into())?;
                let status = error.as_u64().and_then(|status| u16::try_from(status).ok());
                let Some(status) = status.filter(|status| (400..=599).contains(status)) else {
                    return Err(format!(
                        "`error` is {error}; a status from 400 to 599 is expected"
                    ));
                };
                Ok(Self::Error { status, message })
            }
            Value::Object(fields) if fields.contains_key("string") => {
                let StringFields { string: Text { content, content_type } } = read(fields.into())?;
                // It becomes a header.
                if content_type.bytes().any(|byte| byte.is_ascii_control()) {
                    return Err("`string.content_type` has a control character".to_owned());
                }
                Ok(Self::String { content, content_type })
            }
            other => Err(format!(
                "{other} is no handler; \"file\", \"python\", \"asis\", {{\"error\": STATUS}} or \
                 {{\"string\": {{\"content\": TEXT}}}} is expected"
            )),
        }
    }
}

/// The fields of an object. The error names the one that is wrong.
fn read<T: for<'de> Deserialize<'de>>(fields: Value) -> Result<T, String> {
    serde_path_to_error::deserialize(fields).map_err(|error| match error.path().to_string() {
        path if path == "." => error.inner().to_string(),
        path => format!("`{path}`: {}", error.inner()),
    })
}

fn plain_text() -> String {
    "text/plain".to_owned()
}

impl From<RouteHandler> for Value {
    fn from(handler: RouteHandler) -> Self {
        match handler {
            RouteHandler::File | RouteHandler::Python | RouteHandler::AsIs => handler.name().into(),
            RouteHandler::Error { status, message } => {
                json!({"error": status, "message": message})
            }
            RouteHandler::String { content, content_type } => {
                json!({"string": {"content": content, "content_type": content_type}})
            }
        }
    }
}

impl RouteHandler {
    /// What people call it.
    pub(super) fn name(&self) -> String {
        match self {
            Self::File => "file".to_owned(),
            Self::Python => "python".to_owned(),
            Self::AsIs => "asis".to_owned(),
            Self::Error { status, .. } => format!("error {status}"),
            Self::String { .. } => "string".to_owned(),
        }
    }

    pub(super) fn handler(&self, files: &FileHandlers) -> Arc<dyn Handler> {
        match self {
            Self::File => Arc::clone(&files.files),
            Self::Python => Arc::clone(&files.python),
            Self::AsIs => Arc::clone(&files.as_is),
            Self::Error { status, message } => {
                Arc::new(ErrorHandler { status: *status, message: message.clone() })
            }
            Self::String { content, content_type } => {
                Arc::new(StringHandler::text(content.clone(), content_type.clone()))
            }
        }
    }

    pub(super) fn reads_files(&self) -> bool {
        matches!(self, Self::File | Self::Python | Self::AsIs)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_comes_back() {
        let value = json!([
            "file", "python", "asis", {"error": 404, "message": "gone"},
            {"string": {"content": "x", "content_type": "text/html"}},
        ]);
        let handlers: Vec<RouteHandler> = serde_json::from_value(value.clone()).unwrap();
        assert_eq!(serde_json::to_value(handlers).unwrap(), value);
    }
}

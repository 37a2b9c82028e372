//! Reading a configured model: settings and addresses.
//!
//! Not here: secrets. A plugin never sees one.

use crate::bindings::io::Model;
use serde_json::Value;

impl Model {
    /// A setting as JSON. A value that is no JSON counts as a string.
    pub fn setting(&self, name: &str) -> Option<Value> {
        let setting = self.settings.iter().find(|setting| setting.name == name)?;
        Some(serde_json::from_str(&setting.value).unwrap_or_else(|_| Value::String(setting.value.clone())))
    }

    /// A setting as text; numbers and booleans as they are written.
    pub fn setting_text(&self, name: &str) -> Option<String> {
        match self.setting(name)? {
            Value::Null => None,
            Value::String(text) => Some(text),
            other @ (Value::Bool(_) | Value::Number(_) | Value::Array(_) | Value::Object(_)) => Some(other.to_string()),
        }
    }

    /// A setting as a boolean: `true`, or the string `"true"`.
    pub fn setting_bool(&self, name: &str) -> Option<bool> {
        match self.setting_text(name)?.as_str() {
            "true" => Some(true),
            "false" => Some(false),
            _ => None,
        }
    }

    /// A setting as a whole number.
    pub fn setting_u64(&self, name: &str) -> Option<u64> {
        self.setting_text(name)?.trim().parse().ok()
    }

    /// `path` under the model's address, or under `default` when it has none. The address may end with slashes.
    pub fn url(&self, default: &str, path: &str) -> String {
        let base = if self.base_url.trim().is_empty() { default } else { self.base_url.trim() };
        format!("{}/{}", base.trim_end_matches('/'), path.trim_start_matches('/'))
    }
}

//! Secrets of one call: kept by the host, placed into a request after the plugin's turn.
//!
//! Not here: which host a secret may go to (`grants`), and taking it out of what comes back (`redaction`). Values are never printed.

use crate::domain::ModelParameters;
use std::collections::BTreeMap;

#[derive(Clone, Default)]
pub(in crate::plugin) struct Secrets(BTreeMap<String, String>);

impl Secrets {
    /// The secrets of a model row: its API key, if it has one.
    pub(in crate::plugin) fn api_key(value: &str) -> Self {
        let mut secrets = Self::default();
        if !value.is_empty() {
            secrets.0.insert("api_key".into(), value.into());
        }
        secrets
    }

    /// Those of the manifest's secrets that a model row has a value for: its API key, and settings of their names.
    pub(in crate::plugin) fn of_row(parameters: &ModelParameters, names: &[&str]) -> Self {
        let mut secrets = Self::api_key(&parameters.api_key);
        for name in names {
            if let Some(value) = parameters.settings.get(*name).and_then(|value| value.as_str()).filter(|value| !value.is_empty()) {
                secrets.0.entry((*name).to_owned()).or_insert_with(|| value.to_owned());
            }
        }
        secrets
    }

    pub(super) fn values(&self) -> impl Iterator<Item = &str> {
        self.0.values().map(String::as_str)
    }

    pub(super) fn get(&self, name: &str) -> Option<&str> {
        self.0.get(name).map(String::as_str)
    }
}

impl std::fmt::Debug for Secrets {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_set().entries(self.0.keys()).finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn row_gives_the_manifests_secrets_and_no_other_settings() {
        let parameters = serde_json::json!({ "api_key": "k", "secret_key": "s", "region": "eu", "empty": "", "number": 7 });
        let parameters: ModelParameters = serde_json::from_value(parameters).unwrap();
        let secrets = Secrets::of_row(&parameters, &["secret_key", "empty", "number", "absent"]);
        assert_eq!((secrets.get("api_key"), secrets.get("secret_key"), secrets.0.len()), (Some("k"), Some("s"), 2));
    }

    #[test]
    fn debug_shows_names_and_no_values() {
        let text = format!("{:?}", Secrets::api_key("sk-very-secret"));
        assert!(text.contains("api_key") && !text.contains("very"), "{text}");
    }
}

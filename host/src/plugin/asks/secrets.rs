//! Secrets of one call: kept by the host, placed into a request after the plugin's turn.
//!
//! Not here: which host a secret may go to (`grants`). Values are never printed.

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
    fn debug_shows_names_and_no_values() {
        let text = format!("{:?}", Secrets::api_key("sk-very-secret"));
        assert!(text.contains("api_key") && !text.contains("very"), "{text}");
    }
}

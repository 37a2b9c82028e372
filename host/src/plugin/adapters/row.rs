//! A model row as its plugin gets it: name, address and settings in the request, the key among the secrets.
//!
//! Not here: which plugin answers for the row (`plugins`).

use crate::domain::Model;
use crate::plugin::asks::{CallEnv, Secrets, origin_of};
use crate::plugin::loaded::Plugin;
use crate::plugin::wasm::wit::io;
use crate::provider::{CallContext, ProviderError, ProviderErrorKind};
use knowhost_plugin_sdk::manifest::{ManifestModel, ModelKind, Origin};
use std::sync::Arc;
use url::Url;

/// After a secret's name: tells the guest that there is one, without its value.
const PRESENT: &str = "_present";
/// Never a setting, however it got into a row.
const API_KEY: &str = "api_key";
const TRUNCATE_PROMPT_TOKENS: &str = "truncate_prompt_tokens";

/// A model row bound to its plugin.
pub(in crate::plugin) struct Row {
    pub(super) plugin: Arc<Plugin>,
    /// Id of the row.
    pub(super) model_id: String,
    pub(in crate::plugin) model: io::Model,
    /// What the manifest says about this model, if the plugin brings it.
    pub(in crate::plugin) manifest_model: Option<ManifestModel>,
    origin: Option<Origin>,
    secrets: Secrets,
}

impl Row {
    /// `base_url_default`: for rows that name none.
    pub(in crate::plugin) fn bind(
        plugin: Arc<Plugin>,
        model: &Model,
        kind: ModelKind,
        base_url_default: &str,
    ) -> Result<Self, ProviderError> {
        let invalid = |text: String| ProviderError::new(ProviderErrorKind::Invalid, plugin.identity.to_string(), text);
        let given = model.parameters.base_url.trim();
        let base_url = if given.is_empty() { base_url_default } else { given };
        let origin = match base_url {
            "" => None,
            address => {
                let url = Url::parse(address).map_err(|error| invalid(format!("base_url {address:?}: {error}")))?;
                if !matches!(url.scheme(), "http" | "https") {
                    return Err(invalid(format!("base_url {address:?} is neither http nor https")));
                }
                origin_of(&url)
            }
        };
        let manifest_model = manifest_model(&plugin, model, kind)?;
        let name = manifest_model.as_ref().map_or_else(|| model.name.clone(), |found| found.name.clone());
        let secret_names: Vec<&str> = plugin.manifest.secrets.iter().map(|secret| secret.name.as_str()).collect();
        let secrets = Secrets::of_row(&model.parameters, &secret_names);
        Ok(Self {
            model_id: model.id.clone(),
            model: io::Model { name, base_url: base_url.to_owned(), settings: settings(model, &secret_names) },
            manifest_model,
            origin,
            secrets,
            plugin,
        })
    }

    pub(in crate::plugin) fn env(&self, context: &CallContext) -> Arc<CallEnv> {
        self.plugin.env(context, self.origin.clone(), self.secrets.clone())
    }

    pub(super) fn error(&self, kind: ProviderErrorKind, text: impl Into<String>) -> ProviderError {
        ProviderError::new(kind, self.plugin.identity.to_string(), text)
    }

    /// Which plugin, which model, where: what a digest is made of when the plugin brings no model of its own.
    pub(super) fn fingerprint(&self) -> String {
        format!("{}\n{}\n{}", self.plugin.identity.name, self.model.name, self.model.base_url)
    }
}

/// A plugin that brings models serves those alone; built-in rows without a name of their own mean the first.
fn manifest_model(plugin: &Plugin, model: &Model, kind: ModelKind) -> Result<Option<ManifestModel>, ProviderError> {
    let Some(first) = plugin.models(kind).next() else { return Ok(None) };
    if let Some(found) = plugin.models(kind).find(|brought| brought.name == model.name) {
        return Ok(Some(found.clone()));
    }
    if model.tenant_id.0 == 0 || model.name.is_empty() {
        return Ok(Some(first.clone()));
    }
    let names: Vec<_> = plugin.models(kind).map(|brought| brought.name.as_str()).collect();
    let text = format!("there is no model {:?}; it brings {}", model.name, names.join(", "));
    Err(ProviderError::new(ProviderErrorKind::NotFound, plugin.identity.to_string(), text))
}

/// A setting with the name of one of the manifest's secrets is a secret: the guest learns whether it is there, and never its value.
fn settings(model: &Model, secret_names: &[&str]) -> Vec<io::Setting> {
    let parameters = &model.parameters;
    let is_set = |name: &str| match name {
        API_KEY => !parameters.api_key.is_empty(),
        other => parameters.settings.get(other).and_then(|value| value.as_str()).is_some_and(|value| !value.is_empty()),
    };
    let others = secret_names.iter().copied().filter(|name| *name != API_KEY);
    let secrets: Vec<&str> = std::iter::once(API_KEY).chain(others).collect();
    let is_reserved = |name: &str| {
        name == TRUNCATE_PROMPT_TOKENS || secrets.contains(&name) || name.strip_suffix(PRESENT).is_some_and(|name| secrets.contains(&name))
    };
    let own = parameters.settings.iter().filter(|(name, _)| !is_reserved(name));
    let mut settings: Vec<_> = own.map(|(name, value)| io::Setting { name: name.clone(), value: value.to_string() }).collect();
    settings.extend(secrets.iter().map(|name| io::Setting { name: format!("{name}{PRESENT}"), value: is_set(name).to_string() }));
    let truncate = parameters.embedding_parameters.truncate_prompt_tokens;
    if truncate > 0 {
        settings.push(io::Setting { name: TRUNCATE_PROMPT_TOKENS.into(), value: truncate.to_string() });
    }
    settings
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::{ModelParameters, ModelStatus, ModelType, TenantId, Timestamp};

    #[test]
    fn guest_learns_that_there_is_a_key_and_never_the_key() {
        let parameters = serde_json::json!({
            "api_key": "sk-secret", "base_url": "https://a.example", "temperature_floor": 0.5, "api_key_present": "forged",
            "embedding_parameters": { "dimension": 8, "truncate_prompt_tokens": 511 }
        });
        let mut model = Model {
            id: "m".into(),
            tenant_id: TenantId(1),
            name: "n".into(),
            model_type: ModelType::Embedding,
            source: "remote".into(),
            description: String::new(),
            parameters: serde_json::from_value::<ModelParameters>(parameters).unwrap(),
            is_default: false,
            status: ModelStatus::Active,
            created_at: Timestamp::now(),
            updated_at: Timestamp::now(),
            deleted_at: None,
        };
        let setting = |name: &str, value: &str| io::Setting { name: name.into(), value: value.into() };
        assert_eq!(
            settings(&model, &["api_key"]),
            [setting("temperature_floor", "0.5"), setting("api_key_present", "true"), setting("truncate_prompt_tokens", "511")]
        );
        model.parameters.api_key.clear();
        model.parameters.settings.insert("secret_key".into(), "wJalr".into());
        let shown = settings(&model, &["api_key", "secret_key", "access_key"]);
        assert!(shown.contains(&setting("secret_key_present", "true")) && shown.contains(&setting("access_key_present", "false")));
        assert!(!shown.iter().any(|setting| setting.value.contains("wJalr")));
        assert!(settings(&model, &[]).contains(&setting("api_key_present", "false")));
    }
}

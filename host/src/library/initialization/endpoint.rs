//! A model that was filled in but not stored, and a provider's failure in words fit for who filled it in.
//!
//! Not here: stored models (`library::models`).

use super::Initialization;
use crate::domain::{EmbeddingParameters, Model, ModelParameters, ModelStatus, ModelType, TenantScope, Timestamp};
use crate::limits;
use crate::provider::ProviderError;

/// Shorter keys are placeholders of servers that want none; taking them out of a text would only garble it.
const KEY_BYTES_MIN: usize = 8;

/// Where a model is and what opens it.
#[derive(Clone, Debug, Default)]
pub struct Endpoint {
    pub source: String,
    pub model_name: String,
    pub base_url: String,
    pub api_key: String,
}

impl Initialization {
    /// A model row that exists for one call. The source as it resolves now; `None`: there is no such source.
    pub(super) fn unsaved(&self, scope: &TenantScope, endpoint: &Endpoint, model_type: ModelType) -> Option<Model> {
        let source = self.inner.library.resolve_source(&endpoint.source).ok()?;
        // Of the contract's sources, `local` is always the server of the settings.
        let base_url = if source == "local" { String::new() } else { endpoint.base_url.clone() };
        Some(Model {
            id: String::new(),
            tenant_id: scope.tenant_id(),
            name: endpoint.model_name.clone(),
            model_type,
            source,
            description: String::new(),
            parameters: ModelParameters {
                base_url,
                api_key: endpoint.api_key.clone(),
                embedding_parameters: EmbeddingParameters::default(),
                ..ModelParameters::default()
            },
            is_default: false,
            status: ModelStatus::Active,
            created_at: Timestamp::zero(),
            updated_at: Timestamp::zero(),
            deleted_at: None,
        })
    }
}

/// The failure in the provider's own words, signed, cut to a length, without the key.
pub(super) fn words(error: &ProviderError, api_key: &str) -> String {
    clean(&error.to_string(), api_key)
}

pub(super) fn clean(text: &str, api_key: &str) -> String {
    let text = if api_key.len() >= KEY_BYTES_MIN { text.replace(api_key, "***") } else { text.to_owned() };
    text.chars().take(limits::PROVIDER_TEXT_CHARS_MAX).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::provider::ProviderErrorKind;

    #[test]
    fn a_failure_is_told_without_the_key_and_not_at_any_length() {
        let long = format!("wrong key sk-very-secret{}", "字".repeat(2_000));
        let told = words(&ProviderError::new(ProviderErrorKind::Unauthorised, "remote-api 0.1.0", long), "sk-very-secret");
        assert!(told.starts_with("remote-api 0.1.0: wrong key ***字"), "{told}");
        assert_eq!(told.chars().count(), limits::PROVIDER_TEXT_CHARS_MAX);
        assert_eq!(clean("a key of k", "k"), "a key of k");
    }
}

//! Which model row a choice ends up in: the one that the knowledge base has, if it is its own, else a new one.
//!
//! Not here: writing it (`store::initialization`).

use super::ChosenModel;
use crate::domain::{EmbeddingParameters, KnowledgeBase, Model, ModelParameters, ModelStatus, ModelType, TenantScope, Timestamp};
use crate::error::Result;
use crate::library::downloads::are_installed;
use crate::library::initialization::Initialization;
use crate::library::models::{HIDDEN, is_builtin};
use crate::store::{ModelFilter, ModelPatch, ModelWrite};

pub(super) struct Wanted {
    pub(super) model_type: ModelType,
    pub(super) chosen: ChosenModel,
    /// The id that the knowledge base has now.
    pub(super) pointed: String,
    /// The tenant's newest row of the type counts instead.
    pub(super) by_type: bool,
}

impl Wanted {
    /// Reranking and pictures are always asked of a service.
    fn source(&self) -> &str {
        match self.model_type {
            ModelType::KnowledgeQA | ModelType::Embedding => &self.chosen.source,
            ModelType::Rerank | ModelType::Vision => "remote",
        }
    }

    fn description(&self) -> &'static str {
        match self.model_type {
            ModelType::KnowledgeQA => "LLM Model for Knowledge QA",
            ModelType::Embedding => "Embedding Model",
            ModelType::Rerank => "Rerank Model",
            ModelType::Vision => "VLM Model",
        }
    }
}

impl Initialization {
    pub(super) async fn model_write(
        &self,
        scope: &TenantScope,
        request_id: &str,
        kb: &KnowledgeBase,
        wanted: Wanted,
    ) -> Result<ModelWrite> {
        let source = self.inner.library.resolve_source(wanted.source())?;
        let present = self.present(scope, &wanted).await?;
        let parameters = parameters(present.as_ref(), &source, &wanted.chosen);
        if let Some(present) = &present {
            let same = present.name == wanted.chosen.name && present.source == source && present.parameters == parameters;
            if same && present.status == ModelStatus::Active {
                return Ok(ModelWrite::Keep(present.clone()));
            }
        }
        let status = self.status(scope, request_id, &source, &wanted.chosen.name).await;
        if let Some(present) = present
            && !is_builtin(&present)
            && !self.inner.library.store().is_model_shared(scope, &present.id, &kb.id).await?
        {
            let patch = ModelPatch {
                name: Some(wanted.chosen.name),
                source: Some(source),
                parameters: Some(parameters),
                status: Some(status),
                ..ModelPatch::default()
            };
            return Ok(ModelWrite::Update { id: present.id, patch });
        }
        Ok(ModelWrite::Create(Model {
            id: String::new(),
            tenant_id: scope.tenant_id(),
            description: wanted.description().into(),
            name: wanted.chosen.name,
            model_type: wanted.model_type,
            source,
            parameters,
            is_default: false,
            status,
            created_at: Timestamp::zero(),
            updated_at: Timestamp::zero(),
            deleted_at: None,
        }))
    }

    /// The row that the choice is about, if it is of the type; it may be a built-in one or another knowledge base's, too.
    async fn present(&self, scope: &TenantScope, wanted: &Wanted) -> Result<Option<Model>> {
        let store = self.inner.library.store();
        if wanted.by_type {
            let filter = ModelFilter { model_type: Some(wanted.model_type), ..ModelFilter::default() };
            return Ok(store.list_models(scope, &filter).await?.into_iter().find(|model| !is_builtin(model)));
        }
        if wanted.pointed.is_empty() {
            return Ok(None);
        }
        let found = store.find_model(scope, &wanted.pointed).await?;
        Ok(found.filter(|model| model.model_type == wanted.model_type))
    }

    /// A local model that is not there yet is fetched; where no server is wanted, nothing is.
    async fn status(&self, scope: &TenantScope, request_id: &str, source: &str, name: &str) -> ModelStatus {
        if source != "local" {
            return ModelStatus::Active;
        }
        match self.installed_models(scope, request_id).await {
            Ok(installed) if are_installed(&[name.to_owned()], &installed).iter().all(|(_, there)| *there) => ModelStatus::Active,
            Err(_) if self.inner.settings.ollama_optional => ModelStatus::Active,
            Ok(_) | Err(_) => ModelStatus::Downloading,
        }
    }
}

/// What the row has, with what the choice names in its place.
fn parameters(present: Option<&Model>, source: &str, chosen: &ChosenModel) -> ModelParameters {
    let stored = present.map(|model| model.parameters.clone()).unwrap_or_default();
    let is_key_known = |key: &String| key != HIDDEN;
    ModelParameters {
        // The server of local models stands in the settings.
        base_url: if source == "local" { String::new() } else { chosen.base_url.clone().unwrap_or(stored.base_url) },
        api_key: chosen.api_key.clone().filter(is_key_known).unwrap_or(stored.api_key),
        embedding_parameters: EmbeddingParameters {
            dimension: chosen.dimension.unwrap_or(stored.embedding_parameters.dimension),
            ..stored.embedding_parameters
        },
        settings: if present.is_some_and(|model| model.source == source) { stored.settings } else { serde_json::Map::new() },
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn what_a_choice_does_not_name_stays_and_a_mask_is_no_key() {
        let mut present = Model {
            id: "m".into(),
            tenant_id: crate::domain::TenantId(1),
            name: "n".into(),
            model_type: ModelType::Embedding,
            source: "remote".into(),
            description: String::new(),
            parameters: ModelParameters::default(),
            is_default: true,
            status: ModelStatus::Active,
            created_at: Timestamp::zero(),
            updated_at: Timestamp::zero(),
            deleted_at: None,
        };
        present.parameters = serde_json::from_value(json!({
            "base_url": "https://a.example", "api_key": "sk-stored", "send_dimensions": true,
            "embedding_parameters": {"dimension": 8, "truncate_prompt_tokens": 100},
        }))
        .unwrap();
        let unnamed = ChosenModel { source: "remote".into(), name: "n".into(), ..ChosenModel::default() };
        assert_eq!(parameters(Some(&present), "remote", &unnamed), present.parameters);
        let masked = ChosenModel { api_key: Some(HIDDEN.into()), ..unnamed.clone() };
        assert_eq!(parameters(Some(&present), "remote", &masked).api_key, "sk-stored");
        let emptied = ChosenModel { api_key: Some(String::new()), base_url: Some("https://b.example".into()), ..unnamed };
        let changed = parameters(Some(&present), "local", &emptied);
        assert_eq!((changed.api_key.as_str(), changed.base_url.as_str(), changed.settings.len()), ("", "", 0));
    }
}

//! What a run is started with: models and settings chosen, then row, temporary knowledge base and job at once.
//!
//! Not here: the run (`runs`).

use super::{Evaluations, datasets};
use crate::domain::{Evaluation, EvaluationParams, KnowledgeBase, Model, ModelStatus, ModelType, TenantScope};
use crate::error::{Error, Result};
use crate::store::{ModelFilter, NewEvaluation, Store};

/// The contract's name and description of the temporary knowledge base.
const KNOWLEDGE_BASE: &str = "evaluation";

/// What a client names; empty stands for what it does not.
#[derive(Clone, Debug, Default)]
pub struct StartEvaluation {
    pub dataset_id: String,
    /// Lends its models; its documents are not looked at.
    pub knowledge_base_id: String,
    pub chat_model_id: String,
    pub rerank_model_id: String,
    pub request_id: String,
}

impl Evaluations {
    /// Everything that can be known to be wrong is refused here, before anything is made.
    pub async fn start_evaluation(&self, scope: &TenantScope, wish: StartEvaluation) -> Result<Evaluation> {
        let store = &self.parts.store;
        let (embedding_model_id, summary_model_id) = indexing_models(store, scope, &wish.knowledge_base_id).await?;
        let dataset_id = if wish.dataset_id.is_empty() { datasets::DEFAULT.to_owned() } else { wish.dataset_id };
        self.parts.datasets.check(&dataset_id).await?;
        // Without one of its own a tenant searches without a reranker, but it is answered by the built-in model.
        let reranker = chosen(store, scope, ModelType::Rerank, &wish.rerank_model_id).await?;
        let chat_model = match chosen(store, scope, ModelType::KnowledgeQA, &wish.chat_model_id).await? {
            Some(model) => Some(model),
            None => active(store, scope, ModelType::KnowledgeQA).await?.into_iter().next(),
        };
        let chat_model_id = chat_model.ok_or_else(|| Error::bad_request("no default chat model found"))?.id;
        let settings = self.parts.chat.conversation();
        let params = EvaluationParams {
            vector_threshold: settings.vector_threshold,
            keyword_threshold: settings.keyword_threshold,
            embedding_top_k: settings.embedding_top_k,
            rerank_model_id: reranker.map(|model| model.id).unwrap_or_default(),
            rerank_top_k: settings.rerank_top_k,
            rerank_threshold: settings.rerank_threshold,
            chat_model_id,
            summary_config: settings.summary.clone(),
            fallback_response: settings.fallback_response.clone(),
            ..EvaluationParams::default()
        };
        let kb = KnowledgeBase {
            name: KNOWLEDGE_BASE.into(),
            description: KNOWLEDGE_BASE.into(),
            embedding_model_id,
            summary_model_id,
            ..KnowledgeBase::default()
        };
        store.create_evaluation(scope, &NewEvaluation { dataset_id, params, request_id: wish.request_id }, &kb).await
    }
}

/// Those of the named knowledge base, else the newest embedding and chat model.
async fn indexing_models(store: &Store, scope: &TenantScope, knowledge_base_id: &str) -> Result<(String, String)> {
    if !knowledge_base_id.is_empty() {
        let kb = store.get_knowledge_base(scope, knowledge_base_id).await?;
        return Ok((kb.embedding_model_id, kb.summary_model_id));
    }
    let missing = || Error::bad_request("no default models found for evaluation");
    let embedding = active(store, scope, ModelType::Embedding).await?.into_iter().next().ok_or_else(missing)?;
    let summary = active(store, scope, ModelType::KnowledgeQA).await?.into_iter().next().ok_or_else(missing)?;
    Ok((embedding.id, summary.id))
}

/// The named model if it is one of this type, else the tenant's oldest.
async fn chosen(store: &Store, scope: &TenantScope, model_type: ModelType, id: &str) -> Result<Option<Model>> {
    if id.is_empty() {
        let mut own = active(store, scope, model_type).await?;
        own.retain(|model| model.tenant_id == scope.tenant_id());
        return Ok(own.pop());
    }
    let model = store.find_model(scope, id).await?.ok_or_else(|| Error::not_found("model not found"))?;
    if model.model_type != model_type {
        return Err(Error::bad_request(format!("the model {id} is no {} model", model_type.as_str())));
    }
    Ok(Some(model))
}

/// The tenant's own, newest first, then the built-in ones.
async fn active(store: &Store, scope: &TenantScope, model_type: ModelType) -> Result<Vec<Model>> {
    let mut models = store.list_models(scope, &ModelFilter { model_type: Some(model_type), ..ModelFilter::default() }).await?;
    models.retain(|model| model.status == ModelStatus::Active);
    Ok(models)
}

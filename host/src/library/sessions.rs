//! Sessions: conversations with a knowledge base, and how their answers are made.
//!
//! Not here: answering (`chat`), and whether a template can be used (`chat::check_template`; the routes ask it).

use super::Library;
use crate::config::Conversation;
use crate::domain::{Session, SummaryParameters, TenantScope};
use crate::error::{Error, Result};
use crate::store::{Page, Paged, SessionPatch};

/// What a client names of a session; `None` stands for what it does not name.
#[derive(Clone, Debug, Default)]
pub struct SessionChange {
    pub title: Option<String>,
    pub description: Option<String>,
    pub knowledge_base_id: Option<String>,
    pub strategy: Strategy,
}

#[derive(Clone, Debug, Default)]
pub struct Strategy {
    pub max_rounds: Option<i64>,
    pub enable_rewrite: Option<bool>,
    pub fallback_strategy: Option<String>,
    pub fallback_response: Option<String>,
    pub embedding_top_k: Option<i64>,
    pub keyword_threshold: Option<f64>,
    pub vector_threshold: Option<f64>,
    pub rerank_model_id: Option<String>,
    pub rerank_top_k: Option<i64>,
    pub rerank_threshold: Option<f64>,
    pub summary_model_id: Option<String>,
    pub summary_parameters: Option<SummaryChange>,
}

#[derive(Clone, Debug, Default)]
pub struct SummaryChange {
    pub max_tokens: Option<i64>,
    pub repeat_penalty: Option<f64>,
    pub top_k: Option<i64>,
    pub top_p: Option<f64>,
    pub frequency_penalty: Option<f64>,
    pub presence_penalty: Option<f64>,
    pub prompt: Option<String>,
    pub context_template: Option<String>,
    pub no_match_prefix: Option<String>,
    pub temperature: Option<f64>,
    pub seed: Option<i64>,
    pub max_completion_tokens: Option<i64>,
}

impl SummaryChange {
    fn over(self, base: SummaryParameters) -> SummaryParameters {
        SummaryParameters {
            max_tokens: self.max_tokens.unwrap_or(base.max_tokens),
            repeat_penalty: self.repeat_penalty.unwrap_or(base.repeat_penalty),
            top_k: self.top_k.unwrap_or(base.top_k),
            top_p: self.top_p.unwrap_or(base.top_p),
            frequency_penalty: self.frequency_penalty.unwrap_or(base.frequency_penalty),
            presence_penalty: self.presence_penalty.unwrap_or(base.presence_penalty),
            prompt: self.prompt.unwrap_or(base.prompt),
            context_template: self.context_template.unwrap_or(base.context_template),
            no_match_prefix: self.no_match_prefix.unwrap_or(base.no_match_prefix),
            temperature: self.temperature.unwrap_or(base.temperature),
            seed: self.seed.unwrap_or(base.seed),
            max_completion_tokens: self.max_completion_tokens.unwrap_or(base.max_completion_tokens),
        }
    }

    /// For a new session: numbers that are not named are 0, texts that are empty come from the settings.
    fn fresh(self, settings: &SummaryParameters) -> SummaryParameters {
        let mut parameters = self.over(SummaryParameters::default());
        for (text, default) in [
            (&mut parameters.prompt, &settings.prompt),
            (&mut parameters.context_template, &settings.context_template),
            (&mut parameters.no_match_prefix, &settings.no_match_prefix),
        ] {
            if text.is_empty() {
                text.clone_from(default);
            }
        }
        parameters
    }
}

impl Library {
    /// What the client does not name comes from the settings; models that it does not name are the knowledge base's.
    pub async fn create_session(
        &self,
        scope: &TenantScope,
        settings: &Conversation,
        knowledge_base_id: &str,
        strategy: Strategy,
    ) -> Result<Session> {
        let kb = self.store().find_knowledge_base(scope, knowledge_base_id).await?.ok_or_else(knowledge_base_not_found)?;
        let model = |named: Option<String>, of_kb: String| named.filter(|id| !id.is_empty()).unwrap_or(of_kb);
        let session = Session {
            knowledge_base_id: kb.id,
            max_rounds: strategy.max_rounds.unwrap_or(settings.max_rounds),
            enable_rewrite: strategy.enable_rewrite.unwrap_or(settings.enable_rewrite),
            fallback_strategy: strategy.fallback_strategy.unwrap_or_else(|| settings.fallback_strategy.clone()),
            fallback_response: strategy.fallback_response.unwrap_or_else(|| settings.fallback_response.clone()),
            embedding_top_k: strategy.embedding_top_k.unwrap_or(settings.embedding_top_k),
            keyword_threshold: strategy.keyword_threshold.unwrap_or(settings.keyword_threshold),
            vector_threshold: strategy.vector_threshold.unwrap_or(settings.vector_threshold),
            rerank_model_id: model(strategy.rerank_model_id, kb.rerank_model_id),
            rerank_top_k: strategy.rerank_top_k.unwrap_or(settings.rerank_top_k),
            rerank_threshold: strategy.rerank_threshold.unwrap_or(settings.rerank_threshold),
            summary_model_id: model(strategy.summary_model_id, kb.summary_model_id),
            summary_parameters: match strategy.summary_parameters {
                Some(named) => named.fresh(&settings.summary),
                None => settings.summary.clone(),
            },
            ..Session::default()
        };
        self.store().create_session(scope, &session).await
    }

    pub async fn get_session(&self, scope: &TenantScope, id: &str) -> Result<Session> {
        self.store().get_session(scope, id).await
    }

    /// Newest first.
    pub async fn list_sessions(&self, scope: &TenantScope, page: i64, page_size: i64) -> Result<Paged<Session>> {
        self.store().list_sessions(scope, Page::new(page, page_size)).await
    }

    /// Keeps what the change does not name, down to single summary parameters.
    pub async fn update_session(&self, scope: &TenantScope, id: &str, change: SessionChange) -> Result<Session> {
        let stored = self.store().get_session(scope, id).await?;
        if let Some(kb_id) = change.knowledge_base_id.as_deref().filter(|kb_id| *kb_id != stored.knowledge_base_id && !kb_id.is_empty()) {
            self.store().find_knowledge_base(scope, kb_id).await?.ok_or_else(knowledge_base_not_found)?;
        }
        let strategy = change.strategy;
        let patch = SessionPatch {
            title: change.title,
            description: change.description,
            knowledge_base_id: change.knowledge_base_id,
            max_rounds: strategy.max_rounds,
            enable_rewrite: strategy.enable_rewrite,
            fallback_strategy: strategy.fallback_strategy,
            fallback_response: strategy.fallback_response,
            keyword_threshold: strategy.keyword_threshold,
            vector_threshold: strategy.vector_threshold,
            rerank_model_id: strategy.rerank_model_id,
            embedding_top_k: strategy.embedding_top_k,
            rerank_top_k: strategy.rerank_top_k,
            rerank_threshold: strategy.rerank_threshold,
            summary_model_id: strategy.summary_model_id,
            summary_parameters: strategy.summary_parameters.map(|named| named.over(stored.summary_parameters)),
        };
        self.store().update_session(scope, id, &patch).await
    }

    /// Deleting what is not there is no mistake.
    pub async fn delete_session(&self, scope: &TenantScope, id: &str) -> Result<()> {
        self.store().delete_session(scope, id).await?;
        Ok(())
    }
}

fn knowledge_base_not_found() -> Error {
    Error::not_found("knowledge base not found")
}

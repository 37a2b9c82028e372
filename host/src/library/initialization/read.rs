//! What a knowledge base is set to now.
//!
//! Not here: the shape in which clients see it (`http`).

use super::Initialization;
use crate::domain::{KnowledgeBase, Model, ModelStatus, ModelType, TenantScope};
use crate::error::{Error, Result};
use crate::provider::{BUILTIN_CHAT, BUILTIN_EMBED, BUILTIN_EMBED_FULL, BUILTIN_RERANK};
use crate::store::{KnowledgeFilter, ModelFilter, Page};

/// A model is absent while it can not be used.
#[derive(Clone, Debug)]
pub struct CurrentSettings {
    pub knowledge_base: KnowledgeBase,
    pub has_files: bool,
    pub llm: Option<Model>,
    pub embedding: Option<Model>,
    pub rerank: Option<Model>,
    pub vision: Option<Model>,
}

impl CurrentSettings {
    /// Where the row's own type says, whatever column names it.
    fn place(&mut self, model: Model) {
        let place = match model.model_type {
            ModelType::KnowledgeQA => &mut self.llm,
            ModelType::Embedding => &mut self.embedding,
            ModelType::Rerank => &mut self.rerank,
            ModelType::Vision => &mut self.vision,
        };
        *place = Some(model);
    }
}

impl Initialization {
    /// Of one knowledge base, with the models that it names.
    pub async fn current(&self, scope: &TenantScope, id: &str) -> Result<CurrentSettings> {
        let kb = self.find_own(scope, id).await?;
        let ids = [&kb.embedding_model_id, &kb.summary_model_id, &kb.rerank_model_id, &kb.vlm_model_id].map(Clone::clone);
        let mut current = self.empty(scope, kb).await?;
        for id in ids.iter().filter(|id| !id.is_empty()) {
            match self.inner.library.get_model(scope, id).await {
                Ok(model) if model.status == ModelStatus::Active => current.place(model),
                Ok(_) | Err(Error::NotFound { .. }) => {}
                Err(error) => return Err(error),
            }
        }
        Ok(current)
    }

    /// Of the newest knowledge base, with the newest model of each type: how clients of v0.1.3 see a tenant.
    pub async fn current_of_tenant(&self, scope: &TenantScope) -> Result<CurrentSettings> {
        let kb = self.newest(scope).await?.ok_or_else(|| Error::not_found("获取知识库信息失败"))?;
        let mut current = self.empty(scope, kb).await?;
        for model in self.inner.library.list_models(scope, false).await? {
            current.place(model);
        }
        Ok(current)
    }

    /// Whether the tenant sees a model beside the built-in ones.
    pub async fn is_initialized(&self, scope: &TenantScope) -> Result<bool> {
        let models = self.inner.library.store().list_models(scope, &ModelFilter::default()).await?;
        Ok(models.iter().any(|model| ![BUILTIN_CHAT, BUILTIN_EMBED, BUILTIN_EMBED_FULL, BUILTIN_RERANK].contains(&model.id.as_str())))
    }

    pub(super) async fn find_own(&self, scope: &TenantScope, id: &str) -> Result<KnowledgeBase> {
        self.inner.library.store().find_knowledge_base(scope, id).await?.ok_or_else(|| Error::not_found("知识库不存在"))
    }

    pub(super) async fn newest(&self, scope: &TenantScope) -> Result<Option<KnowledgeBase>> {
        Ok(self.inner.library.list_knowledge_bases(scope).await?.into_iter().next())
    }

    async fn empty(&self, scope: &TenantScope, knowledge_base: KnowledgeBase) -> Result<CurrentSettings> {
        let store = self.inner.library.store();
        let files = store.list_knowledge(scope, &knowledge_base.id, &KnowledgeFilter::default(), Page::new(1, 1)).await?;
        Ok(CurrentSettings { knowledge_base, has_files: files.total > 0, llm: None, embedding: None, rerank: None, vision: None })
    }
}

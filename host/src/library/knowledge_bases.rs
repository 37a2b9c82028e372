//! Knowledge bases: collections that are searched together.
//!
//! Not here: the documents in them, searching and copying.

use super::Library;
use crate::domain::{ChunkingConfig, ImageProcessingConfig, KnowledgeBase, TenantScope};
use crate::error::Result;
use crate::store::KnowledgeBasePatch;

/// `None` keeps; a configuration that is given replaces as a whole.
#[derive(Clone, Debug, Default)]
pub struct KnowledgeBaseChange {
    pub name: Option<String>,
    pub description: Option<String>,
    pub chunking_config: Option<ChunkingConfig>,
    pub image_processing_config: Option<ImageProcessingConfig>,
}

impl Library {
    /// Id, tenant and times of `kb` are ignored.
    pub async fn create_knowledge_base(&self, scope: &TenantScope, mut kb: KnowledgeBase) -> Result<KnowledgeBase> {
        kb.id.clear();
        kb.deleted_at = None;
        self.store().create_knowledge_base(scope, &kb).await
    }

    /// Newest first.
    pub async fn list_knowledge_bases(&self, scope: &TenantScope) -> Result<Vec<KnowledgeBase>> {
        self.store().list_knowledge_bases(scope).await
    }

    /// Another tenant's behaves as one that does not exist.
    pub async fn get_knowledge_base(&self, scope: &TenantScope, id: &str) -> Result<KnowledgeBase> {
        self.store().get_knowledge_base(scope, id).await
    }

    pub async fn update_knowledge_base(&self, scope: &TenantScope, id: &str, change: KnowledgeBaseChange) -> Result<KnowledgeBase> {
        let patch = KnowledgeBasePatch {
            name: change.name,
            description: change.description,
            chunking_config: change.chunking_config,
            image_processing_config: change.image_processing_config,
            ..KnowledgeBasePatch::default()
        };
        self.store().update_knowledge_base(scope, id, &patch).await
    }

    /// Its documents, chunks, vectors and files go with it, in the background where that takes long.
    pub async fn delete_knowledge_base(&self, scope: &TenantScope, id: &str) -> Result<()> {
        self.store().delete_knowledge_base(scope, id).await?;
        Ok(())
    }
}

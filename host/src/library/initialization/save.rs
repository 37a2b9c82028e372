//! Saves the settings of a knowledge base: checks them in the contract's order, then writes models and knowledge base together.
//!
//! Not here: binding of the request (`http`), the transaction (`store::initialization`).

mod checks;
mod models;

use super::Initialization;
use crate::domain::{ChunkingConfig, ExtractConfig, KnowledgeBase, Model, ModelType, StorageConfig, TenantScope, VlmConfig};
use crate::error::Result;
use crate::store::{InitializedModel, KnowledgeBasePatch, NewSettings};
pub(super) use checks::is_complete;
use models::Wanted;

/// A part of the settings that a request may leave out.
#[derive(Clone, Debug, Default)]
pub enum Part<T> {
    /// Not named: stays as it is.
    #[default]
    Keep,
    Off,
    On(T),
}

/// `None` keeps what the model's row has.
#[derive(Clone, Debug, Default)]
pub struct ChosenModel {
    pub source: String,
    pub name: String,
    pub base_url: Option<String>,
    pub api_key: Option<String>,
    pub dimension: Option<i64>,
}

#[derive(Clone, Debug, Default)]
pub struct Vision {
    pub model: ChosenModel,
    /// `ollama`, `openai` or empty.
    pub interface_type: String,
}

/// Where pictures go.
#[derive(Clone, Debug, Default)]
pub struct Storage {
    /// In any case; empty: not named.
    pub kind: String,
    pub cos: Option<StorageConfig>,
    pub minio: Option<StorageConfig>,
}

#[derive(Clone, Debug, Default)]
pub struct Multimodal {
    pub vision: Option<Vision>,
    pub storage: Storage,
}

#[derive(Clone, Debug, Default)]
pub struct Chunking {
    pub size: i64,
    pub overlap: i64,
    pub separators: Vec<String>,
}

#[derive(Clone, Debug, Default)]
pub struct SettingsChange {
    pub llm: ChosenModel,
    pub embedding: ChosenModel,
    pub rerank: Part<ChosenModel>,
    pub multimodal: Part<Multimodal>,
    pub chunking: Chunking,
    pub extract: Part<ExtractConfig>,
}

/// What a save answers with.
#[derive(Clone, Debug)]
pub struct Saved {
    pub models: Vec<Model>,
    pub knowledge_base: KnowledgeBase,
}

const DEFAULT_NAME: &str = "Default Knowledge Base";

impl Initialization {
    pub async fn save(&self, scope: &TenantScope, request_id: &str, id: &str, change: SettingsChange) -> Result<Saved> {
        let kb = self.find_own(scope, id).await?;
        self.save_into(scope, request_id, kb, change, false).await
    }

    /// Into the newest knowledge base, or a new one, and over the newest model of each type: how clients of v0.1.3 set a tenant up.
    pub async fn save_tenant(&self, scope: &TenantScope, request_id: &str, change: SettingsChange) -> Result<Saved> {
        let kb = match self.newest(scope).await? {
            Some(kb) => kb,
            None => KnowledgeBase { name: DEFAULT_NAME.into(), ..KnowledgeBase::default() },
        };
        self.save_into(scope, request_id, kb, change, true).await
    }

    async fn save_into(
        &self,
        scope: &TenantScope,
        request_id: &str,
        kb: KnowledgeBase,
        mut change: SettingsChange,
        by_type: bool,
    ) -> Result<Saved> {
        self.check(&mut change)?;
        let wanted = |model_type, chosen, pointed: &str| Wanted { model_type, chosen, pointed: pointed.to_owned(), by_type };
        let llm = wanted(ModelType::KnowledgeQA, change.llm, &kb.summary_model_id);
        let llm = self.model_write(scope, request_id, &kb, llm).await?;
        let embedding = wanted(ModelType::Embedding, change.embedding, &kb.embedding_model_id);
        let embedding = self.model_write(scope, request_id, &kb, embedding).await?;
        let rerank = match change.rerank {
            Part::Keep => InitializedModel::Unchanged,
            Part::Off => InitializedModel::Off,
            Part::On(chosen) => {
                let rerank = wanted(ModelType::Rerank, chosen, &kb.rerank_model_id);
                InitializedModel::On(Box::new(self.model_write(scope, request_id, &kb, rerank).await?))
            }
        };
        let mut patch = KnowledgeBasePatch {
            chunking_config: Some(chunking_config(&kb, change.chunking, &change.multimodal)),
            extract_config: match change.extract {
                Part::Keep => None,
                Part::Off => Some(None),
                Part::On(config) => Some(Some(config)),
            },
            ..KnowledgeBasePatch::default()
        };
        let vision = match change.multimodal {
            Part::Keep => InitializedModel::Unchanged,
            Part::Off => {
                patch.vlm_config = Some(VlmConfig::default());
                patch.storage_config = Some(StorageConfig::default());
                InitializedModel::Off
            }
            Part::On(multimodal) => {
                let vision = multimodal.vision.unwrap_or_default();
                patch.vlm_config = Some(vlm_config(&kb, &vision));
                patch.storage_config = storage_config(&kb, multimodal.storage);
                let vision = wanted(ModelType::Vision, vision.model, &kb.vlm_model_id);
                InitializedModel::On(Box::new(self.model_write(scope, request_id, &kb, vision).await?))
            }
        };
        let new = NewSettings { knowledge_base: kb, llm, embedding, rerank, vision, patch };
        let saved = self.inner.library.store().save_settings(scope, new).await?;
        let models = saved.models.into_iter().map(crate::library::models::masked).collect();
        Ok(Saved { models, knowledge_base: saved.knowledge_base })
    }
}

fn chunking_config(kb: &KnowledgeBase, chunking: Chunking, multimodal: &Part<Multimodal>) -> ChunkingConfig {
    ChunkingConfig {
        chunk_size: chunking.size,
        chunk_overlap: chunking.overlap,
        separators: Some(chunking.separators),
        enable_multimodal: match multimodal {
            Part::Keep => kb.chunking_config.enable_multimodal,
            Part::Off => false,
            Part::On(_) => true,
        },
    }
}

fn vlm_config(kb: &KnowledgeBase, vision: &Vision) -> VlmConfig {
    VlmConfig {
        model_name: vision.model.name.clone(),
        base_url: vision.model.base_url.clone().unwrap_or_default(),
        api_key: vision.model.api_key.clone().unwrap_or_else(|| kb.vlm_config.api_key.clone()),
        interface_type: vision.interface_type.clone(),
    }
}

/// The server's own MinIO keys are read where they are used; they never go into a row.
fn storage_config(kb: &KnowledgeBase, storage: Storage) -> Option<StorageConfig> {
    let stored = &kb.storage_config;
    match storage.kind.as_str() {
        "cos" => storage.cos.map(|cos| StorageConfig { provider: "cos".into(), ..cos }),
        "minio" => storage.minio.map(|minio| StorageConfig {
            provider: "minio".into(),
            bucket_name: minio.bucket_name,
            path_prefix: minio.path_prefix,
            // What another provider needed is not this one's.
            ..if stored.provider == "minio" { stored.clone() } else { StorageConfig::default() }
        }),
        _ => None,
    }
}

//! The settings of a knowledge base and its models in one transaction: all of it is saved or nothing. Not here: what they mean (`library`).

use super::fault::fault;
use super::knowledge_bases::{insert_knowledge_base, patch_knowledge_base};
use super::models::{insert_model, patch_model};
use super::pulls::ensure_pull;
use super::{KnowledgeBasePatch, ModelPatch, Store};
use crate::domain::{KnowledgeBase, Model, ModelStatus, TenantScope};
use crate::error::Result;
use sqlx::SqliteConnection;

/// How one model of a knowledge base is saved.
#[derive(Clone, Debug)]
pub enum ModelWrite {
    /// The row stays as it is.
    Keep(Model),
    Create(Model),
    Update {
        id: String,
        patch: ModelPatch,
    },
}

/// A model that a knowledge base may have.
#[derive(Clone, Debug, Default)]
pub enum InitializedModel {
    /// Its id stays.
    #[default]
    Unchanged,
    /// Its id becomes empty.
    Off,
    On(Box<ModelWrite>),
}

/// Everything that one save changes.
#[derive(Clone, Debug)]
pub struct NewSettings {
    /// Written first where it has no id.
    pub knowledge_base: KnowledgeBase,
    pub llm: ModelWrite,
    pub embedding: ModelWrite,
    pub rerank: InitializedModel,
    pub vision: InitializedModel,
    /// Without model ids.
    pub patch: KnowledgeBasePatch,
}

#[derive(Clone, Debug)]
pub struct Initialized {
    pub knowledge_base: KnowledgeBase,
    pub models: Vec<Model>,
}

impl Store {
    /// Saves models and knowledge base, and puts a pull into the queue for each local model that is not there yet.
    pub async fn save_settings(&self, scope: &TenantScope, new: NewSettings) -> Result<Initialized> {
        let mut transaction = self.begin().await?;
        let mut models = Vec::new();
        let mut patch = new.patch;
        patch.summary_model_id = Some(write_model(&mut transaction, scope, new.llm, &mut models).await?);
        patch.embedding_model_id = Some(write_model(&mut transaction, scope, new.embedding, &mut models).await?);
        patch.rerank_model_id = write_optional(&mut transaction, scope, new.rerank, &mut models).await?;
        patch.vlm_model_id = write_optional(&mut transaction, scope, new.vision, &mut models).await?;
        let id = match new.knowledge_base.id.as_str() {
            "" => insert_knowledge_base(&mut transaction, scope, &new.knowledge_base).await?.id,
            id => id.to_owned(),
        };
        let knowledge_base = patch_knowledge_base(&mut transaction, scope, &id, &patch).await?;
        for model in models.iter().filter(|model| model.status == ModelStatus::Downloading) {
            ensure_pull(&mut transaction, scope.tenant_id(), &model.name).await?;
        }
        super::commit(transaction).await?;
        self.jobs_ready().notify_waiters();
        Ok(Initialized { knowledge_base, models })
    }

    /// Whether another knowledge base of the tenant uses the model.
    pub async fn is_model_shared(&self, scope: &TenantScope, model_id: &str, knowledge_base_id: &str) -> Result<bool> {
        sqlx::query_scalar(
            "select exists (select 1 from knowledge_bases where tenant_id = ?1 and id <> ?3 and deleted_at is null \
             and ?2 in (embedding_model_id, summary_model_id, rerank_model_id, vlm_model_id))",
        )
        .bind(scope.tenant_id().0)
        .bind(model_id)
        .bind(knowledge_base_id)
        .fetch_one(self.reader())
        .await
        .map_err(fault("reading who uses a model"))
    }
}

async fn write_model(connection: &mut SqliteConnection, scope: &TenantScope, write: ModelWrite, models: &mut Vec<Model>) -> Result<String> {
    let model = match write {
        ModelWrite::Keep(model) => model,
        ModelWrite::Create(model) => insert_model(connection, scope, &model).await?,
        ModelWrite::Update { id, patch } => patch_model(connection, scope, &id, &patch).await?,
    };
    let id = model.id.clone();
    models.push(model);
    Ok(id)
}

async fn write_optional(
    connection: &mut SqliteConnection,
    scope: &TenantScope,
    model: InitializedModel,
    models: &mut Vec<Model>,
) -> Result<Option<String>> {
    match model {
        InitializedModel::Unchanged => Ok(None),
        InitializedModel::Off => Ok(Some(String::new())),
        InitializedModel::On(write) => write_model(connection, scope, *write, models).await.map(Some),
    }
}

//! Configured models, the tenant's own and the built-in ones. Not here: which plugin answers for one.

use super::Store;
use super::convert::{check_optional, check_text, from_json, id_or_new, optional_time, time, to_json, word};
use super::fault::fault;
use super::pulls::ensure_pull;
use crate::domain::{Model, ModelParameters, ModelStatus, ModelType, TenantId, TenantScope, Timestamp};
use crate::error::{Error, Result};
use crate::limits::{MODEL_ID_CHARS_MAX, MODEL_SOURCE_CHARS_MAX, NAME_CHARS_MAX};
use sqlx::SqliteConnection;

/// A model that every tenant may read and nobody may edit.
#[derive(Clone, Debug)]
pub struct BuiltinModel {
    pub id: String,
    pub name: String,
    pub model_type: ModelType,
    /// The plugin that answers.
    pub source: String,
    pub description: String,
    pub parameters: ModelParameters,
}

/// `None`: all.
#[derive(Clone, Debug, Default)]
pub struct ModelFilter {
    pub model_type: Option<ModelType>,
    pub source: Option<String>,
}

/// `None` keeps what is stored.
#[derive(Clone, Debug, Default)]
pub struct ModelPatch {
    pub name: Option<String>,
    pub source: Option<String>,
    pub description: Option<String>,
    pub parameters: Option<ModelParameters>,
    pub is_default: Option<bool>,
    pub status: Option<ModelStatus>,
}

#[derive(sqlx::FromRow)]
struct ModelRow {
    id: String,
    tenant_id: i64,
    name: String,
    r#type: String,
    source: String,
    description: Option<String>,
    parameters: String,
    is_default: bool,
    status: String,
    created_at: String,
    updated_at: String,
    deleted_at: Option<String>,
}

impl TryFrom<ModelRow> for Model {
    type Error = Error;

    fn try_from(row: ModelRow) -> Result<Self> {
        Ok(Self {
            id: row.id,
            tenant_id: TenantId(row.tenant_id),
            name: row.name,
            model_type: word("models.type", &row.r#type, ModelType::parse)?,
            source: row.source,
            description: row.description.unwrap_or_default(),
            parameters: from_json("models.parameters", &row.parameters)?,
            is_default: row.is_default,
            status: word("models.status", &row.status, ModelStatus::parse)?,
            created_at: time("models.created_at", &row.created_at)?,
            updated_at: time("models.updated_at", &row.updated_at)?,
            deleted_at: optional_time("models.deleted_at", row.deleted_at.as_deref())?,
        })
    }
}

impl Store {
    /// Tenant and times are set here; an empty id gets a fresh one.
    /// One that is still to be fetched gets a pull in the same transaction.
    pub async fn create_model(&self, scope: &TenantScope, model: &Model) -> Result<Model> {
        let mut transaction = self.begin().await?;
        let model = insert_model(&mut transaction, scope, model).await?;
        if model.status == ModelStatus::Downloading {
            ensure_pull(&mut transaction, scope.tenant_id(), &model.name).await?;
        }
        super::commit(transaction).await?;
        if model.status == ModelStatus::Downloading {
            self.jobs_ready().notify_waiters();
        }
        Ok(model)
    }

    /// Writes the built-in models (tenant 0) as this binary has them; called at every start.
    pub async fn ensure_builtin_models(&self, models: &[BuiltinModel]) -> Result<()> {
        let now = Timestamp::now().to_column();
        let mut transaction = self.begin().await?;
        for model in models {
            sqlx::query(
                "insert into models (id, tenant_id, name, type, source, description, parameters, is_default, status, created_at, updated_at) \
                 values (?1, 0, ?2, ?3, ?4, ?5, ?6, 0, 'active', ?7, ?7) \
                 on conflict (id) do update set name = excluded.name, type = excluded.type, source = excluded.source, \
                 description = excluded.description, parameters = excluded.parameters, status = 'active', deleted_at = null, \
                 updated_at = excluded.updated_at where tenant_id = 0 and (name, type, source, description, parameters, status) \
                 is not (excluded.name, excluded.type, excluded.source, excluded.description, excluded.parameters, 'active')",
            )
            .bind(&model.id)
            .bind(&model.name)
            .bind(model.model_type.as_str())
            .bind(&model.source)
            .bind(&model.description)
            .bind(to_json("parameters", &model.parameters)?)
            .bind(&now)
            .execute(&mut *transaction)
            .await
            .map_err(fault("writing the built-in models"))?;
        }
        super::commit(transaction).await
    }

    /// The tenant's own or a built-in one, of any status.
    pub async fn find_model(&self, scope: &TenantScope, id: &str) -> Result<Option<Model>> {
        self.kept().models.get_or_read(scope.tenant_id(), id, Option::is_some, self.read_model(scope, id)).await
    }

    async fn read_model(&self, scope: &TenantScope, id: &str) -> Result<Option<Model>> {
        sqlx::query_as::<_, ModelRow>("select * from models where id = ?2 and tenant_id in (?1, 0) and deleted_at is null")
            .bind(scope.tenant_id().0)
            .bind(id)
            .fetch_optional(self.reader())
            .await
            .map_err(fault("reading a model"))?
            .map(Model::try_from)
            .transpose()
    }

    pub async fn get_model(&self, scope: &TenantScope, id: &str) -> Result<Model> {
        self.find_model(scope, id).await?.ok_or_else(model_not_found)
    }

    /// The tenant's own default of a kind; of several the one changed last.
    pub async fn find_default_model(&self, scope: &TenantScope, model_type: ModelType) -> Result<Option<Model>> {
        let read = self.read_default_model(scope, model_type);
        self.kept().default_models.get_or_read(scope.tenant_id(), model_type.as_str(), |_| true, read).await
    }

    async fn read_default_model(&self, scope: &TenantScope, model_type: ModelType) -> Result<Option<Model>> {
        sqlx::query_as::<_, ModelRow>(
            "select * from models where tenant_id = ?1 and type = ?2 and is_default = 1 and deleted_at is null \
             order by updated_at desc, id limit 1",
        )
        .bind(scope.tenant_id().0)
        .bind(model_type.as_str())
        .fetch_optional(self.reader())
        .await
        .map_err(fault("reading the default model"))?
        .map(Model::try_from)
        .transpose()
    }

    /// The tenant's own and the built-in ones, the own first.
    pub async fn list_models(&self, scope: &TenantScope, filter: &ModelFilter) -> Result<Vec<Model>> {
        sqlx::query_as::<_, ModelRow>(
            "select * from models where tenant_id in (?1, 0) and deleted_at is null and (?2 is null or type = ?2) \
             and (?3 is null or source = ?3) order by tenant_id = 0, created_at desc, id",
        )
        .bind(scope.tenant_id().0)
        .bind(filter.model_type.map(ModelType::as_str))
        .bind(&filter.source)
        .fetch_all(self.reader())
        .await
        .map_err(fault("listing models"))?
        .into_iter()
        .map(Model::try_from)
        .collect()
    }

    /// Every address that a model row of any tenant names, once, for the operator; at most so many.
    pub async fn list_model_addresses(&self, limit: u32) -> Result<Vec<String>> {
        sqlx::query_scalar(
            "select distinct json_extract(parameters, '$.base_url') from models where deleted_at is null and json_valid(parameters) \
             and json_extract(parameters, '$.base_url') <> '' order by 1 limit ?1",
        )
        .bind(limit)
        .fetch_all(self.reader())
        .await
        .map_err(fault("listing the addresses of models"))
    }

    /// Only the tenant's own; a built-in one behaves as missing.
    pub async fn update_model(&self, scope: &TenantScope, id: &str, patch: &ModelPatch) -> Result<Model> {
        let mut connection = self.writer().acquire().await.map_err(fault("updating a model"))?;
        patch_model(&mut connection, scope, id, patch).await
    }

    pub async fn delete_model(&self, scope: &TenantScope, id: &str) -> Result<()> {
        let deleted = sqlx::query(
            "update models set deleted_at = ?3, updated_at = ?3 where tenant_id = ?1 and id = ?2 and tenant_id <> 0 and deleted_at is null",
        )
        .bind(scope.tenant_id().0)
        .bind(id)
        .bind(Timestamp::now().to_column())
        .execute(self.writer())
        .await
        .map_err(fault("deleting a model"))?;
        if deleted.rows_affected() == 0 { Err(model_not_found()) } else { Ok(()) }
    }
}

/// Within the caller's transaction.
pub(super) async fn insert_model(connection: &mut SqliteConnection, scope: &TenantScope, model: &Model) -> Result<Model> {
    let id = id_or_new(&model.id);
    check_text("id", &id, MODEL_ID_CHARS_MAX)?;
    check_text("name", &model.name, NAME_CHARS_MAX)?;
    check_text("source", &model.source, MODEL_SOURCE_CHARS_MAX)?;
    check_text("description", &model.description, usize::MAX)?;
    let parameters = to_json("parameters", &model.parameters)?;
    sqlx::query_as::<_, ModelRow>(
        "insert into models (id, tenant_id, name, type, source, description, parameters, is_default, status, created_at, updated_at) \
         values (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?10) returning *",
    )
    .bind(id)
    .bind(scope.tenant_id().0)
    .bind(&model.name)
    .bind(model.model_type.as_str())
    .bind(&model.source)
    .bind(&model.description)
    .bind(parameters)
    .bind(model.is_default)
    .bind(model.status.as_str())
    .bind(Timestamp::now().to_column())
    .fetch_one(connection)
    .await
    .map_err(fault("creating a model"))?
    .try_into()
}

/// Within the caller's transaction.
pub(super) async fn patch_model(connection: &mut SqliteConnection, scope: &TenantScope, id: &str, patch: &ModelPatch) -> Result<Model> {
    check_optional("name", patch.name.as_ref(), NAME_CHARS_MAX)?;
    check_optional("source", patch.source.as_ref(), MODEL_SOURCE_CHARS_MAX)?;
    check_optional("description", patch.description.as_ref(), usize::MAX)?;
    let parameters = patch.parameters.as_ref().map(|parameters| to_json("parameters", parameters)).transpose()?;
    sqlx::query_as::<_, ModelRow>(
        "update models set name = coalesce(?3, name), description = coalesce(?4, description), \
         parameters = coalesce(?5, parameters), is_default = coalesce(?6, is_default), status = coalesce(?7, status), \
         source = coalesce(?8, source), updated_at = ?9 \
         where tenant_id = ?1 and id = ?2 and tenant_id <> 0 and deleted_at is null returning *",
    )
    .bind(scope.tenant_id().0)
    .bind(id)
    .bind(&patch.name)
    .bind(&patch.description)
    .bind(parameters)
    .bind(patch.is_default)
    .bind(patch.status.map(ModelStatus::as_str))
    .bind(&patch.source)
    .bind(Timestamp::now().to_column())
    .fetch_optional(connection)
    .await
    .map_err(fault("updating a model"))?
    .ok_or_else(model_not_found)?
    .try_into()
}

fn model_not_found() -> Error {
    Error::not_found("Model not found")
}

//! Tenants, and the first user who comes with one. Not here: keys and passwords, which are made above.

use super::convert::{check_optional, check_text, from_json, id_or_new, optional_time, time, to_json};
use super::fault::fault;
use super::jobs::insert_job;
use super::pulls::end_pulls;
use super::users::{NewUser, insert_user};
use super::{Store, commit};
use crate::domain::{JobKind, NewJob, RetrieverEngines, Tenant, TenantId, TenantScope, Timestamp, User};
use crate::error::{Error, Result};
use crate::limits::NAME_CHARS_MAX;
use sqlx::SqliteConnection;

/// `None` keeps what is stored.
#[derive(Clone, Debug, Default)]
pub struct TenantPatch {
    pub name: Option<String>,
    pub description: Option<String>,
    pub api_key: Option<String>,
    pub business: Option<String>,
    pub retriever_engines: Option<RetrieverEngines>,
    pub status: Option<String>,
    pub storage_quota_bytes: Option<i64>,
}

#[derive(sqlx::FromRow)]
struct TenantRow {
    id: i64,
    name: String,
    description: Option<String>,
    api_key: String,
    retriever_engines: String,
    status: Option<String>,
    business: String,
    storage_quota: i64,
    storage_used: i64,
    created_at: String,
    updated_at: String,
    deleted_at: Option<String>,
}

impl TryFrom<TenantRow> for Tenant {
    type Error = Error;

    fn try_from(row: TenantRow) -> Result<Self> {
        // The reference's column default is an empty list where an object belongs.
        let retriever_engines = if row.retriever_engines.trim_start().starts_with('[') {
            RetrieverEngines::default()
        } else {
            from_json("tenants.retriever_engines", &row.retriever_engines)?
        };
        Ok(Self {
            id: TenantId(row.id),
            name: row.name,
            description: row.description.unwrap_or_default(),
            api_key: row.api_key,
            status: row.status.unwrap_or_default(),
            retriever_engines,
            business: row.business,
            storage_quota_bytes: row.storage_quota,
            storage_used_bytes: row.storage_used,
            created_at: time("tenants.created_at", &row.created_at)?,
            updated_at: time("tenants.updated_at", &row.updated_at)?,
            deleted_at: optional_time("tenants.deleted_at", row.deleted_at.as_deref())?,
        })
    }
}

impl Store {
    /// The number is given here, and the API key is made from it. An empty status means `active`; the quota is kept as
    /// given, 0 meaning unlimited.
    pub async fn create_tenant(&self, tenant: &Tenant, api_key: impl FnOnce(TenantId) -> Result<String> + Send) -> Result<Tenant> {
        let mut transaction = self.begin().await?;
        let created = insert_tenant(&mut transaction, tenant, api_key).await?;
        commit(transaction).await?;
        Ok(created)
    }

    /// A tenant and its first user, both or neither. A taken name or address is a `Conflict` with the contract's text.
    pub async fn create_tenant_with_user(
        &self,
        tenant: &Tenant,
        api_key: impl FnOnce(TenantId) -> Result<String> + Send,
        user: &User,
    ) -> Result<(Tenant, User)> {
        let mut transaction = self.begin().await?;
        let tenant = insert_tenant(&mut transaction, tenant, api_key).await?;
        let user = NewUser { id: id_or_new(&user.id), tenant_id: tenant.id, user };
        let user = insert_user(&mut transaction, user).await?;
        commit(transaction).await?;
        Ok((tenant, user))
    }

    /// By number: what authentication needs before there is a scope.
    pub async fn find_tenant(&self, tenant_id: TenantId) -> Result<Option<Tenant>> {
        self.kept().tenants.get_or_read(tenant_id, "", Option::is_some, self.read_tenant(tenant_id)).await
    }

    async fn read_tenant(&self, tenant_id: TenantId) -> Result<Option<Tenant>> {
        sqlx::query_as::<_, TenantRow>("select * from tenants where id = ?1 and deleted_at is null")
            .bind(tenant_id.0)
            .fetch_optional(self.reader())
            .await
            .map_err(fault("reading a tenant"))?
            .map(Tenant::try_from)
            .transpose()
    }

    pub async fn get_tenant(&self, scope: &TenantScope) -> Result<Tenant> {
        self.find_tenant(scope.tenant_id()).await?.ok_or_else(tenant_not_found)
    }

    /// All of them: for the operator and for the command line on the data folder.
    pub async fn list_tenants(&self) -> Result<Vec<Tenant>> {
        sqlx::query_as::<_, TenantRow>("select * from tenants where deleted_at is null order by created_at desc, id desc")
            .fetch_all(self.reader())
            .await
            .map_err(fault("listing tenants"))?
            .into_iter()
            .map(Tenant::try_from)
            .collect()
    }

    pub async fn update_tenant(&self, scope: &TenantScope, patch: &TenantPatch) -> Result<Tenant> {
        check_optional("name", patch.name.as_ref(), NAME_CHARS_MAX)?;
        check_optional("description", patch.description.as_ref(), usize::MAX)?;
        check_optional("business", patch.business.as_ref(), NAME_CHARS_MAX)?;
        check_optional("status", patch.status.as_ref(), 50)?;
        let engines = patch.retriever_engines.as_ref().map(|engines| to_json("retriever_engines", engines)).transpose()?;
        sqlx::query_as::<_, TenantRow>(
            "update tenants set name = coalesce(?2, name), description = coalesce(?3, description), api_key = coalesce(?4, api_key), \
             business = coalesce(?5, business), retriever_engines = coalesce(?6, retriever_engines), status = coalesce(?7, status), \
             storage_quota = coalesce(?8, storage_quota), updated_at = ?9 where id = ?1 and deleted_at is null returning *",
        )
        .bind(scope.tenant_id().0)
        .bind(&patch.name)
        .bind(&patch.description)
        .bind(&patch.api_key)
        .bind(&patch.business)
        .bind(engines)
        .bind(&patch.status)
        .bind(patch.storage_quota_bytes)
        .bind(Timestamp::now().to_column())
        .fetch_optional(self.writer())
        .await
        .map_err(fault("updating a tenant"))?
        .ok_or_else(tenant_not_found)?
        .try_into()
    }

    /// Marks the tenant as deleted, whose key and tokens then lead nowhere. What it has is left to a job of kind `DeleteTenant`.
    pub async fn delete_tenant(&self, scope: &TenantScope) -> Result<()> {
        let now = Timestamp::now().to_column();
        let mut transaction = self.begin().await?;
        let deleted = sqlx::query("update tenants set deleted_at = ?2, updated_at = ?2 where id = ?1 and deleted_at is null")
            .bind(scope.tenant_id().0)
            .bind(&now)
            .execute(&mut *transaction)
            .await
            .map_err(fault("deleting a tenant"))?;
        if deleted.rows_affected() == 0 {
            return Err(tenant_not_found());
        }
        end_pulls(&mut transaction, scope.tenant_id()).await?;
        insert_job(&mut transaction, &NewJob::new(JobKind::DeleteTenant, scope.tenant_id(), scope.tenant_id().to_string())).await?;
        commit(transaction).await?;
        self.jobs_ready().notify_waiters();
        Ok(())
    }
}

pub(super) fn tenant_not_found() -> Error {
    Error::not_found("tenant not found")
}

async fn insert_tenant(
    connection: &mut SqliteConnection,
    tenant: &Tenant,
    api_key: impl FnOnce(TenantId) -> Result<String> + Send,
) -> Result<Tenant> {
    check_text("name", &tenant.name, NAME_CHARS_MAX)?;
    check_text("description", &tenant.description, usize::MAX)?;
    check_text("business", &tenant.business, NAME_CHARS_MAX)?;
    let engines = to_json("retriever_engines", &tenant.retriever_engines)?;
    let id: i64 = sqlx::query_scalar(
        "insert into tenants (name, description, api_key, retriever_engines, status, business, storage_quota, created_at, updated_at) \
         values (?1, ?2, '', ?3, ?4, ?5, ?6, ?7, ?7) returning id",
    )
    .bind(&tenant.name)
    .bind(&tenant.description)
    .bind(engines)
    .bind(if tenant.status.is_empty() { "active" } else { &tenant.status })
    .bind(&tenant.business)
    .bind(tenant.storage_quota_bytes)
    .bind(Timestamp::now().to_column())
    .fetch_one(&mut *connection)
    .await
    .map_err(fault("creating a tenant"))?;
    let key = api_key(TenantId(id))?;
    check_text("api_key", &key, NAME_CHARS_MAX)?;
    sqlx::query_as::<_, TenantRow>("update tenants set api_key = ?2 where id = ?1 returning *")
        .bind(id)
        .bind(key)
        .fetch_one(&mut *connection)
        .await
        .map_err(fault("storing a tenant's key"))?
        .try_into()
}

/// Changes the used storage within the caller's transaction; it never falls below zero.
pub(super) async fn adjust_storage_used(connection: &mut SqliteConnection, tenant_id: i64, delta_bytes: i64) -> Result<()> {
    if delta_bytes == 0 {
        return Ok(());
    }
    sqlx::query("update tenants set storage_used = max(0, storage_used + ?2), updated_at = ?3 where id = ?1")
        .bind(tenant_id)
        .bind(delta_bytes)
        .bind(Timestamp::now().to_column())
        .execute(connection)
        .await
        .map_err(fault("counting used storage"))?;
    Ok(())
}

//! Tenants over HTTP: create one, read and change one's own.
//!
//! Not here: who owns what (`library::tenants`).

use crate::domain::{RetrieverEngine, RetrieverEngines, Tenant, TenantId};
use crate::http::AppState;
use crate::http::auth::{AnyCaller, Caller};
use crate::http::envelope::{self, Data, Done};
use crate::http::error::{ApiError, ApiResult, Code};
use crate::http::extract::{JsonBody, PathIds};
use crate::http::go_json::{Bind, Unused};
use crate::http::openapi::BadRequest;
use crate::library::tenants::{NewTenant, TenantChange};
use axum::extract::State;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// The contract's Tenant object, as far as a client may write it.
#[derive(Deserialize, Default, ToSchema)]
#[serde(default)]
struct TenantRequest {
    name: String,
    description: String,
    #[schema(max_length = 255)]
    business: String,
    /// PUT only. Left out: kept. Empty: a new key is made. Any other text than the present key is refused.
    #[schema(nullable = false)]
    api_key: Option<String>,
    retriever_engines: EnginesRequest,
}

#[derive(Serialize, Deserialize, Default, ToSchema)]
#[serde(default)]
struct EnginesRequest {
    #[schema(nullable = false)]
    engines: Option<Vec<RetrieverEngine>>,
}

impl Bind for TenantRequest {
    const NAME: &'static str = "Tenant";
    const UNUSED: &'static [(&'static str, Unused)] = &[
        ("id", Unused::Unsigned),
        ("status", Unused::Text),
        ("storage_quota", Unused::Integer),
        ("storage_used", Unused::Integer),
        ("created_at", Unused::Time),
        ("updated_at", Unused::Time),
        ("deleted_at", Unused::Time),
    ];
}

#[utoipa::path(
    post,
    path = "/api/v1/tenants",
    tag = "tenants",
    summary = "Create a tenant",
    request_body = TenantRequest,
    responses((status = 201, description = "Created; its key is told here.", body = Data<Tenant>))
)]
pub(in crate::http) async fn create(State(state): State<AppState>, caller: AnyCaller, body: JsonBody) -> ApiResult {
    if state.library.settings().tenant_creation_by_operator && !caller.is_operator {
        return Err(ApiError::new(Code::Forbidden, "Only the operator may create tenants"));
    }
    let request: TenantRequest = body.bind().map_err(|error| error.in_details(Code::Validation, "Invalid request parameters"))?;
    let new = NewTenant {
        name: request.name,
        description: request.description,
        business: request.business,
        retriever_engines: RetrieverEngines { engines: request.retriever_engines.engines.unwrap_or_default() },
    };
    let tenant = state.library.create_tenant(new).await.map_err(|error| ApiError::under("Failed to create tenant", error))?;
    Ok(envelope::created(&tenant))
}

/// The contract's list: the caller's own tenant and no other; the operator sees all, without their keys.
#[derive(Serialize, ToSchema)]
struct Tenants {
    items: Vec<Tenant>,
}

#[utoipa::path(
    get,
    path = "/api/v1/tenants",
    tag = "tenants",
    summary = "The caller's own tenant as a list; for the operator all tenants without their keys",
    responses((status = 200, description = "One item, or all for the operator.", body = Data<Tenants>))
)]
pub(in crate::http) async fn list(State(state): State<AppState>, caller: AnyCaller, own: Option<Caller>) -> ApiResult {
    let items = if caller.is_operator { state.library.list_tenants().await? } else { own.iter().map(|own| own.tenant().clone()).collect() };
    Ok(envelope::data(&Tenants { items }))
}

#[utoipa::path(
    get,
    path = "/api/v1/tenants/{id}",
    tag = "tenants",
    summary = "Read one's own tenant",
    responses(
        (status = 200, description = "The tenant.", body = Data<Tenant>),
        (status = 400, response = BadRequest),
    )
)]
pub(in crate::http) async fn get(State(state): State<AppState>, caller: Caller, PathIds([id]): PathIds<1>) -> ApiResult {
    let found = state.library.get_tenant(caller.scope(), parse_id(&id)?).await;
    let tenant = found.map_err(|error| ApiError::under("Failed to retrieve tenant", error))?;
    Ok(envelope::data(&tenant))
}

#[utoipa::path(
    put,
    path = "/api/v1/tenants/{id}",
    tag = "tenants",
    summary = "Change one's own tenant",
    request_body = TenantRequest,
    responses((status = 200, description = "The tenant as it is now.", body = Data<Tenant>))
)]
pub(in crate::http) async fn update(State(state): State<AppState>, caller: Caller, PathIds([id]): PathIds<1>, body: JsonBody) -> ApiResult {
    let id = parse_id(&id)?;
    let request: TenantRequest = body.bind().map_err(|error| error.in_details(Code::Validation, "Invalid request data"))?;
    let sent = |text: String| Some(text).filter(|text| !text.is_empty());
    let change = TenantChange {
        name: sent(request.name),
        description: sent(request.description),
        business: sent(request.business),
        retriever_engines: request.retriever_engines.engines.map(|engines| RetrieverEngines { engines }),
        api_key: request.api_key,
    };
    let updated = state.library.update_tenant(caller.scope(), id, change).await;
    let tenant = updated.map_err(|error| ApiError::under("Failed to update tenant", error))?;
    Ok(envelope::data(&tenant))
}

#[utoipa::path(
    delete,
    path = "/api/v1/tenants/{id}",
    tag = "tenants",
    summary = "Delete one's own tenant",
    responses(
        (status = 200, description = "Deleted.", body = Done),
        (status = 400, response = BadRequest),
    )
)]
pub(in crate::http) async fn delete(State(state): State<AppState>, caller: Caller, PathIds([id]): PathIds<1>) -> ApiResult {
    let deleted = state.library.delete_tenant(caller.scope(), parse_id(&id)?).await;
    deleted.map_err(|error| ApiError::under("Failed to delete tenant", error))?;
    Ok(envelope::message("Tenant deleted successfully"))
}

/// Decimal digits without a sign that fit 64 bits; numbers that no row can have are simply not found.
fn parse_id(text: &str) -> ApiResult<TenantId> {
    let digits_only = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    let number = text.parse::<u64>().ok().filter(|_| digits_only);
    let number = number.ok_or_else(|| ApiError::new(Code::BadRequest, "Invalid tenant ID"))?;
    Ok(TenantId(i64::try_from(number).unwrap_or(i64::MAX)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_are_plain_numbers() {
        assert_eq!(parse_id("10000").ok(), Some(TenantId(10_000)));
        assert_eq!(parse_id("18446744073709551615").ok(), Some(TenantId(i64::MAX)));
        for bad in ["", "-1", "+1", "0x1", "1 ", "abc", "18446744073709551616", "１"] {
            assert!(parse_id(bad).is_err(), "{bad}");
        }
    }
}

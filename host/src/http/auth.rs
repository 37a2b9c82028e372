//! Who asks: checks every request's credentials before it is routed, and hands the answer to handlers.
//!
//! Not here: what a credential proves (`library::auth`).

use super::AppState;
use super::error::{ApiError, ApiResult, Code};
use super::extract::page_not_found;
use super::middleware::Facts;
use crate::domain::{Tenant, TenantScope, User};
use crate::library::auth::{Identified, Identity};
use axum::extract::{FromRequestParts, OptionalFromRequestParts, Request, State};
use axum::http::request::Parts;
use axum::http::{HeaderMap, Method, StatusCode, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use serde_json::json;
use std::sync::Arc;

/// Passed without a look at credentials; the method counts.
pub(super) const OPEN: [(Method, &str); 6] = [
    (Method::GET, "/health"),
    (Method::GET, "/docs"),
    (Method::GET, "/api/v1/openapi.json"),
    (Method::POST, "/api/v1/auth/register"),
    (Method::POST, "/api/v1/auth/login"),
    (Method::POST, "/api/v1/auth/refresh"),
];

#[derive(Clone)]
enum Principal {
    Tenant(Arc<Identity>),
    Operator,
}

/// The tenant that asks, and the person if a token was presented.
#[derive(Clone)]
pub struct Caller(Arc<Identity>);

impl Caller {
    pub fn scope(&self) -> &TenantScope {
        &self.0.scope
    }

    /// As it was when the request came in.
    pub fn tenant(&self) -> &Tenant {
        &self.0.tenant
    }

    pub fn user(&self) -> Option<&User> {
        self.0.user.as_ref()
    }
}

impl<S: Send + Sync> FromRequestParts<S> for Caller {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, _state: &S) -> ApiResult<Self> {
        match parts.extensions.get::<Principal>() {
            Some(Principal::Tenant(identity)) => Ok(Self(identity.clone())),
            Some(Principal::Operator) => Err(ApiError::new(Code::Forbidden, "This route needs the credentials of a tenant")),
            None => Err(unauthorized("missing authentication")),
        }
    }
}

/// `None` for the operator, who is no tenant.
impl<S: Send + Sync> OptionalFromRequestParts<S> for Caller {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, _state: &S) -> ApiResult<Option<Self>> {
        match parts.extensions.get::<Principal>() {
            Some(Principal::Tenant(identity)) => Ok(Some(Self(identity.clone()))),
            Some(Principal::Operator) => Ok(None),
            None => Err(unauthorized("missing authentication")),
        }
    }
}

/// Anybody who is known, the operator included.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct AnyCaller {
    pub is_operator: bool,
}

impl<S: Send + Sync> FromRequestParts<S> for AnyCaller {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, _state: &S) -> ApiResult<Self> {
        match parts.extensions.get::<Principal>() {
            Some(Principal::Tenant(_)) => Ok(Self { is_operator: false }),
            Some(Principal::Operator) => Ok(Self { is_operator: true }),
            None => Err(unauthorized("missing authentication")),
        }
    }
}

/// Only the operator; where none exists, nobody.
#[derive(Clone, Copy, Debug)]
pub struct Operator;

impl<S: Send + Sync> FromRequestParts<S> for Operator {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> ApiResult<Self> {
        if AnyCaller::from_request_parts(parts, state).await?.is_operator {
            return Ok(Self);
        }
        Err(ApiError::new(Code::Forbidden, "Only the operator may do this"))
    }
}

/// The middleware: who is unknown gets no further, whatever the path.
pub(super) async fn authenticate(State(state): State<AppState>, mut request: Request, next: Next) -> Response {
    let method = request.method();
    if *method == Method::OPTIONS {
        return page_not_found();
    }
    if OPEN.iter().any(|(open_method, path)| open_method == method && *path == request.uri().path()) {
        return next.run(request).await;
    }
    match identify(&state, request.headers()).await {
        Ok(principal) => {
            if let (Principal::Tenant(identity), Some(facts)) = (&principal, request.extensions().get::<Facts>()) {
                facts.caller(identity.tenant.id, identity.user.as_ref().map(|user| user.id.as_str()));
            }
            request.extensions_mut().insert(principal);
            next.run(request).await
        }
        Err(error) => error.into_response(),
    }
}

/// A good bearer token wins; a bad one falls through to the API key.
async fn identify(state: &AppState, headers: &HeaderMap) -> ApiResult<Principal> {
    if let Some(token) = bearer_token(headers) {
        match state.library.identify_token(token).await? {
            Identified::Known(identity) => return Ok(Principal::Tenant(Arc::from(identity))),
            Identified::Refused => return Err(unauthorized("invalid tenant")),
            Identified::Unknown => {}
        }
    }
    let Some(sent) = headers.get("x-api-key").filter(|key| !key.is_empty()) else {
        return Err(unauthorized("missing authentication"));
    };
    let Ok(key) = sent.to_str() else { return Err(unauthorized("invalid API key format")) };
    if state.library.is_operator_key(key) {
        return Ok(Principal::Operator);
    }
    match state.library.identify_key(key).await? {
        Identified::Known(identity) => Ok(Principal::Tenant(Arc::from(identity))),
        Identified::Unknown => Err(unauthorized("invalid API key format")),
        Identified::Refused => Err(unauthorized("invalid API key")),
    }
}

/// What follows exactly `Bearer ` in `Authorization`, untrimmed.
pub(super) fn bearer_token(headers: &HeaderMap) -> Option<&str> {
    headers.get(header::AUTHORIZATION)?.to_str().ok()?.strip_prefix("Bearer ")
}

/// The contract's shape of authentication failures: a text where other errors have an object.
fn unauthorized(reason: &str) -> ApiError {
    ApiError::raw(StatusCode::UNAUTHORIZED, json!({"error": format!("Unauthorized: {reason}")}))
}

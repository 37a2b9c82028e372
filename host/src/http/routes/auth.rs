//! Register, log in, refresh, validate, log out, change the password.
//!
//! Not here: the checks (`library::auth`) and the credentials of other requests (`http::auth`).

use crate::domain::{Tenant, TenantId, Timestamp, User};
use crate::http::AppState;
use crate::http::auth::{Caller, bearer_token};
use crate::http::envelope::{self, Data, Done};
use crate::http::error::{ApiError, ApiResult, Code};
use crate::http::extract::JsonBody;
use crate::http::go_json::{Bind, Rules};
use crate::http::openapi::{BadRequest, Failure, Forbidden, TokenRefused, TooMany};
use crate::library::access::TokenFault;
use crate::library::auth::{LoginFault, RegisterFault, TokenError};
use axum::extract::{ConnectInfo, Extension, State};
use axum::http::{HeaderMap, StatusCode, header};
use serde::{Deserialize, Serialize};
use serde_json::json;
use std::net::SocketAddr;
use utoipa::ToSchema;

type Address = Option<Extension<ConnectInfo<SocketAddr>>>;

#[derive(Deserialize, Default, ToSchema)]
#[serde(default)]
struct RegisterRequest {
    #[schema(required, min_length = 3, max_length = 50)]
    username: String,
    #[schema(required, format = Email, example = "ann@example.com")]
    email: String,
    /// At most 72 bytes.
    #[schema(required, min_length = 6)]
    password: String,
}

impl Bind for RegisterRequest {
    const NAME: &'static str = "RegisterRequest";

    fn check(&self, rules: &mut Rules) {
        rules.text("Username", &self.username).required().min(3).max(50);
        rules.text("Email", &self.email).required().email();
        rules.text("Password", &self.password).required().min(6);
    }
}

#[derive(Serialize, ToSchema)]
struct Registered {
    success: bool,
    message: &'static str,
    user: User,
}

#[utoipa::path(
    post,
    path = "/api/v1/auth/register",
    tag = "auth",
    summary = "Create a user with a tenant of its own",
    request_body = RegisterRequest,
    responses(
        (status = 201, description = "Registered; log in next.", body = Registered),
        (status = 403, response = Forbidden),
        (status = 429, response = TooMany),
    )
)]
pub(in crate::http) async fn register(State(state): State<AppState>, body: JsonBody) -> ApiResult {
    let request: RegisterRequest = body.bind().map_err(|error| error.in_details(Code::Validation, "Invalid registration parameters"))?;
    let registered = state.library.register(&request.username, &request.email, &request.password).await;
    let user = registered.map_err(|fault| match fault {
        RegisterFault::Refused(reason) => ApiError::with_details(Code::BadRequest, "Registration failed", reason),
        RegisterFault::Other(error) => error.into(),
    })?;
    let answer = Registered { success: true, message: "Registration successful", user };
    Ok(envelope::json(StatusCode::CREATED, &answer))
}

#[derive(Deserialize, Default, ToSchema)]
#[serde(default)]
struct LoginRequest {
    #[schema(required, format = Email, example = "ann@example.com")]
    email: String,
    #[schema(required, min_length = 6)]
    password: String,
}

impl Bind for LoginRequest {
    const NAME: &'static str = "LoginRequest";

    fn check(&self, rules: &mut Rules) {
        rules.text("Email", &self.email).required().email();
        rules.text("Password", &self.password).required().min(6);
    }
}

#[derive(Serialize, ToSchema)]
struct LoggedIn {
    success: bool,
    message: &'static str,
    user: User,
    /// Left out when the tenant was deleted.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    tenant: Option<Tenant>,
    token: String,
    refresh_token: String,
}

/// The contract's shape of this one failure.
#[derive(Serialize, ToSchema)]
struct LoginRefused {
    success: bool,
    message: &'static str,
}

#[utoipa::path(
    post,
    path = "/api/v1/auth/login",
    tag = "auth",
    summary = "Log in with a password",
    request_body = LoginRequest,
    responses(
        (status = 200, description = "Logged in.", body = LoggedIn),
        (status = 401, description = "Wrong password or disabled account.", body = LoginRefused),
        (status = 429, response = TooMany),
    )
)]
pub(in crate::http) async fn login(State(state): State<AppState>, address: Address, body: JsonBody) -> ApiResult {
    let request: LoginRequest = body.bind().map_err(|error| error.in_details(Code::Validation, "Invalid login parameters"))?;
    let address = address.map(|Extension(ConnectInfo(address))| address.ip());
    let refused = |message| ApiError::raw(StatusCode::UNAUTHORIZED, json!(LoginRefused { success: false, message }));
    let login = state.library.login(&request.email, &request.password, address).await.map_err(|fault| match fault {
        LoginFault::WrongPassword => refused("Invalid email or password"),
        LoginFault::Disabled => refused("Account is disabled"),
        LoginFault::Other(error) => error.into(),
    })?;
    let answer = LoggedIn {
        success: true,
        message: "Login successful",
        user: login.user,
        tenant: login.tenant,
        token: login.pair.access,
        refresh_token: login.pair.refresh,
    };
    Ok(envelope::json(StatusCode::OK, &answer))
}

#[derive(Deserialize, Default, ToSchema)]
#[serde(default)]
struct RefreshRequest {
    #[serde(rename = "refreshToken", alias = "refresh_token")]
    #[schema(required, min_length = 1)]
    refresh_token: String,
}

impl Bind for RefreshRequest {
    const NAME: &'static str = "";
    const UNNAMED: &'static str = r#"struct { RefreshToken string "json:\"refreshToken\" binding:\"required\"" }"#;

    fn check(&self, rules: &mut Rules) {
        rules.text("RefreshToken", &self.refresh_token).required();
    }
}

#[derive(Serialize, ToSchema)]
struct Refreshed {
    access_token: String,
    message: &'static str,
    refresh_token: String,
    success: bool,
}

#[utoipa::path(
    post,
    path = "/api/v1/auth/refresh",
    tag = "auth",
    summary = "Exchange a refresh token for a new pair",
    request_body = RefreshRequest,
    responses(
        (status = 200, description = "A new pair; the old refresh token is revoked.", body = Refreshed),
        (status = 401, description = "The token does not serve; code 1001.", body = Failure),
    )
)]
pub(in crate::http) async fn refresh(State(state): State<AppState>, body: JsonBody) -> ApiResult {
    let request: RefreshRequest = body.bind().map_err(|error| error.in_details(Code::Validation, "Invalid refresh token request"))?;
    let pair = state.library.refresh(&request.refresh_token).await.map_err(|error| {
        token_error(error, "Token refresh failed", |fault| match fault {
            TokenFault::Invalid => "invalid refresh token",
            TokenFault::WrongType => "not a refresh token",
            TokenFault::NoUserId => "invalid user ID in token",
            TokenFault::Revoked => "refresh token is revoked",
            TokenFault::UserNotFound => "user not found",
        })
    })?;
    let answer =
        Refreshed { access_token: pair.access, message: "Token refreshed successfully", refresh_token: pair.refresh, success: true };
    Ok(envelope::json(StatusCode::OK, &answer))
}

#[derive(Serialize, ToSchema)]
struct ValidToken {
    message: &'static str,
    success: bool,
    user: UserInfo,
}

#[utoipa::path(
    get,
    path = "/api/v1/auth/validate",
    tag = "auth",
    summary = "Check the bearer token",
    security(("bearer" = [])),
    responses(
        (status = 200, description = "Valid.", body = ValidToken),
        (status = 400, response = BadRequest),
        (status = 401, response = TokenRefused),
    )
)]
pub(in crate::http) async fn validate(State(state): State<AppState>, headers: HeaderMap) -> ApiResult {
    let token = required_bearer(&headers)?;
    let user = state.library.validate_token(token).await.map_err(|error| {
        token_error(error, "Token validation failed", |fault| match fault {
            TokenFault::Invalid | TokenFault::WrongType => "invalid token",
            TokenFault::NoUserId => "invalid user ID in token",
            TokenFault::Revoked => "token is revoked",
            TokenFault::UserNotFound => "user not found",
        })
    })?;
    Ok(envelope::json(StatusCode::OK, &ValidToken { message: "Token is valid", success: true, user: UserInfo::from(&user) }))
}

#[utoipa::path(
    post,
    path = "/api/v1/auth/logout",
    tag = "auth",
    summary = "Revoke the bearer token and its refresh token",
    security(("bearer" = [])),
    responses(
        (status = 200, description = "Logged out.", body = Done),
        (status = 400, response = BadRequest),
        (status = 401, response = TokenRefused),
    )
)]
pub(in crate::http) async fn logout(State(state): State<AppState>, headers: HeaderMap) -> ApiResult {
    let token = required_bearer(&headers)?;
    if !state.library.logout(token).await? {
        return Err(ApiError::with_details(Code::Unauthorized, "Logout failed", "token not found"));
    }
    Ok(envelope::message("Logout successful"))
}

#[derive(Serialize, ToSchema)]
struct Me {
    tenant: Tenant,
    user: UserInfo,
}

#[utoipa::path(
    get,
    path = "/api/v1/auth/me",
    tag = "auth",
    summary = "User and tenant of the caller",
    security(("bearer" = [])),
    responses(
        (status = 200, description = "Who asks.", body = Data<Me>),
        (status = 401, response = TokenRefused),
    )
)]
pub(in crate::http) async fn me(caller: Caller) -> ApiResult {
    let user = caller.user().ok_or_else(no_user)?;
    Ok(envelope::data(&Me { tenant: caller.tenant().clone(), user: UserInfo::from(user) }))
}

#[derive(Deserialize, Default, ToSchema)]
#[serde(default)]
struct ChangePasswordRequest {
    #[schema(required, min_length = 1)]
    old_password: String,
    #[schema(required, min_length = 6)]
    new_password: String,
}

impl Bind for ChangePasswordRequest {
    const NAME: &'static str = "";
    const UNNAMED: &'static str = concat!(
        r#"struct { OldPassword string "json:\"old_password\" binding:\"required\""; "#,
        r#"NewPassword string "json:\"new_password\" binding:\"required,min=6\"" }"#
    );

    fn check(&self, rules: &mut Rules) {
        rules.text("OldPassword", &self.old_password).required();
        rules.text("NewPassword", &self.new_password).required().min(6);
    }
}

#[utoipa::path(
    post,
    path = "/api/v1/auth/change-password",
    tag = "auth",
    summary = "Change one's own password; other logins end",
    security(("bearer" = [])),
    request_body = ChangePasswordRequest,
    responses(
        (status = 200, description = "Changed.", body = Done),
        (status = 401, response = TokenRefused),
        (status = 429, response = TooMany),
    )
)]
pub(in crate::http) async fn change_password(
    State(state): State<AppState>,
    caller: Caller,
    address: Address,
    headers: HeaderMap,
    body: JsonBody,
) -> ApiResult {
    let request: ChangePasswordRequest =
        body.bind().map_err(|error| error.in_details(Code::Validation, "Invalid password change request"))?;
    let user = caller.user().ok_or_else(no_user)?;
    let address = address.map(|Extension(ConnectInfo(address))| address.ip());
    let token = bearer_token(&headers).unwrap_or_default();
    let changed = state.library.change_password(user, &request.old_password, &request.new_password, token, address).await;
    changed.map_err(|error| ApiError::under("Password change failed", error))?;
    Ok(envelope::message("Password changed successfully"))
}

fn no_user() -> ApiError {
    ApiError::with_details(Code::Unauthorized, "Failed to get user information", "user not found in context")
}

/// The contract's smaller user object of `me` and `validate`.
#[derive(Serialize, ToSchema)]
struct UserInfo {
    id: String,
    username: String,
    email: String,
    avatar: String,
    tenant_id: TenantId,
    is_active: bool,
    created_at: Timestamp,
    updated_at: Timestamp,
}

impl From<&User> for UserInfo {
    fn from(user: &User) -> Self {
        Self {
            id: user.id.clone(),
            username: user.username.clone(),
            email: user.email.clone(),
            avatar: user.avatar.clone(),
            tenant_id: user.tenant_id,
            is_active: user.is_active,
            created_at: user.created_at,
            updated_at: user.updated_at,
        }
    }
}

/// These routes look at `Authorization` themselves, because an API key alone passes the gate.
fn required_bearer(headers: &HeaderMap) -> ApiResult<&str> {
    let Some(sent) = headers.get(header::AUTHORIZATION).filter(|sent| !sent.is_empty()) else {
        return Err(ApiError::new(Code::Validation, "Authorization header is required"));
    };
    let words: Vec<&str> = sent.to_str().unwrap_or_default().split(' ').collect();
    match words[..] {
        ["Bearer", token] => Ok(token),
        _ => Err(ApiError::new(Code::Validation, "Invalid Authorization header format")),
    }
}

fn token_error(error: TokenError, message: &str, text: impl FnOnce(TokenFault) -> &'static str) -> ApiError {
    match error {
        TokenError::Fault(fault) => ApiError::with_details(Code::Unauthorized, message, text(fault)),
        TokenError::Other(error) => error.into(),
    }
}

//! Register, log in, refresh, validate, log out, change the password.
//!
//! Not here: the checks (`library::auth`) and the credentials of other requests (`http::auth`).

use crate::domain::User;
use crate::http::AppState;
use crate::http::auth::{Caller, bearer_token};
use crate::http::envelope;
use crate::http::error::{ApiError, ApiResult, Code};
use crate::http::extract::JsonBody;
use crate::http::go_json::{Bind, Rules};
use crate::library::access::TokenFault;
use crate::library::auth::{LoginFault, RegisterFault, TokenError};
use axum::extract::{ConnectInfo, Extension, State};
use axum::http::{HeaderMap, StatusCode, header};
use serde::Deserialize;
use serde_json::{Value, json};
use std::net::SocketAddr;

type Address = Option<Extension<ConnectInfo<SocketAddr>>>;

#[derive(Deserialize, Default)]
#[serde(default)]
struct RegisterRequest {
    username: String,
    email: String,
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

pub(in crate::http) async fn register(State(state): State<AppState>, body: JsonBody) -> ApiResult {
    let request: RegisterRequest = body.bind().map_err(|error| error.in_details(Code::Validation, "Invalid registration parameters"))?;
    let registered = state.library.register(&request.username, &request.email, &request.password).await;
    let user = registered.map_err(|fault| match fault {
        RegisterFault::Refused(reason) => ApiError::with_details(Code::BadRequest, "Registration failed", reason),
        RegisterFault::Other(error) => error.into(),
    })?;
    let answer = json!({"success": true, "message": "Registration successful", "user": user});
    Ok(envelope::json(StatusCode::CREATED, &answer))
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct LoginRequest {
    email: String,
    password: String,
}

impl Bind for LoginRequest {
    const NAME: &'static str = "LoginRequest";

    fn check(&self, rules: &mut Rules) {
        rules.text("Email", &self.email).required().email();
        rules.text("Password", &self.password).required().min(6);
    }
}

pub(in crate::http) async fn login(State(state): State<AppState>, address: Address, body: JsonBody) -> ApiResult {
    let request: LoginRequest = body.bind().map_err(|error| error.in_details(Code::Validation, "Invalid login parameters"))?;
    let address = address.map(|Extension(ConnectInfo(address))| address.ip());
    let refused = |message: &str| ApiError::raw(StatusCode::UNAUTHORIZED, json!({"success": false, "message": message}));
    let login = state.library.login(&request.email, &request.password, address).await.map_err(|fault| match fault {
        LoginFault::WrongPassword => refused("Invalid email or password"),
        LoginFault::Disabled => refused("Account is disabled"),
        LoginFault::Other(error) => error.into(),
    })?;
    let mut answer = json!({"success": true, "message": "Login successful", "user": login.user});
    if let Some(tenant) = login.tenant {
        answer["tenant"] = json!(tenant);
    }
    answer["token"] = json!(login.pair.access);
    answer["refresh_token"] = json!(login.pair.refresh);
    Ok(envelope::json(StatusCode::OK, &answer))
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct RefreshRequest {
    #[serde(rename = "refreshToken", alias = "refresh_token")]
    refresh_token: String,
}

impl Bind for RefreshRequest {
    const NAME: &'static str = "";

    fn check(&self, rules: &mut Rules) {
        rules.text("RefreshToken", &self.refresh_token).required();
    }
}

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
    let answer = json!({
        "access_token": pair.access,
        "message": "Token refreshed successfully",
        "refresh_token": pair.refresh,
        "success": true,
    });
    Ok(envelope::json(StatusCode::OK, &answer))
}

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
    Ok(envelope::json(StatusCode::OK, &json!({"message": "Token is valid", "success": true, "user": user_info(&user)})))
}

pub(in crate::http) async fn logout(State(state): State<AppState>, headers: HeaderMap) -> ApiResult {
    let token = required_bearer(&headers)?;
    if !state.library.logout(token).await? {
        return Err(ApiError::with_details(Code::Unauthorized, "Logout failed", "token not found"));
    }
    Ok(envelope::message("Logout successful"))
}

pub(in crate::http) async fn me(caller: Caller) -> ApiResult {
    let user = caller.user().ok_or_else(no_user)?;
    Ok(envelope::data(&json!({"tenant": caller.tenant(), "user": user_info(user)})))
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct ChangePasswordRequest {
    old_password: String,
    new_password: String,
}

impl Bind for ChangePasswordRequest {
    const NAME: &'static str = "";

    fn check(&self, rules: &mut Rules) {
        rules.text("OldPassword", &self.old_password).required();
        rules.text("NewPassword", &self.new_password).required().min(6);
    }
}

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
fn user_info(user: &User) -> Value {
    json!({
        "id": user.id,
        "username": user.username,
        "email": user.email,
        "avatar": user.avatar,
        "tenant_id": user.tenant_id,
        "is_active": user.is_active,
        "created_at": user.created_at,
        "updated_at": user.updated_at,
    })
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

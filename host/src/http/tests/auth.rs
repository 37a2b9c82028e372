//! Register, login, refresh, logout, passwords.

use super::TestApp;
use crate::library::LibrarySettings;
use crate::library::access::REFERENCE_SECRET;
use crate::limits::LOGIN_FAILURES_PER_ACCOUNT_MAX;
use crate::store::UserPatch;
use axum::http::Method;
use futures_util::future::join_all;
use serde_json::{Value, json};
use sha2::Digest;

#[tokio::test]
async fn taken_names_and_addresses_are_told() {
    let app = TestApp::new().await;
    app.tester("ann").await;
    for (account, details) in [
        (json!({"username": "bob", "email": "ann@example.com", "password": "secret12"}), "user with this email already exists"),
        (json!({"username": "ann", "email": "b@example.com", "password": "secret12"}), "user with this username already exists"),
        (json!({"username": "bob", "email": "b@example.com", "password": "x".repeat(73)}), "failed to process password"),
    ] {
        let answer = app.open_post("/api/v1/auth/register", account).await;
        assert_eq!(answer.failure(), (400, 1000, "Registration failed".into(), json!(details)));
    }
    let other_case = json!({"username": "ANN", "email": "Ann@example.com", "password": "x".repeat(72)});
    assert_eq!(app.open_post("/api/v1/auth/register", other_case).await.status, 201);
}

#[tokio::test]
async fn of_two_equal_registrations_one_wins_and_no_tenant_is_left_over() {
    let app = TestApp::new().await;
    let account = json!({"username": "ann", "email": "ann@example.com", "password": "secret12"});
    let answers = join_all((0..4).map(|_| app.open_post("/api/v1/auth/register", account.clone()))).await;
    let mut statuses: Vec<u16> = answers.iter().map(|answer| answer.status).collect();
    statuses.sort_unstable();
    assert_eq!(statuses, [201, 400, 400, 400]);
    assert_eq!(app.state.library.store().list_tenants().await.expect("lists").len(), 1);
}

#[tokio::test]
async fn registration_can_be_closed() {
    let app = TestApp::with(LibrarySettings { registration_disabled: true, ..LibrarySettings::default() }).await;
    let account = json!({"username": "ann", "email": "ann@example.com", "password": "secret12"});
    let answer = app.open_post("/api/v1/auth/register", account).await;
    assert_eq!(answer.failure(), (403, 1002, "Registration is disabled".into(), Value::Null));
}

#[tokio::test]
async fn logins_at_once_get_tokens_of_their_own() {
    let app = TestApp::new().await;
    let ann = app.tester("ann").await;
    let logins = join_all((0..8).map(|_| app.login(&ann.email))).await;
    let mut tokens: Vec<&str> = logins.iter().map(|login| login.token.as_str()).collect();
    tokens.sort_unstable();
    tokens.dedup();
    assert_eq!(tokens.len(), 8);
    let logout = app.bearer(Method::POST, "/api/v1/auth/logout", &logins[0].token, json!({})).await;
    assert_eq!(logout.json(), json!({"message": "Logout successful", "success": true}));
    assert_eq!(app.bearer(Method::GET, "/api/v1/auth/me", &logins[0].token, json!({})).await.status, 401);
    assert_eq!(app.bearer(Method::GET, "/api/v1/auth/me", &logins[1].token, json!({})).await.status, 200);
    let refreshed = app.open_post("/api/v1/auth/refresh", json!({"refreshToken": logins[0].refresh})).await;
    assert_eq!(refreshed.failure().3, json!("refresh token is revoked"), "logout ends the pair");
}

#[tokio::test]
async fn guessing_is_stopped_even_in_a_burst() {
    let app = TestApp::new().await;
    let ann = app.tester("ann").await;
    let wrong = json!({"email": ann.email, "password": "wrongpass"});
    let tries = LOGIN_FAILURES_PER_ACCOUNT_MAX as usize + 14;
    let answers = join_all((0..tries).map(|_| app.open_post("/api/v1/auth/login", wrong.clone()))).await;
    let refused = answers.iter().filter(|answer| answer.status == 401).count();
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    assert!(refused < LOGIN_FAILURES_PER_ACCOUNT_MAX as usize + cores, "{refused} guesses were looked at");
    let right = app.open_post("/api/v1/auth/login", json!({"email": ann.email, "password": "secret12"})).await;
    assert_eq!(right.failure().0, 429);
    assert_eq!(right.failure().1, 1006);
    assert!(right.header("retry-after").parse::<u64>().expect("seconds") > 60);
    assert_eq!(app.get("/api/v1/models", &ann.key).await.status, 200, "only logins are stopped");
}

#[tokio::test]
async fn a_refresh_token_serves_once() {
    let app = TestApp::new().await;
    let ann = app.tester("ann").await;
    let refresh = |token: String| app.open_post("/api/v1/auth/refresh", json!({"refreshToken": token}));
    let answers = join_all((0..3).map(|_| refresh(ann.refresh.clone()))).await;
    assert_eq!(answers.iter().filter(|answer| answer.status == 200).count(), 1);
    let pair = answers.iter().find(|answer| answer.status == 200).expect("one").json();
    assert_eq!(pair["message"], "Token refreshed successfully");
    let access = pair["access_token"].as_str().expect("a token");
    assert_eq!(app.bearer(Method::GET, "/api/v1/auth/me", access, json!({})).await.status, 200);
    for (token, details) in
        [(ann.refresh.as_str(), "refresh token is revoked"), (access, "not a refresh token"), ("nonsense", "invalid refresh token")]
    {
        let answer = refresh(token.to_owned()).await;
        assert_eq!(answer.failure(), (401, 1001, "Token refresh failed".into(), json!(details)));
    }
}

#[tokio::test]
async fn a_disabled_account_is_out_at_once() {
    let app = TestApp::new().await;
    let ann = app.tester("ann").await;
    let store = app.state.library.store();
    let user = store.find_user_by_email(&ann.email).await.expect("reads").expect("there");
    store.update_user(&user.id, &UserPatch { is_active: Some(false), ..UserPatch::default() }).await.expect("writes");
    assert_eq!(app.bearer(Method::GET, "/api/v1/auth/me", &ann.token, json!({})).await.status, 401);
    let refreshed = app.open_post("/api/v1/auth/refresh", json!({"refreshToken": ann.refresh})).await;
    assert_eq!(refreshed.status, 401);
    let login = app.open_post("/api/v1/auth/login", json!({"email": ann.email, "password": "wrongpass"})).await;
    assert_eq!((login.status, login.json()), (401, json!({"success": false, "message": "Account is disabled"})));
}

#[tokio::test]
async fn validate_and_me_look_at_the_token_itself() {
    let app = TestApp::new().await;
    let ann = app.tester("ann").await;
    let key = ("x-api-key", ann.key.as_str());
    for (path, method) in [("/api/v1/auth/validate", Method::GET), ("/api/v1/auth/logout", Method::POST)] {
        let none = app.call(method.clone(), path, &[key], "").await;
        assert_eq!(none.failure(), (400, 1010, "Authorization header is required".into(), Value::Null));
        for odd in ["Basic abc", "Bearer a b", "Bearer"] {
            let answer = app.call(method.clone(), path, &[key, ("authorization", odd)], "").await;
            assert_eq!(answer.failure(), (400, 1010, "Invalid Authorization header format".into(), Value::Null), "{odd}");
        }
    }
    let bad = app.call(Method::GET, "/api/v1/auth/validate", &[key, ("authorization", "Bearer x")], "").await;
    assert_eq!(bad.failure(), (401, 1001, "Token validation failed".into(), json!("invalid token")));
    let me = app.get("/api/v1/auth/me", &ann.key).await;
    assert_eq!(me.failure(), (401, 1001, "Failed to get user information".into(), json!("user not found in context")));
}

#[tokio::test]
async fn a_new_password_ends_other_logins() {
    let app = TestApp::new().await;
    let ann = app.tester("ann").await;
    let other = app.login(&ann.email).await;
    let path = "/api/v1/auth/change-password";
    for (body, failure) in [
        (
            json!({"old_password": "wrongpass", "new_password": "secret34"}),
            (400, 1000, "Password change failed", json!("invalid old password")),
        ),
        (
            json!({"old_password": "secret12", "new_password": "x".repeat(73)}),
            (400, 1000, "Password change failed", json!("bcrypt: password length exceeds 72 bytes")),
        ),
        (
            json!({"old_password": "secret12", "new_password": "x"}),
            (
                400,
                1010,
                "Invalid password change request",
                json!("Key: 'NewPassword' Error:Field validation for 'NewPassword' failed on the 'min' tag"),
            ),
        ),
    ] {
        let (status, code, message, details) = failure;
        assert_eq!(app.bearer(Method::POST, path, &ann.token, body).await.failure(), (status, code, message.to_owned(), details));
    }
    let change = json!({"old_password": "secret12", "new_password": "secret34"});
    assert_eq!(
        app.bearer(Method::POST, path, &ann.token, change).await.json(),
        json!({"message": "Password changed successfully", "success": true})
    );
    assert_eq!(app.bearer(Method::GET, "/api/v1/auth/me", &ann.token, json!({})).await.status, 200);
    assert_eq!(app.bearer(Method::GET, "/api/v1/auth/me", &other.token, json!({})).await.status, 401);
    assert_eq!(app.open_post("/api/v1/auth/refresh", json!({"refreshToken": other.refresh})).await.status, 401);
}

#[tokio::test]
async fn beside_the_reference_one_login_serves_both_servers() {
    let app = TestApp::signing_with(REFERENCE_SECRET, LibrarySettings::default()).await;
    let ann = app.tester("ann").await;
    let store = app.state.library.store();
    // The reference looks a token up by its whole text.
    let row = store.find_auth_token(&ann.token).await.expect("reads").expect("there");
    assert!(!row.is_revoked && row.user_id == store.find_user_by_email(&ann.email).await.expect("reads").expect("ann").id);
    // A token as the reference issues it: no name of the login, its text in a row.
    let user_id = row.user_id.clone();
    let claims = json!({
        "user_id": user_id, "email": ann.email, "tenant_id": ann.tenant_id, "type": "access", "exp": 4_102_444_800_i64, "iat": 1_700_000_000,
    });
    let theirs = jsonwebtoken::encode(
        &jsonwebtoken::Header::default(),
        &claims,
        &jsonwebtoken::EncodingKey::from_secret(REFERENCE_SECRET.as_bytes()),
    )
    .expect("signs");
    let me = async |token: &str| app.bearer(Method::GET, "/api/v1/auth/me", token, json!({})).await.status;
    assert_eq!(me(&theirs).await, 401, "a signature alone is worth nothing: the secret is published");
    store
        .create_auth_tokens(&[crate::domain::AuthToken { id: String::new(), token: theirs.clone(), ..row.clone() }])
        .await
        .expect("writes");
    assert_eq!(me(&theirs).await, 200);
    store.revoke_auth_token(&theirs).await.expect("writes");
    assert_eq!(me(&theirs).await, 401, "their revocations count here");
    assert_eq!(me(&ann.token).await, 200);
    assert_eq!(app.bearer(Method::POST, "/api/v1/auth/logout", &ann.token, json!({})).await.status, 200);
    assert_eq!(me(&ann.token).await, 401);
    assert!(store.find_auth_token(&ann.token).await.expect("reads").expect("there").is_revoked, "ours count there");
    let refreshed = app.open_post("/api/v1/auth/refresh", json!({"refreshToken": ann.refresh})).await;
    assert_eq!(refreshed.failure().3, json!("refresh token is revoked"));
}

#[tokio::test]
async fn nobody_gets_new_tokens_for_a_tenant_that_is_gone() {
    let app = TestApp::new().await;
    let ann = app.tester("ann").await;
    assert_eq!(app.delete(&format!("/api/v1/tenants/{}", ann.tenant_id), &ann.key).await.status, 200);
    for _ in 0..2 {
        let refreshed = app.open_post("/api/v1/auth/refresh", json!({"refreshToken": ann.refresh})).await;
        assert_eq!(refreshed.failure(), (401, 1001, "Token refresh failed".into(), json!("user not found")));
    }
}

#[tokio::test]
async fn otherwise_the_database_holds_the_hashes_of_tokens() {
    let app = TestApp::new().await;
    let ann = app.tester("ann").await;
    let store = app.state.library.store();
    for token in [&ann.token, &ann.refresh] {
        assert!(store.find_auth_token(token).await.expect("reads").is_none());
        let hash = hex::encode(sha2::Sha256::digest(token));
        assert!(!store.find_auth_token(&hash).await.expect("reads").expect("there").is_revoked);
    }
    assert_eq!(app.bearer(Method::POST, "/api/v1/auth/logout", &ann.token, json!({})).await.status, 200);
    for token in [&ann.token, &ann.refresh] {
        let hash = hex::encode(sha2::Sha256::digest(token));
        assert!(store.find_auth_token(&hash).await.expect("reads").expect("there").is_revoked, "a logout ends both");
    }
}

#[tokio::test]
async fn a_login_of_an_older_data_folder_has_to_log_in_again() {
    let app = TestApp::new().await;
    let ann = app.tester("ann").await;
    let store = app.state.library.store();
    let hash = hex::encode(sha2::Sha256::digest(&ann.token));
    let row = store.find_auth_token(&hash).await.expect("reads").expect("there");
    store.revoke_auth_token(&hash).await.expect("writes");
    // What such a row held: the kind and the name of the login.
    let payload = ann.token.split('.').nth(1).expect("claims");
    let claims = base64::Engine::decode(&base64::engine::general_purpose::URL_SAFE_NO_PAD, payload).expect("base64");
    let jti = serde_json::from_slice::<serde_json::Value>(&claims).expect("JSON")["jti"].as_str().expect("a name").to_owned();
    let old = crate::domain::AuthToken { id: String::new(), token: format!("access:{jti}"), ..row };
    store.create_auth_tokens(&[old]).await.expect("writes");
    assert_eq!(app.bearer(Method::GET, "/api/v1/auth/me", &ann.token, json!({})).await.status, 401);
    assert_eq!(app.bearer(Method::GET, "/api/v1/auth/me", &app.login(&ann.email).await.token, json!({})).await.status, 200);
}

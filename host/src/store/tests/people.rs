//! Tenants, users, tokens and models.

use super::tenants_apart::a_model;
use crate::domain::{AuthToken, ModelParameters, ModelStatus, ModelType, Tenant, Timestamp, TokenType, User};
use crate::error::Error;
use crate::store::testing::{a_tenant, open};
use crate::store::{BuiltinModel, ModelFilter, ModelPatch, TenantPatch, UserPatch};
use std::time::Duration;

#[tokio::test]
async fn the_first_tenant_is_10000_and_its_key_is_made_from_that_number() {
    let test = open().await;
    let scope = a_tenant(&test.store, "ann").await;
    let tenant = test.store.get_tenant(&scope).await.expect("reads");
    assert_eq!((tenant.id.0, tenant.api_key.as_str(), tenant.status.as_str()), (10_000, "sk-10000", "active"));
    assert_eq!(a_tenant(&test.store, "bob").await.tenant_id().0, 10_001);
}

#[tokio::test]
async fn a_taken_address_leaves_no_tenant_behind() {
    let test = open().await;
    let store = &test.store;
    a_tenant(store, "ann").await;
    for (username, email, text) in [
        ("other", "ann@example.com", "user with this email already exists"),
        ("ann", "other@example.com", "user with this username already exists"),
    ] {
        let user = User { username: username.into(), email: email.into(), ..User::default() };
        let created = store.create_tenant_with_user(&Tenant { name: "x".into(), ..Tenant::default() }, |_| Ok("k".into()), &user).await;
        assert!(matches!(created, Err(Error::Conflict(ref message)) if message == text), "{created:?}");
    }
    let refused = store.create_tenant(&Tenant::default(), |_| Err(Error::internal(anyhow::anyhow!("no secret")))).await;
    assert!(refused.is_err());
    assert_eq!(store.list_tenants().await.expect("lists").len(), 1);
}

#[tokio::test]
async fn a_list_where_the_engines_should_stand_reads_as_none() {
    let test = open().await;
    let scope = a_tenant(&test.store, "ann").await;
    sqlx::query("update tenants set retriever_engines = '[]'").execute(test.store.writer()).await.expect("updates");
    assert!(test.store.get_tenant(&scope).await.expect("reads").retriever_engines.engines.is_empty());
}

#[tokio::test]
async fn a_deleted_tenant_is_gone_and_its_tokens_are_left_to_whoever_looks_for_it() {
    let test = open().await;
    let store = &test.store;
    let scope = a_tenant(store, "ann").await;
    let patch = TenantPatch { business: Some("trade".into()), ..TenantPatch::default() };
    let tenant = store.update_tenant(&scope, &patch).await.expect("updates");
    assert_eq!((tenant.name.as_str(), tenant.business.as_str()), ("ann", "trade"));
    let user = store.find_user_by_username("ann").await.expect("reads").expect("there");
    store.create_auth_tokens(&[token(&user.id, "t1", 60)]).await.expect("stores");
    store.delete_tenant(&scope).await.expect("deletes");
    assert!(matches!(store.get_tenant(&scope).await, Err(Error::NotFound { .. })));
    assert!(store.find_tenant(scope.tenant_id()).await.expect("reads").is_none(), "a token leads to no tenant any more");
    assert!(!store.find_auth_token("t1").await.expect("reads").expect("there").is_revoked, "so that it is told apart from a revoked one");
    assert!(matches!(store.delete_tenant(&scope).await, Err(Error::NotFound { .. })));
}

fn token(user_id: &str, text: &str, seconds: u64) -> AuthToken {
    AuthToken {
        id: String::new(),
        user_id: user_id.into(),
        token: text.into(),
        token_type: TokenType::Refresh,
        expires_at: Timestamp::now().plus(Duration::from_secs(seconds)),
        is_revoked: false,
        created_at: Timestamp::zero(),
        updated_at: Timestamp::zero(),
    }
}

#[tokio::test]
async fn tokens_are_revoked_once_and_expired_ones_removed() {
    let test = open().await;
    let store = &test.store;
    store.create_auth_tokens(&[token("u", "a", 60), token("u", "b", 60), token("u", "c", 0)]).await.expect("stores");
    assert!(store.revoke_auth_token("a").await.expect("revokes"));
    assert!(!store.revoke_auth_token("a").await.expect("is revoked"), "of two calls only one may win");
    assert_eq!(store.revoke_auth_tokens_of_user("u", Some("b")).await.expect("revokes"), 1);
    assert!(!store.find_auth_token("b").await.expect("reads").expect("there").is_revoked);
    let soon = Timestamp::now().plus(Duration::from_secs(1));
    assert_eq!(store.delete_expired_auth_tokens(soon).await.expect("removes"), 1);
    assert!(store.find_auth_token("c").await.expect("reads").is_none());
}

#[tokio::test]
async fn a_user_keeps_what_an_update_does_not_name() {
    let test = open().await;
    let store = &test.store;
    a_tenant(store, "ann").await;
    let ann = store.find_user_by_email("ann@example.com").await.expect("reads").expect("there");
    let patch = UserPatch { password_hash: Some("new".into()), is_active: Some(false), ..UserPatch::default() };
    let after = store.update_user(&ann.id, &patch).await.expect("updates");
    assert_eq!((after.username.as_str(), after.password_hash.as_str(), after.is_active), ("ann", "new", false));
    a_tenant(store, "bob").await;
    let taken = UserPatch { username: Some("bob".into()), ..UserPatch::default() };
    assert!(matches!(store.update_user(&ann.id, &taken).await, Err(Error::Conflict(_))));
}

#[tokio::test]
async fn built_in_models_are_read_by_all_and_edited_by_nobody() {
    let test = open().await;
    let store = &test.store;
    let scope = a_tenant(store, "ann").await;
    let builtin = |description: &str| BuiltinModel {
        id: "knowhost-embed".into(),
        name: "embedder".into(),
        model_type: ModelType::Embedding,
        source: "embedder-local".into(),
        description: description.into(),
        parameters: ModelParameters::default(),
    };
    store.ensure_builtin_models(&[builtin("first")]).await.expect("writes");
    let before = store.get_model(&scope, "knowhost-embed").await.expect("reads");
    store.ensure_builtin_models(&[builtin("first")]).await.expect("writes");
    assert_eq!(store.get_model(&scope, "knowhost-embed").await.expect("reads").updated_at, before.updated_at);
    store.ensure_builtin_models(&[builtin("second")]).await.expect("writes");
    assert_eq!(store.get_model(&scope, "knowhost-embed").await.expect("reads").description, "second");
    let patch = ModelPatch { name: Some("mine".into()), ..ModelPatch::default() };
    assert!(matches!(store.update_model(&scope, "knowhost-embed", &patch).await, Err(Error::NotFound { .. })));
    assert!(matches!(store.delete_model(&scope, "knowhost-embed").await, Err(Error::NotFound { .. })));
    assert!(store.find_default_model(&scope, ModelType::Embedding).await.expect("reads").is_none());

    let own = store.create_model(&scope, &a_model()).await.expect("creates");
    let ids: Vec<_> = store.list_models(&scope, &ModelFilter::default()).await.expect("lists").into_iter().map(|model| model.id).collect();
    assert_eq!(ids, [own.id.as_str(), "knowhost-embed"]);
    let remote = ModelFilter { source: Some("remote".into()), ..ModelFilter::default() };
    assert_eq!(store.list_models(&scope, &remote).await.expect("lists").len(), 1);
    let patch = ModelPatch { is_default: Some(false), status: Some(ModelStatus::Downloading), ..ModelPatch::default() };
    let after = store.update_model(&scope, &own.id, &patch).await.expect("updates");
    assert_eq!((after.is_default, after.status, after.name.as_str()), (false, ModelStatus::Downloading, "m"));
}

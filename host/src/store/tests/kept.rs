//! Kept rows: nobody ever reads a row of before a change.

use crate::domain::{KnowledgeBase, ModelType, TenantId};
use crate::store::testing::{a_kb, a_tenant, open};
use crate::store::{EmbeddedBy, KnowledgeBasePatch, TenantPatch};

#[tokio::test]
async fn a_change_is_read_at_once_by_whoever_read_before() {
    let test = open().await;
    let (store, scope) = (&test.store, a_tenant(&test.store, "ann").await);
    let kb = a_kb(store, &scope).await;
    for number in 0..50 {
        let name = format!("name {number}");
        let patch = KnowledgeBasePatch { name: Some(name.clone()), ..KnowledgeBasePatch::default() };
        store.update_knowledge_base(&scope, &kb.id, &patch).await.expect("updates");
        for _ in 0..3 {
            assert_eq!(store.get_knowledge_base(&scope, &kb.id).await.expect("reads").name, name);
            assert_eq!(store.list_knowledge_bases(&scope).await.expect("lists")[0].name, name);
        }
        store.update_tenant(&scope, &TenantPatch { name: Some(name.clone()), ..TenantPatch::default() }).await.expect("updates");
        assert_eq!(store.get_tenant(&scope).await.expect("reads").name, name);
    }
    store.delete_knowledge_base(&scope, &kb.id).await.expect("deletes");
    assert!(store.find_knowledge_base(&scope, &kb.id).await.expect("reads").is_none());
    assert!(store.list_knowledge_bases(&scope).await.expect("lists").is_empty());
}

#[tokio::test]
async fn what_was_read_is_kept_until_its_table_changes() {
    let test = open().await;
    let (store, scope) = (&test.store, a_tenant(&test.store, "ann").await);
    let kb = a_kb(store, &scope).await;
    let now = || store.inner.versions.of("knowledge_bases").expect("it is kept").now();
    while now().is_none() {
        tokio::task::yield_now().await;
    }
    assert_eq!(store.find_fixed_embedding(&scope, &kb.id).await.expect("reads"), None);
    let before = now();
    assert!(store.find_default_model(&scope, ModelType::Embedding).await.expect("reads").is_none());
    store.save_fact("sample", "made").await.expect("another table changes");
    assert_eq!((now(), before.is_some()), (before, true));
    // Behind the back of the methods, but through the same connection.
    sqlx::query("update knowledge_bases set fixed_embedding_model_id = 'm', fixed_embedding_dimension = 3, fixed_embedding_digest = 'd'")
        .execute(store.writer())
        .await
        .expect("updates");
    let fixed = EmbeddedBy { model_id: "m".into(), dimension: 3, digest: "d".into() };
    assert_eq!(store.find_fixed_embedding(&scope, &kb.id).await.expect("reads"), Some(fixed));
}

#[tokio::test]
async fn rows_of_one_tenant_are_not_kept_for_another() {
    let test = open().await;
    let store = &test.store;
    let (ann, bob) = (a_tenant(store, "ann").await, a_tenant(store, "bob").await);
    let kb = a_kb(store, &ann).await;
    for _ in 0..3 {
        assert!(store.find_knowledge_base(&ann, &kb.id).await.expect("reads").is_some());
        assert!(store.find_knowledge_base(&bob, &kb.id).await.expect("reads").is_none());
        assert!(store.find_fixed_embedding(&bob, &kb.id).await.is_err());
        assert!(store.list_knowledge_bases(&bob).await.expect("lists").is_empty());
        assert!(store.find_tenant(TenantId(1)).await.expect("reads").is_none());
    }
}

#[tokio::test]
async fn readers_beside_a_writer_never_go_back_in_time() {
    let test = open().await;
    let (store, scope) = (&test.store, a_tenant(&test.store, "ann").await);
    let kb = store.create_knowledge_base(&scope, &KnowledgeBase { name: "0".into(), ..KnowledgeBase::default() }).await.expect("created");
    let write = async {
        for number in 1..=200 {
            let patch = KnowledgeBasePatch { name: Some(number.to_string()), ..KnowledgeBasePatch::default() };
            store.update_knowledge_base(&scope, &kb.id, &patch).await.expect("updates");
            let name = store.get_knowledge_base(&scope, &kb.id).await.expect("reads").name;
            assert_eq!(name, number.to_string(), "whoever wrote reads what was written");
        }
    };
    let read = async {
        let mut last = 0;
        while last < 200 {
            let name: i32 = store.get_knowledge_base(&scope, &kb.id).await.expect("reads").name.parse().expect("a number");
            assert!(name >= last, "{name} after {last}");
            last = name;
            tokio::task::yield_now().await;
        }
    };
    tokio::join!(write, read);
}

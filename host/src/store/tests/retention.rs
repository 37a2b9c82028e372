//! What is removed for good, and what never is.

use super::tenants_apart::a_message;
use crate::domain::{JobKind, NewJob, Role, TenantId, TenantScope, Timestamp};
use crate::store::testing::{TestStore, a_kb, a_knowledge, a_session, a_tenant, open, some_chunks};
use std::time::Duration;

const TABLES: [&str; 7] = ["chunks", "embeddings", "knowledges", "knowledge_bases", "messages", "sessions", "models"];

/// Rows of each table, deleted ones too.
async fn counts(test: &TestStore) -> Vec<i64> {
    let mut counts = Vec::new();
    for table in TABLES {
        let count = format!("select count(*) from {table}");
        counts.push(sqlx::query_scalar(sqlx::AssertSqlSafe(count)).fetch_one(test.store.reader()).await.expect("counts"));
    }
    counts
}

async fn purge(test: &TestStore, before: Timestamp, limit: i64) -> u64 {
    let mut removed = 0;
    loop {
        match test.store.purge_deleted(before, limit).await.expect("purges") {
            0 => return removed,
            rows => {
                assert!(rows <= u64::try_from(limit).expect("positive"));
                removed += rows;
            }
        }
    }
}

/// A knowledge base with two documents of two chunks, and a session with two messages.
async fn furnish(test: &TestStore, scope: &TenantScope) -> (String, [String; 2], String) {
    let store = &test.store;
    let kb = a_kb(store, scope).await;
    let mut ids = Vec::new();
    for hash in ["h1", "h2"] {
        let knowledge = a_knowledge(store, scope, &kb, &format!("{hash}-{}", scope.tenant_id())).await;
        store.save_chunks(scope, &knowledge.id, &some_chunks(&knowledge, &["one", "two"])).await.expect("saves");
        store.publish_chunks(scope, &knowledge.id).await.expect("publishes");
        ids.push(knowledge.id);
    }
    let session = a_session(store, scope).await;
    for role in [Role::User, Role::Assistant] {
        store.create_message(scope, &a_message(&session.id, role, "x")).await.expect("creates");
    }
    (kb.id, [ids[0].clone(), ids[1].clone()], session.id)
}

#[tokio::test]
async fn deleted_rows_go_when_their_time_is_over_and_living_ones_stay() {
    let test = open().await;
    let (ann, bob) = (a_tenant(&test.store, "ann").await, a_tenant(&test.store, "bob").await);
    let (_, documents, session) = furnish(&test, &ann).await;
    let (kb, ..) = furnish(&test, &bob).await;
    let before = counts(&test).await;
    let past = Timestamp::from(Timestamp::now().as_offset_date_time() - time::Duration::hours(1));
    let soon = Timestamp::now().plus(Duration::from_secs(3600));
    assert_eq!(purge(&test, soon, 100).await, 0, "nothing was deleted yet");

    test.store.delete_knowledge(&ann, &documents[0]).await.expect("deletes");
    assert!(test.store.delete_session(&ann, &session).await.expect("deletes"));
    test.store.delete_knowledge_base(&bob, &kb).await.expect("deletes");
    assert_eq!(purge(&test, past, 100).await, 0, "their time is not over");
    assert_eq!(counts(&test).await, before);

    // Neither the chunks of the knowledge base nor the files are gone: what needs them stays.
    purge(&test, soon, 1).await;
    let now = counts(&test).await;
    assert_eq!((now[0], now[2], now[3]), (before[0] - 2, before[2], before[3]));
    assert_eq!((now[4], now[5]), (before[4] - 2, before[5] - 1), "the session went with its messages");

    let mut gone = Vec::new();
    loop {
        let step = test.store.purge_knowledge_base(&bob, &kb, &gone).await.expect("purges");
        if step.knowledge_ids.is_empty() {
            break;
        }
        gone = step.knowledge_ids;
    }
    test.store.forget_files(&ann, std::slice::from_ref(&documents[0])).await.expect("forgets");
    purge(&test, soon, 1).await;
    let now = counts(&test).await;
    assert_eq!((now[0], now[2], now[3]), (2, 1, 1));
    assert!(test.store.find_knowledge(&ann, &documents[1]).await.expect("reads").is_some());
}

#[tokio::test]
async fn what_a_deleted_tenant_has_is_found_and_cleared_and_nothing_else() {
    let test = open().await;
    let (ann, bob) = (a_tenant(&test.store, "ann").await, a_tenant(&test.store, "bob").await);
    let ((kb, ..), _) = (furnish(&test, &ann).await, furnish(&test, &bob).await);
    assert!(test.store.list_tenants_to_clear(9).await.expect("lists").is_empty());
    test.store.delete_tenant(&ann).await.expect("deletes");
    assert!(test.store.find_job_of(ann.tenant_id(), JobKind::DeleteTenant, &ann.tenant_id().to_string()).await.expect("reads").is_some());
    assert_eq!(test.store.list_tenants_to_clear(9).await.expect("lists"), [ann.tenant_id()]);
    assert_eq!(test.store.clear_tenant(&ann, 9).await.expect("clears"), 1);
    assert_eq!(test.store.list_tenants_to_clear(9).await.expect("lists"), [ann.tenant_id()], "its knowledge base is left");
    assert!(test.store.list_knowledge_bases_to_clear(9).await.expect("lists").is_empty());
    test.store.delete_knowledge_base(&ann, &kb).await.expect("deletes");
    assert!(test.store.list_tenants_to_clear(9).await.expect("lists").is_empty());
    assert_eq!(test.store.list_knowledge_bases_to_clear(9).await.expect("lists"), [(ann.tenant_id(), kb)]);
    assert_eq!(test.store.list_sessions(&bob, crate::store::Page::default()).await.expect("lists").total, 1);
}

#[tokio::test]
async fn a_job_that_is_wanted_once_waits_once() {
    let test = open().await;
    let job = NewJob::new(JobKind::SweepDeleted, TenantId(0), "all");
    assert!(test.store.create_job_once(&job).await.expect("creates"));
    assert!(!test.store.create_job_once(&job).await.expect("looks"));
    let claimed = test.store.claim_job(&[JobKind::SweepDeleted], "w", Duration::from_secs(9)).await.expect("claims").expect("a job");
    assert!(!test.store.create_job_once(&job).await.expect("looks"), "it runs");
    test.store.complete_job(&claimed).await.expect("completes");
    assert!(test.store.create_job_once(&job).await.expect("creates"));
}

#[tokio::test]
async fn files_are_owned_by_every_row_that_names_them() {
    let test = open().await;
    let scope = a_tenant(&test.store, "ann").await;
    let (_, documents, _) = furnish(&test, &scope).await;
    let path = test.store.get_knowledge(&scope, &documents[0]).await.expect("reads").file_path;
    test.store.delete_knowledge(&scope, &documents[0]).await.expect("deletes");
    let keys = [path.clone(), "1/x/1.txt".to_owned(), String::new()];
    assert_eq!(test.store.list_unowned_files(&keys).await.expect("looks"), ["1/x/1.txt", ""]);
    test.store.forget_files(&scope, &documents[..1]).await.expect("forgets");
    assert_eq!(test.store.list_unowned_files(&keys).await.expect("looks").len(), 3);
}

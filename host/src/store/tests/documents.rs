//! The life of a document: what changes together, and what a second run does not change.

use crate::domain::{ChunkType, EnableStatus, JobKind, ParseStatus};
use crate::error::Error;
use crate::store::testing::{a_kb, a_knowledge, a_tenant, new_knowledge, open, some_chunks};
use crate::store::{ChunkEmbedding, Completion, CompletionOutcome, CreatedKnowledge, EmbeddedBy, IndexAction};

fn by_model() -> EmbeddedBy {
    EmbeddedBy { model_id: "m".into(), dimension: 2, digest: "d1".into() }
}

#[tokio::test]
async fn a_document_goes_from_upload_to_search_and_is_counted_once() {
    let test = open().await;
    let store = &test.store;
    let scope = a_tenant(store, "ann").await;
    let kb = a_kb(store, &scope).await;
    let knowledge = a_knowledge(store, &scope, &kb, "h1").await;
    assert_eq!((knowledge.parse_status, knowledge.enable_status), (ParseStatus::Pending, EnableStatus::Disabled));
    assert!(store.find_job_of(scope.tenant_id(), JobKind::IngestKnowledge, &knowledge.id).await.expect("reads").is_some());
    assert_eq!(store.start_knowledge(&scope, &knowledge.id).await.expect("starts").parse_status, ParseStatus::Processing);

    let chunks = some_chunks(&knowledge, &["one", "two"]);
    store.save_chunks(&scope, &knowledge.id, &chunks).await.expect("saves");
    let vector = ChunkEmbedding { chunk_id: chunks[0].id.clone(), vector: vec![0.6, -0.8] };
    store.save_embeddings(&scope, &knowledge.id, &by_model(), &[vector]).await.expect("saves");
    store.save_chunks(&scope, &knowledge.id, &chunks).await.expect("saves again");
    let missing = store.list_chunks_to_embed(&scope, &knowledge.id, &by_model(), 10).await.expect("lists");
    assert_eq!(missing, [(chunks[1].id.clone(), "two".to_string())], "the vector of the first survives the second save");
    assert_eq!(store.count_index_rows().await.expect("counts"), 0, "nothing shows before it is published");

    let sequence = store.publish_chunks(&scope, &knowledge.id).await.expect("publishes");
    assert_eq!(*store.watch_index_sequence().borrow(), sequence);
    let change = store.index_changes_after(sequence - 1, 10).await.expect("reads").remove(0);
    assert_eq!((change.action, change.chunk_ids.len()), (IndexAction::Upsert, 2));
    let rows = store.load_index_rows(&change.chunk_ids).await.expect("loads");
    assert_eq!(rows[0].vector.as_deref(), Some(&[0.6f32, -0.8][..]));
    assert_eq!((rows[1].content.as_str(), rows[1].vector.is_none()), ("two", true));

    let completion = Completion { description: "a\0b".into(), storage_size_bytes: 700 };
    let done = store.complete_knowledge(&scope, &knowledge.id, &completion).await.expect("completes");
    assert!(matches!(done, CompletionOutcome::Completed(ref row) if row.description == "ab" && row.enable_status == EnableStatus::Enabled));
    let again = store.complete_knowledge(&scope, &knowledge.id, &completion).await.expect("completes again");
    assert!(matches!(again, CompletionOutcome::AlreadyCompleted(_)));
    assert_eq!(store.get_tenant(&scope).await.expect("reads").storage_used_bytes, 700);

    let deleted = store.delete_knowledge(&scope, &knowledge.id).await.expect("deletes");
    assert_eq!(deleted.file_path.as_deref(), Some("1/h1/file.txt"));
    assert_eq!(store.get_tenant(&scope).await.expect("reads").storage_used_bytes, 0);
    let change = store.index_changes_after(sequence, 10).await.expect("reads").remove(0);
    assert_eq!((change.action, change.chunk_ids.len(), change.sequence), (IndexAction::Delete, 2, deleted.sequence));
    assert!(store.load_index_rows(&change.chunk_ids).await.expect("loads").is_empty());
    assert!(store.list_all_chunks(&scope, &knowledge.id, &[ChunkType::Text]).await.expect("lists").is_empty());
    for late in [
        store.save_chunks(&scope, &knowledge.id, &chunks).await.map(|()| 0),
        store.publish_chunks(&scope, &knowledge.id).await,
        store.complete_knowledge(&scope, &knowledge.id, &completion).await.map(|_| 0),
        store.fail_knowledge(&scope, &knowledge.id, "late").await.map(|_| 0),
    ] {
        assert!(matches!(late, Err(Error::NotFound { .. })), "a deleted document is not revived: {late:?}");
    }
}

#[tokio::test]
async fn upload_of_same_file_twice_returns_the_first_and_moves_it_to_the_top() {
    let test = open().await;
    let store = &test.store;
    let scope = a_tenant(store, "ann").await;
    let kb = a_kb(store, &scope).await;
    let first = a_knowledge(store, &scope, &kb, "h1").await;
    let second = store.create_knowledge_with_job(&scope, &new_knowledge(&kb, "h1"), serde_json::json!({})).await.expect("answers");
    let CreatedKnowledge::Duplicate(existing) = second else { panic!("it was created twice") };
    assert_eq!(existing.id, first.id);
    assert!(existing.created_at > first.created_at);
    store.fail_knowledge(&scope, &first.id, "broken").await.expect("fails");
    a_knowledge(store, &scope, &kb, "h1").await;
}

#[tokio::test]
async fn what_a_second_attempt_no_longer_has_is_taken_back_from_the_followers() {
    let test = open().await;
    let store = &test.store;
    let scope = a_tenant(store, "ann").await;
    let kb = a_kb(store, &scope).await;
    let knowledge = a_knowledge(store, &scope, &kb, "h1").await;
    let chunks = some_chunks(&knowledge, &["one", "two"]);
    store.save_chunks(&scope, &knowledge.id, &chunks).await.expect("saves");
    store.save_chunks(&scope, &knowledge.id, &chunks[1..]).await.expect("saves");
    assert_eq!(store.max_sequence().await.expect("reads"), 0, "what was never shown needs no taking back");
    store.save_chunks(&scope, &knowledge.id, &chunks).await.expect("saves");
    let shown = store.publish_chunks(&scope, &knowledge.id).await.expect("publishes");
    store.save_chunks(&scope, &knowledge.id, &chunks[..1]).await.expect("saves");
    let change = store.index_changes_after(shown, 9).await.expect("reads").remove(0);
    assert_eq!((change.action, change.chunk_ids), (IndexAction::Delete, vec![chunks[1].id.clone()]));
}

#[tokio::test]
async fn a_sweep_finds_the_files_that_a_kill_left_until_they_are_forgotten() {
    let test = open().await;
    let store = &test.store;
    let scope = a_tenant(store, "ann").await;
    let kb = a_kb(store, &scope).await;
    let (one, two) = (a_knowledge(store, &scope, &kb, "h1").await, a_knowledge(store, &scope, &kb, "h2").await);
    store.delete_knowledge(&scope, &one.id).await.expect("deletes");
    let left = store.list_files_of_deleted(9).await.expect("lists");
    assert_eq!(left, [(scope.tenant_id(), one.id.clone(), one.file_path.clone())]);
    store.forget_files(&scope, &[one.id, two.id.clone()]).await.expect("forgets");
    assert!(store.list_files_of_deleted(9).await.expect("lists").is_empty());
    assert_eq!(store.get_knowledge(&scope, &two.id).await.expect("reads").file_path, two.file_path, "a living document keeps its file");
}

/// A client that hangs up drops its call anywhere, also within a transaction; there is only one connection that writes.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_dropped_call_leaves_the_writer_usable_and_nothing_half_written() {
    let test = open().await;
    let store = &test.store;
    let scope = a_tenant(store, "ann").await;
    let kb = a_kb(store, &scope).await;
    let knowledge = a_knowledge(store, &scope, &kb, "h").await;
    let texts: Vec<String> = (0..40).map(|number| format!("text {number}")).collect();
    let texts: Vec<&str> = texts.iter().map(String::as_str).collect();
    let chunks = some_chunks(&knowledge, &texts);
    for round in 0..120u64 {
        let (store, scope, id) = (store.clone(), scope, knowledge.id.clone());
        let saved = if round % 2 == 0 { chunks.clone() } else { chunks[..7].to_vec() };
        let call = tokio::spawn(async move { store.save_chunks(&scope, &id, &saved).await });
        // The drop falls on another await each time.
        for _ in 0..round * 5 {
            tokio::task::yield_now().await;
        }
        call.abort();
        let _ = call.await;
        let count = test.store.list_all_chunks(&scope, &knowledge.id, &[ChunkType::Text]).await.expect("reads").len();
        assert!([0, 7, 40].contains(&count), "{count} chunks are a half-written document");
    }
    store.save_chunks(&scope, &knowledge.id, &chunks).await.expect("the writer still works");
}

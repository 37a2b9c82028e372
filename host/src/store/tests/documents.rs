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

//! Changes of chunks and of whole knowledge bases, and what followers get to know of them.

use crate::domain::{ChunkType, JobKind, JobState};
use crate::error::Error;
use crate::store::testing::{a_kb, a_knowledge, a_tenant, open, some_chunks};
use crate::store::{ChunkEmbedding, ChunkPatch, Completion, CompletionOutcome, EmbeddedBy, IndexAction, Page};
use std::collections::HashSet;

fn embedded_by(digest: &str) -> EmbeddedBy {
    EmbeddedBy { model_id: "m".into(), dimension: 1, digest: digest.into() }
}

#[tokio::test]
async fn enabling_disabling_and_editing_a_chunk_tell_the_followers() {
    let test = open().await;
    let store = &test.store;
    let scope = a_tenant(store, "ann").await;
    let kb = a_kb(store, &scope).await;
    let knowledge = a_knowledge(store, &scope, &kb, "h").await;
    let chunks = some_chunks(&knowledge, &["one", "two", "three"]);
    store.save_chunks(&scope, &knowledge.id, &chunks).await.expect("saves");
    let vectors: Vec<_> = chunks.iter().map(|chunk| ChunkEmbedding { chunk_id: chunk.id.clone(), vector: vec![1.0] }).collect();
    store.save_embeddings(&scope, &knowledge.id, &embedded_by(""), &vectors).await.expect("saves");
    let published = store.publish_chunks(&scope, &knowledge.id).await.expect("publishes");
    let id = &chunks[1].id;

    let (chunk, sequence) = store.update_chunk(&scope, id, &ChunkPatch::default()).await.expect("updates");
    assert_eq!((chunk.content.as_str(), chunk.is_enabled, sequence), ("two", true, None), "an empty patch changes nothing");
    let disable = ChunkPatch { is_enabled: Some(false), ..ChunkPatch::default() };
    let (_, sequence) = store.update_chunk(&scope, id, &disable).await.expect("disables");
    assert_eq!(sequence, Some(published + 1));
    assert!(store.load_index_rows(&[id]).await.expect("loads").is_empty());
    assert_eq!(store.count_index_rows().await.expect("counts"), 2);
    assert_eq!(store.update_chunk(&scope, id, &disable).await.expect("disables again").1, None);
    let enable = ChunkPatch { is_enabled: Some(true), ..ChunkPatch::default() };
    store.update_chunk(&scope, id, &enable).await.expect("enables");
    assert!(store.load_index_rows(&[id]).await.expect("loads")[0].vector.is_some());

    let edit = ChunkPatch { content: Some("zwei".into()), ..ChunkPatch::default() };
    store.update_chunk(&scope, id, &edit).await.expect("edits");
    assert_eq!(store.load_index_rows(&[id]).await.expect("loads")[0].vector, None, "a vector of the old text would lie");
    let edit = ChunkPatch { content: Some("deux".into()), embedding: Some((embedded_by(""), vec![0.5])), ..ChunkPatch::default() };
    store.update_chunk(&scope, id, &edit).await.expect("edits");
    let row = store.load_index_rows(&[id]).await.expect("loads").remove(0);
    assert_eq!((row.content.as_str(), row.vector), ("deux", Some(vec![0.5])));

    store.delete_chunk(&scope, id).await.expect("deletes");
    let first = store.get_chunk(&scope, &chunks[0].id).await.expect("reads");
    let last = store.get_chunk(&scope, &chunks[2].id).await.expect("reads");
    assert_eq!((&first.next_chunk_id, &last.pre_chunk_id), (&last.id, &first.id), "the neighbours know each other");
    let actions: Vec<_> = store.index_changes_after(0, 99).await.expect("reads").iter().map(|change| change.action).collect();
    use IndexAction::{Delete, Upsert};
    assert_eq!(actions, [Upsert, Delete, Upsert, Upsert, Upsert, Delete]);
    assert_eq!(store.max_sequence().await.expect("reads"), published + 5);
}

#[tokio::test]
async fn numbers_of_changes_are_not_used_again_after_pruning() {
    let test = open().await;
    let store = &test.store;
    let scope = a_tenant(store, "ann").await;
    let kb = a_kb(store, &scope).await;
    let knowledge = a_knowledge(store, &scope, &kb, "h").await;
    for expected in 1..=3 {
        assert_eq!(store.publish_chunks(&scope, &knowledge.id).await.expect("publishes"), expected);
    }
    assert_eq!(store.prune_index_changes(3).await.expect("prunes"), 3);
    assert_eq!((store.max_sequence().await.expect("reads"), store.min_sequence().await.expect("reads")), (3, None));
    assert_eq!(store.publish_chunks(&scope, &knowledge.id).await.expect("publishes"), 4);
}

#[tokio::test]
async fn a_rebuild_walks_over_every_published_chunk_once() {
    let test = open().await;
    let store = &test.store;
    let scope = a_tenant(store, "ann").await;
    let kb = a_kb(store, &scope).await;
    for number in 0..4 {
        let knowledge = a_knowledge(store, &scope, &kb, &format!("h{number}")).await;
        store.save_chunks(&scope, &knowledge.id, &some_chunks(&knowledge, &["a", "b", "c"])).await.expect("saves");
        if number > 0 {
            store.publish_chunks(&scope, &knowledge.id).await.expect("publishes");
        }
    }
    let (mut after, mut seen) = (String::new(), HashSet::new());
    loop {
        let rows = store.list_index_rows(&after, 2).await.expect("lists");
        let Some(last) = rows.last() else { break };
        after = last.chunk_id.clone();
        seen.extend(rows.into_iter().map(|row| row.chunk_id));
    }
    assert_eq!(seen.len(), 9);
    assert_eq!(store.count_index_rows().await.expect("counts"), 9);
}

#[tokio::test]
async fn a_failed_document_leaves_a_sentence_and_nothing_else() {
    let test = open().await;
    let store = &test.store;
    let scope = a_tenant(store, "ann").await;
    let kb = a_kb(store, &scope).await;
    let knowledge = a_knowledge(store, &scope, &kb, "h").await;
    let chunks = some_chunks(&knowledge, &["one"]);
    store.save_chunks(&scope, &knowledge.id, &chunks).await.expect("saves");
    store.publish_chunks(&scope, &knowledge.id).await.expect("publishes");
    let size = Completion { storage_size_bytes: 500, ..Completion::default() };
    store.complete_knowledge(&scope, &knowledge.id, &size).await.expect("completes");
    for _ in 0..2 {
        let failed = store.fail_knowledge(&scope, &knowledge.id, "the file is broken").await.expect("fails");
        assert_eq!((failed.error_message.as_str(), failed.storage_size_bytes), ("the file is broken", 0));
        assert_eq!(store.get_tenant(&scope).await.expect("reads").storage_used_bytes, 0);
    }
    assert!(store.find_chunks(&scope, &[&chunks[0].id]).await.expect("reads").is_empty());
    let last = store.index_changes_after(0, 9).await.expect("reads").pop().expect("a change");
    assert_eq!((last.action, last.chunk_ids), (IndexAction::Delete, vec![chunks[0].id.clone()]));
}

#[tokio::test]
async fn a_quota_is_kept_at_upload_and_at_completion() {
    let test = open().await;
    let store = &test.store;
    let scope = a_tenant(store, "ann").await;
    let kb = a_kb(store, &scope).await;
    let (one, two) = (a_knowledge(store, &scope, &kb, "h1").await, a_knowledge(store, &scope, &kb, "h2").await);
    let size = |bytes| Completion { storage_size_bytes: bytes, ..Completion::default() };
    assert!(store.has_quota_for(&scope, 10_000).await.expect("reads") && !store.has_quota_for(&scope, 10_001).await.expect("reads"));
    store.complete_knowledge(&scope, &one.id, &size(10_000)).await.expect("fits exactly");
    let outcome = store.complete_knowledge(&scope, &two.id, &size(1)).await.expect("answers");
    assert!(matches!(outcome, CompletionOutcome::QuotaExceeded));
    let upload = store.create_knowledge_with_job(&scope, &crate::store::testing::new_knowledge(&kb, "h3"), serde_json::json!({})).await;
    assert!(matches!(upload, Err(Error::TooLarge(ref text)) if text == "Storage quota exceeded"), "{upload:?}");
    assert_eq!(store.count_jobs(JobState::Queued).await.expect("counts"), 2, "the refused upload left no job");
}

#[tokio::test]
async fn deleting_a_knowledge_base_hides_all_at_once_and_clears_the_rest_in_steps() {
    let test = open().await;
    let store = &test.store;
    let scope = a_tenant(store, "ann").await;
    let kb = a_kb(store, &scope).await;
    let mut first = None;
    for number in 0..20 {
        let knowledge = a_knowledge(store, &scope, &kb, &format!("h{number}")).await;
        store.save_chunks(&scope, &knowledge.id, &some_chunks(&knowledge, &["a", "b"])).await.expect("saves");
        store.publish_chunks(&scope, &knowledge.id).await.expect("publishes");
        let size = Completion { storage_size_bytes: 10, ..Completion::default() };
        store.complete_knowledge(&scope, &knowledge.id, &size).await.expect("completes");
        first.get_or_insert(knowledge);
    }
    let first = first.expect("twenty were made");
    store.delete_knowledge_base(&scope, &kb.id).await.expect("deletes");
    assert_eq!(store.get_tenant(&scope).await.expect("reads").storage_used_bytes, 0);
    assert!(matches!(store.get_knowledge(&scope, &first.id).await, Err(Error::NotFound { .. })));
    assert_eq!(store.count_index_rows().await.expect("counts"), 0);
    assert!(store.find_job_of(scope.tenant_id(), JobKind::IngestKnowledge, &first.id).await.expect("reads").is_none());
    assert!(store.find_job_of(scope.tenant_id(), JobKind::DeleteKnowledgeBase, &kb.id).await.expect("reads").is_some());
    let (mut gone, mut files) = (Vec::new(), 0);
    loop {
        let step = store.purge_knowledge_base(&scope, &kb.id, &gone).await.expect("purges");
        if step.knowledge_ids.is_empty() {
            break;
        }
        files += step.file_paths.len();
        gone = step.knowledge_ids;
    }
    assert_eq!(files, 20);
    let deleted: usize = store
        .index_changes_after(0, 99)
        .await
        .expect("reads")
        .iter()
        .filter(|change| change.action == IndexAction::Delete)
        .map(|change| change.chunk_ids.len())
        .sum();
    assert_eq!(deleted, 40);
}

#[tokio::test]
async fn a_digest_that_changes_makes_chunks_due_for_embedding_again() {
    let test = open().await;
    let store = &test.store;
    let scope = a_tenant(store, "ann").await;
    let kb = a_kb(store, &scope).await;
    assert_eq!(store.find_fixed_embedding(&scope, &kb.id).await.expect("reads"), None);
    assert_eq!(store.fix_embedding(&scope, &kb.id, &embedded_by("d1")).await.expect("fixes"), embedded_by("d1"));
    assert_eq!(store.fix_embedding(&scope, &kb.id, &embedded_by("d2")).await.expect("keeps"), embedded_by("d1"));
    let knowledge = a_knowledge(store, &scope, &kb, "h").await;
    let chunks = some_chunks(&knowledge, &["one", "two"]);
    store.save_chunks(&scope, &knowledge.id, &chunks).await.expect("saves");
    let vector = ChunkEmbedding { chunk_id: chunks[0].id.clone(), vector: vec![1.0] };
    store.save_embeddings(&scope, &knowledge.id, &embedded_by("d1"), std::slice::from_ref(&vector)).await.expect("saves");
    for (digest, due) in [("d1", 1), ("d2", 2)] {
        let missing = store.list_chunks_to_embed(&scope, &knowledge.id, &embedded_by(digest), 9).await.expect("lists");
        assert_eq!(missing.len(), due, "{digest}");
    }
    for bad in [vec![], vec![1.0, 2.0], vec![f32::NAN]] {
        let vector = ChunkEmbedding { chunk_id: chunks[0].id.clone(), vector: bad };
        assert!(store.save_embeddings(&scope, &knowledge.id, &embedded_by("d1"), &[vector]).await.is_err());
    }
    let stranger = ChunkEmbedding { chunk_id: "nobody".into(), vector: vec![1.0] };
    let saved = store.save_embeddings(&scope, &knowledge.id, &embedded_by("d2"), &[vector, stranger]).await;
    assert!(matches!(saved, Err(Error::NotFound { .. })));
    let due = store.list_chunks_to_embed(&scope, &knowledge.id, &embedded_by("d2"), 9).await.expect("lists");
    assert_eq!(due.len(), 2, "of a refused call nothing is saved");
}

#[tokio::test]
async fn a_shorter_second_save_removes_the_rest_and_foreign_ids_are_refused() {
    let test = open().await;
    let store = &test.store;
    let scope = a_tenant(store, "ann").await;
    let kb = a_kb(store, &scope).await;
    let (one, two) = (a_knowledge(store, &scope, &kb, "h1").await, a_knowledge(store, &scope, &kb, "h2").await);
    let chunks = some_chunks(&one, &["a\0b", "c"]);
    store.save_chunks(&scope, &one.id, &chunks).await.expect("saves");
    assert!(store.save_chunks(&scope, &two.id, &chunks).await.is_err(), "an id can not be taken from another document");
    store.save_chunks(&scope, &one.id, &chunks[..1]).await.expect("saves");
    let page = store.list_chunks(&scope, &one.id, &[ChunkType::Text], Page::default()).await.expect("lists");
    assert_eq!((page.total, page.items[0].content.as_str()), (1, "ab"));
}

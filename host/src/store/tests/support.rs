//! What the tests of the ground floor start from: a real database in a folder of its own, tenants and rows in it.

use super::{CreatedKnowledge, Store};
use crate::domain::{Chunk, ChunkType, Knowledge, KnowledgeBase, KnowledgeKind, Session, Tenant, TenantScope, Timestamp, User};
use tempfile::TempDir;

pub(crate) struct TestStore {
    pub(crate) store: Store,
    pub(crate) folder: TempDir,
}

pub(crate) async fn open() -> TestStore {
    let folder = tempfile::tempdir().expect("temporary folder");
    let store = Store::open(folder.path()).await.expect("opens");
    TestStore { store, folder }
}

/// A tenant with a user, and the proof to act for it.
pub(crate) async fn a_tenant(store: &Store, name: &str) -> TenantScope {
    let tenant = Tenant { name: name.into(), storage_quota_bytes: 10_000, ..Tenant::default() };
    let user = User { username: name.into(), email: format!("{name}@example.com"), password_hash: "hash".into(), ..User::default() };
    let (tenant, _) = store.create_tenant_with_user(&tenant, |id| Ok(format!("sk-{id}")), &user).await.expect("created");
    TenantScope::mint(tenant.id)
}

pub(crate) async fn a_kb(store: &Store, scope: &TenantScope) -> KnowledgeBase {
    store.create_knowledge_base(scope, &KnowledgeBase { name: "kb".into(), ..KnowledgeBase::default() }).await.expect("created")
}

pub(crate) async fn a_session(store: &Store, scope: &TenantScope) -> Session {
    store.create_session(scope, &Session { title: "talk".into(), ..Session::default() }).await.expect("created")
}

pub(crate) fn new_knowledge(kb: &KnowledgeBase, hash: &str) -> Knowledge {
    Knowledge {
        knowledge_base_id: kb.id.clone(),
        kind: KnowledgeKind::File,
        title: format!("{hash}.txt"),
        file_name: format!("{hash}.txt"),
        file_type: "txt".into(),
        file_hash: hash.into(),
        file_path: format!("1/{hash}/file.txt"),
        file_size_bytes: 3,
        ..Knowledge::default()
    }
}

pub(crate) async fn a_knowledge(store: &Store, scope: &TenantScope, kb: &KnowledgeBase, hash: &str) -> Knowledge {
    let created = store.create_knowledge_with_job(scope, &new_knowledge(kb, hash), serde_json::json!({})).await.expect("created");
    match created {
        CreatedKnowledge::Created { knowledge, .. } => knowledge,
        CreatedKnowledge::Duplicate(other) => panic!("{hash} is a duplicate of {}", other.id),
    }
}

/// Linked text chunks with ids derived from the document's.
pub(crate) fn some_chunks(knowledge: &Knowledge, contents: &[&str]) -> Vec<Chunk> {
    let id = |index: usize| contents.get(index).map(|_| format!("{}-{index}", &knowledge.id[..8])).unwrap_or_default();
    contents
        .iter()
        .enumerate()
        .map(|(index, content)| Chunk {
            id: id(index),
            tenant_id: knowledge.tenant_id,
            knowledge_id: knowledge.id.clone(),
            knowledge_base_id: knowledge.knowledge_base_id.clone(),
            content: (*content).into(),
            chunk_index: index as i64,
            is_enabled: true,
            start_at: 0,
            end_at: content.chars().count() as i64,
            pre_chunk_id: if index == 0 { String::new() } else { id(index - 1) },
            next_chunk_id: id(index + 1),
            chunk_type: ChunkType::Text,
            parent_chunk_id: String::new(),
            relation_chunks: None,
            indirect_relation_chunks: None,
            image_info: String::new(),
            created_at: Timestamp::zero(),
            updated_at: Timestamp::zero(),
            deleted_at: None,
        })
        .collect()
}

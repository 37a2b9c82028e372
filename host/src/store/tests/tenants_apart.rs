//! Two tenants: what one owns does not exist for the other, in every method that takes a scope.

use crate::domain::{
    ChunkType, EvaluationParams, EvaluationStatus, KnowledgeBase, Message, Model, ModelParameters, ModelStatus, ModelType, QuestionScores,
    Role, TenantId, TenantScope, Timestamp,
};
use crate::error::{Error, Result};
use crate::store::testing::{TestStore, a_kb, a_knowledge, a_session, a_tenant, open, some_chunks};
use crate::store::{
    ChunkEmbedding, ChunkPatch, Completion, EmbeddedBy, Found, ImageChange, InitializedModel, KnowledgeBasePatch, KnowledgeFilter,
    KnowledgePatch, ModelFilter, ModelPatch, ModelWrite, NewEvaluation, NewSettings, Page, SessionPatch,
};
use futures_util::future::BoxFuture;
use std::collections::BTreeSet;

/// What the owner has, by id.
struct Owned {
    /// To look at what a call did whose answer does not tell.
    scope: TenantScope,
    model: String,
    kb: String,
    knowledge: String,
    chunk: String,
    session: String,
    message: String,
    evaluation: String,
}

pub(super) fn a_model() -> Model {
    Model {
        id: String::new(),
        tenant_id: TenantId(0),
        name: "m".into(),
        model_type: ModelType::Embedding,
        source: "remote".into(),
        description: String::new(),
        parameters: ModelParameters::default(),
        is_default: true,
        status: ModelStatus::Active,
        created_at: Timestamp::zero(),
        updated_at: Timestamp::zero(),
        deleted_at: None,
    }
}

pub(super) fn a_message(session_id: &str, role: Role, content: &str) -> Message {
    Message {
        id: String::new(),
        session_id: session_id.into(),
        request_id: "r1".into(),
        content: content.into(),
        role,
        knowledge_references: Vec::new(),
        is_completed: false,
        created_at: Timestamp::zero(),
        updated_at: Timestamp::zero(),
        deleted_at: None,
    }
}

fn embedded_by() -> EmbeddedBy {
    EmbeddedBy { model_id: "m".into(), dimension: 1, digest: String::new() }
}

async fn furnish(test: &TestStore, scope: &TenantScope) -> Owned {
    let store = &test.store;
    let model = store.create_model(scope, &a_model()).await.expect("creates");
    let kb = a_kb(store, scope).await;
    let knowledge = a_knowledge(store, scope, &kb, "h").await;
    let mut chunks = some_chunks(&knowledge, &["one", "two"]);
    chunks[1].parent_chunk_id = chunks[0].id.clone();
    store.save_chunks(scope, &knowledge.id, &chunks).await.expect("saves");
    let session = a_session(store, scope).await;
    let message = store.create_message(scope, &a_message(&session.id, Role::User, "hello")).await.expect("creates");
    let new = NewEvaluation { dataset_id: "default".into(), params: EvaluationParams::default(), request_id: String::new() };
    let evaluation = store.create_evaluation(scope, &new, &KnowledgeBase::default()).await.expect("creates");
    Owned {
        scope: *scope,
        model: model.id,
        kb: kb.id,
        knowledge: knowledge.id,
        chunk: chunks[0].id.clone(),
        session: session.id,
        message: message.id,
        evaluation: evaluation.task.id,
    }
}

/// A call in somebody's name on the owner's rows: whether it reached any of them.
type Call = for<'a> fn(&'a TestStore, &'a TenantScope, &'a Owned) -> BoxFuture<'a, Result<bool>>;

macro_rules! calls {
    ($($name:literal => |$test:ident, $scope:ident, $owned:ident| $body:expr;)+) => {
        &[$(($name, {
            fn call<'a>($test: &'a TestStore, $scope: &'a TenantScope, $owned: &'a Owned) -> BoxFuture<'a, Result<bool>> {
                Box::pin(async move { Ok($body) })
            }
            call
        })),+]
    };
}

/// Deletions stand last: the owner's own run through the same list has to reach everything.
const CALLS: &[(&str, Call)] = calls! {
    "find_model" => |t, s, o| t.store.find_model(s, &o.model).await?.is_some();
    "get_model" => |t, s, o| t.store.get_model(s, &o.model).await.map(|_| true)?;
    "find_default_model" => |t, s, _o| t.store.find_default_model(s, ModelType::Embedding).await?.is_some();
    "list_models" => |t, s, _o| !t.store.list_models(s, &ModelFilter::default()).await?.is_empty();
    "update_model" => |t, s, o| t.store.update_model(s, &o.model, &ModelPatch::default()).await.map(|_| true)?;
    "find_knowledge_base" => |t, s, o| t.store.find_knowledge_base(s, &o.kb).await?.is_some();
    "get_knowledge_base" => |t, s, o| t.store.get_knowledge_base(s, &o.kb).await.map(|_| true)?;
    "list_knowledge_bases" => |t, s, _o| !t.store.list_knowledge_bases(s).await?.is_empty();
    "update_knowledge_base" => |t, s, o| t.store.update_knowledge_base(s, &o.kb, &KnowledgeBasePatch::default()).await.map(|_| true)?;
    "find_fixed_embedding" => |t, s, o| t.store.find_fixed_embedding(s, &o.kb).await.map(|_| true)?;
    "fix_embedding" => |t, s, o| t.store.fix_embedding(s, &o.kb, &embedded_by()).await.map(|_| true)?;
    "replace_fixed_embedding" => |t, s, o| t.store.replace_fixed_embedding(s, &o.kb, &embedded_by()).await.map(|_| true)?;
    "create_knowledge_with_job" => |t, s, o| {
        let knowledge = crate::domain::Knowledge { knowledge_base_id: o.kb.clone(), file_hash: "other".into(), ..Default::default() };
        t.store.create_knowledge_with_job(s, &knowledge, serde_json::Value::Null).await.map(|_| true)?
    };
    "ensure_knowledge" => |t, s, o| {
        let knowledge = crate::domain::Knowledge { id: o.knowledge.clone(), knowledge_base_id: o.kb.clone(), ..Default::default() };
        t.store.ensure_knowledge(s, &knowledge).await.map(|_| true)?
    };
    "find_knowledge" => |t, s, o| t.store.find_knowledge(s, &o.knowledge).await?.is_some();
    "get_knowledge" => |t, s, o| t.store.get_knowledge(s, &o.knowledge).await.map(|_| true)?;
    "find_knowledge_batch" => |t, s, o| !t.store.find_knowledge_batch(s, &[&o.knowledge]).await?.is_empty();
    "list_knowledge" => |t, s, o| t.store.list_knowledge(s, &o.kb, &KnowledgeFilter::default(), Page::default()).await?.total > 0;
    "update_knowledge" => |t, s, o| t.store.update_knowledge(s, &o.knowledge, &KnowledgePatch::default()).await.map(|_| true)?;
    "start_knowledge" => |t, s, o| t.store.start_knowledge(s, &o.knowledge).await.map(|_| true)?;
    "find_chunk" => |t, s, o| t.store.find_chunk(s, &o.chunk).await?.is_some();
    "get_chunk" => |t, s, o| t.store.get_chunk(s, &o.chunk).await.map(|_| true)?;
    "find_chunks" => |t, s, o| !t.store.find_chunks(s, &[&o.chunk]).await?.is_empty();
    "find_found" => |t, s, o| t.store.find_found(s, &o.kb, &[&o.chunk]).await? != Found::default();
    "list_chunks" => |t, s, o| t.store.list_chunks(s, &o.knowledge, &[ChunkType::Text], Page::default()).await?.total > 0;
    "list_all_chunks" => |t, s, o| !t.store.list_all_chunks(s, &o.knowledge, &[ChunkType::Text]).await?.is_empty();
    "list_chunks_of_parent" => |t, s, o| !t.store.list_chunks_of_parent(s, &o.chunk).await?.is_empty();
    "update_chunk" => |t, s, o| t.store.update_chunk(s, &o.chunk, &ChunkPatch::default()).await.map(|_| true)?;
    "save_embeddings" => |t, s, o| {
        let vector = ChunkEmbedding { chunk_id: o.chunk.clone(), vector: vec![1.0] };
        t.store.save_embeddings(s, &o.knowledge, &embedded_by(), &[vector]).await.map(|()| true)?
    };
    "list_chunks_to_embed" => |t, s, o| !t.store.list_chunks_to_embed(s, &o.knowledge, &embedded_by(), 9).await?.is_empty();
    "change_image" => |t, s, o| t.store.change_image(s, &o.knowledge, &o.chunk, &ImageChange::default()).await.map(|_| true)?;
    "publish_chunks" => |t, s, o| t.store.publish_chunks(s, &o.knowledge).await.map(|_| true)?;
    "complete_knowledge" => |t, s, o| t.store.complete_knowledge(s, &o.knowledge, &Completion::default()).await.map(|_| true)?;
    "create_copy_job" => |t, s, o| t.store.create_copy_job(s, &o.kb, None, "r1").await.map(|_| true)?;
    "list_document_hashes" => |t, s, o| !t.store.list_document_hashes(s, &o.kb).await?.is_empty();
    "copy_document" => |t, s, o| {
        let target = a_kb(&t.store, s).await;
        t.store.copy_document(s, &o.knowledge, &target.id, "00000000-0000-4000-8000-000000000001").await.map(|_| true)?
    };
    "save_settings" => |t, s, o| {
        let write = |patch: ModelPatch| ModelWrite::Update { id: o.model.clone(), patch };
        let settings = NewSettings {
            knowledge_base: KnowledgeBase { id: o.kb.clone(), ..KnowledgeBase::default() },
            llm: write(ModelPatch::default()),
            embedding: write(ModelPatch::default()),
            rerank: InitializedModel::Unchanged,
            vision: InitializedModel::Unchanged,
            patch: KnowledgeBasePatch::default(),
        };
        t.store.save_settings(s, settings).await.map(|_| true)?
    };
    "is_model_shared" => |t, s, o| t.store.is_model_shared(s, &o.model, "another").await?;
    "get_evaluation" => |t, s, o| t.store.get_evaluation(s, &o.evaluation).await.map(|_| true)?;
    "start_evaluation" => |t, s, o| {
        t.store.start_evaluation(s, &o.evaluation, 7).await?;
        t.store.get_evaluation(&o.scope, &o.evaluation).await?.task.total == 7
    };
    "save_evaluation_result" => |t, s, o| {
        t.store.save_evaluation_result(s, &o.evaluation, 1, &QuestionScores::default()).await?;
        t.store.get_evaluation(&o.scope, &o.evaluation).await?.task.finished == 1
    };
    "list_evaluated_questions" => |t, s, o| !t.store.list_evaluated_questions(s, &o.evaluation).await?.is_empty();
    "end_evaluation" => |t, s, o| {
        t.store.end_evaluation(s, &o.evaluation, EvaluationStatus::Failed, "stolen").await?;
        t.store.get_evaluation(&o.scope, &o.evaluation).await?.task.err_msg == "stolen"
    };
    "find_session" => |t, s, o| t.store.find_session(s, &o.session).await?.is_some();
    "get_session" => |t, s, o| t.store.get_session(s, &o.session).await.map(|_| true)?;
    "list_sessions" => |t, s, _o| t.store.list_sessions(s, Page::default()).await?.total > 0;
    "update_session" => |t, s, o| t.store.update_session(s, &o.session, &SessionPatch::default()).await.map(|_| true)?;
    "create_message" => |t, s, o| t.store.create_message(s, &a_message(&o.session, Role::User, "again")).await.map(|_| true)?;
    "create_answer" => |t, s, o| {
        let lease = std::time::Duration::from_secs(60);
        t.store.create_answer(s, &a_message(&o.session, Role::Assistant, ""), "p1", lease).await.map(|_| true)?
    };
    "find_message" => |t, s, o| t.store.find_message(s, &o.session, &o.message).await?.is_some();
    "get_message" => |t, s, o| t.store.get_message(s, &o.session, &o.message).await.map(|_| true)?;
    "find_message_by_request" => |t, s, o| t.store.find_message_by_request(s, &o.session, "r1").await?.is_some();
    "find_first_user_message" => |t, s, o| t.store.find_first_user_message(s, &o.session).await?.is_some();
    "list_messages" => |t, s, o| !t.store.list_messages(s, &o.session, Page::default()).await?.is_empty();
    "list_recent_messages" => |t, s, o| !t.store.list_recent_messages(s, &o.session, 9).await?.is_empty();
    "list_messages_before" => |t, s, o| {
        let later = Timestamp::now().plus(std::time::Duration::from_secs(60));
        !t.store.list_messages_before(s, &o.session, later, 9).await?.is_empty()
    };
    "complete_message" => |t, s, o| t.store.complete_message(s, &o.session, &o.message, "stolen", &[]).await.map(|_| true)?;
    "delete_message" => |t, s, o| t.store.delete_message(s, &o.session, &o.message).await?;
    "delete_session" => |t, s, o| t.store.delete_session(s, &o.session).await?;
    "save_chunks" => |t, s, o| t.store.save_chunks(s, &o.knowledge, &[]).await.map(|()| true)?;
    "delete_chunks_of_knowledge" => |t, s, o| t.store.delete_chunks_of_knowledge(s, &o.knowledge).await.map(|_| true)?;
    "fail_knowledge" => |t, s, o| t.store.fail_knowledge(s, &o.knowledge, "no").await.map(|_| true)?;
    "delete_knowledge" => |t, s, o| t.store.delete_knowledge(s, &o.knowledge).await.map(|_| true)?;
    "delete_knowledge_base" => |t, s, o| t.store.delete_knowledge_base(s, &o.kb).await.map(|_| true)?;
    "purge_knowledge_base" => |t, s, o| !t.store.purge_knowledge_base(s, &o.kb, &[]).await?.knowledge_ids.is_empty();
    "delete_model" => |t, s, o| t.store.delete_model(s, &o.model).await.map(|()| true)?;
};

#[tokio::test]
async fn what_one_tenant_owns_does_not_exist_for_another() {
    let test = open().await;
    let (owner, stranger) = (a_tenant(&test.store, "ann").await, a_tenant(&test.store, "bob").await);
    let owned = furnish(&test, &owner).await;
    for (name, call) in CALLS {
        match call(&test, &stranger, &owned).await {
            Ok(reached) => assert!(!reached, "{name} reached a row of another tenant"),
            Err(Error::NotFound { .. }) => {}
            Err(error) => panic!("{name} behaves otherwise than for a missing row: {error:?}"),
        }
    }
    let tenant = test.store.get_tenant(&stranger).await.expect("reads");
    assert_eq!(tenant.storage_used_bytes, 0);
}

#[tokio::test]
async fn the_same_calls_reach_the_rows_in_the_owners_name() {
    let test = open().await;
    let owner = a_tenant(&test.store, "ann").await;
    let owned = furnish(&test, &owner).await;
    for (name, call) in CALLS {
        let reached = call(&test, &owner, &owned).await.unwrap_or_else(|error| panic!("{name}: {error:?}"));
        assert!(reached, "{name} did not reach its owner's row, so the other test proves nothing");
    }
}

/// They make something of the scope's own, or are about the scope's tenant itself and name no other thing.
const OWN_ONLY: [&str; 9] = [
    "create_model",
    "create_knowledge_base",
    "create_session",
    "create_evaluation",
    "get_tenant",
    "update_tenant",
    "delete_tenant",
    "has_quota_for",
    "clear_tenant",
];
/// With a test of their own below.
const APART: [&str; 2] = ["delete_chunk", "forget_files"];

/// The methods with a scope of every file of this room, new files included.
fn scoped_methods() -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    let mut folders = vec![std::path::PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/src/store"))];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).expect("the sources").map(|entry| entry.expect("an entry").path()) {
            if entry.is_dir() {
                // Not the tests themselves.
                folders.extend(Some(entry).filter(|path| !path.ends_with("tests")));
                continue;
            }
            let source = std::fs::read_to_string(&entry).expect("a source");
            // The heads of public functions and of those for the rest of the crate; helpers inside the room are reached through these.
            for part in source.split("\n    pub ").chain(source.split("\n    pub(crate) ")).skip(1) {
                let head = part.split('{').next().unwrap_or_default();
                let Some(named) = head.strip_prefix("async fn ").or_else(|| head.strip_prefix("fn ")) else { continue };
                if named.contains("&TenantScope") {
                    found.insert(named.split(['(', '<']).next().unwrap_or_default().to_owned());
                }
            }
        }
    }
    found
}

/// A method that takes a scope and stands in no list above would escape both tests.
#[test]
fn every_method_with_a_scope_is_in_the_list() {
    let found = scoped_methods();
    let listed: BTreeSet<String> = CALLS.iter().map(|(name, _)| *name).chain(OWN_ONLY).chain(APART).map(str::to_owned).collect();
    assert_eq!(found.difference(&listed).collect::<Vec<_>>(), Vec::<&String>::new(), "not tested with two tenants");
    assert_eq!(listed.difference(&found).collect::<Vec<_>>(), Vec::<&String>::new(), "no such method");
    assert!(found.len() > 60, "only {} methods were found in the sources", found.len());
}

#[tokio::test]
async fn a_foreign_chunk_is_not_deleted_and_foreign_files_are_not_forgotten() {
    let test = open().await;
    let (owner, stranger) = (a_tenant(&test.store, "ann").await, a_tenant(&test.store, "bob").await);
    let owned = furnish(&test, &owner).await;
    assert!(matches!(test.store.delete_chunk(&stranger, &owned.chunk).await, Err(Error::NotFound { .. })));
    test.store.delete_chunk(&owner, &owned.chunk).await.expect("deletes");
    test.store.delete_knowledge_base(&owner, &owned.kb).await.expect("deletes");
    let ids = [owned.knowledge.clone()];
    test.store.forget_files(&stranger, &ids).await.expect("answers");
    let step = test.store.purge_knowledge_base(&owner, &owned.kb, &[]).await.expect("purges");
    assert_eq!(step.file_paths.len(), 1, "the stranger could not make the file forgotten");
}

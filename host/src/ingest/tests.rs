//! Documents on their whole way: real store, queue, files, index and parser processes; models played.
//!
//! Not here: the requests that bring documents in.

mod purge;

use super::parse::ParseChildLimits;
use super::parse::testing::child;
use super::{Ingest, IngestParts, Purge};
use crate::domain::{ChunkType, JobKind, JobState, Knowledge, KnowledgeBase, NewJob, ParseStatus, TenantScope};
use crate::files::Files;
use crate::index::Follower;
use crate::jobs::{JobHandler, JobTiming, Jobs, Worker};
use crate::provider::ProviderErrorKind;
use crate::provider::testing::{DIMENSION, PlayedModels, PlayedPages};
use crate::store::testing::{TestStore, a_kb, a_tenant, new_knowledge, open};
use crate::store::{CreatedKnowledge, TenantPatch};
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};
use tokio_util::sync::CancellationToken;

struct House {
    test: TestStore,
    files: Files,
    scope: TenantScope,
    kb: KnowledgeBase,
    models: Arc<PlayedModels>,
    follower: Follower,
    stop: CancellationToken,
}

impl Drop for House {
    fn drop(&mut self) {
        self.stop.cancel();
    }
}

async fn a_house(models: PlayedModels) -> House {
    let test = open().await;
    let scope = a_tenant(&test.store, "acme").await;
    let quota = TenantPatch { storage_quota_bytes: Some(1_000_000), ..TenantPatch::default() };
    test.store.update_tenant(&scope, &quota).await.expect("updates");
    let kb = a_kb(&test.store, &scope).await;
    let files = Files::open(&test.folder.path().join("files")).expect("opens");
    let models = Arc::new(models);
    let registry = models.registry();
    let index = test.folder.path().join("index");
    let follower =
        Follower::open(&index, test.store.clone(), registry.tokenizer(), std::sync::Arc::new(TenantScope::mint)).await.expect("opens");
    let stop = CancellationToken::new();
    let (running, token) = (follower.clone(), stop.clone());
    tokio::spawn(async move { running.run(token).await });
    House { test, files, scope, kb, models, follower, stop }
}

impl House {
    fn ingest(&self) -> Arc<Ingest> {
        Arc::new(Ingest::new(IngestParts {
            store: self.test.store.clone(),
            files: self.files.clone(),
            registry: self.models.registry(),
            followers: Arc::new(self.follower.clone()),
            scope_of: std::sync::Arc::new(TenantScope::mint),
            pages: Arc::new(PlayedPages::default()),
            parser: child(ParseChildLimits::default()),
            summary_prompt: "sum up".into(),
        }))
    }

    /// Works in the background until the test ends.
    fn work(&self) {
        self.work_until(self.stop.clone());
    }

    fn work_until(&self, stop: CancellationToken) -> tokio::task::JoinHandle<crate::error::Result<()>> {
        let timing = JobTiming { backoff: Duration::from_millis(1), poll: Duration::from_millis(20), ..JobTiming::default() };
        let jobs = Jobs::with_timing(self.test.store.clone(), timing);
        let handlers: Vec<Arc<dyn JobHandler>> = vec![self.ingest(), Arc::new(self.purge())];
        tokio::spawn(Worker::run(jobs, handlers, 2, stop))
    }

    /// With no patience at all.
    fn purge(&self) -> Purge {
        Purge::new(self.test.store.clone(), self.files.clone(), std::sync::Arc::new(TenantScope::mint)).at_once()
    }

    async fn upload(&self, name: &str, content: &[u8]) -> Knowledge {
        let mut writer = self.files.begin(1 << 24).await.expect("begins");
        writer.write(content).await.expect("writes");
        let (_, file_type) = name.rsplit_once('.').expect("an extension");
        let id = uuid::Uuid::new_v4().to_string();
        let stored = writer.finish(self.scope.tenant_id(), &id, file_type).await.expect("finishes");
        let knowledge = Knowledge {
            id,
            file_name: name.into(),
            title: name.into(),
            file_type: file_type.into(),
            file_path: stored.key,
            file_hash: stored.md5,
            ..new_knowledge(&self.kb, "x")
        };
        match self.test.store.create_knowledge_with_job(&self.scope, &knowledge, serde_json::json!({})).await.expect("creates") {
            CreatedKnowledge::Created { knowledge, .. } => knowledge,
            CreatedKnowledge::Duplicate(_) => panic!("a duplicate"),
        }
    }

    /// Waits for the end of a document.
    async fn ended(&self, knowledge: &Knowledge) -> Knowledge {
        let deadline = Instant::now() + Duration::from_secs(60);
        loop {
            let now = self.test.store.get_knowledge(&self.scope, &knowledge.id).await.expect("reads");
            if matches!(now.parse_status, ParseStatus::Completed | ParseStatus::Failed) {
                return now;
            }
            assert!(Instant::now() < deadline, "{now:?}");
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    }

    async fn chunks(&self, knowledge: &Knowledge, types: &[ChunkType]) -> Vec<crate::domain::Chunk> {
        self.test.store.list_all_chunks(&self.scope, &knowledge.id, types).await.expect("reads")
    }

    async fn used(&self) -> i64 {
        self.test.store.get_tenant(&self.scope).await.expect("reads").storage_used_bytes
    }

    async fn indexed(&self) -> u64 {
        use crate::provider::Retriever;
        self.follower.index().count(&self.scope, &self.kb.id).await.expect("counts")
    }
}

fn a_text() -> String {
    (0..100).map(|n| format!("Paragraph {n} tells of a lighthouse with its keeper.\n\n")).collect()
}

#[tokio::test]
async fn a_document_becomes_findable_chunks_and_is_counted() {
    let house = a_house(PlayedModels::default()).await;
    house.work();
    let knowledge = house.upload("a.txt", a_text().as_bytes()).await;
    assert_eq!((knowledge.parse_status, knowledge.enable_status.as_str()), (ParseStatus::Pending, "disabled"));
    let ended = house.ended(&knowledge).await;
    assert_eq!((ended.parse_status, ended.enable_status.as_str(), ended.error_message.as_str()), (ParseStatus::Completed, "enabled", ""));
    let chunks = house.chunks(&knowledge, &[ChunkType::Text]).await;
    assert!(chunks.len() > 8);
    assert_eq!(chunks.len() as u64, house.indexed().await);
    let size: usize = chunks.iter().map(|chunk| chunk.content.len() + 6 * DIMENSION + 200).sum();
    assert_eq!((ended.storage_size_bytes, house.used().await), (size as i64, size as i64));
    assert_eq!(ended.description, chunks[0].content);
    assert!(house.chunks(&knowledge, &[ChunkType::Summary]).await.is_empty());
    let fixed = house.test.store.find_fixed_embedding(&house.scope, &house.kb.id).await.expect("reads").expect("fixed");
    assert_eq!((fixed.model_id.as_str(), fixed.dimension), ("knowhost-embed", DIMENSION as i64));
}

#[tokio::test]
async fn a_model_that_sums_up_gives_description_and_summary_chunk() {
    let summary = Some("<think>hm</think>About a lighthouse.".to_owned());
    let house = a_house(PlayedModels { summary, ..PlayedModels::default() }).await;
    house.work();
    let long = house.upload("a.txt", a_text().as_bytes()).await;
    let short = house.upload("b.txt", "短文".as_bytes()).await;
    assert_eq!(house.ended(&long).await.description, "About a lighthouse.");
    let summaries = house.chunks(&long, &[ChunkType::Summary]).await;
    let texts = house.chunks(&long, &[ChunkType::Text]).await;
    assert_eq!(summaries.len(), 1);
    assert_eq!(summaries[0].content, "# 文档名称\na.txt\n\n# 摘要\nAbout a lighthouse.");
    assert_eq!(summaries[0].chunk_index, texts.last().expect("chunks").chunk_index + 3);
    // A short text is its own summary.
    assert_eq!(house.ended(&short).await.description, "短文");
    assert_eq!(house.chunks(&short, &[ChunkType::Summary]).await[0].content, "# 文档名称\nb.txt\n\n# 摘要\n短文");
}

#[tokio::test]
async fn an_empty_document_completes_with_nothing() {
    let house = a_house(PlayedModels::default()).await;
    house.work();
    let ended = house.ended(&house.upload("a.txt", b" \n").await).await;
    assert_eq!((ended.parse_status, ended.storage_size_bytes, ended.description.as_str()), (ParseStatus::Completed, 0, ""));
}

#[tokio::test]
async fn a_broken_file_fails_its_document_with_a_sentence_and_leaves_nothing() {
    let house = a_house(PlayedModels::default()).await;
    house.work();
    let ended = house.ended(&house.upload("a.pdf", b"not a PDF").await).await;
    assert_eq!((ended.parse_status, ended.enable_status.as_str()), (ParseStatus::Failed, "disabled"));
    assert!(ended.error_message.contains("it holds plain text"), "{}", ended.error_message);
    assert_eq!((house.indexed().await, house.used().await), (0, 0));
    assert_eq!(house.models.embedded.load(Ordering::SeqCst), 0);
}

#[tokio::test]
async fn a_provider_that_recovers_costs_attempts_and_no_chunk_is_embedded_twice() {
    let house = a_house(PlayedModels::default()).await;
    *house.models.faults.lock().unwrap() = vec![ProviderErrorKind::Upstream, ProviderErrorKind::RateLimited { retry_after_ms: None }];
    house.work();
    let knowledge = house.upload("a.txt", a_text().as_bytes()).await;
    assert_eq!(house.ended(&knowledge).await.parse_status, ParseStatus::Completed);
    // The first text once more, to learn the length of its vector.
    assert_eq!(house.models.embedded.load(Ordering::SeqCst), house.chunks(&knowledge, &[ChunkType::Text]).await.len() + 1);
}

#[tokio::test]
async fn a_provider_that_refuses_fails_the_document_in_its_own_words() {
    let house = a_house(PlayedModels::default()).await;
    *house.models.faults.lock().unwrap() = vec![ProviderErrorKind::Unauthorised];
    house.work();
    let ended = house.ended(&house.upload("a.txt", b"some words").await).await;
    assert_eq!((ended.parse_status, ended.error_message.as_str()), (ParseStatus::Failed, "played 1.0.0: it was told to fail"));
    assert_eq!(house.indexed().await, 0);
}

#[tokio::test]
async fn a_full_quota_fails_the_document_with_the_text_of_the_contract() {
    let house = a_house(PlayedModels::default()).await;
    let quota = TenantPatch { storage_quota_bytes: Some(500), ..TenantPatch::default() };
    house.test.store.update_tenant(&house.scope, &quota).await.expect("updates");
    house.work();
    let ended = house.ended(&house.upload("a.txt", a_text().as_bytes()).await).await;
    assert_eq!((ended.parse_status, ended.error_message.as_str()), (ParseStatus::Failed, "存储空间不足"));
    assert_eq!((house.indexed().await, house.used().await), (0, 0));
}

#[tokio::test]
async fn vectors_of_two_models_are_never_mixed() {
    let house = a_house(PlayedModels::default()).await;
    let other = crate::store::EmbeddedBy { model_id: "another".into(), dimension: 3, digest: String::new() };
    house.test.store.fix_embedding(&house.scope, &house.kb.id, &other).await.expect("fixes");
    house.work();
    let ended = house.ended(&house.upload("a.txt", b"some words").await).await;
    assert_eq!(ended.parse_status, ParseStatus::Failed);
    assert!(ended.error_message.contains("another"), "{}", ended.error_message);
}

#[tokio::test]
async fn a_document_that_is_deleted_before_its_turn_stays_deleted() {
    let house = a_house(PlayedModels::default()).await;
    let knowledge = house.upload("a.txt", a_text().as_bytes()).await;
    house.test.store.delete_knowledge(&house.scope, &knowledge.id).await.expect("deletes");
    // As if a worker had claimed the job just before.
    let late = NewJob::new(JobKind::IngestKnowledge, house.scope.tenant_id(), &knowledge.id);
    let job_id = house.test.store.create_job(&late).await.expect("creates");
    house.work();
    let deadline = Instant::now() + Duration::from_secs(30);
    while house.test.store.find_job(job_id).await.expect("reads").is_some_and(|job| job.state != JobState::Done) {
        assert!(Instant::now() < deadline);
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    assert!(house.test.store.find_knowledge(&house.scope, &knowledge.id).await.expect("reads").is_none());
    assert_eq!((house.indexed().await, house.used().await), (0, 0));
}

#[tokio::test]
async fn each_format_arrives_as_chunks() {
    let house = a_house(PlayedModels::default()).await;
    house.work();
    let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../tests/files");
    for (name, phrase) in [
        ("lighthouse.libreoffice.pdf", "quarried on the island itself"),
        ("tea.libreoffice.pdf", "只取一芽一叶"),
        ("tea.pandoc.docx", "铁锅温度保持在一百八十度"),
        ("lighthouse.libreoffice.doc", "| paraffin | 120 l | boat |"),
        ("stock.libreoffice.xlsx", "item: 灯芯,location: 三号架,stock: 52"),
        ("stock.libreoffice.xls", "item: lamp oil,location: shelf 3"),
        ("stock.csv", "item: rope, 20 m,location: shelf 1"),
        ("tea.pandoc.html", "周若兰"),
        ("source/pump.md", "between the settling tank and the evaporator"),
    ] {
        let knowledge = house.upload(name, &std::fs::read(folder.join(name)).expect("the file")).await;
        let ended = house.ended(&knowledge).await;
        assert_eq!((ended.parse_status, ended.error_message.as_str()), (ParseStatus::Completed, ""), "{name}");
        let chunks = house.chunks(&knowledge, &[ChunkType::Text]).await;
        assert!(chunks.iter().any(|chunk| chunk.content.contains(phrase)), "{name}: {chunks:?}");
    }
}

//! Runs on their whole way: real store, queue, index and search; models played.
//!
//! Not here: the metrics' values (`tests/metrics.rs`) and the routes.

use super::datasets::Datasets;
use super::{EvaluationParts, Evaluations, StartEvaluation};
use crate::chat::{Chat, ChatParts, FindQuery, Finder, Hit};
use crate::config::Conversation;
use crate::domain::{Evaluation, EvaluationStatus, JobKind, ModelParameters, ModelType, QuestionScores, TenantScope};
use crate::error::{Error, Result};
use crate::files::Files;
use crate::index::Follower;
use crate::ingest::parse::ParseChildLimits;
use crate::ingest::parse::testing::child;
use crate::ingest::{Ingest, IngestParts};
use crate::jobs::{JobTiming, Jobs, Worker};
use crate::provider::testing::{PlayedModels, PlayedPages};
use crate::provider::{BUILTIN_CHAT, BUILTIN_EMBED, BoxFuture, CallContext, ProviderErrorKind};
use crate::search::{FusionOrder, HybridQuery, Search};
use crate::store::testing::{TestStore, a_tenant, open};
use crate::store::{BuiltinModel, TenantPatch};
use crate::stream::Streams;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

struct SearchFinder(Search);

impl Finder for SearchFinder {
    fn find<'a>(&'a self, context: &'a CallContext, scope: &'a TenantScope, query: &'a FindQuery) -> BoxFuture<'a, Result<Vec<Hit>>> {
        Box::pin(async move {
            let query =
                HybridQuery { knowledge_base_id: query.knowledge_base_id.clone(), text: query.text.clone(), ..HybridQuery::default() };
            let found = self.0.hybrid_search(context, scope, &query).await?;
            Ok(found.into_iter().map(|candidate| Hit { result: candidate.result, rank: candidate.rank_score, story: None }).collect())
        })
    }
}

struct House {
    test: TestStore,
    scope: TenantScope,
    models: Arc<PlayedModels>,
    evaluations: Evaluations,
    ingest: Arc<Ingest>,
    stop: CancellationToken,
}

impl Drop for House {
    fn drop(&mut self) {
        self.stop.cancel();
    }
}

async fn a_house() -> House {
    let test = open().await;
    let scope = a_tenant(&test.store, "acme").await;
    quota(&test, &scope, 10_000_000).await;
    let builtin = |id: &str, model_type| BuiltinModel {
        id: id.into(),
        name: id.into(),
        model_type,
        source: "played".into(),
        description: String::new(),
        parameters: ModelParameters::default(),
    };
    let rows = [builtin(BUILTIN_EMBED, ModelType::Embedding), builtin(BUILTIN_CHAT, ModelType::KnowledgeQA)];
    test.store.ensure_builtin_models(&rows).await.expect("writes");
    let models = Arc::new(PlayedModels { summary: Some("It is green.".into()), ..PlayedModels::default() });
    let registry = models.registry();
    let index = test.folder.path().join("index");
    let follower = Follower::open(&index, test.store.clone(), registry.tokenizer(), Arc::new(TenantScope::mint)).await.expect("opens");
    let search = Search::new(test.store.clone(), registry.clone(), Arc::new(follower.index().clone()), FusionOrder::default());
    let stop = CancellationToken::new();
    let (running, token) = (follower.clone(), stop.clone());
    tokio::spawn(async move { running.run(token).await });
    let ingest = Arc::new(Ingest::new(IngestParts {
        store: test.store.clone(),
        files: Files::open(&test.folder.path().join("files")).expect("opens"),
        registry: registry.clone(),
        followers: Arc::new(follower),
        scope_of: Arc::new(TenantScope::mint),
        parser: child(ParseChildLimits::default()),
        pages: Arc::new(PlayedPages::default()),
        summary_prompt: String::new(),
    }));
    let chat = Chat::new(ChatParts {
        store: test.store.clone(),
        registry,
        finder: Arc::new(SearchFinder(search)),
        streams: Streams::new(),
        spawner: Arc::new(TaskTracker::new()),
        conversation: Conversation::builtin(),
    });
    let evaluations = Evaluations::new(EvaluationParts {
        store: test.store.clone(),
        chat,
        ingest: ingest.clone(),
        datasets: Datasets::in_folder(test.folder.path().join("dataset")),
        scope_of: Arc::new(TenantScope::mint),
    });
    House { test, scope, models, evaluations, ingest, stop }
}

async fn quota(test: &TestStore, scope: &TenantScope, size_bytes: i64) {
    let patch = TenantPatch { storage_quota_bytes: Some(size_bytes), ..TenantPatch::default() };
    test.store.update_tenant(scope, &patch).await.expect("updates");
}

impl House {
    async fn start(&self) -> Evaluation {
        self.evaluations.start_evaluation(&self.scope, StartEvaluation::default()).await.expect("started")
    }

    fn work(&self) {
        let timing = JobTiming { backoff: Duration::from_millis(1), poll: Duration::from_millis(20), ..JobTiming::default() };
        let jobs = Jobs::with_timing(self.test.store.clone(), timing);
        let handlers: Vec<Arc<dyn crate::jobs::JobHandler>> = vec![self.ingest.clone(), Arc::new(self.evaluations.clone())];
        tokio::spawn(Worker::run(jobs, handlers, 1, self.stop.clone()));
    }

    async fn ended(&self, run: &Evaluation) -> Evaluation {
        let deadline = Instant::now() + Duration::from_secs(60);
        loop {
            let now = self.evaluations.get_evaluation(&self.scope, &run.task.id).await.expect("there");
            if now.task.status.has_ended() {
                return now;
            }
            assert!(Instant::now() < deadline, "{now:?}");
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    }

    /// Neither the temporary knowledge base nor counted storage.
    async fn is_clean(&self) -> bool {
        let bases = self.test.store.list_knowledge_bases(&self.scope).await.expect("reads");
        bases.is_empty() && self.test.store.get_tenant(&self.scope).await.expect("reads").storage_used_bytes == 0
    }
}

#[tokio::test]
async fn a_run_asks_every_question_measures_it_and_leaves_nothing() {
    let house = a_house().await;
    let run = house.start().await;
    assert_eq!((run.task.status, run.task.total, run.metric), (EvaluationStatus::Running, 0, None));
    assert_eq!(house.test.store.list_knowledge_bases(&house.scope).await.expect("reads")[0].id, run.params.knowledge_base_id);
    house.work();
    let ended = house.ended(&run).await;
    assert_eq!((ended.task.status, ended.task.err_msg.as_str()), (EvaluationStatus::Succeeded, ""));
    assert_eq!((ended.task.total, ended.task.finished), (12, 12));
    let metric = ended.metric.expect("measured");
    assert!(metric.retrieval_metrics.recall > 0.3 && metric.retrieval_metrics.mrr > 0.2, "{metric:?}");
    assert!(metric.generation_metrics.rouge1 > 0.0 && metric.generation_metrics.rouge1 < 1.0, "{metric:?}");
    assert!(house.is_clean().await);
}

#[tokio::test]
async fn a_run_goes_on_where_it_was_cut_off() {
    let house = a_house().await;
    let run = house.start().await;
    // What an earlier process saved before it was killed, with a measure that no question gives.
    let scores = QuestionScores { generation: None, retrieval: Some(Default::default()) };
    for question in 1..=11 {
        house.test.store.save_evaluation_result(&house.scope, &run.task.id, question, &scores).await.expect("saved");
    }
    house.work();
    let ended = house.ended(&run).await;
    assert_eq!((ended.task.status, ended.task.finished), (EvaluationStatus::Succeeded, 12));
    let recall = ended.metric.expect("measured").retrieval_metrics.recall;
    assert!(recall <= 1.0 / 12.0 + 1e-9, "the eleven were asked again: {recall}");
    assert!(house.is_clean().await);
}

#[tokio::test]
async fn a_run_that_was_done_but_not_ended_asks_nothing_and_ends() {
    let house = a_house().await;
    let run = house.start().await;
    for question in 1..=12 {
        house.test.store.save_evaluation_result(&house.scope, &run.task.id, question, &QuestionScores::default()).await.expect("saved");
    }
    house.test.store.delete_knowledge_base(&house.scope, &run.params.knowledge_base_id).await.expect("deleted");
    house.work();
    assert_eq!(house.ended(&run).await.task.status, EvaluationStatus::Succeeded);
    assert_eq!(house.models.embedded.load(Ordering::SeqCst), 0);
}

#[tokio::test]
async fn a_model_that_fails_for_good_ends_the_run_with_its_words() {
    let house = a_house().await;
    house.models.faults.lock().expect("free").extend([ProviderErrorKind::Unauthorised; 50]);
    let run = house.start().await;
    house.work();
    let ended = house.ended(&run).await;
    assert_eq!(ended.task.status, EvaluationStatus::Failed);
    assert!(ended.task.err_msg.contains("it was told to fail"), "{ended:?}");
    assert!(house.is_clean().await);
}

#[tokio::test]
async fn a_model_that_fails_for_a_moment_is_asked_again() {
    let house = a_house().await;
    house.models.faults.lock().expect("free").push(ProviderErrorKind::Upstream);
    let run = house.start().await;
    house.work();
    assert_eq!(house.ended(&run).await.task.status, EvaluationStatus::Succeeded);
}

#[tokio::test]
async fn a_full_quota_a_lost_dataset_and_a_deleted_base_end_the_run_and_say_why() {
    let house = a_house().await;
    quota(&house.test, &house.scope, 10).await;
    let full = house.start().await;
    let folder = house.test.folder.path().join("dataset/lost");
    std::fs::create_dir_all(&folder).expect("made");
    let wish = StartEvaluation { dataset_id: "lost".into(), ..StartEvaluation::default() };
    let lost = house.evaluations.start_evaluation(&house.scope, wish).await.expect("started");
    let deleted = house.start().await;
    house.test.store.delete_knowledge_base(&house.scope, &deleted.params.knowledge_base_id).await.expect("deleted");
    house.work();
    for (run, reason) in [(full, "存储空间不足"), (lost, "queries.parquet"), (deleted, "knowledge base not found")] {
        let ended = house.ended(&run).await;
        assert!(ended.task.status == EvaluationStatus::Failed && ended.task.err_msg.contains(reason), "{ended:?}");
    }
    assert!(house.is_clean().await);
}

#[tokio::test]
async fn another_tenants_run_can_be_neither_read_nor_written() {
    let house = a_house().await;
    let run = house.start().await;
    let stranger = a_tenant(&house.test.store, "other").await;
    let (store, id) = (&house.test.store, run.task.id.as_str());
    assert!(matches!(house.evaluations.get_evaluation(&stranger, id).await, Err(Error::NotFound { .. })));
    store.start_evaluation(&stranger, id, 99).await.expect("does nothing");
    store.save_evaluation_result(&stranger, id, 1, &QuestionScores::default()).await.expect("does nothing");
    store.end_evaluation(&stranger, id, EvaluationStatus::Failed, "mine").await.expect("does nothing");
    assert!(store.list_evaluated_questions(&stranger, id).await.expect("reads").is_empty());
    let now = house.evaluations.get_evaluation(&house.scope, id).await.expect("there");
    assert_eq!((now.task.status, now.task.total, now.task.finished), (EvaluationStatus::Running, 0, 0));
    assert_eq!(
        store.find_job_of(house.scope.tenant_id(), JobKind::Evaluate, id).await.expect("reads").map(|job| job.attempts_max),
        Some(3)
    );
}

//! What deleted knowledge bases and tenants leave, and the sweep after them.
//!
//! Not here: which rows a sweep removes (`store`).

use super::*;
use crate::domain::{Model, ModelParameters, ModelStatus, ModelType, TenantId, Timestamp};
use crate::store::testing::a_session;
use crate::store::{ModelFilter, Page};

impl House {
    /// No job waits or runs any more, and searches see what was done.
    async fn quiet(&self) {
        let deadline = Instant::now() + Duration::from_secs(30);
        while self.open_jobs().await > 0 {
            assert!(Instant::now() < deadline, "jobs do not end");
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        let last = self.test.store.max_sequence().await.expect("reads");
        self.follower.wait_until(last, deadline).await.expect("follows");
    }

    async fn open_jobs(&self) -> i64 {
        let count = async |state| self.test.store.count_jobs(state).await.expect("counts");
        count(JobState::Queued).await + count(JobState::Leased).await
    }

    async fn sweep(&self) {
        Purge::request_sweep(&self.test.store).await.expect("requested");
        self.quiet().await;
    }

    fn files_count(&self) -> usize {
        fn count(folder: &std::path::Path) -> usize {
            let entries = std::fs::read_dir(folder).expect("a folder").map(|entry| entry.expect("an entry").path());
            entries.map(|path| if path.is_dir() { count(&path) } else { 1 }).sum()
        }
        count(&self.test.folder.path().join("files"))
    }
}

fn a_model() -> Model {
    Model {
        id: String::new(),
        tenant_id: TenantId(0),
        name: "m".into(),
        model_type: ModelType::Rerank,
        source: "remote".into(),
        description: String::new(),
        parameters: ModelParameters::default(),
        is_default: false,
        status: ModelStatus::Active,
        created_at: Timestamp::zero(),
        updated_at: Timestamp::zero(),
        deleted_at: None,
    }
}

#[tokio::test]
async fn a_deleted_knowledge_base_leaves_no_index_rows_files_or_counted_storage() {
    let house = a_house(PlayedModels::default()).await;
    house.work();
    let knowledge = house.ended(&house.upload("a.txt", a_text().as_bytes()).await).await;
    assert!(house.indexed().await > 0 && house.used().await > 0);
    house.test.store.delete_knowledge_base(&house.scope, &house.kb.id).await.expect("deletes");
    house.quiet().await;
    assert!(house.files.read(&knowledge.file_path).await.is_err());
    assert_eq!((house.indexed().await, house.used().await, house.files_count()), (0, 0, 0));
    let verified = house.follower.verify(Duration::from_secs(10)).await.expect("verifies");
    assert!(verified.is_good() && verified.chunks_in_index == 0, "{verified:?}");
}

#[tokio::test]
async fn a_deleted_tenant_takes_everything_along_and_nothing_of_others() {
    let house = a_house(PlayedModels::default()).await;
    let (store, other) = (&house.test.store, a_tenant(&house.test.store, "other").await);
    for scope in [&house.scope, &other] {
        a_session(store, scope).await;
        store.create_model(scope, &a_model()).await.expect("creates");
    }
    let others_kb = a_kb(store, &other).await;
    house.work();
    house.ended(&house.upload("a.txt", a_text().as_bytes()).await).await;
    store.delete_tenant(&house.scope).await.expect("deletes");
    house.quiet().await;
    let left = async |scope: &TenantScope| {
        let models = store.list_models(scope, &ModelFilter::default()).await.expect("lists");
        let sessions = store.list_sessions(scope, Page::default()).await.expect("lists").total;
        let kbs = store.list_knowledge_bases(scope).await.expect("lists");
        (kbs.len(), sessions, models.iter().filter(|model| model.tenant_id == scope.tenant_id()).count())
    };
    assert_eq!(left(&house.scope).await, (0, 0, 0));
    assert_eq!((house.indexed().await, house.files_count()), (0, 0));
    assert_eq!(left(&other).await, (1, 1, 1));
    assert!(store.find_knowledge_base(&other, &others_kb.id).await.expect("reads").is_some());
}

#[tokio::test]
async fn a_sweep_takes_up_what_was_given_up() {
    let house = a_house(PlayedModels::default()).await;
    let first = CancellationToken::new();
    let worker = house.work_until(first.clone());
    house.ended(&house.upload("a.txt", a_text().as_bytes()).await).await;
    first.cancel();
    worker.await.expect("joins").expect("stops");
    // Its job is claimed by somebody who fails for good, and so is the one of the tenant.
    let store = &house.test.store;
    store.delete_knowledge_base(&house.scope, &house.kb.id).await.expect("deletes");
    let second_kb = a_kb(store, &house.scope).await;
    store.delete_tenant(&house.scope).await.expect("deletes");
    let kinds = [JobKind::DeleteKnowledgeBase, JobKind::DeleteTenant];
    while let Some(job) = store.claim_job(&kinds, "clumsy", Duration::from_secs(60)).await.expect("claims") {
        assert!(store.fail_job(&job, "broken").await.expect("fails"));
    }
    assert_eq!(house.files_count(), 1);
    house.work();
    house.sweep().await;
    assert!(store.find_knowledge_base(&house.scope, &second_kb.id).await.expect("reads").is_none());
    assert_eq!((house.indexed().await, house.files_count()), (0, 0));
}

#[tokio::test]
async fn files_without_a_row_are_swept_and_uploads_under_way_are_not() {
    let house = a_house(PlayedModels::default()).await;
    let kept = house.upload("a.txt", b"some words").await;
    let unfinished = house.files.begin(100).await.expect("begins");
    let mut orphan = house.files.begin(100).await.expect("begins");
    orphan.write(b"left by a kill").await.expect("writes");
    let orphan = orphan.finish(house.scope.tenant_id(), "gone", "txt").await.expect("finishes");
    std::fs::create_dir_all(house.test.folder.path().join("files/7/empty")).expect("a folder");
    std::fs::write(house.test.folder.path().join("files/by-hand.txt"), "x").expect("written");

    // With the usual margin all of them are too young.
    let mut walk = house.files.walk(crate::limits::UNOWNED_FILE_AGE);
    assert!(walk.next_keys(9).await.expect("walks").is_empty());
    let mut walk = house.files.walk(Duration::ZERO);
    let mut keys = walk.next_keys(1).await.expect("walks");
    keys.extend(walk.next_keys(9).await.expect("walks"));
    keys.sort_unstable();
    let mut expected = [kept.file_path.clone(), orphan.key.clone()];
    expected.sort_unstable();
    assert_eq!(keys, expected, "one at a time, and neither unfinished uploads nor what lies elsewhere");
    assert!(!house.test.folder.path().join("files/7").exists() || !house.test.folder.path().join("files/7/empty").exists());

    house.work();
    house.ended(&kept).await;
    house.sweep().await;
    assert!(house.files.read(&orphan.key).await.is_err());
    assert!(house.files.read(&kept.file_path).await.is_ok());
    let stored = unfinished.finish(house.scope.tenant_id(), "late", "txt").await.expect("the upload goes on");
    assert!(house.files.read(&stored.key).await.is_ok());
}

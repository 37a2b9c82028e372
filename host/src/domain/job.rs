//! Durable work: what waits, runs or ended. Not here: who does it (`jobs`), or how it is kept (`store`).

use super::knowledge::words;
use super::{TenantId, Timestamp};
use serde::{Deserialize, Serialize};
use serde_json::Value;

words!(JobKind {
    /// Turns an uploaded document into chunks; the subject is the knowledge id.
    IngestKnowledge = "ingest_knowledge",
    /// Clears what a deleted knowledge base left behind; the subject is its id.
    DeleteKnowledgeBase = "delete_knowledge_base",
    /// Deletes what a deleted tenant had; the subject is its number.
    DeleteTenant = "delete_tenant",
    /// Removes for good what was deleted long ago, and files that nobody owns; the subject is `all`.
    SweepDeleted = "sweep_deleted",
    /// Takes the documents of a knowledge base over into another; the subject is the target's id.
    CopyKnowledgeBase = "copy_knowledge_base",
    /// Fetches a model into its provider; the subject is the model id.
    PullModel = "pull_model",
    /// Asks the questions of a dataset and measures the answers; the subject is the evaluation's id.
    Evaluate = "evaluate",
});
words!(JobState { Queued = "queued", Leased = "leased", Done = "done", Failed = "failed" });

/// What a caller fills in to have work done.
#[derive(Clone, Debug)]
pub struct NewJob {
    pub kind: JobKind,
    pub tenant_id: TenantId,
    /// The row that the work is about.
    pub subject_id: String,
    pub payload: Value,
    /// Higher goes first among the jobs of one tenant.
    pub priority: i64,
    /// 0: the server's limit.
    pub attempts_max: i64,
    pub run_after: Timestamp,
}

impl NewJob {
    /// A job of ordinary priority that may start at once.
    pub fn new(kind: JobKind, tenant_id: TenantId, subject_id: impl Into<String>) -> Self {
        Self {
            kind,
            tenant_id,
            subject_id: subject_id.into(),
            payload: Value::Object(serde_json::Map::new()),
            priority: 0,
            attempts_max: 0,
            run_after: Timestamp::now(),
        }
    }

    pub fn with_payload(mut self, payload: Value) -> Self {
        self.payload = payload;
        self
    }
}

/// How far a job is, for people who wait.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct JobProgress {
    pub stage: String,
    /// 0 to 100.
    pub percent: i64,
    pub text: String,
}

#[derive(Clone, Debug)]
pub struct Job {
    pub id: i64,
    pub kind: JobKind,
    pub tenant_id: TenantId,
    pub subject_id: String,
    pub payload: Value,
    pub state: JobState,
    pub priority: i64,
    /// Counts from 1 once the job was started.
    pub attempt: i64,
    pub attempts_max: i64,
    /// How often a server died while it held the job.
    pub interruptions: i64,
    pub lease_owner: Option<String>,
    pub lease_until: Option<Timestamp>,
    pub run_after: Timestamp,
    pub progress: JobProgress,
    /// Why the last attempt failed; empty: it did not.
    pub error: String,
    pub created_at: Timestamp,
    pub updated_at: Timestamp,
}

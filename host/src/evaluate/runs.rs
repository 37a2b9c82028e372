//! The run itself, as a job: passages into the temporary knowledge base, every question through the chat, measures saved one by one.
//!
//! Not here: what is measured (`metrics`) and how a run begins (`start`).

use super::datasets::{Dataset, Question};
use super::{Evaluations, metrics};
use crate::domain::{Evaluation, EvaluationParams, EvaluationStatus, Job, JobKind, JobProgress, Knowledge, KnowledgeKind, TenantScope};
use crate::domain::{QuestionScores, Session};
use crate::error::{Error, Result};
use crate::jobs::{JobContext, JobHandler};
use crate::limits::{EVALUATION_QUESTIONS_AT_ONCE, EVALUATION_TIME_MAX};
use futures_util::future::BoxFuture;
use futures_util::{FutureExt, StreamExt, TryStreamExt, stream};
use std::collections::HashSet;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;
use uuid::Uuid;

impl JobHandler for Evaluations {
    fn kinds(&self) -> &[JobKind] {
        &[JobKind::Evaluate]
    }

    fn run<'a>(&'a self, job: &'a Job, context: &'a JobContext) -> BoxFuture<'a, Result<()>> {
        self.evaluate(job, context).boxed()
    }

    fn give_up<'a>(&'a self, job: &'a Job, error: &'a Error) -> BoxFuture<'a, Result<()>> {
        async move {
            let scope = (self.parts.scope_of)(job.tenant_id);
            let run = match self.parts.store.get_evaluation(&scope, &job.subject_id).await {
                Ok(run) => run,
                Err(Error::NotFound { .. }) => return Ok(()),
                Err(error) => return Err(error),
            };
            self.end(&scope, &run, EvaluationStatus::Failed, &sentence(error)).await
        }
        .boxed()
    }

    fn time_limit(&self, _job: &Job) -> Duration {
        EVALUATION_TIME_MAX
    }
}

impl Evaluations {
    /// Goes on where an earlier attempt stopped: questions that are done are not asked again.
    async fn evaluate(&self, job: &Job, context: &JobContext) -> Result<()> {
        let parts = &self.parts;
        let scope = (parts.scope_of)(job.tenant_id);
        let run = parts.store.get_evaluation(&scope, &job.subject_id).await?;
        if run.task.status.has_ended() {
            return self.clear(&scope, &run).await;
        }
        let request_id = job.payload["request_id"].as_str().unwrap_or_default();
        let Dataset { passages, questions } = parts.datasets.load(&run.task.dataset_id).await?;
        let total = questions.len();
        parts.store.start_evaluation(&scope, &run.task.id, i64::try_from(total).unwrap_or(i64::MAX)).await?;
        let done: HashSet<i64> = parts.store.list_evaluated_questions(&scope, &run.task.id).await?.into_iter().collect();
        let left: Vec<Question> = questions.into_iter().filter(|question| !done.contains(&question.id)).collect();
        if !left.is_empty() {
            let passages = passages.into_iter().map(|passage| (passage.id, passage.text)).collect();
            parts.ingest.take_in_passages(&scope, context, &document(&run), request_id, passages).await?;
            self.ask_all(&scope, &run, context, request_id, left, total).await?;
        }
        self.end(&scope, &run, EvaluationStatus::Succeeded, "").await
    }

    async fn ask_all(
        &self,
        scope: &TenantScope,
        run: &Evaluation,
        context: &JobContext,
        request_id: &str,
        questions: Vec<Question>,
        total: usize,
    ) -> Result<()> {
        let session = session(&run.params);
        let done = AtomicUsize::new(total - questions.len());
        // Nothing is awaited between the questions: one that stands still while it holds the only connection that writes would
        // keep all others waiting. So each tells its own progress.
        stream::iter(questions)
            .map(|question| {
                let (session, done) = (&session, &done);
                async move {
                    let scores = self.ask(scope, request_id, session, &question).await?;
                    self.parts.store.save_evaluation_result(scope, &run.task.id, question.id, &scores).await?;
                    let done = done.fetch_add(1, Ordering::Relaxed) + 1;
                    let percent = i64::try_from(done * 100 / total.max(1)).unwrap_or(100);
                    let text = format!("{done} of {total} questions are answered");
                    context.progress(&JobProgress { stage: "ask".into(), percent, text }).await
                }
            })
            .buffer_unordered(EVALUATION_QUESTIONS_AT_ONCE)
            .try_for_each(|()| std::future::ready(Ok(())))
            .await
    }

    async fn ask(&self, scope: &TenantScope, request_id: &str, session: &Session, question: &Question) -> Result<QuestionScores> {
        let answer = self.parts.chat.answer_once(scope, request_id, session, &question.text).await?;
        let found: Vec<i64> = answer.found.iter().map(|result| result.chunk_index).collect();
        Ok(QuestionScores {
            retrieval: metrics::retrieval_metrics(&found, &question.relevant),
            generation: metrics::generation_metrics(&answer.text, &question.answer),
        })
    }

    /// The knowledge base goes first: whoever sees the final state finds nothing left of the run.
    async fn end(&self, scope: &TenantScope, run: &Evaluation, status: EvaluationStatus, error: &str) -> Result<()> {
        self.clear(scope, run).await?;
        self.parts.store.end_evaluation(scope, &run.task.id, status, error).await
    }

    /// Its documents and their counted storage go with it.
    async fn clear(&self, scope: &TenantScope, run: &Evaluation) -> Result<()> {
        match self.parts.store.delete_knowledge_base(scope, &run.params.knowledge_base_id).await {
            Ok(_) | Err(Error::NotFound { .. }) => Ok(()),
            Err(error) => Err(error),
        }
    }
}

/// The passages as a document. Its id is the same in each attempt.
fn document(run: &Evaluation) -> Knowledge {
    Knowledge {
        id: Uuid::new_v5(&Uuid::NAMESPACE_OID, format!("{}/passages", run.task.id).as_bytes()).to_string(),
        knowledge_base_id: run.params.knowledge_base_id.clone(),
        kind: KnowledgeKind::Passage,
        ..Knowledge::default()
    }
}

/// How the chat answers in this run.
fn session(params: &EvaluationParams) -> Session {
    Session {
        knowledge_base_id: params.knowledge_base_id.clone(),
        vector_threshold: params.vector_threshold,
        keyword_threshold: params.keyword_threshold,
        embedding_top_k: params.embedding_top_k,
        rerank_model_id: params.rerank_model_id.clone(),
        rerank_top_k: params.rerank_top_k,
        rerank_threshold: params.rerank_threshold,
        summary_model_id: params.chat_model_id.clone(),
        summary_parameters: params.summary_config.clone(),
        fallback_response: params.fallback_response.clone(),
        ..Session::default()
    }
}

/// What the owner of a run reads; a fault of ours stays in the log.
fn sentence(error: &Error) -> String {
    error.public_text().unwrap_or_else(|| "The run failed because of a fault in the server; its log says more.".into())
}

//! Evaluation runs and what their questions gave. Not here: who asks and measures (`evaluate`).

use super::convert::{check_text, from_json, time, to_json, without_nul};
use super::fault::fault;
use super::jobs::insert_job;
use super::knowledge_bases::insert_knowledge_base;
use super::{Store, commit};
use crate::domain::{
    Evaluation, EvaluationMetric, EvaluationParams, EvaluationStatus, EvaluationTask, GenerationMetrics, JobKind, KnowledgeBase, NewJob,
    QuestionScores, RetrievalMetrics, TenantId, TenantScope, Timestamp,
};
use crate::error::{Error, Result};
use crate::limits::{DATASET_ID_CHARS_MAX, EVALUATION_ATTEMPTS_MAX, EVALUATIONS_OPEN_MAX};

/// A run that is about to be made.
#[derive(Clone, Debug)]
pub struct NewEvaluation {
    pub dataset_id: String,
    pub params: EvaluationParams,
    /// For the log of the job.
    pub request_id: String,
}

#[derive(sqlx::FromRow)]
struct EvaluationRow {
    id: String,
    tenant_id: i64,
    dataset_id: String,
    status: i64,
    error: String,
    total: i64,
    params: String,
    started_at: String,
}

/// Means of what is done; SQL leaves out what is null.
#[derive(Default, sqlx::FromRow)]
struct MeansRow {
    finished: i64,
    set_precision: Option<f64>,
    set_recall: Option<f64>,
    ndcg3: Option<f64>,
    ndcg10: Option<f64>,
    reciprocal_rank: Option<f64>,
    average_precision: Option<f64>,
    bleu1: Option<f64>,
    bleu2: Option<f64>,
    bleu4: Option<f64>,
    rouge1: Option<f64>,
    rouge2: Option<f64>,
    rougel: Option<f64>,
}

const MEANS: &str = "select count(*) as finished, avg(set_precision) as set_precision, avg(set_recall) as set_recall, \
    avg(ndcg3) as ndcg3, avg(ndcg10) as ndcg10, avg(reciprocal_rank) as reciprocal_rank, avg(average_precision) as average_precision, \
    avg(bleu1) as bleu1, avg(bleu2) as bleu2, avg(bleu4) as bleu4, avg(rouge1) as rouge1, avg(rouge2) as rouge2, avg(rougel) as rougel \
    from (select * from evaluation_results where evaluation_id = ?1 order by question_id)";

impl From<MeansRow> for EvaluationMetric {
    fn from(row: MeansRow) -> Self {
        Self {
            retrieval_metrics: RetrievalMetrics {
                precision: row.set_precision.unwrap_or_default(),
                recall: row.set_recall.unwrap_or_default(),
                ndcg3: row.ndcg3.unwrap_or_default(),
                ndcg10: row.ndcg10.unwrap_or_default(),
                mrr: row.reciprocal_rank.unwrap_or_default(),
                map: row.average_precision.unwrap_or_default(),
            },
            generation_metrics: GenerationMetrics {
                bleu1: row.bleu1.unwrap_or_default(),
                bleu2: row.bleu2.unwrap_or_default(),
                bleu4: row.bleu4.unwrap_or_default(),
                rouge1: row.rouge1.unwrap_or_default(),
                rouge2: row.rouge2.unwrap_or_default(),
                rougel: row.rougel.unwrap_or_default(),
            },
        }
    }
}

fn evaluation(row: EvaluationRow, means: MeansRow) -> Result<Evaluation> {
    let status = EvaluationStatus::from_number(row.status)
        .ok_or_else(|| Error::internal(anyhow::anyhow!("the column evaluations.status holds {}", row.status)))?;
    let finished = means.finished;
    Ok(Evaluation {
        task: EvaluationTask {
            id: row.id,
            tenant_id: TenantId(row.tenant_id),
            dataset_id: row.dataset_id,
            start_time: time("evaluations.started_at", &row.started_at)?,
            status,
            err_msg: row.error,
            total: row.total,
            finished,
        },
        params: from_json("evaluations.params", &row.params)?,
        metric: (finished > 0).then(|| means.into()),
    })
}

impl Store {
    /// The run, its temporary knowledge base `kb` and its job at once. It counts as running when no other run is in its way.
    pub async fn create_evaluation(&self, scope: &TenantScope, new: &NewEvaluation, kb: &KnowledgeBase) -> Result<Evaluation> {
        check_text("dataset_id", &new.dataset_id, DATASET_ID_CHARS_MAX)?;
        let mut transaction = self.begin().await?;
        let (open, own): (i64, i64) =
            sqlx::query_as("select count(*), coalesce(sum(tenant_id = ?1), 0) from evaluations where status in (0, 1)")
                .bind(scope.tenant_id().0)
                .fetch_one(&mut *transaction)
                .await
                .map_err(fault("counting evaluations"))?;
        if own >= EVALUATIONS_OPEN_MAX {
            let message = format!("{own} evaluations are waiting or running; start another when one of them has ended");
            return Err(Error::RateLimited { message, retry_after_ms: Some(60_000) });
        }
        let kb = insert_knowledge_base(&mut transaction, scope, kb).await?;
        let params = EvaluationParams { knowledge_base_id: kb.id, ..new.params.clone() };
        let status = if open == 0 { EvaluationStatus::Running } else { EvaluationStatus::Pending };
        let row: EvaluationRow = sqlx::query_as(
            "insert into evaluations (id, tenant_id, dataset_id, status, params, started_at, updated_at) \
             values (?1, ?2, ?3, ?4, ?5, ?6, ?6) returning *",
        )
        .bind(uuid::Uuid::new_v4().to_string())
        .bind(scope.tenant_id().0)
        .bind(&new.dataset_id)
        .bind(status.number())
        .bind(to_json("params", &params)?)
        .bind(Timestamp::now().to_column())
        .fetch_one(&mut *transaction)
        .await
        .map_err(fault("creating an evaluation"))?;
        let job = NewJob { attempts_max: EVALUATION_ATTEMPTS_MAX, ..NewJob::new(JobKind::Evaluate, scope.tenant_id(), &row.id) };
        insert_job(&mut transaction, &job.with_payload(serde_json::json!({ "request_id": new.request_id }))).await?;
        commit(transaction).await?;
        self.jobs_ready().notify_waiters();
        evaluation(row, MeansRow::default())
    }

    pub async fn get_evaluation(&self, scope: &TenantScope, id: &str) -> Result<Evaluation> {
        let row: Option<EvaluationRow> = sqlx::query_as("select * from evaluations where tenant_id = ?1 and id = ?2")
            .bind(scope.tenant_id().0)
            .bind(id)
            .fetch_optional(self.reader())
            .await
            .map_err(fault("reading an evaluation"))?;
        let row = row.ok_or_else(evaluation_not_found)?;
        let means = sqlx::query_as(MEANS).bind(id).fetch_one(self.reader()).await.map_err(fault("reading what an evaluation measured"))?;
        evaluation(row, means)
    }

    /// Notes that a run is at work on so many questions; one that has ended stays as it is.
    pub async fn start_evaluation(&self, scope: &TenantScope, id: &str, total: i64) -> Result<()> {
        sqlx::query("update evaluations set status = 1, total = ?3, updated_at = ?4 where tenant_id = ?1 and id = ?2 and status in (0, 1)")
            .bind(scope.tenant_id().0)
            .bind(id)
            .bind(total)
            .bind(Timestamp::now().to_column())
            .execute(self.writer())
            .await
            .map_err(fault("starting an evaluation"))?;
        Ok(())
    }

    /// Ids of those questions of a run that are done.
    pub async fn list_evaluated_questions(&self, scope: &TenantScope, id: &str) -> Result<Vec<i64>> {
        sqlx::query_scalar(
            "select question_id from evaluation_results where evaluation_id = ?2 \
             and exists (select 1 from evaluations where tenant_id = ?1 and id = ?2) order by question_id",
        )
        .bind(scope.tenant_id().0)
        .bind(id)
        .fetch_all(self.reader())
        .await
        .map_err(fault("reading what an evaluation measured"))
    }

    /// What one question gave. Of two answers to one question the first counts; a run that has ended takes no more.
    pub async fn save_evaluation_result(&self, scope: &TenantScope, id: &str, question_id: i64, scores: &QuestionScores) -> Result<()> {
        let (ranked, written) = (scores.retrieval.as_ref(), scores.generation.as_ref());
        sqlx::query(
            "insert into evaluation_results (evaluation_id, question_id, set_precision, set_recall, ndcg3, ndcg10, reciprocal_rank, \
             average_precision, bleu1, bleu2, bleu4, rouge1, rouge2, rougel) \
             select id, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15 from evaluations \
             where tenant_id = ?1 and id = ?2 and status in (0, 1) on conflict (evaluation_id, question_id) do nothing",
        )
        .bind(scope.tenant_id().0)
        .bind(id)
        .bind(question_id)
        .bind(ranked.map(|measured| measured.precision))
        .bind(ranked.map(|measured| measured.recall))
        .bind(ranked.map(|measured| measured.ndcg3))
        .bind(ranked.map(|measured| measured.ndcg10))
        .bind(ranked.map(|measured| measured.mrr))
        .bind(ranked.map(|measured| measured.map))
        .bind(written.map(|measured| measured.bleu1))
        .bind(written.map(|measured| measured.bleu2))
        .bind(written.map(|measured| measured.bleu4))
        .bind(written.map(|measured| measured.rouge1))
        .bind(written.map(|measured| measured.rouge2))
        .bind(written.map(|measured| measured.rougel))
        .execute(self.writer())
        .await
        .map_err(fault("saving what a question measured"))?;
        Ok(())
    }

    /// The final state, once; `error` is empty when it went well.
    pub async fn end_evaluation(&self, scope: &TenantScope, id: &str, status: EvaluationStatus, error: &str) -> Result<()> {
        sqlx::query(
            "update evaluations set status = ?3, error = ?4, updated_at = ?5 where tenant_id = ?1 and id = ?2 and status in (0, 1)",
        )
        .bind(scope.tenant_id().0)
        .bind(id)
        .bind(status.number())
        .bind(without_nul(error))
        .bind(Timestamp::now().to_column())
        .execute(self.writer())
        .await
        .map_err(fault("ending an evaluation"))?;
        Ok(())
    }
}

fn evaluation_not_found() -> Error {
    Error::not_found("task not found")
}

//! Evaluation runs over HTTP: start one, see how far it is.
//!
//! Not here: what a run does (`evaluate`).

use crate::domain::Evaluation;
use crate::evaluate::StartEvaluation;
use crate::http::AppState;
use crate::http::RequestId;
use crate::http::auth::Caller;
use crate::http::envelope::{self, Data};
use crate::http::error::{ApiResult, Code};
use crate::http::extract::{JsonBody, Query};
use crate::http::go_json::{Bind, Rules};
use crate::http::middleware::Facts;
use crate::http::openapi::{BadRequest, NotFound, TooMany};
use axum::extract::State;
use serde::Deserialize;
use utoipa::ToSchema;

const INVALID: &str = "Invalid request parameters";

#[derive(Deserialize, Default, ToSchema)]
#[serde(default)]
pub(in crate::http) struct EvaluationRequest {
    /// `default` when absent.
    dataset_id: String,
    /// Lends its models; its documents are not looked at.
    knowledge_base_id: String,
    chat_id: String,
    rerank_id: String,
}

impl Bind for EvaluationRequest {
    const NAME: &'static str = "EvaluationRequest";

    fn check(&self, _rules: &mut Rules) {}
}

#[utoipa::path(
    post,
    path = "/api/v1/evaluation/",
    tag = "evaluation",
    summary = "Start a run of a dataset through the chat",
    request_body = EvaluationRequest,
    responses(
        (status = 200, description = "Started; it goes on in the background.", body = Data<Evaluation>),
        (status = 400, response = BadRequest),
        (status = 404, response = NotFound),
        (status = 429, response = TooMany),
    )
)]
/// The body is JSON whatever its content type says.
pub(in crate::http) async fn start(
    State(state): State<AppState>,
    caller: Caller,
    request_id: RequestId,
    facts: Facts,
    body: JsonBody,
) -> ApiResult {
    let request: EvaluationRequest = body.bind().map_err(|error| error.in_details(Code::BadRequest, INVALID))?;
    facts.knowledge_base(&request.knowledge_base_id);
    let wish = StartEvaluation {
        dataset_id: request.dataset_id,
        knowledge_base_id: request.knowledge_base_id,
        chat_model_id: request.chat_id,
        rerank_model_id: request.rerank_id,
        request_id: request_id.0.to_string(),
    };
    Ok(envelope::data(&state.evaluations.start_evaluation(caller.scope(), wish).await?))
}

#[derive(Deserialize)]
pub(in crate::http) struct GetEvaluationRequest {
    task_id: String,
}

impl Bind for GetEvaluationRequest {
    const NAME: &'static str = "GetEvaluationRequest";

    fn check(&self, rules: &mut Rules) {
        rules.text("TaskID", &self.task_id).required();
    }
}

#[utoipa::path(
    get,
    path = "/api/v1/evaluation/",
    tag = "evaluation",
    summary = "How far a run is, and what it measured",
    params(("task_id" = String, Query, description = "Id of the run.")),
    responses(
        (status = 200, description = "The run; `metric` is the mean over the questions that are done.", body = Data<Evaluation>),
        (status = 400, response = BadRequest),
        (status = 404, response = NotFound),
    )
)]
pub(in crate::http) async fn get(State(state): State<AppState>, caller: Caller, query: Query) -> ApiResult {
    let request = GetEvaluationRequest { task_id: query.get("task_id").unwrap_or_default().to_owned() };
    let request = request.checked().map_err(|error| error.in_details(Code::BadRequest, INVALID))?;
    Ok(envelope::data(&state.evaluations.get_evaluation(caller.scope(), &request.task_id).await?))
}

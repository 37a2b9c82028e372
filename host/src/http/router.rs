//! Every route, in the order of the contract's route list, and what all requests pass on their way to one.
//!
//! Not here: the handlers (`routes`).

use super::route_table::{Dispatch, RouteTable, normalise_path};
use super::routes::initialization::{earlier, extract, model_server, multimodal, probes, settings};
use super::routes::{
    auth, chat, chunks, docs, evaluation, health, hybrid_search, index, knowledge, knowledge_bases, messages, models, plugins, sessions,
    system, tenants,
};
use super::{AppState, cors, middleware};
use crate::limits::UPLOAD_BYTES_MAX;
use axum::Router;
use axum::extract::{DefaultBodyLimit, Request, State};
use axum::http::Method;
use axum::middleware::{Next, from_fn, from_fn_with_state};
use axum::response::Response;

/// The whole server as one service.
pub fn router(state: AppState) -> Router {
    let dispatch = routes().with_state(&state);
    let inside = dispatch.clone();
    Router::new()
        .fallback(move |request: Request| async move { inside.run(request).await })
        // For extractors of axum; JSON bodies have a lower limit of their own.
        .layer(DefaultBodyLimit::max(usize::try_from(UPLOAD_BYTES_MAX).unwrap_or(usize::MAX)))
        .layer(from_fn_with_state(state, super::auth::authenticate))
        .layer(from_fn(middleware::catch_panic))
        .layer(from_fn(middleware::request_id))
        .layer(from_fn(cors::cors))
        .layer(from_fn_with_state(dispatch, front_door))
        .layer(from_fn(middleware::log))
}

/// Every route as method and pattern, for the OpenAPI test and the two-tenant matrix.
pub fn routes_listed() -> Vec<(Method, &'static str)> {
    routes().listed().to_vec()
}

/// Before everything else but the log: the path as the contract's server reads it, or refuses it, and its redirects over a trailing slash.
async fn front_door(State(dispatch): State<Dispatch>, mut request: Request, next: Next) -> Response {
    if !super::extract::whole_escapes(request.uri().path()) {
        return super::route_table::bad_path();
    }
    if let Some(uri) = normalise_path(request.uri()) {
        *request.uri_mut() = uri;
    }
    match dispatch.slash_redirect(request.method(), request.uri(), request.headers()) {
        Some(redirect) => redirect,
        None => next.run(request).await,
    }
}

/// A new route takes a line here, `#[utoipa::path(...)]` at its handler and a line in `openapi::ApiDoc` (then `knowhost openapi > docs/openapi.json`),
/// a row in `docs/deviations.md` for each difference (and in `docs/deviations.json` where the answer is recorded). Parameters are called `{id}`, `{kid}` ... after what they name; handlers take them by place.
fn routes() -> RouteTable<AppState> {
    let routes = RouteTable::new()
        .get("/health", health::health)
        // auth
        .post("/api/v1/auth/register", auth::register)
        .post("/api/v1/auth/login", auth::login)
        .post("/api/v1/auth/refresh", auth::refresh)
        .get("/api/v1/auth/validate", auth::validate)
        .post("/api/v1/auth/logout", auth::logout)
        .get("/api/v1/auth/me", auth::me)
        .post("/api/v1/auth/change-password", auth::change_password)
        // tenants
        .post("/api/v1/tenants", tenants::create)
        .get("/api/v1/tenants", tenants::list)
        .get("/api/v1/tenants/{id}", tenants::get)
        .put("/api/v1/tenants/{id}", tenants::update)
        .delete("/api/v1/tenants/{id}", tenants::delete)
        // knowledge bases
        .post("/api/v1/knowledge-bases", knowledge_bases::create)
        .get("/api/v1/knowledge-bases", knowledge_bases::list)
        .get("/api/v1/knowledge-bases/{id}", knowledge_bases::get)
        .put("/api/v1/knowledge-bases/{id}", knowledge_bases::update)
        .delete("/api/v1/knowledge-bases/{id}", knowledge_bases::delete)
        .get("/api/v1/knowledge-bases/{id}/hybrid-search", hybrid_search::hybrid_search)
        .post("/api/v1/knowledge-bases/copy", knowledge_bases::copy)
        // knowledge
        .post("/api/v1/knowledge-bases/{id}/knowledge/file", knowledge::upload::upload)
        .post("/api/v1/knowledge-bases/{id}/knowledge/url", knowledge::url::import_url)
        .get("/api/v1/knowledge-bases/{id}/knowledge", knowledge::list)
        .get("/api/v1/knowledge/batch", knowledge::batch)
        .get("/api/v1/knowledge/{id}", knowledge::get)
        .put("/api/v1/knowledge/{id}", knowledge::update)
        .delete("/api/v1/knowledge/{id}", knowledge::delete)
        .get("/api/v1/knowledge/{id}/download", knowledge::download)
        .put("/api/v1/knowledge/image/{id}/{chunk_id}", knowledge::image::update_image)
        // chunks
        .get("/api/v1/chunks/{knowledge_id}", chunks::list)
        .put("/api/v1/chunks/{knowledge_id}/{id}", chunks::update)
        .delete("/api/v1/chunks/{knowledge_id}/{id}", chunks::delete)
        .delete("/api/v1/chunks/{knowledge_id}", chunks::delete_all)
        // sessions, chat, search
        .post("/api/v1/sessions", sessions::create)
        .get("/api/v1/sessions/{id}", sessions::get)
        .get("/api/v1/sessions", sessions::list)
        .put("/api/v1/sessions/{id}", sessions::update)
        .delete("/api/v1/sessions/{id}", sessions::delete)
        .post("/api/v1/sessions/{id}/generate_title", sessions::generate_title)
        .post("/api/v1/sessions/{id}/stop", sessions::stop)
        .get("/api/v1/sessions/continue-stream/{id}", sessions::continue_stream)
        .post("/api/v1/knowledge-chat/{id}", chat::knowledge_chat)
        .post("/api/v1/knowledge-search", chat::knowledge_search)
        // messages
        .get("/api/v1/messages/{session_id}/load", messages::load)
        .delete("/api/v1/messages/{session_id}/{id}", messages::delete)
        // models
        .post("/api/v1/models", models::create)
        .get("/api/v1/models", models::list)
        .get("/api/v1/models/{id}", models::get)
        .put("/api/v1/models/{id}", models::update)
        .delete("/api/v1/models/{id}", models::delete)
        // evaluation
        .post("/api/v1/evaluation/", evaluation::start)
        .get("/api/v1/evaluation/", evaluation::get)
        // plugins, for the operator
        .get("/api/v1/plugins", plugins::list)
        .get("/api/v1/plugins/{name}", plugins::get)
        .post("/api/v1/plugins/{name}/allow", plugins::allow)
        .put("/api/v1/plugins/{name}/grants", plugins::grant)
        .post("/api/v1/plugins/{name}/rollback", plugins::roll_back)
        .post("/api/v1/plugins/{name}/deny", plugins::deny)
        // system
        .get("/api/v1/system/info", system::info)
        // the search index, for the operator
        .get("/api/v1/system/index", index::status)
        .post("/api/v1/system/index/verify", index::verify)
        .post("/api/v1/system/index/rebuild", index::rebuild)
        // this API, described
        .get("/api/v1/openapi.json", docs::openapi)
        .get("/docs", docs::page);
    initialization(routes)
}

/// The settings page, its helpers, and the routes of v0.1.3.
fn initialization(routes: RouteTable<AppState>) -> RouteTable<AppState> {
    routes
        .get("/api/v1/initialization/config/{id}", settings::current)
        .post("/api/v1/initialization/initialize/{id}", settings::save)
        .get("/api/v1/initialization/ollama/status", model_server::status)
        .get("/api/v1/initialization/ollama/models", model_server::models)
        .post("/api/v1/initialization/ollama/models/check", model_server::check)
        .post("/api/v1/initialization/ollama/models/download", model_server::download)
        .get("/api/v1/initialization/ollama/download/progress/{id}", model_server::progress)
        .get("/api/v1/initialization/ollama/download/tasks", model_server::tasks)
        .delete("/api/v1/initialization/ollama/download/tasks/{id}", model_server::cancel)
        .post("/api/v1/initialization/remote/check", probes::remote)
        .post("/api/v1/initialization/embedding/test", probes::embedding)
        .post("/api/v1/initialization/rerank/check", probes::rerank)
        .post("/api/v1/initialization/multimodal/test", multimodal::test)
        .post("/api/v1/initialization/extract/text-relation", extract::text_relation)
        .post("/api/v1/initialization/extract/fabri-tag", extract::fabri_tag)
        .post("/api/v1/initialization/extract/fabri-text", extract::fabri_text)
        // v0.1.3
        .get("/api/v1/initialization/status", earlier::status)
        .get("/api/v1/initialization/config", earlier::current)
        .post("/api/v1/initialization/initialize", earlier::save)
        .get("/api/v1/test-data", earlier::test_data)
}

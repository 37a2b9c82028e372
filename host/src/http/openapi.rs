//! The description of the API, made from the annotations at the handlers.
//!
//! Not here: what a route does, or the page that shows the description (`routes::docs`).

mod answers;
mod finish;

pub(super) use answers::*;

use super::routes;
use crate::domain::{Chunk, Knowledge, KnowledgeBase, Message, Model, SearchResult, Session, Tenant};
use crate::provider::PluginListing;
use serde_json::Value;
use std::sync::OnceLock;
use utoipa::OpenApi;

/// Every handler with `#[utoipa::path(...)]`. Credentials, path parameters and the refusals that all routes share are added by `finish`.
#[derive(OpenApi)]
#[openapi(
    info(
        title = "Knowhost",
        description = "Documents in, cited answers out. Paths, shapes and codes follow WeKnora v0.1.6; docs/deviations.md lists the differences."
    ),
    servers((url = "/")),
    security(("bearer" = []), ("apiKey" = [])),
    tags(
        (name = "auth", description = "People: register, log in, tokens."),
        (name = "tenants", description = "Customers whose data is apart."),
        (name = "knowledge-bases", description = "Collections of documents that are searched together."),
        (name = "knowledge", description = "Documents."),
        (name = "chunks", description = "Pieces of documents, as they are indexed."),
        (name = "sessions", description = "Conversations and how they are answered."),
        (name = "chat", description = "Questions, answers and what they were made from."),
        (name = "messages", description = "Turns of a conversation."),
        (name = "models", description = "Models that embed, rerank and answer."),
        (name = "initialization", description = "The settings page of the reference's frontend."),
        (name = "evaluation", description = "Datasets run through the chat and measured."),
        (name = "plugins", description = "Third-party code that the operator allows."),
        (name = "index", description = "What searches read, for the operator."),
        (name = "system", description = "The server itself."),
    ),
    paths(
        routes::health::health,
        routes::auth::register,
        routes::auth::login,
        routes::auth::refresh,
        routes::auth::validate,
        routes::auth::logout,
        routes::auth::me,
        routes::auth::change_password,
        routes::tenants::create,
        routes::tenants::list,
        routes::tenants::get,
        routes::tenants::update,
        routes::tenants::delete,
        routes::knowledge_bases::create,
        routes::knowledge_bases::list,
        routes::knowledge_bases::get,
        routes::knowledge_bases::update,
        routes::knowledge_bases::delete,
        routes::knowledge_bases::copy,
        routes::hybrid_search::hybrid_search,
        routes::knowledge::upload::upload,
        routes::knowledge::list,
        routes::knowledge::batch,
        routes::knowledge::get,
        routes::knowledge::update,
        routes::knowledge::delete,
        routes::knowledge::download,
        routes::knowledge::url::import_url,
        routes::knowledge::image::update_image,
        routes::chunks::list,
        routes::chunks::update,
        routes::chunks::delete,
        routes::chunks::delete_all,
        routes::sessions::create,
        routes::sessions::get,
        routes::sessions::list,
        routes::sessions::update,
        routes::sessions::delete,
        routes::sessions::generate_title,
        routes::sessions::stop,
        routes::sessions::continue_stream,
        routes::chat::knowledge_chat,
        routes::chat::knowledge_search,
        routes::messages::load,
        routes::messages::delete,
        routes::models::create,
        routes::models::list,
        routes::models::get,
        routes::models::update,
        routes::models::delete,
        routes::initialization::settings::current,
        routes::initialization::settings::save,
        routes::initialization::model_server::status,
        routes::initialization::model_server::models,
        routes::initialization::model_server::check,
        routes::initialization::model_server::download,
        routes::initialization::model_server::progress,
        routes::initialization::model_server::tasks,
        routes::initialization::model_server::cancel,
        routes::initialization::probes::remote,
        routes::initialization::probes::embedding,
        routes::initialization::probes::rerank,
        routes::initialization::multimodal::test,
        routes::initialization::extract::text_relation,
        routes::initialization::extract::fabri_tag,
        routes::initialization::extract::fabri_text,
        routes::initialization::earlier::status,
        routes::initialization::earlier::current,
        routes::initialization::earlier::save,
        routes::initialization::earlier::test_data,
        routes::evaluation::start,
        routes::evaluation::get,
        routes::plugins::list,
        routes::plugins::get,
        routes::plugins::allow,
        routes::plugins::grant,
        routes::plugins::roll_back,
        routes::plugins::deny,
        routes::system::info,
        routes::index::status,
        routes::index::verify,
        routes::index::rebuild,
        routes::docs::openapi,
        routes::docs::page,
    ),
    components(
        responses(
            BadRequest, Unauthenticated, TokenRefused, Forbidden, NotFound, Conflict,
            TooLarge, UnsupportedType, TooMany, Internal, Unavailable, TimedOut
        ),
        // What stands in an envelope is written out there, unless it is named here.
        schemas(
            routes::initialization::shapes::CurrentSettings,
            routes::initialization::shapes::ModelServer,
            routes::initialization::shapes::RequestedDownload,
            routes::initialization::shapes::Download,
            Failure, Fault, Unknown, UnknownOrFailure, Chunk, Knowledge, KnowledgeBase, Message, Model, PluginListing, SearchResult, Session,
            Tenant, routes::hybrid_search::Shown
        )
    )
)]
struct ApiDoc;

/// The description as JSON.
pub(super) fn document() -> Value {
    let described = serde_json::to_value(ApiDoc::openapi()).unwrap_or_default();
    finish::finish(described)
}

/// The description as it is served and committed, made once.
pub fn text() -> &'static str {
    static TEXT: OnceLock<String> = OnceLock::new();
    TEXT.get_or_init(|| {
        let mut text = serde_json::to_string_pretty(&document()).unwrap_or_default();
        text.push('\n');
        text
    })
}

//! What an author writes: one trait for each kind of plugin.
//!
//! Not here: how a call is resumed (`call`) and exported (`export`). The traits have no `self`: a plugin keeps nothing between calls,
//! so that the host may run a call in any instance and rebuild it in another.

use crate::bindings::{catalogue, graph_builder, retriever};
use crate::{
    Answer, ChatCtx, ChatRequest, Ctx, EmbedRequest, Embeddings, Error, Model, Progress, Ranking, RerankRequest, Result, StreamCtx,
    TokenizeMode, Tokens,
};
use std::future::{Future, ready};

/// Texts to vectors.
pub trait Embedder {
    fn embed(ctx: &Ctx, request: EmbedRequest) -> impl Future<Output = Result<Embeddings>>;
}

/// Scores texts by how well they answer a query.
pub trait Reranker {
    fn rerank(ctx: &Ctx, request: RerankRequest) -> impl Future<Output = Result<Ranking>>;
}

/// Answers a conversation; pieces leave by `ctx.emit`.
pub trait ChatModel {
    fn chat(ctx: &ChatCtx, request: ChatRequest) -> impl Future<Output = Result<Answer>>;
}

/// The handle of a catalogue call: `ctx.emit` tells progress.
pub type CatalogueCtx = StreamCtx<Progress>;

/// The models that a provider has, and how to get more. What a provider can not do stays `unsupported`.
pub trait Catalogue {
    /// The provider's version.
    fn status(_ctx: &CatalogueCtx, _model: Model) -> impl Future<Output = Result<String>> {
        ready(Err(Error::unsupported("this provider tells no version")))
    }

    fn models(_ctx: &CatalogueCtx, _model: Model) -> impl Future<Output = Result<Vec<catalogue::Entry>>> {
        ready(Err(Error::unsupported("this provider lists no models")))
    }

    /// Whether the model is installed.
    fn check(_ctx: &CatalogueCtx, _model: Model) -> impl Future<Output = Result<bool>> {
        ready(Err(Error::unsupported("this provider does not tell which models it has")))
    }

    /// Fetches the model.
    fn pull(_ctx: &CatalogueCtx, _model: Model) -> impl Future<Output = Result<()>> {
        ready(Err(Error::unsupported("this provider can not fetch models")))
    }

    fn remove(_ctx: &CatalogueCtx, _model: Model) -> impl Future<Output = Result<()>> {
        ready(Err(Error::unsupported("this provider can not remove models")))
    }
}

/// Finds candidates in an engine of its own.
pub trait Retriever {
    fn retrieve(ctx: &Ctx, request: retriever::Request) -> impl Future<Output = Result<retriever::Reply>>;
}

/// Entities and relations out of chunks.
pub trait GraphBuilder {
    fn build(ctx: &Ctx, request: graph_builder::Request) -> impl Future<Output = Result<graph_builder::Graph>>;
}

/// Splits texts into words. Computes only: there is nothing to await.
pub trait Tokenizer {
    fn tokenize(texts: &[String], mode: TokenizeMode) -> Result<Tokens>;
}

/// Slow first work (a dictionary, a table), done once; the memory after it is the image of every instance.
pub trait Warm {
    fn warm();
}

/// Sends a catalogue query to its method.
#[doc(hidden)]
pub async fn answer_catalogue<P: Catalogue>(ctx: &CatalogueCtx, request: catalogue::Request) -> Result<catalogue::Reply> {
    let catalogue::Request { model, query } = request;
    Ok(match query {
        catalogue::Query::Status => catalogue::Reply::Status(P::status(ctx, model).await?),
        catalogue::Query::Models => catalogue::Reply::Models(P::models(ctx, model).await?),
        catalogue::Query::Check => catalogue::Reply::Check(P::check(ctx, model).await?),
        catalogue::Query::Pull => {
            P::pull(ctx, model).await?;
            catalogue::Reply::Done
        }
        catalogue::Query::Remove => {
            P::remove(ctx, model).await?;
            catalogue::Reply::Done
        }
    })
}

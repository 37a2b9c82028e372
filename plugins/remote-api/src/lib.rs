//! Chat, embeddings and rerank of services that speak the OpenAI, Jina-like or Aliyun forms.
//!
//! Not here: keys. The host adds `api_key` to a request that names it; the plugin only knows whether there is one.

mod answer;
mod chat;
mod embed;
mod failure;
mod rerank;
mod service;
#[cfg(test)]
mod tests;

use knowhost_plugin_sdk::{
    Answer, ChatCtx, ChatModel, ChatRequest, Ctx, EmbedRequest, Embedder, Embeddings, Ranking, RerankRequest, Reranker, Result,
    export_plugin,
};

struct RemoteApi;

impl ChatModel for RemoteApi {
    async fn chat(ctx: &ChatCtx, request: ChatRequest) -> Result<Answer> {
        chat::chat(ctx, request).await
    }
}

impl Embedder for RemoteApi {
    async fn embed(ctx: &Ctx, request: EmbedRequest) -> Result<Embeddings> {
        embed::embed(ctx, request).await
    }
}

impl Reranker for RemoteApi {
    async fn rerank(ctx: &Ctx, request: RerankRequest) -> Result<Ranking> {
        rerank::rerank(ctx, request).await
    }
}

export_plugin!(RemoteApi: chat_model, embedder, reranker);

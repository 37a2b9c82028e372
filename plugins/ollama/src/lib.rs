//! Chat, embeddings and the list of models of an Ollama server.
//!
//! Not here: fetching a missing model inside a chat. A download of gigabytes belongs into the catalogue, where it has progress.

mod catalogue;
mod chat;
mod embed;
mod server;
#[cfg(test)]
mod tests;

use knowhost_plugin_sdk::{
    Answer, Catalogue, CatalogueCtx, ChatCtx, ChatModel, ChatRequest, Ctx, EmbedRequest, Embedder, Embeddings, Entry, Model, Result,
    export_plugin,
};

struct Ollama;

impl ChatModel for Ollama {
    async fn chat(ctx: &ChatCtx, request: ChatRequest) -> Result<Answer> {
        chat::chat(ctx, request).await
    }
}

impl Embedder for Ollama {
    async fn embed(ctx: &Ctx, request: EmbedRequest) -> Result<Embeddings> {
        embed::embed(ctx, request).await
    }
}

impl Catalogue for Ollama {
    async fn status(ctx: &CatalogueCtx, model: Model) -> Result<String> {
        catalogue::status(ctx, &model).await
    }

    async fn models(ctx: &CatalogueCtx, model: Model) -> Result<Vec<Entry>> {
        catalogue::models(ctx, &model).await
    }

    async fn check(ctx: &CatalogueCtx, model: Model) -> Result<bool> {
        catalogue::check(ctx, &model).await
    }

    async fn pull(ctx: &CatalogueCtx, model: Model) -> Result<()> {
        catalogue::pull(ctx, &model).await
    }

    async fn remove(ctx: &CatalogueCtx, model: Model) -> Result<()> {
        catalogue::remove(ctx, &model).await
    }
}

export_plugin!(Ollama: chat_model, embedder, catalogue);

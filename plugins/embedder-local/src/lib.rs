//! The built-in embedder: a multilingual sentence model inside the component, no download, no network.
//!
//! Not here: the model (`embedder-core`), and how its table was made (`derive/derive.py`).

#[cfg(test)]
mod tests;

pub use embedder_core::{DIMENSION, Embedded, Model, NETWORK_TOKENS_MAX, TableError, Variant};

use embedder_core::embeddings;
use knowhost_plugin_sdk::{Ctx, EmbedRequest, Embedder, Embeddings, Error, Result, Warm, export_plugin};
use std::sync::OnceLock;

static TABLE: &[u8] = include_bytes!("../data/table.bin");

/// Names of the models; `plugin.toml` lists the same.
pub const NETWORK_MODEL: &str = "knowhost-embed";
pub const STATIC_MODEL: &str = "knowhost-embed-static";

/// The model, read once; in a server the host keeps the memory after `warm` as the image of every instance.
pub fn model() -> Result<&'static Model, &'static TableError> {
    static MODEL: OnceLock<Result<Model, TableError>> = OnceLock::new();
    MODEL.get_or_init(|| Model::read(TABLE)).as_ref()
}

struct EmbedderLocal;

fn variant(name: &str) -> Result<Variant> {
    match name {
        NETWORK_MODEL | "" => Ok(Variant::Network),
        STATIC_MODEL => Ok(Variant::Static),
        other => Err(Error::not_found(format!("there is no model {other:?} here; there are {NETWORK_MODEL:?} and {STATIC_MODEL:?}"))),
    }
}

impl Embedder for EmbedderLocal {
    /// Chunks and queries are embedded alike: the model was trained on sentences that mean the same.
    async fn embed(_ctx: &Ctx, request: EmbedRequest) -> Result<Embeddings> {
        let variant = variant(&request.model.name)?;
        embeddings(&request, || {
            let model = model().map_err(|error| Error::upstream(error.to_string()))?;
            Ok(move |text: &str| model.embed(variant, text))
        })
    }
}

impl Warm for EmbedderLocal {
    fn warm() {
        // A damaged table is reported by the calls, which have somebody to tell.
        let _ = model();
    }
}

export_plugin!(EmbedderLocal: embedder, warm; native);

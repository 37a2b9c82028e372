//! The full embedder: the whole multilingual sentence model, out of files that the operator fetches once.
//!
//! Not here: the forward pass (`embedder-core`), and the model that needs no files (`embedder-local`).

mod archive;
mod array;
mod pieces;
mod source;
#[cfg(test)]
mod tests;

pub use source::FullModel;

use embedder_core::{TableError, embeddings};
use knowhost_plugin_sdk::files::File;
use knowhost_plugin_sdk::{Ctx, EmbedRequest, Embedder, Embeddings, Error, Result, Warm, export_plugin};
use std::sync::OnceLock;

/// Name of the model, and of its files; `plugin.toml` lists the same.
pub const MODEL: &str = "knowhost-embed-full";
pub const PIECES_FILE: &str = "sp.model";
pub const WEIGHTS_FILE: &str = "weights.npz";

static MODEL_READ: OnceLock<Result<FullModel, TableError>> = OnceLock::new();

/// The model; the first call reads the files, which only the warm-up can do.
pub fn model() -> Result<&'static FullModel, &'static TableError> {
    MODEL_READ.get_or_init(|| FullModel::read(File::open(PIECES_FILE), File::open(WEIGHTS_FILE))).as_ref()
}

struct EmbedderFull;

impl Embedder for EmbedderFull {
    /// Chunks and queries are embedded alike: the model was trained on sentences that mean the same.
    async fn embed(_ctx: &Ctx, request: EmbedRequest) -> Result<Embeddings> {
        if !matches!(request.model.name.as_str(), MODEL | "") {
            return Err(Error::not_found(format!("there is no model {:?} here; there is {MODEL:?}", request.model.name)));
        }
        embeddings(&request, || {
            let model = model().map_err(|error| Error::upstream(error.to_string()))?;
            Ok(move |text: &str| model.embed(text))
        })
    }
}

impl Warm for EmbedderFull {
    fn warm() {
        // Damaged files are reported by the calls, which have somebody to tell.
        let _ = model();
    }
}

export_plugin!(EmbedderFull: embedder, warm);

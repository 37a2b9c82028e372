//! The settings page of a knowledge base: what it is set to, saving that, and trying models before they are saved.
//!
//! Not here: who answers for a model (`provider`); wire names (`http`).

mod ask;
mod endpoint;
mod extract;
mod graph_text;
mod model_server;
mod probes;
mod read;
mod save;
mod vision;

pub use endpoint::Endpoint;
pub use extract::{Extracted, sample_tags};
pub use model_server::ServerStatus;
pub use probes::{EmbeddingProbe, Probe};
pub use read::CurrentSettings;
pub use save::{ChosenModel, Chunking, Multimodal, Part, Saved, SettingsChange, Storage, Vision};
pub use vision::{PictureProbe, PictureTest};

use super::Library;
use super::downloads::Downloads;
use crate::config::ExtractionPrompts;
use crate::provider::Registry;
use std::sync::Arc;

/// What the environment decides about initialization.
#[derive(Clone, Debug, Default)]
pub struct InitializationSettings {
    /// `OLLAMA_BASE_URL`.
    pub ollama_base_url: String,
    /// `OLLAMA_OPTIONAL`: a model server that is not there is no failure.
    pub ollama_optional: bool,
    /// `ENABLE_GRAPH_RAG` or `NEO4J_ENABLE`.
    pub graph_enabled: bool,
    /// Both MinIO keys are set.
    pub minio_configured: bool,
}

/// Clones share it.
#[derive(Clone)]
pub struct Initialization {
    inner: Arc<Inner>,
}

struct Inner {
    library: Library,
    registry: Registry,
    downloads: Downloads,
    settings: InitializationSettings,
    prompts: ExtractionPrompts,
}

impl Initialization {
    pub fn new(library: Library, registry: Registry, downloads: Downloads, settings: InitializationSettings) -> Self {
        Self { inner: Arc::new(Inner { library, registry, downloads, settings, prompts: ExtractionPrompts::builtin() }) }
    }

    pub fn downloads(&self) -> &Downloads {
        &self.inner.downloads
    }

    /// The address that OpenAI-compatible clients find the model server at.
    fn ollama_v1(&self) -> String {
        format!("{}/v1", self.inner.settings.ollama_base_url.trim_end_matches('/'))
    }
}

//! Settings from built-in defaults, config.yaml, .env, environment and flags, later ones winning.
//!
//! Nothing else reads the environment. Not here: secrets that the server makes for itself (`app::secrets`).

mod keys;
mod load;
mod value;

pub use load::{Flags, load, variable};
pub use value::LoadError;

use crate::domain::{SummaryParameters, Zone};
use serde::Deserialize;
use std::net::SocketAddr;
use std::path::PathBuf;

/// Everything that can be set, checked.
#[derive(Clone, Debug)]
pub struct Settings {
    pub listen: SocketAddr,
    pub data_dir: PathBuf,
    pub sample: bool,
    /// Folders of datasets for evaluations.
    pub dataset_dir: PathBuf,
    pub private_hosts: Vec<String>,
    pub tenant_creation: TenantCreation,
    pub fusion: Fusion,
    pub log: String,
    /// 0: cores - 1.
    pub ingest_workers: usize,
    pub shutdown_timeout_s: u64,
    pub conversation: Conversation,
    /// Unset: made at first start and kept in the data folder.
    pub tenant_aes_key: Option<String>,
    pub jwt_secret: Option<String>,
    pub operator_key: Option<String>,
    pub disable_registration: bool,
    pub ollama_base_url: String,
    /// `OLLAMA_OPTIONAL`: a server of local models that is not there is no failure.
    pub ollama_optional: bool,
    /// `ENABLE_GRAPH_RAG` is `true`, or `NEO4J_ENABLE` in any case.
    pub graph_enabled: bool,
    /// Both keys of MinIO are set.
    pub minio_configured: bool,
    /// Embedding batches under way at once.
    pub concurrency_pool_size: usize,
    /// In which answers and prompts write times: `TZ`, else the machine's.
    pub zone: Zone,
    /// What was set but does nothing here, for one line at start.
    pub without_effect: Vec<String>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TenantCreation {
    Anyone,
    Operator,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fusion {
    /// Reciprocal rank fusion.
    Rank,
    /// Vector hits first, then keyword hits, first occurrence wins.
    Reference,
}

/// What a new session starts with, and the prompts.
#[derive(Clone, Debug, Deserialize)]
pub struct Conversation {
    pub max_rounds: i64,
    pub keyword_threshold: f64,
    pub vector_threshold: f64,
    pub embedding_top_k: i64,
    pub rerank_top_k: i64,
    pub rerank_threshold: f64,
    pub fallback_strategy: String,
    #[serde(default = "prompt::fallback_response")]
    pub fallback_response: String,
    pub enable_rewrite: bool,
    #[serde(default = "prompt::rewrite_system")]
    pub rewrite_prompt_system: String,
    #[serde(default = "prompt::rewrite_user")]
    pub rewrite_prompt_user: String,
    #[serde(default = "prompt::summary_system")]
    pub generate_summary_prompt: String,
    #[serde(default = "prompt::session_title")]
    pub generate_session_title_prompt: String,
    pub summary: SummaryParameters,
}

impl Conversation {
    /// The built-in settings, for tests and for rooms that run without a configuration.
    pub fn builtin() -> Self {
        load::builtin_conversation()
    }
}

/// Prompts of the settings page's helpers, built in. `{tags}` stands for the wanted kinds as a JSON list.
#[derive(Clone, Debug)]
pub struct ExtractionPrompts {
    pub relations: String,
    pub sample_about: String,
    pub sample_free: String,
    pub picture_caption: String,
    pub picture_text: String,
}

impl ExtractionPrompts {
    pub fn builtin() -> Self {
        Self {
            relations: prompt::extract_relations(),
            sample_about: prompt::sample_about(),
            sample_free: prompt::sample_free(),
            picture_caption: prompt::picture_caption(),
            picture_text: prompt::picture_text(),
        }
    }
}

mod prompt {
    //! The texts of `config/prompts`, built in.

    macro_rules! texts {
        ($($name:ident),+ $(,)?) => {
            $(pub(super) fn $name() -> String {
                include_str!(concat!("../../config/prompts/", stringify!($name), ".txt")).trim_end().to_owned()
            })+
        };
    }

    texts!(rewrite_system, rewrite_user, summary_system, session_title, answer_system, answer_context, fallback_response, no_match_prefix);

    texts!(extract_relations, sample_about, sample_free, picture_caption, picture_text);
}

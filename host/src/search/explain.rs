//! Why a hit stands where it stands, for those who ask with `explain`.
//!
//! Not here: deciding anything.

use serde::Serialize;

/// Places count from 1; what did not happen is absent.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct Explain {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub vector_rank: Option<usize>,
    /// Cosine similarity as the engine gave it, before the model's score map.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub vector_similarity: Option<f32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub keyword_rank: Option<usize>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub keyword_score: Option<f32>,
    /// Share of the query that the chunk's words make up.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub keyword_coverage: Option<f32>,
    pub fused_score: f64,
    /// The hit beside which this one stands, when it was no hit itself; then ranks and scores are that hit's.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub beside: Option<String>,
    pub retriever: String,
    /// Name and version.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub embedder: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tokenizer: Option<String>,
    /// What did not go as usual.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub notes: Vec<String>,
}

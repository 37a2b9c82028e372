//! How good a ranking and an answer are, by the definitions of trec_eval, sacrebleu and rouge-score.
//!
//! Not here: where rankings and answers come from. All pure functions; a test compares them with those packages.

mod ranking;
mod text;
mod words;

pub use ranking::retrieval_metrics;
pub use text::generation_metrics;

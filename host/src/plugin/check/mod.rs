//! The tools for plugin authors: a workbench for one file, the conformance kit, recordings, and a small benchmark.
//!
//! Not here: a second host. Calls go through the same pools, limits, grants and asks as in the server; only the network can be a recording.

mod answer;
mod measure;
mod quality;
mod record;
mod recording;
mod report;
mod request;
mod rules;
mod tape;
#[cfg(test)]
mod tests;
mod workbench;

pub use answer::{CallAnswer, Performed, result_json};
pub use measure::{Measured, measure};
pub use record::record;
pub use recording::Recording;
pub use report::{Finding, RULES, Report, Verdict};
pub use request::{CallRequest, ModelSpec, PluginKind};
pub use rules::{check, quality_requests};
pub use workbench::{Workbench, WorkbenchSettings};

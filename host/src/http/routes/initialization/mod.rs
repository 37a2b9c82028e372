//! The settings page over HTTP, its own camelCase names included.
//!
//! Not here: what saving does and who answers a probe (`library::initialization`).

pub(in crate::http) mod earlier;
pub(in crate::http) mod extract;
pub(in crate::http) mod model_server;
pub(in crate::http) mod multimodal;
pub(in crate::http) mod probes;
mod request;
pub(in crate::http) mod settings;
pub(in crate::http) mod shapes;

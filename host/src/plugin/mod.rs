//! What fits into the sockets: manifests, grants, WASM components, their calls and asks. Not here: the store, HTTP routes, chat.

mod adapters;
mod asks;
mod binary;
mod calls;
pub mod check;
mod code;
mod config;
mod desk;
mod elsewhere;
mod files;
mod folder;
mod incomplete;
mod install;
mod kept;
mod listing;
mod loaded;
mod lock;
mod native;
mod plugins;
mod settings;
mod wasm;

pub use crate::provider::{PluginDesk, PluginForm, PluginGrantsChange, PluginListing, PluginState};
pub use asks::{ModelAnswer, ModelCalls, ModelRequest, closed_models};
pub use binary::{digest_of, is_native, manifest_of as read_component};
pub use config::{Compiler, PluginsConfig, ShippedComponent};
pub use elsewhere::compile_main;
pub use install::{BroughtModel, Installation, brought_models};
pub use plugins::Plugins;

#[cfg(test)]
#[expect(clippy::wildcard_enum_match_arm, reason = "a test names what it expects and fails on everything else")]
mod tests;

//! The plugin room with real components: echo, and one that breaks every rule.

mod desk;
mod figures;
mod files;
mod hostile;
mod loading;
mod native;
mod network;
mod recovery;
mod sharing;
mod shipped;
pub(super) mod support;
mod zoo;

//! A loaded component: its kinds, and instances of it.
//!
//! Not here: where it comes from (`load`), how instances are shared (`plugin::calls`).

use super::engine::{Engine, wasmtime_error};
use super::instance::{Fault, Instance};
use super::kinds::{CatalogueKind, ChatModelKind, EmbedderKind, Kind, RerankerKind, TokenizerKind};
use super::standins;
use super::state::HostState;
use std::sync::Arc;
use std::time::Duration;
use wasmtime::component::{InstancePre, Linker};

const PACKAGE: &str = "knowhost:plugin/";
/// The interface versions that this server links.
pub(in crate::plugin) const INTERFACE_VERSIONS: [&str; 1] = ["0.1.0"];
/// Kinds of the package that this server does not use yet; a component may export them all the same.
const KINDS_UNUSED: [&str; 2] = ["retriever", "graph-builder"];

/// Reduce-only limits of one plugin.
#[derive(Clone, Copy, Debug)]
pub(in crate::plugin) struct InstanceLimits {
    pub(in crate::plugin) memory_bytes_max: usize,
    pub(in crate::plugin) turn_cpu_max: Duration,
}

/// Ready to make instances of. Cheap to clone.
#[derive(Clone)]
pub(in crate::plugin) struct Component {
    pub(super) engine: Engine,
    pre: InstancePre<HostState>,
    label: Arc<str>,
    limits: InstanceLimits,
    kinds: Vec<&'static str>,
}

impl Component {
    /// Links `component`; nothing of it runs.
    pub(super) fn link(
        engine: &Engine,
        component: &wasmtime::component::Component,
        label: &str,
        limits: InstanceLimits,
    ) -> anyhow::Result<Self> {
        let kinds = kinds_of(engine, component)?;
        let mut linker = Linker::new(&engine.wasmtime);
        standins::define(&mut linker, component)?;
        let pre = linker.instantiate_pre(component).map_err(wasmtime_error)?;
        Ok(Self { engine: engine.clone(), pre, label: label.into(), limits, kinds })
    }

    /// The interfaces it exports.
    pub(in crate::plugin) fn kinds(&self) -> &[&'static str] {
        &self.kinds
    }

    pub(in crate::plugin) fn instantiate<K: Kind>(&self) -> Result<Instance<K>, Fault> {
        Instance::new(&self.engine, &self.pre, &self.label, self.limits)
    }

    /// An instance of any world, for the warm-up.
    pub(super) fn instantiate_untyped(&self) -> Result<(wasmtime::Store<HostState>, wasmtime::component::Instance), Fault> {
        super::instance::instantiate(&self.engine, &self.pre, &self.label, self.limits)
    }
}

/// Reads the kinds off the exports; a version that this server does not speak is an error with both versions in it.
fn kinds_of(engine: &Engine, component: &wasmtime::component::Component) -> anyhow::Result<Vec<&'static str>> {
    let known = [EmbedderKind::NAME, RerankerKind::NAME, ChatModelKind::NAME, TokenizerKind::NAME, CatalogueKind::NAME];
    let mut kinds = Vec::new();
    for (name, _) in component.component_type().exports(&engine.wasmtime) {
        let Some(rest) = name.strip_prefix(PACKAGE) else { continue };
        let (kind, version) = rest.split_once('@').unwrap_or((rest, ""));
        if !INTERFACE_VERSIONS.contains(&version) {
            anyhow::bail!("it exports {kind} of plugin interface {version}; this server speaks {}", INTERFACE_VERSIONS.join(", "));
        }
        match known.iter().find(|known| **known == kind) {
            Some(known) => kinds.push(*known),
            None if KINDS_UNUSED.contains(&kind) => {}
            None => anyhow::bail!("it exports {kind}, a kind that plugin interface {version} does not have"),
        }
    }
    if kinds.is_empty() {
        anyhow::bail!("it exports none of the kinds {}", known.join(", "));
    }
    Ok(kinds)
}

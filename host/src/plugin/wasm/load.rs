//! From the bytes of a component to something that runs: out of the cache of compiled files, or warmed up and compiled now.
//!
//! Not here: whether a component may be loaded at all (`plugin::lock`), and its manifest. The one unsafe call of the room is here.

use super::cache::CompiledCache;
use super::component::{Component, InstanceLimits};
use super::engine::{Engine, wasmtime_error};
use super::state::WarmFiles;
use super::warm;
use crate::provider::LoadedFrom;
use std::fs::File;
use std::os::fd::AsRawFd;
use std::time::{Duration, Instant};

/// Changes when this server makes other files out of the same bytes.
const FORMAT: u32 = 1;

pub(in crate::plugin) struct Loaded {
    pub(in crate::plugin) component: Component,
    pub(in crate::plugin) from: LoadedFrom,
    pub(in crate::plugin) time: Duration,
    /// Name in the cache, to keep it.
    pub(in crate::plugin) cache_name: String,
}

/// What is loaded and under which limits.
#[derive(Clone, Copy)]
pub(in crate::plugin) struct Source<'a> {
    pub(in crate::plugin) bytes: &'a [u8],
    /// SHA-256 of `bytes`. It covers the manifest and so the digests of the plugin's files: a snapshot made of other files has another name.
    pub(in crate::plugin) digest: &'a str,
    /// Name and version, for messages.
    pub(in crate::plugin) label: &'a str,
    pub(in crate::plugin) limits: InstanceLimits,
    /// Asked for only when the component is warmed up now.
    pub(in crate::plugin) files: &'a dyn Fn() -> anyhow::Result<WarmFiles>,
}

/// Loads a component. `elsewhere` may have the cache filled by another process; it says
/// whether that was done.
pub(in crate::plugin) fn load(
    engine: &Engine,
    cache: &CompiledCache,
    source: Source<'_>,
    elsewhere: impl FnOnce() -> bool,
) -> anyhow::Result<Loaded> {
    let started = Instant::now();
    let cache_name = format!("{}-{}-{FORMAT}-{}m", source.digest, engine.compatibility(), source.limits.memory_bytes_max >> 20);
    let cached = || cache.get(&cache_name).and_then(|sealed| deserialize(engine, &sealed));
    let (compiled, from) = match cached() {
        Some(component) => (component, LoadedFrom::Cache),
        None => match elsewhere().then(cached).flatten() {
            Some(component) => (component, LoadedFrom::Compiler),
            None => (compile(engine, cache, source, &cache_name)?, LoadedFrom::Compiler),
        },
    };
    let component = Component::link(engine, &compiled, source.label, source.limits)?;
    Ok(Loaded { component, from, time: started.elapsed(), cache_name })
}

fn compile(engine: &Engine, cache: &CompiledCache, source: Source<'_>, cache_name: &str) -> anyhow::Result<wasmtime::component::Component> {
    let Source { bytes, label, limits, files, .. } = source;
    let warmed = warm::snapshot(engine, bytes, label, limits, files)?;
    let bytes = warmed.as_deref().unwrap_or(bytes);
    let component = wasmtime::component::Component::from_binary(&engine.wasmtime, bytes).map_err(wasmtime_error)?;
    let compiled = component.serialize().map_err(wasmtime_error)?;
    if let Err(error) = cache.put(cache_name, &compiled) {
        tracing::warn!(plugin = label, "can not keep the compiled component, the next start compiles it again: {error:#}");
        return Ok(component);
    }
    // The mapped file holds a warm snapshot once for all instances; the compiler's result holds it in memory.
    drop(compiled);
    Ok(cache.get(cache_name).and_then(|sealed| deserialize(engine, &sealed)).unwrap_or(component))
}

#[expect(unsafe_code, reason = "a compiled component is native code; only files sealed by this server get here")]
fn deserialize(engine: &Engine, sealed: &File) -> Option<wasmtime::component::Component> {
    // Through the open file, so that what is mapped is the file that was checked, whatever its name points to by now. Mapping it instead of
    // reading it keeps a snapshot of many megabytes out of memory until its pages are touched.
    let path = format!("/proc/self/fd/{}", sealed.as_raw_fd());
    // SAFETY: `sealed` passed the MAC of `CompiledCache::get`, whose key only this server's data folder holds, so it is what `serialize` gave
    // to `put` under this very name; the name holds the engine's compatibility hash, and wasmtime checks that again. Nobody but this user may
    // write the file (mode 0600 in a folder of mode 0700), and this server replaces such files by renaming, never in place.
    let component = unsafe { wasmtime::component::Component::deserialize_file(&engine.wasmtime, path) };
    component.inspect_err(|error| tracing::warn!("a compiled component does not fit this engine and is made again: {error:#}")).ok()
}

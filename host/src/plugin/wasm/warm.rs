//! Runs a component's `warm` once and makes a component whose memory is what it was afterwards.
//!
//! Not here: keeping the result (`cache`).

use super::component::{Component, InstanceLimits};
use super::engine::{Engine, wasmtime_error};
use super::instance::{begin_turn, fault};
use super::state::{HostState, WarmFiles};
use crate::limits;
use std::future::Future;
use std::pin::pin;
use std::task::{Context, Poll, Waker};
use wasmtime::Store;
use wasmtime::component::{Instance, Lift, WasmList};
use wasmtime_wizer::{ComponentInstanceState, Wizer};

const WARM: &str = "warm";

/// `None`: the component has nothing to warm up. Otherwise the bytes of the component after it. `files` are read only if there is a warm-up.
pub(super) fn snapshot(
    engine: &Engine,
    bytes: &[u8],
    label: &str,
    limits: InstanceLimits,
    files: &dyn Fn() -> anyhow::Result<WarmFiles>,
) -> anyhow::Result<Option<Vec<u8>>> {
    if !may_export_warm(bytes) {
        return Ok(None);
    }
    let mut wizer = Wizer::new();
    wizer.init_func(WARM).keep_init_func(true);
    let (context, instrumented) = wizer.instrument_component(bytes).map_err(wasmtime_error)?;
    let instrumented = wasmtime::component::Component::new(&engine.wasmtime, &instrumented).map_err(wasmtime_error)?;
    if instrumented.get_export_index(None, WARM).is_none() {
        return Ok(None);
    }
    // Linking checks the interface version, so a component of another one never runs.
    let limits = InstanceLimits { turn_cpu_max: limits::PLUGIN_WARM, ..limits };
    let instrumented = Component::link(engine, &instrumented, label, limits)?;
    let (mut store, instance) = instrumented.instantiate_untyped()?;
    // The whole memory is read in one call.
    store.set_hostcall_fuel(2 * limits::PLUGIN_MEMORY_BYTES_MAX);
    let warm = instance.get_typed_func::<(), ()>(&mut store, WARM).map_err(wasmtime_error)?;
    {
        store.data_mut().files = Some(files()?);
        let _ticking = engine.ticker.turn();
        begin_turn(&mut store, limits::PLUGIN_WARM);
        let warmed = warm.call(&mut store, ());
        store.data_mut().files = None;
        if let Err(error) = warmed {
            anyhow::bail!("its warm-up failed: {}", fault(&mut store, &error));
        }
    }
    begin_turn(&mut store, limits::PLUGIN_WARM);
    let mut state = WarmState { store, instance, failed: None };
    let snapshot = now(wizer.snapshot_component(&context, &mut state))?.map_err(wasmtime_error)?;
    match state.failed {
        Some(reason) => anyhow::bail!("its warm-up can not be kept: {reason}"),
        None => Ok(Some(snapshot)),
    }
}

/// An export's name stands in the file behind its length. Most components can be told to have none without compiling them for it.
fn may_export_warm(bytes: &[u8]) -> bool {
    let name = [&[WARM.len() as u8], WARM.as_bytes()].concat();
    bytes.windows(name.len()).any(|window| window == name)
}

/// The snapshot's functions are async for engines that are; ours answer at once.
fn now<T>(future: impl Future<Output = T>) -> anyhow::Result<T> {
    match pin!(future).poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(value) => Ok(value),
        Poll::Pending => anyhow::bail!("the snapshot did not finish in one go"),
    }
}

/// Reads an instance's globals and memories through the functions that wizer added.
struct WarmState {
    store: Store<HostState>,
    instance: Instance,
    /// The trait has no way to fail, so the first reason waits here.
    failed: Option<String>,
}

impl WarmState {
    fn read<R: Lift + 'static>(&mut self, interface: &str, function: &str) -> Option<R> {
        let result = self.try_read(interface, function);
        match result {
            Ok(value) => Some(value),
            Err(error) => {
                self.failed.get_or_insert(format!("{error:#}"));
                None
            }
        }
    }

    fn try_read<R: Lift + 'static>(&mut self, interface: &str, function: &str) -> anyhow::Result<R> {
        let missing = || anyhow::anyhow!("{interface}.{function} is missing");
        let (_, interface_index) = self.instance.get_export(&mut self.store, None, interface).ok_or_else(missing)?;
        let (_, function_index) = self.instance.get_export(&mut self.store, Some(&interface_index), function).ok_or_else(missing)?;
        let function = self.instance.get_typed_func::<(), (R,)>(&mut self.store, function_index).map_err(wasmtime_error)?;
        Ok(function.call(&mut self.store, ()).map_err(wasmtime_error)?.0)
    }
}

impl ComponentInstanceState for WarmState {
    async fn call_func_ret_list_u8(&mut self, instance: &str, func: &str, contents: impl FnOnce(&[u8]) + Send) {
        let list: Option<WasmList<u8>> = self.read(instance, func);
        match list {
            Some(list) => contents(list.as_le_slice(&self.store)),
            None => contents(&[]),
        }
    }

    async fn call_func_ret_s32(&mut self, instance: &str, func: &str) -> i32 {
        self.read(instance, func).unwrap_or_default()
    }

    async fn call_func_ret_s64(&mut self, instance: &str, func: &str) -> i64 {
        self.read(instance, func).unwrap_or_default()
    }

    async fn call_func_ret_f32(&mut self, instance: &str, func: &str) -> u32 {
        self.read::<f32>(instance, func).map_or(0, f32::to_bits)
    }

    async fn call_func_ret_f64(&mut self, instance: &str, func: &str) -> u64 {
        self.read::<f64>(instance, func).map_or(0, f64::to_bits)
    }
}

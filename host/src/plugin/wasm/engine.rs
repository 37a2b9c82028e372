//! The one wasmtime engine: its settings, and the thread that ticks its epochs.
//!
//! Not here: what happens at a deadline (`clock`), and components (`component`).

use crate::limits;
use anyhow::Context;
use sha2::{Digest, Sha256};
use std::hash::{Hash, Hasher};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::thread::Thread;

/// A linear memory that may use every 32-bit address needs no bounds checks; only address space is reserved, no memory.
const MEMORY_RESERVATION_BYTES: u64 = 4 << 30;
const MEMORY_GUARD_BYTES: u64 = 32 << 20;
/// Kept over from one instance to the next of a slot instead of being handed back to the system.
const KEEP_RESIDENT_BYTES: usize = 64 << 10;
/// Shim and fix-up modules stand beside a guest's own; language runtimes bring a dozen.
const CORE_INSTANCES_PER_COMPONENT: u32 = 24;

/// Cheap to clone; all clones are one engine.
#[derive(Clone)]
pub(in crate::plugin) struct Engine {
    pub(super) wasmtime: wasmtime::Engine,
    pub(super) ticker: Arc<Ticker>,
}

impl Engine {
    pub(in crate::plugin) fn new() -> anyhow::Result<Self> {
        let wasmtime = wasmtime::Engine::new(&config())
            .map_err(wasmtime_error)
            .context("can not set address space aside for plugins (is there a limit on it, `ulimit -v`?)")?;
        let ticker = Ticker::start(&wasmtime)?;
        Ok(Self { wasmtime, ticker })
    }

    /// Changes whenever a file compiled before may not run in this engine.
    pub(super) fn compatibility(&self) -> String {
        let mut hasher = FixedHasher(Sha256::new());
        self.wasmtime.precompile_compatibility_hash().hash(&mut hasher);
        format!("{:016x}", hasher.finish())
    }
}

/// The hasher of std has a key of its own in every process; this number must be the same after a restart.
struct FixedHasher(Sha256);

impl Hasher for FixedHasher {
    fn write(&mut self, bytes: &[u8]) {
        self.0.update(bytes);
    }

    fn finish(&self) -> u64 {
        let digest = self.0.clone().finalize();
        digest.iter().take(8).fold(0, |number, byte| (number << 8) | u64::from(*byte))
    }
}

fn config() -> wasmtime::Config {
    let instances = limits::PLUGIN_INSTANCES_MAX;
    let mut pool = wasmtime::PoolingAllocationConfig::new();
    pool.total_component_instances(instances)
        .total_core_instances(instances * 8)
        .total_memories(instances)
        .total_tables(instances * 6)
        .max_core_instances_per_component(CORE_INSTANCES_PER_COMPONENT)
        .max_memories_per_component(2)
        .max_tables_per_component(CORE_INSTANCES_PER_COMPONENT)
        .max_memory_size(limits::PLUGIN_MEMORY_BYTES_MAX)
        .linear_memory_keep_resident(KEEP_RESIDENT_BYTES);
    let mut config = wasmtime::Config::new();
    config
        .allocation_strategy(wasmtime::InstanceAllocationStrategy::Pooling(pool))
        .memory_reservation(MEMORY_RESERVATION_BYTES)
        .memory_guard_size(MEMORY_GUARD_BYTES)
        .memory_init_cow(true)
        .epoch_interruption(true)
        // The async machinery of components costs every plain call a microsecond.
        .concurrency_support(false)
        .wasm_simd(true)
        // Its results differ between machines.
        .wasm_relaxed_simd(false)
        .max_wasm_stack(512 << 10);
    config
}

pub(super) fn wasmtime_error(error: wasmtime::Error) -> anyhow::Error {
    anyhow::anyhow!("{error:#}")
}

/// Counts epochs while a turn runs, and sleeps while none does.
///
/// A plain thread, because tasks of an async runtime tick late exactly when the machine is busy.
pub(super) struct Ticker {
    turns: AtomicUsize,
    parked: AtomicBool,
    thread: Thread,
}

impl Ticker {
    fn start(engine: &wasmtime::Engine) -> anyhow::Result<Arc<Self>> {
        let engine = engine.weak();
        let (send, receive) = std::sync::mpsc::sync_channel::<std::sync::Weak<Self>>(1);
        let handle = std::thread::Builder::new().name("plugin-epochs".into()).spawn(move || {
            let Ok(ticker) = receive.recv() else { return };
            while let Some(engine) = engine.upgrade() {
                engine.increment_epoch();
                drop(engine);
                std::thread::sleep(limits::PLUGIN_EPOCH_TICK);
                let Some(ticker) = ticker.upgrade() else { return };
                if ticker.turns.load(Ordering::SeqCst) == 0 {
                    ticker.parked.store(true, Ordering::SeqCst);
                    drop(ticker);
                    // Looked at again now and then, so that the thread ends with its engine.
                    std::thread::park_timeout(std::time::Duration::from_secs(1));
                }
            }
        })?;
        let ticker = Arc::new(Self { turns: AtomicUsize::new(0), parked: AtomicBool::new(false), thread: handle.thread().clone() });
        // The thread waits for exactly this message, so it can not be full or closed.
        let _ = send.send(Arc::downgrade(&ticker));
        Ok(ticker)
    }

    /// Ticks as long as the guard lives.
    pub(super) fn turn(self: &Arc<Self>) -> TurnGuard {
        self.turns.fetch_add(1, Ordering::SeqCst);
        if self.parked.swap(false, Ordering::SeqCst) {
            self.thread.unpark();
        }
        TurnGuard(self.clone())
    }
}

pub(super) struct TurnGuard(Arc<Ticker>);

impl Drop for TurnGuard {
    fn drop(&mut self) {
        self.0.turns.fetch_sub(1, Ordering::SeqCst);
    }
}

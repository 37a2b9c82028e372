//! One live instance: turns with a deadline, and the sentence that says why it died.
//!
//! Not here: which calls share it and what happens to them when it dies (`plugin::calls`).

use super::bindings::knowhost::plugin::io;
use super::clock::Verdict;
use super::component::InstanceLimits;
use super::engine::Engine;
use super::kinds::{Kind, Step};
use super::state::{HostState, Refusal};
use crate::limits;
use std::sync::Arc;
use std::time::Duration;
use wasmtime::component::InstancePre;
use wasmtime::{Store, UpdateDeadline};

/// Why an instance was given up: a sentence with "it" for the plugin.
#[derive(Clone, Debug, thiserror::Error)]
#[error("{0}")]
pub(in crate::plugin) struct Fault(pub(in crate::plugin) String);

pub(in crate::plugin) struct Instance<K: Kind> {
    engine: Engine,
    store: Store<HostState>,
    guest: K::Guest,
    turn_cpu_max: Duration,
    /// What the next turn gets beyond that.
    allowance: Duration,
}

impl<K: Kind> Instance<K> {
    pub(super) fn new(engine: &Engine, pre: &InstancePre<HostState>, label: &Arc<str>, limits: InstanceLimits) -> Result<Self, Fault> {
        let (mut store, instance) = instantiate(engine, pre, label, limits)?;
        let indices = K::indices(pre).map_err(|error| fault(&mut store, &error))?;
        let guest = K::load(&indices, &mut store, &instance).map_err(|error| fault(&mut store, &error))?;
        Ok(Self { engine: engine.clone(), store, guest, turn_cpu_max: limits.turn_cpu_max, allowance: Duration::ZERO })
    }

    /// Lets the next turn take longer: its call carries pictures, which the guest has to encode as text.
    pub(in crate::plugin) fn allow_for(&mut self, picture_bytes: usize) {
        let mib = u32::try_from(picture_bytes.div_ceil(1 << 20)).unwrap_or(u32::MAX);
        self.allowance = limits::PLUGIN_TURN_PER_PICTURE_MIB.saturating_mul(mib).min(limits::PLUGIN_TURN_COMPUTE);
    }

    pub(in crate::plugin) fn start(&mut self, id: u64, request: &K::Request) -> Result<Step<K>, Fault> {
        self.turn(|guest, store| K::start(guest, store, id, request))
    }

    pub(in crate::plugin) fn resume(&mut self, id: u64, event: &io::Event) -> Result<Step<K>, Fault> {
        self.turn(|guest, store| K::resume(guest, store, id, event))
    }

    pub(in crate::plugin) fn cancel(&mut self, id: u64) -> Result<(), Fault> {
        self.turn(|guest, store| K::cancel(guest, store, id))
    }

    pub(in crate::plugin) fn memory_bytes(&self) -> usize {
        self.store.data().memory_bytes()
    }

    fn turn<R>(&mut self, run: impl FnOnce(&K::Guest, &mut Store<HostState>) -> wasmtime::Result<R>) -> Result<R, Fault> {
        let _ticking = self.engine.ticker.turn();
        begin_turn(&mut self.store, self.turn_cpu_max + std::mem::take(&mut self.allowance));
        run(&self.guest, &mut self.store).map_err(|error| fault(&mut self.store, &error))
    }
}

pub(super) fn instantiate(
    engine: &Engine,
    pre: &InstancePre<HostState>,
    label: &Arc<str>,
    limits: InstanceLimits,
) -> Result<(Store<HostState>, wasmtime::component::Instance), Fault> {
    let mut store = Store::new(&engine.wasmtime, HostState::new(label.clone(), limits.memory_bytes_max));
    store.limiter(|state| state);
    store.set_hostcall_fuel(limits::PLUGIN_STEP_BYTES_MAX);
    store.epoch_deadline_callback(|mut context| match context.data_mut().clock.tick() {
        Verdict::GoOn => Ok(UpdateDeadline::Continue(1)),
        Verdict::Stop(reason) => Err(Refusal(reason).into()),
    });
    let _ticking = engine.ticker.turn();
    begin_turn(&mut store, limits.turn_cpu_max);
    match pre.instantiate(&mut store) {
        Ok(instance) => Ok((store, instance)),
        Err(error) => Err(fault(&mut store, &error)),
    }
}

pub(super) fn begin_turn(store: &mut Store<HostState>, cpu_max: Duration) {
    store.data_mut().clock.reset(cpu_max);
    store.data_mut().last_words = None;
    store.set_epoch_deadline(1);
}

pub(super) fn fault(store: &mut Store<HostState>, error: &wasmtime::Error) -> Fault {
    if let Some(refusal) = error.downcast_ref::<Refusal>() {
        return Fault(refusal.0.clone());
    }
    if error.downcast_ref::<wasmtime::PoolConcurrencyLimitError>().is_some() {
        return Fault("no room for another instance; try again when other calls have ended".into());
    }
    let trap = match error.downcast_ref::<wasmtime::Trap>() {
        Some(wasmtime::Trap::StackOverflow) => "its stack overflowed".to_owned(),
        Some(trap) => format!("it trapped ({trap})"),
        None => format!("it broke its contract ({})", error.root_cause()),
    };
    Fault(match store.data_mut().last_words.take() {
        Some(words) => with_last_words(&trap, &words),
        None => trap,
    })
}

/// The plugin's own words stand behind a sentence of the host, so that they can not be taken for one.
fn with_last_words(trap: &str, words: &str) -> String {
    match words.strip_prefix("thread ").and_then(|words| words.split_once(" panicked at ")) {
        Some((_, panic)) => format!("it panicked at {panic}"),
        None => format!("{trap}; its last words: {words}"),
    }
}

#[cfg(test)]
mod tests {
    use super::with_last_words;

    #[test]
    fn words_of_a_plugin_stand_behind_those_of_the_host() {
        let trap = "it trapped (unreachable)";
        assert_eq!(
            with_last_words(trap, "thread '<unnamed>' (1) panicked at src/lib.rs:3:5: broken"),
            "it panicked at src/lib.rs:3:5: broken"
        );
        assert_eq!(with_last_words(trap, "all is well"), "it trapped (unreachable); its last words: all is well");
    }
}

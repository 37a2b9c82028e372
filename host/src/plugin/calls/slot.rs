//! One instance and its one owner: a lock for short network turns, a thread of its own for those that compute or are not trusted.
//!
//! Not here: which calls sit in it (`pool`).

use crate::limits;
use crate::plugin::code::{Fault, Instance, Kind};
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use std::time::Instant;
use tokio::sync::oneshot;
use tokio_util::sync::CancellationToken;

/// How a turn ended without a step.
pub(super) enum TurnError {
    /// This very turn killed the instance.
    Fault(Fault),
    /// The instance was already dead: another call killed it.
    Dead,
}

/// Where turns run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Owner {
    /// The caller's thread, one turn at a time.
    Lock,
    Thread {
        /// How far it gives way to what a person waits for; 0: not at all.
        nice: i32,
    },
}

pub(super) struct Slot<K: Kind> {
    runner: Runner<K>,
    shared: Arc<Shared>,
    /// Changed under the pool's lock only.
    pub(super) calls: AtomicUsize,
    pub(super) calls_total: AtomicU64,
    born: Instant,
}

#[derive(Default)]
struct Shared {
    dead: CancellationToken,
    reason: OnceLock<String>,
    memory_bytes: AtomicUsize,
}

enum Runner<K: Kind> {
    Lock(Mutex<Option<Instance<K>>>),
    Thread(SyncSender<Job<K>>),
}

type Job<K> = Box<dyn FnOnce(&mut Option<Instance<K>>) + Send>;

impl<K: Kind> Slot<K> {
    pub(super) fn new(instance: Instance<K>, owner: Owner, calls_max: usize) -> std::io::Result<Self> {
        let shared = Arc::new(Shared::default());
        shared.memory_bytes.store(instance.memory_bytes(), Ordering::Relaxed);
        let runner = match owner {
            Owner::Lock => Runner::Lock(Mutex::new(Some(instance))),
            Owner::Thread { nice } => {
                // Each call has at most one turn and one cancel on the way.
                let (send, receive) = sync_channel(calls_max * 2 + 2);
                std::thread::Builder::new().name(format!("plugin-{}", K::NAME)).spawn(move || own(instance, &receive, nice))?;
                Runner::Thread(send)
            }
        };
        Ok(Self { runner, shared, calls: AtomicUsize::new(0), calls_total: AtomicU64::new(0), born: Instant::now() })
    }

    pub(super) fn dead(&self) -> &CancellationToken {
        &self.shared.dead
    }

    /// Why it died.
    pub(super) fn reason(&self) -> &str {
        self.shared.reason.get().map_or("it was ended", String::as_str)
    }

    /// Takes no new calls: grown, old or used up.
    pub(super) fn is_worn(&self) -> bool {
        self.shared.memory_bytes.load(Ordering::Relaxed) > limits::PLUGIN_RECYCLE_BYTES
            || self.calls_total.load(Ordering::Relaxed) > limits::PLUGIN_RECYCLE_CALLS
            || self.born.elapsed() > limits::PLUGIN_RECYCLE_AGE
    }

    pub(super) fn memory_bytes(&self) -> usize {
        self.shared.memory_bytes.load(Ordering::Relaxed)
    }

    pub(super) async fn turn<R: Send + 'static>(
        &self,
        run: impl FnOnce(&mut Instance<K>) -> Result<R, Fault> + Send + 'static,
    ) -> Result<R, TurnError> {
        match &self.runner {
            Runner::Lock(instance) => self.shared.run(&mut instance.lock().unwrap_or_else(PoisonError::into_inner), run),
            Runner::Thread(jobs) => {
                let (send, receive) = oneshot::channel();
                let shared = self.shared.clone();
                let job: Job<K> = Box::new(move |instance| {
                    let _ = send.send(shared.run(instance, run));
                });
                jobs.try_send(job).map_err(|_| TurnError::Dead)?;
                receive.await.unwrap_or(Err(TurnError::Dead))
            }
        }
    }

    /// Tells the guest to forget a call; nobody waits for it, so a fault goes to `on_fault`.
    pub(super) fn cancel(&self, id: u64, on_fault: impl FnOnce(Fault) + Send + 'static) {
        let shared = self.shared.clone();
        let cancel = move |instance: &mut Option<Instance<K>>| match shared.run(instance, |instance| instance.cancel(id)) {
            Err(TurnError::Fault(fault)) => on_fault(fault),
            Ok(()) | Err(TurnError::Dead) => {}
        };
        match &self.runner {
            Runner::Lock(instance) => cancel(&mut instance.lock().unwrap_or_else(PoisonError::into_inner)),
            Runner::Thread(jobs) => {
                let _ = jobs.try_send(Box::new(cancel));
            }
        }
    }
}

impl Shared {
    /// Runs a turn; a fault drops the instance at once and tells everybody who sits in it.
    fn run<K: Kind, R>(
        &self,
        instance: &mut Option<Instance<K>>,
        run: impl FnOnce(&mut Instance<K>) -> Result<R, Fault>,
    ) -> Result<R, TurnError> {
        let Some(live) = instance else { return Err(TurnError::Dead) };
        match run(live) {
            Ok(result) => {
                self.memory_bytes.store(live.memory_bytes(), Ordering::Relaxed);
                Ok(result)
            }
            Err(fault) => {
                *instance = None;
                let _ = self.reason.set(fault.0.clone());
                self.dead.cancel();
                Err(TurnError::Fault(fault))
            }
        }
    }
}

/// The owner's thread: ends when its slot is dropped.
fn own<K: Kind>(instance: Instance<K>, jobs: &Receiver<Job<K>>, nice: i32) {
    if nice > 0 {
        // On Linux this concerns the calling thread alone. Where it is refused, ingestion merely is as quick as queries.
        let _ = rustix::process::nice(nice);
    }
    let mut instance = Some(instance);
    while let Ok(job) = jobs.recv() {
        job(&mut instance);
    }
}

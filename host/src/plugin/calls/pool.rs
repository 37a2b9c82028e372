//! Instances of one plugin and kind, and the seats in them.
//!
//! Not here: what a call does in its seat (`call`).

use super::breaker::Breaker;
use super::record::{Record, RecordBudget};
use super::slot::{Owner, Slot, TurnError};
use crate::plugin::code::{Code, Fault, Instance, Kind, Step};
use crate::plugin::wasm::wit::io;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

#[derive(Clone)]
pub(super) struct PoolShape {
    pub(super) calls_per_instance: usize,
    pub(super) instances_max: usize,
    pub(super) owner: Owner,
    /// Held for each turn: keeps ingestion from running more turns than there are cores.
    pub(super) turns: Option<Arc<Semaphore>>,
    /// What the records of its calls may take.
    pub(super) records: Arc<RecordBudget>,
}

pub(in crate::plugin) struct Pool<K: Kind> {
    code: Code,
    shape: PoolShape,
    slots: Mutex<Vec<Arc<Slot<K>>>>,
    seats: Arc<Semaphore>,
    growing: Mutex<()>,
    pub(super) breaker: Breaker,
    next_id: AtomicU64,
    made: AtomicU64,
}

/// Why there is no seat.
pub(super) enum NoSeat {
    Paused(String),
    Fault(Fault),
}

impl NoSeat {
    pub(super) fn into_text(self) -> String {
        match self {
            Self::Paused(text) | Self::Fault(Fault(text)) => text,
        }
    }
}

impl<K: Kind> Pool<K> {
    pub(super) fn new(code: Code, shape: PoolShape) -> Arc<Self> {
        let seats = Arc::new(Semaphore::new(shape.calls_per_instance * shape.instances_max));
        Arc::new(Self {
            code,
            shape,
            slots: Mutex::default(),
            seats,
            growing: Mutex::default(),
            breaker: Breaker::default(),
            next_id: AtomicU64::new(1),
            made: AtomicU64::new(0),
        })
    }

    /// Waits until a call may sit down; first come, first served.
    pub(super) async fn seat(self: &Arc<Self>) -> Result<Seat<K>, NoSeat> {
        self.breaker.check().map_err(NoSeat::Paused)?;
        // The semaphore is never closed, so there always is a permit in the end.
        let permit = self.seats.clone().acquire_owned().await.map_err(|_| NoSeat::Paused("it is shutting down".into()))?;
        self.breaker.check().map_err(NoSeat::Paused)?;
        let slot = self.place().map_err(NoSeat::Fault)?;
        Ok(Seat { pool: self.clone(), slot, id: self.next_id.fetch_add(1, Ordering::Relaxed), in_guest: false, _permit: permit })
    }

    fn place(&self) -> Result<Arc<Slot<K>>, Fault> {
        let slot = match self.take_slot() {
            Some(slot) => slot,
            None => self.grow().inspect_err(|fault| self.breaker.fault(&fault.0))?,
        };
        slot.calls_total.fetch_add(1, Ordering::Relaxed);
        Ok(slot)
    }

    /// A record for a new call; `None` where no other call can kill its instance.
    pub(super) fn record(&self) -> Option<Record> {
        (self.shape.calls_per_instance > 1).then(|| Record::new(self.shape.records.clone()))
    }

    /// The fullest instance with room, so that the others can empty and be dropped; of equals the oldest, which gives way least.
    fn take_slot(&self) -> Option<Arc<Slot<K>>> {
        let mut slots = self.slots.lock().unwrap_or_else(PoisonError::into_inner);
        slots.retain(|slot| !slot.dead().is_cancelled());
        let with_room =
            slots.iter().rev().filter(|slot| slot.calls.load(Ordering::Relaxed) < self.shape.calls_per_instance && !slot.is_worn());
        let slot = with_room.max_by_key(|slot| slot.calls.load(Ordering::Relaxed))?.clone();
        slot.calls.fetch_add(1, Ordering::Relaxed);
        Some(slot)
    }

    /// One at a time: calls that come together sit down together, instead of each making an instance.
    fn grow(&self) -> Result<Arc<Slot<K>>, Fault> {
        let _turn = self.growing.lock().unwrap_or_else(PoisonError::into_inner);
        self.take_slot().map_or_else(|| self.add_slot(), Ok)
    }

    fn add_slot(&self) -> Result<Arc<Slot<K>>, Fault> {
        let instance = self.code.instantiate::<K>()?;
        self.made.fetch_add(1, Ordering::Relaxed);
        let owner = match self.shape.owner {
            // The second one and those after it take only what nobody else wants.
            Owner::Thread { nice } if nice > 0 && !self.slots.lock().unwrap_or_else(PoisonError::into_inner).is_empty() => {
                Owner::Thread { nice: nice * 2 }
            }
            owner @ (Owner::Thread { .. } | Owner::Lock) => owner,
        };
        let slot =
            Slot::new(instance, owner, self.shape.calls_per_instance).map_err(|error| Fault(format!("no thread for it: {error}")))?;
        slot.calls.store(1, Ordering::Relaxed);
        let slot = Arc::new(slot);
        self.slots.lock().unwrap_or_else(PoisonError::into_inner).push(slot.clone());
        Ok(slot)
    }

    /// A call has left: empty instances beyond the first, and worn ones, go.
    fn leave(&self, slot: &Arc<Slot<K>>) {
        let mut slots = self.slots.lock().unwrap_or_else(PoisonError::into_inner);
        if slot.calls.fetch_sub(1, Ordering::Relaxed) > 1 {
            return;
        }
        let empty = slots.iter().filter(|slot| slot.calls.load(Ordering::Relaxed) == 0).count();
        let surplus = self.shape.owner == Owner::Lock && empty > 1;
        if slot.is_worn() || surplus || slot.dead().is_cancelled() {
            slots.retain(|kept| !Arc::ptr_eq(kept, slot));
        }
    }

    /// Live instances and the linear memory that they hold.
    pub(super) fn usage(&self) -> (usize, usize) {
        let slots = self.slots.lock().unwrap_or_else(PoisonError::into_inner);
        (slots.len(), slots.iter().map(|slot| slot.memory_bytes()).sum())
    }

    /// Instances since the start, those that are gone included.
    pub(super) fn made(&self) -> u64 {
        self.made.load(Ordering::Relaxed)
    }

    pub(super) fn is_idle(&self) -> bool {
        self.slots.lock().unwrap_or_else(PoisonError::into_inner).iter().all(|slot| slot.calls.load(Ordering::Relaxed) == 0)
    }
}

/// A place for one call in an instance. Dropping it makes the guest forget the call.
pub(super) struct Seat<K: Kind> {
    pool: Arc<Pool<K>>,
    pub(super) slot: Arc<Slot<K>>,
    id: u64,
    /// The guest knows the call's id.
    in_guest: bool,
    _permit: OwnedSemaphorePermit,
}

impl<K: Kind> Seat<K> {
    pub(super) async fn start(&mut self, request: Arc<K::Request>, picture_bytes: usize) -> Result<Step<K>, TurnError> {
        self.turn(move |instance, id| {
            instance.allow_for(picture_bytes);
            instance.start(id, &request)
        })
        .await
    }

    pub(super) async fn resume(&mut self, event: Arc<io::Event>, picture_bytes: usize) -> Result<Step<K>, TurnError> {
        self.turn(move |instance, id| {
            instance.allow_for(picture_bytes);
            instance.resume(id, &event)
        })
        .await
    }

    /// `run` gets the instance and the call's id.
    async fn turn<R: Send + 'static>(
        &mut self,
        run: impl FnOnce(&mut Instance<K>, u64) -> Result<R, Fault> + Send + 'static,
    ) -> Result<R, TurnError> {
        let _turn = match &self.pool.shape.turns {
            Some(turns) => turns.acquire().await.ok(),
            None => None,
        };
        let id = self.id;
        self.in_guest = true;
        self.slot.turn(move |instance| run(instance, id)).await
    }

    /// Into another instance, with the same id, because its own is dead. A pause of the plugin concerns new calls only.
    pub(super) fn move_on(&mut self) -> Result<(), Fault> {
        let slot = self.pool.place()?;
        self.in_guest = false;
        let old = std::mem::replace(&mut self.slot, slot);
        self.pool.leave(&old);
        Ok(())
    }

    /// The guest has ended the call by itself.
    pub(super) fn ended(mut self) {
        self.in_guest = false;
    }
}

impl<K: Kind> Drop for Seat<K> {
    fn drop(&mut self) {
        if self.in_guest && !self.slot.dead().is_cancelled() {
            let pool = self.pool.clone();
            self.slot.cancel(self.id, move |fault| {
                tracing::warn!(kind = K::NAME, "plugin fault while a call was given up: {fault}");
                pool.breaker.fault(&fault.0);
            });
        }
        self.pool.leave(&self.slot);
    }
}

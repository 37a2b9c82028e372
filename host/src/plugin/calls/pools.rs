//! The pools of one plugin and kind: by profile, by who waits, and for third-party plugins by tenant.
//!
//! Not here: instances (`pool`).

use super::call::Call;
use super::pool::{Pool, PoolShape};
use super::record::RecordBudget;
use super::slot::Owner;
use crate::domain::TenantId;
use crate::limits;
use crate::plugin::asks::CallEnv;
use crate::plugin::code::{Code, Kind};
use knowhost_plugin_sdk::manifest::Profile;
use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use tokio::sync::Semaphore;

/// What decides about instances.
#[derive(Clone, Copy, Debug)]
pub(in crate::plugin) struct Use {
    pub(in crate::plugin) profile: Profile,
    /// Not shipped with this server.
    pub(in crate::plugin) third_party: bool,
    /// Of a network plugin.
    pub(in crate::plugin) calls_per_instance: usize,
}

/// How far ingestion gives way to what a person waits for.
const NICE: i32 = 5;

/// The cores, which ingestion may have all while nobody needs them.
#[derive(Clone)]
pub(in crate::plugin) struct Cores {
    count: usize,
    background: Arc<Semaphore>,
}

impl Cores {
    pub(in crate::plugin) fn of_this_machine() -> Self {
        let count = std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
        Self { count, background: Arc::new(Semaphore::new(count)) }
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
struct PoolKey {
    /// `None`: shared by all tenants.
    tenant: Option<TenantId>,
    /// Network pools do not tell them apart.
    background: bool,
}

pub(in crate::plugin) struct Pools<K: Kind> {
    code: Code,
    how: Use,
    cores: Cores,
    records: Arc<RecordBudget>,
    pools: Mutex<HashMap<PoolKey, Arc<Pool<K>>>>,
}

impl<K: Kind> Pools<K> {
    pub(in crate::plugin) fn new(code: Code, how: Use, cores: Cores, records: Arc<RecordBudget>) -> Self {
        Self { code, how, cores, records, pools: Mutex::default() }
    }

    /// A call that starts when it is first read.
    pub(in crate::plugin) fn call(&self, env: Arc<CallEnv>, request: K::Request) -> Call<K> {
        let background = self.how.profile == Profile::Compute && !env.context.interactive;
        let key = PoolKey { tenant: self.how.third_party.then_some(env.context.tenant_id), background };
        Call::new(self.pool(key), env, request)
    }

    fn pool(&self, key: PoolKey) -> Arc<Pool<K>> {
        let mut pools = self.pools.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(pool) = pools.get(&key) {
            return pool.clone();
        }
        if pools.len() >= limits::PLUGIN_TENANT_POOLS_MAX {
            pools.retain(|_, pool| !pool.is_idle());
        }
        let pool = Pool::new(self.code.clone(), self.shape(key));
        pools.insert(key, pool.clone());
        pool
    }

    fn shape(&self, key: PoolKey) -> PoolShape {
        match self.how.profile {
            Profile::Network => PoolShape {
                calls_per_instance: self.how.calls_per_instance.clamp(1, limits::PLUGIN_CALLS_PER_INSTANCE),
                instances_max: limits::PLUGIN_NETWORK_INSTANCES_MAX,
                // A stranger's endless loop must not hold a thread that serves requests.
                owner: if self.how.third_party || self.code.needs_own_thread() { Owner::Thread { nice: 0 } } else { Owner::Lock },
                turns: None,
                records: self.records.clone(),
            },
            Profile::Compute => PoolShape {
                calls_per_instance: 1,
                instances_max: self.cores.count,
                owner: Owner::Thread { nice: if key.background { NICE } else { 0 } },
                turns: key.background.then(|| self.cores.background.clone()),
                records: self.records.clone(),
            },
        }
    }

    /// Why new calls are refused at the moment, if they are.
    pub(in crate::plugin) fn paused(&self) -> Option<String> {
        let pools = self.pools.lock().unwrap_or_else(PoisonError::into_inner);
        pools.values().find_map(|pool| pool.breaker.check().err())
    }

    /// Instances since the start, those that are gone included.
    pub(in crate::plugin) fn made(&self) -> u64 {
        self.pools.lock().unwrap_or_else(PoisonError::into_inner).values().map(|pool| pool.made()).sum()
    }

    /// Live instances and their linear memory in bytes.
    pub(in crate::plugin) fn usage(&self) -> (usize, usize) {
        let pools = self.pools.lock().unwrap_or_else(PoisonError::into_inner);
        pools.values().map(|pool| pool.usage()).fold((0, 0), |all, one| (all.0 + one.0, all.1 + one.1))
    }
}

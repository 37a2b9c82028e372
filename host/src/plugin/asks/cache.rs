//! The small store of a plugin for one tenant: recently used values stay, up to the bytes in its manifest.
//!
//! Not here: anything lasting; a restart empties it, and a plugin must do without.

use crate::domain::TenantId;
use crate::limits;
use std::collections::{BTreeMap, HashMap};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

/// Fixed cost of an entry beside its key and value.
const ENTRY_BYTES: usize = 128;

type Owner = (TenantId, String);

#[derive(Default)]
pub(in crate::plugin) struct Caches(Mutex<All>);

#[derive(Default)]
struct All {
    stores: HashMap<Owner, OneStore>,
    bytes: usize,
    clock: u64,
}

#[derive(Default)]
struct OneStore {
    entries: HashMap<String, Entry>,
    /// Last use -> key.
    order: BTreeMap<u64, String>,
    bytes: usize,
    used: u64,
}

struct Entry {
    value: Vec<u8>,
    expires: Option<Instant>,
    used: u64,
}

impl Caches {
    pub(super) fn get(&self, tenant: TenantId, plugin: &str, key: &str) -> Option<Vec<u8>> {
        let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let all = &mut *all;
        all.clock += 1;
        let store = all.stores.get_mut(&(tenant, plugin.to_owned()))?;
        store.used = all.clock;
        let entry = store.entries.get_mut(key)?;
        if entry.expires.is_some_and(|at| at <= Instant::now()) {
            all.bytes -= store.remove(key);
            return None;
        }
        store.order.remove(&entry.used);
        entry.used = all.clock;
        store.order.insert(all.clock, key.to_owned());
        Some(entry.value.clone())
    }

    /// Older values make room; a value that alone is too large is refused.
    pub(super) fn put(
        &self,
        tenant: TenantId,
        plugin: &str,
        bytes_max: usize,
        key: String,
        value: Vec<u8>,
        ttl: Option<Duration>,
    ) -> Result<(), String> {
        let bytes = key.len() + value.len() + ENTRY_BYTES;
        if key.len() > limits::PLUGIN_CACHE_KEY_BYTES_MAX || bytes > bytes_max {
            return Err(format!("{bytes} bytes do not fit: cache_bytes_max in plugin.toml is {bytes_max}"));
        }
        let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let all = &mut *all;
        all.clock += 1;
        let owner = (tenant, plugin.to_owned());
        let store = all.stores.entry(owner.clone()).or_default();
        let before = store.bytes;
        store.remove(&key);
        while store.bytes + bytes > bytes_max {
            let Some(oldest) = store.order.first_key_value().map(|(_, key)| key.clone()) else { break };
            store.remove(&oldest);
        }
        store.used = all.clock;
        store.bytes += bytes;
        store.order.insert(all.clock, key.clone());
        let expires = ttl.map(|ttl| Instant::now() + ttl);
        store.entries.insert(key, Entry { value, expires, used: all.clock });
        all.bytes = all.bytes + store.bytes - before;
        all.shrink(&owner);
        Ok(())
    }
}

impl All {
    /// Drops whole stores, least recently used first, but not the one just written.
    fn shrink(&mut self, keep: &Owner) {
        while self.bytes > limits::PLUGIN_CACHES_BYTES_MAX {
            let oldest = self.stores.iter().filter(|(owner, _)| *owner != keep).min_by_key(|(_, store)| store.used);
            let Some(owner) = oldest.map(|(owner, _)| owner.clone()) else { return };
            if let Some(store) = self.stores.remove(&owner) {
                self.bytes -= store.bytes;
            }
        }
    }
}

impl OneStore {
    /// Bytes that became free.
    fn remove(&mut self, key: &str) -> usize {
        let Some(entry) = self.entries.remove(key) else { return 0 };
        self.order.remove(&entry.used);
        let bytes = key.len() + entry.value.len() + ENTRY_BYTES;
        self.bytes -= bytes;
        bytes
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TENANT: TenantId = TenantId(1);

    #[test]
    fn least_recently_used_value_makes_room() {
        let caches = Caches::default();
        let put = |key: &str| caches.put(TENANT, "p", 700, key.into(), vec![0; 200], None);
        put("a").unwrap();
        put("b").unwrap();
        assert!(caches.get(TENANT, "p", "a").is_some());
        put("c").unwrap();
        assert!(caches.get(TENANT, "p", "b").is_none());
        assert!(caches.get(TENANT, "p", "a").is_some() && caches.get(TENANT, "p", "c").is_some());
    }

    #[test]
    fn tenants_and_plugins_do_not_see_each_other() {
        let caches = Caches::default();
        caches.put(TENANT, "p", 1_000, "k".into(), vec![1], None).unwrap();
        assert!(caches.get(TenantId(2), "p", "k").is_none() && caches.get(TENANT, "q", "k").is_none());
        assert_eq!(caches.get(TENANT, "p", "k"), Some(vec![1]));
    }

    #[test]
    fn too_large_and_expired_values_are_not_kept() {
        let caches = Caches::default();
        let text = caches.put(TENANT, "p", 100, "k".into(), vec![0; 100], None).unwrap_err();
        assert!(text.contains("cache_bytes_max"), "{text}");
        caches.put(TENANT, "p", 1_000, "k".into(), vec![1], Some(Duration::ZERO)).unwrap();
        assert_eq!(caches.get(TENANT, "p", "k"), None);
    }
}

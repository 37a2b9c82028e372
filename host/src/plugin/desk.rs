//! The operator's desk: lists the plugins of the folder, allows, narrows, rolls back and denies them while the server runs.
//!
//! Not here: what happens at the start (`plugins`), and who may come to the desk (`library`, `http::auth`).

use super::binary::{Binary, form_of};
use super::folder::{self, Found};
use super::incomplete::{Incomplete, Loading};
use super::kept::Kept;
use super::listing;
use super::loaded::Plugin;
use super::lock::{Entry, Lock};
use super::plugins::Plugins;
use crate::error::{Error, Result};
use crate::provider::{PluginDesk, PluginForm, PluginGrantsChange, PluginListing, PluginState};
use std::sync::PoisonError;

impl PluginDesk for Plugins {
    fn list(&self) -> Result<Vec<PluginListing>> {
        let lock = Lock::read(&self.config.lock_file)?;
        let loaded = self.loaded.read().unwrap_or_else(PoisonError::into_inner).clone();
        let shipped = loaded.values().filter(|plugin| !plugin.third_party).map(|plugin| of_loaded(plugin, PluginState::Shipped));
        let mut all: Vec<PluginListing> = shipped.collect();
        let incomplete = self.incomplete.read().unwrap_or_else(PoisonError::into_inner);
        all.extend(incomplete.values().filter(|plugin| !plugin.third_party).map(Incomplete::listing));
        all.sort_by(|left, right| left.name.cmp(&right.name));
        for found in folder::scan(&self.config.plugins_dir) {
            let state = self.state(&lock, &found);
            let mut listing = match &found.manifest {
                Ok(manifest) => match loaded.get(&manifest.name).filter(|plugin| plugin.identity.digest == found.digest) {
                    Some(plugin) if state == PluginState::Allowed => of_loaded(plugin, state),
                    Some(_) | None => match incomplete.get(&manifest.name).filter(|plugin| plugin.digest == found.digest) {
                        Some(plugin) if state == PluginState::Allowed => plugin.listing(),
                        Some(_) | None => listing::of_manifest(manifest, found.digest, found.form, state),
                    },
                },
                Err(error) => listing::unreadable(&found.file, found.form, format!("{error:#}")),
            };
            if let Some(entry) = lock.find(&listing.name).filter(|entry| entry.digest == listing.digest) {
                entry.show(&mut listing);
            }
            listing.file = Some(found.file);
            all.push(listing);
        }
        Ok(all)
    }

    fn allow(&self, name: &str, digest: Option<&str>) -> Result<PluginListing> {
        self.decide(name, digest, false)
    }

    fn allow_native(&self, name: &str, digest: &str) -> Result<PluginListing> {
        self.decide(name, Some(digest), true)
    }

    fn grant(&self, name: &str, change: &PluginGrantsChange) -> Result<PluginListing> {
        let _guard = self.lock.lock().unwrap_or_else(PoisonError::into_inner);
        if self.is_shipped(name) {
            return Err(Error::BadRequest(format!("{name} ships with this server and has what it asks for")));
        }
        let mut lock = Lock::read(&self.config.lock_file)?;
        let found = self.find_file(name)?;
        let entry = lock.find(name).filter(|entry| entry.allows(&found.digest, found.form));
        let (Some(entry), Ok(manifest)) = (entry, &found.manifest) else {
            return Err(Error::Conflict(format!("{name} is not allowed as it is; run `knowhost plugin allow {name}` first")));
        };
        let entry = entry.changed(manifest, change).map_err(Error::BadRequest)?;
        lock.set(entry.clone());
        lock.write(&self.config.lock_file)?;
        tracing::info!(plugin = name, narrowed = entry.narrowed, "grants changed");
        let loaded = self.loaded.read().unwrap_or_else(PoisonError::into_inner).get(name).cloned();
        let mut shown = match loaded {
            Some(plugin) => {
                plugin.set_granted(&entry.granted());
                of_loaded(&plugin, PluginState::Allowed)
            }
            None => listing::of_manifest(manifest, found.digest, found.form, PluginState::Allowed),
        };
        shown.file = Some(found.file);
        entry.show(&mut shown);
        Ok(shown)
    }

    fn roll_back(&self, name: &str) -> Result<PluginListing> {
        let _guard = self.lock.lock().unwrap_or_else(PoisonError::into_inner);
        let mut lock = Lock::read(&self.config.lock_file)?;
        let entry = lock.find(name).ok_or_else(|| Error::not_found(format!("no plugin {name} was allowed")))?;
        let previous = entry
            .previous
            .clone()
            .ok_or_else(|| Error::Conflict(format!("{name} {} is the first version that was allowed here", entry.version)))?;
        let bytes = self.kept().read(&previous.digest).map_err(|error| Error::Conflict(format!("{error:#}")))?;
        let form = form_of(&bytes);
        if form == PluginForm::Native && !previous.allow_native {
            return Err(Error::Conflict(format!("{name} {} is a native library that was not allowed to run", previous.version)));
        }
        let file = self.find_file(name).map_or_else(|_| format!("{name}.wasm"), |found| found.file);
        let loading =
            self.workshop.load_or_wait(Binary::from(bytes.clone()), true).map_err(|error| Error::BadRequest(format!("{error:#}")))?;
        let entry = Entry::new(loading.manifest(), previous.digest, form, Some(entry));
        // The lock first: a server that dies in between finds a file that it does not load, and never one that nobody allowed.
        lock.set(entry.clone());
        lock.write(&self.config.lock_file)?;
        folder::replace(&self.config.plugins_dir.join(&file), &bytes)?;
        tracing::info!(plugin = name, version = entry.version, digest = entry.digest, "plugin rolled back");
        Ok(self.take_in(loading, &entry, file))
    }

    fn deny(&self, name: &str) -> Result<()> {
        let _guard = self.lock.lock().unwrap_or_else(PoisonError::into_inner);
        if self.is_shipped(name) {
            return Err(Error::BadRequest(format!("{name} ships with this server and can not be denied")));
        }
        let mut lock = Lock::read(&self.config.lock_file)?;
        if !lock.remove(name) {
            return Err(Error::not_found(format!("no plugin {name} was allowed")));
        }
        lock.write(&self.config.lock_file)?;
        self.incomplete.write().unwrap_or_else(PoisonError::into_inner).remove(name);
        if let Some(plugin) = self.loaded.write().unwrap_or_else(PoisonError::into_inner).remove(name) {
            tracing::info!(plugin = %plugin.identity, "plugin denied");
            plugin.revoke();
        }
        Ok(())
    }
}

impl Plugins {
    fn decide(&self, name: &str, digest: Option<&str>, native: bool) -> Result<PluginListing> {
        let _guard = self.lock.lock().unwrap_or_else(PoisonError::into_inner);
        if self.is_shipped(name) {
            return Err(Error::BadRequest(format!("{name} ships with this server and needs no permission")));
        }
        let found = self.find_file(name)?;
        if digest.is_some_and(|seen| seen != found.digest) {
            return Err(Error::Conflict(format!("the file of {name} was changed after it was shown; its digest is {} now", found.digest)));
        }
        match (found.form, native) {
            (PluginForm::Native, false) => {
                return Err(Error::BadRequest(format!(
                    "{name} is a native library: it would run as the server itself, without a sandbox or limits; if that is wanted: knowhost plugin \
                     allow {name} --native"
                )));
            }
            (PluginForm::Component | PluginForm::Linked, true) => {
                return Err(Error::BadRequest(format!("{name} is a component and is allowed without --native")));
            }
            (PluginForm::Native, true) | (PluginForm::Component | PluginForm::Linked, false) => {}
        }
        // Compiled and warmed up beside the one in use; only a plugin that loads, or that merely waits for its files, is written down.
        let loading =
            self.workshop.load_or_wait(Binary::from(found.bytes.clone()), true).map_err(|error| Error::BadRequest(format!("{error:#}")))?;
        let mut lock = Lock::read(&self.config.lock_file)?;
        let entry = Entry::new(loading.manifest(), found.digest, found.form, lock.find(name));
        self.kept().keep(&entry.digest, &found.bytes)?;
        lock.set(entry.clone());
        lock.write(&self.config.lock_file)?;
        self.kept().keep_only(lock.digests());
        tracing::info!(plugin = name, version = entry.version, digest = entry.digest, form = ?found.form, "plugin allowed");
        Ok(self.take_in(loading, &entry, found.file))
    }

    /// Puts it in the place of what ran before, and says how it stands.
    fn take_in(&self, loading: Loading, entry: &Entry, file: String) -> PluginListing {
        let mut shown = match &loading {
            Loading::Ready(plugin) => of_loaded(plugin, PluginState::Allowed),
            Loading::Incomplete(plugin) => plugin.listing(),
        };
        shown.file = Some(file);
        entry.show(&mut shown);
        self.insert(loading);
        shown
    }

    fn kept(&self) -> Kept {
        Kept::beside(&self.config.plugins_dir)
    }

    fn find_file(&self, name: &str) -> Result<Found> {
        let is_it = |found: &Found| found.manifest.as_ref().is_ok_and(|manifest| manifest.name == name);
        let mut found: Vec<Found> = folder::scan(&self.config.plugins_dir).into_iter().filter(is_it).collect();
        match (found.pop(), found.pop()) {
            (Some(one), None) => Ok(one),
            (Some(one), Some(other)) => Err(Error::Conflict(format!("two files hold the plugin {name}: {} and {}", other.file, one.file))),
            (None, _) => Err(Error::not_found(format!("there is no plugin {name} in the plugins folder"))),
        }
    }
}

fn of_loaded(plugin: &Plugin, state: PluginState) -> PluginListing {
    let (instances, memory_bytes) = plugin.usage();
    PluginListing {
        kinds: plugin.kinds.iter().map(|kind| (*kind).to_owned()).collect(),
        loaded_from: Some(plugin.from),
        load_time_us: u64::try_from(plugin.load_time.as_micros()).unwrap_or(u64::MAX),
        instances,
        memory_bytes,
        paused: plugin.paused(),
        ..listing::of_manifest(&plugin.manifest, plugin.identity.digest.clone(), plugin.form, state)
    }
}

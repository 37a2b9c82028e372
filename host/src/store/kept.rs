//! Rows that nearly every request needs, kept in memory until their table changes.
//!
//! Not here: which queries are kept. Only this process writes (the data folder is locked), and all of its writes go through one connection, whose
//! update hook tells of every changed row before the change can be seen. So nobody has to remember to invalidate anything.
//! While the old server works on the same database (`Store::share_database`), nothing is kept.

use crate::domain::TenantId;
use crate::error::Result;
use crate::limits::KEPT_ROWS_MAX;
use sqlx::Connection;
use sqlx::sqlite::{SqliteConnection, SqlitePoolOptions};
use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

/// What is kept of a table is thrown away together.
#[derive(Default)]
pub(super) struct Version {
    changes: AtomicU64,
    /// The writer changed the table and may not have committed yet: what is read meanwhile may be of before or after.
    is_changing: AtomicBool,
}

impl Version {
    /// `None` while it changes.
    pub(super) fn now(&self) -> Option<u64> {
        let changes = self.changes.load(Ordering::SeqCst);
        (!self.is_changing.load(Ordering::SeqCst)).then_some(changes)
    }
}

/// The tables whose rows are kept.
#[derive(Default)]
pub(super) struct Versions {
    tenants: Version,
    knowledge_bases: Version,
    models: Version,
    users: Version,
    auth_tokens: Version,
    /// Others write too, and nobody hears of it.
    is_shared: AtomicBool,
}

impl Versions {
    pub(super) fn share(&self) {
        self.is_shared.store(true, Ordering::SeqCst);
    }

    pub(super) fn of(&self, table: &str) -> Option<&Version> {
        match table {
            "tenants" => Some(&self.tenants),
            "knowledge_bases" => Some(&self.knowledge_bases),
            "models" => Some(&self.models),
            "users" => Some(&self.users),
            "auth_tokens" => Some(&self.auth_tokens),
            _ => None,
        }
    }

    fn changing(&self, table: &str) {
        if let Some(version) = self.of(table) {
            version.is_changing.store(true, Ordering::SeqCst);
            version.changes.fetch_add(1, Ordering::SeqCst);
        }
    }

    /// The writer has nothing under way.
    fn settled(&self) {
        for version in [&self.tenants, &self.knowledge_bases, &self.models, &self.users, &self.auth_tokens] {
            if version.is_changing.load(Ordering::SeqCst) {
                version.changes.fetch_add(1, Ordering::SeqCst);
                version.is_changing.store(false, Ordering::SeqCst);
            }
        }
    }

    /// Has the one connection of a pool of writers tell of its changes.
    pub(super) fn watch(self: &Arc<Self>, options: SqlitePoolOptions) -> SqlitePoolOptions {
        let (connected, released) = (self.clone(), self.clone());
        options
            .after_connect(move |connection, _| {
                let versions = connected.clone();
                Box::pin(async move {
                    versions.settled();
                    connection.lock_handle().await?.set_update_hook(move |update| versions.changing(update.table));
                    Ok(())
                })
            })
            .after_release(move |connection, _| {
                let versions = released.clone();
                Box::pin(async move { settle(connection, &versions).await })
            })
    }
}

/// A caller who left may have left a commit in the connection's queue; the ping waits behind it.
async fn settle(connection: &mut SqliteConnection, versions: &Versions) -> std::result::Result<bool, sqlx::Error> {
    connection.ping().await?;
    versions.settled();
    Ok(true)
}

/// Whose rows, and which of them: an id, or what else the query asks for.
type Key = (TenantId, String);

/// Answers of one query by its parameters.
pub(super) struct Kept<V> {
    table: fn(&Versions) -> &Version,
    versions: Arc<Versions>,
    rows: Mutex<HashMap<Key, (u64, V)>>,
}

impl<V: Clone> Kept<V> {
    fn new(versions: &Arc<Versions>, table: fn(&Versions) -> &Version) -> Self {
        Self { table, versions: versions.clone(), rows: Mutex::default() }
    }

    /// What is kept, else what `read` answers, which is kept where `keep` agrees.
    pub(super) async fn get_or_read(
        &self,
        tenant_id: TenantId,
        what: &str,
        keep: impl FnOnce(&V) -> bool,
        read: impl Future<Output = Result<V>>,
    ) -> Result<V> {
        let version = (self.table)(&self.versions);
        let key = (tenant_id, what.to_owned());
        let Some(before) = version.now().filter(|_| !self.versions.is_shared.load(Ordering::SeqCst)) else { return read.await };
        if let Some((kept_at, value)) = self.rows.lock().unwrap_or_else(PoisonError::into_inner).get(&key)
            && *kept_at == before
        {
            return Ok(value.clone());
        }
        // Whatever is committed after this moment has raised the number before.
        let value = read.await?;
        if keep(&value) {
            let mut rows = self.rows.lock().unwrap_or_else(PoisonError::into_inner);
            if rows.len() >= KEPT_ROWS_MAX {
                rows.clear();
            }
            rows.insert(key, (before, value.clone()));
        }
        Ok(value)
    }
}

/// All that is kept.
pub(super) struct KeptRows {
    pub(super) tenants: Kept<Option<crate::domain::Tenant>>,
    pub(super) knowledge_bases: Kept<Option<crate::domain::KnowledgeBase>>,
    pub(super) knowledge_base_lists: Kept<Vec<crate::domain::KnowledgeBase>>,
    pub(super) fixed_embeddings: Kept<Option<super::EmbeddedBy>>,
    pub(super) models: Kept<Option<crate::domain::Model>>,
    pub(super) default_models: Kept<Option<crate::domain::Model>>,
    pub(super) users: Kept<Option<crate::domain::User>>,
    pub(super) auth_tokens: Kept<Option<crate::domain::AuthToken>>,
}

impl KeptRows {
    pub(super) fn new(versions: &Arc<Versions>) -> Self {
        Self {
            tenants: Kept::new(versions, |versions| &versions.tenants),
            knowledge_bases: Kept::new(versions, |versions| &versions.knowledge_bases),
            knowledge_base_lists: Kept::new(versions, |versions| &versions.knowledge_bases),
            fixed_embeddings: Kept::new(versions, |versions| &versions.knowledge_bases),
            models: Kept::new(versions, |versions| &versions.models),
            default_models: Kept::new(versions, |versions| &versions.models),
            users: Kept::new(versions, |versions| &versions.users),
            auth_tokens: Kept::new(versions, |versions| &versions.auth_tokens),
        }
    }
}

//! Facts about the database itself. Not here: the schema's version (`migrate`).

use super::Store;
use super::fault::fault;
use crate::error::Result;
use sqlx::SqlitePool;

/// Gives the database its random id once.
pub(super) async fn ensure_database_id(writer: &SqlitePool) -> Result<String> {
    sqlx::query_scalar(
        "insert into meta (key, value) values ('database_id', ?1) on conflict (key) do update set value = value returning value",
    )
    .bind(uuid::Uuid::new_v4().to_string())
    .fetch_one(writer)
    .await
    .map_err(fault("reading the database's id"))
}

impl Store {
    /// Random, made with the database: a follower that remembers another one was fed from another database.
    pub fn database_id(&self) -> &str {
        &self.inner.database_id
    }

    /// A fact that some room keeps about this database, e.g. that the sample was made.
    pub async fn find_fact(&self, key: &str) -> Result<Option<String>> {
        sqlx::query_scalar("select value from meta where key = 'fact_' || ?1")
            .bind(key)
            .fetch_optional(self.reader())
            .await
            .map_err(fault("reading a fact"))
    }

    /// Keeps a fact; `database_id` is not one of them.
    pub async fn save_fact(&self, key: &str, value: &str) -> Result<()> {
        sqlx::query("insert into meta (key, value) values ('fact_' || ?1, ?2) on conflict (key) do update set value = excluded.value")
            .bind(key)
            .bind(value)
            .execute(self.writer())
            .await
            .map_err(fault("keeping a fact"))?;
        Ok(())
    }
}

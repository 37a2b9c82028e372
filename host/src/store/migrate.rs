//! Brings the schema up to date at start. Not here: the SQL itself (`migrations/`).

use super::fault::fault;
use crate::domain::Timestamp;
use crate::error::{Error, Result};
use sqlx::SqlitePool;

struct Migration {
    version: i64,
    name: &'static str,
    sql: &'static str,
}

const MIGRATIONS: &[Migration] =
    &[Migration { version: 1, name: "initial", sql: include_str!("../../../migrations/sqlite/0001_initial.sql") }];

pub(super) async fn migrate(writer: &SqlitePool) -> Result<()> {
    migrate_with(writer, MIGRATIONS).await
}

async fn migrate_with(writer: &SqlitePool, migrations: &'static [Migration]) -> Result<()> {
    let mut transaction = writer.begin_with("begin immediate").await.map_err(fault("beginning the migration"))?;
    sqlx::query("create table if not exists schema_migrations (version integer not null primary key, name text not null, applied_at text not null) strict")
        .execute(&mut *transaction)
        .await
        .map_err(fault("making the table of migrations"))?;
    let present: i64 = sqlx::query_scalar("select coalesce(max(version), 0) from schema_migrations")
        .fetch_one(&mut *transaction)
        .await
        .map_err(fault("reading the schema's version"))?;
    let newest = migrations.last().map_or(0, |migration| migration.version);
    if present > newest {
        return Err(Error::Unavailable {
            reason: format!(
                "the database has schema version {present}, but this Knowhost knows versions up to {newest}: \
                 start the newer Knowhost that made it, or restore a backup from before the upgrade"
            ),
        });
    }
    for migration in migrations.iter().filter(|migration| migration.version > present) {
        sqlx::raw_sql(migration.sql).execute(&mut *transaction).await.map_err(|error| {
            Error::Internal(anyhow::Error::new(error).context(format!("migration {:04}_{} failed", migration.version, migration.name)))
        })?;
        sqlx::query("insert into schema_migrations (version, name, applied_at) values (?1, ?2, ?3)")
            .bind(migration.version)
            .bind(migration.name)
            .bind(Timestamp::now().to_column())
            .execute(&mut *transaction)
            .await
            .map_err(fault("noting a migration"))?;
    }
    transaction.commit().await.map_err(fault("committing the migrations"))
}

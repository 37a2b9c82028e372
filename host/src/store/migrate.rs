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

const MIGRATIONS: &[Migration] = &[
    Migration { version: 1, name: "initial", sql: include_str!("../../../migrations/sqlite/0001_initial.sql") },
    Migration { version: 2, name: "leases_and_retention", sql: include_str!("../../../migrations/sqlite/0002_leases_and_retention.sql") },
    Migration { version: 3, name: "evaluations", sql: include_str!("../../../migrations/sqlite/0003_evaluations.sql") },
];

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

#[cfg(test)]
mod tests {
    use super::*;
    use sha2::{Digest, Sha256};

    /// Edit no file that a release has applied: write the next number and add its digest here.
    const DIGESTS: &[(i64, &str)] = &[
        (1, "a85db10e0000b3401ee83a25f9e7ec5f066c0e93a8569ed5c8f389b7645ae154"),
        (2, "4b4f484389f4efdd4fd7b67575028fdbfec3c8c3c871ed665ad954ea98c2407f"),
        (3, "7a2148ea004c704787944e0bf96a39980bf57cb20f7a973af0fbf6cff495d4e6"),
    ];

    #[test]
    fn no_applied_migration_was_edited() {
        let digests: Vec<(i64, String)> =
            MIGRATIONS.iter().map(|migration| (migration.version, hex::encode(Sha256::digest(migration.sql)))).collect();
        let expected: Vec<(i64, String)> = DIGESTS.iter().map(|(version, digest)| (*version, (*digest).to_string())).collect();
        assert_eq!(digests, expected);
        assert!(MIGRATIONS.windows(2).all(|pair| pair[0].version + 1 == pair[1].version), "numbers have no gaps");
    }

    #[tokio::test]
    async fn a_migration_that_fails_leaves_the_schema_as_it_was() {
        const BROKEN: &[Migration] = &[
            Migration { version: 1, name: "good", sql: "create table a (x integer); create table b (x integer);" },
            Migration { version: 2, name: "broken", sql: "create table c (x integer); create table a (x integer);" },
        ];
        let folder = tempfile::tempdir().expect("temporary folder");
        let options = sqlx::sqlite::SqliteConnectOptions::new().filename(folder.path().join("x.db")).create_if_missing(true);
        let pool = sqlx::sqlite::SqlitePoolOptions::new().max_connections(1).connect_with(options).await.expect("opens");
        assert!(migrate_with(&pool, BROKEN).await.is_err());
        let tables: i64 = sqlx::query_scalar("select count(*) from sqlite_master").fetch_one(&pool).await.expect("reads");
        assert_eq!(tables, 0);
        migrate_with(&pool, &BROKEN[..1]).await.expect("migrates");
        migrate_with(&pool, &BROKEN[..1]).await.expect("has nothing to do");
        assert!(migrate_with(&pool, BROKEN).await.is_err());
        let version: i64 = sqlx::query_scalar("select max(version) from schema_migrations").fetch_one(&pool).await.expect("reads");
        assert_eq!(version, 1);
    }
}

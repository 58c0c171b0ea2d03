//! The database: schema, migrations, and the one way to write to it.

use super::{Faults, StoreError};
use crate::vault::private;
use rusqlite::{Connection, OptionalExtension as _, Params, Row, Transaction, TransactionBehavior};
use std::path::Path;
use std::sync::Arc;

/// One step per version; a released step is never edited, a new one is added.
const MIGRATIONS: &[&str] = &[
    "CREATE TABLE meta (name TEXT PRIMARY KEY, value BLOB NOT NULL) STRICT;
     CREATE TABLE settings (name TEXT PRIMARY KEY, value TEXT NOT NULL) STRICT;
     CREATE TABLE private (name TEXT PRIMARY KEY, sealed BLOB NOT NULL) STRICT;
     CREATE TABLE assignments (row BLOB PRIMARY KEY, place INTEGER NOT NULL, sealed BLOB NOT NULL) STRICT;
     CREATE TABLE studies (row BLOB PRIMARY KEY, sealed BLOB NOT NULL, used_at INTEGER NOT NULL) STRICT;
     CREATE TABLE series (row BLOB PRIMARY KEY, study BLOB NOT NULL REFERENCES studies(row) ON DELETE CASCADE,
                          sealed BLOB NOT NULL) STRICT;
     CREATE INDEX series_study ON series(study);
     CREATE TABLE instances (row BLOB PRIMARY KEY, study BLOB NOT NULL, file TEXT NOT NULL UNIQUE,
                             bytes INTEGER NOT NULL, sealed BLOB NOT NULL) STRICT;
     CREATE INDEX instances_study ON instances(study);
     CREATE TABLE thumbnails (row BLOB PRIMARY KEY, study BLOB NOT NULL, sealed BLOB NOT NULL) STRICT;
     CREATE INDEX thumbnails_study ON thumbnails(study);
     CREATE TABLE drafts (row BLOB PRIMARY KEY, saved_at INTEGER NOT NULL, sealed BLOB NOT NULL,
                          center_etag TEXT, mirrored_revision INTEGER) STRICT;
     CREATE TABLE signed (id INTEGER PRIMARY KEY AUTOINCREMENT, answers BLOB NOT NULL UNIQUE, assignment BLOB NOT NULL,
                          sealed BLOB NOT NULL, receipt BLOB) STRICT;
     CREATE INDEX signed_assignment ON signed(assignment);
     CREATE TABLE outbox (id INTEGER PRIMARY KEY REFERENCES signed(id), attempts INTEGER NOT NULL DEFAULT 0,
                          next_at INTEGER NOT NULL DEFAULT 0, wedged BLOB) STRICT;
     CREATE TABLE audit (sequence INTEGER PRIMARY KEY, hash TEXT NOT NULL, sealed BLOB NOT NULL,
                         at_center INTEGER NOT NULL DEFAULT 0) STRICT;",
    // Drafts have an owner. Those without one cannot be given to a reader: the center has them if they were mirrored.
    "DROP TABLE drafts;
     CREATE TABLE drafts (row BLOB PRIMARY KEY, owner BLOB NOT NULL, saved_at INTEGER NOT NULL, sealed BLOB NOT NULL,
                          center_etag TEXT, mirrored_revision INTEGER) STRICT;
     CREATE INDEX drafts_owner ON drafts(owner);
     DELETE FROM private WHERE name = 'reading-state';",
    "CREATE TABLE flags (row BLOB PRIMARY KEY, owner BLOB NOT NULL, sealed BLOB NOT NULL) STRICT;
     CREATE INDEX flags_owner ON flags(owner);",
    // Each center has an audit chain of its own. What was recorded before is the chain of the center that comes next.
    "ALTER TABLE audit RENAME TO audit_before;
     CREATE TABLE audit (chain TEXT NOT NULL, sequence INTEGER NOT NULL, hash TEXT NOT NULL, sealed BLOB NOT NULL,
                         at_center INTEGER NOT NULL DEFAULT 0, PRIMARY KEY (chain, sequence)) STRICT;
     INSERT INTO audit SELECT '', sequence, hash, sealed, at_center FROM audit_before;
     DROP TABLE audit_before;",
    // A refused entry that was settled with the center by a person: closed, its signed bytes kept.
    "ALTER TABLE outbox ADD COLUMN handed BLOB;",
];

/// The connection. Reads go straight through; writes only in [`Db::transaction`].
pub struct Db {
    connection: Connection,
    faults: Arc<dyn Faults>,
}

/// A transaction whose every write is announced to [`Faults`] first.
pub struct Tx<'a> {
    tx: Transaction<'a>,
    faults: &'a dyn Faults,
}

impl Tx<'_> {
    /// One statement that writes; gives the number of rows changed.
    pub fn run(&self, point: &'static str, sql: &str, params: impl Params) -> Result<usize, StoreError> {
        self.faults.before_write(point)?;
        Ok(self.tx.prepare_cached(sql)?.execute(params)?)
    }

    /// One row, if there is one.
    pub fn optional<T>(
        &self,
        sql: &str,
        params: impl Params,
        read: impl FnOnce(&Row<'_>) -> rusqlite::Result<T>,
    ) -> Result<Option<T>, StoreError> {
        Ok(self.tx.prepare_cached(sql)?.query_row(params, read).optional()?)
    }

    /// Number of the row inserted last.
    pub fn last_id(&self) -> i64 {
        self.tx.last_insert_rowid()
    }
}

impl Db {
    /// Opens or makes the database and brings it to the newest version.
    pub fn open(path: &Path, faults: Arc<dyn Faults>) -> Result<Self, StoreError> {
        faults.before_write("db.open")?;
        let connection = Connection::open(path)?;
        private::restrict_file(path)?;
        // FULL: a transaction that has returned survives a power cut, which is what "signed" and "saved" mean here.
        connection.pragma_update(None, "journal_mode", "WAL")?;
        connection.pragma_update(None, "synchronous", "FULL")?;
        connection.pragma_update(None, "foreign_keys", true)?;
        // Freed pages are overwritten; they hold sealed bytes, but gone is gone.
        connection.pragma_update(None, "secure_delete", true)?;
        connection.set_prepared_statement_cache_capacity(64);
        let mut db = Self { connection, faults };
        db.migrate()?;
        Ok(db)
    }

    fn migrate(&mut self) -> Result<(), StoreError> {
        let version: i64 = self.connection.pragma_query_value(None, "user_version", |r| r.get(0))?;
        let newest = MIGRATIONS.len() as i64;
        if version > newest || version < 0 {
            return Err(StoreError::NewerVersion(version));
        }
        for (step, sql) in MIGRATIONS.iter().enumerate().skip(version as usize) {
            self.faults.before_write("db.migrate")?;
            let tx = self.connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
            tx.execute_batch(sql)?;
            tx.pragma_update(None, "user_version", step as i64 + 1)?;
            self.faults.before_write("db.commit")?;
            tx.commit()?;
        }
        Ok(())
    }

    /// Runs `work` as one transaction: all of it is on disk when this returns `Ok`, none of it otherwise.
    pub fn transaction<T>(&mut self, work: impl FnOnce(&Tx<'_>) -> Result<T, StoreError>) -> Result<T, StoreError> {
        let faults = Arc::clone(&self.faults);
        let tx = Tx {
            tx: self.connection.transaction_with_behavior(TransactionBehavior::Immediate)?,
            faults: faults.as_ref(),
        };
        let value = work(&tx)?;
        faults.before_write("commit")?;
        tx.tx.commit()?;
        // Not a write, but the last place where a crash can part the commit from its news.
        faults.before_write("committed").or_else(|error| {
            tracing::warn!(%error, "a fault after the commit changes nothing");
            Ok::<(), StoreError>(())
        })?;
        Ok(value)
    }

    /// One row, if there is one.
    pub fn optional<T>(
        &self,
        sql: &str,
        params: impl Params,
        read: impl FnOnce(&Row<'_>) -> rusqlite::Result<T>,
    ) -> Result<Option<T>, StoreError> {
        Ok(self.connection.prepare_cached(sql)?.query_row(params, read).optional()?)
    }

    /// All rows.
    pub fn all<T>(
        &self,
        sql: &str,
        params: impl Params,
        read: impl FnMut(&Row<'_>) -> rusqlite::Result<T>,
    ) -> Result<Vec<T>, StoreError> {
        let mut statement = self.connection.prepare_cached(sql)?;
        let rows = statement.query_map(params, read)?;
        Ok(rows.collect::<Result<Vec<_>, _>>()?)
    }
}

#[cfg(test)]
mod tests {
    use super::super::{Fault, FaultPlan, NoFaults};
    use super::*;

    #[test]
    fn a_newer_store_is_left_alone() {
        let folder = tempfile::tempdir().expect("folder");
        let path = folder.path().join("db");
        let db = Db::open(&path, Arc::new(NoFaults)).expect("new");
        db.connection.pragma_update(None, "user_version", 99).expect("set");
        drop(db);
        assert!(matches!(Db::open(&path, Arc::new(NoFaults)), Err(StoreError::NewerVersion(99))));
    }

    #[test]
    fn a_failed_transaction_leaves_nothing() {
        let folder = tempfile::tempdir().expect("folder");
        let plan = Arc::new(FaultPlan::default());
        let mut db = Db::open(&folder.path().join("db"), plan.clone()).expect("new");
        for nth in 0..3 {
            plan.arm(nth, Fault::Fail(std::io::ErrorKind::StorageFull));
            let result = db.transaction(|tx| {
                tx.run("a", "INSERT INTO settings VALUES ('a', '1')", [])?;
                tx.run("b", "INSERT INTO settings VALUES ('b', '1')", [])
            });
            assert!(matches!(result, Err(StoreError::Full(_))), "{nth}: {result:?}");
            assert_eq!(db.all("SELECT name FROM settings", [], |r| r.get::<_, String>(0)).expect("read").len(), 0);
        }
    }

    #[test]
    fn sqlite_itself_running_full_is_told_as_full() {
        let folder = tempfile::tempdir().expect("folder");
        let mut db = Db::open(&folder.path().join("db"), Arc::new(NoFaults)).expect("new");
        let pages: i64 = db.connection.pragma_query_value(None, "page_count", |r| r.get(0)).expect("pages");
        db.connection.pragma_update_and_check(None, "max_page_count", pages + 2, |_| Ok(())).expect("limit");
        let big = "x".repeat(100_000);
        let result = db.transaction(|tx| tx.run("a", "INSERT INTO settings VALUES ('a', ?1)", [&big]));
        assert!(matches!(result, Err(StoreError::Full(_))), "{result:?}");
        db.transaction(|tx| tx.run("a", "INSERT INTO settings VALUES ('a', 'small')", [])).expect("still works");
    }
}

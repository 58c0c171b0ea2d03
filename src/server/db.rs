//! The center's database: SQLite in WAL mode, one writer, a few readers.
//!
//! Every acknowledged write is on disk (`synchronous = FULL`). The command-line tools may open the same file while the server
//! runs; waiting for the other's lock is bounded.

use super::error::Error;
use rusqlite::{Connection, OpenFlags, Transaction, TransactionBehavior};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

/// Steps from one version to the next; `user_version` counts the ones done.
const MIGRATIONS: &[&str] = &[include_str!("schema/001.sql"), include_str!("schema/002.sql")];
const READERS: usize = 4;

/// Shared handle.
#[derive(Clone)]
pub struct Db {
    inner: Arc<Inner>,
}

struct Inner {
    path: PathBuf,
    writer: Mutex<Connection>,
    readers: Vec<Mutex<Connection>>,
    next: AtomicUsize,
}

impl std::fmt::Debug for Db {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Db").field("path", &self.inner.path).finish_non_exhaustive()
    }
}

impl Db {
    /// Opens or creates the file and brings it to this program's version.
    pub fn open(path: &Path) -> Result<Self, Error> {
        let mut writer = Connection::open(path)?;
        prepare(&writer)?;
        migrate(&mut writer)?;
        let readers = (0..READERS)
            .map(|_| {
                let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
                let reader = Connection::open_with_flags(path, flags)?;
                reader.busy_timeout(Duration::from_secs(10))?;
                Ok(Mutex::new(reader))
            })
            .collect::<Result<_, Error>>()?;
        let inner = Inner { path: path.to_owned(), writer: Mutex::new(writer), readers, next: AtomicUsize::new(0) };
        Ok(Self { inner: Arc::new(inner) })
    }

    /// One transaction, all or nothing: committed if `work` gives `Ok`. Blocks; on async tasks use [`Db::write`].
    pub fn write_now<T, E: From<Error>>(&self, work: impl FnOnce(&Transaction<'_>) -> Result<T, E>) -> Result<T, E> {
        // A poisoned lock means that an earlier piece of work panicked; its transaction was rolled back when it was dropped.
        let mut connection = self.inner.writer.lock().unwrap_or_else(PoisonError::into_inner);
        let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate).map_err(Error::from)?;
        let value = work(&transaction)?;
        transaction.commit().map_err(Error::from)?;
        Ok(value)
    }

    /// Reads one consistent state. Blocks; on async tasks use [`Db::read`].
    pub fn read_now<T, E: From<Error>>(&self, work: impl FnOnce(&Transaction<'_>) -> Result<T, E>) -> Result<T, E> {
        let index = self.inner.next.fetch_add(1, Ordering::Relaxed) % self.inner.readers.len().max(1);
        let reader = self.inner.readers.get(index).ok_or_else(|| Error::Interrupted("no database reader".into()))?;
        let mut connection = reader.lock().unwrap_or_else(PoisonError::into_inner);
        let transaction = connection.transaction().map_err(Error::from)?;
        work(&transaction)
    }

    /// [`Db::write_now`] off the async workers.
    pub async fn write<T, E>(
        &self,
        work: impl FnOnce(&Transaction<'_>) -> Result<T, E> + Send + 'static,
    ) -> Result<T, E>
    where
        T: Send + 'static,
        E: From<Error> + Send + 'static,
    {
        let db = self.clone();
        blocking(move || db.write_now(work)).await
    }

    /// [`Db::read_now`] off the async workers.
    pub async fn read<T, E>(&self, work: impl FnOnce(&Transaction<'_>) -> Result<T, E> + Send + 'static) -> Result<T, E>
    where
        T: Send + 'static,
        E: From<Error> + Send + 'static,
    {
        let db = self.clone();
        blocking(move || db.read_now(work)).await
    }

    /// Copies the database while it is in use (SQLite's online backup).
    pub fn backup_to(&self, target: &Path) -> Result<(), Error> {
        let source = Connection::open_with_flags(&self.inner.path, OpenFlags::SQLITE_OPEN_READ_ONLY)?;
        source.busy_timeout(Duration::from_secs(10))?;
        let mut copy = Connection::open(target)?;
        rusqlite::backup::Backup::new(&source, &mut copy)?.run_to_completion(1000, Duration::from_millis(5), None)?;
        let verdict: String = copy.query_row("PRAGMA integrity_check", [], |row| row.get(0))?;
        if verdict == "ok" { Ok(()) } else { Err(Error::Refused(format!("the copy is damaged: {verdict}"))) }
    }
}

/// Runs blocking work off the async workers.
pub async fn blocking<T, E>(work: impl FnOnce() -> Result<T, E> + Send + 'static) -> Result<T, E>
where
    T: Send + 'static,
    E: From<Error> + Send + 'static,
{
    match tokio::task::spawn_blocking(work).await {
        Ok(result) => result,
        Err(error) => Err(Error::Interrupted(error.to_string()).into()),
    }
}

fn prepare(connection: &Connection) -> Result<(), Error> {
    connection.busy_timeout(Duration::from_secs(10))?;
    connection.pragma_update(None, "journal_mode", "wal")?;
    connection.pragma_update(None, "synchronous", "full")?;
    connection.pragma_update(None, "foreign_keys", true)?;
    Ok(())
}

fn migrate(connection: &mut Connection) -> Result<(), Error> {
    let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
    let found: i64 = transaction.query_row("PRAGMA user_version", [], |row| row.get(0))?;
    let known = MIGRATIONS.len() as i64;
    if found > known {
        return Err(Error::NewerDatabase { found, known });
    }
    for step in MIGRATIONS.iter().skip(usize::try_from(found).unwrap_or(0)) {
        transaction.execute_batch(step)?;
    }
    transaction.pragma_update(None, "user_version", known)?;
    transaction.commit()?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn opens_again_and_refuses_a_newer_file() {
        let folder = tempfile::tempdir().expect("folder");
        let path = folder.path().join("center.db");
        Db::open(&path).expect("new");
        Db::open(&path).expect("again");
        let raw = Connection::open(&path).expect("raw");
        raw.pragma_update(None, "user_version", 999).expect("pragma");
        drop(raw);
        assert!(matches!(Db::open(&path), Err(Error::NewerDatabase { found: 999, .. })));
    }

    #[test]
    fn a_failed_piece_of_work_leaves_nothing() {
        let folder = tempfile::tempdir().expect("folder");
        let db = Db::open(&folder.path().join("center.db")).expect("new");
        let set = |value: &'static str, fail: bool| {
            db.write_now(|t| {
                t.execute("INSERT INTO setting (name, value) VALUES ('x', ?1)", [value])?;
                if fail { Err(Error::Refused("no".into())) } else { Ok(()) }
            })
        };
        assert!(set("lost", true).is_err());
        set("kept", false).expect("write");
        let value: String = db
            .read_now(|t| Ok::<_, Error>(t.query_row("SELECT value FROM setting WHERE name = 'x'", [], |r| r.get(0))?))
            .expect("read");
        assert_eq!(value, "kept");
        let copy = folder.path().join("copy.db");
        db.backup_to(&copy).expect("backup");
        assert!(Db::open(&copy).is_ok());
    }
}

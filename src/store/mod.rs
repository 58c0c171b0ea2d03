//! The encrypted disk: what the workstation keeps between two breaths of the network.
//!
//! One SQLite database (small things, sealed column by column) and a folder of sealed files (instances). Owns
//! drafts, signed reports and their outbox, receipts, the cached worklist, study structures, thumbnails,
//! settings and the audit chain. Nothing of a patient is ever written in clear, neither in a column nor in a
//! file name: rows are found by keyed digests. It never talks to the network, never reads the clock and never
//! decides what may be signed.
//!
//! Everything that must not be lost lies in the database and changes in transactions that are synced before
//! they return. Instance files are a cache of what the center holds: they are written beside and renamed, and
//! one that a power cut has shortened does not open and is fetched again.

mod audit;
mod db;
mod drafts;
mod flags;
mod handed_over;
mod index_key;
mod instances;
mod objects;
mod outbox;
mod quota;
mod settings;
mod studies;

pub use crate::vault::faults::{Fault, FaultPlan, Faults, NoFaults};
pub use audit::{ChainRecord, NewAudit};
pub use drafts::KeptDraft;
pub use flags::PatientFlag;
pub use instances::InstanceRow;
pub use objects::{ObjectFile, Objects};
pub use outbox::{Attachment, OutboxRow, Package, SignedRow};
pub use quota::Evicted;
pub use studies::KeptStudy;

use crate::report::manifest::PackageError;
use crate::study::JsonFault;
use crate::vault::private;
use crate::vault::random::RandomError;
use crate::vault::seal::{MasterKey, SealError, Sealer};
use index_key::IndexKey;
use std::fs::{File, TryLockError};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// Why something could not be kept or found, by what can be done about it.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// No space, a quota or a size limit: free some, nothing was changed.
    #[error("the disk is full: {0}")]
    Full(String),
    /// Another Dokuei has this profile open.
    #[error("this profile is in use by another Dokuei")]
    InUse,
    /// Written by a newer version of the program.
    #[error("the store has version {0}, which this program does not know")]
    NewerVersion(i64),
    /// Something kept does not open: altered, cut off, or of another key.
    #[error("kept data do not open: {0}")]
    Damaged(&'static str),
    /// A signed report for this assignment waits already.
    #[error("a signed report for this assignment waits already")]
    AlreadySigned,
    /// Another patient's pictures are suspected: nothing is signed for this assignment.
    #[error("another patient is suspected: nothing is signed until the center has answered")]
    Flagged,
    /// What was named is not there.
    #[error("not kept here: {0}")]
    NotFound(&'static str),
    /// Sealing or opening failed.
    #[error(transparent)]
    Seal(#[from] SealError),
    /// The database failed.
    #[error("database: {0}")]
    Database(rusqlite::Error),
    /// The disk failed.
    #[error("disk: {0}")]
    Io(io::Error),
    /// Something of ours could not be written as JSON, or read back.
    #[error("kept data cannot be read: {0}")]
    Json(#[from] JsonFault),
    /// The canonical form of an audit record could not be made.
    #[error(transparent)]
    Canonical(#[from] PackageError),
    /// No randomness.
    #[error(transparent)]
    Random(#[from] RandomError),
}

impl From<io::Error> for StoreError {
    fn from(error: io::Error) -> Self {
        use io::ErrorKind as K;
        match error.kind() {
            K::StorageFull | K::QuotaExceeded | K::FileTooLarge => Self::Full(error.to_string()),
            _ => Self::Io(error),
        }
    }
}

impl From<serde_json::Error> for StoreError {
    fn from(error: serde_json::Error) -> Self {
        Self::Json(error.into())
    }
}

impl From<rusqlite::Error> for StoreError {
    fn from(error: rusqlite::Error) -> Self {
        /// SQLITE_IOERR_WRITE: the operating system refused a write for another reason than a full disk (a
        /// size limit, say). For the reader it is the same trouble.
        const IOERR_WRITE: std::ffi::c_int = 778;
        match &error {
            rusqlite::Error::SqliteFailure(failure, text)
                if failure.code == rusqlite::ErrorCode::DiskFull || failure.extended_code == IOERR_WRITE =>
            {
                Self::Full(text.clone().unwrap_or_else(|| failure.to_string()))
            }
            _ => Self::Database(error),
        }
    }
}

/// The profile folder, held by this process alone.
#[derive(Debug)]
pub struct Profile {
    folder: PathBuf,
    _lock: File,
}

impl Profile {
    /// Makes the folder if need be (readable by its owner only) and locks it.
    ///
    /// Fails with [`StoreError::InUse`] while another process holds it. The system drops the lock when the
    /// process ends in whatever way.
    pub fn acquire(folder: &Path) -> Result<Self, StoreError> {
        private::create_folders(folder)?;
        let path = folder.join("lock");
        let lock = match private::create_file(&path) {
            Ok(file) => file,
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {
                File::options().read(true).write(true).open(&path)?
            }
            Err(error) => return Err(error.into()),
        };
        match lock.try_lock() {
            Ok(()) => Ok(Self { folder: folder.to_owned(), _lock: lock }),
            Err(TryLockError::WouldBlock) => Err(StoreError::InUse),
            Err(TryLockError::Error(error)) => Err(error.into()),
        }
    }

    /// The folder.
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// Whether sealed data exist: then a missing master key must never be replaced by a new one.
    pub fn holds_sealed_data(&self) -> bool {
        self.folder.join(DATABASE).exists()
    }
}

const DATABASE: &str = "dokuei.db";

/// The store of one profile. One owner, one thread; [`Objects`] may be used from others.
pub struct Store {
    db: db::Db,
    objects: Objects,
    sealer: Sealer,
    index: IndexKey,
    _profile: Profile,
}

impl std::fmt::Debug for Store {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Store(…)")
    }
}

impl Store {
    /// Opens (or makes) the store in a profile under its master key, and clears away what a crash left behind.
    pub fn open(profile: Profile, key: MasterKey, faults: Arc<dyn Faults>) -> Result<Self, StoreError> {
        let sealer = Sealer::new(key);
        let mut db = db::Db::open(&profile.folder().join(DATABASE), Arc::clone(&faults))?;
        let index = IndexKey::load_or_create(&mut db, &sealer)?;
        let objects = Objects::open(&profile.folder().join("objects"), sealer.clone(), faults)?;
        let store = Self { db, objects, sealer, index, _profile: profile };
        store.clear_leftovers()?;
        Ok(store)
    }

    /// The sealed files, for threads that seal and open.
    pub fn objects(&self) -> Objects {
        self.objects.clone()
    }

    /// Files that no row names are leftovers of a crash between two steps.
    fn clear_leftovers(&self) -> Result<(), StoreError> {
        let known = self.instance_files()?;
        self.objects.retain(|file| known.contains(file))
    }

    fn seal_json<T: serde::Serialize>(&self, context: &[u8], value: &T) -> Result<Vec<u8>, StoreError> {
        // JSON of patient data must not stay in freed memory longer than needed, so it is wiped after sealing.
        let mut plain = serde_json::to_vec(value)?;
        let sealed = self.sealer.seal(context, &plain);
        plain.fill(0);
        Ok(sealed?)
    }

    fn open_json<T: serde::de::DeserializeOwned>(&self, context: &[u8], sealed: &[u8]) -> Result<T, StoreError> {
        Ok(serde_json::from_slice(&self.sealer.open(context, sealed)?)?)
    }
}

/// Associated data of a sealed column: table and row, so that rows cannot be exchanged.
fn context(table: &str, row: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(table.len() + 1 + row.len());
    out.extend_from_slice(table.as_bytes());
    out.push(0);
    out.extend_from_slice(row);
    out
}

#[cfg(test)]
mod full_tests;

#[cfg(test)]
pub(crate) mod testing {
    use super::*;

    /// All files below a folder.
    pub(crate) fn walk(folder: &Path) -> Vec<PathBuf> {
        let mut out = Vec::new();
        for entry in std::fs::read_dir(folder).expect("folder") {
            let path = entry.expect("entry").path();
            if path.is_dir() { out.extend(walk(&path)) } else { out.push(path) }
        }
        out
    }

    /// A store in a folder of its own with a key that tests share, so that it can be reopened.
    pub(crate) struct Bench {
        pub(crate) folder: tempfile::TempDir,
        pub(crate) key: MasterKey,
    }

    impl Bench {
        pub(crate) fn new() -> Self {
            Self { folder: tempfile::tempdir().expect("folder"), key: MasterKey::generate().expect("key") }
        }
        pub(crate) fn open(&self) -> Store {
            Store::open(self.acquire(), self.key.clone(), Arc::new(NoFaults)).expect("store opens")
        }
        /// The profile. Another test that starts a program just now holds a copy of the lock until it runs.
        pub(crate) fn acquire(&self) -> Profile {
            for _ in 0..1000 {
                match Profile::acquire(self.folder.path()) {
                    Err(StoreError::InUse) => std::thread::sleep(std::time::Duration::from_millis(10)),
                    other => return other.expect("profile"),
                }
            }
            panic!("the profile's lock does not come free");
        }
        pub(crate) fn open_with(&self, faults: Arc<dyn Faults>) -> Result<Store, StoreError> {
            Store::open(Profile::acquire(self.folder.path())?, self.key.clone(), faults)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::testing::{Bench, walk};
    use super::*;

    #[test]
    fn one_process_holds_a_profile() {
        let bench = Bench::new();
        let store = bench.open();
        assert!(matches!(bench.open_with(Arc::new(NoFaults)), Err(StoreError::InUse)));
        drop(store);
        bench.open();
    }

    #[test]
    fn another_key_does_not_open_the_store() {
        let bench = Bench::new();
        drop(bench.open());
        let profile = bench.acquire();
        assert!(profile.holds_sealed_data());
        let other = MasterKey::generate().expect("key");
        assert!(matches!(Store::open(profile, other, Arc::new(NoFaults)), Err(StoreError::Seal(_))));
    }

    #[test]
    fn nothing_readable_lies_on_disk() {
        let bench = Bench::new();
        let secret = "山田太郎 所見 1.2.392.77";
        let mut store = bench.open();
        store.put_private("enrolment", secret.as_bytes()).expect("kept");
        store.put_reading_state("dr", secret).expect("kept");
        let file = store.objects().write(b"x", secret.as_bytes()).expect("kept");
        assert_eq!(store.objects().read(b"x", &file.name).expect("read").as_slice(), secret.as_bytes());
        drop(store);
        for entry in walk(bench.folder.path()) {
            let bytes = std::fs::read(&entry).expect("readable");
            for part in ["山田".as_bytes(), "1.2.392.77".as_bytes()] {
                assert!(!bytes.windows(part.len()).any(|w| w == part), "{}", entry.display());
            }
        }
    }
}

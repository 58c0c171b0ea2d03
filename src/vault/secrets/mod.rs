//! Where small secrets live: the OS keyring, a passphrase-protected file, or memory.
//!
//! The one rule that guards the reader's data: **only a definite "not there" is `None`**. A locked, refused or absent store is an
//! error; otherwise a new master key would be made and everything sealed under the old one would be lost.

mod keyring;
mod memory;
mod passphrase;

pub use keyring::KeyringStore;
pub use memory::MemoryStore;
pub use passphrase::{PassphraseStore, PassphraseWork};

/// Re-exported so that other modules can hold a secret without naming the crate.
pub use zeroize::Zeroizing;

/// Longest secret that every platform takes (Windows Credential Manager: 2,560 bytes).
pub const MAX_SECRET_BYTES: usize = 2_500;

/// Why a secret could not be read or written. Never holds the secret.
#[derive(Debug, thiserror::Error)]
pub enum SecretError {
    /// There is no store on this machine or in this session (no D-Bus session, no Secret Service). The reader may choose a
    /// [`PassphraseStore`]; the program never falls back by itself.
    #[error("no secret store is available in this session: {detail}")]
    NoService {
        /// What the platform said.
        detail: String,
    },
    /// The store is there but locked, and it was not unlocked (prompt refused, or no prompt possible).
    #[error("the secret store is locked: {detail}")]
    Locked {
        /// What the platform said.
        detail: String,
    },
    /// The store refused access to this program.
    #[error("the secret store refused access: {detail}")]
    Denied {
        /// What the platform said.
        detail: String,
    },
    /// The store answered, but failed.
    #[error("the secret store failed: {detail}")]
    Platform {
        /// What the platform said.
        detail: String,
    },
    /// More than one entry has this name: a person must remove the wrong one.
    #[error("the secret store holds several entries named {name}")]
    Ambiguous {
        /// The entry's name.
        name: String,
    },
    /// The passphrase does not open the file.
    #[error("the passphrase is wrong")]
    WrongPassphrase,
    /// The passphrase file is damaged or of an unknown version.
    #[error("the secrets file is damaged: {detail}")]
    Corrupt {
        /// What is wrong.
        detail: &'static str,
    },
    /// There is already a secrets file; it is opened, never overwritten.
    #[error("a secrets file already exists")]
    AlreadyExists,
    /// There is no secrets file yet.
    #[error("there is no secrets file")]
    FileMissing,
    /// The passphrase is too short to protect anything.
    #[error("the passphrase needs at least {} characters", PassphraseStore::MIN_PASSPHRASE_CHARS)]
    WeakPassphrase,
    /// Longer than [`MAX_SECRET_BYTES`].
    #[error("the secret has {len} bytes; at most {MAX_SECRET_BYTES} fit every platform's store")]
    TooLarge {
        /// Its length.
        len: usize,
    },
    /// A name or profile that is empty, too long, or has other characters than `A-Z a-z 0-9 . _ -`.
    #[error("not a usable secret name")]
    BadName,
    /// The file could not be read or written.
    #[error("secrets file: {0}")]
    Io(#[from] std::io::Error),
    /// No randomness.
    #[error(transparent)]
    Random(#[from] super::random::RandomError),
}

impl SecretError {
    /// Whether the reader may be offered the passphrase-protected file instead (there is no store at all).
    pub fn allows_passphrase_choice(&self) -> bool {
        matches!(self, Self::NoService { .. })
    }
}

/// A store of small named secrets of one profile.
///
/// Calls block (a keyring may wait for the person to unlock it): never call from the UI thread or inside an async task.
pub trait SecretStore: Send + Sync {
    /// The secret, or `None` when the store says for certain that there is none.
    fn get(&self, name: &str) -> Result<Option<Zeroizing<Vec<u8>>>, SecretError>;
    /// Stores or replaces the secret. When this returns, the secret survives a crash (except in [`MemoryStore`]).
    fn set(&self, name: &str, secret: &[u8]) -> Result<(), SecretError>;
    /// Removes the secret; removing one that is not there is not an error.
    fn delete(&self, name: &str) -> Result<(), SecretError>;
}

/// A name that every platform's store takes, and that cannot be mistaken for another profile's.
fn check_name(name: &str) -> Result<(), SecretError> {
    let allowed = |c: u8| c.is_ascii_alphanumeric() || matches!(c, b'.' | b'_' | b'-');
    if name.is_empty() || name.len() > 100 || !name.bytes().all(allowed) { Err(SecretError::BadName) } else { Ok(()) }
}

fn check_size(secret: &[u8]) -> Result<(), SecretError> {
    if secret.len() > MAX_SECRET_BYTES { Err(SecretError::TooLarge { len: secret.len() }) } else { Ok(()) }
}

/// What every store must do; run over each implementation.
#[cfg(test)]
pub(crate) fn store_suite(store: &dyn SecretStore) {
    assert!(store.get("a").unwrap().is_none());
    store.set("a", &[0, 255, 10, 13]).unwrap();
    assert_eq!(store.get("a").unwrap().unwrap().as_slice(), &[0, 255, 10, 13]);
    store.set("a", b"second").unwrap();
    assert_eq!(store.get("a").unwrap().unwrap().as_slice(), b"second");
    assert!(store.get("b").unwrap().is_none());
    let longest = vec![7u8; MAX_SECRET_BYTES];
    store.set("long", &longest).unwrap();
    assert_eq!(store.get("long").unwrap().unwrap().as_slice(), longest);
    assert!(matches!(store.set("long", &vec![7; MAX_SECRET_BYTES + 1]), Err(SecretError::TooLarge { len: 2_501 })));
    assert_eq!(store.get("long").unwrap().unwrap().len(), MAX_SECRET_BYTES);
    for bad in ["", "a/b", "名前", "a b", &"x".repeat(101)] {
        assert!(matches!(store.get(bad), Err(SecretError::BadName)), "{bad}");
        assert!(matches!(store.set(bad, b"x"), Err(SecretError::BadName)), "{bad}");
        assert!(matches!(store.delete(bad), Err(SecretError::BadName)), "{bad}");
    }
    store.delete("a").unwrap();
    store.delete("a").unwrap();
    store.delete("long").unwrap();
    assert!(store.get("a").unwrap().is_none());
}

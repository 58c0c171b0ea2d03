//! Secrets in a file under a passphrase: the reader's explicit choice where there is no OS keyring.
//!
//! The file is JSON: parameters of argon2id, a sealed check value that tells a wrong passphrase from a damaged file, and the
//! sealed map of secrets. It is replaced atomically, under a lock that other processes of the same profile honour.

use super::{SecretError, SecretStore, check_name, check_size};
use crate::vault::faults::{Faults, NoFaults};
use crate::vault::{atomic, private, random};
use argon2::{Algorithm, Argon2, Params, Version};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use ring::aead::{AES_256_GCM, Aad, LessSafeKey, Nonce, UnboundKey};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use zeroize::{Zeroize as _, Zeroizing};

const VERSION: u32 = 1;
const MAX_FILE_BYTES: u64 = 4 * 1024 * 1024;
const CHECK_LABEL: &[u8] = b"dokuei secrets check 1";
const ENTRIES_LABEL: &[u8] = b"dokuei secrets entries 1";

/// How much work one guess of the passphrase costs (argon2id).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct PassphraseWork {
    /// Memory in KiB.
    pub memory_kib: u32,
    /// Passes over the memory.
    pub passes: u32,
}

impl PassphraseWork {
    /// For real use: 64 MiB, 3 passes (RFC 9106, second recommended option, one lane).
    pub const STRONG: Self = Self { memory_kib: 64 * 1024, passes: 3 };
    /// For tests and the demo's throw-away profile only.
    pub const QUICK: Self = Self { memory_kib: 256, passes: 1 };

    /// What a file may ask of this machine: it is outside data.
    fn is_acceptable(self) -> bool {
        (64..=1024 * 1024).contains(&self.memory_kib) && (1..=20).contains(&self.passes)
    }
}

#[derive(Serialize, Deserialize)]
struct Sealed {
    nonce: String,
    sealed: String,
}

#[derive(Serialize, Deserialize)]
struct Envelope {
    format: String,
    version: u32,
    kdf: String,
    work: PassphraseWork,
    salt: String,
    check: Sealed,
    entries: Sealed,
}

/// A [`SecretStore`] in one passphrase-protected file.
pub struct PassphraseStore {
    path: PathBuf,
    key: Zeroizing<[u8; 32]>,
    salt: [u8; 16],
    work: PassphraseWork,
    faults: Arc<dyn Faults>,
}

impl std::fmt::Debug for PassphraseStore {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("PassphraseStore").field("path", &self.path).finish_non_exhaustive()
    }
}

impl PassphraseStore {
    /// Fewest characters of a passphrase.
    pub const MIN_PASSPHRASE_CHARS: usize = 8;

    /// Whether there is a secrets file at `path` (then it is opened, not created).
    pub fn exists(path: &Path) -> bool {
        path.exists()
    }

    /// Makes a new, empty secrets file. Fails with [`SecretError::AlreadyExists`] rather than replace one; a failure leaves
    /// none behind, whose passphrase the reader would have to guess.
    pub fn create(path: &Path, passphrase: &str, work: PassphraseWork) -> Result<Self, SecretError> {
        Self::create_announced(path, passphrase, work, Arc::new(NoFaults))
    }

    fn create_announced(
        path: &Path,
        passphrase: &str,
        work: PassphraseWork,
        faults: Arc<dyn Faults>,
    ) -> Result<Self, SecretError> {
        if passphrase.chars().count() < Self::MIN_PASSPHRASE_CHARS {
            return Err(SecretError::WeakPassphrase);
        }
        let salt = random::bytes::<16>()?;
        let key = derive(passphrase, &salt, work)?;
        let store = Self { path: path.to_owned(), key, salt, work, faults };
        let _lock = store.lock()?;
        if path.exists() {
            return Err(SecretError::AlreadyExists);
        }
        if let Err(error) = store.write(&BTreeMap::new()) {
            // The first error is the one that the caller must see.
            if let Err(cleanup) = fs::remove_file(path)
                && cleanup.kind() != std::io::ErrorKind::NotFound
            {
                tracing::warn!(error = %cleanup, "an unfinished secrets file could not be removed");
            }
            return Err(error);
        }
        Ok(store)
    }

    /// Opens the secrets file with its passphrase, and clears away what a crash left beside it.
    pub fn open(path: &Path, passphrase: &str) -> Result<Self, SecretError> {
        let envelope = read_envelope(path)?;
        let salt: [u8; 16] = decode(&envelope.salt)?
            .as_slice()
            .try_into()
            .map_err(|_| SecretError::Corrupt { detail: "salt has a wrong length" })?;
        let key = derive(passphrase, &salt, envelope.work)?;
        let store = Self { path: path.to_owned(), key, salt, work: envelope.work, faults: Arc::new(NoFaults) };
        store.read()?;
        let _lock = store.lock()?;
        atomic::clear_leftovers(path)?;
        Ok(store)
    }

    /// The same, announcing each of its writes.
    #[must_use]
    pub fn announcing(self, faults: Arc<dyn Faults>) -> Self {
        Self { faults, ..self }
    }

    /// Held while the file is read and replaced; released when dropped.
    fn lock(&self) -> Result<File, SecretError> {
        let mut name = self.path.file_name().ok_or(SecretError::BadName)?.to_os_string();
        name.push(".lock");
        let path = self.path.with_file_name(name);
        self.faults.before_write("secrets.lock")?;
        let file = match private::create_file(&path) {
            Err(error) if error.kind() == std::io::ErrorKind::AlreadyExists => {
                fs::OpenOptions::new().write(true).open(&path)?
            }
            made => made?,
        };
        file.lock()?;
        Ok(file)
    }

    fn read(&self) -> Result<BTreeMap<String, Zeroizing<Vec<u8>>>, SecretError> {
        let envelope = read_envelope(&self.path)?;
        open_sealed(&self.key, CHECK_LABEL, &envelope.check)?.ok_or(SecretError::WrongPassphrase)?;
        let plain = open_sealed(&self.key, ENTRIES_LABEL, &envelope.entries)?
            .ok_or(SecretError::Corrupt { detail: "the sealed secrets were altered" })?;
        let texts: BTreeMap<String, String> =
            serde_json::from_slice(&plain).map_err(|_| SecretError::Corrupt { detail: "the secrets are not a map" })?;
        texts
            .into_iter()
            .map(|(name, text)| {
                let text = Zeroizing::new(text);
                Ok((name, Zeroizing::new(decode(&text)?)))
            })
            .collect()
    }

    fn write(&self, entries: &BTreeMap<String, Zeroizing<Vec<u8>>>) -> Result<(), SecretError> {
        let mut texts: BTreeMap<&str, String> =
            entries.iter().map(|(name, secret)| (name.as_str(), BASE64.encode(secret.as_slice()))).collect();
        let plain = serde_json::to_vec(&texts).map(Zeroizing::new);
        texts.values_mut().for_each(zeroize::Zeroize::zeroize);
        let plain = plain.map_err(|_| SecretError::Corrupt { detail: "the secrets could not be written" })?;
        let envelope = Envelope {
            format: "dokuei-secrets".to_owned(),
            version: VERSION,
            kdf: "argon2id".to_owned(),
            work: self.work,
            salt: BASE64.encode(self.salt),
            check: seal(&self.key, CHECK_LABEL, CHECK_LABEL)?,
            entries: seal(&self.key, ENTRIES_LABEL, &plain)?,
        };
        let bytes = serde_json::to_vec_pretty(&envelope)
            .map_err(|_| SecretError::Corrupt { detail: "the file could not be written" })?;
        Ok(atomic::write_announced(&self.path, &bytes, self.faults.as_ref())?)
    }

    fn change(&self, change: impl FnOnce(&mut BTreeMap<String, Zeroizing<Vec<u8>>>)) -> Result<(), SecretError> {
        let _lock = self.lock()?;
        let mut entries = self.read()?;
        change(&mut entries);
        self.write(&entries)
    }
}

impl SecretStore for PassphraseStore {
    fn get(&self, name: &str) -> Result<Option<Zeroizing<Vec<u8>>>, SecretError> {
        check_name(name)?;
        Ok(self.read()?.remove(name))
    }

    fn set(&self, name: &str, secret: &[u8]) -> Result<(), SecretError> {
        check_name(name)?;
        check_size(secret)?;
        self.change(|entries| {
            entries.insert(name.to_owned(), Zeroizing::new(secret.to_vec()));
        })
    }

    fn delete(&self, name: &str) -> Result<(), SecretError> {
        check_name(name)?;
        self.change(|entries| {
            entries.remove(name);
        })
    }
}

fn read_envelope(path: &Path) -> Result<Envelope, SecretError> {
    let length = match fs::metadata(path) {
        Ok(metadata) => metadata.len(),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
            return Err(SecretError::FileMissing);
        }
        Err(error) => return Err(error.into()),
    };
    if length > MAX_FILE_BYTES {
        return Err(SecretError::Corrupt { detail: "the file is too large" });
    }
    let envelope: Envelope =
        serde_json::from_slice(&fs::read(path)?).map_err(|_| SecretError::Corrupt { detail: "not a secrets file" })?;
    if envelope.format != "dokuei-secrets" || envelope.version != VERSION || envelope.kdf != "argon2id" {
        return Err(SecretError::Corrupt { detail: "unknown format or version" });
    }
    if !envelope.work.is_acceptable() {
        return Err(SecretError::Corrupt { detail: "key derivation parameters out of bounds" });
    }
    Ok(envelope)
}

fn decode(text: &str) -> Result<Vec<u8>, SecretError> {
    BASE64.decode(text).map_err(|_| SecretError::Corrupt { detail: "not base64" })
}

fn derive(passphrase: &str, salt: &[u8], work: PassphraseWork) -> Result<Zeroizing<[u8; 32]>, SecretError> {
    let bounds = |_| SecretError::Corrupt { detail: "key derivation parameters out of bounds" };
    let params = Params::new(work.memory_kib, work.passes, 1, Some(32)).map_err(bounds)?;
    let mut key = Zeroizing::new([0u8; 32]);
    Argon2::new(Algorithm::Argon2id, Version::V0x13, params)
        .hash_password_into(passphrase.as_bytes(), salt, key.as_mut())
        .map_err(bounds)?;
    Ok(key)
}

fn aead(key: &[u8; 32]) -> Result<LessSafeKey, SecretError> {
    UnboundKey::new(&AES_256_GCM, key).map(LessSafeKey::new).map_err(|_| SecretError::Corrupt { detail: "key" })
}

fn seal(key: &[u8; 32], label: &[u8], plain: &[u8]) -> Result<Sealed, SecretError> {
    let nonce = random::bytes::<12>()?;
    // Room for the tag from the start: a reallocation would leave the plain text behind in freed memory.
    let mut buffer = Vec::with_capacity(plain.len() + AES_256_GCM.tag_len());
    buffer.extend_from_slice(plain);
    let sealed =
        aead(key)?.seal_in_place_append_tag(Nonce::assume_unique_for_key(nonce), Aad::from(label), &mut buffer);
    if sealed.is_err() {
        buffer.zeroize();
        return Err(SecretError::Corrupt { detail: "sealing failed" });
    }
    Ok(Sealed { nonce: BASE64.encode(nonce), sealed: BASE64.encode(buffer) })
}

/// `None` where the key does not open it.
fn open_sealed(key: &[u8; 32], label: &[u8], sealed: &Sealed) -> Result<Option<Zeroizing<Vec<u8>>>, SecretError> {
    let nonce: [u8; 12] = decode(&sealed.nonce)?
        .as_slice()
        .try_into()
        .map_err(|_| SecretError::Corrupt { detail: "nonce has a wrong length" })?;
    let mut buffer = Zeroizing::new(decode(&sealed.sealed)?);
    let opened = aead(key)?
        .open_in_place(Nonce::assume_unique_for_key(nonce), Aad::from(label), &mut buffer)
        .map(|plain| plain.len());
    Ok(opened.ok().map(|length| {
        buffer.truncate(length);
        buffer
    }))
}

#[cfg(test)]
mod tests;

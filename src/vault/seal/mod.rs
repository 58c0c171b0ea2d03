//! Sealing of patient data on disk: AES-256-GCM under one master key that lives in the secret store.
//!
//! Small blobs (drafts, worklist rows) are sealed whole by [`Sealer::seal`]; files are sealed in chunks by [`Sealer::seal_file`]
//! and read back at random by [`SealedReader`]. Everything is bound to a caller's *context* (what it is, of which row or
//! instance), so that sealed things cannot be exchanged for one another unseen. Deleting the master key ([`MasterKey::erase`])
//! makes all of it unreadable at once (crypto-erase).
//!
//! Keys that we hold are zeroed when dropped. The expanded key inside the AES implementation of `ring` lives only as long as one
//! call or one open file, but `ring` does not zero it.

mod file;

pub use file::{CHUNK_BYTES, HEADER_BYTES, MAGIC as FILE_MAGIC, SealedReader, SealedWriter};

use super::random;
use super::secrets::{SecretError, SecretStore};
use ring::aead::{AES_256_GCM, Aad, LessSafeKey, Nonce, UnboundKey};
use ring::hkdf::{HKDF_SHA256, KeyType, Salt};
use zeroize::{Zeroize as _, Zeroizing};

/// Name of the master key in the secret store.
pub const MASTER_KEY_NAME: &str = "master-key";

const BLOB_VERSION: u8 = 1;
const SALT_BYTES: usize = 16;
const NONCE_BYTES: usize = 12;
const TAG_BYTES: usize = 16;
/// What [`Sealer::seal`] adds to the plain text.
pub const BLOB_OVERHEAD_BYTES: usize = 1 + SALT_BYTES + NONCE_BYTES + TAG_BYTES;

/// Why something could not be sealed or opened.
#[derive(Debug, thiserror::Error)]
pub enum SealError {
    /// Altered, cut, of another context, or sealed under another key: which of them cannot be told.
    #[error("sealed data do not open: altered, cut off, exchanged, or sealed with another key")]
    Tampered,
    /// Written by a newer version of the program.
    #[error("sealed data of version {0} are unknown to this program")]
    UnknownVersion(u8),
    /// Not a sealed file at all.
    #[error("this is not a sealed file")]
    NotSealed,
    /// There are sealed data on disk, but the secret store has no key for them. A new key would lock them out for ever.
    #[error("the key of the sealed data on this disk is missing from the secret store")]
    KeyMissing,
    /// The stored master key has a wrong length.
    #[error("the stored master key is damaged")]
    KeyDamaged,
    /// A range outside the plain text.
    #[error("the requested range lies outside the sealed file")]
    OutOfRange,
    /// More than can be sealed in one piece.
    #[error("too large to seal in one piece")]
    TooLarge,
    /// The secret store failed.
    #[error(transparent)]
    Secret(#[from] SecretError),
    /// The disk failed.
    #[error("sealed file: {0}")]
    Io(#[from] std::io::Error),
    /// No randomness.
    #[error(transparent)]
    Random(#[from] random::RandomError),
}

/// The 256-bit key above all others of a profile.
#[derive(Clone)]
pub struct MasterKey(Zeroizing<[u8; 32]>);

impl std::fmt::Debug for MasterKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("MasterKey(…)")
    }
}

impl MasterKey {
    /// A new random key that is stored nowhere (tests, or a profile that ends with the process).
    pub fn generate() -> Result<Self, SealError> {
        Ok(Self(random::secret_bytes()?))
    }

    /// The profile's key from the secret store; made and stored at first use.
    ///
    /// `store_exists_on_disk` says whether sealed data already exist. Then a missing key is [`SealError::KeyMissing`]: a new one
    /// is made only where there is nothing yet that it could not open.
    pub fn load_or_create(secrets: &dyn SecretStore, store_exists_on_disk: bool) -> Result<Self, SealError> {
        if let Some(bytes) = secrets.get(MASTER_KEY_NAME)? {
            return Self::from_bytes(&bytes);
        }
        if store_exists_on_disk {
            return Err(SealError::KeyMissing);
        }
        let key = Self::generate()?;
        secrets.set(MASTER_KEY_NAME, key.0.as_ref())?;
        // Read back: a store that loses what it took must be found out before the first patient's data are sealed.
        let stored = secrets.get(MASTER_KEY_NAME)?.ok_or(SealError::KeyMissing)?;
        if super::digest::constant_time_eq(&stored, key.0.as_ref()) { Ok(key) } else { Err(SealError::KeyDamaged) }
    }

    /// Crypto-erase: removes the key from the secret store. Whatever was sealed under it can never be opened again.
    pub fn erase(secrets: &dyn SecretStore) -> Result<(), SealError> {
        Ok(secrets.delete(MASTER_KEY_NAME)?)
    }

    fn from_bytes(bytes: &[u8]) -> Result<Self, SealError> {
        let mut key = Zeroizing::new([0u8; 32]);
        if bytes.len() != key.len() {
            return Err(SealError::KeyDamaged);
        }
        key.copy_from_slice(bytes);
        Ok(Self(key))
    }
}

/// Seals and opens under one master key. Cheap to clone; usable from any thread.
#[derive(Clone)]
pub struct Sealer {
    master: MasterKey,
}

impl std::fmt::Debug for Sealer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Sealer(…)")
    }
}

struct Bytes32;

impl KeyType for Bytes32 {
    fn len(&self) -> usize {
        32
    }
}

impl Sealer {
    /// A sealer under `master`.
    pub fn new(master: MasterKey) -> Self {
        Self { master }
    }

    /// Seals `plain` for `context`; [`Sealer::open`] needs the same context.
    ///
    /// Layout: version (1) · salt (16) · nonce (12) · ciphertext · tag (16). Each blob has a key of its own, derived from the
    /// master key and the salt (HKDF-SHA-256), so the number of blobs per master key is not limited by random nonces.
    pub fn seal(&self, context: &[u8], plain: &[u8]) -> Result<Vec<u8>, SealError> {
        self.seal_labelled("dokuei blob 1", context, plain)
    }

    /// Opens what [`Sealer::seal`] made for the same `context`.
    pub fn open(&self, context: &[u8], sealed: &[u8]) -> Result<Zeroizing<Vec<u8>>, SealError> {
        self.open_labelled("dokuei blob 1", context, sealed)
    }

    fn seal_labelled(&self, label: &str, context: &[u8], plain: &[u8]) -> Result<Vec<u8>, SealError> {
        let salt = random::bytes::<SALT_BYTES>()?;
        let nonce = random::bytes::<NONCE_BYTES>()?;
        let key = self.blob_key(label, &salt)?;
        let mut out = Vec::with_capacity(plain.len().checked_add(BLOB_OVERHEAD_BYTES).ok_or(SealError::TooLarge)?);
        out.push(BLOB_VERSION);
        out.extend_from_slice(&salt);
        out.extend_from_slice(&nonce);
        let body_at = out.len();
        out.extend_from_slice(plain);
        let body = out.get_mut(body_at..).ok_or(SealError::TooLarge)?;
        match key.seal_in_place_separate_tag(Nonce::assume_unique_for_key(nonce), Aad::from(context), body) {
            Ok(tag) => {
                out.extend_from_slice(tag.as_ref());
                Ok(out)
            }
            Err(_) => {
                out.zeroize();
                Err(SealError::TooLarge)
            }
        }
    }

    fn open_labelled(&self, label: &str, context: &[u8], sealed: &[u8]) -> Result<Zeroizing<Vec<u8>>, SealError> {
        let (version, rest) = sealed.split_first().ok_or(SealError::Tampered)?;
        if *version != BLOB_VERSION {
            return Err(SealError::UnknownVersion(*version));
        }
        let (salt, rest) = rest.split_first_chunk::<SALT_BYTES>().ok_or(SealError::Tampered)?;
        let (nonce, body) = rest.split_first_chunk::<NONCE_BYTES>().ok_or(SealError::Tampered)?;
        let key = self.blob_key(label, salt)?;
        let mut buffer = Zeroizing::new(body.to_vec());
        let length = key
            .open_in_place(Nonce::assume_unique_for_key(*nonce), Aad::from(context), &mut buffer)
            .map(|plain| plain.len())
            .map_err(|_| SealError::Tampered)?;
        buffer.truncate(length);
        Ok(buffer)
    }

    fn blob_key(&self, label: &str, salt: &[u8; SALT_BYTES]) -> Result<LessSafeKey, SealError> {
        let mut key = Zeroizing::new([0u8; 32]);
        Salt::new(HKDF_SHA256, salt)
            .extract(self.master.0.as_ref())
            .expand(&[label.as_bytes()], Bytes32)
            .and_then(|okm| okm.fill(key.as_mut()))
            .map_err(|_| SealError::KeyDamaged)?;
        aead_key(&key)
    }
}

fn aead_key(key: &[u8; 32]) -> Result<LessSafeKey, SealError> {
    UnboundKey::new(&AES_256_GCM, key).map(LessSafeKey::new).map_err(|_| SealError::KeyDamaged)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::vault::secrets::MemoryStore;
    use proptest::prelude::*;

    fn sealer() -> Sealer {
        Sealer::new(MasterKey::generate().unwrap())
    }

    #[test]
    fn every_altered_byte_and_every_cut_is_found() {
        let sealer = sealer();
        let sealed = sealer.seal(b"draft/7", "所見なし".as_bytes()).unwrap();
        assert_eq!(sealed.len(), "所見なし".len() + BLOB_OVERHEAD_BYTES);
        for at in 0..sealed.len() {
            for bit in 0..8 {
                let mut bad = sealed.clone();
                bad[at] ^= 1 << bit;
                assert!(sealer.open(b"draft/7", &bad).is_err(), "byte {at} bit {bit}");
            }
            assert!(sealer.open(b"draft/7", &sealed[..at]).is_err(), "cut at {at}");
        }
        let mut longer = sealed.clone();
        longer.push(0);
        assert!(matches!(sealer.open(b"draft/7", &longer), Err(SealError::Tampered)));
        assert_eq!(sealer.open(b"draft/7", &sealed).unwrap().as_slice(), "所見なし".as_bytes());
    }

    #[test]
    fn context_and_key_are_bound() {
        let one = sealer();
        let sealed = one.seal(b"row/1", b"patient").unwrap();
        assert!(matches!(one.open(b"row/2", &sealed), Err(SealError::Tampered)));
        assert!(matches!(sealer().open(b"row/1", &sealed), Err(SealError::Tampered)));
        assert!(matches!(one.open_labelled("another use", b"row/1", &sealed), Err(SealError::Tampered)));
        // The same text twice looks different.
        assert_ne!(sealed, one.seal(b"row/1", b"patient").unwrap());
        assert!(!sealed.windows(7).any(|window| window == b"patient"));
    }

    #[test]
    fn master_key_is_made_once_and_never_beside_existing_data() {
        let secrets = MemoryStore::new();
        assert!(matches!(MasterKey::load_or_create(&secrets, true), Err(SealError::KeyMissing)));
        assert!(secrets.get(MASTER_KEY_NAME).unwrap().is_none());
        let first = MasterKey::load_or_create(&secrets, false).unwrap();
        let sealed = Sealer::new(first).seal(b"c", b"text").unwrap();
        let again = MasterKey::load_or_create(&secrets, true).unwrap();
        assert_eq!(Sealer::new(again).open(b"c", &sealed).unwrap().as_slice(), b"text");
        secrets.set(MASTER_KEY_NAME, b"short").unwrap();
        assert!(matches!(MasterKey::load_or_create(&secrets, true), Err(SealError::KeyDamaged)));
        MasterKey::erase(&secrets).unwrap();
        assert!(matches!(MasterKey::load_or_create(&secrets, true), Err(SealError::KeyMissing)));
    }

    /// A store that is locked: its error must come through, and no key may be made.
    struct Locked;

    impl SecretStore for Locked {
        fn get(&self, _: &str) -> Result<Option<Zeroizing<Vec<u8>>>, SecretError> {
            Err(SecretError::Locked { detail: "test".to_owned() })
        }
        fn set(&self, _: &str, _: &[u8]) -> Result<(), SecretError> {
            panic!("a key was written to a locked store");
        }
        fn delete(&self, _: &str) -> Result<(), SecretError> {
            Ok(())
        }
    }

    #[test]
    fn a_locked_store_never_leads_to_a_new_key() {
        for exists in [true, false] {
            assert!(matches!(
                MasterKey::load_or_create(&Locked, exists),
                Err(SealError::Secret(SecretError::Locked { .. }))
            ));
        }
    }

    /// Data sealed by version 1 must open for ever: these bytes were made once and are not made again.
    #[test]
    fn what_version_1_sealed_still_opens() {
        let sealer = Sealer::new(MasterKey::from_bytes(&[0x11; 32]).unwrap());
        let blob = concat!(
            "01743c034dd506976baff3b554da819cfb5c4b0620314bc00f632f9753f297a6eb16551206bc97f8",
            "27763fb8db0332be0e",
        );
        let file = concat!(
            "446b534601777863e2d0972eec2a5f3ba6a164c076014329238b11d9d81c4dbe8d9823250387dc26",
            "fbee1368983f63ccd9f962eec5ace5aa88aef0130f3806626c7fe2609e31cce1f32a9171b05aaf75",
            "8b42660ea14b7c0815ad988ac9c06062394d0ea58a219446f86ef3d2b5217e280cec74620fdf69b4",
        );
        let blob = crate::vault::digest::from_hex(blob).unwrap();
        let file = crate::vault::digest::from_hex(file).unwrap();
        assert_eq!(sealer.open(b"draft/1", &blob).unwrap().as_slice(), b"kept");
        let mut reader = sealer.open_file(b"instance/1", std::io::Cursor::new(file)).unwrap();
        assert_eq!(reader.read_whole().unwrap(), b"stored");
    }

    #[test]
    fn debug_shows_no_key() {
        let key = MasterKey::from_bytes(&[0x41; 32]).unwrap();
        assert_eq!(format!("{key:?} {:?}", Sealer::new(key.clone())), "MasterKey(…) Sealer(…)");
    }

    proptest! {
        #![proptest_config(ProptestConfig { cases: 64, failure_persistence: None, ..ProptestConfig::default() })]

        #[test]
        fn round_trip(context in proptest::collection::vec(any::<u8>(), 0..64), plain in proptest::collection::vec(any::<u8>(), 0..4096)) {
            let sealer = sealer();
            let sealed = sealer.seal(&context, &plain).unwrap();
            let opened = sealer.open(&context, &sealed).unwrap();
            prop_assert_eq!(opened.as_slice(), plain.as_slice());
        }

        #[test]
        fn arbitrary_bytes_never_open(bytes in proptest::collection::vec(any::<u8>(), 0..256)) {
            prop_assert!(sealer().open(b"c", &bytes).is_err());
        }
    }
}

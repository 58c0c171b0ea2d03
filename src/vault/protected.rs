//! A secret that opens only with the reader's password: the signing key lies so, also inside the secret store,
//! so that each signature needs the password even where nobody can be asked (offline).

use super::random;
use super::secrets::PassphraseWork;
use argon2::{Algorithm, Argon2, Params, Version};
use ring::aead::{AES_256_GCM, Aad, LessSafeKey, Nonce, UnboundKey};
use zeroize::Zeroizing;

const VERSION: u8 = 1;
const SALT_BYTES: usize = 16;
const NONCE_BYTES: usize = 12;

/// Why something could not be sealed or opened.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum ProtectedError {
    /// The password is another one (or the bytes are of another context: which of them cannot be told).
    #[error("the password is wrong")]
    WrongPassword,
    /// Not something that [`seal`] made.
    #[error("the protected secret is damaged")]
    Damaged,
    /// No randomness.
    #[error(transparent)]
    Random(#[from] random::RandomError),
}

fn key(password: &str, salt: &[u8], work: PassphraseWork) -> Result<LessSafeKey, ProtectedError> {
    let acceptable = (64..=1024 * 1024).contains(&work.memory_kib) && (1..=20).contains(&work.passes);
    let params = Params::new(work.memory_kib, work.passes, 1, Some(32))
        .ok()
        .filter(|_| acceptable && password.len() <= super::password::MAX_PASSWORD_BYTES)
        .ok_or(ProtectedError::Damaged)?;
    let mut bytes = Zeroizing::new([0u8; 32]);
    Argon2::new(Algorithm::Argon2id, Version::V0x13, params)
        .hash_password_into(password.as_bytes(), salt, bytes.as_mut())
        .map_err(|_| ProtectedError::Damaged)?;
    UnboundKey::new(&AES_256_GCM, bytes.as_ref()).map(LessSafeKey::new).map_err(|_| ProtectedError::Damaged)
}

/// Seals `plain` under `password` (argon2id, then AES-256-GCM) for `context`.
///
/// Layout: version (1) · memory KiB (4) · passes (4) · salt (16) · nonce (12) · ciphertext and tag.
pub fn seal(password: &str, context: &[u8], plain: &[u8], work: PassphraseWork) -> Result<Vec<u8>, ProtectedError> {
    let salt = random::bytes::<SALT_BYTES>()?;
    let nonce = random::bytes::<NONCE_BYTES>()?;
    let mut body = Vec::with_capacity(plain.len() + AES_256_GCM.tag_len());
    body.extend_from_slice(plain);
    key(password, &salt, work)?
        .seal_in_place_append_tag(Nonce::assume_unique_for_key(nonce), Aad::from(context), &mut body)
        .map_err(|_| ProtectedError::Damaged)?;
    let mut out = vec![VERSION];
    out.extend_from_slice(&work.memory_kib.to_be_bytes());
    out.extend_from_slice(&work.passes.to_be_bytes());
    out.extend_from_slice(&salt);
    out.extend_from_slice(&nonce);
    out.extend_from_slice(&body);
    Ok(out)
}

/// Opens what [`seal`] made with the same password and context. Takes as long as the sealing's work.
pub fn open(password: &str, context: &[u8], sealed: &[u8]) -> Result<Zeroizing<Vec<u8>>, ProtectedError> {
    let parts = || {
        let (version, rest) = sealed.split_first()?;
        let (memory, rest) = rest.split_first_chunk::<4>()?;
        let (passes, rest) = rest.split_first_chunk::<4>()?;
        let (salt, rest) = rest.split_first_chunk::<SALT_BYTES>()?;
        let (nonce, body) = rest.split_first_chunk::<NONCE_BYTES>()?;
        let work = PassphraseWork { memory_kib: u32::from_be_bytes(*memory), passes: u32::from_be_bytes(*passes) };
        (*version == VERSION).then_some((work, *salt, *nonce, body))
    };
    let (work, salt, nonce, body) = parts().ok_or(ProtectedError::Damaged)?;
    let mut buffer = Zeroizing::new(body.to_vec());
    let length = key(password, &salt, work)?
        .open_in_place(Nonce::assume_unique_for_key(nonce), Aad::from(context), &mut buffer)
        .map(|plain| plain.len())
        .map_err(|_| ProtectedError::WrongPassword)?;
    buffer.truncate(length);
    Ok(buffer)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_password_and_context_open_it() {
        let sealed = seal("正しい horse", b"key of dr", b"secret", PassphraseWork::QUICK).unwrap();
        assert_eq!(open("正しい horse", b"key of dr", &sealed).unwrap().as_slice(), b"secret");
        assert_eq!(open("正しい Horse", b"key of dr", &sealed), Err(ProtectedError::WrongPassword));
        assert_eq!(open("正しい horse", b"key of another", &sealed), Err(ProtectedError::WrongPassword));
        for cut in 0..sealed.len() {
            assert!(open("正しい horse", b"key of dr", &sealed[..cut]).is_err(), "{cut}");
        }
    }

    #[test]
    fn stated_work_is_bounded() {
        let mut sealed = seal("password", b"c", b"s", PassphraseWork::QUICK).unwrap();
        sealed[1] = 0xff;
        assert_eq!(open("password", b"c", &sealed), Err(ProtectedError::Damaged));
        assert_eq!(open("password", b"c", &[]), Err(ProtectedError::Damaged));
    }
}

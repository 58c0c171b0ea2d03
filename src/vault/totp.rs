//! The second factor: time-based one-time codes (RFC 6238; SHA-1, 6 digits, 30 s, as every authenticator app understands).

use super::random::{self, RandomError};
use totp_rs::{Algorithm, Builder, Secret, Totp, TotpError};
use zeroize::Zeroizing;

/// Why no codes can be made from a secret.
#[derive(Debug, thiserror::Error)]
pub enum TotpSecretError {
    /// Shorter than 128 bits.
    #[error("the TOTP secret is too short")]
    TooShort,
    /// Not base32.
    #[error("the TOTP secret is not base32")]
    NotBase32,
    /// The user id or issuer cannot stand in an `otpauth` address.
    #[error("the user id or the center's name cannot stand in an otpauth address")]
    BadLabel,
    /// No randomness.
    #[error(transparent)]
    Random(#[from] RandomError),
}

/// A shared TOTP secret. `Debug` shows nothing; zeroed when dropped.
#[derive(Clone)]
pub struct TotpSecret(Zeroizing<Vec<u8>>);

impl std::fmt::Debug for TotpSecret {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("TotpSecret(…)")
    }
}

impl TotpSecret {
    /// Steps of this length, in seconds.
    pub const STEP_SECONDS: u64 = 30;

    /// A new 160-bit secret.
    pub fn generate() -> Result<Self, TotpSecretError> {
        Ok(Self(Zeroizing::new(random::secret_bytes::<20>()?.to_vec())))
    }

    /// A secret from its bytes; at least 128 bits.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, TotpSecretError> {
        let secret = Self(Zeroizing::new(bytes.to_vec()));
        secret.totp(None).map(|_| ())?;
        Ok(secret)
    }

    /// A secret from its base32 text, spaces and case ignored.
    pub fn from_base32(text: &str) -> Result<Self, TotpSecretError> {
        let compact: Zeroizing<String> =
            Zeroizing::new(text.chars().filter(|c| !c.is_whitespace()).map(|c| c.to_ascii_uppercase()).collect());
        let secret = Secret::try_from_base32(compact.as_str()).map_err(|_| TotpSecretError::NotBase32)?;
        Self::from_bytes(secret.as_ref())
    }

    /// The bytes, for sealed storage.
    pub fn as_bytes(&self) -> &[u8] {
        &self.0
    }

    /// Base32 text for typing into an authenticator.
    pub fn to_base32(&self) -> Zeroizing<String> {
        Zeroizing::new(Secret::from(self.0.to_vec()).to_base32())
    }

    /// `otpauth://totp/…` for a QR code. It holds the secret.
    pub fn otpauth_uri(&self, issuer: &str, user_id: &str) -> Result<Zeroizing<String>, TotpSecretError> {
        let totp = self.totp(Some((issuer, user_id)))?;
        totp.to_url().map(Zeroizing::new).map_err(|_| TotpSecretError::BadLabel)
    }

    /// The code of this moment (seconds since 1970): for the demo's reader and tests.
    pub fn code_at(&self, unix_seconds: u64) -> Result<String, TotpSecretError> {
        Ok(self.totp(None)?.generate(unix_seconds).to_string())
    }

    /// The time step that `code` belongs to, if it is the present, previous or next one and newer than `last_used_step`.
    ///
    /// Store the step with the user: each code is good once (RFC 6238 §5.2).
    pub fn check(&self, code: &str, unix_seconds: u64, last_used_step: Option<u64>) -> Option<u64> {
        // Far beyond any clock; near u64::MAX the step arithmetic would overflow.
        if unix_seconds > u64::from(u32::MAX) * 64 {
            return None;
        }
        let step = self.totp(None).ok()?.check(code.trim(), unix_seconds)?;
        last_used_step.is_none_or(|used| step > used).then_some(step)
    }

    fn totp(&self, label: Option<(&str, &str)>) -> Result<Totp, TotpSecretError> {
        let mut builder = Builder::new()
            .with_algorithm(Algorithm::SHA1)
            .with_digits(6)
            .with_skew(1)
            .with_step_duration(Self::STEP_SECONDS)
            .with_secret(self.0.to_vec());
        if let Some((issuer, user_id)) = label {
            builder = builder.with_issuer(Some(issuer)).with_account_name(user_id);
        }
        builder.build().map_err(|error| match error {
            TotpError::SecretTooShort { .. } => TotpSecretError::TooShort,
            _ => TotpSecretError::BadLabel,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rfc() -> TotpSecret {
        TotpSecret::from_bytes(b"12345678901234567890").unwrap()
    }

    #[test]
    fn vectors_of_rfc_6238() {
        // Appendix B gives 8 digits; the last six are the 6-digit codes.
        for (time, code) in [
            (59, "287082"),
            (1_111_111_109, "081804"),
            (1_111_111_111, "050471"),
            (1_234_567_890, "005924"),
            (2_000_000_000, "279037"),
        ] {
            assert_eq!(rfc().code_at(time).unwrap(), code, "{time}");
        }
    }

    #[test]
    fn one_step_of_skew_and_no_reuse() {
        let secret = rfc();
        let code = secret.code_at(1_000_000_020).unwrap();
        let step = 1_000_000_020 / 30;
        for (seconds, expected) in [(-60i64, None), (-30, Some(step)), (0, Some(step)), (30, Some(step)), (60, None)] {
            let now = 1_000_000_020u64.checked_add_signed(seconds).unwrap();
            assert_eq!(secret.check(&code, now, None), expected, "{seconds}");
        }
        assert_eq!(secret.check(&code, 1_000_000_020, Some(step)), None);
        assert_eq!(secret.check(&code, 1_000_000_020, Some(step - 1)), Some(step));
        assert_eq!(secret.check(&format!(" {code} "), 1_000_000_020, None), Some(step));
        for bad in ["", "12345", "1234567", "+12345", "１２３４５６", "abcdef"] {
            assert_eq!(secret.check(bad, 1_000_000_020, None), None, "{bad}");
        }
        assert_eq!(secret.check("000000", u64::MAX, None), None);
        assert!(secret.check(&secret.code_at(0).unwrap(), 0, None).is_some());
    }

    #[test]
    fn text_forms() {
        let secret = TotpSecret::generate().unwrap();
        let text = secret.to_base32();
        let spaced: String = text.to_lowercase().chars().flat_map(|c| [c, ' ']).collect();
        assert_eq!(TotpSecret::from_base32(&spaced).unwrap().as_bytes(), secret.as_bytes());
        let uri = secret.otpauth_uri("試験センター", "reader1").unwrap();
        assert!(
            uri.starts_with("otpauth://totp/")
                && uri.contains(&format!("secret={}", text.as_str()))
                && uri.contains("reader1")
        );
        assert!(uri.is_ascii());
        assert!(matches!(secret.otpauth_uri("a:b", "reader"), Err(TotpSecretError::BadLabel)));
        assert!(matches!(secret.otpauth_uri("center", ""), Err(TotpSecretError::BadLabel)));
        assert!(matches!(TotpSecret::from_base32("!!"), Err(TotpSecretError::NotBase32)));
        assert!(matches!(TotpSecret::from_base32("MFRA"), Err(TotpSecretError::TooShort)));
        assert_eq!(format!("{secret:?}"), "TotpSecret(…)");
    }
}

//! Passwords on the center's side: argon2id hashes and the rule that a new password must meet.

use super::random::{self, RandomError};
use argon2::password_hash::phc::PasswordHash;
use argon2::{Algorithm, Argon2, Params, PasswordHasher as _, PasswordVerifier as _, Version};

/// Longest password that is hashed: more would only let a stranger make the server work.
pub const MAX_PASSWORD_BYTES: usize = 1024;

/// Why a password could not be hashed.
#[derive(Debug, thiserror::Error)]
pub enum PasswordError {
    /// Longer than [`MAX_PASSWORD_BYTES`].
    #[error("the password is too long")]
    TooLong,
    /// The hash could not be made.
    #[error("the password could not be hashed")]
    Hash,
    /// No randomness.
    #[error(transparent)]
    Random(#[from] RandomError),
}

/// Work of one hash.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum HashWork {
    /// 19 MiB, 2 passes (OWASP's first recommendation for argon2id).
    #[default]
    Standard,
    /// For tests and the demo's throw-away users only.
    Quick,
}

impl HashWork {
    fn argon2(self) -> Result<Argon2<'static>, PasswordError> {
        let (memory_kib, passes) = match self {
            Self::Standard => (19 * 1024, 2),
            Self::Quick => (64, 1),
        };
        let params = Params::new(memory_kib, passes, 1, None).map_err(|_| PasswordError::Hash)?;
        Ok(Argon2::new(Algorithm::Argon2id, Version::V0x13, params))
    }
}

/// A PHC string (`$argon2id$…`) of `password` with a salt of its own. Takes some 20 ms and 19 MiB: not on an async worker.
pub fn hash(password: &str, work: HashWork) -> Result<String, PasswordError> {
    if password.len() > MAX_PASSWORD_BYTES {
        return Err(PasswordError::TooLong);
    }
    let salt = random::bytes::<16>()?;
    let hashed = work.argon2()?.hash_password_with_salt(password.as_bytes(), &salt).map_err(|_| PasswordError::Hash)?;
    Ok(hashed.to_string())
}

/// Whether `password` fits the stored PHC string. `None` (no such user) does the same work and is always `false`, so that the
/// time tells nobody which user ids exist. A damaged stored hash fits nothing.
pub fn verify(password: &str, stored: Option<&str>) -> bool {
    if password.len() > MAX_PASSWORD_BYTES {
        return false;
    }
    let Ok(argon2) = HashWork::Standard.argon2() else {
        return false;
    };
    match stored.map(PasswordHash::new) {
        Some(Ok(hash)) => argon2.verify_password(password.as_bytes(), &hash).is_ok(),
        Some(Err(_)) => false,
        None => {
            let mut spent = [0u8; 32];
            // The result is thrown away on purpose: only the time counts.
            std::hint::black_box(
                argon2.hash_password_into(password.as_bytes(), b"no such user....", &mut spent).is_ok(),
            );
            false
        }
    }
}

/// What a new password is measured against (MHLW guideline 6.0, Q&A シQ-54; domain reference §10).
#[derive(Debug, Clone, Copy)]
pub struct PasswordContext<'a> {
    /// The user id: never part of the password.
    pub user_id: &'a str,
    /// Names and dates that others know of the person (family name, romaji, birth date as digits): never part of it.
    pub personal: &'a [&'a str],
    /// With a second factor 8 characters are enough, without it 13.
    pub second_factor: bool,
}

/// What is wrong with a new password.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum PasswordFault {
    /// Fewer characters than asked for.
    TooShort {
        /// The least number.
        minimum: usize,
    },
    /// Longer than [`MAX_PASSWORD_BYTES`].
    TooLong,
    /// No letter.
    NoLetter,
    /// No digit.
    NoDigit,
    /// No sign that is neither letter nor digit.
    NoSymbol,
    /// Holds the user id.
    HoldsUserId,
    /// Holds a name or date of the person.
    HoldsPersonal,
    /// A word that attackers try first, with the usual decorations.
    Common,
}

/// Words of the first pages of every list of leaked passwords.
const COMMON: [&str; 24] = [
    "password",
    "passw0rd",
    "p@ssword",
    "p@ssw0rd",
    "qwerty",
    "asdfgh",
    "zxcvbn",
    "abc123",
    "abcd1234",
    "letmein",
    "welcome",
    "admin",
    "administrator",
    "iloveyou",
    "monkey",
    "dragon",
    "sakura",
    "nihon",
    "tokyo",
    "hospital",
    "radiology",
    "doctor",
    "dokuei",
    "123456",
];

/// Checks a new password; an empty list means that it may be used.
pub fn check_password_rule(password: &str, context: &PasswordContext<'_>) -> Vec<PasswordFault> {
    let minimum = if context.second_factor { 8 } else { 13 };
    let folded = password.to_lowercase();
    let holds = |part: &str| part.chars().count() >= 3 && folded.contains(&part.to_lowercase());
    let mut faults = Vec::new();
    let mut unless = |good: bool, fault: PasswordFault| {
        if !good {
            faults.push(fault);
        }
    };
    unless(password.chars().count() >= minimum, PasswordFault::TooShort { minimum });
    unless(password.len() <= MAX_PASSWORD_BYTES, PasswordFault::TooLong);
    unless(password.chars().any(char::is_alphabetic), PasswordFault::NoLetter);
    unless(password.chars().any(char::is_numeric), PasswordFault::NoDigit);
    unless(password.chars().any(|c| !c.is_alphanumeric()), PasswordFault::NoSymbol);
    unless(!holds(context.user_id), PasswordFault::HoldsUserId);
    unless(!context.personal.iter().any(|part| holds(part)), PasswordFault::HoldsPersonal);
    unless(!is_common(&folded), PasswordFault::Common);
    faults
}

/// A common word with nothing but a few digits and signs around it.
fn is_common(folded: &str) -> bool {
    let length = folded.chars().count();
    COMMON.iter().any(|word| folded.contains(word) && length < word.len() + 6)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hash_and_verify() {
        let stored = hash("正しい-Password-1", HashWork::Quick).unwrap();
        assert!(stored.starts_with("$argon2id$v=19$m=64,t=1,p=1$"));
        assert!(verify("正しい-Password-1", Some(&stored)));
        assert!(!verify("正しい-Password-2", Some(&stored)));
        assert!(!verify("", Some(&stored)));
        assert_ne!(stored, hash("正しい-Password-1", HashWork::Quick).unwrap());
        assert!(!verify("正しい-Password-1", Some("$argon2id$rubbish")));
        assert!(!verify("正しい-Password-1", Some("")));
        let long = "x".repeat(MAX_PASSWORD_BYTES + 1);
        assert!(matches!(hash(&long, HashWork::Quick), Err(PasswordError::TooLong)));
        assert!(!verify(&long, Some(&stored)));
    }

    #[test]
    fn standard_work_is_what_is_stated_and_an_unknown_user_is_refused() {
        let stored = hash("Standard-1", HashWork::Standard).unwrap();
        assert!(stored.starts_with("$argon2id$v=19$m=19456,t=2,p=1$"));
        assert!(verify("Standard-1", Some(&stored)));
        assert!(!verify("Standard-1", None));
    }

    #[test]
    fn the_rule() {
        let with = PasswordContext {
            user_id: "dr.tanaka",
            personal: &["田中太郎", "tanaka", "19700102"],
            second_factor: true,
        };
        let without = PasswordContext { second_factor: false, ..with };
        assert_eq!(check_password_rule("kiri-7-hana", &with), []);
        assert_eq!(check_password_rule("kiri-7-hana", &without), [PasswordFault::TooShort { minimum: 13 }]);
        assert_eq!(check_password_rule("kiri-7-hana-to", &without), []);
        assert_eq!(check_password_rule("k-7", &with), [PasswordFault::TooShort { minimum: 8 }]);
        assert_eq!(check_password_rule("kirihana7", &with), [PasswordFault::NoSymbol]);
        assert_eq!(check_password_rule("kiri-hana", &with), [PasswordFault::NoDigit]);
        assert_eq!(check_password_rule("123456-78", &with), [PasswordFault::NoLetter, PasswordFault::Common]);
        assert_eq!(
            check_password_rule("Dr.Tanaka-7", &with),
            [PasswordFault::HoldsUserId, PasswordFault::HoldsPersonal]
        );
        assert_eq!(check_password_rule("x-19700102", &with), [PasswordFault::HoldsPersonal]);
        assert_eq!(check_password_rule("P@ssw0rd1!", &with), [PasswordFault::Common]);
        assert_eq!(check_password_rule("桐の花-7つ咲く", &with), []);
        assert!(check_password_rule(&"あ1-".repeat(600), &with).contains(&PasswordFault::TooLong));
    }
}

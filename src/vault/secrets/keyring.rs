//! The platform's own store through the `keyring` package: Secret Service, macOS Keychain, Windows Credential Manager.

use super::{SecretError, SecretStore, check_name, check_size};
use ::keyring::{Entry, Error};
use zeroize::{Zeroize as _, Zeroizing};

/// Secrets of one profile in the OS keyring.
///
/// The platform store is connected once per process: a Secret Service that is started later is seen after a restart of the program.
#[derive(Debug)]
pub struct KeyringStore {
    service: String,
}

impl KeyringStore {
    /// Connects to the platform's store for `profile` (one profile per reading center and OS user).
    ///
    /// Fails with [`SecretError::NoService`] where there is none.
    pub fn open(profile: &str) -> Result<Self, SecretError> {
        check_name(profile)?;
        // `Entry::new` alone would say no more than "no default store"; the cause is here.
        match Entry::store_status() {
            Ok(()) => Ok(Self { service: format!("dokuei/{profile}") }),
            Err(error) => Err(SecretError::NoService { detail: error.to_string() }),
        }
    }

    fn entry(&self, name: &str) -> Result<Entry, SecretError> {
        check_name(name)?;
        Entry::new(&self.service, name).map_err(|error| classify(error, name))
    }
}

/// Our view of the package's error. Errors that carry bytes of the secret are dropped, never formatted.
fn classify(error: Error, name: &str) -> SecretError {
    match error {
        Error::NoDefaultStore => SecretError::NoService { detail: error.to_string() },
        Error::NoStorageAccess(cause) => {
            // The platform error's type belongs to another crate; its words are all that tells a locked collection from a refusal.
            let detail = cause.to_string();
            let words = format!("{detail} {cause:?}").to_lowercase();
            if words.contains("lock") || words.contains("prompt") {
                SecretError::Locked { detail }
            } else {
                SecretError::Denied { detail }
            }
        }
        Error::PlatformFailure(cause) => SecretError::Platform { detail: cause.to_string() },
        Error::Ambiguous(_) => SecretError::Ambiguous { name: name.to_owned() },
        Error::BadEncoding(mut bytes) | Error::BadDataFormat(mut bytes, _) => {
            bytes.zeroize();
            SecretError::Platform { detail: "the entry is not in the expected form".to_owned() }
        }
        other => SecretError::Platform { detail: other.to_string() },
    }
}

impl SecretStore for KeyringStore {
    fn get(&self, name: &str) -> Result<Option<Zeroizing<Vec<u8>>>, SecretError> {
        match self.entry(name)?.get_secret() {
            Ok(secret) => Ok(Some(Zeroizing::new(secret))),
            Err(Error::NoEntry) => Ok(None),
            Err(error) => Err(classify(error, name)),
        }
    }

    fn set(&self, name: &str, secret: &[u8]) -> Result<(), SecretError> {
        check_size(secret)?;
        self.entry(name)?.set_secret(secret).map_err(|error| classify(error, name))
    }

    fn delete(&self, name: &str) -> Result<(), SecretError> {
        match self.entry(name)?.delete_credential() {
            Ok(()) | Err(Error::NoEntry) => Ok(()),
            Err(error) => Err(classify(error, name)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn platform(words: &'static str) -> Box<dyn std::error::Error + Send + Sync> {
        words.into()
    }

    #[test]
    fn each_situation_has_its_own_error() {
        let is = |error: Error| classify(error, "n");
        assert!(matches!(is(Error::NoDefaultStore), SecretError::NoService { .. }));
        assert!(matches!(is(Error::NoStorageAccess(platform("object locked"))), SecretError::Locked { .. }));
        assert!(matches!(is(Error::NoStorageAccess(platform("prompt dismissed"))), SecretError::Locked { .. }));
        assert!(matches!(is(Error::NoStorageAccess(platform("no result found"))), SecretError::Denied { .. }));
        assert!(matches!(is(Error::PlatformFailure(platform("bus gone"))), SecretError::Platform { .. }));
        assert!(matches!(is(Error::Ambiguous(Vec::new())), SecretError::Ambiguous { .. }));
        // Only `NoService` may lead to the passphrase choice.
        assert!(is(Error::NoDefaultStore).allows_passphrase_choice());
        assert!(!is(Error::NoStorageAccess(platform("locked"))).allows_passphrase_choice());
    }

    #[test]
    fn bytes_of_a_secret_never_reach_the_message() {
        let shown = classify(Error::BadEncoding(b"hunter2".to_vec()), "n");
        assert!(!format!("{shown} {shown:?}").contains("hunter2"));
        assert!(!format!("{shown:?}").contains(&format!("{:?}", b"hunter2")));
    }

    /// Against the real Secret Service: the test script starts a throw-away one and sets the variable
    /// (see `scripts/test`). With the variable set, an absent service is a failure.
    #[test]
    #[expect(clippy::print_stderr, reason = "says clearly that the test did not run")]
    fn real_secret_service() {
        if std::env::var("DOKUEI_TEST_SECRET_SERVICE").as_deref() != Ok("1") {
            eprintln!("NOT RUN: real_secret_service needs DOKUEI_TEST_SECRET_SERVICE=1 and an unlocked Secret Service");
            return;
        }
        let profile = format!("test-{}", crate::vault::random::random_id().unwrap());
        let store = KeyringStore::open(&profile).expect("a Secret Service in this session");
        super::super::store_suite(&store);
        // Another profile sees nothing of this one.
        let other = KeyringStore::open(&format!("{profile}-b")).unwrap();
        store.set("shared-name", b"one").unwrap();
        assert!(other.get("shared-name").unwrap().is_none());
        store.delete("shared-name").unwrap();

        // Locked with no way to ask the person: an error that says so, never "not there", never a new master key.
        store.set("kept", b"behind the lock").unwrap();
        let locked = std::process::Command::new("dbus-send")
            .args(["--session", "--print-reply", "--dest=org.freedesktop.secrets"])
            .args(["/org/freedesktop/secrets", "org.freedesktop.Secret.Service.Lock"])
            .arg("array:objpath:/org/freedesktop/secrets/collection/login")
            .output()
            .expect("dbus-send (Debian/Ubuntu: apt install dbus-bin)");
        assert!(locked.status.success(), "{locked:?}");
        for _ in 0..2 {
            let found = store.get("kept");
            assert!(matches!(found, Err(SecretError::Locked { .. })), "{found:?}");
        }
        assert!(matches!(store.set("kept", b"x"), Err(SecretError::Locked { .. } | SecretError::Denied { .. })));
        assert!(!matches!(store.get("never-set"), Ok(Some(_))));
    }

    /// Without any session bus: the script sets the variable and an address that leads nowhere.
    #[test]
    #[expect(clippy::print_stderr, reason = "says clearly that the test did not run")]
    fn absent_secret_service() {
        if std::env::var("DOKUEI_TEST_SECRET_SERVICE").as_deref() != Ok("absent") {
            eprintln!("NOT RUN: absent_secret_service needs DOKUEI_TEST_SECRET_SERVICE=absent and no session bus");
            return;
        }
        let error = KeyringStore::open("test").unwrap_err();
        assert!(matches!(error, SecretError::NoService { .. }), "{error:?}");
        assert!(error.allows_passphrase_choice());
    }
}

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

    /// Runs one test of this file in a process of its own: the package connects to the platform's store once per process.
    fn alone(launcher: &[&str], test: &str, environment: &[(&str, &str)]) {
        let this = std::env::current_exe().unwrap();
        let this = this.to_str().expect("the test binary's path is UTF-8");
        let name = format!("{}::{test}", module_path!().split_once("::").unwrap().1);
        let line: Vec<&str> = launcher.iter().copied().chain([this, "--exact", &name, "--nocapture"]).collect();
        let (program, arguments) = line.split_first().unwrap();
        let mut command = std::process::Command::new(program);
        command.args(arguments).env_remove("DISPLAY").env_remove("WAYLAND_DISPLAY");
        let output = command.envs(environment.iter().copied()).output().unwrap_or_else(|e| panic!("{program}: {e}"));
        let said = String::from_utf8_lossy(&output.stdout);
        assert!(output.status.success() && said.contains("1 passed"), "{output:?}");
    }

    /// What the inner process of a test is told to do; `None` in an ordinary run.
    fn inner_part() -> Option<String> {
        std::env::var("DOKUEI_TEST_KEYRING_PART").ok()
    }

    #[test]
    fn no_session_bus_is_no_service() {
        if inner_part().as_deref() != Some("absent") {
            let environment =
                [("DOKUEI_TEST_KEYRING_PART", "absent"), ("DBUS_SESSION_BUS_ADDRESS", "unix:path=/nonexistent/bus")];
            return alone(&[], "no_session_bus_is_no_service", &environment);
        }
        let error = KeyringStore::open("test").unwrap_err();
        assert!(matches!(error, SecretError::NoService { .. }), "{error:?}");
        assert!(error.allows_passphrase_choice());
    }

    /// Whether the script has started a Secret Service for us (`scripts/test` does); says so where it has not.
    #[expect(clippy::print_stderr, reason = "says clearly that the test did not run")]
    fn service_is_there(test: &str) -> bool {
        let there = std::env::var("DOKUEI_TEST_SECRET_SERVICE").as_deref() == Ok("1");
        if !there {
            eprintln!("NOT RUN: {test} needs DOKUEI_TEST_SECRET_SERVICE=1 and an unlocked Secret Service");
        }
        there
    }

    #[test]
    fn real_secret_service() {
        if !service_is_there("real_secret_service") {
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
    }

    /// A locked collection and nobody to ask: an error that says so, never "not there", never a new master key.
    ///
    /// On a bus and with a service of its own, since the lock would hit other tests.
    #[test]
    fn locked_collection_is_locked() {
        let Some(_) = inner_part() else {
            if service_is_there("locked_collection_is_locked") {
                let folder = tempfile::tempdir().unwrap();
                let here = folder.path().to_str().unwrap();
                let environment = [
                    ("DOKUEI_TEST_KEYRING_PART", "locked"),
                    ("HOME", here),
                    ("XDG_DATA_HOME", here),
                    ("XDG_RUNTIME_DIR", here),
                ];
                let launcher = ["dbus-run-session", "--", "sh", "-c", WITH_SERVICE, "sh"];
                alone(&launcher, "locked_collection_is_locked", &environment);
            }
            return;
        };
        let store = KeyringStore::open("test").unwrap();
        store.set("master-key", &[1; 32]).unwrap();
        dbus("org.freedesktop.Secret.Service.Lock", "array:objpath:/org/freedesktop/secrets/collection/login");
        for _ in 0..2 {
            let found = store.get("master-key");
            assert!(matches!(found, Err(SecretError::Locked { .. })), "{found:?}");
            let key = crate::vault::seal::MasterKey::load_or_create(&store, false);
            assert!(matches!(key, Err(crate::vault::seal::SealError::Secret(SecretError::Locked { .. }))), "{key:?}");
        }
        let written = store.set("master-key", b"x");
        assert!(matches!(written, Err(SecretError::Locked { .. } | SecretError::Denied { .. })), "{written:?}");
        assert!(!matches!(store.get("never-set"), Ok(Some(_))));
    }

    /// Starts a service that ends with the command it is given. Asks the bus for its name first: a call to an absent service
    /// would make the bus start a second one.
    const WITH_SERVICE: &str = r#"
        printf throw-away | gnome-keyring-daemon --foreground --unlock --components=secrets >/dev/null 2>&1 &
        daemon=$!
        for try in $(seq 150); do
            dbus-send --session --print-reply --dest=org.freedesktop.DBus / org.freedesktop.DBus.NameHasOwner                 string:org.freedesktop.secrets | grep -q "boolean true" && break
            sleep 0.1
        done
        "$@"; status=$?
        kill "$daemon"; wait "$daemon"
        exit "$status""#;

    fn dbus(method: &str, argument: &str) {
        let output = std::process::Command::new("dbus-send")
            .args(["--session", "--print-reply", "--dest=org.freedesktop.secrets", "/org/freedesktop/secrets"])
            .args([method, argument])
            .output()
            .expect("dbus-send (Debian/Ubuntu: apt install dbus-bin)");
        assert!(output.status.success(), "{output:?}");
    }
}

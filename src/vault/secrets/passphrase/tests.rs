//! The passphrase file: the store suite, damage, wrong passphrases, two holders.

use super::*;

fn fresh() -> (tempfile::TempDir, PathBuf, PassphraseStore) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("secrets.json");
    let store = PassphraseStore::create(&path, "とても長い合言葉", PassphraseWork::QUICK).unwrap();
    (folder, path, store)
}

#[test]
fn behaves_like_every_store() {
    let (_folder, _path, store) = fresh();
    crate::vault::secrets::store_suite(&store);
}

#[test]
fn survives_reopening_and_knows_a_wrong_passphrase() {
    let (_folder, path, store) = fresh();
    store.set("key", b"0123456789abcdef").unwrap();
    drop(store);
    let again = PassphraseStore::open(&path, "とても長い合言葉").unwrap();
    assert_eq!(again.get("key").unwrap().unwrap().as_slice(), b"0123456789abcdef");
    assert!(matches!(PassphraseStore::open(&path, "とても長い合言菓"), Err(SecretError::WrongPassphrase)));
    let text = fs::read_to_string(&path).unwrap();
    assert!(!text.contains(&BASE64.encode(b"0123456789abcdef")) && !text.contains("\"key\""));
}

#[test]
fn never_replaces_a_file_and_never_invents_one() {
    let (folder, path, store) = fresh();
    store.set("key", b"x").unwrap();
    assert!(matches!(
        PassphraseStore::create(&path, "another passphrase", PassphraseWork::QUICK),
        Err(SecretError::AlreadyExists)
    ));
    assert!(store.get("key").unwrap().is_some());
    assert!(matches!(PassphraseStore::open(&folder.path().join("none"), "x"), Err(SecretError::FileMissing)));
    assert!(matches!(
        PassphraseStore::create(&folder.path().join("weak"), "short", PassphraseWork::QUICK),
        Err(SecretError::WeakPassphrase)
    ));
    // Gone behind our back: an error, not "no such secret".
    fs::remove_file(&path).unwrap();
    assert!(matches!(store.get("key"), Err(SecretError::FileMissing)));
}

#[test]
fn two_holders_of_one_file_lose_nothing() {
    let (_folder, path, store) = fresh();
    std::thread::scope(|scope| {
        for worker in 0..4 {
            let path = &path;
            scope.spawn(move || {
                let store = PassphraseStore::open(path, "とても長い合言葉").unwrap();
                for i in 0..5 {
                    store.set(&format!("w{worker}-{i}"), &[worker, i]).unwrap();
                }
            });
        }
    });
    for worker in 0..4 {
        for i in 0..5 {
            assert_eq!(store.get(&format!("w{worker}-{i}")).unwrap().unwrap().as_slice(), &[worker, i]);
        }
    }
}

#[test]
fn changed_passphrase_replaces_the_old_one() {
    let (_folder, path, mut store) = fresh();
    store.set("key", b"kept").unwrap();
    store.change_passphrase("the second one", PassphraseWork::QUICK).unwrap();
    assert_eq!(store.get("key").unwrap().unwrap().as_slice(), b"kept");
    assert!(matches!(PassphraseStore::open(&path, "とても長い合言葉"), Err(SecretError::WrongPassphrase)));
    assert_eq!(
        PassphraseStore::open(&path, "the second one").unwrap().get("key").unwrap().unwrap().as_slice(),
        b"kept"
    );
}

#[test]
fn damage_is_told_apart_and_hostile_parameters_are_refused() {
    let (_folder, path, store) = fresh();
    store.set("key", b"value").unwrap();
    let good = fs::read_to_string(&path).unwrap();
    let edit = |change: &dyn Fn(&mut serde_json::Value)| {
        let mut value: serde_json::Value = serde_json::from_str(&good).unwrap();
        change(&mut value);
        fs::write(&path, value.to_string()).unwrap();
        PassphraseStore::open(&path, "とても長い合言葉").map(|_| ())
    };
    let flip = |value: &mut serde_json::Value| {
        let mut bytes = BASE64.decode(value.as_str().unwrap()).unwrap();
        bytes[0] ^= 1;
        *value = BASE64.encode(bytes).into();
    };
    assert!(matches!(edit(&|v| flip(&mut v["entries"]["sealed"])), Err(SecretError::Corrupt { .. })));
    assert!(matches!(edit(&|v| flip(&mut v["entries"]["nonce"])), Err(SecretError::Corrupt { .. })));
    assert!(matches!(edit(&|v| flip(&mut v["salt"])), Err(SecretError::WrongPassphrase)));
    assert!(matches!(edit(&|v| v["work"]["memory_kib"] = 4_000_000_000_u64.into()), Err(SecretError::Corrupt { .. })));
    assert!(matches!(edit(&|v| v["work"]["passes"] = 0.into()), Err(SecretError::Corrupt { .. })));
    assert!(matches!(edit(&|v| v["version"] = 2.into()), Err(SecretError::Corrupt { .. })));
    assert!(matches!(edit(&|v| v["salt"] = "AAAA".into()), Err(SecretError::Corrupt { .. })));
    for cut in 0..good.len() {
        if good.is_char_boundary(cut) {
            fs::write(&path, &good[..cut]).unwrap();
            assert!(PassphraseStore::open(&path, "とても長い合言葉").is_err(), "cut at {cut}");
        }
    }
}

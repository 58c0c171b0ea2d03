//! The passphrase file: the store suite, damage, wrong passphrases, two holders.

use super::*;
use crate::vault::faults::FaultPlan;

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

const POINTS: [&str; 5] = ["secrets.lock", "atomic.create", "atomic.write", "atomic.rename", "atomic.sync"];

#[test]
fn a_full_disk_at_every_write_loses_no_secret() {
    let (folder, path, store) = fresh();
    let plan = Arc::new(FaultPlan::default());
    let store = store.announcing(plan.clone());
    store.set("kept", b"always").unwrap();
    let full = |result: Result<(), SecretError>| match result {
        Err(SecretError::Io(error)) => assert_eq!(error.kind(), std::io::ErrorKind::StorageFull),
        other => panic!("{other:?}"),
    };
    for point in POINTS {
        store.set("key", b"old").unwrap();
        let read = |name: &str| {
            // As this process sees it, and the next one.
            let again = PassphraseStore::open(&path, "とても長い合言葉").unwrap();
            let (here, there) = (store.get(name).unwrap(), again.get(name).unwrap());
            assert_eq!(here, there, "{point}");
            here.map(|secret| secret.to_vec())
        };
        plan.fail_at(point, std::io::ErrorKind::StorageFull);
        full(store.set("key", b"new"));
        // Only where nothing but the folder's sync failed is the new one there.
        let expected: &[u8] = if point == "atomic.sync" { b"new" } else { b"old" };
        assert_eq!(read("key").as_deref(), Some(expected), "{point}");
        full(store.delete("key"));
        assert_eq!(read("key").is_none(), point == "atomic.sync", "{point}");
        assert_eq!(read("kept").as_deref(), Some(&b"always"[..]), "{point}");
        plan.heal();
        store.set("key", b"new").unwrap();
        assert_eq!(read("key").as_deref(), Some(&b"new"[..]), "{point}: again, with room");
    }
    plan.restart();
    store.set("key", b"last").unwrap();
    assert_eq!(plan.seen(), POINTS, "every write fails once above");
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 2, "the file and its lock");
}

#[test]
fn a_secrets_file_that_could_not_be_made_is_not_there() {
    let plan = Arc::new(FaultPlan::default());
    for point in POINTS {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("secrets.json");
        let create =
            |passphrase| PassphraseStore::create_announced(&path, passphrase, PassphraseWork::QUICK, plan.clone());
        plan.fail_at(point, std::io::ErrorKind::StorageFull);
        assert!(matches!(create("the first passphrase"), Err(SecretError::Io(_))), "{point}");
        assert!(!PassphraseStore::exists(&path), "{point}");
        plan.heal();
        create("quite another one").unwrap();
        PassphraseStore::open(&path, "quite another one").unwrap();
    }
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

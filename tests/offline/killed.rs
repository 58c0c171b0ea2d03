//! SIGKILL at every write of a draft, a signature, the outbox and an instance, in a process of its own; and a
//! disk that is really full.

use crate::support::process::wait_for;
use dokuei::report::{Draft, Receipt, Value};
use dokuei::store::{Attachment, Fault, FaultPlan, NewAudit, NoFaults, Package, Profile, Store, StoreError};
use dokuei::study::{SeriesUid, SopInstanceUid, StudyUid};
use dokuei::vault::seal::MasterKey;
use dokuei::vault::secrets::{PassphraseStore, PassphraseWork, SecretStore as _};
use dokuei::worklist::{AuditAction, AuditOutcome};
use jiff::Timestamp;
use std::io::Write as _;
use std::os::unix::process::ExitStatusExt;
use std::path::Path;
use std::process::{Command, ExitStatus};
use std::sync::Arc;

const PASSPHRASE: &str = "only for this test";
const SIGKILL: i32 = 9;

/// The secrets of a terminal in this folder.
pub fn secrets(folder: &Path) -> PassphraseStore {
    let path = folder.join("secrets.json");
    let secrets = if PassphraseStore::exists(&path) {
        PassphraseStore::open(&path, PASSPHRASE)
    } else {
        PassphraseStore::create(&path, PASSPHRASE, PassphraseWork::QUICK)
    };
    secrets.expect("secrets")
}

/// The store of a terminal in this folder.
pub fn open(folder: &Path, plan: Option<Arc<FaultPlan>>) -> Store {
    let secrets = secrets(folder);
    // Another test that starts a program at this moment holds a copy of every open file, and so of the lock, until
    // its program runs.
    let profile = wait_for("the profile's lock", || match Profile::acquire(&folder.join("profile")) {
        Err(StoreError::InUse) => None,
        other => Some(other.expect("the lock went with the process")),
    });
    let exists = profile.holds_sealed_data();
    let key = MasterKey::load_or_create(&secrets, exists).expect("key");
    match plan {
        Some(plan) => Store::open(profile, key, plan),
        None => Store::open(profile, key, Arc::new(NoFaults)),
    }
    .expect("the store opens whatever happened before")
}

fn draft(revision: u64) -> Draft {
    Draft {
        assignment_id: "a-1".into(),
        template_id: "clin.ct".into(),
        template_version: 1,
        revision,
        fields: [("findings".to_owned(), Value::Text(format!("{revision}: {}", "所見".repeat(3000))))].into(),
        findings: vec![],
        annotations: vec![],
        next_id: 1,
        untouched: std::collections::BTreeSet::default(),
        addendum_to: None,
    }
}

fn package() -> Package {
    Package {
        assignment: "a-1".into(),
        user: "reader1".into(),
        lease: None,
        predecessor: None,
        revision: 1,
        signed_at: Timestamp::UNIX_EPOCH,
        sha256: "ab".repeat(32),
        report_json: b"{}".to_vec(),
        signature: vec![1; 900],
        attachments: vec![Attachment {
            name: "report.html".into(),
            media_type: "text/html".into(),
            bytes: vec![2; 9000],
        }],
    }
}

fn receipt() -> Receipt {
    Receipt {
        report_id: "r-1".into(),
        version: 1,
        assignment_id: "a-1".into(),
        sha256: "ab".repeat(32),
        signer: "reader1".into(),
        received_at: Timestamp::UNIX_EPOCH,
        center: "c".into(),
        signature: String::new(),
    }
}

fn audit(action: AuditAction) -> NewAudit {
    let at = Timestamp::UNIX_EPOCH;
    NewAudit { at, user: "reader1".into(), action, outcome: AuditOutcome::Success, object: None }
}

fn act(store: &mut Store, what: &str) -> Result<(), StoreError> {
    match what {
        "draft" => store.put_draft("reader1", &draft(2), Timestamp::UNIX_EPOCH),
        "sign" => store.sign(&package(), audit(AuditAction::ReportSigned)).map(|_| ()),
        "outbox" => {
            let id = store.outbox()?.first().map(|row| row.id).expect("an entry");
            store.outbox_accepted(id, &receipt(), audit(AuditAction::ReportSubmitted))
        }
        "mark" => store.mark_draft("reader1", "a-1", Some("e"), Some(1)),
        "discard" => store.delete_draft("reader1", "a-1"),
        "later" => store.outbox_retry(1, Timestamp::UNIX_EPOCH),
        "refused" => store.outbox_wedged(1, "lease-lost"),
        "again" => store.outbox_unwedge(1),
        "hand over" => store.hand_over(1, "受付に電話", audit(AuditAction::ReportExported)),
        "instance" => {
            let (study, series, instance) = instance();
            let file = store.objects().write_instance(&study, &instance, &vec![7; 600_000])?;
            store.put_instance(&study, &series, &instance, file).map(|_| ())
        }
        "fill" => {
            // Ends when the disk is full.
            for revision in 1.. {
                let mut big = draft(revision);
                big.assignment_id = format!("a-{revision}");
                store.put_draft("reader1", &big, Timestamp::UNIX_EPOCH)?;
                std::fs::write(marker(), revision.to_string()).expect("the marker lies on another disk");
            }
            Ok(())
        }
        other => panic!("unknown act {other}"),
    }
}

fn instance() -> (StudyUid, SeriesUid, SopInstanceUid) {
    (
        StudyUid::new("1.2").expect("uid"),
        SeriesUid::new("1.2.3").expect("uid"),
        SopInstanceUid::new("1.2.3.4").expect("uid"),
    )
}

fn marker() -> std::path::PathBuf {
    std::env::var_os("DOKUEI_TEST_MARKER").expect("given").into()
}

/// Ends this process by SIGKILL, as the system or a person would.
pub fn kill_self() -> ! {
    let me = std::process::id().to_string();
    Command::new("sh").args(["-c", "kill -9 \"$1\"", "kill", &me]).status().expect("a shell");
    // The signal is on its way; nothing more may happen here.
    loop {
        std::thread::park();
    }
}

/// What the others run as a program of its own: does one act and is killed before its n-th write.
#[test]
#[ignore = "a program that other tests start"]
fn child() {
    let folder = std::env::var_os("DOKUEI_TEST_FOLDER").expect("started by another test");
    let what = std::env::var("DOKUEI_TEST_ACT").expect("given");
    let nth: u64 = std::env::var("DOKUEI_TEST_NTH").expect("given").parse().expect("a number");
    let plan = Arc::new(FaultPlan::default());
    if what == "secret" {
        let secrets = secrets(Path::new(&folder)).announcing(plan.clone());
        plan.arm(nth, Fault::Call(Box::new(|| kill_self())));
        return secrets.set("signing-key", b"new").expect("kept");
    }
    let mut store = open(Path::new(&folder), Some(Arc::clone(&plan)));
    plan.arm(nth, Fault::Call(Box::new(|| kill_self())));
    match act(&mut store, &what) {
        Ok(()) => {}
        Err(StoreError::Full(_)) => std::process::exit(28),
        Err(error) => panic!("{error:?}"),
    }
}

/// This test binary.
pub fn this_program() -> std::path::PathBuf {
    std::env::current_exe().expect("a test is a program")
}

fn run_child(folder: &Path, what: &str, nth: u64) -> ExitStatus {
    Command::new(this_program())
        .args(["--exact", "offline::killed::child", "--ignored", "--quiet"])
        .env("DOKUEI_TEST_FOLDER", folder)
        .env("DOKUEI_TEST_ACT", what)
        .env("DOKUEI_TEST_NTH", nth.to_string())
        .stdout(std::process::Stdio::null())
        .stderr(std::process::Stdio::null())
        .status()
        .expect("starts")
}

/// Kills the act before each of its writes; `prepare` makes what was there before, `check` what must be true after.
fn at_every_write(what: &str, at_least: u64, prepare: impl Fn(&mut Store), check: impl Fn(&mut Store, u64)) {
    for nth in 0.. {
        let folder = tempfile::tempdir().expect("folder");
        let mut store = open(folder.path(), None);
        prepare(&mut store);
        drop(store);
        let ended = run_child(folder.path(), what, nth);
        let mut store = open(folder.path(), None);
        if ended.success() {
            assert!(nth >= at_least, "{what} has only {nth} writes");
            return;
        }
        assert_eq!(ended.signal(), Some(SIGKILL), "{what}, write {nth}: {ended}");
        check(&mut store, nth);
        store.check_audit().expect("the audit chain is whole");
    }
}

#[test]
fn a_draft_is_the_old_or_the_new_one() {
    at_every_write(
        "draft",
        3,
        |store| store.put_draft("reader1", &draft(1), Timestamp::UNIX_EPOCH).expect("kept"),
        |store, nth| {
            let kept = store.draft("reader1", "a-1").expect("read").expect("there").draft;
            // Writes: the row, the commit; then only the news of it.
            assert!(kept == draft(if nth < 2 { 1 } else { 2 }), "write {nth}");
            store.put_draft("reader1", &draft(3), Timestamp::UNIX_EPOCH).expect("goes on");
        },
    );
}

#[test]
fn a_signature_is_whole_or_not_there_and_never_twice() {
    at_every_write(
        "sign",
        5,
        |store| store.put_draft("reader1", &draft(1), Timestamp::UNIX_EPOCH).expect("kept"),
        |store, nth| {
            let waiting = store.outbox().expect("read");
            let again = store.sign(&package(), audit(AuditAction::ReportSigned));
            if waiting.is_empty() {
                assert!(nth < 4, "a committed signature was lost");
                again.expect("signed now");
            } else {
                assert_eq!(waiting[0].package, package());
                assert!(matches!(again, Err(StoreError::AlreadySigned)), "{again:?}");
            }
            assert_eq!((store.outbox().expect("read").len(), store.check_audit().expect("chain")), (1, 1));
            assert!(store.draft("reader1", "a-1").expect("read").is_some());
        },
    );
}

#[test]
fn an_outbox_entry_goes_only_with_its_receipt() {
    let prepare = |store: &mut Store| {
        store.put_draft("reader1", &draft(1), Timestamp::UNIX_EPOCH).expect("kept");
        store.sign(&package(), audit(AuditAction::ReportSigned)).expect("signed");
    };
    at_every_write("outbox", 6, prepare, |store, _| {
        let waiting = store.outbox().expect("read");
        let signed = store.signed("a-1").expect("read");
        assert_eq!(signed.len(), 1);
        // Waiting without a receipt, or gone with one: nothing between.
        assert_eq!(waiting.is_empty(), signed[0].receipt.is_some());
        assert_eq!(waiting.is_empty(), store.draft("reader1", "a-1").expect("read").is_none());
        if let Some(row) = waiting.first() {
            assert_eq!(row.package, package(), "the same bytes go again");
            store.outbox_accepted(row.id, &receipt(), audit(AuditAction::ReportSubmitted)).expect("accepted");
        }
        assert_eq!(store.signed("a-1").expect("read")[0].receipt, Some(receipt()));
    });
}

#[test]
fn an_entry_that_cannot_go_is_never_lost_between_two_states() {
    let signed = |store: &mut Store| {
        store.put_draft("reader1", &draft(1), Timestamp::UNIX_EPOCH).expect("kept");
        store.sign(&package(), audit(AuditAction::ReportSigned)).expect("signed");
    };
    let refused = |store: &mut Store| {
        signed(store);
        store.outbox_wedged(1, "lease-lost").expect("noted");
    };
    let one = |store: &mut Store| {
        let (waiting, handed) = (store.outbox().expect("read"), store.handed_over().expect("read"));
        assert_eq!(waiting.len() + handed.len(), 1, "one entry, in one place");
        let row = waiting.into_iter().chain(handed).next().expect("an entry");
        assert_eq!((row.id, &row.package), (1, &package()), "the bytes are as they were signed");
        assert!(store.draft("reader1", "a-1").expect("read").is_some());
        row
    };
    at_every_write("later", 3, signed, |store, nth| {
        assert_eq!(one(store).attempts, u32::from(nth >= 2));
    });
    at_every_write("refused", 3, signed, |store, nth| {
        assert_eq!(one(store).wedged.as_deref(), (nth >= 2).then_some("lease-lost"));
    });
    at_every_write("again", 3, refused, |store, nth| {
        assert_eq!(one(store).wedged.is_some(), nth < 2);
    });
    at_every_write("hand over", 4, refused, |store, nth| {
        let done = one(store).handed.is_some();
        assert_eq!(done, nth >= 3, "write {nth}");
        // The entry is closed with its audit record, or neither.
        assert_eq!(store.check_audit().expect("chain"), 1 + u64::from(done));
    });
}

#[test]
fn a_draft_that_is_marked_or_discarded_is_whole() {
    let kept = |store: &mut Store| store.put_draft("reader1", &draft(1), Timestamp::UNIX_EPOCH).expect("kept");
    at_every_write("mark", 3, kept, |store, nth| {
        let found = store.draft("reader1", "a-1").expect("read").expect("there");
        assert_eq!(found.draft, draft(1));
        assert_eq!((found.mirrored_revision, found.center_etag.is_some()), ((nth >= 2).then_some(1), nth >= 2));
    });
    at_every_write("discard", 3, kept, |store, nth| {
        assert_eq!(store.draft("reader1", "a-1").expect("read").is_some(), nth < 2);
    });
}

#[test]
fn a_secret_is_the_old_or_the_new_one() {
    for nth in 0.. {
        let folder = tempfile::tempdir().expect("folder");
        secrets(folder.path()).set("signing-key", b"old").expect("kept");
        let ended = run_child(folder.path(), "secret", nth);
        let kept = secrets(folder.path()).get("signing-key").expect("opens").expect("there");
        // Writes: the lock, a new file, its bytes, its name; then only the news of it.
        assert_eq!(kept.as_slice(), if nth < 4 { b"old" } else { b"new" }, "write {nth}");
        let files = std::fs::read_dir(folder.path()).expect("read").count();
        assert_eq!(files, 2, "write {nth}: nothing lies beside the file and its lock");
        if ended.success() {
            assert_eq!(nth, 5, "the writes of a secret");
            return;
        }
        assert_eq!(ended.signal(), Some(SIGKILL), "write {nth}: {ended}");
    }
}

#[test]
fn an_instance_is_kept_whole_or_fetched_again() {
    at_every_write(
        "instance",
        6,
        |_| {},
        |store, _| {
            let (study, series, uid) = instance();
            for row in store.instances(&study).expect("read") {
                let bytes = store.objects().read_instance(&study, &uid, &row.file.name).expect("opens");
                assert!(bytes == vec![7; 600_000]);
            }
            let file = store.objects().write_instance(&study, &uid, &vec![7; 600_000]).expect("sealed");
            store.put_instance(&study, &series, &uid, file).expect("kept");
            assert_eq!(store.instances(&study).expect("read").len(), 1);
        },
    );
}

/// A disk that is really full: a small tmpfs where this user may mount one, else a limit on the size of files.
#[test]
fn a_full_disk_loses_nothing_that_was_saved() {
    let folder = tempfile::tempdir().expect("folder");
    let (small, marker) = (folder.path().join("small"), folder.path().join("marker"));
    std::fs::create_dir(&small).expect("folder");
    // Inside the namespace the mount ends with the shell, so what must be looked at is looked at there: the
    // child's own exit code says that the store said "full", and a copy is made of what it left.
    let script = r#"
        if [ "$1" = tmpfs ]; then mount -t tmpfs -o size=3m tmpfs "$2" || exit 99
        else trap '' XFSZ; ulimit -f 2000 || exit 99; fi
        "$3" --exact offline::killed::child --ignored --quiet >/dev/null 2>&1
        code=$?
        ulimit -f unlimited 2>/dev/null || true
        cp -R "$2" "$2.after" || exit 98
        exit $code"#;
    let run = |program: &str, before: &[&str], how: &str| {
        Command::new(program)
            .args(before)
            .args(["sh", "-c", script, "sh", how])
            .arg(&small)
            .arg(this_program())
            .env("DOKUEI_TEST_FOLDER", &small)
            .env("DOKUEI_TEST_ACT", "fill")
            .env("DOKUEI_TEST_NTH", u64::MAX.to_string())
            .env("DOKUEI_TEST_MARKER", &marker)
            .status()
    };
    let mounted = run("unshare", &["-Urm"], "tmpfs").ok().filter(|s| s.code() != Some(99) && s.code() != Some(1));
    let how = if mounted.is_some() { "a small disk of its own" } else { "a limit on the size of files" };
    let ended = mounted.unwrap_or_else(|| run("env", &[], "limit").expect("a shell"));
    // Past the harness, which shows what is printed only where a test fails.
    let told = format!("a full disk: made full by {how}\n");
    std::io::stderr().lock().write_all(told.as_bytes()).expect("told");
    assert_eq!(ended.code(), Some(28), "the store did not say that the disk is full: {ended}");
    let saved: u64 = std::fs::read_to_string(&marker).expect("some were saved").parse().expect("a number");
    assert!(saved >= 5, "{saved}");
    let after = folder.path().join("small.after");
    let mut store = open(&after, None);
    let drafts = store.drafts("reader1").expect("read");
    assert!(drafts.len() as u64 == saved || drafts.len() as u64 == saved + 1, "{} of {saved}", drafts.len());
    store.put_draft("reader1", &draft(1), Timestamp::UNIX_EPOCH).expect("goes on where there is room");
}

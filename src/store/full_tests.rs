//! A full disk at every write that the store has: each call that writes is made with each of its writes failing in turn,
//! and leaves everything as it was; then it is made whole. No write of the store may be missing here.

use super::audit::tests::login;
use super::drafts::tests::draft;
use super::outbox::tests::{package, receipt};
use super::studies::tests::study;
use super::testing::{Bench, walk};
use super::{Fault, FaultPlan, PatientFlag, Store, StoreError};
use crate::report::fixtures::assignment;
use crate::study::{DisplaySetId, Series, SeriesUid, SopInstanceUid, StudyUid};
use jiff::Timestamp;
use std::collections::BTreeSet;
use std::io::ErrorKind;
use std::path::Path;
use std::sync::Arc;

/// A call that writes, by what it does.
type Step = (&'static str, Box<dyn Fn(&mut Store) -> Result<(), StoreError>>);

fn step(name: &'static str, work: impl Fn(&mut Store) -> Result<(), StoreError> + 'static) -> Step {
    (name, Box::new(work))
}

const NOW: Timestamp = Timestamp::UNIX_EPOCH;

fn uid() -> StudyUid {
    StudyUid::new("1.2.3").expect("uid")
}

fn series() -> Series {
    Series {
        uid: SeriesUid::new("1.2.3.1").expect("uid"),
        modality: "CT".into(),
        number: Some(1),
        description: String::new(),
        body_part: String::new(),
        instances: vec![],
    }
}

fn instance() -> SopInstanceUid {
    SopInstanceUid::new("1.2.3.1.1").expect("uid")
}

fn flag(assignment: &str) -> PatientFlag {
    PatientFlag {
        assignment: assignment.into(),
        user: "dr".into(),
        text: "氏名が違う".into(),
        key: "k".into(),
        set_at: NOW,
        refused: None,
    }
}

fn put_instance(store: &mut Store) -> Result<(), StoreError> {
    let file = store.objects().write_instance(&uid(), &instance(), b"bytes")?;
    store.put_instance(&uid(), &series().uid, &instance(), file).map(|_| ())
}

/// One life of a profile: every call of the store that writes.
fn steps() -> Vec<Step> {
    let list = || vec![Arc::new(assignment())];
    vec![
        step("setting", |s| s.put_setting("language", "\"ja\"")),
        step("private value", |s| s.put_private("clip", b"x")),
        step("private value away", |s| s.delete_private("clip")),
        step("reading state", |s| s.put_reading_state("dr", "{}")),
        step("worklist", move |s| s.put_worklist(&list(), NOW)),
        step("assignment", |s| s.put_assignment(&assignment())),
        step("record before a center", |s| s.record(login())),
        step("chain of a center", |s| s.use_audit_chain("c")),
        step("record", |s| s.record(login())),
        step("records sent", |s| s.audit_sent("c", 1)),
        step("study", |s| s.put_study(&study("1.2.3"), NOW)),
        step("series", |s| s.put_series(&uid(), &series())),
        step("study with series", |s| s.put_study_with(&study("1.2.3"), &[series()], NOW)),
        step("study used", |s| s.touch_study(&uid(), NOW + jiff::SignedDuration::from_secs(9))),
        step("thumbnail", |s| s.put_thumbnail(&uid(), &DisplaySetId { series: series().uid, index: 0 }, b"rgb")),
        step("instance", put_instance),
        step("instance away", |s| s.forget_instance(&uid(), &instance())),
        step("instance again", put_instance),
        step("room", |s| s.make_room(0, &[]).map(|_| ())),
        step("draft", |s| s.put_draft("dr", &draft("a", 1), NOW)),
        step("draft at the center", |s| s.mark_draft("dr", "a", Some("e"), Some(1))),
        step("another draft", |s| s.put_draft("dr", &draft("b", 1), NOW)),
        step("draft away", |s| s.delete_draft("dr", "b")),
        step("flag", |s| s.put_flag(&flag("a-1"), login())),
        step("flag refused", |s| s.mark_flag("dr", "a-1", Some("no"))),
        step("flag taken", |s| s.flag_taken("dr", "a-1")),
        step("signature", |s| s.sign(&package("a", None), login()).map(|_| ())),
        step("later", |s| s.outbox_retry(1, NOW)),
        step("refused", |s| s.outbox_wedged(1, "no")),
        step("again", |s| s.outbox_unwedge(1)),
        step("receipt", |s| s.outbox_accepted(1, &receipt("a"), login())),
        step("another signature", |s| s.sign(&package("c", None), login()).map(|_| ())),
        step("refused too", |s| s.outbox_wedged(2, "no")),
        step("handed over", |s| s.hand_over(2, "電話", login())),
        step("worklist away", Store::clear_worklist),
    ]
}

/// Every row of every table, and the sealed files.
fn everything(store: &Store, folder: &Path) -> Vec<String> {
    let tables = store
        .db
        .all("SELECT name FROM sqlite_master WHERE type = 'table' ORDER BY name", [], |r| r.get::<_, String>(0));
    let mut out = Vec::new();
    for table in tables.expect("tables") {
        let rows = store.db.all(&format!("SELECT * FROM \"{table}\""), [], |r| {
            let columns = (0..r.as_ref().column_count()).map(|n| r.get::<_, rusqlite::types::Value>(n));
            columns.collect::<rusqlite::Result<Vec<_>>>()
        });
        let mut rows: Vec<String> = rows.expect("rows").iter().map(|row| format!("{table} {row:?}")).collect();
        rows.sort();
        out.extend(rows);
    }
    let files = walk(folder).into_iter().map(|path| path.display().to_string());
    let mut sealed: Vec<String> = files.filter(|path| !path.contains("dokuei.db")).collect();
    sealed.sort();
    out.extend(sealed);
    out
}

/// The names under which the store announces its writes, from its own sources.
fn announced() -> BTreeSet<String> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/store");
    let mut out = BTreeSet::new();
    for entry in std::fs::read_dir(folder).expect("sources") {
        let path = entry.expect("entry").path();
        let text = std::fs::read_to_string(&path).expect("source");
        if path.file_name().is_some_and(|n| n == "full_tests.rs") {
            continue;
        }
        let code = text.split("#[cfg(test)]").next().unwrap_or_default();
        for call in ["tx.run(", "before_write("] {
            for after in code.split(call).skip(1) {
                // A literal, on the same line or the next; what is no literal hands a name on.
                if let Some(name) = after.trim_start().strip_prefix('"').and_then(|n| n.split('"').next()) {
                    out.insert(name.to_owned());
                }
            }
        }
    }
    out
}

#[test]
fn a_full_disk_at_every_write_changes_nothing() {
    let plan = Arc::new(FaultPlan::default());
    let mut met = BTreeSet::new();
    // The first opening, each time of a new profile, so that every one of its writes fails once: whichever it was, the
    // next attempt opens.
    let mut opened = None;
    for nth in 0.. {
        let bench = Bench::new();
        plan.arm(nth, Fault::Fail(ErrorKind::StorageFull));
        let first = Store::open(bench.acquire(), bench.key.clone(), plan.clone());
        met.extend(plan.seen());
        plan.restart();
        match first {
            Err(StoreError::Full(_)) => {
                let again = Store::open(bench.acquire(), bench.key.clone(), plan.clone());
                again.unwrap_or_else(|error| panic!("after write {nth} of the opening: {error}"));
            }
            other => {
                opened = Some((bench, other.expect("opens")));
                break;
            }
        }
    }
    let (bench, mut store) = opened.expect("opened");
    for (name, work) in steps() {
        for nth in 0.. {
            let before = everything(&store, bench.folder.path());
            plan.arm(nth, Fault::Fail(ErrorKind::StorageFull));
            let done = work(&mut store);
            met.extend(plan.seen());
            match done {
                Err(StoreError::Full(_)) => {
                    assert_eq!(everything(&store, bench.folder.path()), before, "{name}: write {nth}");
                }
                other => {
                    other.unwrap_or_else(|error| panic!("{name}: {error}"));
                    assert_ne!(everything(&store, bench.folder.path()), before, "{name} writes nothing");
                    break;
                }
            }
        }
        plan.restart();
    }
    let met: BTreeSet<String> = met.into_iter().map(str::to_owned).collect();
    assert_eq!(met, announced(), "the writes that the steps make, and those in the store's sources");
}

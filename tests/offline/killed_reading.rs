//! SIGKILL at every write of draft, signature and outbox while somebody reads: the whole workstation (app and engine) on a profile
//! folder in a process of its own. After each kill the same profile is opened again and the report goes on to the
//! center: nothing acknowledged is lost, no report is there twice, and nothing but the truth is shown.

use super::killed::{kill_self, open as open_store, secrets, this_program};
use crate::support::dicom::write_study;
use crate::support::process::{DEADLINE, wait_for};
use crate::support::reading_center::{PASSWORD, SharedClock, TestCenter, USER};
use crate::support::terminal::{brisk, secret};
use dokuei::app::{AccessAction, Action, App, ReportAction, WorklistAction};
use dokuei::cli::driver::{Alarm, Driver};
use dokuei::cli::reading_day;
use dokuei::engine::message::{Command, Demand, EngineLink, Event, Start};
use dokuei::engine::{Config, Engine, EngineError, SecretChoice};
use dokuei::report::{Draft, Edit, Receipt, Value};
use dokuei::store::{Faults, Store, StoreError};
use dokuei::vault::ca::certificates_from_pem;
use dokuei::vault::secrets::PassphraseWork;
use dokuei::vault::signature::{Expected, Policy};
use dokuei::worklist::AssignmentState;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};
use std::io::Write as _;
use std::os::unix::process::ExitStatusExt;
use std::path::{Path, PathBuf};
use std::process::ExitStatus;
use std::sync::{Arc, Mutex};

/// What is written into the report's findings, one save after the other.
const TEXTS: [&str; 2] = ["右上葉に結節影", "右上葉に結節影。縦隔リンパ節腫大なし"];

/// First writes of the transactions that are killed: a draft, its mark as mirrored, the signature, the receipt.
const ACTS: [&str; 4] = ["draft.put", "draft.mark", "signed.put", "receipt.put"];
/// All of their writes.
const WRITES: [&str; 17] = [
    "draft.put",
    "draft.put/commit",
    "draft.put/committed",
    "draft.mark",
    "draft.mark/commit",
    "draft.mark/committed",
    "signed.put",
    "signed.put/outbox.put",
    "signed.put/audit.append",
    "signed.put/commit",
    "signed.put/committed",
    "receipt.put",
    "receipt.put/outbox.remove",
    "receipt.put/draft.delete",
    "receipt.put/audit.append",
    "receipt.put/commit",
    "receipt.put/committed",
];

/// Kills before the n-th write of [`ACTS`]. What else is written meanwhile (worklist, thumbnails, audit sent) comes in
/// any order and is not counted, so that no write is missed by chance.
#[derive(Default)]
struct Killer(Mutex<Killing>);

#[derive(Default)]
struct Killing {
    /// First write of the transaction that is open.
    act: Option<&'static str>,
    armed: Option<(u64, Journal)>,
}

impl Killer {
    fn arm(&self, nth: u64, journal: &Journal) {
        self.0.lock().expect("lock").armed = Some((nth, journal.clone()));
    }
}

impl Faults for Killer {
    fn before_write(&self, point: &'static str) -> std::io::Result<()> {
        // The store's files are written beside its transactions.
        if point.starts_with("object.") {
            return Ok(());
        }
        let mut killing = self.0.lock().expect("lock");
        if ACTS.contains(&point) {
            killing.act = None;
        }
        let act = *killing.act.get_or_insert(point);
        if point == "committed" {
            killing.act = None;
        }
        if let Some((left, journal)) = killing.armed.as_mut().filter(|_| ACTS.contains(&act)) {
            if *left == 0 {
                journal.tell(&Fact::Killed(if act == point { act.to_owned() } else { format!("{act}/{point}") }));
                kill_self();
            }
            *left -= 1;
        }
        Ok(())
    }
}

/// What the child is told by its parent.
#[derive(Serialize, Deserialize)]
struct Orders {
    folder: PathBuf,
    enrolment: PathBuf,
    otp: String,
    now: Timestamp,
    assignment: String,
    /// Killed before this write, counted from the first edit.
    nth: Option<u64>,
    /// The store holds a signed report of this assignment.
    signed: bool,
    /// Whose profile is used already.
    fresh: bool,
}

/// What the child has seen happen, in the order in which the app was told.
#[derive(Debug, Serialize, Deserialize, PartialEq)]
enum Fact {
    /// The draft as it was loaded: its findings.
    Found(String),
    /// The draft with these findings is on this disk.
    Saved(String),
    /// Signed.
    Signed(String),
    /// The center's receipt.
    Received(String),
    /// The write before which the process was killed.
    Killed(String),
}

/// Facts outlive the process: one line each, given to the system before anything goes on.
#[derive(Clone)]
struct Journal(PathBuf);

impl Journal {
    fn of(folder: &Path) -> Self {
        Self(folder.join("journal"))
    }

    fn tell(&self, fact: &Fact) {
        let mut line = serde_json::to_vec(fact).expect("JSON");
        line.push(b'\n');
        let mut file = std::fs::OpenOptions::new().append(true).create(true).open(&self.0).expect("the test's folder");
        file.write_all(&line).expect("the test's folder");
    }

    /// Everything told since the last time.
    fn take(&self) -> Vec<Fact> {
        let text = std::fs::read_to_string(&self.0).unwrap_or_default();
        let _none_yet = std::fs::remove_file(&self.0);
        text.lines().map(|line| serde_json::from_str(line).expect("a whole line")).collect()
    }
}

/// The engine, with an ear on it.
struct Overheard {
    engine: Engine,
    journal: Journal,
    assignment: String,
    revisions: BTreeMap<u64, String>,
}

fn findings(draft: &Draft) -> String {
    match draft.fields.get("findings") {
        Some(Value::Text(text)) => text.clone(),
        _ => String::new(),
    }
}

impl EngineLink for Overheard {
    fn send(&mut self, command: Command) {
        if let Command::SaveDraft(draft) = &command {
            self.revisions.insert(draft.revision, findings(draft));
        }
        self.engine.send(command);
    }

    fn demand(&mut self, demand: Demand) {
        self.engine.demand(demand);
    }

    fn stop(self: Box<Self>) -> bool {
        self.engine.shutdown()
    }

    fn drain(&mut self, max: usize) -> Vec<Event> {
        let events = self.engine.drain(max);
        for event in &events {
            match event {
                Event::DraftSaved { assignment, revision, .. } if *assignment == self.assignment => {
                    // At sign-in the drafts of earlier sessions are told too; those words were told before.
                    if let Some(text) = self.revisions.get(revision) {
                        self.journal.tell(&Fact::Saved(text.clone()));
                    }
                }
                Event::Signed { assignment, sha256 } if *assignment == self.assignment => {
                    self.journal.tell(&Fact::Signed(sha256.clone()));
                }
                Event::Receipt(receipt) if receipt.assignment_id == self.assignment => {
                    self.journal.tell(&Fact::Received(receipt.sha256.clone()));
                }
                _ => {}
            }
        }
        events
    }
}

fn workstation(orders: &Orders, killer: Arc<Killer>, journal: &Journal) -> Driver<Overheard> {
    let alarm = Alarm::default();
    let clock = SharedClock::at(orders.now);
    let given = SecretChoice::Given(Arc::new(secrets(&orders.folder)));
    let mut config = Config::new(orders.folder.join("profile"), given, clock.clone(), alarm.callback());
    config.timing = brisk();
    config.work = PassphraseWork::QUICK;
    config.decoders = Some(1);
    config.faults = killer;
    // A program that another test starts at this moment holds a copy of the lock until it runs.
    let engine = wait_for("the profile's lock", || match Engine::start(config.clone()) {
        Err(EngineError::Store(StoreError::InUse)) => None,
        other => Some(other.expect("the engine starts whatever happened before")),
    });
    let (journal, assignment) = (journal.clone(), orders.assignment.clone());
    let heard = Overheard { engine, journal, assignment, revisions: BTreeMap::new() };
    Driver::new(heard, alarm, Box::new(move || clock.time()))
}

#[track_caller]
fn until(driver: &mut Driver<Overheard>, what: &str, mut done: impl FnMut(&App) -> bool) {
    let ended = driver.until(what, DEADLINE, &mut |_| {}, &mut done);
    ended.unwrap_or_else(|e| panic!("{e}; notices {:?}", driver.app.notices));
}

/// Signs in, opens, writes, signs and waits for the receipt; or goes on with what is there of that.
fn read(orders: &Orders) {
    let (killer, journal) = (Arc::new(Killer::default()), Journal::of(&orders.folder));
    let mut driver = workstation(orders, Arc::clone(&killer), &journal);
    until(&mut driver, "the start", |app| app.access.start.is_some());
    assert_eq!(matches!(driver.app.access.start, Some(Start::NotEnrolled)), orders.fresh);
    if orders.fresh {
        driver.act(Action::Access(AccessAction::Enrol(orders.enrolment.clone())));
        until(&mut driver, "enrolment", |app| matches!(app.access.start, Some(Start::Ready { .. })));
    }
    let (password, otp) = (secret(PASSWORD), secret(&orders.otp));
    driver.act(Action::Access(AccessAction::SignIn { user: USER.into(), password, otp }));
    until(&mut driver, "the worklist", |app| app.worklist.get(&orders.assignment).is_some());
    if orders.signed {
        // Until the center has it the reader is told that it waits, and can neither write nor sign again.
        driver.act(Action::Worklist(WorklistAction::Open(orders.assignment.clone())));
        until(&mut driver, "the center's word", |app| {
            assert!(!app.report.as_ref().is_some_and(dokuei::app::ReportState::editable), "signed work was editable");
            let list = &app.worklist;
            let state = list.get(&orders.assignment).map(|a| a.state);
            let waits = list.signed.contains(&orders.assignment);
            let sent = list.receipts.contains_key(&orders.assignment) || state == Some(AssignmentState::Submitted);
            assert!(waits || sent || app.outbox.is_empty(), "an entry waits and nobody is told");
            state == Some(AssignmentState::Submitted) && app.outbox.is_empty()
        });
    } else {
        reading_day::open(&mut driver, &orders.assignment).expect("opens");
        let found = driver.app.report.as_ref().and_then(|r| r.draft()).map(findings).unwrap_or_default();
        journal.tell(&Fact::Found(found.clone()));
        if let Some(nth) = orders.nth {
            killer.arm(nth, &journal);
        }
        if progress(&found) < 1 {
            write(&mut driver, TEXTS[0]);
        }
        if progress(&found) < 2 {
            reading_day::fill(&mut driver).expect("a draft");
            write(&mut driver, TEXTS[1]);
        }
        let done = reading_day::submit(&mut driver, PASSWORD).expect("signed and received");
        assert_eq!(done.receipt.assignment_id, orders.assignment);
        until(&mut driver, "the worklist", |app| {
            app.worklist.get(&orders.assignment).is_some_and(|a| a.state == AssignmentState::Submitted)
        });
    }
    assert!(driver.into_engine().engine.shutdown(), "everything was done");
}

/// Writes the findings and waits until they are on this disk and at the center.
fn write(driver: &mut Driver<Overheard>, text: &str) {
    let edit = Edit::SetField("findings".to_owned(), Some(Value::Text(text.to_owned())));
    driver.act(Action::Report(ReportAction::Edit(edit)));
    driver.act(Action::Report(ReportAction::Save));
    let revision = driver.app.report.as_ref().and_then(|r| r.draft()).map(|d| d.revision).expect("a draft");
    until(driver, "the draft at the center", |app| {
        let saved = app.report.as_ref().and_then(|r| r.saving.saved);
        saved.is_some_and(|s| s.revision >= revision && s.at_center)
    });
}

/// What the other runs as a program of its own.
#[test]
#[ignore = "a program that another test starts"]
fn child() {
    let orders = std::env::var("DOKUEI_TEST_ORDERS").expect("started by another test");
    read(&serde_json::from_str(&orders).expect("orders"));
}

fn run(orders: &Orders) -> (ExitStatus, String) {
    let output = std::process::Command::new(this_program())
        .args(["--exact", "offline::killed_reading::child", "--ignored", "--nocapture"])
        .env("DOKUEI_TEST_ORDERS", serde_json::to_string(orders).expect("JSON"))
        .output()
        .expect("starts");
    (output.status, format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr)))
}

/// How far the text of a draft is: 0 nothing, 1 the first save, 2 the second.
fn progress(text: &str) -> usize {
    TEXTS.iter().position(|t| *t == text).map_or(0, |place| place + 1)
}

fn acknowledged(facts: &[Fact]) -> usize {
    let saved = facts.iter().map(|f| if let Fact::Saved(text) = f { progress(text) } else { 0 });
    saved.max().unwrap_or(0)
}

/// The center's word for exactly these bytes.
fn check_receipt(center: &TestCenter, receipt: &Receipt, sha256: &str) {
    assert_eq!((receipt.sha256.as_str(), receipt.version), (sha256, 1));
    let signature = base64::Engine::decode(&base64::engine::general_purpose::STANDARD, &receipt.signature);
    let told = receipt.signed_bytes().expect("canonical");
    let roots = certificates_from_pem(&center.enrolment.file.ca_certificate).expect("the center's CA");
    let at = center.clock.time();
    let check = Policy { roots: &roots, revoked: &[], at, expected: Expected::Center }
        .verify(&told, &signature.expect("base64"));
    assert!(check.verdict.is_valid(), "{}", check.detail);
}

/// Everything sealed opens; gives whether the assignment's report is signed there.
fn look(store: &Store, center: &TestCenter, assignment: &str, facts: &[Fact]) -> bool {
    for draft in store.drafts(USER).expect("drafts open") {
        store.draft(USER, &draft.assignment_id).expect("opens").expect("there");
    }
    store.settings().expect("settings open");
    store.reading_state(USER).expect("the reading state opens");
    store.worklist().expect("the worklist opens");
    store.check_audit().expect("the audit chain is whole");
    let (signed, waiting) = (store.signed(assignment).expect("opens"), store.outbox().expect("opens"));
    assert!(signed.len() <= 1, "signed twice");
    assert!(waiting.iter().all(|row| row.package.assignment == assignment && row.wedged.is_none()));
    let received = signed.first().and_then(|row| row.receipt.as_ref());
    assert_eq!(waiting.len(), usize::from(!signed.is_empty() && received.is_none()), "waiting or received");
    // What was told is so.
    for fact in facts {
        match fact {
            Fact::Signed(sha256) => assert_eq!(&signed.first().expect("kept").package.sha256, sha256),
            Fact::Received(sha256) => assert_eq!(&received.expect("kept").sha256, sha256),
            _ => {}
        }
    }
    if let Some(row) = signed.first() {
        let report = String::from_utf8_lossy(&row.package.report_json).into_owned();
        assert!(report.contains(TEXTS[1]), "signed without the last words");
        assert_eq!(dokuei::vault::digest::sha256_hex(&row.package.report_json), row.package.sha256);
    }
    if received.is_none() {
        let kept = store.draft(USER, assignment).expect("opens").map(|k| progress(&findings(&k.draft)));
        assert!(kept.unwrap_or(0) >= acknowledged(facts), "saved words are gone: {facts:?}");
    } else if let (Some(row), Some(receipt)) = (signed.first(), received) {
        check_receipt(center, receipt, &row.package.sha256);
    }
    !signed.is_empty()
}

/// One assignment: killed before write `nth`, looked at, read to its end. Gives the write's name, `None` where the
/// reading ended before it came.
fn read_with_a_kill(center: &TestCenter, folder: &Path, nth: u64, fresh: bool) -> Option<String> {
    let study = write_study(center.folder(), &format!("1.2.392.77.{nth}"), 1, 1, 16);
    let assignment = center.import(&study).assignments.remove(0);
    let mut orders = Orders {
        folder: folder.to_owned(),
        enrolment: center.enrolment_file(),
        otp: center.otp(),
        now: center.clock.time(),
        assignment: assignment.clone(),
        nth: Some(nth),
        signed: false,
        fresh,
    };
    let journal = Journal::of(folder);
    let (ended, said) = run(&orders);
    let mut facts = journal.take();
    let killed = facts.iter().find_map(|f| if let Fact::Killed(point) = f { Some(point.clone()) } else { None });
    let store = open_store(folder, None);
    let signed = look(&store, center, &assignment, &facts);
    drop(store);
    if killed.is_none() {
        assert!(ended.success(), "write {nth}: {ended}\n{said}");
        assert!(signed);
    } else {
        assert_eq!(ended.signal(), Some(9), "write {nth}: {ended}\n{said}");
        orders = Orders { otp: center.otp(), now: center.clock.time(), nth: None, signed, fresh: false, ..orders };
        let (ended, said) = run(&orders);
        assert!(ended.success(), "after write {nth} ({killed:?}): {ended}\n{said}");
        let after = journal.take();
        let found = after.iter().find_map(|f| if let Fact::Found(text) = f { Some(progress(text)) } else { None });
        assert_eq!(found.is_none(), signed);
        assert!(found.is_none_or(|found| found >= acknowledged(&facts)), "saved words are not shown: {facts:?}");
        facts.extend(after);
        let store = open_store(folder, None);
        assert!(look(&store, center, &assignment, &facts));
        assert!(store.outbox().expect("opens").is_empty());
    }
    let versions: Vec<_> = center.reports().into_iter().filter(|(id, _)| *id == assignment).collect();
    assert_eq!(versions, [(assignment, 1)], "write {nth}");
    killed
}

#[test]
fn a_reading_killed_at_any_write_goes_on_where_it_was() {
    let center = TestCenter::start(None);
    let folder = tempfile::tempdir().expect("folder");
    let mut points = Vec::new();
    // One terminal through all of it: what a kill left behind is what the next reading begins with.
    while let Some(point) = read_with_a_kill(&center, folder.path(), points.len() as u64, points.is_empty()) {
        points.push(point);
    }
    println!("killed before each of {} writes: {}", points.len(), points.join(" "));
    let named: BTreeSet<&str> = points.iter().map(String::as_str).collect();
    assert_eq!(named, BTreeSet::from(WRITES));
    assert!(points.len() > WRITES.len(), "each text is saved and mirrored");
    let reports = center.reports();
    assert_eq!(reports.len(), points.len() + 1);
    assert!(reports.iter().all(|(_, versions)| *versions == 1));
}

//! A report that the center refuses for good: its reader gets at the signed files, and can close the entry. Nothing
//! signed is lost, and nothing half written is left.

use crate::support::chaos::Chaos;
use crate::support::dicom::write_study;
use crate::support::process::wait_until;
use crate::support::reading_center::{PASSWORD, TestCenter, USER};
use crate::support::terminal::{Session, Terminal, secret};
use dokuei::cli::args::OutboxArgs;
use dokuei::cli::driver::{Alarm, Driver};
use dokuei::cli::outbox::work;
use dokuei::cli::verify::{VerifyArgs, run as verify};
use dokuei::engine::Engine;
use dokuei::engine::message::{
    Command, Demand, EngineLink, Event, Failure, HandingCommand, HandingEvent, OutboxEntry, Prepared, Start,
};
use dokuei::server::assign;
use dokuei::store::FaultPlan;
use dokuei::vault::digest::sha256_hex;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};
use std::sync::Arc;

struct Refused {
    session: Session,
    assignment: String,
    entry: OutboxEntry,
    prepared: Prepared,
}

/// Signed while the line is down; meanwhile the assignment is taken away.
fn refused(chaos: &Chaos, center: &TestCenter, terminal: &Terminal) -> Refused {
    center.import(&write_study(center.folder(), "1.2.392.99", 1, 1, 16));
    let mut session = terminal.signed_in(center);
    let id = session.assignment().id.clone();
    let assignment = session.begin(&id);
    let prepared = session.prepare(&assignment, Session::draft(&assignment, 1));
    chaos.refuse(true);
    session.sign(&prepared);
    session.stop();
    assign::withdraw(center.center(), &id, None, "撮影し直し").expect("taken away");
    chaos.refuse(false);
    let mut session = terminal.start();
    session.wait("the start", |e| matches!(e, Event::Started(Start::Ready { .. })).then_some(()));
    let otp = secret(&center.otp());
    session.send(Command::SignIn { user: USER.into(), password: secret(PASSWORD), otp });
    let entry = session.wait("a refusal", |e| match e {
        Event::Outbox(entries) => entries.iter().find(|e| e.wedged.is_some()).cloned(),
        Event::Receipt(_) => panic!("taken without an assignment"),
        _ => None,
    });
    Refused { session, assignment: id, entry, prepared }
}

fn export(session: &mut Session, id: i64, folder: &Path) -> Result<PathBuf, Failure> {
    session.send(Command::Handing(HandingCommand::Export { id, folder: folder.to_owned() }));
    session.wait("the export", |e| match e {
        Event::Handing(HandingEvent::Exported { folder, .. }) => Some(Ok(folder.clone())),
        Event::Handing(HandingEvent::Failed { failure, .. }) => Some(Err(failure.clone())),
        _ => None,
    })
}

fn hand_over(session: &mut Session, id: i64, reason: &str) -> Result<(), Failure> {
    session.send(Command::Handing(HandingCommand::HandOver { id, reason: reason.to_owned() }));
    session.wait("the end of the entry", |e| match e {
        Event::Handing(HandingEvent::HandedOver { .. }) => Some(Ok(())),
        Event::Handing(HandingEvent::Failed { failure, .. }) => Some(Err(failure.clone())),
        _ => None,
    })
}

fn judged(center: &TestCenter, folder: &Path) -> (bool, String) {
    let mut said = Vec::new();
    let args = VerifyArgs { path: folder.to_owned(), signature: None, ca: None };
    let good = verify(&args, center.clock.time(), &mut said).expect("a verdict");
    (good, String::from_utf8_lossy(&said).into_owned())
}

fn names(folder: &Path) -> Vec<String> {
    let entries = std::fs::read_dir(folder).expect("readable");
    let mut names: Vec<_> = entries.map(|e| e.expect("entry").file_name().to_string_lossy().into_owned()).collect();
    names.sort();
    names
}

/// The command line's view of a running engine.
struct Line<'a>(&'a Engine);

impl EngineLink for Line<'_> {
    fn send(&mut self, command: Command) {
        self.0.send(command);
    }
    fn demand(&mut self, demand: Demand) {
        self.0.demand(demand);
    }
    fn drain(&mut self, max: usize) -> Vec<Event> {
        self.0.drain(max)
    }
    fn stop(self: Box<Self>) -> bool {
        true
    }
}

fn said(center: &TestCenter, session: &Session, args: &OutboxArgs) -> (bool, String) {
    let mut out = Vec::new();
    let now = center.clock.time();
    let mut driver = Driver::new(Line(session.engine()), Alarm::default(), Box::new(move || now));
    let done = work(&mut driver, args, &mut out).expect("an answer");
    (done, String::from_utf8_lossy(&out).into_owned())
}

#[test]
fn what_the_center_refuses_for_good_is_exported_and_closed() {
    let chaos = Chaos::start();
    let center = TestCenter::start(Some(chaos.address()));
    chaos.target(center.address());
    let terminal = Terminal::new(&center);
    let Refused { mut session, assignment, entry, prepared } = refused(&chaos, &center, &terminal);
    let out = tempfile::tempdir().expect("folder");
    let folder = export(&mut session, entry.id, out.path()).expect("written");
    assert_eq!(folder, out.path().join(&assignment), "no name of a patient in the path");
    let report = std::fs::read(folder.join("report.json")).expect("there");
    assert_eq!((sha256_hex(&report), &report[..]), (prepared.sha256.clone(), &prepared.report_json[..]));
    for name in ["signature.p7s", "signer.pem", "ca.pem", "submission.json", "report.html"] {
        assert!(names(&folder).contains(&name.to_owned()), "{name} of {:?}", names(&folder));
    }
    let note = std::fs::read_to_string(folder.join("submission.json")).expect("there");
    assert!(note.contains(&prepared.sha256) && !note.contains("山田"), "{note}");
    let (good, told) = judged(&center, &folder);
    assert!(good && told.contains("Receipt      none here"), "{told}");
    // Not over what is there, not into a folder that is named by half, not what is not refused.
    let again = export(&mut session, entry.id, out.path());
    assert!(matches!(again, Err(Failure::Conflict(_))), "{again:?}");
    assert_eq!(names(out.path()), [assignment.as_str()]);
    assert!(export(&mut session, entry.id, Path::new("relative")).is_err());
    assert!(export(&mut session, entry.id + 7, out.path()).is_err());
    assert!(export(&mut session, entry.id, &out.path().join("nowhere")).is_err());
    wait_until("the record of it", || center.audit_bodies().iter().any(|b| b.contains("report_exported")));

    assert!(hand_over(&mut session, entry.id, " ").is_err(), "closed without a reason");
    hand_over(&mut session, entry.id, "受付に電話、別の読影者が報告済み").expect("closed");
    let handed = session.wait("the outbox", |e| match e {
        Event::Outbox(entries) => entries.iter().find(|e| e.handed.is_some()).cloned(),
        _ => None,
    });
    assert_eq!(handed.id, entry.id);
    assert!(hand_over(&mut session, entry.id, "twice").is_err());
    wait_until("the record of it", || center.audit_bodies().iter().any(|b| b.contains("report_handed_over")));
    session.send(Command::SendOutbox);
    session.stop();

    // Kept: another start, by the command line's way, writes the same bytes.
    let mut session = terminal.start();
    session.wait("the start", |e| matches!(e, Event::Started(Start::Ready { .. })).then_some(()));
    let (in_order, list) = said(&center, &session, &OutboxArgs::List);
    assert!(in_order && list.contains(&assignment) && list.contains("handed over"), "{list}");
    let second = tempfile::tempdir().expect("folder");
    let (done, told) = said(&center, &session, &OutboxArgs::Export { id: entry.id, dir: second.path().to_owned() });
    assert!(done && told.contains(&assignment), "{told}");
    let folder = second.path().join(&assignment);
    assert_eq!(std::fs::read(folder.join("report.json")).expect("there"), report);
    assert!(judged(&center, &folder).0);
    session.stop();
    assert!(center.reports().is_empty());
}

#[test]
fn an_export_without_room_leaves_nothing_and_says_so() {
    let chaos = Chaos::start();
    let center = TestCenter::start(Some(chaos.address()));
    chaos.target(center.address());
    let plan = Arc::new(FaultPlan::default());
    let terminal = Terminal { faults: plan.clone(), ..Terminal::new(&center) };
    let Refused { mut session, assignment, entry, .. } = refused(&chaos, &center, &terminal);
    let out = tempfile::tempdir().expect("folder");
    for point in ["export.file", "audit.append", "export.rename", "export.sync"] {
        plan.fail_at(point, ErrorKind::StorageFull);
        let failed = export(&mut session, entry.id, out.path());
        plan.heal();
        assert!(matches!(failed, Err(Failure::Full(_))), "{point}: {failed:?}");
        assert!(names(out.path()).is_empty(), "{point} left {:?}", names(out.path()));
    }
    plan.fail_at("outbox.handed", ErrorKind::StorageFull);
    let failed = hand_over(&mut session, entry.id, "電話");
    assert!(matches!(failed, Err(Failure::Full(_))), "{failed:?}");
    plan.heal();
    // It is all still there.
    let (in_order, list) = said(&center, &session, &OutboxArgs::List);
    assert!(!in_order && list.contains("REFUSED"), "{list}");
    let folder = export(&mut session, entry.id, out.path()).expect("written");
    assert!(judged(&center, &folder).0);
    assert_eq!(names(out.path()), [assignment]);
}

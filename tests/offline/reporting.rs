//! Drafts and reports on their way to the center.

use crate::support::chaos::Chaos;
use crate::support::dicom::write_study;
use crate::support::reading_center::TestCenter;
use crate::support::terminal::{Session, Terminal, secret};
use dokuei::engine::message::{Command, Event, Failure};

fn center_with_assignment() -> (Chaos, TestCenter) {
    let chaos = Chaos::start();
    let center = TestCenter::start(Some(chaos.address()));
    chaos.target(center.address());
    let folder = write_study(center.folder(), "1.2.392.8", 1, 3, 16);
    assert_eq!(center.import(&folder).assignments.len(), 1);
    (chaos, center)
}

#[test]
fn a_report_goes_from_draft_to_receipt() {
    let (_chaos, center) = center_with_assignment();
    let terminal = Terminal::new(&center);
    let mut session = terminal.signed_in(&center);
    let id = session.assignment().id.clone();
    let assignment = session.begin(&id);
    let draft = Session::draft(&assignment, 3);
    session.send(Command::SaveDraft(draft.clone()));
    session.wait("the draft at the center", |e| match e {
        Event::DraftSaved { revision: 3, at_center: true, .. } => Some(()),
        Event::DraftFailed { failure, .. } => panic!("{failure:?}"),
        _ => None,
    });
    let prepared = session.prepare(&assignment, draft);
    session.send(Command::Sign { prepared: prepared.id, password: secret("wrong password") });
    let failure = session.wait("a refusal", |e| match e {
        Event::SignFailed(f) => Some(f.clone()),
        Event::Signed { .. } => panic!("signed with a wrong password"),
        _ => None,
    });
    assert!(matches!(failure, Failure::Denied(_)), "{failure:?}");
    session.sign(&prepared);
    let receipt = session.receipt();
    assert_eq!((receipt.sha256.as_str(), receipt.version), (prepared.sha256.as_str(), 1));
    session.wait("an empty outbox", |e| matches!(e, Event::Outbox(o) if o.is_empty()).then_some(()));
    session.until("the worklist moves on", |s| s.assignments[&id].report_id.is_some());
    session.send(Command::LoadReports { assignment: id.clone() });
    let reports = session.wait("the reports", |e| match e {
        Event::Reports { reports, .. } => Some(reports.clone()),
        _ => None,
    });
    assert_eq!(reports.len(), 1);
    assert!(reports[0].valid, "{}", reports[0].verdict);
    assert!(reports[0].html.contains("山田"));
}

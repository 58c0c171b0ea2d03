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

#[test]
fn a_submission_that_is_cut_anywhere_arrives_once() {
    let chaos = Chaos::start();
    let center = TestCenter::start_with(Some(chaos.address()), |c| c.ping_every = std::time::Duration::from_secs(5));
    chaos.target(center.address());
    for n in 0..6 {
        let folder = write_study(center.folder(), &format!("1.2.392.3{n}"), 1, 1, 16);
        center.import(&folder);
    }
    let terminal = Terminal::new(&center);
    let mut session = terminal.signed_in(&center);
    let assignments: Vec<_> = session.assignments.keys().cloned().collect();
    assert_eq!(assignments.len(), 6);
    for (id, limit) in assignments.iter().zip([0, 60, 300, 900, 1600, 2600]) {
        let assignment = session.begin(id);
        let prepared = session.prepare(&assignment, Session::draft(&assignment, 1));
        // Wherever the answer is cut: before the request was read, within the answer, after it.
        chaos.cut_after(limit);
        session.sign(&prepared);
        assert_eq!(session.receipt().sha256, prepared.sha256);
    }
    assert!(chaos.cuts() >= 4, "only {} cuts", chaos.cuts());
    let mut expected: Vec<_> = assignments.into_iter().map(|id| (id, 1)).collect();
    expected.sort();
    assert_eq!(center.reports(), expected);
}

#[test]
fn a_center_killed_at_submission_gets_the_report_after_its_restart() {
    let (chaos, mut center) = center_with_assignment();
    let terminal = Terminal::new(&center);
    let mut session = terminal.signed_in(&center);
    let id = session.assignment().id.clone();
    let assignment = session.begin(&id);
    let prepared = session.prepare(&assignment, Session::draft(&assignment, 1));
    chaos.stall(true);
    session.sign(&prepared);
    center.kill();
    chaos.stall(false);
    let waiting = session.wait("the entry waits", |e| match e {
        Event::Outbox(entries) if entries.iter().any(|e| e.attempts > 0) => Some(entries[0].clone()),
        _ => None,
    });
    assert_eq!((waiting.sha256.as_str(), &waiting.wedged), (prepared.sha256.as_str(), &None));
    session.stop();
    center.revive();
    // A new start of the program sends it by itself.
    let mut session = terminal.start();
    assert_eq!(session.receipt().sha256, prepared.sha256);
    assert_eq!(center.reports(), [(id, 1)]);
}

#[test]
fn two_terminals_that_write_one_draft_are_shown_both() {
    let (_chaos, center) = center_with_assignment();
    let (one, two) = (Terminal::new(&center), Terminal::new(&center));
    let mut first = one.signed_in(&center);
    let id = first.assignment().id.clone();
    let assignment = first.begin(&id);
    let saved = |session: &mut Session, draft: &dokuei::report::Draft| {
        session.send(Command::SaveDraft(draft.clone()));
        let revision = draft.revision;
        session.wait("mirrored", |e| match e {
            Event::DraftSaved { revision: r, at_center: true, .. } if *r == revision => Some(None),
            Event::DraftConflict { center, .. } => Some(Some(center.clone())),
            Event::DraftFailed { failure, .. } => panic!("{failure:?}"),
            _ => None,
        })
    };
    assert!(saved(&mut first, &Session::draft(&assignment, 1)).is_none());
    let mut second = two.signed_in(&center);
    second.send(Command::LoadDraft { assignment: id.clone() });
    // Nothing is here; the center's takes its place.
    second.wait("the center's draft", |e| matches!(e, Event::DraftConflict { replaces: Some(0), .. }).then_some(()));
    second.send(Command::ResolveDraft { assignment: id.clone(), keep_local: false, left: None });
    let loaded = second.wait("the draft", |e| match e {
        Event::Draft { draft, .. } => draft.clone(),
        _ => None,
    });
    assert_eq!(loaded, Session::draft(&assignment, 1));
    assert!(saved(&mut second, &Session::draft(&assignment, 2)).is_none());
    // The first goes on without having seen that.
    let lost = saved(&mut first, &Session::draft(&assignment, 3)).expect("a conflict");
    assert_eq!(lost, Session::draft(&assignment, 2));
    let left = Some(Box::new(lost.clone()));
    first.send(Command::ResolveDraft { assignment: id.clone(), keep_local: true, left });
    first.wait("what is left", |e| {
        matches!(e, Event::DraftsLeft { drafts, .. } if drafts[..] == [lost.clone()]).then_some(())
    });
    first.wait("mirrored", |e| matches!(e, Event::DraftSaved { revision: 3, at_center: true, .. }).then_some(()));
    second.send(Command::LoadDraft { assignment: id.clone() });
    second.wait("the center's draft", |e| matches!(e, Event::DraftConflict { replaces: Some(2), .. }).then_some(()));
    second.send(Command::ResolveDraft { assignment: id.clone(), keep_local: false, left: None });
    let now = second.wait("the draft", |e| match e {
        Event::Draft { draft, .. } => draft.clone(),
        _ => None,
    });
    assert_eq!(now, Session::draft(&assignment, 3));
    // What was not chosen is still there when the draft is opened again.
    first.send(Command::LoadDraft { assignment: id });
    first.wait("what is left", |e| {
        matches!(e, Event::DraftsLeft { drafts, .. } if drafts[..] == [lost.clone()]).then_some(())
    });
}

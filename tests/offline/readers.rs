//! The flag "wrong patient suspected", and two readers on one terminal.

use crate::support::chaos::Chaos;
use crate::support::dicom::write_study;
use crate::support::process::wait_until;
use crate::support::reading_center::{PASSWORD, TestCenter, USER};
use crate::support::terminal::{Session, Terminal, secret};
use dokuei::center::contract::UserRole;
use dokuei::engine::message::{Command, Event, Failure, Start, Transition};
use dokuei::report::templates;
use dokuei::server::assign;
use dokuei::server::users::{self, Enrolment};
use dokuei::worklist::{Assignment, AssignmentState};
use std::sync::Arc;

const OTHER: &str = "reader2";

fn center(uids: &[&str]) -> (Chaos, TestCenter) {
    let chaos = Chaos::start();
    let center = TestCenter::start(Some(chaos.address()));
    chaos.target(center.address());
    for uid in uids {
        center.import(&write_study(center.folder(), uid, 1, 2, 16));
    }
    (chaos, center)
}

fn flags(session: &mut Session, what: &str, count: usize) {
    session.wait(what, |e| match e {
        Event::Flags(flags) if flags.len() == count => Some(()),
        Event::FlagFailed { failure, .. } => panic!("{failure:?}"),
        _ => None,
    });
}

fn suspect(session: &Session, assignment: &str) {
    session.send(Command::SuspectPatient { assignment: assignment.to_owned(), text: "氏名が違う".into() });
}

#[test]
fn a_wrong_patient_flag_set_offline_survives_stops_the_signature_and_reaches_the_center_once() {
    let (chaos, center) = center(&["1.2.392.60"]);
    let terminal = Terminal::new(&center);
    let mut session = terminal.signed_in(&center);
    let id = session.assignment().id.clone();
    let assignment = session.begin(&id);
    let frozen = session.prepare(&assignment, Session::draft(&assignment, 1));
    chaos.refuse(true);
    suspect(&session, &id);
    flags(&mut session, "the flag is kept", 1);
    // What was frozen before is not signed any more, and nothing new is frozen.
    session.send(Command::Sign { prepared: frozen.id, password: secret(PASSWORD) });
    let failed = |e: &Event| match e {
        Event::SignFailed(failure) => Some(failure.clone()),
        Event::Signed { .. } | Event::Prepared(_) => panic!("{e:?}"),
        _ => None,
    };
    assert!(matches!(session.wait("a refusal", failed), Failure::Conflict(_)));
    session.stop();

    let mut session = terminal.start();
    session.wait("the start", |e| matches!(e, Event::Started(Start::Ready { .. })).then_some(()));
    session.send(Command::SignIn { user: USER.into(), password: secret(PASSWORD), otp: secret("123456") });
    flags(&mut session, "the flag after the restart", 1);
    session.send(Command::Prepare {
        draft: Session::draft(&assignment, 2),
        template: templates::for_assignment(&assignment).expect("a template"),
        assignment: Arc::clone(&assignment),
        acknowledged: vec![],
        shown: vec![],
        language: "ja".into(),
    });
    assert!(matches!(session.wait("a refusal", failed), Failure::Conflict(_)));

    chaos.refuse(false);
    session.sign_in(&center);
    session.until("the center's answer", |s| s.assignments[&id].state == AssignmentState::Returned);
    let returned: Arc<Assignment> = Arc::clone(&session.assignments[&id]);
    assert!(returned.reason.as_deref().is_some_and(|r| r.contains("氏名が違う")), "{:?}", returned.reason);
    session.stop();
    // Nothing is sent again: the assignment stays as it was.
    let mut session = terminal.start();
    session.wait("the start", |e| matches!(e, Event::Started(Start::Ready { .. })).then_some(()));
    session.sign_in(&center);
    assert_eq!(session.assignments[&id].etag, returned.etag);
}

fn sign_in_other(session: &mut Session, center: &TestCenter, enrolment: &Enrolment) {
    center.clock.advance(31);
    let seconds = u64::try_from(center.clock.time().as_second()).expect("after 1970");
    let otp = enrolment.totp.code_at(seconds).expect("code");
    session.send(Command::SignIn { user: OTHER.into(), password: secret(PASSWORD), otp: secret(&otp) });
}

#[test]
fn the_second_reader_sees_nothing_of_the_first_and_nothing_goes_under_another_name() {
    let (chaos, center) = center(&["1.2.392.61", "1.2.392.62"]);
    users::create(center.center(), OTHER, "読影 次郎", &[UserRole::Reader], PASSWORD).expect("user");
    let other = users::enrol(center.center(), OTHER).expect("enrolment");
    let terminal = Terminal::new(&center);
    let mut session = terminal.signed_in(&center);
    let ids: Vec<String> = session.assignments.keys().cloned().collect();
    let first = session.begin(&ids[0]);
    session.begin(&ids[1]);
    let prepared = session.prepare(&first, Session::draft(&first, 1));
    // Offline: a signed report, a draft, a flag and a place on screen stay here.
    chaos.refuse(true);
    session.sign(&prepared);
    session.send(Command::SaveDraft(Session::draft(&session.assignments[&ids[1]].clone(), 3)));
    suspect(&session, &ids[1]);
    session.send(Command::SaveReadingState(format!("{{\"assignment\":\"{}\"}}", ids[1])));
    flags(&mut session, "the flag is kept", 1);
    session.send(Command::SignOut);
    session.wait("the end", |e| matches!(e, Event::SignedOut(None)).then_some(()));

    chaos.refuse(false);
    sign_in_other(&mut session, &center, &other);
    let nothing = |e: &Event| match e {
        Event::Outbox(entries) => assert!(entries.is_empty(), "{entries:?}"),
        Event::Flags(flags) => assert!(flags.is_empty(), "{flags:?}"),
        Event::ReadingState(state) => assert!(state.is_empty(), "{state}"),
        Event::Worklist { assignments, .. } => assert!(assignments.is_empty()),
        Event::Receipt(_) | Event::Assignment(_) => panic!("{e:?}"),
        Event::Draft { draft, .. } => assert!(draft.is_none()),
        Event::Reports { reports, .. } => assert!(reports.is_empty()),
        _ => {}
    };
    session.wait("the second reader's worklist", |e| {
        nothing(e);
        matches!(e, Event::Worklist { .. }).then_some(())
    });
    for id in &ids {
        session.send(Command::LoadReports { assignment: id.clone() });
        session.send(Command::LoadDraft { assignment: id.clone() });
        session.wait("no draft", |e| {
            nothing(e);
            matches!(e, Event::Draft { .. } | Event::DraftFailed { .. }).then_some(())
        });
    }
    // The other's preview cannot be signed, and asking for the outbox sends nothing of theirs.
    session.send(Command::Sign { prepared: prepared.id, password: secret(PASSWORD) });
    session.send(Command::SendOutbox);
    session.wait("a refusal", |e| {
        nothing(e);
        assert!(!matches!(e, Event::Signed { .. }));
        matches!(e, Event::SignFailed(_)).then_some(())
    });
    session.wait("the outbox", |e| {
        nothing(e);
        matches!(e, Event::Outbox(_)).then_some(())
    });
    assert!(center.reports().is_empty());
    session.send(Command::SignOut);
    session.wait("the end", |e| {
        nothing(e);
        matches!(e, Event::SignedOut(None)).then_some(())
    });
    assert!(center.reports().is_empty(), "the first reader's work waits for the first reader");

    // The first reader is back: the report and the flag go, in that reader's name.
    session.sign_in(&center);
    wait_until("the report", || center.reports() == [(ids[0].clone(), 1)]);
    session.wait("the flag", |e| {
        if let Event::Flags(flags) = e {
            let refused: Vec<_> = flags.iter().filter_map(|f| f.refused.as_deref()).collect();
            assert!(refused.is_empty(), "the center refused it: {refused:?}");
        }
        let all = assign::list(center.center(), false).expect("list");
        all.iter().any(|a| a.id == ids[1] && a.state == "returned").then_some(())
    });
    session.send(Command::LoadDraft { assignment: ids[1].clone() });
    let draft = session.wait("the draft", |e| match e {
        Event::Draft { draft: Some(draft), .. } => Some(draft.revision),
        _ => None,
    });
    assert_eq!(draft, 3);
}

#[test]
fn a_signed_report_whose_lease_was_lost_is_no_dead_end() {
    for freed_by_the_center in [false, true] {
        let (chaos, center) = center(&["1.2.392.63"]);
        let terminal = Terminal::new(&center);
        let mut session = terminal.signed_in(&center);
        let id = session.assignment().id.clone();
        let assignment = session.begin(&id);
        let prepared = session.prepare(&assignment, Session::draft(&assignment, 1));
        chaos.refuse(true);
        session.sign(&prepared);
        session.stop();
        chaos.refuse(false);
        // At another terminal the reader gives the assignment back: its leases are void.
        let second = Terminal::new(&center);
        let mut session = second.signed_in(&center);
        session.begin(&id);
        session.send(Command::Transition { assignment: id.clone(), transition: Transition::Release });
        session.until("given back", |s| s.assignments[&id].state == AssignmentState::Assigned);
        session.stop();

        let mut session = terminal.start();
        session.wait("the start", |e| matches!(e, Event::Started(Start::Ready { .. })).then_some(()));
        // Told when the reader enters, or when the attempt under the old session ends: whichever comes later.
        let otp = secret(&center.otp());
        session.send(Command::SignIn { user: USER.into(), password: secret(PASSWORD), otp });
        let refused = session.wait("a refusal", |e| match e {
            Event::Outbox(entries) => entries.iter().find(|e| e.wedged.is_some()).cloned(),
            Event::Receipt(_) => panic!("a void lease counts"),
            _ => None,
        });
        assert!(refused.wedged.as_deref().is_some_and(|r| r.contains("lease-lost")), "{refused:?}");
        if freed_by_the_center {
            assign::release(center.center(), &id, false).expect("freed");
            session.send(Command::SendOutbox);
        } else {
            session.send(Command::RetryOutbox { id: refused.id });
        }
        assert_eq!(session.receipt().sha256, prepared.sha256);
        assert_eq!(center.reports(), [(id.clone(), 1)]);
        let told = center.audit_bodies().iter().any(|b| b.contains("assignment_administered") && b.contains(&id));
        assert_eq!(told, freed_by_the_center);
    }
}

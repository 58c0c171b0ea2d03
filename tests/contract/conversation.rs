//! A terminal's day in its own words: every request that the workstation makes, and the center's answer to it, held
//! to the OpenAPI file.

use super::openapi::Contract;
use crate::support::dicom::write_study;
use crate::support::process::wait_until;
use crate::support::reading_center::{TestCenter, USER};
use crate::support::recorder::Recorder;
use crate::support::terminal::{Session, Terminal, secret};
use dokuei::engine::message::{Command, Event, Transition};
use dokuei::report::Predecessor;
use dokuei::worklist::{AssignmentState, DeclineReason, ReturnReason};
use std::collections::{BTreeMap, BTreeSet};

/// Operations that the workstation uses. The others are for other programs: `every_operation`.
const USED: [&str; 24] = [
    "accept",
    "decline",
    "events",
    "getAssignment",
    "getDraft",
    "getReport",
    "getReportFile",
    "issueSigningCertificate",
    "listAssignments",
    "putDraft",
    "release",
    "renewLease",
    "retrieveInstance",
    "retrieveSeries",
    "return",
    "revoke",
    "searchSeries",
    "sendAuditEvents",
    "seriesMetadata",
    "start",
    "submit",
    "submitVersion",
    "suspend",
    "token",
];

fn step(session: &mut Session, id: &str, transition: Transition, after: AssignmentState) {
    session.send(Command::Transition { assignment: id.to_owned(), transition });
    session.wait("the step", |e| match e {
        Event::Assignment(a) if a.id == id && a.state == after => Some(()),
        Event::TransitionFailed { failure, .. } => panic!("{failure:?}"),
        _ => None,
    });
}

fn save(session: &mut Session, draft: &dokuei::report::Draft) {
    session.send(Command::SaveDraft(draft.clone()));
    session.wait("the draft at the center", |e| match e {
        Event::DraftSaved { revision, at_center: true, .. } if *revision == draft.revision => Some(()),
        Event::DraftFailed { failure, .. } => panic!("{failure:?}"),
        _ => None,
    });
}

fn reports(session: &mut Session, assignment: &str) -> usize {
    session.send(Command::LoadReports { assignment: assignment.to_owned() });
    session.wait("the reports", |e| match e {
        Event::Reports { reports, .. } => Some(reports.len()),
        Event::Notice(failure) => panic!("{failure:?}"),
        _ => None,
    })
}

#[test]
fn a_terminal_and_the_center_speak_as_the_document_says() {
    let recorder = Recorder::default();
    let center = TestCenter::start_listening(None, |_| {}, recorder.clone());
    let ids: Vec<String> = (0..5)
        .map(|n| {
            center.import(&write_study(center.folder(), &format!("1.2.392.88.{n}"), 1, if n == 1 { 1 } else { 2 }, 16))
        })
        .map(|mut report| report.assignments.remove(0))
        .collect();
    let terminal = Terminal::new(&center);
    let mut session = terminal.start();
    session.wait("the start", |e| matches!(e, Event::Started(_)).then_some(()));
    session.send(Command::Enrol(center.enrolment_file()));
    session.wait("enrolment", |e| matches!(e, Event::Started(_)).then_some(()));
    session.send(Command::SignIn { user: USER.into(), password: secret("wrong"), otp: secret("000000") });
    session.wait("a refusal", |e| matches!(e, Event::SignInFailed(_)).then_some(()));
    session.sign_in(&center);

    // Pictures as streams, and a single one by itself.
    let first = session.assignments[&ids[0]].clone();
    session.want(&first, Vec::new());
    session.complete(&first.studies[0].study_uid.clone());
    let second = session.assignments[&ids[1]].clone();
    session.want(&second, Vec::new());
    session.complete(&second.studies[0].study_uid.clone());

    // Steps that end without a report.
    step(&mut session, &ids[1], Transition::Accept, AssignmentState::Accepted);
    step(&mut session, &ids[1], Transition::Release, AssignmentState::Assigned);
    let text = "今日は不在".to_owned();
    let decline = Transition::Decline(DeclineReason::Overload, text.clone());
    step(&mut session, &ids[2], decline, AssignmentState::Declined);
    session.begin(&ids[3]);
    let back = Transition::Return(ReturnReason::ImageMissing, text);
    step(&mut session, &ids[3], back, AssignmentState::Returned);
    session.send(Command::SuspectPatient { assignment: ids[4].clone(), text: "氏名が違う".into() });
    session.until("the flag is at the center", |s| s.assignments.get(&ids[4]).is_none_or(|a| !a.state.open()));

    // A report with a break, a lease and a token that grow old, and an addendum.
    let id = ids[0].clone();
    let assignment = session.begin(&id);
    save(&mut session, &Session::draft(&assignment, 1));
    step(&mut session, &id, Transition::Suspend, AssignmentState::Accepted);
    let assignment = session.begin(&id);
    let lease = assignment.lease.clone().expect("a lease");
    center.clock.advance(700);
    session.until("the lease is renewed", |s| {
        s.assignments[&id].lease.as_ref().is_some_and(|l| l.expires_at > lease.expires_at)
    });
    save(&mut session, &Session::draft(&assignment, 2));
    session.send(Command::LoadDraft { assignment: id.clone() });
    session.wait("the draft", |e| matches!(e, Event::Draft { draft: Some(_), .. }).then_some(()));
    let prepared = session.prepare(&assignment, Session::draft(&assignment, 2));
    session.sign(&prepared);
    let receipt = session.receipt();
    session.until("the worklist moves on", |s| s.assignments[&id].report_id.is_some());
    let mut addendum = Session::draft(&assignment, 3);
    addendum.addendum_to =
        Some(Predecessor { report_id: receipt.report_id, sha256: receipt.sha256, version: receipt.version });
    let prepared = session.prepare(&assignment, addendum);
    session.sign(&prepared);
    assert_eq!(session.receipt().version, 2);
    assert_eq!(reports(&mut session, &id), 2);
    session.send(Command::SignOut);
    session.wait("signed out", |e| matches!(e, Event::SignedOut(_)).then_some(()));
    session.stop();

    // Another terminal has nothing of it but what the center tells.
    let other = Terminal::new(&center);
    let mut session = other.signed_in(&center);
    session.send(Command::LoadDraft { assignment: id.clone() });
    assert_eq!(reports(&mut session, &id), 2);
    wait_until("the audit records are at the center", || {
        center.audit_bodies().iter().any(|b| b.contains("report_submitted"))
    });
    session.stop();

    let mut seen: BTreeMap<String, BTreeSet<u16>> = BTreeMap::new();
    for exchange in recorder.kept() {
        let operation = Contract::get().check_exchange(&exchange);
        seen.entry(operation).or_default().insert(exchange.status);
    }
    for (operation, statuses) in &seen {
        println!("{operation}: {statuses:?}");
    }
    assert!(seen["token"].contains(&200) && seen["token"].contains(&401), "{:?}", seen["token"]);
    assert!(seen["putDraft"].is_superset(&BTreeSet::from([200, 201])), "{:?}", seen["putDraft"]);
    assert_eq!(seen.keys().map(String::as_str).collect::<BTreeSet<_>>(), BTreeSet::from(USED));
}

//! A reading day: from sign-in to the receipt and the next assignment.

use super::fixtures::*;
use crate::app::{
    AccessAction, Action, Filter, NoticeCode, Place, ReportAction, Screen, SignAction, SignFlow, WorklistAction,
};
use crate::engine::message::{Command, Event, Failure, OutboxEntry, ReportOnFile, Start, Transition};
use crate::report::Receipt;
use crate::worklist::AssignmentState;
use std::sync::Arc;

fn receipt(assignment: &str, sha256: &str) -> Receipt {
    Receipt {
        report_id: "r-1".into(),
        version: 1,
        assignment_id: assignment.into(),
        sha256: sha256.into(),
        signer: "tanaka".into(),
        received_at: t0(),
        center: "読影センター".into(),
        signature: String::new(),
    }
}

#[test]
fn from_sign_in_to_receipt_and_on() {
    let mut b = Bench::new();
    assert_eq!(b.app.screen(), Screen::Starting);
    b.event(Event::Started(Start::NotEnrolled));
    assert_eq!(b.app.screen(), Screen::Enrol);
    assert!(matches!(&b.act(Action::Access(AccessAction::Enrol("e.dokuei".into())))[..], [Command::Enrol(_)]));
    let mut b = Bench::signed_in();
    assert_eq!(b.app.screen(), Screen::At(Place::Worklist));
    assert_eq!(b.app.worklist.selected.as_deref(), Some("a-1"), "the most urgent is chosen");

    // Opening asks for the lease and the draft, and demands study and prior.
    let commands = b.act(Action::Worklist(WorklistAction::Open("a-1".into())));
    assert!(commands.iter().any(|c| matches!(c, Command::Transition { transition: Transition::Start, .. })));
    assert!(commands.iter().any(|c| matches!(c, Command::LoadDraft { .. })));
    assert_eq!(b.app.screen(), Screen::At(Place::Reading));
    b.grant("a-1");
    b.event(Event::Draft { assignment: "a-1".into(), draft: None });
    b.studies_arrive();
    assert_eq!(b.draft().text("purpose"), "肺結節の経過");
    assert_eq!(b.draft().text("technique"), "CT, axial", "headers that came after the draft fill it in");
    b.frames_arrive();
    b.wait(1);
    b.paint();
    assert!(b.out.iter().any(|c| matches!(c, Command::Viewed { study } if study.as_str() == "1.1")));

    // To the signature.
    let id = b.reach_preview();
    let commands = b.act(Action::Sign(SignAction::Sign(secret("wrong"))));
    assert!(matches!(&commands[..], [Command::Sign { prepared, .. }] if *prepared == id));
    assert!(b.act(Action::Sign(SignAction::Sign(secret("twice")))).is_empty(), "one signature at a time");
    b.event(Event::SignFailed(Failure::Denied("password".into())));
    let sign = &b.app.report.as_ref().expect("report").sign;
    assert!(matches!(sign, SignFlow::Preview { signing: false, failure: Some(Failure::Denied(_)), .. }));
    b.act(Action::Sign(SignAction::Sign(secret("right"))));
    b.event(Event::Signed { assignment: "a-1".into(), sha256: "cd".into() });
    let report = b.app.report.as_ref().expect("report");
    assert!(report.read_only && !report.editable());
    assert_eq!(b.app.worklist.selected.as_deref(), Some("a-2"), "the next case is chosen");
    let revision = b.draft().revision;
    b.type_into("findings", "later");
    assert_eq!(b.draft().revision, revision, "signed means read-only");

    // It waits, then the receipt comes.
    b.event(Event::Outbox(vec![OutboxEntry {
        id: 1,
        assignment: "a-1".into(),
        sha256: "cd".into(),
        signed_at: b.now,
        attempts: 0,
        wedged: None,
        handed: None,
        user: "reader1".into(),
    }]));
    assert_eq!(b.app.worklist.count(Filter::Sent, b.now), 1);
    b.event(Event::Outbox(vec![]));
    b.event(Event::Receipt(receipt("a-1", "cd")));
    let SignFlow::Signed { receipt: Some(got), next, .. } = &b.app.report.as_ref().expect("report").sign else {
        panic!("signed with receipt");
    };
    assert_eq!((got.report_id.as_str(), next.as_deref()), ("r-1", Some("a-2")));

    // On: another patient, so the screen is empty before anything of the next study is there.
    b.out.clear();
    b.act(Action::Sign(SignAction::Next));
    assert_eq!(b.app.open_assignment().map(|a| a.id.as_str()), Some("a-2"));
    assert!(b.app.pictures.frames.is_empty());
    let steps: Vec<_> = b.out.iter().filter(|c| matches!(c, Command::Transition { .. })).collect();
    assert_eq!(steps.len(), 1, "no suspend of what is signed: {steps:?}");
}

#[test]
fn an_addendum_follows_what_is_signed() {
    let mut b = Bench::signed_in();
    b.open("a-1");
    b.reach_preview();
    b.act(Action::Sign(SignAction::Sign(secret("x"))));
    b.event(Event::Signed { assignment: "a-1".into(), sha256: "cd".into() });
    b.act(Action::Report(ReportAction::StartAddendum));
    assert!(b.app.notices.any(|n| *n == NoticeCode::AddendumWaits), "the signed version is still on its way");
    assert!(b.draft().addendum_to.is_none() && b.app.report.as_ref().is_some_and(|r| r.read_only));
    b.event(Event::Receipt(receipt("a-1", "cd")));
    let mut submitted = b.app.worklist.get("a-1").expect("listed").as_ref().clone();
    submitted.state = AssignmentState::Submitted;
    b.event(Event::Assignment(Arc::new(submitted)));
    assert_eq!(b.app.worklist.count(Filter::Sent, b.now), 1);
    assert!(!b.app.notices.any(|n| matches!(n, NoticeCode::AssignmentGone { .. })));
    let on_file = ReportOnFile {
        report_id: "r-1".into(),
        version: 1,
        sha256: "cd".into(),
        report_json: Arc::from(&b"{}"[..]),
        html: Arc::from(""),
        verdict: String::new(),
        valid: true,
        receipt: None,
    };
    b.event(Event::Reports { assignment: "a-1".into(), reports: vec![on_file] });
    b.act(Action::Report(ReportAction::StartAddendum));
    let predecessor = b.draft().addendum_to.clone().expect("names its predecessor");
    assert_eq!((predecessor.report_id.as_str(), predecessor.sha256.as_str(), predecessor.version), ("r-1", "cd", 1));
    assert_eq!(b.draft().text("findings"), "", "old text is not copied");
    assert_eq!(b.app.report.as_ref().map(|r| r.template.id.as_str()), Some("addendum"));
    // One text, and that is required; series are not asked for again.
    let open: Vec<_> = crate::app::open_points(&b.app).expect("gate").into_iter().map(|p| p.subject).collect();
    assert_eq!(open, ["addendum"]);
    b.act(Action::Report(ReportAction::NewFinding));
    assert!(b.draft().findings.is_empty(), "a finding would stand nowhere");
    b.type_into("addendum", "依頼医に電話で連絡した。");
    b.wait(2);
    let draft = b.draft().clone();
    let saved = Event::DraftSaved { assignment: "a-1".into(), revision: draft.revision, at_center: false, at: b.now };
    b.event(saved);
    assert_eq!(b.app.worklist.count(Filter::Drafts, b.now), 1, "an addendum begun is counted");
    b.out.clear();
    b.act(Action::Sign(SignAction::Begin));
    assert!(b.out.iter().any(|c| matches!(c, Command::Prepare { draft, .. } if draft.addendum_to.is_some())));

    // After a restart it is looked for, counted and found again.
    let mut submitted = b.app.worklist.get("a-1").expect("listed").as_ref().clone();
    submitted.state = AssignmentState::Submitted;
    let mut again = Bench::new();
    again.enter(vec![submitted]);
    assert!(again.out.iter().any(|c| matches!(c, Command::LoadDraft { assignment } if assignment == "a-1")));
    again.event(Event::Draft { assignment: "a-1".into(), draft: Some(draft.clone()) });
    assert_eq!(again.app.worklist.count(Filter::Drafts, again.now), 1);
    again.act(Action::Worklist(WorklistAction::Open("a-1".into())));
    again.event(Event::Draft { assignment: "a-1".into(), draft: Some(draft) });
    assert_eq!(again.draft().text("addendum"), "依頼医に電話で連絡した。");
    assert!(again.app.report.as_ref().is_some_and(|r| r.editable()));
}

#[test]
fn a_submitted_report_opens_read_only() {
    let mut b = Bench::signed_in();
    let mut done = b.app.worklist.get("a-2").expect("listed").as_ref().clone();
    done.state = AssignmentState::Finalized;
    b.event(Event::Assignment(Arc::new(done)));
    let commands = b.act(Action::Worklist(WorklistAction::Open("a-2".into())));
    assert!(!commands.iter().any(|c| matches!(c, Command::Transition { .. })));
    assert!(commands.iter().any(|c| matches!(c, Command::LoadReports { .. })));
    b.event(Event::Draft { assignment: "a-2".into(), draft: None });
    let report = b.app.report.as_ref().expect("report");
    assert!(report.read_only && report.show_signed && report.history.is_none() && !report.loading);
}

#[test]
fn the_last_assignment_leads_back_to_the_worklist() {
    let mut b = Bench::signed_in();
    let only = b.app.worklist.get("a-1").expect("listed").clone();
    b.event(Event::Worklist { assignments: vec![only], at: b.now });
    b.open("a-1");
    b.reach_preview();
    b.act(Action::Sign(SignAction::Sign(secret("x"))));
    b.event(Event::Signed { assignment: "a-1".into(), sha256: "cd".into() });
    b.act(Action::Sign(SignAction::Next));
    assert_eq!(b.app.screen(), Screen::At(Place::Worklist));
    assert!(b.app.reading.is_none() && b.app.report.is_none());
}

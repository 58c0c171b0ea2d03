//! What must never happen: another patient's pictures, a signature past the gate, a key that fires while
//! text is composed, anything drawn behind the lock.

use super::fixtures::*;
use crate::app::{
    AccessAction, Action, Chord, Intent, Key, NoticeCode, ReportAction, Screen, SignAction, SignFlow, WorklistAction,
    open_points,
};
use crate::engine::message::{Command, Event, Failure, Link, Transition};
use crate::report::gate::PointCode;
use crate::study::{ExamKind, Mismatch};
use crate::viewport::{Action as View, Tool, ViewId};
use crate::worklist::ReturnReason;

#[test]
fn another_patient_clears_the_screen_first() {
    let mut b = Bench::signed_in();
    b.open("a-1");
    b.frames_arrive();
    b.type_into("findings", "結節");
    assert!(!b.app.pictures.frames.is_empty());
    let commands = b.act(Action::Worklist(WorklistAction::Open("a-2".into())));
    assert_eq!(saves(&commands), 1, "what was typed is saved first");
    assert!(commands.iter().any(
        |c| matches!(c, Command::Transition { assignment, transition: Transition::Suspend } if assignment == "a-1")
    ));
    assert!(b.app.pictures.frames.is_empty() && b.app.pictures.thumbnails.is_empty());
    let record = &b.app.reading.as_ref().expect("open").record;
    let foreign = |v: &crate::app::ViewState| v.study.as_ref().is_some_and(|s| s.as_str() != "2.1");
    assert!(!record.views.iter().any(foreign), "nothing but the new patient's study is hung");
    // A late frame of the other patient finds no place.
    let late = b.studies[0].series[0].instances[0].uid.clone();
    let frame = crate::study::FrameRef { instance: late, frame: crate::study::FrameIndex(0) };
    b.event(Event::Frame(frame.clone(), pixels(4)));
    assert!(b.app.pictures.frame(&frame).is_none());
    // And a display set of the other patient cannot be shown.
    let foreign = b.app.pictures.study(&study_uid("1.1")).expect("known").sets[0].id.clone();
    b.act(Action::View(ViewId(0), crate::app::ViewAction::Show(foreign)));
    assert_eq!(b.app.view(ViewId(0)).and_then(|v| v.study.clone()), Some(study_uid("2.1")));
}

#[test]
fn nothing_fires_while_text_is_composed() {
    let mut b = Bench::signed_in();
    b.open("a-1");
    let tool = |b: &Bench| b.app.reading.as_ref().expect("open").record.tool;
    b.act(Action::Composing(true));
    for key in [Key::Char('L'), Key::Enter, Key::Escape, Key::F(2), Key::Space, Key::Char('1')] {
        for ctrl in [false, true] {
            let chord = Chord { ctrl, ..Chord::plain(key) };
            assert_eq!(b.app.intent_for(chord), None);
            b.act(Action::Key(chord));
        }
    }
    assert_eq!(tool(&b), Tool::Scroll);
    assert!(matches!(b.app.report.as_ref().expect("report").sign, SignFlow::Writing));
    b.act(Action::Composing(false));
    b.act(Action::TextFocus(true));
    b.act(Action::Key(Chord::plain(Key::Char('L'))));
    assert_eq!(tool(&b), Tool::Scroll, "a letter belongs to the text field");
    b.act(Action::TextFocus(false));
    b.act(Action::Key(Chord::plain(Key::Char('L'))));
    assert_eq!(tool(&b), Tool::Length);
}

#[test]
fn blocking_points_stop_the_signature() {
    let mut b = Bench::signed_in();
    b.open("a-1");
    b.frames_arrive();
    b.out.clear();
    b.act(Action::Sign(SignAction::Begin));
    let SignFlow::Points { points, .. } = b.app.report.as_ref().expect("report").sign.clone() else {
        panic!("open points expected");
    };
    assert!(points.iter().any(|p| p.code == PointCode::RequiredEmpty));
    for index in 0..points.len() {
        b.act(Action::Sign(SignAction::Reason(index, "because".into())));
    }
    b.act(Action::Sign(SignAction::Proceed));
    assert!(!b.out.iter().any(|c| matches!(c, Command::Prepare { .. })), "no reason passes a blocking point");
    assert!(b.act(Action::Sign(SignAction::Sign(secret("x")))).is_empty());
    b.act(Action::Sign(SignAction::Cancel));
    assert!(matches!(b.app.report.as_ref().expect("report").sign, SignFlow::Writing));
}

#[test]
fn unseen_series_need_a_reason_that_is_signed() {
    let mut b = Bench::signed_in();
    b.open("a-1");
    b.frames_arrive();
    b.fill();
    b.paint();
    b.act(Action::Sign(SignAction::Begin));
    let SignFlow::Points { points, .. } = b.app.report.as_ref().expect("report").sign.clone() else {
        panic!("open points expected");
    };
    assert!(points.iter().all(|p| p.code == PointCode::SeriesPartlySeen), "{points:?}");
    b.out.clear();
    b.act(Action::Sign(SignAction::Proceed));
    b.act(Action::Sign(SignAction::Reason(0, "   ".into())));
    b.act(Action::Sign(SignAction::Proceed));
    assert!(!b.out.iter().any(|c| matches!(c, Command::Prepare { .. })), "blanks are no reason");
    b.act(Action::Sign(SignAction::Reason(0, "重複系列".into())));
    b.act(Action::Sign(SignAction::Proceed));
    let acknowledged = b.out.iter().find_map(|c| match c {
        Command::Prepare { acknowledged, shown, .. } => Some((acknowledged.clone(), shown.len())),
        _ => None,
    });
    let (acknowledged, shown) = acknowledged.expect("prepared");
    assert_eq!((acknowledged.len(), acknowledged[0].reason.as_str()), (1, "重複系列"));
    assert!(shown >= 1);
}

#[test]
fn the_preview_is_of_the_draft_that_the_gate_saw() {
    let mut b = Bench::signed_in();
    b.open("a-1");
    b.reach_preview();
    let revision = b.draft().revision;
    b.type_into("findings", "changed behind the preview");
    assert_eq!(b.draft().revision, revision, "no edits under the preview");
    b.act(Action::Sign(SignAction::Cancel));
    assert!(b.out.iter().any(|c| matches!(c, Command::DiscardPrepared(7))));
    // An answer to an earlier question is thrown away.
    let late = b.event(Event::Prepared(prepared(8, "a-1", revision)));
    assert!(matches!(&late[..], [Command::DiscardPrepared(8)]));
}

#[test]
fn a_patient_mismatch_blocks() {
    let mut b = Bench::new();
    let pictures = study("1.1", suzuki(), vec![stack("1.1.1", "CT", 3, 0.0, 5.0, "9.1")]);
    let mut asked = assignment("a-1", ExamKind::CT, 30, &pictures, &[]);
    asked.patient = yamada();
    b.studies = vec![pictures];
    b.enter(vec![asked]);
    b.open("a-1");
    let reading = b.app.reading.as_ref().expect("open");
    let found = &reading.mismatches[0].1;
    assert!(found.contains(&Mismatch::Id) && found.contains(&Mismatch::Name) && found.contains(&Mismatch::BirthDate));
    assert!(b.app.notices.any(|n| matches!(n, NoticeCode::IdentityMismatch { .. })));
    b.look_at_everything();
    b.fill();
    let points = open_points(&b.app).expect("gate");
    assert_eq!(points.iter().map(|p| p.code).collect::<Vec<_>>(), vec![PointCode::PatientMismatch]);
    b.out.clear();
    b.act(Action::Sign(SignAction::Begin));
    b.act(Action::Sign(SignAction::Proceed));
    assert!(!b.out.iter().any(|c| matches!(c, Command::Prepare { .. })));
}

#[test]
fn the_warning_names_the_series_that_disagree() {
    let mut b = Bench::new();
    let axial =
        |uid: &str, number| crate::study::Series { number: Some(number), ..stack(uid, "CT", 3, 0.0, 5.0, "9.1") };
    let mut pictures = study("1.1", yamada(), vec![axial("1.1.1", 1), axial("1.1.2", 2)]);
    let mixed = std::sync::Arc::make_mut(&mut pictures);
    mixed.other_patients.push(suzuki());
    mixed.strange_series.push(mixed.series[1].uid.clone());
    let asked = assignment("a-1", ExamKind::CT, 30, &pictures, &[]);
    b.studies = vec![pictures];
    b.enter(vec![asked]);
    b.open("a-1");
    let named = |b: &Bench| {
        b.app.notices.iter().find_map(|n| match &n.code {
            NoticeCode::IdentityMismatch { series, .. } => Some(series.clone()),
            _ => None,
        })
    };
    assert_eq!(named(&b), Some(vec!["2 axial".to_owned()]));
}

#[test]
fn files_with_the_uids_of_a_centers_study_are_closed_and_never_stand_in_for_it() {
    let mut b = Bench::signed_in();
    let list: Vec<_> = b.app.worklist.assignments.values().cloned().collect();
    // A local study is open; then the worklist names one with the same UID.
    let own = study("3.1", suzuki(), vec![stack("1.1.1", "CT", 3, 0.0, 5.0, "9.1")]);
    b.event(Event::Study(own.clone()));
    b.event(Event::LocalOpened { studies: vec![own.uid.clone()], not_shown: vec![] });
    assert!(b.app.reading.is_some() && !b.app.demand().frames.is_empty());
    let mut named = list[0].as_ref().clone();
    named.id = "a-9".into();
    named.studies[0].study_uid = own.uid.clone();
    b.event(Event::Assignment(std::sync::Arc::new(named)));
    assert!(b.app.reading.is_none() && b.app.pictures.study(&own.uid).is_none());
    assert!(b.app.notices.any(|n| *n == NoticeCode::LocalGaveWay));
    // A local study with a series of the same UID as the assignment's: gone before the assignment is on screen.
    let own = study("0.9", suzuki(), vec![stack("1.1.1", "CT", 3, 0.0, 5.0, "9.1")]);
    b.event(Event::Study(own.clone()));
    b.event(Event::LocalOpened { studies: vec![own.uid.clone()], not_shown: vec![] });
    b.act(Action::Worklist(crate::app::WorklistAction::Open("a-1".into())));
    assert!(b.app.pictures.study(&own.uid).is_none() && b.app.demand().frames.is_empty());
}

#[test]
fn a_closed_studys_series_never_stands_in_for_another_with_the_same_uid() {
    let mut b = Bench::new();
    let first = study("1.1", yamada(), vec![stack("7.7", "CT", 20, 0.0, 5.0, "9.1")]);
    let second = study("1.2", suzuki(), vec![stack("7.7", "CT", 5, 0.0, 5.0, "9.1")]);
    let list =
        vec![assignment("a-1", ExamKind::CT, 30, &first, &[]), assignment("a-2", ExamKind::CT, 40, &second, &[])];
    b.studies = vec![first, second];
    b.enter(list);
    b.open("a-1");
    b.open("a-2");
    let view = b.app.active_view().expect("a viewport");
    assert_eq!(b.app.view_set(view).map(|s| s.frames.len()), Some(5));
}

#[test]
fn a_study_that_names_two_patients_blocks_even_where_the_request_names_none() {
    let mut b = Bench::new();
    let mut pictures = study("1.1", yamada(), vec![stack("1.1.1", "CT", 3, 0.0, 5.0, "9.1")]);
    std::sync::Arc::make_mut(&mut pictures).other_patients.push(suzuki());
    let mut asked = assignment("a-1", ExamKind::CT, 30, &pictures, &[]);
    asked.patient = crate::study::Patient::default();
    b.studies = vec![pictures];
    b.enter(vec![asked]);
    b.open("a-1");
    assert!(b.app.notices.any(|n| matches!(n, NoticeCode::IdentityMismatch { .. })));
    b.look_at_everything();
    b.fill();
    let points = open_points(&b.app).expect("gate");
    assert!(points.iter().any(|p| p.code == PointCode::PatientMismatch && p.code.blocking()));
}

#[test]
fn suspected_wrong_patient_stops_all_signing_whatever_the_center_answers() {
    let mut b = Bench::signed_in();
    b.open("a-1");
    b.act(Action::Worklist(WorklistAction::AskReturn("a-1".into())));
    b.act(Action::Worklist(WorklistAction::ReturnReason(ReturnReason::WrongPatientSuspected)));
    b.out.clear();
    b.act(Action::Worklist(WorklistAction::ConfirmReturn));
    assert!(b.out.is_empty(), "no return without words");
    b.act(Action::Worklist(WorklistAction::ReturnText("乳房が写っている".into())));
    b.act(Action::Worklist(WorklistAction::ConfirmReturn));
    let kept = |out: &[Command]| {
        out.iter().filter(|c| matches!(c, Command::SuspectPatient { text, .. } if text.0 == "乳房が写っている")).count()
    };
    assert!(kept(&b.out) == 1 && b.app.reading.is_none());
    // Not said to be set before it is kept; blocked all the same.
    assert!(!b.app.worklist.wrong_patient.contains("a-1") && b.app.worklist.suspected("a-1"));
    b.event(Event::FlagFailed { assignment: "a-1".into(), failure: Failure::Full(String::new()) });
    assert!(b.app.worklist.suspected("a-1"));
    let failed = |c: &NoticeCode| matches!(c, NoticeCode::PatientFlagFailed { .. });
    let notice = b.app.notices.iter().find(|n| failed(&n.code)).expect("told").id;
    b.act(Action::Notice(crate::app::NoticeAction::Act(notice)));
    assert_eq!(kept(&b.out), 2, "tried again with the same words");
    let flag = |refused| crate::engine::message::FlagEntry { assignment: "a-1".into(), set_at: b.now, refused };
    let (waiting, refused) = (flag(None), flag(Some("not found".to_owned())));
    b.event(Event::Flags(vec![waiting]));
    assert!(b.app.worklist.wrong_patient.contains("a-1") && !b.app.notices.any(failed));
    b.event(Event::Flags(vec![refused]));
    assert!(b.app.notices.any(|n| matches!(n, NoticeCode::PatientFlagRefused { .. })));
    assert!(b.app.worklist.upcoming().iter().all(|a| a.id != "a-1"), "it is not the next one to read");
    b.out.clear();
    b.open("a-1");
    assert!(!b.out.iter().any(|c| matches!(c, Command::Transition { .. })), "nothing begins it anew");
    b.look_at_everything();
    b.fill();
    let points = open_points(&b.app).expect("gate");
    assert!(points.iter().any(|p| p.code == PointCode::WrongPatientSuspected));
}

#[test]
fn behind_the_lock_nothing_works_but_the_password() {
    let mut b = Bench::signed_in();
    b.open("a-1");
    b.frames_arrive();
    b.type_into("findings", "結節");
    b.out.clear();
    b.wait(600);
    assert_eq!(b.app.screen(), Screen::Locked);
    assert_eq!(saves(&b.out), 1);
    let before = b.draft().revision;
    b.type_into("findings", "x");
    b.act(Action::Worklist(WorklistAction::Open("a-2".into())));
    b.act(Action::Intent(Intent::ShowWorklist));
    assert_eq!(b.draft().revision, before);
    assert_eq!(b.app.open_assignment().map(|a| a.id.as_str()), Some("a-1"));
    assert!(matches!(&b.act(Action::Access(AccessAction::Unlock(secret("no"))))[..], [Command::Unlock(_)]));
    b.event(Event::Unlocked(false));
    assert!(b.app.lock.wrong && b.app.screen() == Screen::Locked);
    b.act(Action::Access(AccessAction::Unlock(secret("yes"))));
    b.event(Event::Unlocked(true));
    assert!(matches!(b.app.screen(), Screen::At(_)));
    b.wait(1);
    assert!(matches!(b.app.screen(), Screen::At(_)), "the idle clock starts anew");
}

#[test]
fn a_clock_far_off_warns_then_blocks() {
    let mut b = Bench::signed_in();
    b.open("a-1");
    let link = |s| Event::Link(Link { online: true, center: String::new(), clock_skew_s: s, bytes_per_s: 0 });
    b.event(link(400));
    assert!(b.app.notices.any(|n| *n == NoticeCode::ClockSkew(400)));
    b.event(link(-4000));
    b.look_at_everything();
    b.fill();
    b.out.clear();
    b.act(Action::Sign(SignAction::Begin));
    assert!(b.app.notices.any(|n| *n == NoticeCode::ClockBlocksSigning(-4000)));
    assert!(!b.out.iter().any(|c| matches!(c, Command::Prepare { .. })));
    b.event(link(2));
    assert!(!b.app.notices.any(|n| matches!(n, NoticeCode::ClockSkew(_) | NoticeCode::ClockBlocksSigning(_))));
}

#[test]
fn a_clock_is_warned_of_beyond_a_minute_either_way() {
    let mut b = Bench::signed_in();
    for (skew, warns) in [(59, false), (60, false), (61, true), (0, false), (-61, true), (-60, false), (-59, false)] {
        b.event(Event::Link(Link { online: true, center: String::new(), clock_skew_s: skew, bytes_per_s: 0 }));
        assert_eq!(b.app.notices.any(|n| *n == NoticeCode::ClockSkew(skew)), warns, "{skew} s");
        assert_eq!(b.app.notices.any(|n| matches!(n, NoticeCode::ClockSkew(_))), warns, "{skew} s");
    }
}

#[test]
fn without_the_lease_there_is_no_signature() {
    let mut b = Bench::signed_in();
    b.act(Action::Worklist(WorklistAction::Open("a-1".into())));
    b.event(Event::Draft { assignment: "a-1".into(), draft: None });
    b.studies_arrive();
    b.event(Event::TransitionFailed { assignment: "a-1".into(), failure: Failure::Offline(String::new()) });
    b.look_at_everything();
    b.fill();
    b.out.clear();
    b.act(Action::Sign(SignAction::Begin));
    assert!(!b.out.iter().any(|c| matches!(c, Command::Prepare { .. })));
    assert!(b.app.notices.any(|n| matches!(n, NoticeCode::NotInProgress { .. })));
}

#[test]
fn no_action_panics_without_a_reading() {
    let mut b = Bench::signed_in();
    for id in [0, 7, u32::MAX] {
        for action in [View::Scroll(5), View::Preset(200), View::ToggleKeyImage, View::Reset, View::ToggleMaximise] {
            b.act(Action::Viewport(ViewId(id), action));
        }
    }
    for action in [ReportAction::Undo, ReportAction::NewFinding, ReportAction::KeyImage, ReportAction::StartAddendum] {
        b.act(Action::Report(action));
    }
    for action in [SignAction::Begin, SignAction::Proceed, SignAction::GoToPoint(9), SignAction::Next] {
        b.act(Action::Sign(action));
    }
    assert!(b.app.reading.is_none());
}

#[test]
fn what_waits_is_sent_on_request_and_a_refused_report_takes_its_lease_back_when_opened() {
    let mut b = Bench::signed_in();
    assert!(matches!(b.act(Action::Intent(Intent::SendNow))[..], [Command::SendOutbox]));
    let entry = crate::engine::message::OutboxEntry {
        id: 7,
        assignment: "a-1".into(),
        sha256: "ab".into(),
        signed_at: b.now,
        attempts: 1,
        wedged: Some("lease lost".into()),
        handed: None,
        user: "reader1".into(),
    };
    b.event(Event::Outbox(vec![entry]));
    let retried = |out: &[Command]| out.iter().any(|c| matches!(c, Command::RetryOutbox { id: 7 }));
    assert!(retried(&b.act(Action::Outbox(crate::app::OutboxAction::Retry(7)))));
    assert!(!retried(&b.act(Action::Outbox(crate::app::OutboxAction::Retry(8)))));
    assert!(retried(&b.act(Action::Worklist(WorklistAction::Open("a-1".into())))));
}

#[test]
fn reasons_are_kept_on_the_way_to_the_place_and_back() {
    let mut b = Bench::signed_in();
    b.open("a-1");
    b.frames_arrive();
    b.fill();
    b.paint();
    b.act(Action::Sign(SignAction::Begin));
    b.act(Action::Sign(SignAction::Reason(0, "撮影範囲外".into())));
    b.act(Action::Sign(SignAction::GoToPoint(0)));
    assert!(matches!(b.app.report.as_ref().expect("report").sign, SignFlow::Writing));
    b.act(Action::Sign(SignAction::Begin));
    let SignFlow::Points { points, reasons, .. } = &b.app.report.as_ref().expect("report").sign else {
        panic!("the point is still open");
    };
    assert_eq!((points.len(), reasons.as_slice()), (1, ["撮影範囲外".to_owned()].as_slice()));
}

#[test]
fn a_new_finding_and_a_place_pressed_twice_want_the_caret_each_time() {
    let mut b = Bench::signed_in();
    b.open("a-1");
    let wish = |b: &Bench| b.app.report.as_ref().and_then(|r| r.focus_field.clone()).expect("a wish");
    b.act(Action::Report(ReportAction::NewFinding));
    let first = wish(&b);
    assert_eq!(first.field, "site");
    b.act(Action::Report(ReportAction::NewFinding));
    let second = wish(&b);
    assert!(second.number > first.number && second.finding != first.finding && second.finding.is_some());
    for _ in 0..2 {
        let before = wish(&b).number;
        b.act(Action::Sign(SignAction::Begin));
        b.act(Action::Sign(SignAction::GoToPoint(0)));
        assert!(wish(&b).number > before);
    }
}

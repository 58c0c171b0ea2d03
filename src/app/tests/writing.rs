//! The report: autosave, undo, findings, measurements, key images, conflicts.

use super::fixtures::*;
use crate::app::{Action, NoticeCode, ReportAction, SignAction, SignFlow, ViewAction};
use crate::engine::message::{Command, Event, Failure};
use crate::report::{Draft, Edit, Value};
use crate::study::Voi;
use crate::viewport::{Action as View, Measured, Shape, ViewId};
use std::collections::BTreeMap;

const LEFT: ViewId = ViewId(0);

fn opened() -> Bench {
    let mut b = Bench::signed_in();
    b.open("a-1");
    b.frames_arrive();
    b.out.clear();
    b
}

fn report(action: ReportAction) -> Action {
    Action::Report(action)
}

#[test]
fn a_pause_saves_but_never_while_composing() {
    let mut b = opened();
    assert_eq!(saves(&b.type_into("findings", "結")), 0);
    b.act(Action::Composing(true));
    assert_eq!(saves(&b.wait(5)), 0, "composing");
    b.act(Action::Composing(false));
    assert_eq!(saves(&b.wait(0)), 0, "the pause counts from the committed text");
    assert_eq!(saves(&b.wait(1)), 1);
    assert_eq!(saves(&b.wait(60)), 0, "saved once");
    b.type_into("findings", "結節");
    assert_eq!(saves(&b.act(Action::TextFocus(false))), 1, "leaving the field saves");
    let revision = b.draft().revision;
    b.event(Event::DraftSaved { assignment: "a-1".into(), revision, at_center: false, at: b.now });
    let saving = &b.app.report.as_ref().expect("report").saving;
    assert_eq!((saving.underway, saving.saved.map(|s| s.revision)), (None, Some(revision)));
    assert_eq!(b.app.worklist.drafts.get("a-1").map(|d| d.revision), Some(revision));
}

#[test]
fn typing_without_a_pause_is_saved_too() {
    let mut b = opened();
    let mut text = String::new();
    for _ in 0..40 {
        text.push('あ');
        b.type_into("findings", &text);
        b.now += jiff::SignedDuration::from_millis(500);
        b.act(Action::Tick);
    }
    assert_eq!(saves(&b.out), 1, "20 seconds of typing");
}

#[test]
fn a_failed_save_is_told_and_tried_again_but_not_every_second() {
    let mut b = opened();
    b.type_into("findings", "結");
    assert_eq!(saves(&b.wait(1)), 1);
    b.event(Event::DraftFailed { assignment: "a-1".into(), failure: Failure::Full("disk".into()) });
    assert!(b.app.notices.any(|n| matches!(n, NoticeCode::DraftFailed { .. })));
    assert_eq!(saves(&b.wait(5)), 0);
    assert_eq!(saves(&b.wait(6)), 1);
    let revision = b.draft().revision;
    b.event(Event::DraftSaved { assignment: "a-1".into(), revision, at_center: true, at: b.now });
    assert!(!b.app.notices.any(|n| matches!(n, NoticeCode::DraftFailed { .. })));
}

#[test]
fn a_late_word_of_the_center_hides_no_newer_state() {
    let mut b = opened();
    let saved = |b: &mut Bench, text: &str| {
        b.type_into("findings", text);
        assert_eq!(saves(&b.wait(1)), 1);
        b.draft().revision
    };
    let word = |revision, at_center, at| Event::DraftSaved { assignment: "a-1".into(), revision, at_center, at };
    let first = saved(&mut b, "結");
    b.event(word(first, false, b.now));
    let second = saved(&mut b, "結節");
    b.event(word(second, false, b.now));
    b.event(word(first, true, b.now));
    let mark = b.app.report.as_ref().expect("report").saving.saved.expect("saved");
    assert_eq!((mark.revision, mark.at_center), (second, false), "the later one is only here");
    assert_eq!(b.app.worklist.drafts.get("a-1").map(|d| d.at_center), Some(false));
    let third = saved(&mut b, "結節あり");
    b.event(Event::DraftFailed { assignment: "a-1".into(), failure: Failure::Full("disk".into()) });
    let told = |b: &Bench| b.app.notices.any(|n| matches!(n, NoticeCode::DraftFailed { .. }));
    b.event(word(second, true, b.now));
    assert!(told(&b) && b.app.report.as_ref().is_some_and(|r| r.saving.failure.is_some()), "still not saved");
    b.event(word(third, false, b.now));
    assert!(!told(&b) && b.app.report.as_ref().is_some_and(|r| r.saving.failure.is_none()));
}

#[test]
fn undo_takes_back_measurements_too() {
    let mut b = opened();
    b.act(Action::Viewport(LEFT, View::AddShape(Shape::Length { a: [0.0, 0.0], b: [3.0, 0.0] })));
    let annotation = b.draft().annotations[0].clone();
    assert_eq!(annotation.measured, Some(Measured::Length { value: 3.0, unit: "mm".into() }));
    b.act(report(ReportAction::Undo));
    assert_eq!(b.app.annotations().count(), 0);
    b.act(report(ReportAction::Redo));
    assert_eq!(b.app.annotations().count(), 1);
    b.act(Action::Viewport(LEFT, View::RemoveAnnotation(annotation.id)));
    assert_eq!(b.app.annotations().count(), 0);
    // Nonsense geometry makes no measurement.
    b.act(Action::Viewport(LEFT, View::AddShape(Shape::Probe { at: [f64::NAN, 0.0] })));
    assert_eq!(b.app.annotations().count(), 0);
}

#[test]
fn values_come_from_stored_pixels() {
    let mut b = opened();
    b.act(Action::Viewport(LEFT, View::AddShape(Shape::Probe { at: [2.0, 1.0] })));
    b.act(Action::Viewport(LEFT, View::AddShape(Shape::Ellipse { center: [1.5, 1.5], half: [9.0, 9.0] })));
    b.act(Action::Viewport(LEFT, View::AddShape(Shape::Probe { at: [-5.0, 1.0] })));
    let measured: Vec<_> = b.draft().annotations.iter().map(|a| a.measured.clone().expect("measured")).collect();
    assert_eq!(measured[0], Measured::Value { value: Some(6.0), unit: "HU".into() });
    let Measured::Region { mean, count, min, max, .. } = &measured[1] else { panic!("{measured:?}") };
    assert_eq!((*mean, *count, *min, *max), (7.5, 16, 0.0, 15.0));
    assert_eq!(measured[2], Measured::Value { value: None, unit: "HU".into() });
}

#[test]
fn a_measurement_waits_for_its_frame() {
    let mut b = opened();
    // Far from what is held: the frame is on its way.
    b.act(Action::View(LEFT, ViewAction::GoToEnd(true)));
    b.app.pictures.frames.clear();
    b.act(Action::Viewport(LEFT, View::AddShape(Shape::Probe { at: [0.0, 0.0] })));
    assert_eq!(b.draft().annotations[0].measured, None);
    let frame = b.draft().annotations[0].frame.clone();
    b.act(Action::Viewport(LEFT, View::ScrollTo(0)));
    assert!(b.app.demand().frames.contains(&frame), "what a number needs is demanded");
    b.frames_arrive();
    assert!(matches!(b.draft().annotations[0].measured, Some(Measured::Value { value: Some(_), .. })));
}

#[test]
fn findings_with_key_image_and_measurement() {
    let mut b = opened();
    b.act(Action::Viewport(LEFT, View::ScrollTo(4)));
    b.frames_arrive();
    let alongside = b.app.view(ViewId(1)).map(|v| v.position);
    b.act(Action::Viewport(LEFT, View::SetVoi(Voi::linear(-600.0, 1500.0))));
    b.act(Action::Viewport(LEFT, View::AddShape(Shape::Length { a: [0.0, 0.0], b: [2.04, 0.0] })));
    let annotation = b.draft().annotations[0].id;
    b.act(report(ReportAction::KeyImage));
    let finding = b.app.report.as_ref().and_then(|r| r.open_finding).expect("a finding was begun and opened");
    let key = b.draft().finding(finding).and_then(|f| f.key_image.clone()).expect("key image");
    assert_eq!((key.voi, key.study), (Voi::linear(-600.0, 1500.0), study_uid("1.1")));
    b.act(report(ReportAction::UseMeasurement(annotation)));
    let found = b.draft().finding(finding).expect("finding");
    assert_eq!(found.annotation, Some(annotation));
    assert!(found.fields.values().any(|v| *v == Value::Number(2.0)), "the size field is filled");
    // The same key again takes it away; jumping brings slice and window back.
    b.act(Action::Viewport(LEFT, View::ToggleKeyImage));
    assert_eq!(b.draft().finding(finding).and_then(|f| f.key_image.clone()), None);
    b.act(Action::Viewport(LEFT, View::ToggleKeyImage));
    b.act(Action::Viewport(LEFT, View::ScrollTo(10)));
    b.act(Action::Viewport(LEFT, View::OwnVoi));
    b.act(report(ReportAction::JumpTo(finding)));
    let view = b.app.view(LEFT).expect("viewport");
    assert_eq!((view.position, view.data.voi), (4, Some(Voi::linear(-600.0, 1500.0))));
    assert_eq!(b.app.view(ViewId(1)).map(|v| v.position), alongside, "the linked prior comes along");
    b.act(report(ReportAction::Edit(Edit::RemoveFinding(finding))));
    assert_eq!(b.app.report.as_ref().and_then(|r| r.open_finding), None);
}

#[test]
fn comparison_says_what_was_hung_beside_and_never_overwrites() {
    // With a prior on screen: its kind and date.
    let mut b = Bench::signed_in();
    b.open("a-1");
    assert_eq!(b.draft().text("comparison"), "CT 2026-11-20");
    assert!(b.draft().prefilled("comparison"));
    assert_eq!((b.draft().revision, saves(&b.out)), (0, 0), "nobody wrote anything");
    // The gate is looked at and left again.
    b.act(Action::Sign(SignAction::Begin));
    b.act(Action::Sign(SignAction::Cancel));
    assert!(b.draft().prefilled("comparison"), "still nobody's words");
    // Without any: none.
    b.open("a-2");
    assert_eq!(b.draft().text("comparison"), "なし");

    // A prior that arrives after the first words is filled in, and saved; not over what the reader wrote.
    for written in [None, Some("前医の CT")] {
        let mut b = Bench::signed_in();
        let prior = b.studies.remove(1);
        b.open("a-1");
        assert_eq!(b.draft().text("comparison"), "", "there is one, and nobody looked at it");
        b.type_into("findings", "結節");
        if let Some(text) = written {
            b.type_into("comparison", text);
        }
        b.event(crate::engine::message::Event::Study(prior));
        assert_eq!(b.draft().text("comparison"), written.unwrap_or("CT 2026-11-20"));
        b.wait(10);
        assert!(saves(&b.out) > 0);
        // Undo takes back the reader's words only.
        for _ in 0..2 {
            b.act(Action::Report(ReportAction::Undo));
        }
        assert_eq!((b.draft().text("findings"), b.draft().text("comparison")), ("", "CT 2026-11-20"));
    }
}

#[test]
fn a_conflict_waits_for_the_reader() {
    let mut b = opened();
    b.type_into("findings", "mine");
    let mut theirs: Draft = b.draft().clone();
    theirs.apply(Edit::SetField("findings".into(), Some(Value::Text("theirs".into()))));
    b.event(Event::DraftConflict { assignment: "a-1".into(), center: theirs.clone(), replaces: None });
    assert_eq!(saves(&b.wait(5)), 0, "saving would decide");
    let revision = b.draft().revision;
    b.type_into("findings", "more");
    assert_eq!(b.draft().revision, revision);
    let mut other = Bench { app: b.app.clone(), now: b.now, out: vec![], studies: vec![] };
    let commands = b.act(report(ReportAction::Resolve { keep_local: true }));
    assert!(commands.iter().any(|c| matches!(c, Command::ResolveDraft { keep_local: true, .. })));
    assert_eq!(b.draft().text("findings"), "mine");
    assert_eq!(saves(&b.wait(5)), 1, "what is kept is saved");
    let Some(Command::ResolveDraft { left: Some(left), .. }) = commands.last() else { panic!("{commands:?}") };
    assert_eq!(left.text("findings"), "theirs", "what was not chosen is kept");
    let commands = other.act(report(ReportAction::Resolve { keep_local: false }));
    let Some(Command::ResolveDraft { left: Some(left), .. }) = commands.last() else { panic!("{commands:?}") };
    assert_eq!(left.text("findings"), "mine", "as it stood in the window");
    // Where that fails the choice is asked again, and nothing is gone.
    let mut failing = Bench { app: other.app.clone(), now: other.now, out: vec![], studies: vec![] };
    failing.event(Event::DraftFailed { assignment: "a-1".into(), failure: Failure::Full("disk".into()) });
    let state = failing.app.report.as_ref().expect("report");
    assert!(state.conflict.as_ref().is_some_and(|c| c.text("findings") == "theirs"));
    assert_eq!(failing.draft().text("findings"), "mine");
    let mine = left.as_ref().clone();
    other.event(Event::DraftsLeft { assignment: "a-1".into(), drafts: vec![mine.clone()] });
    other.event(Event::Draft { assignment: "a-1".into(), draft: Some(theirs) });
    assert_eq!(other.draft().text("findings"), "theirs");
    assert_eq!(other.app.report.as_ref().map(|r| r.left.clone()), Some(vec![mine]));
    assert!(!other.app.notices.any(|n| matches!(n, NoticeCode::DraftConflict { .. })));
}

#[test]
fn a_late_draft_never_overwrites_typing() {
    let mut b = opened();
    b.type_into("findings", "mine");
    let mut old = b.draft().clone();
    old.apply(Edit::SetField("findings".into(), Some(Value::Text("other".into()))));
    b.event(Event::Draft { assignment: "a-1".into(), draft: Some(old) });
    assert_eq!(b.draft().text("findings"), "mine");
}

#[test]
fn a_kept_draft_is_loaded_with_its_template() {
    let mut b = Bench::signed_in();
    b.act(Action::Worklist(crate::app::WorklistAction::Open("a-1".into())));
    let report = b.app.report.as_ref().expect("report");
    assert!(report.loading && !report.editable());
    let assignment = b.app.open_assignment().expect("open").clone();
    let template = crate::report::templates::find("mmg.screen").expect("template");
    let mut kept = Draft::new(&assignment, &template, &BTreeMap::new());
    kept.apply(Edit::AddFinding);
    b.event(Event::Draft { assignment: "a-1".into(), draft: Some(kept) });
    assert_eq!(b.app.report.as_ref().map(|r| r.template.id.clone()), Some("mmg.screen".into()));
    assert_eq!(b.draft().findings.len(), 1);
    assert!(b.app.worklist.drafts.contains_key("a-1"));
    let saved = b.app.report.as_ref().and_then(|r| r.saving.saved).map(|mark| mark.revision);
    assert_eq!(saved, Some(b.draft().revision), "what was found counts as saved");
    // Headers that arrive later do not fill in what was kept.
    b.studies_arrive();
    assert_eq!(b.draft().findings.len(), 1);
}

#[test]
fn a_draft_that_cannot_be_looked_for_is_asked_for_again() {
    let mut b = Bench::signed_in();
    assert_eq!(b.out.iter().filter(|c| matches!(c, Command::LoadDraft { .. })).count(), 2, "for the list's marks");
    b.act(Action::Worklist(crate::app::WorklistAction::Open("a-1".into())));
    b.event(Event::DraftFailed { assignment: "a-1".into(), failure: Failure::Full("disk".into()) });
    let report = b.app.report.as_ref().expect("report");
    assert!(!report.loading && !report.editable(), "nothing is begun that could hide what is kept");
    assert_eq!(saves(&b.wait(60)), 0);
    let notice = b.app.notices.iter().find(|n| matches!(n.code, NoticeCode::DraftFailed { .. })).map(|n| n.id);
    b.out.clear();
    b.act(Action::Notice(crate::app::NoticeAction::Act(notice.expect("told"))));
    assert!(b.out.iter().any(|c| matches!(c, Command::LoadDraft { .. })));
    b.event(Event::Draft { assignment: "a-1".into(), draft: None });
    assert!(b.app.report.as_ref().is_some_and(|r| r.editable()));
}

#[test]
fn a_draft_of_an_unknown_template_is_left_alone() {
    let mut b = Bench::signed_in();
    b.act(Action::Worklist(crate::app::WorklistAction::Open("a-1".into())));
    let assignment = b.app.open_assignment().expect("open").clone();
    let template = crate::report::templates::find("clin.ct").expect("template");
    let mut kept = Draft::new(&assignment, &template, &BTreeMap::new());
    kept.template_id = "clin.future".into();
    b.event(Event::Draft { assignment: "a-1".into(), draft: Some(kept) });
    assert!(b.app.notices.any(|n| *n == NoticeCode::TemplateMissing("clin.future".into())));
    assert!(!b.app.report.as_ref().expect("report").editable());
    assert_eq!(saves(&b.wait(60)), 0);
}

#[test]
fn another_template_keeps_fields_of_the_same_name() {
    let mut b = opened();
    b.type_into("technique", "3D");
    let before = b.draft().revision;
    b.act(report(ReportAction::Template("mmg.screen".into())));
    assert_eq!(b.draft().template_id, "mmg.screen");
    assert!(b.draft().revision > before);
    b.act(report(ReportAction::NewFinding));
    b.act(report(ReportAction::Template("clin.ct".into())));
    assert_eq!(b.draft().template_id, "mmg.screen", "findings would be lost");
    b.act(report(ReportAction::Template("nowhere".into())));
    assert!(b.app.notices.any(|n| matches!(n, NoticeCode::TemplateMissing(_))));
    assert!(matches!(b.app.report.as_ref().expect("report").sign, SignFlow::Writing));
}

//! Pictures: hanging, scrolling, presets, demand of frames, cine, what counts as seen.

use super::fixtures::*;
use crate::app::hang::StepName;
use crate::app::{Action, Intent, LayoutAction, LinkMark, ObjectAction, OpenObject, ViewAction};
use crate::engine::message::{Event, Unshown, UnshownKind};
use crate::imaging::Trouble;
use crate::study::{ExamKind, FrameIndex, FrameRef, Laterality, ObjectRef, Voi};
use crate::viewport::state_object::{PresentationState, StateArea};
use crate::viewport::{Action as View, Layout, ObjectContent, Tool, ViewId, Zoom};
use std::sync::Arc;

const LEFT: ViewId = ViewId(0);
const RIGHT: ViewId = ViewId(1);

fn place(b: &Bench, id: ViewId) -> usize {
    b.app.view(id).expect("viewport").position
}

fn z(b: &Bench, id: ViewId) -> f64 {
    let set = b.app.view_set(id).expect("set");
    set.info[place(b, id)].plane.expect("plane").position_mm.z
}

#[test]
fn ct_hangs_beside_its_prior_and_scrolls_linked_in_mm() {
    let mut b = Bench::signed_in();
    b.open("a-1");
    let reading = b.app.reading.as_ref().expect("open");
    assert_eq!(reading.step().map(|s| s.name), Some(StepName::WithPrior));
    assert_eq!(reading.record.layout, Layout::new(1, 2));
    assert_eq!(b.app.view(RIGHT).and_then(|v| v.study.clone()), Some(study_uid("1.0")));

    // 0 to 95 against 100 to 197.5 mm, in other frames of reference: linked from the start, head-most slices equal.
    assert_eq!(b.app.link_mark(RIGHT), Some(LinkMark::Estimated));
    assert_eq!((z(&b, LEFT), z(&b, RIGHT)), (0.0, 102.5));
    b.act(Action::Viewport(LEFT, View::ScrollTo(usize::MAX)));
    assert_eq!((z(&b, LEFT), z(&b, RIGHT)), (95.0, 197.5));
    b.act(Action::Viewport(LEFT, View::ScrollTo(0)));

    // The reader's own pairing, slices of 5 mm against 2.5 mm: by mm from what is on screen together.
    b.act(Action::Layout(LayoutAction::ToggleLink));
    assert_eq!(b.app.link_mark(RIGHT), None);
    b.act(Action::Viewport(RIGHT, View::ScrollTo(4)));
    assert_eq!(z(&b, LEFT), 0.0, "unlinked, the other stays");
    b.act(Action::Layout(LayoutAction::ToggleLink));
    assert_eq!(b.app.link_mark(RIGHT), Some(LinkMark::ByHand));
    assert_eq!((z(&b, LEFT), z(&b, RIGHT)), (0.0, 110.0), "linking moves nothing between studies");
    b.act(Action::Viewport(LEFT, View::Scroll(3)));
    assert_eq!((z(&b, LEFT), z(&b, RIGHT)), (15.0, 125.0));
    b.act(Action::Viewport(RIGHT, View::Scroll(-2)));
    assert_eq!((z(&b, LEFT), z(&b, RIGHT)), (10.0, 120.0));
    // Ends are held, and coming back the offset is the same.
    b.act(Action::Viewport(LEFT, View::ScrollTo(usize::MAX)));
    assert_eq!((z(&b, LEFT), z(&b, RIGHT)), (95.0, 197.5));
    b.act(Action::Viewport(LEFT, View::ScrollTo(3)));
    assert_eq!((z(&b, LEFT), z(&b, RIGHT)), (15.0, 125.0));
    b.act(Action::Layout(LayoutAction::ToggleLink));
    b.act(Action::Viewport(LEFT, View::Scroll(1)));
    assert_eq!(z(&b, RIGHT), 125.0);
}

#[test]
fn one_frame_of_reference_means_one_patient_plane() {
    let mut b = Bench::new();
    let fine = stack("1.1.2", "CT", 40, 2.0, 2.5, "9.1");
    let current = study("1.1", yamada(), vec![stack("1.1.1", "CT", 20, 0.0, 5.0, "9.1"), fine]);
    let list = vec![assignment("a-1", ExamKind::CT, 30, &current, &[])];
    b.studies = vec![current];
    b.enter(list);
    b.open("a-1");
    assert_eq!(b.app.link_mark(RIGHT), Some(LinkMark::Exact));
    b.act(Action::Viewport(LEFT, View::ScrollTo(6)));
    assert_eq!((z(&b, LEFT), z(&b, RIGHT)), (30.0, 29.5), "one patient plane");
    b.act(Action::Layout(LayoutAction::ToggleLink));
    b.act(Action::Viewport(RIGHT, View::ScrollTo(0)));
    b.act(Action::Layout(LayoutAction::Activate(LEFT)));
    b.act(Action::Layout(LayoutAction::ToggleLink));
    assert_eq!((z(&b, LEFT), z(&b, RIGHT)), (30.0, 29.5), "linking goes to the same plane, wherever it was");
    b.act(Action::Viewport(LEFT, View::Scroll(4)));
    assert_eq!((z(&b, LEFT), z(&b, RIGHT)), (50.0, 49.5));
}

#[test]
fn another_series_stays_at_the_same_place_in_the_patient() {
    let mut b = Bench::new();
    let other = stack("1.1.2", "CT", 40, 2.0, 2.5, "9.1");
    let current = study("1.1", yamada(), vec![stack("1.1.1", "CT", 20, 0.0, 5.0, "9.1"), other]);
    let thin = stack("1.0.2", "CT", 80, 100.0, 1.25, "9.2");
    let prior = study("1.0", yamada(), vec![stack("1.0.1", "CT", 40, 100.0, 2.5, "9.2"), thin]);
    let list = vec![assignment("a-1", ExamKind::CT, 30, &current, &[&prior])];
    b.studies = vec![current, prior];
    b.enter(list);
    b.open("a-1");
    // Paired by hand: 0 with 110 mm.
    b.act(Action::Layout(LayoutAction::ToggleLink));
    b.act(Action::Viewport(LEFT, View::ScrollTo(0)));
    b.act(Action::Viewport(RIGHT, View::ScrollTo(4)));
    b.act(Action::Layout(LayoutAction::ToggleLink));
    let (left, right) = (z(&b, LEFT), z(&b, RIGHT));
    b.act(Action::Viewport(LEFT, View::ScrollTo(8)));
    assert!((z(&b, RIGHT) - z(&b, LEFT) - (right - left)).abs() <= 1.25);
    let before = (z(&b, LEFT), z(&b, RIGHT));
    for _ in 0..2 {
        for view in [LEFT, RIGHT] {
            b.act(Action::Viewport(view, View::StepDisplaySet(1)));
            assert!((z(&b, LEFT) - before.0).abs() <= 2.5, "{} for {}", z(&b, LEFT), before.0);
            assert!((z(&b, RIGHT) - before.1).abs() <= 2.5, "{} for {}", z(&b, RIGHT), before.1);
            assert_eq!(b.app.link_mark(RIGHT), Some(LinkMark::ByHand), "the pairing outlives the series");
        }
        b.act(Action::Viewport(LEFT, View::StepDisplaySet(-1)));
        b.act(Action::Viewport(RIGHT, View::StepDisplaySet(-1)));
    }
    // Not linked, a series begins at its first frame.
    b.act(Action::Layout(LayoutAction::ToggleLink));
    b.act(Action::Viewport(LEFT, View::StepDisplaySet(1)));
    b.act(Action::Viewport(LEFT, View::StepDisplaySet(-1)));
    assert_eq!(place(&b, LEFT), 0);
}

#[test]
fn estimates_believe_coordinates_only_where_they_make_sense() {
    // Current stack 0 to 600 mm; prior from, number of slices of 5 mm; expected prior place of current z = 300.
    for (from, count, wanted, why) in [
        (10.0, 121, 300.0_f64, "begins and ends alike: patient coordinates"),
        (200.0, 60, 300.0, "a short one inside the long one: patient coordinates"),
        (120.0, 121, 420.0, "as long, elsewhere: head-most slices"),
        (-2000.0, 60, -2005.0, "short and far away: head-most slices, 600 with -1705"),
    ] {
        let mut b = Bench::new();
        let current = study("1.1", yamada(), vec![stack("1.1.1", "CT", 121, 0.0, 5.0, "9.1")]);
        let prior = study("1.0", yamada(), vec![stack("1.0.1", "CT", count, from, 5.0, "9.2")]);
        let list = vec![assignment("a-1", ExamKind::CT, 30, &current, &[&prior])];
        b.studies = vec![current, prior];
        b.enter(list);
        b.open("a-1");
        b.act(Action::Viewport(LEFT, View::ScrollTo(60)));
        assert_eq!(z(&b, LEFT), 300.0);
        let end = from + 5.0 * f64::from(count - 1);
        assert_eq!(z(&b, RIGHT), wanted.clamp(from, end), "{why}");
        assert_eq!(b.app.link_mark(RIGHT), Some(LinkMark::Estimated));
    }
}

#[test]
fn other_directions_are_not_linked_and_say_so() {
    let mut b = Bench::new();
    let mut coronal = stack("1.1.2", "CT", 30, 0.0, 5.0, "9.1");
    for (n, one) in coronal.instances.iter_mut().enumerate() {
        let at = [0.0, n as f64 * 5.0, 0.0];
        one.frame_info[0].plane = crate::study::ImagePlane::new(at, [1.0, 0.0, 0.0, 0.0, 0.0, -1.0], [1.0, 1.0]);
    }
    let current = study("1.1", yamada(), vec![stack("1.1.1", "CT", 20, 0.0, 5.0, "9.1"), coronal]);
    let list = vec![assignment("a-1", ExamKind::CT, 30, &current, &[])];
    b.studies = vec![current];
    b.enter(list);
    b.open("a-1");
    assert_eq!([LEFT, RIGHT].map(|v| b.app.link_mark(v)), [Some(LinkMark::Alone); 2]);
    b.act(Action::Viewport(LEFT, View::Scroll(7)));
    assert_eq!((place(&b, LEFT), place(&b, RIGHT)), (7, 0));
}

#[test]
fn frames_wanted_are_visible_first_then_ahead_and_others_are_dropped() {
    let mut b = Bench::signed_in();
    b.open("a-1");
    let frame = |n: usize| {
        let instance = b.studies[0].series[0].instances[n].uid.clone();
        FrameRef { instance, frame: FrameIndex(0) }
    };
    let (first, fifth) = (frame(0), frame(5));
    let wanted = b.app.demand().frames;
    assert_eq!(wanted[0], first);
    assert_eq!(wanted[1].instance.as_str(), "1.0.1.2", "the prior on screen comes before neighbours");
    b.frames_arrive();
    assert_eq!(b.app.pictures.frames.len(), b.app.demand().frames.len());
    // Far away: what is no longer near is dropped.
    b.act(Action::View(RIGHT, ViewAction::Clear));
    b.act(Action::View(LEFT, ViewAction::GoToEnd(true)));
    assert!(b.app.pictures.frame(&first).is_none());
    // Scrolling back, what lies that way comes first.
    b.act(Action::Viewport(LEFT, View::ScrollTo(6)));
    assert_eq!(b.app.demand().frames[1], fifth);
    // A frame that failed is not asked for again.
    let why = Unshown::new(UnshownKind::Damaged, "cannot decode");
    b.event(Event::FrameFailed(fifth.clone(), why.clone()));
    assert!(!b.app.demand().frames.contains(&fifth));
    assert_eq!(b.app.pictures.failed.get(&fifth), Some(&why));
    // That a frame is damaged stays known when its pixels are dropped.
    let mut cut = Arc::unwrap_or_clone(super::fixtures::pixels(4));
    cut.warnings.push(Trouble::Cut { missing: 1, expected: 16 });
    b.event(Event::Frame(fifth.clone(), Arc::new(cut)));
    b.act(Action::View(LEFT, ViewAction::GoToEnd(true)));
    assert!(b.app.pictures.damaged.contains(&fifth) && b.app.pictures.damaged.len() == 1);
}

#[test]
fn the_pictures_own_windows_are_stepped_through() {
    let mut b = Bench::signed_in();
    b.open("a-1");
    let at = b.app.view(LEFT).and_then(|v| v.frame.clone()).expect("a frame on the left");
    let mut frame = std::sync::Arc::unwrap_or_clone(super::fixtures::pixels(4));
    let lut = |n| Voi { center: 8.0, width: 16.0, function: crate::study::VoiFunction::Lut(n) };
    frame.voi = vec![lut(0), lut(1), Voi::linear(40.0, 400.0)];
    b.event(Event::Frame(at, std::sync::Arc::new(frame)));
    let voi = |b: &Bench| b.app.view(LEFT).and_then(|v| v.data.voi);
    // The first is shown without being asked for, so the key goes to the second.
    for wanted in [lut(1), Voi::linear(40.0, 400.0), lut(0), lut(1)] {
        b.act(Action::Intent(Intent::NextVoi));
        assert_eq!(voi(&b), Some(wanted));
    }
    b.act(Action::Viewport(LEFT, View::SetVoi(Voi::linear(1.0, 2.0))));
    b.act(Action::Intent(Intent::NextVoi));
    assert_eq!(voi(&b), Some(lut(0)));
    b.act(Action::Intent(Intent::ToggleOverlays));
    b.act(Action::Intent(Intent::ToggleShutters));
    let data = b.app.view(LEFT).map(|v| (v.data.hide_overlays, v.data.open_shutters));
    assert_eq!(data, Some((true, true)));
}

#[test]
fn a_long_series_does_not_fill_memory() {
    let mut b = Bench::new();
    let mut long = stack("1.1.1", "CT", 2000, 0.0, 1.0, "9.1");
    for one in &mut long.instances {
        (one.rows, one.columns) = (512, 512);
    }
    let current = study("1.1", yamada(), vec![long]);
    let list = vec![assignment("a-1", ExamKind::CT, 30, &current, &[])];
    b.studies = vec![current];
    b.enter(list);
    b.open("a-1");
    let mut most = 0;
    for _ in 0..100 {
        b.act(Action::Viewport(LEFT, View::Scroll(20)));
        b.frames_arrive();
        most = most.max(b.app.pictures.frames.len());
    }
    assert_eq!(place(&b, LEFT), 1999);
    assert!(most <= 100, "{most} frames held");
}

#[test]
fn growing_studies_keep_the_place_and_what_is_by_hand() {
    let mut b = Bench::signed_in();
    b.act(Action::Worklist(crate::app::WorklistAction::Open("a-1".into())));
    let mut part = b.studies[0].as_ref().clone();
    part.series[0].instances.retain(|i| i.number.is_some_and(|n| n % 2 == 0));
    b.event(Event::Study(part.into()));
    b.act(Action::Viewport(LEFT, View::ScrollTo(2)));
    let shown = b.app.view(LEFT).and_then(|v| v.frame.clone()).expect("a frame");
    b.event(Event::Study(b.studies[0].clone()));
    assert_eq!((place(&b, LEFT), b.app.view(LEFT).and_then(|v| v.frame.clone())), (5, Some(shown)));
    // The reader's own grid stays when the prior arrives.
    b.act(Action::Layout(LayoutAction::Grid(Layout::new(2, 2))));
    b.event(Event::Study(b.studies[1].clone()));
    assert_eq!(b.app.reading.as_ref().map(|r| r.record.layout), Some(Layout::new(2, 2)));
    b.act(Action::Layout(LayoutAction::Step(0)));
    assert_eq!(b.app.reading.as_ref().map(|r| r.record.layout), Some(Layout::new(1, 2)));
}

#[test]
fn presets_invert_flip_reset() {
    let mut b = Bench::signed_in();
    b.open("a-1");
    b.frames_arrive();
    b.act(Action::Intent(Intent::Preset(1)));
    assert_eq!(b.app.view(LEFT).and_then(|v| v.data.voi), Some(Voi::linear(-600.0, 1500.0)));
    b.act(Action::Intent(Intent::Preset(2)));
    assert_eq!(b.app.view(LEFT).and_then(|v| v.data.voi), Some(Voi::linear(40.0, 400.0)));
    for intent in [Intent::Invert, Intent::FlipHorizontal, Intent::Rotate, Intent::OneToOne] {
        b.act(Action::Intent(intent));
    }
    let view = b.app.view(LEFT).expect("viewport").clone();
    assert!(view.data.invert && view.view.flip_horizontal && view.view.quarter_turns == 1);
    b.act(Action::Intent(Intent::Reset));
    let view = b.app.view(LEFT).expect("viewport");
    assert_eq!((view.view, view.data), (view.hung, view.hung_data));
    b.act(Action::Intent(Intent::ToolWindow));
    assert_eq!(b.app.reading.as_ref().map(|r| r.record.tool), Some(Tool::Window));
    b.act(Action::Intent(Intent::ToggleMaximise));
    assert_eq!(b.app.reading.as_ref().map(|r| r.record.shown_views().count()), Some(1));
    b.act(Action::Intent(Intent::Cancel));
    assert_eq!(b.app.reading.as_ref().map(|r| r.record.shown_views().count()), Some(2));
}

#[test]
fn seen_means_that_the_picture_was_there() {
    let mut b = Bench::signed_in();
    b.open("a-1");
    let set = b.app.view_set(LEFT).expect("set").clone();
    assert_eq!(b.app.seen_frames(&set), 0, "a frame still arriving has not been seen");
    b.frames_arrive();
    assert_eq!(b.app.seen_frames(&set), 0, "nobody asked for it, and it stood for no time");
    b.wait(1);
    b.paint();
    assert_eq!(b.app.seen_frames(&set), 1);
    b.act(Action::Viewport(LEFT, View::Scroll(1)));
    b.act(Action::Viewport(LEFT, View::Scroll(1)));
    b.paint();
    assert_eq!(b.app.seen_frames(&set), 2, "a slice passed between two drawings was never on screen");
    b.act(Action::Go(crate::app::Place::Worklist));
    b.act(Action::Viewport(LEFT, View::Scroll(1)));
    b.paint();
    assert_eq!(b.app.seen_frames(&set), 2, "behind the worklist nothing is seen");
    b.act(Action::Go(crate::app::Place::Reading));
    b.look_at_everything();
    assert_eq!(b.app.seen_frames(&set), 20);
}

#[test]
fn what_a_second_hanging_takes_away_was_not_looked_at() {
    for looks_s in [0, 5] {
        let mut b = Bench::new();
        let plain = stack("1.1.1", "CT", 20, 0.0, 5.0, "9.1");
        let current = study("1.1", yamada(), vec![plain, stack("1.1.2", "CT", 16, 0.0, 5.0, "9.1")]);
        let prior = study("1.0", yamada(), vec![stack("1.0.1", "CT", 20, 0.0, 5.0, "9.2")]);
        b.enter(vec![assignment("a-1", ExamKind::CT, 30, &current, &[&prior])]);
        b.studies = vec![current.clone()];
        b.open("a-1");
        let second = b.app.view_set(RIGHT).expect("both series at first").clone();
        b.frames_arrive();
        b.wait(looks_s);
        b.paint();
        // The prior comes, and the second series gives way to it.
        b.studies = vec![prior];
        b.studies_arrive();
        assert_ne!(b.app.view_set(RIGHT).expect("prior").id, second.id);
        b.frames_arrive();
        let points = crate::app::open_points(&b.app).expect("gate");
        let code = points.iter().find(|p| p.subject == "1.1.2").map(|p| p.code);
        assert_eq!(code, Some(crate::report::gate::PointCode::SeriesNotOpened), "after {looks_s} s");
        assert_eq!(b.app.seen_frames(&second), 0);
    }
}

#[test]
fn a_series_never_shown_is_an_open_point() {
    let mut b = Bench::new();
    let second = stack("1.1.2", "CT", 3, 0.0, 5.0, "9.1");
    let current = study("1.1", yamada(), vec![stack("1.1.1", "CT", 3, 0.0, 5.0, "9.1"), second]);
    let list = vec![assignment("a-1", ExamKind::CT, 30, &current, &[])];
    b.studies = vec![current];
    b.enter(list);
    b.open("a-1");
    b.act(Action::View(RIGHT, ViewAction::Clear));
    b.frames_arrive();
    b.paint();
    let points = crate::app::open_points(&b.app).expect("gate");
    let codes: Vec<_> = points.iter().filter(|p| !p.code.blocking()).map(|p| (p.code, p.subject.as_str())).collect();
    use crate::report::gate::PointCode::{SeriesNotOpened, SeriesPartlySeen};
    assert_eq!(codes, [(SeriesPartlySeen, "1.1.1"), (SeriesNotOpened, "1.1.2")]);
    // "Go there" shows the first unseen frame.
    b.act(Action::Sign(crate::app::SignAction::Begin));
    let at = points.iter().position(|p| p.code == SeriesNotOpened).expect("point");
    b.act(Action::Sign(crate::app::SignAction::GoToPoint(at)));
    assert_eq!(b.app.view(LEFT).and_then(|v| v.set.clone()).map(|s| s.series.to_string()), Some("1.1.2".into()));
}

#[test]
fn cine_runs_at_its_rate_and_waits_for_frames() {
    let mut b = Bench::new();
    let mut run = instance("1.1.1.1", 1, 4);
    run.frames = 30;
    run.frame_info[0].cine_rate_hz = Some(10.0);
    let current = study("1.1", yamada(), vec![series("1.1.1", "RF", "run", vec![run])]);
    let list = vec![assignment("a-1", ExamKind::RF, 30, &current, &[])];
    b.studies = vec![current];
    b.enter(list);
    b.open("a-1");
    assert_eq!(b.app.reading.as_ref().and_then(|r| r.step()).map(|s| s.name), Some(StepName::CineRun(1)));
    b.act(Action::Intent(Intent::ToggleCine));
    b.wait(1);
    assert_eq!(place(&b, LEFT), 0, "nothing is skipped while frames arrive");
    b.frames_arrive();
    b.wait(1);
    assert_eq!(place(&b, LEFT), 10, "the recommended rate");
    for _ in 0..2 {
        b.frames_arrive();
        b.wait(1);
    }
    assert_eq!(place(&b, LEFT), 0, "30 frames at 10 a second come round");
    b.act(Action::View(LEFT, ViewAction::CineRate(f64::NAN)));
    b.act(Action::Viewport(LEFT, View::Scroll(1)));
    assert!(b.app.view(LEFT).is_some_and(|v| v.cine.is_none()), "a hand on the wheel stops the loop");
}

#[test]
fn mammograms_hang_back_to_back() {
    let mut b = Bench::new();
    let views = |uid: &str| {
        vec![
            mammogram(&format!("{uid}.1"), Laterality::R, "CC", Some(["A", "R"])),
            mammogram(&format!("{uid}.2"), Laterality::L, "CC", Some(["A", "R"])),
            mammogram(&format!("{uid}.3"), Laterality::R, "MLO", Some(["A", "FR"])),
            mammogram(&format!("{uid}.4"), Laterality::L, "MLO", Some(["P", "F"])),
        ]
    };
    let current = study("1.1", suzuki(), views("1.1"));
    let prior = study("1.0", suzuki(), views("1.0"));
    let list = vec![assignment("a-1", ExamKind::MMG, 30, &current, &[&prior])];
    b.studies = vec![current, prior];
    b.enter(list);
    b.open("a-1");
    let reading = b.app.reading.as_ref().expect("open");
    let names: Vec<_> = reading.steps.iter().map(|s| s.name).collect();
    use StepName::{Cc, CcWithPrior, FourViews, FullResolution, Mlo, MloWithPrior};
    let full = (1..=4).map(FullResolution);
    let expected: Vec<_> = [Mlo, Cc, FourViews, MloWithPrior, CcWithPrior].into_iter().chain(full).collect();
    assert_eq!(names, expected);
    let label = |b: &Bench, id| b.app.view_set(id).expect("set").label.clone();
    assert_eq!((label(&b, LEFT), label(&b, RIGHT)), ("RMLO".into(), "LMLO".into()));
    let laid = |b: &Bench, id| {
        let v = b.app.view(id).expect("viewport").view;
        (v.flip_horizontal, v.flip_vertical, v.quarter_turns, v.justify)
    };
    assert_eq!(laid(&b, LEFT), (true, false, 0, 1));
    assert_eq!(laid(&b, RIGHT), (true, false, 0, -1), "LMLO with P\\F: horizontal flip only");
    assert_eq!(b.app.demand().frames.len(), 4, "both MLO, and both CC of the next step");
    b.act(Action::Intent(Intent::NextStep));
    assert_eq!((label(&b, LEFT), label(&b, RIGHT)), ("RCC".into(), "LCC".into()));
    assert_eq!(laid(&b, LEFT), (true, true, 0, 1), "RCC with A\\R: both flips");
    assert_eq!(laid(&b, RIGHT), (false, false, 0, -1));
    b.act(Action::Layout(LayoutAction::Step(3)));
    assert_eq!(b.app.view(LEFT).and_then(|v| v.study.clone()), Some(study_uid("1.0")), "prior above");
    assert_eq!(b.app.view(ViewId(2)).and_then(|v| v.study.clone()), Some(study_uid("1.1")));
}

#[test]
fn local_files_open_without_a_center() {
    let mut b = Bench::new();
    b.event(Event::Started(crate::engine::message::Start::NotEnrolled));
    assert_eq!(b.act(Action::OpenLocal(vec!["x".into()])).len(), 1);
    let one = study("1.1", yamada(), vec![stack("1.1.1", "CT", 3, 0.0, 5.0, "9.1")]);
    let other = study("2.1", suzuki(), vec![stack("2.1.1", "CT", 3, 0.0, 5.0, "9.2")]);
    let studies = vec![one.uid.clone(), other.uid.clone()];
    b.event(Event::Study(one));
    b.event(Event::Study(other));
    b.event(Event::LocalOpened { studies, not_shown: vec![] });
    assert_eq!(b.app.screen(), crate::app::Screen::At(crate::app::Place::Reading));
    assert!(!b.app.demand().frames.is_empty() && b.app.demand().studies.is_empty());
    b.frames_arrive();
    // A measurement works and is kept nowhere.
    let shape = crate::viewport::Shape::Length { a: [0.0, 0.0], b: [3.0, 0.0] };
    b.act(Action::Viewport(LEFT, View::AddShape(shape)));
    assert_eq!(b.app.annotations().count(), 1);
    b.act(Action::Study(crate::app::StudyAction::ShowLocal(study_uid("2.1"))));
    assert_eq!(b.app.view(LEFT).and_then(|v| v.study.clone()), Some(study_uid("2.1")));
    assert!(b.app.pictures.frames.is_empty() && b.app.annotations().count() == 0, "another patient: cleared first");
}

#[test]
fn a_laid_presentation_state_shows_each_picture_s_own_area() {
    let mut b = Bench::signed_in();
    b.open("a-1");
    let frames = b.app.view_set(LEFT).expect("set").frames.clone();
    let to = |n: usize| ObjectRef {
        class: String::new(),
        instance: frames[n].instance.clone(),
        frames: vec![],
        segments: vec![],
        presentation: None,
    };
    let area = |images, edges| StateArea { images, edges, mode: "SCALE TO FIT".into() };
    let state = PresentationState {
        images: (0..3).map(to).collect(),
        areas: vec![area(vec![to(0), to(1)], [11, 11, 20, 20]), area(vec![to(2)], [31, 31, 50, 50])],
        ..PresentationState::default()
    };
    let mut open = OpenObject::default();
    open.content = Some(Ok(Arc::new(ObjectContent::PresentationState(Box::new(state)))));
    b.app.reading.as_mut().expect("open").object = Some(open);
    b.act(Action::Object(ObjectAction::Lay(true)));
    let zoom = |b: &Bench| b.app.view(LEFT).expect("a view").view.zoom;
    assert_eq!(zoom(&b), Zoom::Area([10.0; 2]));
    // The reader's own zoom stays within an area, and gives way to another picture's.
    b.act(Action::Viewport(LEFT, View::Place { zoom: Zoom::PixelScale(3.0), pan_px: [0.0; 2] }));
    let own = zoom(&b);
    assert_ne!(own, Zoom::Area([10.0; 2]));
    b.act(Action::Viewport(LEFT, View::ScrollTo(1)));
    assert_eq!(zoom(&b), own);
    b.act(Action::Viewport(LEFT, View::ScrollTo(2)));
    assert_eq!(zoom(&b), Zoom::Area([20.0; 2]));
    b.act(Action::Viewport(LEFT, View::ScrollTo(0)));
    assert_eq!(zoom(&b), Zoom::Area([10.0; 2]));
    b.act(Action::Object(ObjectAction::Lay(false)));
    assert_eq!(zoom(&b), b.app.view(LEFT).expect("a view").hung.zoom);
}

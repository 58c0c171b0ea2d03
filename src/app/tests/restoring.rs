//! After a crash: what was on screen comes back.

use super::fixtures::*;
use crate::app::{Action, LayoutAction, NoticeCode, ReportAction, ViewAction};
use crate::engine::message::{Command, Event};
use crate::viewport::{Action as View, Layout, Tool, ViewId};
use crate::worklist::AssignmentState;

fn kept(b: &Bench) -> Vec<&String> {
    b.out.iter().filter_map(|c| if let Command::SaveReadingState(t) = c { Some(t) } else { None }).collect()
}

#[test]
fn the_open_study_survives_a_crash() {
    let mut b = Bench::signed_in();
    let list: Vec<_> = b.app.worklist.assignments.values().map(|a| a.as_ref().clone()).collect();
    b.open("a-1");
    b.frames_arrive();
    b.act(Action::Layout(LayoutAction::Grid(Layout::new(2, 2))));
    b.act(Action::Viewport(ViewId(0), View::ScrollTo(7)));
    b.frames_arrive();
    b.act(Action::Viewport(ViewId(0), View::Invert));
    b.act(Action::Layout(LayoutAction::Tool(Tool::Length)));
    b.act(Action::View(ViewId(1), ViewAction::Clear));
    b.act(Action::Report(ReportAction::NewFinding));
    b.out.clear();
    b.wait(1);
    assert!(kept(&b).is_empty(), "not with every move");
    b.wait(1);
    let text = kept(&b).pop().expect("kept after a pause").clone();
    assert!(!text.contains("山田") && !text.contains("0012345"), "no names or ids of patients");
    b.wait(5);
    assert_eq!(kept(&b).len(), 1, "unchanged is not kept again");

    let mut later = Bench::new();
    later.studies = b.studies.clone();
    later.event(Event::ReadingState(text));
    later.enter(list);
    assert_eq!(later.app.open_assignment().map(|a| a.id.as_str()), Some("a-1"));
    later.grant("a-1");
    later.event(Event::Draft { assignment: "a-1".into(), draft: Some(b.draft().clone()) });
    later.studies_arrive();
    let (now, then) = (later.app.reading.as_ref().expect("open"), b.app.reading.as_ref().expect("open"));
    assert_eq!(now.record.views[0].position, 7);
    assert!(now.record.views[0].data.invert && now.record.views[1].set.is_none());
    assert_eq!((now.record.layout, now.record.tool), (then.record.layout, Tool::Length));
    assert_eq!(now.record.seen, then.record.seen);
    let set = later.app.view_set(ViewId(0)).expect("set").clone();
    assert_eq!(later.app.seen_frames(&set), b.app.seen_frames(&set));
    assert!(later.app.report.as_ref().is_some_and(|r| r.open_finding.is_some()));
}

#[test]
fn what_is_done_or_somebody_elses_is_not_restored() {
    let mut b = Bench::signed_in();
    b.open("a-1");
    b.wait(5);
    let text = kept(&b).pop().expect("kept").clone();
    let mut list: Vec<_> = b.app.worklist.assignments.values().map(|a| a.as_ref().clone()).collect();
    list[0].state = AssignmentState::Reassigned;
    let mut later = Bench::new();
    later.event(Event::ReadingState(text.clone()));
    later.enter(list);
    assert!(later.app.reading.is_none());
    let mut other = Bench::new();
    other.event(Event::ReadingState(text));
    other.enter(vec![]);
    assert!(other.app.reading.is_none());
}

#[test]
fn closing_leaves_nothing_to_restore_and_nonsense_is_told() {
    let mut b = Bench::signed_in();
    b.open("a-1");
    b.out.clear();
    b.act(Action::Worklist(crate::app::WorklistAction::Suspend("a-1".into())));
    assert_eq!(kept(&b).pop().map(String::as_str), Some(""));
    let mut later = Bench::new();
    later.event(Event::ReadingState(String::new()));
    assert!(!later.app.notices.any(|n| *n == NoticeCode::ReadingStateUnreadable));
    later.event(Event::ReadingState("{\"views\":3}".into()));
    assert!(later.app.notices.any(|n| *n == NoticeCode::ReadingStateUnreadable));
}

#[test]
fn an_assignment_taken_away_stays_readable_but_is_not_signed() {
    let mut b = Bench::signed_in();
    b.open("a-1");
    b.type_into("findings", "結節");
    let rest: Vec<_> = b.app.worklist.assignments.values().filter(|a| a.id != "a-1").cloned().collect();
    b.event(Event::Worklist { assignments: rest, at: b.now });
    assert!(b.app.notices.any(|n| matches!(n, NoticeCode::AssignmentGone { .. })));
    assert_eq!(b.draft().text("findings"), "結節");
    assert!(b.app.open_patient().is_some(), "identity never leaves");
    assert!(b.app.report.as_ref().is_some_and(|r| !r.editable()));
}

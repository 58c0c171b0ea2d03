//! The worklist: order, filters, search, demand ahead.

use super::fixtures::*;
use crate::app::{Action, Filter, Intent, SettingsAction, SortKey, StudyAction, WorklistAction};
use crate::engine::message::{Class, Command, Event, Failure};
use crate::worklist::{Assignment, AssignmentState, Priority};
use std::sync::Arc;

fn ids(b: &Bench) -> Vec<String> {
    b.app.worklist.rows(b.now).iter().map(|a| a.id.clone()).collect()
}

fn change(b: &mut Bench, id: &str, f: impl FnOnce(&mut Assignment)) {
    let mut a = b.app.worklist.get(id).expect("listed").as_ref().clone();
    f(&mut a);
    b.event(Event::Assignment(Arc::new(a)));
}

#[test]
fn search_in_any_script() {
    let mut b = Bench::signed_in();
    for (query, found) in [
        ("山田", vec!["a-1"]),
        ("やまだ", vec!["a-1"]),
        ("ﾔﾏﾀﾞ", vec!["a-1"]),
        ("YAMADA taro", vec!["a-1"]),
        ("suzuki", vec!["a-2"]),
        ("すずき", vec!["a-2"]),
        ("鈴木", vec!["a-2"]),
        ("0012345", vec!["a-1"]),
        ("東北", vec!["a-1", "a-2"]),
        ("", vec!["a-1", "a-2"]),
        ("佐藤", vec![]),
    ] {
        b.act(Action::Worklist(WorklistAction::Search(query.into())));
        assert_eq!(ids(&b), found, "{query}");
        assert_eq!(b.app.worklist.selected.as_deref(), found.first().copied(), "{query}: Enter opens what is seen");
    }
}

#[test]
fn due_time_then_priority_then_arrival() {
    let mut b = Bench::signed_in();
    let due = b.app.worklist.get("a-1").expect("listed").due.clone();
    change(&mut b, "a-2", |a| a.due = due);
    assert_eq!(ids(&b), ["a-1", "a-2"], "the id decides at last");
    change(&mut b, "a-2", |a| a.priority = Priority::Stat);
    assert_eq!(ids(&b), ["a-2", "a-1"]);
    b.act(Action::Worklist(WorklistAction::Sort(SortKey::Patient)));
    assert_eq!(ids(&b), ["a-2", "a-1"], "スズキ before ヤマダ");
    b.act(Action::Worklist(WorklistAction::Sort(SortKey::Patient)));
    assert_eq!(ids(&b), ["a-1", "a-2"]);
}

#[test]
fn filters_count_what_they_show() {
    let mut b = Bench::signed_in();
    // 09:00 in Japan; a-1 due 09:30.
    assert_eq!(b.app.worklist.count(Filter::Today, b.now), 2);
    b.wait(45 * 60);
    assert_eq!(b.app.worklist.count(Filter::Overdue, b.now), 1);
    change(&mut b, "a-2", |a| a.state = AssignmentState::Returned);
    let counts = Filter::ALL.map(|f| b.app.worklist.count(f, b.now));
    assert_eq!(counts, [1, 1, 1, 0, 1, 0]);
    // 23:30 in Japan is still today; an assignment due the next Japanese day is not.
    let due = "2026-11-22T15:10:00Z".parse().expect("time");
    change(&mut b, "a-1", |a| a.due.at = due);
    assert_eq!(b.app.worklist.count(Filter::Today, b.now), 0);
}

#[test]
fn keys_move_and_open() {
    let mut b = Bench::signed_in();
    b.act(Action::Intent(Intent::SelectNext));
    b.act(Action::Intent(Intent::SelectNext));
    assert_eq!(b.app.worklist.selected.as_deref(), Some("a-2"));
    b.act(Action::Intent(Intent::OpenSelected));
    assert_eq!(b.app.open_assignment().map(|a| a.id.as_str()), Some("a-2"));
}

#[test]
fn an_old_list_takes_no_step_back() {
    let mut b = Bench::signed_in();
    let old: Vec<_> = b.app.worklist.assignments.values().cloned().collect();
    let later = b.now + jiff::SignedDuration::from_secs(5);
    change(&mut b, "a-1", |a| (a.state, a.updated_at) = (AssignmentState::InProgress, later));
    b.event(Event::Worklist { assignments: old, at: b.now });
    assert_eq!(b.app.worklist.get("a-1").map(|a| a.state), Some(AssignmentState::InProgress));
}

#[test]
fn debug_output_names_nobody() {
    let mut b = Bench::signed_in();
    let search = Action::Worklist(WorklistAction::Search("山田".into()));
    let said = format!("{search:?}");
    b.act(search);
    b.open("a-1");
    b.fill();
    let text = format!("{said} {:?} {:?} {:?}", b.app.worklist, b.app.report, b.app.reading);
    for secret in ["山田", "Yamada", "0012345", "結節"] {
        assert!(!text.contains(secret), "{secret}");
    }
}

#[test]
fn a_failed_refresh_keeps_the_list() {
    let mut b = Bench::signed_in();
    b.act(Action::Worklist(WorklistAction::Refresh));
    assert!(b.app.worklist.refreshing);
    b.event(Event::WorklistFailed(Failure::Offline("x".into())));
    assert_eq!(ids(&b).len(), 2);
    assert!(!b.app.worklist.refreshing && b.app.worklist.failure.is_some());
}

#[test]
fn studies_are_wanted_by_class() {
    let mut b = Bench::signed_in();
    let wanted = |b: &Bench| -> Vec<(String, Class, bool)> {
        let studies = b.app.demand().studies;
        studies.into_iter().map(|w| (w.study.study_uid.to_string(), w.class, w.paused)).collect()
    };
    assert_eq!(wanted(&b), [("1.1".into(), Class::Ahead, false), ("2.1".into(), Class::Ahead, false)]);
    b.open("a-1");
    let all = [
        ("1.1".to_owned(), Class::Visible, false),
        ("1.0".to_owned(), Class::Prior, false),
        ("2.1".to_owned(), Class::Ahead, false),
    ];
    assert_eq!(wanted(&b), all);
    b.act(Action::Study(StudyAction::Pause(study_uid("1.1"))));
    assert!(wanted(&b)[0].2, "paused keeps its place");
    b.act(Action::Study(StudyAction::Resume(study_uid("1.1"))));
    assert_eq!(wanted(&b), all);
    let off = b.act(Action::Settings(SettingsAction::CacheAhead(false)));
    assert!(matches!(&off[..], [Command::SaveSetting { .. }]));
    assert_eq!(wanted(&b).len(), 2);
}

#[test]
fn share_of_what_is_on_this_disk() {
    let mut b = Bench::signed_in();
    let a = b.app.worklist.get("a-1").expect("listed").clone();
    assert_eq!(b.app.cached_share(&a), Some(0.0));
    b.studies_arrive();
    assert_eq!(b.app.cached_share(&a), Some(1.0));
}

//! Studies on their way here.

use crate::support::chaos::Chaos;
use crate::support::dicom::write_study;
use crate::support::reading_center::TestCenter;
use crate::support::recorder::{Exchange, Recorder};
use crate::support::terminal::{Session, Terminal};
use dokuei::engine::message::{Class, Command, Demand, Event, Start, StudyWanted};
use dokuei::imaging::Pixels;
use dokuei::study::{FrameIndex, FrameRef, SopInstanceUid, StudyUid};
use std::collections::BTreeSet;
use std::time::Duration;

const AN_HOUR: Duration = Duration::from_hours(1);

/// A center with one study of two series behind a proxy.
fn center_with_study(slices: u16, edge: u16) -> (Chaos, TestCenter) {
    center_with_series(2, slices, edge)
}

/// A center with one study behind a proxy.
fn center_with_series(series: u32, slices: u16, edge: u16) -> (Chaos, TestCenter) {
    let chaos = Chaos::start();
    let center = TestCenter::start(Some(chaos.address()));
    chaos.target(center.address());
    take_in(&center, "1.2.392.7", series, slices, edge);
    (chaos, center)
}

fn take_in(center: &TestCenter, study: &str, series: u32, slices: u16, edge: u16) {
    let report = center.import(&write_study(center.folder(), study, series, slices, edge));
    let files = usize::from(slices) * series as usize;
    assert_eq!((report.new, report.assignments.len()), (files, 1), "{:?}", report.refused);
}

/// A terminal that never loses its patience: a line that stands still is no failure.
fn patient(center: &TestCenter) -> Terminal {
    let mut terminal = Terminal::new(center);
    terminal.timing.patience.connect = AN_HOUR;
    terminal.timing.patience.stall = AN_HOUR;
    terminal.timing.patience.bulk = AN_HOUR;
    terminal.timing.patience.events = AN_HOUR;
    terminal
}

fn arrived(session: &Session, study: &StudyUid) -> BTreeSet<SopInstanceUid> {
    let ledger = session.ledgers.get(study).map(|(ledger, ..)| ledger);
    ledger.into_iter().flat_map(|l| l.series.values()).flat_map(|s| s.received.iter().cloned()).collect()
}

#[test]
fn a_study_arrives_is_shown_and_needs_no_center_afterwards() {
    let (chaos, center) = center_with_study(20, 32);
    let terminal = Terminal::new(&center);
    let mut session = terminal.signed_in(&center);
    let assignment = session.assignment();
    let study = assignment.studies[0].study_uid.clone();
    session.want(&assignment, vec![]);
    let ledger = session.complete(&study);
    assert_eq!((ledger.expected(), ledger.received(), ledger.shown()), (40, 40, 40));
    assert_eq!(session.studies[&study].patient.name.ideographic.as_deref(), Some("山田^太郎"));
    let instance = session.studies[&study].series[1].instances[4].uid.clone();
    let frame = FrameRef { instance, frame: FrameIndex(0) };
    session.want(&assignment, vec![frame.clone()]);
    let decoded = session.wait("the frame", |e| match e {
        Event::Frame(f, decoded) if *f == frame => Some(decoded.clone()),
        Event::FrameFailed(_, reason) => panic!("{reason:?}"),
        _ => None,
    });
    assert!(matches!(&*decoded.pixels, Pixels::U16(p) if p.iter().all(|v| *v == 5) && p.len() == 1024));
    session.stop();

    // The link is gone; everything is still there.
    chaos.refuse(true);
    let mut session = terminal.start();
    session.want(&assignment, vec![frame.clone()]);
    let ledger = session.complete(&study);
    assert_eq!(ledger.received(), 40);
    session.wait("the frame offline", |e| matches!(e, Event::Frame(f, _) if *f == frame).then_some(()));
}

#[test]
fn the_first_image_shows_while_the_rest_is_still_on_its_way() {
    let (chaos, center) = center_with_study(60, 128);
    let terminal = patient(&center);
    let mut session = terminal.signed_in(&center);
    let assignment = session.assignment();
    let study = assignment.studies[0].study_uid.clone();
    // 120 slices of 32 KiB and what describes them: after some of them the line stands still.
    chaos.stall_after(700_000);
    session.want(&assignment, vec![]);
    session.until("the first instances", |s| chaos.stalled() && !arrived(s, &study).is_empty());
    let instance = arrived(&session, &study).pop_first().expect("one at least");
    let frame = FrameRef { instance, frame: FrameIndex(0) };
    session.want(&assignment, vec![frame.clone()]);
    let decoded = session.wait("its picture", |e| match e {
        Event::Frame(f, decoded) if *f == frame => Some(decoded.clone()),
        Event::FrameFailed(_, reason) => panic!("{reason:?}"),
        _ => None,
    });
    assert!(matches!(&*decoded.pixels, Pixels::U16(p) if p.len() == 128 * 128));
    let (ledger, finished, failure) = session.ledgers[&study].clone();
    assert!(chaos.stalled() && !finished && failure.is_none(), "{failure:?}");
    // The center names 120 of which most are not here.
    assert!(ledger.received() < 60 && ledger.announced == Some(120), "{}", ledger.received());
    chaos.stall(false);
    let ledger = session.complete(&study);
    assert_eq!((ledger.expected(), ledger.received()), (120, 120));
    assert!(ledger.not_shown(true).is_empty());
}

/// What was asked of the archive for the images of a study.
fn asked(recorder: &Recorder, study: &str) -> Vec<String> {
    let path = |e: &Exchange| (e.method == "GET").then(|| e.path.clone());
    let of_it = |p: &String| p.contains(&format!("/studies/{study}/"));
    recorder.kept().iter().filter_map(path).filter(of_it).collect()
}

/// Exactly what was missing was asked for, each once, and no series as a whole.
fn only_the_rest(since: &[String], series: &str, slices: u16, here: &BTreeSet<SopInstanceUid>) {
    assert!(!since.iter().any(|p| p.ends_with(&format!("/series/{series}"))), "{since:?}");
    let mut fetched: Vec<_> = since.iter().filter_map(|p| p.split_once("/instances/")).map(|(_, i)| i).collect();
    fetched.sort_unstable();
    let mut missing: Vec<_> = (1..=slices).map(|n| format!("{series}.{n}")).collect();
    missing.retain(|uid| !here.iter().any(|i| i.as_str() == uid));
    missing.sort_unstable();
    assert_eq!(fetched, missing);
}

#[test]
fn a_paused_study_stands_still_and_goes_on_where_it_was() {
    // A handful of 120 slices of 32 KiB; a good part.
    for (stalled_after, few) in [(300_000, true), (2_000_000, false)] {
        paused_and_resumed(stalled_after, few);
    }
}

fn paused_and_resumed(stalled_after: i64, few: bool) {
    let (chaos, recorder) = (Chaos::start(), Recorder::default());
    let center = TestCenter::start_listening(Some(chaos.address()), |_| {}, recorder.clone());
    chaos.target(center.address());
    take_in(&center, "1.2.392.7", 1, 120, 128);
    take_in(&center, "1.2.392.8", 1, 60, 128);
    let terminal = patient(&center);
    let mut session = terminal.signed_in(&center);
    let wanted = |session: &Session, uid: &str, class, paused| {
        let mut studies = session.assignments.values().flat_map(|a| &a.studies);
        let study = studies.find(|s| s.study_uid.as_str() == uid).expect("assigned").clone();
        StudyWanted { study, class, paused }
    };
    let want = |session: &Session, studies| {
        session.engine().demand(Demand { studies, ..Demand::default() });
    };
    let one = wanted(&session, "1.2.392.7", Class::Visible, false);
    let (first, held) = (one.study.study_uid.clone(), StudyWanted { paused: true, ..one.clone() });
    let other = wanted(&session, "1.2.392.8", Class::Visible, false);
    let second = other.study.study_uid.clone();
    chaos.stall_after(stalled_after);
    want(&session, vec![one.clone()]);
    session.until("some of it", |s| chaos.stalled() && arrived(s, &first).len() > if few { 0 } else { 20 });
    // While it is paused another study comes whole through the same line.
    want(&session, vec![held.clone(), other.clone()]);
    chaos.stall(false);
    assert_eq!(session.complete(&second).received(), 60);
    let here = arrived(&session, &first);
    assert_eq!((!here.is_empty() && here.len() < 13, here.len() < 120), (few, true), "{} of 120", here.len());
    let asked = || asked(&recorder, "1.2.392.7");
    let until_now = asked();
    assert!(!until_now.iter().any(|p| p.contains("/instances/")), "{until_now:?}");
    // And once more all of it that can be asked for.
    session.send(Command::RefreshWorklist);
    session.wait("the worklist", |e| matches!(e, Event::Worklist { .. }).then_some(()));
    assert_eq!((arrived(&session, &first), asked()), (here.clone(), until_now.clone()));

    want(&session, vec![one, other]);
    let ledger = session.complete(&first);
    assert_eq!((ledger.expected(), ledger.received()), (120, 120));
    only_the_rest(&asked().split_off(until_now.len()), "1.2.392.7.1", 120, &here);
}

#[test]
fn after_a_restart_only_the_rest_is_fetched() {
    for stalled_after in [300_000, 2_000_000] {
        let (chaos, recorder) = (Chaos::start(), Recorder::default());
        let center = TestCenter::start_listening(Some(chaos.address()), |_| {}, recorder.clone());
        chaos.target(center.address());
        take_in(&center, "1.2.392.7", 1, 120, 128);
        let terminal = patient(&center);
        let mut session = terminal.signed_in(&center);
        let assignment = session.assignment();
        let study = assignment.studies[0].study_uid.clone();
        chaos.stall_after(stalled_after);
        session.want(&assignment, vec![]);
        session.until("some of it", |s| chaos.stalled() && !arrived(s, &study).is_empty());
        session.stop();
        let until_now = asked(&recorder, "1.2.392.7").len();
        // The new one finds on its disk what came, before anybody has signed in.
        let mut session = terminal.start();
        session.wait("the start", |e| matches!(e, Event::Started(Start::Ready { .. })).then_some(()));
        session.want(&assignment, vec![]);
        session.until("what is here", |s| !arrived(s, &study).is_empty());
        let here = arrived(&session, &study);
        assert!(here.len() < 120, "{}", here.len());
        chaos.stall(false);
        session.sign_in(&center);
        let ledger = session.complete(&study);
        assert_eq!((ledger.expected(), ledger.received()), (120, 120));
        only_the_rest(&asked(&recorder, "1.2.392.7").split_off(until_now), "1.2.392.7.1", 120, &here);
    }
}

#[test]
fn a_center_killed_during_the_download_costs_nothing_that_came() {
    let (chaos, mut center) = center_with_study(60, 128);
    let terminal = Terminal::new(&center);
    let mut session = terminal.signed_in(&center);
    let assignment = session.assignment();
    let study = assignment.studies[0].study_uid.clone();
    chaos.cut_after(1_500_000);
    session.want(&assignment, vec![]);
    session.until("the cut", |_| chaos.cuts() > 0);
    center.kill();
    session.until("a clear failure", |s| s.ledgers.get(&study).is_some_and(|(_, _, f)| f.is_some()));
    let before = session.ledgers[&study].0.received();
    assert!(before < 120, "{before}");
    let down = chaos.down();
    center.revive();
    chaos.target(center.address());
    let ledger = session.complete(&study);
    assert_eq!((ledger.expected(), ledger.received()), (120, 120));
    assert!(ledger.not_shown(true).is_empty());
    // What had come was not fetched again: 120 slices of 32 KiB, less what was here.
    let again = chaos.down() - down;
    assert!(again < (120 - before as u64 + 12) * 40_000, "{again} bytes for {} slices", 120 - before);
}

#[test]
fn a_stalled_and_often_cut_line_gets_there_all_the_same() {
    let (chaos, center) = center_with_study(30, 96);
    let terminal = Terminal::new(&center);
    let mut session = terminal.signed_in(&center);
    let assignment = session.assignment();
    let study = assignment.studies[0].study_uid.clone();
    chaos.cut_after(250_000);
    session.want(&assignment, vec![]);
    for n in 1..=3 {
        session.until("a cut", |_| chaos.cuts() >= n);
        if n == 2 {
            chaos.stall(true);
            session.until("the stall is noticed", |s| s.ledgers.get(&study).is_some_and(|(_, _, f)| f.is_some()));
            chaos.stall(false);
        }
        if n < 3 {
            chaos.cut_after(250_000);
        }
    }
    let ledger = session.complete(&study);
    assert_eq!((ledger.expected(), ledger.received()), (60, 60));
    assert!(ledger.not_shown(true).is_empty());
}

#[test]
fn broken_objects_are_named_with_their_reason_and_the_rest_is_shown() {
    let (_chaos, center) = center_with_study(6, 32);
    // At the center one file is stored in an unknown way, one states more rows than it holds, one is no DICOM any more, one is shorter than it was.
    let mut files: Vec<_> = walkdir::WalkDir::new(center.folder().join("center"))
        .into_iter()
        .map(|e| e.expect("readable").into_path())
        .filter(|p| p.is_file() && std::fs::read(p).is_ok_and(|b| b.get(128..132) == Some(b"DICM")))
        .collect();
    files.sort();
    assert_eq!(files.len(), 12);
    let whole = std::fs::read(&files[0]).expect("file");
    let mut cut = std::fs::read(&files[3]).expect("file");
    let rows = cut.windows(8).position(|w| w == b"\x28\0\x10\0US\x02\0").expect("rows") + 8;
    cut[rows..rows + 2].copy_from_slice(&48u16.to_le_bytes());
    std::fs::write(&files[3], cut).expect("written");
    // Stored in a way that nobody knows.
    let mut unknown = whole.clone();
    let syntax = unknown.windows(19).position(|w| w == b"1.2.840.10008.1.2.1").expect("syntax") + 18;
    unknown[syntax] = b'9';
    std::fs::write(&files[0], unknown).expect("written");
    std::fs::write(&files[1], vec![b'x'; whole.len()]).expect("written");
    std::fs::write(&files[2], &whole[..whole.len() - 700]).expect("written");
    let terminal = Terminal::new(&center);
    let mut session = terminal.signed_in(&center);
    let assignment = session.assignment();
    let study = assignment.studies[0].study_uid.clone();
    session.want(&assignment, vec![]);
    let ledger = session.complete(&study);
    assert_eq!(ledger.expected(), 12);
    // Two were never received; the others show themselves when they are decoded.
    let not_shown = ledger.not_shown(true);
    assert_eq!((ledger.received(), not_shown.len()), (10, 2), "{not_shown:?}");
    assert!(not_shown.iter().all(|n| !n.reason.is_empty()));
    let all: Vec<_> = session.studies[&study]
        .series
        .iter()
        .flat_map(|s| &s.instances)
        .map(|i| FrameRef { instance: i.uid.clone(), frame: FrameIndex(0) })
        .collect();
    session.want(&assignment, all);
    let (mut shown, mut failed, mut warned) = (0, 0, 0);
    session.wait("all frames", |e| {
        match e {
            Event::Frame(_, frame) => {
                shown += 1;
                warned += usize::from(!frame.warnings.is_empty());
            }
            Event::FrameFailed(_, reason) => {
                assert!(!reason.detail.is_empty());
                failed += 1;
            }
            _ => {}
        }
        (shown + failed >= 12).then_some(())
    });
    assert_eq!((shown, failed, warned), (9, 3, 1));
    session.until("all three are listed", |s| s.ledgers[&study].0.not_shown(true).len() == 3);
}

//! Studies on their way here.

use crate::support::chaos::Chaos;
use crate::support::dicom::write_study;
use crate::support::reading_center::TestCenter;
use crate::support::terminal::Terminal;
use dokuei::engine::message::Event;
use dokuei::imaging::Pixels;
use dokuei::study::{FrameIndex, FrameRef};

/// A center with one study of two series behind a proxy.
fn center_with_study(slices: u16, edge: u16) -> (Chaos, TestCenter) {
    let chaos = Chaos::start();
    let center = TestCenter::start(Some(chaos.address()));
    chaos.target(center.address());
    let folder = write_study(center.folder(), "1.2.392.7", 2, slices, edge);
    let report = center.import(&folder);
    assert_eq!((report.new, report.assignments.len()), (usize::from(slices) * 2, 1), "{:?}", report.refused);
    (chaos, center)
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
        Event::FrameFailed(_, reason) => panic!("{reason}"),
        _ => None,
    });
    assert!(matches!(&decoded.pixels, Pixels::U16(p) if p.iter().all(|v| *v == 5) && p.len() == 1024));
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

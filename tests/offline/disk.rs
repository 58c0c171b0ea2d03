//! No space at any write of the store while somebody works: each ends in a clear failure, and the same act
//! succeeds once there is room.

use crate::support::dicom::write_study;
use crate::support::reading_center::{PASSWORD, TestCenter};
use crate::support::terminal::{Session, Terminal, secret};
use dokuei::engine::message::{Command, Event, Failure};
use dokuei::store::FaultPlan;
use std::io::ErrorKind;
use std::sync::Arc;

fn terminal(center: &TestCenter) -> (Terminal, Arc<FaultPlan>) {
    let plan = Arc::new(FaultPlan::default());
    (Terminal { faults: plan.clone(), ..Terminal::new(center) }, plan)
}

#[test]
fn a_full_disk_refuses_drafts_and_signatures_clearly() {
    let center = TestCenter::start(None);
    let folder = write_study(center.folder(), "1.2.392.10", 1, 2, 16);
    center.import(&folder);
    let (terminal, plan) = terminal(&center);
    let mut session = terminal.signed_in(&center);
    let id = session.assignment().id.clone();
    let assignment = session.begin(&id);
    for (revision, point) in [(1, "draft.put"), (2, "commit")] {
        plan.fail_at(point, ErrorKind::StorageFull);
        session.send(Command::SaveDraft(Session::draft(&assignment, revision)));
        let failure = session.wait("a clear failure", |e| match e {
            Event::DraftFailed { failure, .. } => Some(failure.clone()),
            Event::DraftSaved { revision: r, .. } if *r == revision => panic!("saved on a full disk"),
            _ => None,
        });
        assert!(matches!(failure, Failure::Full(_)), "{point}: {failure:?}");
        plan.heal();
        session.send(Command::SaveDraft(Session::draft(&assignment, revision)));
        session.wait("saved", |e| matches!(e, Event::DraftSaved { revision: r, .. } if *r == revision).then_some(()));
    }
    let prepared = session.prepare(&assignment, Session::draft(&assignment, 2));
    for point in ["signed.put", "outbox.put", "audit.append", "commit"] {
        plan.fail_at(point, ErrorKind::StorageFull);
        session.send(Command::Sign { prepared: prepared.id, password: secret(PASSWORD) });
        let failure = session.wait("a clear failure", |e| match e {
            Event::SignFailed(failure) => Some(failure.clone()),
            Event::Signed { .. } => panic!("signed on a full disk"),
            _ => None,
        });
        assert!(matches!(failure, Failure::Full(_)), "{point}: {failure:?}");
        plan.heal();
    }
    // The receipt cannot be kept at first: the report goes again under its key, and the center has it once.
    plan.fail_at("receipt.put", ErrorKind::StorageFull);
    session.sign(&prepared);
    session.wait("a clear failure", |e| matches!(e, Event::Notice(Failure::Full(_))).then_some(()));
    plan.heal();
    assert_eq!(session.receipt().sha256, prepared.sha256);
    assert_eq!(center.reports(), [(id, 1)]);
}

#[test]
fn a_download_waits_for_room_and_goes_on() {
    let center = TestCenter::start(None);
    let folder = write_study(center.folder(), "1.2.392.11", 1, 12, 64);
    center.import(&folder);
    for point in ["object.create", "object.write", "object.rename", "instance.put", "series.put"] {
        let (terminal, plan) = terminal(&center);
        let mut session = terminal.signed_in(&center);
        let assignment = session.assignment();
        let study = assignment.studies[0].study_uid.clone();
        plan.fail_at(point, ErrorKind::StorageFull);
        session.want(&assignment, vec![]);
        session.until("a clear failure", |s| matches!(s.ledgers.get(&study), Some((_, _, Some(Failure::Full(_))))));
        plan.heal();
        let ledger = session.complete(&study);
        assert_eq!((ledger.expected(), ledger.received()), (12, 12), "{point}");
        assert!(ledger.not_shown(true).is_empty(), "{point}");
    }
}

//! The engine is told to stop in the middle of everything: it stops soon, and what was there is there at the next start.

use crate::support::chaos::Chaos;
use crate::support::dicom::write_study;
use crate::support::process::{DEADLINE, wait_until};
use crate::support::reading_center::{PASSWORD, TestCenter, USER};
use crate::support::terminal::{Session, Terminal, secret};
use dokuei::engine::message::{Command, Event, Start, Transition};
use dokuei::store::Faults;
use std::sync::{Arc, Condvar, Mutex};
use std::time::{Duration, Instant};

const AN_HOUR: Duration = Duration::from_hours(1);

/// A center with one study behind a proxy, and a terminal that never loses its patience.
fn center_with_study(slices: u16, edge: u16) -> (Chaos, TestCenter, Terminal) {
    let chaos = Chaos::start();
    let center = TestCenter::start(Some(chaos.address()));
    chaos.target(center.address());
    center.import(&write_study(center.folder(), "1.2.392.8", 1, slices, edge));
    let mut terminal = Terminal::new(&center);
    terminal.timing.patience.connect = AN_HOUR;
    terminal.timing.patience.stall = AN_HOUR;
    terminal.timing.patience.bulk = AN_HOUR;
    terminal.timing.patience.events = AN_HOUR;
    (chaos, center, terminal)
}

/// It ends although the center never answers: whatever waited for the network would wait for [`AN_HOUR`].
#[track_caller]
fn stop_soon(session: Session) {
    let start = Instant::now();
    session.stop();
    assert!(start.elapsed() < DEADLINE, "stopping took {:?}", start.elapsed());
}

/// A disk that stands still when a draft is written, until it is let go.
#[derive(Default)]
struct StandingDisk {
    stands: Mutex<bool>,
    goes_on: Condvar,
}

impl StandingDisk {
    fn stand(&self, stands: bool) {
        *self.stands.lock().expect("disk") = stands;
        self.goes_on.notify_all();
    }
}

impl Faults for StandingDisk {
    fn before_write(&self, point: &'static str) -> std::io::Result<()> {
        if point == "draft.put" {
            let stands = self.stands.lock().expect("disk");
            drop(self.goes_on.wait_while(stands, |stands| *stands).expect("disk"));
        }
        Ok(())
    }
}

#[test]
fn a_command_that_had_to_be_given_up_is_told() {
    let (_chaos, center, mut terminal) = center_with_study(1, 16);
    let disk = Arc::new(StandingDisk::default());
    terminal.faults = Arc::clone(&disk) as Arc<dyn Faults>;
    for stands in [true, false] {
        // Where nothing hangs there is time enough on any machine.
        terminal.timing.shutdown = if stands { Duration::from_millis(300) } else { Duration::from_mins(1) };
        let mut session = if stands { terminal.signed_in(&center) } else { terminal.start() };
        if !stands {
            session.wait("the start", |e| matches!(e, Event::Started(Start::Ready { .. })).then_some(()));
            session.sign_in(&center);
        }
        let id = session.assignment().id.clone();
        let assignment = if stands { session.begin(&id) } else { session.assignment() };
        let draft = Session::draft(&assignment, if stands { 1 } else { 3 });
        if !stands {
            session.send(Command::SaveDraft(draft));
            session.wait("kept", |e| matches!(e, Event::DraftSaved { .. }).then_some(()));
            assert!(session.end(), "nothing was under way");
            continue;
        }
        disk.stand(true);
        session.send(Command::SaveDraft(draft.clone()));
        session.send(Command::SaveDraft(dokuei::report::Draft { revision: 2, ..draft }));
        let later = Arc::clone(&disk);
        let release = std::thread::Builder::new().name("disk".to_owned()).spawn(move || {
            std::thread::sleep(Duration::from_secs(2));
            later.stand(false);
        });
        assert!(!session.end(), "the second draft was given up, and it is told");
        release.expect("thread").join().expect("released");
    }
}

#[test]
fn in_the_middle_of_a_download_what_came_is_kept() {
    let (chaos, center, terminal) = center_with_study(60, 128);
    let mut session = terminal.signed_in(&center);
    let assignment = session.assignment();
    let study = assignment.studies[0].study_uid.clone();
    // 60 slices of 32 KiB: the line dies after some of them.
    chaos.stall_after(700_000);
    session.want(&assignment, Vec::new());
    session.until("the first instances", |s| {
        chaos.stalled() && s.ledgers.get(&study).is_some_and(|(l, ..)| l.received() > 0)
    });
    let (ledger, finished, _) = session.ledgers[&study].clone();
    assert!(!finished && ledger.received() < 60, "{} of 60 had come before the line died", ledger.received());
    stop_soon(session);
    chaos.stall(false);

    // It goes on where it was. Nobody is signed in at first, so what is told then is what is here.
    let mut session = terminal.start();
    session.wait("the start", |e| matches!(e, Event::Started(Start::Ready { .. })).then_some(()));
    session.want(&assignment, Vec::new());
    session.until("what is here", |s| s.ledgers.get(&study).is_some_and(|(l, ..)| l.received() > 0));
    assert!(session.ledgers[&study].0.received() >= ledger.received(), "what had come is here");
    session.sign_in(&center);
    session.want(&assignment, Vec::new());
    assert_eq!(session.complete(&study).received(), 60);
    stop_soon(session);
}

#[test]
fn with_every_errand_hanging_at_a_center_that_never_answers() {
    let (chaos, center, terminal) = center_with_study(3, 16);
    let mut session = terminal.signed_in(&center);
    let id = session.assignment().id.clone();
    let assignment = session.begin(&id);
    let draft = Session::draft(&assignment, 3);
    let prepared = session.prepare(&assignment, draft.clone());
    chaos.stall(true);
    session.sign(&prepared);
    session.send(Command::RefreshWorklist);
    session.send(Command::Transition { assignment: id.clone(), transition: Transition::Suspend });
    session.send(Command::LoadReports { assignment: id.clone() });
    session.send(Command::SignOut);
    stop_soon(session);

    // Neither does a stop in the middle of a sign-in wait for its answer, nor one that comes before anything else.
    let mut session = terminal.start();
    session.wait("the start", |e| matches!(e, Event::Started(Start::Ready { .. })).then_some(()));
    session.send(Command::SignIn { user: USER.into(), password: secret(PASSWORD), otp: secret(&center.otp()) });
    stop_soon(session);
    stop_soon(terminal.start());

    // The signed report waited in the outbox.
    chaos.stall(false);
    let mut session = terminal.start();
    session.wait("the start", |e| matches!(e, Event::Started(Start::Ready { .. })).then_some(()));
    session.sign_in(&center);
    // Its receipt may come while the sign-in is still awaited.
    wait_until("the report", || center.reports() == [(id.clone(), 1)]);
    stop_soon(session);
}

//! A line that is dead without saying so: what is here is told at once, what needs the center waits beside it.

use crate::support::chaos::Chaos;
use crate::support::dicom::write_study;
use crate::support::process::DEADLINE;
use crate::support::reading_center::{PASSWORD, TestCenter, USER};
use crate::support::terminal::{Session, Terminal, secret};
use dokuei::engine::message::{Command, Event, Start, Transition};
use dokuei::report::Draft;
use dokuei::study::StudyUid;
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::time::{Duration, Instant};

const AN_HOUR: Duration = Duration::from_hours(1);

fn center_with(studies: usize) -> (Chaos, TestCenter) {
    let chaos = Chaos::start();
    let center = TestCenter::start(Some(chaos.address()));
    chaos.target(center.address());
    for n in 0..studies {
        center.import(&write_study(center.folder(), &format!("1.2.392.7{n}"), 1, 3, 16));
    }
    (chaos, center)
}

/// Starts reading, with the images and a draft both here and at the center.
fn begun(session: &mut Session, id: &str) -> StudyUid {
    let assignment = session.begin(id);
    session.want(&assignment, Vec::new());
    session.complete(&assignment.studies[0].study_uid);
    save(session, &Session::draft(&assignment, 3));
    session.wait("the draft at the center", |e| match e {
        Event::DraftSaved { revision: 3, at_center: true, .. } => Some(()),
        Event::DraftFailed { failure, .. } => panic!("{failure:?}"),
        _ => None,
    });
    assignment.studies[0].study_uid.clone()
}

fn save(session: &Session, draft: &Draft) {
    session.send(Command::SaveDraft(draft.clone()));
}

/// The draft that is told, which must come before any word about the line.
fn told_first(session: &mut Session, id: &str) -> Option<Draft> {
    session.send(Command::LoadDraft { assignment: id.to_owned() });
    session.wait("the draft that is here", |e| match e {
        Event::Draft { assignment, draft } if assignment == id => Some(draft.clone()),
        Event::TransitionFailed { failure, .. } | Event::DraftFailed { failure, .. } => {
            panic!("the network's answer came first: {failure:?}")
        }
        _ => None,
    })
}

#[test]
fn nothing_that_is_here_waits_for_a_line_that_never_answers() {
    let (chaos, center) = center_with(2);
    let mut terminal = Terminal::new(&center);
    // Whatever waits for the network waits longer than any test: what comes has not waited.
    terminal.timing.patience.stall = AN_HOUR;
    terminal.timing.patience.bulk = AN_HOUR;
    terminal.timing.patience.events = AN_HOUR;
    let mut session = terminal.signed_in(&center);
    let ids: Vec<_> = session.assignments.keys().cloned().collect();
    let study = begun(&mut session, &ids[0]);
    chaos.stall(true);
    for id in &ids {
        session.send(Command::Transition { assignment: id.clone(), transition: Transition::Start });
    }
    session.send(Command::RefreshWorklist);
    assert_eq!(told_first(&mut session, &ids[0]).map(|d| d.revision), Some(3));
    assert_eq!(told_first(&mut session, &ids[1]), None, "a new one can be begun");
    let assignment = session.assignments[&ids[0]].clone();
    save(&session, &Session::draft(&assignment, 4));
    session.wait("the draft on disk", |e| matches!(e, Event::DraftSaved { revision: 4, .. }).then_some(()));
    assert_eq!(told_first(&mut session, &ids[0]).map(|d| d.revision), Some(4));
    session.send(Command::LoadReports { assignment: ids[0].clone() });
    session.wait("the reports that are here", |e| matches!(e, Event::Reports { .. }).then_some(()));
    assert!(session.ledgers[&study].1, "the images are here");
    let prepared = session.prepare(&assignment, Session::draft(&assignment, 4));
    session.sign(&prepared);
    // Everything that hangs on the line ends with the engine.
    let start = Instant::now();
    session.stop();
    assert!(start.elapsed() < DEADLINE, "stopping waited for the line: {:?}", start.elapsed());
    chaos.stall(false);
    terminal.start().receipt();
    assert_eq!(center.reports(), [(ids[0].clone(), 1)]);
}

/// A port whose owner never accepts: once its queue is full, packets are dropped without an answer.
struct NeverAccepts {
    _listener: TcpListener,
    _queued: Vec<TcpStream>,
}

impl NeverAccepts {
    fn at(address: SocketAddr) -> Self {
        let listener = TcpListener::bind(address).expect("the port is free again");
        let mut queued = Vec::new();
        while let Ok(stream) = TcpStream::connect_timeout(&address, Duration::from_millis(500)) {
            queued.push(stream);
            assert!(queued.len() < 10_000, "the queue never fills");
        }
        Self { _listener: listener, _queued: queued }
    }
}

#[test]
fn a_cached_study_with_its_draft_opens_while_nobody_accepts() {
    let (chaos, center) = center_with(1);
    let terminal = Terminal::new(&center);
    let mut session = terminal.signed_in(&center);
    let id = session.assignment().id.clone();
    let study = begun(&mut session, &id);
    session.stop();
    let address = chaos.address();
    drop(chaos);
    let dead = NeverAccepts::at(address);
    let mut session = terminal.start();
    session.wait("the start", |e| matches!(e, Event::Started(Start::Ready { .. })).then_some(()));
    session.send(Command::SignIn { user: USER.into(), password: secret(PASSWORD), otp: secret("000000") });
    session.wait("sign-in without the center", |e| match e {
        Event::SignedIn(_) => Some(()),
        Event::SignInFailed(failure) => panic!("{failure:?}"),
        _ => None,
    });
    session.wait("the worklist that is here", |e| matches!(e, Event::Worklist { .. }).then_some(()));
    session.send(Command::Transition { assignment: id.clone(), transition: Transition::Start });
    assert_eq!(told_first(&mut session, &id).map(|d| d.revision), Some(3));
    let assignment = session.assignment();
    session.want(&assignment, Vec::new());
    session.complete(&study);
    session.wait("the network's verdict", |e| matches!(e, Event::TransitionFailed { .. }).then_some(()));
    session.stop();
    drop(dead);
}

#[test]
fn the_line_is_shown_dead_and_goes_on_by_itself_and_the_centers_draft_follows() {
    let (chaos, center) = center_with(1);
    let (one, two) = (Terminal::new(&center), Terminal::new(&center));
    let mut first = one.signed_in(&center);
    let id = first.assignment().id.clone();
    begun(&mut first, &id);
    let mut second = two.signed_in(&center);
    second.send(Command::LoadDraft { assignment: id.clone() });
    let take = |session: &mut Session, from: u64, to: u64| {
        session.wait("the center's version", |e| match e {
            Event::DraftConflict { center, replaces, .. } => {
                assert_eq!((center.revision, *replaces), (to, Some(from)));
                Some(())
            }
            _ => None,
        });
        session.send(Command::ResolveDraft { assignment: id.clone(), keep_local: false, left: None });
        session.wait("taken", |e| matches!(e, Event::Draft { draft: Some(d), .. } if d.revision == to).then_some(()));
    };
    take(&mut second, 0, 3);
    chaos.stall(true);
    // The first terminal opens it on a dead line, and is told so.
    assert_eq!(told_first(&mut first, &id).map(|d| d.revision), Some(3));
    first.wait("offline", |e| matches!(e, Event::Link(l) if !l.online).then_some(()));
    // The other one writes on; it reaches the center in a while.
    let assignment = second.assignment();
    save(&second, &Session::draft(&assignment, 5));
    chaos.stall(false);
    second.wait("the draft at the center", |e| {
        matches!(e, Event::DraftSaved { revision: 5, at_center: true, .. }).then_some(())
    });
    first.send(Command::LoadDraft { assignment: id.clone() });
    take(&mut first, 3, 5);
}

#[test]
fn what_was_written_while_the_answer_came_is_not_replaced() {
    let (_chaos, center) = center_with(1);
    let (one, two) = (Terminal::new(&center), Terminal::new(&center));
    let mut first = one.signed_in(&center);
    let id = first.assignment().id.clone();
    begun(&mut first, &id);
    let mut second = two.signed_in(&center);
    second.send(Command::LoadDraft { assignment: id.clone() });
    second.wait("the offer", |e| matches!(e, Event::DraftConflict { replaces: Some(0), .. }).then_some(()));
    // The reader has begun to write meanwhile: now there are two versions, and neither goes over the other.
    let assignment = second.assignment();
    let mine = Session::draft(&assignment, 1);
    save(&second, &mine);
    second.wait("both versions", |e| matches!(e, Event::DraftConflict { replaces: None, .. }).then_some(()));
    second.send(Command::ResolveDraft { assignment: id.clone(), keep_local: true, left: None });
    second.wait("mirrored", |e| match e {
        Event::DraftSaved { revision: 1, at_center: true, .. } => Some(()),
        Event::DraftConflict { .. } => panic!("asked twice"),
        _ => None,
    });
    // The first one's is untouched since: the newer takes its place, of whatever revision.
    first.send(Command::LoadDraft { assignment: id.clone() });
    first.wait("the offer", |e| matches!(e, Event::DraftConflict { replaces: Some(3), .. }).then_some(()));
    first.send(Command::ResolveDraft { assignment: id, keep_local: false, left: None });
    first.wait("taken", |e| matches!(e, Event::Draft { draft: Some(d), .. } if *d == mine).then_some(()));
}

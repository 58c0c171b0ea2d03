//! Sign-in, tokens and being offline.

use crate::support::chaos::Chaos;
use crate::support::dicom::write_study;
use crate::support::reading_center::{PASSWORD, SharedClock, TestCenter, USER};
use crate::support::terminal::{Session, Terminal, secret};
use dokuei::engine::message::{Command, Event, Failure, Start};
use std::sync::Arc;

fn center(study: &str) -> (Chaos, TestCenter) {
    let chaos = Chaos::start();
    let center = TestCenter::start(Some(chaos.address()));
    chaos.target(center.address());
    let folder = write_study(center.folder(), study, 1, 4, 16);
    center.import(&folder);
    (chaos, center)
}

fn refused(session: &mut Session) -> Failure {
    session.wait("a refusal", |e| match e {
        Event::SignInFailed(failure) => Some(failure.clone()),
        Event::SignedIn(_) => panic!("signed in"),
        _ => None,
    })
}

#[test]
fn wrong_factors_are_refused_in_words() {
    let (_chaos, center) = center("1.2.392.20");
    let terminal = Terminal::new(&center);
    let mut session = terminal.start();
    session.wait("the start", |e| matches!(e, Event::Started(Start::NotEnrolled)).then_some(()));
    session.send(Command::Enrol(center.enrolment_file()));
    session.wait("enrolment", |e| matches!(e, Event::Started(Start::Ready { .. })).then_some(()));
    for (password, otp) in [("wrong password 1", center.otp()), (PASSWORD, "000000".to_owned())] {
        session.send(Command::SignIn { user: USER.into(), password: secret(password), otp: secret(&otp) });
        let failure = refused(&mut session);
        assert!(matches!(&failure, Failure::Denied(words) if !words.is_empty()), "{failure:?}");
    }
    session.sign_in(&center);
    session.send(Command::Unlock(secret("wrong password 1")));
    assert!(!session.wait("an answer", |e| match e {
        Event::Unlocked(ok) => Some(*ok),
        _ => None,
    }));
    session.send(Command::Unlock(secret(PASSWORD)));
    assert!(session.wait("an answer", |e| match e {
        Event::Unlocked(ok) => Some(*ok),
        _ => None,
    }));
}

#[test]
fn no_enrolment_file_is_told_so() {
    let (_chaos, center) = center("1.2.392.21");
    let terminal = Terminal::new(&center);
    let mut session = terminal.start();
    session.wait("the start", |e| matches!(e, Event::Started(_)).then_some(()));
    let path = center.folder().join("other.json");
    for content in [&b"not json"[..], b"{}", &vec![b' '; 300_000]] {
        std::fs::write(&path, content).expect("written");
        session.send(Command::Enrol(path.clone()));
        let failure = session.wait("a refusal", |e| match e {
            Event::Notice(f) => Some(f.clone()),
            _ => None,
        });
        assert!(matches!(failure, Failure::Corrupt(_)), "{failure:?}");
    }
    session.send(Command::Enrol(center.folder().join("missing")));
    session.wait("a refusal", |e| matches!(e, Event::Notice(Failure::Local(_))).then_some(()));
}

#[test]
fn an_access_token_that_ends_during_reading_is_renewed_unseen() {
    let (_chaos, center) = center("1.2.392.22");
    let terminal = Terminal::new(&center);
    let mut session = terminal.signed_in(&center);
    let id = session.assignment().id.clone();
    let assignment = session.begin(&id);
    // The token lives for ten minutes.
    center.clock.advance(700);
    let study = assignment.studies[0].study_uid.clone();
    session.want(&assignment, vec![]);
    assert_eq!(session.complete(&study).received(), 4);
    session.send(Command::SaveDraft(Session::draft(&assignment, 1)));
    session.wait("the draft at the center", |e| matches!(e, Event::DraftSaved { at_center: true, .. }).then_some(()));
}

#[test]
fn a_session_that_ends_asks_for_sign_in_and_keeps_the_draft() {
    let (_chaos, center) = center("1.2.392.23");
    let terminal = Terminal::new(&center);
    let mut session = terminal.signed_in(&center);
    let id = session.assignment().id.clone();
    let assignment = session.begin(&id);
    // Longer than the whole session lives.
    center.clock.advance(13 * 3600);
    session.send(Command::SaveDraft(Session::draft(&assignment, 7)));
    let failure = session.wait("the end of the session", |e| match e {
        Event::SignedOut(failure) => Some(failure.clone()),
        _ => None,
    });
    assert!(matches!(failure, Some(Failure::Denied(_))), "{failure:?}");
    session.sign_in(&center);
    session.wait("the draft at the center", |e| {
        matches!(e, Event::DraftSaved { at_center: true, revision: 7, .. }).then_some(())
    });
}

#[test]
fn without_the_center_the_reader_works_on_with_what_is_here() {
    let (chaos, center) = center("1.2.392.24");
    let terminal = Terminal::new(&center);
    let mut session = terminal.signed_in(&center);
    let id = session.assignment().id.clone();
    let assignment = session.begin(&id);
    session.want(&assignment, vec![]);
    session.complete(&assignment.studies[0].study_uid.clone());
    session.stop();

    chaos.refuse(true);
    let mut session = terminal.start();
    session.wait("the start", |e| matches!(e, Event::Started(Start::Ready { .. })).then_some(()));
    let sign_in =
        |password: &str| Command::SignIn { user: USER.into(), password: secret(password), otp: secret("123456") };
    session.send(sign_in("wrong password 1"));
    assert!(matches!(refused(&mut session), Failure::Denied(_)));
    session.send(sign_in(PASSWORD));
    session.wait("sign-in offline", |e| matches!(e, Event::SignedIn(_)).then_some(()));
    session.until("the kept worklist", |s| s.assignments.contains_key(&id));
    let draft = Session::draft(&assignment, 2);
    session.send(Command::SaveDraft(draft.clone()));
    session.wait("saved here", |e| matches!(e, Event::DraftSaved { at_center: false, .. }).then_some(()));
    let prepared = session.prepare(&assignment, draft);
    session.sign(&prepared);
    session.stop();

    // The link is back: what waits goes by itself once the reader has signed in.
    chaos.refuse(false);
    let mut session = terminal.start();
    session.wait("the start", |e| matches!(e, Event::Started(Start::Ready { .. })).then_some(()));
    assert_eq!(session.receipt().sha256, prepared.sha256);
    assert_eq!(center.reports(), [(id, 1)]);
}

#[test]
fn a_terminal_whose_clock_is_off_learns_by_how_much() {
    for skew in [120, -120] {
        let (_chaos, center) = center(if skew > 0 { "1.2.392.25" } else { "1.2.392.26" });
        let clock = SharedClock::at(center.clock.time());
        let terminal = Terminal::at(Arc::clone(&clock));
        let mut session = terminal.start();
        session.wait("the start", |e| matches!(e, Event::Started(Start::NotEnrolled)).then_some(()));
        session.send(Command::Enrol(center.enrolment_file()));
        session.wait("enrolment", |e| matches!(e, Event::Started(Start::Ready { .. })).then_some(()));
        // The one-time code moves the center's clock, and from here on both stand.
        let otp = center.otp();
        clock.advance(center.clock.time().as_second() - skew - clock.time().as_second());
        session.send(Command::SignIn { user: USER.into(), password: secret(PASSWORD), otp: secret(&otp) });
        let told = session.wait("the clock's difference", |e| match e {
            Event::Link(link) if link.clock_skew_s != 0 => Some(link.clock_skew_s),
            Event::SignInFailed(failure) => panic!("{failure:?}"),
            _ => None,
        });
        assert_eq!(told, skew);
    }
}

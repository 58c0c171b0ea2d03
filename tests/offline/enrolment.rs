//! Another center, and the signing key with its certificate.

use crate::support::dicom::write_study;
use crate::support::process::wait_until;
use crate::support::reading_center::{PASSWORD, TestCenter, USER};
use crate::support::terminal::{Session, Terminal, secret};
use dokuei::center::refresh_token_name;
use dokuei::engine::message::{Command, Event, Failure, Start};
use dokuei::study::StudyUid;
use dokuei::vault::digest::sha256_hex;
use dokuei::vault::keys::SigningKey;
use dokuei::vault::protected;
use dokuei::vault::secrets::{MemoryStore, PassphraseWork, SecretError, SecretStore, Zeroizing};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

fn center(study: &str) -> TestCenter {
    let center = TestCenter::start(None);
    let folder = write_study(center.folder(), study, 1, 2, 16);
    center.import(&folder);
    center
}

fn token_name(center: &TestCenter) -> String {
    refresh_token_name(&center.enrolment.file.base_url, &center.enrolment.file.ca_certificate)
}

#[test]
fn a_draft_for_one_center_keeps_the_terminal_there() {
    let (here, elsewhere) = (center("1.2.392.30"), center("1.2.392.31"));
    let terminal = Terminal::new(&here);
    let mut session = terminal.signed_in(&here);
    let id = session.assignment().id.clone();
    let assignment = session.begin(&id);
    session.send(Command::SaveDraft(Session::draft(&assignment, 1)));
    session.wait("the draft at the center", |e| matches!(e, Event::DraftSaved { at_center: true, .. }).then_some(()));
    session.send(Command::Enrol(elsewhere.enrolment_file()));
    let words = session.wait("a refusal", |e| match e {
        Event::Notice(Failure::Conflict(words)) => Some(words.clone()),
        Event::Started(_) => panic!("enrolled elsewhere"),
        _ => None,
    });
    assert!(words.contains("1 drafts"), "{words}");
    assert!(terminal.secrets.get(&token_name(&here)).expect("readable").is_some());
    // The same center's file is taken at any time.
    session.send(Command::Enrol(here.enrolment_file()));
    session.wait("enrolment", |e| matches!(e, Event::Started(Start::Ready { .. })).then_some(()));
}

#[test]
fn another_center_gets_nothing_of_the_first_ones_session() {
    let (here, elsewhere) = (center("1.2.392.32"), center("1.2.392.33"));
    let terminal = Terminal::new(&here);
    let mut session = terminal.signed_in(&here);
    session.send(Command::Enrol(elsewhere.enrolment_file()));
    session.wait("enrolment elsewhere", |e| match e {
        Event::Started(Start::Ready { .. }) => Some(()),
        Event::Notice(failure) => panic!("refused: {failure:?}"),
        _ => None,
    });
    assert!(terminal.secrets.get(&token_name(&here)).expect("readable").is_none());
    assert!(here.audit_bodies().iter().any(|b| b.contains(USER)), "the records went to their own center");
    session.sign_in(&elsewhere);
    assert!(terminal.secrets.get(&token_name(&elsewhere)).expect("readable").is_some());
    assert!(terminal.secrets.get(&token_name(&here)).expect("readable").is_none());
    // A certificate of the other center, too: a report signed now is taken there.
    let id = session.assignment().id.clone();
    let assignment = session.begin(&id);
    let prepared = session.prepare(&assignment, Session::draft(&assignment, 1));
    session.sign(&prepared);
    assert_eq!(session.receipt().sha256, prepared.sha256);
    assert_eq!(elsewhere.reports(), [(id, 1)]);
}

#[test]
fn audit_records_wait_for_their_own_center_and_hold_up_no_other() {
    let (mut here, elsewhere) = (center("1.2.392.36"), center("1.2.392.37"));
    let terminal = Terminal::new(&here);
    let mut session = terminal.signed_in(&here);
    wait_until("the first records", || here.audit_bodies().iter().any(|b| b.contains("login")));
    here.kill();
    let seen_here = StudyUid::new("1.2.392.36.77").expect("uid");
    session.send(Command::Viewed { study: seen_here.clone() });
    session.send(Command::Enrol(elsewhere.enrolment_file()));
    session.wait("enrolment elsewhere", |e| match e {
        Event::Started(Start::Ready { .. }) => Some(()),
        Event::Notice(Failure::Conflict(words)) => panic!("refused: {words}"),
        _ => None,
    });
    session.sign_in(&elsewhere);
    let seen_there = StudyUid::new("1.2.392.37.77").expect("uid");
    session.send(Command::Viewed { study: seen_there.clone() });
    let holds = |center: &TestCenter, uid: &StudyUid| center.audit_bodies().iter().any(|b| b.contains(uid.as_str()));
    wait_until("the other center's records", || holds(&elsewhere, &seen_there));
    assert!(!holds(&elsewhere, &seen_here), "a record of one center went to another");
    assert!(!holds(&here, &seen_there), "a record of the other center came here");
    // Back at the first one, its chain goes on where it was.
    here.revive();
    session.send(Command::Enrol(here.enrolment_file()));
    session.wait("enrolment", |e| matches!(e, Event::Started(Start::Ready { .. })).then_some(()));
    session.sign_in(&here);
    wait_until("the record that waited", || holds(&here, &seen_here));
    assert!(!holds(&here, &seen_there));
}

fn key_name() -> String {
    format!("signing-key-{}", &sha256_hex(USER.as_bytes())[..32])
}

#[test]
fn a_key_without_its_certificate_is_certified_anew() {
    let center = center("1.2.392.34");
    let terminal = Terminal::new(&center);
    terminal.signed_in(&center).stop();
    // As after a crash between the new key and the center's answer: the certificate kept is another key's.
    let key = SigningKey::generate().expect("key").to_pkcs8_der().expect("key");
    let context = format!("dokuei signing key of {USER}");
    let sealed = protected::seal(PASSWORD, context.as_bytes(), &key, PassphraseWork::QUICK).expect("sealed");
    terminal.secrets.set(&key_name(), &sealed).expect("kept");
    let mut session = terminal.start();
    session.wait("the start", |e| matches!(e, Event::Started(Start::Ready { .. })).then_some(()));
    session.sign_in(&center);
    let id = session.assignment().id.clone();
    let assignment = session.begin(&id);
    let prepared = session.prepare(&assignment, Session::draft(&assignment, 1));
    session.sign(&prepared);
    assert_eq!(session.receipt().sha256, prepared.sha256);
    assert_eq!(terminal.secrets.get(&key_name()).expect("readable").expect("there").to_vec(), sealed);
}

/// A keyring that is locked for signing keys while `locked` holds.
struct Moody {
    inner: MemoryStore,
    locked: AtomicBool,
}

impl SecretStore for Moody {
    fn get(&self, name: &str) -> Result<Option<Zeroizing<Vec<u8>>>, SecretError> {
        if name == key_name() && self.locked.load(Ordering::SeqCst) {
            return Err(SecretError::Locked { detail: "for a while".to_owned() });
        }
        self.inner.get(name)
    }
    fn set(&self, name: &str, secret: &[u8]) -> Result<(), SecretError> {
        self.inner.set(name, secret)
    }
    fn delete(&self, name: &str) -> Result<(), SecretError> {
        self.inner.delete(name)
    }
}

#[test]
fn a_locked_keyring_does_not_cost_the_key() {
    let center = center("1.2.392.35");
    let moody = Arc::new(Moody { inner: MemoryStore::new(), locked: AtomicBool::new(false) });
    let mut terminal = Terminal::new(&center);
    terminal.secrets = moody.clone();
    terminal.signed_in(&center).stop();
    let key = moody.get(&key_name()).expect("readable").expect("made").to_vec();
    moody.locked.store(true, Ordering::SeqCst);
    let mut session = terminal.start();
    session.wait("the start", |e| matches!(e, Event::Started(Start::Ready { .. })).then_some(()));
    session.send(Command::SignIn { user: USER.into(), password: secret(PASSWORD), otp: secret(&center.otp()) });
    let words = session.wait("the keyring's failure", |e| match e {
        Event::Notice(Failure::Local(words)) => Some(words.clone()),
        _ => None,
    });
    assert!(words.contains("locked"), "{words}");
    session.wait("sign-in all the same", |e| matches!(e, Event::SignedIn(_)).then_some(()));
    moody.locked.store(false, Ordering::SeqCst);
    assert_eq!(moody.get(&key_name()).expect("readable").expect("there").to_vec(), key);
}

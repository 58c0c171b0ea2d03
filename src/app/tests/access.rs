//! Getting in and out.

use super::fixtures::*;
use crate::app::{AccessAction, Action, Language, NoticeCode, PlatformFact, Screen, SettingsAction};
use crate::engine::message::{Command, Event, Failure, Start};

#[test]
fn the_passphrase_store_is_an_explicit_choice() {
    let mut b = Bench::new();
    let passphrase = || AccessAction::Passphrase { passphrase: secret("long enough"), create: true };
    assert!(b.act(Action::Access(passphrase())).is_empty(), "not before the engine asks for it");
    b.event(Event::Started(Start::NeedsPassphrase { reason: "no Secret Service".into(), exists: false }));
    assert_eq!(b.app.screen(), Screen::Passphrase);
    assert!(matches!(&b.act(Action::Access(passphrase()))[..], [Command::UnlockSecrets { create: true, .. }]));
    assert!(b.app.access.busy);
    b.event(Event::Started(Start::NotEnrolled));
    assert!(!b.app.access.busy);
}

#[test]
fn one_sign_in_at_a_time_and_its_failure_is_shown() {
    let mut b = Bench::new();
    b.event(Event::Started(Start::Ready { center: "c".into(), last_user: String::new() }));
    let go = || {
        let (password, otp) = (secret("p"), secret("123456"));
        Action::Access(AccessAction::SignIn { user: "tanaka".into(), password, otp })
    };
    assert_eq!(b.act(go()).len(), 1);
    assert_eq!(b.act(go()).len(), 0);
    b.event(Event::SignInFailed(Failure::Denied("password".into())));
    assert_eq!(b.app.access.failure, Some(Failure::Denied("password".into())));
    assert_eq!(b.act(go()).len(), 1);
    assert_eq!(b.app.access.failure, None);
}

#[test]
fn signing_out_leaves_no_patient_behind() {
    let mut b = Bench::signed_in();
    b.open("a-1");
    b.frames_arrive();
    b.type_into("findings", "結節");
    let commands = b.act(Action::Access(AccessAction::SignOut));
    assert_eq!(saves(&commands), 1);
    assert!(matches!(commands.last(), Some(Command::SignOut)));
    b.event(Event::SignedOut(None));
    assert_eq!(b.app.screen(), Screen::SignIn);
    assert!(b.app.worklist.assignments.is_empty() && b.app.pictures.studies.is_empty());
    assert!(b.app.reading.is_none() && b.app.report.is_none() && b.app.demand().studies.is_empty());
    assert!(b.app.notices.any(|n| *n == NoticeCode::UncertifiedBuild), "the build's notice stays");
}

#[test]
fn a_session_that_ends_by_itself_loses_no_typing_and_comes_back() {
    let mut b = Bench::signed_in();
    let list: Vec<_> = b.app.worklist.assignments.values().map(|a| a.as_ref().clone()).collect();
    b.open("a-1");
    b.type_into("findings", "結節");
    let commands = b.event(Event::SignedOut(Some(Failure::Denied("expired".into()))));
    assert_eq!(saves(&commands), 1);
    assert_eq!(b.app.screen(), Screen::SignIn);
    b.enter(list);
    assert_eq!(b.app.open_assignment().map(|a| a.id.as_str()), Some("a-1"));
}

#[test]
fn notices_of_machine_and_build() {
    let mut b = Bench::signed_in();
    assert!(b.app.notices.any(|n| *n == NoticeCode::UncertifiedBuild));
    b.act(Action::Platform(PlatformFact::Adapter { name: "llvmpipe".into(), software: true }));
    assert!(b.app.notices.any(|n| *n == NoticeCode::SoftwareAdapter("llvmpipe".into())));
    b.act(Action::Platform(PlatformFact::CertifiedBuild));
    assert!(!b.app.notices.any(|n| *n == NoticeCode::UncertifiedBuild));
}

#[test]
fn language_follows_the_system_until_chosen_and_is_kept() {
    let mut b = Bench::new();
    b.act(Action::Platform(PlatformFact::SystemLanguage(Language::En)));
    assert_eq!(b.app.settings.shown_language(), Language::En);
    let kept = match &b.act(Action::Settings(SettingsAction::Language(Language::Ja)))[..] {
        [Command::SaveSetting { name, value }] => (name.clone(), value.clone()),
        other => panic!("{other:?}"),
    };
    let mut later = Bench::new();
    later.act(Action::Platform(PlatformFact::SystemLanguage(Language::En)));
    later.event(Event::Settings(vec![kept, ("overlay".into(), "nonsense".into()), ("future".into(), "1".into())]));
    assert_eq!(later.app.settings.shown_language(), Language::Ja);
    assert!(later.app.notices.any(|n| *n == NoticeCode::SettingUnreadable("overlay".into())));
}

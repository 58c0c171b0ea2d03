//! Archives with credentials of their own: notice, dialog, success and failure.

use super::fixtures::*;
use crate::app::{Action, ArchiveAction, Intent, NoticeAction, NoticeCode, SettingsAction};
use crate::engine::message::{
    ArchiveCa, ArchiveCommand, ArchiveCredentials, ArchiveEvent, ArchiveNeed, ArchiveWant, Command, Event, Failure,
    KeptArchive,
};
use crate::study::StudyUid;

fn want(need: ArchiveNeed) -> Event {
    Event::Archive(ArchiveEvent::Wanted(ArchiveWant {
        archive: "orthanc".into(),
        root: "https://pacs.example/dicom-web".into(),
        host: "pacs.example".into(),
        study: StudyUid::new("1.2.3").expect("uid"),
        need,
        user: String::new(),
    }))
}

fn given(archive: &str) -> ArchiveCredentials {
    let (archive, user, ca) = (archive.to_owned(), "u".to_owned(), ArchiveCa::System);
    ArchiveCredentials { archive, user, password: secret("p"), ca, trial: None }
}

fn keeps(commands: &[Command]) -> usize {
    commands.iter().filter(|c| matches!(c, Command::Archive(ArchiveCommand::Keep(_)))).count()
}

fn waits(b: &Bench) -> Vec<u64> {
    b.app.notices.iter().filter(|n| matches!(n.code, NoticeCode::ArchiveWants { .. })).map(|n| n.id).collect()
}

#[test]
fn a_refusal_leads_to_the_dialog_and_success_takes_all_away() {
    let mut b = Bench::signed_in();
    b.event(want(ArchiveNeed::Credentials));
    b.event(want(ArchiveNeed::Credentials));
    let notices = waits(&b);
    assert_eq!(notices.len(), 1, "one notice for an archive, however many studies wait");
    b.act(Action::Notice(NoticeAction::Act(notices[0])));
    assert_eq!(waits(&b), notices, "it stands until the pictures come");
    let dialog = b.app.archives.dialog.clone().expect("open");
    assert_eq!((dialog.host.as_str(), dialog.need), ("pacs.example", Some(ArchiveNeed::Credentials)));
    assert_eq!(dialog.trial.expect("to try").0, "https://pacs.example/dicom-web");
    assert!(b.app.modal());

    assert_eq!(keeps(&b.act(Action::Archive(ArchiveAction::Keep(given("orthanc"))))), 1);
    assert_eq!(keeps(&b.act(Action::Archive(ArchiveAction::Keep(given("orthanc"))))), 0, "one at a time");
    let failure = Failure::Denied("the archive answered 401".into());
    let need = Some(ArchiveNeed::Others);
    b.event(Event::Archive(ArchiveEvent::Failed { archive: "orthanc".into(), need, failure: failure.clone() }));
    let dialog = b.app.archives.dialog.as_ref().expect("still open");
    assert_eq!((dialog.need, dialog.busy, &dialog.failure), (need, false, &Some(failure)));

    assert_eq!(keeps(&b.act(Action::Archive(ArchiveAction::Keep(given("orthanc"))))), 1);
    b.event(Event::Archive(ArchiveEvent::Saved { archive: "orthanc".into(), tried: true }));
    assert!(b.app.archives.dialog.is_none() && b.app.archives.wants.is_empty() && waits(&b).is_empty());
    assert!(b.app.notices.any(|n| matches!(n, NoticeCode::ArchiveSaved { tried: true, .. })));
}

#[test]
fn a_failure_after_the_dialog_was_closed_is_told() {
    let mut b = Bench::signed_in();
    b.event(want(ArchiveNeed::Ca));
    b.act(Action::Archive(ArchiveAction::Open("orthanc".into())));
    b.act(Action::Archive(ArchiveAction::Keep(given("orthanc"))));
    b.act(Action::Intent(Intent::Cancel));
    assert!(b.app.archives.dialog.is_none());
    let failure = Failure::Local("locked".into());
    b.event(Event::Archive(ArchiveEvent::Failed { archive: "orthanc".into(), need: None, failure }));
    assert!(b.app.notices.any(|n| matches!(n, NoticeCode::ArchiveFailed { .. })));
    assert!(b.app.archives.wants.contains_key("orthanc"), "the settings still offer it");
}

#[test]
fn the_settings_ask_what_is_kept_and_open_the_dialog_over_them() {
    let mut b = Bench::signed_in();
    let asked = b.act(Action::Settings(SettingsAction::ToggleDialog));
    assert!(matches!(asked[..], [Command::Archive(ArchiveCommand::List)]));
    b.event(Event::Archive(ArchiveEvent::Kept(vec![KeptArchive {
        archive: "orthanc".into(),
        origin: Some("https://pacs.example:8443".into()),
        user: "dr".into(),
        ca_sha256: Some("ab".repeat(32)),
    }])));
    b.act(Action::Archive(ArchiveAction::Open("orthanc".into())));
    let dialog = b.app.archives.dialog.as_ref().expect("open");
    assert_eq!((dialog.host.as_str(), dialog.user.as_str(), dialog.own_ca), ("pacs.example:8443", "dr", true));
    b.act(Action::Intent(Intent::Cancel));
    assert!(b.app.archives.dialog.is_none() && b.app.settings.dialog_open, "the upper one closes first");
    let removed = b.act(Action::Archive(ArchiveAction::Remove("orthanc".into())));
    assert!(matches!(&removed[..], [Command::Archive(ArchiveCommand::Remove(name))] if name == "orthanc"));
}

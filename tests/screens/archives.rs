//! An archive that wants a sign-in of its own: notice, dialog and settings, by mouse and keyboard.

use super::{BOTH, Window};
use dokuei::engine::message::{
    ArchiveCa, ArchiveCommand, ArchiveCredentials, ArchiveEvent, ArchiveNeed, ArchiveWant, Command, Event, Failure,
    KeptArchive,
};
use dokuei::study::StudyUid;
use egui::Role;
use egui_kittest::kittest::{NodeT, Queryable, by};

const SIZE: [f32; 2] = [1366.0, 768.0];

fn want(need: ArchiveNeed) -> Event {
    Event::Archive(ArchiveEvent::Wanted(ArchiveWant {
        archive: "orthanc".into(),
        root: "https://pacs.kitakami-hospital.example:8443/dicom-web".into(),
        host: "pacs.kitakami-hospital.example:8443".into(),
        study: StudyUid::new("1.2.3").expect("uid"),
        need,
        user: String::new(),
    }))
}

fn failed(need: Option<ArchiveNeed>, failure: Failure) -> Event {
    Event::Archive(ArchiveEvent::Failed { archive: "orthanc".into(), need, failure })
}

fn kept(n: usize) -> Event {
    let one = |n| KeptArchive {
        archive: format!("orthanc-{n}"),
        origin: (n % 2 == 0).then(|| format!("https://pacs{n}.example:8443")),
        user: if n == 1 { String::new() } else { "読影01".into() },
        ca_sha256: (n == 0).then(|| "ab12".repeat(16)),
    };
    Event::Archive(ArchiveEvent::Kept((0..n).map(one).collect()))
}

/// Presses a button by its words, the last of several.
fn button(window: &mut Window, name: &'static str) {
    let name = window.words.t(name);
    window.h.get_all(by().role(Role::Button).label(name)).last().unwrap_or_else(|| panic!("no button {name}")).click();
    window.settle();
}

fn write(window: &mut Window, name: &'static str, text: &str) {
    let name = window.words.t(name);
    let is_field = |role| matches!(role, Role::TextInput | Role::PasswordInput | Role::MultilineTextInput);
    window.h.get_all_by_label(name).find(|n| is_field(n.accesskit_node().role())).expect("the field").focus();
    window.settle();
    let field = window.h.get_all_by_label(name).find(|n| is_field(n.accesskit_node().role()));
    field.expect("the field").type_text(text);
    window.settle();
}

fn sent(window: &Window) -> Vec<ArchiveCredentials> {
    let keep = |c| match c {
        Command::Archive(ArchiveCommand::Keep(given)) => Some(given),
        _ => None,
    };
    window.engine.take_commands().into_iter().filter_map(keep).collect()
}

/// Everything of the dialog lies on the screen.
fn assert_whole(window: &Window, names: &[&'static str]) {
    for name in names {
        let name = window.words.t(name);
        // The words of a window's frame have no place of their own.
        let placed = window.h.get_all_by_label(name).filter(|n| n.accesskit_node().raw_bounds().is_some());
        for rect in placed.map(|n| n.rect()) {
            assert!(rect.min.y >= 0.0 && rect.max.y <= SIZE[1] && rect.max.x <= SIZE[0], "{name}: {rect:?}");
        }
    }
}

#[test]
fn a_password_is_given_from_the_notice_and_kept_on_the_second_try() {
    for language in BOTH {
        let mut window = Window::reading(language, SIZE, false);
        window.say([want(ArchiveNeed::Credentials)]);
        window.h.get(by().label_contains("pacs.kitakami-hospital.example:8443"));
        button(&mut window, "archive.enter");
        let focused = |window: &Window, name: &'static str| {
            let name = window.words.t(name);
            window.h.get_all_by_label(name).any(|n| n.accesskit_node().is_focused())
        };
        assert!(focused(&window, "archive.user"), "the caret is in the first field");
        button(&mut window, "archive.keep");
        assert!(sent(&window).is_empty(), "nothing typed yet");
        write(&mut window, "archive.user", "dr.abe");
        window.key(egui::Key::Tab);
        assert!(focused(&window, "archive.password"), "Tab leads to the next");
        write(&mut window, "archive.password", "correct horse");
        window.key(egui::Key::Enter);
        let given = sent(&window);
        assert_eq!(given.len(), 1);
        assert_eq!((given[0].user.as_str(), given[0].password.0.as_str()), ("dr.abe", "correct horse"));
        assert_eq!((&given[0].archive, &given[0].ca), (&"orthanc".to_owned(), &ArchiveCa::System));
        assert!(given[0].trial.as_ref().is_some_and(|(root, _)| root.ends_with("/dicom-web")));
        window.h.get_by_label(window.words.t("archive.busy"));
        assert!(window.h.query_by(|n| n.value().is_some_and(|v| v.contains("correct horse"))).is_none());

        window.say([failed(Some(ArchiveNeed::Others), Failure::Denied("the archive answered 401".into()))]);
        window.h.get(by().label_contains(window.words.t("archive.refuses_do")).role(Role::Label));
        button(&mut window, "archive.keep");
        assert_eq!(sent(&window).len(), 1, "what was typed is still there to be mended");
        window.say([Event::Archive(ArchiveEvent::Saved { archive: "orthanc".into(), tried: true })]);
        assert!(window.h.query_by_label(window.words.t("archive.title")).is_none());
        window.h.get(by().label_contains(&window.words.f("archive.saved", &[("archive", &"orthanc")])));
        window.h.get(by().label_contains(window.words.t("archive.saved_means")));
    }
}

#[test]
fn an_unknown_authority_is_given_as_file_or_text_and_fits_a_small_screen() {
    const ALL: [&str; 9] = [
        "archive.title",
        "archive.user",
        "archive.password",
        "archive.ca_system",
        "archive.ca_own",
        "archive.ca_file",
        "archive.ca_text",
        "archive.keep",
        "archive.cancel",
    ];
    for language in BOTH {
        let mut window = Window::reading(language, SIZE, false);
        window.say([want(ArchiveNeed::Ca)]);
        button(&mut window, "archive.enter");
        assert_whole(&window, &ALL);
        window.picture(&format!("archive-ca-{}", language.as_str()));
        write(&mut window, "archive.user", "dr.abe");
        write(&mut window, "archive.password", "correct horse");
        button(&mut window, "archive.keep");
        assert!(sent(&window).is_empty(), "no certificate is named yet");
        write(&mut window, "archive.ca_file", "/home/reader/ca.pem");
        button(&mut window, "archive.keep");
        assert!(matches!(&sent(&window)[..], [given] if given.ca == ArchiveCa::File("/home/reader/ca.pem".into())));
        let detail = "the connection is not trusted: invalid peer certificate: UnknownIssuer";
        window.say([failed(Some(ArchiveNeed::Ca), Failure::Denied(detail.into()))]);
        assert_whole(&window, &ALL);
        window.h.get(by().label_contains("UnknownIssuer"));
        write(&mut window, "archive.ca_text", "-----BEGIN CERTIFICATE-----");
        window.key(egui::Key::Enter);
        assert!(sent(&window).is_empty(), "Enter begins a line there");
        write(&mut window, "archive.ca_text", &"AAAA\n".repeat(30));
        assert_whole(&window, &ALL);
        button(&mut window, "archive.keep");
        assert!(matches!(&sent(&window)[..], [given] if matches!(&given.ca, ArchiveCa::Pem(t) if t.contains("AAAA"))));
        // Esc closes it and takes along what was typed.
        window.key(egui::Key::Escape);
        assert!(window.h.query_by_label(window.words.t("archive.title")).is_none());
        window.say([failed(None, Failure::Local("x".into()))]);
        window.h.get(by().label_contains(window.words.t("archive.failed_means")));
    }
}

#[test]
fn the_settings_list_change_and_remove_them_on_a_small_screen() {
    for language in BOTH {
        let mut window = Window::signed_in(language, SIZE, false);
        window.chord(egui::Modifiers::COMMAND, egui::Key::Comma);
        window.h.get_by_label(window.words.t("archive.none"));
        assert_whole(&window, &["settings.title", "settings.close", "settings.reset_keys"]);
        window.say([kept(4)]);
        assert_whole(&window, &["settings.title", "settings.close", "settings.reset_keys", "archive.section"]);
        window.picture(&format!("archive-settings-{}", language.as_str()));
        window.say([kept(1)]);
        // The keys below have buttons of the same words.
        let name = window.words.t("archive.remove");
        window.h.get_all(by().role(Role::Button).label(name)).next().expect("a button").click();
        window.settle();
        let removed = |window: &Window| {
            let commands = window.engine.take_commands();
            commands.iter().filter(|c| matches!(c, Command::Archive(ArchiveCommand::Remove(_)))).count()
        };
        assert_eq!(removed(&window), 0, "asked once more");
        button(&mut window, "archive.remove_sure");
        assert_eq!(removed(&window), 1);
        button(&mut window, "archive.replace");
        window.h.get_by_label(window.words.t("archive.ca_kept"));
        write(&mut window, "archive.password", "new one");
        window.key(egui::Key::Enter);
        let given = sent(&window);
        assert_eq!(given.len(), 1);
        assert_eq!((given[0].archive.as_str(), given[0].user.as_str()), ("orthanc-0", "読影01"));
        assert_eq!((&given[0].ca, given[0].trial.is_none()), (&ArchiveCa::AsKept, true));
        window.key(egui::Key::Escape);
        window.h.get_by_label(window.words.t("settings.keys_hint"));
        assert!(window.h.query_by_label(window.words.t("archive.title")).is_none());
    }
}

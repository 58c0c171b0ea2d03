//! Getting in: enrolment, passphrase, sign-in, lock.

use super::{BOTH, Window, scene};
use dokuei::app::{Language, Screen};
use dokuei::engine::message::{Command, Event, Failure, Start};
use egui::Role;
use egui_kittest::kittest::{NodeT, Queryable};
use jiff::SignedDuration;

const SIZE: [f32; 2] = [1366.0, 768.0];

fn field(window: &mut Window, name: &'static str, text: &str) {
    let name = window.words.t(name);
    let node = window
        .h
        .get_all_by_label(name)
        .find(|n| matches!(n.accesskit_node().role(), Role::TextInput | Role::PasswordInput));
    let node = node.unwrap_or_else(|| panic!("no field {name}"));
    node.focus();
    window.settle();
    let node = window
        .h
        .get_all_by_label(name)
        .find(|n| matches!(n.accesskit_node().role(), Role::TextInput | Role::PasswordInput));
    node.expect("the same field").type_text(text);
    window.settle();
}

fn button(window: &mut Window, name: &'static str) {
    let name = window.words.t(name);
    window.h.get_by_role_and_label(Role::Button, name).click();
    window.settle();
}

#[test]
fn signing_in_sends_what_was_typed_once() {
    for language in BOTH {
        let mut window = Window::new(language, SIZE);
        window.say([scene::ready(), scene::link(true)]);
        assert_eq!(window.app().screen(), Screen::SignIn);
        button(&mut window, "sign_in.enter");
        assert!(
            window.engine.take_commands().iter().all(|c| !matches!(c, Command::SignIn { .. })),
            "nothing typed yet"
        );
        field(&mut window, "sign_in.password", "correct horse");
        field(&mut window, "sign_in.code", "123 456");
        window.key(egui::Key::Enter);
        button(&mut window, "sign_in.enter");
        let sent = window.engine.take_commands();
        let signed: Vec<_> = sent
            .iter()
            .filter_map(|c| match c {
                Command::SignIn { user, password, otp } => Some((user.as_str(), password.0.as_str(), otp.0.as_str())),
                _ => None,
            })
            .collect();
        assert_eq!(signed, [("reader1", "correct horse", "123456")]);
        window.say([Event::SignInFailed(Failure::Denied("401".into()))]);
        window.h.get_by_label(window.words.t("failure.sign_in_denied"));
        assert!(window.h.query_by_label_contains("401").is_none(), "which of the two was wrong is not told");
        assert!(window.h.get_by_role(Role::PasswordInput).is_focused(), "the caret is back in the password");
    }
}

#[test]
fn a_file_is_enrolled_by_its_path() {
    for language in BOTH {
        let mut window = Window::new(language, SIZE);
        window.say([Event::Started(Start::NotEnrolled)]);
        window.h.get_by_label(window.words.t("enrol.drop"));
        field(&mut window, "enrol.path", "reader1.dokuei-enrol");
        button(&mut window, "enrol.take");
        let sent = window.engine.take_commands();
        assert!(sent.iter().any(|c| matches!(c, Command::Enrol(path) if path.ends_with("reader1.dokuei-enrol"))));
        window.picture(&format!("enrol-{}", language.as_str()));
    }
}

#[derive(Debug)]
struct Dropped(std::path::PathBuf);

impl egui::DroppedFile for Dropped {
    fn path(&self) -> &std::path::Path {
        &self.0
    }
    fn bytes(&self) -> Result<Vec<u8>, String> {
        Err("the window hands on the path alone".to_owned())
    }
}

#[test]
fn a_dropped_file_is_enrolled_once() {
    for language in BOTH {
        let mut window = Window::new(language, SIZE);
        window.say([Event::Started(Start::NotEnrolled)]);
        let drop_file = |window: &mut Window, name: &str| {
            window.h.input_mut().dropped_files.push(std::sync::Arc::new(Dropped(name.into())));
            window.settle();
            let sent = window.engine.take_commands();
            sent.into_iter().filter_map(|c| if let Command::Enrol(path) = c { Some(path) } else { None }).collect()
        };
        let enrolled: Vec<std::path::PathBuf> = drop_file(&mut window, "/media/reader1.dokuei-enrol");
        assert_eq!(enrolled, [std::path::PathBuf::from("/media/reader1.dokuei-enrol")]);
        assert!(window.app().access.busy);
        window.h.get_by_label(window.words.t("enrol.busy"));
        assert!(drop_file(&mut window, "/media/another.dokuei-enrol").is_empty(), "one after the other");
    }
}

#[test]
fn a_passphrase_is_asked_twice_before_a_store_is_made() {
    let mut window = Window::new(Language::En, SIZE);
    let start = Start::NeedsPassphrase { reason: "no D-Bus session".into(), exists: false };
    window.say([Event::Started(start)]);
    window.h.get_by_label_contains("no D-Bus session");
    field(&mut window, "passphrase.phrase", "long enough words");
    field(&mut window, "passphrase.again", "long enough word");
    button(&mut window, "passphrase.create");
    assert!(!window.engine.take_commands().iter().any(|c| matches!(c, Command::UnlockSecrets { .. })));
    field(&mut window, "passphrase.again", "s");
    button(&mut window, "passphrase.create");
    let sent = window.engine.take_commands();
    assert!(sent.iter().any(
        |c| matches!(c, Command::UnlockSecrets { passphrase, create: true } if *passphrase.0 == "long enough words")
    ));
}

/// Every text that the screen tells a screen reader.
fn texts(window: &Window) -> Vec<String> {
    let nodes = window.h.root().children_recursive();
    nodes.flat_map(|n| [n.accesskit_node().label(), n.accesskit_node().value()]).flatten().collect()
}

#[test]
fn the_lock_hides_every_patient() {
    for language in BOTH {
        let mut window = Window::reading(language, SIZE, false);
        assert!(texts(&window).iter().any(|t| t.contains("山田")));
        window.pass_time(SignedDuration::from_mins(11));
        assert_eq!(window.app().screen(), Screen::Locked);
        let shown = texts(&window);
        for name in ["山田", "やまだ", "Yamada", "0012345", "鈴木", "肺結節"] {
            assert!(!shown.iter().any(|t| t.contains(name)), "{name} behind the lock");
        }
        window.h.get_by_label(window.words.t("lock.title"));
        window.picture(&format!("lock-{}", language.as_str()));
        field(&mut window, "sign_in.password", "correct horse");
        window.key(egui::Key::Enter);
        assert!(
            window.engine.take_commands().iter().any(|c| matches!(c, Command::Unlock(p) if *p.0 == "correct horse"))
        );
        window.say([Event::Unlocked(false)]);
        window.h.get_by_label(window.words.t("failure.password_denied"));
        let node = window.h.get_by_role(Role::PasswordInput);
        assert!(node.is_focused(), "the caret is back");
        assert_eq!(node.value().unwrap_or_default(), "");
        node.type_text("again");
        window.key(egui::Key::Enter);
        assert!(window.engine.take_commands().iter().any(|c| matches!(c, Command::Unlock(p) if *p.0 == "again")));
        window.say([Event::Unlocked(true)]);
        assert!(texts(&window).iter().any(|t| t.contains("山田")));
    }
}

#[test]
fn the_language_changes_at_once() {
    let mut window = Window::new(Language::Ja, SIZE);
    window.say([scene::ready(), scene::link(true)]);
    window.h.get_by_role_and_label(Role::Button, "サインイン");
    window.h.get_by_role_and_label(Role::Button, "English").click();
    window.settle();
    window.h.get_by_role_and_label(Role::Button, "Sign in");
    window.h.get_by_role_and_label(Role::Button, "日本語").click();
    window.settle();
    window.h.get_by_role_and_label(Role::Button, "サインイン");
    let saved = window.engine.take_commands();
    let settings = saved.iter().filter(|c| matches!(c, Command::SaveSetting { name, .. } if name == "language"));
    assert!(settings.count() >= 2, "the choice is kept");
}

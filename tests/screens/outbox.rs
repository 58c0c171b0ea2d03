//! A report refused for good: its files are exported and its entry closed, by words and keyboard, in both languages.

use super::{BOTH, Window, scene};
use dokuei::engine::message::{Command, Event, Failure, HandingCommand, HandingEvent};
use egui::Role;
use egui_kittest::kittest::{NodeT, Queryable, by};
use std::path::PathBuf;

const SIZE: [f32; 2] = [1366.0, 768.0];
const REFUSED: i64 = 2;

fn open(language: dokuei::app::Language) -> Window {
    let mut window = Window::signed_in(language, SIZE, false);
    window.say([scene::outbox()]);
    window.key(egui::Key::F3);
    window
}

/// Presses a button by its words, the last of several.
fn button(window: &mut Window, name: &'static str) {
    let name = window.words.t(name);
    window.h.get_all(by().role(Role::Button).label(name)).last().unwrap_or_else(|| panic!("no button {name}")).click();
    window.settle();
}

fn has(window: &Window, name: &str) -> bool {
    window.h.query_all_by_label(name).next().is_some()
}

fn write(window: &mut Window, name: &'static str, text: &str) {
    let name = window.words.t(name);
    let is_field = |role| matches!(role, Role::TextInput | Role::MultilineTextInput);
    window.h.get_all_by_label(name).find(|n| is_field(n.accesskit_node().role())).expect("the field").focus();
    window.settle();
    let field = window.h.get_all_by_label(name).find(|n| is_field(n.accesskit_node().role()));
    field.expect("the field").type_text(text);
    window.settle();
}

fn sent(window: &Window) -> Vec<HandingCommand> {
    let handing = |c| match c {
        Command::Handing(command) => Some(command),
        _ => None,
    };
    window.engine.take_commands().into_iter().filter_map(handing).collect()
}

#[test]
fn signed_files_leave_the_store_only_after_a_warning_and_into_a_named_folder() {
    for language in BOTH {
        let mut window = open(language);
        button(&mut window, "outbox.export");
        assert!(has(&window, window.words.t("outbox.export_means")), "asked without telling what it means");
        button(&mut window, "outbox.export_confirm");
        assert_eq!(sent(&window), [], "no folder was named");
        write(&mut window, "outbox.export_folder", "/media/usb");
        button(&mut window, "outbox.export_confirm");
        let folder = PathBuf::from("/media/usb");
        assert_eq!(sent(&window), [HandingCommand::Export { id: REFUSED, folder: folder.clone() }]);
        button(&mut window, "outbox.export_confirm");
        assert_eq!(sent(&window), [], "twice while it is being written");
        let failure = Failure::Full("no space".into());
        window.say([Event::Handing(HandingEvent::Failed { id: Some(REFUSED), failure: failure.clone() })]);
        let told = window
            .words
            .f("failure.with_detail", &[("what", &window.words.t("failure.full")), ("detail", &"no space")]);
        assert!(has(&window, &told), "{told}");
        window.picture(&format!("outbox-export-{language:?}"));
        button(&mut window, "outbox.export_confirm");
        assert_eq!(sent(&window).len(), 1);
        window.say([Event::Handing(HandingEvent::Exported { id: REFUSED, folder: folder.join("a-6") })]);
        assert!(has(&window, "/media/usb/a-6"));
        button(&mut window, "outbox.close");
        assert!(window.app().outbox_dialog.is_none());
    }
}

#[test]
fn an_entry_is_closed_with_a_reason_and_stays_in_sight() {
    for language in BOTH {
        let mut window = open(language);
        button(&mut window, "outbox.hand_over");
        window.key(egui::Key::Escape);
        assert!(window.app().outbox_dialog.is_none(), "Esc closes it");
        button(&mut window, "outbox.hand_over");
        assert!(has(&window, window.words.t("outbox.hand_over_means")));
        button(&mut window, "outbox.hand_over_confirm");
        assert_eq!(sent(&window), [], "no reason was written");
        write(&mut window, "outbox.hand_over_reason", "受付に電話");
        window.picture(&format!("outbox-hand-over-{language:?}"));
        button(&mut window, "outbox.hand_over_confirm");
        assert_eq!(sent(&window), [HandingCommand::HandOver { id: REFUSED, reason: "受付に電話".into() }]);
        let Event::Outbox(mut entries) = scene::outbox() else { panic!("an outbox") };
        entries[1].handed = Some("受付に電話".into());
        window.say([Event::Handing(HandingEvent::HandedOver { id: REFUSED }), Event::Outbox(entries)]);
        assert!(window.app().outbox_dialog.is_none());
        assert_eq!((window.app().outbox.len(), window.app().handed.len()), (1, 1));
        assert!(has(&window, &window.words.f("outbox.handed", &[("n", &1)])));
        let name = window.words.t("outbox.hand_over");
        assert!(window.h.query_all(by().role(Role::Button).label(name)).next().is_none(), "closed already");
        button(&mut window, "outbox.export");
        assert!(window.app().outbox_dialog.is_some(), "its files can still be had");
    }
}

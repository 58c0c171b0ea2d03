//! Keys: what fires, what does not, and where they are told.

use super::{BOTH, Window};
use dokuei::app::{Language, Place, Screen};
use dokuei::engine::message::Event as Fact;
use dokuei::viewport::Tool;
use egui::{Event, ImeEvent, Key, Modifiers, Role};
use egui_kittest::kittest::{Queryable, by};

const SIZE: [f32; 2] = [1920.0, 1080.0];

fn tool(window: &Window) -> Tool {
    window.app().reading.as_ref().expect("reading").record.tool
}

#[test]
fn plain_keys_work_on_pictures_and_never_while_text_is_written() {
    let mut window = Window::reading(Language::Ja, SIZE, false);
    window.key(Key::L);
    assert_eq!(tool(&window), Tool::Length);
    let field = |window: &Window| {
        window.h.get_all(by().role(Role::MultilineTextInput)).next().expect("a field of the report").focus();
    };
    field(&window);
    window.settle();
    window.key(Key::E);
    window.key(Key::Num1);
    assert_eq!(tool(&window), Tool::Length, "the field has the caret");
    let preedit = ImeEvent::Preedit { text: "けっせつ".into(), active_range_chars: Some(0..4) };
    window.h.event(Event::Ime(preedit));
    window.settle();
    assert!(window.app().input.composing);
    for key in [Key::E, Key::Enter, Key::Escape, Key::F4] {
        window.key(key);
    }
    window.chord(Modifiers::CTRL, Key::Enter);
    window.chord(Modifiers::CTRL, Key::K);
    assert_eq!(tool(&window), Tool::Length);
    assert!(window.app().settings.report_open, "F4 while composing");
    assert!(window.h.query_all_by_label(window.words.t("palette.title")).count() == 0);
    assert!(!window.app().modal(), "nothing opened");
    window.h.event(Event::Ime(ImeEvent::Commit("結節".into())));
    window.settle();
    assert!(!window.app().input.composing);
    window.key(Key::Escape);
    window.settle();
    window.key(Key::E);
    assert_eq!(tool(&window), Tool::Ellipse, "back on the pictures");
}

#[test]
fn the_palette_finds_a_command_in_either_language() {
    for language in BOTH {
        let mut window = Window::signed_in(language, SIZE, false);
        window.chord(Modifiers::COMMAND, Key::K);
        let field = window.h.get_by_role_and_label(Role::SearchInput, window.words.t("palette.hint"));
        assert!(field.is_focused());
        field.type_text("outbox");
        window.settle();
        window.picture(&format!("palette-{}", language.as_str()));
        window.key(Key::Enter);
        assert_eq!(window.app().screen(), Screen::At(Place::Outbox));
        assert!(window.h.query_all_by_label(window.words.t("palette.title")).count() == 0, "it closes");
    }
}

#[test]
fn the_card_of_keys_opens_and_closes() {
    for language in BOTH {
        let mut window = Window::reading(language, SIZE, false);
        window.key(Key::F1);
        assert!(window.h.query_all_by_label(window.words.t("keys.title")).count() > 0);
        window.picture(&format!("keys-{}", language.as_str()));
        let before = tool(&window);
        window.key(Key::P);
        assert_eq!(tool(&window), before, "the card covers the pictures");
        window.key(Key::Escape);
        assert_eq!(window.h.query_all_by_label(window.words.t("keys.title")).count(), 0);
    }
}

#[test]
fn a_key_can_be_changed_in_the_settings() {
    let mut window = Window::reading(Language::En, SIZE, false);
    window.chord(Modifiers::COMMAND, Key::Comma);
    assert!(window.app().settings.dialog_open);
    window.picture("settings-en");
    let intent = dokuei::app::Intent::ToolLength;
    let chip = window.h.get_all_by_role_and_label(Role::RadioButton, "L").next().expect("the key of length");
    chip.scroll_to_me();
    window.settle();
    window.h.get_all_by_role_and_label(Role::RadioButton, "L").next().expect("the key of length").click();
    window.settle();
    window.key(Key::M);
    let chords: Vec<_> = window.app().settings.keymap.chords(intent).map(|c| c.to_string()).collect();
    assert_eq!(chords, ["M"]);
    window.key(Key::Escape);
    assert!(!window.app().settings.dialog_open);
    window.key(Key::M);
    assert_eq!(tool(&window), Tool::Length);
    window.key(Key::L);
    assert_eq!(tool(&window), Tool::Length);
}

#[test]
fn an_event_between_keys_changes_nothing_of_them() {
    let mut window = Window::reading(Language::En, SIZE, false);
    window.key(Key::W);
    window.say([Fact::Receipt(receipt())]);
    assert_eq!(tool(&window), Tool::Window);
}

fn receipt() -> dokuei::report::Receipt {
    dokuei::report::Receipt {
        report_id: "r-9".into(),
        version: 1,
        assignment_id: "a-9".into(),
        sha256: "00".into(),
        signer: "reader1".into(),
        received_at: crate::support::app::NOW,
        center: "C".into(),
        signature: String::new(),
    }
}

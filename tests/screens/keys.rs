//! Keys: what fires, what does not, and where they are told.

use super::{BOTH, Window};
use dokuei::app::{Language, Place, Screen};
use dokuei::engine::message::Event as Fact;
use dokuei::viewport::Tool;
use egui::{Event, ImeEvent, Key, Modifiers, Role};
use egui_kittest::kittest::{NodeT, Queryable, by};

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

fn press(at: egui::Pos2, pressed: bool) -> Event {
    Event::PointerButton { pos: at, button: egui::PointerButton::Primary, pressed, modifiers: Modifiers::NONE }
}

fn letter(key: Key) -> Event {
    Event::Key { key, physical_key: None, pressed: true, repeat: false, modifiers: Modifiers::NONE }
}

/// The middle of the report's first text field, and a place in the report without anything.
fn in_report(window: &Window) -> (egui::Pos2, egui::Pos2) {
    let field = window.h.get_all_by_role(Role::MultilineTextInput).next().expect("a field of the report").rect();
    let question = window.h.get_all_by_label(window.words.t("report.question")).next().expect("the question").rect();
    (field.center(), egui::pos2(field.right() - 4.0, question.center().y))
}

#[test]
fn letters_after_a_click_into_the_report_are_no_commands() {
    let mut window = Window::reading(Language::Ja, SIZE, false);
    let shown = |window: &Window| {
        let record = &window.app().reading.as_ref().expect("reading").record;
        (record.tool, record.views.iter().map(|v| v.view).collect::<Vec<_>>(), record.maximised)
    };
    let before = shown(&window);
    let (field, ground) = in_report(&window);
    for at in [field, ground] {
        // A slow screen: click and keys come in one and the same pass.
        let keys = [Key::U, Key::H, Key::I, Key::E].map(letter);
        window.h.input_mut().events.extend([Event::PointerMoved(at), press(at, true), press(at, false)]);
        window.h.input_mut().events.extend(keys);
        window.h.step();
        window.settle();
        assert_eq!(shown(&window), before);
    }
    // On the empty ground of the report nothing has the caret; a letter still means text.
    window.key(Key::L);
    assert_eq!(shown(&window), before);
    let picture = egui::pos2(400.0, 500.0);
    window.h.drag_at(picture);
    window.h.drop_at(picture);
    window.settle();
    window.key(Key::L);
    assert_eq!(tool(&window), Tool::Length, "a click on the pictures takes the keyboard back");
}

#[test]
fn tab_goes_between_pictures_and_report_and_nowhere_else() {
    for language in BOTH {
        let mut window = Window::reading(language, SIZE, false);
        let focused = |window: &Window| {
            let mut fields = window.h.query_all(by().predicate(|n| n.is_focused()));
            fields.next().map(|n| (n.accesskit_node().role(), n.rect()))
        };
        window.key(Key::Tab);
        let (role, first) = focused(&window).expect("the report's first field");
        assert_eq!(role, Role::MultilineTextInput);
        window.key(Key::Tab);
        let (_, second) = focused(&window).expect("the next field");
        assert!(second.top() > first.top());
        window.chord(Modifiers::SHIFT, Key::Tab);
        assert_eq!(focused(&window).map(|f| f.1), Some(first));
        window.chord(Modifiers::SHIFT, Key::Tab);
        window.settle();
        let back = focused(&window).map(|f| f.1);
        assert!(back.is_none_or(|r| r.left() >= first.left() - 200.0), "not into the bar: {back:?}");
        window.key(Key::Escape);
        window.key(Key::E);
        assert_eq!(tool(&window), Tool::Ellipse, "back on the pictures");
        window.key(Key::Tab);
        assert_eq!(focused(&window).map(|f| f.1), Some(first), "where the caret was last");
    }
}

#[test]
fn a_new_finding_has_the_caret_in_its_first_field() {
    let mut window = Window::reading(Language::Ja, SIZE, false);
    for number in 1..=2 {
        window.chord(Modifiers::COMMAND, Key::N);
        let field = window.h.get_all_by_label("部位").find(|n| n.is_focused()).expect("the caret in 部位");
        field.type_text(&format!("S{number}"));
        window.settle();
        let draft = window.app().report.as_ref().and_then(|r| r.draft()).expect("draft");
        let finding = draft.findings.last().expect("finding");
        assert_eq!(finding.fields.get("site").map(|v| v.as_text().to_owned()), Some(format!("S{number}")));
        assert_eq!(draft.findings.len(), number);
    }
}

#[test]
fn what_is_typed_last_is_kept_when_the_window_closes() {
    use dokuei::engine::message::Command;
    let mut window = Window::reading(Language::Ja, SIZE, false);
    window.key(Key::Tab);
    window.h.input_mut().events.push(Event::Text("終わり".into()));
    let root = window.h.input_mut().viewports.entry(egui::ViewportId::ROOT).or_default();
    root.events.push(egui::ViewportEvent::Close);
    window.h.step();
    // Still on its way through an input method.
    window.h.input_mut().events.push(Event::Text("です".into()));
    window.h.step();
    window.settle();
    let sent = window.engine.take_commands();
    let saved =
        sent.iter().rposition(|c| matches!(c, Command::SaveDraft(d) if d.text("purpose").contains("終わりです")));
    let down = sent.iter().position(|c| matches!(c, Command::Shutdown));
    assert!(saved.is_some() && saved < down, "saved, then closed: {saved:?} {down:?}");
    assert_eq!(sent.iter().filter(|c| matches!(c, Command::Shutdown)).count(), 1);
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

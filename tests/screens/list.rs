//! The worklist and what stands beside it.

use super::{BOTH, Window, scene};
use dokuei::app::{Language, Place, Screen};
use dokuei::engine::message::{Command, Transition};
use dokuei::worklist::ReturnReason;
use egui::{Key, Role};
use egui_kittest::kittest::{Queryable, by};

const SIZE: [f32; 2] = [1366.0, 768.0];

fn rows(window: &Window) -> Vec<String> {
    let mut rows: Vec<_> =
        window.h.query_all(by().role(Role::ListItem)).map(|n| (n.rect().top(), n.accesskit_node_label())).collect();
    rows.sort_by(|a, b| a.0.total_cmp(&b.0));
    rows.into_iter().map(|(_, label)| label).collect()
}

trait NodeLabel {
    fn accesskit_node_label(&self) -> String;
}

impl NodeLabel for egui_kittest::Node<'_> {
    fn accesskit_node_label(&self) -> String {
        use egui_kittest::kittest::NodeT;
        self.accesskit_node().label().unwrap_or_default()
    }
}

#[test]
fn the_most_urgent_stands_first_and_only_what_is_to_do() {
    for language in BOTH {
        let window = Window::signed_in(language, SIZE, false);
        let shown = rows(&window);
        assert!(shown[0].contains("鈴木"), "overdue first: {shown:?}");
        assert!(shown[1].contains("佐藤"));
        assert!(!shown.iter().any(|r| r.contains("Smith") || r.contains("加藤")), "sent and returned are elsewhere");
        assert_eq!(shown.len(), 8);
    }
}

#[test]
fn filters_and_search_find_kanji_kana_and_romaji() {
    let mut window = Window::signed_in(Language::Ja, SIZE, false);
    window.h.get_by_role_and_label(Role::RadioButton, "送信済").click();
    window.settle();
    assert!(rows(&window).iter().all(|r| r.contains("Smith")));
    window.h.get_by_role_and_label(Role::RadioButton, "未処理").click();
    window.settle();
    for (query, name) in [("鈴木", "鈴木"), ("ワタナベ", "渡辺"), ("ito", "伊藤"), ("青葉", "中村")] {
        window.key(Key::Slash);
        let field = window.h.get_by_role_and_label(Role::SearchInput, window.words.t("worklist.search"));
        assert!(field.is_focused(), "/ puts the caret into the search field");
        field.type_text(query);
        window.settle();
        assert!(rows(&window).iter().any(|r| r.contains(name)), "{query}: {:?}", rows(&window));
        assert!(rows(&window).len() < 8, "{query}");
        for _ in 0..query.chars().count() {
            window.key(Key::Backspace);
        }
        window.key(Key::Escape);
        assert_eq!(rows(&window).len(), 8, "after {query}");
    }
}

#[test]
fn the_search_keeps_its_caret_whatever_it_finds_and_says_how_much() {
    for language in BOTH {
        let mut window = Window::signed_in(language, SIZE, false);
        window.key(Key::Slash);
        let words = window.words;
        let field = |window: &Window| {
            let field = window.h.get_by_role_and_label(Role::SearchInput, words.t("worklist.search"));
            (field.is_focused(), field.value().unwrap_or_default())
        };
        for text in ["x", "q", "z"] {
            window.h.get_by_role_and_label(Role::SearchInput, words.t("worklist.search")).type_text(text);
            window.settle();
        }
        assert_eq!(rows(&window).len(), 0);
        assert_eq!(field(&window), (true, "xqz".to_owned()), "nothing is found, and the caret stays");
        window.h.get_by_label(&words.f("worklist.found", &[("n", &0), ("of", &8)]));
        for _ in 0..3 {
            window.key(Key::Backspace);
        }
        assert_eq!((rows(&window).len(), field(&window).0), (8, true), "all found again, and the caret stays");
        window.h.get_by_role_and_label(Role::SearchInput, words.t("worklist.search")).type_text("xq");
        window.settle();
        window.key(Key::Escape);
        assert_eq!((rows(&window).len(), field(&window).1), (8, String::new()), "Esc clears");
        window.key(Key::Slash);
        window.h.get_by_role_and_label(Role::SearchInput, words.t("worklist.search")).type_text("xq");
        window.settle();
        window.h.get_by_label(words.t("worklist.clear_search")).click();
        window.settle();
        assert_eq!((rows(&window).len(), field(&window).1), (8, String::new()));
    }
}

#[test]
fn keys_move_the_choice_and_open_it() {
    let mut window = Window::signed_in(Language::En, SIZE, false);
    assert_eq!(window.app().worklist.selected.as_deref(), Some("a-2"), "the most urgent is chosen at first");
    window.key(Key::ArrowDown);
    assert_eq!(window.app().worklist.selected.as_deref(), Some("a-3"));
    window.key(Key::ArrowUp);
    assert_eq!(window.app().worklist.selected.as_deref(), Some("a-2"));
    window.key(Key::Enter);
    assert_eq!(window.app().screen(), Screen::At(Place::Reading));
    let sent = window.engine.take_commands();
    assert!(sent.iter().any(
        |c| matches!(c, Command::Transition { assignment, transition: Transition::Start } if assignment == "a-2")
    ));
}

fn choose(window: &mut Window, patient: &str) {
    let at = window.row(patient).center();
    window.h.drag_at(at);
    window.h.drop_at(at);
    window.settle();
}

#[test]
fn the_request_stands_beside_its_row() {
    for language in BOTH {
        let mut window = Window::signed_in(language, [1920.0, 1080.0], false);
        choose(&mut window, "山田");
        window.h.get_by_label_contains("喫煙指数 600");
        window.h.get_by_label_contains("R-20261120-0031");
        window.h.get_by_label_contains("造影は副作用のため動脈相のみです。");
        let report = window.h.get_by_role_and_label(Role::DisclosureTriangle, "2025-10-02  CT 胸部 単純");
        report.click();
        window.settle();
        window.h.get_by_label_contains("9×7 mm の結節");
        window.h.get_by_role_and_label(Role::Button, window.words.t("request.start"));
        window.key(Key::Space);
        assert!(window.h.query_by_label_contains("喫煙指数 600").is_none(), "space folds it");
    }
}

#[test]
fn what_cannot_be_read_goes_back_with_its_reason() {
    for language in BOTH {
        let mut window = Window::signed_in(language, SIZE, false);
        choose(&mut window, "佐藤");
        window.h.get_by_role_and_label(Role::Button, window.words.t("request.cannot_read")).click();
        window.settle();
        assert!(window.app().worklist.return_dialog.is_some());
        window.picture(&format!("return-{}", language.as_str()));
        window.key(Key::ArrowDown);
        assert_eq!(window.app().worklist.selected.as_deref(), Some("a-3"), "the list below is covered");
        window.h.get_by_role_and_label(Role::RadioButton, window.words.t("return.image_unreadable")).click();
        window.settle();
        let text = window.h.get_by_role_and_label(Role::MultilineTextInput, window.words.t("return.text"));
        text.focus();
        window.settle();
        window.h.get_by_role_and_label(Role::MultilineTextInput, window.words.t("return.text")).type_text("体動が強い");
        window.settle();
        window.h.get_by_role_and_label(Role::Button, window.words.t("return.confirm")).click();
        window.settle();
        let sent = window.engine.take_commands();
        let returned = sent.iter().find_map(|c| match c {
            Command::Transition { assignment, transition: Transition::Return(reason, text) } => {
                Some((assignment.as_str(), *reason, text.as_str()))
            }
            _ => None,
        });
        assert_eq!(returned, Some(("a-3", ReturnReason::ImageUnreadable, "体動が強い")));
        assert!(window.app().worklist.return_dialog.is_none());
    }
}

#[test]
fn offline_and_outbox_are_always_told() {
    for language in BOTH {
        let mut window = Window::signed_in(language, SIZE, false);
        window.say([scene::link(false), scene::outbox()]);
        window.h.get_by_label(window.words.t("link.offline"));
        let outbox = format!("{} 2", window.words.t("bar.outbox"));
        window.h.get_by_role_and_label(Role::Button, &outbox).click();
        window.settle();
        assert_eq!(window.app().screen(), Screen::At(Place::Outbox));
        window.h.get_by_label_contains(window.words.t("outbox.state_wedged"));
        window.h.get_by_label_contains("Smith");
    }
}

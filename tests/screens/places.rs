//! Nothing is cut off, nothing lies on another: every screen at every size, in both languages.

use super::{BOTH, Window, scene};
use dokuei::app::Language;
use egui::{Rect, Role};
use egui_kittest::kittest::NodeT;

const SIZES: [[f32; 2]; 3] = [[1366.0, 768.0], [1920.0, 1080.0], [3840.0, 2160.0]];

const CONTROLS: [Role; 7] = [
    Role::Button,
    Role::TextInput,
    Role::PasswordInput,
    Role::SearchInput,
    Role::RadioButton,
    Role::ColumnHeader,
    Role::Heading,
];

/// Controls lie wholly inside the window, are large enough to hit, and do not lie on each other.
fn judge(window: &Window, what: &str, size: [f32; 2]) {
    let screen = Rect::from_min_size(egui::Pos2::ZERO, size.into());
    let mut seen: Vec<(String, Rect)> = Vec::new();
    for node in window.h.root().children_recursive() {
        let role = node.accesskit_node().role();
        if !CONTROLS.contains(&role) {
            continue;
        }
        let name = node.accesskit_node().label().unwrap_or_default();
        let rect = node.rect();
        let at = format!("{what} {size:?}: {role:?} {name:?} at {rect:?}");
        // What is scrolled out of sight is told to screen readers too.
        if inside_scroll(&node) {
            continue;
        }
        assert!(screen.expand(0.5).contains_rect(rect), "cut off: {at}");
        assert!(rect.height() >= 23.5 && rect.width() >= 20.0, "too small to hit: {at}");
        for (other, place) in &seen {
            let common = rect.intersect(*place);
            let overlap = common.is_positive() && common.width() > 1.0 && common.height() > 1.0;
            assert!(!overlap, "on top of {other} {place:?}: {at}");
        }
        seen.push((name, rect));
    }
    assert!(!seen.is_empty(), "{what}: nothing to judge");
}

fn inside_scroll(node: &egui_kittest::Node<'_>) -> bool {
    let mut up = node.accesskit_node().parent();
    while let Some(parent) = up {
        if parent.role() == Role::ScrollView {
            return true;
        }
        up = parent.parent();
    }
    false
}

fn each(what: &str, make: impl Fn(Language, [f32; 2]) -> Window) {
    for size in SIZES {
        for language in BOTH {
            let mut window = make(language, size);
            judge(&window, what, size);
            if size[0] > 1400.0 || std::env::var_os("DOKUEI_SCREENS_SMALL").is_some() {
                window.picture(&format!("{what}-{}-{}", language.as_str(), size[0]));
            }
        }
    }
}

#[test]
fn sign_in_fits() {
    each("sign-in", |language, size| {
        let mut window = Window::new(language, size);
        window.say([scene::ready(), scene::link(true)]);
        window
    });
}

#[test]
fn the_worklist_fits() {
    each("worklist", |language, size| {
        let mut window = Window::signed_in(language, size, false);
        let study = scene::study("1.2.3", 2026, "胸腹部 造影");
        let mri = scene::study("1.2.9.2", 2026, "脳");
        window.say([
            dokuei::engine::message::Event::Study(study.clone()),
            scene::progress(&study, true),
            dokuei::engine::message::Event::Study(mri.clone()),
            scene::progress(&mri, false),
        ]);
        window.key(egui::Key::ArrowDown);
        window.key(egui::Key::ArrowDown);
        window.key(egui::Key::ArrowDown);
        window
    });
}

#[test]
fn the_reading_window_fits() {
    let device = std::env::var_os("DOKUEI_SCREENS").is_some();
    each("reading", move |language, size| Window::reading(language, size, device));
}

#[test]
fn the_outbox_fits() {
    each("outbox", |language, size| {
        let mut window = Window::signed_in(language, size, false);
        window.say([scene::outbox()]);
        window.key(egui::Key::F3);
        window
    });
}

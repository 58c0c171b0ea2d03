//! What stands in a window of ours, by its words, and a hand that writes into its fields.

use super::process::{DEADLINE, look_for, wait_for};
use super::reader::{Role, Widget};
use super::window::{Button, Desktop, Window};
use std::time::{Duration, Instant};

/// The text of every widget that stands on the screen, in reading order.
pub fn words(desktop: &Desktop) -> Vec<String> {
    desktop
        .widgets()
        .into_iter()
        .filter(|w| w.place.is_some())
        .flat_map(|w| [Some(w.name), w.text].into_iter().flatten())
        .filter(|text| !text.is_empty())
        .collect()
}

/// Waits for a text on the screen that contains `part`, and gives it.
#[track_caller]
pub fn read(desktop: &Desktop, part: &str) -> String {
    let found = look_for(|| words(desktop).into_iter().find(|text| text.contains(part)));
    let Some(found) = found else {
        panic!("«{part}» does not stand on the screen, which says:\n{:#?}", words(desktop))
    };
    found
}

/// Waits for what the screen shows, and says at the end what it shows instead.
#[track_caller]
pub fn shows(desktop: &Desktop, what: &str, mut holds: impl FnMut() -> bool) {
    let held = look_for(|| holds().then_some(())).is_some();
    assert!(held, "{what}: not on the screen, which says:\n{:#?}", desktop.widgets());
}

/// Text fields of a name, from top to bottom.
pub fn fields(desktop: &Desktop, name: &str) -> Vec<Widget> {
    let is_field = |w: &Widget| matches!(w.role, Role::Entry | Role::Password) || w.text.is_some();
    desktop.widgets().into_iter().filter(|w| is_field(w) && w.name == name && w.place.is_some()).collect()
}

/// Puts the caret into the `nth` text field of this name.
#[track_caller]
pub fn caret(desktop: &Desktop, window: &Window<'_>, name: &str, nth: usize) {
    let focused = || fields(desktop, name).get(nth).is_some_and(|f| f.focused);
    // The report may still be scrolling to the field: a click where it was is made again where it is.
    for _ in 0..3 {
        let field = wait_for(&format!("the field «{name}»"), || fields(desktop, name).into_iter().nth(nth));
        let (x, y) = field.middle();
        window.click(x, y, Button::Left);
        let start = Instant::now();
        while !focused() && start.elapsed() < DEADLINE / 6 {
            std::thread::sleep(Duration::from_millis(100));
        }
        if focused() {
            return;
        }
    }
    shows(desktop, &format!("the caret in «{name}»"), || fields(desktop, name).get(nth).is_some_and(|f| f.focused));
}

/// Writes into the `nth` field of this name, in place of what is there, by what `hand` does; sees `fits` hold for it.
#[track_caller]
pub fn put(
    desktop: &Desktop,
    window: &Window<'_>,
    (name, nth): (&str, usize),
    hand: impl Fn(),
    fits: impl Fn(Role, &str) -> bool,
) {
    let now = || fields(desktop, name).into_iter().nth(nth).and_then(|field| Some((field.role, field.text?)));
    for attempt in 0..3 {
        if attempt > 0 {
            println!("«{name}»: something typed was lost on the way, once more");
        }
        caret(desktop, window, name, nth);
        // Emptied first, and seen empty: what stood there may be the same text.
        shows(desktop, &format!("an empty field «{name}»"), || {
            let empty = now().is_some_and(|(_, shown)| shown.is_empty());
            if !empty {
                window.key("ctrl+a");
                window.key("BackSpace");
            }
            empty
        });
        hand();
        // On X11 a key may fall into the moment in which winit changes its input context. So if what stands there
        // has come to rest and is something else, once more.
        let (mut last, mut since) = (now(), Instant::now());
        while since.elapsed() < DEADLINE / 6 {
            if last.as_ref().is_some_and(|(role, shown)| fits(*role, shown)) {
                return;
            }
            std::thread::sleep(Duration::from_millis(50));
            let look = now();
            if look != last {
                (last, since) = (look, Instant::now());
            }
        }
    }
    panic!("what was typed does not stand in «{name}»: {:#?}", fields(desktop, name));
}

/// Writes Latin text.
#[track_caller]
pub fn write(desktop: &Desktop, window: &Window<'_>, name: &str, nth: usize, text: &str) {
    // A password shows a dot for each character.
    let fits = |role: Role, shown: &str| {
        shown == text || (role == Role::Password && shown.chars().count() == text.chars().count())
    };
    put(desktop, window, (name, nth), || window.type_text(text), fits);
}

/// What stands in the `nth` text field of this name.
pub fn text(desktop: &Desktop, name: &str, nth: usize) -> String {
    fields(desktop, name).into_iter().nth(nth).and_then(|field| field.text).unwrap_or_default()
}

/// Strikes a key that brings about what `holds` sees, and does nothing where that is so already. Up to three times: on X11 a
/// key may fall into the moment in which winit changes its input context.
#[track_caller]
pub fn strike(desktop: &Desktop, window: &Window<'_>, key: &str, what: &str, holds: impl Fn() -> bool) {
    for attempt in 0..3 {
        if attempt > 0 {
            println!("the key {key} was lost on the way, once more");
        }
        window.key(key);
        let start = Instant::now();
        while start.elapsed() < DEADLINE / 6 {
            if holds() {
                return;
            }
            std::thread::sleep(Duration::from_millis(50));
        }
    }
    shows(desktop, what, holds);
}

/// At the worklist, by keys alone: to the search field, back to the list and into its first study.
#[track_caller]
pub fn open_first(desktop: &Desktop, window: &Window<'_>) {
    let searching = || desktop.widgets().iter().any(|w| w.name.starts_with("検索") && w.focused);
    strike(desktop, window, "slash", "the caret in the search field", searching);
    strike(desktop, window, "Down", "the caret out of the search field", || !searching());
    window.key("Return");
}

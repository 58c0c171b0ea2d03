//! A real Japanese input method in the real window: the field that gets the caret gets the input method too,
//! and again when the caret comes back.

use crate::support::process::wait_until;
use crate::support::reader::Widget;
use crate::support::window::{Button, Desktop, Typing};
use dokuei::app::Language;
use dokuei::ui::text::Words;
use std::time::{Duration, Instant};

#[test]
fn a_field_that_gets_the_caret_gets_the_input_method() {
    let words = Words(Language::Ja);
    let desktop = Desktop::start(1280, 800, Typing::Japanese);
    let mut program = desktop.command(env!("CARGO_BIN_EXE_dokuei"));
    // Under the desktop's own locale: one that is not installed would leave Xlib without Japanese.
    program.arg("--profile").arg(desktop.folder().join("profile"));
    let program = desktop.launch(program);
    let window = desktop.window("Dokuei");
    let field = |name: &'static str| -> Option<Widget> {
        let name = words.t(name);
        desktop.widgets().into_iter().find(|w| w.name == name && w.text.is_some() && w.place.is_some())
    };
    let focused = |name| field(name).is_some_and(|w| w.focused);
    // This desktop has no keyring that opens, so a passphrase comes first. Switching the input method waits until
    // it has a text field to switch for, which is what is tried here.
    wait_until("the passphrase screen", || focused("passphrase.phrase"));
    // X11 hands a field its input method in the background; a key pressed in that moment can be lost (a known
    // weakness of the toolkit). A person sees that and types again, and so does this test, a few times at most.
    again("the enrolment screen", || {
        for (name, next) in [("passphrase.phrase", "Tab"), ("passphrase.again", "Return")] {
            if let Some(place) = field(name).map(|w| w.middle()) {
                window.click(place.0, place.1, Button::Left);
            }
            if !soon(|| focused(name)) {
                return false;
            }
            desktop.japanese(false);
            window.key("ctrl+a");
            window.type_text("a long passphrase");
            window.key(next);
        }
        soon(|| field("enrol.path").is_some())
    });
    let middle = field("enrol.path").expect("it is there").middle();
    for (typed, word) in [("kessetsu", "結節"), ("haien", "肺炎")] {
        again("the committed word", || {
            window.click(middle.0, middle.1, Button::Left);
            if !soon(|| focused("enrol.path")) {
                return false;
            }
            desktop.japanese(false);
            window.key("ctrl+a");
            window.key("BackSpace");
            desktop.japanese(true);
            window.type_text(typed);
            window.key("space");
            window.key("Return");
            soon(|| field("enrol.path").and_then(|w| w.text).as_deref() == Some(word))
        });
        // Away, where no text is: the input method goes with the caret.
        window.click(40, 40, Button::Left);
        wait_until("no caret", || !focused("enrol.path"));
    }
    drop(program);
}

/// Whether it holds within some seconds.
fn soon(mut holds: impl FnMut() -> bool) -> bool {
    let begin = Instant::now();
    while begin.elapsed() < Duration::from_secs(12) {
        if holds() {
            return true;
        }
        std::thread::sleep(Duration::from_millis(100));
    }
    false
}

/// Tries a few times.
fn again(what: &str, mut attempt: impl FnMut() -> bool) {
    assert!((0..6).any(|_| attempt()), "{what} did not come in six attempts");
}

//! What differs from system to system, each piece behind one small function.

#[cfg(target_os = "linux")]
mod x11;

use crate::app::Language;

/// Sees to it that a text field that gets the caret also gets the input method.
#[derive(Debug, Default)]
pub struct InputMethod {
    #[cfg(target_os = "linux")]
    focus: x11::Refocus,
    /// A text field has the caret.
    wanted: bool,
    /// Something may be composed.
    composing: bool,
    /// The switch is on its way.
    toggled: bool,
}

impl InputMethod {
    /// After the screen was drawn: notes whether the input method is about to be switched.
    pub fn after_pass(&mut self, ctx: &egui::Context) {
        let composing = ctx.input(|i| {
            i.events.iter().fold(self.composing, |before, event| match event {
                // On X11 an empty one also says that a composition begins: its text stands in a window of its own.
                egui::Event::Ime(egui::ImeEvent::Preedit { .. }) => true,
                egui::Event::Ime(egui::ImeEvent::Commit(_)) => false,
                _ => before,
            })
        });
        self.composing = composing;
        if cfg!(target_os = "linux") && !composing {
            // egui interrupts whenever the caret goes to another field. On X11 that makes a new input context, and
            // keys on their way to the old one are lost: only where there is something to interrupt.
            ctx.output_mut(|o| {
                if let Some(ime) = &mut o.ime {
                    ime.should_interrupt_composition = false;
                }
            });
        }
        let (wanted, interrupted) =
            ctx.output(|o| (o.ime.is_some(), o.ime.is_some_and(|ime| ime.should_interrupt_composition)));
        if wanted != self.wanted || interrupted {
            self.wanted = wanted;
            self.composing = false;
            self.toggled = true;
            ctx.request_repaint();
        }
    }

    /// Before the next one, when the switch is on its way: X11 forgets to give the new input context the focus
    /// (winit 0.30); Wayland, Windows and macOS need nothing.
    pub fn before_pass(&mut self, frame: &eframe::Frame) {
        if !std::mem::take(&mut self.toggled) {
            return;
        }
        #[cfg(target_os = "linux")]
        if let Some(window) = frame.winit_window() {
            self.focus.give(u64::from(window.id()));
        }
        #[cfg(not(target_os = "linux"))]
        let _ = frame;
    }
}

/// The system's language, from the environment; Japanese where it says nothing.
pub fn system_language() -> Language {
    let names = ["LC_ALL", "LC_MESSAGES", "LANG"];
    let set = names.iter().filter_map(|name| std::env::var(name).ok()).find(|value| !value.is_empty());
    language_of(set.as_deref())
}

fn language_of(locale: Option<&str>) -> Language {
    match locale {
        // `C` and `POSIX` are no choice of a person.
        None | Some("C" | "POSIX") => Language::Ja,
        Some(name) if name.starts_with("ja") || name.starts_with("C.") => Language::Ja,
        Some(_) => Language::En,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn languages_of_locales() {
        assert_eq!(language_of(Some("ja_JP.UTF-8")), Language::Ja);
        assert_eq!(language_of(Some("en_US.UTF-8")), Language::En);
        assert_eq!(language_of(Some("de_DE.UTF-8")), Language::En);
        for silent in [None, Some("C"), Some("C.UTF-8"), Some("POSIX")] {
            assert_eq!(language_of(silent), Language::Ja);
        }
    }
}

//! What differs from system to system, each piece behind one small function.

#[cfg(target_os = "linux")]
mod x11;

use crate::app::Language;

/// Sees to it that a text field that gets the caret also gets the input method.
#[derive(Debug, Default)]
pub struct InputMethod {
    #[cfg(target_os = "linux")]
    server: x11::Server,
    /// A text field has the caret.
    wanted: bool,
    /// Something may be composed.
    composing: bool,
    /// The switch is on its way.
    toggled: bool,
    /// What the last screen said of the field that has the caret.
    told: Option<egui::output::IMEOutput>,
}

impl InputMethod {
    /// Before a pass: says again what the last screen said.
    ///
    /// When a screen frame is overdue or the window is hidden, eframe lets the program think without drawing. A pass
    /// that says nothing of a field would then switch the input method off in the middle of a word.
    pub fn hold(&self, ctx: &egui::Context) {
        let told = self.told.map(|ime| egui::output::IMEOutput { should_interrupt_composition: false, ..ime });
        ctx.output_mut(|o| o.ime = told);
    }

    /// The screen is about to be drawn: it says itself which field has the caret.
    pub fn release(&self, ctx: &egui::Context) {
        if self.told.is_some() {
            ctx.output_mut(|o| o.ime = None);
        }
    }

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
        self.told = ctx.output(|o| o.ime);
        let (wanted, interrupted) =
            (self.told.is_some(), self.told.is_some_and(|ime| ime.should_interrupt_composition));
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
            self.server.refocus(u64::from(window.id()));
        }
        #[cfg(not(target_os = "linux"))]
        let _ = frame;
    }
}

/// Sees to it that one notch of a wheel is one.
///
/// Where wheels turn by buttons, winit 0.30 tells a notch at the press and again at the release.
#[derive(Debug, Default)]
pub struct Wheels {
    #[cfg(target_os = "linux")]
    server: x11::Server,
    /// Whether wheels turn by buttons, and when the server was asked, seconds.
    buttons: Option<(bool, f64)>,
    /// A notch told at the press, whose release is still to come.
    pressed: Option<egui::Vec2>,
}

/// Seconds after which the server is asked again: a mouse may have been plugged in.
const ASK_AGAIN_S: f64 = 10.0;

impl Wheels {
    /// Takes the second half of each notch out of what is about to be processed.
    ///
    /// `now` is egui's time, seconds.
    pub fn before_input(&mut self, events: &mut Vec<egui::Event>, now: f64) {
        if !events.iter().any(|event| notch(event).is_some()) {
            return;
        }
        let known = self.buttons.filter(|(_, asked)| (0.0..ASK_AGAIN_S).contains(&(now - asked)));
        let known = known.unwrap_or_else(|| (self.ask(), now));
        self.buttons = Some(known);
        let (buttons, _) = known;
        if buttons {
            halve(events, &mut self.pressed);
        } else {
            self.pressed = None;
        }
    }

    #[cfg(target_os = "linux")]
    fn ask(&mut self) -> bool {
        self.server.wheels_are_buttons()
    }

    #[cfg(not(target_os = "linux"))]
    #[expect(clippy::unused_self, reason = "the other system's has a server to ask")]
    fn ask(&mut self) -> bool {
        false
    }
}

/// A whole notch, as a button makes it.
fn notch(event: &egui::Event) -> Option<egui::Vec2> {
    match event {
        egui::Event::MouseWheel { unit: egui::MouseWheelUnit::Line, delta, .. }
            if (delta.x.abs() + delta.y.abs() - 1.0).abs() < f32::EPSILON =>
        {
            Some(*delta)
        }
        _ => None,
    }
}

/// Drops the release of each notch; press and release may come in different frames.
fn halve(events: &mut Vec<egui::Event>, pressed: &mut Option<egui::Vec2>) {
    events.retain(|event| match notch(event) {
        Some(delta) if *pressed == Some(delta) => {
            *pressed = None;
            false
        }
        Some(delta) => {
            *pressed = Some(delta);
            true
        }
        None => true,
    });
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

    fn turn(y: f32) -> egui::Event {
        egui::Event::MouseWheel {
            unit: egui::MouseWheelUnit::Line,
            delta: egui::vec2(0.0, y),
            phase: egui::TouchPhase::Move,
            source: egui::MouseWheelSource::Unknown,
            modifiers: egui::Modifiers::NONE,
        }
    }

    #[test]
    fn press_and_release_of_a_notch_are_one() {
        let mut pressed = None;
        let mut frame = |turns: &[f32]| {
            let mut events: Vec<_> = turns.iter().map(|y| turn(*y)).collect();
            halve(&mut events, &mut pressed);
            events.len()
        };
        assert_eq!(frame(&[-1.0, -1.0]), 1);
        assert_eq!(frame(&[-1.0]), 1, "the press");
        assert_eq!(frame(&[-1.0, 1.0]), 1, "its release, and the press of the other way");
        assert_eq!(frame(&[1.0, 1.0, 1.0, 1.0, 1.0]), 2, "the release, and two notches");
        // What no button makes stays.
        assert_eq!(frame(&[0.25, 3.0, -0.5]), 3);
    }

    #[test]
    fn a_pass_without_a_screen_keeps_the_input_method_on() {
        let ctx = egui::Context::default();
        let mut method = InputMethod::default();
        let mut text = String::new();
        let mut pass = |method: &mut InputMethod, caret: bool| {
            let mut output = ctx.run_ui(egui::RawInput::default(), |ui| {
                method.hold(ui.ctx());
                method.release(ui.ctx());
                let field = ui.text_edit_singleline(&mut text);
                if caret {
                    field.request_focus();
                } else {
                    field.surrender_focus();
                }
                method.after_pass(ui.ctx());
            });
            output.textures_delta.clear();
            output.platform_output.ime.is_some()
        };
        let thought = |method: &InputMethod| {
            let output = ctx.run_logic(&egui::RawInput::default(), |ctx| method.hold(ctx));
            output.platform_output.ime.is_some()
        };
        assert!(!thought(&method), "no field has the caret");
        pass(&mut method, true);
        assert!(pass(&mut method, true), "the field says so");
        assert!(thought(&method), "and it holds while nothing is drawn");
        pass(&mut method, false);
        assert!(!pass(&mut method, false), "only the screen says that it lost the caret");
        assert!(!thought(&method));
    }

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

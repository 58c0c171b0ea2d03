//! From egui's events to named keys. Nothing fires while text is composed, in a text field, or under a dialog.

use super::hands::{Hands, Region};
use super::ime;
use crate::app::{Action, App, Chord, Intent, Key};
use egui::{Context, Event, PointerButton, Pos2};

/// The chord of a key press; `None` for keys that have no name here.
pub fn chord(key: egui::Key, modifiers: egui::Modifiers) -> Option<Chord> {
    use egui::Key as K;
    let named = match key {
        K::ArrowDown => Key::Down,
        K::ArrowUp => Key::Up,
        K::ArrowLeft => Key::Left,
        K::ArrowRight => Key::Right,
        K::Escape => Key::Escape,
        K::Tab => Key::Tab,
        K::Enter => Key::Enter,
        K::Space => Key::Space,
        K::Delete => Key::Delete,
        K::Home => Key::Home,
        K::End => Key::End,
        K::PageUp => Key::PageUp,
        K::PageDown => Key::PageDown,
        K::Plus => Key::Char('+'),
        other => {
            let name = other.symbol_or_name();
            let function = name.strip_prefix('F').and_then(|n| n.parse::<u8>().ok());
            let mut characters = name.chars();
            match (function, characters.next(), characters.next()) {
                (Some(n @ 1..=12), _, _) => Key::F(n),
                (_, Some(c), None) => Key::Char(c.to_ascii_uppercase()),
                _ => return None,
            }
        }
    };
    Some(Chord { ctrl: modifiers.command || modifiers.ctrl, alt: modifiers.alt, shift: modifiers.shift, key: named })
}

/// Held down, these go on; all others happen once.
fn repeats(intent: Intent) -> bool {
    matches!(
        intent,
        Intent::NextSlice
            | Intent::PreviousSlice
            | Intent::PageDown
            | Intent::PageUp
            | Intent::SelectNext
            | Intent::SelectPrevious
            | Intent::Undo
            | Intent::Redo
    )
}

/// What the keyboard meant in this pass.
#[derive(Debug, Default)]
pub struct Keys {
    /// Intents, in order.
    pub intents: Vec<Intent>,
    /// Chords pressed, in order, whatever they mean (for choosing keys).
    pub chords: Vec<Chord>,
}

/// What happened, in order.
enum Struck {
    Press(Pos2),
    Key(Chord, bool),
}

/// Keys that write something, or press what has the focus: no commands where a text is meant.
fn single(chord: Chord) -> bool {
    !chord.ctrl && !chord.alt && matches!(chord.key, Key::Char(_) | Key::Space | Key::Delete)
}

/// Reads the keyboard. `covered`: a dialog of `ui`'s own has it; then only chords are told.
pub fn keys(ctx: &Context, app: &App, covered: bool, hands: &mut Hands, out: &mut Vec<Action>) -> Keys {
    let mut keys = Keys::default();
    hands.begin();
    let composing = ime::composing(ctx);
    if composing != app.input.composing {
        out.push(Action::Composing(composing));
    }
    let text_focus = ctx.text_edit_focused();
    if text_focus != app.input.text_focus {
        out.push(Action::TextFocus(text_focus));
    }
    let touched = ctx.input(|i| !i.events.is_empty());
    // Once a second is enough to hold the lock off.
    if touched && app.now.duration_since(app.last_input).as_secs() >= 1 {
        out.push(Action::Input);
    }
    // The composition counts from before this pass to its end: the key that confirms it is the input method's.
    if composing || app.input.composing {
        return keys;
    }
    let struck: Vec<Struck> = ctx.input(|i| {
        let press = |event: &Event| match event {
            Event::Key { key, pressed: true, repeat, modifiers, .. } => {
                chord(*key, *modifiers).map(|c| Struck::Key(c, *repeat))
            }
            Event::PointerButton { pos, button: PointerButton::Primary, pressed: true, .. } => {
                Some(Struck::Press(*pos))
            }
            _ => None,
        };
        i.events.iter().filter_map(press).collect()
    });
    // Under a dialog neither report nor pictures are touched.
    let dialog = covered || app.modal();
    let something_focused = ctx.memory(|m| m.focused().is_some());
    for struck in struck {
        let (chord, repeat) = match struck {
            Struck::Press(at) => {
                if !dialog {
                    hands.press(ctx, at);
                }
                continue;
            }
            Struck::Key(chord, repeat) => (chord, repeat),
        };
        keys.chords.push(chord);
        if covered {
            continue;
        }
        // Enter and Space press the button that has the focus.
        let plain = !chord.ctrl && !chord.alt;
        if something_focused && plain && matches!(chord.key, Key::Enter | Key::Space) {
            continue;
        }
        // The field may have got or lost the caret in this very pass.
        if text_focus && !app.input.text_focus && plain && !matches!(chord.key, Key::F(_) | Key::Escape) {
            continue;
        }
        if single(chord) && !dialog && hands.writes() {
            continue;
        }
        if hands.region == Region::Report && !dialog {
            match chord.key {
                Key::Escape => hands.region = Region::Pictures,
                // From one field to the next; out of the last one the hand comes back to the pictures.
                Key::Tab if something_focused => continue,
                _ => {}
            }
        }
        if let Some(intent) = app.intent_for(chord).filter(|i| !repeat || repeats(*i)) {
            keys.intents.push(intent);
            match intent {
                Intent::NewFinding | Intent::SwitchFocus => hands.region = Region::Report,
                Intent::FocusSearch => hands.expect_caret(),
                _ => {}
            }
            // The key meant something here: egui must not move the focus by it.
            if matches!(chord.key, Key::Up | Key::Down | Key::Left | Key::Right | Key::Tab) {
                ctx.memory_mut(|m| m.move_focus(egui::FocusDirection::None));
            }
        }
    }
    keys
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_delivered_key_can_be_typed() {
        let can: Vec<Chord> = egui::Key::ALL
            .iter()
            .flat_map(|key| {
                let shift = egui::Modifiers { shift: true, ..Default::default() };
                let ctrl = egui::Modifiers { ctrl: true, command: true, ..Default::default() };
                [egui::Modifiers::NONE, shift, ctrl, ctrl | shift].map(|m| chord(*key, m))
            })
            .flatten()
            .collect();
        for (_, wanted, intent) in crate::app::Keymap::default().bindings() {
            assert!(can.contains(wanted), "{wanted} for {intent:?}");
        }
    }
}

//! Which part of the reading window has the hand: where a plain key goes while no field has the caret.
//!
//! egui moves the focus only while it draws, after the keys of the pass were read. So the presses of this very pass
//! are looked at here, against where report and text fields lay when they were last drawn.

use egui::{Context, Event, Id, Key, PointerButton, Pos2, Rect, Response};

/// What the reader touched last.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Region {
    /// The pictures, their bar, the series: single keys are for them.
    #[default]
    Pictures,
    /// The report: a letter is meant as text, wherever the caret is.
    Report,
}

/// The hand, from pass to pass.
#[derive(Debug, Default)]
pub struct Hands {
    /// What was touched last.
    pub region: Region,
    /// Where the report panel lay when it was last drawn.
    pub report: Option<Rect>,
    /// In this pass a text field was pressed, or asked to have the caret.
    field: bool,
    /// What had the focus after the pass before.
    focused: Option<Id>,
}

impl Hands {
    /// A new pass begins.
    pub(super) fn begin(&mut self) {
        self.field = false;
    }

    /// The primary button went down.
    pub(super) fn press(&mut self, ctx: &Context, at: Pos2) {
        let report = self.report.is_some_and(|r| r.contains(at));
        self.region = if report { Region::Report } else { Region::Pictures };
        self.field = fields(ctx).iter().any(|r| r.contains(at));
    }

    /// A field is about to get the caret.
    pub(super) fn expect_caret(&mut self) {
        self.field = true;
    }

    /// A letter struck now belongs to a text.
    pub(super) fn writes(&self) -> bool {
        self.field || self.region == Region::Report
    }

    /// After drawing: a field of the report that got the caret brings the hand there; a focus that Tab carried out of the report goes back to the pictures instead.
    pub(super) fn end(&mut self, ctx: &Context) {
        let focused = ctx.memory(egui::Memory::focused);
        let moved = std::mem::replace(&mut self.focused, focused) != focused;
        let (Some(report), Some(id), true) = (self.report, focused, moved) else { return };
        // What is scrolled out of sight has no place on the screen; it is the report's all the same.
        let place = ctx.read_response(id).map(|r| r.interact_rect).filter(|r| r.is_positive());
        if place.is_none_or(|r| r.intersects(report)) {
            self.region = Region::Report;
        } else if self.region == Region::Report {
            ctx.memory_mut(|m| m.surrender_focus(id));
            self.focused = None;
            self.region = Region::Pictures;
        }
    }
}

#[derive(Debug, Clone, Default)]
struct Fields {
    pass: u64,
    rects: Vec<Rect>,
}

fn key() -> Id {
    Id::unique("dokuei.text_fields")
}

/// Tells that a text field lies here.
pub fn note_field(response: &Response) {
    let pass = response.ctx.cumulative_pass_nr();
    let rect = response.interact_rect;
    response.ctx.data_mut(|d| {
        let fields: &mut Fields = d.get_temp_mut_or_default(key());
        if fields.pass != pass {
            *fields = Fields { pass, rects: Vec::new() };
        }
        fields.rects.push(rect);
    });
}

/// Text fields of the pass before this one.
fn fields(ctx: &Context) -> Vec<Rect> {
    let pass = ctx.cumulative_pass_nr();
    let known: Fields = ctx.data(|d| d.get_temp(key())).unwrap_or_default();
    if known.pass + 1 >= pass { known.rects } else { Vec::new() }
}

/// Keys struck after a press, or after a key that moves the caret, in one and the same pass: the widgets learn of the
/// new focus only while they are drawn, so what follows waits for the next pass, in its order.
#[derive(Debug, Default)]
pub struct Held(Vec<Event>);

impl Held {
    /// Nothing waits.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Adds what waited and then what is `fresh` to `events`, which no pass has taken yet, and holds back what must
    /// wait now. True if anything waits.
    pub fn before_input(&mut self, events: &mut Vec<Event>, fresh: Vec<Event>) -> bool {
        events.append(&mut self.0);
        events.extend(fresh);
        let moves = |event: &Event| match event {
            Event::PointerButton { button: PointerButton::Primary, pressed: true, .. } => true,
            Event::Key { key, pressed: true, modifiers, .. } => {
                modifiers.ctrl || modifiers.command || matches!(key, Key::Tab | Key::Escape)
            }
            _ => false,
        };
        let moved = events.iter().position(moves);
        // What a press does is known only when it is drawn: a chord behind it waits too, or Ctrl+Enter would come before
        // the choice that was clicked. Behind a key further chords pass: they write nothing, and held down they would
        // pile up.
        let pressed = moved.and_then(|at| events.get(at)).is_some_and(|e| matches!(e, Event::PointerButton { .. }));
        let writes = |event: &Event| match event {
            Event::Key { pressed: true, modifiers, .. } => pressed || !(modifiers.ctrl || modifiers.command),
            Event::Text(_) | Event::Ime(_) | Event::Paste(_) => true,
            _ => false,
        };
        let after = moved.and_then(|at| events.iter().skip(at + 1).position(writes).map(|n| at + 1 + n));
        if let Some(at) = after {
            self.0 = events.split_off(at);
        }
        !self.0.is_empty()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use egui::{Modifiers, pos2};

    fn key(key: Key, modifiers: Modifiers) -> Event {
        Event::Key { key, physical_key: None, pressed: true, repeat: false, modifiers }
    }

    fn button(pressed: bool) -> Event {
        let button = PointerButton::Primary;
        Event::PointerButton { pos: pos2(1.0, 2.0), button, pressed, modifiers: Modifiers::NONE }
    }

    #[test]
    fn what_is_typed_after_a_press_comes_in_a_pass_of_its_own() {
        let mut held = Held::default();
        let typed = [key(Key::U, Modifiers::NONE), Event::Text("u".into())];
        let mut first = vec![];
        let fresh = [button(true), button(false)].into_iter().chain(typed.clone()).collect();
        assert!(held.before_input(&mut first, fresh));
        assert_eq!(first, [button(true), button(false)]);
        let mut second = vec![];
        assert!(!held.before_input(&mut second, vec![Event::Text("n".into())]));
        assert_eq!(second, [typed[0].clone(), typed[1].clone(), Event::Text("n".into())], "in its order");
    }

    #[test]
    fn a_chord_comes_after_what_was_clicked_before_it() {
        let mut held = Held::default();
        let chord = key(Key::Enter, Modifiers::CTRL);
        let mut first = vec![];
        assert!(held.before_input(&mut first, vec![button(true), button(false), chord.clone()]));
        assert_eq!(first, [button(true), button(false)]);
        let mut second = vec![];
        assert!(!held.before_input(&mut second, vec![]));
        assert_eq!(second, [chord]);
    }

    #[test]
    fn a_key_that_moves_the_caret_stands_alone() {
        let mut held = Held::default();
        let mut events = vec![];
        let fresh = vec![key(Key::N, Modifiers::CTRL), key(Key::S, Modifiers::NONE), Event::Text("s".into())];
        assert!(held.before_input(&mut events, fresh));
        assert_eq!(events, [key(Key::N, Modifiers::CTRL)]);
        let mut events = vec![];
        assert!(held.before_input(&mut events, vec![key(Key::Tab, Modifiers::NONE), key(Key::S, Modifiers::NONE)]));
        assert_eq!(events.len(), 3, "the S that waited and its text, then Tab");
        let mut events = vec![];
        assert!(!held.before_input(&mut events, vec![]), "nothing waits for ever");
    }

    #[test]
    fn a_pass_that_takes_nothing_changes_no_order() {
        let mut held = Held::default();
        let typed = key(Key::U, Modifiers::NONE);
        let mut events = vec![];
        assert!(held.before_input(&mut events, vec![button(true), button(false), typed.clone()]));
        // No pass took the press: it is still there, and the key still behind it.
        let later = Event::Text("n".into());
        assert!(held.before_input(&mut events, vec![later.clone()]));
        assert_eq!(events, [button(true), button(false)]);
        let mut events = vec![];
        assert!(!held.before_input(&mut events, vec![]));
        assert_eq!(events, [typed, later]);
    }
}

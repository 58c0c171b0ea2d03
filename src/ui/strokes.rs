//! Presses and releases over one widget, from the raw events of each screen frame.
//!
//! egui answers from where the pointer is at the end of a frame: a drag that begins and ends within one slow frame
//! is neither a drag nor a click to it, and what the hand does between the last look and the release is lost. The
//! events have all of it.

use egui::{Event, PointerButton, Pos2, Response, Ui};

/// Buttons that are followed, by number.
pub(super) const BUTTONS: [PointerButton; 3] =
    [PointerButton::Primary, PointerButton::Secondary, PointerButton::Middle];

/// A button that went down over the widget and is still down.
#[derive(Debug, Clone, Copy, PartialEq)]
struct Down {
    origin: Pos2,
    last: Pos2,
    /// It has been too far from the origin for a click.
    far: bool,
    /// egui saw a drag in it.
    seen: bool,
}

/// A button that went up, in points.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Ended {
    /// Place in [`BUTTONS`].
    pub button: usize,
    /// Where it went down.
    pub origin: Pos2,
    /// Where it went up.
    pub end: Pos2,
    /// A drag that egui never saw.
    pub unseen_drag: bool,
}

/// What is held down over one widget.
#[derive(Debug, Clone, Default, PartialEq)]
pub(super) struct Strokes {
    down: [Option<Down>; 3],
}

impl Strokes {
    /// egui told that a drag began: whatever becomes of it, it is not begun again at the release.
    pub(super) fn seen(&mut self, button: usize) {
        if let Some(down) = self.down.get_mut(button).and_then(Option::as_mut) {
            down.seen = true;
        }
    }

    /// Takes the frame's events; what ended in it, in order.
    pub(super) fn follow(&mut self, ui: &Ui, response: &Response) -> Vec<Ended> {
        let slack = ui.ctx().options(|o| o.input_options.max_click_dist);
        let ours = |at: Pos2| response.enabled() && over(ui, response, at);
        // Looking up a layer locks the context: the events are copied out first.
        let events: Vec<Event> = ui.input(|i| i.events.iter().filter(|e| of_pointer(e)).cloned().collect());
        events.iter().filter_map(|event| self.take(event, slack, &ours)).collect()
    }

    fn take(&mut self, event: &Event, slack: f32, ours: &dyn Fn(Pos2) -> bool) -> Option<Ended> {
        match *event {
            Event::PointerMoved(at) => {
                self.down.iter_mut().flatten().for_each(|down| down.go(at, slack));
                None
            }
            Event::PointerButton { pos, button, pressed, .. } => {
                let n = BUTTONS.iter().position(|b| *b == button)?;
                let held = self.down.get_mut(n)?;
                if pressed {
                    *held = ours(pos).then_some(Down { origin: pos, last: pos, far: false, seen: false });
                    return None;
                }
                let mut down = held.take()?;
                down.go(pos, slack);
                Some(Ended { button: n, origin: down.origin, end: down.last, unseen_drag: down.far && !down.seen })
            }
            _ => None,
        }
    }
}

impl Down {
    fn go(&mut self, at: Pos2, slack: f32) {
        self.last = at;
        self.far |= self.origin.distance(at) > slack;
    }
}

fn of_pointer(event: &Event) -> bool {
    matches!(event, Event::PointerMoved(_) | Event::PointerButton { .. })
}

/// The point lies on the widget, and nothing lies over it there.
pub(super) fn over(ui: &Ui, response: &Response, at: Pos2) -> bool {
    response.interact_rect.contains(at) && ui.ctx().layer_id_at(at).is_none_or(|layer| layer == response.layer_id)
}

#[cfg(test)]
mod tests {
    use super::*;
    use egui::{Modifiers, pos2};

    fn button(x: f32, button: PointerButton, pressed: bool) -> Event {
        Event::PointerButton { pos: pos2(x, 0.0), button, pressed, modifiers: Modifiers::NONE }
    }

    fn run(strokes: &mut Strokes, events: &[Event]) -> Vec<Ended> {
        let ours = |at: Pos2| at.x < 100.0;
        events.iter().filter_map(|e| strokes.take(e, 6.0, &ours)).collect()
    }

    #[test]
    fn a_whole_drag_in_one_frame_and_one_over_several() {
        use PointerButton::{Primary, Secondary};
        let mut strokes = Strokes::default();
        let far = Ended { button: 0, origin: pos2(10.0, 0.0), end: pos2(60.0, 0.0), unseen_drag: true };
        let moved = Event::PointerMoved(pos2(40.0, 0.0));
        let whole = [button(10.0, Primary, true), moved.clone(), button(60.0, Primary, false)];
        assert_eq!(run(&mut strokes, &whole), [far]);
        assert_eq!(run(&mut strokes, &whole[..1]), []);
        assert_eq!(run(&mut strokes, &whole[1..]), [far]);
        // Out and back is no click; a tremble is one.
        let back = run(&mut strokes, &[button(10.0, Secondary, true), moved, button(10.0, Secondary, false)]);
        assert_eq!((back[0].button, back[0].unseen_drag), (1, true));
        assert!(!run(&mut strokes, &[button(10.0, Primary, true), button(12.0, Primary, false)])[0].unseen_drag);
        // What egui saw is egui's.
        assert_eq!(run(&mut strokes, &whole[..2]), []);
        strokes.seen(0);
        assert!(!run(&mut strokes, &whole[2..])[0].unseen_drag);
        // What began elsewhere is none of ours.
        assert_eq!(run(&mut strokes, &[button(150.0, Primary, true), button(10.0, Primary, false)]), []);
    }
}

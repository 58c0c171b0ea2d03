//! Tools: idle → dragging → idle. Pointer in, [`Action`] out. A tool never asks what kind of viewport it is in.
//!
//! The first point of a drag is where the button went down, and every step counts from the point before: a
//! pointer that moved and pressed within one screen frame makes nothing jump.

mod drag;
mod measure;

use super::{Action, Annotation, AnnotationId, Geometry, Shape, Tool};
use crate::study::Voi;

pub use measure::{Handle, handles};

/// Speed of the hand: Shift is fine, Alt is coarse.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Pace {
    /// A fifth.
    Fine,
    /// As it comes.
    #[default]
    Normal,
    /// Four times.
    Coarse,
}

impl Pace {
    /// What a distance is multiplied with.
    pub fn factor(self) -> f64 {
        match self {
            Self::Fine => 0.2,
            Self::Normal => 1.0,
            Self::Coarse => 4.0,
        }
    }
}

/// The pointer.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Hand {
    /// Position in the viewport, physical pixels.
    pub at: [f64; 2],
    /// Modifier keys.
    pub pace: Pace,
}

/// What a tool must know of the viewport.
#[derive(Debug, Clone, Copy)]
pub struct Context<'a> {
    /// How the picture lies.
    pub geometry: &'a Geometry,
    /// Physical pixels per point: hands move alike on every monitor.
    pub px_per_point: f64,
    /// The window in force; `None` for colour.
    pub voi: Option<Voi>,
    /// Frame shown, from 0.
    pub position: usize,
    /// Frames of the display set.
    pub frames: usize,
    /// Annotations on the frame shown.
    pub annotations: &'a [&'a Annotation],
}

impl Context<'_> {
    /// How near, in physical pixels, counts as on.
    fn reach(&self) -> f64 {
        7.0 * self.px_per_point
    }
}

/// What is going on under one viewport's pointer.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct ToolState {
    drag: Option<Drag>,
}

#[derive(Debug, Clone, PartialEq)]
enum Drag {
    Move(drag::Moving),
    Draw(measure::Drawing),
}

impl ToolState {
    /// The button went down. `grab`: a handle under the pointer wins over the tool.
    pub fn press(&mut self, tool: Tool, hand: Hand, context: &Context<'_>, grab: bool) {
        let grabbed = if grab { measure::Drawing::grab(hand, context) } else { None };
        self.drag = match grabbed {
            Some(drawing) => Some(Drag::Draw(drawing)),
            None => match measure::Drawing::start(tool, hand, context) {
                Some(drawing) => Some(Drag::Draw(drawing)),
                None => drag::Moving::start(tool, hand, context).map(Drag::Move),
            },
        };
    }

    /// The pointer moved with the button down.
    pub fn drag(&mut self, hand: Hand, context: &Context<'_>) -> Option<Action> {
        match self.drag.as_mut()? {
            Drag::Move(moving) => moving.drag(hand, context),
            Drag::Draw(drawing) => {
                drawing.drag(hand, context);
                None
            }
        }
    }

    /// The button went up.
    pub fn release(&mut self, context: &Context<'_>) -> Option<Action> {
        match self.drag.take()? {
            Drag::Move(_) => None,
            Drag::Draw(drawing) => drawing.finish(context),
        }
    }

    /// Drops what was begun (Escape, another patient, the window lost the pointer).
    pub fn cancel(&mut self) {
        self.drag = None;
    }

    /// Something is going on.
    pub fn busy(&self) -> bool {
        self.drag.is_some()
    }

    /// What is being drawn, and the annotation whose place it takes while it is moved.
    pub fn preview(&self) -> Option<(Shape, Option<AnnotationId>)> {
        match self.drag.as_ref()? {
            Drag::Move(_) => None,
            Drag::Draw(drawing) => Some((drawing.shape()?, drawing.replaces())),
        }
    }
}

/// A press and release in one place: reads a value, or chooses the annotation there (or none).
pub fn click(tool: Tool, hand: Hand, context: &Context<'_>) -> Option<Action> {
    let pixel = context.geometry.pixel_from_screen(hand.at);
    let hit = measure::hit(hand, context).map(|(annotation, _)| annotation.id);
    if tool == Tool::Probe && hit.is_none() {
        return context.geometry.contains(pixel).then_some(Action::AddShape(Shape::Probe { at: pixel }));
    }
    Some(Action::ChooseAnnotation(hit))
}

/// The annotation under the pointer, for the menu.
pub fn under(hand: Hand, context: &Context<'_>) -> Option<AnnotationId> {
    measure::hit(hand, context).map(|(annotation, _)| annotation.id)
}

/// Turns of the wheel into whole frames; what is left waits for the next turn.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct Wheel {
    left: f64,
}

impl Wheel {
    /// `notches`: positive = away from the reader = toward the first frame. Coarse is ten frames a notch.
    pub fn turn(&mut self, notches: f64, pace: Pace) -> Option<Action> {
        if !notches.is_finite() {
            return None;
        }
        let step = if pace == Pace::Coarse { 10.0 } else { 1.0 };
        if notches * self.left > 0.0 {
            // A change of direction answers at once.
            self.left = 0.0;
        }
        self.left -= (notches * step).clamp(-1000.0, 1000.0);
        // Axes that count in fractions end a notch a hair before or behind the whole.
        let near = self.left.round();
        let whole = if (self.left - near).abs() < 0.01 { near } else { self.left.trunc() };
        self.left -= whole;
        (whole != 0.0).then_some(Action::Scroll(whole as i32))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn wheel_collects_parts_of_a_notch() {
        let mut wheel = Wheel::default();
        assert_eq!(wheel.turn(-0.4, Pace::Normal), None);
        assert_eq!(wheel.turn(-0.4, Pace::Normal), None);
        assert_eq!(wheel.turn(-0.4, Pace::Normal), Some(Action::Scroll(1)));
        assert_eq!(wheel.turn(1.0, Pace::Normal), Some(Action::Scroll(-1)));
        assert_eq!(wheel.turn(-1.0, Pace::Coarse), Some(Action::Scroll(10)));
        assert_eq!(wheel.turn(f64::NAN, Pace::Normal), None);
        let mut wheel = Wheel::default();
        for _ in 0..50 {
            assert_eq!(wheel.turn(-0.999_999, Pace::Normal), Some(Action::Scroll(1)), "a notch is a slice");
        }
    }
}

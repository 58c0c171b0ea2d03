//! Drawing and moving measurements: length, ellipse, probe.

use super::{Context, Hand};
use crate::viewport::{Action, Annotation, AnnotationId, Geometry, Shape, Tool};

/// Which part of a shape the hand holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Handle {
    /// The point of this number among [`handles`].
    Point(usize),
    /// The whole.
    Body,
}

/// Points by which a shape can be taken, in pixel space.
pub fn handles(shape: &Shape) -> Vec<[f64; 2]> {
    match *shape {
        Shape::Length { a, b } => vec![a, b],
        Shape::Probe { at } => vec![at],
        Shape::Ellipse { center: [x, y], half: [w, h] } => vec![[x - w, y], [x + w, y], [x, y - h], [x, y + h]],
    }
}

/// A shape being drawn or moved.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Drawing {
    /// Pixel where the button went down.
    from: [f64; 2],
    /// Pixel under the pointer now.
    to: [f64; 2],
    what: What,
}

#[derive(Debug, Clone, PartialEq)]
enum What {
    Length,
    Ellipse,
    Probe,
    Change(Box<Annotation>, Handle),
}

impl Drawing {
    pub(super) fn start(tool: Tool, hand: Hand, context: &Context<'_>) -> Option<Self> {
        let what = match tool {
            Tool::Length => What::Length,
            Tool::Ellipse => What::Ellipse,
            Tool::Probe => What::Probe,
            Tool::Scroll | Tool::Window | Tool::Pan | Tool::Zoom => return None,
        };
        let from = context.geometry.pixel_from_screen(hand.at);
        // Begun beside the picture, a shape would measure nothing.
        context.geometry.contains(from).then_some(Self { from, to: from, what })
    }

    pub(super) fn grab(hand: Hand, context: &Context<'_>) -> Option<Self> {
        let (annotation, handle) = hit(hand, context)?;
        let from = context.geometry.pixel_from_screen(hand.at);
        Some(Self { from, to: from, what: What::Change(Box::new(annotation.clone()), handle) })
    }

    pub(super) fn drag(&mut self, hand: Hand, context: &Context<'_>) {
        self.to = context.geometry.held(context.geometry.pixel_from_screen(hand.at));
    }

    pub(super) fn replaces(&self) -> Option<AnnotationId> {
        match &self.what {
            What::Change(annotation, _) => Some(annotation.id),
            _ => None,
        }
    }

    pub(super) fn shape(&self) -> Option<Shape> {
        let (a, b) = (self.from, self.to);
        match &self.what {
            What::Length => (a != b).then_some(Shape::Length { a, b }),
            What::Probe => Some(Shape::Probe { at: b }),
            What::Ellipse => (a[0] != b[0] && a[1] != b[1]).then(|| Shape::Ellipse {
                center: [f64::midpoint(a[0], b[0]), f64::midpoint(a[1], b[1])],
                half: [(b[0] - a[0]).abs() / 2.0, (b[1] - a[1]).abs() / 2.0],
            }),
            What::Change(annotation, handle) => Some(changed(&annotation.shape, *handle, a, b)),
        }
    }

    pub(super) fn finish(self, context: &Context<'_>) -> Option<Action> {
        let shape = self.shape()?;
        let way = distance(context.geometry, self.from, self.to);
        match self.what {
            What::Change(annotation, _) if self.from == self.to => Some(Action::ChooseAnnotation(Some(annotation.id))),
            What::Change(annotation, _) => {
                Some(Action::PutAnnotation(Annotation { shape, measured: None, ..*annotation }))
            }
            What::Probe => Some(Action::AddShape(shape)),
            // A slip of the hand is no measurement.
            What::Length | What::Ellipse => (way >= 3.0 * context.px_per_point).then_some(Action::AddShape(shape)),
        }
    }
}

fn changed(shape: &Shape, handle: Handle, from: [f64; 2], to: [f64; 2]) -> Shape {
    let by = [to[0] - from[0], to[1] - from[1]];
    let moved = |p: [f64; 2]| [p[0] + by[0], p[1] + by[1]];
    match (*shape, handle) {
        (Shape::Length { a, b }, Handle::Point(0)) => Shape::Length { a: moved(a), b },
        (Shape::Length { a, b }, Handle::Point(_)) => Shape::Length { a, b: moved(b) },
        (Shape::Length { a, b }, Handle::Body) => Shape::Length { a: moved(a), b: moved(b) },
        (Shape::Probe { at }, _) => Shape::Probe { at: moved(at) },
        (Shape::Ellipse { center, half }, Handle::Point(n)) => {
            let sign = if n % 2 == 0 { -1.0 } else { 1.0 };
            let axis = usize::from(n >= 2);
            let mut half = half;
            half[axis] = (half[axis] + sign * by[axis]).abs().max(0.5);
            Shape::Ellipse { center, half }
        }
        (Shape::Ellipse { center, half }, Handle::Body) => Shape::Ellipse { center: moved(center), half },
    }
}

/// Distance of two pixel positions on the screen, physical pixels.
fn distance(geometry: &Geometry, a: [f64; 2], b: [f64; 2]) -> f64 {
    let (a, b) = (geometry.screen_from_pixel(a), geometry.screen_from_pixel(b));
    (a[0] - b[0]).hypot(a[1] - b[1])
}

/// The annotation under the pointer and the part of it; points before bodies, later ones before earlier.
pub(super) fn hit<'a>(hand: Hand, context: &Context<'a>) -> Option<(&'a Annotation, Handle)> {
    let geometry = context.geometry;
    let pixel = geometry.pixel_from_screen(hand.at);
    let near = |p: [f64; 2]| distance(geometry, p, pixel) <= context.reach();
    for annotation in context.annotations.iter().rev() {
        if let Some(n) = handles(&annotation.shape).iter().position(|p| near(*p)) {
            return Some((annotation, Handle::Point(n)));
        }
    }
    let on_body = |shape: &Shape| match *shape {
        Shape::Length { a, b } => near(nearest_on_line(a, b, pixel)),
        Shape::Probe { .. } => false,
        Shape::Ellipse { center, half } => {
            let [dx, dy] = [(pixel[0] - center[0]) / half[0].max(0.5), (pixel[1] - center[1]) / half[1].max(0.5)];
            let r = dx.hypot(dy);
            // The foot on the rim along the ray from the centre.
            r > 1e-9 && near([center[0] + (pixel[0] - center[0]) / r, center[1] + (pixel[1] - center[1]) / r])
        }
    };
    context.annotations.iter().rev().find(|a| on_body(&a.shape)).map(|a| (*a, Handle::Body))
}

fn nearest_on_line(a: [f64; 2], b: [f64; 2], p: [f64; 2]) -> [f64; 2] {
    let (dx, dy) = (b[0] - a[0], b[1] - a[1]);
    let length2 = dx * dx + dy * dy;
    let share = if length2 > 0.0 { ((p[0] - a[0]) * dx + (p[1] - a[1]) * dy) / length2 } else { 0.0 };
    let share = share.clamp(0.0, 1.0);
    [a[0] + dx * share, a[1] + dy * share]
}

#[cfg(test)]
mod tests {
    use super::super::{Pace, ToolState, click, under};
    use super::*;
    use crate::study::{FrameIndex, FrameRef, SopInstanceUid};
    use crate::viewport::ViewPresentation;

    fn geometry() -> Geometry {
        // Two screen pixels per image pixel.
        Geometry::new([200.0, 200.0], 100, 100, 1.0, ViewPresentation::default())
    }

    fn context<'a>(geometry: &'a Geometry, annotations: &'a [&'a Annotation]) -> Context<'a> {
        Context { geometry, px_per_point: 1.0, voi: None, position: 0, frames: 1, annotations }
    }

    fn hand(x: f64, y: f64) -> Hand {
        Hand { at: [x, y], pace: Pace::Normal }
    }

    fn annotation(id: u64, shape: Shape) -> Annotation {
        let instance = SopInstanceUid::new("1.2.3").expect("uid");
        let frame = FrameRef { instance, frame: FrameIndex(0) };
        Annotation { id: AnnotationId(id), frame, shape, measured: None }
    }

    #[test]
    fn draws_a_length_between_press_and_release() {
        let g = geometry();
        let c = context(&g, &[]);
        let mut state = ToolState::default();
        state.press(Tool::Length, hand(21.0, 21.0), &c, true);
        assert_eq!(state.preview(), None);
        state.drag(hand(61.0, 21.0), &c);
        let shape = Shape::Length { a: [10.0, 10.0], b: [30.0, 10.0] };
        assert_eq!(state.preview(), Some((shape, None)));
        assert_eq!(state.release(&c), Some(Action::AddShape(shape)));
        // A slip is nothing; what leaves the picture is held at its edge.
        state.press(Tool::Length, hand(21.0, 21.0), &c, true);
        state.drag(hand(22.0, 21.0), &c);
        assert_eq!(state.release(&c), None);
        state.press(Tool::Length, hand(21.0, 21.0), &c, true);
        state.drag(hand(9000.0, 21.0), &c);
        let Some(Action::AddShape(Shape::Length { b, .. })) = state.release(&c) else { panic!("no length") };
        assert!(b[0] < 99.5 && b[0] > 99.0);
    }

    #[test]
    fn draws_an_ellipse_from_corner_to_corner() {
        let g = geometry();
        let c = context(&g, &[]);
        let mut state = ToolState::default();
        state.press(Tool::Ellipse, hand(61.0, 61.0), &c, true);
        state.drag(hand(21.0, 41.0), &c);
        let shape = Shape::Ellipse { center: [20.0, 25.0], half: [10.0, 5.0] };
        assert_eq!(state.release(&c), Some(Action::AddShape(shape)));
    }

    #[test]
    fn a_click_probes_or_chooses() {
        let g = geometry();
        let length = annotation(7, Shape::Length { a: [10.0, 10.0], b: [30.0, 10.0] });
        let all = [&length];
        let c = context(&g, &all);
        assert_eq!(
            click(Tool::Probe, hand(101.0, 101.0), &c),
            Some(Action::AddShape(Shape::Probe { at: [50.0, 50.0] }))
        );
        assert_eq!(click(Tool::Scroll, hand(41.0, 22.0), &c), Some(Action::ChooseAnnotation(Some(AnnotationId(7)))));
        assert_eq!(click(Tool::Scroll, hand(150.0, 150.0), &c), Some(Action::ChooseAnnotation(None)));
        assert_eq!(under(hand(41.0, 22.0), &c), Some(AnnotationId(7)));
    }

    #[test]
    fn handles_and_bodies_move() {
        let g = geometry();
        let length = annotation(7, Shape::Length { a: [10.0, 10.0], b: [30.0, 10.0] });
        let all = [&length];
        let c = context(&g, &all);
        let mut state = ToolState::default();
        state.press(Tool::Scroll, hand(61.0, 21.0), &c, true);
        state.drag(hand(81.0, 31.0), &c);
        let moved = Shape::Length { a: [10.0, 10.0], b: [40.0, 15.0] };
        assert_eq!(state.preview(), Some((moved, Some(AnnotationId(7)))));
        assert_eq!(state.release(&c), Some(Action::PutAnnotation(annotation(7, moved))));
        state.press(Tool::Scroll, hand(41.0, 21.0), &c, true);
        state.drag(hand(41.0, 41.0), &c);
        let moved = Shape::Length { a: [10.0, 20.0], b: [30.0, 20.0] };
        assert_eq!(state.release(&c), Some(Action::PutAnnotation(annotation(7, moved))));
        // The right button does not grab.
        state.press(Tool::Pan, hand(61.0, 21.0), &c, false);
        assert_eq!(state.preview(), None);
    }
}

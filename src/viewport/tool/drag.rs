//! Drags that change what is shown: scroll, window, pan, zoom.

use super::{Context, Hand};
use crate::study::{Voi, VoiFunction};
use crate::viewport::{Action, Geometry, Tool};

/// Points of hand movement that double or halve the window width, or the scale.
const POINTS_PER_DOUBLING: f64 = 150.0;

/// A drag under way. `gone` is the way of the hand so far in points, fine and coarse parts weighted.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Moving {
    what: What,
    last: [f64; 2],
    gone: [f64; 2],
}

#[derive(Debug, Clone, PartialEq)]
enum What {
    Scroll { from: usize },
    Window { from: Voi },
    Pan { from: Box<Geometry> },
    Zoom { from: Box<Geometry>, anchor: [f64; 2] },
}

impl Moving {
    pub(super) fn start(tool: Tool, hand: Hand, context: &Context<'_>) -> Option<Self> {
        let what = match tool {
            Tool::Scroll => What::Scroll { from: context.position },
            Tool::Window => What::Window { from: context.voi? },
            Tool::Pan => What::Pan { from: Box::new(*context.geometry) },
            Tool::Zoom => What::Zoom { from: Box::new(*context.geometry), anchor: hand.at },
            Tool::Length | Tool::Probe | Tool::Ellipse => return None,
        };
        Some(Self { what, last: hand.at, gone: [0.0; 2] })
    }

    pub(super) fn drag(&mut self, hand: Hand, context: &Context<'_>) -> Option<Action> {
        let step = [hand.at[0] - self.last[0], hand.at[1] - self.last[1]];
        if step == [0.0; 2] || !step.iter().all(|s| s.is_finite()) {
            return None;
        }
        self.last = hand.at;
        for (gone, step) in self.gone.iter_mut().zip(step) {
            *gone += step / context.px_per_point.max(0.1) * hand.pace.factor();
        }
        let [x, y] = self.gone;
        match &self.what {
            What::Scroll { from } => {
                let frames = context.frames.max(1);
                // The whole stack within a viewport's height, but never faster than the hand can stop.
                let height = context.geometry.viewport()[1] / context.px_per_point.max(0.1);
                let points_per_frame = (0.8 * height / frames as f64).clamp(3.0, 24.0);
                let wanted = (*from as f64 + y / points_per_frame).round().clamp(0.0, frames as f64 - 1.0) as usize;
                (wanted != context.position).then_some(Action::ScrollTo(wanted))
            }
            What::Window { from } => Some(Action::SetVoi(window(from, x, y))),
            What::Pan { from } => {
                let by = [x, y].map(|v| v * context.px_per_point);
                Some(Action::Place { zoom: from.view().zoom, pan_px: from.panned(by) })
            }
            What::Zoom { from, anchor } => {
                let (zoom, pan_px) = from.zoomed((-y / POINTS_PER_DOUBLING).exp2(), *anchor);
                Some(Action::Place { zoom, pan_px })
            }
        }
    }
}

/// Right widens, down raises the centre (darker). Both in proportion to the width, so that a narrow brain
/// window and a wide bone window answer alike.
fn window(from: &Voi, x: f64, y: f64) -> Voi {
    let smallest = if from.function == VoiFunction::Linear { 1.0 } else { f64::from(f32::EPSILON) };
    let width = (from.width * (x / POINTS_PER_DOUBLING).exp2()).clamp(smallest, 1e9);
    let center = (from.center + y * from.width / 400.0).clamp(-1e9, 1e9);
    // Whole numbers where fractions say nothing.
    let whole = |v: f64| if from.width >= 40.0 { v.round() } else { v };
    Voi { center: whole(center), width: whole(width).max(smallest), function: from.function }
}

#[cfg(test)]
mod tests {
    use super::super::{Pace, ToolState};
    use super::*;
    use crate::viewport::{ViewPresentation, Zoom};

    fn geometry() -> Geometry {
        Geometry::new([400.0, 400.0], 512, 512, 1.0, ViewPresentation::default())
    }

    fn context(geometry: &Geometry) -> Context<'_> {
        Context {
            geometry,
            px_per_point: 1.0,
            voi: Some(Voi::linear(40.0, 400.0)),
            position: 10,
            frames: 50,
            annotations: &[],
        }
    }

    fn hand(x: f64, y: f64) -> Hand {
        Hand { at: [x, y], pace: Pace::Normal }
    }

    #[test]
    fn a_press_alone_changes_nothing() {
        let g = geometry();
        for tool in [Tool::Scroll, Tool::Window, Tool::Pan, Tool::Zoom] {
            let mut state = ToolState::default();
            state.press(tool, hand(300.0, 20.0), &context(&g), false);
            assert!(state.busy());
            assert_eq!(state.drag(hand(300.0, 20.0), &context(&g)), None, "{tool:?}");
            assert_eq!(state.release(&context(&g)), None);
            assert!(!state.busy());
        }
    }

    #[test]
    fn window_follows_the_hand_and_never_collapses() {
        let g = geometry();
        let mut state = ToolState::default();
        state.press(Tool::Window, hand(100.0, 100.0), &context(&g), false);
        let moved = state.drag(hand(250.0, 120.0), &context(&g));
        assert_eq!(moved, Some(Action::SetVoi(Voi::linear(60.0, 800.0))));
        let moved = state.drag(hand(-20000.0, 100.0), &context(&g));
        assert_eq!(moved, Some(Action::SetVoi(Voi::linear(40.0, 1.0))));
    }

    #[test]
    fn fine_and_coarse_count_from_where_they_begin() {
        let g = geometry();
        let mut state = ToolState::default();
        state.press(Tool::Window, hand(0.0, 0.0), &context(&g), false);
        state.drag(hand(0.0, 100.0), &context(&g));
        let fine = Hand { pace: Pace::Fine, ..hand(0.0, 200.0) };
        // 100 points, then 100 fine ones.
        assert_eq!(state.drag(fine, &context(&g)), Some(Action::SetVoi(Voi::linear(160.0, 400.0))));
    }

    #[test]
    fn scroll_stays_within_the_stack() {
        let g = geometry();
        let mut state = ToolState::default();
        state.press(Tool::Scroll, hand(0.0, 0.0), &context(&g), false);
        assert_eq!(state.drag(hand(0.0, 64.0), &context(&g)), Some(Action::ScrollTo(20)));
        assert_eq!(state.drag(hand(0.0, 9000.0), &context(&g)), Some(Action::ScrollTo(49)));
        assert_eq!(state.drag(hand(0.0, -9000.0), &context(&g)), Some(Action::ScrollTo(0)));
    }

    #[test]
    fn pan_keeps_the_scale_and_zoom_the_point() {
        let g = geometry();
        let mut state = ToolState::default();
        state.press(Tool::Pan, hand(200.0, 200.0), &context(&g), false);
        let Some(Action::Place { zoom, pan_px }) = state.drag(hand(239.0625, 200.0), &context(&g)) else {
            panic!("no place")
        };
        assert_eq!((zoom, pan_px), (Zoom::Fit, [50.0, 0.0]));
        state.press(Tool::Zoom, hand(200.0, 200.0), &context(&g), false);
        let Some(Action::Place { zoom, .. }) = state.drag(hand(200.0, 50.0), &context(&g)) else { panic!("no place") };
        assert_eq!(zoom, Zoom::PixelScale(g.scale() * 2.0));
    }

    #[test]
    fn colour_has_no_window() {
        let g = geometry();
        let mut state = ToolState::default();
        state.press(Tool::Window, hand(0.0, 0.0), &Context { voi: None, ..context(&g) }, false);
        assert!(!state.busy());
    }
}

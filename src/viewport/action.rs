//! What the reader may want of one viewport. Mouse, key, menu and test produce the same actions.

use super::{Annotation, AnnotationId, DataPresentation, Shape, Tool, ViewPresentation, Zoom};
use crate::study::Voi;

/// An intent for one viewport.
#[derive(Debug, Clone, PartialEq)]
pub enum Action {
    /// Make it the active viewport.
    Activate,
    /// Show it alone, or go back to the layout.
    ToggleMaximise,
    /// Move through the stack by this many frames; forward is positive. Ends are held.
    Scroll(i32),
    /// Show this frame, from 0; beyond the end = the last.
    ScrollTo(usize),
    /// Show the earlier (negative) or later display set.
    StepDisplaySet(i32),
    /// Use this window.
    SetVoi(Voi),
    /// Use the modality's n-th preset, from 1.
    Preset(u8),
    /// Back to the frame's own window.
    OwnVoi,
    /// The next of the frame's own windows and LUTs.
    NextVoi,
    /// Toggle inversion.
    Invert,
    /// Draw overlay planes, or not.
    ToggleOverlays,
    /// Close the shutters, or look behind them.
    ToggleShutters,
    /// Lay the picture so: scale and shift, worked out by [`super::Geometry`] for the viewport's size.
    Place {
        /// Scale.
        zoom: Zoom,
        /// Shift, as in [`ViewPresentation::pan_px`].
        pan_px: [f64; 2],
    },
    /// Whole picture, at its place.
    Fit,
    /// One image pixel on one screen pixel; the centre stays.
    OneToOne,
    /// Quarter turns clockwise.
    Rotate(i8),
    /// Mirror left-right as seen on the screen.
    FlipHorizontal,
    /// Mirror top-bottom as seen on the screen.
    FlipVertical,
    /// Back to the presentation that the hanging gave: place, turn, mirror and window.
    Reset,
    /// What the left button does from now on.
    UseTool(Tool),
    /// A measurement was drawn on the frame shown. The app gives it a number and measures it.
    AddShape(Shape),
    /// A measurement's new or changed state; `measured` is worked out anew by the app.
    PutAnnotation(Annotation),
    /// Mark a measurement as chosen; `None` = none.
    ChooseAnnotation(Option<AnnotationId>),
    /// Take a measurement away.
    RemoveAnnotation(AnnotationId),
    /// More or less corner text: full → short → none.
    CycleTexts,
    /// The frame shown becomes a key image of the open finding (or ceases to be one).
    ToggleKeyImage,
}

impl Action {
    /// Applies what concerns view and data presentation alone; `true` if it did.
    ///
    /// Not here, since they need more than the two structs: presets, [`Action::NextVoi`], [`Action::Reset`] (the hanging's
    /// business), frames and annotations. Numbers that cannot be shown (not finite, no width) change nothing.
    pub fn present(&self, view: &mut ViewPresentation, data: &mut DataPresentation) -> bool {
        match *self {
            Self::SetVoi(voi) => {
                if voi.center.is_finite() && voi.width.is_finite() && voi.width > 0.0 {
                    data.voi = Some(voi);
                }
            }
            Self::OwnVoi => data.voi = None,
            Self::Invert => data.invert = !data.invert,
            Self::ToggleOverlays => data.hide_overlays = !data.hide_overlays,
            Self::ToggleShutters => data.open_shutters = !data.open_shutters,
            Self::Place { zoom, pan_px } => {
                let zoom_ok = match zoom {
                    Zoom::Fit => true,
                    Zoom::PixelScale(s) => s.is_finite() && s > 0.0,
                    Zoom::Area(size) => size.iter().all(|s| s.is_finite() && *s > 0.0),
                };
                if zoom_ok && pan_px.iter().all(|p| p.is_finite()) {
                    view.zoom = zoom;
                    view.pan_px = pan_px;
                }
            }
            Self::Fit => {
                view.zoom = Zoom::Fit;
                view.pan_px = [0.0; 2];
            }
            Self::OneToOne => view.zoom = Zoom::PixelScale(1.0),
            Self::Rotate(turns) => {
                view.quarter_turns = (i16::from(view.quarter_turns) + i16::from(turns)).rem_euclid(4) as u8;
            }
            // The mirror comes before the turn: on a picture lying on its side, the screen's left-right is
            // the picture's top-bottom.
            Self::FlipHorizontal if view.quarter_turns % 2 == 1 => view.flip_vertical = !view.flip_vertical,
            Self::FlipHorizontal => view.flip_horizontal = !view.flip_horizontal,
            Self::FlipVertical if view.quarter_turns % 2 == 1 => view.flip_horizontal = !view.flip_horizontal,
            Self::FlipVertical => view.flip_vertical = !view.flip_vertical,
            _ => return false,
        }
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn after(actions: &[Action]) -> (ViewPresentation, DataPresentation) {
        let (mut view, mut data) = Default::default();
        for action in actions {
            assert!(action.present(&mut view, &mut data), "{action:?}");
        }
        (view, data)
    }

    #[test]
    fn turns_wrap_and_mirrors_follow_the_screen() {
        assert_eq!(after(&[Action::Rotate(-1)]).0.quarter_turns, 3);
        assert_eq!(after(&[Action::Rotate(3), Action::Rotate(2)]).0.quarter_turns, 1);
        let (view, _) = after(&[Action::Rotate(1), Action::FlipHorizontal]);
        assert!(view.flip_vertical && !view.flip_horizontal);
        let (view, _) = after(&[Action::Rotate(2), Action::FlipVertical]);
        assert!(view.flip_vertical && !view.flip_horizontal);
    }

    #[test]
    fn nonsense_changes_nothing() {
        let (view, data) = after(&[
            Action::SetVoi(Voi::linear(f64::NAN, 1.0)),
            Action::SetVoi(Voi::linear(0.0, 0.0)),
            Action::Place { zoom: Zoom::PixelScale(0.0), pan_px: [0.0; 2] },
            Action::Place { zoom: Zoom::Fit, pan_px: [f64::INFINITY, 0.0] },
        ]);
        assert_eq!((view, data), Default::default());
    }

    #[test]
    fn what_needs_more_is_left_to_the_app() {
        let (mut view, mut data) = Default::default();
        for action in [Action::Reset, Action::NextVoi, Action::Scroll(1), Action::Preset(1), Action::Activate] {
            assert!(!action.present(&mut view, &mut data));
        }
    }
}

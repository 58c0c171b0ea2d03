//! Grayscale and colour presentation states (PS3.3 A.33): how pictures are to be shown, as data and as it is applied.

use super::laid::{Laid, LaidText, Outline, Under, lines};
use super::mask::Mask;
use super::{Oddity, ViewPresentation, Zoom};
use crate::imaging::{Frame, Lut, Modality, Overlay, Photometric, Pixels, Presentation, Shutter, Trouble};
use crate::study::hidden_debug;
use crate::study::{FrameRef, ObjectRef, Voi, VoiFunction};
use glam::DVec2;
use serde::Serialize;
use std::sync::Arc;

/// A presentation state.
#[derive(Clone, Default, PartialEq, Serialize)]
pub struct PresentationState {
    /// Content Label (0070,0080).
    pub label: String,
    /// Content Description (0070,0081).
    pub description: String,
    /// Who made it and when.
    pub made: String,
    /// Every picture that it is for.
    pub images: Vec<ObjectRef>,
    /// Image Rotation clockwise in quarter turns, done first.
    pub quarter_turns: u8,
    /// Image Horizontal Flip, done after.
    pub flip: bool,
    /// Windows and LUTs.
    pub vois: Vec<StateVoi>,
    /// Parts of the picture to be shown.
    pub areas: Vec<StateArea>,
    /// Drawings and texts.
    pub drawings: Vec<Drawing>,
    /// What is subtracted from each frame.
    pub mask: Option<Mask>,
    /// What is not applied, and what was odd.
    pub warnings: Vec<Oddity>,
    /// Modality transform in place of the picture's own.
    #[serde(skip)]
    pub modality: Option<Modality>,
    /// Bits of the output, where that transform is a table; else 0.
    #[serde(skip)]
    pub modality_bits: u8,
    /// Presentation LUT.
    #[serde(skip)]
    pub presentation: Option<Presentation>,
    /// Shutter in place of the picture's own.
    #[serde(skip)]
    pub shutter: Option<Shutter>,
    /// Overlay planes of its own.
    #[serde(skip)]
    pub overlays: Vec<Overlay>,
}

hidden_debug!(PresentationState { images, quarter_turns, flip, vois, areas, drawings, mask, warnings });

/// A window or LUT and the pictures it is for.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct StateVoi {
    /// Empty: all.
    pub images: Vec<ObjectRef>,
    /// The window, or the range of the LUT.
    pub voi: Voi,
    /// Its explanation.
    pub name: String,
    /// The LUT, if it is one.
    #[serde(skip)]
    pub lut: Option<Arc<Lut>>,
}

/// A displayed area (PS3.3 C.10.4).
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct StateArea {
    /// Empty: all.
    pub images: Vec<ObjectRef>,
    /// Left, top, right, bottom pixel, from 1, whatever the turning; may reach beyond the picture.
    pub edges: [i64; 4],
    /// `SCALE TO FIT`, `TRUE SIZE`, `MAGNIFY`.
    pub mode: String,
}

/// Graphic and text annotation of some pictures (C.10.5).
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Drawing {
    /// Empty: all.
    pub images: Vec<ObjectRef>,
    /// Graphic Layer.
    pub layer: String,
    /// Recommended colour of the layer.
    pub rgb: Option<[u8; 3]>,
    /// Its graphics.
    pub graphics: Vec<StateGraphic>,
    /// Its texts.
    pub texts: Vec<StateText>,
}

/// A graphic.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct StateGraphic {
    /// `POINT`, `POLYLINE`, `INTERPOLATED`, `CIRCLE`, `ELLIPSE`.
    pub shape: String,
    /// Points in these units.
    pub points: Vec<[f64; 2]>,
    /// Of the displayed area (0 to 1), else of the picture (pixels, 0 at the corner of the first).
    pub of_display: bool,
    /// Filled.
    pub filled: bool,
}

/// A text.
#[derive(Clone, PartialEq, Serialize)]
pub struct StateText {
    /// What it says.
    pub text: String,
    /// Its box's corner or its anchor.
    pub at: [f64; 2],
    /// As in [`StateGraphic`].
    pub of_display: bool,
    /// A point of the picture that the text belongs to, to be joined by a line: position and units.
    pub anchor: Option<([f64; 2], bool)>,
}

hidden_debug!(StateText { at, anchor });

/// Whether a list of references means this frame; an empty list means every frame.
fn means(images: &[ObjectRef], frame: &FrameRef) -> bool {
    images.is_empty() || images.iter().any(|to| names(to, frame))
}

fn names(to: &ObjectRef, frame: &FrameRef) -> bool {
    to.instance == frame.instance && (to.frames.is_empty() || to.frames.contains(&frame.frame.number()))
}

impl PresentationState {
    /// Whether it is for this frame.
    pub fn is_for(&self, frame: &FrameRef) -> bool {
        self.images.iter().any(|to| names(to, frame))
    }

    /// The frames that must be at hand to show this one: those of its mask.
    pub fn needs(&self, at: &FrameRef) -> Vec<FrameRef> {
        self.mask.as_ref().filter(|_| self.is_for(at)).map_or_else(Vec::new, |mask| mask.frames_for(at))
    }

    /// The frame as it is to be shown: its values, with the state's transforms, shutter and overlays. What the state
    /// does not have is not done at all: the picture's own transforms are not used (PS3.4 N.2). `masks` are the frames
    /// that [`Self::needs`] names; without them nothing is subtracted, and the frame's warnings say so.
    pub fn dress(&self, at: &FrameRef, frame: &Frame, masks: &[&Frame]) -> Frame {
        let mut out = frame.clone();
        let needed = self.needs(at).len();
        if let Some(mask) = self.mask.as_ref().filter(|_| needed > 0) {
            let modality = self.modality.clone().unwrap_or(Modality::IDENTITY);
            let difference = (masks.len() == needed).then(|| mask.subtract(frame, masks, &modality)).flatten();
            match difference {
                Some(pixels) => {
                    // What is wrong with the mask is wrong in the difference, where it looks like something of the patient.
                    for trouble in masks.iter().flat_map(|m| &m.warnings).filter(|t| t.spoils()) {
                        let told = Trouble::Mask { trouble: Box::new(trouble.clone()) };
                        if !out.warnings.contains(&told) {
                            out.warnings.push(told);
                        }
                    }
                    return self.finish(at, frame, Frame { pixels: Arc::new(pixels), padding: None, ..out }, true);
                }
                None => out.warnings.push(Trouble::Unmasked),
            }
        }
        self.finish(at, frame, out, false)
    }

    /// `subtracted`: the values have been through the modality transform.
    fn finish(&self, at: &FrameRef, frame: &Frame, mut out: Frame, subtracted: bool) -> Frame {
        if subtracted {
            out.warnings.push(Trouble::Subtracted);
            out.modality = Modality::IDENTITY;
            if self.modality.as_ref() != Some(&frame.modality) {
                out.unit = String::new();
            }
        } else if out.photometric != Photometric::Color {
            out.modality = self.modality.clone().unwrap_or(Modality::IDENTITY);
            if out.modality != frame.modality {
                // The picture's unit is that of its own transform.
                out.unit = String::new();
                if self.modality.is_none() {
                    out.warnings.push(Trouble::StateWithoutModality);
                }
            }
        }
        out.display.voi_names.clear();
        out.display.voi_luts.clear();
        out.voi.clear();
        for state in self.vois.iter().filter(|v| means(&v.images, at)) {
            let mut voi = state.voi;
            if let Some(lut) = &state.lut {
                // Numbered anew: each item of the state counts its own LUTs.
                voi.function = VoiFunction::Lut(u8::try_from(out.display.voi_luts.len()).unwrap_or(u8::MAX));
                out.display.voi_luts.push(Arc::clone(lut));
            }
            out.voi.push(voi);
            out.display.voi_names.push(state.name.clone());
        }
        if out.voi.is_empty() {
            let range = self.whole_range(frame);
            // Differences lie as far below 0 as above.
            let difference = |voi: Voi| Voi { center: 0.0, width: 2.0 * voi.width, ..voi };
            out.voi.extend(if subtracted { range.map(difference) } else { range });
        }
        out.display.presentation.clone_from(&self.presentation);
        out.display.shutter.clone_from(&self.shutter);
        // Planes of the picture are shown only where the state activates them; it brings its own.
        out.display.overlays.clone_from(&self.overlays);
        out
    }

    /// The identity VOI transform: every value that the modality transform can give, from black to white. `None` for
    /// pixels without a stated depth.
    fn whole_range(&self, frame: &Frame) -> Option<Voi> {
        let bits = i32::from(frame.bits_stored.clamp(1, 16));
        let (first, last) = match &*frame.pixels {
            Pixels::U8(_) | Pixels::U16(_) => (0.0, 2f64.powi(bits) - 1.0),
            Pixels::I16(_) => (-2f64.powi(bits - 1), 2f64.powi(bits - 1) - 1.0),
            Pixels::I32(_) | Pixels::F32(_) | Pixels::Rgb8(_) => return None,
        };
        let (low, high) = match &self.modality {
            None => (first, last),
            Some(Modality::Rescale { slope, intercept }) => {
                let ends = [first * slope + intercept, last * slope + intercept];
                (ends[0].min(ends[1]), ends[0].max(ends[1]))
            }
            Some(Modality::Lut { .. }) => (0.0, 2f64.powi(i32::from(self.modality_bits.clamp(8, 16))) - 1.0),
        };
        let function = VoiFunction::LinearExact;
        (high > low).then(|| Voi { center: f64::midpoint(low, high), width: high - low, function })
    }

    /// How the picture lies: turned, mirrored, and the displayed area in the middle.
    pub fn view(&self, frame: &FrameRef, size: [u32; 2]) -> ViewPresentation {
        // Mirroring after turning is turning the other way after mirroring.
        let turns = if self.flip { (4 - self.quarter_turns % 4) % 4 } else { self.quarter_turns % 4 };
        let mut out =
            ViewPresentation { quarter_turns: turns, flip_horizontal: self.flip, ..ViewPresentation::default() };
        let [columns, rows] = size.map(f64::from);
        if let Some([left, top, right, bottom]) = self.area(frame).map(|a| a.edges.map(|e| e as f64))
            && [left, top, right, bottom] != [1.0, 1.0, columns, rows]
            && right >= left
            && bottom >= top
        {
            out.zoom = Zoom::Area([right - left + 1.0, bottom - top + 1.0]);
            out.pan_px =
                [columns / 2.0 - f64::midpoint(left - 1.0, right), rows / 2.0 - f64::midpoint(top - 1.0, bottom)];
        }
        out
    }

    fn area(&self, frame: &FrameRef) -> Option<&StateArea> {
        self.areas.iter().find(|a| means(&a.images, frame))
    }

    /// A position of the displayed area, 0 to 1 as it is seen, in pixels of the picture from its corner.
    fn display_to_pixel(&self, under: &Under<'_>, [mut u, mut v]: [f64; 2]) -> [f64; 2] {
        if self.flip {
            u = 1.0 - u;
        }
        for _ in 0..self.quarter_turns % 4 {
            (u, v) = (v, 1.0 - u);
        }
        let [columns, rows] = under.size.map(f64::from);
        let whole = [1.0, 1.0, columns, rows];
        let [left, top, right, bottom] = self.area(under.frame).map_or(whole, |a| a.edges.map(|e| e as f64));
        [left - 1.0 + u * (right - left + 1.0), top - 1.0 + v * (bottom - top + 1.0)]
    }

    fn place(&self, under: &Under<'_>, point: [f64; 2], of_display: bool) -> DVec2 {
        let [x, y] = if of_display { self.display_to_pixel(under, point) } else { point };
        // Positions count from the corner of the first pixel (C.10.5.1), ours from its centre.
        DVec2::new(x - 0.5, y - 0.5)
    }

    /// What it draws on a frame.
    pub fn laid_over(&self, under: &Under<'_>) -> Laid {
        let mut out = Laid::default();
        if !self.is_for(under.frame) {
            return out;
        }
        for drawing in self.drawings.iter().filter(|d| means(&d.images, under.frame)) {
            let outline =
                |points, closed| Outline { points, closed, rgb: drawing.rgb, name: String::new(), part: None };
            for graphic in &drawing.graphics {
                let points: Vec<DVec2> =
                    graphic.points.iter().map(|p| self.place(under, *p, graphic.of_display)).collect();
                let drawn = lines(&graphic.shape, &points, graphic.filled);
                out.outlines.extend(drawn.into_iter().map(|(points, closed)| outline(points, closed)));
            }
            for text in &drawing.texts {
                let at = self.place(under, text.at, text.of_display).to_array();
                if let Some((anchor, of_display)) = text.anchor {
                    let to = self.place(under, anchor, of_display).to_array();
                    out.outlines.push(outline(vec![at, to], false));
                }
                out.texts.push(LaidText { at, text: text.text.clone(), rgb: drawing.rgb });
            }
        }
        out
    }
}

#[cfg(test)]
mod tests {
    use super::super::mask::MaskFrames;
    use super::*;
    use crate::study::{FrameIndex, FrameInfo, SopInstanceUid};

    fn at(uid: &str) -> FrameRef {
        FrameRef { instance: SopInstanceUid::new(uid).expect("uid"), frame: FrameIndex(0) }
    }

    fn to(uid: &str) -> ObjectRef {
        let instance = SopInstanceUid::new(uid).expect("uid");
        ObjectRef { class: String::new(), instance, frames: vec![], segments: vec![], presentation: None }
    }

    #[test]
    fn a_frame_is_dressed_in_its_own_windows() {
        let lut = |entries: Vec<u16>| Lut::new(0, entries, 8).map(Arc::new);
        let table = |uid: &str, entries| StateVoi {
            images: vec![to(uid)],
            voi: Voi { center: 1.0, width: 2.0, function: VoiFunction::Lut(0) },
            name: uid.into(),
            lut: lut(entries),
        };
        let state = PresentationState {
            images: vec![to("1.1"), to("1.2")],
            vois: vec![table("1.1", vec![0, 9]), table("1.2", vec![9, 0]), table("1.2", vec![0, 255])],
            presentation: Some(Presentation::Inverse),
            ..PresentationState::default()
        };
        let frame =
            Frame { voi: vec![Voi::linear(5.0, 10.0)], ..Frame::plain(1, 2, crate::imaging::Pixels::U8(vec![0, 1])) };
        let dressed = state.dress(&at("1.2"), &frame, &[]);
        let functions: Vec<VoiFunction> = dressed.voi.iter().map(|v| v.function).collect();
        assert_eq!(functions, [VoiFunction::Lut(0), VoiFunction::Lut(1)]);
        assert_eq!(&*dressed.display.voi_luts[1].entries, [0, 255]);
        // Inverted by the state: the table's brightest entry is black.
        let rgb = crate::imaging::render_rgb(&dressed, &dressed.voi[1], false);
        assert_eq!(rgb, [255, 255, 255, 0, 0, 0]);
        // A picture that no window of the state is for is shown from its lowest to its highest possible value.
        let whole = Voi { center: 127.5, width: 255.0, function: VoiFunction::LinearExact };
        assert_eq!(state.dress(&at("1.3"), &frame, &[]).voi, [whole]);
    }

    #[test]
    fn what_the_state_lacks_is_not_done() {
        let frame = Frame {
            bits_stored: 12,
            photometric: Photometric::Monochrome1,
            modality: Modality::Rescale { slope: 2.0, intercept: -1000.0 },
            unit: "HU".into(),
            voi: vec![Voi::linear(40.0, 400.0)],
            display: crate::imaging::Display {
                shutter: Some(Shutter::default()),
                ..crate::imaging::Display::default()
            },
            ..Frame::plain(1, 2, Pixels::I16(vec![-2048, 2047]))
        };
        let mut state =
            PresentationState { presentation: Some(Presentation::Identity), ..PresentationState::default() };
        let dressed = state.dress(&at("1.1"), &frame, &[]);
        assert_eq!((dressed.modality.clone(), dressed.unit.as_str()), (Modality::IDENTITY, ""));
        assert_eq!((dressed.warnings.len(), dressed.display.shutter.clone()), (1, None));
        assert_eq!(crate::imaging::render_rgb(&dressed, &dressed.voi[0], false), [0, 0, 0, 255, 255, 255]);
        // The same transform in the state: the unit stays.
        state.modality = Some(frame.modality.clone());
        let dressed = state.dress(&at("1.1"), &frame, &[]);
        assert_eq!((dressed.unit.as_str(), dressed.warnings.len()), ("HU", 0));
        assert_eq!((dressed.voi[0].center, dressed.voi[0].width), (-1001.0, 8190.0));
        // A table's output has the bits that it states.
        state.modality = Some(Modality::Lut { first: -2048, data: vec![0, 100].into() });
        state.modality_bits = 16;
        assert_eq!(state.dress(&at("1.1"), &frame, &[]).voi[0].width, 65535.0);
    }

    #[test]
    fn the_mask_is_subtracted_before_the_window_or_its_lack_is_told() {
        let frame = |values: Vec<u8>| Frame::plain(1, 2, Pixels::U8(values));
        let mask = Mask { frames: MaskFrames::Average(vec![1]), shift: [0.0; 2], ranges: vec![[2, 9]] };
        let mut state = PresentationState { images: vec![to("1.1")], mask: Some(mask), ..PresentationState::default() };
        state.modality = Some(Modality::Rescale { slope: 2.0, intercept: 7.0 });
        let second = FrameRef { frame: FrameIndex(1), ..at("1.1") };
        assert_eq!(state.needs(&second), [at("1.1")]);
        assert!(state.needs(&at("1.1")).is_empty(), "the mask itself is not in the range");
        let dressed = state.dress(&second, &frame(vec![10, 30]), &[&frame(vec![20, 20])]);
        assert_eq!(*dressed.pixels, Pixels::F32(vec![-20.0, 20.0]));
        assert_eq!((&dressed.warnings[..], dressed.spoiled()), (&[Trouble::Subtracted][..], false));
        assert_eq!([0, 1].map(|x| dressed.modality_value(x, 0)), [Some(-20.0), Some(20.0)]);
        assert_eq!((dressed.voi[0].center, dressed.voi[0].width), (0.0, 1020.0));
        // What is missing of the mask is missing in the difference, where it would look like a vessel.
        let cut = Trouble::Cut { missing: 1, expected: 2 };
        let torn = Frame { warnings: vec![cut.clone(), Trouble::Window], ..frame(vec![20, 20]) };
        let spoiled = state.dress(&second, &frame(vec![10, 30]), &[&torn]);
        assert!(spoiled.spoiled() && spoiled.warnings.contains(&Trouble::Mask { trouble: Box::new(cut) }));
        assert_eq!(spoiled.warnings.len(), dressed.warnings.len() + 1);
        let without = state.dress(&second, &frame(vec![10, 30]), &[]);
        assert_eq!(without.warnings, [Trouble::Unmasked]);
        assert!(without.spoiled(), "an unsubtracted picture must not pass for the one that was meant");
        assert_eq!(state.dress(&at("1.1"), &frame(vec![10, 30]), &[]).warnings, []);
    }

    #[test]
    fn turned_then_mirrored() {
        let state = PresentationState { quarter_turns: 1, flip: true, ..PresentationState::default() };
        let view = state.view(&at("1.1"), [10, 20]);
        // Ours mirrors first: the same picture turned three quarters.
        assert_eq!((view.flip_horizontal, view.quarter_turns), (true, 3));
        let geometry = crate::viewport::Geometry::new([200.0, 100.0], 10, 20, 1.0, view);
        // The first pixel goes to the top right by turning, and to the top left by mirroring.
        let [x, y] = geometry.screen_from_pixel([0.0, 0.0]);
        assert!(x < 100.0 && y < 50.0, "{x} {y}");
        let [x, y] = geometry.screen_from_pixel([9.0, 0.0]);
        assert!(x < 100.0 && y > 50.0, "the first row runs down the left edge: {x} {y}");
    }

    #[test]
    fn the_displayed_area_fills_the_viewport() {
        let area = StateArea { images: vec![], edges: [11, 21, 30, 40], mode: "SCALE TO FIT".into() };
        let state = PresentationState { areas: vec![area], ..PresentationState::default() };
        let view = state.view(&at("1.1"), [100, 100]);
        let geometry = crate::viewport::Geometry::new([200.0, 200.0], 100, 100, 1.0, view);
        assert_eq!(geometry.scale(), 10.0);
        let [x, y] = geometry.screen_from_pixel([9.5, 19.5]);
        assert!(x.abs() <= 0.5 && y.abs() <= 0.5, "{x} {y}");
    }

    #[test]
    fn drawings_in_both_units_only_on_their_pictures() {
        let graphic =
            |of_display, point| StateGraphic { shape: "POINT".into(), points: vec![point], of_display, filled: false };
        let state = PresentationState {
            images: vec![to("1.1"), to("1.2")],
            flip: true,
            drawings: vec![Drawing {
                images: vec![to("1.1")],
                layer: "L".into(),
                rgb: None,
                graphics: vec![graphic(false, [3.5, 4.5]), graphic(true, [0.25, 0.5])],
                texts: vec![],
            }],
            ..PresentationState::default()
        };
        let info = FrameInfo::default();
        let look = |uid: &str| {
            let frame = at(uid);
            let under = Under { frame: &frame, info: &info, reference: None, size: [8, 8], slice_mm: None };
            state.laid_over(&under).outlines.into_iter().map(|o| o.points).collect::<Vec<_>>()
        };
        assert_eq!(look("1.1"), [vec![[3.0, 4.0]], vec![[5.5, 3.5]]]);
        assert!(look("1.2").is_empty() && look("1.3").is_empty());
    }
}

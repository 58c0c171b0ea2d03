//! Segmentations and structure sets over pictures: written as DICOM, read, laid over the scene's body, and looked for by
//! their colours where the body's organs are known to be.

use super::{BOTH, Window, scene};
use dokuei::app::Language;
use dokuei::dicom::write::{Charset, Dataset, tags};
use dokuei::dicom::{Object, read_object};
use dokuei::engine::message::{Command, Dress, Event, ObjectCommand, ObjectEvent};
use dokuei::imaging::Shutter;
use dokuei::study::{Instance, InstanceTraits, ObjectRef, Series, SeriesUid, SopInstanceUid, Study, Voi};
use dokuei::viewport::mask::{Mask, MaskFrames};
use dokuei::viewport::state_object::{Drawing, PresentationState, StateArea, StateGraphic, StateText, StateVoi};
use dokuei::viewport::{Geometry, ObjectContent, ViewId};
use egui::Role;
use egui_kittest::kittest::{NodeT, Queryable};
use std::sync::Arc;

const SEG: &str = "1.2.840.10008.5.1.4.1.1.66.4";
const RTSTRUCT: &str = "1.2.840.10008.5.1.4.1.1.481.3";
const SLICES: usize = 6;
/// Columns and rows, and mm between them, of the scene's pictures.
const SIZE: usize = 256;
const SPACING: f64 = 1.4;

/// Centre and half axes of the scene's organs, in parts of the picture (`scene::frames`).
const LUNGS: [[f64; 4]; 2] = [[-0.2, 0.0, 0.16, 0.22], [0.2, 0.0, 0.16, 0.22]];
const NODULE: [f64; 4] = [-0.13, 0.08, 0.02, 0.02];
const SPINE: [f64; 4] = [0.0, 0.19, 0.06, 0.06];
const HEART: [f64; 4] = [0.02, -0.06, 0.1, 0.09];

fn inside([cx, cy, rx, ry]: [f64; 4], x: f64, y: f64) -> bool {
    ((x - cx) / rx).powi(2) + ((y - cy) / ry).powi(2) < 1.0
}

fn base(class: &str, instance: &str) -> Dataset {
    let mut set = Dataset::new(Charset::Utf8);
    set.text(tags::SOP_CLASS_UID, class).text(tags::SOP_INSTANCE_UID, instance);
    set.text(tags::STUDY_INSTANCE_UID, "1.2.3").text(tags::SERIES_INSTANCE_UID, "1.2.3.9");
    set
}

fn item() -> Dataset {
    Dataset::item(Charset::Utf8)
}

/// Label, colour (CIELab), organs.
type Segment<'a> = (&'a str, [u16; 3], &'a [[f64; 4]]);

/// Segments on a grid whose pixels are `step` pictures' pixels wide.
fn segmentation(step: usize, segments: &[Segment<'_>]) -> ObjectContent {
    let size = SIZE / step;
    let mut set = base(SEG, "1.2.3.9.1");
    set.text(tags::CONTENT_LABEL, "ORGANS").text(tags::SEGMENTATION_TYPE, "BINARY");
    set.text(tags::FRAME_OF_REFERENCE_UID, "1.9").text(tags::PHOTOMETRIC_INTERPRETATION, "MONOCHROME2");
    set.integer(tags::NUMBER_OF_FRAMES, &[(SLICES * segments.len()) as i32]).unsigned(tags::SAMPLES_PER_PIXEL, &[1]);
    set.unsigned(tags::ROWS, &[size as u16]).unsigned(tags::COLUMNS, &[size as u16]);
    set.unsigned(tags::BITS_ALLOCATED, &[1]).unsigned(tags::BITS_STORED, &[1]).unsigned(tags::HIGH_BIT, &[0]);
    set.unsigned(tags::PIXEL_REPRESENTATION, &[0]);
    let (mut named, mut frames, mut bits) = (Vec::new(), Vec::new(), Vec::new());
    let spacing = SPACING * step as f64;
    // The first pixel's centre lies half of the difference of the pixels' widths further in.
    let first = (spacing - SPACING) / 2.0;
    for (number, (label, lab, organs)) in (1u16..).zip(segments) {
        let mut segment = item();
        segment.unsigned(tags::SEGMENT_NUMBER, &[number]).text(tags::SEGMENT_LABEL, label);
        segment.unsigned(tags::RECOMMENDED_DISPLAY_CIE_LAB_VALUE, lab);
        named.push(segment);
        for slice in 0..SLICES {
            let (mut place, mut identified, mut frame) = (item(), item(), item());
            place.decimal(tags::IMAGE_POSITION_PATIENT, &[first, first, slice as f64 * 5.0]);
            identified.unsigned(tags::REFERENCED_SEGMENT_NUMBER, &[number]);
            frame.sequence(tags::PLANE_POSITION_SEQUENCE, vec![place]);
            frame.sequence(tags::SEGMENT_IDENTIFICATION_SEQUENCE, vec![identified]);
            frames.push(frame);
            for at in 0..size * size {
                // The scene counts from the middle of its pixel 128.
                let part = |v: usize| ((v * step) as f64 + (step as f64 - 1.0) / 2.0) / SIZE as f64 - 0.5;
                let (x, y) = (part(at % size), part(at / size));
                bits.push(organs.iter().any(|o| inside(*o, x, y)));
            }
        }
    }
    let (mut lies, mut measures, mut shared) = (item(), item(), item());
    lies.decimal(tags::IMAGE_ORIENTATION_PATIENT, &[1.0, 0.0, 0.0, 0.0, 1.0, 0.0]);
    measures.decimal(tags::PIXEL_SPACING, &[spacing, spacing]).decimal(tags::SLICE_THICKNESS, &[5.0]);
    shared.sequence(tags::PLANE_ORIENTATION_SEQUENCE, vec![lies]);
    shared.sequence(tags::PIXEL_MEASURES_SEQUENCE, vec![measures]);
    set.sequence(tags::SEGMENT_SEQUENCE, named);
    set.sequence(tags::SHARED_FUNCTIONAL_GROUPS_SEQUENCE, vec![shared]);
    set.sequence(tags::PER_FRAME_FUNCTIONAL_GROUPS_SEQUENCE, frames);
    set.pixels_u8(bits.chunks(8).map(|b| (0..8).filter(|n| b[*n]).map(|n| 1 << n).sum()).collect());
    read(&set)
}

/// Contours around organs; name, colour, organ.
fn structures(organs: &[(&str, [i32; 3], [f64; 4])]) -> ObjectContent {
    let mut set = base(RTSTRUCT, "1.2.3.9.1");
    set.text(tags::STRUCTURE_SET_LABEL, "PLAN");
    let (mut rois, mut drawn) = (Vec::new(), Vec::new());
    for (number, (name, rgb, [cx, cy, rx, ry])) in (1i32..).zip(organs) {
        let mut roi = item();
        roi.integer(tags::ROI_NUMBER, &[number]).text(tags::ROI_NAME, name);
        roi.text(tags::REFERENCED_FRAME_OF_REFERENCE_UID, "1.9");
        rois.push(roi);
        let contours = (0..SLICES).map(|slice| {
            // Parts of the picture to mm: its first pixel's centre is at 0.
            let mm = |v: f64| (v + 0.5) * SIZE as f64 * SPACING;
            let points: Vec<f64> = (0..64)
                .flat_map(|n| {
                    let (sin, cos) = (std::f64::consts::TAU * f64::from(n) / 64.0).sin_cos();
                    [mm(cx + rx * cos), mm(cy + ry * sin), slice as f64 * 5.0]
                })
                .map(|v| (v * 100.0).round() / 100.0)
                .collect();
            let mut contour = item();
            contour.text(tags::CONTOUR_GEOMETRIC_TYPE, "CLOSED_PLANAR").decimal(tags::CONTOUR_DATA, &points);
            contour
        });
        let mut contour = item();
        contour.integer(tags::ROI_DISPLAY_COLOR, rgb).integer(tags::REFERENCED_ROI_NUMBER, &[number]);
        contour.sequence(tags::CONTOUR_SEQUENCE, contours.collect());
        drawn.push(contour);
    }
    set.sequence(tags::STRUCTURE_SET_ROI_SEQUENCE, rois).sequence(tags::ROI_CONTOUR_SEQUENCE, drawn);
    read(&set)
}

fn read(set: &Dataset) -> ObjectContent {
    let object = Object::from_bytes(set.to_bytes().expect("written")).expect("opens");
    read_object(object.header(), &|| Ok(object.clone())).expect("read")
}

/// The scene's study with one more series that holds the object.
fn with_object(class: &str) -> Study {
    let mut study = Study::clone(&scene::study("1.2.3", 2026, "胸腹部 造影"));
    let instance = Instance {
        uid: SopInstanceUid::new("1.2.3.9.1").expect("uid"),
        sop_class: class.into(),
        transfer_syntax: None,
        number: Some(1),
        rows: 0,
        columns: 0,
        frames: 0,
        image_type: vec![],
        photometric: String::new(),
        frame_of_reference: None,
        acquisition_number: None,
        laterality: None,
        view: None,
        patient_orientation: None,
        frame_info: vec![],
        not_an_image: Some("laid over the pictures".into()),
        traits: InstanceTraits::default(),
    };
    study.series.push(Series {
        uid: SeriesUid::new("1.2.3.9").expect("uid"),
        modality: "SEG".into(),
        number: Some(9),
        description: "臓器 Organs".into(),
        body_part: String::new(),
        instances: vec![instance],
    });
    study
}

/// How an object names one of the scene's pictures.
fn picture(n: usize) -> ObjectRef {
    ObjectRef {
        class: String::new(),
        instance: SopInstanceUid::new(&format!("1.2.3.1.{n}")).expect("uid"),
        frames: vec![],
        segments: vec![],
        presentation: None,
    }
}

/// Opens the object by its row, with its answer from the engine.
fn opened(language: Language, class: &str, kind: &'static str, content: ObjectContent) -> Window {
    let mut window = Window::reading(language, [1920.0, 1080.0], true);
    window.h.get_by_role_and_label(Role::Button, "1×1").click();
    window.say([Event::Study(Arc::new(with_object(class)))]);
    window.h.get_by_label(&format!("{} #9 臓器 Organs", window.words.t(kind))).click();
    window.settle();
    let instance = SopInstanceUid::new("1.2.3.9.1").expect("uid");
    let asked = window.engine.take_commands();
    assert!(asked.iter().any(|c| matches!(c, Command::Object(ObjectCommand::Read(uid)) if *uid == instance)));
    window.say([Event::Object(ObjectEvent::Read { instance, content: Ok(Arc::new(content)) })]);
    window
}

fn click(window: &mut Window, label: &str) {
    window.h.get_by_label(label).click();
    window.settle();
}

/// The picture of the only viewport: colours, and where the screen's pixels lie in the frame.
struct Shot {
    image: image::RgbaImage,
    rect: egui::Rect,
    geometry: Geometry,
}

impl Shot {
    fn new(window: &mut Window) -> Self {
        let rect = window.h.get_by_role(Role::Image).rect();
        let size = [f64::from(rect.width()), f64::from(rect.height())];
        let view = window.app().view(ViewId(0)).expect("view").view;
        let geometry = Geometry::new(size, SIZE as u32, SIZE as u32, 1.0, view);
        Self { image: window.h.render().expect("rendered"), rect, geometry }
    }

    /// Screen pixels within the frame that differ from another shot, and all of them: place in parts of the picture.
    fn against(&self, other: &Self) -> Vec<([f64; 2], bool)> {
        let mut out = Vec::new();
        let [left, top, right, bottom] = [self.rect.left(), self.rect.top(), self.rect.right(), self.rect.bottom()];
        for y in top as u32 + 1..bottom as u32 {
            for x in left as u32 + 1..right as u32 {
                let on = [f64::from(x) + 0.5 - f64::from(left), f64::from(y) + 0.5 - f64::from(top)];
                let [column, row] = self.geometry.pixel_from_screen(on);
                if (0.0..SIZE as f64).contains(&column) && (0.0..SIZE as f64).contains(&row) {
                    let place = [column, row].map(|v| v / SIZE as f64 - 0.5);
                    out.push((place, self.image.get_pixel(x, y) != other.image.get_pixel(x, y)));
                }
            }
        }
        out
    }

    fn color(&self, [x, y]: [f64; 2]) -> [u8; 3] {
        let [x, y] = self.geometry.screen_from_pixel([x, y].map(|v| (v + 0.5) * SIZE as f64));
        let [r, g, b, _] =
            self.image.get_pixel(x as u32 + self.rect.left() as u32, y as u32 + self.rect.top() as u32).0;
        [r, g, b]
    }
}

/// How far within (negative) or without an organ a place is, in pixels of the frame.
fn off(organ: [f64; 4], [x, y]: [f64; 2]) -> f64 {
    let [cx, cy, rx, ry] = organ;
    let [u, v] = [(x - cx) / rx, (y - cy) / ry];
    let slope = ((u / rx).powi(2) + (v / ry).powi(2)).sqrt().max(1e-9);
    (u.hypot(v) - 1.0) * u.hypot(v) / slope * SIZE as f64
}

/// The nearest border of some organs, in pixels of the frame; negative within any.
fn nearest(organs: &[[f64; 4]], place: [f64; 2]) -> f64 {
    organs.iter().map(|o| off(*o, place)).fold(f64::INFINITY, f64::min)
}

const COLORS: [[u16; 3]; 3] = [[45000, 30000, 15000], [35000, 50000, 45000], [50000, 20000, 50000]];

fn organs(step: usize) -> ObjectContent {
    let [lungs, nodule, spine] = COLORS;
    segmentation(
        step,
        &[("肺 Lungs", lungs, &LUNGS), ("結節 Nodule", nodule, &[NODULE]), ("脊椎 Spine", spine, &[SPINE])],
    )
}

#[test]
fn segments_lie_on_their_organs_and_each_can_be_taken_away() {
    let all = [LUNGS[0], LUNGS[1], NODULE, SPINE];
    for (language, step) in [(Language::Ja, 1), (Language::En, 1), (Language::En, 4)] {
        let mut window = opened(language, SEG, "object.segmentation", organs(step));
        let bare = Shot::new(&mut window);
        let lay = window.words.t("object.lay");
        click(&mut window, lay);
        let laid = Shot::new(&mut window);
        window.picture(&format!("laid-seg-{step}-{}", language.as_str()));
        // A pixel of the segmentation's own grid may lie across the organ's border, and a pixel of the screen on its line.
        let slack = step as f64 * 1.5;
        let (mut within, mut without) = (0, 0);
        for (place, changed) in laid.against(&bare) {
            let off = nearest(&all, place);
            if off.abs() > slack {
                assert_eq!(changed, off < 0.0, "step {step}: {place:?}, {off} pixels off an organ's border");
                (within, without) = (within + usize::from(changed), without + usize::from(!changed));
            }
        }
        assert!(within > 50_000 && without > 50_000, "{within} {without}");
        // What lies below stays to be seen.
        let [x, y, ..] = SPINE;
        let [r, g, b] = laid.color([x, y]);
        assert!(g > r && g > b && r > 150, "green over bone: {r} {g} {b}");
        click(&mut window, "3 脊椎 Spine");
        let less = Shot::new(&mut window);
        assert_eq!(less.color([x, y]), bare.color([x, y]), "the spine alone is taken away");
        let [x, y, ..] = NODULE;
        assert_eq!(less.color([x, y]), laid.color([x, y]));
        click(&mut window, lay);
        assert!(Shot::new(&mut window).against(&bare).iter().all(|(_, changed)| !changed));
    }
}

#[test]
fn contours_run_around_their_organs_and_each_can_be_taken_away() {
    let named = [
        ("心臓 Heart", [255, 64, 64], HEART),
        ("結節 GTV", [255, 255, 0], NODULE),
        ("脊椎 Spine", [0, 255, 128], SPINE),
    ];
    for language in BOTH {
        let mut window = opened(language, RTSTRUCT, "object.structure_set", structures(&named));
        let bare = Shot::new(&mut window);
        let lay = window.words.t("object.lay");
        click(&mut window, lay);
        let laid = Shot::new(&mut window);
        window.picture(&format!("laid-rt-{}", language.as_str()));
        let borders = |place: [f64; 2]| named.iter().map(|n| off(n.2, place).abs()).fold(f64::INFINITY, f64::min);
        let mut drawn = 0;
        for (place, changed) in laid.against(&bare) {
            assert!(!changed || borders(place) < 1.0, "{place:?}: {} pixels off", borders(place));
            drawn += usize::from(changed);
        }
        assert!(drawn > 1000, "{drawn}");
        // Each contour in its own colour, at its top.
        let near = |shot: &Shot, [cx, cy, _, ry]: [f64; 4], rgb: [i32; 3]| {
            (-12..=12).any(|n| {
                let found = shot.color([cx, cy - ry + f64::from(n) / 12.0 / SIZE as f64]);
                found.iter().zip(rgb).all(|(a, b)| (i32::from(*a) - b).abs() < 70)
            })
        };
        for (name, rgb, organ) in named {
            assert!(near(&laid, organ, rgb), "{name}");
        }
        click(&mut window, "結節 GTV");
        let less = Shot::new(&mut window);
        assert!(!near(&less, NODULE, named[1].1) && near(&less, HEART, named[0].1));
    }
}

#[test]
fn a_presentation_state_is_shown_as_it_says() {
    let graphic = |shape: &str, points: Vec<[f64; 2]>| StateGraphic {
        shape: shape.into(),
        points,
        of_display: false,
        filled: false,
    };
    let state = PresentationState {
        label: "MARKS".into(),
        description: "右肺結節 nodule".into(),
        made: "田中 一郎  2026-11-20 08:30".into(),
        images: (1..=SLICES).map(picture).collect(),
        vois: vec![StateVoi { images: vec![], voi: Voi::linear(-600.0, 1600.0), name: "LUNG".into(), lut: None }],
        areas: vec![StateArea { images: vec![], edges: [20, 60, 140, 200], mode: "SCALE TO FIT".into() }],
        drawings: vec![Drawing {
            images: vec![],
            layer: "MARKS".into(),
            rgb: Some([255, 220, 0]),
            graphics: vec![
                graphic("CIRCLE", vec![[95.2, 149.0], [95.2, 157.0]]),
                graphic("POLYLINE", vec![[60.0, 180.0], [88.0, 154.0]]),
            ],
            texts: vec![StateText {
                text: "結節 S6\n10 mm nodule".into(),
                at: [40.0, 180.0],
                of_display: false,
                anchor: None,
            }],
        }],
        shutter: Some(Shutter { circle: Some([130, 80, 62]), value: 0, ..Shutter::default() }),
        flip: false,
        ..PresentationState::default()
    };
    for language in BOTH {
        let content = ObjectContent::PresentationState(Box::new(state.clone()));
        let class = "1.2.840.10008.5.1.4.1.1.11.1";
        let mut window = opened(language, class, "object.presentation_state", content);
        window.h.get_by_label(window.words.t("object.no_modality"));
        let bare = Shot::new(&mut window);
        let lay = window.words.t("object.lay");
        click(&mut window, lay);
        let laid = Shot::new(&mut window);
        window.picture(&format!("laid-state-{}", language.as_str()));
        let at = |column: f64, row: f64| [column, row].map(|v| v / SIZE as f64 - 0.5);
        // 30 HU under the state's window of -600 and 1600, give or take the scene's grain.
        let [grey, ..] = laid.color(at(94.0, 148.0));
        assert!((226..=231).contains(&grey), "{grey}");
        // Outside the shutter's circle, within the body; the mark's circle ends 8 pixels below its centre.
        assert_eq!(laid.color(at(135.0, 188.0)), [0; 3]);
        assert!(bare.color(at(135.0, 188.0))[0] > 0 && bare.color(at(94.0, 148.0))[0] < 140);
        let marked = |row: f64| laid.color(at(94.7, row)).iter().zip([255, 220, 0]).all(|(a, b)| a.abs_diff(b) < 70);
        assert!((-6..=6).any(|n| marked(156.5 + f64::from(n) / 12.0)));
        // The displayed area fills the viewport: a pixel is as large as 141 of them allow.
        assert!(
            (laid.geometry.scale() - f64::from(laid.rect.height()) / 141.0).abs() < 0.2,
            "{}",
            laid.geometry.scale()
        );
        click(&mut window, lay);
        assert!(Shot::new(&mut window).against(&bare).iter().all(|(_, changed)| !changed));
    }
}

/// The difference is the engine's work. Until it is made the picture itself never stands in its place.
#[test]
fn a_picture_whose_mask_is_being_subtracted_is_awaited() {
    // Each picture is its own mask: nothing remains.
    let mask = Mask { frames: MaskFrames::Average(vec![1]), shift: [0.0; 2], ranges: vec![] };
    let state = PresentationState {
        images: (1..=SLICES).map(picture).collect(),
        mask: Some(mask),
        ..PresentationState::default()
    };
    for language in BOTH {
        let content = ObjectContent::PresentationState(Box::new(state.clone()));
        let mut window = opened(language, "1.2.840.10008.5.1.4.1.1.11.1", "object.presentation_state", content);
        let words = window.words;
        let waiting = |window: &Window| {
            let label = window.h.get_by_role(Role::Image).accesskit_node().label().unwrap_or_default();
            label.contains(words.t("viewport.waiting"))
        };
        assert!(!waiting(&window));
        window.engine.take_commands();
        click(&mut window, words.t("object.lay"));
        assert!(waiting(&window));
        let wishes = window.engine.take_commands().into_iter().filter_map(|c| match c {
            Command::Object(ObjectCommand::Dress(wish)) => Some(wish),
            _ => None,
        });
        let dressed = |wish: Dress| {
            let frame = wish.content.dress(&wish.at, &wish.frame, &wish.masks).expect("for this picture");
            Event::Object(ObjectEvent::Dressed { wish, frame: Arc::new(frame) })
        };
        let answers: Vec<Event> = wishes.map(dressed).collect();
        assert!(!answers.is_empty());
        window.say(answers);
        assert!(!waiting(&window));
        let shot = Shot::new(&mut window);
        window.picture(&format!("laid-mask-{}", language.as_str()));
        let center = |[x, y, ..]: [f64; 4]| shot.color([x, y]);
        assert!([LUNGS[0], NODULE, HEART].iter().all(|o| center(*o) == center(SPINE)), "nothing remains");
        // It is no picture to be recorded, and the reader is told what to do.
        window.key(egui::Key::K);
        window.h.get_by_label_contains(words.t("notice.under_state"));
        window.h.get_by_label_contains(words.t("notice.under_state_do"));
        window.picture(&format!("laid-mask-told-{}", language.as_str()));
    }
}

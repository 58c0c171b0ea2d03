//! The texts on a picture, apart from where they are painted: whose, what, where, how. Four corners, three levels; the
//! patient is always there.

use super::choices;
use super::oddities;
use super::text::Words;
use super::viewport_panel::ViewportInput;
use crate::app::{LinkMark, OverlayLevel};
use crate::imaging::{Photometric, Trouble, Weight};
use crate::study::hidden_debug;
use crate::study::{Sex, age_at};
use crate::viewport::{Fidelity, Geometry};

/// How a line is meant.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Tone {
    /// A value.
    Strong,
    /// A label.
    Plain,
    /// Something unusual.
    Caution,
}

/// One line of corner text.
#[derive(Clone, PartialEq)]
pub struct Line {
    /// Text.
    pub text: String,
    /// How it is meant.
    pub tone: Tone,
}

hidden_debug!(Line { tone });

/// Lines of the four corners, from the outside of the corner inwards as they are read (top to bottom).
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Corners {
    /// Who.
    pub top_left: Vec<Line>,
    /// Which study and series.
    pub top_right: Vec<Line>,
    /// What is seen (beside the truth light).
    pub bottom_left: Vec<Line>,
    /// Which frame, which window.
    pub bottom_right: Vec<Line>,
}

/// Lines a corner holds at most.
const LINES: usize = 5;

fn push(corner: &mut Vec<Line>, text: impl Into<String>, tone: Tone) {
    let text = text.into();
    if !text.trim().is_empty() && corner.len() < LINES {
        corner.push(Line { text, tone });
    }
}

/// The texts of a viewport. `probe` is the value under the pointer.
pub fn corners(input: &ViewportInput<'_>, geometry: &Geometry, shown: Fidelity, probe: Option<&str>) -> Corners {
    let mut out = Corners::default();
    let words = input.words;
    let Some(set) = input.set else {
        return out;
    };
    who(input, &mut out.top_left);
    // Which picture this is stays at every level; details go.
    let date = input.study_date.map(|d| d.to_string()).unwrap_or_default();
    push(&mut out.top_right, format!("{} {}", set.modality, date), Tone::Strong);
    if input.prior {
        push(&mut out.top_right, words.t("viewport.prior"), Tone::Caution);
    }
    // A damaged picture is told as such at every level, before all else.
    push(&mut out.bottom_left, troubles(input, Weight::Spoils).join(" / "), Tone::Caution);
    // That something of the picture is taken away or opened is told at every level.
    push(&mut out.bottom_left, troubles(input, Weight::Alters).join(" / "), Tone::Caution);
    push(&mut out.bottom_left, choices::taken_away(input), Tone::Caution);
    if input.level == OverlayLevel::None {
        return out;
    }
    push(&mut out.top_right, set.label.clone(), Tone::Plain);
    let full = input.level == OverlayLevel::Full;
    if full {
        push(&mut out.top_right, input.study_description, Tone::Plain);
    }
    let frames = set.frames.len();
    let slice = words.f("view.slice", &[("n", &(input.position + 1).min(frames)), ("of", &frames)]);
    let info = set.info.get(input.position);
    let place = info.and_then(|i| i.plane.as_ref()).filter(|_| full);
    let place = place.map(|p| format!("   {:.1} mm", p.distance_along_normal())).unwrap_or_default();
    let b_value = set.b_value.map(|b| words.f("viewport.b_value", &[("b", &number(b))]));
    let b_value = b_value.map(|b| format!("   {b}")).unwrap_or_default();
    if frames > 1 || !place.is_empty() || !b_value.is_empty() {
        push(&mut out.bottom_right, format!("{slice}{place}{b_value}"), Tone::Strong);
    }
    if let (Some(voi), true) = (input.voi, input.frame_is_grey()) {
        let inverted = if input.data.invert { words.t("viewport.inverted") } else { "" };
        let frame = input.ready_frame().map(|f| &**f);
        let text = format!("{} {inverted}", choices::voi_text(words, frame, voi));
        push(&mut out.bottom_right, text.trim_end(), Tone::Strong);
    }
    if let Some(mark) = input.link {
        let tone = if mark == LinkMark::Estimated { Tone::Strong } else { Tone::Plain };
        push(&mut out.bottom_right, words.t(link_key(mark)), tone);
    }
    if full {
        // No warning is dropped for want of a line: the last line takes all that are left.
        let of_set = set.warnings.iter().map(|w| oddities::geometry(words, w));
        let warnings: Vec<String> = of_set.chain(troubles(input, Weight::Notes)).collect();
        let lines = LINES - out.bottom_right.len().min(LINES - 1);
        let (alone, together) = warnings.split_at(if warnings.len() > lines { lines - 1 } else { warnings.len() });
        for warning in alone {
            push(&mut out.bottom_right, warning.as_str(), Tone::Caution);
        }
        push(&mut out.bottom_right, together.join(" / "), Tone::Caution);
        if let Some(probe) = probe {
            push(&mut out.bottom_left, probe, Tone::Plain);
        }
        // A projection: millimetres are true at the detector, not in the body. Told here, off the anatomy.
        let projection = set.info.get(input.position).is_some_and(|i| i.plane.is_none() && i.spacing_mm.is_some());
        let detector = if projection { words.t("viewport.detector") } else { "" };
        push(&mut out.bottom_left, format!("{:.0} %{detector}", geometry.scale() * 100.0), Tone::Plain);
    }
    let (truth, tone) = truth(words, shown, doubt(input));
    push(&mut out.bottom_left, truth, tone);
    out
}

/// Whether the picture on screen lacks pixels or shows some that may not be those that were sent.
pub(super) fn spoiled(input: &ViewportInput<'_>) -> bool {
    input.ready_frame().is_some_and(|f| f.spoiled())
}

/// What the truth light says of a picture that is not what it should be.
fn doubt(input: &ViewportInput<'_>) -> Option<&'static str> {
    let mut spoils = input.ready_frame()?.warnings.iter().filter(|t| t.spoils()).peekable();
    spoils.peek()?;
    // Without its mask a picture is whole, but not what was meant.
    Some(if spoils.all(|t| *t == Trouble::Unmasked) { "viewport.not_subtracted" } else { "viewport.damaged" })
}

/// What the reader should know of the frame on screen.
pub(super) fn troubles(input: &ViewportInput<'_>, weight: Weight) -> Vec<String> {
    let frame = input.ready_frame().into_iter();
    let all = frame.flat_map(|f| &f.warnings).filter(|t| t.weight() == weight);
    all.map(|t| oddities::trouble(input.words, t)).collect()
}

/// Key of the words for how a stack scrolls along.
pub(super) fn link_key(mark: LinkMark) -> &'static str {
    match mark {
        LinkMark::Exact => "scroll_link.linked",
        LinkMark::ByHand => "scroll_link.by_hand",
        LinkMark::Estimated => "scroll_link.estimated",
        LinkMark::Alone => "scroll_link.alone",
    }
}

fn who(input: &ViewportInput<'_>, corner: &mut Vec<Line>) {
    let Some(patient) = input.patient else {
        return;
    };
    let name = patient.name.display();
    push(corner, if name.is_empty() { input.words.t("viewport.no_name") } else { &name }, Tone::Strong);
    if input.level == OverlayLevel::Full {
        push(corner, patient.name.reading(), Tone::Plain);
    }
    let issuer = patient.issuer.as_deref().map(|i| format!("@{i}")).unwrap_or_default();
    push(corner, format!("{}{issuer}", patient.id), Tone::Strong);
    if input.level == OverlayLevel::Full {
        let sex = match patient.sex {
            Some(Sex::Male) => "M",
            Some(Sex::Female) => "F",
            Some(Sex::Other) => "O",
            None => "",
        };
        let age = patient.birth_date.zip(input.study_date).and_then(|(birth, day)| age_at(birth, day));
        let birth = patient.birth_date.map(|b| b.to_string()).unwrap_or_default();
        let age = age.map(|a| a.to_string()).unwrap_or_default();
        push(corner, format!("{sex} {age}  {birth}").trim().to_owned(), Tone::Plain);
    }
}

/// What the truth light says, in words.
pub fn truth(words: Words, shown: Fidelity, doubt: Option<&'static str>) -> (String, Tone) {
    match (shown, doubt) {
        (Fidelity::Exact | Fidelity::Reduced(_), Some(key)) => (words.t(key).to_owned(), Tone::Caution),
        (shown, _) => sound(words, shown),
    }
}

fn sound(words: Words, shown: Fidelity) -> (String, Tone) {
    match shown {
        Fidelity::Exact => (words.t("viewport.exact").to_owned(), Tone::Plain),
        Fidelity::Arriving(share) => {
            let percent = format!("{:.0}", (share * 100.0).floor());
            (words.f("viewport.arriving", &[("percent", &percent)]), Tone::Caution)
        }
        Fidelity::Reduced(factor) => (words.f("viewport.reduced", &[("factor", &shrunk(factor))]), Tone::Plain),
        Fidelity::None => (String::new(), Tone::Plain),
    }
}

/// Two digits where one would read as "not at all".
fn shrunk(factor: f64) -> String {
    if factor < 2.0 { format!("{factor:.2}") } else { format!("{factor:.1}") }
}

/// Whole numbers without a fraction, others with two digits.
pub fn number(value: f64) -> String {
    if value.fract().abs() < 1e-6 || value.abs() >= 1000.0 { format!("{value:.0}") } else { format!("{value:.2}") }
}

/// The value under the pointer, from stored values.
pub(super) fn probe_text(input: &ViewportInput<'_>, geometry: &Geometry, at: [f64; 2]) -> Option<String> {
    let frame = input.ready_frame()?;
    let pixel = geometry.pixel_from_screen(at);
    if frame.photometric == Photometric::Color || !geometry.contains(pixel) {
        return None;
    }
    let [column, row] = pixel.map(|v| (v + 0.5).floor().max(0.0) as u32);
    let value = frame.modality_value(column, row).map_or_else(|| "-".to_owned(), number);
    let real_world = choices::real_world_text(frame, column, row);
    Some(format!("{column}, {row}: {value} {}{real_world}", frame.unit).trim_end().to_owned())
}

#[cfg(test)]
mod tests {
    use super::super::viewport_panel::FrameState;
    use super::*;
    use crate::app::Language;
    use crate::imaging::{Frame, Pixels};
    use crate::study::{DisplaySet, DisplaySetId, FrameIndex, FrameInfo, FrameRef, GeometryWarning};
    use crate::study::{ImagePlane, Patient, PersonName, SeriesUid, SopInstanceUid, Voi};
    use crate::viewport::{DataPresentation, Tool, ViewId, ViewPresentation};
    use std::sync::Arc;

    fn set() -> DisplaySet {
        let instance = SopInstanceUid::new("1.2.3.4").expect("uid");
        let plane = |n: u32| {
            let place = [0.0, 0.0, f64::from(n) * 2.5];
            ImagePlane::new(place, [1.0, 0.0, 0.0, 0.0, 1.0, 0.0], [0.7, 0.7])
        };
        DisplaySet {
            id: DisplaySetId { series: SeriesUid::new("1.2.3").expect("uid"), index: 0 },
            modality: "MR".into(),
            label: "DWI b800".into(),
            rows: 8,
            columns: 8,
            frames: (0..3).map(|n| FrameRef { instance: instance.clone(), frame: FrameIndex(n) }).collect(),
            info: (0..3).map(|n| FrameInfo { plane: plane(n), ..FrameInfo::default() }).collect(),
            slice_spacing_mm: Some(2.5),
            b_value: Some(800.0),
            laterality: None,
            view: None,
            patient_orientation: None,
            frame_of_reference: None,
            warnings: vec![
                GeometryWarning::VariableSpacing { smallest_mm: 1.0, largest_mm: 2.5 },
                GeometryWarning::DuplicatePositions { count: 2 },
                GeometryWarning::Tilt { degrees: 12.0 },
            ],
            detail: crate::study::SetDetail::default(),
        }
    }

    fn texts(level: OverlayLevel, shown: Fidelity) -> Corners {
        corner_texts(level, shown, None, FrameState::Arriving)
    }

    fn linked_texts(level: OverlayLevel, shown: Fidelity, link: Option<LinkMark>) -> Corners {
        corner_texts(level, shown, link, FrameState::Arriving)
    }

    fn corner_texts(level: OverlayLevel, shown: Fidelity, link: Option<LinkMark>, frame: FrameState<'_>) -> Corners {
        let patient = Patient {
            id: "007".into(),
            issuer: Some("F1".into()),
            name: PersonName::parse("YAMADA^TARO=山田^太郎"),
            birth_date: Some(jiff::civil::date(1968, 3, 4)),
            sex: Some(Sex::Male),
        };
        let set = set();
        let input = ViewportInput {
            id: ViewId(0),
            active: true,
            patient: Some(&patient),
            study_date: Some(jiff::civil::date(2026, 11, 20)),
            study_description: "brain",
            prior: true,
            set: Some(&set),
            position: 1,
            frame,
            view: ViewPresentation::default(),
            data: DataPresentation { invert: true, ..DataPresentation::default() },
            voi: Some(Voi::linear(600.0, 1200.5)),
            tool: Tool::Scroll,
            annotations: &[],
            chosen: None,
            orientation_assumed: false,
            link,
            marks: &[],
            key_images: &[],
            laid: None,
            level,
            nearest_from: f64::INFINITY,
            words: Words(Language::En),
        };
        let geometry = Geometry::new([16.0, 16.0], 8, 8, 1.0, input.view);
        corners(&input, &geometry, shown, Some("3, 4: 17"))
    }

    fn plain(lines: &[Line]) -> Vec<&str> {
        lines.iter().map(|l| l.text.as_str()).collect()
    }

    #[test]
    fn everything_at_the_full_level() {
        let c = texts(OverlayLevel::Full, Fidelity::Exact);
        assert_eq!(plain(&c.top_left), ["山田\u{3000}太郎", "YAMADA TARO", "007@F1", "M 58  1968-03-04"]);
        assert_eq!(plain(&c.top_right), ["MR 2026-11-20", "Prior study", "DWI b800", "brain"]);
        assert_eq!(plain(&c.bottom_left), ["3, 4: 17", "200 %", "exact"]);
        let slice = "2 / 3   2.5 mm   b = 800 s/mm²";
        let [first, second] = ["uneven slice spacing 1.00 to 2.50 mm", "2 images at the same position"];
        let window = "C 600  W 1200 inverted";
        assert_eq!(plain(&c.bottom_right), [slice, window, first, second, "gantry tilt 12.0°"]);
        assert_eq!(c.bottom_right[4].tone, Tone::Caution);
        // No warning is dropped for want of a line.
        let c = linked_texts(OverlayLevel::Full, Fidelity::Exact, Some(LinkMark::Alone));
        let others = "2 images at the same position / gantry tilt 12.0°";
        assert_eq!(plain(&c.bottom_right), [slice, window, "not linked", first, others]);
    }

    #[test]
    fn the_patient_and_the_study_stay_at_every_level() {
        for level in [OverlayLevel::Short, OverlayLevel::None] {
            let c = texts(level, Fidelity::Reduced(1.03));
            assert_eq!(plain(&c.top_left), ["山田\u{3000}太郎", "007@F1"]);
            assert_eq!(plain(&c.top_right)[..2], ["MR 2026-11-20", "Prior study"]);
            assert!(!plain(&c.bottom_left).contains(&"200 %"));
        }
        let none = texts(OverlayLevel::None, Fidelity::Exact);
        assert!(none.bottom_left.is_empty() && none.bottom_right.is_empty());
    }

    #[test]
    fn a_damaged_picture_never_passes_for_a_sound_one() {
        let frame = Arc::new(Frame {
            warnings: vec![Trouble::Window, Trouble::Cut { missing: 16, expected: 64 }],
            ..Frame::plain(8, 8, Pixels::U8(vec![0; 64]))
        });
        let told = "Damaged: 25.0 % of the pixels are missing";
        for level in [OverlayLevel::Full, OverlayLevel::Short, OverlayLevel::None] {
            let c = corner_texts(level, Fidelity::Exact, None, FrameState::Ready(&frame));
            assert_eq!((c.bottom_left[0].text.as_str(), c.bottom_left[0].tone), (told, Tone::Caution));
            assert!(!plain(&c.bottom_left).contains(&"exact"));
            let minor = plain(&c.bottom_right).iter().any(|l| l.ends_with("stored window not valid, not used"));
            assert_eq!(minor, level == OverlayLevel::Full);
        }
        let c = corner_texts(OverlayLevel::Full, Fidelity::Exact, None, FrameState::Ready(&frame));
        assert_eq!(plain(&c.bottom_left), [told, "3, 4: 17", "200 %", "damaged"]);
    }

    #[test]
    fn what_a_presentation_state_makes_of_a_picture_is_told_at_every_level() {
        let dressed =
            |trouble| Arc::new(Frame { warnings: vec![trouble], ..Frame::plain(8, 8, Pixels::U8(vec![0; 64])) });
        let (subtracted, without) = (dressed(Trouble::Subtracted), dressed(Trouble::Unmasked));
        for level in [OverlayLevel::Full, OverlayLevel::Short, OverlayLevel::None] {
            let c = corner_texts(level, Fidelity::Exact, None, FrameState::Ready(&subtracted));
            assert_eq!(c.bottom_left[0].text, "mask subtracted");
            let c = corner_texts(level, Fidelity::Exact, None, FrameState::Ready(&without));
            assert_eq!(c.bottom_left[0].text, "The mask cannot be applied: nothing is subtracted");
        }
        let light = |frame: &Arc<Frame>| {
            let c = corner_texts(OverlayLevel::Short, Fidelity::Exact, None, FrameState::Ready(frame));
            c.bottom_left.last().map(|l| l.text.clone())
        };
        assert_eq!(light(&subtracted).as_deref(), Some("exact"));
        assert_eq!(light(&without).as_deref(), Some("not subtracted"), "whole, but not what was meant");
    }

    #[test]
    fn an_estimated_link_is_told_as_such() {
        for level in [OverlayLevel::Full, OverlayLevel::Short] {
            let c = linked_texts(level, Fidelity::Exact, Some(LinkMark::Estimated));
            assert!(plain(&c.bottom_right).contains(&"linked ≈"));
            let c = linked_texts(level, Fidelity::Exact, Some(LinkMark::Alone));
            assert!(plain(&c.bottom_right).contains(&"not linked"));
            assert!(c.bottom_right.len() <= LINES);
        }
    }

    #[test]
    fn the_truth_is_told_in_words() {
        let last = |shown| texts(OverlayLevel::Short, shown).bottom_left.pop().expect("a line").text;
        assert_eq!(last(Fidelity::Reduced(1.03)), "reduced 1/1.03");
        assert_eq!(last(Fidelity::Reduced(4.72)), "reduced 1/4.7");
        // Never rounded up to "all".
        assert_eq!(last(Fidelity::Arriving(0.999)), "arriving 99 %");
    }

    #[test]
    fn numbers_have_digits_that_say_something() {
        assert_eq!([number(40.0), number(0.25), number(1234.5), number(-3.0)], ["40", "0.25", "1234", "-3"]);
    }
}

//! The texts on a picture: whose, what, where, how. Four corners, three levels; the patient is always there.

use super::choices;
use super::scale_bar::scale_bar;
use super::text::Words;
use super::theme;
use super::viewport_panel::ViewportInput;
use crate::app::{LinkMark, OverlayLevel};
use crate::imaging::Photometric;
use crate::study::hidden_debug;
use crate::study::{GeometryWarning, Sex, age_at};
use crate::viewport::{Fidelity, Geometry, edge_letters};
use egui::{Align2, Color32, Painter, Pos2, Rect, Stroke, pos2, vec2};

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
const LINES: usize = 4;

/// Margin and line height, points.
pub(super) const MARGIN: f32 = 6.0;
const LINE_HEIGHT: f32 = 14.0;

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
    // That something of the picture is taken away or opened is told at every level.
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
        let warnings: Vec<String> = set.warnings.iter().map(|w| geometry_warning(words, w)).collect();
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
    let (truth, tone) = truth(words, shown);
    push(&mut out.bottom_left, truth, tone);
    out
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
pub fn truth(words: Words, shown: Fidelity) -> (String, Tone) {
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

fn geometry_warning(words: Words, warning: &GeometryWarning) -> String {
    match warning {
        GeometryWarning::VariableSpacing { smallest_mm, largest_mm } => words.f(
            "viewport.variable_spacing",
            &[("from", &format!("{smallest_mm:.2}")), ("to", &format!("{largest_mm:.2}"))],
        ),
        GeometryWarning::DuplicatePositions { count } => words.f("viewport.duplicates", &[("n", count)]),
        GeometryWarning::Tilt { degrees } => words.f("viewport.tilt", &[("degrees", &format!("{degrees:.1}"))]),
        GeometryWarning::MissingSlices { count, gaps, largest_mm } => {
            words.f("viewport.geometry_missing", &[("n", count), ("gaps", gaps), ("mm", &format!("{largest_mm:.1}"))])
        }
        GeometryWarning::Shifted { largest_mm } => {
            words.f("viewport.geometry_shifted", &[("mm", &format!("{largest_mm:.1}"))])
        }
        GeometryWarning::MixedOrientations { count } => words.f("viewport.geometry_directions", &[("n", count)]),
        GeometryWarning::SeveralReferences { count } => words.f("viewport.geometry_references", &[("n", count)]),
        GeometryWarning::IncompletePhases { missing } => words.f("viewport.geometry_incomplete", &[("n", missing)]),
        GeometryWarning::Mosaic { tiles } => words.f("viewport.geometry_mosaic", &[("n", tiles)]),
        GeometryWarning::NoGeometry => words.t("viewport.no_geometry").to_owned(),
    }
}

/// Whole numbers without a fraction, others with two digits.
pub fn number(value: f64) -> String {
    if value.fract().abs() < 1e-6 || value.abs() >= 1000.0 { format!("{value:.0}") } else { format!("{value:.2}") }
}

fn color(tone: Tone) -> Color32 {
    match tone {
        Tone::Strong => theme::TEXT_STRONG,
        Tone::Plain => theme::TEXT,
        Tone::Caution => theme::CAUTION,
    }
}

/// One line, cut with an ellipsis where it is too long, with a thin dark edge against bright pictures.
pub(super) fn line(painter: &Painter, at: Pos2, align: Align2, text: &str, color: Color32, width: f32) -> Rect {
    let mut job = egui::text::LayoutJob::simple_singleline(text.to_owned(), theme::font(theme::CAPTION), color);
    job.wrap = egui::text::TextWrapping::truncate_at_width(width.max(8.0));
    let galley = painter.layout_job(job);
    let rect = align.anchor_size(at, galley.size());
    for by in [vec2(1.0, 0.0), vec2(-1.0, 0.0), vec2(0.0, 1.0), vec2(0.0, -1.0)] {
        painter.galley_with_override_text_color(rect.min + by, galley.clone(), theme::SURROUND);
    }
    painter.galley(rect.min, galley, color);
    rect
}

/// Paints corner texts, orientation letters, scale bar and truth light into the picture's rectangle.
pub(super) fn paint(
    painter: &Painter,
    rect: Rect,
    input: &ViewportInput<'_>,
    geometry: &Geometry,
    shown: Fidelity,
    probe: Option<&str>,
) {
    let corners = corners(input, geometry, shown, probe);
    // Mammograms: all texts on the side away from the chest wall.
    let side = input.set.filter(|s| s.modality == "MG").map_or(0, |_| input.view.justify.signum());
    let light = !matches!(shown, Fidelity::None) && input.level != OverlayLevel::None;
    let width = if side == 0 { rect.width() / 2.0 - 2.0 * MARGIN } else { rect.width() * 0.4 };
    let draw = |lines: &[Line], left: bool, top: bool, offset: f32| {
        let x = if left { rect.left() + MARGIN } else { rect.right() - MARGIN };
        let count = lines.len() as f32;
        for (n, text) in lines.iter().enumerate() {
            let y = if top {
                rect.top() + MARGIN + offset + n as f32 * LINE_HEIGHT
            } else {
                rect.bottom() - MARGIN - offset - (count - n as f32) * LINE_HEIGHT
            };
            // The truth light stands before the last line at the bottom left.
            let is_truth = !top && std::ptr::eq(lines, corners.bottom_left.as_slice()) && n + 1 == lines.len() && light;
            let align = if left { Align2::LEFT_TOP } else { Align2::RIGHT_TOP };
            let room = if is_truth && left { LINE_HEIGHT } else { 0.0 };
            let drawn = line(painter, pos2(x + room, y), align, &text.text, color(text.tone), width - room);
            if is_truth {
                let at = if left { pos2(x + 5.0, y + 6.0) } else { pos2(drawn.left() - 9.0, y + 6.0) };
                truth_light(painter, at, shown);
            }
        }
    };
    let height = |lines: &[Line]| lines.len() as f32 * LINE_HEIGHT;
    match side {
        0 => {
            draw(&corners.top_left, true, true, 0.0);
            draw(&corners.top_right, false, true, 0.0);
            draw(&corners.bottom_left, true, false, 0.0);
            draw(&corners.bottom_right, false, false, 0.0);
        }
        side => {
            // Flush left (-1): the free side is the right one.
            let left = side > 0;
            draw(&corners.top_left, left, true, 0.0);
            draw(&corners.top_right, left, true, height(&corners.top_left) + MARGIN);
            draw(&corners.bottom_left, left, false, 0.0);
            draw(&corners.bottom_right, left, false, height(&corners.bottom_left) + MARGIN);
        }
    }
    letters(painter, rect, input, geometry);
    if input.level != OverlayLevel::None {
        scale_bar(painter, rect, input, geometry);
    }
}

fn letters(painter: &Painter, rect: Rect, input: &ViewportInput<'_>, geometry: &Geometry) {
    let Some(edges) = input.set.and_then(|s| edge_letters(s, input.position, geometry)) else {
        return;
    };
    let mark = if input.orientation_assumed { "?" } else { "" };
    let center = rect.center();
    let places = [
        (pos2(rect.left() + MARGIN, center.y), Align2::LEFT_CENTER),
        (pos2(center.x, rect.top() + MARGIN), Align2::CENTER_TOP),
        (pos2(rect.right() - MARGIN, center.y), Align2::RIGHT_CENTER),
        (pos2(center.x, rect.bottom() - MARGIN), Align2::CENTER_BOTTOM),
    ];
    for ((at, align), text) in places.into_iter().zip(edges) {
        if !text.is_empty() {
            let tone = if mark.is_empty() { theme::TEXT_STRONG } else { theme::CAUTION };
            line(painter, at, align, &format!("{text}{mark}"), tone, 60.0);
        }
    }
}

/// A shape for each truth: full disc, filling ring, open diamond.
fn truth_light(painter: &Painter, at: Pos2, shown: Fidelity) {
    let radius = 4.0;
    match shown {
        Fidelity::Exact => {
            painter.circle_stroke(at, radius, Stroke::new(1.0, theme::OK));
            painter.circle_filled(at, radius - 2.0, theme::OK);
        }
        Fidelity::Arriving(share) => {
            painter.circle_stroke(at, radius, Stroke::new(1.0, theme::CAUTION));
            painter.circle_filled(at, (radius - 1.0) * share.clamp(0.0, 1.0), theme::CAUTION);
        }
        Fidelity::Reduced(_) => {
            let tips = [vec2(0.0, -radius), vec2(radius, 0.0), vec2(0.0, radius), vec2(-radius, 0.0)].map(|d| at + d);
            painter.add(egui::Shape::closed_line(tips.to_vec(), Stroke::new(1.0, theme::TEXT)));
        }
        Fidelity::None => {}
    }
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
    use crate::study::{DisplaySet, DisplaySetId, FrameIndex, FrameInfo, FrameRef, Patient, PersonName};
    use crate::study::{ImagePlane, SeriesUid, SopInstanceUid, Voi};
    use crate::viewport::{DataPresentation, Tool, ViewId, ViewPresentation};

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
        linked_texts(level, shown, None)
    }

    fn linked_texts(level: OverlayLevel, shown: Fidelity, link: Option<LinkMark>) -> Corners {
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
            frame: FrameState::Arriving,
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
        let first = "uneven slice spacing 1.00 to 2.50 mm";
        let others = "2 images at the same position / gantry tilt 12.0°";
        assert_eq!(plain(&c.bottom_right), [slice, "C 600  W 1200 inverted", first, others]);
        assert_eq!(c.bottom_right[3].tone, Tone::Caution);
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

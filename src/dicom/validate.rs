//! What is wrong with one object, found by looking at its header, each with the rule that it breaks.

use super::dataset::{Value, View};
use super::laterality;
use super::metadata::{date, time};
use super::notes::{keyword, text_notes};
use super::read::Header;
use super::{image, sop_class};
use crate::study::{ImagePlane, MammogramKind, SopInstanceUid};
use dicom_core::{Tag, VR};
use dicom_dictionary_std::tags;

/// How much a finding matters.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Severity {
    /// Worth knowing.
    Note,
    /// Breaks a rule; readers differ in what they make of it.
    Warning,
    /// Pictures, identity or geometry cannot be relied on.
    Error,
}

/// One finding.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finding {
    /// How much it matters.
    pub severity: Severity,
    /// Short name, stable: `type-1`, `charset` …
    pub rule: &'static str,
    /// Attribute, as `00100010` (inside sequences `00081115/0/0008103E`); empty: the object.
    pub place: String,
    /// What was found, without patient data.
    pub message: String,
    /// Clause of the standard.
    pub cite: &'static str,
}

/// Most findings of one rule in one object.
const MOST: usize = 50;
/// Deepest nesting that is looked at.
const DEPTH: usize = 64;

/// Looks at a header; pixel data are not read.
pub fn findings(header: &Header) -> Vec<Finding> {
    let mut out = Vec::new();
    let view = header.view();
    for warning in header.warnings() {
        let cite =
            if warning.contains("character") || warning.contains("text") { "PS3.5 6.1" } else { "PS3.5 7, PS3.10 7" };
        add(&mut out, Severity::Warning, "structure", String::new(), warning, cite);
    }
    for note in text_notes(header).into_iter().take(MOST) {
        add(&mut out, Severity::Warning, "charset", note.path, note.note.to_owned(), "PS3.3 C.12.1.1.2, PS3.5 6.1.2");
    }
    if header.is_cut() {
        let text = "the data end within the header".to_owned();
        add(&mut out, Severity::Error, "length", String::new(), text, "PS3.5 7.1");
    }
    identity(&view, &mut out);
    values(&view, "", 0, &mut out);
    let picture =
        header.has_pixel_data() && sop_class::reason_without_picture(header, &header.sop_class(), 1, 1).is_none();
    if picture {
        pixels(header, &view, &mut out);
        windows(&view, &mut out);
        geometry(&view, &mut out);
        weighting(&view, &mut out);
        breast(header, &view, &mut out);
    }
    let (_, conflict) = laterality::laterality(&view);
    if !conflict.is_empty() {
        let said: Vec<String> = conflict.iter().map(|s| format!("{} says {:?}", s.source, s.side)).collect();
        add(&mut out, Severity::Error, "laterality", "00200062".into(), said.join(", "), "PS3.3 C.7.3.1, C.8.11.3");
    }
    out
}

fn add(
    out: &mut Vec<Finding>,
    severity: Severity,
    rule: &'static str,
    place: String,
    message: String,
    cite: &'static str,
) {
    if out.iter().filter(|f| f.rule == rule).count() < MOST {
        out.push(Finding { severity, rule, place, message, cite });
    }
}

fn key(tag: Tag) -> String {
    format!("{:04X}{:04X}", tag.group(), tag.element())
}

/// `Rows (0028,0010)`.
fn name(tag: Tag) -> String {
    format!("{} ({:04X},{:04X})", keyword(&key(tag)), tag.group(), tag.element())
}

fn filled(view: &View<'_>, tag: Tag) -> bool {
    view.set.get(tag).is_some_and(|e| match &e.value {
        Value::Bytes(range) => !range.is_empty(),
        Value::Items(items) => !items.is_empty(),
        Value::Fragments(_) => true,
    })
}

fn required(view: &View<'_>, wanted: &[Tag], severity: Severity, cite: &'static str, out: &mut Vec<Finding>) {
    for tag in wanted {
        if !filled(view, *tag) {
            let what = if view.has(*tag) { "is empty" } else { "is missing" };
            add(out, severity, "type-1", key(*tag), format!("{} {what}", name(*tag)), cite);
        }
    }
}

fn identity(view: &View<'_>, out: &mut Vec<Finding>) {
    let wanted = [tags::SOP_CLASS_UID, tags::SOP_INSTANCE_UID, tags::STUDY_INSTANCE_UID, tags::SERIES_INSTANCE_UID];
    if view.has(Tag(0x0004, 0x1220)) {
        return;
    }
    required(view, &wanted, Severity::Error, "PS3.3 C.7.2.1, C.7.3.1, C.12.1", out);
    required(view, &[tags::MODALITY], Severity::Warning, "PS3.3 C.7.3.1", out);
    for tag in [tags::PATIENT_ID, tags::PATIENT_NAME] {
        if !filled(view, tag) {
            let text = format!("{} is empty: the patient cannot be told by it", name(tag));
            add(out, Severity::Note, "identity", key(tag), text, "PS3.3 C.7.1.1");
        }
    }
}

/// Form of values: lengths, numbers, dates, UIDs, in all levels.
fn values(view: &View<'_>, path: &str, depth: usize, out: &mut Vec<Finding>) {
    for element in view.set.elements() {
        let here = if path.is_empty() { key(element.tag) } else { format!("{path}/{}", key(element.tag)) };
        match &element.value {
            Value::Items(_) if depth < DEPTH => {
                for (n, item) in view.items(element.tag).enumerate() {
                    values(&item, &format!("{here}/{n}"), depth + 1, out);
                }
            }
            Value::Bytes(range) => value(view, element.tag, element.vr, range.len(), here, out),
            _ => {}
        }
    }
}

fn value(view: &View<'_>, tag: Tag, vr: VR, length: usize, here: String, out: &mut Vec<Finding>) {
    let mut bad = |rule, text: String, cite| add(out, Severity::Warning, rule, here.clone(), text, cite);
    if length % 2 == 1 {
        bad("length", format!("{} has an odd length ({length} bytes)", name(tag)), "PS3.5 7.1.1");
    }
    let unit = match vr {
        VR::US | VR::SS => 2,
        VR::UL | VR::SL | VR::FL | VR::AT => 4,
        VR::FD | VR::SV | VR::UV => 8,
        _ => 1,
    };
    if !length.is_multiple_of(unit) {
        bad("length", format!("{} has {length} bytes, no multiple of {unit}", name(tag)), "PS3.5 6.2");
    }
    // Private values are the maker's business.
    if tag.group() % 2 == 1 || length == 0 {
        return;
    }
    let wrong = |texts: Vec<String>, sound: &dyn Fn(&str) -> bool| texts.iter().any(|t| !t.is_empty() && !sound(t));
    match vr {
        VR::UI if wrong(view.strings(tag), &|t| SopInstanceUid::new(t).is_ok()) => {
            bad("uid", format!("{} is no UID", name(tag)), "PS3.5 9.1");
        }
        VR::UI if wrong(view.strings(tag), &|t| !t.split('.').any(|c| c.len() > 1 && c.starts_with('0'))) => {
            bad("uid", format!("{} has a component with a leading zero", name(tag)), "PS3.5 9.1");
        }
        VR::DA if wrong(view.strings(tag), &|t| date(t).is_some()) => {
            bad("value", format!("{} is no date", name(tag)), "PS3.5 6.2");
        }
        VR::TM if wrong(view.strings(tag), &|t| time(t).is_some()) => {
            bad("value", format!("{} is no time", name(tag)), "PS3.5 6.2");
        }
        VR::DS if wrong(view.strings(tag), &|t| t.parse::<f64>().is_ok_and(f64::is_finite)) => {
            bad("value", format!("{} is no number", name(tag)), "PS3.5 6.2");
        }
        VR::DS if wrong(view.strings(tag), &|t| t.len() <= 16) => {
            bad("value", format!("{} is longer than 16 characters", name(tag)), "PS3.5 6.2");
        }
        VR::IS if wrong(view.strings(tag), &|t| t.trim_start_matches('+').parse::<i32>().is_ok()) => {
            bad("value", format!("{} is no whole number", name(tag)), "PS3.5 6.2");
        }
        _ => {}
    }
}

fn pixels(header: &Header, view: &View<'_>, out: &mut Vec<Finding>) {
    const CITE: &str = "PS3.3 C.7.6.3";
    let wanted =
        [tags::ROWS, tags::COLUMNS, tags::BITS_ALLOCATED, tags::SAMPLES_PER_PIXEL, tags::PHOTOMETRIC_INTERPRETATION];
    required(view, &wanted, Severity::Error, CITE, out);
    let float = header.pixel.as_ref().is_some_and(|p| p.tag != tags::PIXEL_DATA);
    if !float {
        let wanted = [tags::BITS_STORED, tags::HIGH_BIT, tags::PIXEL_REPRESENTATION];
        required(view, &wanted, Severity::Error, CITE, out);
    }
    let int = |tag| view.int(tag);
    if let (Some(allocated), Some(stored), Some(high)) =
        (int(tags::BITS_ALLOCATED), int(tags::BITS_STORED), int(tags::HIGH_BIT))
    {
        if stored > allocated || stored < 1 {
            let text = format!("{stored} bits stored of {allocated} allocated");
            add(out, Severity::Error, "bits", key(tags::BITS_STORED), text, CITE);
        } else if high != stored - 1 {
            let text = format!("the high bit is {high}, not {} (bits stored - 1)", stored - 1);
            add(out, Severity::Note, "bits", key(tags::HIGH_BIT), text, "PS3.5 8.1.1");
        }
    }
    let photometric = view.string(tags::PHOTOMETRIC_INTERPRETATION).unwrap_or_default();
    let samples = int(tags::SAMPLES_PER_PIXEL).unwrap_or(1);
    let one = photometric.starts_with("MONOCHROME") || photometric == "PALETTE COLOR";
    if !photometric.is_empty() && one != (samples == 1) {
        let text = format!("{samples} samples per pixel with {photometric}");
        add(out, Severity::Error, "colour", key(tags::SAMPLES_PER_PIXEL), text, "PS3.3 C.7.6.3.1.2");
    }
    if samples > 1 && !view.has(tags::PLANAR_CONFIGURATION) {
        required(view, &[tags::PLANAR_CONFIGURATION], Severity::Warning, "PS3.3 C.7.6.3.1.3", out);
    }
    if photometric == "PALETTE COLOR" {
        let wanted = [tags::RED_PALETTE_COLOR_LOOKUP_TABLE_DESCRIPTOR];
        required(view, &wanted, Severity::Error, "PS3.3 C.7.6.3.1.5", out);
    }
    native_length(header, out);
}

/// Declared length of uncompressed pixel data against the size of the picture and of the file.
fn native_length(header: &Header, out: &mut Vec<Finding>) {
    let Some(pixel) = &header.pixel else { return };
    let (Some(length), Ok(image)) = (pixel.length, image::image(header)) else { return };
    let wanted = (image::frame_bits(&image) as u64).saturating_mul(u64::from(image.declared_frames)).div_ceil(8);
    let (length, there) = (u64::from(length), header.total.saturating_sub(pixel.start) as u64);
    if there < length {
        let text = format!("pixel data are declared with {length} bytes, {there} are there");
        add(out, Severity::Error, "length", key(pixel.tag), text, "PS3.5 7.1");
    } else if length < wanted {
        let text = format!("pixel data have {length} bytes, rows, columns, frames and bits need {wanted}");
        add(out, Severity::Error, "length", key(pixel.tag), text, "PS3.5 8.1.1");
    } else if length > wanted + wanted % 2 {
        let text = format!("pixel data have {length} bytes, rows, columns, frames and bits need {wanted}");
        add(out, Severity::Warning, "length", key(pixel.tag), text, "PS3.5 8.1.1");
    }
}

fn windows(view: &View<'_>, out: &mut Vec<Finding>) {
    let (centers, widths) = (view.floats(tags::WINDOW_CENTER), view.floats(tags::WINDOW_WIDTH));
    if centers.len() != widths.len() {
        let text = format!("{} window centres, {} widths", centers.len(), widths.len());
        add(out, Severity::Warning, "window", key(tags::WINDOW_CENTER), text, "PS3.3 C.11.2.1.2");
    }
    let exact = view.string(tags::VOILUT_FUNCTION).is_some_and(|f| f != "LINEAR");
    if widths.iter().any(|w| if exact { *w <= 0.0 } else { *w < 1.0 }) {
        let text = "a window width is too small".to_owned();
        add(out, Severity::Warning, "window", key(tags::WINDOW_WIDTH), text, "PS3.3 C.11.2.1.2.1");
    }
}

fn geometry(view: &View<'_>, out: &mut Vec<Finding>) {
    const CITE: &str = "PS3.3 C.7.6.2";
    let modality = view.string(tags::MODALITY).unwrap_or_default();
    let frames =
        view.has(tags::SHARED_FUNCTIONAL_GROUPS_SEQUENCE) || view.has(tags::PER_FRAME_FUNCTIONAL_GROUPS_SEQUENCE);
    let class = view.string(tags::SOP_CLASS_UID).unwrap_or_default();
    let tomographic = matches!(
        class.as_str(),
        "1.2.840.10008.5.1.4.1.1.2" | "1.2.840.10008.5.1.4.1.1.4" | "1.2.840.10008.5.1.4.1.1.128"
    );
    if tomographic && !frames {
        let wanted = [tags::IMAGE_POSITION_PATIENT, tags::IMAGE_ORIENTATION_PATIENT, tags::PIXEL_SPACING];
        for tag in wanted.into_iter().filter(|t| !filled(view, *t)) {
            let text = format!("{} is missing: the slice has no place in the patient", name(tag));
            add(out, Severity::Error, "geometry", key(tag), text, CITE);
        }
        if !filled(view, tags::FRAME_OF_REFERENCE_UID) {
            let text = format!("{} is missing", name(tags::FRAME_OF_REFERENCE_UID));
            add(out, Severity::Warning, "geometry", key(tags::FRAME_OF_REFERENCE_UID), text, "PS3.3 C.7.4.1");
        }
    }
    let position = view.floats(tags::IMAGE_POSITION_PATIENT);
    let orientation = view.floats(tags::IMAGE_ORIENTATION_PATIENT);
    let sound = |v: &[f64], n: usize| v.is_empty() || (v.len() == n && v.iter().all(|x| x.is_finite()));
    if !sound(&position, 3) {
        let text = "not three numbers".to_owned();
        add(out, Severity::Error, "geometry", key(tags::IMAGE_POSITION_PATIENT), text, CITE);
    }
    if !sound(&orientation, 6) {
        let text = "not six numbers".to_owned();
        add(out, Severity::Error, "geometry", key(tags::IMAGE_ORIENTATION_PATIENT), text, CITE);
    } else if let Some(cosines) = view.array::<6>(tags::IMAGE_ORIENTATION_PATIENT)
        && ImagePlane::new([0.0; 3], cosines, [1.0, 1.0]).is_none()
    {
        let text = "the directions are not of length 1 and perpendicular".to_owned();
        add(out, Severity::Error, "geometry", key(tags::IMAGE_ORIENTATION_PATIENT), text, "PS3.3 C.7.6.2.1.1");
    }
    if view.floats(tags::PIXEL_SPACING).iter().any(|s| !s.is_finite() || *s <= 0.0) {
        let text = "Pixel Spacing is not positive".to_owned();
        add(out, Severity::Error, "geometry", key(tags::PIXEL_SPACING), text, "PS3.3 10.7.1.3");
    }
    let projection = matches!(modality.as_str(), "CR" | "DX" | "MG" | "XA" | "RF");
    let any = [tags::PIXEL_SPACING, tags::IMAGER_PIXEL_SPACING, tags::NOMINAL_SCANNED_PIXEL_SPACING];
    if projection && !frames && !any.iter().any(|t| filled(view, *t)) {
        let text = "no pixel spacing of any kind: lengths cannot be measured".to_owned();
        add(out, Severity::Note, "geometry", key(tags::IMAGER_PIXEL_SPACING), text, "PS3.3 10.7");
    }
}

fn weighting(view: &View<'_>, out: &mut Vec<Finding>) {
    let found = super::diffusion::diffusion(view, 0);
    let Some(source) = found.source else { return };
    if source != crate::study::BValueSource::Standard {
        let text = format!("the b-value stands in a private place only ({source:?})");
        add(out, Severity::Note, "b-value", key(tags::DIFFUSION_B_VALUE), text, "PS3.3 C.8.13.5.9");
    }
}

fn breast(header: &Header, view: &View<'_>, out: &mut Vec<Finding>) {
    const CITE: &str = "PS3.3 C.8.11.7";
    let Some(m) = super::mammogram::mammogram(view, &header.sop_class()) else { return };
    let (side, conflict) = laterality::laterality(view);
    if side.is_none() && conflict.is_empty() {
        let text = "no attribute tells the side of the breast".to_owned();
        add(out, Severity::Error, "laterality", key(tags::IMAGE_LATERALITY), text, CITE);
    }
    if m.view.is_none() {
        let text = "no attribute tells the view".to_owned();
        add(out, Severity::Error, "view", key(tags::VIEW_CODE_SEQUENCE), text, CITE);
    } else if m.uncoded {
        let text = "the view is stated by View Position only, without a code".to_owned();
        add(out, Severity::Warning, "view", key(tags::VIEW_CODE_SEQUENCE), text, CITE);
    }
    if m.partial == Some(true) && (m.spot || m.magnification) {
        let text = "Partial View is YES beside spot compression or magnification".to_owned();
        add(out, Severity::Warning, "view", key(tags::PARTIAL_VIEW), text, "PS3.3 C.8.11.7.1.3");
    }
    if m.for_processing {
        let text = "for processing: not meant for reading".to_owned();
        add(out, Severity::Note, "view", key(tags::PRESENTATION_INTENT_TYPE), text, "PS3.3 C.8.11.1");
    }
    if m.kind == MammogramKind::Exposure && !filled(view, tags::PATIENT_ORIENTATION) {
        let text = "Patient Orientation is missing: the hanging assumes it".to_owned();
        add(out, Severity::Warning, "view", key(tags::PATIENT_ORIENTATION), text, "PS3.3 C.7.6.1");
    }
}

#[cfg(test)]
mod tests {
    use super::super::test_object::{As, Build, EXPLICIT};
    use super::*;

    fn rules(build: Build) -> Vec<(Severity, &'static str, String)> {
        let header = Header::from_bytes(build.file(EXPLICIT)).expect("reads");
        findings(&header).into_iter().map(|f| (f.severity, f.rule, f.place)).collect()
    }

    fn has(found: &[(Severity, &'static str, String)], rule: &str, place: &str) -> bool {
        found.iter().any(|(_, r, p)| *r == rule && p == place)
    }

    /// A sound CT slice.
    fn sound() -> Build {
        Build::image(As::Explicit, 2, 2)
            .text(0x0010_0020, b"LO", "1")
            .text(0x0020_0032, b"DS", "0\\0\\0")
            .text(0x0020_0037, b"DS", "1\\0\\0\\0\\1\\0")
            .text(0x0020_0052, b"UI", "1.9")
            .text(0x0028_0030, b"DS", "1\\1")
            .bytes(0x7FE0_0010, b"OW", &[0; 8])
    }

    #[test]
    fn a_sound_object_has_no_finding() {
        // The builder appends: the tags above are out of order, which the reader says and sorts.
        let found = rules(sound());
        assert!(found.iter().all(|f| f.1 == "structure"), "{found:?}");
    }

    #[test]
    fn each_fault_is_found_at_its_place() {
        let with = |extra: Build| {
            let mut build = extra;
            build.bytes.extend(sound().bytes);
            rules(build)
        };
        let new = || Build::new(As::Explicit);
        assert!(has(
            &with(new().text(0x0020_0062, b"CS", "R").text(0x0020_0060, b"CS", "L")),
            "laterality",
            "00200062"
        ));
        assert!(has(&with(new().text(0x0008_0020, b"DA", "20261399")), "value", "00080020"));
        assert!(has(&with(new().text(0x0020_0011, b"IS", "x1")), "value", "00200011"));
        assert!(has(&with(new().text(0x0018_0050, b"DS", "1.23456789012345678")), "value", "00180050"));
        assert!(has(&with(new().text(0x0008_1155, b"UI", "1.02.3")), "uid", "00081155"));
        assert!(has(&with(new().raw(0x0008_0050, b"SH", 3, b"abc")), "length", "00080050"));
        assert!(has(
            &with(new().text(0x0028_1050, b"DS", "40\\50").text(0x0028_1051, b"DS", "0")),
            "window",
            "00281050"
        ));
        assert!(has(&with(new().text(0x0020_0037, b"DS", "1\\0\\0\\1\\0\\0")), "geometry", "00200037"));
        let csa = new().text(0x0019_0010, b"LO", "SIEMENS MR HEADER").text(0x0019_100C, b"IS", "800");
        assert!(has(&with(csa), "b-value", "00189087"));
        assert!(has(&with(new().us(0x0028_0101, &[20])), "bits", "00280101"));
        assert!(has(&with(new().us(0x0028_0010, &[4])), "length", "7FE00010"));
        assert!(has(&with(new().text(0x0008_0018, b"UI", "")), "type-1", "00080018"));
        let mg = with(new().text(0x0008_0060, b"CS", "MG"));
        assert!(has(&mg, "laterality", "00200062") && has(&mg, "view", "00540220"));
    }

    #[test]
    fn what_is_missing_is_named() {
        let bare = Build::image(As::Explicit, 2, 2).bytes(0x7FE0_0010, b"OW", &[0; 8]);
        let found = rules(bare);
        for place in ["00200032", "00200037", "00280030", "00200052"] {
            assert!(has(&found, "geometry", place), "{place}: {found:?}");
        }
        assert!(has(&found, "identity", "00100020"));
    }
}

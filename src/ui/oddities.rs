//! What is odd about pictures and other objects, in the reader's language.

use super::text::Words;
use crate::engine::message::{Unshown, UnshownKind};
use crate::imaging::{Table, Trouble};
use crate::study::GeometryWarning;
use crate::study::document::DocumentOddity;
use crate::viewport::Oddity;

fn table(words: Words, table: Table) -> &'static str {
    words.t(match table {
        Table::Modality => "trouble.table_modality",
        Table::Voi => "trouble.table_voi",
        Table::Presentation => "trouble.table_presentation",
    })
}

/// What the reader of a frame should know.
pub fn trouble(words: Words, trouble: &Trouble) -> String {
    match trouble {
        Trouble::Cut { missing, expected } => {
            // Never 0 % for something that is missing.
            let percent = format!("{:.1}", (*missing as f64 / (*expected).max(1) as f64 * 100.0).max(0.1));
            words.f("trouble.cut", &[("percent", &percent)])
        }
        Trouble::Codestream { codec, message } => {
            words.f("trouble.codestream", &[("codec", codec), ("message", message)])
        }
        Trouble::CodestreamOdd { codec, message } => {
            words.f("trouble.codestream_odd", &[("codec", codec), ("message", message)])
        }
        Trouble::Inflate => words.t("trouble.inflate").to_owned(),
        Trouble::Frames { declared, held } => words.f("trouble.frames", &[("declared", declared), ("held", held)]),
        Trouble::Coding { declared, found } => words.f("trouble.coding", &[("declared", declared), ("found", found)]),
        Trouble::Bits { declared, found } => words.f("trouble.bits", &[("declared", declared), ("found", found)]),
        Trouble::Sign => words.t("trouble.sign").to_owned(),
        Trouble::ColourSpace { found } => words.f("trouble.colour_space", &[("found", found)]),
        Trouble::FullColour => words.t("trouble.full_colour").to_owned(),
        Trouble::ColourBits { bits } => words.f("trouble.colour_bits", &[("bits", bits)]),
        Trouble::ColourProfile { reason } => words.f("trouble.colour_profile", &[("reason", reason)]),
        Trouble::RoundedIntegers | Trouble::RoundedDoubles => words.t("trouble.rounded").to_owned(),
        Trouble::Overlay { group, .. } => words.f("trouble.overlay", &[("group", &format!("{group:04X}"))]),
        Trouble::Shutter { shape } => words.f("trouble.shutter", &[("shape", shape)]),
        Trouble::TableDamaged { table: which } => words.f("trouble.table_damaged", &[("table", &table(words, *which))]),
        Trouble::TableBits { table: which, .. } | Trouble::TableEntries { table: which, .. } => {
            words.f("trouble.table_differs", &[("table", &table(words, *which))])
        }
        Trouble::Window => words.t("trouble.window").to_owned(),
        Trouble::Slope => words.t("trouble.slope").to_owned(),
        Trouble::Subtracted => words.t("trouble.subtracted").to_owned(),
        Trouble::Unmasked => words.t("trouble.unmasked").to_owned(),
        Trouble::Mask { trouble: inner } => words.f("trouble.mask", &[("trouble", &self::trouble(words, inner))]),
        Trouble::StateWithoutModality => words.t("object.no_modality").to_owned(),
    }
}

/// Why a picture cannot be shown, with the words of whoever failed.
pub fn unshown(words: Words, unshown: &Unshown) -> String {
    let kind = words.t(match unshown.kind {
        UnshownKind::Unfetched => "unshown.unfetched",
        UnshownKind::Damaged => "unshown.damaged",
        UnshownKind::Missing => "unshown.missing",
        UnshownKind::Unsupported => "unshown.unsupported",
        UnshownKind::Contradiction => "unshown.contradiction",
        UnshownKind::TooLarge => "unshown.too_large",
        UnshownKind::Unreadable => "unshown.unreadable",
    });
    if unshown.detail.is_empty() { kind.to_owned() } else { format!("{kind} ({})", unshown.detail) }
}

/// What the reader can do about it.
pub fn unshown_do(words: Words, kind: UnshownKind) -> &'static str {
    words.t(match kind {
        UnshownKind::Unfetched => "unshown.unfetched_do",
        UnshownKind::Damaged => "unshown.damaged_do",
        UnshownKind::Missing => "unshown.missing_do",
        UnshownKind::Unsupported => "unshown.unsupported_do",
        UnshownKind::Contradiction => "unshown.contradiction_do",
        UnshownKind::TooLarge => "unshown.too_large_do",
        UnshownKind::Unreadable => "unshown.unreadable_do",
    })
}

/// What the reader of a structured report should know.
pub fn document_oddity(words: Words, oddity: &DocumentOddity) -> String {
    match oddity {
        DocumentOddity::Text(note) => words.f("oddity.text", &[("note", note)]),
        DocumentOddity::ItemsLeftOut { most } => words.f("oddity.items_left_out", &[("most", most)]),
        DocumentOddity::TooDeep { levels } => words.f("oddity.too_deep", &[("levels", levels)]),
        DocumentOddity::Region => words.t("oddity.region").to_owned(),
        DocumentOddity::TooLong => words.t("oddity.too_long").to_owned(),
        DocumentOddity::WithoutValue { count } => words.f("oddity.without_value", &[("n", count)]),
    }
}

/// What the reader of another object should know.
pub fn oddity(words: Words, oddity: &Oddity) -> String {
    match oddity {
        Oddity::Document(document) => document_oddity(words, document),
        Oddity::Picture(picture) => trouble(words, picture),
        Oddity::NoPictures => words.t("oddity.no_pictures").to_owned(),
        Oddity::Rotation { degrees } => words.f("oddity.rotation", &[("degrees", degrees)]),
        Oddity::Mask { what } => words.f("oddity.mask", &[("what", what)]),
        Oddity::PresentationShape(shape) => words.f("oddity.presentation_shape", &[("shape", shape)]),
        Oddity::CompoundGraphics { count } => words.f("oddity.compound_graphics", &[("n", count)]),
        Oddity::GraphicsLeftOut { most } => words.f("oddity.graphics_left_out", &[("most", most)]),
        Oddity::FramesLeftOut { declared, read } => {
            words.f("oddity.frames_left_out", &[("declared", declared), ("read", read)])
        }
        Oddity::SegmentFrame { number, reason } => {
            words.f("oddity.segment_frame", &[("number", number), ("reason", reason)])
        }
        Oddity::NoSegment { number } => words.f("oddity.no_segment", &[("number", number)]),
        Oddity::ContoursLeftOut => words.t("oddity.contours_left_out").to_owned(),
        Oddity::Contours { count } => words.f("oddity.contours", &[("n", count)]),
    }
}

/// What is odd about the geometry of a display set.
pub fn geometry(words: Words, warning: &GeometryWarning) -> String {
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

//! The side that a picture shows, by every attribute that can carry it. Series text is never asked. View codes of
//! radiographs ("left lateral") name the beam's way, not the side of the part, and are not asked either.

use super::dataset::View;
use super::functional::{group, per_frame};
use super::view_code::code;
use crate::study::{Laterality, SideStatement};
use dicom_dictionary_std::tags;

/// Side modifiers: SNOMED CT, the older SRT code (PS3.16 CID 244).
const SIDES: &[(&str, &str, Laterality)] = &[
    ("24028007", "G-A100", Laterality::R),
    ("7771000", "G-A101", Laterality::L),
    ("51440002", "G-A102", Laterality::B),
];

/// Anatomic regions that name their side themselves (breasts, PS3.16 CID 6030).
const REGIONS: &[(&str, &str, Laterality)] = &[
    ("73056007", "T-04020", Laterality::R),
    ("80248007", "T-04030", Laterality::L),
    ("63762007", "T-04080", Laterality::B),
];

/// Frames whose own anatomy is looked at; a run of more has told enough.
const MOST_FRAMES: usize = 4096;

/// The side, if all statements agree; and all statements, if they do not.
pub(super) fn laterality(view: &View<'_>) -> (Option<Laterality>, Vec<SideStatement>) {
    let statements = statements(view);
    let Some(first) = statements.first().map(|s| s.side) else { return (None, Vec::new()) };
    if statements.iter().all(|s| s.side == first) { (Some(first), Vec::new()) } else { (None, statements) }
}

fn statements(view: &View<'_>) -> Vec<SideStatement> {
    let mut out: Vec<SideStatement> = Vec::new();
    let mut say = |source: &str, side: Option<Laterality>| {
        let known = |s: &SideStatement| &*s.source == source && Some(s.side) == side;
        if let Some(side) = side
            && !out.iter().any(known)
        {
            out.push(SideStatement { source: source.into(), side });
        }
    };
    let own = |tag| view.string(tag).and_then(|text| super::metadata::laterality(&text));
    say("Image Laterality (0020,0062)", own(tags::IMAGE_LATERALITY));
    say("Laterality (0020,0060)", own(tags::LATERALITY));
    say("Frame Laterality (0020,9072)", frame_side(view));
    for (sequence, modifier, region_name, modifier_name) in [
        (
            tags::ANATOMIC_REGION_SEQUENCE,
            tags::ANATOMIC_REGION_MODIFIER_SEQUENCE,
            "Anatomic Region Sequence (0008,2218)",
            "Anatomic Region Modifier Sequence (0008,2220)",
        ),
        (
            tags::PRIMARY_ANATOMIC_STRUCTURE_SEQUENCE,
            tags::PRIMARY_ANATOMIC_STRUCTURE_MODIFIER_SEQUENCE,
            "Primary Anatomic Structure Sequence (0008,2228)",
            "Primary Anatomic Structure Modifier Sequence (0008,2230)",
        ),
    ] {
        let holders = [Some(*view), group(view, 0, tags::FRAME_ANATOMY_SEQUENCE)];
        for item in holders.into_iter().flatten().flat_map(|h| h.items(sequence)) {
            say(region_name, side_of(&item, REGIONS));
            say(modifier_name, both(item.items(modifier).filter_map(|m| side_of(&m, SIDES))));
        }
        let beside = both(view.items(modifier).filter_map(|m| side_of(&m, SIDES)));
        say(modifier_name, beside);
    }
    out
}

/// The side of all frames: both, where some show the one and some the other.
fn frame_side(view: &View<'_>) -> Option<Laterality> {
    let side = |item: Option<View<'_>>| {
        super::metadata::laterality(&item?.item(tags::FRAME_ANATOMY_SEQUENCE)?.string(tags::FRAME_LATERALITY)?)
    };
    let own = (0..MOST_FRAMES).map_while(|n| per_frame(view, n)).map(|item| side(Some(item)));
    let shared = side(view.item(tags::SHARED_FUNCTIONAL_GROUPS_SEQUENCE));
    both(own.flatten().chain(shared))
}

fn both(sides: impl Iterator<Item = Laterality>) -> Option<Laterality> {
    sides.reduce(|a, b| if a == b { a } else { Laterality::B })
}

fn side_of(item: &View<'_>, table: &[(&str, &str, Laterality)]) -> Option<Laterality> {
    let code = code(item)?;
    table.iter().find(|(sct, srt, _)| code == *sct || code == *srt).map(|(.., side)| *side)
}

#[cfg(test)]
mod tests {
    use super::super::json::header_from_json;
    use super::*;
    use serde_json::{Value, json};

    fn of(object: &Value) -> (Option<Laterality>, Vec<String>) {
        let header = header_from_json(object).expect("header");
        let (side, conflict) = laterality(&header.view());
        (side, conflict.iter().map(|s| format!("{} {:?}", s.source, s.side)).collect())
    }

    fn cs(text: &str) -> Value {
        json!({"vr": "CS", "Value": [text]})
    }
    fn sq(items: &Value) -> Value {
        json!({"vr": "SQ", "Value": [items]})
    }
    fn coded(value: &str) -> Value {
        json!({"00080100": {"vr": "SH", "Value": [value]}})
    }

    #[test]
    fn every_carrier_alone() {
        let region = |code: &str| {
            let mut region = coded("76752008");
            region["00082220"] = sq(&coded(code));
            json!({"00082218": sq(&region)})
        };
        for object in [
            json!({"00200062": cs("L")}),
            json!({"00200060": cs("L")}),
            json!({"52009229": sq(&json!({"00209071": sq(&json!({"00209072": cs("L")}))}))}),
            json!({"52009230": sq(&json!({"00209071": sq(&json!({"00209072": cs("L")}))}))}),
            json!({"00082218": sq(&coded("80248007"))}),
            json!({"00082218": sq(&coded("T-04030"))}),
            region("7771000"),
            region("G-A101"),
            json!({"00082228": sq(&json!({"00080100": {"vr": "SH", "Value": ["1"]}, "00082230": sq(&coded("7771000"))}))}),
        ] {
            assert_eq!(of(&object), (Some(Laterality::L), vec![]), "{object}");
        }
        assert_eq!(of(&json!({"0008103E": {"vr": "LO", "Value": ["LEFT KNEE"]}})), (None, vec![]));
        assert_eq!(of(&json!({"00200062": cs("U")})), (None, vec![]));
    }

    #[test]
    fn contradictions_give_no_side_and_name_both_attributes() {
        let mut object = json!({"00200062": cs("R"), "00082218": sq(&coded("80248007"))});
        let (side, conflict) = of(&object);
        assert_eq!(side, None);
        assert_eq!(conflict, ["Image Laterality (0020,0062) R", "Anatomic Region Sequence (0008,2218) L"]);
        object["00200062"] = cs("L");
        assert_eq!(of(&object), (Some(Laterality::L), vec![]));
    }
}

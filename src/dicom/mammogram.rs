//! What a mammogram's header says of its view: code, modifiers, implant, part shown, and how the picture came to be.

use super::dataset::View;
use super::view_code::{code, modifier_name, view_name};
use crate::study::{Mammogram, MammogramKind};
use dicom_dictionary_std::tags;

const TOMOSYNTHESIS: &str = "1.2.840.10008.5.1.4.1.1.13.1.3";
const PROJECTION_FOR_PRESENTATION: &str = "1.2.840.10008.5.1.4.1.1.13.1.4";
const PROJECTION_FOR_PROCESSING: &str = "1.2.840.10008.5.1.4.1.1.13.1.5";
const MAMMOGRAM_FOR_PROCESSING: &str = "1.2.840.10008.5.1.4.1.1.1.2.1";
/// Slices of early tomosynthesis were written as CT.
const CT: &str = "1.2.840.10008.5.1.4.1.1.2";

/// `None` unless the modality is mammography.
pub(super) fn mammogram(view: &View<'_>, sop_class: &str) -> Option<Mammogram> {
    if view.string(tags::MODALITY).as_deref() != Some("MG") {
        return None;
    }
    let item = view.item(tags::VIEW_CODE_SEQUENCE);
    let coded = item.as_ref().and_then(view_name);
    let stated = view.string(tags::VIEW_POSITION);
    // Modifiers stand in the view's item; older objects have them beside it.
    let modifiers: Vec<View<'_>> = item
        .iter()
        .flat_map(|i| i.items(tags::VIEW_MODIFIER_CODE_SEQUENCE))
        .chain(view.items(tags::VIEW_MODIFIER_CODE_SEQUENCE))
        .collect();
    let has = |codes: [&str; 2]| modifiers.iter().filter_map(code).any(|c| codes.contains(&c.as_str()));
    let yes = |tag| view.string(tag).map(|text| text == "YES");
    let image_type = view.strings(tags::IMAGE_TYPE);
    let value = |n: usize| image_type.get(n).map(String::as_str).unwrap_or_default();
    let kind = match sop_class {
        TOMOSYNTHESIS | CT => MammogramKind::Tomosynthesis,
        PROJECTION_FOR_PRESENTATION | PROJECTION_FOR_PROCESSING => MammogramKind::TomoProjection,
        // PS3.3 C.8.11.7.1.4: value 4 GENERATED_2D; later values where contrast takes the fourth.
        _ if (3..6).any(|n| value(n) == "GENERATED_2D") => MammogramKind::Synthetic,
        _ => MammogramKind::Exposure,
    };
    let intent = view.string(tags::PRESENTATION_INTENT_TYPE);
    Some(Mammogram {
        uncoded: coded.is_none() && stated.is_some(),
        view: coded.or(stated).map(String::into_boxed_str),
        modifiers: modifiers.iter().filter_map(modifier_name).map(String::into_boxed_str).collect(),
        spot: has(["399055006", "R-102D7"]),
        magnification: has(["399163009", "R-102D6"]),
        implant: yes(tags::BREAST_IMPLANT_PRESENT),
        partial: yes(tags::PARTIAL_VIEW),
        partial_parts: view
            .items(tags::PARTIAL_VIEW_CODE_SEQUENCE)
            .map(|part| part.text(tags::CODE_MEANING).into_boxed_str())
            .filter(|text| !text.is_empty())
            .collect(),
        kind,
        for_processing: intent.as_deref() == Some("FOR PROCESSING")
            || matches!(sop_class, MAMMOGRAM_FOR_PROCESSING | PROJECTION_FOR_PROCESSING),
        progression: view.string(tags::SLICE_PROGRESSION_DIRECTION).map(String::into_boxed_str),
    })
}

#[cfg(test)]
mod tests {
    use super::super::json::header_from_json;
    use super::*;
    use serde_json::json;

    #[test]
    fn marks_of_a_view() {
        let modifier =
            json!({"00080100": {"vr": "SH", "Value": ["399055006"]}, "00080104": {"vr": "LO", "Value": ["x"]}});
        let object = json!({
            "00080060": {"vr": "CS", "Value": ["MG"]},
            "00080008": {"vr": "CS", "Value": ["DERIVED", "PRIMARY", "TOMO", "GENERATED_2D"]},
            "00080068": {"vr": "CS", "Value": ["FOR PRESENTATION"]},
            "00281300": {"vr": "CS", "Value": ["YES"]},
            "00281350": {"vr": "CS", "Value": ["NO"]},
            "00540220": {"vr": "SQ", "Value": [{
                "00080100": {"vr": "SH", "Value": ["R-10226"]},
                "00540222": {"vr": "SQ", "Value": [modifier]},
            }]},
        });
        let header = header_from_json(&object).expect("header");
        let found = mammogram(&header.view(), "1.2.840.10008.5.1.4.1.1.1.2").expect("a mammogram");
        assert_eq!((found.view.as_deref(), found.uncoded), (Some("MLO"), false));
        assert_eq!((found.spot, found.magnification, found.for_processing), (true, false, false));
        assert_eq!((found.implant, found.partial), (Some(true), Some(false)));
        assert_eq!(found.modifiers, ["spot compression".into()]);
        assert_eq!(found.kind, MammogramKind::Synthetic);
        let found = mammogram(&header.view(), TOMOSYNTHESIS).expect("a mammogram");
        assert_eq!(found.kind, MammogramKind::Tomosynthesis);
        let ct = header_from_json(&json!({"00080060": {"vr": "CS", "Value": ["CT"]}})).expect("header");
        assert_eq!(mammogram(&ct.view(), CT), None);
    }
}

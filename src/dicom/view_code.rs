//! The view of a picture: PS3.16 CID 4014 and 4015 codes, else View Position.

use super::dataset::View;
use dicom_dictionary_std::tags;

/// View codes: SNOMED CT, the older SRT code, label.
const VIEWS: &[(&str, &str, &str)] = &[
    ("399162004", "R-10242", "CC"),
    ("399368009", "R-10226", "MLO"),
    ("399260004", "R-10224", "ML"),
    ("399352003", "R-10228", "LM"),
    ("399196006", "R-10244", "FB"),
    ("399099002", "R-10230", "LMO"),
    ("399188001", "R-102D0", "SIO"),
    ("441555000", "R-40AAA", "ISO"),
    ("399192008", "R-1024A", "XCCL"),
    ("399192008", "Y-X1770", "XCCL"),
    ("399101009", "R-1024B", "XCCM"),
    ("399101009", "Y-X1771", "XCCM"),
    ("127457009", "G-8310", "SPECIMEN"),
];

/// What a modifier does to the label.
#[derive(Clone, Copy, PartialEq)]
enum Place {
    /// The view itself is renamed.
    Instead,
    Before,
    After,
}

/// Modifier codes (CID 4015).
const MODIFIERS: &[(&str, &str, &str, Place)] = &[
    ("399161006", "R-102D2", "CV", Place::Instead),
    ("399011000", "R-102D1", "AT", Place::Instead),
    ("399110001", "R-102C2", "TAN", Place::Instead),
    ("399163009", "R-102D6", "M", Place::Before),
    ("399055006", "R-102D7", "S", Place::Before),
    ("399197002", "R-102D3", "RL", Place::After),
    ("399226006", "R-102D4", "RM", Place::After),
    ("414493004", "R-102CA", "RI", Place::After),
    ("415670009", "R-102C9", "RS", Place::After),
    ("399209000", "R-102D5", "ID", Place::After),
    ("442581004", "R-40AB3", "NP", Place::After),
    ("441752004", "R-40AAB", "AC", Place::After),
    ("442593008", "R-40ABE", "IMF", Place::After),
    ("442580003", "R-40AB2", "AX", Place::After),
];

/// View label without the side: coded, else View Position.
pub(super) fn view_label(view: &View<'_>) -> Option<String> {
    coded_label(view).or_else(|| view.string(tags::VIEW_POSITION))
}

/// Label of a view code item; an unknown code by its meaning.
pub(super) fn view_name(item: &View<'_>) -> Option<String> {
    let code = code(item)?;
    VIEWS
        .iter()
        .find(|(sct, srt, _)| code == *sct || code == *srt)
        .map(|v| v.2.to_owned())
        // An unknown code is shown by its meaning, never dropped.
        .or_else(|| Some(item.text(tags::CODE_MEANING)).filter(|m| !m.is_empty()))
}

/// A view modifier in words; an unknown one by its meaning.
pub(super) fn modifier_name(item: &View<'_>) -> Option<String> {
    let code = code(item)?;
    let known = MODIFIERS.iter().find(|(sct, srt, ..)| code == *sct || code == *srt);
    let words = match known.map(|m| m.2) {
        Some("CV") => "cleavage",
        Some("AT") => "axillary tail",
        Some("TAN") => "tangential",
        Some("M") => "magnification",
        Some("S") => "spot compression",
        Some("RL") => "rolled lateral",
        Some("RM") => "rolled medial",
        Some("RI") => "rolled inferior",
        Some("RS") => "rolled superior",
        Some("ID") => "implant displaced",
        Some("NP") => "nipple in profile",
        Some("AC") => "anterior compression",
        Some("IMF") => "inframammary fold",
        Some("AX") => "axillary tissue",
        _ => return Some(item.text(tags::CODE_MEANING)).filter(|m| !m.is_empty()),
    };
    Some(words.to_owned())
}

fn coded_label(view: &View<'_>) -> Option<String> {
    let item = view.item(tags::VIEW_CODE_SEQUENCE)?;
    let mut label = view_name(&item)?;
    let (mut before, mut after) = (String::new(), String::new());
    for modifier in item.items(tags::VIEW_MODIFIER_CODE_SEQUENCE) {
        let Some(code) = self::code(&modifier) else { continue };
        match MODIFIERS.iter().find(|(sct, srt, ..)| code == *sct || code == *srt) {
            Some((.., text, Place::Instead)) => str::clone_into(text, &mut label),
            Some((.., text, Place::Before)) => before.push_str(text),
            Some((.., text, Place::After)) => after.push_str(text),
            None => {
                let meaning = modifier.text(tags::CODE_MEANING);
                if !meaning.is_empty() {
                    after.push_str(&format!(" ({meaning})"));
                }
            }
        }
    }
    Some(format!("{before}{label}{after}"))
}

/// Code Value of a code sequence item, whatever the designator (SCT, SRT, SNM3: the values don't collide).
pub(super) fn code(item: &View<'_>) -> Option<String> {
    item.string(tags::CODE_VALUE).or_else(|| item.string(tags::LONG_CODE_VALUE))
}

#[cfg(test)]
mod tests {
    use super::super::json::header_from_json;
    use super::*;

    fn label(code: &str, modifiers: &[&str]) -> Option<String> {
        let item = |code: &str| serde_json::json!({"00080100": {"vr": "SH", "Value": [code]}, "00080104": {"vr": "LO", "Value": ["meant"]}});
        let mut view = item(code);
        view["00540222"] =
            serde_json::json!({"vr": "SQ", "Value": modifiers.iter().map(|m| item(m)).collect::<Vec<_>>()});
        let object = serde_json::json!({
            "00540220": {"vr": "SQ", "Value": [view]},
        });
        let header = header_from_json(&object).expect("header");
        view_label(&header.view())
    }

    #[test]
    fn codes_of_both_generations_and_modifiers() {
        assert_eq!(label("399368009", &[]).as_deref(), Some("MLO"));
        assert_eq!(label("R-10242", &[]).as_deref(), Some("CC"));
        assert_eq!(label("399368009", &["399163009"]).as_deref(), Some("MMLO"));
        assert_eq!(label("399162004", &["399209000"]).as_deref(), Some("CCID"));
        assert_eq!(label("399162004", &["399161006"]).as_deref(), Some("CV"));
        assert_eq!(label("1", &["2"]).as_deref(), Some("meant (meant)"));
    }
}

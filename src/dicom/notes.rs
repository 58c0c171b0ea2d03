//! What is odd about an object's text, element by element, for people who have to find the writer's fault.

use super::charset::Kind;
use super::dataset::{Value, View};
use super::read::Header;
use dicom_core::dictionary::{DataDictionary as _, DataDictionaryEntry as _};
use dicom_core::{Tag, VR};
use dicom_dictionary_std::StandardDataDictionary;

/// Deepest nesting that is looked at; the walk that made the data set stops there as well.
const MAX_DEPTH: usize = 64;
/// Most notes of one object: a file of ten thousand wrong names has told enough by then.
const MAX_NOTES: usize = 500;

/// One element whose text does not follow its declared character set.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TextNote {
    /// Where: `00100010`, inside sequences `00081115/0/0008103E` (items from 0).
    pub path: String,
    /// What is odd, and how it was read.
    pub note: &'static str,
}

/// Every element whose text had to be repaired or could not be read (PS3.5 6.1.2), in tag order.
pub fn text_notes(header: &Header) -> Vec<TextNote> {
    let mut out = Vec::new();
    look(&header.view(), "", 0, &mut out);
    out
}

fn look(view: &View<'_>, path: &str, depth: usize, out: &mut Vec<TextNote>) {
    for element in view.set.elements() {
        if out.len() >= MAX_NOTES {
            return;
        }
        let key = format!("{:04X}{:04X}", element.tag.group(), element.tag.element());
        let here = if path.is_empty() { key } else { format!("{path}/{key}") };
        match &element.value {
            Value::Items(_) if depth < MAX_DEPTH => {
                for (index, item) in view.items(element.tag).enumerate() {
                    look(&item, &format!("{here}/{index}"), depth + 1, out);
                }
            }
            Value::Bytes(range) if has_text(element.vr) => {
                let bytes = view.source.get(range.clone()).unwrap_or_default();
                if let Some(note) = view.charset.decode(bytes, Kind::of(element.vr)).note {
                    out.push(TextNote { path: here, note });
                }
            }
            _ => {}
        }
    }
}

/// The standard's keyword of an attribute given as `00100010`; `(private)` or `(unknown)` where it has none (PS3.6).
pub fn keyword(key: &str) -> &'static str {
    let number = u32::from_str_radix(key, 16).unwrap_or(0);
    let tag = Tag((number >> 16) as u16, number as u16);
    let unnamed = if tag.group() % 2 == 1 { "(private)" } else { "(unknown)" };
    StandardDataDictionary.by_tag(tag).map_or(unnamed, |entry| entry.alias())
}

/// Value representations that Specific Character Set speaks of (PS3.5 6.1.2.2).
fn has_text(vr: VR) -> bool {
    matches!(vr, VR::PN | VR::LO | VR::SH | VR::UC | VR::LT | VR::ST | VR::UT)
}

#[cfg(test)]
mod tests {
    use super::super::test_object::{As, Build, EXPLICIT};
    use super::*;

    #[test]
    fn notes_name_their_place_also_inside_sequences() {
        let item = Build::new(As::Explicit).bytes(0x0008_103E, b"LO", b"\x8E\x52\x93\x63");
        let file = Build::new(As::Explicit)
            .text(0x0008_0005, b"CS", "ISO_IR 192")
            .sequence(0x0008_1115, &[Build::new(As::Explicit), item])
            .text(0x0010_0010, b"PN", "山田^太郎")
            .text(0x0010_0020, b"LO", "plain")
            .file(EXPLICIT);
        let notes = text_notes(&Header::from_bytes(file).expect("opens"));
        assert_eq!(notes.iter().map(|n| n.path.as_str()).collect::<Vec<_>>(), ["00081115/1/0008103E"]);
        assert_eq!((keyword("00100010"), keyword("00091001")), ("PatientName", "(private)"));
    }
}

//! Objects that are no pictures: structured documents, presentation states, segmentations, structure sets, documents.

#[cfg(test)]
mod overlay_tests;
mod presentation_state;
mod segmentation;
mod sr;
#[cfg(test)]
mod sr_tests;

use super::dataset::View;
use super::decode::Object;
use super::notes::text_notes;
use super::read::{Header, ReadError};
use crate::study::document::DocumentOddity;
use crate::study::{Code, ObjectKind, ObjectRef, SopInstanceUid};
use crate::viewport::{Encapsulated, ObjectContent};
use dicom_dictionary_std::tags;
use std::collections::BTreeSet;

/// Why an object has nothing to read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ObjectError {
    /// Its kind is listed only.
    #[error("{0}")]
    Listed(String),
    /// It lacks what its kind must have.
    #[error("the object is damaged: {0}")]
    Damaged(&'static str),
}

/// Reads what an object without a picture says. `whole` gives the object with its pixels, where they are needed
/// (segmentations).
pub fn read_object(
    header: &Header,
    whole: &dyn Fn() -> Result<Object, ReadError>,
) -> Result<ObjectContent, ObjectError> {
    let view = header.view();
    let class = header.sop_class();
    let notes = text_notes(header);
    // A content tree tells by itself that it is one, whatever the class.
    if view.has(tags::CONTENT_SEQUENCE) || view.string(tags::VALUE_TYPE).as_deref() == Some("CONTAINER") {
        let mut document = sr::document(&view);
        let notes: BTreeSet<&str> = notes.iter().map(|n| n.note).collect();
        document.warnings.extend(notes.into_iter().map(DocumentOddity::Text));
        return Ok(ObjectContent::Document(Box::new(document)));
    }
    let kind = ObjectKind::of(&class);
    Err(match kind {
        Some(ObjectKind::PresentationState) => {
            if class == BLENDING {
                return Err(ObjectError::Listed("a blending presentation state: listed only".to_owned()));
            }
            return Ok(ObjectContent::PresentationState(Box::new(presentation_state::presentation_state(&view))));
        }
        Some(ObjectKind::Segmentation) => {
            let object = whole().map_err(|e| ObjectError::Listed(e.to_string()))?.into_labels();
            return segmentation::segmentation(&object).map(|s| ObjectContent::Segmentation(Box::new(s)));
        }
        Some(ObjectKind::StructureSet) => {
            return Ok(ObjectContent::StructureSet(Box::new(segmentation::structure_set(&view))));
        }
        Some(ObjectKind::Document) => {
            let document = encapsulated(header).ok_or(ObjectError::Damaged("it has no document"))?;
            return Ok(ObjectContent::Encapsulated(Encapsulated {
                title: view.text(tags::DOCUMENT_TITLE).trim().to_owned(),
                mime: view.string(tags::MIME_TYPE_OF_ENCAPSULATED_DOCUMENT).unwrap_or_default(),
                bytes: document.len(),
            }));
        }
        Some(ObjectKind::Report | ObjectKind::KeyObjects) => ObjectError::Damaged("it has no content tree"),
        _ => ObjectError::Listed(
            super::sop_class::listed(&class).unwrap_or("this kind of object is listed only").to_owned(),
        ),
    })
}

/// Blending Softcopy Presentation State: two series at once.
const BLENDING: &str = "1.2.840.10008.5.1.4.1.1.11.4";

/// The document within an object, without the byte that makes its length even where the object tells the length.
pub fn encapsulated(header: &Header) -> Option<&[u8]> {
    let view = header.view();
    let bytes = view.bytes(tags::ENCAPSULATED_DOCUMENT).filter(|b| !b.is_empty())?;
    let length = view.int(tags::ENCAPSULATED_DOCUMENT_LENGTH).and_then(|n| usize::try_from(n).ok());
    bytes.get(..length.filter(|n| (1..=bytes.len()).contains(n)).unwrap_or(bytes.len()))
}

/// The first item of a code sequence.
fn code(view: &View<'_>, tag: dicom_core::Tag) -> Option<Code> {
    view.item(tag).map(|item| code_of(&item)).filter(|code| !(code.value.is_empty() && code.meaning.is_empty()))
}

fn code_of(item: &View<'_>) -> Code {
    let value =
        [tags::CODE_VALUE, tags::LONG_CODE_VALUE, tags::URN_CODE_VALUE].iter().find_map(|tag| item.string(*tag));
    Code {
        value: value.unwrap_or_default(),
        scheme: item.string(tags::CODING_SCHEME_DESIGNATOR).unwrap_or_default(),
        meaning: item.text(tags::CODE_MEANING).trim().to_owned(),
    }
}

/// Most frames or segments that one reference may name.
const MOST_NUMBERS: usize = 65_536;

/// An item with Referenced SOP Instance UID; `None` if it has none that is valid.
fn object_ref(item: &View<'_>) -> Option<ObjectRef> {
    let numbers = |tag| {
        let numbers = item.ints(tag).into_iter().take(MOST_NUMBERS);
        numbers.filter_map(|n| u32::try_from(n).ok()).filter(|n| *n > 0).collect()
    };
    let state = item.item(tags::REFERENCED_SOP_SEQUENCE).and_then(|s| s.string(tags::REFERENCED_SOP_INSTANCE_UID));
    Some(ObjectRef {
        class: item.string(tags::REFERENCED_SOP_CLASS_UID).unwrap_or_default(),
        instance: SopInstanceUid::new(&item.string(tags::REFERENCED_SOP_INSTANCE_UID)?).ok()?,
        frames: numbers(tags::REFERENCED_FRAME_NUMBER),
        segments: numbers(tags::REFERENCED_SEGMENT_NUMBER),
        presentation: state.and_then(|uid| SopInstanceUid::new(&uid).ok()),
    })
}

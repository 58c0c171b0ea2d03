//! Objects that are no pictures: structured documents, presentation states, segmentations, structure sets, documents.

mod sr;
#[cfg(test)]
mod sr_tests;

use super::dataset::View;
use super::notes::text_notes;
use super::read::Header;
use crate::study::{Code, ObjectKind, ObjectRef, SopInstanceUid};
use crate::viewport::ObjectContent;
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

/// Reads what an object without a picture says.
pub fn read_object(header: &Header) -> Result<ObjectContent, ObjectError> {
    let view = header.view();
    let class = header.sop_class();
    let notes = text_notes(header);
    // A content tree tells by itself that it is one, whatever the class.
    if view.has(tags::CONTENT_SEQUENCE) || view.string(tags::VALUE_TYPE).as_deref() == Some("CONTAINER") {
        let mut document = sr::document(&view);
        let notes: BTreeSet<&str> = notes.iter().map(|n| n.note).collect();
        document.warnings.extend(notes.into_iter().map(str::to_owned));
        return Ok(ObjectContent::Document(Box::new(document)));
    }
    Err(match ObjectKind::of(&class) {
        Some(ObjectKind::Report | ObjectKind::KeyObjects) => ObjectError::Damaged("it has no content tree"),
        _ => ObjectError::Listed(
            super::sop_class::listed(&class).unwrap_or("this kind of object is listed only").to_owned(),
        ),
    })
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

//! Objects of a study that are no pictures: which kind they are, and how they point at pictures.

use super::{FrameIndex, FrameRef, Instance, SopInstanceUid};
use serde::{Deserialize, Serialize};

/// What kind of object it is, by its SOP class (PS3.4 B.5).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ObjectKind {
    /// A structured report.
    Report,
    /// A key object selection.
    KeyObjects,
    /// A grayscale or colour presentation state.
    PresentationState,
    /// A segmentation (binary, fractional or label map).
    Segmentation,
    /// An RT structure set.
    StructureSet,
    /// An encapsulated document: PDF, CDA, or a model for printing.
    Document,
    /// A waveform.
    Waveform,
    /// Something else without a picture.
    Other,
}

/// SOP classes by the beginning of their UID, the longest that fits first.
const KINDS: &[(&str, ObjectKind)] = &[
    ("1.2.840.10008.5.1.4.1.1.88.59", ObjectKind::KeyObjects),
    ("1.2.840.10008.5.1.4.1.1.88.", ObjectKind::Report),
    ("1.2.840.10008.5.1.4.1.1.11.", ObjectKind::PresentationState),
    ("1.2.840.10008.5.1.4.1.1.66.4", ObjectKind::Segmentation),
    ("1.2.840.10008.5.1.4.1.1.66.7", ObjectKind::Segmentation),
    ("1.2.840.10008.5.1.4.1.1.481.3", ObjectKind::StructureSet),
    ("1.2.840.10008.5.1.4.1.1.104.", ObjectKind::Document),
    ("1.2.840.10008.5.1.4.1.1.9.", ObjectKind::Waveform),
];

impl ObjectKind {
    /// The kind of a SOP class; `None` for pictures and for classes that are not known.
    pub fn of(sop_class: &str) -> Option<Self> {
        let fits = |uid: &str| sop_class == uid || (uid.ends_with('.') && sop_class.starts_with(uid));
        KINDS.iter().find(|(uid, _)| fits(uid)).map(|(_, kind)| *kind)
    }

    /// The kind of an instance that is to be listed beside the pictures; `None` for a picture.
    pub fn of_instance(instance: &Instance) -> Option<Self> {
        Self::of(&instance.sop_class).or_else(|| instance.not_an_image.is_some().then_some(Self::Other))
    }
}

/// A coded concept (PS3.3 Table 8.8-1).
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Code {
    /// Code Value (0008,0100), Long Code Value or URN.
    pub value: String,
    /// Coding Scheme Designator (0008,0102).
    pub scheme: String,
    /// Code Meaning (0008,0104).
    pub meaning: String,
}

impl Code {
    /// Whether it is this code.
    pub fn is(&self, value: &str, scheme: &str) -> bool {
        self.value == value && self.scheme == scheme
    }

    /// Its meaning; without one, the code itself.
    pub fn text(&self) -> String {
        match (self.meaning.is_empty(), self.scheme.is_empty()) {
            (false, _) => self.meaning.clone(),
            (true, true) => self.value.clone(),
            (true, false) => format!("{} ({})", self.value, self.scheme),
        }
    }
}

/// A reference to an object of the archive (PS3.3 C.18.3 and C.18.4).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ObjectRef {
    /// Referenced SOP Class UID (0008,1150).
    pub class: String,
    /// Referenced SOP Instance UID (0008,1155).
    pub instance: SopInstanceUid,
    /// Referenced Frame Number (0008,1160), from 1; empty: the whole object.
    pub frames: Vec<u32>,
    /// Referenced Segment Number (0062,000B); empty: all.
    pub segments: Vec<u32>,
    /// The presentation state to show it with.
    pub presentation: Option<SopInstanceUid>,
}

impl ObjectRef {
    /// The frames meant, as the viewer counts them; of a whole object the first.
    pub fn frame_refs(&self) -> Vec<FrameRef> {
        let at = |frame: u32| FrameRef { instance: self.instance.clone(), frame: FrameIndex(frame) };
        if self.frames.is_empty() {
            return vec![at(0)];
        }
        self.frames.iter().filter_map(|n| n.checked_sub(1)).map(at).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn kinds_by_class() {
        assert_eq!(ObjectKind::of("1.2.840.10008.5.1.4.1.1.88.59"), Some(ObjectKind::KeyObjects));
        assert_eq!(ObjectKind::of("1.2.840.10008.5.1.4.1.1.88.50"), Some(ObjectKind::Report));
        assert_eq!(ObjectKind::of("1.2.840.10008.5.1.4.1.1.66.4"), Some(ObjectKind::Segmentation));
        // 66.41 would be another class.
        assert_eq!(ObjectKind::of("1.2.840.10008.5.1.4.1.1.66.41"), None);
        assert_eq!(ObjectKind::of("1.2.840.10008.5.1.4.1.1.2"), None);
    }

    #[test]
    fn references_count_frames_from_one() {
        let instance = SopInstanceUid::new("1.2").expect("uid");
        let whole = ObjectRef { class: String::new(), instance, frames: vec![], segments: vec![], presentation: None };
        assert_eq!(whole.frame_refs()[0].frame, FrameIndex(0));
        let some = ObjectRef { frames: vec![3, 0, 7], ..whole };
        let frames: Vec<u32> = some.frame_refs().iter().map(|f| f.frame.0).collect();
        assert_eq!(frames, [2, 6], "a frame 0 does not exist");
    }
}

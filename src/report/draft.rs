//! A draft and what can be done to it. The draft is data; every change is an [`Edit`].

use crate::study::{FrameRef, SeriesUid, StudyUid, Voi};
use crate::viewport::{Annotation, AnnotationId, Measured};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// Number of a finding within one draft; never reused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct FindingId(pub u64);

/// A field's content.
#[derive(Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Value {
    /// Text, or the code of a choice.
    Text(String),
    /// A number in the field's unit.
    Number(f64),
}

/// A picture chosen to show a finding, as it was seen.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct KeyImage {
    /// Study.
    pub study: StudyUid,
    /// Series.
    pub series: SeriesUid,
    /// Frame.
    pub frame: FrameRef,
    /// The window it was seen in.
    pub voi: Voi,
    /// Inverted.
    pub invert: bool,
}

/// One finding.
#[derive(Clone, PartialEq, Serialize, Deserialize)]
pub struct Finding {
    /// Number.
    pub id: FindingId,
    /// Fields by id of the template's finding schema.
    pub fields: BTreeMap<String, Value>,
    /// Key image.
    pub key_image: Option<KeyImage>,
    /// The annotation that measured it.
    pub annotation: Option<AnnotationId>,
    /// What was measured, as a copy that stays when the annotation goes.
    pub measured: Option<Measured>,
}

/// A report being written. Debug output hides its content.
#[derive(Clone, PartialEq, Serialize, Deserialize)]
pub struct Draft {
    /// Assignment it answers.
    pub assignment_id: String,
    /// Template.
    pub template_id: String,
    /// Template version.
    pub template_version: u32,
    /// Counts edits; what the gate saw is named by it.
    pub revision: u64,
    /// Fields by id.
    pub fields: BTreeMap<String, Value>,
    /// Findings in order.
    pub findings: Vec<Finding>,
    /// Annotations on the pictures.
    pub annotations: Vec<Annotation>,
    /// Next number for a finding or annotation.
    pub next_id: u64,
    /// Report that this one adds to (addendum 追記), with the reason text.
    #[serde(default)]
    pub addendum_to: Option<Predecessor>,
}

/// The signed version that an addendum follows.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Predecessor {
    /// Report id at the center.
    pub report_id: String,
    /// SHA-256 (hex) of its signed bytes.
    pub sha256: String,
    /// Its version number.
    pub version: u32,
}

/// One change, undoable.
#[derive(Clone, PartialEq, Serialize, Deserialize)]
pub enum Edit {
    /// Sets or clears a field.
    SetField(String, Option<Value>),
    /// Adds an empty finding at the end.
    AddFinding,
    /// Removes a finding.
    RemoveFinding(FindingId),
    /// Moves a finding by some places (negative: up).
    MoveFinding(FindingId, i32),
    /// Sets or clears a finding's field.
    SetFindingField(FindingId, String, Option<Value>),
    /// Sets or clears a finding's key image.
    SetKeyImage(FindingId, Option<KeyImage>),
    /// Ties a finding to an annotation and its result.
    SetMeasurement(FindingId, Option<(AnnotationId, Measured)>),
    /// Adds or replaces an annotation (id 0 = give it a number).
    PutAnnotation(Annotation),
    /// Removes an annotation.
    RemoveAnnotation(AnnotationId),
}

macro_rules! hidden_debug {
    ($($name:ident),*) => { $(
        impl std::fmt::Debug for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str(concat!(stringify!($name), "(…)"))
            }
        }
    )* };
}
hidden_debug!(Value, Finding, Draft, Edit);

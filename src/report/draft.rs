//! A draft and what can be done to it. The draft is data; every change is an [`Edit`].

use super::Template;
use crate::study::hidden_debug;
use crate::study::{FrameRef, SeriesUid, StudyUid, Voi};
use crate::viewport::{Annotation, AnnotationId, Measured};
use crate::worklist::{Assignment, Contrast};
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};

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
    /// Name of the series, as the reader saw it.
    #[serde(default)]
    pub label: String,
    /// Place in the series, from 1.
    #[serde(default)]
    pub slice: Option<u32>,
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
    /// Prefilled fields that the reader has not written in, whether something was known for them yet or not.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub untouched: BTreeSet<String>,
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

impl Value {
    /// The text of a text value; empty for a number.
    pub fn as_text(&self) -> &str {
        match self {
            Self::Text(text) => text,
            Self::Number(_) => "",
        }
    }
    /// Nothing but blanks. A number is never blank.
    pub fn is_blank(&self) -> bool {
        matches!(self, Self::Text(text) if text.trim().is_empty())
    }
}

/// Key of the earlier studies compared with.
pub const PRIORS: &str = "priors.list";

impl Draft {
    /// An empty draft for an assignment, with the template's prefilled fields taken from `prefill`
    /// (keys as in [`Field::prefill`](super::Field::prefill)).
    pub fn new(assignment: &Assignment, template: &Template, prefill: &BTreeMap<String, String>) -> Self {
        let fields = template
            .fields()
            .filter_map(|field| {
                let text = prefill.get(field.prefill.as_ref()?)?;
                (!text.trim().is_empty()).then(|| (field.id.clone(), Value::Text(text.clone())))
            })
            .collect();
        Self {
            assignment_id: assignment.id.clone(),
            template_id: template.id.clone(),
            template_version: template.version,
            revision: 0,
            fields,
            findings: Vec::new(),
            annotations: Vec::new(),
            next_id: 1,
            addendum_to: None,
            untouched: template.fields().filter(|f| f.prefill.is_some()).map(|f| f.id.clone()).collect(),
        }
    }

    /// The field still holds what was known beforehand: nobody has confirmed it by writing.
    pub fn prefilled(&self, field: &str) -> bool {
        self.untouched.contains(field) && !self.text(field).is_empty()
    }

    /// Takes what became known since the draft began. What the reader wrote, or cleared, stays; once anything was
    /// written, what is filled in stays as well, but for the earlier studies at hand. True if something changed.
    pub fn refill(&mut self, template: &Template, prefill: &BTreeMap<String, String>) -> bool {
        let mut changed = false;
        for field in template.fields().filter(|f| self.untouched.contains(&f.id)) {
            let Some((key, new)) = field.prefill.as_ref().and_then(|key| prefill.get_key_value(key)) else { continue };
            let old = self.fields.get(&field.id).map_or("", Value::as_text);
            let priors = key == PRIORS;
            let said_none = field.prefill_none.as_ref().is_some_and(|none| old == none.ja || old == none.en);
            let stays = self.revision > 0 && !old.is_empty() && !priors || new.trim().is_empty() && !said_none;
            if stays || old == new {
                continue;
            }
            changed = true;
            if new.trim().is_empty() {
                self.fields.remove(&field.id);
            } else {
                self.fields.insert(field.id.clone(), Value::Text(new.clone()));
            }
        }
        // Before the first edit there is nothing to keep: the draft is as good as not begun.
        self.revision += u64::from(changed && self.revision > 0);
        changed
    }

    /// What can be known of a request before reading, for [`Draft::new`]; `technique` and `priors` are
    /// written by the caller from the study's headers.
    pub fn prefill(assignment: &Assignment, technique: &str, priors: &str) -> BTreeMap<String, String> {
        let contrast = match assignment.request.contrast {
            Contrast::None => "none",
            Contrast::Plain => "plain",
            Contrast::Enhanced => "ce",
            Contrast::PlainAndEnhanced => "plain_ce",
        };
        [
            ("request.question", assignment.request.question.as_str()),
            ("request.contrast", contrast),
            ("study.technique", technique),
            (PRIORS, priors),
        ]
        .into_iter()
        .map(|(key, text)| (key.to_owned(), text.to_owned()))
        .collect()
    }

    /// Field content as text; empty if not filled.
    pub fn text(&self, field: &str) -> &str {
        self.fields.get(field).map_or("", Value::as_text)
    }

    /// The finding with this number.
    pub fn finding(&self, id: FindingId) -> Option<&Finding> {
        self.findings.iter().find(|f| f.id == id)
    }

    fn number(&mut self) -> u64 {
        let id = self.next_id;
        self.next_id += 1;
        id
    }

    /// Makes one change. Returns whether anything changed; an edit that names something gone changes nothing.
    pub fn apply(&mut self, edit: Edit) -> bool {
        let changed = self.change(edit);
        self.revision += u64::from(changed);
        changed
    }

    fn change(&mut self, edit: Edit) -> bool {
        match edit {
            Edit::SetField(id, value) => {
                let touched = self.untouched.remove(&id);
                set(&mut self.fields, id, value) || touched
            }
            Edit::AddFinding => {
                let id = FindingId(self.number());
                self.findings.push(Finding {
                    id,
                    fields: BTreeMap::new(),
                    key_image: None,
                    annotation: None,
                    measured: None,
                });
                true
            }
            Edit::RemoveFinding(id) => {
                let before = self.findings.len();
                self.findings.retain(|f| f.id != id);
                self.findings.len() != before
            }
            Edit::MoveFinding(id, by) => {
                let Some(from) = self.findings.iter().position(|f| f.id == id) else { return false };
                let last = self.findings.len().saturating_sub(1);
                let to = from.saturating_add_signed(by as isize).min(last);
                let finding = self.findings.remove(from);
                self.findings.insert(to, finding);
                to != from
            }
            Edit::SetFindingField(id, field, value) => self.with_finding(id, |f| set(&mut f.fields, field, value)),
            Edit::SetKeyImage(id, key_image) => self.with_finding(id, |f| {
                let changed = f.key_image != key_image;
                f.key_image = key_image;
                changed
            }),
            Edit::SetMeasurement(id, measurement) => self.with_finding(id, |f| {
                let (annotation, measured) = measurement.unzip();
                let changed = f.annotation != annotation || f.measured != measured;
                f.annotation = annotation;
                f.measured = measured;
                changed
            }),
            Edit::PutAnnotation(mut annotation) => {
                if annotation.id == AnnotationId(0) {
                    annotation.id = AnnotationId(self.number());
                }
                match self.annotations.iter_mut().find(|a| a.id == annotation.id) {
                    Some(existing) if *existing == annotation => false,
                    Some(existing) => {
                        *existing = annotation;
                        true
                    }
                    None => {
                        self.annotations.push(annotation);
                        true
                    }
                }
            }
            Edit::RemoveAnnotation(id) => {
                let before = self.annotations.len();
                self.annotations.retain(|a| a.id != id);
                self.annotations.len() != before
            }
        }
    }

    fn with_finding(&mut self, id: FindingId, change: impl FnOnce(&mut Finding) -> bool) -> bool {
        self.findings.iter_mut().find(|f| f.id == id).is_some_and(change)
    }
}

/// Sets, replaces or clears an entry; text is kept as typed (normalised only in the signed bytes).
fn set(fields: &mut BTreeMap<String, Value>, id: String, value: Option<Value>) -> bool {
    match value {
        Some(value) => fields.insert(id, value.clone()).as_ref() != Some(&value),
        None => fields.remove(&id).is_some(),
    }
}

hidden_debug!(Value, Finding, Draft, Edit);

#[cfg(test)]
mod tests {
    use super::super::{fixtures, templates};
    use super::*;

    #[test]
    fn prefill_fills_only_what_is_known() {
        let template = templates::find("clin.ct").expect("template");
        let assignment = fixtures::assignment();
        let draft = Draft::new(&assignment, &template, &Draft::prefill(&assignment, "造影 CT", ""));
        assert_eq!(draft.text("purpose"), assignment.request.question);
        assert_eq!(draft.text("technique"), "造影 CT");
        assert!(!draft.fields.contains_key("comparison"));
        assert_eq!(draft.text("findings"), "");
    }

    #[test]
    fn refilling_never_overwrites_the_reader() {
        let template = templates::find("clin.ct").expect("template");
        let assignment = fixtures::assignment();
        let with = |technique: &str, priors: &str| Draft::prefill(&assignment, technique, priors);
        let mut draft = Draft::new(&assignment, &template, &with("CT", "なし"));
        assert!(draft.prefilled("comparison") && !draft.prefilled("findings"));
        // Not begun: everything follows, and nothing counts as an edit.
        assert!(draft.refill(&template, &with("CT, 造影", "")));
        assert_eq!((draft.text("technique"), draft.text("comparison"), draft.revision), ("CT, 造影", "", 0));
        assert!(!draft.prefilled("comparison"));
        // Begun: only the earlier studies follow.
        draft.apply(Edit::SetField("findings".into(), Some(Value::Text("結節".into()))));
        assert!(draft.refill(&template, &with("MR", "CT 2025-10-02")));
        assert_eq!((draft.text("technique"), draft.text("comparison")), ("CT, 造影", "CT 2025-10-02"));
        assert_eq!(draft.revision, 2);
        assert!(!draft.refill(&template, &with("MR", "")), "what was compared was compared");
        // Written or cleared by the reader: never again.
        draft.apply(Edit::SetField("comparison".into(), None));
        assert!(!draft.refill(&template, &with("MR", "CT 2025-10-02")));
        draft.apply(Edit::SetField("comparison".into(), Some(Value::Text("なし".into()))));
        assert!(!draft.refill(&template, &with("MR", "CT 2025-10-02")));
        assert_eq!(draft.text("comparison"), "なし");
        // Writing the same words is to confirm them.
        let mut draft = Draft::new(&assignment, &template, &with("CT", "なし"));
        assert!(draft.apply(Edit::SetField("comparison".into(), Some(Value::Text("なし".into())))));
        assert!(!draft.prefilled("comparison"));
    }

    #[test]
    fn edits_change_and_tell() {
        let mut draft = fixtures::draft();
        assert!(draft.apply(Edit::AddFinding));
        let id = draft.findings[0].id;
        assert!(draft.apply(Edit::SetFindingField(id, "site".into(), Some(Value::Text("右 S3".into())))));
        assert!(!draft.apply(Edit::SetFindingField(id, "site".into(), Some(Value::Text("右 S3".into())))));
        assert!(!draft.apply(Edit::SetFindingField(FindingId(99), "site".into(), None)));
        draft.apply(Edit::AddFinding);
        assert!(draft.apply(Edit::MoveFinding(id, 5)));
        assert_eq!(draft.findings[1].id, id);
        assert!(draft.apply(Edit::RemoveFinding(id)));
        let revision = draft.revision;
        assert!(!draft.apply(Edit::RemoveFinding(id)));
        assert_eq!(draft.revision, revision);
        draft.apply(Edit::AddFinding);
        assert!(draft.findings.iter().all(|f| f.id != id), "numbers are never reused");
    }
}

//! The report of the open assignment: draft, saving, and the way to the signature.

use super::worklist::DraftMark;
use crate::engine::message::{Failure, Prepared, ReportOnFile};
use crate::report::gate::OpenPoint;
use crate::report::{Draft, FindingId, History, Receipt, Template};
use crate::viewport::AnnotationId;
use jiff::Timestamp;
use std::sync::Arc;

/// Where the draft stands between keyboard and disk.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Saving {
    /// When the draft last changed and was not yet sent off; `None`: nothing to save.
    pub changed_at: Option<Timestamp>,
    /// The tick that first saw the unsaved change: who types without a pause is saved all the same.
    pub(super) unsaved_since: Option<Timestamp>,
    /// The revision sent to the engine and not yet confirmed.
    pub underway: Option<u64>,
    /// The last confirmed save.
    pub saved: Option<DraftMark>,
    /// Why the last save failed; it is tried again.
    pub failure: Option<Failure>,
    /// The revision that could not be saved.
    pub(super) failed: Option<u64>,
}

/// From the report to the signature. Debug output hides reasons and content.
#[derive(Clone, Default)]
pub enum SignFlow {
    /// Writing.
    #[default]
    Writing,
    /// The gate found open points.
    Points {
        /// The points, blocking ones first.
        points: Vec<OpenPoint>,
        /// The reader's reason for each (empty: none yet); blocking points take none.
        reasons: Vec<String>,
        /// The draft revision that the gate saw.
        revision: u64,
    },
    /// The engine freezes the draft.
    Preparing {
        /// The draft revision sent.
        revision: u64,
    },
    /// The exact content is shown; the password is asked.
    Preview {
        /// What will be signed.
        prepared: Prepared,
        /// The signature is being made.
        signing: bool,
        /// Why the last attempt failed (wrong password …).
        failure: Option<Failure>,
    },
    /// Signed, durably in the outbox.
    Signed {
        /// SHA-256 (hex) of the signed bytes.
        sha256: String,
        /// The center's receipt, once here.
        receipt: Option<Receipt>,
        /// The assignment that comes next.
        next: Option<String>,
    },
}

impl std::fmt::Debug for SignFlow {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Writing => "Writing",
            Self::Points { .. } => "Points(…)",
            Self::Preparing { .. } => "Preparing",
            Self::Preview { .. } => "Preview(…)",
            Self::Signed { .. } => "Signed(…)",
        })
    }
}

impl SignFlow {
    /// A dialog of the flow covers the report: no edits.
    pub fn modal(&self) -> bool {
        !matches!(self, Self::Writing)
    }
}

/// A field that the caret should go to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FieldWish {
    /// The finding it belongs to; `None`: a field of the report itself.
    pub finding: Option<FindingId>,
    /// Field id of the template.
    pub field: String,
    /// Counts the wishes: the same field may be wanted again.
    pub number: u64,
}

/// The report of the open assignment.
#[derive(Debug, Clone)]
pub struct ReportState {
    /// The template it is written with.
    pub template: Arc<Template>,
    /// The draft with undo; `None` while it is loading, or for a submitted report without addendum.
    pub history: Option<History>,
    /// The draft is being looked for on disk and at the center.
    pub loading: bool,
    /// Saving.
    pub saving: Saving,
    /// The center's version, where it is another one: the reader must choose.
    pub conflict: Option<Draft>,
    /// The center's was chosen and is not here yet: what stands to come back if that fails.
    pub(super) replaced: Option<(History, Draft)>,
    /// Versions that were not chosen, oldest first.
    pub left: Vec<Draft>,
    /// The finding that drawings and key images go to.
    pub open_finding: Option<FindingId>,
    /// A field that the caret should go to (an open point was pressed, a finding added); `ui` follows when its
    /// number changes.
    pub focus_field: Option<FieldWish>,
    /// The annotation marked as chosen.
    pub chosen: Option<AnnotationId>,
    /// The way to the signature.
    pub sign: SignFlow,
    /// Reasons written for open points, kept while the reader goes to the place and back.
    pub(super) reasons: Vec<(OpenPoint, String)>,
    /// Signed versions on file, newest last.
    pub signed: Vec<ReportOnFile>,
    /// The signed versions are shown instead of the draft.
    pub show_signed: bool,
    /// No edits: the report is submitted, or the assignment is no longer this reader's.
    pub read_only: bool,
}

impl ReportState {
    /// A report whose draft is being looked for.
    pub fn loading(template: Arc<Template>) -> Self {
        Self {
            template,
            history: None,
            loading: true,
            saving: Saving::default(),
            conflict: None,
            replaced: None,
            left: Vec::new(),
            open_finding: None,
            focus_field: None,
            chosen: None,
            sign: SignFlow::Writing,
            reasons: Vec::new(),
            signed: Vec::new(),
            show_signed: false,
            read_only: false,
        }
    }

    /// The draft as it is now.
    pub fn draft(&self) -> Option<&Draft> {
        self.history.as_ref().map(History::draft)
    }

    /// The caret is wanted in a field.
    pub(super) fn want_caret(&mut self, finding: Option<FindingId>, field: &str) {
        let number = self.focus_field.as_ref().map_or(0, |w| w.number) + 1;
        self.focus_field = Some(FieldWish { finding, field: field.to_owned(), number });
    }

    /// The reason written for a point, if any.
    pub(super) fn reason_for(&self, point: &OpenPoint) -> String {
        self.reasons.iter().find(|(p, _)| p.same_matter(point)).map_or_else(String::new, |(_, r)| r.clone())
    }

    /// Keeps a reason; an empty one is forgotten.
    pub(super) fn keep_reason(&mut self, point: &OpenPoint, reason: &str) {
        self.reasons.retain(|(p, _)| !p.same_matter(point));
        if !reason.is_empty() {
            self.reasons.push((point.clone(), reason.to_owned()));
        }
    }

    /// Edits are taken.
    pub fn editable(&self) -> bool {
        self.history.is_some() && !self.read_only && !self.sign.modal() && self.conflict.is_none()
    }
}

//! The list of work: what stands in it, in which order, and what is chosen.

use crate::engine::message::Failure;
use crate::report::Receipt;
use crate::study::{PersonName, search_key};
use crate::worklist::{Assignment, AssignmentState, ReturnReason};
use jiff::{Timestamp, tz::TimeZone};
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

/// Which assignments are shown.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Filter {
    /// All that are still to be done.
    #[default]
    All,
    /// Due today (Japan time) and still to be done.
    Today,
    /// Overdue.
    Overdue,
    /// With a draft on this terminal or at the center.
    Drafts,
    /// Returned as unreadable.
    Returned,
    /// Signed and submitted.
    Sent,
}

impl Filter {
    /// All filters in the order of the screen.
    pub const ALL: [Self; 6] = [Self::All, Self::Today, Self::Overdue, Self::Drafts, Self::Returned, Self::Sent];
}

/// Column to sort by. Ties: due time, priority, arrival, id.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SortKey {
    /// Due time.
    #[default]
    Due,
    /// Priority.
    Priority,
    /// Kind of exam.
    Exam,
    /// Patient's reading (kana), else name.
    Patient,
    /// Facility.
    Facility,
    /// State.
    State,
}

/// What is known of an assignment's draft without loading it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct DraftMark {
    /// Revision last saved.
    pub revision: u64,
    /// The center has it too.
    pub at_center: bool,
    /// When it was saved.
    pub at: Timestamp,
}

/// The "cannot read" dialog. Debug output hides the words.
#[derive(Clone, PartialEq, Eq)]
pub struct ReturnDialog {
    /// Assignment id.
    pub assignment: String,
    /// The reason chosen.
    pub reason: ReturnReason,
    /// The reader's words.
    pub text: String,
}

impl std::fmt::Debug for ReturnDialog {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("ReturnDialog").field("reason", &self.reason).finish_non_exhaustive()
    }
}

/// The worklist. The previous list stays while a refresh fails. Debug output hides the search, which is
/// mostly somebody's name.
#[derive(Clone, Default)]
pub struct WorklistState {
    /// Assignments as the center sent them, by id.
    pub assignments: BTreeMap<String, Arc<Assignment>>,
    /// When the center said so; `None` before the first answer.
    pub as_of: Option<Timestamp>,
    /// An answer is awaited.
    pub refreshing: bool,
    /// Why the last refresh failed.
    pub failure: Option<Failure>,
    /// Filter.
    pub filter: Filter,
    /// Search text.
    pub search: String,
    /// Sorting.
    pub sort: SortKey,
    /// From large to small.
    pub descending: bool,
    /// Chosen row (assignment id).
    pub selected: Option<String>,
    /// Draft marks by assignment id.
    pub drafts: BTreeMap<String, DraftMark>,
    /// Assignments signed here whose receipt is still awaited.
    pub signed: BTreeSet<String>,
    /// Assignments whose pictures are suspected to be another patient's: kept on this terminal until the center has
    /// it. Nothing may be signed.
    pub wrong_patient: BTreeSet<String>,
    /// Such flags on their way to this disk, with the reader's words: not set yet, and nothing may be signed either.
    pub flagging: BTreeMap<String, String>,
    /// Receipts of this session, by assignment id.
    pub receipts: BTreeMap<String, Receipt>,
    /// Transitions asked for and not yet answered.
    pub pending: BTreeSet<String>,
    /// Drafts were looked for in this session.
    pub(super) drafts_asked: bool,
    /// The "cannot read" dialog.
    pub return_dialog: Option<ReturnDialog>,
}

impl std::fmt::Debug for WorklistState {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("WorklistState").field("assignments", &self.assignments.len()).finish_non_exhaustive()
    }
}

impl WorklistState {
    /// An assignment by id.
    pub fn get(&self, id: &str) -> Option<&Arc<Assignment>> {
        self.assignments.get(id)
    }

    /// The chosen assignment.
    pub fn selected(&self) -> Option<&Arc<Assignment>> {
        self.selected.as_deref().and_then(|id| self.get(id))
    }

    /// The rows on screen: filtered, searched, sorted.
    pub fn rows(&self, now: Timestamp) -> Vec<&Arc<Assignment>> {
        let query = search_key(&self.search);
        let mut rows: Vec<_> = self
            .assignments
            .values()
            .filter(|a| self.in_filter(a, self.filter, now) && (query.is_empty() || found(a, &query)))
            .collect();
        rows.sort_by(|a, b| {
            let order = match self.sort {
                SortKey::Due => a.due.at.cmp(&b.due.at),
                SortKey::Priority => a.priority.cmp(&b.priority),
                SortKey::Exam => a.exam_kind.cmp(&b.exam_kind),
                SortKey::Patient => sort_name(&a.patient.name).cmp(&sort_name(&b.patient.name)),
                SortKey::Facility => a.facility.name.cmp(&b.facility.name),
                SortKey::State => a.state.cmp(&b.state),
            };
            let order = if self.descending { order.reverse() } else { order };
            order.then_with(|| urgency(a).cmp(&urgency(b)))
        });
        rows
    }

    /// How many rows a filter would show, without the search.
    pub fn count(&self, filter: Filter, now: Timestamp) -> usize {
        self.assignments.values().filter(|a| self.in_filter(a, filter, now)).count()
    }

    /// Assignments still to be done, most urgent first: what comes next.
    pub fn upcoming(&self) -> Vec<&Arc<Assignment>> {
        let mut next: Vec<_> = self.assignments.values().filter(|a| self.to_do(a) && !self.suspected(&a.id)).collect();
        next.sort_by(|a, b| urgency(a).cmp(&urgency(b)));
        next
    }

    /// Whether another patient is suspected, kept already or being kept.
    pub fn suspected(&self, id: &str) -> bool {
        self.wrong_patient.contains(id) || self.flagging.contains_key(id)
    }

    fn to_do(&self, a: &Assignment) -> bool {
        a.state.open() && !self.signed.contains(&a.id)
    }

    fn in_filter(&self, a: &Assignment, filter: Filter, now: Timestamp) -> bool {
        match filter {
            Filter::All => self.to_do(a),
            Filter::Today => self.to_do(a) && japan_date(a.due.at) <= japan_date(now),
            Filter::Overdue => self.to_do(a) && a.due.at < now,
            // After the signature a draft is an addendum begun.
            Filter::Drafts => self.drafts.contains_key(&a.id) && (self.to_do(a) || self.sent(a)),
            Filter::Returned => matches!(a.state, AssignmentState::Returned | AssignmentState::Declined),
            Filter::Sent => self.sent(a),
        }
    }

    fn sent(&self, a: &Assignment) -> bool {
        self.signed.contains(&a.id) || matches!(a.state, AssignmentState::Submitted | AssignmentState::Finalized)
    }
}

/// Japan has one time zone without summer time; deadlines are told in it (domain reference, head).
fn japan_date(at: Timestamp) -> jiff::civil::Date {
    at.to_zoned(TimeZone::fixed(jiff::tz::offset(9))).date()
}

fn sort_name(name: &PersonName) -> String {
    let reading = name.reading();
    search_key(if reading.is_empty() { &name.alphabetic } else { &reading })
}

/// Order of work; ends with the id so that equal rows never jump.
fn urgency(a: &Assignment) -> (Timestamp, crate::worklist::Priority, Timestamp, &str) {
    (a.due.at, a.priority, a.received_at, a.id.as_str())
}

/// Whether an assignment has the (folded) query in name, id, accession, request, exam or facility.
fn found(a: &Assignment, query: &str) -> bool {
    let name = &a.patient.name;
    let joined = [name.ideographic.as_deref(), name.phonetic.as_deref(), Some(&name.alphabetic)];
    let others = [
        a.patient.id.as_str(),
        &a.request.request_id,
        &a.request.accession,
        &a.request.exam,
        &a.facility.name,
        a.exam_kind.as_str(),
    ];
    joined
        .into_iter()
        .flatten()
        .chain(others)
        .chain(a.request.body_parts.iter().map(String::as_str))
        .any(|text| search_key(text).contains(query))
        || joined.into_iter().flatten().any(|text| crate::study::reading_key(text).contains(&romaji_query(query)))
}

fn romaji_query(query: &str) -> String {
    crate::study::reading_key(query)
}

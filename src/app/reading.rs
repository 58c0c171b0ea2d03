//! The open study: what is on screen, and what of it survives a crash.

use super::hang::{Hung, Step};
use super::link::Pairing;
use super::objects::OpenObject;
use crate::study::Mismatch;
use crate::study::{DisplaySet, DisplaySetId, FrameRef, StudyUid};
use crate::viewport::{Annotation, DataPresentation, Layout, Tool, ViewId, ViewPresentation};
use crate::worklist::Assignment;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

/// A running cine loop (not kept over a restart).
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Cine {
    /// Frames per second.
    pub rate_hz: f64,
    /// When the frame on screen was due.
    pub at: Timestamp,
}

/// One viewport: what it shows and how.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct ViewState {
    /// The display set; `None` is an empty viewport.
    pub set: Option<DisplaySetId>,
    /// The study that the display set belongs to.
    pub study: Option<StudyUid>,
    /// Place in the display set, from 0.
    pub position: usize,
    /// The frame at that place: survives a new split of the series while instances still arrive.
    pub frame: Option<FrameRef>,
    /// How the picture lies.
    pub view: ViewPresentation,
    /// How values become grey.
    pub data: DataPresentation,
    /// How the hanging laid it: what "reset" goes back to.
    #[serde(default)]
    pub hung: ViewPresentation,
    /// The window that the hanging gave.
    #[serde(default)]
    pub hung_data: DataPresentation,
    /// A view that belongs here but is not in the study, e.g. `RMLO`: to be told in the empty viewport.
    #[serde(default)]
    pub missing: Option<String>,
    /// The hanging assumed the orientation, because the object does not state it (shown as a mark).
    #[serde(default)]
    pub orientation_assumed: bool,
    /// Last scroll direction, -1 or 1; neighbours that way are fetched first.
    #[serde(skip)]
    pub direction: i8,
    /// Cine loop, while it runs.
    #[serde(skip)]
    pub cine: Option<Cine>,
}

/// What the reader would miss after a crash. Sealed by the engine; holds UIDs, no names.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ReadingRecord {
    /// The open assignment; `None` for local files.
    pub assignment: Option<String>,
    /// Studies to read, in order.
    pub studies: Vec<StudyUid>,
    /// Earlier studies.
    pub priors: Vec<StudyUid>,
    /// The grid.
    pub layout: Layout,
    /// Viewports, row by row; as many as the layout has.
    pub views: Vec<ViewState>,
    /// The active viewport.
    pub active: u32,
    /// The viewport shown alone.
    pub maximised: Option<u32>,
    /// Scrolled together by mm.
    pub linked: bool,
    /// What the reader said belongs together, between frames of reference.
    #[serde(default)]
    pub pairings: Vec<Pairing>,
    /// The left button's tool.
    pub tool: Tool,
    /// Step of the hanging protocol.
    pub step: usize,
    /// The reader changed layout or pictures by hand: a growing study is not hung anew.
    pub by_hand: bool,
    /// The finding being written.
    pub open_finding: Option<u64>,
    /// Frames that have been on screen.
    pub seen: BTreeSet<FrameRef>,
}

impl Default for ReadingRecord {
    fn default() -> Self {
        Self {
            assignment: None,
            studies: Vec::new(),
            priors: Vec::new(),
            layout: Layout::default(),
            views: Vec::new(),
            active: 0,
            maximised: None,
            // A prior is for comparing: it goes along until told otherwise.
            linked: true,
            pairings: Vec::new(),
            tool: Tool::default(),
            step: 0,
            by_hand: false,
            open_finding: None,
            seen: BTreeSet::new(),
        }
    }
}

impl ReadingRecord {
    /// The active viewport's number.
    pub fn active_view(&self) -> ViewId {
        ViewId(self.active)
    }

    /// A viewport.
    pub fn view(&self, id: ViewId) -> Option<&ViewState> {
        self.views.get(id.0 as usize)
    }

    /// The viewports on screen: all, or the maximised one.
    pub fn shown_views(&self) -> impl Iterator<Item = (ViewId, &ViewState)> {
        self.views
            .iter()
            .enumerate()
            .map(|(i, v)| (ViewId(i as u32), v))
            .filter(|(id, _)| self.maximised.is_none_or(|one| one == id.0))
    }
}

/// The open reading.
#[derive(Debug, Clone, Default)]
pub struct Reading {
    /// What is kept over a crash.
    pub record: ReadingRecord,
    /// The open assignment as last heard of; `None` for local files.
    pub assignment: Option<Arc<Assignment>>,
    /// Steps of the hanging for what is known of the studies so far.
    pub steps: Vec<Step>,
    /// Where patient of the pictures and of the request differ, by study. Stops the signature.
    pub mismatches: Vec<(StudyUid, Vec<Mismatch>)>,
    /// Measurements that belong to no draft (local files, submitted reports); not kept.
    pub loose: Vec<Annotation>,
    /// The object without a picture that is open; not kept.
    pub object: Option<OpenObject>,
    /// When the record last changed without having been kept.
    pub(super) changed_at: Option<Timestamp>,
    /// Studies whose first picture has been on screen (told once, for the audit).
    pub(super) viewed: BTreeSet<StudyUid>,
    /// How many frames of each display set have been seen: counted along, since the gate asks often.
    pub(super) seen_in: BTreeMap<DisplaySetId, usize>,
    /// Earlier studies that have been on screen, in that order: what the report says was compared.
    pub(super) compared: Vec<StudyUid>,
    /// The reader moved the pictures since the program last hung any.
    pub(super) steered: bool,
    /// Frames on screen that do not count as seen yet, since when they are drawn.
    pub(super) glimpsed: BTreeMap<FrameRef, Timestamp>,
    /// Frames that count as seen although the reader asked for nothing yet.
    pub(super) unasked: BTreeSet<FrameRef>,
    /// Numbers of loose measurements.
    pub(super) next_loose: u64,
}

impl Reading {
    /// The step on screen.
    pub fn step(&self) -> Option<&Step> {
        self.steps.get(self.record.step)
    }

    /// The record changed.
    pub(super) fn touch(&mut self, now: Timestamp) {
        self.changed_at = Some(now);
    }
}

impl ViewState {
    /// An empty viewport.
    pub(super) fn empty() -> Self {
        Self::default()
    }

    /// As a hanging wants it.
    pub(super) fn hung(hung: &Hung, set: Option<&DisplaySet>) -> Self {
        let position = hung.position.min(set.map_or(0, |s| s.frames.len().saturating_sub(1)));
        Self {
            set: set.map(|s| s.id.clone()),
            study: hung.study.clone(),
            position,
            frame: set.and_then(|s| s.frames.get(position).cloned()),
            view: hung.view,
            data: hung.data,
            hung: hung.view,
            hung_data: hung.data,
            missing: hung.missing.clone(),
            orientation_assumed: hung.assumed,
            ..Self::default()
        }
    }
}

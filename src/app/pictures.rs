//! Studies known, display sets computed from them, and the frames held in memory.

use crate::engine::message::{Failure, StudyProgress, Unshown};
use crate::imaging::Frame;
use crate::study::{DisplaySet, DisplaySetId, FrameRef, Ledger, SeriesUid, Study, StudyUid, body_sets, display_sets};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

/// A small picture of a display set.
#[derive(Clone)]
pub struct Thumbnail {
    /// Width and height.
    pub size: [u32; 2],
    /// RGB bytes.
    pub rgb: Arc<[u8]>,
}

impl std::fmt::Debug for Thumbnail {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Thumbnail").field("size", &self.size).finish_non_exhaustive()
    }
}

/// One study: its structure, what of it has arrived, and its display sets.
#[derive(Debug, Clone, Default)]
pub struct StudyState {
    /// Structure; `None` until the center named it.
    pub study: Option<Arc<Study>>,
    /// Display sets of all series, in series order (computed once for each structure).
    pub sets: Vec<Arc<DisplaySet>>,
    /// Whole bodies: stations among `sets` read as one stack.
    pub bodies: Vec<Arc<DisplaySet>>,
    /// Objects without a picture, in series order.
    pub objects: Vec<super::objects::ListedObject>,
    /// What is expected, received and shown.
    pub ledger: Arc<Ledger>,
    /// Nothing more comes by itself.
    pub finished: bool,
    /// The last trouble of the transfer.
    pub failure: Option<Failure>,
    /// Stopped by the reader.
    pub paused: bool,
}

impl StudyState {
    /// Share of the named instances that is on this disk, 0 to 1; `None` before anything is named.
    pub fn share(&self) -> Option<f32> {
        let announced = self.ledger.announced.unwrap_or(0) as usize;
        let expected = self.ledger.expected().max(announced);
        (expected > 0).then(|| self.ledger.received() as f32 / expected as f32)
    }

    /// All that a viewport can show: whole bodies, then the display sets of all series.
    pub fn showable(&self) -> impl Iterator<Item = &Arc<DisplaySet>> {
        self.bodies.iter().chain(&self.sets)
    }

    /// Display sets of one series.
    pub fn sets_of<'a>(&'a self, series: &'a SeriesUid) -> impl Iterator<Item = &'a Arc<DisplaySet>> {
        self.sets.iter().filter(move |set| &set.id.series == series)
    }

    /// Takes a new structure and computes its display sets.
    pub(super) fn set_study(&mut self, study: Arc<Study>) {
        // Series that did not change keep their sets: a study of many series grows one by one.
        let mut sets = Vec::new();
        for series in &study.series {
            let before = self.study.as_ref().and_then(|old| old.series(&series.uid));
            if before == Some(series) {
                sets.extend(self.sets_of(&series.uid).cloned());
            } else {
                sets.extend(display_sets(series).into_iter().map(Arc::new));
            }
        }
        self.bodies = body_sets(&sets).into_iter().map(Arc::new).collect();
        self.sets = sets;
        self.objects = super::objects::of_study(&study);
        self.study = Some(study);
    }

    pub(super) fn set_progress(&mut self, progress: StudyProgress) {
        self.ledger = progress.ledger;
        self.finished = progress.finished;
        self.failure = progress.failure;
    }
}

/// All studies and frames that the app holds.
#[derive(Debug, Clone, Default)]
pub struct Pictures {
    /// Studies by UID.
    pub studies: BTreeMap<StudyUid, StudyState>,
    /// Decoded frames; only those that the last demand named.
    pub frames: BTreeMap<FrameRef, Arc<Frame>>,
    /// Frames that cannot be had, and why.
    pub failed: BTreeMap<FrameRef, Unshown>,
    /// Frames of which something is missing or may not be what was sent, whether in memory or not.
    pub damaged: BTreeSet<FrameRef>,
    /// Thumbnails.
    pub thumbnails: BTreeMap<DisplaySetId, Thumbnail>,
    /// Studies of the open reading: only their series are found by UID, so that another study's with the same UID
    /// (archives that do not know each other) never stands in for them.
    pub(super) open: BTreeSet<StudyUid>,
}

impl Pictures {
    /// A study's state.
    pub fn study(&self, uid: &StudyUid) -> Option<&StudyState> {
        self.studies.get(uid)
    }

    fn open_ones(&self) -> impl Iterator<Item = (&StudyUid, &StudyState)> {
        self.studies.iter().filter(|(uid, _)| self.open.contains(*uid))
    }

    /// A display set of the open reading by its name.
    pub fn set(&self, id: &DisplaySetId) -> Option<&Arc<DisplaySet>> {
        self.open_ones().flat_map(|(_, s)| s.showable()).find(|set| &set.id == id)
    }

    /// The study of the open reading that a series belongs to.
    pub fn study_of(&self, series: &SeriesUid) -> Option<&StudyUid> {
        self.open_ones()
            .find(|(_, s)| s.study.as_ref().is_some_and(|study| study.series(series).is_some()))
            .map(|(uid, _)| uid)
    }

    /// Everything of the open reading that a viewport can show and that has this frame.
    pub(super) fn holders(&self, frame: &FrameRef) -> Vec<DisplaySetId> {
        let all = self.open_ones().flat_map(|(_, s)| s.showable());
        all.filter(|set| set.frames.contains(frame)).map(|set| set.id.clone()).collect()
    }

    /// The display set of the open reading that has a frame, and the frame's place in it.
    pub fn locate(&self, frame: &FrameRef) -> Option<(&Arc<DisplaySet>, usize)> {
        self.open_ones()
            .flat_map(|(_, s)| &s.sets)
            .find_map(|set| set.frames.iter().position(|f| f == frame).map(|place| (set, place)))
    }

    /// [`Self::locate`] among whole bodies.
    pub(super) fn locate_in_body(&self, frame: &FrameRef) -> Option<(&Arc<DisplaySet>, usize)> {
        self.open_ones()
            .flat_map(|(_, s)| &s.bodies)
            .find_map(|set| set.frames.iter().position(|f| f == frame).map(|place| (set, place)))
    }

    /// A decoded frame, if it is in memory.
    pub fn frame(&self, frame: &FrameRef) -> Option<&Arc<Frame>> {
        self.frames.get(frame)
    }

    /// Drops all frames but these.
    pub(super) fn keep_frames(&mut self, wanted: &BTreeSet<FrameRef>) {
        self.frames.retain(|frame, _| wanted.contains(frame));
    }
}

//! `App::demand`: everything wanted now, most urgent first. Worked out after each change, so that the engine
//! never has to be told to cancel anything.

use super::reading::ViewState;
use super::state::{App, Place};
use super::{masks, measure};
use crate::engine::message::{Class, Demand, StudyWanted, ThumbnailWanted};
use crate::study::{DisplaySet, FrameRef, StudyUid};
use crate::worklist::{Assignment, StudyToRead};
use std::collections::BTreeSet;

/// Neighbours of the slice on screen, in the direction of scrolling and against it.
const AHEAD: usize = 32;
const BEHIND: usize = 8;
/// Memory that frames beside those on screen may take, by their size in the headers: a 2,000-slice series
/// scrolls without all of it in memory, and a screen full of mammograms does not take ten times its size.
const NEIGHBOUR_BYTES: u64 = 320 << 20;
/// Assignments whose studies are fetched ahead.
const NEXT_ASSIGNMENTS: usize = 2;

impl App {
    /// Everything wanted now.
    pub fn demand(&self) -> Demand {
        self.wanted.clone()
    }

    /// As [`App::demand`], without a copy: to see whether it changed.
    pub fn demand_ref(&self) -> &Demand {
        &self.wanted
    }
}

/// After every change: what is wanted, what may be dropped.
pub(super) fn settle(app: &mut App) {
    app.wanted = work_out(app);
    let frames: BTreeSet<FrameRef> = app.wanted.frames.iter().cloned().collect();
    app.wanted_frames = frames;
    app.pictures.keep_frames(&app.wanted_frames);
    app.wanted.missing = app.wanted.frames.iter().filter(|f| !app.pictures.frames.contains_key(*f)).cloned().collect();
}

/// The viewports of the open reading, the active one first.
fn visible(app: &App) -> impl Iterator<Item = &ViewState> {
    let record = app.reading.as_ref().map(|r| &r.record);
    let active = record.and_then(|r| r.shown_views().find(|(id, _)| id.0 == r.active));
    let first = active.map(|(id, _)| id);
    let others = record.into_iter().flat_map(|r| r.shown_views()).filter(move |(id, _)| Some(*id) != first);
    active.into_iter().chain(others).map(|(_, view)| view)
}

fn work_out(app: &App) -> Demand {
    // Nobody signed in: nothing is moved. (Local files need only frames, the engine has them.)
    if app.access.session.is_none() && !app.access.local {
        return Demand::default();
    }
    Demand { studies: studies(app), frames: frames(app), missing: Vec::new(), thumbnails: thumbnails(app) }
}

fn studies(app: &App) -> Vec<StudyWanted> {
    let mut out: Vec<StudyWanted> = Vec::new();
    let mut add = |wanted: &StudyToRead, class: Class| {
        if !out.iter().any(|w| w.study.study_uid == wanted.study_uid) {
            let paused = app.pictures.study(&wanted.study_uid).is_some_and(|s| s.paused);
            out.push(StudyWanted { study: wanted.clone(), class, paused });
        }
    };
    let on_screen: Vec<&StudyUid> = visible(app).filter_map(|v| v.study.as_ref()).collect();
    if let Some(open) = app.open_assignment() {
        for study in &open.studies {
            let visible = on_screen.is_empty() || on_screen.contains(&&study.study_uid);
            add(study, if visible { Class::Visible } else { Class::Current });
        }
        for study in &open.prior_studies {
            add(study, Class::Prior);
        }
    }
    if app.settings.cache_ahead && app.access.session.is_some() {
        let open_id = app.open_assignment().map(|a| a.id.as_str());
        let not_open = |a: &&std::sync::Arc<Assignment>| Some(a.id.as_str()) != open_id;
        // What the reader has chosen comes before what is due.
        let chosen = app.worklist.selected().filter(|a| a.state.open()).filter(not_open);
        let due = app.worklist.upcoming().into_iter().filter(not_open);
        let mut ids: Vec<&str> = Vec::new();
        for assignment in chosen.into_iter().chain(due) {
            if ids.contains(&assignment.id.as_str()) {
                continue;
            }
            if ids.len() == NEXT_ASSIGNMENTS {
                break;
            }
            ids.push(&assignment.id);
            for study in &assignment.studies {
                add(study, Class::Ahead);
            }
        }
    }
    out
}

/// Memory of one frame as the header states it; grey of 16 bits is the common case.
fn frame_bytes(set: &DisplaySet) -> u64 {
    let per_pixel = if set.modality == "US" || set.modality == "XC" || set.modality == "OP" { 3 } else { 2 };
    (u64::from(set.rows) * u64::from(set.columns) * per_pixel).max(1)
}

fn frames(app: &App) -> Vec<FrameRef> {
    let mut known = BTreeSet::new();
    let mut out: Vec<FrameRef> = Vec::new();
    let mut add = |frame: &FrameRef| {
        if !app.pictures.failed.contains_key(frame) && known.insert(frame.clone()) {
            out.push(frame.clone());
            return true;
        }
        false
    };
    for view in visible(app) {
        view.frame.as_ref().map(&mut add);
    }
    for frame in measure::frames_waited_for(app) {
        add(frame);
    }
    for frame in masks::frames_needed(app) {
        add(&frame);
    }
    // Neighbours ring by ring over all viewports, so that linked scrolling finds all of them ready.
    let stacks: Vec<_> = visible(app)
        .filter_map(|view| {
            let set = app.pictures.set(view.set.as_ref()?)?;
            (set.frames.len() > 1).then_some((view, set))
        })
        .collect();
    let mut left = NEIGHBOUR_BYTES;
    for ring in 1..=AHEAD {
        for (view, set) in &stacks {
            let forward = if view.direction < 0 { -1 } else { 1 };
            let at = |offset: isize| {
                let place = view.position.checked_add_signed(offset);
                // A cine loop comes round to its beginning.
                let place = if view.cine.is_some() { place.map(|p| p % set.frames.len()) } else { place };
                place.and_then(|p| set.frames.get(p))
            };
            let offsets = [Some(forward * ring as isize), (ring <= BEHIND).then_some(-forward * ring as isize)];
            for frame in offsets.into_iter().flatten().filter_map(at) {
                let cost = frame_bytes(set);
                if left >= cost && add(frame) {
                    left -= cost;
                }
            }
        }
    }
    // What the next step of the hanging shows first, so that stepping through mammograms does not wait.
    let reading = app.reading.as_ref();
    let next = reading.and_then(|r| r.steps.get(r.record.step + 1)).into_iter().flat_map(|s| &s.views);
    for hung in next {
        let Some(set) = hung.set.as_ref().and_then(|id| app.pictures.set(id)) else { continue };
        let cost = frame_bytes(set);
        if let Some(frame) = set.frames.get(hung.position).filter(|_| left >= cost)
            && add(frame)
        {
            left -= cost;
        }
    }
    out
}

fn thumbnails(app: &App) -> Vec<ThumbnailWanted> {
    if app.place != Place::Reading {
        return Vec::new();
    }
    let sets = app.open_studies().chain(app.open_priors()).flat_map(|(_, s)| s.showable());
    sets.filter(|set| !app.pictures.thumbnails.contains_key(&set.id))
        .filter_map(|set| {
            let frame = set.frames.get(set.frames.len() / 2)?.clone();
            Some(ThumbnailWanted { display_set: set.id.clone(), frame, voi: None })
        })
        .collect()
}

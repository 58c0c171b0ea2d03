//! Pictures of which a presentation state's mask is to be subtracted: asked for a few slices ahead of the reader's scrolling,
//! kept while they are near. The work is the engine's: each takes a look at every pixel of all its frames.

use super::reading::ViewState;
use super::state::App;
use crate::engine::message::{Command, Dress, ObjectCommand};
use crate::imaging::Frame;
use crate::study::{DisplaySet, FrameRef};
use crate::viewport::ObjectContent;
use crate::viewport::state_object::PresentationState;
use std::collections::BTreeMap;
use std::sync::Arc;

/// Places beside the one on screen, in the direction of scrolling.
const NEAR: [isize; 5] = [0, 1, 2, 3, -1];
/// So many are under way at most: what the reader jumps to waits for no more than these.
const UNDER_WAY: usize = 4;

/// A frame's difference from its mask, as far as it is known.
#[derive(Debug, Clone, Copy)]
pub enum Masked<'a> {
    /// Nothing is subtracted from it.
    Not,
    /// Frames of the mask are still arriving, or the difference is being made.
    Awaited,
    /// A frame of the mask cannot be had.
    WithoutMask,
    /// The frame as it is to be shown.
    Here(&'a Arc<Frame>),
}

/// What was asked for and what came.
#[derive(Debug, Clone, Default)]
pub(super) struct Masks {
    near: BTreeMap<FrameRef, Near>,
    under_way: usize,
}

#[derive(Debug, Clone)]
struct Near {
    wish: Dress,
    asked: bool,
    made: Option<Arc<Frame>>,
}

/// The laid presentation state, if it has a mask.
fn laid_state(app: &App) -> Option<(&Arc<ObjectContent>, &PresentationState)> {
    let (content, _) = app.laid()?;
    match &**content {
        ObjectContent::PresentationState(state) if state.mask.is_some() => Some((content, state)),
        _ => None,
    }
}

/// The frames on screen, then those that scrolling brings next.
fn near(app: &App) -> Vec<FrameRef> {
    let record = app.reading.iter().map(|r| &r.record);
    let views: Vec<(&ViewState, &DisplaySet)> =
        record.flat_map(|r| r.shown_views()).filter_map(|(id, view)| Some((view, &**app.view_set(id)?))).collect();
    let mut out: Vec<FrameRef> = Vec::new();
    for step in NEAR {
        for (view, set) in &views {
            let offset = if view.direction < 0 { -step } else { step };
            let place = view.position.checked_add_signed(offset);
            let place = if view.cine.is_some() { place.map(|p| p % set.frames.len().max(1)) } else { place };
            if let Some(frame) = place.and_then(|p| set.frames.get(p)).filter(|f| !out.contains(f)) {
                out.push(frame.clone());
            }
        }
    }
    out
}

/// Frames beside those on screen that the laid presentation state needs: those of its mask.
pub(super) fn frames_needed(app: &App) -> Vec<FrameRef> {
    let Some((_, state)) = laid_state(app) else { return Vec::new() };
    near(app).iter().flat_map(|at| state.needs(at)).collect()
}

/// After every change: asks for what is near and not made yet, nearest first; forgets what is not near.
pub(super) fn settle(app: &mut App, out: &mut Vec<Command>) {
    let Some((content, state)) = laid_state(app) else {
        if let Some(open) = app.reading.as_mut().and_then(|r| r.object.as_mut()) {
            open.masks.near.clear();
        }
        return;
    };
    let held = |at: &FrameRef| app.pictures.frame(at).cloned();
    let wishes: Vec<Dress> = near(app)
        .into_iter()
        .filter_map(|at| {
            let needed = Some(state.needs(&at)).filter(|n| !n.is_empty())?;
            let masks = needed.iter().map(held).collect::<Option<Vec<_>>>()?;
            Some(Dress { content: Arc::clone(content), frame: held(&at)?, at, masks })
        })
        .collect();
    let Some(open) = app.reading.as_mut().and_then(|r| r.object.as_mut()) else { return };
    let Masks { near, under_way } = &mut open.masks;
    let mut before = std::mem::take(near);
    for wish in wishes {
        let known = before.remove(&wish.at).filter(|known| known.wish.same(&wish));
        let mut one = known.unwrap_or(Near { wish, asked: false, made: None });
        if !one.asked && *under_way < UNDER_WAY {
            one.asked = true;
            *under_way += 1;
            out.push(Command::Object(ObjectCommand::Dress(one.wish.clone())));
        }
        near.insert(one.wish.at.clone(), one);
    }
}

/// One is made. What nobody waits for any more is dropped.
pub(super) fn made(app: &mut App, wish: &Dress, frame: Arc<Frame>) {
    let Some(open) = app.reading.as_mut().and_then(|r| r.object.as_mut()) else { return };
    if !matches!(&open.content, Some(Ok(content)) if Arc::ptr_eq(content, &wish.content)) {
        return;
    }
    open.masks.under_way = open.masks.under_way.saturating_sub(1);
    if let Some(known) = open.masks.near.get_mut(&wish.at).filter(|known| known.wish.same(wish)) {
        known.made = Some(frame);
    }
}

impl App {
    /// The frame as the window shows it: as it is, or as the laid presentation state says; `None` until it can be.
    pub(super) fn shown_frame(&self, at: &FrameRef) -> Option<Arc<Frame>> {
        let frame = self.pictures.frame(at)?;
        match self.masked(at) {
            Masked::Here(made) => Some(Arc::clone(made)),
            Masked::Awaited => None,
            Masked::Not | Masked::WithoutMask => {
                let dressed = self.laid().and_then(|(content, _)| content.dress(at, frame, &[]));
                Some(dressed.map_or_else(|| Arc::clone(frame), Arc::new))
            }
        }
    }

    /// Whether a presentation state lies over this frame.
    pub(super) fn under_state(&self, at: &FrameRef) -> bool {
        let state = self.laid().and_then(|(content, _)| match &**content {
            ObjectContent::PresentationState(state) => Some(state),
            _ => None,
        });
        state.is_some_and(|state| state.is_for(at))
    }

    /// Whether the values on screen are other ones than the picture's own.
    pub(super) fn other_values(&self, at: &FrameRef) -> bool {
        self.under_state(at)
            && self.pictures.frame(at).is_some_and(|own| {
                let shown = self.shown_frame(at);
                shown.is_none_or(|f| !Arc::ptr_eq(&f.pixels, &own.pixels) || f.modality != own.modality)
            })
    }

    /// How far the subtraction of the laid presentation state's mask has come for a frame.
    pub fn masked(&self, at: &FrameRef) -> Masked<'_> {
        let needed = laid_state(self).map_or_else(Vec::new, |(_, state)| state.needs(at));
        if needed.is_empty() {
            return Masked::Not;
        }
        if needed.iter().any(|mask| self.pictures.failed.contains_key(mask)) {
            return Masked::WithoutMask;
        }
        let open = self.reading.as_ref().and_then(|r| r.object.as_ref());
        let made = open.and_then(|o| o.masks.near.get(at)?.made.as_ref());
        made.map_or(Masked::Awaited, Masked::Here)
    }
}

//! What counts as seen: a picture that was drawn in a viewport on screen, for long enough or at the reader's wish.
//!
//! The first hanging comes before all of a study is known, and the next one may take a series away again. What
//! stood there for a moment, unasked, was not looked at.

use super::action::Action;
use super::state::{App, Place, Screen};
use crate::engine::message::Command;
use crate::study::{DisplaySetId, FrameRef, StudyUid};
use jiff::{SignedDuration, Timestamp};
use std::collections::BTreeSet;

/// A picture that nobody asked for counts after this long.
pub const DWELL: SignedDuration = SignedDuration::from_millis(400);

impl App {
    /// The window has drawn this state: the pictures on it count as seen, or begin to.
    pub fn painted(&mut self, now: Timestamp) -> Vec<Command> {
        let mut out = Vec::new();
        let covered = self.screen() != Screen::At(Place::Reading) || self.modal();
        let Some(reading) = &mut self.reading else { return out };
        if covered {
            reading.glimpsed.clear();
            return out;
        }
        let mut on_screen: Vec<(FrameRef, Option<DisplaySetId>, Option<StudyUid>)> = Vec::new();
        for (_, view) in reading.record.shown_views() {
            let Some(frame) = view.frame.as_ref().filter(|f| self.pictures.frames.contains_key(f)) else { continue };
            if !reading.record.seen.contains(frame) && !on_screen.iter().any(|(f, _, _)| f == frame) {
                on_screen.push((frame.clone(), view.set.clone(), view.study.clone()));
            }
        }
        reading.glimpsed.retain(|frame, _| on_screen.iter().any(|(f, _, _)| f == frame));
        for (frame, set, study) in on_screen {
            let since = *reading.glimpsed.entry(frame.clone()).or_insert(now);
            if !reading.steered && now.duration_since(since) < DWELL {
                continue;
            }
            reading.glimpsed.remove(&frame);
            if !reading.steered {
                reading.unasked.insert(frame.clone());
            }
            if set.is_some() && reading.record.seen.insert(frame.clone()) {
                for set in self.pictures.holders(&frame) {
                    *reading.seen_in.entry(set).or_default() += 1;
                }
            }
            reading.touch(now);
            if let Some(study) = study.filter(|s| reading.viewed.insert(s.clone())) {
                out.push(Command::Viewed { study });
            }
        }
        out
    }

    /// A picture on screen counts as seen only after a while: the window looks again then.
    pub fn awaits_dwell(&self) -> bool {
        self.reading.as_ref().is_some_and(|r| !r.glimpsed.is_empty())
    }
}

/// The reader does something with pictures or report: what is on screen is what they look at.
pub(super) fn steered_by(app: &mut App, action: &Action) {
    let deliberate = matches!(
        action,
        Action::Viewport(..)
            | Action::View(..)
            | Action::Layout(_)
            | Action::Object(_)
            | Action::Intent(_)
            | Action::Key(_)
            | Action::Report(_)
            | Action::Sign(_)
    );
    if let Some(reading) = app.reading.as_mut().filter(|_| deliberate) {
        reading.steered = true;
        reading.unasked.clear();
    }
}

/// The program hung pictures by itself: of those that went unasked nothing has been seen, and those that came
/// have yet to be looked at.
pub(super) fn hung(app: &mut App) {
    let Some(reading) = &mut app.reading else { return };
    let shown: BTreeSet<DisplaySetId> = reading.record.views.iter().filter_map(|v| v.set.clone()).collect();
    for frame in std::mem::take(&mut reading.unasked) {
        // A whole body holds every station: only the slice of it that stands there is still on screen.
        let own = app.pictures.locate(&frame).map(|(set, _)| set.id.clone());
        let stays = reading.record.views.iter().any(|v| v.frame.as_ref() == Some(&frame));
        let holders = app.pictures.holders(&frame);
        if stays || own.is_none_or(|set| shown.contains(&set)) {
            reading.unasked.insert(frame);
        } else if reading.record.seen.remove(&frame) {
            for set in holders {
                if let Some(count) = reading.seen_in.get_mut(&set) {
                    *count = count.saturating_sub(1);
                }
            }
        }
    }
    let new = |set: &DisplaySetId| reading.seen_in.get(set).is_none_or(|n| *n == 0);
    if shown.iter().any(new) {
        reading.steered = false;
    }
}

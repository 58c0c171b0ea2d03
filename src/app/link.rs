//! Scrolling, alone or linked in mm.
//!
//! Linked means: every stack on screen goes to the same place in the patient. Within one frame of reference that
//! is exact. A prior never shares it, so until the reader has said which slices belong together, a shift between
//! the two is estimated and shown as such ([`LinkMark::Estimated`]): see [`estimate`] for how, and
//! `docs/decisions/006-linked-scroll.md` for why. What the reader sets holds for the two frames of reference, not
//! for two viewports, so it outlives another series and another layout.
//!
//! A place is always worked out from the frame that moved, never from the step it made: rounding never adds up.

use super::state::App;
use crate::study::DisplaySet;
use crate::viewport::ViewId;
use glam::DVec3;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use std::sync::Arc;

/// How far normals may differ (cosine): 25°, as much as one head lies otherwise than the other. Beyond, slices
/// show different things and following would only look right.
const SAME_DIRECTION: f64 = 0.9;

/// How a viewport's stack goes along with the first one on screen of its direction.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LinkMark {
    /// One frame of reference: the same patient plane.
    Exact,
    /// As the reader set it.
    ByHand,
    /// Between frames of reference, estimated.
    Estimated,
    /// No other stack on screen lies in this direction: it scrolls alone.
    Alone,
}

/// Two planes that the reader made equal, one in each frame of reference (kept over a restart).
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Pairing {
    /// The spaces: frame of reference, or the display set where none is stated.
    spaces: [String; 2],
    /// A point of the plane in each space, mm.
    points_mm: [DVec3; 2],
    /// Normal of the planes.
    normal: DVec3,
}

/// A stack on screen: what follows, and can be followed.
struct Stack {
    set: Arc<DisplaySet>,
    space: String,
    normal: DVec3,
}

impl Stack {
    /// `None` for single pictures and where frames have no place in the patient.
    fn of(set: &Arc<DisplaySet>) -> Option<Self> {
        if set.frames.len() < 2 {
            return None;
        }
        let normal = set.info.iter().find_map(|i| i.plane).map(|p| p.normal())?;
        let own = || format!("{}#{}", set.id.series, set.id.index);
        let space = set.frame_of_reference.clone().filter(|uid| !uid.is_empty()).unwrap_or_else(own);
        Some(Self { set: Arc::clone(set), space, normal })
    }

    fn on_screen(app: &App, id: ViewId) -> Option<Self> {
        Self::of(app.view_set(id)?)
    }

    fn parallel(&self, other: &Self) -> bool {
        self.normal.dot(other.normal).abs() > SAME_DIRECTION
    }

    /// The middle of a frame, mm.
    fn middle(&self, place: usize) -> Option<DVec3> {
        let plane = self.set.info.get(place)?.plane?;
        Some(plane.patient_from_pixel(f64::from(self.set.columns) / 2.0, f64::from(self.set.rows) / 2.0))
    }

    /// The frame nearest to a point, along the stack.
    fn nearest(&self, point_mm: DVec3) -> Option<usize> {
        (0..self.set.frames.len())
            .filter_map(|n| self.middle(n).map(|m| (n, (m - point_mm).dot(self.normal).abs())))
            .min_by(|a, b| a.1.total_cmp(&b.1))
            .map(|(n, _)| n)
    }

    /// The outermost middles: lowest and highest along a direction.
    fn ends(&self, direction: DVec3) -> Option<[DVec3; 2]> {
        let middles = || (0..self.set.frames.len()).filter_map(|n| self.middle(n));
        let low = middles().min_by(|a, b| a.dot(direction).total_cmp(&b.dot(direction)))?;
        let high = middles().max_by(|a, b| a.dot(direction).total_cmp(&b.dot(direction)))?;
        Some([low, high])
    }
}

/// How much ends may differ, of the longer stack, to count as the same.
const SAME_END: f64 = 0.05;
/// A stack at least this long, of the longer one, covers the same region.
const SAME_REGION: f64 = 0.8;

/// The shift from one frame of reference to another, mm, for parallel stacks of one patient.
///
/// The technician plans a scan by anatomy, and sets the table's zero by a laser: both to some centimetres, but
/// where the table's zero differs at all, it differs by anything. So coordinates are believed only where they
/// make sense of each other: stacks of like length that begin and end alike, or a short one that lies inside a
/// long one. Else, across the body's axis, the head-most slices are taken as equal (apex of the lungs, vertex):
/// of the planned ends it is the one that varies least; along other directions the middles.
fn estimate(from: &Stack, to: &Stack) -> Option<DVec3> {
    // Towards the head, if the stack goes there at all.
    let direction = if from.normal.z < 0.0 { -from.normal } else { from.normal };
    let ([a0, a1], [b0, b1]) = (from.ends(direction)?, to.ends(direction)?);
    let [a_low, a_high, b_low, b_high] = [a0, a1, b0, b1].map(|p| p.dot(direction));
    let (a, b) = (a_high - a_low, b_high - b_low);
    let (short, long) = (a.min(b), a.max(b));
    let slack = SAME_END * long;
    let believable = if short >= SAME_REGION * long {
        (a_low - b_low).abs() <= slack && (a_high - b_high).abs() <= slack
    } else if a < b {
        a_low >= b_low - slack && a_high <= b_high + slack
    } else {
        b_low >= a_low - slack && b_high <= a_high + slack
    };
    Some(if believable {
        DVec3::ZERO
    } else if direction.z > SAME_DIRECTION {
        b1 - a1
    } else {
        (b0 + b1) / 2.0 - (a0 + a1) / 2.0
    })
}

/// The shift from one stack to another, mm, and how it is known. `None` for different directions.
fn shift(pairings: &[Pairing], from: &Stack, to: &Stack) -> Option<(DVec3, LinkMark)> {
    if !from.parallel(to) {
        return None;
    }
    if from.space == to.space {
        return Some((DVec3::ZERO, LinkMark::Exact));
    }
    let by_hand = pairings.iter().find_map(|pair| {
        let same_direction = pair.normal.dot(from.normal).abs() > SAME_DIRECTION;
        let [a, b] = &pair.spaces;
        let by = pair.points_mm[1] - pair.points_mm[0];
        match () {
            () if same_direction && *a == from.space && *b == to.space => Some(by),
            () if same_direction && *b == from.space && *a == to.space => Some(-by),
            () => None,
        }
    });
    match by_hand {
        Some(by) => Some((by, LinkMark::ByHand)),
        None => estimate(from, to).map(|by| (by, LinkMark::Estimated)),
    }
}

fn put(app: &mut App, id: ViewId, place: usize) {
    let Some(set) = app.view_set(id).cloned() else { return };
    let Some(reading) = &mut app.reading else { return };
    let Some(view) = reading.record.views.get_mut(id.0 as usize) else { return };
    let place = place.min(set.frames.len().saturating_sub(1));
    match place.cmp(&view.position) {
        std::cmp::Ordering::Less => view.direction = -1,
        std::cmp::Ordering::Greater => view.direction = 1,
        std::cmp::Ordering::Equal => {}
    }
    view.position = place;
    view.frame = set.frames.get(place).cloned();
}

/// Goes to a place in the stack (ends are held); linked viewports come along.
pub(super) fn go_to(app: &mut App, now: Timestamp, id: ViewId, place: usize) {
    put(app, id, place);
    if let Some(reading) = &mut app.reading {
        reading.touch(now);
    }
    follow(app, id);
}

fn ids(app: &App) -> impl Iterator<Item = ViewId> + use<> {
    let number = app.reading.as_ref().map_or(0, |r| r.record.views.len());
    (0..number as u32).map(ViewId)
}

/// Brings the other viewports to where the source is. Nothing if not linked.
pub(super) fn follow(app: &mut App, source: ViewId) {
    let Some(reading) = app.reading.as_ref().filter(|r| r.record.linked) else { return };
    let Some(from) = Stack::on_screen(app, source) else { return };
    let Some(here) = app.view(source).and_then(|view| from.middle(view.position)) else { return };
    let mut places = Vec::new();
    for id in ids(app).filter(|id| *id != source) {
        let Some(to) = Stack::on_screen(app, id) else { continue };
        let Some((by, _)) = shift(&reading.record.pairings, &from, &to) else { continue };
        places.extend(to.nearest(here + by).map(|place| (id, place)));
    }
    for (id, place) in places {
        put(app, id, place);
    }
}

/// Brings everything together after pictures were hung: each direction by its own first stack, the active
/// viewport before all others.
pub(super) fn gather(app: &mut App) {
    let Some(active) = app.active_view() else { return };
    let mut led: Vec<Stack> = Vec::new();
    for id in std::iter::once(active).chain(ids(app)) {
        let Some(stack) = Stack::on_screen(app, id) else { continue };
        if !led.iter().any(|known| known.parallel(&stack)) {
            led.push(stack);
            follow(app, id);
        }
    }
}

/// A place in the patient that was on screen.
pub(super) struct Whereabouts {
    stack: Stack,
    middle: DVec3,
}

/// Where the viewports are now: to be asked before other pictures are hung, the given viewport first.
/// Empty if not linked.
pub(super) fn whereabouts(app: &App, first: Option<ViewId>) -> Vec<Whereabouts> {
    if !app.reading.as_ref().is_some_and(|r| r.record.linked) {
        return Vec::new();
    }
    let place = |id| {
        let stack = Stack::on_screen(app, id)?;
        let middle = stack.middle(app.view(id)?.position)?;
        Some(Whereabouts { stack, middle })
    };
    first.into_iter().chain(ids(app).filter(|id| Some(*id) != first)).filter_map(place).collect()
}

/// The frame of a display set where the patient was looked at before; `None` where nothing says.
pub(super) fn same_place(app: &App, before: &[Whereabouts], set: &Arc<DisplaySet>) -> Option<usize> {
    let record = &app.reading.as_ref()?.record;
    let to = Stack::of(set)?;
    // What is exactly known goes before what is estimated.
    let shifts = before.iter().filter_map(|w| shift(&record.pairings, &w.stack, &to).map(|(by, mark)| (w, by, mark)));
    let (from, by, _) = shifts.min_by_key(|(_, _, mark)| match mark {
        LinkMark::Exact => 0,
        LinkMark::ByHand => 1,
        LinkMark::Estimated | LinkMark::Alone => 2,
    })?;
    to.nearest(from.middle + by)
}

/// Links or unlinks. To link is to say that what is on screen belongs together: the reader's own pairing of
/// frames of reference, in place of the estimate.
pub(super) fn toggle(app: &mut App, now: Timestamp) {
    let Some(reading) = &mut app.reading else { return };
    reading.record.linked = !reading.record.linked;
    reading.touch(now);
    if !reading.record.linked {
        return;
    }
    let places = whereabouts(app, app.active_view());
    let mut pairings: Vec<Pairing> = Vec::new();
    for (n, a) in places.iter().enumerate() {
        for b in places.iter().skip(n + 1) {
            let (one, other) = (&a.stack, &b.stack);
            // The first of each pair counts: the active viewport, then by place on screen.
            let known = |p: &Pairing| same_spaces(p, &one.space, &other.space, one.normal);
            if one.space != other.space && one.parallel(other) && !pairings.iter().any(known) {
                pairings.push(Pairing {
                    spaces: [one.space.clone(), other.space.clone()],
                    points_mm: [a.middle, b.middle],
                    normal: one.normal,
                });
            }
        }
    }
    if let Some(reading) = &mut app.reading {
        let kept = &mut reading.record.pairings;
        kept.retain(|old| !pairings.iter().any(|new| same_spaces(old, &new.spaces[0], &new.spaces[1], new.normal)));
        kept.extend(pairings);
    }
    gather(app);
}

fn same_spaces(pair: &Pairing, a: &str, b: &str, normal: DVec3) -> bool {
    let [one, other] = &pair.spaces;
    let spaces = (one == a && other == b) || (one == b && other == a);
    spaces && pair.normal.dot(normal).abs() > SAME_DIRECTION
}

impl App {
    /// How a viewport goes along with the others on screen; `None` while nothing is linked, for what is no
    /// stack, and where it is the only stack on screen.
    pub fn link_mark(&self, id: ViewId) -> Option<LinkMark> {
        let record = self.reading.as_ref().map(|r| &r.record).filter(|r| r.linked)?;
        let own = Stack::on_screen(self, id)?;
        let shown = record.shown_views().map(|(id, _)| id);
        let others: Vec<_> = shown.filter_map(|other| Stack::on_screen(self, other).map(|s| (other, s))).collect();
        if others.iter().all(|(other, _)| *other == id) {
            return None;
        }
        let parallel = || others.iter().filter(|(_, other)| other.parallel(&own));
        match parallel().next() {
            Some((first, leader)) if *first != id => shift(&record.pairings, leader, &own).map(|(_, mark)| mark),
            _ => Some(if parallel().count() > 1 { LinkMark::Exact } else { LinkMark::Alone }),
        }
    }
}

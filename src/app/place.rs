//! What lies in which viewport: hanging, showing a display set, keeping place while a study still grows.

use super::hang::{Case, Hung, Item, hang, orientation_of};
use super::notice::{NoticeCode, PictureMissing};
use super::reading::ViewState;
use super::state::App;
use super::{link, open, pictures::StudyState};
use crate::study::{DisplaySet, DisplaySetId, ExamKind, FrameRef, StudyUid};
use crate::viewport::{Layout, ViewId};
use jiff::Timestamp;
use std::sync::Arc;

/// Words that say that the lungs are in the exam.
const CHEST: [&str; 6] = ["胸", "肺", "CHEST", "THORAX", "LUNG", "縦隔"];

/// The case for the hanging, from what is known so far.
fn case(app: &App) -> Option<Case<'_>> {
    let reading = app.reading.as_ref()?;
    fn items<'a>((study, state): (&'a StudyUid, &'a StudyState)) -> impl Iterator<Item = Item<'a>> {
        state.sets.iter().map(move |set| Item { study, set })
    }
    let mut priors: Vec<_> = app.open_priors().collect();
    priors.sort_by_key(|(_, s)| std::cmp::Reverse(s.study.as_ref().and_then(|study| study.date)));
    let studies = || app.open_studies().filter_map(|(_, s)| s.study.as_ref());
    let kind = reading.assignment.as_ref().map_or_else(
        || ExamKind::from_modalities(studies().flat_map(|s| s.series.iter().map(|x| x.modality.as_str()))),
        |a| a.exam_kind,
    );
    let asked = reading.assignment.iter().flat_map(|a| a.request.body_parts.iter().chain([&a.request.exam]));
    let said = studies().flat_map(|s| s.series.iter().map(|x| &x.body_part).chain([&s.description]));
    let chest = asked.chain(said).map(|t| t.to_uppercase()).any(|t| CHEST.iter().any(|word| t.contains(word)));
    Some(Case {
        kind,
        current: app.open_studies().flat_map(items).collect(),
        bodies: app.open_studies().flat_map(|(study, s)| s.bodies.iter().map(move |set| Item { study, set })).collect(),
        priors: priors.into_iter().flat_map(items).collect(),
        chest,
    })
}

/// Works out the steps anew and, unless the reader has arranged things by hand, hangs the present one.
/// Viewports that would show the same as before keep their place, zoom and window.
pub(super) fn rehang(app: &mut App, now: Timestamp) {
    let Some(steps) = case(app).map(|c| hang(&c)) else { return };
    let by_hand = app.reading.as_ref().is_some_and(|r| r.record.by_hand);
    if let Some(reading) = &mut app.reading {
        reading.record.step = reading.record.step.min(steps.len().saturating_sub(1));
        reading.steps = steps;
    }
    if !by_hand {
        hang_step(app, now, true);
        super::seen::hung(app);
    }
}

/// Hangs the present step. `keep`: a viewport that already shows the wanted display set stays as it is.
pub(super) fn hang_step(app: &mut App, now: Timestamp, keep: bool) {
    let Some(reading) = &mut app.reading else { return };
    let Some(step) = reading.steps.get(reading.record.step).cloned() else { return };
    let before_hung = link::whereabouts(app, app.active_view());
    let Some(reading) = &mut app.reading else { return };
    let old = std::mem::take(&mut reading.record.views);
    let mut views = Vec::with_capacity(step.views.len());
    for (place, hung) in step.views.iter().enumerate() {
        let before = old.get(place);
        // A filmstrip hangs one set many times: there the place belongs to the viewport.
        let in_place = |v: &ViewState| hung.position == 0 || v.position == hung.position;
        let same = |v: &ViewState| v.set.is_some() && v.set == hung.set && v.hung == hung.view && in_place(v);
        let stays = keep && before.is_some_and(same);
        match before {
            Some(view) if stays => views.push(view.clone()),
            _ => {
                let set = hung.set.as_ref().and_then(|id| app.pictures.set(id));
                let same = set.filter(|_| hung.position == 0).and_then(|s| link::same_place(app, &before_hung, s));
                let hung = Hung { position: same.unwrap_or(hung.position), ..hung.clone() };
                views.push(ViewState::hung(&hung, set.map(Arc::as_ref)));
            }
        }
    }
    let Some(reading) = &mut app.reading else { return };
    let record = &mut reading.record;
    record.layout = step.layout;
    record.views = views;
    record.maximised = record.maximised.filter(|_| keep);
    record.active = record.active.min(record.views.len().saturating_sub(1) as u32);
    reading.touch(now);
    link::gather(app);
    open::refill(app, now);
}

/// Another step of the hanging; what was arranged by hand gives way.
pub(super) fn go_to_step(app: &mut App, now: Timestamp, step: usize) {
    let Some(reading) = &mut app.reading else { return };
    if step >= reading.steps.len() {
        return;
    }
    reading.record.step = step;
    reading.record.by_hand = false;
    reading.record.maximised = None;
    hang_step(app, now, false);
}

/// Another grid: viewports that stay keep their pictures, new ones take display sets not on screen yet.
pub(super) fn grid(app: &mut App, now: Timestamp, layout: Layout) {
    let mut waiting: Vec<(StudyUid, Arc<DisplaySet>)> = Vec::new();
    if let Some(reading) = &app.reading {
        let shown: Vec<_> = reading.record.views.iter().filter_map(|v| v.set.as_ref()).collect();
        for (uid, state) in app.open_studies() {
            let free = state.sets.iter().filter(|s| !shown.contains(&&s.id));
            waiting.extend(free.map(|s| (uid.clone(), s.clone())));
        }
    }
    let Some(reading) = &mut app.reading else { return };
    let record = &mut reading.record;
    let mut waiting = waiting.into_iter();
    let number = layout.views().count();
    record.views.truncate(number);
    while record.views.len() < number {
        record.views.push(waiting.next().map_or_else(ViewState::empty, |(study, set)| fresh(&study, &set, 0)));
    }
    record.layout = layout;
    record.maximised = None;
    record.active = record.active.min(number.saturating_sub(1) as u32);
    record.by_hand = true;
    reading.touch(now);
    link::gather(app);
}

/// A viewport that shows a display set as it lies best.
fn fresh(study: &StudyUid, set: &DisplaySet, position: usize) -> ViewState {
    let (view, assumed) = orientation_of(set);
    let hung =
        Hung { set: Some(set.id.clone()), study: Some(study.clone()), position, view, assumed, ..Hung::default() };
    ViewState::hung(&hung, Some(set))
}

/// Shows a display set of the open studies or priors in a viewport; others are refused. Without a place given,
/// linked viewports stay where they are in the patient, and others begin at the first frame.
pub(super) fn show(app: &mut App, now: Timestamp, id: ViewId, set: &DisplaySetId, at: Option<usize>) -> bool {
    let found = app
        .open_studies()
        .chain(app.open_priors())
        .find_map(|(uid, s)| s.showable().find(|x| &x.id == set).map(|x| (uid.clone(), x.clone())));
    let Some((study, set)) = found else { return false };
    let here = || link::same_place(app, &link::whereabouts(app, Some(id)), &set);
    let position = at.or_else(here).unwrap_or(0);
    let Some(reading) = &mut app.reading else { return false };
    let Some(view) = reading.record.views.get_mut(id.0 as usize) else { return false };
    if view.set.as_ref() == Some(&set.id) {
        view.position = position.min(set.frames.len().saturating_sub(1));
        view.frame = set.frames.get(view.position).cloned();
    } else {
        *view = fresh(&study, &set, position);
    }
    reading.record.by_hand = true;
    reading.touch(now);
    link::follow(app, id);
    open::refill(app, now);
    true
}

/// The next or previous display set of the study shown (or of the first study).
pub(super) fn step_set(app: &mut App, now: Timestamp, id: ViewId, by: i32) {
    let Some(view) = app.view(id) else { return };
    let study = view.study.clone().or_else(|| app.open_studies().next().map(|(uid, _)| uid.clone()));
    let Some(state) = study.as_ref().and_then(|uid| app.pictures.study(uid)) else { return };
    let present = view.set.as_ref().and_then(|set| state.showable().position(|s| &s.id == set));
    let next = match present {
        Some(at) => at.checked_add_signed(by as isize),
        None => Some(0),
    };
    let Some(set) = next.and_then(|n| state.showable().nth(n)).map(|s| s.id.clone()) else { return };
    show(app, now, id, &set, None);
}

/// Shows a frame wherever it belongs: in a viewport that has its display set, else in the active one.
/// Gives the viewport.
pub(super) fn show_frame(app: &mut App, now: Timestamp, frame: &FrameRef) -> Option<ViewId> {
    let record = &app.reading.as_ref()?.record;
    // A whole body on screen has it as well as the station that it belongs to.
    let there = record.shown_views().find_map(|(id, view)| {
        let set = app.pictures.set(view.set.as_ref()?)?;
        let place = set.frames.iter().position(|f| f == frame)?;
        Some((id, set.id.clone(), place))
    });
    let (id, set, place) = match there {
        Some(there) => there,
        None => {
            let (set, place) = app.pictures.locate(frame)?;
            (record.active_view(), set.id.clone(), place)
        }
    };
    if !show(app, now, id, &set, Some(place)) {
        return None;
    }
    if let Some(reading) = &mut app.reading {
        reading.record.active = id.0;
    }
    Some(id)
}

/// [`show_frame`]; where the frame cannot be shown, the reader is told what is missing and why.
pub(super) fn show_or_tell(app: &mut App, now: Timestamp, frame: &FrameRef) -> Option<ViewId> {
    let shown = show_frame(app, now, frame);
    app.notices.clear(|n| matches!(n, NoticeCode::PictureNotShown { .. }));
    if shown.is_none() && app.reading.is_some() {
        let notice = not_shown(app, frame);
        app.notices.add(now, notice);
    }
    shown
}

/// What is missing of a frame that no viewport can show, and why.
fn not_shown(app: &App, frame: &FrameRef) -> NoticeCode {
    let studies = app.open_studies().chain(app.open_priors()).filter_map(|(_, s)| s.study.as_ref());
    let mut instances = studies.flat_map(|s| &s.series).flat_map(|s| s.instances.iter().map(move |i| (s, i)));
    let Some((series, instance)) = instances.find(|(_, i)| i.uid == frame.instance) else {
        return NoticeCode::PictureNotShown { series: None, number: None, why: PictureMissing::NotOpen };
    };
    let why = match &instance.not_an_image {
        Some(reason) => PictureMissing::NoPicture(reason.clone()),
        None if frame.frame.0 >= instance.frames => {
            PictureMissing::NoSuchFrame { frame: frame.frame.number(), frames: instance.frames }
        }
        None => PictureMissing::NotPlaced,
    };
    NoticeCode::PictureNotShown { series: series.number, number: instance.number, why }
}

/// After a study grew: series may be split anew, so viewports find their place by the frame they show, and
/// what has been seen is counted anew.
pub(super) fn relocate(app: &mut App, study: &StudyUid) {
    let Some(reading) = &mut app.reading else { return };
    for set in app.pictures.study(study).iter().flat_map(|s| s.showable()) {
        let seen = set.frames.iter().filter(|f| reading.record.seen.contains(f)).count();
        reading.seen_in.insert(set.id.clone(), seen);
    }
    for view in reading.record.views.iter_mut().filter(|v| v.study.as_ref() == Some(study)) {
        let Some(frame) = &view.frame else { continue };
        // A whole body stays one, though its name may change with the station that is now its first.
        let body = view.set.as_ref().filter(|id| id.is_body()).and_then(|_| app.pictures.locate_in_body(frame));
        if let Some((set, place)) = body.or_else(|| app.pictures.locate(frame)) {
            view.set = Some(set.id.clone());
            view.position = place;
        }
    }
}

//! Objects without a picture: which the open studies have, and the one that is open beside the pictures.

use super::action::ObjectAction;
use super::place;
use super::state::App;
use crate::engine::message::{Command, DocumentSaved, Failure, ObjectCommand, ObjectEvent, SaveDocument, Unread};
use crate::study::{DisplaySetId, FrameRef, ObjectKind, ObjectRef, SopInstanceUid, Study};
use crate::viewport::ObjectContent;
use jiff::Timestamp;
use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;
use std::sync::Arc;

/// An object as it stands in the list of a study.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ListedObject {
    /// The object.
    pub instance: SopInstanceUid,
    /// What it is.
    pub kind: ObjectKind,
    /// Number of its series.
    pub series: Option<i32>,
    /// Series Description.
    pub description: String,
    /// Date of its study.
    pub study_date: Option<jiff::civil::Date>,
}

/// Where a picture that an object names is in the open studies.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NamedPicture {
    /// Number of its series.
    pub series: Option<i32>,
    /// Instance Number.
    pub number: Option<i32>,
    /// Why it cannot be shown, if it cannot.
    pub not_shown: Option<String>,
}

/// The document within an object on its way into a file.
#[derive(Debug, Clone, PartialEq)]
pub enum Saved {
    /// Asked for.
    UnderWay,
    /// The file.
    Here(PathBuf),
    /// Why there is none.
    Failed(Failure),
}

/// The object that is open.
#[derive(Debug, Clone, Default)]
pub struct OpenObject {
    /// Which.
    pub listed: Option<ListedObject>,
    /// It belongs to an earlier study.
    pub prior: bool,
    /// What it says, or why it is not read; `None` until the answer is here.
    pub content: Option<Result<Arc<ObjectContent>, Unread>>,
    /// It was found missing although it had arrived meanwhile, and asked for once more.
    asked_again: bool,
    /// What became of saving its document, if that was asked for.
    pub saved: Option<Saved>,
    /// It lies over the pictures that it is for.
    pub laid: bool,
    /// Of a presentation state with a mask: the pictures made of it.
    pub(super) masks: super::masks::Masks,
    /// Of a presentation state: the frame that each viewport was last laid out for, by number.
    placed: BTreeMap<usize, FrameRef>,
    /// Its segments or structures that are not drawn, by number.
    pub hidden: BTreeSet<i64>,
    /// The pictures that it names, each once.
    pub images: Vec<ObjectRef>,
    /// Those of the objects it names as pictures that are in the open studies.
    pub pictures: BTreeMap<SopInstanceUid, NamedPicture>,
}

/// Objects of a study, in series order.
pub(super) fn of_study(study: &Study) -> Vec<ListedObject> {
    let instances = study.series.iter().flat_map(|s| s.instances.iter().map(move |i| (s, i)));
    let listed = instances.filter_map(|(series, instance)| {
        let kind = ObjectKind::of_instance(instance)?;
        let description = series.description.clone();
        let study_date = study.date;
        Some(ListedObject { instance: instance.uid.clone(), kind, series: series.number, description, study_date })
    });
    listed.collect()
}

pub(super) fn act(app: &mut App, now: Timestamp, action: ObjectAction, out: &mut Vec<Command>) {
    match action {
        ObjectAction::Open(instance) => {
            lay(app, now, false);
            let current = app.open_studies().flat_map(|(_, s)| &s.objects).map(|o| (o, false));
            let all = current.chain(app.open_priors().flat_map(|(_, s)| &s.objects).map(|o| (o, true)));
            let found = all.into_iter().find(|(o, _)| o.instance == instance).map(|(o, prior)| (o.clone(), prior));
            let Some((listed, prior)) = found else { return };
            if let Some(reading) = &mut app.reading {
                reading.object = Some(OpenObject { listed: Some(listed), prior, ..OpenObject::default() });
                out.push(Command::Object(ObjectCommand::Read(instance)));
            }
        }
        ObjectAction::Close => {
            lay(app, now, false);
            if let Some(reading) = &mut app.reading {
                reading.object = None;
            }
        }
        ObjectAction::Show(frame) => {
            place::show_or_tell(app, now, &frame);
        }
        ObjectAction::Lay(on) => lay(app, now, on),
        ObjectAction::Save(folder) => {
            let Some(open) = app.reading.as_mut().and_then(|r| r.object.as_mut()) else { return };
            let Some(listed) = open.listed.as_ref().filter(|_| open.saved != Some(Saved::UnderWay)) else { return };
            let (instance, folder) = (listed.instance.clone(), PathBuf::from(folder.trim()));
            out.push(Command::Object(ObjectCommand::Save(SaveDocument { instance, folder })));
            open.saved = Some(Saved::UnderWay);
        }
        ObjectAction::Part(number, shown) => {
            if let Some(open) = app.reading.as_mut().and_then(|r| r.object.as_mut()) {
                if shown {
                    open.hidden.remove(&number);
                } else {
                    open.hidden.insert(number);
                }
            }
        }
    }
}

/// Lays the open object over the pictures, or takes it away. A presentation state turns and zooms the viewports that show
/// its pictures, and gives them its window.
fn lay(app: &mut App, now: Timestamp, on: bool) {
    let content = app.reading.as_ref().and_then(|r| r.object.as_ref()).and_then(|o| o.content.as_ref());
    let Some(Ok(content)) = content.cloned() else { return };
    let sizes = sizes(app);
    let Some(reading) = &mut app.reading else { return };
    let Some(open) = reading.object.as_mut().filter(|o| o.laid != on && content.can_be_laid()) else { return };
    open.laid = on;
    open.placed.clear();
    if let ObjectContent::PresentationState(state) = &*content {
        for (at, (view, size)) in reading.record.views.iter_mut().zip(sizes).enumerate() {
            let (Some(frame), Some(size)) = (&view.frame, size) else { continue };
            if !state.is_for(frame) {
                continue;
            }
            if on {
                open.placed.insert(at, frame.clone());
                view.view = state.view(frame, size);
                view.data.voi = None;
                view.data.invert = false;
            } else {
                view.view = view.hung;
                view.data = view.hung_data;
            }
        }
        reading.touch(now);
    }
}

/// Columns and rows of what each viewport shows.
fn sizes(app: &App) -> Vec<Option<[u32; 2]>> {
    let size = |set: &DisplaySetId| app.pictures.set(set).map(|set| [set.columns, set.rows]);
    app.reading.iter().flat_map(|r| &r.record.views).map(|v| size(v.set.as_ref()?)).collect()
}

/// After a viewport went on to another frame: where the laid presentation state has another displayed area for it than for
/// the last one, that is shown. Else the reader's own zoom stays.
pub(super) fn follow(app: &mut App) {
    let Some((content, _)) = app.laid() else { return };
    let content = Arc::clone(content);
    let ObjectContent::PresentationState(state) = &*content else { return };
    let sizes = sizes(app);
    let Some(reading) = &mut app.reading else { return };
    let Some(open) = &mut reading.object else { return };
    for (at, (view, size)) in reading.record.views.iter_mut().zip(sizes).enumerate() {
        let (Some(frame), Some(size)) = (&view.frame, size) else { continue };
        let before = open.placed.get(&at);
        if before == Some(frame) || !state.is_for(frame) {
            continue;
        }
        let meant = state.view(frame, size);
        if before.map(|before| state.view(before, size)) != Some(meant) {
            view.view = meant;
        }
        open.placed.insert(at, frame.clone());
    }
}

impl App {
    /// What lies over the pictures, and which parts of it do not.
    pub fn laid(&self) -> Option<(&Arc<ObjectContent>, &BTreeSet<i64>)> {
        let open = self.reading.as_ref()?.object.as_ref().filter(|o| o.laid)?;
        Some((open.content.as_ref()?.as_ref().ok()?, &open.hidden))
    }
}

pub(super) fn apply(app: &mut App, now: Timestamp, event: ObjectEvent, out: &mut Vec<Command>) {
    match event {
        ObjectEvent::Read { instance, content } => read(app, &instance, content, out),
        ObjectEvent::Saved(answer) => saved(app, now, answer),
        ObjectEvent::Dressed { wish, frame } => super::masks::made(app, &wish, frame),
    }
}

/// The object's content has been read, or was not there to be read.
fn read(app: &mut App, instance: &SopInstanceUid, content: Result<Arc<ObjectContent>, Unread>, out: &mut Vec<Command>) {
    let arrived = has_arrived(app, instance);
    let Some(reading) = &mut app.reading else { return };
    // Another one was opened meanwhile.
    let Some(open) = reading.object.as_mut().filter(|o| o.listed.as_ref().is_some_and(|l| l.instance == *instance))
    else {
        return;
    };
    // It came between the answer and now: nothing else would ask for it again.
    if arrived && !open.asked_again && matches!(content, Err(Unread::NotHere | Unread::Unfetched(_))) {
        open.asked_again = true;
        out.push(Command::Object(ObjectCommand::Read(instance.clone())));
        return;
    }
    open.images = content.as_ref().map_or_else(|_| Vec::new(), |c| c.images().into_iter().cloned().collect());
    open.content = Some(content);
    name_pictures(app);
}

/// The document within an object was saved, or not.
fn saved(app: &mut App, now: Timestamp, answer: DocumentSaved) {
    let open = app.reading.as_mut().and_then(|r| r.object.as_mut());
    let open = open.filter(|o| o.listed.as_ref().is_some_and(|l| l.instance == answer.instance));
    match (open, answer.saved) {
        (Some(open), Ok(file)) => open.saved = Some(Saved::Here(file)),
        (Some(open), Err(failure)) => open.saved = Some(Saved::Failed(failure)),
        // The panel is closed: a failure must be told all the same.
        (None, Err(failure)) => super::apply::notice(app, now, failure),
        (None, Ok(_)) => {}
    }
}

fn has_arrived(app: &App, instance: &SopInstanceUid) -> bool {
    let studies = app.open_studies().chain(app.open_priors());
    let mut series = studies.flat_map(|(_, s)| s.ledger.series.values());
    series.any(|s| s.received.contains(instance))
}

/// A study went on arriving: asks again for the open object that was not here, when it has come and when the study
/// is finished without it (to tell why).
pub(super) fn arrived(app: &mut App, finished: bool, out: &mut Vec<Command>) {
    let Some(open) = app.reading.as_ref().and_then(|r| r.object.as_ref()) else { return };
    let waits = match &open.content {
        Some(Err(Unread::NotHere)) => true,
        Some(Err(Unread::Unfetched(_))) => false,
        _ => return,
    };
    let Some(instance) = open.listed.as_ref().map(|l| l.instance.clone()) else { return };
    let here = has_arrived(app, &instance);
    let given_up = waits && finished;
    if !here && !given_up {
        return;
    }
    if let Some(open) = app.reading.as_mut().and_then(|r| r.object.as_mut()).filter(|_| here) {
        open.content = None;
        open.asked_again = true;
    }
    out.push(Command::Object(ObjectCommand::Read(instance)));
}

/// Looks up the pictures that the open object names: after it was read, and whenever a study grew.
pub(super) fn name_pictures(app: &mut App) {
    let Some(open) = app.reading.as_ref().and_then(|r| r.object.as_ref()) else { return };
    let mut named: BTreeMap<SopInstanceUid, Option<NamedPicture>> =
        open.images.iter().map(|to| (to.instance.clone(), None)).collect();
    let studies = app.open_studies().chain(app.open_priors()).filter_map(|(_, s)| s.study.as_ref());
    for series in studies.flat_map(|s| &s.series) {
        for instance in &series.instances {
            if let Some(slot) = named.get_mut(&instance.uid) {
                let not_shown = instance.not_an_image.clone();
                *slot = Some(NamedPicture { series: series.number, number: instance.number, not_shown });
            }
        }
    }
    let pictures = named.into_iter().filter_map(|(uid, found)| Some((uid, found?))).collect();
    if let Some(open) = app.reading.as_mut().and_then(|r| r.object.as_mut()) {
        open.pictures = pictures;
    }
}

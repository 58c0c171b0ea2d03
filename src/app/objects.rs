//! Objects without a picture: which the open studies have, and the one that is open beside the pictures.

use super::action::ObjectAction;
use super::place;
use super::state::App;
use crate::engine::message::Command;
use crate::study::{FrameRef, ObjectKind, SopInstanceUid, Study};
use crate::viewport::ObjectContent;
use jiff::Timestamp;
use std::collections::BTreeMap;
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
}

/// Where a picture that an object names is in the open studies.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NamedPicture {
    /// Number of its series.
    pub series: Option<i32>,
    /// Instance Number.
    pub number: Option<i32>,
}

/// The object that is open.
#[derive(Debug, Clone, Default)]
pub struct OpenObject {
    /// Which.
    pub listed: Option<ListedObject>,
    /// What it says, or why it cannot be read; `None` until it is read.
    pub content: Option<Result<Arc<ObjectContent>, String>>,
    /// Those of the pictures it names that are in the open studies.
    pub pictures: BTreeMap<SopInstanceUid, NamedPicture>,
}

/// Objects of a study, in series order.
pub(super) fn of_study(study: &Study) -> Vec<ListedObject> {
    let instances = study.series.iter().flat_map(|s| s.instances.iter().map(move |i| (s, i)));
    let listed = instances.filter_map(|(series, instance)| {
        let kind = ObjectKind::of_instance(instance)?;
        let description = series.description.clone();
        Some(ListedObject { instance: instance.uid.clone(), kind, series: series.number, description })
    });
    listed.collect()
}

pub(super) fn act(app: &mut App, now: Timestamp, action: ObjectAction, out: &mut Vec<Command>) {
    match action {
        ObjectAction::Open(instance) => {
            let mut all = app.open_studies().chain(app.open_priors()).flat_map(|(_, s)| &s.objects);
            let listed = all.find(|o| o.instance == instance).cloned();
            drop(all);
            let Some(listed) = listed else { return };
            if let Some(reading) = &mut app.reading {
                reading.object = Some(OpenObject { listed: Some(listed), ..OpenObject::default() });
                out.push(Command::ReadObject(instance));
            }
        }
        ObjectAction::Close => {
            if let Some(reading) = &mut app.reading {
                reading.object = None;
            }
        }
        ObjectAction::Show(frame) => show(app, now, &frame),
    }
}

fn show(app: &mut App, now: Timestamp, frame: &FrameRef) {
    place::show_frame(app, now, frame);
}

/// The object's content has been read.
pub(super) fn read(app: &mut App, instance: &SopInstanceUid, content: Result<Arc<ObjectContent>, String>) {
    let Some(reading) = &mut app.reading else { return };
    // Another one was opened meanwhile.
    let Some(open) = reading.object.as_mut().filter(|o| o.listed.as_ref().is_some_and(|l| l.instance == *instance))
    else {
        return;
    };
    open.content = Some(content);
    name_pictures(app);
}

/// Looks up the pictures that the open object names: after it was read, and whenever a study grew.
pub(super) fn name_pictures(app: &mut App) {
    let Some(open) = app.reading.as_ref().and_then(|r| r.object.as_ref()) else { return };
    let Some(Ok(content)) = &open.content else { return };
    let mut named: BTreeMap<SopInstanceUid, Option<NamedPicture>> =
        content.images().into_iter().map(|to| (to.instance.clone(), None)).collect();
    let studies = app.open_studies().chain(app.open_priors()).filter_map(|(_, s)| s.study.as_ref());
    for series in studies.flat_map(|s| &s.series) {
        for instance in &series.instances {
            if let Some(slot) = named.get_mut(&instance.uid).filter(|_| instance.not_an_image.is_none()) {
                *slot = Some(NamedPicture { series: series.number, number: instance.number });
            }
        }
    }
    let pictures = named.into_iter().filter_map(|(uid, found)| Some((uid, found?))).collect();
    if let Some(open) = app.reading.as_mut().and_then(|r| r.object.as_mut()) {
        open.pictures = pictures;
    }
}

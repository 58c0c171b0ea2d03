//! Opening files and folders of the reader's own. They are another source than the center: where the center has a
//! study, a series or an instance of the same UID, the center's is shown and the file is listed with the reason.

use super::inner::Inner;
use super::library::{Home, Place};
use super::lock;
use super::message::Event;
use super::pool::AT_ONCE;
use crate::dicom::{self, LocalFile, LocalTree};
use crate::study::{NotShown, SopInstanceUid, Study, StudyUid, Why};
use std::collections::BTreeSet;
use std::path::PathBuf;
use std::sync::Arc;

/// The center's file is the same.
const SAME: &str = Why::CentersSame.sentence();
/// The center has a picture with this UID that differs.
const DIFFERS: &str = Why::CentersDiffers.sentence();
/// The center names the study, its picture is not here (yet).
const CENTERS: &str = Why::CentersNamed.sentence();

impl Inner {
    pub(super) async fn open_local(self: &Arc<Self>, paths: Vec<PathBuf>) {
        let inner = Arc::clone(self);
        let opened = self.pool.run(AT_ONCE, move || {
            let mut opened = dicom::open_tree(&paths, false);
            inner.refuse_centers(&mut opened);
            opened
        });
        let Some(opened) = opened.await else { return };
        if !opened.studies.is_empty() {
            // The files opened before are closed: two folders are two sources.
            self.pictures.forget_decoded();
            lock(&self.library).forget_local();
        }
        let mut studies = Vec::new();
        for study in &opened.studies {
            if !self.take_local(study, &opened) {
                continue;
            }
            studies.push(study.uid.clone());
            self.tell_study(&study.uid);
            self.progress_changed(&study.uid);
        }
        self.flush_progress();
        // What stands in the list of other objects can be opened there: it is not missing.
        let listed: BTreeSet<String> = opened.objects.values().map(|found| found.file.to_string()).collect();
        let not_shown = opened.not_shown.into_iter().filter(|one| !listed.contains(&one.what)).collect();
        self.events.push(Event::LocalOpened { studies, not_shown });
    }

    /// Takes one study into the library; false where the center has it since the look before.
    fn take_local(&self, study: &Study, opened: &LocalTree) -> bool {
        let mut library = lock(&self.library);
        if library.is_centers(&study.uid) || !library.put_local_head(study) {
            return false;
        }
        for series in &study.series {
            library.put_series(&study.uid, series.clone());
            for instance in &series.instances {
                let uid = instance.uid.as_str();
                let Some(found) = opened.files.get(uid).or_else(|| opened.objects.get(uid)) else { continue };
                let home = Home { study: study.uid.clone(), series: series.uid.clone() };
                if library.home(&instance.uid) == Some(&home) {
                    library.received(&home, &instance.uid, Place::Path(found.file.clone()), 0);
                }
            }
        }
        if let Some(entry) = library.get_mut(&study.uid) {
            entry.finished = true;
        }
        true
    }

    /// On a pool thread: takes out what the center has, each file with its reason.
    fn refuse_centers(&self, opened: &mut LocalTree) {
        let mut refused: Vec<(StudyUid, SopInstanceUid)> = Vec::new();
        {
            let library = lock(&self.library);
            opened.studies.retain(|study| {
                let centers = library.is_centers(&study.uid);
                if centers {
                    let instances = study.series.iter().flat_map(|s| &s.instances);
                    refused.extend(instances.map(|i| (study.uid.clone(), i.uid.clone())));
                }
                !centers
            });
        }
        for (study, instance) in refused {
            // An object without a picture stands among the not shown already.
            opened.objects.remove(instance.as_str());
            let Some(found) = opened.files.remove(instance.as_str()) else { continue };
            opened.files_shown = opened.files_shown.saturating_sub(1);
            let reason = self.compare(&study, &instance, &found.file);
            opened.not_shown.push(NotShown { what: found.file.to_string(), reason: reason.to_owned() });
        }
    }

    fn compare(&self, study: &StudyUid, instance: &SopInstanceUid, own: &LocalFile) -> &'static str {
        let place = lock(&self.library).place(instance).filter(|(of, _)| of == study).map(|(_, place)| place);
        let (Some(Place::Sealed(file)), Ok(disk)) = (place, self.disk()) else { return CENTERS };
        match (disk.objects().read_instance(study, instance, &file), own.bytes()) {
            (Ok(kept), Ok(own)) if kept == own => SAME,
            (Ok(_), Ok(_)) => DIFFERS,
            _ => CENTERS,
        }
    }
}

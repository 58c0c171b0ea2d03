//! Opening files and folders without a center.

use super::inner::Inner;
use super::library::{Home, Place};
use super::lock;
use super::message::Event;
use super::pool::AT_ONCE;
use crate::dicom;
use std::path::PathBuf;
use std::sync::Arc;

impl Inner {
    pub(super) async fn open_local(self: &Arc<Self>, paths: Vec<PathBuf>) {
        let Some(opened) = self.pool.run(AT_ONCE, move || dicom::open_tree(&paths, false)).await else { return };
        let mut studies = Vec::new();
        for study in &opened.studies {
            {
                let mut library = lock(&self.library);
                library.put_head(study, None);
                for series in &study.series {
                    library.put_series(&study.uid, series.clone());
                    for instance in &series.instances {
                        let Some(found) = opened.files.get(instance.uid.as_str()) else { continue };
                        let home = Home { study: study.uid.clone(), series: series.uid.clone() };
                        if library.home(&instance.uid) == Some(&home) {
                            library.received(&home, &instance.uid, Place::Path(found.path.clone()), 0);
                        }
                    }
                }
                if let Some(entry) = library.get_mut(&study.uid) {
                    entry.finished = true;
                }
            }
            studies.push(study.uid.clone());
            self.tell_study(&study.uid);
            self.progress_changed(&study.uid);
        }
        self.flush_progress();
        self.events.push(Event::LocalOpened { studies, not_shown: opened.not_shown });
    }
}

//! Taking in received instances: parsed and sealed in the pool, their rows written in groups (one sync of the
//! disk for many instances), then counted.

use super::work::Trouble;
use crate::dicom::{Header, project};
use crate::engine::inner::{Inner, failure_of_store};
use crate::engine::library::{Home, Place};
use crate::engine::lock;
use crate::engine::message::Failure;
use crate::engine::pool::{ARRIVING, AT_ONCE};
use crate::store::{InstanceRow, ObjectFile, Store};
use crate::study::{SeriesUid, SopInstanceUid, Study, StudyUid, Why};
use bytes::Bytes;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use tokio::sync::{mpsc, oneshot};

/// Most rows in one transaction.
const GROUP: usize = 64;

/// What was asked for.
pub(super) struct Expected {
    pub(super) study: StudyUid,
    pub(super) series: SeriesUid,
    pub(super) instance: Option<SopInstanceUid>,
}

/// A sealed file that needs its row.
pub(in crate::engine) struct Arrival {
    study: StudyUid,
    row: InstanceRow,
    projection: Study,
    answer: oneshot::Sender<Result<(), Failure>>,
}

struct Sealed {
    row: InstanceRow,
    projection: Study,
}

impl Inner {
    /// Takes in one DICOM file. An instance that is here already is passed over.
    pub(super) async fn take_in(self: &Arc<Self>, expected: Expected, bytes: Bytes) -> Result<(), Trouble> {
        let urgency = if expected.instance.is_some() { AT_ONCE } else { ARRIVING };
        let stopping = || Failure::Offline("the program is stopping".to_owned());
        let inner = Arc::clone(self);
        let study = expected.study.clone();
        let sealed = self.pool.run(urgency, move || inner.seal(&expected, bytes)).await.ok_or_else(stopping)??;
        let Some(sealed) = sealed else { return Ok(()) };
        let (answer, wait) = oneshot::channel();
        let arrival = Arrival { study, row: sealed.row, projection: sealed.projection, answer };
        self.transfer.arrivals.send(arrival).await.map_err(|_| stopping())?;
        Ok(wait.await.map_err(|_| stopping())??)
    }

    /// An instance's row is on disk: it counts, and what waits for it goes on.
    fn arrived(self: &Arc<Self>, study: &StudyUid, row: InstanceRow, projection: Study, file: ObjectFile) {
        let home = Home { study: study.clone(), series: row.series };
        {
            let mut library = lock(&self.library);
            // Not in the metadata: it belongs to the series all the same.
            if library.home(&row.instance).is_none_or(|known| known.study != *study)
                && let Some(series) = projection.series.into_iter().next()
            {
                library.put_series_of(study, &projection.patient, series);
            }
            library.received(&home, &row.instance, Place::Sealed(file.name), file.bytes);
        }
        self.tell_gave_way();
        self.progress_changed(study);
        self.instance_available(&row.instance);
    }

    /// Marks what names another patient in the file itself, whatever the metadata said; gives the series to keep.
    fn strangers(&self, study: &StudyUid, arrivals: &[Arrival]) -> BTreeSet<SeriesUid> {
        let mut library = lock(&self.library);
        let mut strange = BTreeSet::new();
        for arrival in arrivals {
            let Some(series) = arrival.projection.series.first() else { continue };
            if library.put_series_if_strange(study, &arrival.projection.patient, series) {
                strange.insert(series.uid.clone());
            }
        }
        strange
    }

    /// On a pool thread: who is it, is it new, seal it.
    fn seal(&self, expected: &Expected, bytes: Bytes) -> Result<Option<Sealed>, Trouble> {
        let plain = Vec::from(bytes);
        let header = Header::of(&plain).map_err(|e| Trouble::Unfit(e.to_string()))?;
        let projection = project(&header, None).map_err(|e| Trouble::Unfit(e.to_string()))?;
        let series = projection.series.first();
        let instance = series.and_then(|s| s.instances.first());
        let (Some(series), Some(instance)) = (series, instance) else {
            return Err(Trouble::Unfit("an object without identity".to_owned()));
        };
        let asked = projection.uid == expected.study
            && series.uid == expected.series
            && expected.instance.as_ref().is_none_or(|i| *i == instance.uid);
        if !asked {
            return Err(Trouble::Unfit("the archive sent another instance than asked for".to_owned()));
        }
        match lock(&self.library).place(&instance.uid) {
            Some((study, _)) if study == expected.study => return Ok(None),
            // The reader's own file gives way once the instance is known to be the center's.
            Some((_, Place::Path(_))) | None => {}
            Some(_) => return Err(Trouble::Unfit(Why::InstanceElsewhere.sentence().to_owned())),
        }
        let file = self.disk()?.objects().write_instance(&projection.uid, &instance.uid, &plain)?;
        let row = InstanceRow { series: series.uid.clone(), instance: instance.uid.clone(), file };
        Ok(Some(Sealed { row, projection }))
    }
}

/// Writes rows in groups until the engine stops.
pub(in crate::engine) async fn committer(inner: Arc<Inner>, mut arrivals: mpsc::Receiver<Arrival>) {
    while let Some(first) = arrivals.recv().await {
        let mut group = vec![first];
        while group.len() < GROUP
            && let Ok(next) = arrivals.try_recv()
        {
            group.push(next);
        }
        let mut by_study: BTreeMap<StudyUid, Vec<Arrival>> = BTreeMap::new();
        for arrival in group {
            by_study.entry(arrival.study.clone()).or_default().push(arrival);
        }
        for (study, arrivals) in by_study {
            let rows = arrivals.iter().map(|a| a.row.clone()).collect();
            let strange = inner.strangers(&study, &arrivals);
            let result = match inner.disk() {
                Ok(disk) => {
                    let (of, library) = (study.clone(), Arc::clone(&inner));
                    let (strange, now) = (strange.clone(), inner.now());
                    // In this order: no picture of another patient counts before the mismatch is kept.
                    let keep = move |store: &mut Store| {
                        for series in strange {
                            let known = lock(&library.library).to_keep(&of, &series);
                            let Some((head, series)) = known else { continue };
                            store.put_study_with(&head, &series, now)?;
                        }
                        store.put_instances(&of, rows)
                    };
                    disk.call(keep).await.map_err(|e| failure_of_store(&e))
                }
                Err(failure) => Err(failure),
            };
            if !strange.is_empty() {
                inner.tell_study(&study);
                inner.progress_changed(&study);
            }
            // A stopped unit no longer listens; its instance counts all the same.
            match result {
                Ok(files) => {
                    for (arrival, file) in arrivals.into_iter().zip(files) {
                        inner.arrived(&study, arrival.row, arrival.projection, file);
                        let _nobody_listens = arrival.answer.send(Ok(()));
                    }
                }
                Err(failure) => {
                    for arrival in arrivals {
                        let _nobody_listens = arrival.answer.send(Err(failure.clone()));
                    }
                }
            }
        }
    }
}

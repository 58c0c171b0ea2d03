//! One open study: its structure, its ledger, whom its parts name.

use super::super::message::{Failure, StudyProgress};
use super::super::people::People;
use super::{Origin, Place, STRANGER};
use crate::study::{Instance, Ledger, Patient, SeriesUid, SopInstanceUid, Study, Why};
use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;

/// Whether an instance is marked as another patient's.
pub(super) fn is_strange(instance: &Instance) -> bool {
    let reason = instance.not_an_image.as_deref().and_then(Why::of);
    reason.is_some_and(|(why, _)| why == Why::OtherPatient)
}

/// One study.
#[derive(Debug)]
pub(in crate::engine) struct Entry {
    pub(in crate::engine) study: Study,
    pub(in crate::engine) ledger: Ledger,
    pub(in crate::engine) origin: Origin,
    pub(super) places: HashMap<SopInstanceUid, Place>,
    /// Could not be fetched: not asked for again until the study is asked for anew.
    pub(super) unfetched: BTreeSet<SopInstanceUid>,
    pub(super) people: People,
    /// Series whose instances were judged anew: to be kept with the head.
    pub(super) judged: BTreeSet<SeriesUid>,
    pub(in crate::engine) finished: bool,
    pub(in crate::engine) failure: Option<Failure>,
}

impl Entry {
    pub(super) fn new(study: Study, origin: Origin) -> Self {
        Self {
            study: Study { patient: Patient::default(), other_patients: Vec::new(), ..study },
            ledger: Ledger::default(),
            origin,
            places: HashMap::new(),
            unfetched: BTreeSet::new(),
            people: People::default(),
            judged: BTreeSet::new(),
            finished: false,
            failure: None,
        }
    }

    /// Notes a patient named by something of this study; gives who it is.
    pub(super) fn name(&mut self, patient: &Patient) -> Option<usize> {
        let (who, changed) = self.people.name(patient);
        self.people_changed(changed);
        who
    }

    /// Tells what the people are now; where another one is the study's patient, every instance is judged anew.
    pub(super) fn people_changed(&mut self, changed: bool) {
        self.study.patient = self.people.patient();
        self.study.other_patients = self.people.others();
        if changed {
            self.judge();
        }
    }

    /// Marks what names another patient than the study's, and takes the mark from what does not.
    pub(super) fn judge(&mut self) {
        let Self { study, ledger, people, judged, .. } = self;
        let mut strange_series = Vec::new();
        for series in &mut study.series {
            let mut strange_here = false;
            for instance in &mut series.instances {
                let marked = is_strange(instance);
                let strange = people.strange(&instance.uid);
                strange_here |= strange.unwrap_or(marked);
                match strange {
                    Some(true) if !marked => {
                        let own = instance.not_an_image.take();
                        instance.not_an_image = Some(own.map_or(STRANGER.to_owned(), |r| Why::OtherPatient.with(r)));
                        ledger.fail(&series.uid, &instance.uid, STRANGER);
                        judged.insert(series.uid.clone());
                    }
                    Some(false) if marked => {
                        // A report is no picture, whosever it is.
                        let marked = instance.not_an_image.take();
                        let own = marked.as_deref().and_then(Why::of).map(|(_, own)| own.to_owned());
                        instance.not_an_image = own.filter(|own| !own.is_empty());
                        ledger.excuse(&series.uid, &instance.uid, STRANGER);
                        judged.insert(series.uid.clone());
                    }
                    _ => {}
                }
            }
            if strange_here {
                strange_series.push(series.uid.clone());
            }
        }
        study.strange_series = strange_series;
    }

    /// Instances of a series that are named, not here, and not given up.
    pub(in crate::engine) fn missing<'a>(&'a self, series: &SeriesUid) -> impl Iterator<Item = &'a Instance> {
        let known = self.study.series(series).map_or(&[][..], |s| &s.instances);
        known.iter().filter(|i| self.is_missing(&i.uid))
    }

    /// Whether this instance is to be fetched still.
    pub(in crate::engine) fn is_missing(&self, instance: &SopInstanceUid) -> bool {
        !self.places.contains_key(instance) && !self.unfetched.contains(instance)
    }

    pub(in crate::engine) fn progress(&self) -> StudyProgress {
        StudyProgress {
            study: self.study.uid.clone(),
            ledger: Arc::new(self.ledger.clone()),
            finished: self.finished,
            failure: self.failure.clone(),
        }
    }
}

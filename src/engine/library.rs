//! The open studies in memory: structure, ledger, and where each instance's bytes are.

use super::message::{Failure, StudyProgress};
use crate::study::{Ledger, Series, SeriesUid, SopInstanceUid, Study, StudyUid};
use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::path::PathBuf;
use std::sync::Arc;

/// Where an instance's bytes are.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Place {
    /// A sealed file of the store.
    Sealed(String),
    /// A file of the reader's own (opened without a center).
    Path(PathBuf),
}

/// One study.
#[derive(Debug)]
pub(super) struct Entry {
    pub(super) study: Study,
    pub(super) ledger: Ledger,
    places: HashMap<SopInstanceUid, Place>,
    /// Could not be fetched: not asked for again until the study is asked for anew.
    unfetched: BTreeSet<SopInstanceUid>,
    pub(super) finished: bool,
    pub(super) failure: Option<Failure>,
}

impl Entry {
    fn new(study: Study) -> Self {
        Self {
            study,
            ledger: Ledger::default(),
            places: HashMap::new(),
            unfetched: BTreeSet::new(),
            finished: false,
            failure: None,
        }
    }

    /// Instances of a series that are named, not here, and not given up.
    pub(super) fn missing(&self, series: &SeriesUid) -> Vec<SopInstanceUid> {
        let Some(known) = self.study.series(series) else { return Vec::new() };
        // In the order of the metadata (the modality's own numbering), so that scrolling follows the arrival.
        let mut wanted: Vec<_> = known.instances.iter().map(|i| (i.number, i.uid.clone())).collect();
        wanted.sort();
        wanted
            .into_iter()
            .map(|(_, uid)| uid)
            .filter(|uid| !self.places.contains_key(uid) && !self.unfetched.contains(uid))
            .collect()
    }

    /// Whether this instance is to be fetched still.
    pub(super) fn is_missing(&self, instance: &SopInstanceUid) -> bool {
        !self.places.contains_key(instance) && !self.unfetched.contains(instance)
    }

    pub(super) fn progress(&self) -> StudyProgress {
        StudyProgress {
            study: self.study.uid.clone(),
            ledger: Arc::new(self.ledger.clone()),
            finished: self.finished,
            failure: self.failure.clone(),
        }
    }
}

/// Where an instance belongs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Home {
    pub(super) study: StudyUid,
    pub(super) series: SeriesUid,
}

/// All open studies.
#[derive(Debug, Default)]
pub(super) struct Library {
    entries: BTreeMap<StudyUid, Entry>,
    homes: HashMap<SopInstanceUid, Home>,
}

impl Library {
    pub(super) fn get(&self, study: &StudyUid) -> Option<&Entry> {
        self.entries.get(study)
    }

    pub(super) fn get_mut(&mut self, study: &StudyUid) -> Option<&mut Entry> {
        self.entries.get_mut(study)
    }

    /// Takes a study's head; its series stay as they are known.
    pub(super) fn put_head(&mut self, study: &Study, announced: Option<u64>) -> &mut Entry {
        let head = Study { series: Vec::new(), ..study.clone() };
        let entry = self.entries.entry(study.uid.clone()).or_insert_with(|| Entry::new(head.clone()));
        let series = std::mem::take(&mut entry.study.series);
        entry.study = Study { series, ..head };
        if announced.is_some() {
            entry.ledger.announced = announced;
        }
        entry
    }

    /// Takes a series (or more of it) of a known study and names its instances in the ledger.
    pub(super) fn put_series(&mut self, study: &StudyUid, mut series: Series) {
        let Self { entries, homes } = self;
        let Some(entry) = entries.get_mut(study) else { return };
        // One SOP Instance UID in two studies would let one patient's picture stand in another's study: the
        // second is refused, with its reason.
        series.instances.retain(|instance| match homes.get(&instance.uid) {
            Some(home) if home.study != *study => {
                entry.ledger.fail(&series.uid, &instance.uid, "the same SOP Instance UID is in another study");
                entry.unfetched.insert(instance.uid.clone());
                false
            }
            _ => true,
        });
        for instance in &series.instances {
            homes.insert(instance.uid.clone(), Home { study: study.clone(), series: series.uid.clone() });
            entry.ledger.expect(&series.uid, &instance.uid);
            if let Some(reason) = &instance.not_an_image {
                entry.ledger.fail(&series.uid, &instance.uid, reason.clone());
            }
        }
        match entry.study.series.iter_mut().find(|s| s.uid == series.uid) {
            Some(known) => {
                let held: BTreeSet<_> = known.instances.iter().map(|i| i.uid.clone()).collect();
                known.instances.extend(series.instances.into_iter().filter(|i| !held.contains(&i.uid)));
            }
            None => {
                entry.study.series.push(series);
                entry.study.series.sort_by(|a, b| {
                    (a.number.unwrap_or(i32::MAX), &a.uid).cmp(&(b.number.unwrap_or(i32::MAX), &b.uid))
                });
            }
        }
    }

    /// An instance's bytes are here.
    pub(super) fn received(&mut self, home: &Home, instance: &SopInstanceUid, place: Place, bytes: u64) {
        let Some(entry) = self.entries.get_mut(&home.study) else { return };
        entry.places.insert(instance.clone(), place);
        // Given up before, and here after all: the old reason is void.
        if entry.unfetched.remove(instance)
            && let Some(series) = entry.ledger.series.get_mut(&home.series)
        {
            series.failed.remove(instance);
        }
        entry.ledger.receive(&home.series, instance, bytes);
    }

    /// An instance could not be fetched.
    pub(super) fn unfetched(&mut self, home: &Home, instance: &SopInstanceUid, reason: &str) {
        let Some(entry) = self.entries.get_mut(&home.study) else { return };
        entry.unfetched.insert(instance.clone());
        entry.ledger.fail(&home.series, instance, reason);
    }

    /// An instance is here but cannot be shown.
    pub(super) fn unshown(&mut self, instance: &SopInstanceUid, reason: &str) -> Option<StudyUid> {
        let home = self.homes.get(instance)?.clone();
        let entry = self.entries.get_mut(&home.study)?;
        entry.ledger.fail(&home.series, instance, reason);
        Some(home.study)
    }

    /// An instance's file does not open any more: it counts as not received.
    pub(super) fn lost(&mut self, instance: &SopInstanceUid) -> Option<Home> {
        let home = self.homes.get(instance)?.clone();
        let entry = self.entries.get_mut(&home.study)?;
        entry.places.remove(instance);
        if let Some(series) = entry.ledger.series.get_mut(&home.series) {
            series.received.remove(instance);
        }
        Some(home)
    }

    /// Why an instance will not come, if it was given up.
    pub(super) fn unfetched_reason(&self, instance: &SopInstanceUid) -> Option<String> {
        let home = self.homes.get(instance)?;
        let entry = self.entries.get(&home.study)?;
        if !entry.unfetched.contains(instance) {
            return None;
        }
        entry.ledger.series.get(&home.series)?.failed.get(instance).cloned()
    }

    pub(super) fn home(&self, instance: &SopInstanceUid) -> Option<&Home> {
        self.homes.get(instance)
    }

    /// Where an instance's bytes are, and to which study they belong.
    pub(super) fn place(&self, instance: &SopInstanceUid) -> Option<(StudyUid, Place)> {
        let home = self.homes.get(instance)?;
        let place = self.entries.get(&home.study)?.places.get(instance)?;
        Some((home.study.clone(), place.clone()))
    }

    /// Forgets a study that nobody needs any more.
    pub(super) fn forget(&mut self, study: &StudyUid) {
        if self.entries.remove(study).is_some() {
            self.homes.retain(|_, home| home.study != *study);
        }
    }

    /// Names of all open studies.
    pub(super) fn studies(&self) -> Vec<StudyUid> {
        self.entries.keys().cloned().collect()
    }
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;
    use crate::study::{Instance, Patient};

    pub(in crate::engine) fn head(uid: &str) -> Study {
        Study {
            uid: StudyUid::new(uid).expect("uid"),
            patient: Patient::default(),
            date: None,
            time: None,
            accession: String::new(),
            description: String::new(),
            institution: String::new(),
            series: vec![],
        }
    }

    pub(in crate::engine) fn series(uid: &str, instances: &[&str]) -> Series {
        let instance = |(n, uid): (usize, &&str)| Instance {
            uid: SopInstanceUid::new(uid).expect("uid"),
            sop_class: String::new(),
            transfer_syntax: None,
            number: Some(n as i32),
            rows: 1,
            columns: 1,
            frames: 1,
            image_type: vec![],
            photometric: "MONOCHROME2".into(),
            frame_of_reference: None,
            acquisition_number: None,
            laterality: None,
            view: None,
            patient_orientation: None,
            frame_info: vec![],
            not_an_image: None,
        };
        Series {
            uid: SeriesUid::new(uid).expect("uid"),
            modality: "CT".into(),
            number: Some(1),
            description: String::new(),
            body_part: String::new(),
            instances: instances.iter().enumerate().map(instance).collect(),
        }
    }

    #[test]
    fn what_is_given_up_has_a_reason_and_may_come_back() {
        let mut library = Library::default();
        let study = head("1");
        library.put_head(&study, Some(2));
        let s = series("1.1", &["1.1.1", "1.1.2"]);
        library.put_series(&study.uid, s.clone());
        let uid = |n: usize| s.instances[n].uid.clone();
        let home = library.home(&uid(0)).expect("known").clone();
        library.received(&home, &uid(0), Place::Sealed("f".into()), 10);
        library.unfetched(&home, &uid(1), "404");
        let entry = library.get(&study.uid).expect("there");
        assert!(entry.missing(&s.uid).is_empty());
        assert_eq!(entry.ledger.not_shown(true).len(), 1);
        library.received(&home, &uid(1), Place::Sealed("g".into()), 10);
        assert!(library.get(&study.uid).expect("there").ledger.not_shown(true).is_empty());
        assert_eq!(library.lost(&uid(1)).expect("known"), home);
        assert_eq!(library.get(&study.uid).expect("there").ledger.received(), 1);
    }

    #[test]
    fn an_instance_belongs_to_one_study() {
        let mut library = Library::default();
        for uid in ["1", "2"] {
            library.put_head(&head(uid), None);
            library.put_series(&StudyUid::new(uid).expect("uid"), series(&format!("{uid}.1"), &["9.9"]));
        }
        let second = library.get(&StudyUid::new("2").expect("uid")).expect("there");
        assert!(second.study.series[0].instances.is_empty());
        assert_eq!(second.ledger.not_shown(false).len(), 1);
    }
}

//! The open studies in memory: structure, ledger, and where each instance's bytes are.

use super::message::{Failure, StudyProgress};
use crate::study::{Ledger, Patient, Series, SeriesUid, SopInstanceUid, Study, StudyUid, names_another};
use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::path::PathBuf;
use std::sync::Arc;

/// So many other patients are remembered by name in one study; one is enough to stop the signature.
const OTHERS: usize = 16;
/// Why an instance of another patient is not shown.
const STRANGER: &str = "its header names another patient than the rest of the study";

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

    /// Compares a patient named by something of this study with the study's own; true if it is another.
    fn is_stranger(&mut self, patient: &Patient) -> bool {
        if !names_another(&self.study.patient, patient) {
            self.study.patient.complete(patient);
            return false;
        }
        let others = &mut self.study.other_patients;
        if !others.contains(patient) && others.len() < OTHERS {
            others.push(patient.clone());
        }
        true
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

    /// Takes a study's head; its series stay as they are known, and so does its patient: what names another
    /// patient is remembered beside, and no later head makes that undone.
    pub(super) fn put_head(&mut self, study: &Study, announced: Option<u64>) -> &mut Entry {
        let head = Study { series: Vec::new(), ..study.clone() };
        let entry = self.entries.entry(study.uid.clone()).or_insert_with(|| Entry::new(head.clone()));
        let stranger = entry.is_stranger(&head.patient);
        for other in &head.other_patients {
            entry.is_stranger(other);
        }
        if !stranger {
            let known = &mut entry.study;
            let (patient, others) = (known.patient.clone(), std::mem::take(&mut known.other_patients));
            let series = std::mem::take(&mut known.series);
            *known = Study { patient, other_patients: others, series, ..head };
        }
        if announced.is_some() {
            entry.ledger.announced = announced;
        }
        entry
    }

    /// As [`Self::put_series`], for instances whose headers name this patient. If that is not the study's, they
    /// are not shown, with the reason (which is kept with the series).
    pub(super) fn put_series_of(&mut self, study: &StudyUid, patient: &Patient, series: Series) {
        if !self.put_series_if_strange(study, patient, &series) {
            self.put_series(study, series);
        }
    }

    /// As [`Self::put_series_of`], but does nothing where the patient is the study's. True if it is another.
    pub(super) fn put_series_if_strange(&mut self, study: &StudyUid, patient: &Patient, series: &Series) -> bool {
        let stranger = self.entries.get_mut(study).is_some_and(|e| e.is_stranger(patient));
        if stranger {
            let mut series = series.clone();
            for instance in &mut series.instances {
                instance.not_an_image = Some(STRANGER.to_owned());
            }
            self.put_series(study, series);
        }
        stranger
    }

    /// A study as known, without its series, and one series of it: what the store keeps.
    pub(super) fn to_keep(&self, study: &StudyUid, series: &SeriesUid) -> Option<(Study, Option<Series>)> {
        let whole = &self.entries.get(study)?.study;
        let head = Study {
            uid: whole.uid.clone(),
            patient: whole.patient.clone(),
            other_patients: whole.other_patients.clone(),
            date: whole.date,
            time: whole.time,
            accession: whole.accession.clone(),
            description: whole.description.clone(),
            institution: whole.institution.clone(),
            series: Vec::new(),
        };
        Some((head, whole.series(series).cloned()))
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
                let mut at: HashMap<_, _> =
                    known.instances.iter().enumerate().map(|(n, i)| (i.uid.clone(), n)).collect();
                for instance in series.instances {
                    match at.get(&instance.uid).and_then(|n| known.instances.get_mut(*n)) {
                        // A reason once known stays.
                        Some(held) => held.not_an_image = held.not_an_image.take().or(instance.not_an_image),
                        None => {
                            at.insert(instance.uid.clone(), known.instances.len());
                            known.instances.push(instance);
                        }
                    }
                }
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
            let known = entry.study.series(&home.series).and_then(|s| s.instances.iter().find(|i| i.uid == *instance));
            if let Some(reason) = known.and_then(|i| i.not_an_image.clone()) {
                entry.ledger.fail(&home.series, instance, reason);
            }
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
            other_patients: Vec::new(),
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
    fn another_patient_is_caught_whatever_comes_first_and_stays_caught() {
        let named = |id: &str| Study { patient: Patient { id: id.into(), ..Patient::default() }, ..head("1") };
        for order in [["", "A", "B", "A"], ["A", "B", "A", ""], ["B", "A", "A", "A"], ["A", "A", "", "B"]] {
            let mut library = Library::default();
            for (n, id) in order.iter().enumerate() {
                let one = named(id);
                library.put_head(&one, None);
                library.put_series_of(&one.uid, &one.patient, series(&format!("1.{n}"), &[&format!("1.{n}.1")]));
            }
            let first = order.iter().find(|id| !id.is_empty()).expect("one");
            let entry = library.get(&head("1").uid).expect("there");
            assert_eq!((&entry.study.patient.id, entry.study.other_patients.len()), (&(*first).to_owned(), 1));
            let strange = order.iter().filter(|id| !id.is_empty() && id != &first).count();
            assert_eq!(entry.ledger.not_shown(false).len(), strange, "{order:?}");
            // Kept and loaded again, before whatever else comes: still a mismatch, still with its reason.
            let mut later = Library::default();
            later.put_head(&entry.study, None);
            for s in &entry.study.series {
                later.put_series(&entry.study.uid, s.clone());
            }
            later.put_head(&named("A"), None);
            let entry = later.get(&head("1").uid).expect("there");
            assert_eq!((entry.study.other_patients.len(), entry.ledger.not_shown(false).len()), (1, strange));
        }
    }

    #[test]
    fn a_file_that_names_another_patient_than_its_metadata_is_not_shown() {
        let mut library = Library::default();
        let study = Study { patient: Patient { id: "A".into(), ..Patient::default() }, ..head("1") };
        library.put_head(&study, None);
        let s = series("1.1", &["1.1.1"]);
        library.put_series_of(&study.uid, &study.patient, s.clone());
        let uid = s.instances[0].uid.clone();
        let home = library.home(&uid).expect("known").clone();
        library.unfetched(&home, &uid, "404");
        assert!(!library.put_series_if_strange(&study.uid, &study.patient, &s));
        assert!(library.put_series_if_strange(&study.uid, &Patient { id: "B".into(), ..Patient::default() }, &s));
        library.received(&home, &uid, Place::Sealed("f".into()), 1);
        let entry = library.get(&study.uid).expect("there");
        assert_eq!(entry.ledger.not_shown(true)[0].reason, STRANGER);
        let (kept, series) = library.to_keep(&study.uid, &s.uid).expect("there");
        assert_eq!((kept.patient.id.as_str(), kept.other_patients.len()), ("A", 1));
        assert!(series.expect("there").instances[0].not_an_image.is_some());
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

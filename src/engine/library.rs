//! The open studies in memory: structure, ledger, and where each instance's bytes are.

use super::message::{Failure, StudyProgress};
use super::people::People;
use crate::study::{Ledger, Patient, Series, SeriesUid, SopInstanceUid, Study, StudyUid};
use crate::worklist::Assignment;
use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::path::PathBuf;
use std::sync::Arc;

/// Why an instance of another patient is not shown.
const STRANGER: &str = "its header names another patient than the rest of the study";
/// Why an instance is refused whose UID another study has.
const TWICE: &str = "the same SOP Instance UID is in another study";
/// Why a series is refused whose UID another study has.
const SERIES_TWICE: &str = "the same Series Instance UID is in another study";
/// Why a file of the reader's own is no longer shown.
const GAVE_WAY: &str = "the center has a picture with the same UID: that one is shown";

/// Where an instance's bytes are.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(super) enum Place {
    /// A sealed file of the store.
    Sealed(String),
    /// A file of the reader's own (opened without a center).
    Path(PathBuf),
}

/// Where a study comes from. One study is never put together from two sources.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Origin {
    /// Named by the center.
    Center,
    /// Files of the reader's own. They give way to what the center names.
    Local,
}

/// One study.
#[derive(Debug)]
pub(super) struct Entry {
    pub(super) study: Study,
    pub(super) ledger: Ledger,
    pub(super) origin: Origin,
    places: HashMap<SopInstanceUid, Place>,
    /// Could not be fetched: not asked for again until the study is asked for anew.
    unfetched: BTreeSet<SopInstanceUid>,
    people: People,
    /// Series whose instances were judged anew: to be kept with the head.
    judged: BTreeSet<SeriesUid>,
    pub(super) finished: bool,
    pub(super) failure: Option<Failure>,
}

impl Entry {
    fn new(study: Study, origin: Origin) -> Self {
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
    fn name(&mut self, patient: &Patient) -> Option<usize> {
        let (who, changed) = self.people.name(patient);
        self.people_changed(changed);
        who
    }

    /// Tells what the people are now; where another one is the study's patient, every instance is judged anew.
    fn people_changed(&mut self, changed: bool) {
        self.study.patient = self.people.patient();
        self.study.other_patients = self.people.others();
        if changed {
            self.judge();
        }
    }

    /// Marks what names another patient than the study's, and takes the mark from what does not.
    fn judge(&mut self) {
        let Self { study, ledger, people, judged, .. } = self;
        let mut strange_series = Vec::new();
        for series in &mut study.series {
            let mut strange_here = false;
            for instance in &mut series.instances {
                let marked = instance.not_an_image.as_deref() == Some(STRANGER);
                let strange = people.strange(&instance.uid);
                strange_here |= strange.unwrap_or(marked);
                match strange {
                    Some(true) if !marked => {
                        instance.not_an_image.get_or_insert_with(|| STRANGER.to_owned());
                        ledger.fail(&series.uid, &instance.uid, STRANGER);
                        judged.insert(series.uid.clone());
                    }
                    Some(false) if marked => {
                        instance.not_an_image = None;
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
    series_homes: HashMap<SeriesUid, StudyUid>,
    /// The patients of the requests, by study; true: it is a prior there.
    requests: BTreeMap<StudyUid, (Patient, bool)>,
    /// Local studies of which something gave way: to be told anew.
    gave_way: BTreeSet<StudyUid>,
}

impl Library {
    pub(super) fn get(&self, study: &StudyUid) -> Option<&Entry> {
        self.entries.get(study)
    }

    pub(super) fn get_mut(&mut self, study: &StudyUid) -> Option<&mut Entry> {
        self.entries.get_mut(study)
    }

    /// Takes the requests; gives the open studies in which another patient counts now. A study that is to be read in one
    /// request and a prior in another is judged by the first.
    pub(super) fn set_requests<'a>(&mut self, all: impl Iterator<Item = &'a Assignment> + Clone) -> Vec<StudyUid> {
        let mut requests = BTreeMap::new();
        for prior in [false, true] {
            for assignment in all.clone() {
                let studies = if prior { &assignment.prior_studies } else { &assignment.studies };
                for study in studies {
                    requests.entry(study.study_uid.clone()).or_insert_with(|| (assignment.patient.clone(), prior));
                }
            }
        }
        self.requests = requests;
        let mut told = Vec::new();
        for (uid, entry) in self.entries.iter_mut().filter(|(_, e)| e.origin == Origin::Center) {
            let changed = entry.people.set_request(self.requests.get(uid).cloned());
            entry.people_changed(changed);
            if changed {
                told.push(uid.clone());
            }
        }
        told
    }

    /// Takes a study's head; its series stay as they are known. Who its patient is, the request decides: what names
    /// another one is remembered beside, and no later head makes that undone. Files of the reader's own with the same
    /// Study Instance UID give way.
    pub(super) fn put_head(&mut self, study: &Study, announced: Option<u64>) -> &mut Entry {
        self.evict_local(&study.uid);
        let request = self.requests.get(&study.uid).cloned();
        self.head_of(study, announced, Origin::Center, request)
    }

    /// Takes the head of a study of the reader's own files; false where the center has that study open.
    pub(super) fn put_local_head(&mut self, study: &Study) -> bool {
        if self.entries.get(&study.uid).is_some_and(|e| e.origin == Origin::Center) {
            return false;
        }
        self.head_of(study, None, Origin::Local, None);
        true
    }

    fn head_of(
        &mut self,
        study: &Study,
        announced: Option<u64>,
        origin: Origin,
        request: Option<(Patient, bool)>,
    ) -> &mut Entry {
        let head = Study { series: Vec::new(), strange_series: Vec::new(), ..study.clone() };
        let entry = self.entries.entry(study.uid.clone()).or_insert_with(|| {
            let mut entry = Entry::new(head.clone(), origin);
            entry.people.set_request(request);
            entry
        });
        let who = entry.name(&head.patient);
        for other in &head.other_patients {
            entry.name(other);
        }
        if !entry.people.is_other(who) {
            let known = &mut entry.study;
            let (patient, others) = (known.patient.clone(), std::mem::take(&mut known.other_patients));
            let (series, strange_series) =
                (std::mem::take(&mut known.series), std::mem::take(&mut known.strange_series));
            *known = Study { patient, other_patients: others, series, strange_series, ..head };
        }
        if announced.is_some() {
            entry.ledger.announced = announced;
        }
        entry
    }

    /// Takes a study as the store kept it.
    pub(super) fn put_kept(&mut self, kept: &Study, announced: Option<u64>) {
        self.put_head(kept, announced);
        for series in &kept.series {
            if let Some(entry) = self.entries.get_mut(&kept.uid) {
                let own = entry.name(&kept.patient);
                // Whom a refused instance named is known only where there is one other.
                let other = match kept.other_patients.as_slice() {
                    [one] => entry.name(one),
                    _ => None,
                };
                for instance in &series.instances {
                    let strange = instance.not_an_image.as_deref() == Some(STRANGER);
                    if let Some(who) = if strange { other } else { own } {
                        entry.people.says(&instance.uid, who);
                    }
                }
            }
            self.put_series(&kept.uid, series.clone());
        }
    }

    /// As [`Self::put_series`], for instances whose headers name this patient. If that is not the study's, they
    /// are not shown, with the reason (which is kept with the series).
    pub(super) fn put_series_of(&mut self, study: &StudyUid, patient: &Patient, series: Series) {
        if let Some(entry) = self.entries.get_mut(study)
            && let Some(who) = entry.name(patient)
        {
            for instance in &series.instances {
                entry.people.says(&instance.uid, who);
            }
        }
        self.put_series(study, series);
    }

    /// Notes whom the files themselves name. True if something was judged otherwise than before.
    pub(super) fn put_series_if_strange(&mut self, study: &StudyUid, patient: &Patient, series: &Series) -> bool {
        let Some(entry) = self.entries.get_mut(study) else { return false };
        let (main, marked) = (entry.study.patient.clone(), entry.judged.len());
        let Some(who) = entry.name(patient) else { return false };
        let strange = entry.people.is_other(Some(who));
        for instance in &series.instances {
            entry.people.says(&instance.uid, who);
        }
        if strange {
            self.put_series(study, series.clone());
        }
        let Some(entry) = self.entries.get(study) else { return false };
        strange || marked != entry.judged.len() || crate::study::names_another(&main, &entry.study.patient)
    }

    /// A study as known, without its series; one series of it, and those whose instances were judged anew: what the
    /// store keeps, together or not at all.
    pub(super) fn to_keep(&self, study: &StudyUid, series: &SeriesUid) -> Option<(Study, Vec<Series>)> {
        let entry = self.entries.get(study)?;
        let whole = &entry.study;
        let head = Study {
            uid: whole.uid.clone(),
            patient: whole.patient.clone(),
            other_patients: whole.other_patients.clone(),
            strange_series: whole.strange_series.clone(),
            date: whole.date,
            time: whole.time,
            accession: whole.accession.clone(),
            description: whole.description.clone(),
            institution: whole.institution.clone(),
            series: Vec::new(),
        };
        let kept = whole.series.iter().filter(|s| s.uid == *series || entry.judged.contains(&s.uid));
        Some((head, kept.cloned().collect()))
    }

    /// Takes a series (or more of it) of a known study and names its instances in the ledger.
    pub(super) fn put_series(&mut self, study: &StudyUid, mut series: Series) {
        let Some(origin) = self.entries.get(study).map(|e| e.origin) else { return };
        self.local_gives_way(study, origin, &series);
        let Self { entries, homes, series_homes, .. } = self;
        let Some(entry) = entries.get_mut(study) else { return };
        // One UID in two studies would let one patient's pictures stand in another's study: the second is refused, with
        // its reason.
        let elsewhere = series_homes.get(&series.uid).is_some_and(|s| s != study);
        series.instances.retain(|instance| {
            let reason = match homes.get(&instance.uid) {
                Some(home) if home.study != *study => TWICE,
                _ if elsewhere => SERIES_TWICE,
                _ => return true,
            };
            entry.ledger.fail(&series.uid, &instance.uid, reason);
            entry.unfetched.insert(instance.uid.clone());
            false
        });
        if elsewhere {
            return;
        }
        series_homes.insert(series.uid.clone(), study.clone());
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
        entry.judge();
    }

    /// What the center names takes its UIDs from the reader's own files, whatever was there first.
    fn local_gives_way(&mut self, study: &StudyUid, origin: Origin, series: &Series) {
        if origin == Origin::Local {
            return;
        }
        let mut owners: BTreeSet<StudyUid> = series
            .instances
            .iter()
            .filter_map(|i| self.homes.get(&i.uid))
            .map(|home| home.study.clone())
            .chain(self.series_homes.get(&series.uid).cloned())
            .collect();
        owners.retain(|o| o != study && self.entries.get(o).is_some_and(|e| e.origin == Origin::Local));
        let taken: BTreeSet<_> = series.instances.iter().map(|i| &i.uid).collect();
        for owner in owners {
            let Some(entry) = self.entries.get_mut(&owner) else { continue };
            for known in &mut entry.study.series {
                for instance in &mut known.instances {
                    if known.uid == series.uid || taken.contains(&instance.uid) {
                        entry.places.remove(&instance.uid);
                        instance.not_an_image = Some(GAVE_WAY.to_owned());
                        entry.ledger.fail(&known.uid, &instance.uid, GAVE_WAY);
                        self.homes.remove(&instance.uid);
                    }
                }
            }
            self.series_homes.retain(|uid, home| *home != owner || *uid != series.uid);
            self.gave_way.insert(owner);
        }
    }

    /// Local studies of which something gave way since the last look.
    pub(super) fn take_gave_way(&mut self) -> BTreeSet<StudyUid> {
        std::mem::take(&mut self.gave_way)
    }

    /// Forgets a study of the reader's own files where the center's study with that UID is wanted.
    pub(super) fn evict_local(&mut self, study: &StudyUid) {
        if self.entries.get(study).is_some_and(|e| e.origin == Origin::Local) {
            self.forget(study);
        }
    }

    /// Forgets all studies of the reader's own files.
    pub(super) fn forget_local(&mut self) {
        let local: Vec<_> =
            self.entries.iter().filter(|(_, e)| e.origin == Origin::Local).map(|(uid, _)| uid.clone()).collect();
        local.iter().for_each(|uid| self.forget(uid));
    }

    /// Whether the center's requests name this study, or it is open as the center's.
    pub(super) fn is_centers(&self, study: &StudyUid) -> bool {
        self.requests.contains_key(study) || self.entries.get(study).is_some_and(|e| e.origin == Origin::Center)
    }

    /// An instance's bytes are here.
    pub(super) fn received(&mut self, home: &Home, instance: &SopInstanceUid, place: Place, bytes: u64) {
        // Refused as another study's: its bytes change nothing.
        if self.homes.get(instance).is_some_and(|known| known.study != home.study) {
            return;
        }
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
            self.series_homes.retain(|_, home| home != study);
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
            strange_series: Vec::new(),
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
        assert!(series[0].instances[0].not_an_image.is_some());
    }

    fn named(id: &str) -> Patient {
        Patient { id: id.into(), ..Patient::default() }
    }

    #[test]
    fn the_requests_patient_counts_whatever_arrives_first() {
        let study = head("1").uid;
        let request = BTreeMap::from([(study.clone(), (named("A"), false))]);
        for (order, request_late) in [
            (["B", "A", "C"], false),
            (["A", "B", "C"], false),
            (["C", "B", "A"], false),
            (["B", "C", "A"], true),
            (["B", "A", "C"], true),
        ] {
            let mut library = Library::default();
            if !request_late {
                library.requests.clone_from(&request);
            }
            for id in order {
                let one = Study { patient: named(id), ..head("1") };
                library.put_head(&one, None);
                library.put_series_of(
                    &study,
                    &one.patient,
                    series(&format!("1.{}", id.as_bytes()[0] - 60), &[&format!("9.{}", id.as_bytes()[0])]),
                );
            }
            if request_late {
                library.requests.clone_from(&request);
                let entry = library.entries.get_mut(&study).expect("there");
                let changed = entry.people.set_request(request.get(&study).cloned());
                entry.people_changed(changed);
            }
            let entry = library.get(&study).expect("there");
            assert_eq!(entry.study.patient.id, "A", "{order:?}");
            let mut others: Vec<_> = entry.study.other_patients.iter().map(|p| p.id.as_str()).collect();
            others.sort_unstable();
            assert_eq!(others, ["B", "C"], "{order:?}");
            let shown: Vec<_> = entry
                .study
                .series
                .iter()
                .flat_map(|s| &s.instances)
                .filter(|i| i.not_an_image.is_none())
                .map(|i| i.uid.as_str())
                .collect();
            assert_eq!(shown, ["9.65"], "{order:?}");
            assert_eq!(entry.ledger.not_shown(false).len(), 2, "{order:?}");
            let strange: Vec<_> = entry.study.strange_series.iter().map(SeriesUid::as_str).collect();
            assert_eq!(strange, ["1.6", "1.7"], "{order:?}");
            // As kept and loaded again: the same.
            let mut later = Library { requests: request.clone(), ..Library::default() };
            later.put_kept(&entry.study, None);
            assert_eq!(later.get(&study).expect("there").study, entry.study, "{order:?}");
        }
    }

    #[test]
    fn what_was_kept_under_the_wrong_patient_is_judged_by_the_request() {
        let study = head("1").uid;
        let mut before = Library::default();
        for (id, n) in [("B", "1"), ("A", "2")] {
            let one = Study { patient: named(id), ..head("1") };
            before.put_head(&one, None);
            before.put_series_of(&study, &one.patient, series(&format!("1.{n}"), &[&format!("1.{n}.1")]));
        }
        let kept = before.get(&study).expect("there").study.clone();
        assert_eq!(kept.patient.id, "B");
        let mut library = Library::default();
        library.requests.insert(study.clone(), (named("A"), false));
        library.put_kept(&kept, None);
        let entry = library.get(&study).expect("there");
        assert_eq!(entry.study.patient.id, "A");
        let refused: Vec<_> = entry.study.series.iter().map(|s| s.instances[0].not_an_image.is_some()).collect();
        assert_eq!(refused, [true, false]);
        let (_, series) = library.to_keep(&study, &entry.study.series[1].uid).expect("there");
        assert_eq!(series.len(), 2, "what was judged anew is kept with the rest");
    }

    #[test]
    fn a_series_belongs_to_one_study() {
        let mut library = Library::default();
        for uid in ["1", "2"] {
            library.put_head(&head(uid), None);
            library.put_series(&StudyUid::new(uid).expect("uid"), series("7.7", &[&format!("{uid}.9")]));
        }
        let second = library.get(&StudyUid::new("2").expect("uid")).expect("there");
        assert!(second.study.series.is_empty());
        assert_eq!(second.ledger.not_shown(false)[0].reason, SERIES_TWICE);
        library.forget(&StudyUid::new("1").expect("uid"));
        library.put_head(&head("3"), None);
        library.put_series(&StudyUid::new("3").expect("uid"), series("7.7", &["3.9"]));
        assert_eq!(library.get(&StudyUid::new("3").expect("uid")).expect("there").study.series.len(), 1);
    }

    #[test]
    fn a_refused_instances_bytes_change_nothing() {
        let mut library = Library::default();
        for uid in ["1", "2"] {
            library.put_head(&head(uid), None);
            library.put_series(&StudyUid::new(uid).expect("uid"), series(&format!("{uid}.1"), &["9.9"]));
        }
        let (study, instance) = (StudyUid::new("2").expect("uid"), SopInstanceUid::new("9.9").expect("uid"));
        let home = Home { study: study.clone(), series: SeriesUid::new("2.1").expect("uid") };
        library.received(&home, &instance, Place::Sealed("other".into()), 1);
        assert!(library.place(&instance).is_none());
        assert_eq!(library.get(&study).expect("there").ledger.not_shown(false)[0].reason, TWICE);
    }

    #[test]
    fn files_of_the_readers_own_give_way_whoever_comes_first() {
        let (own, of_center) = (StudyUid::new("1").expect("uid"), StudyUid::new("2").expect("uid"));
        let instance = SopInstanceUid::new("9.9").expect("uid");
        for local_first in [true, false] {
            let mut library = Library::default();
            let local = |library: &mut Library| {
                assert!(library.put_local_head(&head("1")));
                library.put_series(&own, series("1.1", &["9.9", "1.1.2"]));
                for uid in ["9.9", "1.1.2"] {
                    let uid = SopInstanceUid::new(uid).expect("uid");
                    let home = Home { study: own.clone(), series: SeriesUid::new("1.1").expect("uid") };
                    if library.home(&uid) == Some(&home) {
                        library.received(&home, &uid, Place::Path("own.dcm".into()), 0);
                    }
                }
            };
            if local_first {
                local(&mut library);
            }
            library.put_head(&head("2"), None);
            library.put_series(&of_center, series("2.1", &["9.9"]));
            let home = Home { study: of_center.clone(), series: SeriesUid::new("2.1").expect("uid") };
            library.received(&home, &instance, Place::Sealed("f".into()), 1);
            if !local_first {
                local(&mut library);
            }
            assert_eq!(library.place(&instance), Some((of_center.clone(), Place::Sealed("f".into()))));
            let told = library.get(&own).expect("there").ledger.not_shown(false);
            assert_eq!((told.len(), told[0].what.as_str()), (1, "9.9"), "local first: {local_first}");
            assert!(library.get(&of_center).expect("there").ledger.not_shown(false).is_empty());
            assert_eq!(library.take_gave_way().len(), usize::from(local_first));
        }
        // The same study: the center's replaces the files' whole, and is never replaced by them.
        let mut library = Library::default();
        library.put_local_head(&head("1"));
        library.put_series(&own, series("1.1", &["9.9"]));
        library.put_head(&head("1"), None);
        let entry = library.get(&own).expect("there");
        assert_eq!((entry.origin, entry.study.series.len()), (Origin::Center, 0));
        assert!(library.home(&instance).is_none() && !library.put_local_head(&head("1")));
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

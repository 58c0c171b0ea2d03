//! The open studies in memory: structure, ledger, and where each instance's bytes are.

mod entry;
mod place;

pub(super) use entry::Entry;
use entry::is_strange;
pub(super) use place::{Origin, Place};

use crate::study::{Instance, Ledger, ObjectKind, Patient, Series, SeriesUid, SopInstanceUid, Study, StudyUid, Why};
use crate::worklist::Assignment;
use std::collections::{BTreeMap, BTreeSet, HashMap};

/// Why an instance of another patient is not shown.
const STRANGER: &str = Why::OtherPatient.sentence();
/// Why an instance is refused whose UID another study has.
const TWICE: &str = Why::InstanceElsewhere.sentence();
/// Why a series is refused whose UID another study has.
const SERIES_TWICE: &str = Why::SeriesElsewhere.sentence();
/// Why a file of the reader's own is no longer shown.
const GAVE_WAY: &str = Why::GaveWay.sentence();

/// Notes in the ledger why an instance is not shown as a picture, if it is not: of its kind it may be none.
fn judge_picture(ledger: &mut Ledger, series: &SeriesUid, instance: &Instance) {
    match &instance.not_an_image {
        Some(_) if is_strange(instance) => ledger.fail(series, &instance.uid, STRANGER),
        Some(reason) if reason == GAVE_WAY || ObjectKind::of(&instance.sop_class).is_none() => {
            ledger.fail(series, &instance.uid, reason.clone());
        }
        Some(_) => ledger.list(series, &instance.uid),
        None => {}
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
            let notes = std::mem::take(&mut known.text_notes);
            *known = Study { patient, other_patients: others, series, strange_series, ..head };
            known.note_text(&notes);
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
                    if let Some(who) = if is_strange(instance) { other } else { own } {
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
            text_notes: whole.text_notes.clone(),
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
            judge_picture(&mut entry.ledger, &series.uid, instance);
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
        for uid in &local {
            self.forget(uid);
        }
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
            if let Some(known) = known {
                judge_picture(&mut entry.ledger, &home.series, known);
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
        entry.finished = false;
        if let Some(series) = entry.ledger.series.get_mut(&home.series) {
            series.received.remove(instance);
        }
        Some(home)
    }

    /// Whether an instance names another patient than its study.
    pub(super) fn is_strangers(&self, instance: &SopInstanceUid) -> bool {
        let entry = self.homes.get(instance).and_then(|home| self.entries.get(&home.study));
        entry.is_some_and(|e| e.people.strange(instance) == Some(true))
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
pub(super) mod tests;

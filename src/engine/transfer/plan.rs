//! One study's way onto the disk, as a state machine without any I/O: what is to be done next, and what a
//! failure means.

use super::work::Trouble;
use crate::engine::config::Timing;
use crate::engine::library::Library;
use crate::engine::lock;
use crate::engine::message::Failure;
use crate::study::{Instance, SeriesUid, SopInstanceUid, StudyUid};
use crate::worklist::StudyToRead;
use std::collections::BTreeMap;
use std::sync::Mutex;
use tokio::time::Instant;

/// So often one thing may fail while the archive answers otherwise; then it is given up with its reason.
const TRIES: u32 = 6;
/// So often a stream may bring nothing before single instances are tried.
const STREAMS: u32 = 2;

/// The smallest piece of work that is started and stopped.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Unit {
    /// Look at what this disk holds.
    Load(StudyUid),
    /// Ask which series there are.
    List(StudyUid),
    /// A series' metadata.
    Metadata(StudyUid, SeriesUid),
    /// A whole series as one stream.
    Stream(StudyUid, SeriesUid),
    /// One instance.
    Instance(StudyUid, SeriesUid, SopInstanceUid),
}

impl Unit {
    pub(super) fn study(&self) -> &StudyUid {
        match self {
            Self::Load(s) | Self::List(s) | Self::Metadata(s, _) | Self::Stream(s, _) | Self::Instance(s, _, _) => s,
        }
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Phase {
    Todo,
    Running,
    Done,
}

#[derive(Debug)]
struct SeriesJob {
    number: Option<i64>,
    /// How many instances the archive says there are.
    listed: Option<u64>,
    metadata: Phase,
    metadata_failures: u32,
    stream_failures: u32,
    /// A stream is not (or no longer) the way: single instances are.
    singly: bool,
}

/// What is known and done for one study.
#[derive(Debug)]
pub(super) struct StudyJob {
    pub(super) wanted: StudyToRead,
    load: Phase,
    list: Phase,
    series: BTreeMap<SeriesUid, SeriesJob>,
    /// How often an instance has failed although the archive answered in between.
    suspects: BTreeMap<SopInstanceUid, u32>,
    /// A part of the study that was given up: stays told when the rest succeeds.
    lasting: Option<Failure>,
    /// Failed attempts in a row.
    attempts: u32,
    pub(super) not_before: Option<Instant>,
    /// Will not get better by itself.
    given_up: bool,
    /// The archive wants something of the reader.
    waits_for_reader: bool,
    /// The failure shown last.
    pub(super) failure: Option<Failure>,
    /// That nothing more will come has been told.
    pub(super) told: bool,
    /// Something was fetched (not only found on this disk).
    pub(super) fetched: bool,
}

impl StudyJob {
    pub(super) fn new(wanted: StudyToRead) -> Self {
        Self {
            wanted,
            load: Phase::Todo,
            list: Phase::Todo,
            series: BTreeMap::new(),
            suspects: BTreeMap::new(),
            lasting: None,
            attempts: 0,
            not_before: None,
            given_up: false,
            waits_for_reader: false,
            failure: None,
            told: false,
            fetched: false,
        }
    }

    /// The disk holds all that the center announced: nothing needs to be asked.
    pub(super) fn complete_on_disk(&mut self) {
        self.list = Phase::Done;
    }

    /// What the archive lists. A series whose metadata are kept whole is not asked for again.
    pub(super) fn listed(&mut self, series: SeriesUid, number: Option<i64>, instances: Option<u64>, known: u64) {
        let whole = known > 0 && instances == Some(known);
        let job = self.series.entry(series).or_insert(SeriesJob {
            number,
            listed: instances,
            metadata: Phase::Todo,
            metadata_failures: 0,
            stream_failures: 0,
            singly: false,
        });
        job.number = number;
        job.listed = instances;
        if whole {
            job.metadata = Phase::Done;
        }
    }

    /// How many instances the archive says a series has.
    pub(super) fn listed_instances(&self, series: &SeriesUid) -> Option<u64> {
        self.series.get(series).and_then(|job| job.listed)
    }

    /// A part of the study cannot be had: told until the study is asked for anew.
    pub(super) fn remember(&mut self, failure: Failure) {
        self.lasting = Some(failure);
    }

    /// The next unit, if one can start now beside those of this study that are `running`.
    pub(super) fn next_unit(&self, library: &Library, running: &[Unit]) -> Option<Unit> {
        let study = &self.wanted.study_uid;
        if self.given_up {
            return None;
        }
        match (self.load, self.list) {
            (Phase::Todo, _) => return Some(Unit::Load(study.clone())),
            (Phase::Running, _) | (Phase::Done, Phase::Running) => return None,
            (Phase::Done, Phase::Todo) => return Some(Unit::List(study.clone())),
            (Phase::Done, _) => {}
        }
        let mut order: Vec<_> = self.series.iter().collect();
        order.sort_by_key(|(uid, job)| (job.number.unwrap_or(i64::MAX), (*uid).clone()));
        // One series' metadata, then its images at once: the reader sees the first picture early.
        if let Some((uid, _)) =
            order.iter().filter(|(_, job)| job.metadata == Phase::Todo).min_by_key(|(_, job)| job.metadata_failures)
        {
            let first_wave = running.iter().filter(|u| matches!(u, Unit::Metadata(..))).count() == 0;
            let nothing_to_stream = self.next_images(library, running, &order).is_none();
            if first_wave || nothing_to_stream {
                return Some(Unit::Metadata(study.clone(), (*uid).clone()));
            }
        }
        self.next_images(library, running, &order)
    }

    fn next_images(&self, library: &Library, running: &[Unit], order: &[(&SeriesUid, &SeriesJob)]) -> Option<Unit> {
        let study = &self.wanted.study_uid;
        let entry = library.get(study)?;
        for (uid, job) in order {
            if job.metadata != Phase::Done {
                continue;
            }
            let streaming = running.iter().any(|u| matches!(u, Unit::Stream(_, s) if s == *uid));
            if streaming {
                continue;
            }
            // A stream brings everything: it is the way only while nothing is here.
            let nothing_here = entry.ledger.series.get(*uid).is_none_or(|s| s.received.is_empty());
            if !job.singly && nothing_here && entry.missing(uid).nth(1).is_some() {
                return Some(Unit::Stream(study.clone(), (*uid).clone()));
            }
            let under_way = |i: &Instance| running.iter().any(|u| matches!(u, Unit::Instance(_, _, o) if *o == i.uid));
            // In the modality's own numbering, so that scrolling follows the arrival; what has failed before waits
            // behind what has not.
            let rank = |i: &Instance| (self.suspects.get(&i.uid).copied().unwrap_or(0), i.number);
            let before = |a: &&Instance, b: &&Instance| rank(a).cmp(&rank(b)).then_with(|| a.uid.cmp(&b.uid));
            if let Some(next) = entry.missing(uid).filter(|i| !under_way(i)).min_by(before) {
                return Some(Unit::Instance(study.clone(), (*uid).clone(), next.uid.clone()));
            }
        }
        None
    }

    /// Nothing goes on before the reader has done something about the archive.
    pub(super) fn waits_for_reader(&self) -> bool {
        self.waits_for_reader
    }

    /// Everything has been tried, or the study was given up.
    pub(super) fn is_settled(&self) -> bool {
        let listed = self.load == Phase::Done && self.list == Phase::Done;
        self.given_up || (listed && self.series.values().all(|s| s.metadata == Phase::Done))
    }

    /// The unit starts.
    pub(super) fn take(&mut self, unit: &Unit) {
        self.set(unit, Phase::Running);
    }

    /// The unit was stopped before its end.
    pub(super) fn put_back(&mut self, unit: &Unit) {
        self.set(unit, Phase::Todo);
    }

    fn set(&mut self, unit: &Unit, phase: Phase) {
        match unit {
            Unit::Load(_) => self.load = phase,
            Unit::List(_) => self.list = phase,
            Unit::Metadata(_, series) => {
                if let Some(job) = self.series.get_mut(series) {
                    job.metadata = phase;
                }
            }
            Unit::Stream(..) | Unit::Instance(..) => {}
        }
    }

    fn go_singly(&mut self, series: &SeriesUid) {
        if let Some(job) = self.series.get_mut(series) {
            job.singly = true;
        }
    }

    /// The unit ended; gives the failure to show, if any.
    pub(super) fn finish(
        &mut self,
        unit: &Unit,
        outcome: Result<(), Trouble>,
        timing: &Timing,
        library: &Mutex<Library>,
    ) -> Option<Failure> {
        let Err(trouble) = outcome else {
            self.set(unit, Phase::Done);
            self.fetched |= matches!(unit, Unit::Stream(..) | Unit::Instance(..));
            if let Unit::Stream(_, series) = unit {
                // The stream has ended properly: what it did not bring is asked for by name.
                self.go_singly(series);
            }
            self.attempts = 0;
            self.not_before = None;
            // A unit that was still let in ends the waiting of the others no more than it ends their failure.
            return if self.waits_for_reader { self.failure.clone() } else { self.lasting.clone() };
        };
        self.put_back(unit);
        if let Trouble::Reader(_, failure) = &trouble {
            // It counts against nothing in the study: with the right credentials everything is tried anew.
            (self.given_up, self.waits_for_reader) = (true, true);
            return Some(failure.clone());
        }
        if trouble.passes() && !self.count_failure(unit, &trouble, library) {
            self.attempts = self.attempts.saturating_add(1);
            let pause = timing.patience.pause(self.attempts).min(timing.longest_pause);
            self.not_before = Some(Instant::now() + pause);
            return Some(trouble.failure());
        }
        let home = |series: &SeriesUid| crate::engine::library::Home {
            study: self.wanted.study_uid.clone(),
            series: series.clone(),
        };
        match unit {
            // Another way remains.
            Unit::Stream(_, series) => self.go_singly(series),
            Unit::Instance(_, series, instance) => {
                lock(library).unfetched(&home(series), instance, trouble.failure().detail());
            }
            Unit::Metadata(..) if trouble.passes() => {
                self.set(unit, Phase::Done);
                self.lasting = Some(trouble.failure());
            }
            Unit::Load(_) | Unit::List(_) | Unit::Metadata(..) => {
                self.given_up = true;
                return Some(trouble.failure());
            }
        }
        self.lasting.clone()
    }

    /// Counts a failure that may pass; true when this thing has had its tries. Before the next try the list is
    /// asked for again: only an archive that answers makes a failure count against the thing itself.
    fn count_failure(&mut self, unit: &Unit, trouble: &Trouble, library: &Mutex<Library>) -> bool {
        if !matches!(trouble, Trouble::Center(_)) {
            return false;
        }
        match unit {
            Unit::Load(_) | Unit::List(_) => false,
            Unit::Metadata(_, series) => {
                self.list = Phase::Todo;
                self.series.get_mut(series).is_some_and(|job| {
                    job.metadata_failures += 1;
                    job.metadata_failures >= TRIES
                })
            }
            Unit::Stream(study, series) => {
                let came = lock(library)
                    .get(study)
                    .and_then(|e| e.ledger.series.get(series))
                    .is_some_and(|s| !s.received.is_empty());
                if let Some(job) = self.series.get_mut(series) {
                    job.stream_failures += 1;
                    // What came is kept, and the rest comes singly: a line that is cut again and again gets on.
                    job.singly = job.singly || came || job.stream_failures >= STREAMS;
                }
                false
            }
            Unit::Instance(_, _, instance) => {
                self.list = Phase::Todo;
                let tries = self.suspects.entry(instance.clone()).or_insert(0);
                *tries += 1;
                *tries >= TRIES
            }
        }
    }

    /// An instance was lost: there is work again.
    pub(super) fn reopen(&mut self) {
        if self.list == Phase::Done && self.series.is_empty() {
            self.list = Phase::Todo;
        }
        self.told = false;
        self.wake();
    }

    /// Whatever it waited for may be there now.
    pub(super) fn wake(&mut self) {
        if self.failure.is_none() && !self.given_up {
            return;
        }
        self.attempts = 0;
        self.not_before = None;
        self.given_up = false;
        self.waits_for_reader = false;
        self.told = false;
        self.suspects.clear();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::center::CenterError;
    use crate::engine::library::Place;
    use crate::engine::library::tests::{head, series};
    use crate::worklist::{Archive, ArchiveAuth};

    fn job() -> StudyJob {
        StudyJob::new(StudyToRead {
            study_uid: StudyUid::new("1").expect("uid"),
            archive: Archive { root: "https://a.example".into(), auth: ArchiveAuth::CenterToken, credentials: None },
            modalities: vec![],
            date: None,
            description: String::new(),
            series: 1,
            instances: 3,
            bytes: 0,
        })
    }

    #[test]
    fn a_study_goes_from_listing_to_its_last_instance() {
        let (mut job, library) = (job(), Mutex::new(Library::default()));
        let timing = Timing::default();
        let step = |job: &mut StudyJob, outcome| {
            let unit = job.next_unit(&lock(&library), &[]).expect("work");
            job.take(&unit);
            let failure = job.finish(&unit, outcome, &timing, &library);
            (unit, failure)
        };
        assert!(matches!(step(&mut job, Ok(())).0, Unit::Load(_)));
        // The archive is away for a moment: told, tried again later.
        let (unit, failure) = step(&mut job, Err(Trouble::Center(CenterError::Offline("x".into()))));
        assert!(matches!((unit, failure), (Unit::List(_), Some(Failure::Offline(_)))));
        assert!(job.not_before.is_some());
        lock(&library).put_head(&head("1"), Some(3));
        let s = series("1.1", &["1.1.1", "1.1.2", "1.1.3"]);
        job.listed(s.uid.clone(), Some(1), Some(3), 0);
        assert!(matches!(step(&mut job, Ok(())).0, Unit::List(_)));
        assert!(job.not_before.is_none());
        assert!(matches!(step(&mut job, Ok(())).0, Unit::Metadata(..)));
        lock(&library).put_series(&head("1").uid, s.clone());
        assert!(job.next_unit(&lock(&library), &[]).is_some());
        // The stream is cut after the first instance: the rest comes singly.
        let (unit, _) = {
            let unit = job.next_unit(&lock(&library), &[]).expect("work");
            let home = lock(&library).home(&s.instances[0].uid).expect("known").clone();
            lock(&library).received(&home, &s.instances[0].uid, Place::Sealed("f".into()), 1);
            let failure =
                job.finish(&unit, Err(Trouble::Center(CenterError::Offline("cut".into()))), &timing, &library);
            (unit, failure)
        };
        assert!(matches!(unit, Unit::Stream(..)));
        let (unit, failure) = step(&mut job, Err(Trouble::Center(CenterError::Status(404))));
        assert!(matches!(&unit, Unit::Instance(_, _, i) if *i == s.instances[1].uid) && failure.is_none());
        assert!(matches!(step(&mut job, Err(Trouble::Center(CenterError::Status(410)))).0, Unit::Instance(..)));
        assert!(job.next_unit(&lock(&library), &[]).is_none() && job.is_settled());
        let not_shown = lock(&library).get(&head("1").uid).expect("there").ledger.not_shown(true);
        assert_eq!(not_shown.len(), 2);
    }

    #[test]
    fn further_series_are_begun_while_one_is_under_way() {
        let (mut job, library) = (job(), Mutex::new(Library::default()));
        let study = head("1").uid;
        for unit in [Unit::Load(study.clone()), Unit::List(study.clone())] {
            job.take(&unit);
            job.finish(&unit, Ok(()), &Timing::default(), &library);
        }
        lock(&library).put_head(&head("1"), Some(4));
        let (a, b) = (series("1.1", &["1.1.1", "1.1.2"]), series("1.2", &["1.2.1", "1.2.2"]));
        for (number, s) in [(1, &a), (2, &b)] {
            job.listed(s.uid.clone(), Some(number), Some(2), 0);
        }
        let described = |job: &mut StudyJob, s: &crate::study::Series| {
            lock(&library).put_series(&study, s.clone());
            job.finish(&Unit::Metadata(study.clone(), s.uid.clone()), Ok(()), &Timing::default(), &library);
        };
        let mut running: Vec<Unit> = Vec::new();
        let mut start = |job: &mut StudyJob, done: Option<&Unit>| {
            running.retain(|u| Some(u) != done);
            let unit = job.next_unit(&lock(&library), &running);
            if let Some(unit) = &unit {
                job.take(unit);
                running.push(unit.clone());
            }
            unit
        };
        let first = Unit::Metadata(study.clone(), a.uid.clone());
        assert_eq!(start(&mut job, None), Some(first.clone()));
        described(&mut job, &a);
        // The second series is asked about beside nothing; then the first one's images come beside that.
        let second = Unit::Metadata(study.clone(), b.uid.clone());
        assert_eq!(start(&mut job, Some(&first)), Some(second.clone()));
        assert_eq!(start(&mut job, None), Some(Unit::Stream(study.clone(), a.uid.clone())));
        described(&mut job, &b);
        assert_eq!(start(&mut job, Some(&second)), Some(Unit::Stream(study.clone(), b.uid.clone())));
        // Each once.
        assert_eq!(start(&mut job, None), None);
    }

    #[test]
    fn what_will_not_get_better_is_given_up_until_kicked() {
        let (mut job, library) = (job(), Mutex::new(Library::default()));
        let unit = Unit::Load(head("1").uid);
        job.take(&unit);
        job.finish(&unit, Ok(()), &Timing::default(), &library);
        let list = job.next_unit(&lock(&library), &[]).expect("work");
        let failure = job.finish(&list, Err(Trouble::Center(CenterError::Status(403))), &Timing::default(), &library);
        assert!(matches!(failure, Some(Failure::Denied(_))));
        assert!(job.next_unit(&lock(&library), &[]).is_none() && job.is_settled());
        job.wake();
        assert_eq!(job.next_unit(&lock(&library), &[]), Some(list));
    }
}

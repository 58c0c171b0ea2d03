//! Bringing studies onto this disk: what next, how many at a time, what after a failure.
//!
//! Work is cut into units (list the series, one series' metadata, one series' stream, one instance). The most
//! urgent class always goes first and may push a less urgent stream aside: what has arrived is kept, so nothing
//! is lost by stopping anywhere. What is on the disk is never fetched again: a series comes as one stream only while
//! nothing of it is here, and instance by instance, several at a time, from then on. Only what the reader jumps to while
//! a stream is under way comes twice, at once and in its turn.

mod described;
mod ingest;
mod plan;
mod work;

use super::inner::Inner;
use super::lock;
use super::message::{Class, Event, Failure, StudyProgress, StudyWanted};
use crate::center::dicomweb::ArchiveClient;
use crate::study::{SopInstanceUid, StudyUid};
use crate::worklist::ArchiveAuth;
use ingest::Arrival;
pub(super) use ingest::committer;
use plan::{StudyJob, Unit};
use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::{Arc, Mutex};
use tokio::sync::{Notify, mpsc};
use tokio::task::AbortHandle;
use tokio::time::Instant;

/// Single instances that the reader is waiting for go beside the streams.
const EXPRESS: usize = 2;
/// Demanded instances that count as "on screen or next to it".
const VISIBLE: usize = 16;

struct Running {
    number: u64,
    unit: Unit,
    class: Class,
    express: bool,
    abort: AbortHandle,
}

#[derive(Default)]
struct State {
    wanted: Vec<StudyWanted>,
    jobs: BTreeMap<StudyUid, StudyJob>,
    running: Vec<Running>,
    archives: HashMap<(String, Option<String>), ArchiveClient>,
    count: u64,
}

/// The transfer's shared state. The loop [`drive`] decides; units report back here.
pub(super) struct Transfer {
    state: Mutex<State>,
    changed: Notify,
    arrivals: mpsc::Sender<Arrival>,
}

impl Transfer {
    /// The transfer and the channel that [`committer`] empties.
    pub(super) fn new() -> (Self, mpsc::Receiver<Arrival>) {
        let (arrivals, receiver) = mpsc::channel(64);
        (Self { state: Mutex::default(), changed: Notify::new(), arrivals }, receiver)
    }

    /// Something about a study's instances changed (one was lost): look again.
    pub(super) fn look_again(&self, study: &StudyUid) {
        if let Some(job) = lock(&self.state).jobs.get_mut(study) {
            job.reopen();
        }
        self.changed.notify_one();
    }

    /// Frames are wanted that may have to be fetched singly.
    pub(super) fn poke(&self) {
        self.changed.notify_one();
    }

    /// The link or session is there anew: what waited for it goes on at once.
    pub(super) fn kick(&self) {
        let mut state = lock(&self.state);
        state.archives.clear();
        for job in state.jobs.values_mut() {
            job.wake();
        }
        drop(state);
        self.changed.notify_one();
    }

    /// Other credentials are kept for an archive: what is under way with those of before begins anew, and what they
    /// stopped goes on.
    pub(super) fn renew_archives(&self) {
        let mut state = lock(&self.state);
        let named: Vec<_> = state
            .jobs
            .iter()
            .filter(|(_, job)| job.wanted.archive.auth == ArchiveAuth::Named)
            .map(|(uid, _)| uid.clone())
            .collect();
        for uid in named {
            state.stop_study(&uid);
        }
        drop(state);
        self.kick();
    }

    /// Stops everything that is under way.
    pub(super) fn abort_all(&self) {
        let mut state = lock(&self.state);
        for running in std::mem::take(&mut state.running) {
            running.abort.abort();
            if let Some(job) = state.jobs.get_mut(running.unit.study()) {
                job.put_back(&running.unit);
            }
        }
    }

    /// Studies that must stay on disk.
    pub(super) fn needed(&self) -> Vec<StudyUid> {
        lock(&self.state).wanted.iter().map(|w| w.study.study_uid.clone()).collect()
    }
}

impl Inner {
    /// Takes the studies of a new Demand; `fresh` are those that the Demand said before did not name.
    pub(super) fn demand_studies(&self, mut studies: Vec<StudyWanted>, fresh: &BTreeSet<StudyUid>) {
        studies.sort_by_key(|w| w.class);
        let mut again = Vec::new();
        let mut forgotten = Vec::new();
        {
            let mut state = lock(&self.transfer.state);
            let gone: Vec<_> =
                state.jobs.keys().filter(|uid| !studies.iter().any(|w| w.study.study_uid == **uid)).cloned().collect();
            for uid in gone {
                state.stop_study(&uid);
                state.jobs.remove(&uid);
                forgotten.push(uid);
            }
            for wanted in &studies {
                let uid = &wanted.study.study_uid;
                if !state.jobs.contains_key(uid) {
                    // From here on this UID is the center's study, and no file of the reader's own stands in for it.
                    lock(&self.library).evict_local(uid);
                    state.jobs.insert(uid.clone(), StudyJob::new(wanted.study.clone()));
                } else if fresh.contains(uid) {
                    again.push(uid.clone());
                }
                if wanted.paused {
                    state.stop_study(uid);
                }
                for running in state.running.iter_mut().filter(|r| r.unit.study() == uid) {
                    running.class = wanted.class;
                }
            }
            state.wanted = studies;
        }
        for uid in forgotten {
            lock(&self.library).forget(&uid);
        }
        // Left out and named again before the engine looked: what is known is told once more.
        for uid in again {
            self.tell_study(&uid);
            self.progress_changed(&uid);
        }
        self.transfer.changed.notify_one();
    }
}

impl State {
    /// Stops the units of a study; their work is to be done again.
    fn stop_study(&mut self, study: &StudyUid) {
        for running in self.running.extract_if(.., |r| r.unit.study() == study) {
            running.abort.abort();
            if let Some(job) = self.jobs.get_mut(study) {
                job.put_back(&running.unit);
            }
        }
    }

    /// Stops the least urgent unit if it is less urgent than `class`.
    fn push_aside(&mut self, class: Class) -> bool {
        let worst = self.running.iter().enumerate().filter(|(_, r)| !r.express).max_by_key(|(at, r)| (r.class, *at));
        let Some((at, _)) = worst.filter(|(_, r)| r.class > class) else { return false };
        let running = self.running.remove(at);
        running.abort.abort();
        if let Some(job) = self.jobs.get_mut(running.unit.study()) {
            job.put_back(&running.unit);
        }
        true
    }

    fn is_running(&self, unit: &Unit) -> bool {
        self.running.iter().any(|r| r.unit == *unit)
    }
}

/// The progress of a study of which the library knows nothing.
fn nothing_known(study: &StudyUid, finished: bool, failure: Option<Failure>) -> Event {
    Event::StudyProgress(StudyProgress { study: study.clone(), ledger: Arc::default(), finished, failure })
}

/// Decides until the engine stops.
pub(super) async fn drive(inner: Arc<Inner>) {
    loop {
        let next_look = inner.pump();
        let wait = async {
            match next_look {
                Some(at) => tokio::time::sleep_until(at).await,
                None => std::future::pending().await,
            }
        };
        tokio::select! {
            () = inner.transfer.changed.notified() => {}
            () = wait => {}
            () = inner.stopped() => return,
        }
    }
}

impl Inner {
    /// Starts every unit that may start now; says when to look again at the latest.
    fn pump(self: &Arc<Self>) -> Option<Instant> {
        let visible: Vec<SopInstanceUid> = self.pictures.wanted_instances().into_iter().take(VISIBLE).collect();
        let now = Instant::now();
        let mut next_look: Option<Instant> = None;
        let mut settled = Vec::new();
        {
            let mut state = lock(&self.transfer.state);
            self.start_express(&mut state, &visible, now);
            let order: Vec<_> =
                state.wanted.iter().filter(|w| !w.paused).map(|w| (w.study.study_uid.clone(), w.class)).collect();
            for (study, class) in order {
                while let Some(job) = state.jobs.get(&study) {
                    if let Some(at) = job.not_before.filter(|at| *at > now) {
                        next_look = Some(next_look.map_or(at, |n| n.min(at)));
                        break;
                    }
                    let running: Vec<Unit> =
                        state.running.iter().filter(|r| r.unit.study() == &study).map(|r| r.unit.clone()).collect();
                    let Some(unit) = job.next_unit(&lock(&self.library), &running) else {
                        if running.is_empty() && job.is_settled() && !job.told {
                            settled.push((study.clone(), job.failure.clone()));
                        }
                        break;
                    };
                    let busy = state.running.iter().filter(|r| !r.express).count();
                    if busy >= self.config.streams.max(1) && !state.push_aside(class) {
                        break;
                    }
                    self.start(&mut state, unit, class, false);
                }
            }
        }
        for (study, failure) in settled {
            self.study_settled(&study, failure);
        }
        next_look
    }

    fn start_express(self: &Arc<Self>, state: &mut State, visible: &[SopInstanceUid], now: Instant) {
        for instance in visible {
            if state.running.iter().filter(|r| r.express).count() >= EXPRESS {
                return;
            }
            let unit = {
                let library = lock(&self.library);
                let Some(home) = library.home(instance) else { continue };
                let missing = library.get(&home.study).is_some_and(|e| e.is_missing(instance));
                let ready = state
                    .jobs
                    .get(&home.study)
                    .is_some_and(|j| !j.waits_for_reader() && j.not_before.is_none_or(|at| at <= now));
                let paused = state.wanted.iter().any(|w| w.study.study_uid == home.study && w.paused);
                if !missing || !ready || paused {
                    continue;
                }
                Unit::Instance(home.study.clone(), home.series.clone(), instance.clone())
            };
            if !state.is_running(&unit) {
                self.start(state, unit, Class::Visible, true);
            }
        }
    }

    fn start(self: &Arc<Self>, state: &mut State, unit: Unit, class: Class, express: bool) {
        state.count += 1;
        let number = state.count;
        if let Some(job) = state.jobs.get_mut(unit.study()) {
            job.take(&unit);
        }
        let inner = Arc::clone(self);
        let doing = unit.clone();
        let task = tokio::spawn(async move {
            let outcome = inner.do_unit(&doing).await;
            inner.unit_done(number, &doing, outcome);
        });
        state.running.push(Running { number, unit, class, express, abort: task.abort_handle() });
    }

    fn unit_done(self: &Arc<Self>, number: u64, unit: &Unit, outcome: Result<(), work::Trouble>) {
        let study = unit.study().clone();
        {
            let mut state = lock(&self.transfer.state);
            let before = state.running.len();
            state.running.retain(|r| r.number != number);
            // Stopped meanwhile: its work was put back already.
            if state.running.len() == before {
                return;
            }
            let Some(job) = state.jobs.get_mut(&study) else { return };
            let failure = job.finish(unit, outcome, &self.config.timing, &self.library);
            if job.failure != failure {
                job.failure.clone_from(&failure);
                // Told before another unit's end can change it again.
                self.show_failure(&study, failure);
            }
        }
        if let Unit::Instance(_, _, instance) = unit {
            let given_up = lock(&self.library).unfetched_reason(instance);
            if let Some(reason) = given_up {
                self.instance_given_up(instance, &reason);
            }
        }
        self.transfer.changed.notify_one();
    }

    fn show_failure(&self, study: &StudyUid, failure: Option<Failure>) {
        self.events.tell(&self.library, |library| {
            let Some(entry) = library.get_mut(study) else {
                // Nothing is known of the study yet: the failure must be told all the same.
                return Some(nothing_known(study, false, failure));
            };
            entry.failure = failure;
            self.progress_changed(study);
            None
        });
    }

    fn study_settled(self: &Arc<Self>, study: &StudyUid, failure: Option<Failure>) {
        let fetched = match lock(&self.transfer.state).jobs.get_mut(study) {
            // Something of it was lost since: it goes on.
            Some(job) if !job.is_settled() => return,
            Some(job) => {
                job.told = true;
                std::mem::take(&mut job.fetched)
            }
            None => false,
        };
        self.events.tell(&self.library, |library| {
            let Some(entry) = library.get_mut(study) else { return Some(nothing_known(study, true, failure)) };
            entry.finished = true;
            entry.failure = failure;
            Some(Event::StudyProgress(entry.progress()))
        });
        if fetched {
            let (inner, study) = (Arc::clone(self), study.clone());
            tokio::spawn(async move { inner.after_study(&study).await });
        }
    }
}

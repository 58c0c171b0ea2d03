//! What all parts of the engine share.

use super::config::Config;
use super::disk::Disk;
use super::drafts::Drafts;
use super::lanes::Lanes;
use super::library::Library;
use super::lock;
use super::message::{Event, Failure, Link, Session};
use super::pictures::Pictures;
use super::pool::Pool;
use super::queue::EventQueue;
use super::sign::Desk;
use super::transfer::Transfer;
use crate::center::contract::{EnrolmentFile, ProblemType};
use crate::center::{CenterClient, CenterError};
use crate::store::{NewAudit, StoreError};
use crate::study::StudyUid;
use crate::vault::secrets::SecretStore;
use crate::worklist::{Assignment, AuditAction, AuditOutcome};
use jiff::Timestamp;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use tokio::sync::{Notify, watch};

/// The center this terminal is enrolled at.
#[derive(Clone)]
pub(super) struct Center {
    pub(super) client: CenterClient,
    pub(super) enrolment: Arc<EnrolmentFile>,
    /// Root certificates (DER) of the enrolment file.
    pub(super) roots: Arc<Vec<Vec<u8>>>,
}

/// Store and secrets, once they are open.
#[derive(Clone)]
pub(super) struct Opened {
    pub(super) disk: Disk,
    pub(super) secrets: Arc<dyn SecretStore>,
}

/// What the reader signed in is asked to read, by id.
pub(super) type Assignments = BTreeMap<String, Arc<Assignment>>;

/// Shared by the control task, the workers and the pool.
pub(super) struct Inner {
    pub(super) config: Config,
    pub(super) events: Arc<EventQueue>,
    pub(super) pool: Pool,
    pub(super) library: Mutex<Library>,
    pub(super) pictures: Pictures,
    pub(super) transfer: Transfer,
    pub(super) drafts: Drafts,
    pub(super) lanes: Lanes,
    pub(super) desk: Desk,
    pub(super) opened: Mutex<Option<Opened>>,
    pub(super) center: Mutex<Option<Center>>,
    pub(super) session: Mutex<Option<Session>>,
    /// User id that signed in last: what is still to be saved after a session's end is this reader's.
    pub(super) writer: Mutex<Option<String>>,
    /// Who may use the refresh token that is kept (signed in now or at the last run).
    pub(super) token_user: Mutex<Option<Session>>,
    pub(super) assignments: Arc<Mutex<Assignments>>,
    pub(super) link: Mutex<Link>,
    pub(super) received_bytes: AtomicU64,
    pub(super) dirty: Mutex<BTreeSet<StudyUid>>,
    /// Something waits in the outbox, or may be tried again now.
    pub(super) outbox_wake: Notify,
    /// The session began or the worklist is wanted now.
    pub(super) link_wake: Notify,
    /// Audit records wait.
    pub(super) audit_wake: Notify,
    /// Held by whoever sends audit records.
    pub(super) audit_gate: tokio::sync::Mutex<()>,
    /// Counts the changes of who is signed in.
    pub(super) turnover: watch::Sender<u64>,
    /// Held for reading while something is sent in a reader's name.
    pub(super) under_way: tokio::sync::RwLock<()>,
    /// True: stop.
    pub(super) stop: watch::Sender<bool>,
}

impl Inner {
    /// Nobody signed in, nothing open, nothing known.
    pub(super) fn new(config: Config, pool: Pool, transfer: Transfer) -> Self {
        Self {
            events: Arc::new(EventQueue::new(Arc::clone(&config.wake))),
            pool,
            library: Mutex::new(Library::default()),
            pictures: Pictures::new(config.budgets.frames, config.budgets.objects),
            transfer,
            drafts: Drafts::default(),
            lanes: Lanes::default(),
            desk: Desk::default(),
            opened: Mutex::default(),
            center: Mutex::default(),
            session: Mutex::default(),
            writer: Mutex::default(),
            token_user: Mutex::default(),
            assignments: Arc::default(),
            link: Mutex::default(),
            received_bytes: AtomicU64::new(0),
            dirty: Mutex::default(),
            outbox_wake: Notify::new(),
            link_wake: Notify::new(),
            audit_wake: Notify::new(),
            audit_gate: tokio::sync::Mutex::default(),
            turnover: watch::Sender::new(0),
            under_way: tokio::sync::RwLock::default(),
            stop: watch::Sender::new(false),
            config,
        }
    }

    pub(super) fn now(&self) -> Timestamp {
        self.config.clock.now()
    }

    /// Resolves when the engine stops.
    pub(super) async fn stopped(&self) {
        let mut stop = self.stop.subscribe();
        // An error means that the sender is gone, which is a stop too.
        let _stopped_either_way = stop.wait_for(|s| *s).await;
    }

    pub(super) fn opened(&self) -> Result<Opened, Failure> {
        lock(&self.opened).clone().ok_or_else(|| Failure::NoSecretStore("the secrets store is not open yet".to_owned()))
    }

    pub(super) fn disk(&self) -> Result<Disk, Failure> {
        self.opened().map(|o| o.disk)
    }

    pub(super) fn center(&self) -> Result<Center, Failure> {
        lock(&self.center).clone().ok_or_else(|| Failure::Local("this terminal is not enrolled".to_owned()))
    }

    pub(super) fn signed_in(&self) -> Option<Session> {
        lock(&self.session).clone()
    }

    pub(super) fn user(&self) -> String {
        self.signed_in().map(|s| s.user).unwrap_or_default()
    }

    /// Whose work is saved now (user id): the reader signed in, or whose session has just ended.
    pub(super) fn writer(&self) -> Result<String, Failure> {
        lock(&self.writer).clone().ok_or_else(super::link::not_signed_in)
    }

    /// Whether requests go out in this reader's name.
    pub(super) fn token_is_of(&self, user: &str) -> bool {
        lock(&self.token_user).as_ref().is_some_and(|s| s.user == user)
    }

    /// The center for work of this reader: nothing goes there in another's name.
    pub(super) fn center_for(&self, user: &str) -> Result<Center, Failure> {
        let center = self.center()?;
        Ok(Center { client: center.client.in_name_of(user), ..center })
    }

    /// The reader changes: what is under way in the name of the one before ends.
    pub(super) fn reader_changes(&self) {
        self.turnover.send_modify(|n| *n += 1);
    }

    /// Does work in a reader's name until it is done (`Some`) or the reader changes. Whoever leaves waits until it
    /// has ended.
    pub(super) async fn while_reader_stays<T>(&self, work: impl Future<Output = T>) -> Option<T> {
        let mut turnover = self.turnover.subscribe();
        let _under_way = self.under_way.read().await;
        tokio::select! {
            done = work => Some(done),
            // The sender lives as long as the engine.
            _ = turnover.changed() => None,
        }
    }

    /// Notes how a request went, and tells when the link's state changed.
    pub(super) fn note<T>(&self, result: Result<T, CenterError>) -> Result<T, CenterError> {
        match &result {
            Err(CenterError::Offline(_) | CenterError::Untrusted(_)) => self.set_link(|l| l.online = false),
            Err(CenterError::Status(502..=504)) => self.set_link(|l| l.online = false),
            Err(CenterError::Forbidden(_) | CenterError::Secret(_) | CenterError::OtherReader) => {}
            Err(CenterError::SessionEnded) => self.session_ended(),
            _ => self.set_link(|l| l.online = true),
        }
        result
    }

    pub(super) fn set_link(&self, change: impl FnOnce(&mut Link)) {
        self.events.tell(&self.link, |link| {
            let before = link.clone();
            change(link);
            (*link != before).then(|| Event::Link(link.clone()))
        });
    }

    /// The center no longer knows the session: the reader must sign in again; nothing that was written is lost.
    fn session_ended(&self) {
        *lock(&self.token_user) = None;
        if lock(&self.session).take().is_some() {
            let failure = Failure::Denied("the session has ended".to_owned());
            self.events.push(Event::SignedOut(Some(failure)));
        }
    }

    /// A study's ledger changed: told soon, not at every instance.
    pub(super) fn progress_changed(&self, study: &StudyUid) {
        lock(&self.dirty).insert(study.clone());
    }

    /// Tells the progress of all studies whose ledger changed.
    pub(super) fn flush_progress(&self) {
        let dirty = std::mem::take(&mut *lock(&self.dirty));
        for study in dirty {
            self.events.tell(&self.library, |library| library.get(&study).map(|e| Event::StudyProgress(e.progress())));
        }
    }

    /// Tells a study's structure as it is now.
    pub(super) fn tell_study(&self, study: &StudyUid) {
        self.events.tell(&self.library, |library| {
            let entry = library.get(study)?;
            Some(Event::Study(Arc::new(entry.study.clone())))
        });
    }

    /// Tells the local studies of which something gave way to the center's.
    pub(super) fn tell_gave_way(&self) {
        let studies = lock(&self.library).take_gave_way();
        for study in studies {
            self.tell_study(&study);
            self.progress_changed(&study);
        }
    }

    /// Changes the assignments and tells what `change` says of it. They are the requests: who each open study's patient
    /// is may change with them.
    pub(super) fn change_assignments(&self, change: impl FnOnce(&mut Assignments) -> Option<Event>) {
        let mut judged = Vec::new();
        self.events.tell(&self.assignments, |assignments| {
            let event = change(assignments);
            judged = lock(&self.library).set_requests(assignments.values().map(AsRef::as_ref));
            event
        });
        for study in judged {
            self.tell_study(&study);
            self.progress_changed(&study);
        }
    }

    pub(super) fn count_bytes(&self, bytes: u64) {
        self.received_bytes.fetch_add(bytes, Ordering::Relaxed);
    }

    /// An audit record of now, by the reader signed in.
    pub(super) fn audit(&self, action: AuditAction, outcome: AuditOutcome, object: Option<String>) -> NewAudit {
        NewAudit { at: self.now(), user: self.user(), action, outcome, object }
    }

    /// Appends an audit record. A record that cannot be kept is told to the reader: it must not vanish unseen.
    pub(super) async fn record(&self, new: NewAudit) {
        let Ok(disk) = self.disk() else { return };
        match disk.call(move |store| store.record(new)).await {
            Ok(()) => self.audit_wake.notify_one(),
            Err(error) => self.events.push(Event::Notice(failure_of_store(&error))),
        }
    }
}

/// What a store's error means for the reader.
pub(super) fn failure_of_store(error: &StoreError) -> Failure {
    match error {
        StoreError::Full(detail) => Failure::Full(detail.clone()),
        StoreError::Damaged(_) | StoreError::Seal(_) | StoreError::Json(_) => Failure::Corrupt(error.to_string()),
        StoreError::AlreadySigned | StoreError::Flagged => Failure::Conflict(error.to_string()),
        _ => Failure::Local(error.to_string()),
    }
}

/// What a center's error means for the reader.
pub(super) fn failure_of_center(error: &CenterError) -> Failure {
    let words = || match error {
        CenterError::Refused(problem) => {
            let detail = problem.detail.as_deref().unwrap_or_default();
            if detail.is_empty() { problem.title.clone() } else { format!("{} ({detail})", problem.title) }
        }
        other => other.to_string(),
    };
    match error {
        CenterError::Offline(_) | CenterError::Status(500..=599) => Failure::Offline(words()),
        CenterError::Untrusted(_)
        | CenterError::SessionEnded
        | CenterError::OtherReader
        | CenterError::Status(401 | 403) => Failure::Denied(words()),
        CenterError::Protocol(_) => Failure::Corrupt(words()),
        CenterError::Forbidden(_) | CenterError::Status(_) => Failure::Rejected(words()),
        CenterError::Secret(_) => Failure::Local(words()),
        CenterError::Refused(problem) => match (problem.problem_type(), problem.status) {
            (Some(ProblemType::SignInLocked | ProblemType::SignInRefused), _) | (_, 401 | 403) => {
                Failure::Denied(words())
            }
            (_, 409 | 412) => Failure::Conflict(words()),
            (_, 500..=599) => Failure::Offline(words()),
            _ => Failure::Rejected(words()),
        },
    }
}

#[cfg(test)]
mod tests;

//! Starting, handing out commands, stopping. Threads: `dokuei-net` (two workers of the runtime),
//! `dokuei-pool-N`, `dokuei-store`.

use super::config::Config;
use super::inner::{Inner, failure_of_store};
use super::lanes::Errand;
use super::message::{Command, Demand, EngineLink, Event, Failure, ObjectCommand};
use super::pool::Pool;
use super::sign::Wish;
use super::transfer::{self, Transfer};
use super::{audit, drafts, link, lock, outbox};
use crate::store::{Profile, StoreError};
use crate::study::StudyUid;
use crate::worklist::{AuditAction, AuditOutcome};
use std::collections::BTreeSet;
use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};
use tokio::runtime::{Builder, Runtime};
use tokio::sync::{Notify, mpsc};

/// Commands that may wait. Handing out is quick, so this is never full unless something is very wrong; then
/// the sender waits.
const COMMANDS: usize = 1024;

/// How long shutdown waits for tasks that were told to stop.
const LAST_TASKS: Duration = Duration::from_secs(1);

/// The engine cannot start.
#[derive(Debug, thiserror::Error)]
pub enum EngineError {
    /// The profile folder.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// No threads.
    #[error("threads cannot be started: {0}")]
    Threads(#[from] std::io::Error),
}

/// The running engine. Dropping it stops it as [`Engine::shutdown`] does (not inside an async task: it waits).
pub struct Engine {
    inner: Arc<Inner>,
    commands: Option<mpsc::Sender<Command>>,
    demand: Arc<DemandSlot>,
    runtime: Option<Runtime>,
    workers: Vec<JoinHandle<()>>,
}

impl std::fmt::Debug for Engine {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Engine(…)")
    }
}

/// The newest Demand; older ones are overwritten unread. Which studies appear is noted when it is said: an
/// overwritten Demand may have left one out, and then the app has forgotten it.
#[derive(Default)]
struct DemandSlot {
    said: Mutex<Said>,
    changed: Notify,
}

#[derive(Default)]
struct Said {
    newest: Option<Demand>,
    studies: BTreeSet<StudyUid>,
    /// Appeared since the engine looked last.
    fresh: BTreeSet<StudyUid>,
}

impl Said {
    fn say(&mut self, demand: Demand) {
        let studies: BTreeSet<_> = demand.studies.iter().map(|s| s.study.study_uid.clone()).collect();
        self.fresh.extend(studies.difference(&self.studies).cloned());
        self.studies = studies;
        self.newest = Some(demand);
    }
}

impl Engine {
    /// Locks the profile and starts all threads. The first events tell what is needed next
    /// ([`Event::Started`]). Fails where another process holds the profile or no thread can be had.
    pub fn start(config: Config) -> Result<Self, EngineError> {
        crate::vault::tls::install_provider();
        let profile = Profile::acquire(&config.profile_dir)?;
        let decoders = config
            .decoders
            .unwrap_or_else(|| std::thread::available_parallelism().map_or(1, |n| n.get().saturating_sub(1)).max(1));
        let (pool, workers) = Pool::start(decoders)?;
        let runtime = Builder::new_multi_thread().worker_threads(2).thread_name("dokuei-net").enable_all().build()?;
        let (transfer, arrivals) = Transfer::new();
        let inner = Arc::new(Inner::new(config, pool, transfer));
        let (commands, queue) = mpsc::channel(COMMANDS);
        let demand = Arc::new(DemandSlot::default());
        runtime.spawn(control(Arc::clone(&inner), queue, profile));
        runtime.spawn(take_demands(Arc::clone(&inner), Arc::clone(&demand)));
        runtime.spawn(transfer::drive(Arc::clone(&inner)));
        runtime.spawn(transfer::committer(Arc::clone(&inner), arrivals));
        runtime.spawn(drafts::mirror_loop(Arc::clone(&inner)));
        runtime.spawn(outbox::send_loop(Arc::clone(&inner)));
        runtime.spawn(audit::send_loop(Arc::clone(&inner)));
        runtime.spawn(link::follow_loop(Arc::clone(&inner)));
        runtime.spawn(link::tick_loop(Arc::clone(&inner)));
        runtime.spawn(link::lease_loop(Arc::clone(&inner)));
        Ok(Self { inner, commands: Some(commands), demand, runtime: Some(runtime), workers })
    }

    /// Asks for something, once, in order. Not from an async task.
    pub fn send(&self, command: Command) {
        let Some(commands) = &self.commands else { return };
        match commands.try_send(command) {
            Ok(()) | Err(mpsc::error::TrySendError::Closed(_)) => {}
            Err(mpsc::error::TrySendError::Full(command)) => {
                // Nothing that the reader did may be lost; a stopping engine is the only one that takes no more.
                let _stopping = commands.blocking_send(command);
            }
        }
    }

    /// Says what is wanted now; replaces what was said before.
    pub fn demand(&self, demand: Demand) {
        lock(&self.demand.said).say(demand);
        self.demand.changed.notify_one();
    }

    /// Takes at most `max` events that have come. Never waits.
    pub fn drain(&self, max: usize) -> Vec<Event> {
        self.inner.events.drain(max)
    }

    /// Bytes of decoded frames held, for diagnostics.
    pub fn frame_bytes(&self) -> usize {
        self.inner.pictures.frame_bytes()
    }

    /// Stops: no new work, what the store was given is written, threads are joined. Takes at most the time of
    /// [`Timing::shutdown`](super::Timing) and a job that is under way. `false`: a command that was sent before was
    /// given up after that time, or a thread ended badly, so that not all is kept that was to be kept.
    #[must_use]
    pub fn shutdown(mut self) -> bool {
        self.end()
    }

    fn end(&mut self) -> bool {
        let Some(runtime) = self.runtime.take() else { return true };
        let mut whole = true;
        let deadline = Instant::now() + self.inner.config.timing.shutdown;
        // Commands that were sent before are handed out first: the control task ends at the queue's end.
        self.commands = None;
        let control_done = async {
            let mut stop = self.inner.stop.subscribe();
            let _stopped_either_way = stop.wait_for(|s| *s).await;
        };
        let left = deadline.saturating_duration_since(Instant::now());
        runtime.block_on(async {
            if tokio::time::timeout(left, control_done).await.is_err() {
                tracing::warn!("shutdown did not wait for a command under way");
                whole = false;
                self.inner.stop.send_replace(true);
            }
        });
        self.inner.transfer.abort_all();
        self.inner.pool.close();
        for worker in self.workers.drain(..) {
            if worker.join().is_err() {
                tracing::error!("a pool thread ended badly");
                whole = false;
            }
        }
        // Tasks end at their next wait, whatever the line does; what blocks a thread (a name that is looked up, a
        // keyring that asks) has nothing to save.
        let left = deadline.saturating_duration_since(Instant::now());
        runtime.shutdown_timeout(left.clamp(Duration::from_millis(200), LAST_TASKS));
        // The last handle to the store goes; its thread writes what it was given and ends.
        *lock(&self.inner.opened) = None;
        for thread in lock(&self.inner.desk.threads).drain(..) {
            if thread.join().is_err() {
                tracing::error!("the store's thread ended badly");
                whole = false;
            }
        }
        *lock(&self.inner.desk.profile) = None;
        whole
    }
}

impl EngineLink for Engine {
    fn send(&mut self, command: Command) {
        Engine::send(self, command);
    }
    fn demand(&mut self, demand: Demand) {
        Engine::demand(self, demand);
    }
    fn drain(&mut self, max: usize) -> Vec<Event> {
        Engine::drain(self, max)
    }
    fn stop(self: Box<Self>) -> bool {
        self.shutdown()
    }
}

impl Drop for Engine {
    fn drop(&mut self) {
        if !self.end() {
            tracing::warn!("the engine ended before everything was done");
        }
    }
}

/// Takes the newest Demand, again and again.
async fn take_demands(inner: Arc<Inner>, slot: Arc<DemandSlot>) {
    loop {
        tokio::select! {
            () = slot.changed.notified() => {}
            () = inner.stopped() => return,
        }
        let (newest, fresh) = {
            let mut said = lock(&slot.said);
            (said.newest.take(), std::mem::take(&mut said.fresh))
        };
        if let Some(demand) = newest {
            // Studies first: files of the reader's own give way before a picture of that UID is looked for.
            inner.demand_studies(demand.studies.clone(), &fresh);
            inner.demand_pictures(&demand);
            inner.transfer.poke();
        }
    }
}

/// Hands out commands in order. What this terminal can do or answer by itself (disk) is done here, so that its
/// order holds. What needs the center goes on lanes: who is signed in on one, each assignment on one of its own
/// ([`super::lanes`]), worklist and events, drafts, outbox, leases and audit in loops of theirs. Nothing here waits for
/// the network.
async fn control(inner: Arc<Inner>, mut queue: mpsc::Receiver<Command>, profile: Profile) {
    inner.begin(profile).await;
    let (access_lane, mut line) = mpsc::channel::<Command>(COMMANDS);
    let worker = {
        let inner = Arc::clone(&inner);
        tokio::spawn(async move {
            while let Some(command) = line.recv().await {
                tokio::select! {
                    () = access(&inner, command) => {}
                    () = inner.stopped() => return,
                }
            }
        })
    };
    // An archive that does not answer holds up its own line only.
    let (archives, line) = mpsc::channel(COMMANDS);
    let archivist = tokio::spawn(Arc::clone(&inner).keep_archives(line));
    while let Some(command) = queue.recv().await {
        match command {
            Command::Shutdown => break,
            Command::Archive(command) => {
                if archives.send(command).await.is_err() {
                    break;
                }
            }
            Command::SaveDraft(draft) => inner.save_draft(draft).await,
            Command::SaveSetting { name, value } => {
                keep(&inner, move |store| store.put_setting(&name, &value)).await;
            }
            Command::SaveReadingState(state) => match inner.writer() {
                Ok(user) => keep(&inner, move |store| store.put_reading_state(&user, &state)).await,
                Err(failure) => inner.events.push(Event::Notice(failure)),
            },
            Command::Viewed { study } => {
                let record = inner.audit(AuditAction::StudyOpened, AuditOutcome::Success, Some(study.to_string()));
                inner.record(record).await;
            }
            Command::UnlockSecrets { passphrase, create } => inner.unlock_secrets(passphrase, create).await,
            Command::Unlock(password) => inner.unlock(password).await,
            Command::DiscardPrepared(id) => {
                lock(&inner.desk.prepared).remove(&id);
            }
            Command::Sign { prepared, password } => inner.sign(prepared, password).await,
            Command::SendOutbox => inner.send_outbox().await,
            Command::SuspectPatient { assignment, text } => inner.suspect_patient(assignment, text.0).await,
            Command::Prepare { draft, template, assignment, acknowledged, shown, language } => {
                inner.prepare(Wish { draft, template, assignment, acknowledged, shown, language }).await;
            }
            Command::OpenLocal(paths) => {
                let inner = Arc::clone(&inner);
                tokio::spawn(async move { inner.open_local(paths).await });
            }
            Command::Object(ObjectCommand::Read(instance)) => inner.read_object(instance),
            Command::Object(ObjectCommand::Save(wish)) => {
                let inner = Arc::clone(&inner);
                tokio::spawn(async move { inner.save_document(wish).await });
            }
            Command::Object(ObjectCommand::Dress(wish)) => inner.dress(wish),
            Command::RefreshWorklist => inner.link_wake.notify_one(),
            Command::Transition { assignment, transition } => match inner.writer() {
                Ok(user) => inner.errand(assignment, user, Errand::Step(transition)),
                Err(failure) => inner.events.push(Event::TransitionFailed { assignment, failure }),
            },
            Command::RetryOutbox { id } => {
                let inner = Arc::clone(&inner);
                tokio::spawn(async move { inner.retry_outbox(id).await });
            }
            Command::Handing(command) => {
                let inner = Arc::clone(&inner);
                tokio::spawn(async move { inner.handing(command).await });
            }
            Command::LoadDraft { assignment } => inner.load_draft(assignment).await,
            Command::ResolveDraft { assignment, keep_local, left } => {
                inner.resolve_draft(assignment, keep_local, left).await;
            }
            Command::LoadReports { assignment } => {
                if inner.load_kept_reports(&assignment).await {
                    inner.errand(assignment, inner.user(), Errand::Reports);
                }
            }
            other => match access_lane.try_send(other) {
                Ok(()) => {}
                Err(mpsc::error::TrySendError::Full(_)) => {
                    let failure = Failure::Offline("too much waits for the center".to_owned());
                    inner.events.push(Event::Notice(failure));
                }
                Err(mpsc::error::TrySendError::Closed(_)) => break,
            },
        }
    }
    // What is on its way over the network may take long; what is lost is asked again at the next start.
    worker.abort();
    archivist.abort();
    if inner.opened().is_ok() {
        inner.record(inner.audit(AuditAction::ApplicationStop, AuditOutcome::Success, None)).await;
    }
    inner.flush_progress();
    inner.stop.send_replace(true);
}

/// Who is here, in order: a sign-in waits for the sign-out before it.
async fn access(inner: &Arc<Inner>, command: Command) {
    match command {
        Command::Enrol(path) => inner.enrol(path).await,
        Command::SignIn { user, password, otp } => inner.sign_in(user, password, otp).await,
        Command::SignOut => inner.sign_out().await,
        // Done where commands are handed out.
        Command::Shutdown
        | Command::RefreshWorklist
        | Command::Transition { .. }
        | Command::RetryOutbox { .. }
        | Command::LoadDraft { .. }
        | Command::ResolveDraft { .. }
        | Command::LoadReports { .. }
        | Command::SaveDraft(_)
        | Command::SaveSetting { .. }
        | Command::SaveReadingState(_)
        | Command::Viewed { .. }
        | Command::UnlockSecrets { .. }
        | Command::Unlock(_)
        | Command::DiscardPrepared(_)
        | Command::Sign { .. }
        | Command::SendOutbox
        | Command::SuspectPatient { .. }
        | Command::Prepare { .. }
        | Command::Archive(_)
        | Command::Handing(_)
        | Command::Object(_)
        | Command::OpenLocal(_) => {}
    }
}

/// Keeps something small; a failure is told.
async fn keep(
    inner: &Arc<Inner>,
    work: impl FnOnce(&mut crate::store::Store) -> Result<(), StoreError> + Send + 'static,
) {
    let result = match inner.disk() {
        Ok(disk) => disk.call(work).await.map_err(|e| failure_of_store(&e)),
        // Settings before the secrets are open (language on the first screen) cannot be kept yet.
        Err(Failure::NoSecretStore(_)) => Ok(()),
        Err(failure) => Err(failure),
    };
    if let Err(failure) = result {
        inner.events.push(Event::Notice(failure));
    }
}

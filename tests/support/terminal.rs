//! An engine without a window, steered by a test.

use super::process::{DEADLINE, wait_for};
use super::reading_center::{PASSWORD, SharedClock, TestCenter, USER};
use dokuei::center::Patience;
use dokuei::engine::message::{
    Class, Command, Demand, Event, Failure, Prepared, Secret, Start, StudyWanted, Transition,
};
use dokuei::engine::{Budgets, Config, Engine, EngineError, SecretChoice, Timing};
use dokuei::report::{Draft, Receipt, Value, templates};
use dokuei::store::{Faults, NoFaults, StoreError};
use dokuei::study::{Ledger, Study, StudyUid};
use dokuei::vault::secrets::{MemoryStore, PassphraseWork, SecretStore};
use dokuei::worklist::{Assignment, AssignmentState};
use std::collections::{BTreeMap, VecDeque};
use std::sync::{Arc, Condvar, Mutex};
use std::time::{Duration, Instant};

/// A terminal's lasting things: profile folder and secrets. The engine may come and go.
pub struct Terminal {
    /// Profile folder.
    pub profile: tempfile::TempDir,
    /// Secrets.
    pub secrets: Arc<dyn SecretStore>,
    /// Clock.
    pub clock: Arc<SharedClock>,
    /// Write faults.
    pub faults: Arc<dyn Faults>,
    /// Budgets.
    pub budgets: Budgets,
    /// Patience.
    pub timing: Timing,
    /// The passphrase file instead of `secrets`.
    pub passphrase: bool,
}

/// A running engine and what it has told.
pub struct Session {
    engine: Option<Engine>,
    bell: Arc<(Mutex<u64>, Condvar)>,
    seen: VecDeque<Event>,
    /// Newest state by what it is about.
    pub assignments: BTreeMap<String, Arc<Assignment>>,
    /// Ledgers.
    pub ledgers: BTreeMap<StudyUid, (Arc<Ledger>, bool, Option<Failure>)>,
    /// Studies.
    pub studies: BTreeMap<StudyUid, Arc<Study>>,
}

/// Patience for tests: what must fail fails soon, what is tried again is tried soon.
pub fn brisk() -> Timing {
    Timing {
        patience: Patience {
            connect: Duration::from_secs(5),
            stall: Duration::from_secs(2),
            bulk: Duration::from_secs(2),
            events: Duration::from_secs(5),
            backoff: Duration::from_millis(20),
            attempts: 2,
        },
        longest_pause: Duration::from_millis(200),
        tick: Duration::from_millis(100),
        progress: Duration::from_millis(10),
        shutdown: Duration::from_secs(5),
    }
}

impl Terminal {
    /// A fresh terminal on the center's clock.
    pub fn new(center: &TestCenter) -> Self {
        Self::at(center.clock.clone())
    }

    /// A fresh terminal without a center.
    pub fn at(clock: Arc<SharedClock>) -> Self {
        Self {
            profile: tempfile::tempdir().expect("folder"),
            secrets: Arc::new(MemoryStore::new()),
            clock,
            faults: Arc::new(NoFaults),
            budgets: Budgets { frames: 64 << 20, objects: 16 << 20, disk: 1 << 30 },
            timing: brisk(),
            passphrase: false,
        }
    }

    /// Starts the engine.
    pub fn start(&self) -> Session {
        let bell: Arc<(Mutex<u64>, Condvar)> = Arc::default();
        let ring = Arc::clone(&bell);
        let wake = Arc::new(move || {
            *ring.0.lock().expect("bell") += 1;
            ring.1.notify_all();
        });
        let secrets =
            if self.passphrase { SecretChoice::Passphrase } else { SecretChoice::Given(Arc::clone(&self.secrets)) };
        let mut config = Config::new(self.profile.path().join("p"), secrets, self.clock.clone(), wake);
        config.timing = self.timing;
        config.work = PassphraseWork::QUICK;
        config.budgets = self.budgets;
        config.decoders = Some(2);
        config.faults = Arc::clone(&self.faults);
        // A program that another test starts at this moment holds a copy of the lock until it runs.
        let engine = wait_for("the profile's lock", || match Engine::start(config.clone()) {
            Err(EngineError::Store(StoreError::InUse)) => None,
            other => Some(other.expect("engine starts")),
        });
        Session {
            engine: Some(engine),
            bell,
            seen: VecDeque::new(),
            assignments: BTreeMap::new(),
            ledgers: BTreeMap::new(),
            studies: BTreeMap::new(),
        }
    }

    /// Starts the engine, enrols and signs in; gives it with its first worklist.
    pub fn signed_in(&self, center: &TestCenter) -> Session {
        let mut session = self.start();
        session.wait("the start", |e| matches!(e, Event::Started(Start::NotEnrolled)).then_some(()));
        session.send(Command::Enrol(center.enrolment_file()));
        session.wait("enrolment", |e| matches!(e, Event::Started(Start::Ready { .. })).then_some(()));
        session.sign_in(center);
        session
    }
}

/// A secret.
pub fn secret(text: &str) -> Secret {
    Secret(text.to_owned().into())
}

impl Session {
    /// The engine.
    pub fn engine(&self) -> &Engine {
        self.engine.as_ref().expect("running")
    }

    /// Sends a command.
    pub fn send(&self, command: Command) {
        self.engine().send(command);
    }

    fn take(&mut self) -> bool {
        let events = self.engine().drain(1000);
        let any = !events.is_empty();
        for event in events {
            match &event {
                Event::Worklist { assignments, .. } => {
                    self.assignments = assignments.iter().map(|a| (a.id.clone(), Arc::clone(a))).collect();
                }
                Event::Assignment(a) => {
                    self.assignments.insert(a.id.clone(), Arc::clone(a));
                }
                Event::StudyProgress(p) => {
                    self.ledgers.insert(p.study.clone(), (Arc::clone(&p.ledger), p.finished, p.failure.clone()));
                }
                Event::Study(s) => {
                    self.studies.insert(s.uid.clone(), Arc::clone(s));
                }
                _ => {}
            }
            self.seen.push_back(event);
        }
        any
    }

    /// Waits for an event that `pick` takes; events before it are dropped.
    #[track_caller]
    pub fn wait<T>(&mut self, what: &str, mut pick: impl FnMut(&Event) -> Option<T>) -> T {
        let start = Instant::now();
        let mut passed = Vec::new();
        loop {
            let rung = *self.bell.0.lock().expect("bell");
            self.take();
            while let Some(event) = self.seen.pop_front() {
                if let Some(found) = pick(&event) {
                    return found;
                }
                let text = format!("{event:?}");
                passed.push(text.chars().take(160).collect::<String>());
            }
            assert!(start.elapsed() < DEADLINE, "{what}: did not come; came: {passed:#?}");
            let guard = self.bell.0.lock().expect("bell");
            if *guard == rung {
                let _woken = self.bell.1.wait_timeout(guard, Duration::from_millis(200)).expect("bell");
            }
        }
    }

    /// Waits until the collected state holds `holds`.
    #[track_caller]
    pub fn until(&mut self, what: &str, mut holds: impl FnMut(&Self) -> bool) {
        let start = Instant::now();
        while !holds(self) {
            let rung = *self.bell.0.lock().expect("bell");
            if !self.take() {
                assert!(start.elapsed() < DEADLINE, "{what}: not so; ledgers {:?}", self.ledgers);
                let guard = self.bell.0.lock().expect("bell");
                if *guard == rung {
                    let _woken = self.bell.1.wait_timeout(guard, Duration::from_millis(200)).expect("bell");
                }
            }
        }
    }

    /// Signs in and waits for the worklist.
    #[track_caller]
    pub fn sign_in(&mut self, center: &TestCenter) {
        self.send(Command::SignIn { user: USER.into(), password: secret(PASSWORD), otp: secret(&center.otp()) });
        self.wait("sign-in", |e| match e {
            Event::SignedIn(s) => Some(s.clone()),
            Event::SignInFailed(f) => panic!("sign-in failed: {f:?}"),
            _ => None,
        });
        self.wait("worklist", |e| matches!(e, Event::Worklist { .. }).then_some(()));
    }

    /// The one assignment.
    pub fn assignment(&self) -> Arc<Assignment> {
        Arc::clone(self.assignments.values().next().expect("an assignment"))
    }

    /// Wants an assignment's first study, and some frames.
    pub fn want(&self, assignment: &Assignment, frames: Vec<dokuei::study::FrameRef>) {
        let study = assignment.studies[0].clone();
        let studies = vec![StudyWanted { study, class: Class::Visible, paused: false }];
        self.engine().demand(Demand { studies, missing: frames.clone(), frames, thumbnails: Vec::new() });
    }

    /// Waits until a study is wholly here.
    #[track_caller]
    pub fn complete(&mut self, study: &StudyUid) -> Arc<Ledger> {
        self.until("the whole study", |s| s.ledgers.get(study).is_some_and(|(_, finished, _)| *finished));
        Arc::clone(&self.ledgers[study].0)
    }

    /// Starts reading.
    #[track_caller]
    pub fn begin(&mut self, assignment: &str) -> Arc<Assignment> {
        self.send(Command::Transition { assignment: assignment.to_owned(), transition: Transition::Start });
        let id = assignment.to_owned();
        self.wait("start of reading", |e| match e {
            Event::Assignment(a) if a.id == id && a.state == AssignmentState::InProgress => Some(Arc::clone(a)),
            Event::TransitionFailed { failure, .. } => panic!("not started: {failure:?}"),
            _ => None,
        })
    }

    /// A filled draft for an assignment.
    pub fn draft(assignment: &Assignment, revision: u64) -> Draft {
        let template = templates::for_assignment(assignment).expect("a template");
        let mut draft = Draft::new(assignment, &template, &BTreeMap::new());
        for field in template.fields().filter(|f| f.required) {
            draft.fields.insert(field.id.clone(), Value::Text(format!("異常なし {revision}")));
        }
        draft.revision = revision;
        draft
    }

    /// Freezes a draft.
    #[track_caller]
    pub fn prepare(&mut self, assignment: &Arc<Assignment>, draft: Draft) -> Prepared {
        let template = templates::for_assignment(assignment).expect("a template");
        self.send(Command::Prepare {
            draft,
            template,
            assignment: Arc::clone(assignment),
            acknowledged: Vec::new(),
            shown: Vec::new(),
            language: "ja".into(),
        });
        self.wait("the preview", |e| match e {
            Event::Prepared(p) => Some(p.clone()),
            Event::SignFailed(f) => panic!("not prepared: {f:?}"),
            _ => None,
        })
    }

    /// Signs what was prepared.
    #[track_caller]
    pub fn sign(&mut self, prepared: &Prepared) {
        self.send(Command::Sign { prepared: prepared.id, password: secret(PASSWORD) });
        self.wait("the signature", |e| match e {
            Event::Signed { sha256, .. } => Some(sha256.clone()),
            Event::SignFailed(f) => panic!("not signed: {f:?}"),
            _ => None,
        });
    }

    /// Waits for the center's receipt.
    #[track_caller]
    pub fn receipt(&mut self) -> Receipt {
        self.wait("the receipt", |e| match e {
            Event::Receipt(r) => Some(r.clone()),
            _ => None,
        })
    }

    /// Stops the engine; on a machine that is busy with other tests it may have to give something up.
    pub fn stop(self) {
        let _whole = self.end();
    }

    /// Stops the engine; whether it did everything.
    #[must_use]
    pub fn end(mut self) -> bool {
        self.engine.take().expect("running").shutdown()
    }
}

//! What the engine is told at its start.

use crate::center::Patience;
use crate::store::{Faults, NoFaults};
use crate::vault::secrets::{PassphraseWork, SecretStore};
use crate::worklist::clock::Clock;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

/// Where secrets lie.
#[derive(Clone)]
pub enum SecretChoice {
    /// The system's keyring under this profile name. Where there is none, or a passphrase file exists in the
    /// profile, the engine asks ([`Start::NeedsPassphrase`](super::message::Start::NeedsPassphrase)).
    Keyring {
        /// Name of the profile in the keyring.
        profile: String,
    },
    /// The passphrase file of the profile folder, in any case.
    Passphrase,
    /// A store given by the caller (the demo, tests).
    Given(Arc<dyn SecretStore>),
}

impl std::fmt::Debug for SecretChoice {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Keyring { .. } => "Keyring",
            Self::Passphrase => "Passphrase",
            Self::Given(_) => "Given",
        })
    }
}

/// Bytes that may be held.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Budgets {
    /// Decoded frames in memory.
    pub frames: usize,
    /// Opened DICOM objects in memory.
    pub objects: usize,
    /// Instances on disk.
    pub disk: u64,
}

impl Default for Budgets {
    fn default() -> Self {
        Self { frames: 1 << 30, objects: 256 << 20, disk: 100 << 30 }
    }
}

/// How long to wait for what.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Timing {
    /// Patience of the HTTP clients.
    pub patience: Patience,
    /// Longest pause between attempts that go on for ever (link, transfer, outbox, drafts).
    pub longest_pause: Duration,
    /// Between two looks at leases, audit records and the like.
    pub tick: Duration,
    /// Between two progress events of one study.
    pub progress: Duration,
    /// How long shutdown waits for what is under way.
    pub shutdown: Duration,
}

impl Default for Timing {
    fn default() -> Self {
        Self {
            patience: Patience::default(),
            longest_pause: Duration::from_secs(30),
            tick: Duration::from_secs(15),
            progress: Duration::from_millis(100),
            shutdown: Duration::from_secs(5),
        }
    }
}

/// Everything that an engine needs to know.
#[derive(Clone)]
pub struct Config {
    /// The profile folder; made if need be.
    pub profile_dir: PathBuf,
    /// Where secrets lie.
    pub secrets: SecretChoice,
    /// Work of a passphrase or password guess.
    pub work: PassphraseWork,
    /// The clock.
    pub clock: Arc<dyn Clock>,
    /// Called whenever there is a new event, from any thread; must return at once.
    pub wake: Arc<dyn Fn() + Send + Sync>,
    /// Bytes that may be held.
    pub budgets: Budgets,
    /// How long to wait for what.
    pub timing: Timing,
    /// Decoding threads; `None`: available parallelism less one, at least one.
    pub decoders: Option<usize>,
    /// Streams from archives at the same time.
    pub streams: usize,
    /// `RESEARCH` or `CERTIFIED`: part of the signed bytes, set by the packager.
    pub build_class: String,
    /// Asked before each write of the store.
    pub faults: Arc<dyn Faults>,
}

impl Config {
    /// The ordinary settings for a profile folder.
    pub fn new(
        profile_dir: PathBuf,
        secrets: SecretChoice,
        clock: Arc<dyn Clock>,
        wake: Arc<dyn Fn() + Send + Sync>,
    ) -> Self {
        Self {
            profile_dir,
            secrets,
            work: PassphraseWork::STRONG,
            clock,
            wake,
            budgets: Budgets::default(),
            timing: Timing::default(),
            decoders: None,
            streams: 4,
            build_class: "RESEARCH".to_owned(),
            faults: Arc::new(NoFaults),
        }
    }
}

impl std::fmt::Debug for Config {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Config").field("secrets", &self.secrets).field("budgets", &self.budgets).finish_non_exhaustive()
    }
}

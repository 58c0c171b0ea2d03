//! Where a terminal keeps its profile, and commands that work on it without a window.

use super::args::{Cli, Secrets};
use super::driver::{Alarm, Driver, InVain};
use super::password;
use crate::app::{AccessAction, Action, Screen};
use crate::engine::message::{SHORTEST_PASSPHRASE, Secret, Start};
use crate::engine::{Clock as _, Config, Engine, EngineError, SecretChoice, SystemClock};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;
use zeroize::Zeroizing;

/// How long a command waits for one answer of the engine.
pub const LONGEST: Duration = Duration::from_mins(1);

/// It could not be done.
#[derive(Debug, thiserror::Error)]
pub enum ProfileError {
    /// No place for application data, and none given.
    #[error("there is no home folder: name a profile folder with --profile DIR")]
    NoHome,
    /// The engine.
    #[error("the workstation cannot start: {0}")]
    Engine(#[from] EngineError),
    /// The engine gave something up.
    #[error("ended before everything was done: the disk or the secrets store did not answer in time")]
    Unfinished,
    /// No answer.
    #[error(transparent)]
    InVain(#[from] InVain),
    /// Refused, with the reason.
    #[error("{0}")]
    Refused(String),
    /// Standard input or output.
    #[error("terminal: {0}")]
    Terminal(#[from] std::io::Error),
}

/// The profile folder: as given, else the system's place for local application data.
pub fn profile_dir(cli: &Cli) -> Result<PathBuf, ProfileError> {
    if let Some(dir) = &cli.profile {
        return Ok(dir.clone());
    }
    let dirs = directories::ProjectDirs::from("", "", "dokuei").ok_or(ProfileError::NoHome)?;
    Ok(dirs.data_local_dir().join("profile"))
}

/// The choice of the command line, for the engine.
pub fn secrets(choice: Secrets) -> SecretChoice {
    match choice {
        Secrets::Keyring => SecretChoice::Keyring { profile: "default".to_owned() },
        Secrets::Passphrase => SecretChoice::Passphrase,
    }
}

/// Opens the secret store; asks for its passphrase where it has one.
pub fn open_secrets(driver: &mut Driver<Engine>) -> Result<(), ProfileError> {
    match &driver.app.access.start {
        Some(Start::NeedsPassphrase { exists: true, .. }) => {}
        Some(Start::NeedsPassphrase { exists: false, .. }) => {
            let why = "secrets need a passphrase here, and none is set yet: enrol first";
            return Err(ProfileError::Refused(why.to_owned()));
        }
        _ => return Ok(()),
    }
    unlock(driver, password::ask("Passphrase of the secret store")?, false)
}

/// Opens the secret store, or makes one under a new passphrase where that was chosen by name: never by itself.
pub fn open_or_make_secrets(driver: &mut Driver<Engine>, choice: Secrets) -> Result<(), ProfileError> {
    let Some(Start::NeedsPassphrase { reason, exists: false }) = &driver.app.access.start else {
        return open_secrets(driver);
    };
    if choice != Secrets::Passphrase {
        return Err(ProfileError::Refused(format!(
            "this system has no keyring for the keys ({reason}): start one, or keep them in a file under a passphrase of \
             your own with --secrets passphrase"
        )));
    }
    let refused = |why: String| Err(ProfileError::Refused(why));
    let Some(passphrase) = password::ask_new("New passphrase of the secret store")? else {
        return refused("the two passphrases differ: try again".to_owned());
    };
    if passphrase.chars().count() < SHORTEST_PASSPHRASE {
        return refused(format!("the passphrase needs at least {SHORTEST_PASSPHRASE} characters: try a longer one"));
    }
    unlock(driver, passphrase, true)
}

fn unlock(driver: &mut Driver<Engine>, passphrase: Zeroizing<String>, create: bool) -> Result<(), ProfileError> {
    driver.act(Action::Access(AccessAction::Passphrase { passphrase: Secret(passphrase), create }));
    driver.until("the secret store", LONGEST, &mut |_| {}, &mut |app| !app.access.busy)?;
    match (driver.app.screen(), &driver.app.access.failure) {
        (Screen::Passphrase, Some(failure)) => Err(ProfileError::Refused(failure.detail().to_owned())),
        (Screen::Passphrase, None) => Err(ProfileError::Refused("the secret store did not open".to_owned())),
        _ => Ok(()),
    }
}

/// Starts the engine on a profile, does `work` once it has looked at its secrets, and stops it again.
pub fn with_engine<T>(
    profile: &Path,
    choice: Secrets,
    work: impl FnOnce(&mut Driver<Engine>) -> Result<T, ProfileError>,
) -> Result<T, ProfileError> {
    let alarm = Alarm::default();
    let config = Config::new(profile.to_owned(), secrets(choice), Arc::new(SystemClock), alarm.callback());
    let mut driver = Driver::new(Engine::start(config)?, alarm, Box::new(|| SystemClock.now()));
    let started = driver.until("the start", LONGEST, &mut |_| {}, &mut |app| app.screen() != Screen::Starting);
    let done = started.map_err(ProfileError::from).and_then(|()| work(&mut driver));
    if driver.into_engine().shutdown() { done } else { done.and(Err(ProfileError::Unfinished)) }
}

//! `dokuei enrol FILE`, and where a terminal keeps its profile.

use super::args::{Cli, Secrets};
use super::driver::{Alarm, Driver};
use crate::app::{AccessAction, Action, Screen};
use crate::engine::{Clock as _, Config, Engine, EngineError, SecretChoice, SystemClock};
use std::io::Write;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

const LONGEST: Duration = Duration::from_mins(1);

/// The enrolment failed.
#[derive(Debug, thiserror::Error)]
pub enum EnrolError {
    /// No place for application data, and none given.
    #[error("there is no home folder: name a profile folder with --profile DIR")]
    NoHome,
    /// The engine.
    #[error("the workstation cannot start: {0}")]
    Engine(#[from] EngineError),
    /// No answer.
    #[error(transparent)]
    InVain(#[from] super::driver::InVain),
    /// Refused, with the reason.
    #[error("{0}")]
    Refused(String),
    /// Standard output.
    #[error("cannot print: {0}")]
    Print(#[from] std::io::Error),
}

/// The profile folder: as given, else the system's place for local application data.
pub fn profile_dir(cli: &Cli) -> Result<PathBuf, EnrolError> {
    if let Some(dir) = &cli.profile {
        return Ok(dir.clone());
    }
    let dirs = directories::ProjectDirs::from("", "", "dokuei").ok_or(EnrolError::NoHome)?;
    Ok(dirs.data_local_dir().join("profile"))
}

/// The choice of the command line, for the engine.
pub fn secrets(choice: Secrets) -> SecretChoice {
    match choice {
        Secrets::Keyring => SecretChoice::Keyring { profile: "default".to_owned() },
        Secrets::Passphrase => SecretChoice::Passphrase,
    }
}

/// Takes an enrolment file into the profile. `true`: enrolled; sign in with the window next.
pub fn run(profile: &Path, choice: Secrets, file: &Path, out: &mut dyn Write) -> Result<bool, EnrolError> {
    let alarm = Alarm::default();
    let config = Config::new(profile.to_owned(), secrets(choice), Arc::new(SystemClock), alarm.callback());
    let engine = Engine::start(config)?;
    let mut driver = Driver::new(engine, alarm, Box::new(|| SystemClock.now()));
    driver.until("the start", LONGEST, &mut |_| {}, &mut |app| app.screen() != Screen::Starting)?;
    if driver.app.screen() == Screen::Passphrase {
        let why = "secrets need a passphrase here: enrol in the window (drop the file on it)";
        return Err(EnrolError::Refused(why.to_owned()));
    }
    driver.act(Action::Access(AccessAction::Enrol(file.to_owned())));
    driver.until("the enrolment", LONGEST, &mut |_| {}, &mut |app| !app.access.busy)?;
    let enrolled = driver.app.screen() == Screen::SignIn && driver.app.access.failure.is_none();
    let center = driver.app.link.center.clone();
    let failure = driver.app.access.failure.as_ref().map(|f| f.detail().to_owned());
    driver.into_engine().shutdown();
    if let Some(why) = failure {
        return Err(EnrolError::Refused(why));
    }
    writeln!(out, "Enrolled {center}. Start `dokuei` and sign in.")?;
    Ok(enrolled)
}

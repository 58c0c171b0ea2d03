//! `dokuei archive`: credentials for archives beside the center's own, kept in the profile's secret store.

use super::args::{ArchiveArgs, Secrets};
use super::driver::Driver;
use super::password;
use super::profile::{LONGEST, ProfileError, open_secrets, with_engine};
use crate::app::{Action, ArchiveAction};
use crate::engine::Engine;
use crate::engine::message::{ArchiveCa, ArchiveCredentials, ArchiveEvent, Event, Failure, KeptArchive, Secret};
use std::io::Write;
use std::path::Path;

/// Keeps, lists or removes. `false`: there was nothing to remove.
pub fn run(profile: &Path, choice: Secrets, args: &ArchiveArgs, out: &mut dyn Write) -> Result<bool, ProfileError> {
    with_engine(profile, choice, |driver| work(driver, args, out))
}

fn work(driver: &mut Driver<Engine>, args: &ArchiveArgs, out: &mut dyn Write) -> Result<bool, ProfileError> {
    open_secrets(driver)?;
    let kept = list(driver)?;
    let Some(archive) = &args.archive else {
        for entry in &kept {
            print(entry, out)?;
        }
        return Ok(true);
    };
    if args.remove {
        if !kept.iter().any(|k| k.archive == *archive) {
            writeln!(out, "Nothing is kept for {archive}.")?;
            return Ok(false);
        }
        answer(driver, ArchiveAction::Remove(archive.clone()))?;
        writeln!(out, "Nothing is kept for {archive} any more.")?;
        return Ok(true);
    }
    let password = if args.password_stdin {
        password::line(&mut std::io::stdin().lock())?
    } else {
        password::ask(&format!("Password or token for {archive}"))?
    };
    let given = ArchiveCredentials {
        archive: archive.clone(),
        user: args.user.clone().unwrap_or_default(),
        password: Secret(password),
        ca: args.ca.clone().map_or(ArchiveCa::AsKept, ArchiveCa::File),
        trial: None,
    };
    answer(driver, ArchiveAction::Keep(given))?;
    writeln!(out, "The credentials for {archive} are kept. They are tried with the next pictures from there.")?;
    Ok(true)
}

fn list(driver: &mut Driver<Engine>) -> Result<Vec<KeptArchive>, ProfileError> {
    let mut told: Option<Result<Vec<KeptArchive>, Failure>> = None;
    driver.act(Action::Archive(ArchiveAction::List));
    let told_now = std::cell::RefCell::new(&mut told);
    driver.until(
        "the list",
        LONGEST,
        &mut |event| match event {
            Event::Archive(ArchiveEvent::Kept(kept)) => **told_now.borrow_mut() = Some(Ok(kept.clone())),
            Event::Notice(failure) => **told_now.borrow_mut() = Some(Err(failure.clone())),
            _ => {}
        },
        &mut |_| told_now.borrow().is_some(),
    )?;
    let told = told.unwrap_or_else(|| Ok(Vec::new()));
    told.map_err(|failure| ProfileError::Refused(failure.detail().to_owned()))
}

/// Does an action and waits for what came of it.
fn answer(driver: &mut Driver<Engine>, action: ArchiveAction) -> Result<(), ProfileError> {
    let mut told: Option<Result<(), Failure>> = None;
    driver.act(Action::Archive(action));
    let told_now = std::cell::RefCell::new(&mut told);
    driver.until(
        "the secret store",
        LONGEST,
        &mut |event| match event {
            Event::Archive(ArchiveEvent::Saved { .. } | ArchiveEvent::Removed { .. }) => {
                **told_now.borrow_mut() = Some(Ok(()));
            }
            Event::Archive(ArchiveEvent::Failed { failure, .. }) => {
                **told_now.borrow_mut() = Some(Err(failure.clone()));
            }
            _ => {}
        },
        &mut |_| told_now.borrow().is_some(),
    )?;
    told.unwrap_or(Ok(())).map_err(|failure| ProfileError::Refused(failure.detail().to_owned()))
}

fn print(entry: &KeptArchive, out: &mut dyn Write) -> std::io::Result<()> {
    let user = if entry.user.is_empty() { "(token)" } else { &entry.user };
    let origin = entry.origin.as_deref().unwrap_or("not used yet");
    let authority = entry.ca_sha256.as_deref().map_or_else(|| "system".to_owned(), |hex| format!("sha256 {hex}"));
    writeln!(out, "{}  {origin}  {user}  authority: {authority}", entry.archive)
}

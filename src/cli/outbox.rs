//! `dokuei outbox`: what waits on this terminal for the center, and the signed files of what was refused for good.

use super::args::{OutboxArgs, Secrets};
use super::driver::Driver;
use super::profile::{LONGEST, ProfileError, open_secrets, with_engine};
use crate::engine::message::{Command, EngineLink, Event, HandingCommand, HandingEvent, OutboxEntry};
use std::io::Write;
use std::path::Path;

/// Lists or exports. `false`: something in the list needs a person.
pub fn run(profile: &Path, choice: Secrets, args: &OutboxArgs, out: &mut dyn Write) -> Result<bool, ProfileError> {
    with_engine(profile, choice, |driver| {
        open_secrets(driver)?;
        work(driver, args, out)
    })
}

/// The same with an engine whose secrets are open.
pub fn work<E: EngineLink>(
    driver: &mut Driver<E>,
    args: &OutboxArgs,
    out: &mut dyn Write,
) -> Result<bool, ProfileError> {
    match args {
        OutboxArgs::List => {
            let HandingEvent::Listed(entries) = answer(driver, HandingCommand::List)? else { return Ok(false) };
            for entry in &entries {
                print(entry, out)?;
            }
            Ok(entries.iter().all(|e| e.wedged.is_none() || e.handed.is_some()))
        }
        OutboxArgs::Export { id, dir } => {
            let folder = std::path::absolute(dir)?;
            if let HandingEvent::Exported { folder, .. } = answer(driver, HandingCommand::Export { id: *id, folder })? {
                writeln!(out, "The signed files are in {}. They hold patient data.", folder.display())?;
            }
            Ok(true)
        }
    }
}

/// Sends a wish and waits for what came of it.
fn answer<E: EngineLink>(driver: &mut Driver<E>, command: HandingCommand) -> Result<HandingEvent, ProfileError> {
    let told = std::cell::RefCell::new(None);
    driver.send(Command::Handing(command));
    driver.until(
        "the outbox",
        LONGEST,
        &mut |event| {
            if let Event::Handing(event) = event {
                told.borrow_mut().get_or_insert_with(|| event.clone());
            }
        },
        &mut |_| told.borrow().is_some(),
    )?;
    match told.into_inner() {
        Some(HandingEvent::Failed { failure, .. }) => Err(ProfileError::Refused(failure.detail().to_owned())),
        Some(event) => Ok(event),
        None => Err(ProfileError::Refused("no answer came".to_owned())),
    }
}

fn print(entry: &OutboxEntry, out: &mut dyn Write) -> std::io::Result<()> {
    let state = match (&entry.handed, &entry.wedged) {
        (Some(_), _) => "handed over".to_owned(),
        (None, Some(reason)) => format!("REFUSED: {reason}"),
        (None, None) => format!("waiting, {} attempts", entry.attempts),
    };
    writeln!(out, "{}  {}  {}  signed {}  {state}", entry.id, entry.assignment, entry.user, entry.signed_at)
}

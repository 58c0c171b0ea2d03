//! `dokuei enrol FILE`.

use super::args::Secrets;
use super::profile::{LONGEST, ProfileError, open_or_make_secrets, with_engine};
use crate::app::{AccessAction, Action, Screen};
use std::io::Write;
use std::path::Path;

/// Takes an enrolment file into the profile. `true`: enrolled; sign in with the window next.
pub fn run(profile: &Path, choice: Secrets, file: &Path, out: &mut dyn Write) -> Result<bool, ProfileError> {
    with_engine(profile, choice, |driver| {
        open_or_make_secrets(driver, choice)?;
        driver.act(Action::Access(AccessAction::Enrol(file.to_owned())));
        driver.until("the enrolment", LONGEST, &mut |_| {}, &mut |app| !app.access.busy)?;
        if let Some(failure) = &driver.app.access.failure {
            return Err(ProfileError::Refused(failure.detail().to_owned()));
        }
        writeln!(out, "Enrolled {}. Start `dokuei` and sign in.", driver.app.link.center)?;
        Ok(driver.app.screen() == Screen::SignIn)
    })
}

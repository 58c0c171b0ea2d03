//! "Wrong patient suspected" on its way to the center: kept first, then told, then sent until the center has it,
//! before any report of the same reader. However often it is sent, it counts once.

use super::inner::{Inner, failure_of_center, failure_of_store};
use super::lock;
use super::message::{Event, Failure, FlagEntry};
use crate::center::{CenterError, Step};
use crate::store::PatientFlag;
use crate::vault::random::random_id;
use crate::worklist::{Assignment, AssignmentState, AuditAction, AuditOutcome, ReturnReason};
use std::sync::Arc;
use std::time::Duration;

impl Inner {
    /// The reader suspects another patient's pictures.
    pub(super) async fn suspect_patient(&self, assignment: String, text: String) {
        match self.keep_flag(&assignment, text).await {
            Ok(()) => {
                self.tell_flags().await;
                self.audit_wake.notify_one();
                self.outbox_wake.notify_one();
            }
            Err(failure) => self.events.push(Event::FlagFailed { assignment, failure }),
        }
    }

    async fn keep_flag(&self, assignment: &str, text: String) -> Result<(), Failure> {
        let (disk, user) = (self.disk()?, self.writer()?);
        let key = random_id().map_err(|e| Failure::Local(e.to_string()))?;
        let at = self.now();
        let audit = self.audit(AuditAction::SecurityAlert, AuditOutcome::Success, Some(assignment.to_owned()));
        let flag = PatientFlag { assignment: assignment.to_owned(), user, text, key, set_at: at, refused: None };
        disk.call(move |store| store.put_flag(&flag, audit)).await.map_err(|e| failure_of_store(&e))
    }

    /// Tells the reader signed in which flags wait; nobody else's.
    pub(super) async fn tell_flags(&self) {
        let (Ok(disk), Some(session)) = (self.disk(), self.signed_in()) else { return };
        let events = Arc::clone(&self.events);
        let entry = |f: PatientFlag| FlagEntry { assignment: f.assignment, set_at: f.set_at, refused: f.refused };
        // Told from the store's thread: no older state follows a newer one.
        let told = disk.call(move |store| {
            events.push(Event::Flags(store.flags(&session.user)?.into_iter().map(entry).collect()));
            Ok(())
        });
        if let Err(error) = told.await {
            self.events.push(Event::Notice(failure_of_store(&error)));
        }
    }

    /// A person asked: refused flags are tried again too.
    pub(super) async fn unmark_flags(&self) -> Result<(), Failure> {
        let (disk, user) = (self.disk()?, self.writer()?);
        disk.call(move |store| {
            for flag in store.flags(&user)?.iter().filter(|f| f.refused.is_some()) {
                store.mark_flag(&user, &flag.assignment, None)?;
            }
            Ok(())
        })
        .await
        .map_err(|e| failure_of_store(&e))?;
        self.tell_flags().await;
        Ok(())
    }

    /// Sends what waits of this reader; gives how long to wait where something is to be tried again.
    pub(super) async fn send_flags(&self, user: &str) -> Result<Option<Duration>, Failure> {
        let disk = self.disk()?;
        let owner = user.to_owned();
        let flags = disk.call(move |store| store.flags(&owner)).await.map_err(|e| failure_of_store(&e))?;
        for flag in flags.into_iter().filter(|f| f.refused.is_none()) {
            if !self.token_is_of(user) {
                // The session changed meanwhile: it goes when its reader is back.
                return Ok(None);
            }
            let client = self.center_for(user)?.client;
            let step = Step::Return(ReturnReason::WrongPatientSuspected, flag.text.clone());
            let taken = match self.note(client.step_once(&flag.assignment, &step, &flag.key).await) {
                Ok(after) => after,
                Err(error) => match returned_already(&error) {
                    Some(after) => after,
                    None if waits(&error) => return Ok(Some(self.config.timing.longest_pause)),
                    None => {
                        self.flag_refused(&flag, &error).await?;
                        continue;
                    }
                },
            };
            let (kept, owner, id) = (taken.clone(), user.to_owned(), flag.assignment.clone());
            disk.call(move |store| {
                // In this order: a stop between them sends the flag once more, under the same key.
                store.put_assignment(&kept)?;
                store.flag_taken(&owner, &id)
            })
            .await
            .map_err(|e| failure_of_store(&e))?;
            if self.signed_in().is_some_and(|s| s.user == user) {
                self.assignment_changed(taken).await;
                self.tell_flags().await;
            }
        }
        Ok(None)
    }

    async fn flag_refused(&self, flag: &PatientFlag, error: &CenterError) -> Result<(), Failure> {
        let reason = failure_of_center(error).detail().to_owned();
        let (user, id) = (flag.user.clone(), flag.assignment.clone());
        self.disk()?
            .call(move |store| store.mark_flag(&user, &id, Some(&reason)))
            .await
            .map_err(|e| failure_of_store(&e))?;
        self.tell_flags().await;
        Ok(())
    }

    /// Whether this reader's flag stands on an assignment: then nothing is signed for it.
    pub(super) async fn is_flagged(&self, user: &str, assignment: &str) -> Result<bool, Failure> {
        let (user, id) = (user.to_owned(), assignment.to_owned());
        self.disk()?.call(move |store| store.is_flagged(&user, &id)).await.map_err(|e| failure_of_store(&e))
    }

    /// Whether the reader signed in now is this one: others are told nothing of their work.
    pub(super) fn is_present(&self, user: &str) -> bool {
        lock(&self.session).as_ref().is_some_and(|s| s.user == user)
    }
}

/// Worth another attempt by itself.
fn waits(error: &CenterError) -> bool {
    error.worth_retrying()
        || matches!(
            error,
            CenterError::SessionEnded
                | CenterError::OtherReader
                | CenterError::Untrusted(_)
                | CenterError::Secret(_)
                | CenterError::Protocol(_)
        )
}

/// The center has it already: its answer was lost, and so long ago that it forgot the key.
fn returned_already(error: &CenterError) -> Option<Assignment> {
    let CenterError::Refused(problem) = error else { return None };
    let now: Assignment = serde_json::from_value(problem.current()?.clone()).ok()?;
    let said = now.reason.as_deref().is_some_and(|r| r.starts_with("wrong_patient_suspected"));
    (now.state == AssignmentState::Returned && said).then_some(now)
}

//! Sending what was signed, oldest first, exactly once: the same bytes under the same key until the center's
//! receipt is here and verified. The only code that removes an entry.

use super::inner::{Inner, failure_of_center, failure_of_store};
use super::lock;
use super::message::{Event, Failure};
use crate::center::contract::ProblemType;
use crate::center::{CenterError, Part, Step, Submission};
use crate::report::Receipt;
use crate::report::manifest::canonical;
use crate::store::OutboxRow;
use crate::vault::signature::{Expected, Policy};
use crate::worklist::{AuditAction, AuditOutcome};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use jiff::{SignedDuration, Timestamp};
use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

/// What became of an attempt.
enum Outcome {
    Accepted(Box<Receipt>),
    /// Worth another attempt; `true` where the center cannot be reached, so that nothing else can go either.
    Retry(Failure, bool),
    Wedged(String),
}

/// One look through the outbox: an entry that fails holds only what follows it in its own assignment.
#[derive(Default)]
struct Round {
    /// Assignments of which an earlier entry is still here.
    held: BTreeSet<String>,
    /// The shortest time until something is to be tried again.
    wait: Option<Duration>,
}

impl Round {
    fn may_go(&mut self, row: &OutboxRow) -> bool {
        if row.wedged.is_some() {
            self.held.insert(row.package.assignment.clone());
        }
        !self.held.contains(&row.package.assignment)
    }

    fn later(&mut self, assignment: &str, wait: Duration) {
        self.held.insert(assignment.to_owned());
        self.wait = Some(self.wait.map_or(wait, |w| w.min(wait)));
    }
}

impl Inner {
    /// Tells the reader signed in what waits of theirs; what waits of others is none of their business.
    pub(super) async fn tell_outbox(&self) {
        let (Ok(disk), Some(session)) = (self.disk(), self.signed_in()) else { return };
        let events = Arc::clone(&self.events);
        // Told from the store's thread: no older state follows a newer one.
        let told = disk.call(move |store| {
            let (waiting, handed) = (store.outbox()?, store.handed_over()?);
            let rows = waiting.into_iter().chain(handed).filter(|row| row.package.user == session.user);
            events.push(Event::Outbox(rows.map(super::handing::entry).collect()));
            Ok(())
        });
        if let Err(error) = told.await {
            self.events.push(Event::Notice(failure_of_store(&error)));
        }
    }

    /// A person asked: wedged entries are tried again too.
    pub(super) async fn send_outbox(&self) {
        let Ok(disk) = self.disk() else { return };
        let Ok(user) = self.writer() else { return };
        let mine = disk.call(move |store| {
            let rows = store.outbox()?;
            let mine = rows.into_iter().filter(|r| r.package.user == user);
            mine.map(|r| r.id).try_for_each(|id| store.outbox_unwedge(id))
        });
        if let Err(error) = mine.await {
            self.events.push(Event::Notice(failure_of_store(&error)));
        }
        if let Err(failure) = self.unmark_flags().await {
            self.events.push(Event::Notice(failure));
        }
        self.tell_outbox().await;
        self.outbox_wake.notify_one();
    }

    /// A person asked for one refused entry: whoever holds the assignment may take its lease back.
    pub(super) async fn retry_outbox(&self, id: i64) {
        let (Ok(disk), Ok(user)) = (self.disk(), self.writer()) else { return };
        let found = disk.call(move |store| {
            let rows = store.outbox()?.into_iter().chain(store.handed_over()?);
            let row = rows.into_iter().find(|r| r.id == id && r.package.user == user);
            Ok(row.map(|r| r.package))
        });
        match found.await {
            Ok(Some(package)) => {
                // The first version needs the assignment to be this reader's; what follows it does not.
                if package.predecessor.is_none()
                    && let Err(error) = self.take_back(&package.user, &package.assignment).await
                {
                    tracing::info!(%error, "the lease of signed work could not be taken back");
                }
            }
            Ok(None) => return,
            Err(error) => self.events.push(Event::Notice(failure_of_store(&error))),
        }
        // Only now: an attempt before would go under the lease that is lost.
        if let Err(error) = disk.call(move |store| store.outbox_unwedge(id)).await {
            self.events.push(Event::Notice(failure_of_store(&error)));
        }
        self.tell_outbox().await;
        self.outbox_wake.notify_one();
    }

    async fn take_back(&self, user: &str, assignment: &str) -> Result<(), CenterError> {
        self.reread_assignment(assignment).await?;
        let open = lock(&self.assignments).get(assignment).is_some_and(|a| a.state.open());
        if open {
            let center = self.center_for(user).map_err(|_| CenterError::SessionEnded)?;
            let after = self.note(center.client.step(assignment, &Step::Start).await)?;
            self.assignment_changed(after).await;
        }
        Ok(())
    }

    async fn attempt(&self, row: &OutboxRow) -> Outcome {
        let package = &row.package;
        let center = match self.center_for(&package.user) {
            Ok(center) => center,
            Err(failure) => return Outcome::Retry(failure, true),
        };
        // A lease that was renewed or obtained anew since counts; the signed bytes stay the same.
        let lease =
            lock(&self.assignments).get(&package.assignment).and_then(|a| a.lease.as_ref().map(|l| l.id.clone()));
        let lease = lease.or_else(|| package.lease.clone());
        let submission = Submission {
            assignment: &package.assignment,
            report: package.predecessor.as_ref().map(|p| p.report_id.as_str()),
            lease: lease.as_deref(),
            report_json: &package.report_json,
            sha256: &package.sha256,
            signature: &package.signature,
            attachments: package
                .attachments
                .iter()
                .map(|a| Part { name: &a.name, media_type: &a.media_type, bytes: &a.bytes })
                .collect(),
        };
        match self.note(center.client.submit(&submission).await) {
            Ok(receipt) => match verify_receipt(&receipt, row, &center.roots, self.now()) {
                Ok(()) => Outcome::Accepted(Box::new(receipt)),
                Err(reason) => Outcome::Wedged(reason),
            },
            Err(error)
                if error.worth_retrying() || matches!(error, CenterError::SessionEnded | CenterError::OtherReader) =>
            {
                let line = matches!(
                    error,
                    CenterError::Offline(_)
                        | CenterError::Untrusted(_)
                        | CenterError::SessionEnded
                        | CenterError::OtherReader
                );
                Outcome::Retry(failure_of_center(&error), line)
            }
            Err(CenterError::Secret(detail)) => Outcome::Retry(Failure::Local(detail), false),
            // The receipt was cut or spoiled on the way: the same request gives it again.
            Err(CenterError::Protocol(detail)) => Outcome::Retry(Failure::Corrupt(detail), false),
            Err(error) => {
                let failure = failure_of_center(&error);
                let kind = error.problem_type().map_or("", ProblemType::slug);
                Outcome::Wedged(format!("{} [{kind}]", failure.detail()))
            }
        }
    }

    /// One look at the outbox; gives how long to sleep where something is to be tried again.
    async fn work_outbox(&self) -> Result<Option<Duration>, Failure> {
        let Some(user) = lock(&self.token_user).as_ref().map(|s| s.user.clone()) else { return Ok(None) };
        let disk = self.disk()?;
        let rows = disk.call(|store| store.outbox()).await.map_err(|e| failure_of_store(&e))?;
        let now = self.now();
        let mut round = Round { wait: self.send_flags(&user).await?, ..Round::default() };
        for row in rows.iter().filter(|r| r.package.user == user) {
            // The session changed meanwhile: the rest goes when its reader is back, under nobody else's name.
            if !self.token_is_of(&user) {
                return Ok(None);
            }
            if !round.may_go(row) {
                continue;
            }
            let (id, assignment) = (row.id, row.package.assignment.clone());
            match self.attempt(row).await {
                Outcome::Accepted(receipt) => {
                    let audit =
                        self.audit(AuditAction::ReportSubmitted, AuditOutcome::Success, Some(assignment.clone()));
                    let audit = crate::store::NewAudit { user: row.package.user.clone(), ..audit };
                    let kept = (*receipt).clone();
                    let (owner, answered) = (row.package.user.clone(), assignment.clone());
                    disk.call(move |store| {
                        store.outbox_accepted(id, &kept, audit)?;
                        // Where this fails they only stay longer, sealed.
                        if let Err(error) = store.forget_left_drafts(&owner, &answered) {
                            tracing::warn!(id, %error, "drafts that were not chosen are left as they are");
                        }
                        Ok(())
                    })
                    .await
                    .map_err(|e| failure_of_store(&e))?;
                    // Before anybody is signed in it is a fact for the program, which shows it to nobody.
                    if self.is_present(&user) || self.signed_in().is_none() {
                        self.events.push(Event::Receipt(*receipt));
                    }
                    self.tell_outbox().await;
                    self.audit_wake.notify_one();
                    if let Err(error) = self.reread_assignment(&assignment).await {
                        tracing::debug!(%error, "the submitted assignment was not read anew");
                    }
                }
                Outcome::Retry(failure, line_down) => {
                    tracing::info!(id, "a report waits for another attempt");
                    let patience = self.config.timing.patience;
                    let wait = patience.pause(row.attempts + 1).min(self.config.timing.longest_pause);
                    // Whole seconds on disk; the sleep itself is the exact one.
                    let next = now.saturating_add(SignedDuration::try_from(wait).unwrap_or_default()).unwrap_or(now);
                    disk.call(move |store| store.outbox_retry(id, next)).await.map_err(|e| failure_of_store(&e))?;
                    self.tell_outbox().await;
                    if self.is_present(&user) && !matches!(failure, Failure::Offline(_)) {
                        self.events.push(Event::Notice(failure));
                    }
                    round.later(&assignment, wait);
                    if line_down {
                        break;
                    }
                }
                Outcome::Wedged(reason) => {
                    round.held.insert(assignment.clone());
                    let told = reason.clone();
                    disk.call(move |store| store.outbox_wedged(id, &reason)).await.map_err(|e| failure_of_store(&e))?;
                    if self.is_present(&user) {
                        self.events.push(Event::Notice(Failure::Rejected(told)));
                    }
                    self.tell_outbox().await;
                    if let Err(error) = self.reread_assignment(&assignment).await {
                        tracing::debug!(%error, "the refused assignment was not read anew");
                    }
                }
            }
        }
        Ok(round.wait)
    }
}

/// Whether a receipt is the center's word for exactly this report.
fn verify_receipt(receipt: &Receipt, row: &OutboxRow, roots: &[Vec<u8>], at: Timestamp) -> Result<(), String> {
    let package = &row.package;
    if receipt.sha256 != package.sha256 || receipt.assignment_id != package.assignment || receipt.signer != package.user
    {
        return Err("the center's receipt is for another report".to_owned());
    }
    check_receipt_signature(receipt, roots, at)
}

/// Whether the center signed this receipt.
pub(super) fn check_receipt_signature(receipt: &Receipt, roots: &[Vec<u8>], at: Timestamp) -> Result<(), String> {
    let signature =
        STANDARD.decode(&receipt.signature).map_err(|_| "the receipt's signature is no base64".to_owned())?;
    let mut value = serde_json::to_value(receipt).map_err(|e| e.to_string())?;
    if let Some(object) = value.as_object_mut() {
        object.remove("signature");
    }
    let signed = canonical(&value).map_err(|e| e.to_string())?;
    let check = Policy { roots, revoked: &[], at, expected: Expected::Center }.verify(&signed, &signature);
    if check.verdict.is_valid() {
        Ok(())
    } else {
        Err(format!("the center's receipt does not verify: {} ({})", check.verdict, check.detail))
    }
}

/// Sends until the engine stops; begins by itself with what a former run left.
pub(super) async fn send_loop(inner: Arc<Inner>) {
    loop {
        let pause = match inner.while_reader_stays(inner.work_outbox()).await {
            Some(Ok(pause)) => pause,
            Some(Err(Failure::NoSecretStore(_))) => None,
            // What waits goes when its reader is back. An entry may have gone at this very moment, its word cut off: what
            // is so now is told, after whatever the store was still given.
            None => {
                inner.tell_outbox().await;
                continue;
            }
            Some(Err(failure)) => {
                inner.events.push(Event::Notice(failure));
                Some(inner.config.timing.longest_pause)
            }
        };
        let wait = async {
            match pause {
                Some(pause) => tokio::time::sleep(pause).await,
                None => std::future::pending().await,
            }
        };
        tokio::select! {
            () = inner.outbox_wake.notified() => {}
            () = wait => {}
            () = inner.stopped() => return,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::Package;

    fn row(id: i64, assignment: &str, wedged: bool) -> OutboxRow {
        let package = Package {
            assignment: assignment.into(),
            user: "dr".into(),
            lease: None,
            predecessor: None,
            revision: 1,
            signed_at: Timestamp::UNIX_EPOCH,
            sha256: "ab".into(),
            report_json: vec![],
            signature: vec![],
            attachments: vec![],
        };
        let wedged = wedged.then(|| "refused".to_owned());
        OutboxRow { id, package, attempts: 0, next_at: Timestamp::UNIX_EPOCH, wedged, handed: None }
    }

    #[test]
    fn an_entry_that_fails_holds_its_own_assignment_only() {
        let mut round = Round::default();
        assert!(round.may_go(&row(1, "a", false)));
        round.later("a", Duration::from_secs(9));
        assert!(round.may_go(&row(2, "b", false)), "another assignment goes on");
        round.later("b", Duration::from_secs(4));
        assert!(!round.may_go(&row(3, "a", false)), "order within one assignment");
        assert!(!round.may_go(&row(4, "c", true)) && !round.may_go(&row(5, "c", false)));
        assert!(round.may_go(&row(6, "d", false)));
        assert_eq!(round.wait, Some(Duration::from_secs(4)));
    }
}

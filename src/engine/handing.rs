//! Signed reports that the center refused for good: their files, exactly as they were submitted, for a person to hand
//! over; and the entry closed with a reason. Nothing signed is ever deleted here.

use super::export::{Staged, blocking, plain};
use super::inner::{Inner, failure_of_store};
use super::message::{Event, Failure, HandingCommand, HandingEvent, OutboxEntry};
use crate::center::contract::{PART_REPORT, PART_SIGNATURE};
use crate::store::OutboxRow;
use crate::vault::ca::{certificates_from_pem, pem};
use crate::vault::signature::verify_detached;
use crate::worklist::{AuditAction, AuditOutcome};
use serde::Serialize;
use std::path::PathBuf;
use std::sync::Arc;

/// Certificates of the signer, PEM, the reader's own first.
const SIGNER_FILE: &str = "signer.pem";
/// The center's root, PEM.
const CA_FILE: &str = "ca.pem";
/// How it was submitted, and what the center said.
const SUBMISSION_FILE: &str = "submission.json";

/// `submission.json`: ids and times only.
#[derive(Serialize)]
struct SubmissionNote<'a> {
    assignment_id: &'a str,
    signer: &'a str,
    signed_at: jiff::Timestamp,
    /// Also the idempotency key.
    sha256: &'a str,
    lease_id: Option<&'a str>,
    predecessor: Option<&'a crate::report::Predecessor>,
    attempts: u32,
    refused: Option<&'a str>,
}

/// As the reader sees it.
pub(super) fn entry(row: OutboxRow) -> OutboxEntry {
    OutboxEntry {
        id: row.id,
        assignment: row.package.assignment,
        user: row.package.user,
        sha256: row.package.sha256,
        signed_at: row.package.signed_at,
        attempts: row.attempts,
        wedged: row.wedged,
        handed: row.handed,
    }
}

impl Inner {
    pub(super) async fn handing(&self, command: HandingCommand) {
        let (id, done) = match command {
            HandingCommand::List => (None, self.list_all().await.map(HandingEvent::Listed)),
            HandingCommand::Export { id, folder } => {
                (Some(id), self.export_signed(id, folder).await.map(|folder| HandingEvent::Exported { id, folder }))
            }
            HandingCommand::HandOver { id, reason } => {
                (Some(id), self.hand_over(id, reason).await.map(|()| HandingEvent::HandedOver { id }))
            }
        };
        self.events.push(Event::Handing(done.unwrap_or_else(|failure| HandingEvent::Failed { id, failure })));
        if id.is_some() {
            self.tell_outbox().await;
        }
    }

    /// Everything of the reader signed in; where nobody is, of whoever can open this profile.
    async fn rows(&self) -> Result<Vec<OutboxRow>, Failure> {
        let mine = self.signed_in().map(|s| s.user);
        let rows = self.disk()?.call(|store| Ok((store.outbox()?, store.handed_over()?))).await;
        let (waiting, handed) = rows.map_err(|e| failure_of_store(&e))?;
        let of_reader = |row: &OutboxRow| mine.as_ref().is_none_or(|user| *user == row.package.user);
        Ok(waiting.into_iter().chain(handed).filter(of_reader).collect())
    }

    async fn list_all(&self) -> Result<Vec<OutboxEntry>, Failure> {
        Ok(self.rows().await?.into_iter().map(entry).collect())
    }

    async fn row(&self, id: i64) -> Result<OutboxRow, Failure> {
        let found = self.rows().await?.into_iter().find(|row| row.id == id);
        found.ok_or_else(|| Failure::Local(format!("there is no outbox entry {id}")))
    }

    async fn hand_over(&self, id: i64, reason: String) -> Result<(), Failure> {
        let reason = reason.trim().to_owned();
        if reason.is_empty() {
            return Err(Failure::Local("a reason is needed".to_owned()));
        }
        let row = self.row(id).await?;
        let audit = self.audit(AuditAction::ReportHandedOver, AuditOutcome::Success, Some(row.package.assignment));
        let kept = self.disk()?.call(move |store| store.hand_over(id, &reason, audit)).await;
        kept.map_err(|e| failure_of_store(&e))?;
        self.audit_wake.notify_one();
        Ok(())
    }

    /// Files on their way out are recorded before they have their name: no export without its record.
    async fn export_signed(&self, id: i64, folder: PathBuf) -> Result<PathBuf, Failure> {
        if !folder.is_absolute() {
            return Err(Failure::Local("the folder must be named by its whole path".to_owned()));
        }
        let row = self.row(id).await?;
        if row.wedged.is_none() {
            return Err(Failure::Conflict("it was not refused: it is sent by itself".to_owned()));
        }
        let files = self.signed_files(&row).await?;
        let assignment = row.package.assignment.clone();
        if !plain(&assignment) || files.iter().any(|(name, _)| !plain(name)) {
            return Err(Failure::Corrupt("a name in the signed package is no file name".to_owned()));
        }
        let name = match &row.package.predecessor {
            None => assignment.clone(),
            Some(before) => format!("{assignment}-v{}", before.version.saturating_add(1)),
        };
        let faults = Arc::clone(&self.config.faults);
        let staged = blocking(move || Staged::write(&folder, &name, &files, faults)).await?;
        let audit = |outcome| self.audit(AuditAction::ReportExported, outcome, Some(row.package.assignment.clone()));
        let success = audit(AuditOutcome::Success);
        self.disk()?.call(move |store| store.record(success)).await.map_err(|e| failure_of_store(&e))?;
        let done = blocking(move || staged.finish()).await;
        if done.is_err() {
            self.record(audit(AuditOutcome::MinorFailure)).await;
        }
        self.audit_wake.notify_one();
        done
    }

    /// The parts of the submission and what judging them needs.
    async fn signed_files(&self, row: &OutboxRow) -> Result<Vec<(String, Vec<u8>)>, Failure> {
        let (package, center) = (&row.package, self.center()?);
        let note = SubmissionNote {
            assignment_id: &package.assignment,
            signer: &package.user,
            signed_at: package.signed_at,
            sha256: &package.sha256,
            lease_id: package.lease.as_deref(),
            predecessor: package.predecessor.as_ref(),
            attempts: row.attempts,
            refused: row.wedged.as_deref(),
        };
        let note = serde_json::to_vec_pretty(&note).map_err(|e| Failure::Local(e.to_string()))?;
        let mut files = vec![
            (PART_REPORT.to_owned(), package.report_json.clone()),
            (PART_SIGNATURE.to_owned(), package.signature.clone()),
            (CA_FILE.to_owned(), center.enrolment.ca_certificate.clone().into_bytes()),
            (SUBMISSION_FILE.to_owned(), note),
        ];
        // The certificate lies in the signature; the chain kept here is added where it is that certificate's.
        let check = verify_detached(&package.report_json, &package.signature, &center.roots, self.now());
        if let Some(signer) = check.signer {
            let kept = self.certificate(&package.user).await?.map(|c| c.chain).unwrap_or_default();
            let own = certificates_from_pem(&kept).unwrap_or_default().first() == Some(&signer.certificate);
            let chain = if own { kept } else { pem("CERTIFICATE", &signer.certificate) };
            files.push((SIGNER_FILE.to_owned(), chain.into_bytes()));
        }
        for attachment in &package.attachments {
            if files.iter().any(|(name, _)| *name == attachment.name) {
                return Err(Failure::Corrupt("an attachment has the name of another file".to_owned()));
            }
            files.push((attachment.name.clone(), attachment.bytes.clone()));
        }
        Ok(files)
    }
}

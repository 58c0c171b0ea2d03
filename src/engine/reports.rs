//! Reports for reading: what this terminal signed and what the center holds, each verified just now.

use super::inner::{Inner, failure_of_center, failure_of_store};
use super::lock;
use super::message::{Event, Failure, ReportOnFile};
use super::outbox::check_receipt_signature;
use crate::center::CenterClient;
use crate::center::contract::{PART_REPORT, PART_SIGNATURE, ReportVersion};
use crate::report::Receipt;
use crate::report::manifest::{self, REPORT_HTML};
use crate::vault::digest::sha256_hex;
use crate::vault::signature::{Expected, Policy};

/// The parts of a report to be judged.
struct Parts<'a> {
    report_json: Vec<u8>,
    signature: &'a [u8],
    html: Vec<u8>,
    /// Every file, where all of them are at hand.
    files: Vec<(&'a str, &'a [u8])>,
}

impl Inner {
    /// Tells what this terminal holds; true where the center may hold more.
    pub(super) async fn load_kept_reports(&self, assignment: &str) -> bool {
        let more = self.report_at_center(assignment).is_some();
        match self.kept_reports(assignment).await {
            Ok(reports) if reports.is_empty() && more => {}
            Ok(mut reports) => {
                reports.sort_by_key(|r| r.version);
                self.events.push(Event::Reports { assignment: assignment.to_owned(), reports });
            }
            Err(failure) => {
                self.events.push(Event::Notice(failure));
                return false;
            }
        }
        more
    }

    /// Id of the report at the center, where there is a session to ask for it.
    fn report_at_center(&self, assignment: &str) -> Option<String> {
        let known = lock(&self.assignments).get(assignment).and_then(|a| a.report_id.clone());
        known.filter(|_| lock(&self.token_user).is_some())
    }

    /// Tells what this terminal and the center hold.
    pub(super) async fn load_reports(&self, assignment: String) {
        match self.reports(&assignment).await {
            Ok(reports) => self.events.push(Event::Reports { assignment, reports }),
            Err(failure) => self.events.push(Event::Notice(failure)),
        }
    }

    async fn kept_reports(&self, assignment: &str) -> Result<Vec<ReportOnFile>, Failure> {
        let disk = self.disk()?;
        let id = assignment.to_owned();
        let signed = disk.call(move |store| store.signed(&id)).await.map_err(|e| failure_of_store(&e))?;
        let mut out = Vec::new();
        // What another reader signed on this terminal comes from the center, or not at all.
        let reader = self.writer()?;
        for row in signed.iter().filter(|row| row.package.user == reader) {
            let package = &row.package;
            let html = package.attachments.iter().find(|a| a.name == REPORT_HTML);
            let parts = Parts {
                report_json: package.report_json.clone(),
                signature: &package.signature,
                html: html.map(|a| a.bytes.clone()).unwrap_or_default(),
                files: package.attachments.iter().map(|a| (a.name.as_str(), a.bytes.as_slice())).collect(),
            };
            let version = package.predecessor.as_ref().map_or(1, |p| p.version + 1);
            out.push(self.judged(parts, version, &package.user, row.receipt.clone())?);
        }
        Ok(out)
    }

    async fn reports(&self, assignment: &str) -> Result<Vec<ReportOnFile>, Failure> {
        let mut out = self.kept_reports(assignment).await?;
        if let Some(report_id) = self.report_at_center(assignment) {
            let client = self.center_for(&self.user())?.client;
            let remote = self.note(client.report(&report_id).await);
            match remote {
                Ok(report) => {
                    for version in &report.versions {
                        if !out.iter().any(|r| r.sha256 == version.sha256) {
                            out.push(self.remote(&client, &report_id, version).await?);
                        }
                    }
                }
                // What is here is shown; the rest comes when the center can be reached.
                Err(error) if !out.is_empty() && error.worth_retrying() => {}
                Err(error) => return Err(failure_of_center(&error)),
            }
        }
        out.sort_by_key(|r| r.version);
        Ok(out)
    }

    async fn remote(
        &self,
        client: &CenterClient,
        report: &str,
        version: &ReportVersion,
    ) -> Result<ReportOnFile, Failure> {
        let fetch = async |name: &str| {
            let file = self.note(client.version_file(report, version.version, name).await);
            file.map_err(|e| failure_of_center(&e))
        };
        let report_json = fetch(PART_REPORT).await?;
        let signature = fetch(PART_SIGNATURE).await?;
        let mut files = Vec::new();
        for attachment in &version.attachments {
            files.push((attachment.name.clone(), fetch(&attachment.name).await?));
        }
        let html = files.iter().find(|(name, _)| name == REPORT_HTML).map(|(_, b)| b.clone()).unwrap_or_default();
        let parts = Parts {
            report_json,
            signature: &signature,
            html,
            files: files.iter().map(|(n, b)| (n.as_str(), b.as_slice())).collect(),
        };
        self.judged(parts, version.version, &version.signer, Some(version.receipt.clone()))
    }

    /// Signature, attachments and receipt, checked now; every fault shows in the verdict.
    fn judged(
        &self,
        parts: Parts<'_>,
        version: u32,
        signer: &str,
        receipt: Option<Receipt>,
    ) -> Result<ReportOnFile, Failure> {
        let center = self.center()?;
        let now = self.now();
        let at = receipt.as_ref().map_or(now, |r| r.received_at);
        let policy = Policy { roots: &center.roots, revoked: &[], at, expected: Expected::Reader(signer) };
        let check = policy.verify(&parts.report_json, parts.signature);
        let sha256 = sha256_hex(&parts.report_json);
        let mut valid = check.verdict.is_valid();
        let mut verdict = check.verdict.code().to_owned();
        if valid && let Err(error) = manifest::check(&parts.report_json, &parts.files) {
            valid = false;
            verdict = format!("MODIFIED: {error}");
        }
        if valid && let Some(receipt) = &receipt {
            let fits = receipt.sha256 == sha256;
            let signed = check_receipt_signature(receipt, &center.roots, now);
            if let Err(reason) =
                signed.and_then(|()| if fits { Ok(()) } else { Err("the receipt is for other bytes".into()) })
            {
                valid = false;
                verdict = format!("RECEIPT: {reason}");
            }
        }
        Ok(ReportOnFile {
            report_id: receipt.as_ref().map(|r| r.report_id.clone()).unwrap_or_default(),
            version,
            sha256,
            report_json: parts.report_json.into(),
            html: String::from_utf8_lossy(&parts.html).into_owned().into(),
            verdict,
            valid,
            receipt,
        })
    }
}

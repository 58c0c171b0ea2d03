//! Drafts, submissions and reports at the center.

use super::CenterError;
use super::assignments::safe_id;
use super::client::{Call, CenterClient, capped, json};
use super::contract::{
    DraftEnvelope, DraftPut, PART_REPORT, PART_SIGNATURE, ProblemType, Report, ReportList, headers, paths,
};
use crate::report::Receipt;
use crate::study::StudyUid;
use reqwest::Method;

/// Largest file of a report that is read.
const MAX_FILE_BYTES: usize = 64 * 1024 * 1024;

/// What became of a draft that was sent.
#[derive(Debug, Clone, PartialEq)]
pub enum DraftSent {
    /// The center has it under this ETag.
    Kept(String),
    /// The center holds another version than the one we built on.
    Conflict(Box<DraftEnvelope>),
}

/// One part of a submission.
#[derive(Clone, Copy)]
pub struct Part<'a> {
    /// Name, as `report.json` gives it.
    pub name: &'a str,
    /// Media type.
    pub media_type: &'a str,
    /// Bytes.
    pub bytes: &'a [u8],
}

/// A signed report on its way. The bytes are the caller's; they are sent as they are.
#[derive(Clone)]
pub struct Submission<'a> {
    /// Assignment answered.
    pub assignment: &'a str,
    /// Report that a version is added to; `None` for the first version.
    pub report: Option<&'a str>,
    /// Lease.
    pub lease: Option<&'a str>,
    /// The signed bytes.
    pub report_json: &'a [u8],
    /// Their SHA-256 (hex): the idempotency key.
    pub sha256: &'a str,
    /// Detached CMS.
    pub signature: &'a [u8],
    /// Attachments.
    pub attachments: Vec<Part<'a>>,
}

/// The body: byte for byte the same for the same report, so that a repetition is recognised.
fn body(submission: &Submission<'_>) -> (String, Vec<u8>) {
    let boundary = format!("dokuei-{}", submission.sha256);
    let mut out = Vec::new();
    let mut part = |name: &str, media_type: &str, bytes: &[u8]| {
        out.extend_from_slice(
            format!(
                "--{boundary}\r\nContent-Type: {media_type}\r\nContent-Length: {}\r\nContent-ID: <{name}>\r\n\
                 Content-Location: {name}\r\n\r\n",
                bytes.len()
            )
            .as_bytes(),
        );
        out.extend_from_slice(bytes);
        out.extend_from_slice(b"\r\n");
    };
    part(PART_REPORT, "application/json", submission.report_json);
    part(PART_SIGNATURE, "application/pkcs7-signature", submission.signature);
    for attachment in &submission.attachments {
        part(attachment.name, attachment.media_type, attachment.bytes);
    }
    out.extend_from_slice(format!("--{boundary}--\r\n").as_bytes());
    (format!("multipart/related; type=\"application/json\"; start=\"<{PART_REPORT}>\"; boundary={boundary}"), out)
}

impl CenterClient {
    /// The center's copy of a draft; `None` where it has none.
    pub async fn draft(&self, assignment: &str) -> Result<Option<DraftEnvelope>, CenterError> {
        match self.json(&Call::get(paths::draft(safe_id(assignment)?))).await {
            Ok(envelope) => Ok(Some(envelope)),
            Err(error) if error.problem_type() == Some(ProblemType::NotFound) => Ok(None),
            Err(CenterError::Status(404)) => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// Sends a draft that builds on the center's version `etag` (`None`: the center has none yet).
    pub async fn put_draft(
        &self,
        assignment: &str,
        draft: serde_json::Value,
        etag: Option<&str>,
    ) -> Result<DraftSent, CenterError> {
        let call = Call::new(Method::PUT, paths::draft(safe_id(assignment)?)).json(&DraftPut { draft })?;
        let call = match etag {
            Some(etag) => call.header("if-match", &format!("\"{etag}\""))?,
            None => call.header("if-none-match", "*")?,
        };
        let answer = match self.send(&call).await {
            Ok(answer) => json::<DraftEnvelope>(answer).await?,
            Err(CenterError::Refused(problem)) if problem.problem_type() == Some(ProblemType::VersionConflict) => {
                let current = problem.current().cloned().unwrap_or_default();
                let envelope = serde_json::from_value(current)
                    .map_err(|_| CenterError::Protocol("conflict without the current draft".to_owned()))?;
                return Ok(DraftSent::Conflict(Box::new(envelope)));
            }
            Err(error) => return Err(error),
        };
        Ok(DraftSent::Kept(answer.etag))
    }

    /// Sends a signed report; one attempt. The receipt is not verified here.
    pub async fn submit(&self, submission: &Submission<'_>) -> Result<Receipt, CenterError> {
        let path = match submission.report {
            Some(report) => paths::versions(safe_id(report)?),
            None => paths::submit(safe_id(submission.assignment)?),
        };
        let (media_type, bytes) = body(submission);
        let mut call =
            Call::new(Method::POST, path).body(&media_type, bytes.into()).idempotent(Some(submission.sha256))?;
        if let Some(lease) = submission.lease {
            call = call.header(headers::LEASE, lease)?;
        }
        json(self.send_with(&self.bulk, &call).await?).await
    }

    /// A report with all its versions.
    pub async fn report(&self, id: &str) -> Result<Report, CenterError> {
        self.json(&Call::get(paths::report(safe_id(id)?))).await
    }

    /// Reports about a study, newest first.
    pub async fn study_reports(&self, study: &StudyUid) -> Result<Vec<Report>, CenterError> {
        let list: ReportList = self.json(&Call::get(paths::study_reports(study.as_str()))).await?;
        Ok(list.reports)
    }

    /// A file of a version, as signed.
    pub async fn version_file(&self, report: &str, version: u32, name: &str) -> Result<Vec<u8>, CenterError> {
        let call = Call::get(paths::version_file(safe_id(report)?, version, safe_id(name)?)).header("accept", "*/*")?;
        capped(self.send_patiently(&call).await?, MAX_FILE_BYTES).await
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_submission_is_the_same_bytes_each_time() {
        let submission = Submission {
            assignment: "a",
            report: None,
            lease: None,
            report_json: b"{}",
            sha256: "00ff",
            signature: &[1, 2],
            attachments: vec![Part { name: "report.html", media_type: "text/html", bytes: b"<p>" }],
        };
        let (media_type, bytes) = body(&submission);
        assert_eq!(body(&submission), (media_type.clone(), bytes.clone()));
        assert!(media_type.ends_with("boundary=dokuei-00ff"));
        let text = String::from_utf8_lossy(&bytes);
        assert!(text.starts_with(
            "--dokuei-00ff\r\nContent-Type: application/json\r\nContent-Length: 2\r\nContent-ID: <report.json>\r\n"
        ));
        assert!(text.ends_with("\r\n\r\n<p>\r\n--dokuei-00ff--\r\n"));
    }
}

//! A signed report comes in: everything is checked, then all of it is kept or nothing.

use super::auth::Signed;
use super::error::{ApiError, ApiResult, Error};
use super::files::Staging;
use super::multipart::{self, Part};
use super::state::{Center, stamp};
use super::wire::{Answer, Once};
use super::work::{self, Held, LeaseEnd};
use super::{certificates, discovery, reports};
use crate::center::contract::{
    AttachmentLink, PART_REPORT, PART_SIGNATURE, ProblemType, ReportVersion, VersionKind, headers as names, paths,
};
use crate::report::Receipt;
use crate::report::manifest::{self, Manifest, PackageError};
use crate::vault::digest::sha256_hex;
use crate::vault::random;
use crate::vault::signature::{Expected, Policy, SignerInfo, Verdict};
use crate::worklist::AssignmentState;
use axum::extract::{Path, State};
use axum::http::{HeaderMap, StatusCode, header};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use rusqlite::{Transaction, params};
use std::sync::Arc;

const MAX_PARTS: usize = 66;
/// File name of the receipt beside the report.
pub const RECEIPT_FILE: &str = "receipt.json";

/// The parts as received.
struct Received {
    report: Vec<u8>,
    signature: Vec<u8>,
    attachments: Vec<(String, String, Vec<u8>)>,
}

fn receive(headers: &HeaderMap, body: &[u8]) -> ApiResult<Received> {
    let kind = headers.get(header::CONTENT_TYPE).and_then(|v| v.to_str().ok()).unwrap_or_default();
    let parts = multipart::parts(kind, body, MAX_PARTS).map_err(|e| match e {
        multipart::MultipartError::NoBoundary => ApiError::new(ProblemType::UnsupportedMediaType, e.to_string()),
        other => ApiError::new(ProblemType::BadRequest, other.to_string()),
    })?;
    let (mut report, mut signature, mut attachments) = (None, None, Vec::new());
    for part in parts {
        let name = part_name(&part)?;
        let kind = part.headers.get("content-type").unwrap_or("application/octet-stream").to_owned();
        match name.as_str() {
            PART_REPORT if report.is_none() => report = Some(part.body),
            PART_SIGNATURE if signature.is_none() => signature = Some(part.body),
            PART_REPORT | PART_SIGNATURE | RECEIPT_FILE => {
                return Err(ApiError::new(
                    ProblemType::AttachmentMismatch,
                    "a part comes twice or has a reserved name",
                ));
            }
            _ => attachments.push((name, kind, part.body)),
        }
    }
    match (report, signature) {
        (Some(report), Some(signature)) => Ok(Received { report, signature, attachments }),
        _ => Err(ApiError::new(ProblemType::Invalid, "report.json and signature.p7s are both required")),
    }
}

/// A part's name: `Content-Location`, else `Content-ID` without its brackets.
fn part_name(part: &Part) -> ApiResult<String> {
    let id = part.headers.get("content-id").map(|v| v.trim_start_matches('<').trim_end_matches('>'));
    let name = part.headers.get("content-location").or(id).unwrap_or_default();
    super::files::plain(name)
        .map(str::to_owned)
        .map_err(|_| ApiError::new(ProblemType::Invalid, "a part has no usable Content-Location or Content-ID"))
}

/// `POST /v1/assignments/{id}/reports`.
pub async fn first(
    State(center): State<Center>,
    signed: Signed,
    Path(id): Path<String>,
    headers: HeaderMap,
    body: Bytes,
) -> ApiResult<Answer> {
    take(center, signed, headers, body, Target::Assignment(id)).await
}

/// `POST /v1/reports/{id}/versions`.
pub async fn next(
    State(center): State<Center>,
    signed: Signed,
    Path(id): Path<String>,
    headers: HeaderMap,
    body: Bytes,
) -> ApiResult<Answer> {
    take(center, signed, headers, body, Target::Report(id)).await
}

enum Target {
    Assignment(String),
    Report(String),
}

async fn take(center: Center, signed: Signed, headers: HeaderMap, body: Bytes, target: Target) -> ApiResult<Answer> {
    let signed = signed.reader()?;
    let path = match &target {
        Target::Assignment(id) => paths::submit(id),
        Target::Report(id) => paths::versions(id),
    };
    let once = Once::new(&signed.user.id, format!("POST {path}"), &headers, &body)?;
    let lease = headers.get(names::LEASE).map(|v| v.to_str().map(str::to_owned)).transpose();
    let lease = lease.map_err(|_| ProblemType::BadRequest)?;
    let center_ = center.clone();
    let answer = super::db::blocking(move || {
        // The same submission again is answered before anything of it is judged anew.
        if let Some(answer) = center_.db().read_now(|t| once.earlier(t))? {
            return Ok(answer);
        }
        let received = Arc::new(receive(&headers, &body)?);
        let manifest = judge(&center_, &signed, &received)?;
        let staging = stage(&center_, &received)?;
        center_.db().write_now(|t| {
            once.run(t, &center_, || {
                keep(t, &center_, &signed, &target, lease.as_deref(), &received, &manifest, &staging)
            })
        })
    })
    .await?;
    super::events::wake(&center).await?;
    Ok(answer)
}

struct Judged {
    manifest: Manifest,
    signer: SignerInfo,
}

/// Everything that can be said from the submission alone: signature, signer, files.
fn judge(center: &Center, signed: &Signed, received: &Received) -> ApiResult<Judged> {
    let roots = [center.pki().ca.certificate().to_vec()];
    let revoked = center.db().read_now(certificates::revoked)?;
    let policy =
        Policy { roots: &roots, revoked: &revoked, at: center.now(), expected: Expected::Reader(&signed.user.id) };
    let verification = policy.verify(&received.report, &received.signature);
    let signer = match verification.verdict {
        Verdict::ValidNoTst => verification.signer.ok_or(ProblemType::SignatureInvalid)?,
        Verdict::WrongSigner => return Err(ApiError::new(ProblemType::SignerMismatch, verification.detail)),
        other => {
            let detail = format!("{}: {}", other.code(), verification.detail);
            return Err(ApiError::new(ProblemType::SignatureInvalid, detail).with("verdict", other.code()));
        }
    };
    let files: Vec<(&str, &[u8])> =
        received.attachments.iter().map(|(name, _, bytes)| (name.as_str(), bytes.as_slice())).collect();
    let manifest = manifest::check(&received.report, &files).map_err(|e| {
        let kind = match e {
            PackageError::Missing(_) | PackageError::Unnamed(_) | PackageError::Changed(_) | PackageError::Name(_) => {
                ProblemType::AttachmentMismatch
            }
            _ => ProblemType::Invalid,
        };
        ApiError::new(kind, e.to_string())
    })?;
    if manifest.signer.user != signed.user.id {
        return Err(ApiError::new(ProblemType::SignerMismatch, "report.json names another signer"));
    }
    check_attachment_rules(&manifest, received)?;
    Ok(Judged { manifest, signer })
}

fn check_attachment_rules(manifest: &Manifest, received: &Received) -> ApiResult<()> {
    let essence = |text: &str| multipart::media_type(text).0;
    for named in &manifest.attachments {
        let kind = essence(&named.media_type);
        if !discovery::ATTACHMENTS.iter().any(|(accepted, _)| *accepted == kind) {
            return Err(ApiError::new(
                ProblemType::AttachmentMismatch,
                format!("attachments of type {kind} are not accepted"),
            ));
        }
        let sent = received.attachments.iter().find(|(name, _, _)| *name == named.name);
        if sent.is_none_or(|(_, sent, _)| essence(sent) != kind) {
            return Err(ApiError::new(
                ProblemType::AttachmentMismatch,
                "a part's media type is not the one signed for",
            ));
        }
    }
    for (wanted, required) in discovery::ATTACHMENTS {
        if *required && !manifest.attachments.iter().any(|a| essence(&a.media_type) == *wanted) {
            return Err(ApiError::new(
                ProblemType::AttachmentMismatch,
                format!("an attachment of type {wanted} is required"),
            ));
        }
    }
    Ok(())
}

fn stage(center: &Center, received: &Received) -> ApiResult<Staging> {
    let staging = center.files().stage()?;
    staging.put(PART_REPORT, &received.report)?;
    staging.put(PART_SIGNATURE, &received.signature)?;
    for (name, _, bytes) in &received.attachments {
        staging.put(name, bytes)?;
    }
    Ok(staging)
}

#[expect(clippy::too_many_arguments, reason = "one transaction; the arguments are its whole world")]
fn keep(
    t: &Transaction<'_>,
    center: &Center,
    signed: &Signed,
    target: &Target,
    lease: Option<&str>,
    received: &Received,
    judged: &Judged,
    staging: &Staging,
) -> ApiResult<Answer> {
    let manifest = &judged.manifest;
    let (mut held, report_id, version) = match target {
        Target::Assignment(id) => {
            let held = work::get(t, center, id, &signed.user.id)?;
            check_original(t, &held, manifest, lease, &signed.user.id)?;
            (held, random::random_id().map_err(Error::from)?, 1)
        }
        Target::Report(id) => {
            let newest = reports::newest(t, id)?.ok_or(ProblemType::NotFound)?;
            let held = work::get(t, center, &newest.assignment_id, &signed.user.id)?;
            check_next(&newest, id, manifest)?;
            (held, id.clone(), newest.version + 1)
        }
    };
    check_fits(&held, manifest)?;
    let now = center.now();
    let receipt = receipt(center, &report_id, version, &held, &received.report, &judged.signer)?;
    staging.put(RECEIPT_FILE, &serde_json::to_vec_pretty(&receipt)?)?;
    let stored = stored_version(&report_id, version, manifest, judged, &receipt);
    if version == 1 {
        t.execute("INSERT INTO report (id, assignment_id) VALUES (?1, ?2)", [&report_id, &held.assignment.id])?;
        for study in &manifest.studies {
            t.execute(
                "INSERT OR IGNORE INTO report_study (report_id, study_uid) VALUES (?1, ?2)",
                [&report_id, &study.study_uid],
            )?;
        }
        let begun = held.assignment.state.start().map_err(|e| work::conflict(e, &held))?;
        held.assignment.state = begun.submit().map_err(|e| work::conflict(e, &held))?;
        work::end_leases(t, &held.assignment.id, LeaseEnd::GivenUp)?;
    }
    t.execute(
        "INSERT INTO report_version (report_id, version, sha256, received_at, body) VALUES (?1, ?2, ?3, ?4, ?5)",
        params![report_id, version, receipt.sha256, stamp(now), serde_json::to_string(&stored)?],
    )?;
    held.assignment.report_id = Some(report_id.clone());
    work::update(t, center, &mut held)?;
    // Files go to their place before the commit: a committed report always has them. Without the commit the folder is a leftover
    // that nothing names and that the next submission replaces.
    center.files().settle_report(staging, &report_id, version)?;
    Ok(Answer::json(StatusCode::CREATED, &receipt)?.with(header::LOCATION, paths::report(&report_id)))
}

fn check_original(
    t: &Transaction<'_>,
    held: &Held,
    manifest: &Manifest,
    lease: Option<&str>,
    user: &str,
) -> ApiResult<()> {
    if held.signing_stopped {
        return Err(ProblemType::WrongPatientSuspected.into());
    }
    if manifest.version_kind != manifest::VersionKind::Original || manifest.predecessor.is_some() {
        return Err(ApiError::new(ProblemType::ReportMismatch, "the first version of a report has no predecessor"));
    }
    // Signed here, put aside at another terminal or freed by the center meanwhile: work under a lease that counts is
    // not void.
    let aside =
        matches!(held.assignment.state, AssignmentState::Accepted | AssignmentState::Assigned) && lease.is_some();
    if !aside {
        held.assignment.state.submit().map_err(|e| work::conflict(e, held))?;
    }
    match lease {
        Some(lease) if !work::lease_counts(t, &held.assignment.id, lease, user)? => Err(ProblemType::LeaseLost.into()),
        _ => Ok(()),
    }
}

fn check_next(newest: &reports::Newest, report_id: &str, manifest: &Manifest) -> ApiResult<()> {
    let predecessor = manifest
        .predecessor
        .as_ref()
        .filter(|p| p.report_id == report_id)
        .ok_or_else(|| ApiError::new(ProblemType::ReportMismatch, "the report does not name its predecessor"))?;
    if predecessor.version != newest.version || predecessor.sha256 != newest.sha256 {
        let current = serde_json::json!({ "version": newest.version, "sha256": newest.sha256 });
        return Err(ApiError::from(ProblemType::Superseded).with("current", current));
    }
    if manifest.version_kind == manifest::VersionKind::Original {
        return Err(ApiError::new(ProblemType::ReportMismatch, "a further version is an addendum"));
    }
    Ok(())
}

/// The report answers this very assignment.
fn check_fits(held: &Held, manifest: &Manifest) -> ApiResult<()> {
    let assignment = &held.assignment;
    let wrong = |what: &str| Err(ApiError::new(ProblemType::ReportMismatch, format!("{what} is not the assignment's")));
    if manifest.assignment_id != assignment.id {
        return wrong("assignment_id");
    }
    if manifest.kind != assignment.kind {
        return wrong("kind");
    }
    if manifest.patient.id != assignment.patient.id || manifest.patient.issuer != assignment.patient.issuer {
        return wrong("patient");
    }
    let mut named: Vec<&str> = manifest.studies.iter().map(|s| s.study_uid.as_str()).collect();
    let mut asked: Vec<&str> = assignment.studies.iter().map(|s| s.study_uid.as_str()).collect();
    named.sort_unstable();
    asked.sort_unstable();
    if named != asked {
        return wrong("the list of studies");
    }
    // An addendum is one text, whatever the report was written with.
    let addendum = manifest.version_kind == manifest::VersionKind::Addendum
        && manifest.template.id == crate::report::templates::ADDENDUM;
    if !addendum && !assignment.template_ids.is_empty() && !assignment.template_ids.contains(&manifest.template.id) {
        return wrong("template");
    }
    Ok(())
}

fn receipt(
    center: &Center,
    report_id: &str,
    version: u32,
    held: &Held,
    report: &[u8],
    signer: &SignerInfo,
) -> ApiResult<Receipt> {
    let now = center.now();
    let mut receipt = Receipt {
        report_id: report_id.to_owned(),
        version,
        assignment_id: held.assignment.id.clone(),
        sha256: sha256_hex(report),
        signer: signer.reader_id.clone().unwrap_or_default(),
        received_at: now,
        center: center.name().to_owned(),
        signature: String::new(),
    };
    let content = receipt_content(&receipt)?;
    receipt.signature = STANDARD.encode(center.pki().sign_receipt(&content, now)?);
    Ok(receipt)
}

/// The bytes that a receipt's signature is over: RFC 8785 JSON without the member `signature`.
pub fn receipt_content(receipt: &Receipt) -> ApiResult<Vec<u8>> {
    let mut value = serde_json::to_value(receipt)?;
    if let Some(object) = value.as_object_mut() {
        object.remove("signature");
    }
    manifest::canonical(&value).map_err(|e| Error::Interrupted(e.to_string()).into())
}

fn stored_version(
    report_id: &str,
    version: u32,
    manifest: &Manifest,
    judged: &Judged,
    receipt: &Receipt,
) -> ReportVersion {
    let url = |name: &str| paths::version_file(report_id, version, name);
    ReportVersion {
        version,
        kind: match manifest.version_kind {
            manifest::VersionKind::Original => VersionKind::Original,
            manifest::VersionKind::Addendum => VersionKind::Addendum,
        },
        predecessor: manifest.predecessor.clone(),
        reason: None,
        sha256: receipt.sha256.clone(),
        signer: receipt.signer.clone(),
        signer_name: judged.signer.subject_cn.clone(),
        received_at: receipt.received_at,
        report_url: url(PART_REPORT),
        signature_url: url(PART_SIGNATURE),
        attachments: manifest
            .attachments
            .iter()
            .map(|a| AttachmentLink {
                name: a.name.clone(),
                media_type: a.media_type.clone(),
                sha256: a.sha256.clone(),
                size: a.size,
                url: url(&a.name),
            })
            .collect(),
        receipt: receipt.clone(),
    }
}

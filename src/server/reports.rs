//! Reports as they are given back: list, versions, and the exact bytes that were signed.

use super::auth::Signed;
use super::error::{ApiError, ApiResult, Error};
use super::state::Center;
use super::submission::RECEIPT_FILE;
use super::{db, work};
use crate::center::contract::{PART_REPORT, PART_SIGNATURE, ProblemType, Report, ReportList, ReportVersion};
use crate::study::StudyUid;
use axum::Json;
use axum::body::Body;
use axum::extract::{Path, State};
use axum::http::{HeaderValue, header};
use axum::response::{IntoResponse, Response};
use rusqlite::{OptionalExtension as _, Transaction};

/// The newest version of a report.
#[derive(Debug, Clone)]
pub struct Newest {
    /// Assignment answered.
    pub assignment_id: String,
    /// Its number.
    pub version: u32,
    /// Digest of its signed bytes.
    pub sha256: String,
}

/// The newest version of a report, if there is such a report.
pub fn newest(t: &Transaction<'_>, id: &str) -> Result<Option<Newest>, Error> {
    Ok(t.query_row(
        "SELECT r.assignment_id, v.version, v.sha256 FROM report r JOIN report_version v ON v.report_id = r.id
         WHERE r.id = ?1 ORDER BY v.version DESC LIMIT 1",
        [id],
        |r| Ok(Newest { assignment_id: r.get(0)?, version: r.get(1)?, sha256: r.get(2)? }),
    )
    .optional()?)
}

/// A report with its versions.
pub fn load(t: &Transaction<'_>, id: &str) -> Result<Option<Report>, Error> {
    let assignment_id: Option<String> =
        t.query_row("SELECT assignment_id FROM report WHERE id = ?1", [id], |r| r.get(0)).optional()?;
    let Some(assignment_id) = assignment_id else { return Ok(None) };
    let mut statement = t.prepare("SELECT body FROM report_version WHERE report_id = ?1 ORDER BY version")?;
    let versions = statement
        .query_map([id], |r| r.get::<_, String>(0))?
        .map(|body| Ok(serde_json::from_str::<ReportVersion>(&body?)?))
        .collect::<Result<_, Error>>()?;
    let mut statement = t.prepare("SELECT study_uid FROM report_study WHERE report_id = ?1 ORDER BY study_uid")?;
    let study_uids = statement
        .query_map([id], |r| r.get::<_, String>(0))?
        .map(|uid| StudyUid::new(&uid?).map_err(|e| Error::Interrupted(e.to_string())))
        .collect::<Result<_, Error>>()?;
    Ok(Some(Report { report_id: id.to_owned(), assignment_id, study_uids, versions }))
}

/// A report that this person may see: of an own assignment, or about a study they may see; coordinators see all.
fn visible(t: &Transaction<'_>, signed: &Signed, id: &str) -> ApiResult<Report> {
    let report = load(t, id)?.ok_or(ProblemType::NotFound)?;
    if signed.sees_all() {
        return Ok(report);
    }
    for study in &report.study_uids {
        if work::may_see(t, &signed.user.id, study)? {
            return Ok(report);
        }
    }
    Err(ProblemType::NotFound.into())
}

/// `GET /v1/reports/{id}`.
pub async fn report(State(center): State<Center>, signed: Signed, Path(id): Path<String>) -> ApiResult<Json<Report>> {
    Ok(Json(center.db().read(move |t| visible(t, &signed, &id)).await?))
}

/// `GET /v1/studies/{uid}/reports`.
pub async fn of_study(
    State(center): State<Center>,
    signed: Signed,
    Path(uid): Path<String>,
) -> ApiResult<Json<ReportList>> {
    let study = StudyUid::new(&uid).map_err(|_| ApiError::new(ProblemType::BadRequest, "not a study UID"))?;
    let reports = center
        .db()
        .read(move |t| {
            if !signed.sees_all() && !work::may_see(t, &signed.user.id, &study)? {
                return Err(ApiError::from(ProblemType::NotFound));
            }
            let mut statement = t.prepare(
                "SELECT s.report_id FROM report_study s JOIN report_version v ON v.report_id = s.report_id AND v.version = 1
                 WHERE s.study_uid = ?1 ORDER BY v.received_at DESC",
            )?;
            let ids = statement
                .query_map([study.as_str()], |r| r.get::<_, String>(0))?
                .collect::<Result<Vec<_>, _>>()?;
            let mut reports = Vec::new();
            for id in ids {
                reports.extend(load(t, &id)?);
            }
            Ok(reports)
        })
        .await?;
    Ok(Json(ReportList { reports }))
}

/// `GET /v1/reports/{id}/versions/{version}/files/{name}`.
pub async fn file(
    State(center): State<Center>,
    signed: Signed,
    Path((id, version, name)): Path<(String, u32, String)>,
) -> ApiResult<Response> {
    let report = center
        .db()
        .read({
            let id = id.clone();
            move |t| visible(t, &signed, &id)
        })
        .await?;
    let held = report.versions.iter().find(|v| v.version == version).ok_or(ProblemType::NotFound)?;
    let kind = match name.as_str() {
        PART_REPORT | RECEIPT_FILE => "application/json".to_owned(),
        PART_SIGNATURE => "application/pkcs7-signature".to_owned(),
        other => {
            let attachment = held.attachments.iter().find(|a| a.name == other).ok_or(ProblemType::NotFound)?;
            attachment.media_type.clone()
        }
    };
    let path = center.files().report_file(&id, version, &name)?;
    let bytes = db::blocking(move || std::fs::read(&path).map_err(Error::io(path))).await?;
    let mut response = Body::from(bytes).into_response();
    let kind = HeaderValue::try_from(kind).unwrap_or(HeaderValue::from_static("application/octet-stream"));
    response.headers_mut().insert(header::CONTENT_TYPE, kind);
    Ok(response)
}

//! Drafts as the center keeps them: so that a reader can go on at another terminal. The center reads nothing in them.

use super::auth::Signed;
use super::error::{ApiError, ApiResult, Error};
use super::state::{Center, stamp, unstamp};
use super::wire::{Answer, Condition, json_body};
use super::work;
use crate::center::contract::{DraftEnvelope, DraftPut, ProblemType};
use axum::extract::{Path, State};
use axum::http::{HeaderMap, StatusCode};
use bytes::Bytes;
use rusqlite::{OptionalExtension as _, Transaction, params};

fn load(t: &Transaction<'_>, assignment: &str, owner: &str) -> Result<Option<DraftEnvelope>, Error> {
    let row = t
        .query_row(
            "SELECT version, saved_at, body FROM draft WHERE assignment_id = ?1 AND owner = ?2",
            [assignment, owner],
            |r| Ok((r.get::<_, i64>(0)?, r.get::<_, String>(1)?, r.get::<_, String>(2)?)),
        )
        .optional()?;
    row.map(|(version, saved_at, body)| {
        Ok(DraftEnvelope {
            etag: version.to_string(),
            saved_at: unstamp(&saved_at)?,
            draft: Some(serde_json::from_str(&body)?),
        })
    })
    .transpose()
}

/// `GET /v1/assignments/{id}/draft`.
pub async fn get_draft(State(center): State<Center>, signed: Signed, Path(id): Path<String>) -> ApiResult<Answer> {
    let signed = signed.reader()?;
    let center_ = center.clone();
    let draft = center
        .db()
        .read(move |t| {
            work::get(t, &center_, &id, &signed.user.id)?;
            load(t, &id, &signed.user.id)?.ok_or_else(|| ApiError::from(ProblemType::NotFound))
        })
        .await?;
    Ok(Answer::json(StatusCode::OK, &draft)?.etag(&draft.etag))
}

/// `PUT /v1/assignments/{id}/draft`.
pub async fn put_draft(
    State(center): State<Center>,
    signed: Signed,
    Path(id): Path<String>,
    headers: HeaderMap,
    body: Bytes,
) -> ApiResult<Answer> {
    let signed = signed.reader()?;
    let condition = Condition::from_headers(&headers)?;
    if condition == Condition::None {
        return Err(ApiError::new(ProblemType::BadRequest, "If-Match, or If-None-Match: * for the first, is required"));
    }
    let put: DraftPut = json_body(&headers, &body)?;
    let text = serde_json::to_string(&put.draft)?;
    if text.len() as u64 > center.config().limits.draft_bytes {
        return Err(ProblemType::TooLarge.into());
    }
    let center_ = center.clone();
    center
        .db()
        .write(move |t| {
            let held = work::get(t, &center_, &id, &signed.user.id)?;
            let current = load(t, &id, &signed.user.id)?;
            if !condition.holds(current.as_ref().map(|d| d.etag.as_str())) {
                // The same content again is no conflict: the answer to an earlier attempt was lost.
                if let Some(same) = current.as_ref().filter(|d| d.draft.as_ref() == Some(&put.draft)) {
                    return saved(StatusCode::OK, same);
                }
                let current = serde_json::to_value(&current)?;
                return Err(ApiError::from(ProblemType::VersionConflict).with("current", current));
            }
            // After submission a draft may still be written: it becomes the addendum.
            if matches!(
                held.assignment.state,
                crate::worklist::AssignmentState::Declined
                    | crate::worklist::AssignmentState::Reassigned
                    | crate::worklist::AssignmentState::Cancelled
            ) {
                return Err(
                    ApiError::from(ProblemType::StateConflict).with("current", serde_json::to_value(&held.assignment)?)
                );
            }
            let now = center_.now();
            let version: i64 = t.query_row(
                "INSERT INTO draft (assignment_id, owner, version, saved_at, body) VALUES (?1, ?2, 1, ?3, ?4)
                 ON CONFLICT (assignment_id, owner) DO UPDATE
                 SET version = version + 1, saved_at = excluded.saved_at, body = excluded.body RETURNING version",
                params![id, signed.user.id, stamp(now), text],
                |r| r.get(0),
            )?;
            let status = if version == 1 { StatusCode::CREATED } else { StatusCode::OK };
            saved(status, &DraftEnvelope { etag: version.to_string(), saved_at: now, draft: None })
        })
        .await
}

fn saved(status: StatusCode, envelope: &DraftEnvelope) -> ApiResult<Answer> {
    let short = DraftEnvelope { draft: None, ..envelope.clone() };
    Ok(Answer::json(status, &short)?.etag(&short.etag))
}

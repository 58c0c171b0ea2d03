//! Worklist and transitions over HTTP.

use super::auth::Signed;
use super::error::{ApiError, ApiResult};
use super::state::Center;
use super::wire::{Answer, Condition, Once, json_body};
use super::work::{self, Filter, Held, LeaseEnd};
use crate::center::contract::{AssignmentPage, Decline, ProblemType, Release, RenewLease, Return, Start};
use crate::worklist::{AssignmentState, ReturnReason};
use axum::extract::{Path, Query, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use bytes::Bytes;
use rusqlite::Transaction;
use serde::Deserialize;

const PAGE: usize = 100;
const MOST: usize = 500;
const MAX_TEXT: usize = 4000;

/// Query of the worklist.
#[derive(Debug, Default, Deserialize)]
pub struct ListQuery {
    state: Option<String>,
    modality: Option<String>,
    due_before: Option<String>,
    updated_since: Option<String>,
    cursor: Option<String>,
    limit: Option<usize>,
}

impl ListQuery {
    fn filter(&self) -> ApiResult<Filter> {
        let bad = |what: &str| ApiError::new(ProblemType::BadRequest, format!("{what} is not understood"));
        let time =
            |text: &Option<String>, what: &str| text.as_deref().map(|t| t.parse().map_err(|_| bad(what))).transpose();
        let states = list(self.state.as_deref())
            .map(|s| serde_json::from_value::<AssignmentState>(s.into()).map_err(|_| bad("state")))
            .collect::<ApiResult<_>>()?;
        let modalities: Vec<String> = list(self.modality.as_deref()).map(str::to_owned).collect();
        if modalities.iter().any(|m| m.len() > 16 || !m.bytes().all(|c| c.is_ascii_alphanumeric())) {
            return Err(bad("modality"));
        }
        let after = self
            .cursor
            .as_deref()
            .map(|c| {
                let bytes = URL_SAFE_NO_PAD.decode(c).map_err(|_| bad("cursor"))?;
                serde_json::from_slice(&bytes).map_err(|_| bad("cursor"))
            })
            .transpose()?;
        Ok(Filter {
            states,
            modalities,
            due_before: time(&self.due_before, "due_before")?,
            updated_since: time(&self.updated_since, "updated_since")?,
            after,
            limit: self.limit.unwrap_or(PAGE).clamp(1, MOST),
        })
    }
}

fn list(text: Option<&str>) -> impl Iterator<Item = &str> {
    text.unwrap_or_default().split(',').map(str::trim).filter(|s| !s.is_empty())
}

/// `GET /v1/assignments`.
pub async fn list_assignments(
    State(center): State<Center>,
    signed: Signed,
    Query(query): Query<ListQuery>,
) -> ApiResult<axum::Json<AssignmentPage>> {
    let filter = query.filter()?;
    let center_ = center.clone();
    let page = center
        .db()
        .read(move |t| {
            let (assignments, last) = work::page(t, &center_, &signed.user.id, &filter)?;
            let next_cursor = last.map(|l| serde_json::to_vec(&l).map(|b| URL_SAFE_NO_PAD.encode(b))).transpose()?;
            let last_event_id = super::events::newest(t)?;
            Ok::<_, ApiError>(AssignmentPage { assignments, next_cursor, last_event_id, server_time: center_.now() })
        })
        .await?;
    Ok(axum::Json(page))
}

/// `GET /v1/assignments/{id}`.
pub async fn get_assignment(
    State(center): State<Center>,
    signed: Signed,
    Path(id): Path<String>,
) -> ApiResult<Response> {
    let center_ = center.clone();
    let held = center.db().read(move |t| work::get(t, &center_, &id, &signed.user.id)).await?;
    Ok(answer(&held)?.into_response())
}

fn answer(held: &Held) -> ApiResult<Answer> {
    Ok(Answer::json(StatusCode::OK, &held.assignment)?.etag(&held.assignment.etag))
}

fn check_text(text: &str, required: bool) -> ApiResult<()> {
    if required && text.trim().is_empty() {
        return Err(ApiError::new(ProblemType::Invalid, "text is required: a person must act on it"));
    }
    if text.chars().count() > MAX_TEXT {
        return Err(ApiError::new(ProblemType::Invalid, format!("text has at most {MAX_TEXT} characters")));
    }
    Ok(())
}

/// What a transition does to an assignment that is already loaded and whose condition holds.
type Step = Box<dyn FnOnce(&Transaction<'_>, &Center, &Signed, &mut Held) -> ApiResult<()> + Send>;

fn step(action: &str, headers: &HeaderMap, body: &[u8]) -> ApiResult<Step> {
    Ok(match action {
        "accept" => {
            json_body::<Start>(headers, body)?;
            Box::new(|_, _, _, held| {
                held.assignment.state = held.assignment.state.accept().map_err(|e| work::conflict(e, held))?;
                Ok(())
            })
        }
        "start" => {
            json_body::<Start>(headers, body)?;
            Box::new(|t, center, signed, held| {
                held.assignment.state = held.assignment.state.start().map_err(|e| work::conflict(e, held))?;
                work::new_lease(t, center, &held.assignment.id, &signed.user.id, &signed.session)?;
                Ok(())
            })
        }
        "suspend" => {
            json_body::<Start>(headers, body)?;
            Box::new(|t, _, _, held| {
                held.assignment.state = held.assignment.state.suspend().map_err(|e| work::conflict(e, held))?;
                work::end_leases(t, &held.assignment.id, LeaseEnd::GivenUp)?;
                Ok(())
            })
        }
        "decline" => {
            let decline: Decline = json_body(headers, body)?;
            check_text(&decline.text, false)?;
            Box::new(move |t, _, _, held| {
                held.assignment.state = held.assignment.state.decline().map_err(|e| work::conflict(e, held))?;
                held.assignment.reason = Some(reason(&work::word(&decline.reason)?, &decline.text));
                work::end_leases(t, &held.assignment.id, LeaseEnd::Revoked)?;
                Ok(())
            })
        }
        "release" => {
            let release: Release = json_body(headers, body)?;
            check_text(&release.text, false)?;
            Box::new(move |t, _, _, held| {
                held.assignment.state = held.assignment.state.release().map_err(|e| work::conflict(e, held))?;
                let word = release.reason.as_ref().map(work::word).transpose()?;
                held.assignment.reason = (word.is_some() || !release.text.is_empty())
                    .then(|| reason(&word.unwrap_or_default(), &release.text));
                work::end_leases(t, &held.assignment.id, LeaseEnd::Revoked)?;
                Ok(())
            })
        }
        "return" => {
            let back: Return = json_body(headers, body)?;
            check_text(&back.text, true)?;
            Box::new(move |t, _, _, held| {
                held.assignment.state = held.assignment.state.return_unread().map_err(|e| work::conflict(e, held))?;
                held.assignment.reason = Some(reason(&work::word(&back.reason)?, &back.text));
                if back.reason == ReturnReason::WrongPatientSuspected {
                    held.signing_stopped = true;
                }
                work::end_leases(t, &held.assignment.id, LeaseEnd::Revoked)?;
                Ok(())
            })
        }
        _ => return Err(ProblemType::NotFound.into()),
    })
}

fn reason(word: &str, text: &str) -> String {
    match (word.is_empty(), text.is_empty()) {
        (false, false) => format!("{word}: {text}"),
        (false, true) => word.to_owned(),
        _ => text.to_owned(),
    }
}

/// `POST /v1/assignments/{id}/{action}`.
pub async fn transition(
    State(center): State<Center>,
    signed: Signed,
    Path((id, action)): Path<(String, String)>,
    headers: HeaderMap,
    body: Bytes,
) -> ApiResult<Answer> {
    let signed = signed.reader()?;
    let once = Once::new(&signed.user.id, format!("POST {id} {action}"), &headers, &body)?;
    let condition = Condition::from_headers(&headers)?;
    let step = step(&action, &headers, &body)?;
    let center_ = center.clone();
    let done = center
        .db()
        .write(move |t| {
            once.run(t, &center_, || {
                let mut held = work::get(t, &center_, &id, &signed.user.id)?;
                if !condition.holds(Some(&held.assignment.etag)) {
                    return Err(ApiError::from(ProblemType::VersionConflict)
                        .with("current", serde_json::to_value(&held.assignment)?));
                }
                step(t, &center_, &signed, &mut held)?;
                work::update(t, &center_, &mut held)?;
                answer(&held)
            })
        })
        .await?;
    super::events::wake(&center).await?;
    Ok(done)
}

/// `POST /v1/assignments/{id}/lease`.
pub async fn renew_lease(
    State(center): State<Center>,
    signed: Signed,
    Path(id): Path<String>,
    headers: HeaderMap,
    body: Bytes,
) -> ApiResult<Answer> {
    let signed = signed.reader()?;
    let renew: RenewLease = json_body(&headers, &body)?;
    let center_ = center.clone();
    // No idempotency record: a renewal is safe to repeat by its nature, and there are many.
    center
        .db()
        .write(move |t| {
            let held = work::get(t, &center_, &id, &signed.user.id)?;
            if !held.assignment.state.open() {
                return Err(ProblemType::LeaseLost.into());
            }
            let lease = work::renew_lease(t, &center_, &id, &renew.lease_id, &signed.user.id)?;
            Answer::json(StatusCode::OK, &lease)
        })
        .await
}

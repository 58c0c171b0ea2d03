//! Audit intake: records of terminals, each naming the one before it.

use super::auth::Signed;
use super::error::{ApiError, ApiResult, Error};
use super::state::{Center, stamp};
use super::wire::{Answer, Once, json_body};
use crate::center::contract::{AuditBatch, AuditHead, ProblemType, paths};
use crate::report::manifest::canonical;
use crate::vault::digest::sha256_hex;
use crate::worklist::{AuditAction, AuditEvent, AuditOutcome};
use axum::Json;
use axum::extract::{Query, State};
use axum::http::{HeaderMap, StatusCode};
use bytes::Bytes;
use rusqlite::{OptionalExtension as _, Transaction, params};
use serde::Deserialize;

/// `previous` of a chain's first record.
const ZEROS: &str = "0000000000000000000000000000000000000000000000000000000000000000";

/// Query of the head.
#[derive(Debug, Deserialize)]
pub struct HeadQuery {
    terminal: String,
}

fn terminal(id: &str) -> ApiResult<&str> {
    // The center's own chain is nobody else's to write.
    let good = id != OWN && (1..=64).contains(&id.len()) && id.bytes().all(|c| c.is_ascii_alphanumeric() || c == b'-');
    if good { Ok(id) } else { Err(ApiError::new(ProblemType::Invalid, "terminal has 1 to 64 letters, digits and '-'")) }
}

fn load_head(t: &Transaction<'_>, terminal: &str) -> Result<AuditHead, Error> {
    let row = t
        .query_row(
            "SELECT sequence, hash FROM audit_record WHERE terminal = ?1 ORDER BY sequence DESC LIMIT 1",
            [terminal],
            |r| Ok((r.get::<_, i64>(0)?, r.get::<_, String>(1)?)),
        )
        .optional()?;
    Ok(row.map_or_else(
        || AuditHead { sequence: 0, hash: ZEROS.to_owned() },
        |(sequence, hash)| AuditHead { sequence: sequence.unsigned_abs(), hash },
    ))
}

/// `GET /v1/audit-events?terminal=…`.
pub async fn head(
    State(center): State<Center>,
    _signed: Signed,
    Query(query): Query<HeadQuery>,
) -> ApiResult<Json<AuditHead>> {
    terminal(&query.terminal)?;
    Ok(Json(center.db().read(move |t| load_head(t, &query.terminal)).await?))
}

/// `POST /v1/audit-events`.
pub async fn intake(
    State(center): State<Center>,
    signed: Signed,
    headers: HeaderMap,
    body: Bytes,
) -> ApiResult<Answer> {
    let once = Once::new(&signed.user.id, format!("POST {}", paths::AUDIT_EVENTS), &headers, &body)?;
    let batch: AuditBatch = json_body(&headers, &body)?;
    terminal(&batch.terminal)?;
    if batch.records.len() > center.config().limits.audit_batch as usize {
        return Err(ProblemType::TooLarge.into());
    }
    let center_ = center.clone();
    center
        .db()
        .write(move |t| {
            once.run(t, &center_, || {
                let head = append(t, &center_, &signed, &batch)?;
                Answer::json(StatusCode::OK, &head)
            })
        })
        .await
}

fn append(t: &Transaction<'_>, center: &Center, signed: &Signed, batch: &AuditBatch) -> ApiResult<AuditHead> {
    let mut head = load_head(t, &batch.terminal)?;
    let broken = |head: &AuditHead, why: &str| -> ApiResult<AuditHead> {
        Err(ApiError::new(ProblemType::AuditChainBroken, why).with("current", serde_json::to_value(head)?))
    };
    let at = stamp(center.now());
    for record in &batch.records {
        let bytes = canonical(record).map_err(|e| Error::Interrupted(e.to_string()))?;
        let hash = sha256_hex(&bytes);
        if record.sequence <= head.sequence {
            if held_hash(t, &batch.terminal, record)?.as_deref() == Some(&hash) {
                continue;
            }
            return broken(&head, "a record differs from the one held");
        }
        if record.sequence != head.sequence + 1 {
            return broken(&head, "a record is missing");
        }
        if record.previous != head.hash {
            return broken(&head, "a record does not name the one before it");
        }
        t.execute(
            "INSERT INTO audit_record (terminal, sequence, hash, sent_by, at, body) VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
            params![
                batch.terminal,
                i64::try_from(record.sequence).map_err(|_| ProblemType::Invalid)?,
                hash,
                signed.user.id,
                at,
                String::from_utf8_lossy(&bytes),
            ],
        )?;
        head = AuditHead { sequence: record.sequence, hash };
    }
    Ok(head)
}

/// Terminal name of the center's own chain.
const OWN: &str = "center";
/// Who acts on the center's command line.
const ADMIN: &str = "center-admin";

/// Records what the center's IT person did to an assignment, in the center's own chain.
pub fn administered(t: &Transaction<'_>, center: &Center, object: String) -> Result<(), Error> {
    let head = load_head(t, OWN)?;
    let sequence = head.sequence + 1;
    let record = AuditEvent {
        sequence,
        at: center.now(),
        user: ADMIN.to_owned(),
        action: AuditAction::AssignmentAdministered,
        outcome: AuditOutcome::Success,
        object: Some(object),
        previous: head.hash,
    };
    let bytes = canonical(&record).map_err(|e| Error::Interrupted(e.to_string()))?;
    t.execute(
        "INSERT INTO audit_record (terminal, sequence, hash, sent_by, at, body) VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
        params![
            OWN,
            i64::try_from(sequence).map_err(|_| Error::Interrupted("the audit chain is too long".into()))?,
            sha256_hex(&bytes),
            ADMIN,
            stamp(center.now()),
            String::from_utf8_lossy(&bytes),
        ],
    )?;
    Ok(())
}

fn held_hash(t: &Transaction<'_>, terminal: &str, record: &AuditEvent) -> ApiResult<Option<String>> {
    let sequence = i64::try_from(record.sequence).map_err(|_| ProblemType::Invalid)?;
    Ok(t.query_row(
        "SELECT hash FROM audit_record WHERE terminal = ?1 AND sequence = ?2",
        params![terminal, sequence],
        |r| r.get(0),
    )
    .optional()?)
}

//! STOW-RS: results of readers, and images from facilities, part by part to disk.

use super::query::may_store;
use super::uid;
use crate::center::contract::{ProblemType, paths};
use crate::dicom::MAX_OBJECT_BYTES;
use crate::server::auth::Signed;
use crate::server::db::blocking;
use crate::server::error::{ApiError, ApiResult, Error};
use crate::server::files::Staging;
use crate::server::intake::{self, Ids, Refused};
use crate::server::multipart::{Piece, Reader, boundary};
use crate::server::state::Center;
use crate::study::StudyUid;
use axum::body::Body;
use axum::extract::{Path, State};
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::Response;
use futures_util::StreamExt as _;
use serde_json::{Map, Value, json};
use std::sync::Arc;

const MAX_PARTS: usize = 10_000;
/// Failure reasons of PS3.18 table I.2-2 and PS3.4 GG.
const CANNOT_UNDERSTAND: u16 = 0xC000;
const NOT_AUTHORIZED: u16 = 0x0124;
const PROCESSING_FAILURE: u16 = 0x0110;
const WRONG_STUDY: u16 = 0xA900;

/// `POST /studies`.
pub async fn store(
    State(center): State<Center>,
    signed: Signed,
    headers: HeaderMap,
    body: Body,
) -> ApiResult<Response> {
    take(center, signed, None, headers, body).await
}

/// `POST /studies/{study}`.
pub async fn store_into(
    State(center): State<Center>,
    signed: Signed,
    Path(study): Path<String>,
    headers: HeaderMap,
    body: Body,
) -> ApiResult<Response> {
    let study: StudyUid = uid(&study)?;
    let (person, wanted) = (signed.clone(), study.clone());
    if !center.db().read(move |t| may_store(t, &person, &wanted)).await? {
        return Err(ProblemType::NotFound.into());
    }
    take(center, signed, Some(study), headers, body).await
}

#[derive(Default)]
struct Outcome {
    stored: Vec<Ids>,
    failed: Vec<(Option<Ids>, u16)>,
}

async fn take(
    center: Center,
    signed: Signed,
    study: Option<StudyUid>,
    headers: HeaderMap,
    body: Body,
) -> ApiResult<Response> {
    let kind = headers.get(header::CONTENT_TYPE).and_then(|v| v.to_str().ok()).unwrap_or_default();
    let boundary = boundary(kind).map_err(|e| ApiError::new(ProblemType::UnsupportedMediaType, e.to_string()))?;
    let mut reader = Reader::new(&boundary);
    let mut chunks = body.into_data_stream();
    let (signed, study) = (Arc::new(signed), Arc::new(study));
    let mut outcome = Outcome::default();
    let mut parts = 0;
    let mut part: Option<Vec<u8>> = None;
    let cut = |e: String| ApiError::new(ProblemType::BadRequest, e);
    while let Some(chunk) = chunks.next().await {
        let chunk = chunk.map_err(|e| cut(format!("the body ended early: {e}")))?;
        reader.feed(&chunk);
        while let Some(piece) = reader.next().map_err(|e| cut(e.to_string()))? {
            match piece {
                Piece::Begin(_) => {
                    parts += 1;
                    if parts > MAX_PARTS {
                        return Err(ProblemType::TooLarge.into());
                    }
                    part = Some(Vec::new());
                }
                Piece::Data(bytes) => {
                    let part = part.get_or_insert_default();
                    if (part.len() + bytes.len()) as u64 > MAX_OBJECT_BYTES {
                        return Err(ProblemType::TooLarge.into());
                    }
                    part.extend_from_slice(&bytes);
                }
                Piece::End => {
                    let bytes = part.take().unwrap_or_default();
                    let (center, signed, study) = (center.clone(), signed.clone(), study.clone());
                    let (ids, reason) = blocking(move || one(&center, &signed, study.as_ref().as_ref(), bytes)).await?;
                    match (ids, reason) {
                        (Some(ids), None) => outcome.stored.push(ids),
                        (ids, reason) => outcome.failed.push((ids, reason.unwrap_or(PROCESSING_FAILURE))),
                    }
                }
                Piece::Closed => {}
            }
        }
    }
    reader.finish().map_err(|e| cut(e.to_string()))?;
    if outcome.stored.is_empty() && outcome.failed.is_empty() {
        return Err(cut("there is no part".into()));
    }
    answer(&center, study.as_ref().as_ref(), &outcome)
}

/// Takes one object; gives its identifiers where they are known, and a failure reason where it was not stored.
fn one(
    center: &Center,
    signed: &Signed,
    study: Option<&StudyUid>,
    bytes: Vec<u8>,
) -> ApiResult<(Option<Ids>, Option<u16>)> {
    let staging: Staging = center.files().stage()?;
    let Ok(object) = intake::understand(&staging, "part.dcm", bytes)? else {
        return Ok((None, Some(CANNOT_UNDERSTAND)));
    };
    let ids = object.ids();
    if let (Some(ids), Some(study)) = (&ids, study)
        && ids.study != *study
    {
        return Ok((Some(ids.clone()), Some(WRONG_STUDY)));
    }
    let taken = center.db().write_now(|t| {
        if !may_store(t, signed, &object.study.uid)? {
            return Ok(Err(NOT_AUTHORIZED));
        }
        Ok::<_, Error>(intake::keep(t, center, &object)?.map_err(|refused| match refused {
            Refused::Unreadable(_) => CANNOT_UNDERSTAND,
            Refused::Differs | Refused::SeriesElsewhere => PROCESSING_FAILURE,
        }))
    })?;
    Ok((ids, taken.err()))
}

fn answer(center: &Center, study: Option<&StudyUid>, outcome: &Outcome) -> ApiResult<Response> {
    let root = format!("{}{}", center.base_url()?, paths::DICOMWEB);
    let reference = |ids: &Ids| {
        let mut item = Map::new();
        item.insert("00081150".into(), json!({ "vr": "UI", "Value": [ids.sop_class] }));
        item.insert("00081155".into(), json!({ "vr": "UI", "Value": [ids.instance.as_str()] }));
        item
    };
    let stored: Vec<Value> = outcome
        .stored
        .iter()
        .map(|ids| {
            let mut item = reference(ids);
            let url = format!("{root}/studies/{}/series/{}/instances/{}", ids.study, ids.series, ids.instance);
            item.insert("00081190".into(), json!({ "vr": "UR", "Value": [url] }));
            Value::Object(item)
        })
        .collect();
    let failed: Vec<Value> = outcome
        .failed
        .iter()
        .map(|(ids, reason)| {
            let mut item = ids.as_ref().map(reference).unwrap_or_default();
            item.insert("00081197".into(), json!({ "vr": "US", "Value": [reason] }));
            Value::Object(item)
        })
        .collect();
    let mut body = Map::new();
    if let Some(study) = study {
        body.insert("00081190".into(), json!({ "vr": "UR", "Value": [format!("{root}/studies/{study}")] }));
    }
    let status = match (stored.is_empty(), failed.is_empty()) {
        (_, true) => StatusCode::OK,
        (false, false) => StatusCode::ACCEPTED,
        (true, false) => StatusCode::CONFLICT,
    };
    if !failed.is_empty() {
        body.insert("00081198".into(), json!({ "vr": "SQ", "Value": failed }));
    }
    if !stored.is_empty() {
        body.insert("00081199".into(), json!({ "vr": "SQ", "Value": stored }));
    }
    let mut response = Response::new(Body::from(serde_json::to_vec(&body)?));
    *response.status_mut() = status;
    response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static("application/dicom+json"));
    Ok(response)
}

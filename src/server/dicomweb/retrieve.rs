//! WADO-RS: instances, frames, bulk data and metadata, in the stored encoding, streamed.

use super::accept::{Accept, Shape};
use super::{Place, check_study, place, places, uid};
use crate::center::contract::ProblemType;
use crate::dicom::{Header, StoredError, StoredFrames, bulk_value};
use crate::server::auth::Signed;
use crate::server::db::blocking;
use crate::server::error::{ApiError, ApiResult, Error};
use crate::server::state::Center;
use crate::study::{SeriesUid, StudyUid};
use crate::vault::random;
use axum::body::Body;
use axum::extract::{Path, State};
use axum::http::{HeaderMap, HeaderValue, header};
use axum::response::Response;
use bytes::Bytes;
use futures_util::stream;
use rusqlite::{Transaction, params};
use std::collections::VecDeque;
use std::io;
use tokio::io::AsyncReadExt as _;

const DICOM: &str = "application/dicom";
const OCTETS: &str = "application/octet-stream";
const JSON: &str = "application/dicom+json";
const CHUNK: usize = 256 * 1024;
const MAX_FRAMES: usize = 4096;
/// Rows of metadata taken from the database at once.
const METADATA_ROWS: usize = 64;

fn response(content_type: String, body: Body) -> ApiResult<Response> {
    let mut response = Response::new(body);
    let value = HeaderValue::try_from(content_type).map_err(|_| ProblemType::Internal)?;
    response.headers_mut().insert(header::CONTENT_TYPE, value);
    Ok(response)
}

fn multipart_type(content: &str, boundary: &str) -> String {
    format!("multipart/related; type=\"{content}\"; boundary={boundary}")
}

// ---- instances ----

/// `GET /studies/{study}`.
pub async fn study(
    State(center): State<Center>,
    signed: Signed,
    Path(study): Path<String>,
    headers: HeaderMap,
) -> ApiResult<Response> {
    let list = center.db().read(move |t| places(t, &signed, &study, None)).await?;
    send_instances(&center, list, &headers, false)
}

/// `GET /studies/{study}/series/{series}`.
pub async fn series(
    State(center): State<Center>,
    signed: Signed,
    Path((study, series)): Path<(String, String)>,
    headers: HeaderMap,
) -> ApiResult<Response> {
    let list = center.db().read(move |t| places(t, &signed, &study, Some(&series))).await?;
    send_instances(&center, list, &headers, false)
}

/// `GET …/instances/{instance}`.
pub async fn instance(
    State(center): State<Center>,
    signed: Signed,
    Path((study, series, instance)): Path<(String, String, String)>,
    headers: HeaderMap,
) -> ApiResult<Response> {
    let one = center.db().read(move |t| place(t, &signed, &study, &series, &instance)).await?;
    send_instances(&center, vec![one], &headers, true)
}

fn send_instances(center: &Center, list: Vec<Place>, headers: &HeaderMap, single: bool) -> ApiResult<Response> {
    let syntaxes: Vec<&str> = list.iter().map(|p| p.transfer_syntax.as_str()).collect();
    let shape = Accept::from_headers(headers).shape(DICOM, &syntaxes, single)?;
    match (shape, list.first()) {
        (Shape::Single, Some(one)) => {
            let content_type = format!("{DICOM}; transfer-syntax={}", one.transfer_syntax);
            let length = one.bytes;
            let parts = VecDeque::from([Piece::File(one.clone())]);
            let mut response = response(content_type, body_of(center, parts))?;
            response.headers_mut().insert(header::CONTENT_LENGTH, HeaderValue::from(length));
            Ok(response)
        }
        _ => {
            let boundary = random::random_id().map_err(Error::from)?;
            let base = center.base_url()?;
            let mut parts = VecDeque::with_capacity(list.len() * 2 + 1);
            for (index, one) in list.into_iter().enumerate() {
                let start = if index == 0 { "" } else { "\r\n" };
                let head = format!(
                    "{start}--{boundary}\r\nContent-Type: {DICOM}; transfer-syntax={}\r\nContent-Length: {}\r\nContent-Location: {base}{}\r\n\r\n",
                    one.transfer_syntax,
                    one.bytes,
                    address(&one),
                );
                parts.push_back(Piece::Text(head.into()));
                parts.push_back(Piece::File(one));
            }
            parts.push_back(Piece::Text(format!("\r\n--{boundary}--\r\n").into()));
            response(multipart_type(DICOM, &boundary), body_of(center, parts))
        }
    }
}

fn address(one: &Place) -> String {
    use crate::center::contract::paths::DICOMWEB;
    format!("{DICOMWEB}/studies/{}/series/{}/instances/{}", one.study, one.series, one.instance)
}

enum Piece {
    Text(Bytes),
    File(Place),
}

struct Sending {
    center: Center,
    parts: VecDeque<Piece>,
    open: Option<(tokio::fs::File, u64)>,
}

/// Streams text and files one after the other, a file open at a time. A file that is shorter than the database says breaks the
/// connection: a cut must not look like an end.
fn body_of(center: &Center, parts: VecDeque<Piece>) -> Body {
    let start = Sending { center: center.clone(), parts, open: None };
    Body::from_stream(stream::try_unfold(start, |mut s| async move {
        loop {
            if let Some((file, left)) = &mut s.open {
                if *left == 0 {
                    s.open = None;
                    continue;
                }
                let wanted = CHUNK.min(usize::try_from(*left).unwrap_or(CHUNK));
                let mut buffer = vec![0; wanted];
                let got = file.read(&mut buffer).await?;
                if got == 0 {
                    return Err(io::Error::from(io::ErrorKind::UnexpectedEof));
                }
                *left = left.saturating_sub(got as u64);
                buffer.truncate(got);
                return Ok(Some((Bytes::from(buffer), s)));
            }
            match s.parts.pop_front() {
                None => return Ok(None),
                Some(Piece::Text(text)) => return Ok(Some((text, s))),
                Some(Piece::File(p)) => {
                    let path = s.center.files().instance(&p.study, &p.series, &p.instance);
                    s.open = Some((tokio::fs::File::open(path).await?, p.bytes));
                }
            }
        }
    }))
}

// ---- frames and bulk data ----

/// Reads an instance whole.
pub(super) async fn read_whole(center: &Center, one: &Place) -> ApiResult<Vec<u8>> {
    let path = center.files().instance(&one.study, &one.series, &one.instance);
    blocking(move || std::fs::read(&path).map_err(Error::io(&path))).await.map_err(ApiError::from)
}

fn header_of(bytes: Vec<u8>) -> ApiResult<Header> {
    Header::from_bytes(bytes)
        .map_err(|e| ApiError::new(ProblemType::NotFound, format!("the object cannot be read: {e}")))
}

/// `GET …/frames/{list}`.
pub async fn frames(
    State(center): State<Center>,
    signed: Signed,
    Path((study, series, instance, list)): Path<(String, String, String, String)>,
    headers: HeaderMap,
) -> ApiResult<Response> {
    let numbers = frame_list(&list)?;
    let one = center.db().read(move |t| place(t, &signed, &study, &series, &instance)).await?;
    let single = numbers.len() == 1;
    let shape = Accept::from_headers(&headers).shape(OCTETS, &[&one.transfer_syntax], single)?;
    let bytes = read_whole(&center, &one).await?;
    let (frames, encapsulated) = blocking(move || {
        let stored = StoredFrames::of(header_of(bytes)?).map_err(no_frames)?;
        let frames = numbers
            .iter()
            .map(|n| {
                stored.bytes(n - 1).ok_or_else(|| {
                    ApiError::new(ProblemType::NotFound, format!("there is no frame {n}; there are {}", stored.count()))
                })
            })
            .collect::<ApiResult<Vec<_>>>()?;
        Ok::<_, ApiError>((frames, stored.encapsulated()))
    })
    .await?;
    // Native samples are sent little endian, whatever the file is.
    let syntax = if encapsulated { one.transfer_syntax.as_str() } else { "1.2.840.10008.1.2.1" };
    let locations = list.split(',').map(|n| format!("{}/frames/{}", address(&one), n.trim()));
    octets(&center, shape, frames, syntax, locations.collect())
}

fn no_frames(error: StoredError) -> ApiError {
    match error {
        StoredError::NoPixels => ApiError::new(ProblemType::NotFound, error.to_string()),
        StoredError::NoFrames => ApiError::new(ProblemType::NotAcceptable, error.to_string()),
    }
}

/// Frame numbers from 1.
pub(super) fn frame_list(text: &str) -> ApiResult<Vec<usize>> {
    let bad = || ApiError::new(ProblemType::BadRequest, "frames are numbers from 1, joined by commas");
    let numbers: Vec<usize> =
        text.split(',').map(|n| n.trim().parse().ok().filter(|n| *n > 0).ok_or_else(bad)).collect::<ApiResult<_>>()?;
    if numbers.len() > MAX_FRAMES { Err(bad()) } else { Ok(numbers) }
}

fn octets(
    center: &Center,
    shape: Shape,
    values: Vec<Vec<u8>>,
    syntax: &str,
    locations: Vec<String>,
) -> ApiResult<Response> {
    let kind = format!("{OCTETS}; transfer-syntax={syntax}");
    if shape == Shape::Single {
        let value = values.into_iter().next().ok_or(ProblemType::NotFound)?;
        return response(kind, Body::from(value));
    }
    let boundary = random::random_id().map_err(Error::from)?;
    let base = center.base_url()?;
    let mut body = Vec::with_capacity(values.iter().map(|v| v.len() + 400).sum());
    for (value, location) in values.iter().zip(locations) {
        let head = format!(
            "--{boundary}\r\nContent-Type: {kind}\r\nContent-Length: {}\r\nContent-Location: {base}{location}\r\n\r\n",
            value.len()
        );
        body.extend_from_slice(head.as_bytes());
        body.extend_from_slice(value);
        body.extend_from_slice(b"\r\n");
    }
    body.extend_from_slice(format!("--{boundary}--\r\n").as_bytes());
    response(multipart_type(OCTETS, &boundary), Body::from(body))
}

/// `GET …/bulk/{path}`: a binary value by its place; pixel data as one part per frame where they are compressed.
pub async fn bulk(
    State(center): State<Center>,
    signed: Signed,
    Path((study, series, instance, path)): Path<(String, String, String, String)>,
    headers: HeaderMap,
) -> ApiResult<Response> {
    let one = center.db().read(move |t| place(t, &signed, &study, &series, &instance)).await?;
    let bytes = read_whole(&center, &one).await?;
    let wanted = path.clone();
    let (values, encapsulated) = blocking(move || {
        let header = header_of(bytes)?;
        if matches!(wanted.as_str(), "7FE00010" | "7FE00008" | "7FE00009") {
            let stored = StoredFrames::of(header).map_err(no_frames)?;
            let frames: Vec<Vec<u8>> = (0..stored.count()).filter_map(|n| stored.bytes(n)).collect();
            return Ok::<_, ApiError>(if stored.encapsulated() {
                (frames, true)
            } else {
                (vec![frames.concat()], false)
            });
        }
        let value = bulk_value(&header, &wanted).ok_or(ProblemType::NotFound)?;
        Ok((vec![value], false))
    })
    .await?;
    let syntax = if encapsulated { one.transfer_syntax.as_str() } else { "1.2.840.10008.1.2.1" };
    let shape = Accept::from_headers(&headers).shape(OCTETS, &[syntax], values.len() == 1)?;
    let locations = vec![format!("{}/bulk/{path}", address(&one)); values.len()];
    octets(&center, shape, values, syntax, locations)
}

// ---- metadata ----

/// `GET /studies/{study}/metadata`.
pub async fn study_metadata(
    State(center): State<Center>,
    signed: Signed,
    Path(study): Path<String>,
    headers: HeaderMap,
) -> ApiResult<Response> {
    metadata(&center, signed, &study, None, None, &headers).await
}

/// `GET /studies/{study}/series/{series}/metadata`.
pub async fn series_metadata(
    State(center): State<Center>,
    signed: Signed,
    Path((study, series)): Path<(String, String)>,
    headers: HeaderMap,
) -> ApiResult<Response> {
    metadata(&center, signed, &study, Some(&series), None, &headers).await
}

/// `GET …/instances/{instance}/metadata`.
pub async fn instance_metadata(
    State(center): State<Center>,
    signed: Signed,
    Path((study, series, instance)): Path<(String, String, String)>,
    headers: HeaderMap,
) -> ApiResult<Response> {
    metadata(&center, signed, &study, Some(&series), Some(&instance), &headers).await
}

#[derive(Clone)]
struct Wanted {
    study: StudyUid,
    series: Option<SeriesUid>,
    instance: Option<String>,
}

/// Place of the last row sent: series number, series, instance number, instance.
type After = (i64, String, i64, String);

async fn metadata(
    center: &Center,
    signed: Signed,
    study: &str,
    series: Option<&str>,
    instance: Option<&str>,
    headers: &HeaderMap,
) -> ApiResult<Response> {
    let kind = Accept::from_headers(headers).choose(&[JSON, "application/json"])?;
    let wanted = Wanted {
        study: uid(study)?,
        series: series.map(uid).transpose()?,
        instance: instance.map(|i| uid::<crate::study::SopInstanceUid>(i).map(String::from)).transpose()?,
    };
    let base = center.base_url()?;
    let first = {
        let wanted = wanted.clone();
        center
            .db()
            .read(move |t| {
                check_study(t, &signed, &wanted.study)?;
                Ok::<_, ApiError>(rows(t, &wanted, None)?)
            })
            .await?
    };
    if first.is_empty() {
        return Err(ProblemType::NotFound.into());
    }
    // A series may have 100,000 instances: the array is written as the rows come.
    let state = (center.clone(), wanted, Some(first), true);
    let body = stream::try_unfold(state, move |(center, wanted, pending, opening)| {
        let base = base.clone();
        async move {
            let Some(batch) = pending else { return Ok(None) };
            let mut text: Vec<u8> = if opening { b"[".to_vec() } else { Vec::new() };
            let Some((after, _)) = batch.last() else {
                text.push(b']');
                return Ok(Some((Bytes::from(text), (center, wanted, None, false))));
            };
            let after = after.clone();
            for (index, (_, json)) in batch.iter().enumerate() {
                if !(opening && index == 0) {
                    text.push(b',');
                }
                text.extend(absolute(json, &base));
            }
            let next = {
                let wanted = wanted.clone();
                center.db().read(move |t| rows(t, &wanted, Some(&after))).await.map_err(io::Error::other)?
            };
            Ok::<_, io::Error>(Some((Bytes::from(text), (center, wanted, Some(next), false))))
        }
    });
    response(kind.to_owned(), Body::from_stream(body))
}

fn rows(t: &Transaction<'_>, wanted: &Wanted, after: Option<&After>) -> Result<Vec<(After, Vec<u8>)>, Error> {
    let start = (i64::MIN, String::new(), i64::MIN, String::new());
    let (series_number, series, number, instance) = after.unwrap_or(&start);
    let mut statement = t.prepare_cached(
        "SELECT COALESCE(s.number, -1), s.uid, COALESCE(i.number, -1), i.uid, i.metadata
         FROM instance i JOIN series s ON s.uid = i.series_uid
         WHERE s.study_uid = ?1 AND (?2 IS NULL OR s.uid = ?2) AND (?3 IS NULL OR i.uid = ?3)
           AND (COALESCE(s.number, -1), s.uid, COALESCE(i.number, -1), i.uid) > (?4, ?5, ?6, ?7)
         ORDER BY COALESCE(s.number, -1), s.uid, COALESCE(i.number, -1), i.uid LIMIT ?8",
    )?;
    let found = statement.query_map(
        params![
            wanted.study.as_str(),
            wanted.series.as_ref().map(SeriesUid::as_str),
            wanted.instance,
            series_number,
            series,
            number,
            instance,
            METADATA_ROWS as i64,
        ],
        |r| Ok(((r.get(0)?, r.get(1)?, r.get(2)?, r.get(3)?), r.get(4)?)),
    )?;
    Ok(found.collect::<Result<_, _>>()?)
}

/// Makes the URIs of bulk data absolute. A text value cannot look like this: its quotes are escaped.
pub(super) fn absolute(json: &[u8], base: &str) -> Vec<u8> {
    const KEY: &[u8] = b"\"BulkDataURI\":\"/";
    let mut out = Vec::with_capacity(json.len() + 256);
    let mut rest = json;
    while let Some(at) = rest.windows(KEY.len()).position(|w| w == KEY) {
        let (before, after) = rest.split_at(at + KEY.len() - 1);
        out.extend_from_slice(before);
        out.extend_from_slice(base.as_bytes());
        rest = after;
    }
    out.extend_from_slice(rest);
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn frame_lists() {
        assert_eq!(frame_list("1, 3").ok(), Some(vec![1, 3]));
        for bad in ["", "0", "1,,2", "-1", "a", "1-3"] {
            assert!(frame_list(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn only_addresses_become_absolute() {
        let json = br#"{"a":{"BulkDataURI":"/x"},"b":"\"BulkDataURI\":\"/y"}"#;
        let expected = br#"{"a":{"BulkDataURI":"https://c/x"},"b":"\"BulkDataURI\":\"/y"}"#;
        assert_eq!(absolute(json, "https://c"), expected);
    }
}

//! QIDO-RS: studies, series, instances; required attributes, `includefield`, `limit` and `offset`. Matching is in `matching`.

use super::accept::Accept;
use super::matching::attribute_matches;
use super::{check_study, uid};
use crate::center::contract::{ProblemType, paths};
use crate::server::auth::Signed;
use crate::server::error::{ApiError, ApiResult, Error};
use crate::server::state::Center;
use crate::server::work;
use crate::study::{SeriesUid, StudyUid};
use axum::body::Body;
use axum::extract::{Path, RawQuery, State};
use axum::http::{HeaderMap, HeaderValue, header};
use axum::response::Response;
use rusqlite::{Transaction, params};
use serde_json::{Map, Value, json};

const DEFAULT_LIMIT: usize = 1000;
const MOST: usize = 5000;

/// Keywords that clients use instead of tags.
const KEYWORDS: &[(&str, &str)] = &[
    ("SpecificCharacterSet", "00080005"),
    ("SOPClassUID", "00080016"),
    ("SOPInstanceUID", "00080018"),
    ("StudyDate", "00080020"),
    ("SeriesDate", "00080021"),
    ("StudyTime", "00080030"),
    ("AccessionNumber", "00080050"),
    ("Modality", "00080060"),
    ("ModalitiesInStudy", "00080061"),
    ("InstitutionName", "00080080"),
    ("ReferringPhysicianName", "00080090"),
    ("StudyDescription", "00081030"),
    ("SeriesDescription", "0008103E"),
    ("PatientName", "00100010"),
    ("PatientID", "00100020"),
    ("IssuerOfPatientID", "00100021"),
    ("PatientBirthDate", "00100030"),
    ("PatientSex", "00100040"),
    ("BodyPartExamined", "00180015"),
    ("ProtocolName", "00181030"),
    ("StudyInstanceUID", "0020000D"),
    ("SeriesInstanceUID", "0020000E"),
    ("StudyID", "00200010"),
    ("SeriesNumber", "00200011"),
    ("InstanceNumber", "00200013"),
    ("NumberOfFrames", "00280008"),
    ("Rows", "00280010"),
    ("Columns", "00280011"),
];
/// Attributes of an instance that every answer has (PS3.18 table 10.6.3-5).
const INSTANCE_TAGS: &[&str] =
    &["00080005", "00080016", "00080018", "00083002", "00200013", "00280008", "00280010", "00280011", "00280100"];

#[derive(Debug, Clone, PartialEq)]
struct Query {
    filters: Vec<(String, String)>,
    include: Vec<String>,
    include_all: bool,
    limit: usize,
    offset: usize,
}

fn tag_of(name: &str) -> Option<String> {
    if name.len() == 8 && name.bytes().all(|b| b.is_ascii_hexdigit()) {
        return Some(name.to_ascii_uppercase());
    }
    KEYWORDS.iter().find(|(keyword, _)| *keyword == name).map(|(_, tag)| (*tag).to_owned())
}

impl Query {
    fn parse(raw: &str) -> ApiResult<Self> {
        let bad = |what: &str| ApiError::new(ProblemType::BadRequest, format!("{what} is not understood"));
        let mut query =
            Self { filters: Vec::new(), include: Vec::new(), include_all: false, limit: DEFAULT_LIMIT, offset: 0 };
        for (name, value) in url::form_urlencoded::parse(raw.as_bytes()) {
            match name.as_ref() {
                "limit" => query.limit = value.parse::<usize>().map_err(|_| bad("limit"))?.min(MOST),
                "offset" => query.offset = value.parse().map_err(|_| bad("offset"))?,
                // Names are matched fuzzily anyway; an empty matching of missing values is not offered.
                "fuzzymatching" | "emptyvaluematching" | "multiplevaluematching" => {}
                "includefield" => {
                    for field in value.split(',').filter(|f| !f.is_empty()) {
                        if field == "all" {
                            query.include_all = true;
                        } else if let Some(tag) = tag_of(field) {
                            query.include.push(tag);
                        }
                    }
                }
                other => {
                    let tag = tag_of(other).ok_or_else(|| {
                        ApiError::new(ProblemType::BadRequest, "an attribute of the query is not known")
                    })?;
                    if !value.is_empty() && value != "*" {
                        query.filters.push((tag, value.into_owned()));
                    }
                }
            }
        }
        Ok(query)
    }

    fn matches(&self, object: &Map<String, Value>) -> bool {
        self.filters.iter().all(|(tag, wanted)| object.get(tag).is_some_and(|a| attribute_matches(tag, a, wanted)))
    }
}

fn answer(headers: &HeaderMap, results: &[Value]) -> ApiResult<Response> {
    let kind = Accept::from_headers(headers).choose(&["application/dicom+json", "application/json"])?;
    let mut response = Response::new(Body::from(serde_json::to_vec(results)?));
    let kind = HeaderValue::try_from(kind).map_err(|_| ProblemType::Internal)?;
    response.headers_mut().insert(header::CONTENT_TYPE, kind);
    Ok(response)
}

fn object(text: &str) -> Result<Map<String, Value>, Error> {
    Ok(serde_json::from_str(text)?)
}

fn set(object: &mut Map<String, Value>, tag: &str, vr: &str, value: impl Into<Value>) {
    object.insert(tag.to_owned(), json!({ "vr": vr, "Value": [value.into()] }));
}

/// Common attributes of every level.
fn finish(object: &mut Map<String, Value>, url: String) {
    set(object, "00080056", "CS", "ONLINE");
    set(object, "00081190", "UR", url);
}

// ---- studies ----

/// `GET /studies`.
pub async fn studies(
    State(center): State<Center>,
    signed: Signed,
    RawQuery(raw): RawQuery,
    headers: HeaderMap,
) -> ApiResult<Response> {
    let query = Query::parse(raw.as_deref().unwrap_or_default())?;
    let base = center.base_url()?;
    let results = center.db().read(move |t| find_studies(t, &signed, &query, &base)).await?;
    answer(&headers, &results)
}

fn visible_studies(t: &Transaction<'_>, signed: &Signed) -> Result<Vec<(String, String)>, Error> {
    let mut statement = t.prepare_cached(
        "SELECT uid, attributes FROM study WHERE ?1 OR uid IN
           (SELECT s.study_uid FROM assignment_study s JOIN assignment a ON a.id = s.assignment_id
            WHERE a.reader = ?2 AND a.state NOT IN ('declined', 'reassigned', 'cancelled'))
         ORDER BY uid",
    )?;
    let rows = statement.query_map(params![signed.sees_all(), signed.user.id], |r| Ok((r.get(0)?, r.get(1)?)))?;
    Ok(rows.collect::<Result<_, _>>()?)
}

fn study_object(t: &Transaction<'_>, study: &str, attributes: &str, base: &str) -> Result<Map<String, Value>, Error> {
    let mut object = object(attributes)?;
    let mut statement =
        t.prepare_cached("SELECT DISTINCT modality FROM series WHERE study_uid = ?1 ORDER BY modality")?;
    let modalities = statement.query_map([study], |r| r.get::<_, String>(0))?.collect::<Result<Vec<_>, _>>()?;
    let (series, instances): (i64, i64) = t.query_row(
        "SELECT COUNT(DISTINCT s.uid), COUNT(i.uid) FROM series s JOIN instance i ON i.series_uid = s.uid WHERE s.study_uid = ?1",
        [study],
        |r| Ok((r.get(0)?, r.get(1)?)),
    )?;
    object.insert("00080061".to_owned(), json!({ "vr": "CS", "Value": modalities }));
    set(&mut object, "00201206", "IS", series);
    set(&mut object, "00201208", "IS", instances);
    finish(&mut object, format!("{base}{}/studies/{study}", paths::DICOMWEB));
    Ok(object)
}

fn find_studies(t: &Transaction<'_>, signed: &Signed, query: &Query, base: &str) -> ApiResult<Vec<Value>> {
    let mut found = Vec::new();
    let mut skipped = 0;
    for (uid, attributes) in visible_studies(t, signed)? {
        let object = study_object(t, &uid, &attributes, base)?;
        if !query.matches(&object) {
            continue;
        }
        if skipped < query.offset {
            skipped += 1;
            continue;
        }
        if found.len() >= query.limit {
            break;
        }
        found.push(Value::Object(object));
    }
    Ok(found)
}

// ---- series ----

/// `GET /studies/{study}/series`.
pub async fn series(
    State(center): State<Center>,
    signed: Signed,
    Path(study): Path<String>,
    RawQuery(raw): RawQuery,
    headers: HeaderMap,
) -> ApiResult<Response> {
    search_series(center, signed, Some(study), raw, headers).await
}

/// `GET /series`.
pub async fn all_series(
    State(center): State<Center>,
    signed: Signed,
    RawQuery(raw): RawQuery,
    headers: HeaderMap,
) -> ApiResult<Response> {
    search_series(center, signed, None, raw, headers).await
}

async fn search_series(
    center: Center,
    signed: Signed,
    study: Option<String>,
    raw: Option<String>,
    headers: HeaderMap,
) -> ApiResult<Response> {
    let query = Query::parse(raw.as_deref().unwrap_or_default())?;
    let study: Option<StudyUid> = study.as_deref().map(uid).transpose()?;
    let base = center.base_url()?;
    let results = center
        .db()
        .read(move |t| {
            let studies = chosen(t, &signed, study.as_ref())?;
            let mut page = Page::new(&query);
            for (study, attributes) in studies {
                let above = if page.query.include_all || study_in_filter(page.query) || page.across {
                    study_object(t, &study, &attributes, &base)?
                } else {
                    Map::new()
                };
                let mut statement = t.prepare_cached(
                    "SELECT s.uid, s.attributes, (SELECT COUNT(*) FROM instance i WHERE i.series_uid = s.uid)
                     FROM series s WHERE s.study_uid = ?1 ORDER BY s.number, s.uid",
                )?;
                let rows = statement
                    .query_map([&study], |r| Ok((r.get::<_, String>(0)?, r.get::<_, String>(1)?, r.get::<_, i64>(2)?)))?
                    .collect::<Result<Vec<_>, _>>()?;
                for (series, attributes, instances) in rows {
                    let mut result = above.clone();
                    result.extend(object(&attributes)?);
                    set(&mut result, "0020000D", "UI", study.as_str());
                    set(&mut result, "00201209", "IS", instances);
                    finish(&mut result, format!("{base}{}/studies/{study}/series/{series}", paths::DICOMWEB));
                    if page.take(result) {
                        return Ok(page.found);
                    }
                }
            }
            Ok::<_, ApiError>(page.found)
        })
        .await?;
    answer(&headers, &results)
}

fn study_in_filter(query: &Query) -> bool {
    query.filters.iter().any(|(tag, _)| {
        tag.starts_with("0010") || matches!(tag.as_str(), "00080020" | "00080050" | "00080061" | "00081030")
    })
}

fn chosen(t: &Transaction<'_>, signed: &Signed, study: Option<&StudyUid>) -> ApiResult<Vec<(String, String)>> {
    match study {
        None => Ok(visible_studies(t, signed)?),
        Some(study) => {
            check_study(t, signed, study)?;
            let attributes =
                t.query_row("SELECT attributes FROM study WHERE uid = ?1", [study.as_str()], |r| r.get(0))?;
            Ok(vec![(study.to_string(), attributes)])
        }
    }
}

struct Page<'a> {
    query: &'a Query,
    skipped: usize,
    found: Vec<Value>,
    across: bool,
}

impl<'a> Page<'a> {
    fn new(query: &'a Query) -> Self {
        Self { query, skipped: 0, found: Vec::new(), across: false }
    }

    /// Adds a result if it matches; true when the page is full.
    fn take(&mut self, result: Map<String, Value>) -> bool {
        if self.found.len() >= self.query.limit {
            return true;
        }
        if self.query.matches(&result) {
            if self.skipped < self.query.offset {
                self.skipped += 1;
            } else {
                self.found.push(Value::Object(result));
            }
        }
        self.found.len() >= self.query.limit
    }
}

// ---- instances ----

/// `GET /studies/{study}/series/{series}/instances`.
pub async fn instances(
    State(center): State<Center>,
    signed: Signed,
    Path((study, series)): Path<(String, String)>,
    RawQuery(raw): RawQuery,
    headers: HeaderMap,
) -> ApiResult<Response> {
    search_instances(center, signed, Some(study), Some(series), raw, headers).await
}

/// `GET /studies/{study}/instances`.
pub async fn study_instances(
    State(center): State<Center>,
    signed: Signed,
    Path(study): Path<String>,
    RawQuery(raw): RawQuery,
    headers: HeaderMap,
) -> ApiResult<Response> {
    search_instances(center, signed, Some(study), None, raw, headers).await
}

/// `GET /instances`.
pub async fn all_instances(
    State(center): State<Center>,
    signed: Signed,
    RawQuery(raw): RawQuery,
    headers: HeaderMap,
) -> ApiResult<Response> {
    search_instances(center, signed, None, None, raw, headers).await
}

async fn search_instances(
    center: Center,
    signed: Signed,
    study: Option<String>,
    series: Option<String>,
    raw: Option<String>,
    headers: HeaderMap,
) -> ApiResult<Response> {
    let query = Query::parse(raw.as_deref().unwrap_or_default())?;
    let study: Option<StudyUid> = study.as_deref().map(uid).transpose()?;
    let series: Option<SeriesUid> = series.as_deref().map(uid).transpose()?;
    let base = center.base_url()?;
    let results = center
        .db()
        .read(move |t| {
            let studies = chosen(t, &signed, study.as_ref())?;
            let mut page = Page::new(&query);
            for (study, attributes) in studies {
                if instances_of(t, &study, &attributes, series.as_ref(), &base, &mut page)? {
                    break;
                }
            }
            Ok::<_, ApiError>(page.found)
        })
        .await?;
    answer(&headers, &results)
}

/// True when the page is full.
fn instances_of(
    t: &Transaction<'_>,
    study: &str,
    study_attributes: &str,
    series: Option<&SeriesUid>,
    base: &str,
    page: &mut Page<'_>,
) -> ApiResult<bool> {
    let above = if study_in_filter(page.query) { study_object(t, study, study_attributes, base)? } else { Map::new() };
    let mut statement = t.prepare_cached(
        "SELECT s.uid, s.modality, i.uid, i.metadata FROM instance i JOIN series s ON s.uid = i.series_uid
         WHERE s.study_uid = ?1 AND (?2 IS NULL OR s.uid = ?2) ORDER BY s.number, s.uid, i.number, i.uid",
    )?;
    let mut rows = statement.query(params![study, series.map(SeriesUid::as_str)])?;
    while let Some(row) = rows.next()? {
        let (series, modality, instance): (String, String, String) = (row.get(0)?, row.get(1)?, row.get(2)?);
        let metadata: Map<String, Value> =
            serde_json::from_slice(row.get_ref(3)?.as_blob().map_err(|e| Error::Interrupted(e.to_string()))?)?;
        let mut result = above.clone();
        for (tag, value) in metadata {
            let wanted = page.query.include_all
                || INSTANCE_TAGS.contains(&tag.as_str())
                || page.query.include.contains(&tag)
                || page.query.filters.iter().any(|(f, _)| *f == tag);
            // Bulk data are for `/metadata`.
            if wanted && value.get("BulkDataURI").is_none() {
                result.insert(tag, value);
            }
        }
        set(&mut result, "00080060", "CS", modality);
        set(&mut result, "0020000D", "UI", study);
        set(&mut result, "0020000E", "UI", series.as_str());
        finish(&mut result, format!("{base}{}/studies/{study}/series/{series}/instances/{instance}", paths::DICOMWEB));
        if page.take(result) {
            return Ok(true);
        }
    }
    Ok(false)
}

/// The studies of a person, for the access check of STOW-RS.
pub(super) fn may_store(t: &Transaction<'_>, signed: &Signed, study: &StudyUid) -> Result<bool, Error> {
    Ok(signed.sees_all() || work::may_see(t, &signed.user.id, study)?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn queries() {
        let query = Query::parse(
            "PatientName=Yamada%5ETarou&00080060=CT&limit=5&offset=2&includefield=00081030&includefield=all&PatientID=",
        )
        .expect("query");
        assert_eq!(query.filters, [("00100010".into(), "Yamada^Tarou".into()), ("00080060".into(), "CT".into())]);
        assert_eq!((query.limit, query.offset, query.include_all), (5, 2, true));
        assert!(Query::parse("Nonsense=1").is_err());
        assert!(Query::parse("limit=x").is_err());
    }
}

//! The center's own DICOMweb root (PS3.18): query, retrieve, store, rendered. A reader sees the studies of own assignments and
//! their priors; for everybody else they do not exist.

mod accept;
mod matching;
mod query;
mod rendered;
mod retrieve;
mod store;

use super::auth::Signed;
use super::error::{ApiError, ApiResult};
use super::state::Center;
use super::work;
use crate::center::contract::ProblemType;
use crate::study::{SeriesUid, SopInstanceUid, StudyUid};
use axum::Router;
use axum::extract::DefaultBodyLimit;
use axum::routing::{get, post};
use rusqlite::{OptionalExtension as _, Transaction};

/// Routes below the root.
pub fn router() -> Router<Center> {
    const INSTANCE: &str = "/studies/{study}/series/{series}/instances/{instance}";
    let stow = Router::new()
        .route("/studies", post(store::store).get(query::studies))
        .route("/studies/{study}", post(store::store_into).get(retrieve::study))
        // STOW-RS streams to disk; each part has its own limit.
        .layer(DefaultBodyLimit::disable());
    Router::new()
        .merge(stow)
        .route("/series", get(query::all_series))
        .route("/instances", get(query::all_instances))
        .route("/studies/{study}/series", get(query::series))
        .route("/studies/{study}/instances", get(query::study_instances))
        .route("/studies/{study}/series/{series}/instances", get(query::instances))
        .route("/studies/{study}/metadata", get(retrieve::study_metadata))
        .route("/studies/{study}/thumbnail", get(rendered::study_thumbnail))
        .route("/studies/{study}/series/{series}", get(retrieve::series))
        .route("/studies/{study}/series/{series}/metadata", get(retrieve::series_metadata))
        .route("/studies/{study}/series/{series}/thumbnail", get(rendered::series_thumbnail))
        .route(INSTANCE, get(retrieve::instance))
        .route(&format!("{INSTANCE}/metadata"), get(retrieve::instance_metadata))
        .route(&format!("{INSTANCE}/frames/{{frames}}"), get(retrieve::frames))
        .route(&format!("{INSTANCE}/bulk/{{*path}}"), get(retrieve::bulk))
        .route(&format!("{INSTANCE}/rendered"), get(rendered::instance))
        .route(&format!("{INSTANCE}/thumbnail"), get(rendered::thumbnail))
        .route(&format!("{INSTANCE}/frames/{{frames}}/rendered"), get(rendered::frame))
}

/// A path's UID; anything else is no address of ours, padding neither.
fn uid<T: TryFrom<String> + AsUid>(text: &str) -> ApiResult<T> {
    T::try_from(text.to_owned())
        .ok()
        .filter(|uid| uid.as_uid() == text)
        .ok_or_else(|| ApiError::new(ProblemType::BadRequest, "not a DICOM UID"))
}

trait AsUid {
    fn as_uid(&self) -> &str;
}

macro_rules! as_uid {
    ($($name:ident),*) => { $(
        impl AsUid for $name {
            fn as_uid(&self) -> &str {
                self.as_str()
            }
        }
    )* };
}
as_uid!(StudyUid, SeriesUid, SopInstanceUid);

/// Refuses a study that this person may not see as if it were not there.
fn check_study(t: &Transaction<'_>, signed: &Signed, study: &StudyUid) -> ApiResult<()> {
    let seen = signed.sees_all() || work::may_see(t, &signed.user.id, study)?;
    let there: bool =
        t.query_row("SELECT EXISTS (SELECT 1 FROM study WHERE uid = ?1)", [study.as_str()], |r| r.get(0))?;
    if seen && there { Ok(()) } else { Err(ProblemType::NotFound.into()) }
}

/// An instance by its whole address.
#[derive(Debug, Clone)]
struct Place {
    study: StudyUid,
    series: SeriesUid,
    instance: SopInstanceUid,
    transfer_syntax: String,
    bytes: u64,
}

fn place(t: &Transaction<'_>, signed: &Signed, study: &str, series: &str, instance: &str) -> ApiResult<Place> {
    let (study, series): (StudyUid, SeriesUid) = (uid(study)?, uid(series)?);
    let instance: SopInstanceUid = uid(instance)?;
    check_study(t, signed, &study)?;
    let row = t
        .query_row(
            "SELECT i.transfer_syntax, i.bytes FROM instance i JOIN series s ON s.uid = i.series_uid
             WHERE i.uid = ?1 AND s.uid = ?2 AND s.study_uid = ?3",
            [instance.as_str(), series.as_str(), study.as_str()],
            |r| Ok((r.get::<_, String>(0)?, r.get::<_, i64>(1)?)),
        )
        .optional()?;
    let (transfer_syntax, bytes) = row.ok_or(ProblemType::NotFound)?;
    Ok(Place { study, series, instance, transfer_syntax, bytes: bytes.unsigned_abs() })
}

/// All instances of a study or one of its series, in order.
fn places(t: &Transaction<'_>, signed: &Signed, study: &str, series: Option<&str>) -> ApiResult<Vec<Place>> {
    let study: StudyUid = uid(study)?;
    let series: Option<SeriesUid> = series.map(uid).transpose()?;
    check_study(t, signed, &study)?;
    let mut statement = t.prepare(
        "SELECT s.uid, i.uid, i.transfer_syntax, i.bytes FROM instance i JOIN series s ON s.uid = i.series_uid
         WHERE s.study_uid = ?1 AND (?2 IS NULL OR s.uid = ?2) ORDER BY s.number, s.uid, i.number, i.uid",
    )?;
    let rows = statement
        .query_map((study.as_str(), series.as_ref().map(SeriesUid::as_str)), |r| {
            Ok((r.get::<_, String>(0)?, r.get::<_, String>(1)?, r.get::<_, String>(2)?, r.get::<_, i64>(3)?))
        })?
        .collect::<Result<Vec<_>, _>>()?;
    if rows.is_empty() {
        return Err(ProblemType::NotFound.into());
    }
    rows.into_iter()
        .map(|(series, instance, transfer_syntax, bytes)| {
            Ok(Place {
                study: study.clone(),
                series: uid(&series)?,
                instance: uid(&instance)?,
                transfer_syntax,
                bytes: bytes.unsigned_abs(),
            })
        })
        .collect()
}

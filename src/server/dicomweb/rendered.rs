//! Rendered pictures (PS3.18 10.4.1.1.3): for thumbnails and for people without a workstation. Never for reading.

use super::accept::Accept;
use super::retrieve::{frame_list, read_whole};
use super::{Place, place, places};
use crate::center::contract::ProblemType;
use crate::dicom::Object;
use crate::imaging::{auto_window, encode_jpeg, encode_png, letterbox, render_rgb};
use crate::server::auth::Signed;
use crate::server::db::blocking;
use crate::server::error::{ApiError, ApiResult};
use crate::server::state::Center;
use crate::study::{FrameIndex, Voi, VoiFunction};
use axum::body::Body;
use axum::extract::{Path, Query, State};
use axum::http::{HeaderMap, HeaderValue, header};
use axum::response::Response;
use serde::Deserialize;

const THUMBNAIL: u32 = 256;
const LARGEST: u32 = 4096;
const QUALITY: u8 = 90;

/// Query of a rendered picture.
#[derive(Debug, Default, Deserialize)]
pub struct RenderedQuery {
    /// `width,height`.
    viewport: Option<String>,
    /// `center,width[,function]`.
    window: Option<String>,
    /// JPEG quality, 1 to 100.
    quality: Option<u8>,
}

struct Wish {
    size: Option<(u32, u32)>,
    window: Option<Voi>,
    quality: u8,
    kind: &'static str,
}

impl RenderedQuery {
    fn wish(&self, headers: &HeaderMap, default_size: Option<u32>) -> ApiResult<Wish> {
        let bad = |what: &str| ApiError::new(ProblemType::BadRequest, format!("{what} is not understood"));
        let size = match &self.viewport {
            None => default_size.map(|s| (s, s)),
            Some(text) => {
                let (w, h) = text.split_once(',').ok_or_else(|| bad("viewport"))?;
                let side = |s: &str| {
                    s.split(',')
                        .next()
                        .and_then(|s| s.trim().parse().ok())
                        .filter(|s| (1..=LARGEST).contains(s))
                        .ok_or_else(|| bad("viewport"))
                };
                Some((side(w)?, side(h)?))
            }
        };
        let window = match &self.window {
            None => None,
            Some(text) => {
                let mut parts = text.split(',').map(str::trim);
                let mut number = || {
                    parts
                        .next()
                        .and_then(|p| p.parse::<f64>().ok())
                        .filter(|v| v.is_finite())
                        .ok_or_else(|| bad("window"))
                };
                let (center, width) = (number()?, number()?);
                let function = match parts.next() {
                    None | Some("linear") => VoiFunction::Linear,
                    Some("linear-exact") => VoiFunction::LinearExact,
                    Some("sigmoid") => VoiFunction::Sigmoid,
                    Some(_) => return Err(bad("window")),
                };
                if width < 1.0 && (function == VoiFunction::Linear || width <= 0.0) {
                    return Err(bad("window"));
                }
                Some(Voi { center, width, function })
            }
        };
        let kind = Accept::from_headers(headers).choose(&["image/jpeg", "image/png"])?;
        let quality = self.quality.unwrap_or(QUALITY).clamp(1, 100);
        Ok(Wish { size, window, quality, kind: if kind == "image/png" { "image/png" } else { "image/jpeg" } })
    }
}

async fn picture(center: &Center, one: Place, frame: Option<usize>, wish: Wish) -> ApiResult<Response> {
    let bytes = read_whole(center, &one).await?;
    let permit = center.renderings().acquire().await.map_err(|_| ProblemType::Unavailable)?;
    let kind = wish.kind;
    let encoded = blocking(move || draw(bytes, frame, &wish)).await?;
    drop(permit);
    let mut response = Response::new(Body::from(encoded));
    response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static(kind));
    Ok(response)
}

fn draw(bytes: Vec<u8>, frame: Option<usize>, wish: &Wish) -> ApiResult<Vec<u8>> {
    // What has no picture has no representation of this kind (PS3.18: 406).
    let none = |why: String| ApiError::new(ProblemType::NotAcceptable, why);
    let object = Object::from_bytes(bytes).map_err(|e| none(e.to_string()))?;
    let count = object.frame_count().map_err(|e| none(e.to_string()))?;
    let index = match frame {
        Some(number) if number > count => {
            return Err(ApiError::new(ProblemType::NotFound, format!("there is no frame {number}; there are {count}")));
        }
        Some(number) => number - 1,
        None => count / 2,
    };
    let index = FrameIndex(u32::try_from(index).unwrap_or(u32::MAX));
    let frame = object.frame(index).map_err(|e| none(e.to_string()))?;
    let window = wish.window.or(frame.voi.first().copied()).unwrap_or_else(|| auto_window(&frame));
    let rgb = render_rgb(&frame, &window, false);
    let (rgb, width, height) = match wish.size {
        Some((width, height)) => {
            let fitted = letterbox(&rgb, [frame.columns, frame.rows], frame.pixel_aspect, width, height)
                .map_err(|e| none(e.to_string()))?;
            (fitted, width, height)
        }
        None => (rgb, frame.columns, frame.rows),
    };
    let encoded = if wish.kind == "image/png" {
        encode_png(&rgb, width, height)
    } else {
        encode_jpeg(&rgb, width, height, wish.quality)
    };
    encoded.map_err(|e| none(e.to_string()))
}

/// `GET …/instances/{instance}/rendered`: its middle frame.
pub async fn instance(
    State(center): State<Center>,
    signed: Signed,
    Path((study, series, instance)): Path<(String, String, String)>,
    Query(query): Query<RenderedQuery>,
    headers: HeaderMap,
) -> ApiResult<Response> {
    let wish = query.wish(&headers, None)?;
    let one = center.db().read(move |t| place(t, &signed, &study, &series, &instance)).await?;
    picture(&center, one, None, wish).await
}

/// `GET …/frames/{frame}/rendered`.
pub async fn frame(
    State(center): State<Center>,
    signed: Signed,
    Path((study, series, instance, frame)): Path<(String, String, String, String)>,
    Query(query): Query<RenderedQuery>,
    headers: HeaderMap,
) -> ApiResult<Response> {
    let wish = query.wish(&headers, None)?;
    let numbers = frame_list(&frame)?;
    let [number] = numbers.as_slice() else {
        return Err(ApiError::new(ProblemType::BadRequest, "one frame at a time is rendered"));
    };
    let one = center.db().read(move |t| place(t, &signed, &study, &series, &instance)).await?;
    picture(&center, one, Some(*number), wish).await
}

/// `GET …/instances/{instance}/thumbnail`.
pub async fn thumbnail(
    State(center): State<Center>,
    signed: Signed,
    Path((study, series, instance)): Path<(String, String, String)>,
    Query(query): Query<RenderedQuery>,
    headers: HeaderMap,
) -> ApiResult<Response> {
    let wish = query.wish(&headers, Some(THUMBNAIL))?;
    let one = center.db().read(move |t| place(t, &signed, &study, &series, &instance)).await?;
    picture(&center, one, None, wish).await
}

/// `GET …/series/{series}/thumbnail`: the middle instance.
pub async fn series_thumbnail(
    State(center): State<Center>,
    signed: Signed,
    Path((study, series)): Path<(String, String)>,
    Query(query): Query<RenderedQuery>,
    headers: HeaderMap,
) -> ApiResult<Response> {
    middle(center, signed, study, Some(series), query, headers).await
}

/// `GET /studies/{study}/thumbnail`.
pub async fn study_thumbnail(
    State(center): State<Center>,
    signed: Signed,
    Path(study): Path<String>,
    Query(query): Query<RenderedQuery>,
    headers: HeaderMap,
) -> ApiResult<Response> {
    middle(center, signed, study, None, query, headers).await
}

async fn middle(
    center: Center,
    signed: Signed,
    study: String,
    series: Option<String>,
    query: RenderedQuery,
    headers: HeaderMap,
) -> ApiResult<Response> {
    let wish = query.wish(&headers, Some(THUMBNAIL))?;
    let mut list = center.db().read(move |t| places(t, &signed, &study, series.as_deref())).await?;
    let one = list.swap_remove(list.len() / 2);
    picture(&center, one, None, wish).await
}

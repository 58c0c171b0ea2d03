//! Every path of the center, its size limit and its layers.

use super::state::Center;
use super::{assignments, audit, auth, certificates, dicomweb, discovery, drafts, error, events, reports, submission};
use crate::center::contract::{ProblemType, paths};
use axum::Router;
use axum::body::Body;
use axum::extract::{DefaultBodyLimit, Request, State};
use axum::http::{HeaderValue, header};
use axum::middleware::{self, Next};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use futures_util::StreamExt as _;
use std::time::Duration;

/// Bodies of small JSON requests and forms.
const SMALL: usize = 64 * 1024;
const AUDIT: usize = 2 * 1024 * 1024;

/// The whole service.
pub fn router(center: Center) -> Router {
    let limits = center.config().limits;
    let submission_limit = DefaultBodyLimit::max(usize::try_from(limits.submission_bytes).unwrap_or(usize::MAX));
    // The draft travels inside an envelope.
    let draft_limit =
        DefaultBodyLimit::max(usize::try_from(limits.draft_bytes).unwrap_or(usize::MAX).saturating_add(SMALL));
    let small = Router::new()
        .route(paths::DISCOVERY, get(discovery::discovery))
        .route(paths::HEALTH, get(discovery::health))
        .route(paths::OPENAPI, get(discovery::openapi))
        .route(paths::TOKEN, post(auth::token))
        .route(paths::REVOKE, post(auth::revoke))
        .route(paths::ME, get(auth::me))
        .route(paths::SIGNING_CERTIFICATES, post(certificates::issue))
        .route(paths::ASSIGNMENTS, get(assignments::list_assignments))
        .route("/v1/assignments/{id}", get(assignments::get_assignment))
        .route("/v1/assignments/{id}/lease", post(assignments::renew_lease))
        .route("/v1/assignments/{id}/{action}", post(assignments::transition))
        .route(paths::EVENTS, get(events::events))
        .route("/v1/reports/{id}", get(reports::report))
        .route("/v1/reports/{id}/versions/{version}/files/{name}", get(reports::file))
        .route("/v1/studies/{uid}/reports", get(reports::of_study))
        .layer(DefaultBodyLimit::max(SMALL));
    let audit = Router::new()
        .route(paths::AUDIT_EVENTS, get(audit::head).post(audit::intake))
        .layer(DefaultBodyLimit::max(AUDIT));
    let drafts = Router::new()
        .route("/v1/assignments/{id}/draft", get(drafts::get_draft).put(drafts::put_draft))
        .layer(draft_limit);
    let submissions = Router::new()
        .route("/v1/assignments/{id}/reports", post(submission::first))
        .route("/v1/reports/{id}/versions", post(submission::next))
        .layer(submission_limit);
    small
        .merge(audit)
        .merge(drafts)
        .merge(submissions)
        .nest(paths::DICOMWEB, dicomweb::router())
        .fallback(|| async { error::ApiError::from(ProblemType::NotFound) })
        .layer(middleware::from_fn_with_state(center.clone(), idle_bodies))
        .layer(middleware::from_fn(error::write_problems))
        .layer(middleware::from_fn(security_headers))
        .with_state(center)
}

/// Ends a request whose body stops coming: a slow client must not hold a place for ever.
async fn idle_bodies(State(center): State<Center>, request: Request, next: Next) -> Response {
    let idle = center.config().body_idle;
    let (parts, body) = request.into_parts();
    next.run(Request::from_parts(parts, with_idle_limit(body, idle))).await
}

fn with_idle_limit(body: Body, idle: Duration) -> Body {
    let chunks = futures_util::stream::unfold(Some(body.into_data_stream()), move |state| async move {
        let mut chunks = state?;
        match tokio::time::timeout(idle, chunks.next()).await {
            Ok(Some(Ok(chunk))) => Some((Ok(chunk), Some(chunks))),
            Ok(Some(Err(error))) => Some((Err(std::io::Error::other(error)), None)),
            Ok(None) => None,
            Err(_) => Some((Err(std::io::Error::new(std::io::ErrorKind::TimedOut, "the body stopped coming")), None)),
        }
    });
    Body::from_stream(chunks)
}

async fn security_headers(request: Request, next: Next) -> Response {
    let mut response = next.run(request).await.into_response();
    let headers = response.headers_mut();
    headers.insert(header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    headers.insert(header::STRICT_TRANSPORT_SECURITY, HeaderValue::from_static("max-age=31536000"));
    // Report pages are served as files: nothing in them may run or load anything.
    headers.insert(
        header::CONTENT_SECURITY_POLICY,
        HeaderValue::from_static("default-src 'none'; img-src 'self' data:; style-src 'unsafe-inline'; sandbox"),
    );
    // Patient data stay out of caches, except where a handler says otherwise.
    headers.entry(header::CACHE_CONTROL).or_insert(HeaderValue::from_static("private, no-store"));
    response
}

//! The center's own DICOMweb root (PS3.18): query, retrieve, store, rendered.
use super::state::Center;
use axum::Router;

pub fn router() -> Router<Center> {
    Router::new()
}

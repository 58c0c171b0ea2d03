//! What a terminal may know before anybody signs in.

use super::error::ApiResult;
use super::state::Center;
use crate::center::contract::{AttachmentRule, DicomwebRoot, Discovery, SignInMethod, UserRole, paths};
use crate::worklist::{Archive, ArchiveAuth};
use axum::Json;
use axum::extract::State;
use axum::http::header;
use axum::response::IntoResponse;

/// Media types of attachments, and which one a report must have.
pub const ATTACHMENTS: &[(&str, bool)] =
    &[("text/html", true), ("image/png", false), ("application/pdf", false), ("application/dicom", false)];

/// `GET /.well-known/reading-center`.
pub async fn discovery(State(center): State<Center>) -> ApiResult<Json<Discovery>> {
    let base = center.base_url()?;
    let attachments = ATTACHMENTS
        .iter()
        .map(|(media_type, required)| AttachmentRule { media_type: (*media_type).to_owned(), required: *required })
        .collect();
    Ok(Json(Discovery {
        name: center.name().to_owned(),
        api_versions: vec!["1".to_owned()],
        sign_in: vec![SignInMethod::PasswordTotp { token_endpoint: format!("{base}{}", paths::TOKEN) }],
        roles: vec![
            UserRole::Reader,
            UserRole::SecondReader,
            UserRole::Arbiter,
            UserRole::Coordinator,
            UserRole::Admin,
        ],
        dicomweb: vec![DicomwebRoot {
            archive: Archive {
                root: format!("{base}{}", paths::DICOMWEB),
                auth: ArchiveAuth::CenterToken,
                credentials: None,
            },
            stores_results: true,
        }],
        device_certificate_required: false,
        tsa_url: None,
        ca_certificates: vec![center.pki().ca.certificate_pem()],
        attachments,
        limits: center.config().limits,
        features: ["events", "drafts", "leases", "addenda", "audit"].map(str::to_owned).to_vec(),
        server_time: center.now(),
    }))
}

/// `GET /healthz`: the database answers and the folder can be written.
pub async fn health(State(center): State<Center>) -> ApiResult<Json<serde_json::Value>> {
    center
        .db()
        .read(|t| Ok::<_, super::error::Error>(t.query_row("SELECT COUNT(*) FROM user", [], |r| r.get::<_, i64>(0))?))
        .await?;
    let files = center.files().clone();
    super::db::blocking(move || files.stage().map(drop)).await?;
    Ok(Json(serde_json::json!({ "status": "ok", "version": env!("CARGO_PKG_VERSION") })))
}

/// `GET /openapi.yaml`.
pub async fn openapi() -> impl IntoResponse {
    ([(header::CONTENT_TYPE, "application/yaml")], include_str!("../../assets/reading-center.openapi.yaml"))
}

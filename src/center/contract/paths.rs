//! Paths below the center's base URL. Ids are opaque; those that travel here hold only `[A-Za-z0-9._-]` and need no escaping.

/// Discovery document.
pub const DISCOVERY: &str = "/.well-known/reading-center";
/// Token endpoint (OAuth 2.0).
pub const TOKEN: &str = "/oauth/token";
/// Ends the session: the refresh token and all tokens that came from it.
pub const REVOKE: &str = "/oauth/revoke";
/// Who is signed in.
pub const ME: &str = "/v1/me";
/// Signing certificates.
pub const SIGNING_CERTIFICATES: &str = "/v1/signing-certificates";
/// Worklist.
pub const ASSIGNMENTS: &str = "/v1/assignments";
/// Server-sent events.
pub const EVENTS: &str = "/v1/events";
/// Audit intake.
pub const AUDIT_EVENTS: &str = "/v1/audit-events";
/// The center's own DICOMweb root.
pub const DICOMWEB: &str = "/dicomweb";
/// Health, without sign-in.
pub const HEALTH: &str = "/healthz";
/// The contract itself.
pub const OPENAPI: &str = "/openapi.yaml";

/// One assignment.
pub fn assignment(id: &str) -> String {
    format!("{ASSIGNMENTS}/{id}")
}

/// A transition: `accept`, `start`, `decline`, `release`, `suspend` or `return`.
pub fn transition(id: &str, action: &str) -> String {
    format!("{ASSIGNMENTS}/{id}/{action}")
}

/// Lease renewal.
pub fn lease(id: &str) -> String {
    format!("{ASSIGNMENTS}/{id}/lease")
}

/// The draft that the center keeps.
pub fn draft(id: &str) -> String {
    format!("{ASSIGNMENTS}/{id}/draft")
}

/// Submission of the first version.
pub fn submit(id: &str) -> String {
    format!("{ASSIGNMENTS}/{id}/reports")
}

/// A report with all its versions.
pub fn report(report_id: &str) -> String {
    format!("/v1/reports/{report_id}")
}

/// Submission of an addendum or amendment.
pub fn versions(report_id: &str) -> String {
    format!("/v1/reports/{report_id}/versions")
}

/// A file of one version: `report.json`, `signature.p7s`, `receipt.json` or an attachment's name.
pub fn version_file(report_id: &str, version: u32, name: &str) -> String {
    format!("/v1/reports/{report_id}/versions/{version}/files/{name}")
}

/// Reports about a study.
pub fn study_reports(study_uid: &str) -> String {
    format!("/v1/studies/{study_uid}/reports")
}

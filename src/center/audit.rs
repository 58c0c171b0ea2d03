//! Audit records on their way to the center.

use super::CenterError;
use super::client::{Call, CenterClient};
use super::contract::{AuditBatch, AuditHead, paths};
use reqwest::Method;

impl CenterClient {
    /// Sends a batch; gives the center's head after it.
    pub async fn send_audit(&self, batch: &AuditBatch) -> Result<AuditHead, CenterError> {
        let call = Call::new(Method::POST, paths::AUDIT_EVENTS).json(batch)?.idempotent(None)?;
        self.json(&call).await
    }

    /// The last record of a terminal that the center holds.
    pub async fn audit_head(&self, terminal: &str) -> Result<AuditHead, CenterError> {
        let query = url::form_urlencoded::Serializer::new(String::new()).append_pair("terminal", terminal).finish();
        self.json(&Call::get(format!("{}?{query}", paths::AUDIT_EVENTS))).await
    }
}

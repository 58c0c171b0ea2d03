//! Which center this terminal belongs to. Everything kept for a center is named by its address and its CA.

use super::inner::{Center, Inner, failure_of_center, failure_of_store};
use super::lock;
use super::message::{Event, Failure, Link, Start};
use super::session::{LAST_AUDIT, failure_of_secret};
use crate::center::contract::{ENROLMENT_FORMAT, EnrolmentFile};
use crate::center::{CenterClient, CenterError, Session as Tokens, refresh_token_name};
use crate::vault::ca::certificates_from_pem;
use crate::vault::digest::sha256_hex;
use std::io::Read as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// Largest enrolment file.
const MAX_ENROLMENT_BYTES: u64 = 256 * 1024;

/// Name of the enrolment among the private values.
pub(super) const ENROLMENT: &str = "enrolment";

/// A center's identity: its address and the CA by which it is known.
pub(super) fn id(center: &EnrolmentFile) -> String {
    let whole = sha256_hex(format!("{}\0{}", center.base_url, center.ca_certificate).as_bytes());
    whole.chars().take(32).collect()
}

/// Name of a center's last session among the private values.
pub(super) fn last_session_name(center: &EnrolmentFile) -> String {
    format!("last-session-{}", id(center))
}

impl Inner {
    /// From now on this is the center; audit records are its own chain's.
    pub(super) async fn connect(self: &Arc<Self>, file: EnrolmentFile) -> Result<(), CenterError> {
        let opened = self.opened().map_err(|f| CenterError::Secret(f.detail().to_owned()))?;
        let roots = certificates_from_pem(&file.ca_certificate)
            .map_err(|_| CenterError::Untrusted("the enrolment file's CA certificate cannot be read".to_owned()))?;
        let tokens = Arc::new(Tokens::new(opened.secrets, &file.base_url, &file.ca_certificate));
        let patience = self.config.timing.patience;
        let client = CenterClient::new(&file.base_url, &file.ca_certificate, tokens, patience)?;
        let here = Arc::downgrade(self);
        let client = client.telling(Arc::new(move || {
            if let Some(inner) = here.upgrade() {
                inner.set_link(|l| l.online = false);
            }
        }));
        let chain = id(&file);
        let begun = opened.disk.call(move |store| store.use_audit_chain(&chain)).await;
        begun.map_err(|e| CenterError::Secret(e.to_string()))?;
        let name = file.center.clone();
        *lock(&self.center) = Some(Center { client, enrolment: Arc::new(file), roots: Arc::new(roots) });
        self.set_link(|l| *l = Link { center: name, ..Link::default() });
        Ok(())
    }

    pub(super) async fn enrol(self: &Arc<Self>, path: PathBuf) {
        let result = self.read_enrolment(&path).await;
        match result {
            Ok((center, last_user)) => self.events.push(Event::Started(Start::Ready { center, last_user })),
            Err(failure) => self.events.push(Event::Notice(failure)),
        }
    }

    async fn read_enrolment(self: &Arc<Self>, path: &Path) -> Result<(String, String), Failure> {
        let path = path.to_owned();
        let bytes = tokio::task::spawn_blocking(move || {
            let mut bytes = Vec::new();
            std::fs::File::open(path)?.take(MAX_ENROLMENT_BYTES + 1).read_to_end(&mut bytes)?;
            Ok::<_, std::io::Error>(bytes)
        })
        .await
        .map_err(|e| Failure::Local(e.to_string()))?
        .map_err(|e| Failure::Local(format!("the enrolment file cannot be read: {e}")))?;
        if bytes.len() as u64 > MAX_ENROLMENT_BYTES {
            return Err(Failure::Corrupt("this is no enrolment file: too large".to_owned()));
        }
        let file: EnrolmentFile = serde_json::from_slice(&bytes).map_err(|e| {
            Failure::Corrupt(format!("this is no enrolment file (line {}, column {})", e.line(), e.column()))
        })?;
        if file.format != ENROLMENT_FORMAT {
            return Err(Failure::Corrupt("an enrolment file of a kind that this program does not know".to_owned()));
        }
        if file.expires_at < self.now() {
            return Err(Failure::Denied("the enrolment file has expired: ask the center for a new one".to_owned()));
        }
        self.leave_other_center(&file).await?;
        let disk = self.disk()?;
        let json = serde_json::to_vec(&file).map_err(|e| Failure::Local(e.to_string()))?;
        disk.call(move |store| store.put_private(ENROLMENT, &json)).await.map_err(|e| failure_of_store(&e))?;
        let told = (file.center.clone(), file.user.clone());
        self.connect(file).await.map_err(|e| failure_of_center(&e))?;
        Ok(told)
    }

    /// Where the profile belongs to another center than `file`'s: refuses while a reader's work for it waits here,
    /// else ends that session and forgets its worklist. Nothing of one center ever goes to another: audit records
    /// that wait are that center's chain, and go when the terminal is enrolled there again.
    async fn leave_other_center(&self, file: &EnrolmentFile) -> Result<(), Failure> {
        let disk = self.disk()?;
        let known = disk.call(|store| store.private(ENROLMENT)).await.map_err(|e| failure_of_store(&e))?;
        let known = match known.map(|b| serde_json::from_slice::<EnrolmentFile>(&b)) {
            None => return Ok(()),
            Some(Ok(known)) => known,
            Some(Err(_)) => return Err(Failure::Corrupt("the kept enrolment cannot be read".to_owned())),
        };
        if id(&known) == id(file) {
            return Ok(());
        }
        let waiting = disk.call(|store| Ok((store.draft_count()?, store.outbox()?.len(), store.flag_count()?))).await;
        let (drafts, reports, flags) = waiting.map_err(|e| failure_of_store(&e))?;
        if drafts + reports + flags > 0 {
            return Err(Failure::Conflict(format!(
                "this profile holds work for {} that has not gone there: {drafts} drafts, {reports} reports in the \
                 outbox, {flags} flags. Sign in there and finish it, or enrol in another profile \
                 (--profile)",
                known.center
            )));
        }
        let last = tokio::time::Instant::now() + LAST_AUDIT;
        if lock(&self.token_user).is_some() && self.center().is_ok() {
            match tokio::time::timeout_at(last, self.send_all_audit()).await {
                Ok(Ok(())) => {}
                Ok(Err(failure)) => tracing::warn!(reason = failure.detail(), "audit records of the other center wait"),
                Err(_) => tracing::warn!("audit records of the other center wait: it does not answer"),
            }
        }
        let was_here = self.signed_in().is_some();
        self.leave(last).await;
        if was_here {
            self.events.push(Event::SignedOut(None));
        }
        lock(&self.assignments).clear();
        let secrets = self.opened()?.secrets;
        let token = refresh_token_name(&known.base_url, &known.ca_certificate);
        tokio::task::spawn_blocking(move || secrets.delete(&token))
            .await
            .map_err(|e| Failure::Local(e.to_string()))?
            .map_err(|e| failure_of_secret(&e))?;
        let last = last_session_name(&known);
        disk.call(move |store| {
            store.clear_worklist()?;
            store.delete_private(&last)
        })
        .await
        .map_err(|e| failure_of_store(&e))
    }
}

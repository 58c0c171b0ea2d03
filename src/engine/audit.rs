//! Audit records on their way to the center: in order, in batches, nothing dropped. Each center has a chain of its own
//! on this terminal; what waits for one never goes to another.

use super::enrolment;
use super::inner::{Inner, failure_of_center, failure_of_store};
use super::lock;
use super::message::{Event, Failure};
use crate::center::contract::{AuditBatch, MAX_AUDIT_BATCH, ProblemType};
use crate::vault::random::random_id;
use std::sync::Arc;

/// Name of the terminal's id among the private values.
const TERMINAL: &str = "terminal-id";

impl Inner {
    /// The terminal's id: random, made once per profile.
    async fn terminal(&self) -> Result<String, Failure> {
        let disk = self.disk()?;
        disk.call(|store| {
            if let Some(id) = store.private(TERMINAL)? {
                return Ok(String::from_utf8_lossy(&id).into_owned());
            }
            let id = random_id()?;
            store.put_private(TERMINAL, id.as_bytes())?;
            Ok(id)
        })
        .await
        .map_err(|e| failure_of_store(&e))
    }

    /// Sends what waits, batch after batch.
    pub(super) async fn send_all_audit(&self) -> Result<(), Failure> {
        while self.send_audit().await? {}
        Ok(())
    }

    /// Sends one batch; `false` when nothing waits. One at a time, so that no batch goes twice.
    async fn send_audit(&self) -> Result<bool, Failure> {
        let _one_sender = self.audit_gate.lock().await;
        let disk = self.disk()?;
        let limit = MAX_AUDIT_BATCH as u32;
        let center = self.center()?;
        let chain = enrolment::id(&center.enrolment);
        let of = chain.clone();
        let waiting =
            disk.call(move |store| store.audit_to_send(&of, limit)).await.map_err(|e| failure_of_store(&e))?;
        let Some(last) = waiting.last().map(|r| r.event.sequence) else { return Ok(false) };
        let terminal = self.terminal().await?;
        let batch = AuditBatch { terminal, records: waiting.iter().map(|r| r.event.clone()).collect() };
        let head = self.note(center.client.send_audit(&batch).await);
        let head = match head {
            Err(error) if error.problem_type() == Some(ProblemType::AuditChainBroken) => {
                return Err(Failure::Conflict("the center's audit chain differs from this terminal's".to_owned()));
            }
            other => other.map_err(|e| failure_of_center(&e))?,
        };
        let held = waiting.iter().find(|r| r.event.sequence == head.sequence);
        if held.is_none_or(|r| r.hash != head.hash) {
            return Err(Failure::Conflict("the center confirms other audit records than were sent".to_owned()));
        }
        disk.call(move |store| store.audit_sent(&chain, last)).await.map_err(|e| failure_of_store(&e))?;
        Ok(true)
    }
}

/// Sends audit records until the engine stops.
pub(super) async fn send_loop(inner: Arc<Inner>) {
    let mut told = false;
    loop {
        let pause = if lock(&inner.token_user).is_none() {
            None
        } else {
            match inner.send_audit().await {
                Ok(true) => {
                    told = false;
                    continue;
                }
                Ok(false) | Err(Failure::Offline(_)) => None,
                Err(failure) => {
                    if !std::mem::replace(&mut told, true) {
                        inner.events.push(Event::Notice(failure));
                    }
                    Some(())
                }
            }
        };
        // After a refusal only time helps; otherwise a new record or the tick does.
        let wake = async {
            match pause {
                None => inner.audit_wake.notified().await,
                Some(()) => std::future::pending().await,
            }
        };
        tokio::select! {
            () = wake => {}
            () = tokio::time::sleep(inner.config.timing.tick) => {}
            () = inner.stopped() => return,
        }
    }
}

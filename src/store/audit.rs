//! The audit chain: append only; each record holds the digest of the one before.

use super::db::Tx;
use super::{Store, StoreError, context};
use crate::report::manifest::canonical;
use crate::vault::digest::sha256_hex;
use crate::vault::seal::Sealer;
use crate::worklist::{AuditAction, AuditEvent, AuditOutcome};
use jiff::Timestamp;
use rusqlite::params;

/// What is to be recorded; number and digest are given by the chain.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewAudit {
    /// When.
    pub at: Timestamp,
    /// Who (user id), empty before sign-in.
    pub user: String,
    /// What.
    pub action: AuditAction,
    /// How it ended.
    pub outcome: AuditOutcome,
    /// Id of the object concerned.
    pub object: Option<String>,
}

/// A record and its own digest (SHA-256, hex, of its RFC 8785 JSON).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ChainRecord {
    /// The record.
    pub event: AuditEvent,
    /// Its digest, which the next record names.
    pub hash: String,
}

/// Digest before the first record.
const FIRST: &str = "0000000000000000000000000000000000000000000000000000000000000000";

/// Where the chain that records go to is kept. Its value names the chain's center; none: before the first enrolment.
const CHAIN: &str = "audit-chain";

/// Chain that records are appended to.
fn chain(tx: &Tx<'_>) -> Result<String, StoreError> {
    let name = tx.optional("SELECT value FROM meta WHERE name = ?1", [CHAIN], |r| r.get::<_, Vec<u8>>(0))?;
    String::from_utf8(name.unwrap_or_default()).map_err(|_| StoreError::Damaged("audit chain"))
}

/// Appends inside a transaction, so that an act and its record come together or not at all.
pub(super) fn append(tx: &Tx<'_>, sealer: &Sealer, new: NewAudit) -> Result<(), StoreError> {
    let chain = chain(tx)?;
    let last = tx.optional(
        "SELECT sequence, hash FROM audit WHERE chain = ?1 ORDER BY sequence DESC LIMIT 1",
        [&chain],
        |r| Ok((r.get::<_, i64>(0)?, r.get::<_, String>(1)?)),
    )?;
    let (sequence, previous) = last.map_or((1, FIRST.to_owned()), |(s, h)| (s + 1, h));
    let event = AuditEvent {
        sequence: sequence.unsigned_abs(),
        at: new.at,
        user: new.user,
        action: new.action,
        outcome: new.outcome,
        object: new.object,
        previous,
    };
    // The record's digest is over its RFC 8785 form, as the contract says; that form is also what is kept.
    let json = canonical(&event)?;
    let hash = sha256_hex(&json);
    let sealed = sealer.seal(&context("audit", &sequence.to_be_bytes()), &json)?;
    tx.run(
        "audit.append",
        "INSERT INTO audit (chain, sequence, hash, sealed) VALUES (?1, ?2, ?3, ?4)",
        params![chain, sequence, hash, sealed],
    )?;
    Ok(())
}

impl Store {
    /// Records from now on belong to this center's chain. Those from before the first enrolment become its beginning.
    pub fn use_audit_chain(&mut self, center: &str) -> Result<(), StoreError> {
        self.db.transaction(|tx| {
            if chain(tx)? == center {
                return Ok(());
            }
            let begun = tx.optional("SELECT 1 FROM audit WHERE chain = ?1", [center], |r| r.get::<_, i64>(0))?;
            if begun.is_none() {
                tx.run("audit.adopt", "UPDATE audit SET chain = ?1 WHERE chain = ''", [center])?;
            }
            tx.run("audit.chain", "INSERT OR REPLACE INTO meta VALUES (?1, ?2)", params![CHAIN, center.as_bytes()])?;
            Ok(())
        })
    }

    /// Appends a record to the chain in use.
    pub fn record(&mut self, new: NewAudit) -> Result<(), StoreError> {
        let sealer = self.sealer.clone();
        self.db.transaction(|tx| append(tx, &sealer, new))
    }

    /// The oldest records of a center's chain that it has not confirmed, at most `limit`.
    pub fn audit_to_send(&self, center: &str, limit: u32) -> Result<Vec<ChainRecord>, StoreError> {
        let rows = self.db.all(
            "SELECT sequence, hash, sealed FROM audit WHERE chain = ?1 AND at_center = 0 ORDER BY sequence LIMIT ?2",
            params![center, limit],
            |r| Ok((r.get::<_, i64>(0)?, r.get::<_, String>(1)?, r.get::<_, Vec<u8>>(2)?)),
        )?;
        rows.into_iter()
            .map(|(sequence, hash, sealed)| {
                let event = self.open_json(&context("audit", &sequence.to_be_bytes()), &sealed)?;
                Ok(ChainRecord { event, hash })
            })
            .collect()
    }

    /// The center holds everything of its chain up to this record. Records stay here too.
    pub fn audit_sent(&mut self, center: &str, up_to: u64) -> Result<(), StoreError> {
        self.db.transaction(|tx| {
            tx.run(
                "audit.sent",
                "UPDATE audit SET at_center = 1 WHERE chain = ?1 AND at_center = 0 AND sequence <= ?2",
                params![center, up_to as i64],
            )?;
            Ok(())
        })
    }

    /// Checks all chains whole; gives the number of records. A gap or an edit is [`StoreError::Damaged`].
    pub fn check_audit(&self) -> Result<u64, StoreError> {
        let rows =
            self.db.all("SELECT chain, sequence, hash, sealed FROM audit ORDER BY chain, sequence", [], |r| {
                Ok((r.get::<_, String>(0)?, r.get::<_, i64>(1)?, r.get::<_, String>(2)?, r.get::<_, Vec<u8>>(3)?))
            })?;
        let (mut of, mut place, mut previous) = (None, 0, FIRST.to_owned());
        for (chain, sequence, hash, sealed) in &rows {
            if of != Some(chain) {
                (of, place, previous) = (Some(chain), 0, FIRST.to_owned());
            }
            place += 1;
            let json = self.sealer.open(&context("audit", &sequence.to_be_bytes()), sealed)?;
            let event: AuditEvent = serde_json::from_slice(&json)?;
            let whole = *sequence == place && event.previous == previous && sha256_hex(&json) == *hash;
            if !whole {
                return Err(StoreError::Damaged("audit chain"));
            }
            previous.clone_from(hash);
        }
        Ok(rows.len() as u64)
    }
}

#[cfg(test)]
pub(super) mod tests {
    use super::super::testing::Bench;
    use super::*;

    pub(in crate::store) fn login() -> NewAudit {
        NewAudit {
            at: Timestamp::UNIX_EPOCH,
            user: "dr".into(),
            action: AuditAction::Login,
            outcome: AuditOutcome::Success,
            object: None,
        }
    }

    #[test]
    fn records_hang_together_and_a_gap_shows() {
        let bench = Bench::new();
        let mut store = bench.open();
        for _ in 0..3 {
            store.record(login()).expect("recorded");
        }
        assert_eq!(store.check_audit().expect("whole"), 3);
        let batch = store.audit_to_send("", 2).expect("read");
        assert_eq!((batch.len(), batch[0].event.previous.as_str()), (2, FIRST));
        assert_eq!(batch[1].event.previous, batch[0].hash);
        store.audit_sent("", 2).expect("marked");
        assert_eq!(store.audit_to_send("", 9).expect("read")[0].event.sequence, 3);
        store.db.transaction(|tx| tx.run("x", "DELETE FROM audit WHERE sequence = 2", [])).expect("removed");
        assert!(matches!(store.check_audit(), Err(StoreError::Damaged(_))));
    }

    #[test]
    fn each_center_has_a_chain_of_its_own() {
        let bench = Bench::new();
        let mut store = bench.open();
        store.record(login()).expect("before any enrolment");
        store.use_audit_chain("a").expect("first center");
        store.record(login()).expect("recorded");
        store.use_audit_chain("b").expect("second center");
        store.record(login()).expect("recorded");
        let numbers = |store: &Store, chain: &str| {
            let waiting = store.audit_to_send(chain, 9).expect("read");
            waiting.iter().map(|r| r.event.sequence).collect::<Vec<_>>()
        };
        assert_eq!((numbers(&store, "a"), numbers(&store, "b"), numbers(&store, "")), (vec![1, 2], vec![1], vec![]));
        assert_eq!(store.audit_to_send("b", 9).expect("read")[0].event.previous, FIRST);
        store.audit_sent("b", 1).expect("marked");
        assert_eq!((numbers(&store, "a"), numbers(&store, "b")), (vec![1, 2], vec![]));
        // Back at the first one its chain goes on, over a restart too.
        store.use_audit_chain("a").expect("back");
        drop(store);
        let mut store = bench.open();
        store.record(login()).expect("recorded");
        assert_eq!(numbers(&store, "a"), [1, 2, 3]);
        assert_eq!(store.check_audit().expect("whole"), 4);
    }
}

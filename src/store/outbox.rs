//! Signed reports and the outbox: what was signed is kept whole and sent exactly so, as often as it takes.

use super::audit::{NewAudit, append};
use super::{Store, StoreError, context};
use crate::report::{Draft, Predecessor, Receipt};
use jiff::Timestamp;
use rusqlite::params;
use serde::{Deserialize, Serialize};

/// A part of the signed package beside the report itself; the report names it by digest.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Attachment {
    /// File name, as the report names it.
    pub name: String,
    /// Media type.
    pub media_type: String,
    /// The bytes.
    #[serde(with = "base64_bytes")]
    pub bytes: Vec<u8>,
}

impl std::fmt::Debug for Attachment {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Attachment").field("name", &self.name).field("bytes", &self.bytes.len()).finish_non_exhaustive()
    }
}

/// A signed report with everything that a submission needs. Debug output hides it.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Package {
    /// Assignment it answers.
    pub assignment: String,
    /// Who signed (user id): only this reader's session sends it.
    pub user: String,
    /// Lease under which it was read, if the terminal knew one.
    pub lease: Option<String>,
    /// The signed version that this one follows.
    pub predecessor: Option<Predecessor>,
    /// Revision of the draft that was signed: a later one is not this report.
    pub revision: u64,
    /// When it was signed.
    pub signed_at: Timestamp,
    /// SHA-256 (hex) of `report_json`; also the idempotency key.
    pub sha256: String,
    /// The exact bytes that were signed.
    #[serde(with = "base64_bytes")]
    pub report_json: Vec<u8>,
    /// Detached CMS, DER.
    #[serde(with = "base64_bytes")]
    pub signature: Vec<u8>,
    /// Attachments in the order that the report names them.
    pub attachments: Vec<Attachment>,
}

impl std::fmt::Debug for Package {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Package").field("assignment", &self.assignment).finish_non_exhaustive()
    }
}

/// Bytes as base64 text in JSON.
mod base64_bytes {
    use base64::Engine as _;
    use base64::engine::general_purpose::STANDARD;
    use serde::{Deserialize as _, Deserializer, Serializer, de::Error as _};

    pub(super) fn serialize<S: Serializer>(bytes: &[u8], to: S) -> Result<S::Ok, S::Error> {
        to.serialize_str(&STANDARD.encode(bytes))
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<Vec<u8>, D::Error> {
        STANDARD.decode(String::deserialize(from)?).map_err(D::Error::custom)
    }
}

/// An entry that waits.
#[derive(Debug, Clone)]
pub struct OutboxRow {
    /// Number, in order of signing.
    pub id: i64,
    /// What is to be sent.
    pub package: Package,
    /// Attempts so far.
    pub attempts: u32,
    /// Not before.
    pub next_at: Timestamp,
    /// A person must act; the reason.
    pub wedged: Option<String>,
    /// Closed by the reader, with the words for it.
    pub handed: Option<String>,
}

/// A signed report and its receipt.
#[derive(Debug, Clone)]
pub struct SignedRow {
    /// Number, in order of signing.
    pub id: i64,
    /// What was signed.
    pub package: Package,
    /// The center's receipt, once it has it.
    pub receipt: Option<Receipt>,
}

impl Store {
    /// Keeps a signed report and puts it into the outbox, with its audit record: all at once or nothing.
    ///
    /// While another patient is suspected nothing is signed: [`StoreError::Flagged`].
    /// Only one signed report may answer an assignment (or follow a given version):
    /// [`StoreError::AlreadySigned`] otherwise.
    pub fn sign(&mut self, package: &Package, audit: NewAudit) -> Result<i64, StoreError> {
        let answers = self.answers(&package.assignment, package.predecessor.as_ref());
        let assignment = self.index.row("signed", &[&package.assignment]);
        let sealed = self.seal_json(&context("signed", &answers), package)?;
        let sealer = self.sealer.clone();
        if self.is_flagged(&package.user, &package.assignment)? {
            return Err(StoreError::Flagged);
        }
        self.db.transaction(|tx| {
            let there = tx.optional("SELECT id FROM signed WHERE answers = ?1", [&answers], |r| r.get::<_, i64>(0))?;
            if there.is_some() {
                return Err(StoreError::AlreadySigned);
            }
            tx.run(
                "signed.put",
                "INSERT INTO signed (answers, assignment, sealed) VALUES (?1, ?2, ?3)",
                params![answers, assignment, sealed],
            )?;
            let id = tx.last_id();
            tx.run("outbox.put", "INSERT INTO outbox (id) VALUES (?1)", [id])?;
            append(tx, &sealer, audit)?;
            Ok(id)
        })
    }

    /// Whether a signed report with this draft's place (assignment, predecessor) is kept here.
    pub fn is_signed(&self, draft: &Draft) -> Result<bool, StoreError> {
        let answers = self.answers(&draft.assignment_id, draft.addendum_to.as_ref());
        let found = self.db.optional("SELECT 1 FROM signed WHERE answers = ?1", [&answers], |r| r.get::<_, i64>(0))?;
        Ok(found.is_some())
    }

    fn answers(&self, assignment: &str, follows: Option<&Predecessor>) -> Vec<u8> {
        self.index.row("answers", &[assignment, follows.map_or("", |p| p.sha256.as_str())])
    }

    /// Everything that waits, oldest first.
    pub fn outbox(&self) -> Result<Vec<OutboxRow>, StoreError> {
        self.outbox_rows("o.handed IS NULL")
    }

    pub(super) fn outbox_rows(&self, which: &'static str) -> Result<Vec<OutboxRow>, StoreError> {
        type Raw = (i64, Vec<u8>, Vec<u8>, u32, i64, Option<Vec<u8>>, Option<Vec<u8>>);
        let sql = format!(
            "SELECT o.id, s.answers, s.sealed, o.attempts, o.next_at, o.wedged, o.handed
             FROM outbox o JOIN signed s ON s.id = o.id WHERE {which} ORDER BY o.id"
        );
        let rows: Vec<Raw> = self
            .db
            .all(&sql, [], |r| Ok((r.get(0)?, r.get(1)?, r.get(2)?, r.get(3)?, r.get(4)?, r.get(5)?, r.get(6)?)))?;
        rows.into_iter()
            .map(|(id, answers, sealed, attempts, next_at, wedged, handed)| {
                Ok(OutboxRow {
                    id,
                    package: self.open_json(&context("signed", &answers), &sealed)?,
                    attempts,
                    next_at: Timestamp::from_second(next_at).map_err(|_| StoreError::Damaged("outbox time"))?,
                    wedged: wedged.map(|w| self.open_json(&context("outbox", &id.to_be_bytes()), &w)).transpose()?,
                    handed: handed.map(|h| self.open_json(&context("handed", &id.to_be_bytes()), &h)).transpose()?,
                })
            })
            .collect()
    }

    /// An attempt failed and is worth another one, not before `next_at`.
    pub fn outbox_retry(&mut self, id: i64, next_at: Timestamp) -> Result<(), StoreError> {
        self.db.transaction(|tx| {
            tx.run(
                "outbox.retry",
                "UPDATE outbox SET attempts = attempts + 1, next_at = ?2, wedged = NULL WHERE id = ?1",
                params![id, next_at.as_second()],
            )?;
            Ok(())
        })
    }

    /// The center refused: a person must act.
    pub fn outbox_wedged(&mut self, id: i64, reason: &str) -> Result<(), StoreError> {
        let sealed = self.seal_json(&context("outbox", &id.to_be_bytes()), &reason)?;
        self.db.transaction(|tx| {
            tx.run(
                "outbox.wedged",
                "UPDATE outbox SET attempts = attempts + 1, wedged = ?2 WHERE id = ?1",
                params![id, sealed],
            )?;
            Ok(())
        })
    }

    /// A wedged entry, also one that was handed over, is tried again (a person asked for it).
    pub fn outbox_unwedge(&mut self, id: i64) -> Result<(), StoreError> {
        self.db.transaction(|tx| {
            tx.run(
                "outbox.unwedge",
                "UPDATE outbox SET wedged = NULL, handed = NULL, next_at = 0 WHERE id = ?1",
                [id],
            )?;
            Ok(())
        })
    }

    /// The center has it: receipt kept, entry gone, audit record written, all at once; the signer's draft goes too
    /// where it is the one that was signed.
    pub fn outbox_accepted(&mut self, id: i64, receipt: &Receipt, audit: NewAudit) -> Result<(), StoreError> {
        let sealed = self.seal_json(&context("receipts", &id.to_be_bytes()), receipt)?;
        let signed_draft = self.signed_draft(id)?;
        let sealer = self.sealer.clone();
        self.db.transaction(|tx| {
            let changed = tx.run("receipt.put", "UPDATE signed SET receipt = ?2 WHERE id = ?1", params![id, sealed])?;
            if changed != 1 {
                return Err(StoreError::NotFound("outbox entry"));
            }
            tx.run("outbox.remove", "DELETE FROM outbox WHERE id = ?1", [id])?;
            if let Some(row) = &signed_draft {
                tx.run("draft.delete", "DELETE FROM drafts WHERE row = ?1", [row])?;
            }
            append(tx, &sealer, audit)
        })
    }

    /// Row of the draft that became the signed report `id`; none where the signer has begun another one since.
    fn signed_draft(&self, id: i64) -> Result<Option<Vec<u8>>, StoreError> {
        let found = self.db.optional("SELECT answers, sealed FROM signed WHERE id = ?1", [id], |r| {
            Ok((r.get::<_, Vec<u8>>(0)?, r.get::<_, Vec<u8>>(1)?))
        })?;
        let Some((answers, sealed)) = found else { return Ok(None) };
        let package: Package = self.open_json(&context("signed", &answers), &sealed)?;
        let kept = match self.draft(&package.user, &package.assignment) {
            Ok(kept) => kept,
            // What cannot be read cannot be told to be the signed one; the receipt does not wait for it.
            Err(error) => {
                tracing::warn!(id, %error, "the draft of a submitted report is left as it is");
                None
            }
        };
        let same = |d: &Draft| d.addendum_to == package.predecessor && d.revision <= package.revision;
        Ok(kept.filter(|k| same(&k.draft)).map(|_| self.draft_row(&package.user, &package.assignment)))
    }

    /// Signed reports of an assignment, oldest first.
    pub fn signed(&self, assignment: &str) -> Result<Vec<SignedRow>, StoreError> {
        type Raw = (i64, Vec<u8>, Vec<u8>, Option<Vec<u8>>);
        let row = self.index.row("signed", &[assignment]);
        let rows: Vec<Raw> = self.db.all(
            "SELECT id, answers, sealed, receipt FROM signed WHERE assignment = ?1 ORDER BY id",
            [&row],
            |r| Ok((r.get(0)?, r.get(1)?, r.get(2)?, r.get(3)?)),
        )?;
        rows.into_iter()
            .map(|(id, answers, sealed, receipt)| {
                Ok(SignedRow {
                    id,
                    package: self.open_json(&context("signed", &answers), &sealed)?,
                    receipt: receipt
                        .map(|r| self.open_json(&context("receipts", &id.to_be_bytes()), &r))
                        .transpose()?,
                })
            })
            .collect()
    }
}

#[cfg(test)]
pub(super) mod tests {
    use super::super::audit::tests::login;
    use super::super::drafts::tests::draft;
    use super::super::testing::Bench;
    use super::super::{Fault, FaultPlan};
    use super::*;
    use std::sync::Arc;

    pub fn package(assignment: &str, follows: Option<&str>) -> Package {
        Package {
            assignment: assignment.into(),
            user: "dr".into(),
            lease: Some("l".into()),
            predecessor: follows.map(|sha256| Predecessor { report_id: "r".into(), sha256: sha256.into(), version: 1 }),
            revision: 1,
            signed_at: Timestamp::UNIX_EPOCH,
            sha256: "ab".into(),
            report_json: b"{}".to_vec(),
            signature: vec![0, 159, 146, 150],
            attachments: vec![Attachment {
                name: "report.html".into(),
                media_type: "text/html".into(),
                bytes: vec![1, 2],
            }],
        }
    }

    pub fn receipt(assignment: &str) -> Receipt {
        Receipt {
            report_id: "r1".into(),
            version: 1,
            assignment_id: assignment.into(),
            sha256: "ab".into(),
            signer: "dr".into(),
            received_at: Timestamp::UNIX_EPOCH,
            center: "c".into(),
            signature: String::new(),
        }
    }

    #[test]
    fn signing_is_all_or_nothing_at_every_write() {
        let bench = Bench::new();
        let plan = Arc::new(FaultPlan::default());
        let mut store = bench.open_with(plan.clone()).expect("opens");
        store.put_draft("dr", &draft("a", 1), Timestamp::UNIX_EPOCH).expect("kept");
        for nth in 0..4 {
            plan.arm(nth, Fault::Fail(std::io::ErrorKind::StorageFull));
            assert!(matches!(store.sign(&package("a", None), login()), Err(StoreError::Full(_))), "write {nth}");
            assert!(store.outbox().expect("read").is_empty());
            assert_eq!(store.check_audit().expect("chain"), 0);
        }
        plan.restart();
        let id = store.sign(&package("a", None), login()).expect("signed");
        assert_eq!(plan.seen(), ["signed.put", "outbox.put", "audit.append", "commit", "committed"]);
        assert!(matches!(store.sign(&package("a", None), login()), Err(StoreError::AlreadySigned)));
        store.sign(&package("a", Some("ab")), login()).expect("an addendum is another report");

        for nth in 0..5 {
            plan.arm(nth, Fault::Fail(std::io::ErrorKind::StorageFull));
            let result = store.outbox_accepted(id, &receipt("a"), login());
            assert!(matches!(result, Err(StoreError::Full(_))), "write {nth}");
            assert_eq!(store.outbox().expect("read").len(), 2);
            assert!(store.draft("dr", "a").expect("read").is_some());
        }
        plan.restart();
        store.outbox_accepted(id, &receipt("a"), login()).expect("accepted");
        drop(store);
        let store = bench.open();
        assert_eq!(store.outbox().expect("read").len(), 1);
        assert!(store.draft("dr", "a").expect("read").is_none());
        let signed = store.signed("a").expect("read");
        assert_eq!((signed.len(), &signed[0].package), (2, &package("a", None)));
        assert_eq!(signed[0].receipt, Some(receipt("a")));
        assert_eq!(store.check_audit().expect("chain"), 3);
    }

    #[test]
    fn nothing_is_signed_while_another_patient_is_suspected() {
        let bench = Bench::new();
        let mut store = bench.open();
        let flag = crate::store::PatientFlag {
            assignment: "a".into(),
            user: "dr".into(),
            text: "x".into(),
            key: "k".into(),
            set_at: Timestamp::UNIX_EPOCH,
            refused: None,
        };
        store.put_flag(&flag, login()).expect("kept");
        drop(store);
        let mut store = bench.open();
        assert!(matches!(store.sign(&package("a", None), login()), Err(StoreError::Flagged)));
        assert!(store.outbox().expect("read").is_empty());
        store.sign(&package("b", None), login()).expect("another assignment");
        store.flag_taken("dr", "a").expect("gone");
        store.sign(&package("a", None), login()).expect("signed");
    }

    #[test]
    fn a_receipt_takes_only_the_draft_that_was_signed() {
        let bench = Bench::new();
        let mut store = bench.open();
        let at = Timestamp::UNIX_EPOCH;
        let mut addendum = draft("a", 1);
        addendum.addendum_to = package("a", Some("ab")).predecessor;
        for (kept, stays) in [(addendum, true), (draft("b", 2), true), (draft("c", 1), false)] {
            let assignment = kept.assignment_id.clone();
            let id = store.sign(&package(&assignment, None), login()).expect("signed");
            store.put_draft("dr", &kept, at).expect("kept");
            store.put_draft("other", &draft(&assignment, 1), at).expect("kept");
            store.outbox_accepted(id, &receipt(&assignment), login()).expect("accepted");
            assert!(store.outbox().expect("read").is_empty());
            let after = store.draft("dr", &assignment).expect("read").map(|k| k.draft);
            assert_eq!(after, stays.then_some(kept), "{assignment}");
            assert!(store.draft("other", &assignment).expect("read").is_some());
        }
    }

    #[test]
    fn retry_wedge_and_again() {
        let bench = Bench::new();
        let mut store = bench.open();
        let id = store.sign(&package("a", None), login()).expect("signed");
        let later = Timestamp::from_second(60).expect("time");
        store.outbox_retry(id, later).expect("noted");
        store.outbox_wedged(id, "lease lost").expect("noted");
        let row = store.outbox().expect("read").remove(0);
        assert_eq!((row.attempts, row.next_at, row.wedged.as_deref()), (2, later, Some("lease lost")));
        store.outbox_unwedge(id + 1).expect("another one");
        assert!(store.outbox().expect("read")[0].wedged.is_some());
        store.outbox_unwedge(id).expect("noted");
        assert_eq!(store.outbox().expect("read")[0].wedged, None);
        assert!(matches!(store.outbox_accepted(99, &receipt("a"), login()), Err(StoreError::NotFound(_))));
    }
}

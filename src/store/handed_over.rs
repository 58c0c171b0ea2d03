//! Outbox entries that the center refused for good and that a person settled with it: closed, never deleted. The signed
//! bytes stay sealed as they are, and the entry may be taken up again.

use super::audit::{NewAudit, append};
use super::outbox::OutboxRow;
use super::{Store, StoreError, context};
use rusqlite::params;

impl Store {
    /// Entries that were handed over, oldest first.
    pub fn handed_over(&self) -> Result<Vec<OutboxRow>, StoreError> {
        self.outbox_rows("o.handed IS NOT NULL")
    }

    /// Closes a refused entry with the reader's reason, with its audit record: both or nothing. Only an entry that the
    /// center refused can be closed: [`StoreError::NotFound`] otherwise.
    pub fn hand_over(&mut self, id: i64, reason: &str, audit: NewAudit) -> Result<(), StoreError> {
        let sealed = self.seal_json(&context("handed", &id.to_be_bytes()), &reason)?;
        let sealer = self.sealer.clone();
        self.db.transaction(|tx| {
            let changed = tx.run(
                "outbox.handed",
                "UPDATE outbox SET handed = ?2 WHERE id = ?1 AND wedged IS NOT NULL AND handed IS NULL",
                params![id, sealed],
            )?;
            if changed != 1 {
                return Err(StoreError::NotFound("refused outbox entry"));
            }
            append(tx, &sealer, audit)
        })
    }
}

#[cfg(test)]
mod tests {
    use super::super::audit::tests::login;
    use super::super::outbox::tests::package;
    use super::super::testing::Bench;
    use super::super::{Fault, FaultPlan};
    use super::*;
    use std::io::ErrorKind;
    use std::sync::Arc;

    #[test]
    fn what_is_handed_over_is_closed_and_never_gone() {
        let bench = Bench::new();
        let plan = Arc::new(FaultPlan::default());
        let mut store = bench.open_with(plan.clone()).expect("opens");
        let id = store.sign(&package("a", None), login()).expect("signed");
        let waits = store.hand_over(id, "電話で連絡", login());
        assert!(matches!(waits, Err(StoreError::NotFound(_))), "what waits is sent, not closed");
        store.outbox_wedged(id, "not yours").expect("noted");
        for nth in 0..3 {
            plan.arm(nth, Fault::Fail(ErrorKind::StorageFull));
            assert!(matches!(store.hand_over(id, "電話で連絡", login()), Err(StoreError::Full(_))), "write {nth}");
            assert_eq!((store.outbox().expect("read").len(), store.handed_over().expect("read").len()), (1, 0));
        }
        plan.restart();
        store.hand_over(id, "電話で連絡", login()).expect("closed");
        assert!(matches!(store.hand_over(id, "again", login()), Err(StoreError::NotFound(_))));
        drop(store);
        let mut store = bench.open();
        assert!(store.outbox().expect("read").is_empty());
        let row = store.handed_over().expect("read").remove(0);
        assert_eq!((row.id, row.handed.as_deref(), row.wedged.as_deref()), (id, Some("電話で連絡"), Some("not yours")));
        assert_eq!(row.package, package("a", None), "the bytes are as they were");
        assert!(matches!(store.sign(&package("a", None), login()), Err(StoreError::AlreadySigned)));
        assert_eq!(store.check_audit().expect("chain"), 2);
        store.outbox_unwedge(id).expect("taken up again");
        assert_eq!((store.outbox().expect("read").len(), store.handed_over().expect("read").len()), (1, 0));
    }
}

//! Drafts: each save is one transaction, so a crash leaves the old or the new one.

use super::{Store, StoreError, context};
use crate::report::Draft;
use jiff::Timestamp;
use rusqlite::params;

/// A draft as kept here.
#[derive(Debug, Clone, PartialEq)]
pub struct KeptDraft {
    /// The draft.
    pub draft: Draft,
    /// When it was saved here.
    pub saved_at: Timestamp,
    /// ETag of the center's copy that this one builds on.
    pub center_etag: Option<String>,
    /// Revision that the center has.
    pub mirrored_revision: Option<u64>,
}

impl Store {
    fn draft_row(&self, assignment: &str) -> Vec<u8> {
        self.index.row("drafts", &[assignment])
    }

    /// Keeps a draft; what is known of the center's copy stays.
    pub fn put_draft(&mut self, draft: &Draft, at: Timestamp) -> Result<(), StoreError> {
        let row = self.draft_row(&draft.assignment_id);
        let sealed = self.seal_json(&context("drafts", &row), draft)?;
        self.db.transaction(|tx| {
            tx.run(
                "draft.put",
                "INSERT INTO drafts (row, saved_at, sealed) VALUES (?1, ?2, ?3)
                 ON CONFLICT (row) DO UPDATE SET saved_at = excluded.saved_at, sealed = excluded.sealed",
                params![row, at.as_second(), sealed],
            )?;
            Ok(())
        })
    }

    /// Notes what the center has: the ETag of its copy, and the revision if it is ours.
    pub fn mark_draft(
        &mut self,
        assignment: &str,
        etag: Option<&str>,
        mirrored: Option<u64>,
    ) -> Result<(), StoreError> {
        let row = self.draft_row(assignment);
        let mirrored = mirrored.map(|r| r as i64);
        self.db.transaction(|tx| {
            tx.run(
                "draft.mark",
                "UPDATE drafts SET center_etag = ?2, mirrored_revision = ?3 WHERE row = ?1",
                params![row, etag, mirrored],
            )?;
            Ok(())
        })
    }

    /// The draft of an assignment.
    pub fn draft(&self, assignment: &str) -> Result<Option<KeptDraft>, StoreError> {
        let row = self.draft_row(assignment);
        let found = self.db.optional(
            "SELECT saved_at, sealed, center_etag, mirrored_revision FROM drafts WHERE row = ?1",
            [&row],
            |r| {
                Ok((
                    r.get::<_, i64>(0)?,
                    r.get::<_, Vec<u8>>(1)?,
                    r.get::<_, Option<String>>(2)?,
                    r.get::<_, Option<i64>>(3)?,
                ))
            },
        )?;
        let Some((saved_at, sealed, center_etag, mirrored)) = found else { return Ok(None) };
        Ok(Some(KeptDraft {
            draft: self.open_json(&context("drafts", &row), &sealed)?,
            saved_at: Timestamp::from_second(saved_at).map_err(|_| StoreError::Damaged("draft time"))?,
            center_etag,
            mirrored_revision: mirrored.map(i64::unsigned_abs),
        }))
    }

    /// All drafts, oldest first.
    pub fn drafts(&self) -> Result<Vec<Draft>, StoreError> {
        let rows = self.db.all("SELECT row, sealed FROM drafts ORDER BY saved_at, row", [], |r| {
            Ok((r.get::<_, Vec<u8>>(0)?, r.get::<_, Vec<u8>>(1)?))
        })?;
        rows.iter().map(|(row, sealed)| self.open_json(&context("drafts", row), sealed)).collect()
    }

    /// Forgets a draft (the center's version was chosen, or the assignment went away).
    pub fn delete_draft(&mut self, assignment: &str) -> Result<(), StoreError> {
        let row = self.draft_row(assignment);
        self.db.transaction(|tx| {
            tx.run("draft.delete", "DELETE FROM drafts WHERE row = ?1", [row])?;
            Ok(())
        })
    }
}

#[cfg(test)]
pub(super) mod tests {
    use super::super::testing::Bench;
    use super::super::{Fault, FaultPlan};
    use super::*;
    use crate::report::Value;
    use std::sync::Arc;

    pub(in crate::store) fn draft(assignment: &str, revision: u64) -> Draft {
        Draft {
            assignment_id: assignment.into(),
            template_id: "clin.ct".into(),
            template_version: 1,
            revision,
            fields: [("findings".to_owned(), Value::Text(format!("所見 {revision}")))].into(),
            findings: vec![],
            annotations: vec![],
            next_id: 1,
            addendum_to: None,
        }
    }

    #[test]
    fn no_space_at_any_write_keeps_the_old_draft() {
        let bench = Bench::new();
        let plan = Arc::new(FaultPlan::default());
        let mut store = bench.open_with(plan.clone()).expect("opens");
        let at = |s| Timestamp::from_second(s).expect("time");
        store.put_draft(&draft("a", 1), at(1)).expect("kept");
        store.mark_draft("a", Some("\"e1\""), Some(1)).expect("marked");
        plan.restart();
        store.put_draft(&draft("a", 2), at(2)).expect("kept");
        let writes = plan.seen();
        assert_eq!(writes, ["draft.put", "commit", "committed"]);
        for nth in 0..2 {
            plan.arm(nth, Fault::Fail(std::io::ErrorKind::StorageFull));
            assert!(matches!(store.put_draft(&draft("a", 3), at(3)), Err(StoreError::Full(_))));
            let kept = store.draft("a").expect("read").expect("there");
            assert_eq!((kept.draft, kept.saved_at), (draft("a", 2), at(2)));
            assert_eq!((kept.center_etag.as_deref(), kept.mirrored_revision), (Some("\"e1\""), Some(1)));
        }
        drop(store);
        let mut store = bench.open();
        assert_eq!(store.drafts().expect("read"), [draft("a", 2)]);
        store.delete_draft("a").expect("gone");
        assert_eq!(store.draft("a").expect("read"), None);
    }
}

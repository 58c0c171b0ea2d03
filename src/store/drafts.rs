//! Drafts: each save is one transaction, so a crash leaves the old or the new one. A draft belongs to the reader
//! (user id) who wrote it; nobody else's session sees or sends it.

use super::{Store, StoreError, context};
use crate::report::Draft;
use crate::vault::digest::sha256_hex;
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
    pub(super) fn draft_row(&self, user: &str, assignment: &str) -> Vec<u8> {
        self.index.row("drafts", &[user, assignment])
    }

    fn draft_owner(&self, user: &str) -> Vec<u8> {
        self.index.row("draft-owners", &[user])
    }

    /// Keeps a reader's draft; what is known of the center's copy stays.
    pub fn put_draft(&mut self, user: &str, draft: &Draft, at: Timestamp) -> Result<(), StoreError> {
        let (row, owner) = (self.draft_row(user, &draft.assignment_id), self.draft_owner(user));
        let sealed = self.seal_json(&context("drafts", &row), draft)?;
        self.db.transaction(|tx| {
            tx.run(
                "draft.put",
                "INSERT INTO drafts (row, owner, saved_at, sealed) VALUES (?1, ?2, ?3, ?4)
                 ON CONFLICT (row) DO UPDATE SET saved_at = excluded.saved_at, sealed = excluded.sealed",
                params![row, owner, at.as_second(), sealed],
            )?;
            Ok(())
        })
    }

    /// Notes what the center has: the ETag of its copy, and the revision if it is ours.
    pub fn mark_draft(
        &mut self,
        user: &str,
        assignment: &str,
        etag: Option<&str>,
        mirrored: Option<u64>,
    ) -> Result<(), StoreError> {
        let row = self.draft_row(user, assignment);
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

    /// A reader's draft of an assignment.
    pub fn draft(&self, user: &str, assignment: &str) -> Result<Option<KeptDraft>, StoreError> {
        let row = self.draft_row(user, assignment);
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

    /// All drafts of a reader, oldest first.
    pub fn drafts(&self, user: &str) -> Result<Vec<Draft>, StoreError> {
        let sql = "SELECT row, sealed FROM drafts WHERE owner = ?1 ORDER BY saved_at, row";
        let rows =
            self.db.all(sql, [self.draft_owner(user)], |r| Ok((r.get::<_, Vec<u8>>(0)?, r.get::<_, Vec<u8>>(1)?)))?;
        rows.iter().map(|(row, sealed)| self.open_json(&context("drafts", row), sealed)).collect()
    }

    /// Number of drafts of all readers.
    pub fn draft_count(&self) -> Result<usize, StoreError> {
        let rows = self.db.all("SELECT row FROM drafts", [], |r| r.get::<_, Vec<u8>>(0))?;
        Ok(rows.len())
    }

    fn left_name(&self, user: &str, assignment: &str) -> String {
        format!("drafts-left.{}", sha256_hex(&self.index.row("drafts-left", &[user, assignment])))
    }

    /// Keeps a version that the reader decided against, after those of before; one that is kept already is not kept twice.
    pub fn keep_left_draft(&mut self, user: &str, draft: &Draft) -> Result<(), StoreError> {
        let mut left = self.left_drafts(user, &draft.assignment_id)?;
        if left.contains(draft) {
            return Ok(());
        }
        left.push(draft.clone());
        let name = self.left_name(user, &draft.assignment_id);
        self.put_private(&name, &serde_json::to_vec(&left)?)
    }

    /// Versions of an assignment's report that the reader decided against, oldest first.
    pub fn left_drafts(&self, user: &str, assignment: &str) -> Result<Vec<Draft>, StoreError> {
        let kept = self.private(&self.left_name(user, assignment))?;
        kept.map_or_else(|| Ok(Vec::new()), |json| Ok(serde_json::from_slice(&json)?))
    }

    /// Forgets them: the report has been accepted.
    pub fn forget_left_drafts(&mut self, user: &str, assignment: &str) -> Result<(), StoreError> {
        let name = self.left_name(user, assignment);
        if self.private(&name)?.is_some() { self.delete_private(&name) } else { Ok(()) }
    }

    /// Forgets a reader's draft (the center's version was chosen, or the assignment went away).
    pub fn delete_draft(&mut self, user: &str, assignment: &str) -> Result<(), StoreError> {
        let row = self.draft_row(user, assignment);
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
            untouched: std::collections::BTreeSet::default(),
            addendum_to: None,
        }
    }

    #[test]
    fn a_version_that_was_not_chosen_is_kept_until_the_report_is_accepted() {
        let bench = Bench::new();
        let mut store = bench.open();
        for revision in [1, 2, 1] {
            store.keep_left_draft("dr", &draft("a", revision)).expect("kept");
        }
        store.put_draft("dr", &draft("a", 3), Timestamp::UNIX_EPOCH).expect("kept");
        drop(store);
        let mut store = bench.open();
        assert_eq!(store.left_drafts("dr", "a").expect("read"), [draft("a", 1), draft("a", 2)]);
        assert!(store.left_drafts("other", "a").expect("read").is_empty());
        assert!(store.left_drafts("dr", "b").expect("read").is_empty());
        for _ in 0..2 {
            store.forget_left_drafts("dr", "a").expect("gone");
        }
        assert!(store.left_drafts("dr", "a").expect("read").is_empty());
        assert!(store.draft("dr", "a").expect("read").is_some());
    }

    #[test]
    fn a_draft_is_its_writers_alone() {
        let bench = Bench::new();
        let mut store = bench.open();
        let at = Timestamp::UNIX_EPOCH;
        store.put_draft("dr", &draft("a", 7), at).expect("kept");
        assert_eq!(store.draft("other", "a").expect("read"), None);
        assert!(store.drafts("other").expect("read").is_empty());
        store.put_draft("other", &draft("a", 1), at).expect("kept");
        store.mark_draft("other", "a", Some("\"e\""), Some(1)).expect("marked");
        store.delete_draft("other", "a").expect("gone");
        let kept = store.draft("dr", "a").expect("read").expect("untouched");
        assert_eq!((kept.draft, kept.center_etag, kept.mirrored_revision), (draft("a", 7), None, None));
        assert_eq!(store.drafts("dr").expect("read"), [draft("a", 7)]);
    }

    #[test]
    fn no_space_at_any_write_keeps_the_old_draft() {
        let bench = Bench::new();
        let plan = Arc::new(FaultPlan::default());
        let mut store = bench.open_with(plan.clone()).expect("opens");
        let at = |s| Timestamp::from_second(s).expect("time");
        store.put_draft("dr", &draft("a", 1), at(1)).expect("kept");
        store.mark_draft("dr", "a", Some("\"e1\""), Some(1)).expect("marked");
        plan.restart();
        store.put_draft("dr", &draft("a", 2), at(2)).expect("kept");
        let writes = plan.seen();
        assert_eq!(writes, ["draft.put", "commit", "committed"]);
        for nth in 0..2 {
            plan.arm(nth, Fault::Fail(std::io::ErrorKind::StorageFull));
            assert!(matches!(store.put_draft("dr", &draft("a", 3), at(3)), Err(StoreError::Full(_))));
            let kept = store.draft("dr", "a").expect("read").expect("there");
            assert_eq!((kept.draft, kept.saved_at), (draft("a", 2), at(2)));
            assert_eq!((kept.center_etag.as_deref(), kept.mirrored_revision), (Some("\"e1\""), Some(1)));
        }
        drop(store);
        let mut store = bench.open();
        assert_eq!(store.drafts("dr").expect("read"), [draft("a", 2)]);
        store.delete_draft("dr", "a").expect("gone");
        assert_eq!(store.draft("dr", "a").expect("read"), None);
    }
}

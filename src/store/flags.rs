//! "Wrong patient suspected": a reader's flag on an assignment. Kept before anybody is told that it is set, until the
//! center has it; meanwhile nothing is signed for that assignment. A flag belongs to the reader (user id) who set it.

use super::audit::{NewAudit, append};
use super::{Store, StoreError, context};
use jiff::Timestamp;
use rusqlite::params;
use serde::{Deserialize, Serialize};

/// A flag that the center does not have yet. Debug output hides the words.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PatientFlag {
    /// Assignment id.
    pub assignment: String,
    /// Who set it (user id): only this reader's session sends it.
    pub user: String,
    /// The reader's words for the person who must act.
    pub text: String,
    /// Idempotency key: however often it is sent, it counts once.
    pub key: String,
    /// When it was set.
    pub set_at: Timestamp,
    /// The center refused it: a person must act; its reason.
    #[serde(default)]
    pub refused: Option<String>,
}

impl std::fmt::Debug for PatientFlag {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("PatientFlag").field("assignment", &self.assignment).finish_non_exhaustive()
    }
}

impl Store {
    fn flag_row(&self, user: &str, assignment: &str) -> Vec<u8> {
        self.index.row("flags", &[user, assignment])
    }

    fn flag_owner(&self, user: &str) -> Vec<u8> {
        self.index.row("flag-owners", &[user])
    }

    /// Keeps a flag with its audit record. One that waits already stays as it is, with its key; a refused one is
    /// replaced.
    pub fn put_flag(&mut self, flag: &PatientFlag, audit: NewAudit) -> Result<(), StoreError> {
        if self.flag(&flag.user, &flag.assignment)?.is_some_and(|f| f.refused.is_none()) {
            return Ok(());
        }
        let (row, owner) = (self.flag_row(&flag.user, &flag.assignment), self.flag_owner(&flag.user));
        let sealed = self.seal_json(&context("flags", &row), flag)?;
        let sealer = self.sealer.clone();
        self.db.transaction(|tx| {
            tx.run("flag.put", "INSERT OR REPLACE INTO flags VALUES (?1, ?2, ?3)", params![row, owner, sealed])?;
            append(tx, &sealer, audit)
        })
    }

    fn flag(&self, user: &str, assignment: &str) -> Result<Option<PatientFlag>, StoreError> {
        let row = self.flag_row(user, assignment);
        let sealed = self.db.optional("SELECT sealed FROM flags WHERE row = ?1", [&row], |r| r.get::<_, Vec<u8>>(0))?;
        sealed.map(|s| self.open_json(&context("flags", &row), &s)).transpose()
    }

    /// Whether a reader's flag on an assignment is kept, readable or not.
    pub fn is_flagged(&self, user: &str, assignment: &str) -> Result<bool, StoreError> {
        let row = self.flag_row(user, assignment);
        Ok(self.db.optional("SELECT 1 FROM flags WHERE row = ?1", [&row], |r| r.get::<_, i64>(0))?.is_some())
    }

    /// A reader's flags that the center does not have yet, oldest first.
    pub fn flags(&self, user: &str) -> Result<Vec<PatientFlag>, StoreError> {
        let rows = self.db.all("SELECT row, sealed FROM flags WHERE owner = ?1", [self.flag_owner(user)], |r| {
            Ok((r.get::<_, Vec<u8>>(0)?, r.get::<_, Vec<u8>>(1)?))
        })?;
        let mut flags: Vec<PatientFlag> = rows
            .iter()
            .map(|(row, sealed)| self.open_json(&context("flags", row), sealed))
            .collect::<Result<_, _>>()?;
        flags.sort_by(|a, b| (a.set_at, &a.assignment).cmp(&(b.set_at, &b.assignment)));
        Ok(flags)
    }

    /// The center refused a flag (`Some`), or it is to be tried again (`None`).
    pub fn mark_flag(&mut self, user: &str, assignment: &str, refused: Option<&str>) -> Result<(), StoreError> {
        let Some(mut flag) = self.flag(user, assignment)? else { return Ok(()) };
        flag.refused = refused.map(str::to_owned);
        let row = self.flag_row(user, assignment);
        let sealed = self.seal_json(&context("flags", &row), &flag)?;
        self.db.transaction(|tx| {
            tx.run("flag.mark", "UPDATE flags SET sealed = ?2 WHERE row = ?1", params![row, sealed])?;
            Ok(())
        })
    }

    /// The center has it: from here on the assignment's own state says so. To be called after that state is kept.
    pub fn flag_taken(&mut self, user: &str, assignment: &str) -> Result<(), StoreError> {
        let row = self.flag_row(user, assignment);
        self.db.transaction(|tx| {
            tx.run("flag.delete", "DELETE FROM flags WHERE row = ?1", [row])?;
            Ok(())
        })
    }

    /// Number of flags of all readers that the center does not have yet.
    pub fn flag_count(&self) -> Result<usize, StoreError> {
        Ok(self.db.all("SELECT row FROM flags", [], |r| r.get::<_, Vec<u8>>(0))?.len())
    }
}

#[cfg(test)]
mod tests {
    use super::super::audit::tests::login;
    use super::super::testing::Bench;
    use super::super::{Fault, FaultPlan};
    use super::*;
    use std::sync::Arc;

    fn flag(user: &str, assignment: &str, key: &str) -> PatientFlag {
        PatientFlag {
            assignment: assignment.into(),
            user: user.into(),
            text: "氏名が違う".into(),
            key: key.into(),
            set_at: Timestamp::UNIX_EPOCH,
            refused: None,
        }
    }

    #[test]
    fn a_flag_is_whole_or_not_there_survives_and_is_its_readers_alone() {
        let bench = Bench::new();
        let plan = Arc::new(FaultPlan::default());
        let mut store = bench.open_with(plan.clone()).expect("opens");
        for nth in 0..3 {
            plan.arm(nth, Fault::Fail(std::io::ErrorKind::StorageFull));
            assert!(matches!(store.put_flag(&flag("dr", "a", "1"), login()), Err(StoreError::Full(_))), "write {nth}");
            assert!(!store.is_flagged("dr", "a").expect("read") && store.check_audit().expect("chain") == 0);
        }
        plan.restart();
        store.put_flag(&flag("dr", "a", "1"), login()).expect("kept");
        store.put_flag(&flag("dr", "a", "2"), login()).expect("the first stays");
        drop(store);
        let mut store = bench.open();
        assert_eq!(store.flags("dr").expect("read"), [flag("dr", "a", "1")]);
        assert!(store.flags("other").expect("read").is_empty() && !store.is_flagged("other", "a").expect("read"));
        store.mark_flag("dr", "a", Some("not found")).expect("kept");
        assert_eq!(store.flags("dr").expect("read")[0].refused.as_deref(), Some("not found"));
        store.put_flag(&flag("dr", "a", "2"), login()).expect("replaced");
        assert_eq!(store.flags("dr").expect("read"), [flag("dr", "a", "2")]);
        store.flag_taken("dr", "a").expect("gone");
        assert!(!store.is_flagged("dr", "a").expect("read"));
    }
}

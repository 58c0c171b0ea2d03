//! Small things: settings in clear (never of a patient), private values, the reading state, the cached worklist.

use super::{Store, StoreError, context};
use crate::vault::digest::sha256_hex;
use crate::worklist::Assignment;
use jiff::Timestamp;
use rusqlite::params;

const WORKLIST_AT: &str = "worklist-at";

impl Store {
    /// Keeps a setting. Not for anything about a patient: the value lies in clear.
    pub fn put_setting(&mut self, name: &str, value: &str) -> Result<(), StoreError> {
        self.db.transaction(|tx| {
            tx.run(
                "setting.put",
                "INSERT INTO settings VALUES (?1, ?2) ON CONFLICT (name) DO UPDATE SET value = excluded.value",
                [name, value],
            )?;
            Ok(())
        })
    }

    /// All settings, by name.
    pub fn settings(&self) -> Result<Vec<(String, String)>, StoreError> {
        self.db.all("SELECT name, value FROM settings ORDER BY name", [], |r| Ok((r.get(0)?, r.get(1)?)))
    }

    /// Keeps a sealed value under a name of the program's own.
    pub fn put_private(&mut self, name: &str, value: &[u8]) -> Result<(), StoreError> {
        let sealed = self.sealer.seal(&context("private", name.as_bytes()), value)?;
        self.db.transaction(|tx| {
            tx.run(
                "private.put",
                "INSERT INTO private VALUES (?1, ?2) ON CONFLICT (name) DO UPDATE SET sealed = excluded.sealed",
                params![name, sealed],
            )?;
            Ok(())
        })
    }

    /// A sealed value.
    pub fn private(&self, name: &str) -> Result<Option<Vec<u8>>, StoreError> {
        let sealed =
            self.db.optional("SELECT sealed FROM private WHERE name = ?1", [name], |r| r.get::<_, Vec<u8>>(0))?;
        sealed.map(|s| Ok(self.sealer.open(&context("private", name.as_bytes()), &s)?.to_vec())).transpose()
    }

    /// Forgets a sealed value.
    pub fn delete_private(&mut self, name: &str) -> Result<(), StoreError> {
        self.db.transaction(|tx| {
            tx.run("private.delete", "DELETE FROM private WHERE name = ?1", [name])?;
            Ok(())
        })
    }

    fn reading_name(&self, user: &str) -> String {
        format!("reading-state.{}", sha256_hex(&self.index.row("reading-state", &[user])))
    }

    /// Keeps what this reader (user id) would miss after a crash.
    pub fn put_reading_state(&mut self, user: &str, json: &str) -> Result<(), StoreError> {
        self.put_private(&self.reading_name(user), json.as_bytes())
    }

    /// This reader's reading state kept last.
    pub fn reading_state(&self, user: &str) -> Result<Option<String>, StoreError> {
        let bytes = self.private(&self.reading_name(user))?;
        bytes.map(|b| String::from_utf8(b).map_err(|_| StoreError::Damaged("reading state"))).transpose()
    }

    /// Replaces the cached worklist, in its order.
    pub fn put_worklist(
        &mut self,
        assignments: &[std::sync::Arc<Assignment>],
        at: Timestamp,
    ) -> Result<(), StoreError> {
        let rows = assignments
            .iter()
            .enumerate()
            .map(|(place, a)| {
                let row = self.index.row("assignments", &[&a.id]);
                let sealed = self.seal_json(&context("assignments", &row), a.as_ref())?;
                Ok((row, place as i64, sealed))
            })
            .collect::<Result<Vec<_>, StoreError>>()?;
        let at = self.seal_json(&context("private", WORKLIST_AT.as_bytes()), &at)?;
        self.db.transaction(|tx| {
            tx.run("worklist.clear", "DELETE FROM assignments", [])?;
            for (row, place, sealed) in rows {
                tx.run(
                    "worklist.put",
                    "INSERT OR REPLACE INTO assignments VALUES (?1, ?2, ?3)",
                    params![row, place, sealed],
                )?;
            }
            tx.run("worklist.at", "INSERT OR REPLACE INTO private VALUES (?1, ?2)", params![WORKLIST_AT, at])?;
            Ok(())
        })
    }

    /// Replaces one assignment of the cached worklist (a new one goes to the end).
    pub fn put_assignment(&mut self, assignment: &Assignment) -> Result<(), StoreError> {
        let row = self.index.row("assignments", &[&assignment.id]);
        let sealed = self.seal_json(&context("assignments", &row), assignment)?;
        self.db.transaction(|tx| {
            tx.run(
                "assignment.put",
                "INSERT INTO assignments VALUES (?1, (SELECT COALESCE(MAX(place), -1) + 1 FROM assignments), ?2)
                 ON CONFLICT (row) DO UPDATE SET sealed = excluded.sealed",
                params![row, sealed],
            )?;
            Ok(())
        })
    }

    /// The cached worklist and when the center said so; `None` before the first.
    pub fn worklist(&self) -> Result<Option<(Vec<Assignment>, Timestamp)>, StoreError> {
        let Some(at) = self.private(WORKLIST_AT)? else { return Ok(None) };
        let rows = self.db.all("SELECT row, sealed FROM assignments ORDER BY place", [], |r| {
            Ok((r.get::<_, Vec<u8>>(0)?, r.get::<_, Vec<u8>>(1)?))
        })?;
        let assignments = rows
            .iter()
            .map(|(row, sealed)| self.open_json(&context("assignments", row), sealed))
            .collect::<Result<_, _>>()?;
        Ok(Some((assignments, serde_json::from_slice(&at)?)))
    }

    /// Forgets the cached worklist (another reader signs in, or the access ended).
    pub fn clear_worklist(&mut self) -> Result<(), StoreError> {
        self.db.transaction(|tx| {
            tx.run("worklist.clear", "DELETE FROM assignments", [])?;
            tx.run("worklist.at", "DELETE FROM private WHERE name = ?1", [WORKLIST_AT])?;
            Ok(())
        })
    }
}

#[cfg(test)]
mod tests {
    use super::super::testing::Bench;

    #[test]
    fn small_things_survive_a_restart() {
        let bench = Bench::new();
        let mut store = bench.open();
        store.put_setting("language", "\"ja\"").expect("kept");
        store.put_setting("language", "\"en\"").expect("kept");
        store.put_reading_state("dr", "{}").expect("kept");
        assert_eq!(store.worklist().expect("read"), None);
        drop(store);
        let mut store = bench.open();
        assert_eq!(store.settings().expect("read"), [("language".to_owned(), "\"en\"".to_owned())]);
        assert_eq!(store.reading_state("dr").expect("read").as_deref(), Some("{}"));
        assert_eq!(store.reading_state("other").expect("read"), None);
        store.put_private("clip", b"x").expect("kept");
        store.delete_private("clip").expect("gone");
        assert_eq!(store.private("clip").expect("read"), None);
    }
}

//! Making room: whole studies that nobody needs go, least recently used first.

use super::{Store, StoreError};
use crate::study::StudyUid;
use std::collections::HashSet;

/// What went.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Evicted {
    /// Studies.
    pub studies: usize,
    /// Bytes of instances.
    pub bytes: u64,
}

impl Store {
    /// Plain bytes of all instances on this disk.
    pub fn instance_bytes(&self) -> Result<u64, StoreError> {
        let sum = self.db.optional("SELECT COALESCE(SUM(bytes), 0) FROM instances", [], |r| r.get::<_, i64>(0))?;
        Ok(sum.unwrap_or(0).unsigned_abs())
    }

    /// Removes studies until their instances take at most `budget` bytes. Studies in `needed` (open
    /// assignments, the open study) stay whatever it costs; drafts, signed reports and the outbox are never
    /// touched.
    pub fn make_room(&mut self, budget: u64, needed: &[StudyUid]) -> Result<Evicted, StoreError> {
        let mut held = self.instance_bytes()?;
        let mut evicted = Evicted::default();
        if held <= budget {
            return Ok(evicted);
        }
        let needed: HashSet<Vec<u8>> = needed.iter().map(|s| self.study_row(s)).collect();
        let candidates = self.db.all(
            "SELECT s.row, COALESCE(SUM(i.bytes), 0) FROM studies s LEFT JOIN instances i ON i.study = s.row
             GROUP BY s.row ORDER BY s.used_at, s.row",
            [],
            |r| Ok((r.get::<_, Vec<u8>>(0)?, r.get::<_, i64>(1)?.unsigned_abs())),
        )?;
        for (row, bytes) in candidates {
            if held <= budget {
                break;
            }
            if needed.contains(&row) {
                continue;
            }
            let files =
                self.db.all("SELECT file FROM instances WHERE study = ?1", [&row], |r| r.get::<_, String>(0))?;
            self.db.transaction(|tx| {
                tx.run("quota.instances", "DELETE FROM instances WHERE study = ?1", [&row])?;
                tx.run("quota.thumbnails", "DELETE FROM thumbnails WHERE study = ?1", [&row])?;
                tx.run("quota.series", "DELETE FROM series WHERE study = ?1", [&row])?;
                tx.run("quota.study", "DELETE FROM studies WHERE row = ?1", [&row])?;
                Ok(())
            })?;
            // Rows first: a crash between leaves files without rows, which the next start clears away.
            for file in files {
                self.objects.remove(&file)?;
            }
            held = held.saturating_sub(bytes);
            evicted.studies += 1;
            evicted.bytes += bytes;
        }
        Ok(evicted)
    }
}

#[cfg(test)]
mod tests {
    use super::super::studies::tests::study;
    use super::super::testing::Bench;
    use super::*;
    use crate::study::{SeriesUid, SopInstanceUid};
    use jiff::Timestamp;

    #[test]
    fn least_recently_used_goes_first_and_needed_stays() {
        let bench = Bench::new();
        let mut store = bench.open();
        for n in 1..=4 {
            let s = study(&format!("1.{n}"));
            store.put_study(&s, Timestamp::from_second(n).expect("time")).expect("kept");
            let instance = SopInstanceUid::new(&format!("1.{n}.1.1")).expect("uid");
            let file = store.objects().write_instance(&s.uid, &instance, &[0; 1000]).expect("sealed");
            store.put_instance(&s.uid, &SeriesUid::new("1.1").expect("uid"), &instance, file).expect("kept");
        }
        let uid = |n: i32| StudyUid::new(&format!("1.{n}")).expect("uid");
        store.touch_study(&uid(2), Timestamp::from_second(9).expect("time")).expect("touched");
        assert_eq!(store.make_room(4000, &[]).expect("room"), Evicted::default());
        let evicted = store.make_room(2500, &[uid(1)]).expect("room");
        assert_eq!(evicted, Evicted { studies: 2, bytes: 2000 });
        let left: Vec<_> = (1..=4).filter(|n| store.study(&uid(*n)).expect("read").is_some()).collect();
        assert_eq!(left, [1, 2]);
        assert_eq!(store.make_room(0, &[uid(1), uid(2)]).expect("room").studies, 0);
    }
}

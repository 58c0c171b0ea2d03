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
    use crate::vault::faults::{Fault, FaultPlan};
    use jiff::Timestamp;
    use std::sync::Arc;

    fn uid(n: i32) -> StudyUid {
        StudyUid::new(&format!("1.{n}")).expect("uid")
    }

    /// A study of one instance of 1,000 bytes, last used in the n-th second.
    fn keep(store: &mut Store, n: i32) {
        let s = study(&format!("1.{n}"));
        store.put_study(&s, Timestamp::from_second(n.into()).expect("time")).expect("kept");
        let instance = SopInstanceUid::new(&format!("1.{n}.1.1")).expect("uid");
        let file = store.objects().write_instance(&s.uid, &instance, &[0; 1000]).expect("sealed");
        store.put_instance(&s.uid, &SeriesUid::new("1.1").expect("uid"), &instance, file).expect("kept");
    }

    #[test]
    fn least_recently_used_goes_first_and_needed_stays() {
        let bench = Bench::new();
        let mut store = bench.open();
        for n in 1..=4 {
            keep(&mut store, n);
        }
        store.touch_study(&uid(2), Timestamp::from_second(9).expect("time")).expect("touched");
        assert_eq!(store.make_room(4000, &[]).expect("room"), Evicted::default());
        let evicted = store.make_room(2500, &[uid(1)]).expect("room");
        assert_eq!(evicted, Evicted { studies: 2, bytes: 2000 });
        let left: Vec<_> = (1..=4).filter(|n| store.study(&uid(*n)).expect("read").is_some()).collect();
        assert_eq!(left, [1, 2]);
        assert_eq!(store.make_room(0, &[uid(1), uid(2)]).expect("room").studies, 0);
    }

    #[test]
    fn a_full_disk_in_the_middle_leaves_every_study_whole_or_gone() {
        let plan = Arc::new(FaultPlan::default());
        let mut gone = HashSet::new();
        for nth in 0.. {
            let bench = Bench::new();
            let mut store = bench.open_with(plan.clone()).expect("opens");
            for n in 1..=3 {
                keep(&mut store, n);
            }
            plan.arm(nth, Fault::Fail(std::io::ErrorKind::StorageFull));
            let made = store.make_room(0, &[]);
            let writes = plan.seen();
            plan.restart();
            let left: Vec<i32> = (1..=3).filter(|n| store.study(&uid(*n)).expect("read").is_some()).collect();
            // Least recently used first, one after the other, each with all that is its own.
            assert_eq!(left, (4 - left.len() as i32..=3).collect::<Vec<_>>(), "write {nth}");
            assert_eq!(store.instance_bytes().expect("read"), 1000 * left.len() as u64, "write {nth}");
            for n in 1..=3 {
                let rows = store.instances(&uid(n)).expect("read");
                assert_eq!(rows.len(), usize::from(left.contains(&n)), "write {nth}, study {n}");
                for row in rows {
                    let bytes = store.objects().read_instance(&uid(n), &row.instance, &row.file.name);
                    assert_eq!(bytes.expect("whole").len(), 1000);
                }
            }
            gone.insert(3 - left.len());
            match made {
                Err(StoreError::Full(_)) => {
                    store.make_room(0, &[]).expect("again, with room");
                    assert_eq!(store.instance_bytes().expect("read"), 0);
                }
                other => {
                    // What is announced once a transaction has returned cannot fail any more.
                    assert_eq!(other.expect("room").studies, 3, "{writes:?}");
                    if writes.len() as u64 <= nth {
                        break;
                    }
                    assert_eq!(writes.get(nth as usize), Some(&"committed"));
                }
            }
        }
        assert_eq!(gone, HashSet::from([0, 1, 2, 3]), "the disk was full in each study's turn");
    }
}

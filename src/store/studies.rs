//! Study structures: one row for the study's head, one per series, so that a study grows as its metadata
//! arrive; thumbnails beside them.

use super::{InstanceRow, Store, StoreError, context};
use crate::study::{DisplaySetId, Series, Study, StudyUid};
use jiff::Timestamp;
use rusqlite::params;

/// A study as kept: its structure as far as known, and the instances whose bytes are here.
#[derive(Debug, Clone)]
pub struct KeptStudy {
    /// Structure.
    pub study: Study,
    /// Instances on this disk.
    pub instances: Vec<InstanceRow>,
}

impl Store {
    pub(super) fn study_row(&self, study: &StudyUid) -> Vec<u8> {
        self.index.row("studies", &[study.as_str()])
    }

    /// Keeps a study's head (patient, date …) without its series; `at` also counts as its last use.
    pub fn put_study(&mut self, study: &Study, at: Timestamp) -> Result<(), StoreError> {
        self.put_study_with(study, &[], at)
    }

    /// Keeps or replaces a series of a kept study.
    pub fn put_series(&mut self, study: &StudyUid, series: &Series) -> Result<(), StoreError> {
        let study_row = self.study_row(study);
        let row = self.index.row("series", &[study.as_str(), series.uid.as_str()]);
        let sealed = self.seal_json(&context("series", &row), series)?;
        self.db.transaction(|tx| {
            tx.run(
                "series.put",
                "INSERT INTO series VALUES (?1, ?2, ?3) ON CONFLICT (row) DO UPDATE SET sealed = excluded.sealed",
                params![row, study_row, sealed],
            )?;
            Ok(())
        })
    }

    /// Keeps a study's head and these series of it, all at once or nothing: who its patient is and what is refused as
    /// another's never part.
    pub fn put_study_with(&mut self, head: &Study, series: &[Series], at: Timestamp) -> Result<(), StoreError> {
        let study_row = self.study_row(&head.uid);
        let head = Study { series: Vec::new(), ..head.clone() };
        let sealed = self.seal_json(&context("studies", &study_row), &head)?;
        let rows = series
            .iter()
            .map(|series| {
                let row = self.index.row("series", &[head.uid.as_str(), series.uid.as_str()]);
                let sealed = self.seal_json(&context("series", &row), series)?;
                Ok((row, sealed))
            })
            .collect::<Result<Vec<_>, StoreError>>()?;
        self.db.transaction(|tx| {
            tx.run(
                "study.put",
                "INSERT INTO studies VALUES (?1, ?2, ?3)
                 ON CONFLICT (row) DO UPDATE SET sealed = excluded.sealed, used_at = excluded.used_at",
                params![study_row, sealed, at.as_second()],
            )?;
            for (row, sealed) in &rows {
                tx.run(
                    "series.put",
                    "INSERT INTO series VALUES (?1, ?2, ?3) ON CONFLICT (row) DO UPDATE SET sealed = excluded.sealed",
                    params![row, study_row, sealed],
                )?;
            }
            Ok(())
        })
    }

    /// Notes that a study is in use: the least recently used ones make room first.
    pub fn touch_study(&mut self, study: &StudyUid, at: Timestamp) -> Result<(), StoreError> {
        let row = self.study_row(study);
        self.db.transaction(|tx| {
            tx.run("study.touch", "UPDATE studies SET used_at = ?2 WHERE row = ?1", params![row, at.as_second()])?;
            Ok(())
        })
    }

    /// A kept study, series in series-number order; `None` where nothing is kept.
    pub fn study(&self, study: &StudyUid) -> Result<Option<KeptStudy>, StoreError> {
        let row = self.study_row(study);
        let sealed =
            self.db.optional("SELECT sealed FROM studies WHERE row = ?1", [&row], |r| r.get::<_, Vec<u8>>(0))?;
        let Some(sealed) = sealed else { return Ok(None) };
        let mut kept: Study = self.open_json(&context("studies", &row), &sealed)?;
        let series = self.db.all("SELECT row, sealed FROM series WHERE study = ?1", [&row], |r| {
            Ok((r.get::<_, Vec<u8>>(0)?, r.get::<_, Vec<u8>>(1)?))
        })?;
        for (row, sealed) in series {
            kept.series.push(self.open_json(&context("series", &row), &sealed)?);
        }
        kept.series.sort_by(|a, b| (a.number, &a.uid).cmp(&(b.number, &b.uid)));
        let instances = self.instances(study)?;
        Ok(Some(KeptStudy { study: kept, instances }))
    }

    /// Keeps a thumbnail (any bytes of the caller's own making).
    pub fn put_thumbnail(&mut self, study: &StudyUid, of: &DisplaySetId, bytes: &[u8]) -> Result<(), StoreError> {
        let study_row = self.study_row(study);
        let row = self.thumbnail_row(study, of);
        let sealed = self.sealer.seal(&context("thumbnails", &row), bytes)?;
        self.db.transaction(|tx| {
            tx.run(
                "thumbnail.put",
                "INSERT OR REPLACE INTO thumbnails VALUES (?1, ?2, ?3)",
                params![row, study_row, sealed],
            )?;
            Ok(())
        })
    }

    /// A kept thumbnail.
    pub fn thumbnail(&self, study: &StudyUid, of: &DisplaySetId) -> Result<Option<Vec<u8>>, StoreError> {
        let row = self.thumbnail_row(study, of);
        let sealed =
            self.db.optional("SELECT sealed FROM thumbnails WHERE row = ?1", [&row], |r| r.get::<_, Vec<u8>>(0))?;
        sealed.map(|s| Ok(self.sealer.open(&context("thumbnails", &row), &s)?.to_vec())).transpose()
    }

    fn thumbnail_row(&self, study: &StudyUid, of: &DisplaySetId) -> Vec<u8> {
        self.index.row("thumbnails", &[study.as_str(), of.series.as_str(), &of.index.to_string()])
    }
}

#[cfg(test)]
pub(super) mod tests {
    use super::super::testing::Bench;
    use super::*;
    use crate::study::{Patient, SeriesUid};

    pub(in crate::store) fn study(uid: &str) -> Study {
        Study {
            uid: StudyUid::new(uid).expect("uid"),
            patient: Patient { id: "P-1".into(), ..Patient::default() },
            date: None,
            time: None,
            accession: String::new(),
            description: "胸部".into(),
            institution: String::new(),
            other_patients: Vec::new(),
            strange_series: Vec::new(),
            text_notes: Vec::new(),
            series: vec![],
        }
    }

    #[test]
    fn a_study_grows_series_by_series_and_survives() {
        let bench = Bench::new();
        let mut store = bench.open();
        let mut whole = study("1.2.3");
        store.put_study(&whole, Timestamp::UNIX_EPOCH).expect("kept");
        for n in [2, 1] {
            let series = Series {
                uid: SeriesUid::new(&format!("1.2.3.{n}")).expect("uid"),
                modality: "CT".into(),
                number: Some(n),
                description: String::new(),
                body_part: String::new(),
                instances: vec![],
            };
            store.put_series(&whole.uid, &series).expect("kept");
            store.put_series(&whole.uid, &series).expect("kept again");
            whole.series.insert(0, series);
        }
        drop(store);
        let mut store = bench.open();
        assert_eq!(store.study(&whole.uid).expect("read").expect("there").study, whole);
        assert!(store.study(&StudyUid::new("9").expect("uid")).expect("read").is_none());
        let of = DisplaySetId { series: whole.series[0].uid.clone(), index: 0 };
        assert_eq!(store.thumbnail(&whole.uid, &of).expect("read"), None);
        store.put_thumbnail(&whole.uid, &of, b"rgb").expect("kept");
        assert_eq!(store.thumbnail(&whole.uid, &of).expect("read").as_deref(), Some(&b"rgb"[..]));
    }
}

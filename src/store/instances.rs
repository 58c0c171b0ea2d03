//! Which instances are on this disk, and in which sealed file.

use super::{ObjectFile, Objects, Store, StoreError, context};
use crate::study::{SeriesUid, SopInstanceUid, StudyUid};
use rusqlite::params;
use serde::{Deserialize, Serialize};
use std::collections::HashSet;

/// An instance whose bytes are here.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct InstanceRow {
    /// Series.
    pub series: SeriesUid,
    /// Instance.
    pub instance: SopInstanceUid,
    /// Its sealed file.
    pub file: ObjectFile,
}

#[derive(Serialize, Deserialize)]
struct Identity {
    series: SeriesUid,
    instance: SopInstanceUid,
}

/// What an instance's file is sealed for: its study and itself.
fn file_context(study: &StudyUid, instance: &SopInstanceUid) -> Vec<u8> {
    context("instance", format!("{study}/{instance}").as_bytes())
}

impl Objects {
    /// Seals an instance's bytes (a whole DICOM file). It counts as kept only after [`Store::put_instance`].
    pub fn write_instance(
        &self,
        study: &StudyUid,
        instance: &SopInstanceUid,
        bytes: &[u8],
    ) -> Result<ObjectFile, StoreError> {
        self.write(&file_context(study, instance), bytes)
    }

    /// An instance's bytes.
    pub fn read_instance(
        &self,
        study: &StudyUid,
        instance: &SopInstanceUid,
        file: &str,
    ) -> Result<Vec<u8>, StoreError> {
        self.read(&file_context(study, instance), file)
    }
}

impl Store {
    fn instance_row(&self, study: &StudyUid, instance: &SopInstanceUid) -> Vec<u8> {
        self.index.row("instances", &[study.as_str(), instance.as_str()])
    }

    /// Takes sealed files as these instances'. Where an instance is here already, the new file is removed and
    /// the old one stays; gives, in order, the files that count. One transaction for all.
    pub fn put_instances(&mut self, study: &StudyUid, new: Vec<InstanceRow>) -> Result<Vec<ObjectFile>, StoreError> {
        let study_row = self.study_row(study);
        let mut rows = Vec::with_capacity(new.len());
        for instance in &new {
            let row = self.instance_row(study, &instance.instance);
            let identity = Identity { series: instance.series.clone(), instance: instance.instance.clone() };
            let sealed = self.seal_json(&context("instances", &row), &identity)?;
            rows.push((row, sealed, &instance.file));
        }
        let kept = self.db.transaction(|tx| {
            let mut kept = Vec::with_capacity(rows.len());
            for (row, sealed, file) in &rows {
                let old = tx.optional("SELECT file, bytes FROM instances WHERE row = ?1", [row], |r| {
                    Ok(ObjectFile { name: r.get(0)?, bytes: r.get::<_, i64>(1)?.unsigned_abs() })
                })?;
                if let Some(old) = old {
                    kept.push(old);
                    continue;
                }
                tx.run(
                    "instance.put",
                    "INSERT INTO instances VALUES (?1, ?2, ?3, ?4, ?5)",
                    params![row, study_row, file.name, file.bytes as i64, sealed],
                )?;
                kept.push((*file).clone());
            }
            Ok(kept)
        });
        // A file without a row would only be cleared at the next start.
        for (at, instance) in new.iter().enumerate() {
            let counts = kept.as_ref().is_ok_and(|k| k.get(at) == Some(&instance.file));
            if !counts {
                self.objects.remove(&instance.file.name)?;
            }
        }
        kept
    }

    /// Takes one sealed file as this instance's ([`Store::put_instances`]).
    pub fn put_instance(
        &mut self,
        study: &StudyUid,
        series: &SeriesUid,
        instance: &SopInstanceUid,
        file: ObjectFile,
    ) -> Result<ObjectFile, StoreError> {
        let row = InstanceRow { series: series.clone(), instance: instance.clone(), file };
        self.put_instances(study, vec![row])?.pop().ok_or(StoreError::NotFound("instance"))
    }

    /// Forgets an instance whose file did not open, so that it is fetched again.
    pub fn forget_instance(&mut self, study: &StudyUid, instance: &SopInstanceUid) -> Result<(), StoreError> {
        let row = self.instance_row(study, instance);
        let file = self.db.optional("SELECT file FROM instances WHERE row = ?1", [&row], |r| r.get::<_, String>(0))?;
        self.db.transaction(|tx| {
            tx.run("instance.forget", "DELETE FROM instances WHERE row = ?1", [&row])?;
            Ok(())
        })?;
        file.map_or(Ok(()), |f| self.objects.remove(&f))
    }

    /// Instances of a study that are on this disk.
    pub fn instances(&self, study: &StudyUid) -> Result<Vec<InstanceRow>, StoreError> {
        let study_row = self.study_row(study);
        let rows =
            self.db.all("SELECT row, file, bytes, sealed FROM instances WHERE study = ?1", [&study_row], |r| {
                let file = ObjectFile { name: r.get(1)?, bytes: r.get::<_, i64>(2)?.unsigned_abs() };
                Ok((r.get::<_, Vec<u8>>(0)?, file, r.get::<_, Vec<u8>>(3)?))
            })?;
        rows.into_iter()
            .map(|(row, file, sealed)| {
                let identity: Identity = self.open_json(&context("instances", &row), &sealed)?;
                Ok(InstanceRow { series: identity.series, instance: identity.instance, file })
            })
            .collect()
    }

    /// Names of all files that rows know.
    pub(super) fn instance_files(&self) -> Result<HashSet<String>, StoreError> {
        Ok(self.db.all("SELECT file FROM instances", [], |r| r.get(0))?.into_iter().collect())
    }
}

#[cfg(test)]
mod tests {
    use super::super::testing::Bench;
    use super::*;

    #[test]
    fn a_second_arrival_changes_nothing_and_a_forgotten_one_is_gone() {
        let bench = Bench::new();
        let mut store = bench.open();
        let (study, series) = (StudyUid::new("1").expect("uid"), SeriesUid::new("1.1").expect("uid"));
        let instance = SopInstanceUid::new("1.1.1").expect("uid");
        let objects = store.objects();
        let first = objects.write_instance(&study, &instance, b"one").expect("sealed");
        let kept = store.put_instance(&study, &series, &instance, first.clone()).expect("kept");
        assert_eq!(kept, first);
        let second = objects.write_instance(&study, &instance, b"two").expect("sealed");
        assert_eq!(store.put_instance(&study, &series, &instance, second.clone()).expect("kept"), first);
        assert!(objects.read_instance(&study, &instance, &second.name).is_err());
        drop(store);
        let mut store = bench.open();
        assert_eq!(
            store.instances(&study).expect("read"),
            [InstanceRow { series, instance: instance.clone(), file: first.clone() }]
        );
        assert_eq!(store.objects().read_instance(&study, &instance, &first.name).expect("read"), b"one");
        store.forget_instance(&study, &instance).expect("gone");
        assert!(store.instances(&study).expect("read").is_empty());
    }
}

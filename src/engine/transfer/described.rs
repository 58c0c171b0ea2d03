//! What a series' metadata say: every instance named is taken in, or listed with the reason why it is not.

use crate::dicom::project_json;
use crate::engine::library::{Home, Library};
use crate::engine::message::Failure;
use crate::study::{Patient, Series, SeriesUid, SopInstanceUid, Study, StudyUid};
use crate::worklist::StudyToRead;
use std::collections::{BTreeMap, BTreeSet};

/// What is known of instances from metadata: each one's study with one series with it; or why it has none; and
/// how many do not even say which instance they are.
pub(super) type Projected = (Vec<Study>, Vec<(SopInstanceUid, String)>, usize);

/// All that a series' metadata said.
#[derive(Debug, Default)]
pub(super) struct Described {
    /// One part for each patient that the headers name, in order of arrival.
    pub(super) parts: Vec<(Study, Series)>,
    failed: BTreeMap<SopInstanceUid, String>,
    /// Items that do not say which instance of this series they are.
    pub(super) nameless: usize,
}

impl Described {
    pub(super) fn add(&mut self, study: &StudyUid, series: &SeriesUid, (studies, failed, nameless): Projected) {
        self.nameless += nameless;
        self.failed.extend(failed);
        for mut one in studies {
            // What claims another study or series is not what was asked for.
            let fits = one.uid == *study && one.series.first().is_some_and(|s| s.uid == *series);
            let Some(part) = one.series.pop().filter(|_| fits) else {
                self.nameless += 1;
                continue;
            };
            match self.parts.iter_mut().find(|(head, _)| head.patient == one.patient) {
                Some((_, series)) => series.instances.extend(part.instances),
                None => self.parts.push((one, part)),
            }
        }
    }

    /// What to tell if the archive lists more instances than its metadata name.
    pub(super) fn shortfall(&self, listed: Option<u64>) -> Option<Failure> {
        let instances = self.parts.iter().flat_map(|(_, s)| &s.instances).map(|i| &i.uid);
        let named = instances.chain(self.failed.keys()).collect::<BTreeSet<_>>().len() as u64;
        // A series exists through its instances: one without any is short of at least one.
        let listed = listed.unwrap_or(1);
        (named < listed).then(|| {
            Failure::Corrupt(format!(
                "the archive lists {listed} instances of a series, but its metadata name {named} of them"
            ))
        })
    }

    /// Puts everything into the library. A study of which nothing was understood gets the head of the request, so
    /// that its failures have a place.
    pub(super) fn apply(self, library: &mut Library, wanted: &StudyToRead, series: &SeriesUid, announced: Option<u64>) {
        let study = &wanted.study_uid;
        for (head, part) in self.parts {
            library.put_head(&head, announced);
            library.put_series_of(study, &head.patient, part);
        }
        if library.get(study).is_none() {
            library.put_head(&asked_for(wanted), announced);
        }
        let home = Home { study: study.clone(), series: series.clone() };
        for (instance, reason) in self.failed {
            // Already here: the file itself is understood.
            if library.place(&instance).is_none() {
                library.unfetched(&home, &instance, &reason);
            }
        }
    }
}

fn asked_for(wanted: &StudyToRead) -> Study {
    Study {
        uid: wanted.study_uid.clone(),
        patient: Patient::default(),
        other_patients: Vec::new(),
        strange_series: Vec::new(),
        text_notes: Vec::new(),
        date: wanted.date,
        time: None,
        accession: String::new(),
        description: wanted.description.clone(),
        institution: String::new(),
        series: Vec::new(),
    }
}

pub(super) fn project_items(items: &[Vec<u8>]) -> Projected {
    let (mut studies, mut failed, mut nameless) = (Vec::new(), BTreeMap::new(), 0);
    for item in items {
        let Ok(json) = serde_json::from_slice::<serde_json::Value>(item) else {
            nameless += 1;
            continue;
        };
        match project_json(&json) {
            Ok(study) => studies.push(study),
            Err(error) => {
                let uid = json.get("00080018").and_then(|e| e.get("Value")?.get(0)?.as_str());
                match uid.and_then(|u| SopInstanceUid::new(u).ok()) {
                    Some(uid) => {
                        failed.insert(uid, error.to_string());
                    }
                    None => nameless += 1,
                }
            }
        }
    }
    (studies, failed.into_iter().collect(), nameless)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::library::tests::{head, series};
    use crate::worklist::{Archive, ArchiveAuth};

    fn wanted() -> StudyToRead {
        StudyToRead {
            study_uid: StudyUid::new("1").expect("uid"),
            archive: Archive { root: "https://a.example".into(), auth: ArchiveAuth::CenterToken, credentials: None },
            modalities: vec![],
            date: None,
            description: "CT".into(),
            series: 1,
            instances: 2,
            bytes: 0,
        }
    }

    fn one(id: &str, instance: &str) -> Study {
        let patient = Patient { id: id.into(), ..Patient::default() };
        Study { patient, series: vec![series("1.1", &[instance])], ..head("1") }
    }

    fn taken(items: Vec<Study>, failed: &[&str]) -> (Library, Described) {
        let (w, s) = (wanted(), series("1.1", &[]).uid);
        let failed: Vec<_> =
            failed.iter().map(|u| (SopInstanceUid::new(u).expect("uid"), "damaged".to_owned())).collect();
        let mut library = Library::default();
        let read = || {
            let mut d = Described::default();
            d.add(&w.study_uid, &s, (items.clone(), failed.clone(), 0));
            d
        };
        read().apply(&mut library, &w, &s, Some(2));
        (library, read())
    }

    #[test]
    fn what_is_not_understood_in_a_new_studys_first_series_is_listed() {
        let (library, described) = taken(vec![one("A", "1.1.1")], &["1.1.2"]);
        let entry = library.get(&wanted().study_uid).expect("known");
        let not_shown = entry.ledger.not_shown(false);
        assert_eq!((not_shown.len(), entry.ledger.expected()), (1, 2));
        assert_eq!((not_shown[0].what.as_str(), not_shown[0].reason.as_str()), ("1.1.2", "damaged"));
        assert_eq!(described.shortfall(Some(2)), None);
        assert!(matches!(described.shortfall(Some(3)), Some(Failure::Corrupt(_))));
    }

    #[test]
    fn a_series_without_one_usable_item_is_listed_all_the_same() {
        let (library, described) = taken(vec![], &["1.1.1", "1.1.2"]);
        let entry = library.get(&wanted().study_uid).expect("known");
        assert_eq!(entry.ledger.not_shown(false).len(), 2);
        assert_eq!((entry.ledger.announced, entry.study.description.as_str()), (Some(2), "CT"));
        assert_eq!(described.shortfall(Some(2)), None);
        let (_, empty) = taken(vec![], &[]);
        assert!(empty.shortfall(None).is_some() && empty.shortfall(Some(1)).is_some());
        assert!(empty.shortfall(Some(0)).is_none());
    }

    #[test]
    fn one_strange_instance_among_a_series_is_caught_in_either_order() {
        for ids in [["A", "B", "A"], ["B", "A", "A"], ["A", "A", "B"]] {
            let items = ids.iter().zip(["1.1.1", "1.1.2", "1.1.3"]).map(|(id, uid)| one(id, uid)).collect();
            let (library, _) = taken(items, &[]);
            let entry = library.get(&wanted().study_uid).expect("known");
            assert_eq!((entry.study.patient.id.as_str(), entry.study.other_patients.len()), (ids[0], 1));
            let strange = ids.iter().filter(|id| **id != ids[0]).count();
            assert_eq!((entry.ledger.not_shown(false).len(), entry.ledger.expected()), (strange, 3));
        }
    }

    #[test]
    fn items_that_are_no_metadata_are_counted() {
        let unfit = br#"{"00080018":{"vr":"UI","Value":["1.1.9"]}}"#.to_vec();
        let (studies, failed, nameless) = project_items(&[b"no json".to_vec(), b"{}".to_vec(), unfit]);
        assert_eq!((studies.len(), failed.len(), nameless), (0, 1, 2));
    }
}

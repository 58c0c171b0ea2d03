//! Whom a study's headers name. The request's patient is what counts: whoever agrees with it best is the study's
//! patient, whatever arrived first; everybody else's instances are not shown.

use crate::study::{Mismatch, Patient, SopInstanceUid, mismatches, names_another};
use std::cmp::Reverse;
use std::collections::{BTreeSet, HashMap};

/// So many people are told apart in one study; one stranger is enough to stop the signature.
const MOST: usize = 17;

/// The people of one study.
#[derive(Debug, Default)]
pub(super) struct People {
    /// The patient as the request names them, and whether the study is a prior there.
    request: Option<(Patient, bool)>,
    /// Everybody named, in order of arrival.
    named: Vec<Patient>,
    /// Whom each instance names (its metadata and its file may differ).
    said: HashMap<SopInstanceUid, BTreeSet<usize>>,
    main: usize,
}

impl People {
    /// Takes the request's patient; true if that changes who the study's patient is.
    pub(super) fn set_request(&mut self, request: Option<(Patient, bool)>) -> bool {
        self.request = request;
        self.choose()
    }

    /// Notes that somebody is named; gives who it is (`None`: the header names nobody) and whether that changes who the
    /// study's patient is.
    pub(super) fn name(&mut self, patient: &Patient) -> (Option<usize>, bool) {
        if *patient == Patient::default() {
            return (None, false);
        }
        let order = std::iter::once(self.main).chain((0..self.named.len()).filter(|n| *n != self.main));
        let known = order.into_iter().find(|n| self.named.get(*n).is_some_and(|p| !names_another(p, patient)));
        let who = match known {
            Some(n) => {
                if let Some(person) = self.named.get_mut(n) {
                    person.complete(patient);
                }
                n
            }
            None => {
                if self.named.len() < MOST {
                    self.named.push(patient.clone());
                    self.named.len() - 1
                } else {
                    MOST
                }
            }
        };
        (Some(who), self.choose())
    }

    /// Notes that an instance names this person.
    pub(super) fn says(&mut self, instance: &SopInstanceUid, who: usize) {
        self.said.entry(instance.clone()).or_default().insert(who);
    }

    /// Whether an instance names somebody else than the study's patient; `None` where it is not known whom it names.
    pub(super) fn strange(&self, instance: &SopInstanceUid) -> Option<bool> {
        self.said.get(instance).map(|who| who.iter().any(|n| *n != self.main))
    }

    /// Whether this is somebody else than the study's patient.
    pub(super) fn is_other(&self, who: Option<usize>) -> bool {
        who.is_some_and(|n| n != self.main)
    }

    /// The study's patient; empty where nobody is named yet.
    pub(super) fn patient(&self) -> Patient {
        self.named.get(self.main).cloned().unwrap_or_default()
    }

    /// Everybody else.
    pub(super) fn others(&self) -> Vec<Patient> {
        self.named.iter().enumerate().filter(|(n, _)| *n != self.main).map(|(_, p)| p.clone()).collect()
    }

    fn choose(&mut self) -> bool {
        let before = self.main;
        // Without a request (files of the reader's own) the first stays.
        if let Some((request, prior)) = &self.request {
            let best = (0..self.named.len()).max_by_key(|n| self.named.get(*n).map(|p| rank(request, p, *prior)));
            self.main = best.unwrap_or(0);
        }
        before != self.main
    }
}

/// How well somebody agrees with the request; what ends a tie is the person, never the order of arrival.
fn rank<'a>(request: &Patient, person: &'a Patient, prior: bool) -> (bool, usize, Reverse<(&'a str, &'a str)>) {
    let differs = mismatches(request, person, prior);
    let agrees = if prior { differs.is_empty() } else { !names_another(request, person) };
    let same = [
        !request.id.is_empty() && request.id == person.id,
        request.birth_date.is_some() && request.birth_date == person.birth_date,
        request.sex.is_some() && request.sex == person.sex,
        person.name != crate::study::PersonName::default() && !differs.contains(&Mismatch::Name),
    ];
    let count = same.into_iter().filter(|s| *s).count();
    (agrees, count, Reverse((person.id.as_str(), person.name.alphabetic.as_str())))
}

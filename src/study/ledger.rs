//! The completeness ledger: what the center named, what arrived, what can be shown, and why not.
//! Nothing named is silently missing.

use super::{SeriesUid, SopInstanceUid, Why};
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};

/// Something named or received that cannot be shown, with the reason for the reader.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct NotShown {
    /// SOP Instance UID, or a path where a file gave no UID.
    pub what: String,
    /// Why, in plain words.
    pub reason: String,
}

/// Counts for one series.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct SeriesLedger {
    /// Instances that the center names (metadata), by UID.
    pub expected: BTreeSet<SopInstanceUid>,
    /// Instances whose bytes are here.
    pub received: BTreeSet<SopInstanceUid>,
    /// Instances received that cannot be shown, and why.
    pub failed: BTreeMap<SopInstanceUid, String>,
    /// Objects that are no pictures by their kind (reports, presentation states …): they stand in a list of their own.
    #[serde(default)]
    pub listed: BTreeSet<SopInstanceUid>,
    /// Bytes received so far.
    pub bytes: u64,
}

impl SeriesLedger {
    /// Pictures received and showable.
    pub fn shown(&self) -> usize {
        self.received.iter().filter(|uid| !self.failed.contains_key(*uid) && !self.listed.contains(*uid)).count()
    }
    /// All expected instances are received or have a stated reason.
    pub fn settled(&self) -> bool {
        self.expected.iter().all(|uid| self.received.contains(uid) || self.failed.contains_key(uid))
    }
}

/// A study's ledger, by series.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Ledger {
    /// Number of instances that the request form or query named for the study, if it did.
    pub announced: Option<u64>,
    /// Per series.
    pub series: BTreeMap<SeriesUid, SeriesLedger>,
}

impl Ledger {
    /// Names an instance that must come.
    pub fn expect(&mut self, series: &SeriesUid, instance: &SopInstanceUid) {
        self.series.entry(series.clone()).or_default().expected.insert(instance.clone());
    }
    /// Notes the arrival of an instance; a second arrival counts once.
    pub fn receive(&mut self, series: &SeriesUid, instance: &SopInstanceUid, bytes: u64) {
        let entry = self.series.entry(series.clone()).or_default();
        if entry.received.insert(instance.clone()) {
            entry.bytes += bytes;
        }
        entry.expected.insert(instance.clone());
    }
    /// Notes that an instance cannot be had or shown. The first reason stays.
    pub fn fail(&mut self, series: &SeriesUid, instance: &SopInstanceUid, reason: impl Into<String>) {
        let entry = self.series.entry(series.clone()).or_default();
        entry.expected.insert(instance.clone());
        entry.failed.entry(instance.clone()).or_insert_with(|| reason.into());
    }
    /// Notes that an instance is no picture by its kind. It must come all the same.
    pub fn list(&mut self, series: &SeriesUid, instance: &SopInstanceUid) {
        let entry = self.series.entry(series.clone()).or_default();
        entry.expected.insert(instance.clone());
        entry.listed.insert(instance.clone());
    }
    /// Takes a failure back if its reason is this one.
    pub fn excuse(&mut self, series: &SeriesUid, instance: &SopInstanceUid, reason: &str) {
        if let Some(entry) = self.series.get_mut(series)
            && entry.failed.get(instance).is_some_and(|r| r == reason)
        {
            entry.failed.remove(instance);
        }
    }
    /// Instances named.
    pub fn expected(&self) -> usize {
        self.series.values().map(|s| s.expected.len()).sum()
    }
    /// Instances whose bytes are here.
    pub fn received(&self) -> usize {
        self.series.values().map(|s| s.received.len()).sum()
    }
    /// Pictures received and showable.
    pub fn shown(&self) -> usize {
        self.series.values().map(SeriesLedger::shown).sum()
    }
    /// Objects that are no pictures by their kind.
    pub fn listed(&self) -> usize {
        self.series.values().map(|s| s.listed.len()).sum()
    }
    /// Everything that is neither shown nor listed although named: failures, and what has not come (only when `finished`).
    pub fn not_shown(&self, finished: bool) -> Vec<NotShown> {
        let mut out = Vec::new();
        for entry in self.series.values() {
            for uid in &entry.expected {
                if let Some(reason) = entry.failed.get(uid) {
                    out.push(NotShown { what: uid.to_string(), reason: reason.clone() });
                } else if finished && !entry.received.contains(uid) {
                    out.push(NotShown { what: uid.to_string(), reason: Why::NotReceived.sentence().into() });
                }
            }
        }
        out
    }
    /// The center announced another number than it then named.
    pub fn disagrees_with_announcement(&self) -> Option<(u64, usize)> {
        self.announced.filter(|n| *n != self.expected() as u64).map(|n| (n, self.expected()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_named_is_silently_missing() {
        let (s, a, b) = (SeriesUid::new("1.1"), SopInstanceUid::new("1.2"), SopInstanceUid::new("1.3"));
        let (s, a, b) = (s.expect("uid"), a.expect("uid"), b.expect("uid"));
        let mut ledger = Ledger { announced: Some(3), ..Ledger::default() };
        ledger.expect(&s, &a);
        ledger.expect(&s, &b);
        ledger.receive(&s, &a, 10);
        ledger.receive(&s, &a, 10);
        assert_eq!((ledger.expected(), ledger.received(), ledger.shown()), (2, 1, 1));
        assert_eq!(ledger.not_shown(true).len(), 1);
        assert!(ledger.not_shown(false).is_empty());
        ledger.fail(&s, &a, "cannot decode");
        assert_eq!((ledger.shown(), ledger.series[&s].bytes), (0, 10));
        assert_eq!(ledger.disagrees_with_announcement(), Some((3, 2)));
    }

    #[test]
    fn what_is_no_picture_is_not_missing_as_one_but_must_come() {
        let (s, report) = (SeriesUid::new("1.1").expect("uid"), SopInstanceUid::new("1.2").expect("uid"));
        let mut ledger = Ledger::default();
        ledger.list(&s, &report);
        assert_eq!((ledger.expected(), ledger.shown(), ledger.listed()), (1, 0, 1));
        assert_eq!(ledger.not_shown(true).len(), 1, "not received");
        ledger.receive(&s, &report, 10);
        assert_eq!((ledger.received(), ledger.shown()), (1, 0));
        assert!(ledger.not_shown(true).is_empty());
        // Another patient's report: that is a failure like a picture's.
        ledger.fail(&s, &report, "another patient");
        assert_eq!(ledger.not_shown(true).len(), 1);
    }
}

//! A cache with a byte budget; the least recently used goes first.

use std::collections::{BTreeMap, HashMap};
use std::hash::Hash;

/// Values of stated weight by key.
pub(super) struct Lru<K, V> {
    budget: usize,
    held: usize,
    tick: u64,
    entries: HashMap<K, (V, usize, u64)>,
    order: BTreeMap<u64, K>,
}

impl<K: Clone + Eq + Hash, V: Clone> Lru<K, V> {
    pub(super) fn new(budget: usize) -> Self {
        Self { budget, held: 0, tick: 0, entries: HashMap::new(), order: BTreeMap::new() }
    }

    /// A value, which thereby becomes the most recently used.
    pub(super) fn get(&mut self, key: &K) -> Option<V> {
        self.tick += 1;
        let (value, _, used) = self.entries.get_mut(key)?;
        self.order.remove(used);
        *used = self.tick;
        self.order.insert(self.tick, key.clone());
        Some(value.clone())
    }

    /// Adds a value and removes older ones until the budget holds. A value larger than the whole budget is
    /// kept alone: it is being looked at.
    pub(super) fn insert(&mut self, key: K, value: V, bytes: usize) {
        self.remove(&key);
        self.tick += 1;
        self.held += bytes;
        self.entries.insert(key.clone(), (value, bytes, self.tick));
        self.order.insert(self.tick, key);
        while self.held > self.budget && self.entries.len() > 1 {
            let Some((_, oldest)) = self.order.pop_first() else { break };
            if let Some((_, bytes, _)) = self.entries.remove(&oldest) {
                self.held -= bytes;
            }
        }
    }

    pub(super) fn remove(&mut self, key: &K) {
        if let Some((_, bytes, used)) = self.entries.remove(key) {
            self.held -= bytes;
            self.order.remove(&used);
        }
    }

    pub(super) fn clear(&mut self) {
        self.entries.clear();
        self.order.clear();
        self.held = 0;
    }

    /// Bytes held.
    pub(super) fn held(&self) -> usize {
        self.held
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_long_series_passes_through_a_small_budget() {
        let mut cache = Lru::new(1000);
        for n in 0..2000_u32 {
            cache.insert(n, n, 100);
            assert!(cache.held() <= 1000);
            assert!(cache.get(&0).is_some(), "kept because it is used");
        }
        assert_eq!(cache.get(&1999), Some(1999));
        assert_eq!(cache.get(&1000), None);
        cache.insert(7, 7, 5000);
        assert_eq!((cache.get(&7), cache.held()), (Some(7), 5000));
        cache.clear();
        assert_eq!(cache.held(), 0);
    }
}

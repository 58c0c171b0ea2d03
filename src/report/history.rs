//! Undo and redo over a draft.

use super::{Draft, Edit, Template};
use std::collections::BTreeMap;

/// Steps kept; older ones are forgotten.
const DEPTH: usize = 200;

/// A draft with its past and its undone future. The revision only ever rises, also by undo: what the
/// gate saw can never be confused with a later state.
#[derive(Debug, Clone)]
pub struct History {
    draft: Draft,
    past: Vec<Draft>,
    future: Vec<Draft>,
    typing_in: Option<String>,
}

impl History {
    /// Begins with a draft as loaded.
    pub fn new(draft: Draft) -> Self {
        Self { draft, past: Vec::new(), future: Vec::new(), typing_in: None }
    }

    /// The draft as it is now.
    pub fn draft(&self) -> &Draft {
        &self.draft
    }

    /// Makes a change; typing on in the same field is one step until [`History::pause`].
    pub fn apply(&mut self, edit: Edit) -> bool {
        let place = place_of(&edit);
        let goes_on = place.is_some() && place == self.typing_in;
        let before = (!goes_on).then(|| self.draft.clone());
        if !self.draft.apply(edit) {
            return false;
        }
        if let Some(before) = before {
            self.past.push(before);
            if self.past.len() > DEPTH {
                self.past.remove(0);
            }
        }
        self.typing_in = place;
        self.future.clear();
        true
    }

    /// As [`Draft::refill`], also in what undo goes back to: it is no step of the reader's.
    pub fn refill(&mut self, template: &Template, prefill: &BTreeMap<String, String>) -> bool {
        for draft in self.past.iter_mut().chain(&mut self.future) {
            draft.refill(template, prefill);
        }
        self.draft.refill(template, prefill)
    }

    /// Ends a run of typing: the next edit is a step of its own.
    pub fn pause(&mut self) {
        self.typing_in = None;
    }

    /// Takes back the last step.
    pub fn undo(&mut self) -> bool {
        let Some(before) = self.past.pop() else { return false };
        self.future.push(self.draft.clone());
        self.become_(before);
        true
    }

    /// Does again what was undone.
    pub fn redo(&mut self) -> bool {
        let Some(after) = self.future.pop() else { return false };
        self.past.push(self.draft.clone());
        self.become_(after);
        true
    }

    /// There is something to undo.
    pub fn can_undo(&self) -> bool {
        !self.past.is_empty()
    }

    /// There is something to redo.
    pub fn can_redo(&self) -> bool {
        !self.future.is_empty()
    }

    fn become_(&mut self, mut other: Draft) {
        other.revision = self.draft.revision + 1;
        // Numbers given meanwhile stay used, so that an undone finding's number never names another one.
        other.next_id = other.next_id.max(self.draft.next_id);
        self.draft = other;
        self.typing_in = None;
    }
}

/// The place that a typing edit touches; other edits are steps of their own.
fn place_of(edit: &Edit) -> Option<String> {
    match edit {
        Edit::SetField(field, Some(_)) => Some(format!("f/{field}")),
        Edit::SetFindingField(id, field, Some(_)) => Some(format!("{}/{field}", id.0)),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::super::{Value, fixtures};
    use super::*;

    fn typed(text: &str) -> Edit {
        Edit::SetField("findings".into(), Some(Value::Text(text.into())))
    }

    #[test]
    fn typing_is_one_step_until_a_pause() {
        let mut history = History::new(fixtures::draft());
        for text in ["結", "結節", "結節を認める"] {
            history.apply(typed(text));
        }
        history.pause();
        history.apply(typed("結節を認めない"));
        assert!(history.undo());
        assert_eq!(history.draft().text("findings"), "結節を認める");
        assert!(history.undo());
        assert_eq!(history.draft().text("findings"), "");
        assert!(!history.undo());
        assert!(history.redo() && history.redo());
        assert_eq!(history.draft().text("findings"), "結節を認めない");
        assert!(!history.redo());
    }

    #[test]
    fn revisions_only_rise_and_numbers_are_not_reused() {
        let mut history = History::new(fixtures::draft());
        history.apply(Edit::AddFinding);
        let (revision, first) = (history.draft().revision, history.draft().findings[0].id);
        history.undo();
        assert!(history.draft().revision > revision);
        history.apply(Edit::AddFinding);
        assert_ne!(history.draft().findings[0].id, first);
        assert!(!history.can_redo());
    }

    #[test]
    fn depth_is_bounded() {
        let mut history = History::new(fixtures::draft());
        for _ in 0..DEPTH + 10 {
            history.apply(Edit::AddFinding);
        }
        let mut steps = 0;
        while history.undo() {
            steps += 1;
        }
        assert_eq!(steps, DEPTH);
    }
}

//! Whether an input method is composing: text in a field is then not yet the reader's.
//!
//! egui keeps this to itself and writes the preedit into the bound text, so autosave, validation and single
//! keys have to ask here.

use egui::{Context, Event, Id, ImeEvent};

/// True while an input method holds text that is not committed. Reads this pass's events, so it is right
/// also in the pass in which a composition begins or ends.
pub fn composing(ctx: &Context) -> bool {
    let id = Id::unique("dokuei.ime.composing");
    let before = ctx.data(|d| d.get_temp::<bool>(id)).unwrap_or(false);
    let now = ctx.input(|i| {
        i.events.iter().fold(before, |state, event| match event {
            Event::Ime(ImeEvent::Preedit { text, .. }) => !text.is_empty(),
            Event::Ime(ImeEvent::Commit(_)) | Event::WindowFocused(false) => false,
            _ => state,
        })
    });
    if now != before {
        ctx.data_mut(|d| d.insert_temp(id, now));
    }
    now
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pass(ctx: &Context, events: Vec<Event>) -> bool {
        let mut state = false;
        let input = egui::RawInput { events, ..egui::RawInput::default() };
        let mut output = ctx.run_ui(input, |ui| state = composing(ui.ctx()));
        output.textures_delta.clear();
        state
    }

    #[test]
    fn follows_preedit_and_commit_in_the_same_pass() {
        let ctx = Context::default();
        let preedit = |text: &str| Event::Ime(ImeEvent::Preedit { text: text.into(), active_range_chars: None });
        assert!(!pass(&ctx, vec![]));
        assert!(pass(&ctx, vec![preedit("けっせつ")]));
        assert!(pass(&ctx, vec![]));
        assert!(!pass(&ctx, vec![Event::Ime(ImeEvent::Commit("結節".into()))]));
        // X11 sends an empty preedit and then the commit.
        assert!(pass(&ctx, vec![preedit("か")]));
        assert!(!pass(&ctx, vec![preedit(""), Event::Ime(ImeEvent::Commit("蚊".into()))]));
        assert!(pass(&ctx, vec![preedit("か")]));
        assert!(!pass(&ctx, vec![Event::WindowFocused(false)]));
    }
}

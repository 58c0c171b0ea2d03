//! One row of the worklist: two lines, eight columns, nothing that jumps.

use super::text::Words;
use super::widgets::{elided, ring};
use super::{format, names, theme};
use crate::app::{Action, App, WorklistAction};
use crate::worklist::{Assignment, AssignmentState, Priority, Remaining, remaining};
use egui::{Color32, FontId, Painter, Rect, Role, Sense, Ui, WidgetInfo, pos2, vec2};
use std::sync::Arc;

/// Where the columns lie: left edge and width of each.
#[derive(Debug, Clone)]
pub struct Columns([(f32, f32); 8]);

const EDGE: f32 = 12.0;
const GAP: f32 = 12.0;
/// Fixed width, and share of what is left.
const WIDTHS: [(f32, f32); 8] =
    [(112.0, 0.0), (104.0, 0.0), (88.0, 0.2), (112.0, 0.24), (48.0, 0.16), (56.0, 0.4), (100.0, 0.0), (84.0, 0.0)];

impl Columns {
    /// Columns for a table that begins at `left` and is `width` wide.
    pub fn fit(left: f32, width: f32) -> Self {
        let fixed: f32 = WIDTHS.iter().map(|(w, _)| w).sum();
        let rest = (width - 2.0 * EDGE - 7.0 * GAP - fixed).max(0.0);
        let mut x = left + EDGE;
        Self(WIDTHS.map(|(w, share)| {
            let width = (w + rest * share).floor();
            let at = (x, width);
            x += width + GAP;
            at
        }))
    }

    /// The cells of a row.
    pub fn cells(&self, row: Rect) -> [Rect; 8] {
        self.0.map(|(x, w)| Rect::from_min_size(pos2(x, row.top()), vec2(w, row.height())))
    }
}

struct Line<'a> {
    text: &'a str,
    font: FontId,
    color: Color32,
}

fn strong(text: &str) -> Line<'_> {
    Line { text, font: theme::font(theme::BODY), color: theme::TEXT_STRONG }
}

fn quiet(text: &str) -> Line<'_> {
    Line { text, font: theme::font(theme::CAPTION), color: theme::TEXT }
}

fn put(painter: &Painter, cell: Rect, first: &Line<'_>, second: &Line<'_>) {
    for (line, base) in [(first, 13.0), (second, 29.0)] {
        let galley = elided(painter, line.text, line.font.clone(), line.color, cell.width());
        let at = pos2(cell.left(), cell.top() + base - galley.size().y / 2.0);
        painter.galley(at, galley, line.color);
    }
}

fn due_color(left: Remaining) -> Color32 {
    match left {
        Remaining::Overdue(_) => theme::HARM,
        Remaining::Soon(_) => theme::CAUTION,
        Remaining::Later(_) => theme::TEXT_STRONG,
    }
}

/// The state of a row in one word, and its colour.
fn state(words: Words, app: &App, assignment: &Assignment) -> (&'static str, Color32) {
    let list = &app.worklist;
    if list.wrong_patient.contains(&assignment.id) {
        return (words.t("state.wrong_patient"), theme::HARM);
    }
    if list.signed.contains(&assignment.id) && assignment.state.open() {
        return (words.t("state.waiting"), theme::CAUTION);
    }
    let color = match assignment.state {
        AssignmentState::Submitted | AssignmentState::Finalized => theme::OK,
        AssignmentState::Assigned => theme::ACCENT,
        _ => theme::TEXT_STRONG,
    };
    (names::state(words, assignment.state), color)
}

/// What stands below the state: why it cannot be read, the draft, or the coordinator's reason.
fn below_state(words: Words, app: &App, assignment: &Assignment) -> (String, Color32) {
    let mut studies = assignment.studies.iter().filter_map(|s| app.pictures.study(&s.study_uid));
    if assignment.studies.is_empty() {
        return (words.t("worklist.no_study").to_owned(), theme::HARM);
    }
    if let Some(problem) = studies.find_map(|s| s.failure.as_ref()) {
        return (super::failure::what(words, problem), theme::CAUTION);
    }
    if let Some(reason) = &assignment.reason {
        return (reason.clone(), theme::TEXT);
    }
    if let Some(mark) = app.worklist.drafts.get(&assignment.id) {
        return (words.f("worklist.draft_at", &[("time", &format::clock(mark.at))]), theme::TEXT);
    }
    (String::new(), theme::TEXT)
}

/// What is said of the images: how many, how much is here, when the rest will be.
fn images(words: Words, app: &App, assignment: &Assignment) -> (String, String, Option<f32>) {
    let count: u64 = assignment.studies.iter().map(|s| s.instances).sum();
    let share = app.cached_share(assignment);
    let second = match share {
        None => words.t("worklist.not_here").to_owned(),
        Some(share) if share >= 1.0 => format::percent(share),
        Some(share) => {
            let bytes: u64 = assignment.studies.iter().map(|s| s.bytes).sum();
            let loading = assignment
                .studies
                .iter()
                .any(|s| app.pictures.study(&s.study_uid).is_some_and(|s| !s.finished && !s.paused));
            let seconds = (bytes as f64 * f64::from(1.0 - share)) / (app.link.bytes_per_s as f64).max(1.0);
            if loading && share > 0.0 && bytes > 0 && app.link.bytes_per_s > 12_500 && seconds < 36_000.0 {
                let ready = app.now.checked_add(jiff::SignedDuration::from_secs(seconds as i64));
                ready.map_or_else(
                    |_| format::percent(share),
                    |at| words.f("worklist.ready_at", &[("time", &format::clock(at))]),
                )
            } else {
                format::percent(share)
            }
        }
    };
    (count.to_string(), second, share)
}

/// Draws one row. A click chooses it, a double click opens it.
pub fn row_ui(
    ui: &mut Ui,
    words: Words,
    app: &App,
    assignment: &Arc<Assignment>,
    columns: &Columns,
    out: &mut Vec<Action>,
) {
    let (rect, response) = ui.allocate_exact_size(vec2(ui.available_width(), theme::ROW_TALL), Sense::click());
    let chosen = app.worklist.selected.as_deref() == Some(&assignment.id);
    let patient = &assignment.patient;
    let left = format::time_left(words, assignment.due.at, app.now);
    let exam = names::exam(words, assignment.exam_kind);
    let spoken = format!("{} {} {left}", patient.name.display(), exam);
    response.widget_info(|| WidgetInfo::selected(Role::ListItem, true, chosen, &spoken));
    let painter = ui.painter().clone();
    if chosen {
        painter.rect_filled(rect, 0, theme::PRESSED);
        painter.rect_filled(Rect::from_min_size(rect.min, vec2(2.0, rect.height())), 0, theme::ACCENT);
    } else if response.hovered() {
        painter.rect_filled(rect, 0, theme::PANEL);
    }
    painter.hline(rect.x_range(), rect.bottom() - 0.5, theme::line());
    if response.has_focus() {
        painter.rect_stroke(rect.shrink(1.0), 0, theme::focus(), egui::StrokeKind::Inside);
    }
    let [due, kind, exam_cell, who, facility, question, pictures, state_cell] = columns.cells(rect);

    let open = assignment.state.open() && !app.worklist.signed.contains(&assignment.id);
    let color = if open { due_color(remaining(assignment.due.at, app.now)) } else { theme::TEXT };
    let due_at = format::moment(assignment.due.at);
    let due_short = due_at.get(5..).unwrap_or(&due_at);
    let first = if open { left.as_str() } else { "–" };
    put(
        &painter,
        due,
        &Line { text: first, font: theme::font(theme::BODY), color },
        &Line { font: theme::digits(theme::CAPTION), ..quiet(due_short) },
    );

    let priority = names::priority(words, assignment.priority);
    let kind_word = match names::role(words, assignment.role) {
        Some(role) => format!("{} {role}", names::kind(words, assignment.kind)),
        None => names::kind(words, assignment.kind).to_owned(),
    };
    let priority_color = if assignment.priority == Priority::Stat { theme::CAUTION } else { theme::TEXT_STRONG };
    put(&painter, kind, &Line { color: priority_color, ..strong(priority) }, &quiet(&kind_word));

    let study = assignment.studies.first();
    let date = format::date(study.and_then(|s| s.date));
    let text = if assignment.request.exam.trim().is_empty() { exam } else { assignment.request.exam.trim() };
    let titled =
        if text.to_uppercase().contains(&exam.to_uppercase()) { text.to_owned() } else { format!("{exam} {text}") };
    put(&painter, exam_cell, &strong(&titled), &Line { font: theme::digits(theme::CAPTION), ..quiet(&date) });

    let on = study.and_then(|s| s.date).unwrap_or_else(|| format::day(app.now));
    let reading = patient.name.reading();
    let sex_age = format::sex_age(words, patient, on);
    put(&painter, who, &strong(&patient.name.display()), &quiet(&format!("{sex_age}  {reading}")));

    let physician = &assignment.request.physician;
    put(&painter, facility, &strong(&assignment.facility.name), &quiet(physician));

    let parts = assignment.request.body_parts.join("・");
    put(&painter, question, &strong(&assignment.request.question), &quiet(&parts));

    let (count, here, share) = images(words, app, assignment);
    let ring_color = if share.is_some_and(|s| s >= 1.0) { theme::OK } else { theme::ACCENT };
    ring(&painter, pos2(pictures.left() + 7.0, rect.center().y), 6.0, share, ring_color);
    let mut words_cell = pictures;
    words_cell.min.x += 22.0;
    put(&painter, words_cell, &Line { font: theme::digits(theme::BODY), ..strong(&count) }, &quiet(&here));

    let (word, word_color) = state(words, app, assignment);
    let (below, below_color) = below_state(words, app, assignment);
    put(
        &painter,
        state_cell,
        &Line { color: word_color, ..strong(word) },
        &Line { color: below_color, ..quiet(&below) },
    );

    if response.clicked() {
        out.push(Action::Worklist(WorklistAction::Select(assignment.id.clone())));
    }
    if response.double_clicked() {
        out.push(Action::Worklist(WorklistAction::Open(assignment.id.clone())));
    }
    response.on_hover_ui_at_pointer(|ui| {
        ui.label(words.f("due.tooltip", &[("at", &due_at), ("rule", &names::due_rule(words, &assignment.due.rule))]));
        if !below.is_empty() {
            ui.label(below);
        }
    });
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_never_overlap_and_end_inside() {
        for width in [620.0, 874.0, 1400.0, 3000.0] {
            let columns = Columns::fit(148.0, width);
            for pair in columns.0.windows(2) {
                assert!(pair[0].0 + pair[0].1 < pair[1].0);
            }
            let (x, w) = columns.0[7];
            if width > 720.0 {
                assert!(x + w <= 148.0 + width, "{width}");
            }
        }
    }
}

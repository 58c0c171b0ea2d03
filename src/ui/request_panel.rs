//! The request form 依頼票 and earlier reports beside the list, and what can be done with the assignment.

use super::text::Words;
use super::widgets::{caption, elided, label_value, primary_button, prose, quiet_button, rule, section};
use super::{format, names, theme};
use crate::app::{Action, App, WorklistAction};
use crate::worklist::{Assignment, AssignmentState, DeclineReason, PriorReport, StudyToRead};
use egui::{Frame, Margin, Panel, RichText, Role, ScrollArea, Sense, Ui, WidgetInfo, vec2};
use std::sync::Arc;

/// State of the panel's widgets.
#[derive(Debug, Default)]
pub struct RequestLocal {
    /// The prior report unfolded, by assignment and place.
    unfolded: Option<(String, usize)>,
}

const LABELS: f32 = 92.0;

/// Draws the request of the chosen assignment.
pub fn request_ui(
    ui: &mut Ui,
    words: Words,
    app: &App,
    assignment: &Arc<Assignment>,
    local: &mut RequestLocal,
    out: &mut Vec<Action>,
) {
    Panel::bottom("request-actions")
        .resizable(false)
        .frame(Frame::new().inner_margin(Margin::symmetric(16, 12)))
        .show(ui, |ui| actions(ui, words, app, assignment, out));
    ScrollArea::vertical().auto_shrink(false).id_salt(("request", &assignment.id)).show(ui, |ui| {
        Frame::new().inner_margin(Margin::symmetric(16, 12)).show(ui, |ui| {
            form(ui, words, app, assignment);
            priors(ui, words, assignment, local);
        });
    });
}

/// Who it is about.
pub fn identity_ui(ui: &mut Ui, words: Words, app: &App, assignment: &Assignment) {
    let patient = &assignment.patient;
    let on = assignment.studies.first().and_then(|s| s.date).unwrap_or_else(|| format::day(app.now));
    ui.label(RichText::new(patient.name.display()).size(theme::TITLE).color(theme::TEXT_STRONG));
    let reading = patient.name.reading();
    if !reading.is_empty() {
        caption(ui, &reading);
    }
    let born = format::date(patient.birth_date);
    caption(ui, &format!("{}  ({born})", format::sex_age(words, patient, on)));
    let issuer = patient.issuer.as_deref().unwrap_or(&assignment.facility.code);
    caption(ui, &words.f("patient.id_at", &[("id", &patient.id), ("issuer", &issuer)]));
}

fn form(ui: &mut Ui, words: Words, app: &App, assignment: &Assignment) {
    let request = &assignment.request;
    identity_ui(ui, words, app, assignment);
    ui.add_space(2.0 * theme::GRID);
    rule(ui);
    section(ui, words.t("request.question"));
    let question = if request.question.trim().is_empty() { words.t("request.not_stated") } else { &request.question };
    prose(ui, question);
    for message in &assignment.messages {
        ui.label(RichText::new(words.f("request.message", &[("text", message)])).color(theme::CAUTION));
    }
    section(ui, words.t("request.title"));
    let mut rows = vec![
        (words.t("request.kind"), names::kind_long(words, assignment.kind).to_owned()),
        (words.t("request.exam"), request.exam.clone()),
        (words.t("request.parts"), request.body_parts.join("・")),
        (words.t("request.contrast"), names::contrast(words, request.contrast).to_owned()),
        (words.t("request.clinical"), request.clinical_information.clone()),
        (words.t("request.history"), request.history.clone()),
        (words.t("request.facility"), assignment.facility.name.clone()),
        (words.t("request.physician"), request.physician.clone()),
        (words.t("request.number"), request.request_id.clone()),
        (words.t("request.accession"), request.accession.clone()),
        (words.t("request.received"), format::moment(assignment.received_at)),
        (
            words.t("request.due"),
            format!("{}  {}", format::moment(assignment.due.at), names::due_rule(words, &assignment.due.rule)),
        ),
    ];
    let named: u64 = assignment.studies.iter().map(|s| s.instances).sum();
    let series: u64 = assignment.studies.iter().map(|s| s.series).sum();
    rows.push((words.t("request.images"), words.f("request.images_value", &[("images", &named), ("series", &series)])));
    if request.comparison_wanted {
        rows.push((words.t("request.comparison"), words.t("request.comparison_wanted").to_owned()));
    }
    ui.spacing_mut().item_spacing.y = theme::GRID;
    for (label, text) in rows.iter().filter(|(_, text)| !text.trim().is_empty()) {
        label_value(ui, LABELS, label, text);
    }
    if let Some(sent) = request.images_sent.filter(|sent| *sent != named) {
        let text = words.f("request.count_differs", &[("sent", &sent), ("named", &named)]);
        ui.label(RichText::new(text).color(theme::CAUTION));
    }
}

fn priors(ui: &mut Ui, words: Words, assignment: &Assignment, local: &mut RequestLocal) {
    section(ui, &words.f("request.priors", &[("n", &assignment.prior_studies.len())]));
    for study in &assignment.prior_studies {
        prior_study(ui, words, study);
    }
    if !assignment.prior_reports.is_empty() {
        section(ui, &words.f("request.prior_reports", &[("n", &assignment.prior_reports.len())]));
    }
    for (at, report) in assignment.prior_reports.iter().enumerate() {
        let key = (assignment.id.clone(), at);
        let unfolded = local.unfolded.as_ref() == Some(&key);
        if prior_report(ui, report, unfolded) {
            local.unfolded = if unfolded { None } else { Some(key) };
        }
    }
}

fn prior_study(ui: &mut Ui, words: Words, study: &StudyToRead) {
    let text = format!("{} {}", study.modalities.join("/"), study.description);
    let count = words.f("request.images_count", &[("n", &study.instances)]);
    let (rect, response) = ui.allocate_exact_size(vec2(ui.available_width(), theme::ROW), Sense::hover());
    response.widget_info(|| WidgetInfo::labeled(Role::Label, true, format!("{} {text}", format::date(study.date))));
    let painter = ui.painter();
    let middle = rect.center().y;
    let put = |x: f32, galley: std::sync::Arc<egui::Galley>| {
        painter.galley(egui::pos2(x, middle - galley.size().y / 2.0), galley, theme::TEXT);
    };
    put(rect.left(), elided(painter, &format::date(study.date), theme::digits(theme::CAPTION), theme::TEXT, 84.0));
    let number = elided(painter, &count, theme::font(theme::CAPTION), theme::TEXT, 80.0);
    let number_x = rect.right() - number.size().x;
    let width = number_x - rect.left() - LABELS - theme::GRID;
    put(rect.left() + LABELS, elided(painter, &text, theme::font(theme::BODY), theme::TEXT_STRONG, width));
    put(number_x, number);
}

/// True if its head was clicked.
fn prior_report(ui: &mut Ui, report: &PriorReport, unfolded: bool) -> bool {
    let title = format!("{}  {}", format::date(report.date), report.title);
    let (rect, response) = ui.allocate_exact_size(vec2(ui.available_width(), theme::ROW), Sense::click());
    response.widget_info(|| WidgetInfo::selected(Role::DisclosureTriangle, true, unfolded, &title));
    if response.hovered() {
        ui.painter().rect_filled(rect, theme::RADIUS, theme::RAISED);
    }
    if response.has_focus() {
        ui.painter().rect_stroke(rect, theme::RADIUS, theme::focus(), egui::StrokeKind::Inside);
    }
    let tip = rect.left_center() + vec2(8.0, 0.0);
    let arm = if unfolded {
        [vec2(-4.0, -2.0), vec2(0.0, 2.0), vec2(4.0, -2.0)]
    } else {
        [vec2(-2.0, -4.0), vec2(2.0, 0.0), vec2(-2.0, 4.0)]
    };
    ui.painter().line(arm.map(|a| tip + a).to_vec(), egui::Stroke::new(1.5, theme::TEXT));
    let galley = elided(ui.painter(), &title, theme::font(theme::BODY), theme::TEXT_STRONG, rect.width() - 24.0);
    let at = egui::pos2(rect.left() + 20.0, rect.center().y - galley.size().y / 2.0);
    ui.painter().galley(at, galley, theme::TEXT_STRONG);
    if unfolded {
        Frame::new().inner_margin(Margin { left: 20, right: 0, top: 4, bottom: 8 }).show(ui, |ui| {
            prose(ui, &report.text);
        });
    }
    response.clicked()
}

fn actions(ui: &mut Ui, words: Words, app: &App, assignment: &Assignment, out: &mut Vec<Action>) {
    let id = || assignment.id.clone();
    let open = assignment.state.open() && !app.worklist.signed.contains(&assignment.id);
    let waiting = app.worklist.pending.contains(&assignment.id);
    let list = |out: &mut Vec<Action>, action| out.push(Action::Worklist(action));
    let name = match assignment.state {
        _ if !open => words.t("request.view"),
        AssignmentState::InProgress => words.t("request.resume"),
        _ => words.t("request.start"),
    };
    let width = ui.available_width();
    if primary_button(ui, name, true, Some(width)).on_hover_text("Enter").clicked() {
        list(out, WorklistAction::Open(id()));
    }
    if !open {
        return;
    }
    ui.add_space(theme::GRID);
    ui.horizontal_wrapped(|ui| {
        if assignment.state == AssignmentState::Assigned
            && quiet_button(ui, words.t("request.accept"), !waiting).clicked()
        {
            list(out, WorklistAction::Accept(id()));
        }
        if quiet_button(ui, words.t("request.cannot_read"), true).clicked() {
            list(out, WorklistAction::AskReturn(id()));
        }
        if matches!(assignment.state, AssignmentState::Accepted | AssignmentState::InProgress)
            && quiet_button(ui, words.t("request.release"), !waiting).clicked()
        {
            list(out, WorklistAction::Release(id()));
        }
        if matches!(assignment.state, AssignmentState::Assigned | AssignmentState::Accepted) {
            let button = quiet_button(ui, words.t("request.decline"), !waiting);
            egui::Popup::menu(&button).show(|ui| {
                for reason in DECLINES {
                    if super::widgets::bare_button(ui, names::decline_reason(words, reason), theme::TEXT_STRONG)
                        .clicked()
                    {
                        list(out, WorklistAction::Decline(id(), reason, String::new()));
                        ui.close();
                    }
                }
            });
        }
    });
}

const DECLINES: [DeclineReason; 6] = [
    DeclineReason::Illness,
    DeclineReason::Overload,
    DeclineReason::Conflict,
    DeclineReason::Technical,
    DeclineReason::Declined,
    DeclineReason::DeadlineRisk,
];

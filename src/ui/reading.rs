//! The frame of the reading window: bar, tray of series, pictures, report.

use super::object_panel::{ObjectLocal, object_panel_ui};
use super::picture::Pictures;
use super::reading_bar::reading_bar_ui;
use super::reading_grid::{GridLocal, grid_ui};
use super::report::{ReportLocal, report_panel_ui};
use super::text::Words;
use super::theme;
use super::tray::{TrayLocal, tray_ui};
use crate::app::{Action, App};
use egui::{Frame, Margin, Panel, Rect, Ui};

/// State of the window's widgets.
#[derive(Debug, Default)]
pub struct ReadingLocal {
    tray: TrayLocal,
    grid: GridLocal,
    object: ObjectLocal,
    /// The report panel.
    pub report: ReportLocal,
    /// Where the report panel lies in this pass.
    pub report_at: Option<Rect>,
    /// The completeness dialog is asked for.
    pub completeness: bool,
}

/// Narrowest grid of viewports; a smaller window narrows the report first.
const PICTURES: f32 = 420.0;
/// Width of the panel of an object without a picture, as it opens.
const OBJECT: f32 = 360.0;

/// Draws the reading window below the notices.
pub fn reading_ui(
    ui: &mut Ui,
    words: Words,
    app: &App,
    pictures: Option<&Pictures>,
    local: &mut ReadingLocal,
    out: &mut Vec<Action>,
) {
    if app.settings.tray_open {
        Panel::left("reading-tray")
            .exact_size(theme::TRAY)
            .resizable(false)
            .frame(Frame::new().fill(theme::PANEL))
            .show(ui, |ui| tray_ui(ui, words, app, &mut local.tray, out));
    }
    if app.settings.report_open && app.report.is_some() {
        let [narrow, wide] = theme::REPORT;
        let most = (ui.available_width() - PICTURES).clamp(narrow, wide);
        let panel = Panel::right("reading-report")
            .default_size(narrow + 40.0)
            .size_range(narrow..=most)
            .frame(Frame::new().fill(theme::PANEL).inner_margin(Margin::symmetric(16, 12)))
            .show(ui, |ui| report_panel_ui(ui, app, &mut local.report, out));
        local.report_at = Some(panel.response.rect);
    }
    if let Some(open) = app.reading.as_ref().and_then(|r| r.object.as_ref()) {
        Panel::right("reading-object")
            .default_size(OBJECT)
            .size_range(240.0..=(ui.available_width() - PICTURES).clamp(240.0, 720.0))
            .frame(Frame::new().fill(theme::PANEL).inner_margin(Margin::symmetric(12, 8)))
            .show(ui, |ui| object_panel_ui(ui, words, open, &mut local.object, out));
    }
    egui::CentralPanel::default()
        .frame(Frame::new().fill(theme::SURROUND))
        .show(ui, |ui| grid_ui(ui, words, app, pictures, &mut local.grid, out));
}

/// Draws the bar of the reading window.
pub fn bar_ui(ui: &mut Ui, words: Words, app: &App, local: &mut ReadingLocal, out: &mut Vec<Action>) {
    if reading_bar_ui(ui, words, app, out) {
        local.completeness = true;
    }
}

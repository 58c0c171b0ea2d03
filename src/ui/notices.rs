//! Notices in three parts: what happened, what it means, what to do now.

use super::text::Words;
use super::widgets::{bare_button, elided, icon_button};
use super::{failure, theme, why};
use crate::app::{Action, App, Notice, NoticeAction, NoticeCode, PictureMissing, Place, Screen, Severity};
use crate::engine::message::ArchiveNeed;
use egui::{
    Align, Color32, Frame, Layout, Margin, Painter, Panel, Pos2, Role, Sense, Stroke, Ui, WidgetInfo, pos2, vec2,
};

/// The three parts, and the name of the button that does what is offered (if something is).
pub struct Parts {
    /// What happened.
    pub what: String,
    /// What it means for this patient or report.
    pub meaning: &'static str,
    /// What to do now.
    pub todo: &'static str,
    /// Name of the offered button.
    pub button: Option<&'static str>,
}

/// What is said of a picture that something names and that cannot be shown.
fn picture_not_shown(
    words: Words,
    series: Option<i32>,
    number: Option<i32>,
    why: &PictureMissing,
) -> (String, &'static str, &'static str, Option<&'static str>) {
    let told = |n: Option<i32>| n.map_or_else(|| "–".to_owned(), |n| n.to_string());
    let name = words.f("object.picture", &[("series", &told(series)), ("image", &told(number))]);
    let (detail, meaning) = match why {
        PictureMissing::NotOpen => {
            let what = words.t("notice.picture_not_shown_elsewhere").to_owned();
            return (what, words.t("notice.picture_elsewhere_means"), "", None);
        }
        PictureMissing::NoPicture(reason) => (format!("{name}: {reason}"), "notice.picture_no_picture_means"),
        PictureMissing::NoSuchFrame { frame, frames } => {
            let detail = words.f("notice.picture_frame", &[("frame", frame), ("frames", frames)]);
            (format!("{name}, {detail}"), "notice.picture_no_frame_means")
        }
        PictureMissing::NotPlaced => (name, "notice.picture_not_placed_means"),
    };
    (words.f("notice.picture_not_shown", &[("picture", &detail)]), words.t(meaning), "", None)
}

/// The words of a notice.
pub fn parts(words: Words, app: &App, code: &NoticeCode) -> Parts {
    let t = |key| words.t(key);
    let who = |assignment: &str| {
        app.worklist.get(assignment).map_or_else(|| assignment.to_owned(), |a| a.patient.name.display())
    };
    let about = |key, assignment: &str| words.f(key, &[("who", &who(assignment))]);
    let failed =
        |key, problem: &crate::engine::message::Failure| words.f(key, &[("why", &failure::what(words, problem))]);
    let go = Some(t("notice.go_worklist"));
    let (what, meaning, todo, button) = match code {
        NoticeCode::UncertifiedBuild => {
            (t("build.not_for_diagnosis").to_owned(), t("notice.uncertified_means"), t("notice.uncertified_do"), None)
        }
        NoticeCode::SoftwareAdapter(name) => {
            (words.f("build.software", &[("name", name)]), t("notice.software_means"), t("notice.software_do"), None)
        }
        NoticeCode::ClockSkew(seconds) => {
            (words.f("notice.clock", &[("seconds", seconds)]), t("notice.clock_means"), t("notice.clock_do"), None)
        }
        NoticeCode::ClockBlocksSigning(seconds) => (
            words.f("notice.clock", &[("seconds", seconds)]),
            t("notice.clock_blocks_means"),
            t("notice.clock_do"),
            None,
        ),
        NoticeCode::EnrolmentFailed(f) => {
            (failed("notice.enrolment_failed", f), t("notice.enrolment_means"), failure::todo(words, f), None)
        }
        NoticeCode::SessionEnded(f) => {
            (failed("notice.session_ended", f), t("notice.nothing_lost"), t("notice.sign_in_again"), None)
        }
        NoticeCode::WorklistFailed(f) => (
            failed("notice.worklist_failed", f),
            t("notice.worklist_means"),
            failure::todo(words, f),
            Some(t("notice.retry")),
        ),
        NoticeCode::TransitionFailed { assignment, failure: f } => (
            format!("{} {}", about("notice.transition_failed", assignment), failure::what(words, f)),
            t("notice.transition_means"),
            failure::todo(words, f),
            Some(t("notice.retry")),
        ),
        NoticeCode::AssignmentGone { assignment } => {
            (about("notice.gone", assignment), t("notice.gone_means"), t("notice.gone_do"), go)
        }
        NoticeCode::DraftFailed { assignment, failure: f } => (
            format!("{} {}", about("notice.draft_failed", assignment), failure::what(words, f)),
            t("notice.draft_failed_means"),
            failure::todo(words, f),
            Some(t("notice.save_again")),
        ),
        NoticeCode::DraftConflict { assignment } => (
            about("notice.draft_conflict", assignment),
            t("notice.draft_conflict_means"),
            t("notice.draft_conflict_do"),
            None,
        ),
        NoticeCode::NotInProgress { assignment } => (
            about("notice.not_in_progress", assignment),
            t("notice.not_in_progress_means"),
            t("notice.not_in_progress_do"),
            Some(t("notice.start_again")),
        ),
        NoticeCode::SignFailed(f) => {
            (failed("notice.sign_failed", f), t("notice.sign_failed_means"), failure::todo(words, f), None)
        }
        NoticeCode::IdentityMismatch { assignment, series } => (
            if series.is_empty() {
                about("notice.identity", assignment)
            } else {
                words.f("notice.identity_series", &[("who", &who(assignment)), ("series", &series.join(" / "))])
            },
            t("notice.identity_means"),
            t("notice.identity_do"),
            Some(t("request.cannot_read")),
        ),
        NoticeCode::CountMismatch { assignment, announced, named } => (
            words.f("notice.count", &[("who", &who(assignment)), ("announced", announced), ("named", named)]),
            t("notice.count_means"),
            t("notice.count_do"),
            None,
        ),
        NoticeCode::OutboxWedged { assignment, reason } => (
            words.f("notice.wedged", &[("who", &who(assignment)), ("reason", reason)]),
            t("notice.wedged_means"),
            t("notice.wedged_do"),
            Some(t("notice.go_outbox")),
        ),
        NoticeCode::PatientFlagFailed { assignment, failure: f } => (
            format!("{} {}", about("notice.flag_failed", assignment), failure::what(words, f)),
            t("notice.flag_failed_means"),
            failure::todo(words, f),
            Some(t("notice.retry")),
        ),
        NoticeCode::PatientFlagRefused { assignment, reason } => (
            words.f("notice.flag_refused", &[("who", &who(assignment)), ("reason", reason)]),
            t("notice.flag_refused_means"),
            t("notice.flag_refused_do"),
            Some(t("notice.retry")),
        ),
        NoticeCode::ReportReceived { assignment, report_id } => (
            words.f("notice.received", &[("who", &who(assignment)), ("id", report_id)]),
            t("notice.received_means"),
            "",
            Some(t("notice.go_outbox")),
        ),
        NoticeCode::LocalGaveWay => (t("notice.local_gave_way").to_owned(), t("notice.local_gave_way_means"), "", None),
        NoticeCode::LocalNotShown(n) => {
            // One reason for all stands here, several in the list alone.
            let reason = app.access.local_not_shown.first().map_or("", |first| first.reason.as_str());
            let alike = !reason.is_empty() && app.access.local_not_shown.iter().all(|one| one.reason == reason);
            let key = if alike { "notice.local_not_shown" } else { "notice.local_not_shown_several" };
            let what = words.f(key, &[("n", n), ("reason", &why::reason(words, reason))]);
            (what, t("notice.local_not_shown_means"), "", None)
        }
        NoticeCode::ReadingStateUnreadable => {
            (t("notice.reading_state").to_owned(), t("notice.reading_state_means"), "", None)
        }
        NoticeCode::SettingUnreadable(name) => {
            (words.f("notice.setting", &[("name", name)]), t("notice.setting_means"), "", None)
        }
        NoticeCode::TemplateMissing(id) => {
            (words.f("notice.template", &[("id", id)]), t("notice.template_means"), t("notice.template_do"), None)
        }
        NoticeCode::UnderPresentationState => {
            (t("notice.under_state").to_owned(), t("notice.under_state_means"), t("notice.under_state_do"), None)
        }
        NoticeCode::NothingToEdit => {
            (t("notice.nothing_to_edit").to_owned(), t("notice.nothing_to_edit_means"), "", None)
        }
        NoticeCode::PictureNotShown { series, number, why } => picture_not_shown(words, *series, *number, why),
        NoticeCode::AddendumWaits => {
            (t("notice.addendum_waits").to_owned(), t("notice.addendum_waits_means"), "", None)
        }
        NoticeCode::ArchiveWants { host, need, .. } => {
            let (what, todo) = match need {
                ArchiveNeed::Credentials => ("archive.wants", t("archive.wants_do")),
                ArchiveNeed::Others => ("archive.refuses", t("archive.refuses_do")),
                ArchiveNeed::Ca => ("archive.untrusted", t("archive.untrusted_do")),
                ArchiveNeed::Moved => ("archive.moved", t("archive.moved_do")),
            };
            (words.f(what, &[("host", host)]), t("archive.wants_means"), todo, Some(t("archive.enter")))
        }
        NoticeCode::ArchiveSaved { archive, tried } => {
            let means = if *tried { t("archive.saved_means") } else { t("archive.saved_untried") };
            (words.f("archive.saved", &[("archive", archive)]), means, "", None)
        }
        NoticeCode::ArchiveFailed { archive, failure: f } => (
            format!("{} {}", words.f("archive.failed", &[("archive", archive)]), failure::what(words, f)),
            t("archive.failed_means"),
            t("archive.failed_do"),
            None,
        ),
        NoticeCode::Other(f) => (failure::what(words, f), t("notice.nothing_lost"), failure::todo(words, f), None),
    };
    Parts { what, meaning, todo, button }
}

/// Notices that stand all the time have their mark in the bar and are not told again.
fn standing(code: &NoticeCode) -> bool {
    matches!(code, NoticeCode::UncertifiedBuild | NoticeCode::SoftwareAdapter(_))
}

const STRIP: f32 = 44.0;

/// Draws the two most serious notices as strips below the bar; says how many more there are.
pub fn notices_ui(ui: &mut Ui, words: Words, app: &App, out: &mut Vec<Action>) {
    // Over pictures only what concerns them: another patient's name there would be read as theirs.
    let open = app.open_assignment().map(|a| a.id.as_str());
    let reading = app.screen() == Screen::At(Place::Reading);
    let elsewhere = |code: &NoticeCode| reading && code.assignment().is_some_and(|a| Some(a) != open);
    let told = |n: &&Notice| !standing(&n.code) && (!elsewhere(&n.code) || n.code.severity() == Severity::Harm);
    let mut told: Vec<&Notice> = app.notices.iter().filter(told).collect();
    told.sort_by_key(|n| (std::cmp::Reverse(n.code.severity()), std::cmp::Reverse(n.id)));
    let more = told.len().saturating_sub(2);
    for (at, notice) in told.iter().take(2).enumerate() {
        let more = if at == 1 { more } else { 0 };
        Panel::top(("notice", notice.id))
            .exact_size(STRIP)
            .resizable(false)
            .frame(Frame::new().fill(theme::PANEL).inner_margin(Margin::symmetric(12, 0)))
            .show(ui, |ui| strip(ui, words, app, (notice, elsewhere(&notice.code)), more, out));
    }
}

/// A shape for each degree, beside its colour: disc, diamond, triangle.
fn sign(painter: &Painter, at: Pos2, severity: Severity, color: Color32) {
    let points: &[(f32, f32)] = match severity {
        Severity::Info => {
            painter.circle_filled(at, 5.0, color);
            return;
        }
        Severity::Caution => &[(0.0, -6.5), (6.5, 0.0), (0.0, 6.5), (-6.5, 0.0)],
        Severity::Harm => &[(0.0, -6.5), (7.0, 5.5), (-7.0, 5.5)],
    };
    let points = points.iter().map(|(x, y)| at + vec2(*x, *y)).collect();
    painter.add(egui::Shape::convex_polygon(points, color, Stroke::NONE));
}

fn strip(
    ui: &mut Ui,
    words: Words,
    app: &App,
    (notice, elsewhere): (&Notice, bool),
    more: usize,
    out: &mut Vec<Action>,
) {
    let severity = notice.code.severity();
    let (color, word) = match severity {
        Severity::Info => (theme::ACCENT, words.t("notice.info")),
        Severity::Caution => (theme::CAUTION, words.t("notice.caution")),
        Severity::Harm => (theme::HARM, words.t("notice.harm")),
    };
    let parts = parts(words, app, &notice.code);
    ui.with_layout(Layout::right_to_left(Align::Center), |ui| {
        let close = icon_button(ui, words.t("notice.dismiss"), false, true, |painter, at, color| {
            for arm in [vec2(4.0, 4.0), vec2(4.0, -4.0)] {
                painter.line_segment([at - arm, at + arm], Stroke::new(1.5, color));
            }
        });
        if close.clicked() {
            out.push(Action::Notice(NoticeAction::Dismiss(notice.id)));
        }
        if let Some(name) = parts.button
            && bare_button(ui, name, theme::ACCENT).clicked()
        {
            out.push(Action::Notice(NoticeAction::Act(notice.id)));
        }
        if more > 0 {
            super::widgets::caption(ui, &words.f("notice.more", &[("n", &more)]));
        }
        let (rect, response) = ui.allocate_exact_size(ui.available_size(), Sense::hover());
        let second = format!("{} {}", parts.meaning, parts.todo);
        let spoken = format!("{word}: {} {second}", parts.what);
        response.widget_info(|| WidgetInfo::labeled(Role::Alert, true, &spoken));
        let painter = ui.painter();
        sign(painter, rect.left_center() + vec2(8.0, 0.0), severity, color);
        let left = rect.left() + 28.0;
        let other = if elsewhere { words.t("notice.other_patient") } else { "" };
        let first = format!("{word}: {other}{}", parts.what);
        for (text, color, y) in [(&first, theme::TEXT_STRONG, -9.0), (&second, theme::TEXT, 9.0)] {
            let galley = elided(painter, text, theme::font(theme::BODY), color, rect.right() - left - 8.0);
            painter.galley(pos2(left, rect.center().y + y - galley.size().y / 2.0), galley, color);
        }
        response.on_hover_text(spoken);
    });
}

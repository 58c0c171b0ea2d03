//! The words of enums: what the worklist's and the app's states are called on the screen.

use super::text::Words;
use crate::app::{Filter, Intent, OverlayLevel, SortKey};
use crate::study::ExamKind;
use crate::worklist::{AssignmentState, Contrast, DeclineReason, DueRule, Kind, Priority, ReturnReason, Role};

/// 至急, 当日 …
pub fn priority(w: Words, priority: Priority) -> &'static str {
    match priority {
        Priority::Stat => w.t("priority.stat"),
        Priority::Urgent => w.t("priority.urgent"),
        Priority::NextClinicDay => w.t("priority.next_clinic_day"),
        Priority::Routine => w.t("priority.routine"),
    }
}

/// 診断 or 読影, short.
pub fn kind(w: Words, kind: Kind) -> &'static str {
    match kind {
        Kind::Diagnosis => w.t("kind.diagnosis"),
        Kind::Opinion => w.t("kind.opinion"),
    }
}

/// 遠隔画像診断 or 遠隔読影.
pub fn kind_long(w: Words, kind: Kind) -> &'static str {
    match kind {
        Kind::Diagnosis => w.t("kind.diagnosis_long"),
        Kind::Opinion => w.t("kind.opinion_long"),
    }
}

/// What the reader is in a double reading; nothing for a single one.
pub fn role(w: Words, role: Role) -> Option<&'static str> {
    match role {
        Role::Primary => None,
        Role::Second => Some(w.t("role.second")),
        Role::Arbiter => Some(w.t("role.arbiter")),
    }
}

/// Where an assignment stands.
pub fn state(w: Words, state: AssignmentState) -> &'static str {
    match state {
        AssignmentState::Assigned => w.t("state.assigned"),
        AssignmentState::Accepted => w.t("state.accepted"),
        AssignmentState::InProgress => w.t("state.in_progress"),
        AssignmentState::Submitted => w.t("state.submitted"),
        AssignmentState::Finalized => w.t("state.finalized"),
        AssignmentState::Declined => w.t("state.declined"),
        AssignmentState::Reassigned => w.t("state.reassigned"),
        AssignmentState::Returned => w.t("state.returned"),
        AssignmentState::Cancelled => w.t("state.cancelled"),
    }
}

/// The exam kind as a word.
pub fn exam(w: Words, kind: ExamKind) -> &'static str {
    match kind {
        ExamKind::OTHER => w.t("exam.other"),
        ExamKind::RF => w.t("exam.rf"),
        other => other.as_str(),
    }
}

/// Contrast medium.
pub fn contrast(w: Words, contrast: Contrast) -> &'static str {
    match contrast {
        Contrast::None => w.t("contrast.none"),
        Contrast::Plain => w.t("contrast.plain"),
        Contrast::Enhanced => w.t("contrast.enhanced"),
        Contrast::PlainAndEnhanced => w.t("contrast.both"),
    }
}

/// The rule a deadline came from.
pub fn due_rule(w: Words, rule: &DueRule) -> String {
    match rule {
        DueRule::ContractHours { hours } => w.f("due.contract_hours", &[("hours", hours)]),
        DueRule::NextClinicDay { class } => w.f("due.next_clinic_day", &[("class", class)]),
        DueRule::BusinessDays { days } => w.f("due.business_days", &[("days", days)]),
    }
}

/// Why an assignment cannot be read.
pub fn return_reason(w: Words, reason: ReturnReason) -> &'static str {
    match reason {
        ReturnReason::RequestIncomplete => w.t("return.request_incomplete"),
        ReturnReason::ImageMissing => w.t("return.image_missing"),
        ReturnReason::ImageUnreadable => w.t("return.image_unreadable"),
        ReturnReason::WrongPatientSuspected => w.t("return.wrong_patient"),
    }
}

/// Why a reader says no.
pub fn decline_reason(w: Words, reason: DeclineReason) -> &'static str {
    match reason {
        DeclineReason::Illness => w.t("decline.illness"),
        DeclineReason::Overload => w.t("decline.overload"),
        DeclineReason::Conflict => w.t("decline.conflict"),
        DeclineReason::Technical => w.t("decline.technical"),
        DeclineReason::Declined => w.t("decline.outside_field"),
        DeclineReason::DeadlineRisk => w.t("decline.deadline_risk"),
    }
}

/// A filter of the worklist.
pub fn filter(w: Words, filter: Filter) -> &'static str {
    match filter {
        Filter::All => w.t("filter.all"),
        Filter::Today => w.t("filter.today"),
        Filter::Overdue => w.t("filter.overdue"),
        Filter::Drafts => w.t("filter.drafts"),
        Filter::Returned => w.t("filter.returned"),
        Filter::Sent => w.t("filter.sent"),
    }
}

/// A column of the worklist.
pub fn sort(w: Words, key: SortKey) -> &'static str {
    match key {
        SortKey::Due => w.t("column.due"),
        SortKey::Priority => w.t("column.kind"),
        SortKey::Exam => w.t("column.exam"),
        SortKey::Patient => w.t("column.patient"),
        SortKey::Facility => w.t("column.facility"),
        SortKey::State => w.t("column.state"),
    }
}

/// Corner texts.
pub fn overlay(w: Words, level: OverlayLevel) -> &'static str {
    match level {
        OverlayLevel::Full => w.t("settings.overlay_full"),
        OverlayLevel::Short => w.t("settings.overlay_short"),
        OverlayLevel::None => w.t("settings.overlay_none"),
    }
}

/// A named intent, for palette, card of keys and settings.
pub fn intent(w: Words, intent: Intent) -> String {
    let key = match intent {
        Intent::Preset(n) => return w.f("intent.preset", &[("n", &n)]),
        Intent::NextStep => "intent.next_step",
        Intent::PreviousStep => "intent.previous_step",
        Intent::NextSeries => "intent.next_series",
        Intent::PreviousSeries => "intent.previous_series",
        Intent::NextSlice => "intent.next_slice",
        Intent::PreviousSlice => "intent.previous_slice",
        Intent::PageDown => "intent.page_down",
        Intent::PageUp => "intent.page_up",
        Intent::FirstSlice => "intent.first_slice",
        Intent::LastSlice => "intent.last_slice",
        Intent::NextView => "intent.next_view",
        Intent::Fit => "intent.fit",
        Intent::OneToOne => "intent.one_to_one",
        Intent::Reset => "intent.reset",
        Intent::Invert => "intent.invert",
        Intent::NextVoi => "intent.next_voi",
        Intent::ToggleOverlays => "intent.overlays",
        Intent::ToggleShutters => "intent.shutters",
        Intent::FlipHorizontal => "intent.flip_horizontal",
        Intent::FlipVertical => "intent.flip_vertical",
        Intent::Rotate => "intent.rotate",
        Intent::ToolScroll => "intent.tool_scroll",
        Intent::ToolWindow => "intent.tool_window",
        Intent::ToolPan => "intent.tool_pan",
        Intent::ToolZoom => "intent.tool_zoom",
        Intent::ToolLength => "intent.tool_length",
        Intent::ToolEllipse => "intent.tool_ellipse",
        Intent::ToolProbe => "intent.tool_probe",
        Intent::KeyImage => "intent.key_image",
        Intent::ToggleLink => "intent.toggle_link",
        Intent::ToggleTexts => "intent.toggle_texts",
        Intent::ToggleMaximise => "intent.toggle_maximise",
        Intent::ToggleCine => "intent.toggle_cine",
        Intent::ToggleReport => "intent.toggle_report",
        Intent::SwitchFocus => "intent.switch_focus",
        Intent::NewFinding => "intent.new_finding",
        Intent::Sign => "intent.sign",
        Intent::Undo => "intent.undo",
        Intent::Redo => "intent.redo",
        Intent::Save => "intent.save",
        Intent::SelectNext => "intent.select_next",
        Intent::SelectPrevious => "intent.select_previous",
        Intent::OpenSelected => "intent.open_selected",
        Intent::TogglePreview => "intent.toggle_preview",
        Intent::FocusSearch => "intent.focus_search",
        Intent::Refresh => "intent.refresh",
        Intent::ShowWorklist => "intent.show_worklist",
        Intent::ShowOutbox => "intent.show_outbox",
        Intent::SendNow => "intent.send_now",
        Intent::Palette => "intent.palette",
        Intent::Help => "intent.help",
        Intent::Settings => "intent.settings",
        Intent::Lock => "intent.lock",
        Intent::Cancel => "intent.cancel",
    };
    w.t(key).to_owned()
}

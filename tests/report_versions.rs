//! More than one version of a report, in both languages: two drafts of which one must be chosen, and the addendum to what
//! is signed.

use crate::report_panel::{State, harness_of, text};
use crate::support::app::{self, NOW};
use dokuei::app::{Action, Language, ReportAction, SettingsAction, SignFlow, WorklistAction};
use dokuei::engine::message::{Command, Event, ReportOnFile};
use dokuei::report::{Draft, Edit, Receipt, Value};
use dokuei::ui::text::Words;
use dokuei::worklist::{Assignment, AssignmentState};
use egui_kittest::Harness;
use egui_kittest::kittest::Queryable;

const BOTH: [Language; 2] = [Language::Ja, Language::En];

fn written(language: Language) -> Harness<'static, State> {
    let mut app = app::reading();
    app.update(NOW, Action::Settings(SettingsAction::Language(language)));
    app.update(NOW, set("findings", "この端末で書いた所見"));
    app::add_finding(&mut app, app::FINDINGS[0]);
    harness_of(app, 1400.0)
}

fn set(field: &str, content: &str) -> Action {
    Action::Report(ReportAction::Edit(Edit::SetField(field.into(), Some(Value::Text(content.into())))))
}

/// The center's version of the draft in the window.
fn theirs(h: &Harness<'_, State>) -> Draft {
    let mut draft = h.state().app.report.as_ref().and_then(|r| r.draft()).expect("a draft").clone();
    draft.apply(Edit::SetField("findings".into(), Some(Value::Text("別の端末で書いた所見".into()))));
    draft.apply(Edit::SetField("critical".into(), Some(Value::Text("2".into()))));
    draft
}

fn say(h: &mut Harness<'_, State>, event: Event) {
    let commands = h.state_mut().app.apply(NOW, event);
    h.state_mut().commands.extend(commands);
    h.run();
}

fn chosen(h: &Harness<'_, State>) -> Option<(bool, Draft)> {
    h.state().commands.iter().find_map(|c| match c {
        Command::ResolveDraft { keep_local, left: Some(left), .. } => Some((*keep_local, left.as_ref().clone())),
        _ => None,
    })
}

#[test]
fn both_versions_are_read_before_one_is_chosen_and_the_other_stays_readable() {
    for language in BOTH {
        for keep_local in [true, false] {
            let words = Words(language);
            let mut h = written(language);
            let (mine, center) =
                (h.state().app.report.as_ref().and_then(|r| r.draft()).expect("mine").clone(), theirs(&h));
            say(&mut h, Event::DraftConflict { assignment: "a-1".into(), center: center.clone(), replaces: None });
            h.get_by_label(words.t("report.conflict"));
            // What each says: text, and the words of a choice.
            for text in ["この端末で書いた所見", "別の端末で書いた所見"] {
                h.get_by_label(text);
            }
            assert!(h.query_by_label_contains("充実性結節").is_none(), "what is the same in both is left out");
            h.get_by_label(words.t("report.version_differences"));
            h.get_by_label(if language == Language::Ja { "時間単位" } else { "Within hours" });
            h.get_by_label(words.t(if keep_local { "report.keep_local" } else { "report.keep_center" })).click();
            h.run();
            let (stays, goes) = if keep_local { (&mine, &center) } else { (&center, &mine) };
            assert_eq!(chosen(&h), Some((keep_local, goes.clone())), "{language:?}");
            // As the engine answers.
            say(&mut h, Event::DraftsLeft { assignment: "a-1".into(), drafts: vec![goes.clone()] });
            if !keep_local {
                say(&mut h, Event::Draft { assignment: "a-1".into(), draft: Some(center.clone()) });
            }
            assert_eq!(text(h.state(), "findings"), stays.text("findings"));
            assert!(h.query_by_label(goes.text("findings")).is_none(), "only what stays is on the page");
            h.get_by_label(&words.f("report.left_show", &[("n", &1)])).click();
            h.run();
            h.get_by_label(goes.text("findings"));
            h.get_by_label(words.t("report.left_meaning"));
            h.get_by_label(&words.f("report.left_back", &[("n", &1)])).click();
            h.run();
            assert!(h.query_by_label(goes.text("findings")).is_none());
        }
    }
}

#[test]
fn a_choice_that_cannot_be_carried_out_is_asked_again() {
    for language in BOTH {
        let words = Words(language);
        let mut h = written(language);
        let center = theirs(&h);
        say(&mut h, Event::DraftConflict { assignment: "a-1".into(), center, replaces: None });
        h.get_by_label(words.t("report.keep_center")).click();
        h.run();
        assert!(h.query_all_by_label(words.t("report.loading")).count() >= 1);
        let failure = dokuei::engine::message::Failure::Full("disk".into());
        say(&mut h, Event::DraftFailed { assignment: "a-1".into(), failure });
        h.get_by_label(words.t("report.conflict"));
        h.get_by_label("この端末で書いた所見");
        assert_eq!(text(h.state(), "findings"), "この端末で書いた所見");
    }
}

/// The signed version of what `app::prepare` makes, as the center has it.
fn on_file(h: &mut Harness<'_, State>) -> ReportOnFile {
    let prepared = app::prepare(&mut h.state_mut().app);
    let receipt = Receipt {
        report_id: "r-1".into(),
        version: 1,
        assignment_id: "a-1".into(),
        sha256: prepared.sha256.clone(),
        signer: "reader1".into(),
        received_at: NOW,
        center: "読影センター".into(),
        signature: String::new(),
    };
    ReportOnFile {
        report_id: "r-1".into(),
        version: 1,
        sha256: prepared.sha256,
        report_json: prepared.report_json,
        html: prepared.html,
        verdict: "ok".into(),
        valid: true,
        receipt: Some(receipt),
    }
}

#[test]
fn an_addendum_is_written_under_the_signed_text_and_signed_like_a_report() {
    for language in BOTH {
        let words = Words(language);
        let first = on_file(&mut written(language));
        // Another day: a submitted report is opened from the list.
        let submitted = Assignment { state: AssignmentState::Submitted, ..app::assignment("a-1") };
        let mut app = app::signed_in(vec![submitted]);
        app.update(NOW, Action::Settings(SettingsAction::Language(language)));
        app.update(NOW, Action::Worklist(WorklistAction::Open("a-1".into())));
        let mut h = harness_of(app, 1400.0);
        say(&mut h, Event::Draft { assignment: "a-1".into(), draft: None });
        say(&mut h, Event::Reports { assignment: "a-1".into(), reports: vec![first.clone()] });
        // Read-only: the signed text, its receipt, and one way on.
        assert!(h.state().app.report.as_ref().is_some_and(|r| !r.editable()));
        assert!(h.query_by_label_contains("S3 に 12 mm 大の結節").is_some());
        assert!(h.query_by_label_contains("r-1").is_some());
        h.get_by_label(words.t("report.addendum")).click();
        h.run();
        // The new text has its own title; the signed one stands above it, and cannot be written in.
        assert!(h.query_all_by_label(words.t("report.addendum_title")).count() >= 1);
        h.get_by_label(&words.f("report.addendum_to", &[("n", &1)]));
        assert!(h.query_by_label_contains("S3 に 12 mm 大の結節").is_some());
        let fields = h.query_all_by_role(egui::accesskit::Role::MultilineTextInput).count();
        assert_eq!(fields, 1, "one text, the addendum's");
        // Empty it cannot be signed.
        h.get_by_label(words.t("report.to_sign")).click();
        h.run();
        h.get_by_label(words.t("point.required_empty"));
        h.get_all_by_label(words.t("sign.back")).next().expect("back").click();
        h.run();
        h.get_by_role(egui::accesskit::Role::MultilineTextInput).focus();
        h.run();
        h.get_by_role(egui::accesskit::Role::MultilineTextInput).type_text("依頼医に電話で連絡した。");
        h.run();
        assert_eq!(text(h.state(), "addendum"), "依頼医に電話で連絡した。");
        h.get_by_label(words.t("report.to_sign")).click();
        h.run();
        // The pictures have not arrived here: that is asked, as before any signature.
        let points = match h.state().app.report.as_ref().map(|r| &r.sign) {
            Some(SignFlow::Points { points, .. }) => points.len(),
            _ => 0,
        };
        for n in 1..=points {
            h.get_by_label(&words.f("sign.reason_for", &[("n", &n)])).focus();
            h.run();
            h.get_by_label(&words.f("sign.reason_for", &[("n", &n)])).type_text("追記のみ");
            h.run();
        }
        if points > 0 {
            h.get_by_label(words.t("sign.proceed")).click();
            h.run();
        }
        let asked = h.state().commands.iter().rev().find_map(|c| match c {
            Command::Prepare { draft, .. } => draft.addendum_to.clone(),
            _ => None,
        });
        let asked = asked.expect("the preview is asked for");
        assert_eq!((asked.report_id.as_str(), asked.sha256.as_str(), asked.version), ("r-1", first.sha256.as_str(), 1));
        assert!(matches!(h.state().app.report.as_ref().map(|r| &r.sign), Some(SignFlow::Preparing { .. })));
    }
}

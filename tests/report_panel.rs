//! The report panel and the sign dialog, driven by labels in both languages.

use crate::support::app::{self, NOW};
use dokuei::app::{Action, App, Language, ReportAction, SettingsAction, SignAction, SignFlow};
use dokuei::engine::message::{Command, Event};
use dokuei::report::{Edit, Value};
use dokuei::ui::report::{ReportLocal, SignLocal, report_panel_ui, sign_dialog_ui};
use dokuei::ui::text::Words;
use dokuei::ui::{fonts, theme};
use egui_kittest::{
    Harness,
    kittest::{Queryable, by},
};

pub(crate) struct State {
    pub(crate) app: App,
    report: ReportLocal,
    sign: SignLocal,
    pub(crate) commands: Vec<Command>,
}

fn harness(language: Language, height: f32) -> Harness<'static, State> {
    let mut app = app::reading();
    app.update(NOW, Action::Settings(SettingsAction::Language(language)));
    harness_of(app, height)
}

pub(crate) fn harness_of(app: App, height: f32) -> Harness<'static, State> {
    let state = State { app, report: ReportLocal::default(), sign: SignLocal::default(), commands: Vec::new() };
    Harness::builder()
        .with_size([560.0, height])
        .with_context_setup(|ctx| {
            fonts::install(ctx);
            theme::install(ctx);
        })
        .build_ui_state(
            |ui, state: &mut State| {
                let mut out = Vec::new();
                report_panel_ui(ui, &state.app, &mut state.report, &mut out);
                sign_dialog_ui(ui.ctx(), &state.app, &mut state.sign, &mut out);
                for action in out {
                    state.commands.extend(state.app.update(NOW, action));
                }
            },
            state,
        )
}

pub(crate) fn text(state: &State, field: &str) -> String {
    state.app.report.as_ref().and_then(|r| r.draft()).map(|d| d.text(field).to_owned()).unwrap_or_default()
}

#[test]
fn typing_reaches_the_draft_and_composition_does_not() {
    let mut h = harness(Language::Ja, 1400.0);
    h.run();
    let field = || egui::accesskit::Role::MultilineTextInput;
    h.get_by_role_and_label(field(), "推奨").focus();
    h.run();
    let preedit = egui::ImeEvent::Preedit { text: "けっせつ".into(), active_range_chars: Some(0..4) };
    h.event(egui::Event::Ime(preedit));
    h.run();
    assert_eq!(text(h.state(), "recommendation"), "", "text that is still composed is not the reader's");
    h.event(egui::Event::Ime(egui::ImeEvent::Commit("結節".into())));
    h.run();
    assert_eq!(text(h.state(), "recommendation"), "結節");
    h.get_by_role_and_label(field(), "推奨").type_text("の経過観察");
    h.run();
    assert_eq!(text(h.state(), "recommendation"), "結節の経過観察");
    h.state_mut().app.update(NOW, Action::Report(ReportAction::Undo));
    h.run();
    assert_eq!(text(h.state(), "recommendation"), "");
}

#[test]
fn what_was_filled_in_beforehand_is_marked_until_the_reader_writes() {
    for (language, none, mark, label) in
        [(Language::Ja, "なし", "自動入力", "比較"), (Language::En, "None", "prefilled", "Comparison")]
    {
        let mut app = app::signed_in(vec![app::assignment("a-1")]);
        app.update(NOW, Action::Settings(SettingsAction::Language(language)));
        let mut h = harness_of(app::begin(app), 1400.0);
        h.run();
        assert_eq!(text(h.state(), "comparison"), none, "no earlier study at all");
        let marks = h.query_all_by_label(mark).count();
        assert!(marks >= 1);
        h.get_by_role_and_label(egui::accesskit::Role::TextInput, label).focus();
        h.run();
        h.get_by_role_and_label(egui::accesskit::Role::TextInput, label).type_text("!");
        h.run();
        assert_ne!(text(h.state(), "comparison"), none, "editable");
        assert_eq!(h.query_all_by_label(mark).count(), marks - 1);
    }
}

#[test]
fn chips_choose_and_choose_off() {
    let mut h = harness(Language::En, 1400.0);
    h.run();
    h.get_by_label("Within hours").click();
    h.run();
    assert_eq!(text(h.state(), "critical"), "2");
    h.get_by_label("Within hours").click();
    h.run();
    assert_eq!(text(h.state(), "critical"), "");
}

#[test]
fn an_opinion_is_never_headed_diagnosis() {
    let mut h = harness(Language::Ja, 1400.0);
    h.run();
    assert!(h.query_by_label("所見レポート").is_some());
    assert!(h.query_by_label("所見のまとめ・コメント").is_some());
    assert!(h.query_by_label("診断").is_none());
}

#[test]
fn open_points_are_asked_before_the_signature() {
    for language in [Language::Ja, Language::En] {
        let words = Words(language);
        let mut h = harness(language, 1400.0);
        h.run();
        h.get_by_label(words.t("report.to_sign")).click();
        h.run();
        assert!(matches!(h.state().app.report.as_ref().map(|r| &r.sign), Some(SignFlow::Points { .. })));
        assert!(h.query_all_by_label(words.t("point.required_empty")).count() >= 3);
        // The patient stands in the dialog too.
        assert!(h.query_by_label_contains("山田").is_some());
        h.get_all_by_label(words.t("sign.back")).next().expect("back").click();
        h.run();
        assert!(matches!(h.state().app.report.as_ref().map(|r| &r.sign), Some(SignFlow::Writing)));
    }
}

#[test]
fn points_that_do_not_block_need_a_reason_and_then_the_preview_comes() {
    for language in [Language::Ja, Language::En] {
        let words = Words(language);
        let mut h = harness(language, 1400.0);
        for (field, content) in [
            ("technique", "造影 CT"),
            ("comparison", "なし"),
            ("findings", "右 S3 に結節を認める。"),
            ("impression", "肺結節。経過観察を勧めます。"),
            ("critical", "none"),
            ("contrast", "ce"),
        ] {
            let edit = Edit::SetField(field.into(), Some(Value::Text(content.into())));
            h.state_mut().app.update(NOW, Action::Report(ReportAction::Edit(edit)));
        }
        h.state_mut().app.update(NOW, Action::Sign(SignAction::Begin));
        h.run();
        let Some(SignFlow::Points { points, .. }) = h.state().app.report.as_ref().map(|r| &r.sign) else {
            panic!("images have not arrived: the gate must ask");
        };
        assert!(points.iter().all(|p| !p.code.blocking()), "{points:?}");
        let count = points.len();
        h.get_by_label(words.t("sign.proceed")).click();
        h.run();
        assert!(!h.state().commands.iter().any(|c| matches!(c, Command::Prepare { .. })), "no reason, no preview");
        for n in 1..=count {
            h.get_by_label(&words.f("sign.reason_for", &[("n", &n)])).focus();
            h.run();
            h.get_by_label(&words.f("sign.reason_for", &[("n", &n)])).type_text("依頼元に確認済み");
            h.run();
        }
        h.get_by_label(words.t("sign.proceed")).click();
        h.run();
        assert!(h.state().commands.iter().any(|c| matches!(c, Command::Prepare { .. })));
    }
}

#[test]
fn the_gate_names_the_finding_and_tab_goes_from_reason_to_reason() {
    for language in [Language::Ja, Language::En] {
        let words = Words(language);
        let mut h = harness(language, 1400.0);
        for _ in 0..2 {
            h.state_mut().app.update(NOW, Action::Report(ReportAction::NewFinding));
        }
        h.state_mut().app.update(NOW, Action::Sign(SignAction::Begin));
        h.run();
        let empty = match language {
            Language::Ja => "所見 2: 部位 が空です",
            Language::En => "Finding 2: Site is empty",
        };
        assert!(h.query_by_label(empty).is_some());
        // The way to it ends with the caret there.
        h.get_all_by_label(words.t("sign.go_there")).next().expect("a way").click();
        h.run();
        assert!(
            h.query_all(by().predicate(|n| n.is_focused())).any(|n| n.value().is_some()),
            "the caret is in a field"
        );
        // Without what blocks, the reasons are next.
        h.state_mut().app.update(NOW, Action::Sign(SignAction::Cancel));
        h.run();
        for _ in 0..2 {
            h.state_mut().app.update(NOW, Action::Report(ReportAction::Undo));
        }
        for (field, content) in [
            ("technique", "造影 CT"),
            ("comparison", "著変なし"),
            ("findings", "所見"),
            ("impression", "まとめ"),
            ("critical", "none"),
            ("contrast", "ce"),
        ] {
            let edit = Edit::SetField(field.into(), Some(Value::Text(content.into())));
            h.state_mut().app.update(NOW, Action::Report(ReportAction::Edit(edit)));
        }
        // The caret stands in the report, as after a click there.
        let unneeded = if language == Language::Ja { "不要" } else { "Not needed" };
        h.get_all_by_label(unneeded).next().expect("a choice").focus();
        h.run();
        h.state_mut().app.update(NOW, Action::Sign(SignAction::Begin));
        h.run();
        let reasons = |h: &Harness<'_, State>| match h.state().app.report.as_ref().map(|r| &r.sign) {
            Some(SignFlow::Points { reasons, .. }) => reasons.clone(),
            _ => panic!("open points"),
        };
        assert!(reasons(&h).len() >= 2, "no prior, and images missing");
        assert!(h.get_by_label(&words.f("sign.reason_for", &[("n", &1)])).is_focused(), "ready to be written");
        h.get_by_label(&words.f("sign.reason_for", &[("n", &1)])).type_text("a");
        h.run();
        h.key_press(egui::Key::Tab);
        h.run();
        assert!(h.get_by_label(&words.f("sign.reason_for", &[("n", &2)])).is_focused(), "past the buttons");
        h.get_by_label(&words.f("sign.reason_for", &[("n", &2)])).type_text("b");
        h.run();
        assert_eq!(reasons(&h)[..2], ["a".to_owned(), "b".to_owned()]);
        // A space on the button between them is a text that missed its field.
        h.get_all_by_label(words.t("sign.go_there")).next().expect("a way").focus();
        h.run();
        h.key_press(egui::Key::Space);
        h.run();
        assert!(h.state().app.modal(), "still at the gate");
    }
}

#[test]
fn the_preview_shows_the_bytes_and_signs_with_the_password() {
    for language in [Language::Ja, Language::En] {
        let words = Words(language);
        let mut h = harness(language, 1000.0);
        let prepared = app::prepare(&mut h.state_mut().app);
        h.run();
        // The preview is in the language that the report was frozen in.
        let titles = ["所見レポート", "Findings report"].map(|title| h.query_all_by_label(title).count());
        assert!(titles.iter().sum::<usize>() >= 2 && titles[0] >= 1, "panel and preview: {titles:?}");
        assert_eq!(titles[1] >= 1, language == Language::En, "{titles:?}");
        assert!(h.query_by_label_contains(&prepared.sha256).is_some());
        // The content has the height: what stands below it is at the window's foot, and all of it is in the window.
        let foot = h.get_by_label(words.t("sign.password")).rect();
        let digest = h.get_by_label_contains(&prepared.sha256).rect();
        assert!(digest.top() > 880.0 && foot.bottom() < 984.0, "digest {digest}, password {foot}");
        h.get_by_label(words.t("sign.password")).type_text("kiri-7-hana");
        h.run();
        h.get_by_label(words.t("sign.sign")).click();
        h.run();
        let signed = h.state().commands.iter().find_map(|c| match c {
            Command::Sign { prepared, password } => Some((*prepared, password.0.to_string())),
            _ => None,
        });
        assert_eq!(signed, Some((prepared.id, "kiri-7-hana".to_owned())));
        let assignment = prepared.assignment.clone();
        h.state_mut().app.apply(NOW, Event::Signed { assignment, sha256: prepared.sha256.clone() });
        h.run();
        assert!(h.query_by_label(words.t("sign.signed")).is_some());
    }
}

#[test]
fn a_long_finding_with_a_key_image_takes_no_width_from_the_pictures() {
    for (language, mark) in [(Language::Ja, "キー画像"), (Language::En, "key image")] {
        let mut app = app::reading();
        app.update(NOW, Action::Settings(SettingsAction::Language(language)));
        app::add_finding(
            &mut app,
            ("R", "肝S6", "境界不明瞭な低吸収結節。前回は指摘できない。".repeat(4).as_str(), 26.3),
        );
        let id = app.report.as_ref().and_then(|r| r.draft()).expect("a draft").findings[0].id;
        let key = serde_json::from_value(serde_json::json!({
            "study": "1.2.3", "series": "1.2.4", "frame": {"instance": "1.2.5", "frame": 0},
            "voi": {"center": 40.0, "width": 400.0}, "invert": false,
        }));
        let key = key.expect("a key image");
        app.update(NOW, Action::Report(ReportAction::Edit(Edit::SetKeyImage(id, Some(key)))));
        let mut h = harness_of(app, 1400.0);
        h.run();
        let mark = h.get_by_label(mark).rect();
        assert!(mark.left() > 0.0 && mark.right() <= 560.0, "{language:?}: {mark:?}");
    }
}

/// Pictures of the panel for people to judge: set `DOKUEI_PICTURES` to a folder.
#[test]
fn pictures_for_people() {
    let Some(folder) = std::env::var_os("DOKUEI_PICTURES") else {
        eprintln!("report panel: no pictures written (DOKUEI_PICTURES is not set)");
        return;
    };
    for (language, name) in [(Language::Ja, "ja"), (Language::En, "en")] {
        let mut h = Harness::builder().with_size([560.0, 1000.0]).wgpu().with_context_setup(|ctx| {
            fonts::install(ctx);
            theme::install(ctx);
        });
        h = h.with_pixels_per_point(1.5);
        let mut app = app::reading();
        app.update(NOW, Action::Settings(SettingsAction::Language(language)));
        for finding in app::FINDINGS {
            app::add_finding(&mut app, finding);
        }
        let state = State { app, report: ReportLocal::default(), sign: SignLocal::default(), commands: Vec::new() };
        let mut h = h.build_ui_state(
            |ui, state: &mut State| {
                egui::Frame::new().fill(theme::PANEL).inner_margin(12).show(ui, |ui| {
                    let mut out = Vec::new();
                    report_panel_ui(ui, &state.app, &mut state.report, &mut out);
                    sign_dialog_ui(ui.ctx(), &state.app, &mut state.sign, &mut out);
                });
            },
            state,
        );
        let folder = std::path::Path::new(&folder);
        h.run();
        h.render().expect("renders").save(folder.join(format!("report-{name}.png"))).expect("writes");
        h.state_mut().app.update(NOW, Action::Sign(SignAction::Begin));
        h.run();
        h.render().expect("renders").save(folder.join(format!("points-{name}.png"))).expect("writes");
        app::prepare(&mut h.state_mut().app);
        h.run();
        h.render().expect("renders").save(folder.join(format!("preview-{name}.png"))).expect("writes");
        h.state_mut().app.update(NOW, Action::Sign(SignAction::Cancel));
        let mut center = h.state().app.report.as_ref().and_then(|r| r.draft()).expect("a draft").clone();
        center
            .apply(Edit::SetField("impression".into(), Some(Value::Text("右肺上葉結節。PET-CT を勧めます。".into()))));
        let left = vec![center.clone()];
        h.state_mut().app.apply(NOW, Event::DraftConflict { assignment: "a-1".into(), center, replaces: None });
        h.run();
        h.render().expect("renders").save(folder.join(format!("conflict-{name}.png"))).expect("writes");
        h.state_mut().app.update(NOW, Action::Report(ReportAction::Resolve { keep_local: true }));
        h.state_mut().app.apply(NOW, Event::DraftsLeft { assignment: "a-1".into(), drafts: left });
        h.run();
        h.render().expect("renders").save(folder.join(format!("left-{name}.png"))).expect("writes");
    }
}

//! The reading window: bar, tray, pictures, what has arrived.

use super::{BOTH, Window, scene};
use dokuei::app::{Language, Place, Screen};
use dokuei::engine::message::{Event, Failure};
use dokuei::viewport::Layout;
use egui::{Key, Role};
use egui_kittest::kittest::{Queryable, by};

const SIZE: [f32; 2] = [1920.0, 1080.0];

#[test]
fn identity_and_arrival_are_always_on_the_bar() {
    for language in BOTH {
        let window = Window::reading(language, SIZE, false);
        window.h.get(by().role(Role::Heading).label_contains("0012345@東北"));
        let text = window.words.f("reading.not_shown", &[("received", &8), ("named", &12), ("n", &1)]);
        window.h.get_by_role_and_label(Role::Button, &text);
    }
}

/// Name, id, sex, age and birth date in whole letters; the controls give way.
#[test]
fn identity_is_never_cut() {
    let long = "Wolfeschlegelstein-Hausenbergerdorff^Maximiliana-Alexandrina=髙橋宮之原^亜里沙花子=たかはしみやのはら^ありさはなこ";
    for language in BOTH {
        for (size, name) in [[1366.0, 768.0], [1920.0, 1080.0], [3840.0, 2160.0]]
            .into_iter()
            .zip([None; 3])
            .chain([([1366.0, 768.0], Some(long)), ([1920.0, 1080.0], Some(long))])
        {
            let mut window = Window::reading(language, size, false);
            if let Some(name) = name {
                let mut named = scene::started();
                named.patient.name = dokuei::study::PersonName::parse(name);
                window.say([Event::Assignment(std::sync::Arc::new(named))]);
            }
            let patient = window.app().open_patient().expect("a patient").clone();
            let head = window.h.get(by().role(Role::Heading).label_contains("0012345@東北")).rect();
            let ctx = window.h.ctx.clone();
            let width = |text: &str, size: f32| {
                let font = dokuei::ui::theme::font(size);
                ctx.fonts_mut(|f| f.layout_no_wrap(text.to_owned(), font, egui::Color32::WHITE).size().x)
            };
            let birth = "(1968-03-04)";
            let least = width(&patient.name.display(), dokuei::ui::theme::BODY)
                .max(width(&format!("0012345@東北   男 58 {birth}"), dokuei::ui::theme::CAPTION));
            assert!(head.width() >= least, "{size:?}: {head} for {least}");
            // Nothing that can be pressed lies on it.
            let buttons = window.h.query_all(by().role(Role::Button)).map(|b| b.rect());
            assert_eq!(buttons.filter(|b| b.intersect(head).is_positive()).count(), 0, "{size:?}");
            window.picture(&format!("bar-{}-{}-{}", language.as_str(), size[0], name.is_some()));
        }
        // What gave way is still to be had.
        let mut window = Window::reading(language, [1366.0, 768.0], false);
        if let Some(menu) = window.h.query_by_role_and_label(Role::Button, window.words.t("reading.layouts")) {
            menu.click();
            window.settle();
        }
        window.h.get_by_role_and_label(Role::Button, "2×2").click();
        window.settle();
        assert_eq!(window.app().reading.as_ref().expect("reading").record.layout, Layout::new(2, 2));
    }
}

#[test]
fn what_is_missing_is_listed_with_its_reason() {
    for language in BOTH {
        let mut window = Window::reading(language, SIZE, false);
        let text = window.words.f("reading.not_shown", &[("received", &8), ("named", &12), ("n", &1)]);
        window.h.get_by_role_and_label(Role::Button, &text).click();
        window.settle();
        window.h.get_by_label("画素データが途中で切れています");
        window.picture(&format!("complete-{}", language.as_str()));
        window.key(Key::Escape);
        assert!(window.h.query_by_label("画素データが途中で切れています").is_none());
    }
}

#[test]
fn a_series_of_the_tray_goes_to_the_active_viewport() {
    let mut window = Window::reading(Language::Ja, SIZE, false);
    let entries: Vec<_> = window.h.get_all(by().role(Role::ListItem).label_contains("冠状 3 mm")).collect();
    assert!(!entries.is_empty());
    entries[0].click();
    drop(entries);
    window.settle();
    let app = window.app();
    let active = app.active_view().expect("a viewport");
    let set = app.view_set(active).expect("a display set");
    assert_eq!(set.id.series.to_string(), "1.2.3.2");
}

#[test]
fn a_series_can_be_dragged_to_any_viewport() {
    let mut window = Window::reading(Language::Ja, SIZE, false);
    window.h.get_by_role_and_label(Role::Button, "2×2").click();
    window.settle();
    let from = window.h.get_all(by().role(Role::ListItem).label_contains("冠状 3 mm")).next().expect("entry").rect();
    let name = window.words.f("viewport.name", &[("n", &4), ("label", &window.words.t("viewport.empty"))]);
    let onto = window
        .h
        .query_all(by().role(Role::Image))
        .max_by(|a, b| (a.rect().top() + a.rect().left()).total_cmp(&(b.rect().top() + b.rect().left())))
        .unwrap_or_else(|| panic!("{name}"))
        .rect();
    window.h.drag_at(from.center());
    window.settle();
    window.h.hover_at(from.center() + egui::vec2(20.0, 0.0));
    window.settle();
    window.h.hover_at(onto.center());
    window.settle();
    window.h.drop_at(onto.center());
    window.settle();
    let app = window.app();
    let set = app.view_set(dokuei::viewport::ViewId(3)).expect("dropped");
    assert_eq!(set.id.series.to_string(), "1.2.3.2");
}

#[test]
fn receiving_can_be_stopped_and_goes_on() {
    for language in BOTH {
        let mut window = Window::reading(language, SIZE, false);
        window.h.get_by_role_and_label(Role::Button, window.words.t("tray.pause")).click();
        window.settle();
        assert!(window.engine.script().demand.studies.iter().any(|s| s.paused));
        window.h.get_by_role_and_label(Role::Button, window.words.t("tray.resume")).click();
        window.settle();
        assert!(window.engine.script().demand.studies.iter().all(|s| !s.paused));
    }
}

#[test]
fn layouts_and_folds_answer_to_their_buttons() {
    let mut window = Window::reading(Language::En, SIZE, false);
    for (name, layout) in [("1×1", Layout::new(1, 1)), ("2×2", Layout::new(2, 2)), ("1×2", Layout::new(1, 2))] {
        window.h.get_by_role_and_label(Role::Button, name).click();
        window.settle();
        assert_eq!(window.app().reading.as_ref().expect("reading").record.layout, layout);
    }
    window.key(Key::F4);
    assert!(!window.app().settings.report_open);
    window.h.get_by_role_and_label(Role::Button, window.words.t("reading.back")).click();
    window.settle();
    assert_eq!(window.app().screen(), Screen::At(Place::Worklist));
    let back = window.words.f("bar.back_to", &[("name", &"山田\u{3000}太郎")]);
    window.h.get_by_role_and_label(Role::Button, &back).click();
    window.settle();
    assert_eq!(window.app().screen(), Screen::At(Place::Reading));
}

#[test]
fn a_notice_tells_three_things_and_can_be_sent_away() {
    for language in BOTH {
        let mut window = Window::reading(language, SIZE, false);
        let failure = Failure::Full("ENOSPC".into());
        window.say([Event::DraftFailed { assignment: "a-1".into(), failure }]);
        let told = window.h.get(by().role(Role::Alert).label_contains("ENOSPC"));
        let text = egui_kittest::kittest::NodeT::accesskit_node(&told).label().unwrap_or_default();
        assert!(text.contains(window.words.t("notice.draft_failed_means")));
        assert!(text.contains(window.words.t("failure.full_do")));
        window.picture(&format!("notice-{}", language.as_str()));
        window.h.get_by_role_and_label(Role::Button, window.words.t("notice.dismiss")).click();
        window.settle();
        assert!(window.h.query_by_label_contains("ENOSPC").is_none());
    }
}

#[test]
fn the_study_as_the_center_sends_it_is_counted() {
    let study = scene::study("1.2.3", 2026, "x");
    assert_eq!(study.instance_count(), 12);
}

/// Over the pictures too: whether the line is up, and how much waits to be sent.
#[test]
fn line_and_outbox_are_always_on_the_bar() {
    for language in BOTH {
        let mut window = Window::reading(language, SIZE, false);
        window.say([scene::outbox()]);
        let waiting = window.words.f("link.waiting", &[("n", &2)]);
        window.h.get(by().role(Role::Button).label_contains(&waiting)).click();
        window.settle();
        assert_eq!(window.app().screen(), Screen::At(Place::Outbox));
    }
}

/// What a mark on the bar means is read with the pointer over it, and by key.
#[test]
fn a_doubtful_name_is_marked_and_the_mark_explains_itself() {
    for language in BOTH {
        let mut window = Window::reading(language, SIZE, true);
        let mark = window.words.t("build.text_short");
        assert!(window.h.query_by_label(mark).is_none());
        let mut study = dokuei::study::Study::clone(&scene::study("1.2.3", 2026, "胸腹部 造影"));
        study.text_notes = vec!["bytes of no declared set".into()];
        window.say([Event::Study(std::sync::Arc::new(study))]);
        let told = |window: &Window| window.h.query_by_label_contains("bytes of no declared set").is_some();
        assert!(!told(&window));
        window.h.get_by_label(mark).focus();
        window.settle();
        assert!(told(&window));
        window.picture(&format!("text-mark-{}", language.as_str()));
    }
}

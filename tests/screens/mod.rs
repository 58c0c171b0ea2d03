//! The screens, driven as a reader would: by names, keys and pointer, in both languages, over a scripted engine.

mod access;
mod archives;
mod engine;
#[cfg(target_os = "linux")]
mod keys;
mod laid;
mod list;
mod outbox;
mod places;
mod reading;
mod scene;

use crate::support::app::NOW;
use dokuei::app::{Action, App, Language, SettingsAction};
use dokuei::engine::message::Event;
use dokuei::ui::text::Words;
use dokuei::ui::{Shell, UiOptions};
use egui_kittest::Harness;
use engine::ScriptedEngine;
use jiff::{SignedDuration, Timestamp};
use std::sync::{Arc, Mutex};

pub const BOTH: [Language; 2] = [Language::Ja, Language::En];

/// A window over a scripted engine, and a clock that stands until it is moved.
pub struct Window {
    pub h: Harness<'static, Shell>,
    pub engine: ScriptedEngine,
    pub words: Words,
    clock: Arc<Mutex<Timestamp>>,
}

impl Window {
    pub fn new(language: Language, size: [f32; 2]) -> Self {
        Self::with_device(language, size, false)
    }

    /// `device`: with a graphics device, so that pictures can be drawn.
    pub fn with_device(language: Language, size: [f32; 2], device: bool) -> Self {
        let engine = ScriptedEngine::default();
        let clock = Arc::new(Mutex::new(NOW));
        let (link, time) = (engine.clone(), Arc::clone(&clock));
        let options = UiOptions {
            clock: Box::new(move || *time.lock().expect("clock")),
            start: Box::new(move |_wake| Box::new(link)),
            first: vec![Action::Settings(SettingsAction::Language(language))],
            certified: false,
            screenshots: None,
            ended: Box::new(|_| ()),
        };
        let mut builder = Harness::builder().with_size(size).with_step_dt(1.0 / 30.0).with_max_steps(12);
        if device {
            builder = builder
                .renderer(egui_kittest::wgpu::WgpuTestRenderer::from_render_state(crate::viewports::render_state()));
        }
        // The first pass is laid out before the program has set its fonts.
        let builder = builder.with_context_setup(|ctx| {
            dokuei::ui::fonts::install(ctx);
            dokuei::ui::theme::install(ctx);
        });
        let h = builder.build_eframe(move |cc| Shell::new(cc, options));
        let mut window = Self { h, engine, words: Words(language), clock };
        window.settle();
        window
    }

    /// Draws until nothing changes; the program looks again by itself only after a second or more.
    pub fn settle(&mut self) {
        self.h.run_steps(4);
    }

    pub fn say(&mut self, events: impl IntoIterator<Item = Event>) {
        for event in events {
            self.engine.say(event);
        }
        self.settle();
    }

    pub fn pass_time(&mut self, by: SignedDuration) {
        *self.clock.lock().expect("clock") += by;
        self.settle();
    }

    pub fn app(&self) -> &App {
        self.h.state().app()
    }

    pub fn key(&mut self, key: egui::Key) {
        self.h.key_press(key);
        self.settle();
    }

    pub fn chord(&mut self, modifiers: egui::Modifiers, key: egui::Key) {
        self.h.key_press_modifiers(modifiers, key);
        self.settle();
    }

    /// Signed in, with the morning's worklist.
    pub fn signed_in(language: Language, size: [f32; 2], device: bool) -> Self {
        let mut window = Self::with_device(language, size, device);
        let list = Event::Worklist { assignments: scene::morning(), at: NOW };
        window.say([scene::ready(), scene::link(true), Event::SignedIn(scene::session()), list]);
        window
    }

    /// Reading `a-1`; whatever was sent on the way is forgotten.
    pub fn reading(language: Language, size: [f32; 2], device: bool) -> Self {
        let mut window = Self::signed_in(language, size, device);
        let (current, prior) = (scene::study("1.2.3", 2026, "胸腹部 造影"), scene::study("1.2.4", 2025, "胸部 単純"));
        window.say([
            Event::Study(Arc::clone(&current)),
            scene::progress(&current, false),
            Event::Study(Arc::clone(&prior)),
            scene::progress(&prior, true),
        ]);
        window.open("a-1");
        window.say([
            Event::Assignment(Arc::new(scene::started())),
            Event::Draft { assignment: "a-1".into(), draft: None },
        ]);
        let pictures = scene::frames(&current).into_iter().chain(scene::frames(&prior));
        window.say(pictures.chain(scene::thumbnails(&current)).chain(scene::thumbnails(&prior)));
        window.engine.take_commands();
        window
    }

    /// Opens a row by a double click on it.
    pub fn open(&mut self, id: &str) {
        let app = self.app();
        let name = app.worklist.get(id).expect("on the list").patient.name.display();
        let row = self.row(&name);
        let at = row.center();
        for _ in 0..2 {
            self.h.drag_at(at);
            self.h.drop_at(at);
        }
        self.settle();
    }

    /// Where the row of a patient is.
    pub fn row(&self, patient: &str) -> egui::Rect {
        use egui_kittest::kittest::{Queryable, by};
        self.h.get(by().role(egui::Role::ListItem).label_contains(patient)).rect()
    }

    /// Writes what is on screen as a PNG into the folder that `DOKUEI_SCREENS` names, for people to look at.
    pub fn picture(&mut self, name: &str) {
        let Some(folder) = std::env::var_os("DOKUEI_SCREENS") else { return };
        let image = self.h.render().expect("rendered");
        image.save(std::path::Path::new(&folder).join(format!("{name}.png"))).expect("written");
    }
}

//! The window as a program: events in, screen out, wishes down.

use super::hands::Held;
use super::picture::Pictures;
use super::platform::{self, InputMethod, Wheels};
use super::screen::{Local, screen_ui};
use super::{fonts, theme};
use crate::app::{Action, App, Place, PlatformFact, Screen};
use crate::engine::message::{Command, Demand, EngineLink, Event};
use crate::render::{Budgets, device_descriptor};
use egui::{Context, Ui, vec2};
use jiff::Timestamp;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};

/// Why there is no window.
#[derive(Debug, thiserror::Error)]
pub enum UiError {
    /// No display at all.
    #[error("there is no display to open a window on (neither DISPLAY nor WAYLAND_DISPLAY leads to one)")]
    NoDisplay(#[source] eframe::Error),
    /// Neither Vulkan nor OpenGL.
    #[error(
        "no graphics driver: neither Vulkan nor OpenGL could be started. On Debian and Ubuntu install libvulkan1 \
         and mesa-vulkan-drivers"
    )]
    NoGraphics(#[source] eframe::Error),
    /// Anything else.
    #[error("the window could not be opened")]
    Window(#[source] eframe::Error),
}

impl From<eframe::Error> for UiError {
    fn from(error: eframe::Error) -> Self {
        match error {
            eframe::Error::WinitEventLoop(_) => Self::NoDisplay(error),
            eframe::Error::Wgpu(_) => Self::NoGraphics(error),
            other => Self::Window(other),
        }
    }
}

/// What the engine calls when something has come.
pub type Wake = Arc<dyn Fn() + Send + Sync>;

/// What the window needs from outside.
pub struct UiOptions {
    /// Tells the time (the clock belongs to others).
    pub clock: Box<dyn Fn() -> Timestamp>,
    /// Starts the engine; it calls what it is given whenever an event has come.
    pub start: Box<dyn FnOnce(Wake) -> Box<dyn EngineLink>>,
    /// Done first, as if the reader had wanted it (local files to open).
    pub first: Vec<Action>,
    /// The distributor certified this build; else the notice stands.
    pub certified: bool,
    /// F12 writes a picture of the window into this folder.
    pub screenshots: Option<PathBuf>,
    /// Called when the window has closed and the engine has stopped, with whether it did all that it was asked for
    /// ([`EngineLink::stop`]): only the window system is still to be left.
    pub ended: Box<dyn FnOnce(bool)>,
}

/// Opens the window; comes back when it is closed, with everything saved and the engine told to stop.
pub fn run(options: UiOptions) -> Result<(), UiError> {
    let mut native = eframe::NativeOptions {
        viewport: egui::ViewportBuilder::default()
            .with_title("Dokuei")
            .with_app_id("dokuei")
            .with_inner_size(vec2(1600.0, 1000.0))
            .with_min_inner_size(vec2(1024.0, 640.0))
            .with_maximized(true)
            .with_drag_and_drop(true),
        renderer: eframe::Renderer::Wgpu,
        ..eframe::NativeOptions::default()
    };
    if let egui_wgpu::WgpuSetup::CreateNew(setup) = &mut native.wgpu_options.wgpu_setup {
        setup.device_descriptor = Arc::new(device_descriptor);
    }
    eframe::run_native("Dokuei", native, Box::new(|cc| Ok(Box::new(Shell::new(cc, options)))))?;
    Ok(())
}

/// Events are taken for so long per screen frame; the rest comes with the next.
const DRAIN: Duration = Duration::from_millis(2);
/// Events taken at once.
const BATCH: usize = 64;
/// Screen frames between the wish to close and the close.
const LAST_FRAMES: u8 = 3;
/// How long they are waited for.
const LAST_FRAMES_WITHIN: Duration = Duration::from_secs(3);

/// The program behind the window.
pub struct Shell {
    app: App,
    local: Local,
    engine: Box<dyn EngineLink>,
    clock: Box<dyn Fn() -> Timestamp>,
    pictures: Option<Pictures>,
    input_method: InputMethod,
    wheels: Wheels,
    held: Held,
    /// What was last asked of the engine.
    demanded: Demand,
    screenshots: Option<PathBuf>,
    taken: u32,
    /// Screen frames drawn, as far as the first few matter.
    begun: u8,
    /// Events given to egui that no screen has taken yet.
    offered: usize,
    closing: Option<Closing>,
    closed: bool,
    ended: Option<Box<dyn FnOnce(bool)>>,
}

/// In the place of an engine that has stopped.
struct Stopped;

impl EngineLink for Stopped {
    fn send(&mut self, _: Command) {}
    fn demand(&mut self, _: Demand) {}
    fn drain(&mut self, _: usize) -> Vec<Event> {
        Vec::new()
    }
    fn stop(self: Box<Self>) -> bool {
        true
    }
}

/// The window is to close.
struct Closing {
    /// Screen frames still to be drawn before.
    left: u8,
    since: Instant,
}

impl std::fmt::Debug for Shell {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Shell").field("screen", &self.app.screen()).finish_non_exhaustive()
    }
}

impl Shell {
    /// Starts the engine and draws nothing yet.
    pub fn new(cc: &eframe::CreationContext<'_>, options: UiOptions) -> Self {
        fonts::install(&cc.egui_ctx);
        theme::install(&cc.egui_ctx);
        let pictures = cc.wgpu_render_state.as_ref().map(|state| Pictures::install(state, Budgets::default()));
        let ctx = cc.egui_ctx.clone();
        let engine = (options.start)(Arc::new(move || ctx.request_repaint()));
        let now = (options.clock)();
        let mut shell = Self {
            app: App::new(now),
            local: Local::default(),
            engine,
            clock: options.clock,
            pictures,
            input_method: InputMethod::default(),
            wheels: Wheels::default(),
            held: Held::default(),
            demanded: Demand::default(),
            screenshots: options.screenshots,
            taken: 0,
            begun: 0,
            offered: 0,
            closing: None,
            closed: false,
            ended: Some(options.ended),
        };
        let mut facts = vec![PlatformFact::SystemLanguage(platform::system_language())];
        if options.certified {
            facts.push(PlatformFact::CertifiedBuild);
        }
        if let Some((name, software)) = shell.pictures.as_ref().and_then(Pictures::adapter) {
            facts.push(PlatformFact::Adapter { name, software });
        }
        shell.act(facts.into_iter().map(Action::Platform).chain(options.first).collect());
        shell
    }

    /// The state, for tests.
    pub fn app(&self) -> &App {
        &self.app
    }

    /// Carries intents out: state, commands, demand.
    fn act(&mut self, actions: Vec<Action>) {
        let now = (self.clock)();
        for action in actions {
            for command in self.app.update(now, action) {
                self.engine.send(command);
            }
        }
        self.say_demand();
    }

    fn say_demand(&mut self) {
        if *self.app.demand_ref() != self.demanded {
            self.demanded = self.app.demand();
            self.engine.demand(self.demanded.clone());
        }
    }

    /// Takes what has come, for at most [`DRAIN`]; true if more may wait.
    fn take_events(&mut self) -> bool {
        let begun = Instant::now();
        let now = (self.clock)();
        let mut more = false;
        loop {
            let events = self.engine.drain(BATCH);
            let full = events.len() == BATCH;
            for event in events {
                for command in self.app.apply(now, event) {
                    self.engine.send(command);
                }
            }
            if !full {
                break;
            }
            if begun.elapsed() >= DRAIN {
                more = true;
                break;
            }
        }
        self.say_demand();
        more
    }

    /// When the screen must be drawn again although nothing happens.
    fn next_look(&self) -> Duration {
        let cine = self.app.reading.iter().flat_map(|r| &r.record.views).filter_map(|v| v.cine);
        if let Some(rate) = cine.map(|c| c.rate_hz).reduce(f64::max) {
            return Duration::from_secs_f64((1.0 / rate.max(1.0)).clamp(0.008, 1.0));
        }
        if self.app.awaits_dwell() {
            return Duration::from_millis(200);
        }
        match self.app.screen() {
            // Autosave and the reading state wait for pauses of a second or two.
            Screen::At(Place::Reading) => Duration::from_secs(1),
            Screen::At(_) => Duration::from_secs(10),
            _ => Duration::from_mins(1),
        }
    }

    fn screenshot(&mut self, ctx: &Context) {
        let Some(folder) = self.screenshots.clone() else { return };
        if !ctx.input(|i| i.key_pressed(egui::Key::F12)) {
            return;
        }
        self.taken += 1;
        let file = folder.join(format!("screen-{:02}.png", self.taken));
        ctx.request_screenshot(move |image| {
            if let Err(error) = write_png(&file, &image) {
                tracing::error!(%error, "screenshot not written");
            }
        });
    }

    /// X11 window managers take no wish of a window that is not on the screen yet, and eframe shows it after
    /// the first frame: what was asked at its making is asked again then.
    fn maximise(&mut self, ctx: &Context) {
        const SHOWN: u8 = 2;
        if self.begun <= SHOWN {
            self.begun += 1;
            if self.begun > SHOWN {
                ctx.send_viewport_cmd(egui::ViewportCommand::Maximized(true));
            }
            ctx.request_repaint();
        }
    }

    /// What was typed last may be in this very pass, or still on its way through an input method: the window
    /// closes some screen frames after it was asked to, with that in the draft.
    fn ask_to_close(&mut self, ctx: &Context) {
        if self.closed {
            return;
        }
        ctx.send_viewport_cmd(egui::ViewportCommand::CancelClose);
        self.closing.get_or_insert(Closing { left: LAST_FRAMES, since: Instant::now() });
    }

    /// A window that nobody sees draws nothing, and nothing is typed into it; one whose screen frames do not come is
    /// not waited for.
    fn close_undrawn(&mut self, ctx: &Context) {
        let Some(closing) = &self.closing else { return };
        let hidden = ctx.input(|i| i.viewport().visible() == Some(false));
        let waiting = self.offered > 0 || !self.held.is_empty();
        if waiting && closing.since.elapsed() >= LAST_FRAMES_WITHIN {
            tracing::warn!("closed while input still waited for a screen frame");
        }
        if (hidden && !waiting) || closing.since.elapsed() >= LAST_FRAMES_WITHIN {
            self.close_now(ctx);
        } else {
            ctx.request_repaint_after(LAST_FRAMES_WITHIN.saturating_sub(closing.since.elapsed()));
        }
    }

    fn go_on_closing(&mut self, ctx: &Context) {
        match &mut self.closing {
            None => return,
            Some(Closing { left: 0, .. }) => self.close_now(ctx),
            Some(closing) => closing.left -= 1,
        }
        ctx.request_repaint();
    }

    fn close_now(&mut self, ctx: &Context) {
        self.close();
        self.closing = None;
        ctx.send_viewport_cmd(egui::ViewportCommand::Close);
    }

    fn close(&mut self) {
        if !std::mem::replace(&mut self.closed, true) {
            self.act(vec![Action::Quit]);
        }
    }
}

#[derive(Debug, thiserror::Error)]
enum ScreenshotError {
    #[error("image")]
    Image(#[from] crate::imaging::EncodeError),
    #[error("file")]
    File(#[from] std::io::Error),
}

/// Writes beside and renames: whoever waits for the file never sees half of it.
fn write_png(file: &Path, image: &egui::ColorImage) -> Result<(), ScreenshotError> {
    let rgb: Vec<u8> = image.pixels.iter().flat_map(|p| [p.r(), p.g(), p.b()]).collect();
    let [width, height] = image.size.map(|v| v as u32);
    let png = crate::imaging::encode_png(&rgb, width, height)?;
    let partial = file.with_extension("part");
    std::fs::write(&partial, png)?;
    std::fs::rename(&partial, file)?;
    Ok(())
}

impl eframe::App for Shell {
    fn raw_input_hook(&mut self, ctx: &Context, raw: &mut egui::RawInput) {
        // What a pass without a screen did not take comes again, and has been through here.
        let mut fresh = raw.events.split_off(self.offered.min(raw.events.len()));
        self.wheels.before_input(&mut fresh, raw.time.unwrap_or(0.0));
        if self.held.before_input(&mut raw.events, fresh) {
            ctx.request_repaint();
        }
        self.offered = raw.events.len();
    }

    fn logic(&mut self, ctx: &Context, frame: &mut eframe::Frame) {
        self.input_method.before_pass(frame);
        self.input_method.hold(ctx);
        if self.take_events() {
            ctx.request_repaint();
        }
        self.act(vec![Action::Tick]);
        self.maximise(ctx);
        if ctx.input(|i| i.viewport().close_requested()) {
            self.ask_to_close(ctx);
        }
        self.close_undrawn(ctx);
    }

    fn ui(&mut self, ui: &mut Ui, _frame: &mut eframe::Frame) {
        self.offered = 0;
        self.input_method.release(ui.ctx());
        let mut actions = Vec::new();
        screen_ui(ui, &self.app, self.pictures.as_ref(), &mut self.local, &mut actions);
        for command in self.app.painted((self.clock)()) {
            self.engine.send(command);
        }
        self.screenshot(ui.ctx());
        if !actions.is_empty() {
            self.act(actions);
            // What was wanted shows at once.
            ui.ctx().request_repaint();
        }
        self.go_on_closing(ui.ctx());
        ui.ctx().request_repaint_after(self.next_look());
        self.input_method.after_pass(ui.ctx());
    }

    fn on_exit(&mut self) {
        self.close();
        let whole = std::mem::replace(&mut self.engine, Box::new(Stopped)).stop();
        if let Some(ended) = self.ended.take() {
            ended(whole);
        }
    }

    fn clear_color(&self, _visuals: &egui::Visuals) -> [f32; 4] {
        theme::GROUND.to_normalized_gamma_f32()
    }

    fn persist_egui_memory(&self) -> bool {
        false
    }
}

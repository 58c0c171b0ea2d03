//! Viewports in an egui window without a screen: the greys that are painted, and what hands do.

mod choices;
mod greys;
mod hands;

use dokuei::app::{Language, OverlayLevel};
use dokuei::imaging::{Frame, Modality, Photometric, Pixels};
use dokuei::render::{Budgets, device_descriptor};
use dokuei::study::{DisplaySet, DisplaySetId, FrameIndex, FrameInfo, FrameRef, SeriesUid, SopInstanceUid, Voi};
use dokuei::ui::picture::Pictures;
use dokuei::ui::text::Words;
use dokuei::ui::viewport_panel::{FrameState, ViewportInput, ViewportLocal, viewport_ui};
use dokuei::viewport::{Action, DataPresentation, Tool, ViewId, ViewPresentation};
use egui_kittest::Harness;
use egui_wgpu::{RendererOptions, WgpuSetup};
use std::sync::Arc;

/// A device of our own for a harness, Vulkan only, as the program asks for it.
pub fn render_state() -> egui_wgpu::RenderState {
    let mut setup = egui_kittest::wgpu::default_wgpu_setup();
    if let WgpuSetup::CreateNew(new) = &mut setup {
        new.instance_descriptor.backends = wgpu::Backends::VULKAN;
        new.device_descriptor = Arc::new(device_descriptor);
    }
    egui_kittest::wgpu::create_render_state(setup, RendererOptions::PREDICTABLE)
}

/// A display set of this many frames of one instance, without a place in the patient.
pub fn display_set(columns: u32, rows: u32, frames: u32) -> DisplaySet {
    let instance = SopInstanceUid::new("1.2.3.4").expect("uid");
    DisplaySet {
        id: DisplaySetId { series: SeriesUid::new("1.2.3").expect("uid"), index: 0 },
        // Without one, no text stands on the picture at the lowest level.
        modality: String::new(),
        label: "phantom".into(),
        rows,
        columns,
        frames: (0..frames).map(|n| FrameRef { instance: instance.clone(), frame: FrameIndex(n) }).collect(),
        info: (0..frames).map(|_| FrameInfo::default()).collect(),
        slice_spacing_mm: None,
        b_value: None,
        laterality: None,
        view: None,
        patient_orientation: None,
        frame_of_reference: None,
        warnings: vec![],
        detail: dokuei::study::SetDetail::default(),
    }
}

/// A frame whose stored values run through 0…4095 in an order that shows any shift or turn.
pub fn frame(columns: u32, rows: u32) -> Arc<Frame> {
    let value = |i: u32| ((i % columns) * 37 + (i / columns) * 101) % 4096;
    Arc::new(Frame {
        rows,
        columns,
        pixels: std::sync::Arc::new(Pixels::U16((0..columns * rows).map(|i| value(i) as u16).collect())),
        bits_stored: 12,
        photometric: Photometric::Monochrome2,
        modality: Modality::Rescale { slope: 1.0, intercept: -1024.0 },
        unit: "HU".into(),
        padding: None,
        voi: vec![],
        display: dokuei::imaging::Display::default(),
        pixel_aspect: 1.0,
        warnings: vec![],
    })
}

/// A viewport's input with everything plain: no patient, no texts.
pub fn input<'a>(set: &'a DisplaySet, frame: FrameState<'a>, voi: Voi) -> ViewportInput<'a> {
    ViewportInput {
        id: ViewId(0),
        active: false,
        patient: None,
        study_date: None,
        study_description: "",
        prior: false,
        set: Some(set),
        position: 0,
        frame,
        view: ViewPresentation::default(),
        data: DataPresentation::default(),
        voi: Some(voi),
        tool: Tool::Scroll,
        annotations: &[],
        chosen: None,
        orientation_assumed: false,
        link: None,
        marks: &[],
        key_images: &[],
        laid: None,
        level: OverlayLevel::None,
        nearest_from: f64::INFINITY,
        words: Words(Language::En),
    }
}

/// Runs the panels given by `draw` in a window of `size` points at `px_per_point`.
pub fn window(
    size: [f32; 2],
    px_per_point: f32,
    mut draw: impl FnMut(&mut egui::Ui, &Pictures) + 'static,
) -> Harness<'static> {
    let state = render_state();
    let pictures = Pictures::install(&state, Budgets::default());
    Harness::builder()
        .with_size(egui::Vec2::from(size))
        .with_pixels_per_point(px_per_point)
        .with_step_dt(1.0 / 60.0)
        .with_context_setup(|ctx| {
            dokuei::ui::fonts::install(ctx);
            dokuei::ui::theme::install(ctx);
        })
        .renderer(egui_kittest::wgpu::WgpuTestRenderer::from_render_state(state))
        .build_ui(move |ui| draw(ui, &pictures))
}

/// One viewport over the whole window; what the reader does changes its presentation and is noted.
#[derive(Default)]
pub struct Seat {
    pub view: ViewPresentation,
    pub data: DataPresentation,
    pub position: usize,
    pub local: ViewportLocal,
    pub done: Vec<Action>,
}

impl Seat {
    /// Draws the viewport over what the window leaves, and applies what the reader did.
    pub fn draw(&mut self, ui: &mut egui::Ui, pictures: &Pictures, plain: &ViewportInput<'_>) {
        let voi = self.data.voi.or(plain.voi);
        let seated = ViewportInput { view: self.view, data: self.data, position: self.position, voi, ..*plain };
        let mut out = Vec::new();
        viewport_ui(ui, ui.ctx().content_rect(), &seated, Some(pictures), &mut self.local, &mut out);
        for action in &out {
            if !action.present(&mut self.view, &mut self.data)
                && let Action::ScrollTo(to) = action
            {
                self.position = *to;
            }
        }
        self.done.extend(out);
    }
}

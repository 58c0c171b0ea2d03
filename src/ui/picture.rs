//! From a viewport's picture to the window: the only place where egui and `render` meet.
//!
//! [`Pictures::show`] uploads and writes numbers at once, while the panels are laid out, so that the truth light
//! beside the picture already tells what came of it; the paint callback then only draws.

use crate::render::{Budgets, Gpu, Picture, Renderer, Scene, Shown, Slot};
use crate::viewport::Fidelity;
use egui::{Id, PaintCallbackInfo, Rect};
use egui_wgpu::{CallbackResources, CallbackTrait, RenderState};

/// The way to the graphics device; cheap to clone, shared by all windows.
#[derive(Clone)]
pub struct Pictures {
    state: RenderState,
}

/// Which window's which pass the renderer last began.
struct LastPass(egui::ViewportId, u64);

struct Draw(Slot);

impl CallbackTrait for Draw {
    fn paint(
        &self,
        _info: PaintCallbackInfo,
        pass: &mut egui_wgpu::wgpu::RenderPass<'static>,
        resources: &CallbackResources,
    ) {
        if let Some(renderer) = resources.get::<Renderer>() {
            renderer.draw(self.0, pass);
        }
    }
}

impl Pictures {
    /// Puts a renderer beside egui's own. Once per device.
    pub fn install(state: &RenderState, budgets: Budgets) -> Self {
        let gpu = Gpu::new(&state.adapter, state.device.clone(), state.queue.clone());
        let renderer = Renderer::new(gpu, state.target_format, budgets);
        state.renderer.write().callback_resources.insert(renderer);
        Self { state: state.clone() }
    }

    /// Name of the graphics adapter, and whether it is a software rasteriser.
    pub fn adapter(&self) -> Option<(String, bool)> {
        let guard = self.state.renderer.read();
        let facts = &guard.callback_resources.get::<Renderer>()?.gpu().facts;
        Some((facts.name.clone(), facts.software))
    }

    /// Draws a picture into `rect` (points). `id` names the viewport; `None` draws nothing, the ground stays.
    pub fn show(&self, ui: &egui::Ui, id: Id, rect: Rect, picture: Option<Picture>) -> Shown {
        let [left, top, width, height] = rect_px(rect, ui.ctx().pixels_per_point());
        let slot = Slot(id.with(ui.ctx().viewport_id()).value());
        let scene = Scene { origin_px: [left, top], size_px: [width.max(1) as u32, height.max(1) as u32], picture };
        let shown = {
            let mut guard = self.state.renderer.write();
            let resources = &mut guard.callback_resources;
            let pass = (ui.ctx().viewport_id(), ui.ctx().cumulative_pass_nr());
            let new_pass = resources.get::<LastPass>().is_none_or(|last| (last.0, last.1) != pass);
            resources.insert(LastPass(pass.0, pass.1));
            let Some(renderer) = resources.get_mut::<Renderer>() else {
                return Shown { fidelity: Fidelity::None, failure: None };
            };
            if new_pass {
                renderer.begin_frame();
            }
            renderer.prepare(slot, &scene)
        };
        if shown.unfinished() {
            ui.ctx().request_repaint();
        }
        ui.painter().add(egui_wgpu::Callback::new_paint_callback(rect, Draw(slot)));
        shown
    }

    /// Brings a frame that will be wanted soon to the device, with what this screen frame's budget has left.
    /// `true` once it is there.
    pub fn prefetch(&self, frame: &std::sync::Arc<crate::imaging::Frame>) -> bool {
        let mut guard = self.state.renderer.write();
        let renderer = guard.callback_resources.get_mut::<Renderer>();
        renderer.is_some_and(|r| r.prefetch(frame).is_ok_and(|share| share >= 1.0))
    }
}

/// Left, top, width, height in physical pixels, rounded as egui rounds the rectangle of a paint callback.
pub(super) fn rect_px(rect: Rect, px_per_point: f32) -> [i32; 4] {
    let px = |v: f32| (v * px_per_point).round() as i32;
    let (left, top) = (px(rect.min.x), px(rect.min.y));
    [left, top, px(rect.max.x) - left, px(rect.max.y) - top]
}

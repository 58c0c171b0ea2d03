//! Twin of `shaders/frame.wgsl`: its uniform and its pipelines, one per kind of page.

use super::page::Page;
use super::pipeline::Layouts;
use super::scene::Scene;
use super::voi::{VOI_SHADER, VoiUniform};
use super::{Gpu, Picture};
use crate::imaging::{Frame, Look, MASK_OVERLAY, MASK_SHUTTER, footprint};

/// The shader, without its prelude.
pub const FRAME_SHADER: &str = include_str!("../../shaders/frame.wgsl");

/// `FrameUniform` of `frame.wgsl`: same fields, order and offsets (checked in `tests/shaders.rs`).
#[repr(C)]
#[derive(Debug, Clone, Copy, Default, PartialEq, bytemuck::Pod, bytemuck::Zeroable)]
pub struct FrameUniform {
    /// Grey pipeline.
    pub voi: VoiUniform,
    /// Columns of the matrix from screen to pixel.
    pub pixel_from_screen: [f32; 4],
    /// Pixel position of the viewport's corner.
    pub translation: [f32; 2],
    /// Framebuffer position of the viewport's corner.
    pub origin: [f32; 2],
    /// Columns and rows.
    pub size: [i32; 2],
    /// Logarithm of a tile's edge; 31 for a single one.
    pub tile_shift: u32,
    /// Tiles side by side.
    pub tiles_across: u32,
    /// Image pixels per screen pixel along columns and rows.
    pub footprint: [f32; 2],
    /// 1: nearest pixel.
    pub nearest: [u32; 2],
    /// Bits of the mask that count.
    pub mask: u32,
    /// Level of what a shutter covers.
    pub shutter_level: f32,
    /// To a multiple of 16 bytes.
    pub unused_0: u32,
    /// As above.
    pub unused_1: u32,
}

impl FrameUniform {
    pub(super) fn new(scene: &Scene, picture: &Picture, page: &Page) -> Self {
        let frame: &Frame = &picture.frame;
        let map = picture.pixel_from_screen;
        let footprint = footprint(&map);
        Self {
            voi: VoiUniform::new(frame, page.format, page.padding, &picture.look),
            pixel_from_screen: [map.matrix2.x_axis, map.matrix2.y_axis]
                .map(|a| a.as_vec2().to_array())
                .as_flattened()
                .try_into()
                .unwrap_or_default(),
            translation: map.translation.as_vec2().to_array(),
            origin: scene.origin_px.map(|v| v as f32),
            size: [frame.columns as i32, frame.rows as i32],
            tile_shift: page.tiling.shift,
            tiles_across: page.tiling.across,
            footprint: footprint.map(|f| f as f32),
            nearest: footprint.map(|f| u32::from(1.0 / f >= picture.resampling.nearest_from)),
            mask: page.mask.as_ref().map_or(0, |_| mask_bits(&picture.look)),
            shutter_level: frame.display.shutter.as_ref().map_or(0.0, |s| s.level() as f32),
            unused_0: 0,
            unused_1: 0,
        }
    }
}

fn mask_bits(look: &Look) -> u32 {
    let overlay = if look.overlays { MASK_OVERLAY } else { 0 };
    u32::from(overlay | if look.shutters { MASK_SHUTTER } else { 0 })
}

/// A pipeline for each `KIND` of page, made when first needed: software drivers take their time over each.
#[derive(Debug)]
pub(super) struct FramePipelines {
    module: wgpu::ShaderModule,
    target: wgpu::TextureFormat,
    kinds: [Option<wgpu::RenderPipeline>; 4],
}

impl FramePipelines {
    pub(super) fn new(gpu: &Gpu, target: wgpu::TextureFormat) -> Self {
        let source = format!("{VOI_SHADER}\n{FRAME_SHADER}");
        let module = gpu.device.create_shader_module(wgpu::ShaderModuleDescriptor {
            label: Some("frame.wgsl"),
            source: wgpu::ShaderSource::Wgsl(source.into()),
        });
        Self { module, target, kinds: [const { None }; 4] }
    }

    pub(super) fn make(&mut self, gpu: &Gpu, layouts: &Layouts, kind: u32) {
        let Some(slot) = self.kinds.get_mut(kind as usize) else {
            return;
        };
        if slot.is_some() {
            return;
        }
        let label = ["frame of unsigned values", "frame of signed values", "frame of floats", "frame of colours"]
            .get(kind as usize)
            .copied();
        *slot = Some(gpu.device.create_render_pipeline(&wgpu::RenderPipelineDescriptor {
            label,
            layout: Some(&layouts.pipeline),
            vertex: wgpu::VertexState {
                module: &self.module,
                entry_point: Some("vs_viewport"),
                compilation_options: wgpu::PipelineCompilationOptions::default(),
                buffers: &[],
            },
            primitive: wgpu::PrimitiveState::default(),
            depth_stencil: None,
            multisample: wgpu::MultisampleState::default(),
            fragment: Some(wgpu::FragmentState {
                module: &self.module,
                entry_point: Some("fs_frame"),
                compilation_options: wgpu::PipelineCompilationOptions {
                    constants: &[("KIND", f64::from(kind))],
                    ..wgpu::PipelineCompilationOptions::default()
                },
                targets: &[Some(wgpu::ColorTargetState {
                    format: self.target,
                    blend: None,
                    write_mask: wgpu::ColorWrites::ALL,
                })],
            }),
            multiview_mask: None,
            cache: None,
        }));
    }

    pub(super) fn get(&self, kind: u32) -> Option<&wgpu::RenderPipeline> {
        self.kinds.get(kind as usize)?.as_ref()
    }
}

//! Pictures without a window: tests, key images, and `dokuei render`. The same pipeline as the window's.

use super::pipeline::{Renderer, Slot};
use super::scene::{Scene, Shown};
use super::upload::Budgets;
use super::{Gpu, GpuError};

/// Draws scenes into memory.
#[derive(Debug)]
pub struct Offscreen {
    renderer: Renderer,
}

/// Display-ready 8-bit values without any conversion: the same bytes as in a window.
const FORMAT: wgpu::TextureFormat = wgpu::TextureFormat::Rgba8Unorm;

/// Rows of a buffer copy start at multiples of this.
const ROW_ALIGN: u32 = wgpu::COPY_BYTES_PER_ROW_ALIGNMENT;

impl Offscreen {
    /// On this device.
    pub fn new(gpu: Gpu, budgets: Budgets) -> Self {
        Self { renderer: Renderer::new(gpu, FORMAT, budgets) }
    }

    /// The renderer, to look into or to limit.
    pub fn renderer(&mut self) -> &mut Renderer {
        &mut self.renderer
    }

    /// Draws one scene of `size_px` at 0, 0 and gives its RGB bytes.
    pub fn render(&mut self, scene: &Scene) -> Result<(Vec<u8>, Shown), GpuError> {
        let (rgb, mut shown) = self.render_all(scene.size_px, std::slice::from_ref(scene))?;
        Ok((rgb, shown.remove(0)))
    }

    /// Draws scenes side by side, as a window does: each at its origin within a picture of `size_px`. Goes on
    /// with screen frames until all have arrived.
    pub fn render_all(&mut self, size_px: [u32; 2], scenes: &[Scene]) -> Result<(Vec<u8>, Vec<Shown>), GpuError> {
        loop {
            // A loss is told only while polling.
            let _ = self.renderer.gpu().device.poll(wgpu::PollType::Poll);
            self.renderer.begin_frame();
            let shown: Vec<Shown> =
                scenes.iter().enumerate().map(|(k, scene)| self.renderer.prepare(Slot(k as u64), scene)).collect();
            if self.renderer.gpu().lost() {
                return Err(GpuError::Lost);
            }
            if shown.iter().any(Shown::unfinished) {
                // Hands the uploads over before more are written.
                self.renderer.gpu().queue.submit([]);
                continue;
            }
            let drawn = self.draw(size_px, scenes);
            let gpu = self.renderer.gpu();
            return match (gpu.take_fault(), drawn) {
                _ if gpu.lost() => Err(GpuError::Lost),
                (Some(fault), _) => Err(GpuError::ReadBack(fault)),
                (None, drawn) => Ok((drawn?, shown)),
            };
        }
    }

    fn draw(&self, size_px: [u32; 2], scenes: &[Scene]) -> Result<Vec<u8>, GpuError> {
        let gpu = self.renderer.gpu();
        let [width, height] = size_px;
        let max = gpu.max_edge();
        if width == 0 || height == 0 || width > max || height > max {
            return Err(GpuError::ReadBack(format!("{width} x {height} is not between 1 and {max}")));
        }
        let extent = wgpu::Extent3d { width, height, depth_or_array_layers: 1 };
        let texture = gpu.device.create_texture(&wgpu::TextureDescriptor {
            label: Some("offscreen picture"),
            size: extent,
            mip_level_count: 1,
            sample_count: 1,
            dimension: wgpu::TextureDimension::D2,
            format: FORMAT,
            usage: wgpu::TextureUsages::RENDER_ATTACHMENT | wgpu::TextureUsages::COPY_SRC,
            view_formats: &[],
        });
        let row_bytes = (width * 4).next_multiple_of(ROW_ALIGN);
        let buffer = gpu.device.create_buffer(&wgpu::BufferDescriptor {
            label: Some("offscreen read-back"),
            size: u64::from(row_bytes) * u64::from(height),
            usage: wgpu::BufferUsages::COPY_DST | wgpu::BufferUsages::MAP_READ,
            mapped_at_creation: false,
        });
        let view = texture.create_view(&wgpu::TextureViewDescriptor::default());
        let mut encoder =
            gpu.device.create_command_encoder(&wgpu::CommandEncoderDescriptor { label: Some("offscreen") });
        {
            let mut pass = encoder.begin_render_pass(&wgpu::RenderPassDescriptor {
                label: Some("offscreen"),
                color_attachments: &[Some(wgpu::RenderPassColorAttachment {
                    view: &view,
                    depth_slice: None,
                    resolve_target: None,
                    ops: wgpu::Operations {
                        load: wgpu::LoadOp::Clear(wgpu::Color::BLACK),
                        store: wgpu::StoreOp::Store,
                    },
                })],
                depth_stencil_attachment: None,
                timestamp_writes: None,
                occlusion_query_set: None,
                multiview_mask: None,
            });
            for (k, scene) in scenes.iter().enumerate() {
                let [x, y] = scene.origin_px.map(|v| u32::try_from(v).unwrap_or(0));
                let [w, h] =
                    [scene.size_px[0].min(width.saturating_sub(x)), scene.size_px[1].min(height.saturating_sub(y))];
                if w == 0 || h == 0 {
                    continue;
                }
                pass.set_viewport(x as f32, y as f32, w as f32, h as f32, 0.0, 1.0);
                pass.set_scissor_rect(x, y, w, h);
                self.renderer.draw(Slot(k as u64), &mut pass);
            }
        }
        encoder.copy_texture_to_buffer(
            texture.as_image_copy(),
            wgpu::TexelCopyBufferInfo {
                buffer: &buffer,
                layout: wgpu::TexelCopyBufferLayout { offset: 0, bytes_per_row: Some(row_bytes), rows_per_image: None },
            },
            extent,
        );
        let submission = gpu.queue.submit([encoder.finish()]);
        let (send, receive) = std::sync::mpsc::sync_channel(1);
        buffer.map_async(wgpu::MapMode::Read, .., move |result| {
            // The receiver is gone only if the wait below failed, and then says so.
            let _ = send.send(result);
        });
        gpu.device
            .poll(wgpu::PollType::Wait { submission_index: Some(submission), timeout: None })
            .map_err(|error| if gpu.lost() { GpuError::Lost } else { GpuError::ReadBack(error.to_string()) })?;
        // Another thread that polls the same device may be the one to tell, a moment after the wait here has ended.
        match receive.recv_timeout(std::time::Duration::from_secs(10)) {
            Ok(Ok(())) => {}
            Ok(Err(error)) => return Err(GpuError::ReadBack(error.to_string())),
            Err(_) if gpu.lost() => return Err(GpuError::Lost),
            Err(error) => return Err(GpuError::ReadBack(error.to_string())),
        }
        let mapped = buffer.get_mapped_range(..).map_err(|error| GpuError::ReadBack(error.to_string()))?;
        let mut rgb = Vec::with_capacity(width as usize * height as usize * 3);
        for row in mapped.chunks_exact(row_bytes as usize) {
            for pixel in row[..width as usize * 4].chunks_exact(4) {
                rgb.extend_from_slice(&pixel[..3]);
            }
        }
        Ok(rgb)
    }
}

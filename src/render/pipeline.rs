//! The renderer: pages, pipelines, and one slice of a uniform buffer per viewport.
//!
//! A screen frame is: [`Renderer::begin_frame`], then [`Renderer::prepare`] for each viewport (uploads, numbers),
//! then [`Renderer::draw`] inside the window's pass. All prepares come before any draw, hence the slices.

use super::Gpu;
use super::frame::{FramePipelines, FrameUniform};
use super::page::{Format, PageError, PageId, Pages, Tiling, id_of};
use super::scene::{Scene, Shown};
use super::table::Tables;
use super::upload::{Budgets, UploadBudget};
use crate::imaging::Frame;
use crate::viewport::Fidelity;
use std::collections::{BTreeMap, BTreeSet};
use std::num::NonZeroU64;
use std::sync::Arc;

/// Names a viewport across screen frames; the caller's choice.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Slot(pub u64);

/// Bind group layouts shared by all pipelines, and the stand-ins for textures that a page does not use.
#[derive(Debug)]
pub(super) struct Layouts {
    pub pipeline: wgpu::PipelineLayout,
    uniform: wgpu::BindGroupLayout,
    page: wgpu::BindGroupLayout,
    pub tables: wgpu::BindGroupLayout,
    stand_ins: [wgpu::TextureView; 3],
}

const UNIFORM_BYTES: u64 = std::mem::size_of::<FrameUniform>() as u64;

impl Layouts {
    fn new(gpu: &Gpu) -> Self {
        let device = &gpu.device;
        let uniform = device.create_bind_group_layout(&wgpu::BindGroupLayoutDescriptor {
            label: Some("viewport numbers"),
            entries: &[wgpu::BindGroupLayoutEntry {
                binding: 0,
                visibility: wgpu::ShaderStages::FRAGMENT,
                ty: wgpu::BindingType::Buffer {
                    ty: wgpu::BufferBindingType::Uniform,
                    has_dynamic_offset: true,
                    min_binding_size: NonZeroU64::new(UNIFORM_BYTES),
                },
                count: None,
            }],
        });
        let texture = |binding, sample_type| wgpu::BindGroupLayoutEntry {
            binding,
            visibility: wgpu::ShaderStages::FRAGMENT,
            ty: wgpu::BindingType::Texture {
                sample_type,
                view_dimension: wgpu::TextureViewDimension::D2Array,
                multisampled: false,
            },
            count: None,
        };
        let page = device.create_bind_group_layout(&wgpu::BindGroupLayoutDescriptor {
            label: Some("page"),
            entries: &[
                texture(0, wgpu::TextureSampleType::Uint),
                texture(1, wgpu::TextureSampleType::Sint),
                texture(2, wgpu::TextureSampleType::Float { filterable: false }),
                texture(3, wgpu::TextureSampleType::Uint),
            ],
        });
        let tables = super::table::layout(gpu);
        let pipeline = device.create_pipeline_layout(&wgpu::PipelineLayoutDescriptor {
            label: Some("frame"),
            bind_group_layouts: &[Some(&uniform), Some(&page), Some(&tables)],
            immediate_size: 0,
        });
        let stand_ins = [Format::R8Uint, Format::R16Sint, Format::R32Float].map(|format| {
            let tiling = Tiling { shift: 31, across: 1, down: 1, width: 1, height: 1 };
            array_view(&texture_of(gpu, format, &tiling, "stand-in page"))
        });
        Self { pipeline, uniform, page, tables, stand_ins }
    }

    pub(super) fn page_bind_group(
        &self,
        gpu: &Gpu,
        format: Format,
        texture: &wgpu::Texture,
        mask: Option<&wgpu::Texture>,
    ) -> wgpu::BindGroup {
        let mask = mask.map(array_view);
        let view = array_view(texture);
        // Colours lie in an unsigned texture, too.
        let own = match format.kind() {
            0 | 3 => 0,
            kind => kind as usize,
        };
        let mut entries: Vec<_> = self
            .stand_ins
            .iter()
            .enumerate()
            .map(|(binding, stand_in)| wgpu::BindGroupEntry {
                binding: binding as u32,
                resource: wgpu::BindingResource::TextureView(if binding == own { &view } else { stand_in }),
            })
            .collect();
        entries.push(wgpu::BindGroupEntry {
            binding: 3,
            resource: wgpu::BindingResource::TextureView(mask.as_ref().unwrap_or(&self.stand_ins[0])),
        });
        gpu.device.create_bind_group(&wgpu::BindGroupDescriptor {
            label: Some("page"),
            layout: &self.page,
            entries: &entries,
        })
    }
}

pub(super) fn texture_of(gpu: &Gpu, format: Format, tiling: &Tiling, label: &str) -> wgpu::Texture {
    gpu.device.create_texture(&wgpu::TextureDescriptor {
        label: Some(label),
        size: wgpu::Extent3d {
            width: tiling.width,
            height: tiling.height,
            depth_or_array_layers: tiling.across * tiling.down,
        },
        mip_level_count: 1,
        sample_count: 1,
        dimension: wgpu::TextureDimension::D2,
        format: format.texture(),
        usage: wgpu::TextureUsages::TEXTURE_BINDING | wgpu::TextureUsages::COPY_DST,
        view_formats: &[],
    })
}

fn array_view(texture: &wgpu::Texture) -> wgpu::TextureView {
    texture.create_view(&wgpu::TextureViewDescriptor {
        label: Some("page"),
        dimension: Some(wgpu::TextureViewDimension::D2Array),
        ..wgpu::TextureViewDescriptor::default()
    })
}

/// Where a viewport's numbers lie, and what it draws.
#[derive(Debug)]
struct Place {
    index: u32,
    page: Option<PageId>,
    tables: Option<wgpu::BindGroup>,
    last_used: u64,
}

/// Screen frames after which a viewport that was not prepared any more gives its place back.
const PLACE_KEPT_FRAMES: u64 = 600;

/// Draws scenes into passes of one colour format.
#[derive(Debug)]
pub struct Renderer {
    gpu: Gpu,
    target: wgpu::TextureFormat,
    layouts: Layouts,
    pipelines: FramePipelines,
    pages: Pages,
    tables: Tables,
    upload: UploadBudget,
    places: BTreeMap<Slot, Place>,
    /// The numbers as written; the buffer is made anew from them when it grows.
    numbers: Vec<FrameUniform>,
    buffer: wgpu::Buffer,
    bind_group: wgpu::BindGroup,
    now: u64,
}

impl Renderer {
    /// A renderer for passes with this colour format.
    pub fn new(gpu: Gpu, target: wgpu::TextureFormat, budgets: Budgets) -> Self {
        let layouts = Layouts::new(&gpu);
        let (buffer, bind_group) = uniform_buffer(&gpu, &layouts, 16);
        Self {
            target,
            pipelines: FramePipelines::new(&gpu, target),
            pages: Pages::new(&gpu, budgets.pages),
            tables: Tables::new(&gpu, &layouts.tables),
            upload: UploadBudget::new(budgets.upload),
            places: BTreeMap::new(),
            numbers: Vec::new(),
            buffer,
            bind_group,
            layouts,
            gpu,
            now: 0,
        }
    }

    /// The device.
    pub fn gpu(&self) -> &Gpu {
        &self.gpu
    }

    /// The page table.
    pub fn pages(&self) -> &Pages {
        &self.pages
    }

    /// The page table, to limit it.
    pub fn pages_mut(&mut self) -> &mut Pages {
        &mut self.pages
    }

    /// Goes on with a new device after a loss. Pages are dropped and come back with the next scenes; nothing
    /// else was kept on the device.
    pub fn replace_device(&mut self, gpu: Gpu) {
        self.layouts = Layouts::new(&gpu);
        self.pipelines = FramePipelines::new(&gpu, self.target);
        self.pages.clear();
        self.tables = Tables::new(&gpu, &self.layouts.tables);
        (self.buffer, self.bind_group) = uniform_buffer(&gpu, &self.layouts, self.numbers.len().max(16));
        for place in self.places.values_mut() {
            place.page = None;
            place.tables = None;
        }
        self.gpu = gpu;
    }

    /// A new screen frame: its upload budget is full again.
    pub fn begin_frame(&mut self) {
        self.now += 1;
        self.upload.begin_frame();
        self.pages.begin_frame();
        self.tables.begin_frame();
        let oldest = self.now.saturating_sub(PLACE_KEPT_FRAMES);
        self.places.retain(|_, place| place.last_used >= oldest);
    }

    /// Uploads what the scene needs (as far as this screen frame's budget goes) and writes its numbers.
    pub fn prepare(&mut self, slot: Slot, scene: &Scene) -> Shown {
        let none = |failure| Shown { fidelity: Fidelity::None, failure };
        let index = self.place(slot);
        let Some(picture) = &scene.picture else {
            return none(None);
        };
        if self.gpu.lost() {
            self.pages.clear();
            return none(Some(PageError::Lost));
        }
        let touched = self.pages.touch(&self.gpu, &self.layouts, &picture.frame, &mut self.upload, true);
        let share = match touched {
            Ok(share) => share,
            Err(failure) => return none(Some(failure)),
        };
        if share < 1.0 {
            // Never half a picture, and never the one before in its place.
            return Shown { fidelity: Fidelity::Arriving(share), failure: None };
        }
        let id = id_of(&picture.frame);
        let Some(page) = self.pages.get(id) else {
            return none(None);
        };
        self.pipelines.make(&self.gpu, &self.layouts, page.format.kind());
        let uniform = FrameUniform::new(scene, picture, page);
        let axis = uniform.footprint.map(|f| 1.0 / f64::from(f.max(f32::MIN_POSITIVE)));
        self.write(index, uniform);
        if let Some(place) = self.places.get_mut(&slot) {
            place.page = Some(id);
            place.tables = Some(self.tables.bind_group(&self.gpu, &self.layouts.tables, &picture.look));
        }
        Shown { fidelity: Fidelity::of_scale(axis), failure: None }
    }

    /// Uses what is left of this screen frame's budget for a frame that will be wanted soon; share there.
    pub fn prefetch(&mut self, frame: &Arc<Frame>) -> Result<f32, PageError> {
        if self.gpu.lost() {
            return Err(PageError::Lost);
        }
        self.pages.touch(&self.gpu, &self.layouts, frame, &mut self.upload, false)
    }

    /// Draws a prepared viewport. The pass's viewport must be set to the scene's rectangle.
    pub fn draw(&self, slot: Slot, pass: &mut wgpu::RenderPass<'_>) {
        let Some(place) = self.places.get(&slot) else {
            return;
        };
        let Some(page) = place.page.and_then(|id| self.pages.get(id)) else {
            return;
        };
        let Some(tables) = &place.tables else {
            return;
        };
        let Some(pipeline) = self.pipelines.get(page.format.kind()) else {
            return;
        };
        pass.set_pipeline(pipeline);
        pass.set_bind_group(0, &self.bind_group, &[place.index * stride(&self.gpu)]);
        pass.set_bind_group(1, &page.bind_group, &[]);
        pass.set_bind_group(2, tables, &[]);
        pass.draw(0..3, 0..1);
    }

    /// The viewport's place in the uniform buffer; it draws nothing until prepared anew.
    fn place(&mut self, slot: Slot) -> u32 {
        let now = self.now;
        if let Some(place) = self.places.get_mut(&slot) {
            place.last_used = now;
            place.page = None;
            place.tables = None;
            return place.index;
        }
        let taken: BTreeSet<u32> = self.places.values().map(|p| p.index).collect();
        let index = (0..=taken.len() as u32).find(|i| !taken.contains(i)).unwrap_or(0);
        self.places.insert(slot, Place { index, page: None, tables: None, last_used: now });
        index
    }

    fn write(&mut self, index: u32, uniform: FrameUniform) {
        let at = index as usize;
        if self.numbers.len() <= at {
            self.numbers.resize(at + 1, FrameUniform::default());
        }
        self.numbers[at] = uniform;
        let stride = u64::from(stride(&self.gpu));
        if (at as u64 + 1) * stride > self.buffer.size() {
            (self.buffer, self.bind_group) = uniform_buffer(&self.gpu, &self.layouts, (at + 1) * 2);
            for (k, numbers) in self.numbers.iter().enumerate() {
                self.gpu.queue.write_buffer(&self.buffer, k as u64 * stride, bytemuck::bytes_of(numbers));
            }
        } else {
            self.gpu.queue.write_buffer(&self.buffer, at as u64 * stride, bytemuck::bytes_of(&uniform));
        }
    }
}

/// Distance of two viewports' numbers in the buffer.
fn stride(gpu: &Gpu) -> u32 {
    (UNIFORM_BYTES as u32).next_multiple_of(gpu.device.limits().min_uniform_buffer_offset_alignment)
}

fn uniform_buffer(gpu: &Gpu, layouts: &Layouts, places: usize) -> (wgpu::Buffer, wgpu::BindGroup) {
    let buffer = gpu.device.create_buffer(&wgpu::BufferDescriptor {
        label: Some("viewport numbers"),
        size: places as u64 * u64::from(stride(gpu)),
        usage: wgpu::BufferUsages::UNIFORM | wgpu::BufferUsages::COPY_DST,
        mapped_at_creation: false,
    });
    let bind_group = gpu.device.create_bind_group(&wgpu::BindGroupDescriptor {
        label: Some("viewport numbers"),
        layout: &layouts.uniform,
        entries: &[wgpu::BindGroupEntry {
            binding: 0,
            resource: wgpu::BindingResource::Buffer(wgpu::BufferBinding {
                buffer: &buffer,
                offset: 0,
                size: NonZeroU64::new(UNIFORM_BYTES),
            }),
        }],
    });
    (buffer, bind_group)
}

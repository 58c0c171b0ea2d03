//! VOI and presentation LUTs on the device: one texture for each, as long as somebody holds the table.

use super::Gpu;
use crate::imaging::{Look, Lut, Presentation};
use std::collections::HashMap;
use std::sync::{Arc, Weak};

/// `1 << LUT_SHIFT` of `voi.wgsl`: entries in a row of the texture.
const WIDTH: u32 = 1024;

/// The layout of the tables' bind group: VOI LUT, presentation LUT.
pub(super) fn layout(gpu: &Gpu) -> wgpu::BindGroupLayout {
    let texture = |binding| wgpu::BindGroupLayoutEntry {
        binding,
        visibility: wgpu::ShaderStages::FRAGMENT,
        ty: wgpu::BindingType::Texture {
            sample_type: wgpu::TextureSampleType::Uint,
            view_dimension: wgpu::TextureViewDimension::D2,
            multisampled: false,
        },
        count: None,
    };
    gpu.device.create_bind_group_layout(&wgpu::BindGroupLayoutDescriptor {
        label: Some("tables"),
        entries: &[texture(0), texture(1)],
    })
}

/// The tables on the device.
#[derive(Debug)]
pub(super) struct Tables {
    /// By the allocation of the table; the weak handle keeps an address from being taken for another's.
    held: HashMap<usize, (Weak<Lut>, wgpu::TextureView)>,
    stand_in: wgpu::TextureView,
    none: wgpu::BindGroup,
}

impl Tables {
    pub(super) fn new(gpu: &Gpu, layout: &wgpu::BindGroupLayout) -> Self {
        let stand_in = upload(gpu, &[0], "stand-in table");
        let none = bind(gpu, layout, [&stand_in, &stand_in]);
        Self { held: HashMap::new(), stand_in, none }
    }

    /// Tables that nobody holds any more give their memory back.
    pub(super) fn begin_frame(&mut self) {
        self.held.retain(|_, (table, _)| table.strong_count() > 0);
    }

    /// The tables of a look; uploads them when they are new.
    pub(super) fn bind_group(&mut self, gpu: &Gpu, layout: &wgpu::BindGroupLayout, look: &Look) -> wgpu::BindGroup {
        let presentation = match &look.presentation {
            Some(Presentation::Lut(lut)) => Some(lut),
            _ => None,
        };
        if look.lut.is_none() && presentation.is_none() {
            return self.none.clone();
        }
        let [voi, presentation] = [look.lut.as_ref(), presentation].map(|lut| lut.map(|lut| self.view(gpu, lut)));
        let or_none = |view: Option<wgpu::TextureView>| view.unwrap_or_else(|| self.stand_in.clone());
        bind(gpu, layout, [&or_none(voi), &or_none(presentation)])
    }

    fn view(&mut self, gpu: &Gpu, lut: &Arc<Lut>) -> wgpu::TextureView {
        let held = self.held.entry(Arc::as_ptr(lut) as usize);
        held.or_insert_with(|| (Arc::downgrade(lut), upload(gpu, &lut.entries, "table"))).1.clone()
    }
}

fn upload(gpu: &Gpu, entries: &[u16], label: &str) -> wgpu::TextureView {
    let rows = (entries.len() as u32).div_ceil(WIDTH).max(1);
    let size = wgpu::Extent3d { width: WIDTH, height: rows, depth_or_array_layers: 1 };
    let texture = gpu.device.create_texture(&wgpu::TextureDescriptor {
        label: Some(label),
        size,
        mip_level_count: 1,
        sample_count: 1,
        dimension: wgpu::TextureDimension::D2,
        format: wgpu::TextureFormat::R16Uint,
        usage: wgpu::TextureUsages::TEXTURE_BINDING | wgpu::TextureUsages::COPY_DST,
        view_formats: &[],
    });
    let mut texels = entries.to_vec();
    texels.resize((rows * WIDTH) as usize, 0);
    gpu.queue.write_texture(
        texture.as_image_copy(),
        bytemuck::cast_slice(&texels),
        wgpu::TexelCopyBufferLayout { offset: 0, bytes_per_row: Some(WIDTH * 2), rows_per_image: None },
        size,
    );
    texture.create_view(&wgpu::TextureViewDescriptor { label: Some(label), ..wgpu::TextureViewDescriptor::default() })
}

fn bind(gpu: &Gpu, layout: &wgpu::BindGroupLayout, views: [&wgpu::TextureView; 2]) -> wgpu::BindGroup {
    let [voi, presentation] = views.map(wgpu::BindingResource::TextureView);
    gpu.device.create_bind_group(&wgpu::BindGroupDescriptor {
        label: Some("tables"),
        layout,
        entries: &[
            wgpu::BindGroupEntry { binding: 0, resource: voi },
            wgpu::BindGroupEntry { binding: 1, resource: presentation },
        ],
    })
}

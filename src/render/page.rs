//! The page table: which frames lie on the device, within a memory budget, least recently used first out.

use super::Gpu;
use super::pipeline::{Layouts, texture_of};
use super::upload::{UploadBudget, layout_of, rows_of};
use crate::imaging::Frame;
use std::collections::HashMap;
use std::sync::{Arc, Weak};

/// Form of the texels.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[allow(missing_docs, reason = "the names are wgpu's")]
pub enum Format {
    R8Uint,
    R16Uint,
    R16Sint,
    R32Sint,
    R32Float,
    Rgba8Uint,
}

impl Format {
    pub(super) fn texture(self) -> wgpu::TextureFormat {
        match self {
            Self::R8Uint => wgpu::TextureFormat::R8Uint,
            Self::R16Uint => wgpu::TextureFormat::R16Uint,
            Self::R16Sint => wgpu::TextureFormat::R16Sint,
            Self::R32Sint => wgpu::TextureFormat::R32Sint,
            Self::R32Float => wgpu::TextureFormat::R32Float,
            Self::Rgba8Uint => wgpu::TextureFormat::Rgba8Uint,
        }
    }
    /// Bytes a texel.
    pub fn bytes(self) -> u64 {
        match self {
            Self::R8Uint => 1,
            Self::R16Uint | Self::R16Sint => 2,
            Self::R32Sint | Self::R32Float | Self::Rgba8Uint => 4,
        }
    }
    /// Texels are floats.
    pub fn is_float(self) -> bool {
        self == Self::R32Float
    }
    /// `KIND` of `frame.wgsl`.
    pub fn kind(self) -> u32 {
        match self {
            Self::R8Uint | Self::R16Uint => 0,
            Self::R16Sint | Self::R32Sint => 1,
            Self::R32Float => 2,
            Self::Rgba8Uint => 3,
        }
    }
}

/// Values of a page that are not image, inclusive.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum PagePadding {
    /// Of an integer page.
    Int([i32; 2]),
    /// Of a float page.
    Float([f32; 2]),
}

/// A frame that cannot be put on the device.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PageError {
    /// Larger than the device's textures, even in tiles.
    #[error("{columns} x {rows} pixels are more than this graphics adapter can hold")]
    TooLarge {
        /// Columns.
        columns: u32,
        /// Rows.
        rows: u32,
    },
    /// Size and pixels disagree.
    #[error("the frame does not hold as many pixels as it says")]
    Damaged,
    /// The device is gone; pages come back with a new one.
    #[error("the graphics device was lost")]
    Lost,
}

/// How a frame is cut: one layer if it fits, else square tiles with power-of-two edges.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Tiling {
    pub shift: u32,
    pub across: u32,
    pub down: u32,
    pub width: u32,
    pub height: u32,
}

impl Tiling {
    pub(super) fn new(columns: u32, rows: u32, max_edge: u32, max_layers: u32) -> Result<Self, PageError> {
        if columns <= max_edge && rows <= max_edge {
            return Ok(Self { shift: 31, across: 1, down: 1, width: columns, height: rows });
        }
        let shift = max_edge.max(1).ilog2();
        let edge = 1u32 << shift;
        let (across, down) = (columns.div_ceil(edge), rows.div_ceil(edge));
        if across.checked_mul(down).is_none_or(|layers| layers > max_layers) {
            return Err(PageError::TooLarge { columns, rows });
        }
        Ok(Self { shift, across, down, width: edge.min(columns), height: edge.min(rows) })
    }
}

/// One frame on the device.
#[derive(Debug)]
pub(super) struct Page {
    frame: Weak<Frame>,
    texture: wgpu::Texture,
    pub bind_group: wgpu::BindGroup,
    pub format: Format,
    pub padding: Option<PagePadding>,
    pub tiling: Tiling,
    /// What overlays mark and shutters cover, with its bytes until they are there.
    pub mask: Option<(wgpu::Texture, Vec<u8>)>,
    rows_done: u32,
    bytes: u64,
    last_used: u64,
}

/// Names a page: the allocation of its frame. The table keeps a weak handle to each, so an address
/// cannot be used again for another frame while its page exists.
pub(super) type PageId = usize;

pub(super) fn id_of(frame: &Arc<Frame>) -> PageId {
    Arc::as_ptr(frame) as usize
}

/// The page table.
#[derive(Debug)]
pub struct Pages {
    table: HashMap<PageId, Page>,
    budget: u64,
    used: u64,
    now: u64,
    max_edge: u32,
}

impl Pages {
    /// An empty table with this much device memory.
    pub fn new(gpu: &Gpu, budget: u64) -> Self {
        Self { table: HashMap::new(), budget, used: 0, now: 0, max_edge: gpu.max_edge() }
    }

    /// Cuts pages as if the device's longest edge were this: for tests of tiling on devices that hold all.
    pub fn limit_edge(&mut self, max_edge: u32) {
        self.max_edge = max_edge.clamp(1, self.max_edge);
    }

    /// Device memory held, bytes.
    pub fn used(&self) -> u64 {
        self.used
    }

    /// Number of pages.
    pub fn len(&self) -> usize {
        self.table.len()
    }

    /// No page at all.
    pub fn is_empty(&self) -> bool {
        self.table.is_empty()
    }

    /// A new screen frame: pages of frames that nobody holds any more go first.
    pub fn begin_frame(&mut self) {
        self.now += 1;
        let used = &mut self.used;
        self.table.retain(|_, page| {
            let keep = page.frame.strong_count() > 0;
            if !keep {
                *used -= page.bytes;
            }
            keep
        });
    }

    /// Drops everything (device loss).
    pub fn clear(&mut self) {
        self.table.clear();
        self.used = 0;
    }

    pub(super) fn get(&self, id: PageId) -> Option<&Page> {
        self.table.get(&id)
    }

    /// Brings a frame nearer to the device within the budget; share that is there, 1 when drawable.
    pub(super) fn touch(
        &mut self,
        gpu: &Gpu,
        layouts: &Layouts,
        frame: &Arc<Frame>,
        budget: &mut UploadBudget,
        on_screen: bool,
    ) -> Result<f32, PageError> {
        let id = id_of(frame);
        if !self.table.contains_key(&id) {
            let (format, padding) = layout_of(frame);
            let tiling = Tiling::new(frame.columns, frame.rows, self.max_edge, gpu.max_layers())?;
            let expected = u64::from(frame.columns) * u64::from(frame.rows);
            if frame.pixels.len() as u64 != expected || expected == 0 {
                return Err(PageError::Damaged);
            }
            let layers = u64::from(tiling.across) * u64::from(tiling.down);
            let mask = frame.mask();
            let texel = format.bytes() + u64::from(mask.is_some());
            let bytes = u64::from(tiling.width) * u64::from(tiling.height) * layers * texel;
            if !self.make_room(bytes) && !on_screen {
                return Ok(0.0);
            }
            let texture = texture_of(gpu, format, &tiling, "page");
            let mask = mask.map(|bytes| (texture_of(gpu, Format::R8Uint, &tiling, "mask"), bytes));
            let page = Page {
                frame: Arc::downgrade(frame),
                bind_group: layouts.page_bind_group(gpu, format, &texture, mask.as_ref().map(|(t, _)| t)),
                texture,
                mask,
                format,
                padding,
                tiling,
                rows_done: 0,
                bytes,
                last_used: self.now,
            };
            self.used += bytes;
            self.table.insert(id, page);
        }
        let Some(page) = self.table.get_mut(&id) else {
            return Ok(0.0);
        };
        if on_screen {
            page.last_used = self.now;
        }
        if page.rows_done < frame.rows {
            let row_bytes = u64::from(frame.columns) * (page.format.bytes() + u64::from(page.mask.is_some()));
            let rows = budget.take_rows(frame.rows - page.rows_done, row_bytes);
            page.upload(gpu, frame, rows);
        }
        Ok(page.rows_done as f32 / frame.rows as f32)
    }

    /// Frees the least recently used until `bytes` fit; `false` if what is on screen leaves no room.
    fn make_room(&mut self, bytes: u64) -> bool {
        while self.used + bytes > self.budget {
            // Oldest first; equal ages in no particular order, since none of them is on screen. The screen frame
            // before counts as on screen: a window drawn inside another's frame must not take its pages.
            let oldest = self.table.iter().filter(|(_, p)| p.last_used + 1 < self.now).min_by_key(|(_, p)| p.last_used);
            let Some(id) = oldest.map(|(id, _)| *id) else {
                return false;
            };
            if let Some(page) = self.table.remove(&id) {
                self.used -= page.bytes;
            }
        }
        true
    }
}

impl Page {
    fn upload(&mut self, gpu: &Gpu, frame: &Frame, rows: u32) {
        let (first, end) = (self.rows_done, (self.rows_done + rows).min(frame.rows));
        if first >= end {
            return;
        }
        let data = rows_of(frame, self.format, self.padding, first..end);
        write_rows(gpu, &self.texture, &self.tiling, [frame.columns, frame.rows], first..end, &data);
        self.rows_done = end;
        if let Some((texture, bytes)) = &mut self.mask {
            let columns = frame.columns as usize;
            let rows = bytes.get(first as usize * columns..end as usize * columns).unwrap_or_default();
            write_rows(gpu, texture, &self.tiling, [frame.columns, frame.rows], first..end, rows);
            if end == frame.rows {
                *bytes = Vec::new();
            }
        }
    }
}

/// Writes whole rows of a frame of `size` (columns, rows), piece by piece where they cross from one tile to the next.
fn write_rows(
    gpu: &Gpu,
    texture: &wgpu::Texture,
    tiling: &Tiling,
    [columns, rows]: [u32; 2],
    range: std::ops::Range<u32>,
    data: &[u8],
) {
    let (first, end) = (range.start, range.end);
    let row_bytes = data.len() as u64 / u64::from(end - first).max(1);
    let texel = row_bytes / u64::from(columns).max(1);
    let edge = |size: u32| if tiling.shift >= 31 { size } else { 1 << tiling.shift };
    let (tile_w, tile_h) = (edge(columns), edge(rows));
    let mut row = first;
    while row < end {
        let tile_row = row / tile_h;
        let until = end.min((tile_row + 1) * tile_h);
        for tile_column in 0..tiling.across {
            let left = tile_column * tile_w;
            let width = tile_w.min(columns - left);
            gpu.queue.write_texture(
                wgpu::TexelCopyTextureInfo {
                    texture,
                    mip_level: 0,
                    origin: wgpu::Origin3d {
                        x: 0,
                        y: row - tile_row * tile_h,
                        z: tile_row * tiling.across + tile_column,
                    },
                    aspect: wgpu::TextureAspect::All,
                },
                data,
                wgpu::TexelCopyBufferLayout {
                    offset: u64::from(row - first) * row_bytes + u64::from(left) * texel,
                    bytes_per_row: Some(row_bytes as u32),
                    rows_per_image: None,
                },
                wgpu::Extent3d { width, height: until - row, depth_or_array_layers: 1 },
            );
        }
        row = until;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tiling_covers_the_frame_or_says_no() {
        let whole = Tiling::new(3000, 4000, 8192, 256).expect("fits");
        assert_eq!((whole.across, whole.down, whole.width, whole.height), (1, 1, 3000, 4000));
        let cut = Tiling::new(3000, 4000, 1500, 256).expect("fits in tiles");
        assert_eq!((cut.shift, cut.across, cut.down, cut.width), (10, 3, 4, 1024));
        assert_eq!(Tiling::new(5000, 10, 16, 256), Err(PageError::TooLarge { columns: 5000, rows: 10 }));
    }
}

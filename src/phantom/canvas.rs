//! One slice under the brush: structures are painted in order, each with a soft edge of one pixel (partial volume).

use glam::Vec3;

/// A slice of `C` values per pixel on an axial plane.
///
/// Column direction is patient left (+x), row direction is posterior (+y): Image Orientation (Patient) 1\0\0\0\1\0.
#[derive(Debug, Clone)]
pub struct Canvas<const C: usize> {
    /// Pixels per row.
    pub columns: usize,
    /// Rows.
    pub rows: usize,
    /// Pixel size in mm, both ways.
    pub spacing_mm: f32,
    /// Centre of the first pixel, patient mm.
    pub origin_mm: Vec3,
    /// Width of the soft edge in mm: the larger of pixel and slice.
    pub edge_mm: f32,
    /// Row by row.
    pub data: Vec<[f32; C]>,
}

/// A rectangle in patient mm: x from, x to, y from, y to.
pub type Bounds = [f32; 4];

impl<const C: usize> Canvas<C> {
    /// A slice centred on (0, `centre_y`) at height `z`, filled with `background`.
    pub fn new(size: [usize; 2], spacing_mm: f32, centre_y: f32, z: f32, background: [f32; C]) -> Self {
        let [columns, rows] = size;
        let first = |count: usize| -(count as f32 - 1.0) / 2.0 * spacing_mm;
        Self {
            columns,
            rows,
            spacing_mm,
            origin_mm: Vec3::new(first(columns), centre_y + first(rows), z),
            edge_mm: spacing_mm,
            data: vec![background; columns * rows],
        }
    }

    /// Height of the slice, patient mm.
    pub fn z(&self) -> f32 {
        self.origin_mm.z
    }

    fn span(&self, from: f32, to: f32, origin: f32, count: usize) -> std::ops::Range<usize> {
        let low = ((from - origin) / self.spacing_mm - 1.0).floor().clamp(0.0, count as f32) as usize;
        let high = ((to - origin) / self.spacing_mm + 2.0).ceil().clamp(0.0, count as f32) as usize;
        low..high.max(low)
    }

    /// Blends `value` where `distance` (mm, negative inside) says so.
    pub fn paint(&mut self, bounds: Bounds, value: [f32; C], distance: impl Fn(Vec3) -> f32) {
        let soft = 1.0 / self.edge_mm;
        self.blend(bounds, |p| ((0.5 - distance(p) * soft).clamp(0.0, 1.0), value));
    }

    /// Blends with a share (0 to 1) and a value that both depend on the place.
    pub fn blend(&mut self, bounds: Bounds, brush: impl Fn(Vec3) -> (f32, [f32; C])) {
        let columns = self.span(bounds[0], bounds[1], self.origin_mm.x, self.columns);
        for row in self.span(bounds[2], bounds[3], self.origin_mm.y, self.rows) {
            let y = self.origin_mm.y + row as f32 * self.spacing_mm;
            let line = &mut self.data[row * self.columns..(row + 1) * self.columns];
            for (column, pixel) in line.iter_mut().enumerate().take(columns.end).skip(columns.start) {
                let p = Vec3::new(self.origin_mm.x + column as f32 * self.spacing_mm, y, self.origin_mm.z);
                let (share, value) = brush(p);
                if share > 0.0 {
                    for (to, from) in pixel.iter_mut().zip(value) {
                        *to += (from - *to) * share;
                    }
                }
            }
        }
    }

    /// A light blur (the system's point spread), weights 1-`2w`, `w`, `w` in rows and columns.
    pub fn blur(&mut self, w: f32) {
        let mut line = vec![[0.0f32; C]; self.columns.max(self.rows)];
        for row in self.data.chunks_mut(self.columns) {
            smooth(row, &mut line, w, 1, self.columns);
        }
        for column in 0..self.columns {
            smooth(&mut self.data[column..], &mut line, w, self.columns, self.rows);
        }
    }
}

fn smooth<const C: usize>(data: &mut [[f32; C]], line: &mut [[f32; C]], w: f32, stride: usize, count: usize) {
    for i in 0..count {
        line[i] = data[i * stride];
    }
    for i in 1..count.saturating_sub(1) {
        let to = &mut data[i * stride];
        for c in 0..C {
            to[c] = line[i][c] * (1.0 - 2.0 * w) + (line[i - 1][c] + line[i + 1][c]) * w;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_disc_has_its_area_and_place() {
        let mut canvas = Canvas::new([101, 81], 0.5, 4.0, 7.0, [0.0]);
        let centre = Vec3::new(3.0, 2.0, 7.0);
        canvas.paint([-7.0, 13.0, -8.0, 12.0], [1.0], |p| (p - centre).length() - 8.0);
        let area: f32 = canvas.data.iter().map(|v| v[0]).sum::<f32>() * 0.25;
        assert!((area - std::f32::consts::PI * 64.0).abs() < 1.0, "{area}");
        let mean = canvas.data.iter().enumerate().map(|(i, v)| (i % 101) as f32 * v[0]).sum::<f32>() * 0.25 / area;
        assert!((canvas.origin_mm.x + mean * 0.5 - 3.0).abs() < 0.05, "x is patient left");
        canvas.blur(0.2);
        let after: f32 = canvas.data.iter().map(|v| v[0]).sum::<f32>() * 0.25;
        assert!((after - area).abs() < 0.01);
    }

    #[test]
    fn bounds_outside_the_slice_paint_nothing() {
        let mut canvas = Canvas::new([10, 10], 1.0, 0.0, 0.0, [0.0]);
        canvas.paint([50.0, 60.0, 50.0, 60.0], [1.0], |_| -1.0);
        canvas.paint([-60.0, -50.0, -60.0, -50.0], [1.0], |_| -1.0);
        assert!(canvas.data.iter().all(|v| v[0] == 0.0));
    }
}

//! What an object lays over a picture, drawn: areas, outlines, texts.

use super::overlay::line;
use super::theme;
use crate::viewport::{Area, Geometry, Laid};
use egui::{
    Align2, Color32, ColorImage, Mesh, Painter, Pos2, Rect, Shape, Stroke, TextureHandle, TextureOptions, pos2, vec2,
};
use glam::{DAffine2, DVec2};

/// How much of the picture an area covers: little, since its border tells where it is.
const OPACITY: f32 = 0.22;
/// Most stretches of borders over one frame; areas beyond have none.
const MOST_STRETCHES: usize = 20_000;

/// What is laid over a frame, with its areas on the device.
#[derive(Default)]
pub struct LaidDrawn {
    laid: Laid,
    sheets: Vec<Sheet>,
    borders: Vec<Border>,
}

/// An area's border: stretches in pixel positions of the frame.
struct Border {
    color: Color32,
    stretches: Vec<[[f64; 2]; 2]>,
}

/// All areas on one grid.
struct Sheet {
    size: [u32; 2],
    frame_from_own: DAffine2,
    texture: TextureHandle,
}

impl std::fmt::Debug for LaidDrawn {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("LaidDrawn").field("sheets", &self.sheets.len()).finish_non_exhaustive()
    }
}

impl LaidDrawn {
    /// Brings the areas to the device.
    pub fn new(ctx: &egui::Context, laid: Laid) -> Self {
        let mut grids: Vec<([u32; 2], DAffine2, ColorImage)> = Vec::new();
        for area in &laid.areas {
            let same = |g: &&mut ([u32; 2], DAffine2, ColorImage)| g.0 == area.size && g.1 == area.frame_from_own;
            match grids.iter_mut().find(same) {
                Some((_, _, image)) => fill(image, area),
                None => {
                    let size = area.size.map(|v| v as usize);
                    let most = ctx.input(|i| i.max_texture_side);
                    if size.iter().any(|v| *v == 0 || *v > most) {
                        continue;
                    }
                    let mut image = ColorImage::filled(size, Color32::TRANSPARENT);
                    fill(&mut image, area);
                    grids.push((area.size, area.frame_from_own, image));
                }
            }
        }
        let sheet = |(size, frame_from_own, image)| Sheet {
            size,
            frame_from_own,
            texture: ctx.load_texture("laid", image, TextureOptions::NEAREST),
        };
        let mut left = MOST_STRETCHES;
        let border = |area: &Area| {
            let own = area.border(left);
            left -= own.len();
            let to_frame = |[a, b]: [[f64; 2]; 2]| {
                [a, b].map(|p| area.frame_from_own.transform_point2(DVec2::from_array(p)).to_array())
            };
            Border { color: theme::recommended(area.rgb, 255), stretches: own.into_iter().map(to_frame).collect() }
        };
        let borders = laid.areas.iter().map(border).collect();
        Self { sheets: grids.into_iter().map(sheet).collect(), borders, laid }
    }

    /// Whether there is nothing to draw.
    pub fn is_empty(&self) -> bool {
        self.laid == Laid::default()
    }

    /// Draws it over the picture that lies in `rect`.
    pub(super) fn paint(&self, painter: &Painter, rect: Rect, geometry: &Geometry) {
        let ppp = painter.pixels_per_point();
        let at = |pixel: [f64; 2]| -> Pos2 {
            let [x, y] = geometry.screen_from_pixel(pixel);
            rect.min + vec2(x as f32, y as f32) / ppp
        };
        for sheet in &self.sheets {
            let [columns, rows] = sheet.size.map(f64::from);
            let mut mesh = Mesh::with_texture(sheet.texture.id());
            for (x, y, u, v) in [(0.0, 0.0, 0.0, 0.0), (1.0, 0.0, 1.0, 0.0), (1.0, 1.0, 1.0, 1.0), (0.0, 1.0, 0.0, 1.0)]
            {
                let own = DVec2::new(x * columns - 0.5, y * rows - 0.5);
                let pos = at(sheet.frame_from_own.transform_point2(own).to_array());
                mesh.vertices.push(egui::epaint::Vertex { pos, uv: pos2(u, v), color: theme::UNTINTED });
            }
            mesh.indices.extend([0, 1, 2, 0, 2, 3]);
            painter.add(Shape::mesh(mesh));
        }
        for Border { color, stretches } in &self.borders {
            let stroke = Stroke::new(1.0, *color);
            painter.extend(stretches.iter().map(|[a, b]| Shape::line_segment([at(*a), at(*b)], stroke)));
        }
        for outline in &self.laid.outlines {
            let color = outline.rgb.map_or(theme::MARK, |rgb| theme::recommended(rgb, 255));
            let points: Vec<Pos2> = outline.points.iter().map(|p| at(*p)).collect();
            if let [one] = points.as_slice() {
                for d in [vec2(5.0, 0.0), vec2(0.0, 5.0)] {
                    painter.line_segment([*one - d, *one + d], Stroke::new(1.0, color));
                }
            } else {
                let shape = |stroke| {
                    if outline.closed {
                        Shape::closed_line(points.clone(), stroke)
                    } else {
                        Shape::line(points.clone(), stroke)
                    }
                };
                painter.add(shape(Stroke::new(3.5, theme::SURROUND)));
                painter.add(shape(Stroke::new(1.5, color)));
            }
        }
        for text in &self.laid.texts {
            let color = text.rgb.map_or(theme::MARK, |rgb| theme::recommended(rgb, 255));
            let start = at(text.at);
            for (n, part) in text.text.lines().enumerate() {
                let y = start.y + n as f32 * (theme::CAPTION + 3.0);
                line(painter, pos2(start.x, y), Align2::LEFT_TOP, part, color, rect.width());
            }
        }
    }
}

/// An area's pixels, over what is there.
fn fill(image: &mut ColorImage, area: &Area) {
    let width = image.width();
    for span in &area.spans {
        let start = usize::from(span.row) * width + usize::from(span.start);
        let end = (start + usize::from(span.length)).min((usize::from(span.row) + 1) * width);
        let alpha = (f32::from(span.share) * OPACITY).round() as u8;
        let color = theme::recommended(area.rgb, alpha);
        for pixel in image.pixels.get_mut(start..end).into_iter().flatten() {
            *pixel = color;
        }
    }
}

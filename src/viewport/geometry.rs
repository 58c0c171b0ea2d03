//! Where each image pixel lies on the screen, and back. Pure arithmetic, shared by drawing, tools and texts.
//!
//! *Pixel* space: (column, row) of the frame, whole numbers at pixel centres, so that the picture covers
//! −0.5 … columns − 0.5. *Screen* space: physical pixels of the viewport from its top left corner, pixel `i`
//! covering `i … i + 1`.

use super::{ViewPresentation, Zoom};
use glam::{DAffine2, DMat2, DVec2};

/// Smallest and largest screen pixels per image pixel that a reader can reach.
pub const ZOOM_RANGE: [f64; 2] = [0.01, 64.0];

/// One viewport's geometry.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Geometry {
    viewport: DVec2,
    image: DVec2,
    aspect: f64,
    view: ViewPresentation,
    scale: f64,
    screen_from_pixel: DAffine2,
}

impl Geometry {
    /// Lays a picture of `columns` × `rows` into a viewport of `viewport_px` physical pixels.
    ///
    /// `pixel_aspect` is the width of an image pixel over its height; nonsense counts as 1. The picture's
    /// corner always falls on a whole screen pixel: at 1:1 each image pixel is exactly one screen pixel.
    pub fn new(viewport_px: [f64; 2], columns: u32, rows: u32, pixel_aspect: f64, view: ViewPresentation) -> Self {
        let viewport = DVec2::from_array(viewport_px).max(DVec2::ONE);
        let image = DVec2::new(f64::from(columns.max(1)), f64::from(rows.max(1)));
        let aspect = if pixel_aspect.is_finite() && pixel_aspect > 0.0 { pixel_aspect } else { 1.0 };
        let mut geometry = Self { viewport, image, aspect, view, scale: 1.0, screen_from_pixel: DAffine2::IDENTITY };
        geometry.scale = match view.zoom {
            Zoom::PixelScale(s) if s.is_finite() && s > 0.0 => s,
            Zoom::Area(size) if size.iter().all(|s| s.is_finite() && *s > 0.0) => geometry.scale_of(size.into()),
            _ => geometry.fit_scale(),
        };
        geometry.screen_from_pixel = geometry.placed(geometry.scale, DVec2::from_array(view.pan_px), true);
        geometry
    }

    /// Scale at which the whole picture just fits.
    pub fn fit_scale(&self) -> f64 {
        let size = self.turned(self.image * self.axis_factor());
        (self.viewport / size).min_element()
    }

    /// Scale at which a part of this size just fits.
    fn scale_of(&self, pixels: DVec2) -> f64 {
        let size = self.turned(pixels * self.axis_factor());
        (self.viewport / size).min_element().clamp(ZOOM_RANGE[0], ZOOM_RANGE[1])
    }

    /// Width and height of the viewport, physical pixels.
    pub fn viewport(&self) -> [f64; 2] {
        self.viewport.to_array()
    }

    /// The presentation it was made from.
    pub fn view(&self) -> ViewPresentation {
        self.view
    }

    /// The pixel position, or the nearest one on the picture.
    pub fn held(&self, pixel: [f64; 2]) -> [f64; 2] {
        let p = DVec2::from_array(pixel);
        if !p.is_finite() {
            return [0.0; 2];
        }
        // A hair inside the right and bottom edges, which no longer belong to the picture.
        p.clamp(DVec2::splat(-0.5), self.image - 0.501).to_array()
    }

    /// Screen pixels per image pixel (of the smaller spacing direction).
    pub fn scale(&self) -> f64 {
        self.scale
    }

    /// Screen pixels per image pixel along columns and rows.
    pub fn axis_scale(&self) -> [f64; 2] {
        (self.axis_factor() * self.scale).to_array()
    }

    /// Screen position of a pixel position.
    pub fn screen_from_pixel(&self, pixel: [f64; 2]) -> [f64; 2] {
        self.screen_from_pixel.transform_point2(pixel.into()).to_array()
    }

    /// Pixel position under a screen position; may lie outside the picture.
    pub fn pixel_from_screen(&self, screen: [f64; 2]) -> [f64; 2] {
        self.pixel_from_screen_affine().transform_point2(screen.into()).to_array()
    }

    /// The map from screen to pixel space, for the shader.
    pub fn pixel_from_screen_affine(&self) -> DAffine2 {
        self.screen_from_pixel.inverse()
    }

    /// Whether a pixel position lies on the picture.
    pub fn contains(&self, pixel: [f64; 2]) -> bool {
        let p = DVec2::from_array(pixel);
        p.is_finite() && p.cmpge(DVec2::splat(-0.5)).all() && p.cmplt(self.image - 0.5).all()
    }

    /// The picture's rectangle on the screen: left, top, right, bottom; may reach beyond the viewport.
    pub fn picture_rect(&self) -> [f64; 4] {
        let a = self.screen_from_pixel.transform_point2(DVec2::splat(-0.5));
        let b = self.screen_from_pixel.transform_point2(self.image - 0.5);
        let (low, high) = (a.min(b), a.max(b));
        [low.x, low.y, high.x, high.y]
    }

    /// Zoom and shift after scaling by `factor` with the point under `anchor` (screen) held in place.
    pub fn zoomed(&self, factor: f64, anchor: [f64; 2]) -> (Zoom, [f64; 2]) {
        if !(factor.is_finite() && factor > 0.0) {
            return (self.view.zoom, self.view.pan_px);
        }
        let scale = (self.scale * factor).clamp(ZOOM_RANGE[0], ZOOM_RANGE[1]);
        self.zoomed_to(scale, anchor)
    }

    /// Zoom and shift at this scale with the point under `anchor` (screen) held in place.
    pub fn zoomed_to(&self, scale: f64, anchor: [f64; 2]) -> (Zoom, [f64; 2]) {
        let held = DVec2::from_array(self.pixel_from_screen(anchor));
        let unmoved = self.placed(scale, DVec2::ZERO, false);
        let pan = unmoved.inverse().transform_point2(anchor.into()) - held;
        (Zoom::PixelScale(scale), self.kept_in_reach(pan, scale).to_array())
    }

    /// Shift after moving the picture by a distance on the screen.
    pub fn panned(&self, by_screen: [f64; 2]) -> [f64; 2] {
        let by = self.screen_from_pixel.matrix2.inverse() * DVec2::from_array(by_screen);
        self.kept_in_reach(DVec2::from_array(self.view.pan_px) + by, self.scale).to_array()
    }

    /// Unit direction in pixel space (column, row) that points to the screen's right, bottom.
    pub fn pixel_directions(&self) -> [[f64; 2]; 2] {
        let inverse = self.screen_from_pixel.matrix2.inverse();
        [DVec2::X, DVec2::Y].map(|d| (inverse * d).normalize_or_zero().to_array())
    }

    /// The picture stays within a picture's or a viewport's length of its place, so that it is never lost.
    fn kept_in_reach(&self, pan: DVec2, scale: f64) -> DVec2 {
        let axis = (self.axis_factor() * scale).max(DVec2::splat(1e-9));
        let reach = self.image.max(DVec2::splat(self.viewport.max_element()) / axis);
        pan.clamp(-reach, reach)
    }

    /// Scale of columns and rows at scale 1: the direction of smaller spacing is 1.
    fn axis_factor(&self) -> DVec2 {
        if self.aspect >= 1.0 { DVec2::new(self.aspect, 1.0) } else { DVec2::new(1.0, 1.0 / self.aspect) }
    }

    fn turned(&self, size: DVec2) -> DVec2 {
        if self.view.quarter_turns % 2 == 1 { DVec2::new(size.y, size.x) } else { size }
    }

    fn placed(&self, scale: f64, pan_px: DVec2, whole: bool) -> DAffine2 {
        let axis = self.axis_factor() * scale;
        let mirror = DVec2::new(
            if self.view.flip_horizontal { -1.0 } else { 1.0 },
            if self.view.flip_vertical { -1.0 } else { 1.0 },
        );
        // A quarter turn clockwise on a screen whose y runs down takes right to down: (x, y) → (−y, x).
        let turn = match self.view.quarter_turns % 4 {
            0 => DMat2::IDENTITY,
            1 => DMat2::from_cols(DVec2::Y, DVec2::NEG_X),
            2 => DMat2::from_diagonal(DVec2::NEG_ONE),
            _ => DMat2::from_cols(DVec2::NEG_Y, DVec2::X),
        };
        let linear = turn * DMat2::from_diagonal(mirror * axis);
        let size = self.turned(self.image * axis);
        let place = DVec2::new(
            match self.view.justify {
                j if j < 0 => size.x / 2.0,
                0 => self.viewport.x / 2.0,
                _ => self.viewport.x - size.x / 2.0,
            },
            self.viewport.y / 2.0,
        );
        let middle = self.image / 2.0 - 0.5;
        let mut shift = place - linear * middle + linear * pan_px;
        if whole {
            // The corner of the picture onto a whole screen pixel.
            let center = linear * middle + shift;
            let corner = center - size / 2.0;
            shift += corner.round() - corner;
        }
        DAffine2 { matrix2: linear, translation: shift }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn view(zoom: Zoom, turns: u8, h: bool, v: bool) -> ViewPresentation {
        ViewPresentation {
            zoom,
            quarter_turns: turns,
            flip_horizontal: h,
            flip_vertical: v,
            ..ViewPresentation::default()
        }
    }

    #[test]
    fn one_to_one_falls_on_whole_pixels() {
        let g = Geometry::new([101.0, 77.0], 64, 32, 1.0, view(Zoom::PixelScale(1.0), 0, false, false));
        let [x, y] = g.screen_from_pixel([0.0, 0.0]);
        assert_eq!((x.fract(), y.fract()), (0.5, 0.5));
        assert_eq!(g.screen_from_pixel([3.0, 2.0]), [x + 3.0, y + 2.0]);
    }

    #[test]
    fn a_turn_takes_the_top_left_to_the_top_right() {
        let g = Geometry::new([20.0, 20.0], 20, 20, 1.0, view(Zoom::Fit, 1, false, false));
        assert_eq!(g.screen_from_pixel([0.0, 0.0]), [19.5, 0.5]);
        assert_eq!(g.screen_from_pixel([19.0, 0.0]), [19.5, 19.5]);
        // Mirrored first, then turned.
        let g = Geometry::new([20.0, 20.0], 20, 20, 1.0, view(Zoom::Fit, 1, true, false));
        assert_eq!(g.screen_from_pixel([0.0, 0.0]), [19.5, 19.5]);
    }

    #[test]
    fn fit_and_justify() {
        let tall = ViewPresentation { justify: 1, ..ViewPresentation::default() };
        let g = Geometry::new([400.0, 400.0], 300, 400, 1.0, tall);
        assert_eq!((g.scale(), g.picture_rect()), (1.0, [100.0, 0.0, 400.0, 400.0]));
        let left = ViewPresentation { justify: -1, ..tall };
        assert_eq!(Geometry::new([400.0, 400.0], 300, 400, 1.0, left).picture_rect(), [0.0, 0.0, 300.0, 400.0]);
        // Pixels twice as wide as high.
        let g = Geometry::new([400.0, 400.0], 100, 100, 2.0, ViewPresentation::default());
        assert_eq!(g.axis_scale(), [4.0, 2.0]);
        assert_eq!(g.picture_rect(), [0.0, 100.0, 400.0, 300.0]);
    }

    #[test]
    fn nothing_and_nonsense_are_survived() {
        let bad = ViewPresentation { zoom: Zoom::PixelScale(f64::NAN), ..ViewPresentation::default() };
        let g = Geometry::new([0.0, 0.0], 0, 0, f64::NAN, bad);
        assert!(g.scale().is_finite() && g.screen_from_pixel([0.0, 0.0]).iter().all(|v| v.is_finite()));
        assert!(!g.contains([f64::NAN, 0.0]));
    }

    proptest! {
        #[test]
        fn there_and_back(
            size in (50.0..4000.0f64, 50.0..4000.0f64), columns in 1u32..5000, rows in 1u32..5000,
            aspect in 0.2..5.0f64, scale in 0.02..30.0f64, fit in any::<bool>(), turns in 0u8..4,
            h in any::<bool>(), v in any::<bool>(), justify in -1i8..=1, at in (-100.0..5000.0f64, -100.0..5000.0f64),
            pan in (-500.0..500.0f64, -500.0..500.0f64),
        ) {
            let zoom = if fit { Zoom::Fit } else { Zoom::PixelScale(scale) };
            let view = ViewPresentation { pan_px: [pan.0, pan.1], justify, ..view(zoom, turns, h, v) };
            let g = Geometry::new([size.0, size.1], columns, rows, aspect, view);
            let back = g.pixel_from_screen(g.screen_from_pixel([at.0, at.1]));
            prop_assert!((back[0] - at.0).abs() < 1e-6 && (back[1] - at.1).abs() < 1e-6);
            // The corner lies on a whole pixel.
            let rect = g.picture_rect();
            prop_assert!((rect[0] - rect[0].round()).abs() < 1e-6 && (rect[1] - rect[1].round()).abs() < 1e-6);
        }

        #[test]
        fn fitted_lies_inside_and_touches(
            size in (50.0..4000.0f64, 50.0..4000.0f64), columns in 1u32..5000, rows in 1u32..5000, turns in 0u8..4,
        ) {
            let g = Geometry::new([size.0, size.1], columns, rows, 1.0, view(Zoom::Fit, turns, false, false));
            let [l, t, r, b] = g.picture_rect();
            prop_assert!(l > -0.51 && t > -0.51 && r < size.0 + 0.51 && b < size.1 + 0.51);
            prop_assert!(((r - l) - size.0).abs() < 1e-6 || ((b - t) - size.1).abs() < 1e-6);
        }

        #[test]
        fn zoom_holds_the_point_under_the_pointer(
            anchor in (0.0..800.0f64, 0.0..600.0f64), factor in 0.3..3.0f64, turns in 0u8..4, h in any::<bool>(),
            justify in -1i8..=1,
        ) {
            let view = ViewPresentation { justify, ..view(Zoom::Fit, turns, h, false) };
            let g = Geometry::new([800.0, 600.0], 512, 512, 1.0, view);
            let anchor = [anchor.0, anchor.1];
            let held = g.pixel_from_screen(anchor);
            prop_assume!(g.contains(held));
            let (zoom, pan_px) = g.zoomed(factor, anchor);
            let after = Geometry::new([800.0, 600.0], 512, 512, 1.0, ViewPresentation { zoom, pan_px, ..view });
            let now = after.screen_from_pixel(held);
            // Within the snap to whole pixels.
            prop_assert!((now[0] - anchor[0]).abs() < 0.51 && (now[1] - anchor[1]).abs() < 0.51);
        }

        #[test]
        fn pan_moves_by_what_the_hand_moved(by in (-200.0..200.0f64, -200.0..200.0f64), turns in 0u8..4, v in any::<bool>()) {
            let view = view(Zoom::PixelScale(2.0), turns, false, v);
            let g = Geometry::new([800.0, 600.0], 512, 512, 1.0, view);
            let pan_px = g.panned([by.0, by.1]);
            let after = Geometry::new([800.0, 600.0], 512, 512, 1.0, ViewPresentation { pan_px, ..view });
            let (a, b) = (g.screen_from_pixel([9.0, 9.0]), after.screen_from_pixel([9.0, 9.0]));
            prop_assert!((b[0] - a[0] - by.0).abs() < 1.01 && (b[1] - a[1] - by.1).abs() < 1.01);
        }
    }
}

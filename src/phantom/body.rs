//! The trunk from neck to pelvis as implicit surfaces, in mm: +x patient left, +y posterior, +z towards the head;
//! z = 0 at the centres of the femoral heads.
//!
//! This file holds the large shapes (body wall, cage, diaphragm, lungs, mediastinum); organs, bones and vessels have files of
//! their own and lean on these.

use glam::Vec3;

use super::canvas::{Bounds, Canvas};
use super::field::{fractal, noise, smax, smin, smoothstep, table};
use super::tissue::Tissue;

/// Superellipse about (0, `centre_y`) with half width `a`, half depth `b`, exponent `n`: distance along the ray, mm.
#[inline]
fn superellipse(x: f32, y: f32, a: f32, b: f32, n: f32) -> f32 {
    let (u, v) = ((x / a).abs(), (y / b).abs());
    let f = (u.powf(n) + v.powf(n)).powf(1.0 / n);
    let r = (x * x + y * y).sqrt();
    if f < 1e-4 { -a.min(b) } else { r * (1.0 - 1.0 / f) }
}

/// The shapes of one slice that many structures ask for, computed once per height.
#[derive(Debug, Clone, Copy)]
pub struct Level {
    /// Height, mm.
    pub z: f32,
    skin: [f32; 4],
    wall: [f32; 4],
    cage: [f32; 3],
    mediastinum: [f32; 2],
    spine_y: f32,
}

/// Half width, half depth, centre y and exponent of the skin.
const SKIN: &[(f32, [f32; 4])] = &[
    (-220.0, [150.0, 92.0, 4.0, 2.6]),
    (-60.0, [174.0, 104.0, 4.0, 2.5]),
    (0.0, [178.0, 108.0, 4.0, 2.5]),
    (60.0, [176.0, 110.0, 5.0, 2.5]),
    (120.0, [168.0, 108.0, 3.0, 2.4]),
    (180.0, [158.0, 106.0, 0.0, 2.35]),
    (250.0, [155.0, 108.0, -2.0, 2.3]),
    (330.0, [159.0, 110.0, -2.0, 2.3]),
    (420.0, [166.0, 112.0, -3.0, 2.4]),
    (480.0, [173.0, 109.0, 2.0, 2.45]),
    (520.0, [182.0, 102.0, 8.0, 2.5]),
    (550.0, [184.0, 90.0, 17.0, 2.45]),
    (572.0, [162.0, 78.0, 24.0, 2.2]),
    (590.0, [118.0, 69.0, 26.0, 2.05]),
    (606.0, [82.0, 64.0, 23.0, 2.0]),
    (622.0, [67.0, 62.0, 19.0, 2.05]),
    (645.0, [62.0, 63.0, 14.0, 2.1]),
    (700.0, [64.0, 66.0, 10.0, 2.1]),
];

/// Half width, half depth, centre y and exponent of the peritoneal cavity (below) and the cage's inside (above).
const WALL: &[(f32, [f32; 4])] = &[
    (-30.0, [44.0, 44.0, -6.0, 2.2]),
    (20.0, [58.0, 66.0, -2.0, 2.3]),
    (60.0, [70.0, 74.0, -4.0, 2.3]),
    (100.0, [96.0, 78.0, -8.0, 2.3]),
    (140.0, [118.0, 78.0, -14.0, 2.3]),
    (180.0, [124.0, 78.0, -14.0, 2.3]),
    (250.0, [126.0, 82.0, -10.0, 2.3]),
    (310.0, [130.0, 86.0, -6.0, 2.3]),
    (360.0, [134.0, 90.0, -4.0, 2.3]),
    (420.0, [135.0, 90.0, -4.0, 2.3]),
];

/// Half width, half depth and centre y of the inside of the thoracic cage.
const CAGE: &[(f32, [f32; 3])] = &[
    (280.0, [130.0, 82.0, -6.0]),
    (330.0, [133.0, 87.0, -5.0]),
    (380.0, [136.0, 90.0, -4.0]),
    (430.0, [135.0, 90.0, -4.0]),
    (480.0, [126.0, 86.0, 3.0]),
    (520.0, [109.0, 75.0, 13.0]),
    (550.0, [86.0, 60.0, 23.0]),
    (570.0, [62.0, 46.0, 30.0]),
    (584.0, [42.0, 32.0, 33.0]),
    (592.0, [20.0, 16.0, 34.0]),
];

/// Half width and anterior reach (y) of the mediastinum between the lungs.
const MEDIASTINUM: &[(f32, [f32; 2])] = &[
    (360.0, [30.0, -84.0]),
    (400.0, [27.0, -84.0]),
    (450.0, [25.0, -82.0]),
    (490.0, [26.0, -74.0]),
    (530.0, [26.0, -56.0]),
    (560.0, [22.0, -24.0]),
    (590.0, [18.0, 5.0]),
];

/// Centre y of the vertebral bodies.
const SPINE: &[(f32, [f32; 1])] = &[
    (-40.0, [66.0]),
    (20.0, [82.0]),
    (60.0, [78.0]),
    (95.0, [62.0]),
    (125.0, [44.0]),
    (160.0, [34.0]),
    (210.0, [30.0]),
    (270.0, [34.0]),
    (340.0, [45.0]),
    (420.0, [55.0]),
    (490.0, [54.0]),
    (550.0, [42.0]),
    (600.0, [24.0]),
    (640.0, [15.0]),
    (700.0, [12.0]),
];

/// Centre of the vertebral bodies at a height.
pub fn spine_y(z: f32) -> f32 {
    table(z, SPINE)[0]
}

/// Half width, half depth and centre y of the cage's inside.
pub fn cage_at(z: f32) -> [f32; 3] {
    table(z, CAGE)
}

/// Height of the diaphragm over a point, mm.
pub fn diaphragm(x: f32, y: f32) -> f32 {
    let dome = |cx: f32, top: f32| {
        let (dx, dy) = ((x - cx) / 64.0, y - 2.0);
        let depth = if dy > 0.0 { (dy / 78.0).powi(2) * 74.0 } else { (dy / 88.0).powi(2) * 46.0 };
        top - dx * dx * if (x - cx) * cx > 0.0 { 62.0 } else { 20.0 } - depth
    };
    let ripple = 2.5 * noise(Vec3::new(x, y, 0.0) / 38.0, 71);
    smax(smax(dome(-66.0, 388.0), dome(68.0, 374.0), 18.0), dome(16.0, 386.0) - 2.0, 12.0) + ripple
}

/// Heart with the roots of the great vessels, outer distance.
pub fn heart(p: Vec3) -> f32 {
    use super::field::ellipsoid;
    let rot = |q: Vec3| {
        // Long axis from upper right back to lower left front.
        let (s, c) = 0.62f32.sin_cos();
        let r = Vec3::new(q.x * c - q.y * s, q.x * s + q.y * c, q.z);
        let (s, c) = 0.35f32.sin_cos();
        Vec3::new(r.x * c - r.z * s, r.y, r.x * s + r.z * c)
    };
    let left = ellipsoid(rot(p - Vec3::new(40.0, -26.0, 420.0)), Vec3::new(46.0, 31.0, 33.0));
    let right = ellipsoid(p - Vec3::new(4.0, -52.0, 418.0), Vec3::new(42.0, 26.0, 33.0));
    let atrium = ellipsoid(p - Vec3::new(-30.0, -26.0, 424.0), Vec3::new(25.0, 28.0, 33.0));
    let back = ellipsoid(p - Vec3::new(6.0, 8.0, 446.0), Vec3::new(36.0, 20.0, 23.0));
    smin(smin(left, right, 14.0), smin(atrium, back, 14.0), 16.0)
}

impl Level {
    /// Looks up the tables.
    pub fn at(z: f32) -> Self {
        Self {
            z,
            skin: table(z, SKIN),
            wall: table(z, WALL),
            cage: table(z, CAGE),
            mediastinum: table(z, MEDIASTINUM),
            spine_y: spine_y(z),
        }
    }

    /// Distance to the skin.
    pub fn skin(&self, p: Vec3) -> f32 {
        let [a, b, cy, n] = self.skin;
        let (x, y) = (p.x, p.y - cy);
        let mut d = superellipse(x, y, a, b, n);
        // Furrow over the spine, cleft between the buttocks, hollow above the collar bones.
        let back = smoothstep(0.0, 60.0, y);
        let furrow =
            7.0 * smoothstep(90.0, 160.0, p.z) * (1.0 - smoothstep(480.0, 560.0, p.z)) * (-(x / 17.0).powi(2)).exp();
        let cleft = 34.0 * (1.0 - smoothstep(20.0, 110.0, p.z)) * (-(x / 11.0).powi(2)).exp();
        d += back * (furrow + cleft);
        let navel = (-((x / 7.0).powi(2) + ((p.z - 172.0) / 8.0).powi(2))).exp();
        d += 9.0 * navel * smoothstep(0.0, 60.0, -y);
        let chest = smoothstep(420.0, 470.0, p.z) * (1.0 - smoothstep(500.0, 540.0, p.z));
        if p.z < -10.0 {
            // Two thighs.
            d = smax(d, 16.0 * smoothstep(10.0, 130.0, -p.z) - p.x.abs(), 14.0);
        }
        d -= 6.0 * chest * smoothstep(0.0, 60.0, -y) * (-((x.abs() - 78.0) / 42.0).powi(2)).exp();
        d
    }

    /// Thickness of the fat under the skin.
    pub fn fat_mm(&self, p: Vec3) -> f32 {
        let y = (p.y - self.skin[2]) / self.skin[1];
        let side = (p.x / self.skin[0]).abs();
        let belly = smoothstep(60.0, 120.0, p.z) * (1.0 - smoothstep(260.0, 360.0, p.z));
        let hips = 1.0 - smoothstep(60.0, 170.0, p.z);
        let neck = smoothstep(560.0, 610.0, p.z);
        let front = smoothstep(0.1, 0.8, -y);
        let back = smoothstep(0.1, 0.8, y);
        let base =
            8.0 + 11.0 * belly * front + 6.0 * belly * side * side + 12.0 * hips * (0.5 + 0.6 * back) + 5.0 * back;
        (base * (1.0 - 0.55 * neck)) * (1.0 + 0.22 * noise(p / 46.0, 11))
    }

    /// Distance to the inside of the body wall (peritoneum or pleura).
    pub fn cavity(&self, p: Vec3) -> f32 {
        let [a, b, cy, n] = self.wall;
        let below = superellipse(p.x, p.y - cy, a, b, n);
        if self.z < 300.0 {
            return below + 90.0 * smoothstep(15.0, 50.0, -self.z);
        }
        let above = self.cage(p);
        let t = smoothstep(300.0, 360.0, self.z);
        below + (above - below) * t
    }

    /// Distance to the inside of the thoracic cage.
    pub fn cage(&self, p: Vec3) -> f32 {
        let [a, b, cy] = self.cage;
        superellipse(p.x, p.y - cy, a, b, 2.25)
    }

    /// Distance to the mediastinum, spine and heart included: what the lungs leave free.
    pub fn mediastinum(&self, p: Vec3) -> f32 {
        let [half, front] = self.mediastinum;
        let taper = smoothstep(0.0, 1.0, (p.y - front) / 60.0);
        let width = half * (0.25 + 0.75 * taper) * (1.0 + 0.12 * noise(p / 30.0, 41));
        let wall = p.x.abs() - width;
        let column = ((p.x / 1.15).powi(2) + (p.y - self.spine_y - 8.0).powi(2)).sqrt() - 27.0;
        let hilum = ((p.x.abs() - 30.0) / 1.5).hypot((p.y - 6.0) / 1.2).hypot((p.z - 468.0) / 2.0) - 13.0;
        let mut d = smin(wall, column, 14.0);
        d = smin(d, hilum, 14.0);
        if (360.0..490.0).contains(&self.z) {
            d = smin(d, heart(p) - 4.0, 12.0);
        }
        d
    }

    /// Distance to the lungs (both).
    pub fn lung(&self, p: Vec3) -> f32 {
        if !(270.0..600.0).contains(&self.z) {
            return 1e3;
        }
        let d = smax(self.cage(p) + 3.0, 2.0 - self.mediastinum(p), 8.0);
        smax(d, (diaphragm(p.x, p.y) - p.z) * 0.62, 5.0)
    }

    /// Paints skin, fat, muscle and what fills the cavities.
    pub fn paint_wall<const C: usize>(&self, canvas: &mut Canvas<C>, palette: &impl Fn(Tissue) -> [f32; C]) {
        let around: Bounds = [
            -self.skin[0] - 12.0,
            self.skin[0] + 12.0,
            self.skin[2] - self.skin[1] - 14.0,
            self.skin[2] + self.skin[1] + 8.0,
        ];
        let edge = 1.0 / canvas.edge_mm;
        let share = |d: f32| (0.5 - d * edge).clamp(0.0, 1.0);
        let values = [Tissue::Skin, Tissue::Fat, Tissue::Muscle, Tissue::VisceralFat].map(palette);
        let background = palette(Tissue::Air);
        let level = *self;
        canvas.blend(around, |p| {
            let skin = level.skin(p);
            let outer = share(skin);
            if outer <= 0.0 {
                return (0.0, background);
            }
            let mut value = values[0];
            let lay = |value: &mut [f32; C], with: [f32; C], s: f32| {
                for (to, from) in value.iter_mut().zip(with) {
                    *to += (from - *to) * s;
                }
            };
            let fat = level.fat_mm(p);
            lay(&mut value, values[1], share(skin + 1.9));
            let muscle = skin + fat;
            if muscle < 3.0 {
                let cavity = level.cavity(p);
                let mut s = share(muscle);
                // Fascial planes: thin sheets of fat between the muscles.
                let sheets = level.fascia(p, cavity);
                s *= 1.0 - 0.8 * sheets;
                lay(&mut value, values[2], s);
                lay(&mut value, values[3], share(cavity + 1.0));
            } else {
                // Septa in the fat.
                let web = fractal(p / Vec3::new(15.0, 15.0, 26.0), 2, 0.5, 19).abs();
                lay(&mut value, values[2], 0.20 * (1.0 - smoothstep(0.0, 0.05, web)));
            }
            (outer, value)
        });
    }

    /// Share of fat between muscles, 0 to 1.
    fn fascia(&self, p: Vec3, cavity: f32) -> f32 {
        let line = |d: f32, w: f32| 1.0 - smoothstep(w * 0.4, w, d.abs());
        let warp = 5.0 * noise(p / 40.0, 23);
        let lateral = smoothstep(0.35, 0.6, (p.x / self.skin[0]).abs())
            * (1.0 - smoothstep(0.2, 0.6, (p.y - self.skin[2]) / self.skin[1]));
        let belly = smoothstep(110.0, 150.0, self.z) * (1.0 - smoothstep(290.0, 330.0, self.z));
        let mut share = belly * lateral * (line(cavity - 6.0, 1.3).max(line(cavity - 12.0 + warp * 0.2, 1.3)));
        // Intermuscular planes elsewhere, from the zero set of a slow noise stretched along the body.
        let q = Vec3::new(p.x.abs(), p.y, p.z * 0.35);
        let planes = noise(q / 34.0 + Vec3::splat(3.3), 29);
        let marbling = fractal(q / 13.0, 2, 0.6, 31);
        let away = smoothstep(3.0, 9.0, cavity);
        share = share.max(away * (1.0 - belly * lateral) * (1.0 - smoothstep(0.025, 0.075, planes.abs())));
        share.max(away * 0.55 * smoothstep(0.42, 0.60, marbling))
    }

    /// Paints lungs with their gravity gradient and fissures, and the muscle of the diaphragm.
    pub fn paint_lungs<const C: usize>(&self, canvas: &mut Canvas<C>, palette: &impl Fn(Tissue) -> [f32; C]) {
        if !(270.0..600.0).contains(&self.z) {
            return;
        }
        let [a, b, cy] = self.cage;
        let bounds = [-a - 4.0, a + 4.0, cy - b - 4.0, cy + b + 4.0];
        let level = *self;
        let muscle = palette(Tissue::Muscle);
        let edge = 1.0 / canvas.edge_mm;
        canvas.blend(bounds, |p| {
            let sheet = (p.z - diaphragm(p.x, p.y) + 1.6).abs() * 0.62 - 1.4;
            let d = sheet.max(level.cage(p)).max(5.0 - level.mediastinum(p));
            ((0.5 - d * edge).clamp(0.0, 1.0), muscle)
        });
        let (lung, soft) = (palette(Tissue::Lung), palette(Tissue::Muscle));
        canvas.blend(bounds, |p| {
            let share = (0.5 - level.lung(p) * edge).clamp(0.0, 1.0);
            if share <= 0.0 {
                return (0.0, lung);
            }
            // Dependent lung is denser; lobular texture; the fissures are sheets of half a millimetre.
            let mut density = 0.016 * (p.y - cy) / b + 0.012 * fractal(p / 9.0, 2, 0.5, 53);
            let oblique = (p.z - 452.0) - (p.y - 10.0) * 0.95 + 7.0 * noise(p / 60.0, 57);
            let minor = p.z - 448.0 + 0.06 * (p.y + 40.0) + 5.0 * noise(p / 55.0, 59);
            let mut fissure = oblique.abs() * 0.72;
            if p.x < 0.0 && oblique > 0.0 {
                fissure = fissure.min(minor.abs());
            }
            density += 0.16 * (1.0 - smoothstep(0.2, 1.5, fissure));
            let mut value = lung;
            for (to, from) in value.iter_mut().zip(soft) {
                *to += (from - *to) * density;
            }
            (share, value)
        });
    }
}

/// Paints the couch: a curved carbon shell over foam under the back.
pub fn paint_couch<const C: usize>(canvas: &mut Canvas<C>, palette: &impl Fn(Tissue) -> [f32; C]) {
    let edge = 1.0 / canvas.edge_mm;
    let shape = |p: Vec3| {
        let top = 121.0 - (p.x / 205.0).powi(2) * 20.0;
        let bottom = 158.0 - (p.x / 205.0).powi(2) * 52.0;
        let d = (top - p.y).max(p.y - bottom);
        smax(d, p.x.abs() - 205.0, 6.0)
    };
    canvas.blend([-215.0, 215.0, 90.0, 165.0], |p| {
        let d = shape(p);
        (
            (0.5 - d * edge).clamp(0.0, 1.0),
            if d > -1.6 { palette(Tissue::CouchShell) } else { palette(Tissue::CouchFoam) },
        )
    });
}

//! Organs of chest and abdomen as implicit surfaces.

use glam::Vec3;

use super::body::{Level, diaphragm, heart};
use super::canvas::Canvas;
use super::field::{capsule, ellipsoid, fractal, noise, smax, smin, smoothstep};
use super::tissue::Tissue;

/// Turns a vector about an axis: 0 x, 1 y, 2 z.
pub fn turn(p: Vec3, axis: usize, angle: f32) -> Vec3 {
    let (s, c) = angle.sin_cos();
    match axis {
        0 => Vec3::new(p.x, p.y * c - p.z * s, p.y * s + p.z * c),
        1 => Vec3::new(p.x * c + p.z * s, p.y, p.z * c - p.x * s),
        _ => Vec3::new(p.x * c - p.y * s, p.x * s + p.y * c, p.z),
    }
}

/// Distance to the liver. It lies under the right dome and thins out to the left.
pub fn liver(level: &Level, p: Vec3) -> f32 {
    if !(225.0..395.0).contains(&p.z) {
        return 1e3;
    }
    let wave = 3.5 * noise(p / 34.0, 101);
    let under = (p.z - diaphragm(p.x, p.y) + 4.0) * 0.75;
    let wall = level.cavity(p) + 5.0;
    let lower = (246.0 + (p.x + 78.0).max(0.0) * 0.60 + (p.y - 30.0).abs() * 0.22 + (-(p.x + 78.0)).max(0.0) * 0.30
        - p.z)
        * 0.78;
    let behind = (p.y - 66.0 + (p.x + 62.0).max(0.0) * 0.78) * 0.79;
    let left = (p.x - 62.0 - (p.z - 330.0) * 0.3) * 0.9;
    let mut d = smax(smax(under, wall, 8.0), smax(lower, behind, 26.0), 16.0);
    d = smax(d, left, 22.0);
    // Fissure of the falciform ligament and the hilum.
    let falciform = ellipsoid(p - Vec3::new(2.0, -62.0, 300.0), Vec3::new(4.0, 30.0, 34.0));
    d = smax(d, -falciform, 6.0);
    let porta = ellipsoid(p - Vec3::new(-22.0, -6.0, 290.0), Vec3::new(24.0, 13.0, 15.0));
    d = smax(d, -porta, 12.0);
    d + wave
}

/// Distance to the spleen.
pub fn spleen(level: &Level, p: Vec3) -> f32 {
    let q = turn(p - Vec3::new(96.0, 36.0, 334.0), 0, 0.35);
    let q = turn(q, 2, 0.55);
    let bean = ellipsoid(q, Vec3::new(31.0, 44.0, 56.0)) + 3.0 * noise(p / 26.0, 107);
    let hollow = ellipsoid(p - Vec3::new(66.0, 18.0, 334.0), Vec3::new(22.0, 34.0, 44.0));
    let d = smax(bean, -hollow, 10.0);
    smax(smax(d, level.cavity(p) + 5.0, 6.0), (p.z - diaphragm(p.x, p.y) + 4.0) * 0.7, 6.0)
}

/// Stations of the stomach's axis with radii.
pub const STOMACH: &[(Vec3, f32)] = &[
    (Vec3::new(58.0, 14.0, 350.0), 28.0),
    (Vec3::new(64.0, -6.0, 332.0), 31.0),
    (Vec3::new(64.0, -30.0, 306.0), 28.0),
    (Vec3::new(54.0, -46.0, 280.0), 24.0),
    (Vec3::new(34.0, -56.0, 262.0), 21.0),
    (Vec3::new(8.0, -56.0, 258.0), 18.0),
    (Vec3::new(-14.0, -48.0, 266.0), 12.0),
    (Vec3::new(-26.0, -40.0, 272.0), 9.0),
];

/// Distance to the stomach's outside.
pub fn stomach(level: &Level, p: Vec3) -> f32 {
    let mut d = f32::MAX;
    for pair in STOMACH.windows(2) {
        d = smin(d, capsule(p, pair[0].0, pair[1].0, pair[0].1, pair[1].1), 8.0);
    }
    let d = smin(d, ellipsoid(p - Vec3::new(-34.0, -32.0, 280.0), Vec3::new(13.0, 12.0, 13.0)), 5.0);
    let d = d + 1.8 * noise(p / 17.0, 113);
    smax(smax(d, level.cavity(p) + 4.0, 5.0), p.z - diaphragm(p.x, p.y) + 5.0, 5.0)
}

/// A kidney: the place in its own frame (x lateral, y posterior, z up) and the distance to its surface.
pub fn kidney(p: Vec3, side: f32) -> (Vec3, f32) {
    let centre = if side > 0.0 { Vec3::new(62.0, 40.0, 272.0) } else { Vec3::new(-64.0, 38.0, 256.0) };
    let mut q = p - centre;
    q.x *= side;
    q = turn(q, 1, -0.22);
    q = turn(q, 2, -0.55);
    let bean = ellipsoid(q, Vec3::new(27.0, 24.0, 54.0)) + 1.2 * noise(p / 19.0, 127);
    let hilum = ellipsoid(q + Vec3::new(27.0, 0.0, 0.0), Vec3::new(17.0, 11.0, 22.0));
    (q, smax(bean, -hilum, 7.0))
}

/// Stations of the pancreas with radii.
const PANCREAS: &[(Vec3, f32)] = &[
    (Vec3::new(-32.0, -14.0, 252.0), 11.0),
    (Vec3::new(-28.0, -20.0, 268.0), 13.0),
    (Vec3::new(-8.0, -26.0, 278.0), 9.0),
    (Vec3::new(16.0, -22.0, 286.0), 8.5),
    (Vec3::new(42.0, -2.0, 296.0), 9.0),
    (Vec3::new(66.0, 16.0, 306.0), 8.0),
];

/// Paints the solid organs, stomach and pelvic organs. Vessels and lesions come later.
pub fn paint<const C: usize>(canvas: &mut Canvas<C>, level: &Level, palette: &impl Fn(Tissue) -> [f32; C]) {
    let z = canvas.z();
    muscles(canvas, palette);
    if (560.0..660.0).contains(&z) {
        neck(canvas, palette);
    }
    if (370.0..475.0).contains(&z) {
        paint_heart(canvas, palette);
    }
    if (225.0..395.0).contains(&z) {
        canvas.paint([-140.0, 80.0, -104.0, 84.0], palette(Tissue::Liver), |p| liver(level, p));
        canvas.paint([-70.0, -10.0, -80.0, 0.0], palette(Tissue::Gallbladder), |p| {
            let q = turn(p - Vec3::new(-46.0, -44.0, 262.0), 0, 0.5);
            ellipsoid(q, Vec3::new(13.0 + 0.12 * q.z, 13.0 + 0.12 * q.z, 29.0))
        });
    }
    if (270.0..400.0).contains(&z) {
        canvas.paint([50.0, 140.0, -30.0, 90.0], palette(Tissue::Spleen), |p| spleen(level, p));
    }
    if (230.0..325.0).contains(&z) {
        canvas.paint([-50.0, 82.0, -46.0, 32.0], palette(Tissue::Pancreas), |p| {
            let mut d = f32::MAX;
            for pair in PANCREAS.windows(2) {
                d = smin(d, capsule(p, pair[0].0, pair[1].0, pair[0].1, pair[1].1), 5.0);
            }
            d + 2.6 * fractal(p / 7.5, 2, 0.5, 131)
        });
    }
    if (190.0..335.0).contains(&z) {
        paint_kidneys(canvas, palette);
        paint_adrenals(canvas, palette);
    }
    if (230.0..385.0).contains(&z) {
        paint_stomach(canvas, level, palette);
    }
    if z < 130.0 {
        paint_pelvis(canvas, palette);
    }
}

fn muscles<const C: usize>(canvas: &mut Canvas<C>, palette: &impl Fn(Tissue) -> [f32; C]) {
    let z = canvas.z();
    let muscle = palette(Tissue::Muscle);
    if z < 300.0 {
        // Psoas from T12 to the inguinal ligament; crura of the diaphragm.
        let line = [
            Vec3::new(24.0, 42.0, 300.0),
            Vec3::new(34.0, 42.0, 240.0),
            Vec3::new(43.0, 36.0, 180.0),
            Vec3::new(52.0, 22.0, 130.0),
            Vec3::new(66.0, -8.0, 70.0),
            Vec3::new(78.0, -34.0, 20.0),
            Vec3::new(90.0, -40.0, -30.0),
        ];
        let radii = [8.0, 15.0, 19.0, 20.0, 18.0, 16.0, 14.0];
        for side in [-1.0f32, 1.0] {
            let bounds = if side > 0.0 { [8.0, 112.0, -64.0, 68.0] } else { [-112.0, -8.0, -64.0, 68.0] };
            canvas.paint(bounds, muscle, |p| {
                let q = Vec3::new(p.x * side, p.y, p.z);
                let mut d = f32::MAX;
                for i in 0..line.len() - 1 {
                    d = smin(d, capsule(q, line[i], line[i + 1], radii[i], radii[i + 1]), 6.0);
                }
                d + 1.5 * noise(p / 17.0, 137)
            });
            if z > 30.0 && z < 160.0 {
                // Iliacus on the inside of the wing.
                canvas.paint([-130.0, 130.0, -80.0, 60.0], muscle, |p| {
                    let q = Vec3::new(p.x * side, p.y, p.z);
                    let bowl = ellipsoid(q - Vec3::new(22.0, -8.0, 150.0), Vec3::new(108.0, 98.0, 158.0));
                    smax(
                        smax(bowl.abs() - 8.0, 55.0 - q.x, 6.0),
                        smax(q.z - 138.0, (q.y - 48.0).max(-q.y - 52.0), 8.0),
                        8.0,
                    )
                });
            }
        }
    }
    if (210.0..360.0).contains(&z) {
        for (x, side) in [(-9.0, -1.0f32), (9.0, 1.0)] {
            canvas.paint([-30.0, 30.0, -10.0, 50.0], muscle, |p| {
                let y = super::body::spine_y(p.z) - 19.0;
                capsule(
                    p,
                    Vec3::new(x + side * 4.0, y + 6.0, p.z),
                    Vec3::new(x * 0.9, y - 4.0 - 0.10 * (p.z - 210.0).max(0.0), p.z),
                    4.5,
                    3.5,
                )
            });
        }
    }
}

fn neck<const C: usize>(canvas: &mut Canvas<C>, palette: &impl Fn(Tissue) -> [f32; C]) {
    for side in [-1.0f32, 1.0] {
        canvas.paint([-45.0, 45.0, -60.0, 30.0], palette(Tissue::Thyroid), |p| {
            let q = Vec3::new(p.x * side, p.y, p.z);
            let lobe = ellipsoid(turn(q - Vec3::new(18.0, -12.0, 618.0), 1, 0.18), Vec3::new(8.5, 11.0, 23.0));
            let isthmus = capsule(q, Vec3::new(0.0, -20.0, 610.0), Vec3::new(14.0, -17.0, 612.0), 3.5, 5.0);
            smin(lobe, isthmus, 4.0) + 0.7 * noise(p / 8.0, 139)
        });
    }
}

fn paint_heart<const C: usize>(canvas: &mut Canvas<C>, palette: &impl Fn(Tissue) -> [f32; C]) {
    let bounds = [-75.0, 100.0, -98.0, 45.0];
    canvas.paint(bounds, palette(Tissue::VisceralFat), |p| heart(p) - 4.0 + 1.5 * noise(p / 14.0, 149));
    canvas.paint(bounds, palette(Tissue::Myocardium), |p| heart(p) + 1.5 + 2.2 * noise(p / 20.0, 151));
    let axis = |p: Vec3| turn(turn(p, 2, 0.62), 1, -0.35);
    canvas.paint(bounds, palette(Tissue::RightHeart), |p| {
        let right = ellipsoid(p - Vec3::new(2.0, -53.0, 418.0), Vec3::new(36.0, 19.0, 27.0));
        let atrium = ellipsoid(p - Vec3::new(-30.0, -26.0, 424.0), Vec3::new(20.0, 24.0, 28.0));
        let outflow = capsule(p, Vec3::new(14.0, -56.0, 430.0), Vec3::new(18.0, -46.0, 466.0), 15.0, 12.0);
        let septum = 11.0 - (ellipsoid(axis(p - Vec3::new(40.0, -26.0, 420.0)), Vec3::new(33.0, 20.0, 22.0)));
        smax(smin(smin(right, atrium, 8.0), outflow, 8.0), septum, 5.0) + 1.6 * noise(p / 11.0, 157)
    });
    canvas.paint(bounds, palette(Tissue::LeftHeart), |p| {
        let chamber = ellipsoid(axis(p - Vec3::new(38.0, -25.0, 420.0)), Vec3::new(34.0, 19.0, 21.0));
        let atrium = ellipsoid(p - Vec3::new(6.0, 8.0, 446.0), Vec3::new(31.0, 16.0, 19.0));
        let tract = capsule(p, Vec3::new(20.0, -22.0, 432.0), Vec3::new(0.0, -16.0, 456.0), 13.0, 14.0);
        smin(smin(chamber, atrium, 5.0), tract, 6.0) + 1.8 * noise(p / 10.0, 163)
    });
}

fn paint_kidneys<const C: usize>(canvas: &mut Canvas<C>, palette: &impl Fn(Tissue) -> [f32; C]) {
    let edge = 1.0 / canvas.edge_mm;
    let (cortex, medulla) = (palette(Tissue::RenalCortex), palette(Tissue::RenalMedulla));
    let (fat, pelvis) = (palette(Tissue::VisceralFat), palette(Tissue::RenalPelvis));
    for side in [-1.0f32, 1.0] {
        let bounds = if side > 0.0 { [18.0, 108.0, 0.0, 82.0] } else { [-110.0, -20.0, -2.0, 80.0] };
        canvas.blend(bounds, |p| {
            let (q, d) = kidney(p, side);
            let share = (0.5 - d * edge).clamp(0.0, 1.0);
            if share <= 0.0 {
                return (0.0, cortex);
            }
            let mut value = cortex;
            let lay = |value: &mut [f32; C], with: &[f32; C], s: f32| {
                for (to, from) in value.iter_mut().zip(with) {
                    *to += (from - *to) * s;
                }
            };
            // Pyramids: between 6 and 19 mm deep, in a ring of cells cut by columns of cortex.
            let angle = q.y.atan2(q.x + 8.0);
            let cells = (angle * 2.6).cos() * 0.5 + (q.z / 9.5).cos() * 0.5;
            let pyramid =
                smoothstep(-0.25, 0.15, cells) * smoothstep(5.0, 7.5, -d) * (1.0 - smoothstep(18.0, 20.0, -d));
            lay(&mut value, &medulla, pyramid);
            let sinus = ellipsoid(q + Vec3::new(9.0, 0.0, 0.0), Vec3::new(17.0, 8.0, 30.0)) + 2.5 * noise(p / 7.0, 167);
            lay(&mut value, &fat, (0.5 - sinus * edge).clamp(0.0, 1.0));
            let calyx = ellipsoid(q + Vec3::new(14.0, 0.0, 2.0), Vec3::new(12.0, 4.0, 14.0));
            lay(&mut value, &pelvis, (0.5 - calyx * edge).clamp(0.0, 1.0));
            (share, value)
        });
    }
}

fn paint_adrenals<const C: usize>(canvas: &mut Canvas<C>, palette: &impl Fn(Tissue) -> [f32; C]) {
    for side in [-1.0f32, 1.0] {
        let apex = if side > 0.0 { Vec3::new(36.0, 20.0, 318.0) } else { Vec3::new(-34.0, 30.0, 312.0) };
        canvas.paint([-70.0, 70.0, 0.0, 70.0], palette(Tissue::Adrenal), |p| {
            let q = Vec3::new((p.x - apex.x) * side, p.y - apex.y, (p.z - apex.z) * 0.35);
            let limbs = [Vec3::new(-3.0, 18.0, 0.0), Vec3::new(9.0, 16.0, 0.0)]
                .map(|end| capsule(q, Vec3::ZERO, end, 3.0, 1.9));
            smin(limbs[0], limbs[1], 2.0)
        });
    }
}

fn paint_stomach<const C: usize>(canvas: &mut Canvas<C>, level: &Level, palette: &impl Fn(Tissue) -> [f32; C]) {
    let edge = 1.0 / canvas.edge_mm;
    let (wall, content, gas) = (palette(Tissue::StomachWall), palette(Tissue::StomachContent), palette(Tissue::Gas));
    canvas.blend([-52.0, 106.0, -92.0, 52.0], |p| {
        let d = stomach(level, p);
        let share = (0.5 - d * edge).clamp(0.0, 1.0);
        if share <= 0.0 {
            return (0.0, wall);
        }
        let inner = d + 4.2 + 1.7 * noise(p / 6.0, 173);
        let s = (0.5 - inner * edge).clamp(0.0, 1.0);
        let above = (0.5 - (p.y + 22.0) * edge).clamp(0.0, 1.0);
        let mut value = wall;
        for c in 0..C {
            let inside = content[c] + (gas[c] - content[c]) * above;
            value[c] += (inside - value[c]) * s;
        }
        (share, value)
    });
}

fn paint_pelvis<const C: usize>(canvas: &mut Canvas<C>, palette: &impl Fn(Tissue) -> [f32; C]) {
    let bladder =
        |p: Vec3| ellipsoid(p - Vec3::new(0.0, -30.0, 40.0), Vec3::new(43.0, 34.0, 32.0)) + 2.0 * noise(p / 30.0, 179);
    let bounds = [-52.0, 52.0, -72.0, 16.0];
    canvas.paint(bounds, palette(Tissue::BladderWall), bladder);
    canvas.paint(bounds, palette(Tissue::Bladder), |p| bladder(p) + 3.0);
    canvas.paint([-32.0, 32.0, -50.0, 20.0], palette(Tissue::Prostate), |p| {
        ellipsoid(p - Vec3::new(0.0, -18.0, -8.0), Vec3::new(24.0, 17.0, 17.0)) + 0.9 * noise(p / 8.0, 181)
    });
    for side in [-1.0f32, 1.0] {
        canvas.paint([-44.0, 44.0, -14.0, 34.0], palette(Tissue::Prostate), |p| {
            let q = Vec3::new(p.x * side, p.y, p.z);
            capsule(q, Vec3::new(5.0, 10.0, 16.0), Vec3::new(32.0, 14.0, 26.0), 4.0, 5.5) + 1.0 * noise(p / 4.0, 191)
        });
    }
}

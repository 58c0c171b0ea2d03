//! The mammogram as a picture: outline, fat and gland, ducts and Cooper's ligaments, pectoral muscle, lesions.

use glam::{Vec2, Vec3};

use super::field::{Dice, fractal, mix, noise, smin, smoothstep, table};

/// Which projection of which breast.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct View {
    /// Left breast.
    pub left: bool,
    /// Mediolateral oblique instead of cranio-caudal.
    pub oblique: bool,
}

/// A thing in the picture: centre as (mm from the chest wall edge, mm from the upper edge).
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Finding {
    /// A dense mass with spicules: centre, radius in mm.
    Mass(Vec2, f32),
    /// A cluster of microcalcifications: centre, radius in mm.
    Cluster(Vec2, f32),
}

/// Greatest stored value of 14 bits.
pub const WHITE: f32 = 16383.0;

/// Reach of the skin from the chest wall by height (oblique view), mm.
const OBLIQUE: &[(f32, [f32; 1])] = &[
    (-10.0, [56.0]),
    (0.0, [57.0]),
    (30.0, [62.0]),
    (65.0, [80.0]),
    (100.0, [97.0]),
    (126.0, [103.0]),
    (150.0, [97.0]),
    (172.0, [76.0]),
    (186.0, [48.0]),
    (196.0, [22.0]),
    (204.0, [9.0]),
    (214.0, [5.0]),
];

/// Nipple in (mm from chest wall, mm from top).
pub fn nipple(view: View, height_mm: f32) -> Vec2 {
    if view.oblique { Vec2::new(103.0, 126.0 / 210.0 * height_mm) } else { Vec2::new(101.0, height_mm * 0.5) }
}

/// Distance into the breast from the skin, mm: positive inside.
fn depth(view: View, p: Vec2, height_mm: f32) -> f32 {
    if view.oblique {
        let v = p.y / height_mm * 210.0;
        let reach = |v: f32| table(v, OBLIQUE)[0];
        let slope = (reach(v + 2.0) - reach(v - 2.0)) / 4.0;
        (reach(v) - p.x) / (1.0 + slope * slope).sqrt()
    } else {
        let (a, b) = (101.0, height_mm * 0.455);
        let q = Vec2::new(p.x / a, (p.y - height_mm * 0.5).abs() / b);
        let f = (q.x.powf(2.1) + q.y.powf(2.5)).powf(1.0 / 2.3);
        let r = Vec2::new(p.x, p.y - height_mm * 0.5).length();
        if f < 1e-3 { a } else { r * (1.0 / f - 1.0) }
    }
}

/// The noise-free value at a place; `seed` belongs to the breast, `motion` is how the breast lay this time.
pub fn value(view: View, p: Vec2, height_mm: f32, seed: u32, motion: Vec2, findings: &[Finding]) -> f32 {
    let tip = nipple(view, height_mm);
    let skin = depth(view, p, height_mm);
    let knob = 5.2 - (p - tip - Vec2::new(1.5, 0.0)).length();
    let inside = -smin(-skin, -knob, 4.0);
    if inside < -0.4 {
        return 0.0;
    }
    // Tissue moves with the breast, the outline stays.
    let q = p
        + motion
        + 1.5 * Vec2::new(noise((p / 40.0).extend(0.5), seed ^ 0x5), noise((p / 40.0).extend(7.5), seed ^ 0x6));
    let at = |scale: f32, layer: f32| (q / scale).extend(layer);
    let away = q - tip;
    let (r, angle) = (away.length(), away.y.atan2(-away.x));

    // Fat with a soft web.
    let cloud = fractal(at(24.0, 0.0), 4, 0.55, seed);
    let mut value = 4300.0 + 620.0 * cloud;
    // Gland: a cone behind the nipple with lobulated borders, thinning to the chest wall.
    let warp = 12.0 * fractal(at(26.0, 3.0), 3, 0.55, seed ^ 0x11);
    let centre = if view.oblique { Vec2::new(56.0, tip.y - 14.0) } else { Vec2::new(54.0, tip.y - 6.0) };
    let size = if view.oblique { Vec2::new(47.0, 52.0) } else { Vec2::new(45.0, 58.0) };
    let reach = 1.0 - ((q - centre) / size).length() + warp / 48.0;
    let mask = smoothstep(-0.14, 0.42, reach);
    let lobes = fractal(at(11.0, 5.0), 4, 0.6, seed ^ 0x17);
    let fine = fractal(at(3.2, 9.0), 3, 0.6, seed ^ 0x1d);
    let gland = smoothstep(-0.38, 0.5, lobes + 0.55 * cloud + 0.25 * fine);
    value += mask * (900.0 + 4700.0 * gland);
    // Ducts fan out from the nipple.
    let bend = angle + 0.25 * noise(at(30.0, 11.0), seed ^ 0x1f);
    let duct = noise(Vec3::new(bend * 9.0, r / 55.0, 2.0), seed ^ 0x25);
    let ducts =
        (1.0 - smoothstep(0.0, 0.13, duct.abs())) * smoothstep(3.0, 14.0, r) * (1.0 - smoothstep(35.0, 85.0, r));
    value += 1150.0 * ducts * (0.35 + 0.65 * mask);
    // Cooper's ligaments: thin curved septa, and finer ones.
    let sheet = |scale: f32, layer: f32, width: f32| {
        let n = noise(
            (q / scale).extend(layer) + Vec3::splat(0.6) * noise(at(scale * 1.7, layer + 3.0), seed ^ 0x29),
            seed ^ 0x2b,
        );
        1.0 - smoothstep(0.0, width, n.abs())
    };
    let near_gland = smoothstep(-0.9, 0.1, reach);
    value += 520.0 * sheet(19.0, 21.0, 0.05) * (0.35 + 0.65 * near_gland);
    value += 400.0 * sheet(9.0, 25.0, 0.07) * near_gland;
    value += 300.0 * sheet(4.6, 31.0, 0.10) * mask;
    // A few vessels.
    let vessel = noise(
        (q / Vec2::new(48.0, 30.0)).extend(41.0) + Vec3::splat(0.4) * noise(at(17.0, 44.0), seed ^ 0x3),
        seed ^ 0x2f,
    );
    value += 260.0 * (1.0 - smoothstep(0.0, 0.022, (vessel - 0.18).abs())) * (1.0 - mask);
    // Fine grain of the parenchyma.
    value += 260.0 * fractal(at(1.1, 51.0), 3, 0.7, seed ^ 0x35) * (0.4 + 0.6 * mask);

    // Pectoral muscle: a triangle with convex edge.
    if view.oblique {
        let v = p.y / height_mm * 210.0;
        let edge =
            55.0 * (1.0 - (v / 132.0)).max(-0.2) + 7.0 * (std::f32::consts::PI * (v / 132.0).clamp(0.0, 1.0)).sin();
        let d = (edge - p.x) * 0.92;
        let muscle = smoothstep(-0.6, 3.0, d);
        let fibres = fractal(
            (Vec2::new(p.x * 0.9 + p.y * 0.42, (p.y - p.x * 0.42) * 0.12) / 5.0).extend(3.0),
            3,
            0.5,
            seed ^ 0x3b,
        );
        value = mix(value, 9300.0 + 600.0 * fibres + 12.0 * d.clamp(0.0, 40.0), muscle * 0.88);
        // A node in the axilla with a fatty hilum.
        let node = (p - Vec2::new(33.0, 22.0)) / Vec2::new(5.5, 8.0);
        value += 700.0 * (1.0 - smoothstep(0.6, 1.3, node.length()))
            - 700.0 * (1.0 - smoothstep(0.1, 0.8, (node - Vec2::new(0.2, 0.0)).length()));
    } else {
        // Sometimes a crescent of muscle at the chest wall.
        let d = 5.0 - p.x - ((p.y - height_mm * 0.5) / 26.0).powi(2) * 2.0;
        value += 3200.0 * smoothstep(-1.0, 3.0, d);
    }
    for finding in findings {
        value = with_finding(value, p, *finding);
    }
    // Nipple and skin; the rim is equalised but for the last millimetres.
    value += 2600.0 * smoothstep(-1.5, 2.5, knob);
    let rim = smoothstep(0.0, 11.0, inside);
    value = mix(2500.0 + 0.28 * value, value, rim);
    value += 800.0 * (1.0 - smoothstep(0.5, 1.6, (inside - 0.8).abs()));
    value * smoothstep(-0.4, 0.25, inside)
}

fn with_finding(value: f32, p: Vec2, finding: Finding) -> f32 {
    match finding {
        Finding::Mass(centre, radius) => {
            let d = p - centre;
            let r = d.length();
            if r > radius * 3.4 {
                return value;
            }
            let angle = d.y.atan2(d.x);
            let (s, c) = angle.sin_cos();
            let lobule = radius * (1.0 + 0.16 * noise(Vec3::new(c * 2.2, s * 2.2, 1.0), 61));
            let core = 1.0 - smoothstep(lobule - 1.6, lobule + 1.0, r);
            let ray = noise(Vec3::new(c * 6.0, s * 6.0, r / 30.0), 67);
            let spicule = (1.0 - smoothstep(0.0, 0.16, ray.abs())) * (1.0 - smoothstep(radius * 0.9, radius * 2.6, r));
            let halo = 1.0 - smoothstep(radius * 0.5, radius * 2.0, r);
            let texture = 300.0 * noise((d / 2.0).extend(4.0), 71);
            (value + 450.0 * halo + 1100.0 * spicule).max(mix(value, 9700.0 + texture, core))
        }
        Finding::Cluster(centre, radius) => {
            if (p - centre).length() > radius + 1.5 {
                return value;
            }
            let mut dice = Dice::new(4711);
            let mut out = value;
            for _ in 0..22 {
                let (a, r) = (dice.range(0.0, std::f32::consts::TAU), radius * dice.unit().sqrt());
                let at = centre + Vec2::from_angle(a) * r;
                let (size, flat, turn) = (dice.range(0.10, 0.30), dice.range(0.5, 1.0), dice.range(0.0, 3.1));
                let bright = dice.range(2600.0, 5200.0);
                let q = Vec2::from_angle(-turn).rotate(p - at) / Vec2::new(size, size * flat);
                out += bright * (1.0 - smoothstep(0.6, 1.4, q.length()));
            }
            out
        }
    }
}

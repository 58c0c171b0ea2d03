//! The skeleton of the trunk: vertebrae with discs and canal, ribs with cartilage, sternum, collar bones, shoulder blades, pelvis.

use glam::Vec3;

use super::body::{cage_at, spine_y};
use super::canvas::Canvas;
use super::field::{capsule, ellipse, ellipsoid, noise, smax, smin, smoothstep};
use super::tissue::Tissue;

/// Centre heights of L5 to C3, and the height of each body with half a disc on both sides.
pub const VERTEBRAE: &[(f32, f32)] = &[
    (136.0, 37.0),
    (172.0, 36.0),
    (207.0, 35.0),
    (241.0, 34.0),
    (274.0, 32.0),
    (305.0, 30.0),
    (334.0, 28.0),
    (361.0, 26.0),
    (386.5, 25.0),
    (411.0, 24.0),
    (434.5, 23.0),
    (457.0, 22.5),
    (479.0, 22.0),
    (500.5, 21.0),
    (521.0, 20.5),
    (541.0, 20.0),
    (560.5, 19.5),
    (579.0, 18.0),
    (596.0, 17.0),
    (612.5, 16.5),
    (628.5, 16.0),
    (644.5, 16.0),
    (660.0, 15.0),
];

/// Index of T12 in [`VERTEBRAE`].
const T12: usize = 5;

/// A bone with its marrow: outer distance is `d`, the cortex is `shell` mm thick.
fn bone<const C: usize>(
    canvas: &mut Canvas<C>,
    bounds: [f32; 4],
    shell: f32,
    inner: [f32; C],
    cortex: [f32; C],
    d: impl Fn(Vec3) -> f32,
) {
    let edge = 1.0 / canvas.edge_mm;
    canvas.blend(bounds, |p| {
        let outer = d(p);
        let share = (0.5 - outer * edge).clamp(0.0, 1.0);
        if share <= 0.0 {
            return (0.0, cortex);
        }
        // Trabeculae: the marrow's value wavers by a few percent of the way to the cortex.
        let core = (0.5 - (outer + shell) * edge).clamp(0.0, 1.0);
        let texture = 0.10 * noise(p / 3.1, 83).max(-0.5);
        let mut value = cortex;
        for c in 0..C {
            let spongy = inner[c] + (cortex[c] - inner[c]) * texture;
            value[c] += (spongy - value[c]) * core;
        }
        (share, value)
    });
}

/// A rib as a line of points with the cartilage that follows it.
#[derive(Debug, Clone)]
struct Rib {
    bone: Vec<Vec3>,
    cartilage: Vec<Vec3>,
}

/// The skeleton, with its lines worked out.
#[derive(Debug, Clone)]
pub struct Skeleton {
    ribs: Vec<Rib>,
}

impl Skeleton {
    /// Works out the ribs.
    pub fn new() -> Self {
        let mut ribs = Vec::new();
        // Drop of the front end, and how far round the rib goes (1 = front midline).
        let shape: [(f32, f32); 12] = [
            (26.0, 0.80),
            (40.0, 0.82),
            (52.0, 0.83),
            (62.0, 0.83),
            (70.0, 0.82),
            (78.0, 0.80),
            (86.0, 0.77),
            (88.0, 0.73),
            (86.0, 0.69),
            (80.0, 0.63),
            (58.0, 0.46),
            (36.0, 0.34),
        ];
        for (number, (drop, reach)) in shape.into_iter().enumerate() {
            let z0 = VERTEBRAE[T12 + 11 - number].0 + 7.0;
            for side in [-1.0f32, 1.0] {
                let count = 44;
                let mut bone: Vec<Vec3> = vec![Vec3::new(side * 15.0, spine_y(z0) + 10.0, z0)];
                for i in 0..=count {
                    let t = i as f32 / count as f32;
                    let angle = (0.30 + (reach * std::f32::consts::PI - 0.30) * t).min(3.0);
                    let z = z0 - drop * (0.85 * t + 0.15 * t * t);
                    let [a, b, cy] = cage_at(z.min(574.0));
                    // The same superellipse as the cage, 4 mm outside the pleura.
                    let (s, c) = angle.sin_cos();
                    let (ra, rb) = (a + 4.0, b + 4.0);
                    let f = ((s / ra).abs().powf(2.25) + (c / rb).abs().powf(2.25)).powf(-1.0 / 2.25);
                    bone.push(Vec3::new(side * s * f, cy + c * f, z));
                }
                let mut cartilage = Vec::new();
                if number < 10 {
                    let end = *bone.last().unwrap_or(&Vec3::ZERO);
                    let attach = (544.0 - 19.0 * number as f32).max(424.0 - 4.0 * (number as f32 - 6.0));
                    let goal = Vec3::new(side * 17.0, sternum_y(attach) + 1.0, attach);
                    for i in 0..=10 {
                        let t = i as f32 / 10.0;
                        let mut p = end.lerp(goal, t);
                        let [a, b, cy] = cage_at(p.z.min(574.0));
                        let f = ((p.x / (a + 4.0)).abs().powf(2.25) + ((p.y - cy) / (b + 4.0)).abs().powf(2.25))
                            .powf(1.0 / 2.25);
                        let on = Vec3::new(p.x / f, cy + (p.y - cy) / f, p.z);
                        p = p.lerp(on, 1.0 - t * t);
                        p.z -= (t * (1.0 - t)) * 16.0;
                        cartilage.push(p);
                    }
                }
                ribs.push(Rib { bone, cartilage });
            }
        }
        Self { ribs }
    }

    /// Paints the skeleton.
    pub fn paint<const C: usize>(&self, canvas: &mut Canvas<C>, palette: &impl Fn(Tissue) -> [f32; C]) {
        let z = canvas.z();
        let (cortex, spongy) = (palette(Tissue::CorticalBone), palette(Tissue::SpongyBone));
        self.ribs_at(canvas, palette);
        sternum(canvas, palette);
        if z > 520.0 {
            for side in [-1.0f32, 1.0] {
                let clavicle = |p: Vec3| {
                    let q = Vec3::new(p.x * side, p.y, p.z);
                    let a = capsule(q, Vec3::new(14.0, -44.0, 556.0), Vec3::new(60.0, -47.0, 568.0), 9.0, 6.0);
                    let b = capsule(q, Vec3::new(60.0, -47.0, 568.0), Vec3::new(140.0, 8.0, 580.0), 6.0, 6.5);
                    smin(a, b, 6.0)
                };
                bone(canvas, mirrored(side, [2.0, 150.0, -62.0, 24.0]), 1.8, spongy, cortex, clavicle);
            }
        }
        if (425.0..600.0).contains(&z) {
            for side in [-1.0f32, 1.0] {
                bone(canvas, mirrored(side, [60.0, 185.0, 10.0, 110.0]), 1.5, spongy, cortex, |p| {
                    scapula(Vec3::new(p.x * side, p.y, p.z))
                });
            }
        }
        if z < 190.0 {
            pelvis(canvas, palette);
        }
        vertebrae(canvas, palette);
    }

    fn ribs_at<const C: usize>(&self, canvas: &mut Canvas<C>, palette: &impl Fn(Tissue) -> [f32; C]) {
        let z = canvas.z();
        let (cortex, spongy, cartilage) =
            (palette(Tissue::CorticalBone), palette(Tissue::SpongyBone), palette(Tissue::Cartilage));
        for rib in &self.ribs {
            for (line, is_bone) in [(&rib.bone, true), (&rib.cartilage, false)] {
                // Pieces near this slice, merged into one box each run.
                let near: Vec<(Vec3, Vec3)> = line
                    .windows(2)
                    .filter(|w| w[0].z.min(w[1].z) - 10.0 < z && w[0].z.max(w[1].z) + 10.0 > z)
                    .map(|w| (w[0], w[1]))
                    .collect();
                let Some(bounds) = bounds_of(&near, 9.0) else { continue };
                // Ribs are higher than thick: squeeze the height.
                let squeeze = Vec3::new(1.0, 1.0, 0.62);
                let d = |p: Vec3| {
                    near.iter()
                        .map(|(a, b)| capsule(p * squeeze, *a * squeeze, *b * squeeze, 4.1, 4.1))
                        .fold(f32::MAX, f32::min)
                };
                if is_bone {
                    bone(canvas, bounds, 1.6, spongy, cortex, d);
                } else {
                    canvas.paint(bounds, cartilage, |p| d(p) + 0.2);
                }
            }
        }
    }
}

fn mirrored(side: f32, b: [f32; 4]) -> [f32; 4] {
    if side > 0.0 { b } else { [-b[1], -b[0], b[2], b[3]] }
}

fn bounds_of(pieces: &[(Vec3, Vec3)], margin: f32) -> Option<[f32; 4]> {
    let mut it = pieces.iter().flat_map(|(a, b)| [*a, *b]);
    let first = it.next()?;
    let (low, high) = it.fold((first, first), |(l, h), p| (l.min(p), h.max(p)));
    Some([low.x - margin, high.x + margin, low.y - margin, high.y + margin])
}

/// Anterior position of the sternum.
fn sternum_y(z: f32) -> f32 {
    let [_, b, cy] = cage_at(z.min(560.0));
    cy - b - 5.0 + 6.0 * smoothstep(500.0, 560.0, z)
}

fn sternum<const C: usize>(canvas: &mut Canvas<C>, palette: &impl Fn(Tissue) -> [f32; C]) {
    let z = canvas.z();
    if !(385.0..565.0).contains(&z) {
        return;
    }
    let y = sternum_y(z);
    bone(
        canvas,
        [-40.0, 40.0, y - 14.0, y + 14.0],
        1.4,
        palette(Tissue::SpongyBone),
        palette(Tissue::CorticalBone),
        |p| {
            let width = 15.0 + 11.0 * smoothstep(512.0, 545.0, p.z) - 8.0 * (1.0 - smoothstep(395.0, 425.0, p.z));
            let d = ellipse(p.x, p.y - y, width, 6.2);
            smax(smax(d, p.z - 560.0, 3.0), 392.0 - p.z, 3.0)
        },
    );
}

fn scapula(p: Vec3) -> f32 {
    // A thin, slightly hollow blade that follows the ribs, with its spine and the joint.
    let c = Vec3::new(112.0, 70.0, 506.0);
    let q = p - c;
    let (s, co) = (-0.62f32).sin_cos();
    let (u, v) = (q.x * co - q.y * s, q.x * s + q.y * co);
    let hollow = v + 0.0045 * u * u + 0.0009 * q.z * q.z - 3.0;
    let outline =
        (q.z - 48.0).max(-q.z - 66.0 - 0.0 * u).max(u - 14.0 - (q.z + 66.0) * 0.30).max(-u - 38.0 + 0.1 * q.z.abs());
    let blade = smax(hollow.abs() - 2.4, outline, 3.0);
    let ridge = capsule(p, Vec3::new(86.0, 84.0, 528.0), Vec3::new(158.0, 66.0, 560.0), 4.5, 7.0);
    let joint = capsule(p, Vec3::new(136.0, 46.0, 536.0), Vec3::new(150.0, 38.0, 552.0), 10.0, 12.0);
    smin(smin(blade, ridge, 5.0), joint, 5.0)
}

fn vertebrae<const C: usize>(canvas: &mut Canvas<C>, palette: &impl Fn(Tissue) -> [f32; C]) {
    let z = canvas.z();
    if z < 115.0 {
        sacrum(canvas, palette);
        return;
    }
    let cy = spine_y(z);
    let Some((centre, height)) = VERTEBRAE.iter().copied().min_by(|a, b| (a.0 - z).abs().total_cmp(&(b.0 - z).abs()))
    else {
        return;
    };
    let (cortex, spongy, disc) = (palette(Tissue::CorticalBone), palette(Tissue::SpongyBone), palette(Tissue::Disc));
    let size = 0.62 + 0.38 * (1.0 - smoothstep(200.0, 600.0, z));
    let (half_w, half_d) = (24.5 * size, 17.0 * size);
    let local = z - centre;
    let body_half = height * 0.5 - 4.6 * size;
    // Waist of the body, dent at the back.
    let waist = 1.0 - 0.09 * (1.0 - (local / body_half).powi(2)).max(0.0);
    let outline = |p: Vec3| {
        let y = p.y - cy;
        let d = ellipse(p.x, y, half_w * waist, half_d * waist);
        smax(d, y - half_d * 0.74 - 0.004 * p.x * p.x, 4.0)
    };
    let bounds = [-half_w - 3.0, half_w + 3.0, cy - half_d - 3.0, cy + half_d + 3.0];
    canvas.paint(bounds, disc, |p| outline(p) - 0.6);
    bone(canvas, bounds, 1.1, spongy, cortex, |p| smax(outline(p), local.abs() - body_half, 1.5));
    // Neural arch: the ring, processes and facets.
    let canal = cy + half_d * 0.74 + 9.5;
    let canal_r = 9.5;
    let back = [-48.0, 48.0, cy - 4.0, cy + 75.0];
    bone(canvas, back, 1.5, spongy, cortex, |p| {
        let (x, y) = (p.x.abs(), p.y);
        let ring = ((p.x / 1.15).powi(2) + (y - canal).powi(2)).sqrt();
        let pedicle_gate = (local - height * 0.16).abs() - height * 0.22;
        let lamina_gate = (local + height * 0.12).abs() - height * 0.30;
        let pedicle =
            smax(smax((ring - canal_r - 6.0).max(canal_r + 0.5 - ring), y - canal - 2.0, 2.0), pedicle_gate, 2.0);
        let lamina =
            smax(smax((ring - canal_r - 5.0).max(canal_r + 0.5 - ring), canal - 1.0 - y, 2.0), lamina_gate, 2.0);
        let tilt = 0.6 * (y - canal);
        let spinous = capsule(
            Vec3::new(p.x * 1.3, y, (local + tilt * 0.7 + 4.0) * 0.42),
            Vec3::new(0.0, canal + canal_r + 3.0, 0.0),
            Vec3::new(0.0, canal + canal_r + 25.0 * size, 0.0),
            3.4,
            4.2,
        );
        let transverse = capsule(
            Vec3::new(x, y, (local - height * 0.12) * 0.8),
            Vec3::new(canal_r + 5.0, canal, 0.0),
            Vec3::new(canal_r + 28.0 * size, canal + 6.0, 0.0),
            4.6,
            3.2,
        );
        let facet = ellipsoid(
            Vec3::new(x - canal_r - 7.0, y - canal - 7.0, local + height * 0.45),
            Vec3::new(6.5, 5.5, 11.0) * (0.75 + 0.25 * size),
        );
        smin(smin(smin(pedicle, lamina, 3.0), smin(spinous, transverse, 3.0), 3.0), facet, 2.0)
    });
    // Dural sac and cord (the cord ends at L1).
    let round = [-16.0, 16.0, canal - 14.0, canal + 14.0];
    canvas.paint(round, palette(Tissue::CerebrospinalFluid), |p| ellipse(p.x, p.y - canal, 8.6, 7.2));
    if z > 270.0 {
        canvas.paint(round, palette(Tissue::SpinalCord), |p| ellipse(p.x, p.y - canal, 5.6, 4.2));
    }
}

fn sacrum<const C: usize>(canvas: &mut Canvas<C>, palette: &impl Fn(Tissue) -> [f32; C]) {
    let z = canvas.z();
    if z < -5.0 {
        return;
    }
    let cy = spine_y(z);
    bone(
        canvas,
        [-70.0, 70.0, cy - 40.0, cy + 45.0],
        1.6,
        palette(Tissue::SpongyBone),
        palette(Tissue::CorticalBone),
        |p| {
            let t = smoothstep(-5.0, 110.0, p.z);
            let (w, d) = (8.0 + 44.0 * t, 7.0 + 14.0 * t);
            let y = p.y - cy + 0.004 * p.x * p.x;
            let body = ellipse(p.x, y, w, d);
            let crest = capsule(p, Vec3::new(0.0, cy, p.z), Vec3::new(0.0, cy + d + 9.0 * t, p.z), 6.0, 3.5);
            let mut sd = smin(body, crest, 6.0);
            // Foramina in pairs, and the canal.
            let step = ((p.z - 96.0) / 22.0).round().clamp(-3.0, 0.0) * 22.0 + 96.0;
            let hole = ellipsoid(Vec3::new(p.x.abs() - w * 0.48, y - 1.0, p.z - step), Vec3::new(4.5, 30.0, 5.0));
            sd = smax(sd, -hole, 2.0);
            let canal = ellipse(p.x, p.y - cy - d * 0.62, 8.0 * t, 4.5 * t + 0.1);
            smax(sd, -canal, 1.5)
        },
    );
}

fn pelvis<const C: usize>(canvas: &mut Canvas<C>, palette: &impl Fn(Tissue) -> [f32; C]) {
    let (cortex, spongy) = (palette(Tissue::CorticalBone), palette(Tissue::SpongyBone));
    let z = canvas.z();
    for side in [-1.0f32, 1.0] {
        let ilium = |p: Vec3| {
            let q = Vec3::new(p.x * side, p.y, p.z);
            // The wing is a piece of a bowl, thick at the crest and over the joint.
            let bowl = ellipsoid(q - Vec3::new(22.0, -8.0, 150.0), Vec3::new(116.0, 106.0, 168.0));
            let crest = 162.0 - 0.0042 * (q.y - 2.0).powi(2) - q.z;
            let thick = 4.6
                + 6.0 * (1.0 - smoothstep(5.0, 40.0, crest))
                + 8.0 * (1.0 - smoothstep(20.0, 70.0, q.z))
                + 4.0 * smoothstep(30.0, 62.0, q.y);
            let front = q.y + 70.0 - 0.30 * (q.z - 100.0);
            let back = 74.0 - q.y - 0.25 * (100.0 - q.z).max(0.0);
            let lower = q.z - 22.0;
            let cut = (-crest).max(-front).max(-back).max(-lower).max(38.0 - q.x);
            let wing = smax(bowl.abs() - thick, cut, 7.0);
            let socket = smax((q - Vec3::new(89.0, 0.0, 2.0)).length() - 36.0, q.x - 94.0, 4.0);
            let socket = smax(socket, 25.5 - (q - Vec3::new(91.0, 0.0, 0.0)).length(), 2.0);
            let pubis = capsule(q, Vec3::new(72.0, -24.0, 4.0), Vec3::new(10.0, -60.0, -14.0), 11.0, 9.0);
            let ischium = capsule(q, Vec3::new(74.0, 26.0, 0.0), Vec3::new(58.0, 34.0, -62.0), 14.0, 13.0);
            let ramus = capsule(q, Vec3::new(56.0, 24.0, -66.0), Vec3::new(12.0, -52.0, -26.0), 8.0, 7.0);
            smin(smin(wing, socket, 12.0), smin(smin(pubis, ischium, 6.0), ramus, 6.0), 8.0)
        };
        bone(canvas, mirrored(side, [0.0, 160.0, -112.0, 108.0]), 1.9, spongy, cortex, ilium);
        if z < 60.0 {
            let femur = |p: Vec3| {
                let q = Vec3::new(p.x * side, p.y, p.z);
                let head = (q - Vec3::new(91.0, 0.0, 0.0)).length() - 23.5;
                let neck = capsule(q, Vec3::new(91.0, 0.0, 0.0), Vec3::new(128.0, 10.0, -32.0), 15.0, 17.0);
                let trochanter = ellipsoid(q - Vec3::new(140.0, 18.0, -24.0), Vec3::new(17.0, 20.0, 28.0));
                let shaft = capsule(q, Vec3::new(132.0, 12.0, -50.0), Vec3::new(112.0, 6.0, -260.0), 16.0, 13.5);
                smin(smin(head, neck, 6.0), smin(trochanter, shaft, 10.0), 8.0)
            };
            let marrow = if z < -70.0 { palette(Tissue::Marrow) } else { spongy };
            bone(
                canvas,
                mirrored(side, [60.0, 170.0, -34.0, 48.0]),
                if z < -60.0 { 5.0 } else { 2.0 },
                marrow,
                cortex,
                femur,
            );
        }
    }
    if z < 20.0 && z > -40.0 {
        canvas.paint([-8.0, 8.0, -74.0, -46.0], palette(Tissue::Cartilage), |p| {
            ellipsoid(p - Vec3::new(0.0, -60.0, -16.0), Vec3::new(4.0, 10.0, 18.0))
        });
    }
}

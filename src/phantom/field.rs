//! Scalar fields in patient space: signed distances in mm (negative inside), noise without state, tables along the body axis.
//!
//! Everything is a pure function of position and seed, so slices can be made in any order on any number of threads.

use glam::Vec3;
use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::{Rng as _, SeedableRng as _};

/// A source of numbers for construction (not for pixels): the same seed gives the same anatomy.
pub struct Dice(ChaCha8Rng);

impl Dice {
    /// Starts at a seed.
    pub fn new(seed: u64) -> Self {
        Self(ChaCha8Rng::seed_from_u64(seed))
    }

    /// Even in [0, 1).
    pub fn unit(&mut self) -> f32 {
        (self.0.next_u32() >> 8) as f32 / 16_777_216.0
    }

    /// Even in [low, high).
    pub fn range(&mut self, low: f32, high: f32) -> f32 {
        low + (high - low) * self.unit()
    }

    /// Normal with mean 0 and SD 1 (Box and Muller).
    pub fn normal(&mut self) -> f32 {
        let radius = (-2.0 * (1.0 - self.unit()).ln()).sqrt();
        radius * (std::f32::consts::TAU * self.unit()).cos()
    }

    /// A direction, even on the sphere.
    pub fn direction(&mut self) -> Vec3 {
        let z = self.range(-1.0, 1.0);
        let (sin, cos) = (std::f32::consts::TAU * self.unit()).sin_cos();
        let r = (1.0 - z * z).sqrt();
        Vec3::new(r * cos, r * sin, z)
    }
}

/// Distance to an axis-aligned ellipsoid about the origin, exact near the surface.
#[inline]
pub fn ellipsoid(p: Vec3, radii: Vec3) -> f32 {
    let k0 = (p / radii).length();
    let k1 = (p / (radii * radii)).length();
    if k1 < 1e-6 { -radii.min_element() } else { k0 * (k0 - 1.0) / k1 }
}

/// Distance to an ellipse in the plane about the origin, exact near the edge.
#[inline]
pub fn ellipse(x: f32, y: f32, a: f32, b: f32) -> f32 {
    let k0 = ((x / a).powi(2) + (y / b).powi(2)).sqrt();
    let k1 = ((x / (a * a)).powi(2) + (y / (b * b)).powi(2)).sqrt();
    if k1 < 1e-6 { -a.min(b) } else { k0 * (k0 - 1.0) / k1 }
}

/// Distance to a capsule whose radius runs from `ra` to `rb`.
#[inline]
pub fn capsule(p: Vec3, a: Vec3, b: Vec3, ra: f32, rb: f32) -> f32 {
    let ab = b - a;
    let t = ((p - a).dot(ab) / ab.length_squared().max(1e-9)).clamp(0.0, 1.0);
    (p - a - ab * t).length() - (ra + (rb - ra) * t)
}

/// Smooth minimum (union): rounds the seam over `k` mm.
#[inline]
pub fn smin(a: f32, b: f32, k: f32) -> f32 {
    let h = (k - (a - b).abs()).max(0.0) / k;
    a.min(b) - h * h * k * 0.25
}

/// Smooth maximum (intersection).
#[inline]
pub fn smax(a: f32, b: f32, k: f32) -> f32 {
    -smin(-a, -b, k)
}

/// 0 below `low`, 1 above `high`, smooth between.
#[inline]
pub fn smoothstep(low: f32, high: f32, x: f32) -> f32 {
    let t = ((x - low) / (high - low)).clamp(0.0, 1.0);
    t * t * (3.0 - 2.0 * t)
}

/// Linear blend.
#[inline]
pub fn mix(a: f32, b: f32, t: f32) -> f32 {
    a + (b - a) * t
}

#[inline]
fn hash(x: i32, y: i32, z: i32, seed: u32) -> f32 {
    let mut h = (x as u32)
        .wrapping_mul(0x8da6_b343)
        .wrapping_add((y as u32).wrapping_mul(0xd816_3841))
        .wrapping_add((z as u32).wrapping_mul(0xcb1a_b31f))
        .wrapping_add(seed.wrapping_mul(0x9e37_79b9));
    h ^= h >> 15;
    h = h.wrapping_mul(0x2c1b_3c6d);
    h ^= h >> 12;
    h = h.wrapping_mul(0x297a_2d39);
    h ^= h >> 15;
    (h >> 8) as f32 / 8_388_608.0 - 1.0
}

/// Smooth value noise in [-1, 1] with features of about one unit.
#[inline]
pub fn noise(p: Vec3, seed: u32) -> f32 {
    let cell = p.floor();
    let f = p - cell;
    let (x, y, z) = (cell.x as i32, cell.y as i32, cell.z as i32);
    let u = f * f * f * (f * (f * 6.0 - Vec3::splat(15.0)) + Vec3::splat(10.0));
    let row = |dy: i32, dz: i32| {
        let a = hash(x, y.wrapping_add(dy), z.wrapping_add(dz), seed);
        let b = hash(x.wrapping_add(1), y.wrapping_add(dy), z.wrapping_add(dz), seed);
        mix(a, b, u.x)
    };
    mix(mix(row(0, 0), row(1, 0), u.y), mix(row(0, 1), row(1, 1), u.y), u.z)
}

/// Noise summed over octaves, each of half the size and `gain` of the strength; about [-1, 1].
pub fn fractal(p: Vec3, octaves: u32, gain: f32, seed: u32) -> f32 {
    let (mut sum, mut norm, mut strength, mut q) = (0.0, 0.0, 1.0, p);
    for octave in 0..octaves {
        sum += strength * noise(q, seed.wrapping_add(octave * 101));
        norm += strength;
        strength *= gain;
        q = q * 2.03 + Vec3::new(17.3, 5.1, 9.7);
    }
    sum / norm
}

/// A curve through points of rising abscissa (Catmull and Rom), level beyond the ends.
pub fn table<const N: usize>(x: f32, rows: &[(f32, [f32; N])]) -> [f32; N] {
    let at = |i: isize| rows[i.clamp(0, rows.len() as isize - 1) as usize];
    let next = rows.partition_point(|row| row.0 <= x) as isize;
    if next == 0 {
        return at(0).1;
    }
    if next as usize == rows.len() {
        return at(next - 1).1;
    }
    let (p0, p1, p2, p3) = (at(next - 2), at(next - 1), at(next), at(next + 1));
    let span = p2.0 - p1.0;
    let t = (x - p1.0) / span;
    std::array::from_fn(|i| {
        let slope = |a: (f32, [f32; N]), b: (f32, [f32; N])| {
            if b.0 > a.0 { (b.1[i] - a.1[i]) / (b.0 - a.0) * span } else { 0.0 }
        };
        let (m1, m2) = (slope(p0, p2), slope(p1, p3));
        let (t2, t3) = (t * t, t * t * t);
        (2.0 * t3 - 3.0 * t2 + 1.0) * p1.1[i]
            + (t3 - 2.0 * t2 + t) * m1
            + (3.0 * t2 - 2.0 * t3) * p2.1[i]
            + (t3 - t2) * m2
    })
}

/// A smooth line through the points, cut into `steps` pieces per span.
pub fn spline(points: &[Vec3], steps: usize) -> Vec<Vec3> {
    let rows: Vec<(f32, [f32; 3])> = points.iter().enumerate().map(|(i, p)| (i as f32, p.to_array())).collect();
    let count = points.len().saturating_sub(1) * steps;
    (0..=count).map(|i| Vec3::from_array(table(i as f32 / steps as f32, &rows))).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn distances_are_zero_on_the_surface_and_signed() {
        let radii = Vec3::new(30.0, 20.0, 10.0);
        assert!(ellipsoid(Vec3::new(30.0, 0.0, 0.0), radii).abs() < 1e-4);
        assert!((ellipsoid(Vec3::new(0.0, 0.0, 11.0), radii) - 1.0).abs() < 0.1);
        assert!(ellipsoid(Vec3::ZERO, radii) < 0.0);
        assert!(capsule(Vec3::new(5.0, 3.0, 0.0), Vec3::ZERO, Vec3::X * 10.0, 2.0, 4.0).abs() < 1e-5);
        assert!(ellipse(0.0, 20.0, 30.0, 20.0).abs() < 1e-4);
    }

    #[test]
    fn tables_pass_through_their_points() {
        let rows = [(0.0, [1.0]), (10.0, [5.0]), (30.0, [2.0])];
        for (x, y) in rows {
            assert!((table(x, &rows)[0] - y[0]).abs() < 1e-5);
        }
        assert_eq!(table(-4.0, &rows), [1.0]);
        assert_eq!(table(40.0, &rows), [2.0]);
    }

    #[test]
    fn noise_is_stable_continuous_and_bounded() {
        let mut dice = Dice::new(5);
        for _ in 0..500 {
            let p = dice.direction() * dice.range(0.0, 90.0);
            let n = noise(p, 3);
            assert!(n.abs() <= 1.0);
            assert!((n - noise(p + Vec3::splat(1e-3), 3)).abs() < 0.02);
            assert_eq!(n, noise(p, 3));
        }
    }

    #[test]
    fn smooth_union_is_never_above_the_plain_one() {
        for i in 0..100 {
            let (a, b) = (i as f32 * 0.3 - 15.0, 4.0 - i as f32 * 0.1);
            assert!(smin(a, b, 5.0) <= a.min(b) && smin(a, b, 5.0) >= a.min(b) - 1.25 - 1e-6);
            assert!(smax(a, b, 5.0) >= a.max(b));
        }
    }
}

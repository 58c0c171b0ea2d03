//! The whole trunk: large vessels, branching trees, bowel, lymph nodes and lesions, and the order in which all is painted.

use glam::Vec3;

use super::body::{self, Level};
use super::bones::Skeleton;
use super::canvas::Canvas;
use super::field::{Dice, capsule, ellipsoid, noise};
use super::organs;
use super::tissue::Tissue;
use super::tree::Segment;
use super::vessels;

/// A piece of a tube with a wall.
#[derive(Debug, Clone, Copy)]
pub(super) struct Tube {
    pub(super) piece: Segment,
    pub(super) wall_mm: f32,
    pub(super) wall: Tissue,
    pub(super) lumen: Tissue,
}

/// A lesion, a known answer of the truth file.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Lesion {
    /// What it is.
    pub tissue: Tissue,
    /// Centre, patient mm.
    pub centre_mm: Vec3,
    /// Half axes, mm.
    pub radii_mm: Vec3,
    /// Depth of the irregular edge, mm.
    pub ragged_mm: f32,
}

/// A place of even tissue, for measuring noise.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct EvenPlace {
    /// Tissue there.
    pub tissue: Tissue,
    /// Centre, patient mm.
    pub centre_mm: Vec3,
    /// Radius free of anything else, mm.
    pub radius_mm: f32,
}

/// What one patient's trunk holds beyond the standard shapes.
#[derive(Debug, Clone)]
pub struct Plan {
    /// Seed of the trees and the bowel.
    pub seed: u64,
    /// 1 for all branches, less for quick runs.
    pub detail: f32,
    /// Lesions.
    pub lesions: Vec<Lesion>,
    /// The couch is in the field of view (CT).
    pub couch: bool,
}

/// The trunk of one patient.
#[derive(Debug)]
pub struct Anatomy {
    skeleton: Skeleton,
    tubes: Vec<Tube>,
    bowel: Vec<Tube>,
    nodes: Vec<(Vec3, Vec3)>,
    plan: Plan,
}

/// Even liver free of vessels: for the noise that the truth states.
pub const EVEN_LIVER: EvenPlace =
    EvenPlace { tissue: Tissue::Liver, centre_mm: Vec3::new(-88.0, -8.0, 330.0), radius_mm: 15.0 };

impl Anatomy {
    /// Grows the trees; the slow part of the set-up.
    pub fn new(plan: Plan) -> Self {
        let mut tubes = Vec::new();
        vessels::large_vessels(&mut tubes);
        vessels::lung_trees(&plan, &mut tubes);
        vessels::liver_trees(&plan, &mut tubes);
        let mut dice = Dice::new(plan.seed ^ 0x6e6f_6465);
        let mut nodes = Vec::new();
        for centre in [
            Vec3::new(-14.0, -24.0, 500.0),
            Vec3::new(10.0, 4.0, 474.0),
            Vec3::new(-12.0, 6.0, 486.0),
            Vec3::new(14.0, 2.0, 262.0),
            Vec3::new(-8.0, -2.0, 240.0),
            Vec3::new(16.0, 4.0, 224.0),
            Vec3::new(60.0, -64.0, 14.0),
            Vec3::new(-62.0, -66.0, 8.0),
            Vec3::new(74.0, -70.0, 0.0),
            Vec3::new(-138.0, 6.0, 520.0),
            Vec3::new(140.0, 8.0, 516.0),
            Vec3::new(146.0, 0.0, 506.0),
            Vec3::new(32.0, 6.0, 628.0),
            Vec3::new(-34.0, 4.0, 634.0),
            Vec3::new(38.0, 18.0, 622.0),
        ] {
            nodes.push((centre, Vec3::new(dice.range(2.5, 4.5), dice.range(2.0, 3.0), dice.range(3.5, 6.5))));
        }
        Self { skeleton: Skeleton::new(), tubes, bowel: vessels::bowel(&plan), nodes, plan }
    }

    /// Lesions of this patient.
    pub fn lesions(&self) -> &[Lesion] {
        &self.plan.lesions
    }

    /// Paints one slice.
    pub fn paint<const C: usize>(&self, canvas: &mut Canvas<C>, palette: &impl Fn(Tissue) -> [f32; C]) {
        let z = canvas.z();
        let level = Level::at(z);
        if self.plan.couch {
            body::paint_couch(canvas, palette);
        }
        level.paint_wall(canvas, palette);
        level.paint_lungs(canvas, palette);
        if z < 260.0 {
            mesentery(canvas, palette);
        }
        paint_tubes(canvas, &self.bowel, palette);
        organs::paint(canvas, &level, palette);
        self.skeleton.paint(canvas, palette);
        paint_tubes(canvas, &self.tubes, palette);
        for (centre, radii) in &self.nodes {
            paint_blob(canvas, *centre, *radii, 0.6, palette(Tissue::LymphNode));
        }
        for lesion in &self.plan.lesions {
            paint_blob(canvas, lesion.centre_mm, lesion.radii_mm, lesion.ragged_mm, palette(lesion.tissue));
        }
    }
}

fn paint_blob<const C: usize>(canvas: &mut Canvas<C>, centre: Vec3, radii: Vec3, ragged: f32, value: [f32; C]) {
    let reach = radii + Vec3::splat(ragged * 2.0 + 1.0);
    if (canvas.z() - centre.z).abs() > reach.z {
        return;
    }
    let bounds = [centre.x - reach.x, centre.x + reach.x, centre.y - reach.y, centre.y + reach.y];
    let size = radii.max_element() * 0.45;
    canvas.paint(bounds, value, |p| ellipsoid(p - centre, radii) + ragged * noise(p / size, 211));
}

fn paint_tubes<const C: usize>(canvas: &mut Canvas<C>, tubes: &[Tube], palette: &impl Fn(Tissue) -> [f32; C]) {
    let z = canvas.z();
    let edge = canvas.edge_mm;
    // All walls first, then all lumina, so that pieces of one tube open into each other.
    for pass in 0..2 {
        for tube in tubes {
            let s = &tube.piece;
            let r = s.from_radius.max(s.to_radius);
            if s.from.z.min(s.to.z) - r - 1.0 > z || s.from.z.max(s.to.z) + r + 1.0 < z {
                continue;
            }
            if pass == 0 && tube.wall_mm <= 0.0 {
                continue;
            }
            let (value, shrink) =
                if pass == 0 { (palette(tube.wall), 0.0) } else { (palette(tube.lumen), tube.wall_mm) };
            let m = r + 1.0;
            let bounds = [
                s.from.x.min(s.to.x) - m,
                s.from.x.max(s.to.x) + m,
                s.from.y.min(s.to.y) - m,
                s.from.y.max(s.to.y) + m,
            ];
            // A tube thinner than a pixel fills only its share of it.
            let fill = ((2.0 * (r - shrink).max(0.05)) / edge).min(1.0);
            let soft = 1.0 / edge;
            canvas.blend(bounds, |p| {
                let d = capsule(p, s.from, s.to, s.from_radius - shrink, s.to_radius - shrink);
                ((0.5 - d * soft).clamp(0.0, 1.0) * fill, value)
            });
        }
    }
}

/// Small vessels in the fat of the mesentery: noise lines.
fn mesentery<const C: usize>(canvas: &mut Canvas<C>, palette: &impl Fn(Tissue) -> [f32; C]) {
    let vein = palette(Tissue::Vein);
    let z = canvas.z();
    let level = Level::at(z);
    let edge = 1.0 / canvas.edge_mm;
    canvas.blend([-110.0, 110.0, -90.0, 40.0], |p| {
        let q = Vec3::new(p.x, p.y, p.z * 0.8);
        let a = noise(q / 13.0, 307);
        let b = noise(q / 13.0 + Vec3::splat(40.0), 311);
        let d = (a.hypot(b) - 0.10) * 13.0;
        let inside = level.cavity(p) + 9.0;
        ((0.5 - d.max(inside) * edge).clamp(0.0, 0.85), vein)
    });
}

//! Branching vessels and airways: terminals grow one by one towards the nearest branch; radii follow Murray's law.

use glam::Vec3;

use super::field::Dice;

/// A piece of a branch.
#[derive(Debug, Clone, Copy)]
pub struct Segment {
    /// Nearer to the root.
    pub from: Vec3,
    /// Farther from the root.
    pub to: Vec3,
    /// Radius at `from`, mm.
    pub from_radius: f32,
    /// Radius at `to`, mm.
    pub to_radius: f32,
}

/// How a tree grows.
#[derive(Debug, Clone, Copy)]
pub struct Growth {
    /// Number of terminals.
    pub terminals: usize,
    /// Radius of a terminal, mm.
    pub terminal_radius: f32,
    /// Radius of the root, mm; thicker results are cut down to it.
    pub root_radius: f32,
    /// Length of a piece, mm.
    pub step: f32,
    /// Exponent of Murray's law (3 for blood, a little less for air).
    pub exponent: f32,
}

struct Node {
    at: Vec3,
    parent: Option<usize>,
    load: f32,
}

/// Grows a tree from `trunk` (root first) inside the region where `inside` is negative (signed distance in mm).
/// `bounds` is a box round the region.
pub fn grow(
    dice: &mut Dice,
    trunk: &[Vec3],
    growth: Growth,
    bounds: (Vec3, Vec3),
    inside: impl Fn(Vec3) -> f32,
) -> Vec<Segment> {
    let mut nodes: Vec<Node> = Vec::new();
    for (i, at) in trunk.iter().enumerate() {
        nodes.push(Node { at: *at, parent: i.checked_sub(1), load: 0.0 });
    }
    let hilum = *trunk.last().unwrap_or(&Vec3::ZERO);
    let trunk_end = nodes.len().saturating_sub(1);
    for n in 0..growth.terminals {
        let Some(target) = pick(dice, bounds, &inside) else { break };
        // Nearest node; a little longer paths are taken when they keep the direction from the hilum.
        let mut best = (f32::MAX, trunk_end);
        for (i, node) in nodes.iter().enumerate().skip(trunk_end) {
            let way = target - node.at;
            let outward = (node.at - hilum).normalize_or_zero();
            let turn = 1.0 - way.normalize_or_zero().dot(outward);
            let cost = way.length() * (1.0 + 0.35 * turn);
            if cost < best.0 {
                best = (cost, i);
            }
        }
        let mut at = nodes[best.1].at;
        let mut parent = best.1;
        let along = nodes[parent].parent.map_or(Vec3::ZERO, |p| (at - nodes[p].at).normalize_or_zero());
        let pieces = ((target - at).length() / growth.step).ceil().clamp(1.0, 60.0) as usize;
        let bend = along * (target - at).length() * 0.35;
        let (start, middle) = (at, (at + target) * 0.5 + bend * 0.5);
        for k in 1..=pieces {
            let t = k as f32 / pieces as f32;
            let wobble = if k < pieces { dice.direction() * growth.step * 0.12 } else { Vec3::ZERO };
            at = start * (1.0 - t) * (1.0 - t) + middle * 2.0 * t * (1.0 - t) + target * t * t + wobble;
            nodes.push(Node { at, parent: Some(parent), load: 0.0 });
            parent = nodes.len() - 1;
        }
        // Early terminals carry the large territories.
        let share = if n < 40 { 1.6 } else { 1.0 };
        let mut up = Some(parent);
        while let Some(i) = up {
            nodes[i].load += share;
            up = nodes[i].parent;
        }
    }
    let radius =
        |load: f32| (growth.terminal_radius * load.max(1.0).powf(1.0 / growth.exponent)).min(growth.root_radius);
    nodes
        .iter()
        .filter_map(|node| {
            let parent = &nodes[node.parent?];
            Some(Segment {
                from: parent.at,
                to: node.at,
                from_radius: radius(parent.load.min(node.load * 1.8)),
                to_radius: radius(node.load),
            })
        })
        .collect()
}

fn pick(dice: &mut Dice, bounds: (Vec3, Vec3), inside: &impl Fn(Vec3) -> f32) -> Option<Vec3> {
    (0..400).find_map(|_| {
        let p = Vec3::new(
            dice.range(bounds.0.x, bounds.1.x),
            dice.range(bounds.0.y, bounds.1.y),
            dice.range(bounds.0.z, bounds.1.z),
        );
        (inside(p) < -2.5).then_some(p)
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::phantom::field::ellipsoid;

    #[test]
    fn trees_reach_their_terminals_and_thin_out() {
        let growth = Growth { terminals: 60, terminal_radius: 0.4, root_radius: 5.0, step: 6.0, exponent: 3.0 };
        let bounds = (Vec3::splat(-50.0), Vec3::splat(50.0));
        let trunk = [Vec3::new(-60.0, 0.0, 0.0), Vec3::new(-40.0, 0.0, 0.0)];
        let grown = grow(&mut Dice::new(1), &trunk, growth, bounds, |p| ellipsoid(p, Vec3::splat(50.0)));
        assert!(grown.len() > 120);
        assert!(grown.iter().all(|s| s.to_radius <= s.from_radius + 1e-5 || s.to_radius <= 5.0));
        let tips = grown.iter().filter(|s| (s.to_radius - 0.4).abs() < 0.2).count();
        assert!(tips >= 40, "{tips}");
        let again = grow(&mut Dice::new(1), &trunk, growth, bounds, |p| ellipsoid(p, Vec3::splat(50.0)));
        assert!(grown.iter().zip(&again).all(|(a, b)| a.to == b.to), "the same seed gives the same tree");
    }
}

//! Tubes of the trunk: the large vessels by name, the trees grown in lungs and liver, and the bowel.

use glam::Vec3;

use super::anatomy::{EVEN_LIVER, Plan, Tube};
use super::body::Level;
use super::field::{Dice, capsule, spline};
use super::organs;
use super::tissue::Tissue;
use super::tree::{Growth, Segment, grow};

/// A line with radii given along it, smoothed.
fn line(points: &[(f32, f32, f32, f32)]) -> Vec<Segment> {
    let at: Vec<Vec3> = points.iter().map(|p| Vec3::new(p.0, p.1, p.2)).collect();
    let radii: Vec<Vec3> = points.iter().map(|p| Vec3::new(p.3, 0.0, 0.0)).collect();
    let (at, radii) = (spline(&at, 5), spline(&radii, 5));
    at.windows(2)
        .zip(radii.windows(2))
        .map(|(p, r)| Segment { from: p[0], to: p[1], from_radius: r[0].x.max(0.3), to_radius: r[1].x.max(0.3) })
        .collect()
}

fn vessels(tubes: &mut Vec<Tube>, lumen: Tissue, points: &[(f32, f32, f32, f32)]) {
    let wall = match lumen {
        Tissue::Aorta => 1.2,
        _ => 0.0,
    };
    tubes.extend(line(points).into_iter().map(|piece| Tube { piece, wall_mm: wall, wall: Tissue::Muscle, lumen }));
}

/// The named arteries and veins, oesophagus and trachea.
pub(super) fn large_vessels(tubes: &mut Vec<Tube>) {
    use Tissue as T;
    vessels(
        tubes,
        T::PulmonaryVessel,
        &[
            (18.0, -48.0, 458.0, 13.0),
            (20.0, -40.0, 472.0, 13.5),
            (14.0, -26.0, 482.0, 13.0),
            (8.0, -18.0, 485.0, 12.0),
        ],
    );
    vessels(
        tubes,
        T::PulmonaryVessel,
        &[(10.0, -20.0, 484.0, 12.0), (28.0, -8.0, 490.0, 11.0), (42.0, 6.0, 484.0, 9.5), (48.0, 10.0, 470.0, 8.0)],
    );
    vessels(
        tubes,
        T::PulmonaryVessel,
        &[
            (10.0, -20.0, 484.0, 12.0),
            (-14.0, -10.0, 481.0, 11.0),
            (-36.0, -4.0, 477.0, 10.0),
            (-48.0, 2.0, 468.0, 8.0),
        ],
    );
    vessels(tubes, T::LeftHeart, &[(6.0, 8.0, 446.0, 11.0), (-28.0, 4.0, 446.0, 7.5), (-50.0, 4.0, 444.0, 6.0)]);
    vessels(tubes, T::LeftHeart, &[(6.0, 8.0, 450.0, 11.0), (34.0, 6.0, 452.0, 7.0), (50.0, 2.0, 452.0, 6.0)]);
    vessels(
        tubes,
        T::Aorta,
        &[
            (2.0, -18.0, 446.0, 15.0),
            (-10.0, -26.0, 464.0, 16.5),
            (-18.0, -26.0, 484.0, 16.0),
            (-14.0, -18.0, 502.0, 15.0),
            (0.0, 0.0, 511.0, 14.0),
            (16.0, 18.0, 508.0, 13.5),
            (25.0, 32.0, 494.0, 13.0),
            (26.0, 38.0, 470.0, 12.5),
            (24.0, 36.0, 430.0, 12.0),
            (20.0, 32.0, 390.0, 11.5),
            (13.0, 22.0, 345.0, 11.0),
            (8.0, 12.0, 300.0, 10.5),
            (6.0, 6.0, 255.0, 9.5),
            (4.0, 4.0, 210.0, 9.0),
            (2.0, 8.0, 168.0, 8.5),
        ],
    );
    // Arch branches.
    vessels(
        tubes,
        T::Aorta,
        &[
            (-14.0, -16.0, 510.0, 7.5),
            (-18.0, -14.0, 530.0, 6.5),
            (-26.0, -6.0, 552.0, 6.0),
            (-27.0, -4.0, 590.0, 4.2),
            (-26.0, -2.0, 660.0, 3.6),
        ],
    );
    vessels(
        tubes,
        T::Aorta,
        &[(2.0, -2.0, 518.0, 5.0), (12.0, -6.0, 545.0, 4.5), (24.0, -4.0, 590.0, 4.0), (26.0, -2.0, 660.0, 3.6)],
    );
    vessels(
        tubes,
        T::Aorta,
        &[
            (14.0, 12.0, 516.0, 5.5),
            (24.0, 14.0, 545.0, 5.0),
            (40.0, 4.0, 566.0, 4.6),
            (90.0, 0.0, 566.0, 4.0),
            (140.0, 8.0, 552.0, 3.6),
        ],
    );
    vessels(
        tubes,
        T::Aorta,
        &[(-28.0, -2.0, 556.0, 5.0), (-44.0, 2.0, 568.0, 4.6), (-92.0, 0.0, 566.0, 4.0), (-140.0, 8.0, 552.0, 3.6)],
    );
    // Veins to the heart.
    vessels(tubes, T::Vein, &[(-30.0, -18.0, 444.0, 9.5), (-31.0, -20.0, 490.0, 9.0), (-28.0, -24.0, 530.0, 8.5)]);
    vessels(
        tubes,
        T::Vein,
        &[
            (-28.0, -24.0, 530.0, 7.5),
            (0.0, -34.0, 534.0, 6.5),
            (26.0, -24.0, 552.0, 6.0),
            (36.0, -6.0, 590.0, 5.5),
            (37.0, 0.0, 660.0, 5.5),
        ],
    );
    vessels(
        tubes,
        T::Vein,
        &[(-28.0, -24.0, 530.0, 7.5), (-36.0, -16.0, 556.0, 6.5), (-38.0, -4.0, 600.0, 6.5), (-37.0, 0.0, 660.0, 6.5)],
    );
    vessels(tubes, T::Vein, &[(-36.0, -18.0, 552.0, 6.0), (-90.0, -14.0, 562.0, 5.0), (-140.0, -2.0, 548.0, 4.5)]);
    vessels(tubes, T::Vein, &[(28.0, -22.0, 552.0, 5.5), (90.0, -14.0, 562.0, 5.0), (140.0, -2.0, 548.0, 4.5)]);
    vessels(
        tubes,
        T::Vein,
        &[
            (-28.0, -10.0, 410.0, 11.0),
            (-26.0, 6.0, 388.0, 11.0),
            (-24.0, 18.0, 350.0, 10.5),
            (-20.0, 14.0, 300.0, 10.5),
            (-18.0, 10.0, 240.0, 10.0),
            (-16.0, 12.0, 170.0, 9.5),
            (-14.0, 16.0, 158.0, 9.0),
        ],
    );
    vessels(
        tubes,
        T::Vein,
        &[
            (10.0, 46.0, 300.0, 1.8),
            (-6.0, 38.0, 400.0, 2.4),
            (-8.0, 36.0, 470.0, 3.0),
            (-20.0, 18.0, 492.0, 3.2),
            (-28.0, -10.0, 494.0, 3.5),
        ],
    );
    // Iliac arteries and veins.
    for side in [-1.0f32, 1.0] {
        vessels(
            tubes,
            T::Aorta,
            &[
                (2.0, 8.0, 168.0, 6.5),
                (side * 26.0, 16.0, 130.0, 5.5),
                (side * 46.0, 4.0, 90.0, 5.0),
                (side * 62.0, -28.0, 40.0, 4.8),
                (side * 64.0, -60.0, 0.0, 4.6),
                (side * 62.0, -56.0, -80.0, 4.2),
            ],
        );
        vessels(
            tubes,
            T::Vein,
            &[
                (-14.0, 16.0, 160.0, 7.5),
                (side * 24.0, 28.0, 126.0, 7.0),
                (side * 48.0, 14.0, 88.0, 6.0),
                (side * 52.0, -22.0, 40.0, 6.0),
                (side * 51.0, -54.0, 0.0, 5.8),
                (side * 50.0, -46.0, -80.0, 5.0),
            ],
        );
        vessels(
            tubes,
            T::Aorta,
            &[(side * 34.0, 18.0, 116.0, 4.0), (side * 38.0, 36.0, 80.0, 3.6), (side * 46.0, 40.0, 40.0, 2.4)],
        );
        let (zk, yk) = if side > 0.0 { (274.0, 30.0) } else { (262.0, 28.0) };
        vessels(
            tubes,
            T::Aorta,
            &[(6.0 + side * 6.0, 8.0, 266.0, 3.6), (side * 24.0, 22.0, 266.0, 3.0), (side * 44.0, yk, zk - 4.0, 2.4)],
        );
        vessels(
            tubes,
            T::Vein,
            &[
                (-16.0, 4.0, 262.0, 5.0),
                (side * 20.0 + 2.0, if side > 0.0 { -8.0 } else { 12.0 }, 264.0, 5.0),
                (side * 46.0, yk, zk, 4.0),
            ],
        );
    }
    // Coeliac trunk, splenic and hepatic artery, superior mesenteric vessels.
    vessels(
        tubes,
        T::Aorta,
        &[(8.0, 4.0, 298.0, 4.2), (6.0, -10.0, 300.0, 3.6), (-10.0, -16.0, 300.0, 2.8), (-24.0, -12.0, 294.0, 2.2)],
    );
    vessels(
        tubes,
        T::Aorta,
        &[(6.0, -10.0, 300.0, 3.4), (26.0, -4.0, 304.0, 3.0), (46.0, 10.0, 308.0, 2.8), (72.0, 22.0, 324.0, 2.6)],
    );
    vessels(
        tubes,
        T::Aorta,
        &[
            (7.0, -2.0, 284.0, 4.2),
            (5.0, -14.0, 270.0, 3.8),
            (3.0, -24.0, 240.0, 3.4),
            (8.0, -32.0, 190.0, 2.6),
            (-10.0, -34.0, 150.0, 1.8),
        ],
    );
    vessels(
        tubes,
        T::PortalVein,
        &[(-8.0, -34.0, 150.0, 2.6), (-6.0, -30.0, 200.0, 4.6), (-7.0, -24.0, 250.0, 5.6), (-10.0, -20.0, 270.0, 6.6)],
    );
    vessels(
        tubes,
        T::PortalVein,
        &[
            (72.0, 22.0, 320.0, 4.0),
            (46.0, 8.0, 300.0, 4.6),
            (18.0, -12.0, 282.0, 5.0),
            (-10.0, -20.0, 272.0, 6.6),
            (-22.0, -12.0, 292.0, 7.2),
            (-36.0, -4.0, 310.0, 7.0),
        ],
    );
    // Oesophagus and airway.
    let oesophagus = line(&[
        (6.0, 12.0, 640.0, 6.5),
        (8.0, 24.0, 570.0, 6.5),
        (6.0, 28.0, 500.0, 7.0),
        (8.0, 30.0, 440.0, 7.5),
        (20.0, 18.0, 392.0, 8.0),
        (36.0, 6.0, 366.0, 8.5),
    ]);
    tubes.extend(oesophagus.into_iter().map(|piece| Tube {
        piece,
        wall_mm: 3.6,
        wall: T::StomachWall,
        lumen: T::StomachContent,
    }));
    let windpipe = line(&[
        (0.0, -8.0, 680.0, 10.0),
        (0.0, -6.0, 630.0, 10.5),
        (0.0, 4.0, 580.0, 10.0),
        (-1.0, 10.0, 530.0, 10.0),
        (-2.0, 14.0, 492.0, 10.5),
    ]);
    tubes.extend(windpipe.into_iter().map(|piece| Tube {
        piece,
        wall_mm: 1.6,
        wall: T::AirwayWall,
        lumen: T::AirwayLumen,
    }));
}

/// Arteries, veins and airways of both lungs.
pub(super) fn lung_trees(plan: &Plan, tubes: &mut Vec<Tube>) {
    let count = |n: f32| (n * plan.detail).max(12.0) as usize;
    let inside = |p: Vec3| Level::at(p.z).lung(p);
    for side in [-1.0f32, 1.0] {
        let bounds = if side > 0.0 {
            (Vec3::new(18.0, -96.0, 285.0), Vec3::new(138.0, 90.0, 590.0))
        } else {
            (Vec3::new(-138.0, -96.0, 285.0), Vec3::new(-18.0, 90.0, 590.0))
        };
        let seed = plan.seed.wrapping_mul(31).wrapping_add(if side > 0.0 { 1 } else { 2 });
        let arteries =
            Growth { terminals: count(950.0), terminal_radius: 0.42, root_radius: 7.5, step: 9.0, exponent: 2.75 };
        let artery_root = if side > 0.0 {
            [Vec3::new(42.0, 6.0, 484.0), Vec3::new(48.0, 10.0, 470.0), Vec3::new(52.0, 12.0, 458.0)]
        } else {
            [Vec3::new(-40.0, -3.0, 476.0), Vec3::new(-48.0, 2.0, 468.0), Vec3::new(-52.0, 8.0, 456.0)]
        };
        let plain = |piece: Segment, lumen: Tissue| Tube { piece, wall_mm: 0.0, wall: Tissue::Muscle, lumen };
        tubes.extend(
            grow(&mut Dice::new(seed), &artery_root, arteries, bounds, inside)
                .into_iter()
                .map(|s| plain(s, Tissue::PulmonaryVessel)),
        );
        let veins =
            Growth { terminals: count(700.0), terminal_radius: 0.40, root_radius: 6.5, step: 10.0, exponent: 2.75 };
        let vein_root = [Vec3::new(side * 30.0, 5.0, 448.0), Vec3::new(side * 50.0, 3.0, 446.0)];
        tubes.extend(
            grow(&mut Dice::new(seed ^ 0x55), &vein_root, veins, bounds, inside)
                .into_iter()
                .map(|s| plain(s, Tissue::PulmonaryVessel)),
        );
        let airways =
            Growth { terminals: count(130.0), terminal_radius: 0.95, root_radius: 6.6, step: 8.0, exponent: 2.9 };
        let airway_root = if side > 0.0 {
            [
                Vec3::new(-2.0, 14.0, 494.0),
                Vec3::new(12.0, 16.0, 478.0),
                Vec3::new(34.0, 16.0, 464.0),
                Vec3::new(46.0, 18.0, 456.0),
            ]
        } else {
            [
                Vec3::new(-2.0, 14.0, 494.0),
                Vec3::new(-16.0, 14.0, 480.0),
                Vec3::new(-32.0, 12.0, 470.0),
                Vec3::new(-44.0, 14.0, 460.0),
            ]
        };
        let mut root = 0;
        tubes.extend(grow(&mut Dice::new(seed ^ 0xa7), &airway_root, airways, bounds, inside).into_iter().map(
            |mut piece| {
                if root < 3 {
                    // Main bronchus: full size whatever the number of branches.
                    piece.from_radius = [8.4, 7.6, 6.8][root];
                    piece.to_radius = [7.6, 6.8, 6.2][root];
                    root += 1;
                }
                let wall_mm = (0.22 * piece.from_radius).clamp(0.45, 1.4);
                Tube { piece, wall_mm, wall: Tissue::AirwayWall, lumen: Tissue::AirwayLumen }
            },
        ));
    }
}

/// Portal and hepatic veins; they leave lesions and the even place alone.
pub(super) fn liver_trees(plan: &Plan, tubes: &mut Vec<Tube>) {
    let count = |n: f32| (n * plan.detail).max(10.0) as usize;
    let inside = |p: Vec3| organs::liver(&Level::at(p.z), p) + 2.0;
    let bounds = (Vec3::new(-132.0, -98.0, 240.0), Vec3::new(62.0, 70.0, 388.0));
    let keep = |s: &Segment| {
        let d = capsule(EVEN_LIVER.centre_mm, s.from, s.to, s.from_radius, s.to_radius);
        d > EVEN_LIVER.radius_mm
            && plan.lesions.iter().all(|l| {
                capsule(l.centre_mm, s.from, s.to, s.from_radius, s.to_radius) > l.radii_mm.max_element() * 0.2
            })
    };
    let portal = Growth { terminals: count(150.0), terminal_radius: 0.75, root_radius: 6.5, step: 8.0, exponent: 2.6 };
    let root = [Vec3::new(-26.0, -10.0, 296.0), Vec3::new(-36.0, -4.0, 310.0), Vec3::new(-44.0, -4.0, 318.0)];
    let grown = grow(&mut Dice::new(plan.seed ^ 0x706f), &root, portal, bounds, inside);
    let tube = |piece, lumen| Tube { piece, wall_mm: 0.0, wall: Tissue::Muscle, lumen };
    tubes.extend(grown.into_iter().filter(keep).map(|s| tube(s, Tissue::PortalVein)));
    let hepatic = Growth { terminals: count(100.0), terminal_radius: 0.8, root_radius: 5.5, step: 9.0, exponent: 2.5 };
    let root = [Vec3::new(-25.0, 10.0, 376.0), Vec3::new(-36.0, 4.0, 368.0)];
    let grown = grow(&mut Dice::new(plan.seed ^ 0x6876), &root, hepatic, bounds, inside);
    tubes.extend(grown.into_iter().filter(keep).map(|s| tube(s, Tissue::HepaticVein)));
}

/// Large and small bowel as tubes.
pub(super) fn bowel(plan: &Plan) -> Vec<Tube> {
    use Tissue as T;
    let mut tubes = Vec::new();
    let mut dice = Dice::new(plan.seed ^ 0x626f_7765);
    // Large bowel: caecum, ascending, transverse, descending, sigmoid, rectum, with haustra.
    let frame = [
        Vec3::new(-84.0, -22.0, 112.0),
        Vec3::new(-94.0, 2.0, 150.0),
        Vec3::new(-98.0, 14.0, 200.0),
        Vec3::new(-90.0, -4.0, 236.0),
        Vec3::new(-62.0, -54.0, 226.0),
        Vec3::new(-20.0, -72.0, 206.0),
        Vec3::new(30.0, -72.0, 212.0),
        Vec3::new(72.0, -46.0, 252.0),
        Vec3::new(100.0, 8.0, 292.0),
        Vec3::new(102.0, 28.0, 250.0),
        Vec3::new(100.0, 26.0, 190.0),
        Vec3::new(92.0, 14.0, 140.0),
        Vec3::new(68.0, -18.0, 104.0),
        Vec3::new(28.0, -34.0, 92.0),
        Vec3::new(-12.0, 0.0, 100.0),
        Vec3::new(6.0, 38.0, 92.0),
        Vec3::new(2.0, 50.0, 62.0),
        Vec3::new(0.0, 46.0, 24.0),
        Vec3::new(0.0, 30.0, -12.0),
    ];
    let path = spline(&frame, 8);
    let total = path.len() as f32;
    for (i, pair) in path.windows(2).enumerate() {
        let t = i as f32 / total;
        let base = if t < 0.22 {
            21.0
        } else if t < 0.5 {
            17.0
        } else {
            12.5
        };
        let haustra = |k: usize| base * (1.0 + 0.15 * (k as f32 * 1.35).sin() + 0.05 * (k as f32 * 0.53).cos());
        let piece = Segment { from: pair[0], to: pair[1], from_radius: haustra(i), to_radius: haustra(i + 1) };
        // Gas collects in the front (transverse colon), stool elsewhere.
        let gas = (pair[0].y < -40.0 && (i / 5) % 3 != 2) || ((i / 7) % 5 == 3);
        tubes.push(Tube { piece, wall_mm: 2.0, wall: T::BowelWall, lumen: if gas { T::Gas } else { T::Stool } });
    }
    // Small bowel: loops in rows.
    let mut loops = Vec::new();
    for row in 0..6 {
        for lane in 0..2 {
            let flip = if (row + lane) % 2 == 0 { 1.0 } else { -1.0 };
            for k in 0..6 {
                let x = (-62.0 + 25.0 * k as f32) * flip;
                let y = [-50.0, -16.0][lane] + dice.range(-11.0, 11.0);
                let z = 92.0 + 25.0 * row as f32 + dice.range(-11.0, 11.0);
                loops.push(Vec3::new(x + dice.range(-6.0, 6.0), y, z));
            }
        }
    }
    let path = spline(&loops, 6);
    for (i, pair) in path.windows(2).enumerate() {
        let radius = |k: usize| 9.6 + 1.9 * (k as f32 * 0.21).sin() + 0.8 * (k as f32 * 1.1).sin();
        let piece = Segment { from: pair[0], to: pair[1], from_radius: radius(i), to_radius: radius(i + 1) };
        tubes.push(Tube {
            piece,
            wall_mm: 2.1,
            wall: T::BowelWall,
            lumen: if (i / 19) % 7 == 4 { T::Gas } else { T::BowelContent },
        });
    }
    tubes
}

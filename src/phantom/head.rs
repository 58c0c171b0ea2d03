//! The head: scalp, skull, folded cortex, ventricles, deep grey matter, cerebellum, orbits; with an infarct on the left.
//!
//! Coordinates in mm about the middle of the brain: +x patient left, +y posterior, +z up.

use glam::Vec3;

use super::field::{capsule, ellipsoid, noise, smin, smoothstep};

/// Tissues of the head, in the order of [`VALUES`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum HeadTissue {
    /// Air and sinuses.
    Air,
    /// Scalp and orbital fat.
    Fat,
    /// Muscle, skin and mucosa.
    Muscle,
    /// Cortical bone.
    Bone,
    /// Marrow of the skull.
    Diploe,
    /// Cerebrospinal fluid, vitreous body.
    Fluid,
    /// Cortex.
    Grey,
    /// White matter.
    White,
    /// Basal ganglia and thalamus.
    DeepGrey,
    /// Acute infarct.
    Infarct,
    /// Chronic white matter lesion.
    WhiteLesion,
}

/// T1, T2, FLAIR and b = 0 signals (arbitrary units), and ADC in 10⁻³ mm²/s.
pub const VALUES: [[f32; 5]; 11] = [
    [0.0, 0.0, 0.0, 0.0, 1.0],
    [920.0, 600.0, 480.0, 55.0, 0.4],
    [370.0, 150.0, 170.0, 110.0, 1.4],
    [35.0, 25.0, 25.0, 12.0, 1.0],
    [480.0, 240.0, 190.0, 50.0, 0.6],
    [120.0, 1000.0, 55.0, 900.0, 3.0],
    [430.0, 450.0, 430.0, 470.0, 0.83],
    [610.0, 300.0, 305.0, 350.0, 0.72],
    [500.0, 345.0, 350.0, 365.0, 0.75],
    [390.0, 600.0, 660.0, 620.0, 0.42],
    [500.0, 560.0, 640.0, 520.0, 1.05],
];

/// Centre and half axes of the infarct.
pub const INFARCT: (Vec3, Vec3) = (Vec3::new(27.0, 12.0, 34.0), Vec3::new(11.0, 15.0, 11.0));

/// Distance to the skin.
pub fn skin(p: Vec3) -> f32 {
    let cranium = ellipsoid(p - Vec3::new(0.0, 4.0, 14.0), Vec3::new(77.0, 97.0, 84.0));
    let face = ellipsoid(p - Vec3::new(0.0, -44.0, -62.0), Vec3::new(56.0, 52.0, 70.0));
    let neck = capsule(p, Vec3::new(0.0, 22.0, -60.0), Vec3::new(0.0, 12.0, -180.0), 54.0, 60.0);
    let nose = capsule(p, Vec3::new(0.0, -92.0, -18.0), Vec3::new(0.0, -110.0, -46.0), 5.0, 10.0);
    smin(smin(smin(cranium, face, 22.0), neck, 26.0), nose, 9.0)
}

fn cavity(p: Vec3) -> f32 {
    let cerebrum = ellipsoid(p - Vec3::new(0.0, 2.0, 17.0), Vec3::new(66.0 - 0.05 * p.y.abs(), 85.0, 66.0));
    let fossa = ellipsoid(p - Vec3::new(0.0, 42.0, -34.0), Vec3::new(52.0, 39.0, 30.0));
    let temporal = ellipsoid(Vec3::new(p.x.abs() - 38.0, p.y + 14.0, p.z + 24.0), Vec3::new(25.0, 36.0, 22.0));
    let floor = -p.z - 20.0 - 10.0 * smoothstep(-10.0, 40.0, -p.y) + 16.0 * smoothstep(20.0, 70.0, -p.y);
    smin(smin(cerebrum.max(floor), fossa, 6.0), temporal, 6.0)
}

fn side(p: Vec3) -> Vec3 {
    Vec3::new(p.x.abs(), p.y, p.z)
}

fn ventricles(p: Vec3) -> f32 {
    let q = side(p);
    let body = capsule(q, Vec3::new(9.0, -30.0, 22.0), Vec3::new(11.0, 16.0, 28.0), 5.5, 6.0);
    let trigone = capsule(q, Vec3::new(11.0, 16.0, 28.0), Vec3::new(27.0, 38.0, 14.0), 6.0, 7.0);
    let horn = capsule(q, Vec3::new(27.0, 38.0, 14.0), Vec3::new(22.0, 58.0, 14.0), 6.0, 2.5);
    let lower = capsule(q, Vec3::new(28.0, 36.0, 10.0), Vec3::new(33.0, -4.0, -16.0), 4.0, 2.5);
    let third = ellipsoid(p - Vec3::new(0.0, 4.0, 8.0), Vec3::new(2.6, 15.0, 11.0));
    let fourth = ellipsoid(p - Vec3::new(0.0, 36.0, -30.0), Vec3::new(8.0, 5.5, 11.0));
    smin(smin(body, trigone, 4.0), smin(horn, lower, 3.0), 2.0).min(third).min(fourth)
}

/// The tissue at a place, with or without the infarct.
pub fn tissue(p: Vec3, infarct: bool) -> HeadTissue {
    use HeadTissue as T;
    let scalp = skin(p);
    if scalp > 0.0 {
        return T::Air;
    }
    let inner = cavity(p);
    if inner > 0.0 {
        return outside_brain(p, scalp, inner);
    }
    let depth = -inner;
    if infarct && ellipsoid(p - INFARCT.0, INFARCT.1) + 2.0 * noise(p / 7.0, 611) < 0.0 {
        return T::Infarct;
    }
    let hollow = ventricles(p);
    if hollow < 0.0 {
        return T::Fluid;
    }
    let q = side(p);
    let stem = capsule(p, Vec3::new(0.0, 18.0, -8.0), Vec3::new(0.0, 24.0, -32.0), 13.0, 14.0).min(capsule(
        p,
        Vec3::new(0.0, 26.0, -36.0),
        Vec3::new(0.0, 32.0, -100.0),
        10.0,
        6.0,
    ));
    let cerebellum = ellipsoid(q - Vec3::new(20.0, 46.0, -34.0), Vec3::new(31.0, 31.0, 24.0));
    if cerebellum < 0.0 && stem > 0.0 {
        let wave = (cerebellum * 0.45 + 0.9 * noise(p / 12.0, 617)).cos();
        let leaf = ((q.z + 34.0).atan2(q.y - 30.0) * 17.0 + 2.0 * noise(p / 15.0, 619)).sin();
        let core = ellipsoid(q - Vec3::new(17.0, 42.0, -34.0), Vec3::new(17.0, 15.0, 9.0)) + 3.0 * leaf;
        return if core < 0.0 {
            T::White
        } else if leaf < -0.86 && wave > -0.9 {
            T::Fluid
        } else {
            T::Grey
        };
    }
    if stem < 0.0 {
        return T::White;
    }
    let cistern = ellipsoid(p - Vec3::new(0.0, -4.0, -16.0), Vec3::new(17.0, 13.0, 8.0))
        .min((p - Vec3::new(0.0, 22.0, -30.0)).length() - 17.5);
    let gap = p.z < -14.0 && p.y > 4.0 && q.x < 50.0 && cerebellum < 2.5;
    if cistern < 0.0 || gap || (p.z < -38.0) {
        return T::Fluid;
    }
    for (centre, radii) in [
        (Vec3::new(14.5, -22.0, 18.0), Vec3::new(5.5, 12.0, 11.0)),
        (Vec3::new(11.0, 8.0, 10.0), Vec3::new(8.5, 14.0, 10.0)),
        (Vec3::new(25.5, -6.0, 8.0), Vec3::new(6.0, 17.0, 12.0)),
    ] {
        if ellipsoid(q - centre, radii) < 0.0 {
            return T::DeepGrey;
        }
    }
    cortex(p, q, depth, hollow)
}

/// Cortex as a ribbon of even thickness along the surface and along folds (zero sets of a warped noise).
fn cortex(p: Vec3, q: Vec3, depth: f32, hollow: f32) -> HeadTissue {
    use HeadTissue as T;
    let warp = Vec3::new(noise(p / 22.0, 631), noise(p / 22.0, 633), noise(p / 22.0, 637)) * 6.0;
    let fold = |scale: f32, seed: u32| noise((p + warp) / scale, seed).abs() * scale * 0.62;
    let sulcus = fold(14.0, 641);
    let reach = 22.0 + 7.0 * noise(p / 25.0, 643);
    let mut d = (depth - 0.3).max(0.0).min(sulcus.hypot((depth - reach).max(0.0)));
    d = d.min(fold(9.5, 647).hypot((depth - 9.0).max(0.0)));
    // Between the hemispheres, down to the corpus callosum; below it, in front.
    let callosum = ellipsoid(p - Vec3::new(0.0, 0.0, 22.0), Vec3::new(14.0, 36.0, 17.0));
    d = d.min((q.x - 0.6).max(0.0).hypot((9.0 - callosum).max(0.0) * 0.8));
    // Sylvian fissure with the insula at its bottom.
    let lateral = q.x - 36.0;
    if lateral > 0.0 && (-44.0..34.0).contains(&p.y) {
        let plane = (p.z + 2.0 - 0.32 * (p.y + 10.0)).abs() - 0.8;
        d = d.min(plane.max(0.0).hypot((39.0 - q.x).max(0.0)));
    }
    let patch = noise(p / 7.0, 653);
    if hollow < 3.0 && p.z > 12.0 && (p.y > 18.0 || p.y < -30.0) && hollow < 1.6 + 1.2 * patch {
        return T::WhiteLesion;
    }
    if d < 0.75 {
        T::Fluid
    } else if d < 4.3 && hollow > 3.0 {
        T::Grey
    } else if patch > 0.80 && p.z > 20.0 && hollow > 6.0 {
        T::WhiteLesion
    } else {
        T::White
    }
}

fn outside_brain(p: Vec3, scalp: f32, inner: f32) -> HeadTissue {
    use HeadTissue as T;
    let q = side(p);
    let eye = (q - Vec3::new(31.0, -70.0, -20.0)).length();
    if eye < 12.0 {
        let lens = ellipsoid(q - Vec3::new(31.0, -79.0, -20.0), Vec3::new(4.5, 2.2, 4.5));
        return if lens < 0.0 || eye > 11.0 { T::Muscle } else { T::Fluid };
    }
    let orbit = capsule(q, Vec3::new(31.0, -68.0, -20.0), Vec3::new(16.0, -38.0, -18.0), 17.0, 5.0);
    if orbit < 0.0 {
        let nerve = capsule(q, Vec3::new(30.0, -60.0, -20.0), Vec3::new(12.0, -30.0, -16.0), 2.2, 2.2);
        let muscle = (orbit + 4.0).abs() < 1.1;
        return if nerve < 0.0 || muscle { T::Muscle } else { T::Fat };
    }
    let sinus = ellipsoid(q - Vec3::new(26.0, -58.0, -50.0), Vec3::new(14.0, 17.0, 15.0))
        .min(ellipsoid(q - Vec3::new(5.5, -60.0, -44.0), Vec3::new(3.2, 26.0, 20.0)))
        .min(ellipsoid(p - Vec3::new(0.0, -30.0, -30.0), Vec3::new(13.0, 11.0, 9.0)))
        .min(ellipsoid(q - Vec3::new(7.0, -84.0, 8.0), Vec3::new(10.0, 4.0, 10.0)))
        .min(ellipsoid(p - Vec3::new(0.0, -8.0, -84.0), Vec3::new(11.0, 9.0, 30.0)));
    if sinus < 0.0 {
        return T::Air;
    }
    if scalp > -2.0 {
        return T::Muscle;
    }
    if inner < 7.5 && p.z > -62.0 {
        return if (2.0..5.4).contains(&inner) && scalp < -5.0 { T::Diploe } else { T::Bone };
    }
    let canal = ((p.x / 1.2).powi(2) + (p.y - 32.0 + (p.z + 60.0) * 0.03).powi(2)).sqrt();
    if p.z < -55.0 && canal < 16.0 {
        return if canal < 5.0 {
            T::White
        } else if canal < 9.0 {
            T::Fluid
        } else {
            T::Bone
        };
    }
    if p.z < -66.0 && (p - Vec3::new(0.0, 14.0, p.z)).length() < 12.0 {
        return if (p.z / 17.0).fract().abs() < 0.2 { T::Bone } else { T::Diploe };
    }
    let fat = 5.5 + 1.5 * noise(p / 20.0, 659);
    if scalp > -fat || (noise(p / 12.0, 661) > 0.34 && inner > 14.0) { T::Fat } else { T::Muscle }
}

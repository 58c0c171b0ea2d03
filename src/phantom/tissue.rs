//! What the body is made of, and the stated values of each tissue: HU plain and in the portal venous phase, and MR properties.

use serde::{Deserialize, Serialize};

/// A tissue of the phantoms. One tissue has one stated value in each kind of picture.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Tissue {
    Air,
    CouchShell,
    CouchFoam,
    Skin,
    Fat,
    VisceralFat,
    Muscle,
    Lung,
    AirwayWall,
    AirwayLumen,
    PulmonaryVessel,
    Myocardium,
    RightHeart,
    LeftHeart,
    Aorta,
    Vein,
    CorticalBone,
    SpongyBone,
    Marrow,
    Cartilage,
    Disc,
    SpinalCord,
    CerebrospinalFluid,
    Liver,
    PortalVein,
    HepaticVein,
    Gallbladder,
    Spleen,
    Pancreas,
    Adrenal,
    RenalCortex,
    RenalMedulla,
    RenalPelvis,
    StomachWall,
    StomachContent,
    BowelWall,
    BowelContent,
    Stool,
    Gas,
    Bladder,
    BladderWall,
    Prostate,
    Thyroid,
    LymphNode,
    LungNodule,
    LiverMetastasis,
    RenalCyst,
    BoneLesion,
    Brain,
}

/// Stated HU of a tissue.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Hounsfield {
    /// Without contrast agent.
    pub plain: f32,
    /// Portal venous phase, 70 s.
    pub portal: f32,
}

/// Stated MR properties at 1.5 T.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Magnetic {
    /// Signal of the T1-weighted picture, arbitrary units.
    pub t1: f32,
    /// Signal of the T2-weighted picture, arbitrary units.
    pub t2: f32,
    /// Signal of the fat-suppressed picture at b = 0, arbitrary units.
    pub b0: f32,
    /// Apparent diffusion coefficient, 10⁻³ mm²/s.
    pub adc: f32,
}

impl Tissue {
    /// Stated HU.
    pub fn hounsfield(self) -> Hounsfield {
        use Tissue as T;
        let (plain, portal) = match self {
            T::Air | T::Gas | T::AirwayLumen => (-1000.0, -1000.0),
            T::CouchShell => (-180.0, -180.0),
            T::CouchFoam => (-930.0, -930.0),
            T::Skin => (15.0, 25.0),
            T::Fat => (-104.0, -104.0),
            T::VisceralFat => (-98.0, -96.0),
            T::Muscle => (55.0, 65.0),
            T::Lung => (-868.0, -862.0),
            T::AirwayWall => (-60.0, -40.0),
            T::PulmonaryVessel => (38.0, 150.0),
            T::Myocardium => (42.0, 105.0),
            T::RightHeart => (40.0, 150.0),
            T::LeftHeart => (40.0, 158.0),
            T::Aorta => (41.0, 162.0),
            T::Vein => (40.0, 140.0),
            T::CorticalBone => (780.0, 780.0),
            T::SpongyBone => (190.0, 200.0),
            T::Marrow => (70.0, 80.0),
            T::Cartilage => (110.0, 118.0),
            T::Disc => (85.0, 90.0),
            T::SpinalCord => (38.0, 42.0),
            T::CerebrospinalFluid => (8.0, 8.0),
            T::Liver => (60.0, 112.0),
            T::PortalVein => (42.0, 172.0),
            T::HepaticVein => (41.0, 160.0),
            T::Gallbladder => (10.0, 11.0),
            T::Spleen => (48.0, 124.0),
            T::Pancreas => (41.0, 96.0),
            T::Adrenal => (28.0, 72.0),
            T::RenalCortex => (33.0, 192.0),
            T::RenalMedulla => (32.0, 158.0),
            T::RenalPelvis => (6.0, 8.0),
            T::StomachWall => (42.0, 86.0),
            T::StomachContent => (14.0, 14.0),
            T::BowelWall => (40.0, 92.0),
            T::BowelContent => (18.0, 19.0),
            T::Stool => (35.0, 35.0),
            T::Bladder => (4.0, 6.0),
            T::BladderWall => (36.0, 58.0),
            T::Prostate => (40.0, 78.0),
            T::Thyroid => (105.0, 172.0),
            T::LymphNode => (38.0, 82.0),
            T::LungNodule => (28.0, 62.0),
            T::LiverMetastasis => (42.0, 62.0),
            T::RenalCyst => (7.0, 8.0),
            T::BoneLesion => (420.0, 430.0),
            T::Brain => (34.0, 36.0),
        };
        Hounsfield { plain, portal }
    }

    /// Stated MR properties, for whole-body imaging.
    pub fn magnetic(self) -> Magnetic {
        use Tissue as T;
        let (t1, t2, b0, adc) = match self {
            T::Air | T::Gas | T::AirwayLumen | T::CouchShell | T::CouchFoam => (0.0, 0.0, 0.0, 1.0),
            T::Skin => (300.0, 180.0, 40.0, 1.2),
            T::Fat => (1000.0, 620.0, 26.0, 0.5),
            T::VisceralFat => (940.0, 590.0, 26.0, 0.5),
            T::Muscle => (330.0, 150.0, 110.0, 1.5),
            T::Lung => (38.0, 45.0, 18.0, 1.6),
            T::AirwayWall => (120.0, 110.0, 60.0, 1.5),
            T::PulmonaryVessel | T::RightHeart | T::LeftHeart | T::Aorta | T::Vein | T::PortalVein | T::HepaticVein => {
                (130.0, 70.0, 60.0, 2.4)
            }
            T::Myocardium => (340.0, 190.0, 130.0, 1.7),
            T::CorticalBone => (30.0, 20.0, 10.0, 1.0),
            T::SpongyBone => (520.0, 290.0, 115.0, 0.62),
            T::Marrow => (800.0, 480.0, 50.0, 0.5),
            T::Cartilage => (300.0, 260.0, 130.0, 1.5),
            T::Disc => (300.0, 420.0, 240.0, 1.8),
            T::SpinalCord => (420.0, 330.0, 430.0, 0.9),
            T::CerebrospinalFluid => (150.0, 1000.0, 820.0, 3.0),
            T::Liver => (470.0, 185.0, 230.0, 1.25),
            T::Gallbladder => (260.0, 930.0, 800.0, 2.8),
            T::Spleen => (350.0, 390.0, 640.0, 0.82),
            T::Pancreas => (500.0, 260.0, 280.0, 1.35),
            T::Adrenal => (380.0, 260.0, 300.0, 1.1),
            T::RenalCortex => (470.0, 400.0, 560.0, 1.9),
            T::RenalMedulla => (350.0, 470.0, 600.0, 1.75),
            T::RenalPelvis | T::RenalCyst | T::Bladder => (150.0, 980.0, 820.0, 2.9),
            T::StomachWall | T::BowelWall => (370.0, 250.0, 270.0, 1.4),
            T::StomachContent => (220.0, 760.0, 520.0, 2.6),
            T::BowelContent => (330.0, 560.0, 420.0, 2.2),
            T::Stool => (420.0, 240.0, 120.0, 1.5),
            T::BladderWall => (340.0, 180.0, 200.0, 1.6),
            T::Prostate => (340.0, 430.0, 420.0, 1.3),
            T::Thyroid => (410.0, 330.0, 320.0, 1.3),
            T::LymphNode => (350.0, 380.0, 560.0, 0.95),
            T::LungNodule => (340.0, 330.0, 480.0, 0.95),
            T::LiverMetastasis => (330.0, 400.0, 560.0, 0.95),
            T::BoneLesion => (280.0, 420.0, 620.0, 0.72),
            T::Brain => (480.0, 470.0, 700.0, 0.85),
        };
        Magnetic { t1, t2, b0, adc }
    }
}

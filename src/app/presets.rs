//! Window presets by modality, for the number keys. Data, stated once; every number is center / width of a
//! LINEAR window in the modality's unit (HU for CT).

use crate::study::Voi;

/// One preset.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Preset {
    /// Names it for `ui::text`.
    pub name: &'static str,
    /// Window Center; for [`Basis::Own`] a share of the frame's own width to shift the center by.
    pub center: f64,
    /// Window Width; for [`Basis::Own`] a factor of the frame's own width.
    pub width: f64,
    /// What the numbers are measured by.
    pub basis: Basis,
}

/// What a preset's numbers are measured by.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Basis {
    /// The modality's unit.
    Absolute,
    /// The frame's own window: MR, CR and mammograms have no common unit.
    Own,
}

const fn hu(name: &'static str, center: f64, width: f64) -> Preset {
    Preset { name, center, width, basis: Basis::Absolute }
}

const fn own(name: &'static str, shift: f64, factor: f64) -> Preset {
    Preset { name, center: shift, width: factor, basis: Basis::Own }
}

/// Computed tomography, HU.
const CT: &[Preset] = &[
    hu("lung", -600.0, 1500.0),
    hu("mediastinum", 40.0, 400.0),
    hu("bone", 500.0, 2000.0),
    hu("abdomen", 40.0, 350.0),
    hu("liver", 80.0, 180.0),
    hu("brain", 40.0, 80.0),
    hu("stroke", 35.0, 40.0),
    hu("angio", 250.0, 700.0),
    hu("subdural", 75.0, 250.0),
];

/// Where values have no common unit: the frame's own window, narrower, wider, darker, brighter.
const OWN: &[Preset] = &[
    own("as_stored", 0.0, 1.0),
    own("narrow", 0.0, 0.6),
    own("wide", 0.0, 1.6),
    own("brighter", -0.2, 1.0),
    own("darker", 0.2, 1.0),
];

/// The presets of a modality (0008,0060), in the order of the number keys.
pub fn presets(modality: &str) -> &'static [Preset] {
    if modality == "CT" { CT } else { OWN }
}

impl Preset {
    /// The window, given the frame's own.
    pub fn voi(&self, own: Voi) -> Voi {
        match self.basis {
            Basis::Absolute => Voi::linear(self.center, self.width),
            Basis::Own => Voi {
                center: own.center + self.center * own.width,
                width: (own.width * self.width).max(f64::from(f32::EPSILON)),
                function: own.function,
            },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_modality_has_at_most_nine_sound_presets() {
        let own = Voi::linear(100.0, 50.0);
        for modality in ["CT", "MR", "MG", "CR", "RF", "US", "PT", ""] {
            let list = presets(modality);
            assert!((1..=9).contains(&list.len()));
            assert!(list.iter().all(|p| p.voi(own).width > 0.0));
        }
        assert_eq!(presets("CT")[0].voi(own), Voi::linear(-600.0, 1500.0));
        assert_eq!(presets("MR")[0].voi(own), own);
        assert_eq!(presets("MR")[3].voi(own).center, 90.0);
    }
}

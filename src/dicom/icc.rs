//! ICC profiles (PS3.3 C.11.15): colour of the object → sRGB.

use super::dataset::View;
use dicom_dictionary_std::tags;
use moxcms::{ColorProfile, DataColorSpace, Layout, Transform8BitExecutor, TransformOptions};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

/// Colour differences up to this are sRGB in another writing: not worth a conversion.
const SAME: u8 = 1;

/// A conversion of interleaved 8-bit RGB to sRGB.
#[derive(Clone)]
pub(super) struct Conversion(Arc<Transform8BitExecutor>);

impl std::fmt::Debug for Conversion {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Conversion")
    }
}

impl Conversion {
    /// What the object's profile asks for: nothing without one, or if it is sRGB. The profile stands in the data set,
    /// or in the first item of Optical Path Sequence. `Err` says why a profile cannot be followed.
    pub(super) fn of(view: &View<'_>) -> Result<Option<Self>, String> {
        let in_path = || {
            view.items(tags::OPTICAL_PATH_SEQUENCE).next().and_then(|p| p.bytes(tags::ICC_PROFILE).map(<[u8]>::to_vec))
        };
        let Some(profile) = view.bytes(tags::ICC_PROFILE).map(<[u8]>::to_vec).or_else(in_path) else { return Ok(None) };
        if profile.is_empty() {
            return Ok(None);
        }
        // The parser is Rust: what it does not foresee unwinds.
        catch_unwind(AssertUnwindSafe(|| Self::from_profile(&profile)))
            .unwrap_or_else(|_| Err("the ICC profile is damaged".into()))
    }

    fn from_profile(profile: &[u8]) -> Result<Option<Self>, String> {
        let source = ColorProfile::new_from_slice(profile).map_err(|e| format!("the ICC profile is damaged: {e}"))?;
        if source.color_space != DataColorSpace::Rgb {
            return Err("the ICC profile is not one of RGB".into());
        }
        let options = TransformOptions { rendering_intent: source.rendering_intent, ..TransformOptions::default() };
        let executor = source
            .create_transform_8bit(Layout::Rgb, &ColorProfile::new_srgb(), Layout::Rgb, options)
            .map_err(|e| format!("the ICC profile cannot be followed: {e}"))?;
        let conversion = Self(executor);
        // A cube of colours tells whether there is anything to do.
        let steps: Vec<u8> = (0..=16u16).map(|n| (n * 255 / 16) as u8).collect();
        let mut cube = Vec::with_capacity(3 * 17 * 17 * 17);
        for r in &steps {
            for g in &steps {
                cube.extend(steps.iter().flat_map(|b| [*r, *g, *b]));
            }
        }
        let converted = conversion.apply(&cube)?;
        let same = cube.iter().zip(&converted).all(|(a, b)| a.abs_diff(*b) <= SAME);
        Ok((!same).then_some(conversion))
    }

    /// Converts whole pixels.
    pub(super) fn apply(&self, rgb: &[u8]) -> Result<Vec<u8>, String> {
        let mut out = vec![0; rgb.len()];
        self.0.transform(rgb, &mut out).map_err(|e| format!("the ICC profile cannot be followed: {e}"))?;
        Ok(out)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn srgb_needs_nothing_and_other_spaces_are_converted() {
        let srgb = ColorProfile::new_srgb().encode().expect("writes");
        assert!(Conversion::from_profile(&srgb).expect("sound").is_none());
        let wide = ColorProfile::new_adobe_rgb().encode().expect("writes");
        let conversion = Conversion::from_profile(&wide).expect("sound").expect("differs");
        let out = conversion.apply(&[0, 0, 0, 255, 255, 255, 128, 128, 128, 200, 150, 100]).expect("converts");
        // Neutral stays neutral; the wide space's colours become stronger in the smaller one. Values by the formulae
        // of both spaces: (200, 150, 100) of Adobe RGB (1998) is (217, 151, 97) of sRGB.
        assert_eq!(out[..6], [0, 0, 0, 255, 255, 255]);
        assert!(out[6..9].iter().all(|v| v.abs_diff(out[6]) <= 1), "{out:?}");
        for (found, wanted) in out[9..].iter().zip(ADOBE) {
            assert!(found.abs_diff(wanted) <= 2, "{out:?}");
        }
        assert!(Conversion::from_profile(&wide[..200]).is_err());
        assert!(Conversion::from_profile(b"no profile at all").is_err());
    }
    const ADOBE: [u8; 3] = [217, 151, 97];
}

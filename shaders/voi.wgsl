// Prelude of every drawing shader: from modality values to display-ready levels (PS3.4 N.2).
// No entry point. Twin: src/render/voi.rs (`VoiUniform` has the same layout); CPU reference: imaging::normalise.

const VOI_LINEAR: u32 = 0u;
const VOI_LINEAR_EXACT: u32 = 1u;
const VOI_SIGMOID: u32 = 2u;

struct VoiUniform {
    // modality value − window centre = (stored − pivot) · slope + residual. The pivot is the stored value
    // nearest to the centre: differences stay small, so 32-bit floats lose nothing where the window is.
    slope: f32,
    residual: f32,
    width: f32,
    function: u32,
    pivot_int: i32,
    pivot_float: f32,
    // 1: MONOCHROME1 or inverted by the reader, but not both.
    inverted: u32,
    // 1: the padding range below is in use.
    has_padding: u32,
    padding_int: vec2<i32>,
    padding_float: vec2<f32>,
}

// Level 0…1 of a modality value given as its distance from the window centre (PS3.3 C.11.2.1.2, C.11.2.1.3).
fn voi_level(voi: VoiUniform, from_center: f32) -> f32 {
    switch voi.function {
        case VOI_LINEAR: {
            // c' = c − 0.5 and w' = w − 1; w = 1 is a threshold and never divides.
            let x = from_center + 0.5;
            let half = (voi.width - 1.0) * 0.5;
            if x <= -half {
                return 0.0;
            }
            if x > half {
                return 1.0;
            }
            return clamp(x / (voi.width - 1.0) + 0.5, 0.0, 1.0);
        }
        case VOI_LINEAR_EXACT: {
            return clamp(from_center / voi.width + 0.5, 0.0, 1.0);
        }
        default: {
            // The exponent is held where the level is 0 or 1 to any display: exp() must not overflow.
            let exponent = clamp(-4.0 * from_center / voi.width, -80.0, 80.0);
            return 1.0 / (1.0 + exp(exponent));
        }
    }
}

// Level as shown: inversion after the window.
fn presentation_level(voi: VoiUniform, from_center: f32) -> f32 {
    let level = voi_level(voi, from_center);
    return select(level, 1.0 - level, voi.inverted == 1u);
}

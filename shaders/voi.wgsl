// Prelude of every drawing shader: from modality values to display-ready levels (PS3.4 N.2).
// No entry point. Twin: src/render/voi.rs (`VoiUniform` has the same layout); CPU reference: imaging::Look.

const VOI_LINEAR: u32 = 0u;
const VOI_LINEAR_EXACT: u32 = 1u;
const VOI_SIGMOID: u32 = 2u;
const VOI_LUT: u32 = 3u;

// Tables' entries lie row after row in textures of this width (a power of two).
const LUT_SHIFT: u32 = 10u;

struct VoiUniform {
    // modality value − window centre = (stored − pivot) · slope + residual. The pivot is the stored value
    // nearest to the centre: differences stay small, so 32-bit floats lose nothing where the window is.
    slope: f32,
    residual: f32,
    width: f32,
    function: u32,
    pivot_int: i32,
    pivot_float: f32,
    // 1: MONOCHROME1 (or presentation INVERSE) or inverted by the reader, but not both.
    inverted: u32,
    // 1: the padding range below is in use.
    has_padding: u32,
    padding_int: vec2<i32>,
    padding_float: vec2<f32>,
    // VOI LUT: number of entries, entries per modality unit, entry of the brightest level.
    lut_entries: u32,
    lut_scale: f32,
    lut_full: f32,
    // Presentation LUT: number of entries, 0 for none; entry of the brightest level.
    presentation_entries: u32,
    presentation_full: f32,
    unused_0: u32,
    unused_1: u32,
    unused_2: u32,
}

@group(2) @binding(0) var voi_table: texture_2d<u32>;
@group(2) @binding(1) var presentation_table: texture_2d<u32>;

// Level at a place in a table: whole numbers are entries, between two the level is in proportion, ends are held.
fn table_level(table: texture_2d<u32>, entries: u32, full: f32, place: f32) -> f32 {
    let last = i32(entries) - 1;
    let held = clamp(place, 0.0, f32(last));
    let low = i32(floor(held));
    let high = min(low + 1, last);
    let mask = (1i << LUT_SHIFT) - 1i;
    let a = f32(textureLoad(table, vec2<i32>(low & mask, low >> LUT_SHIFT), 0).r);
    let b = f32(textureLoad(table, vec2<i32>(high & mask, high >> LUT_SHIFT), 0).r);
    return (a + (b - a) * (held - f32(low))) / full;
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
        case VOI_LUT: {
            let place = from_center * voi.lut_scale + f32(voi.lut_entries) * 0.5;
            return table_level(voi_table, voi.lut_entries, voi.lut_full, place);
        }
        default: {
            // The exponent is held where the level is 0 or 1 to any display: exp() must not overflow.
            let exponent = clamp(-4.0 * from_center / voi.width, -80.0, 80.0);
            return 1.0 / (1.0 + exp(exponent));
        }
    }
}

// Level as shown: the presentation LUT, or the polarity; inversion last.
fn presentation_level(voi: VoiUniform, from_center: f32) -> f32 {
    var level = voi_level(voi, from_center);
    if voi.presentation_entries > 0u {
        let place = level * f32(voi.presentation_entries - 1u);
        level = table_level(presentation_table, voi.presentation_entries, voi.presentation_full, place);
    }
    return select(level, 1.0 - level, voi.inverted == 1u);
}

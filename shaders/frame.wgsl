// One frame in one viewport: stored values → rescale → VOI → inversion, resampled by hand.
// Twin: src/render/frame.rs (`FrameUniform` has the same layout); CPU reference: imaging::render_placed.
//
// Resampling works on values before the window, each axis for itself:
//  · magnified or 1:1: linear between pixel centres, or the nearest pixel where the reader's option says so;
//  · shrunk: the mean over the screen pixel's footprint, each image pixel weighted by the area it shares.
//    Every image pixel counts once, so a small calcification neither vanishes nor sparkles while moving.
//    Beyond MAX_TAPS image pixels per screen pixel (thumbnails) MAX_TAPS evenly spread rows and columns stand
//    for all.
// Padding is never mixed in; where a footprint holds some, the rest is darkened by the share of it.
// Over it: an overlay's mark anywhere in the footprint, then a shutter over the nearest pixel.

const MAX_TAPS: f32 = 32.0;
// Half way between two pixels the later one is nearest, whatever the rounding of the position.
const HALF: f32 = 0.5009765625;

// Share of an image pixel from which on its overlay mark counts: less is rounding.
const MARK_SHARE: f32 = 0.0009765625;

// Bits of the mask.
const MASK_OVERLAY: u32 = 1u;
const MASK_SHUTTER: u32 = 2u;

const KIND_UINT: u32 = 0u;
const KIND_SINT: u32 = 1u;
const KIND_FLOAT: u32 = 2u;
const KIND_COLOR: u32 = 3u;

// Which of the three textures holds the page; the other two are one-texel stand-ins.
override KIND: u32 = 0u;

struct FrameUniform {
    voi: VoiUniform,
    // pixel = (columns of a 2 × 2 matrix) · (screen − origin) + translation
    pixel_from_screen: vec4<f32>,
    translation: vec2<f32>,
    // Framebuffer position of the viewport's top left corner.
    origin: vec2<f32>,
    // Columns and rows of the frame.
    size: vec2<i32>,
    // A page larger than the device's limit lies in tiles of 2^tile_shift squared, one per layer.
    tile_shift: u32,
    tiles_across: u32,
    // Image pixels per screen pixel along columns and rows.
    footprint: vec2<f32>,
    // 1: nearest pixel instead of linear interpolation.
    nearest: vec2<u32>,
    // Bits of the mask that count now.
    mask: u32,
    // Level of what a shutter covers.
    shutter_level: f32,
    unused_0: u32,
    unused_1: u32,
}

@group(0) @binding(0) var<uniform> frame: FrameUniform;
@group(1) @binding(0) var texels_uint: texture_2d_array<u32>;
@group(1) @binding(1) var texels_sint: texture_2d_array<i32>;
@group(1) @binding(2) var texels_float: texture_2d_array<f32>;
@group(1) @binding(3) var texels_mask: texture_2d_array<u32>;

@vertex
fn vs_viewport(@builtin(vertex_index) index: u32) -> @builtin(position) vec4<f32> {
    // One triangle over the whole viewport.
    let corner = vec2<f32>(f32((index << 1u) & 2u), f32(index & 2u));
    return vec4<f32>(corner * 2.0 - 1.0, 0.0, 1.0);
}

// Grey: distance of the stored value from the pivot in x. Colour: red, green, blue 0…255.
// w: 1 for image, 0 for padding.
fn fetch(x: i32, y: i32) -> vec4<f32> {
    let mask = i32((1u << frame.tile_shift) - 1u);
    let at = vec2<i32>(x & mask, y & mask);
    let layer = (y >> frame.tile_shift) * i32(frame.tiles_across) + (x >> frame.tile_shift);
    if KIND == KIND_COLOR {
        return vec4<f32>(vec3<f32>(textureLoad(texels_uint, at, layer, 0).rgb), 1.0);
    }
    if KIND == KIND_FLOAT {
        let value = textureLoad(texels_float, at, layer, 0).r;
        let padding = frame.voi.has_padding == 1u && value >= frame.voi.padding_float.x
            && value <= frame.voi.padding_float.y;
        return vec4<f32>(value - frame.voi.pivot_float, 0.0, 0.0, select(1.0, 0.0, padding));
    }
    var value: i32;
    if KIND == KIND_UINT {
        value = i32(textureLoad(texels_uint, at, layer, 0).r);
    } else {
        value = textureLoad(texels_sint, at, layer, 0).r;
    }
    let padding = frame.voi.has_padding == 1u && value >= frame.voi.padding_int.x && value <= frame.voi.padding_int.y;
    return vec4<f32>(f32(value - frame.voi.pivot_int), 0.0, 0.0, select(1.0, 0.0, padding));
}

// Bits of a pixel inside the frame.
fn mask_at(at: vec2<i32>) -> u32 {
    let bits = i32((1u << frame.tile_shift) - 1u);
    let layer = (at.y >> frame.tile_shift) * i32(frame.tiles_across) + (at.x >> frame.tile_shift);
    return textureLoad(texels_mask, at & vec2<i32>(bits), layer, 0).r & frame.mask;
}

// The image pixels along one axis that make up a screen pixel.
struct Taps {
    // Index of the first, in image pixels; distance of the next.
    first: f32,
    step: f32,
    count: i32,
    // Footprint; linear: the position itself in `low`.
    low: f32,
    high: f32,
    mean: bool,
}

fn taps(position: f32, footprint: f32, nearest: u32, size: i32) -> Taps {
    if footprint <= 1.0 {
        if nearest == 1u {
            let index = floor(position + HALF);
            return Taps(index, 1.0, 1, index, index, false);
        }
        let first = floor(position);
        return Taps(first, 1.0, select(2, 1, position == first), position, position, false);
    }
    // Edges of image pixel i lie at i and i + 1 here.
    let low = position + 0.5 - footprint * 0.5;
    let high = low + footprint;
    if footprint > MAX_TAPS {
        let step = footprint / MAX_TAPS;
        return Taps(low + step * 0.5, step, i32(MAX_TAPS), low, high, true);
    }
    let first = max(floor(low), 0.0);
    let last = min(ceil(high), f32(size));
    return Taps(first, 1.0, max(i32(last - first), 0), low, high, true);
}

fn tap_weight(t: Taps, at: f32) -> f32 {
    if t.mean {
        let overlap = min(t.high, at + 1.0) - max(t.low, at);
        return select(max(overlap, 0.0), t.step, t.step > 1.0);
    }
    return max(1.0 - abs(at - t.low), 0.0);
}

// Magnified or 1:1: weighted sum in rgb, sum of weights in w; none where the nearest pixel is padding.
fn magnified(pixel: vec2<f32>) -> vec4<f32> {
    let last = frame.size - 1;
    let at = clamp(vec2<i32>(floor(pixel + HALF)), vec2<i32>(0), last);
    let nearest = fetch(at.x, at.y);
    let first = floor(pixel);
    let share = select(pixel - first, vec2<f32>(0.0), frame.nearest == vec2<u32>(1u));
    // The nearest pixel decides whether this is image at all, and is all there is at 1:1.
    if nearest.w == 0.0 || all(share == vec2<f32>(0.0)) {
        return nearest;
    }
    // Where an axis takes the nearest pixel, the other pixel of that axis weighs nothing.
    let low_wished = select(vec2<i32>(first), at, frame.nearest == vec2<u32>(1u));
    let low = clamp(low_wished, vec2<i32>(0), last);
    let high = clamp(low_wished + 1, vec2<i32>(0), last);
    let a = fetch(low.x, low.y);
    let b = fetch(high.x, low.y);
    let c = fetch(low.x, high.y);
    let d = fetch(high.x, high.y);
    let top = vec2<f32>((1.0 - share.x) * a.w, share.x * b.w) * (1.0 - share.y);
    let bottom = vec2<f32>((1.0 - share.x) * c.w, share.x * d.w) * share.y;
    let sum = a.rgb * top.x + b.rgb * top.y + c.rgb * bottom.x + d.rgb * bottom.y;
    return vec4<f32>(sum, top.x + top.y + bottom.x + bottom.y);
}

@fragment
fn fs_frame(@builtin(position) position: vec4<f32>) -> @location(0) vec4<f32> {
    let screen = position.xy - frame.origin;
    let m = frame.pixel_from_screen;
    let pixel = m.xy * screen.x + m.zw * screen.y + frame.translation;
    let black = vec4<f32>(0.0, 0.0, 0.0, 1.0);
    var cover = 1.0;
    // Beyond the picture's edge by more than the footprint's half there is nothing. A centre right on the far edge
    // is outside, whatever the rounding.
    let reach = select(vec2<f32>(0.0), frame.footprint * 0.5, frame.footprint > vec2<f32>(1.0));
    let size = vec2<f32>(frame.size);
    if any(pixel < vec2<f32>(-0.5) - reach) || any(pixel >= size - vec2<f32>(HALF) + reach) {
        return black;
    }
    let last = frame.size - 1;
    let at = clamp(vec2<i32>(floor(pixel + HALF)), vec2<i32>(0), last);
    var bits = 0u;
    if frame.mask != 0u {
        bits = mask_at(at);
    }
    var sum = vec3<f32>(0.0);
    var image = 0.0;
    if all(frame.footprint <= vec2<f32>(1.0)) {
        let near = magnified(pixel);
        sum = near.rgb;
        image = near.w;
    } else {
        // The nearest pixel's own mark may lie outside the footprint that counts below.
        bits &= MASK_SHUTTER;
        let columns = taps(pixel.x, frame.footprint.x, frame.nearest.x, frame.size.x);
        let rows = taps(pixel.y, frame.footprint.y, frame.nearest.y, frame.size.y);
        for (var j = 0; j < rows.count; j++) {
            let row = rows.first + f32(j) * rows.step;
            let y = i32(floor(row));
            if rows.mean && (y < 0 || y >= frame.size.y) {
                continue;
            }
            let row_weight = tap_weight(rows, row);
            for (var i = 0; i < columns.count; i++) {
                let column = columns.first + f32(i) * columns.step;
                let x = i32(floor(column));
                if columns.mean && (x < 0 || x >= frame.size.x) {
                    continue;
                }
                // Linear interpolation holds the outermost pixels to the picture's edge.
                let here = clamp(vec2<i32>(x, y), vec2<i32>(0), last);
                let value = fetch(here.x, here.y);
                let column_weight = tap_weight(columns, column);
                let weight = row_weight * column_weight * value.w;
                if (frame.mask & MASK_OVERLAY) != 0u {
                    let marks_x = select(here.x == at.x, column_weight > MARK_SHARE, columns.mean);
                    let marks_y = select(here.y == at.y, row_weight > MARK_SHARE, rows.mean);
                    if marks_x && marks_y {
                        bits |= mask_at(here) & MASK_OVERLAY;
                    }
                }
                sum += value.rgb * weight;
                image += weight;
            }
        }
        // Share of the footprint that is image: linear weights add up to 1, a mean's to the footprint.
        let whole = max(frame.footprint.x, 1.0) * max(frame.footprint.y, 1.0);
        cover = min(image / whole, 1.0);
        // Rounding of many small weights must not darken what lies wholly inside.
        cover = select(cover, 1.0, cover > 0.9999);
    }
    if (bits & MASK_OVERLAY) != 0u {
        return vec4<f32>(1.0);
    }
    if (bits & MASK_SHUTTER) != 0u {
        return vec4<f32>(vec3<f32>(frame.shutter_level), 1.0);
    }
    if image <= 0.0 {
        return black;
    }
    let mean = sum / image;
    if KIND == KIND_COLOR {
        let level = mean / 255.0;
        let shown = select(level, 1.0 - level, frame.voi.inverted == 1u);
        return vec4<f32>(shown * cover, 1.0);
    }
    let from_center = mean.x * frame.voi.slope + frame.voi.residual;
    return vec4<f32>(vec3<f32>(presentation_level(frame.voi, from_center) * cover), 1.0);
}

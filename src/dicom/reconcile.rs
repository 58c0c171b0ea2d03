//! What holds where an object and the compressed frame within it disagree.

use super::codestream::{Codestream, Kind};
use super::image::Image;
use super::samples::{Layout, Samples};
use crate::imaging::Trouble;

/// Signed samples in a wider codestream: does their sign sit in the declared bits, with zeros above? Then no sample
/// uses the upper bits, and some use the declared sign bit.
fn sign_in_declared_bits(samples: &Samples, declared: u16, layout: Layout) -> bool {
    let mask = u16::MAX >> (16 - layout.stored.clamp(1, 16));
    let largest = match samples {
        Samples::Bytes(bytes) => bytes.iter().map(|b| u16::from(*b)).max().unwrap_or(0),
        Samples::Words(words) => words.iter().map(|w| w & mask).max().unwrap_or(0),
    };
    (1u32 << (declared - 1)..1u32 << declared).contains(&u32::from(largest))
}

/// Bits and sign where object and codestream differ. The codestream says how the samples are coded (PS3.5 8.2), the
/// object what they mean.
pub(super) fn reconcile(image: &mut Image, stream: &Codestream, samples: &Samples, warnings: &mut Vec<Trouble>) {
    // Samples are right-aligned; more bits than declared are common and harmless.
    let precision = u16::from(stream.precision);
    let declared = image.layout.stored;
    if precision < declared {
        warnings.push(Trouble::Bits { declared, found: precision });
    }
    image.layout.stored = precision;
    image.layout.high_bit = precision - 1;
    let sign_differs = stream.kind == Kind::Jpeg2000 && stream.signed != image.layout.signed && image.samples == 1;
    if sign_differs {
        // The coded bits are read by Pixel Representation, as two's complement where it says so.
        warnings.push(Trouble::Sign);
        if precision > declared && (stream.signed || image.layout.signed) {
            image.layout.stored = declared;
            image.layout.high_bit = declared - 1;
        }
    } else if image.layout.signed
        && !stream.signed
        && precision > declared
        && sign_in_declared_bits(samples, declared, image.layout)
    {
        image.layout.stored = declared;
        image.layout.high_bit = declared - 1;
    }
}

//! The bundled Japanese font. The system's fonts are not asked: the screen looks the same everywhere.

use egui::{FontData, FontDefinitions, FontFamily, FontTweak};
use std::sync::Arc;

/// BIZ UDPGothic, SIL OFL 1.1 (`assets/fonts/OFL.txt`).
const BIZ_UDP_GOTHIC: &[u8] = include_bytes!("../../assets/fonts/BIZUDPGothic-Regular.ttf");

/// Japanese first for text; for digits in columns egui's fixed-width font first, then Japanese.
pub fn install(ctx: &egui::Context) {
    ctx.set_fonts(definitions());
}

fn definitions() -> FontDefinitions {
    let mut fonts = FontDefinitions::default();
    let name = "BIZ UDPGothic";
    // Its instructions flatten thin strokes to nothing ("−" at 13 pixels, "–", "—", "_"): it is drawn without them.
    let tweak = FontTweak { hinting: Some(false), ..FontTweak::default() };
    fonts.font_data.insert(name.to_owned(), Arc::new(FontData::from_static(BIZ_UDP_GOTHIC).tweak(tweak)));
    fonts.families.entry(FontFamily::Proportional).or_default().insert(0, name.to_owned());
    fonts.families.entry(FontFamily::Monospace).or_default().push(name.to_owned());
    fonts
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ui::theme;
    use std::collections::BTreeSet;

    /// Ink that each character leaves, in points: the sum of its pixels' cover.
    fn ink(scale: f32, font: &egui::FontId, characters: &BTreeSet<char>) -> Vec<f32> {
        let ctx = egui::Context::default();
        install(&ctx);
        // Room for all of them at once.
        let mut input = egui::RawInput { max_texture_side: Some(8192), ..egui::RawInput::default() };
        input.viewports.entry(input.viewport_id).or_default().native_pixels_per_point = Some(scale);
        ctx.run_ui(input, |_| {}).textures_delta.clear();
        let place = |character: &char| {
            let galley = ctx.fonts_mut(|f| f.layout_no_wrap(character.to_string(), font.clone(), egui::Color32::WHITE));
            let place = galley.rows[0].row.glyphs[0].uv_rect;
            [place.min[0], place.min[1], place.max[0], place.max[1]].map(usize::from)
        };
        let places: Vec<_> = characters.iter().map(place).collect();
        let image = ctx.fonts(|f| f.image());
        let cover = |[left, top, right, bottom]: [usize; 4]| {
            let pixels = (top..bottom).flat_map(|y| (left..right).map(move |x| (x, y)));
            let cover: u32 = pixels.map(|(x, y)| u32::from(image.pixels[y * image.width() + x].a())).sum();
            cover as f32 / 255.0 / (scale * scale)
        };
        places.into_iter().map(cover).collect()
    }

    /// A character has as much ink at the size of the screen as where it is drawn large: a minus that vanishes turns a
    /// finding round.
    #[test]
    fn no_stroke_vanishes_at_any_size() {
        let texts =
            include_str!("../../assets/text/en.toml").chars().chain(include_str!("../../assets/text/ja.toml").chars());
        let thin = "-–—−‐‑―ー－＿_=≡＝+±×÷≦≧~〜.,:;'|/･・一二三工土王玉目且（）「」→←↑↓";
        let characters: BTreeSet<char> = texts.chain(thin.chars()).filter(|c| !c.is_whitespace()).collect();
        for size in [theme::CAPTION, theme::BODY, theme::SECTION, theme::TITLE] {
            for font in [theme::font(size), theme::digits(size)] {
                let large = ink(3.0, &font, &characters);
                for scale in [1.0, 1.25, 1.5, 2.0] {
                    let small = ink(scale, &font, &characters);
                    let of = characters.iter().zip(small.iter().zip(&large));
                    let lost: String =
                        of.filter(|(_, (small, large))| **small < 0.7 * **large).map(|(c, _)| c).collect();
                    assert!(lost.is_empty(), "{font:?}, scale {scale}: strokes are missing in {lost}");
                }
            }
        }
    }
}

//! The bundled Japanese font. The system's fonts are not asked: the screen looks the same everywhere.

use egui::{FontData, FontDefinitions, FontFamily};
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
    fonts.font_data.insert(name.to_owned(), Arc::new(FontData::from_static(BIZ_UDP_GOTHIC)));
    fonts.families.entry(FontFamily::Proportional).or_default().insert(0, name.to_owned());
    fonts.families.entry(FontFamily::Monospace).or_default().push(name.to_owned());
    fonts
}

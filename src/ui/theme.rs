//! Every colour and size of the screen. No literal colour or size stands elsewhere.
//!
//! Dark and quiet: no surface but pictures is brighter than [`TEXT_STRONG`]. Each colour has one meaning,
//! and never carries it alone: a word or a shape stands beside it.
#![expect(clippy::disallowed_methods, reason = "the one place where colours are made")]

use egui::{Color32, CornerRadius, FontFamily, FontId, Margin, Stroke, Style, TextStyle, Vec2, Visuals};

/// Behind pictures.
pub const SURROUND: Color32 = Color32::from_rgb(0x00, 0x00, 0x00);
/// Window.
pub const GROUND: Color32 = Color32::from_rgb(0x0E, 0x10, 0x13);
/// Panels.
pub const PANEL: Color32 = Color32::from_rgb(0x14, 0x17, 0x1B);
/// Hover and fields.
pub const RAISED: Color32 = Color32::from_rgb(0x1C, 0x21, 0x27);
/// Pressed controls and chosen rows.
pub const PRESSED: Color32 = Color32::from_rgb(0x24, 0x2B, 0x33);
/// Separators, 1 px.
pub const LINE: Color32 = Color32::from_rgb(0x27, 0x2D, 0x35);
/// Values. At least 7:1 on [`PANEL`].
pub const TEXT_STRONG: Color32 = Color32::from_rgb(0xC4, 0xCB, 0xD3);
/// Labels. At least 4.5:1 on [`PANEL`].
pub const TEXT: Color32 = Color32::from_rgb(0x98, 0xA2, 0xAD);
/// Hints.
pub const TEXT_FAINT: Color32 = Color32::from_rgb(0x66, 0x70, 0x7B);
/// Focus, selection, primary button.
pub const ACCENT: Color32 = Color32::from_rgb(0x4A, 0x94, 0xDD);
/// Ground of the primary button.
pub const ACCENT_DIM: Color32 = Color32::from_rgb(0x1E, 0x3E, 0x5F);
/// Sent, complete.
pub const OK: Color32 = Color32::from_rgb(0x4D, 0xA5, 0x83);
/// Due soon, unusual.
pub const CAUTION: Color32 = Color32::from_rgb(0xCC, 0x9A, 0x3E);
/// Overdue, failed, mismatch. Harm and nothing else.
pub const HARM: Color32 = Color32::from_rgb(0xD9, 0x53, 0x4B);
/// First reader.
pub const READER_1: Color32 = Color32::from_rgb(0x5A, 0xA0, 0xE8);
/// Second reader.
pub const READER_2: Color32 = Color32::from_rgb(0xDD, 0x9A, 0x4A);
/// Arbiter.
pub const ARBITER: Color32 = Color32::from_rgb(0xAC, 0x86, 0xD6);
/// Measurements and annotations.
pub const MARK: Color32 = Color32::from_rgb(0xE6, 0xC8, 0x4A);
/// The chosen annotation.
pub const MARK_CHOSEN: Color32 = Color32::from_rgb(0xFF, 0xFF, 0xFF);
/// Cross-series lines.
pub const REFERENCE_LINE: Color32 = Color32::from_rgb(0x4F, 0xC3, 0xBB);
/// Pictures keep their own colours.
pub const UNTINTED: Color32 = Color32::WHITE;
/// Fully see-through.
pub const CLEAR: Color32 = Color32::TRANSPARENT;

/// Overlay and captions.
pub const CAPTION: f32 = 11.0;
/// Body.
pub const BODY: f32 = 13.0;
/// Section heads.
pub const SECTION: f32 = 15.0;
/// Title.
pub const TITLE: f32 = 18.0;
/// The grid.
pub const GRID: f32 = 4.0;
/// Dense row.
pub const ROW: f32 = 24.0;
/// Two-line row.
pub const ROW_TALL: f32 = 40.0;
/// Corner radius.
pub const RADIUS: u8 = 3;
/// Top bar.
pub const BAR: f32 = 32.0;
/// Tray of series.
pub const TRAY: f32 = 108.0;
/// Report panel, narrowest and widest.
pub const REPORT: [f32; 2] = [420.0, 640.0];
/// Width of the sign-in column.
pub const SIGN_IN: f32 = 360.0;
/// Column of field labels in the report.
pub const LABEL: f32 = 116.0;
/// Line height of prose of size [`BODY`].
pub const LINE_HEIGHT: f32 = 19.0;
/// Smallest hit area.
pub const HIT: f32 = 24.0;

/// Proportional text of a size.
pub fn font(size: f32) -> FontId {
    FontId::new(size, FontFamily::Proportional)
}

/// Fixed-width digits of a size, for numbers that change or align.
pub fn digits(size: f32) -> FontId {
    FontId::new(size, FontFamily::Monospace)
}

/// 1 px separator.
pub fn line() -> Stroke {
    Stroke::new(1.0, LINE)
}

/// 2 px focus ring.
pub fn focus() -> Stroke {
    Stroke::new(2.0, ACCENT)
}

/// A colour that an object recommends, covered to a share of 255.
pub fn recommended([r, g, b]: [u8; 3], share: u8) -> Color32 {
    Color32::from_rgba_unmultiplied(r, g, b, share)
}

/// A colour dimmed to a share of itself (0 to 1), for quiet variants of a token.
pub fn dimmed(color: Color32, share: f32) -> Color32 {
    color.gamma_multiply(share.clamp(0.0, 1.0))
}

/// Puts the tokens into egui's style. Called once per context.
pub fn install(ctx: &egui::Context) {
    ctx.set_theme(egui::Theme::Dark);
    ctx.all_styles_mut(apply);
}

fn apply(style: &mut Style) {
    style.visuals = Visuals::dark();
    let v = &mut style.visuals;
    v.override_text_color = None;
    v.panel_fill = PANEL;
    v.window_fill = PANEL;
    v.window_stroke = line();
    v.window_corner_radius = CornerRadius::same(RADIUS);
    v.menu_corner_radius = CornerRadius::same(RADIUS);
    v.window_shadow = egui::Shadow::NONE;
    v.popup_shadow = egui::Shadow::NONE;
    v.extreme_bg_color = RAISED;
    v.text_edit_bg_color = Some(RAISED);
    v.faint_bg_color = GROUND;
    v.code_bg_color = GROUND;
    v.hyperlink_color = ACCENT;
    v.warn_fg_color = CAUTION;
    v.error_fg_color = HARM;
    v.selection.bg_fill = ACCENT_DIM;
    v.selection.stroke = Stroke::new(1.0, ACCENT);
    v.weak_text_color = Some(TEXT_FAINT);
    let states = [
        (&mut v.widgets.noninteractive, PANEL, LINE, TEXT),
        (&mut v.widgets.inactive, RAISED, LINE, TEXT_STRONG),
        (&mut v.widgets.hovered, PRESSED, LINE, TEXT_STRONG),
        (&mut v.widgets.active, PRESSED, ACCENT, TEXT_STRONG),
        (&mut v.widgets.open, RAISED, LINE, TEXT_STRONG),
    ];
    for (widget, fill, edge, text) in states {
        widget.bg_fill = fill;
        widget.weak_bg_fill = fill;
        widget.bg_stroke = Stroke::new(1.0, edge);
        widget.fg_stroke = Stroke::new(1.0, text);
        widget.corner_radius = CornerRadius::same(RADIUS);
        // Nothing grows under the pointer: the screen stays still.
        widget.expansion = 0.0;
    }
    let s = &mut style.spacing;
    s.item_spacing = Vec2::new(2.0 * GRID, GRID);
    s.button_padding = Vec2::new(2.0 * GRID, GRID);
    s.interact_size = Vec2::new(HIT, HIT);
    s.window_margin = Margin::same(16);
    s.menu_margin = Margin::same(4);
    s.scroll = egui::style::ScrollStyle::thin();
    style.text_styles = [
        (TextStyle::Small, font(CAPTION)),
        (TextStyle::Body, font(BODY)),
        (TextStyle::Button, font(BODY)),
        (TextStyle::Heading, font(SECTION)),
        (TextStyle::Monospace, digits(BODY)),
    ]
    .into();
    style.animation_time = 0.0;
    style.interaction.selectable_labels = false;
    style.interaction.tooltip_delay = 0.5;
}

#[cfg(test)]
mod tests {
    use super::*;

    /// WCAG relative luminance.
    fn luminance(c: Color32) -> f64 {
        let part = |v: u8| {
            let s = f64::from(v) / 255.0;
            if s <= 0.040_45 { s / 12.92 } else { ((s + 0.055) / 1.055).powf(2.4) }
        };
        0.2126 * part(c.r()) + 0.7152 * part(c.g()) + 0.0722 * part(c.b())
    }

    fn contrast(a: Color32, b: Color32) -> f64 {
        let (a, b) = (luminance(a), luminance(b));
        (a.max(b) + 0.05) / (a.min(b) + 0.05)
    }

    #[test]
    fn texts_are_legible_on_their_grounds() {
        for ground in [GROUND, PANEL, RAISED] {
            assert!(contrast(TEXT_STRONG, ground) >= 7.0);
            assert!(contrast(TEXT, ground) >= 4.5);
            assert!(contrast(TEXT_FAINT, ground) >= 3.0);
        }
        for state in [OK, CAUTION, HARM, ACCENT] {
            assert!(contrast(state, PANEL) >= 4.0);
        }
        assert!(contrast(TEXT_STRONG, ACCENT_DIM) >= 4.5);
    }

    #[test]
    fn nothing_but_marks_outshines_strong_text() {
        for quiet in [GROUND, PANEL, RAISED, PRESSED, LINE, TEXT, TEXT_FAINT, ACCENT, OK, CAUTION, HARM] {
            assert!(luminance(quiet) <= luminance(TEXT_STRONG));
        }
    }
}

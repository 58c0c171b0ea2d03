//! Small settings that stay with the reader, one JSON text each.

use super::keymap::Keymap;
use crate::engine::message::Command;
use serde::{Deserialize, Serialize, de::DeserializeOwned};

/// Language of the interface.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Language {
    /// Japanese.
    #[default]
    Ja,
    /// English.
    En,
}

impl Language {
    /// `ja` or `en`, as documents and settings name it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Ja => "ja",
            Self::En => "en",
        }
    }
}

/// How much text stands in the corners of a viewport.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum OverlayLevel {
    /// All lines.
    #[default]
    Full,
    /// One line a corner.
    Short,
    /// None but the patient and the orientation letters.
    None,
}

impl OverlayLevel {
    /// The next level (key `T`).
    #[must_use]
    pub fn next(self) -> Self {
        match self {
            Self::Full => Self::Short,
            Self::Short => Self::None,
            Self::None => Self::Full,
        }
    }
}

/// The settings.
#[derive(Debug, Clone)]
pub struct Settings {
    /// The reader's choice; `None` follows the system.
    pub language: Option<Language>,
    /// The system's language.
    pub system_language: Language,
    /// Corner texts.
    pub overlay: OverlayLevel,
    /// Minutes without input until the screen locks.
    pub idle_lock_minutes: u8,
    /// Studies of the next assignments are fetched ahead.
    pub cache_ahead: bool,
    /// The report panel is unfolded.
    pub report_open: bool,
    /// The tray of series is unfolded.
    pub tray_open: bool,
    /// The preview beside the worklist is unfolded.
    pub preview_open: bool,
    /// Keys.
    pub keymap: Keymap,
    /// The settings dialog is on screen (not kept).
    pub dialog_open: bool,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            language: None,
            system_language: Language::Ja,
            overlay: OverlayLevel::Full,
            idle_lock_minutes: 10,
            cache_ahead: true,
            report_open: true,
            tray_open: true,
            preview_open: true,
            keymap: Keymap::default(),
            dialog_open: false,
        }
    }
}

/// Name under which a setting is kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Name {
    Language,
    Overlay,
    IdleLock,
    CacheAhead,
    ReportOpen,
    TrayOpen,
    PreviewOpen,
    Keys,
}

impl Name {
    const ALL: [(Self, &'static str); 8] = [
        (Self::Language, "language"),
        (Self::Overlay, "overlay"),
        (Self::IdleLock, "idle_lock_minutes"),
        (Self::CacheAhead, "cache_ahead"),
        (Self::ReportOpen, "report_open"),
        (Self::TrayOpen, "tray_open"),
        (Self::PreviewOpen, "preview_open"),
        (Self::Keys, "keys"),
    ];

    fn parse(name: &str) -> Option<Self> {
        Self::ALL.iter().find(|(_, n)| *n == name).map(|(this, _)| *this)
    }

    fn text(self) -> &'static str {
        Self::ALL.iter().find(|(this, _)| *this == self).map_or("", |(_, n)| n)
    }
}

fn take<T: DeserializeOwned>(slot: &mut T, value: &str) -> bool {
    serde_json::from_str(value).map(|v| *slot = v).is_ok()
}

impl Settings {
    /// The language on screen.
    pub fn shown_language(&self) -> Language {
        self.language.unwrap_or(self.system_language)
    }

    /// Takes a kept setting; false if it cannot be read (the default stays). Unknown names are another
    /// version's and are left alone.
    pub fn load(&mut self, name: &str, value: &str) -> bool {
        match Name::parse(name) {
            Some(Name::Language) => take(&mut self.language, value),
            Some(Name::Overlay) => take(&mut self.overlay, value),
            Some(Name::IdleLock) => {
                let mut minutes = self.idle_lock_minutes;
                let read = take(&mut minutes, value);
                self.idle_lock_minutes = minutes.clamp(1, 60);
                read
            }
            Some(Name::CacheAhead) => take(&mut self.cache_ahead, value),
            Some(Name::ReportOpen) => take(&mut self.report_open, value),
            Some(Name::TrayOpen) => take(&mut self.tray_open, value),
            Some(Name::PreviewOpen) => take(&mut self.preview_open, value),
            Some(Name::Keys) => take(&mut self.keymap, value),
            None => true,
        }
    }

    /// The command that keeps a setting.
    pub(super) fn save(&self, name: Name) -> Command {
        let value = match name {
            Name::Language => serde_json::to_string(&self.language),
            Name::Overlay => serde_json::to_string(&self.overlay),
            Name::IdleLock => serde_json::to_string(&self.idle_lock_minutes),
            Name::CacheAhead => serde_json::to_string(&self.cache_ahead),
            Name::ReportOpen => serde_json::to_string(&self.report_open),
            Name::TrayOpen => serde_json::to_string(&self.tray_open),
            Name::PreviewOpen => serde_json::to_string(&self.preview_open),
            Name::Keys => serde_json::to_string(&self.keymap),
        };
        // Plain enums, numbers and maps with text keys: serialising them cannot fail.
        Command::SaveSetting { name: name.text().to_owned(), value: value.unwrap_or_else(|_| "null".to_owned()) }
    }
}

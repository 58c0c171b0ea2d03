//! Keys as data: a chord, where it counts, and the intent it means. All can be remapped.

use serde::{Deserialize, Serialize};
use std::fmt;
use std::str::FromStr;

/// A key by what stands on it (US positions for signs).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Key {
    /// A letter (upper case) or digit or sign.
    Char(char),
    /// Function key, 1 to 12.
    F(u8),
    /// Enter.
    Enter,
    /// Escape.
    Escape,
    /// Space bar.
    Space,
    /// Tabulator.
    Tab,
    /// Delete.
    Delete,
    /// Page up.
    PageUp,
    /// Page down.
    PageDown,
    /// Home.
    Home,
    /// End.
    End,
    /// Arrow up.
    Up,
    /// Arrow down.
    Down,
    /// Arrow left.
    Left,
    /// Arrow right.
    Right,
}

/// A key with its modifiers. Written `Ctrl+Shift+Z`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Chord {
    /// Control (Command on macOS).
    pub ctrl: bool,
    /// Alt.
    pub alt: bool,
    /// Shift.
    pub shift: bool,
    /// The key.
    pub key: Key,
}

/// Where a key counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Context {
    /// Everywhere once signed in.
    Everywhere,
    /// The worklist.
    Worklist,
    /// Pictures and report.
    Reading,
}

/// A named intent: what keys, palette and buttons mean.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Intent {
    /// Window preset 1 to 9 of the modality.
    Preset(u8),
    /// Next step of the hanging.
    NextStep,
    /// Step before.
    PreviousStep,
    /// Next display set in the active viewport.
    NextSeries,
    /// Display set before.
    PreviousSeries,
    /// One slice on.
    NextSlice,
    /// One slice back.
    PreviousSlice,
    /// Ten slices on.
    PageDown,
    /// Ten slices back.
    PageUp,
    /// First slice.
    FirstSlice,
    /// Last slice.
    LastSlice,
    /// Next viewport becomes active.
    NextView,
    /// Whole picture.
    Fit,
    /// One image pixel is one screen pixel.
    OneToOne,
    /// View and window as hung.
    Reset,
    /// Invert.
    Invert,
    /// The next of the picture's own windows and LUTs.
    NextVoi,
    /// Overlays of the picture.
    ToggleOverlays,
    /// Shutters of the picture.
    ToggleShutters,
    /// Mirror left-right.
    FlipHorizontal,
    /// Mirror top-bottom.
    FlipVertical,
    /// Quarter turn clockwise.
    Rotate,
    /// Tool: scroll.
    ToolScroll,
    /// Tool: window.
    ToolWindow,
    /// Tool: pan.
    ToolPan,
    /// Tool: zoom.
    ToolZoom,
    /// Tool: length.
    ToolLength,
    /// Tool: ellipse.
    ToolEllipse,
    /// Tool: probe.
    ToolProbe,
    /// Key image to the open finding.
    KeyImage,
    /// Scroll together.
    ToggleLink,
    /// Corner texts.
    ToggleTexts,
    /// One viewport alone.
    ToggleMaximise,
    /// Cine.
    ToggleCine,
    /// Fold the report.
    ToggleReport,
    /// Pictures ⇄ report (the caret; `ui` moves it).
    SwitchFocus,
    /// A new finding.
    NewFinding,
    /// To the signature.
    Sign,
    /// Undo in the report.
    Undo,
    /// Redo.
    Redo,
    /// Save now.
    Save,
    /// Next row of the worklist.
    SelectNext,
    /// Row before.
    SelectPrevious,
    /// Open the chosen assignment.
    OpenSelected,
    /// Preview beside the worklist.
    TogglePreview,
    /// The caret into the search field (`ui` moves it).
    FocusSearch,
    /// Ask the center for the worklist.
    Refresh,
    /// Back to the worklist.
    ShowWorklist,
    /// The outbox.
    ShowOutbox,
    /// Send what waits now.
    SendNow,
    /// Palette of all commands (`ui` shows it).
    Palette,
    /// Card of keys (`ui` shows it).
    Help,
    /// Settings.
    Settings,
    /// Lock now.
    Lock,
    /// Close the dialog on top, or leave maximised.
    Cancel,
}

/// Text that is no chord.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("not a key: {0:?}")]
pub struct InvalidChord(String);

const NAMED: [(Key, &str); 14] = [
    (Key::Enter, "Enter"),
    (Key::Escape, "Esc"),
    (Key::Space, "Space"),
    (Key::Tab, "Tab"),
    (Key::Delete, "Del"),
    (Key::PageUp, "PgUp"),
    (Key::PageDown, "PgDn"),
    (Key::Home, "Home"),
    (Key::End, "End"),
    (Key::Up, "Up"),
    (Key::Down, "Down"),
    (Key::Left, "Left"),
    (Key::Right, "Right"),
    (Key::Char('+'), "Plus"),
];

impl fmt::Display for Chord {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (held, name) in [(self.ctrl, "Ctrl+"), (self.alt, "Alt+"), (self.shift, "Shift+")] {
            if held {
                f.write_str(name)?;
            }
        }
        match NAMED.iter().find(|(key, _)| *key == self.key) {
            Some((_, name)) => f.write_str(name),
            None => match self.key {
                Key::F(n) => write!(f, "F{n}"),
                Key::Char(c) => write!(f, "{c}"),
                _ => Ok(()),
            },
        }
    }
}

impl FromStr for Chord {
    type Err = InvalidChord;

    fn from_str(text: &str) -> Result<Self, InvalidChord> {
        let mut chord = Self::plain(Key::Enter);
        let mut rest = text;
        while let Some((modifier, after)) = rest.split_once('+') {
            match modifier {
                "Ctrl" => chord.ctrl = true,
                "Alt" => chord.alt = true,
                "Shift" => chord.shift = true,
                _ => return Err(InvalidChord(text.to_owned())),
            }
            rest = after;
        }
        let function = rest.strip_prefix('F').and_then(|n| n.parse::<u8>().ok()).filter(|n| (1..=12).contains(n));
        let mut characters = rest.chars();
        chord.key = if let Some((key, _)) = NAMED.iter().find(|(_, name)| *name == rest) {
            *key
        } else if let Some(n) = function {
            Key::F(n)
        } else if let (Some(c), None) = (characters.next(), characters.next()) {
            Key::Char(c.to_ascii_uppercase())
        } else {
            return Err(InvalidChord(text.to_owned()));
        };
        Ok(chord)
    }
}

impl TryFrom<String> for Chord {
    type Error = InvalidChord;
    fn try_from(text: String) -> Result<Self, InvalidChord> {
        text.parse()
    }
}

impl From<Chord> for String {
    fn from(chord: Chord) -> Self {
        chord.to_string()
    }
}

impl Chord {
    /// A key without modifiers.
    pub fn plain(key: Key) -> Self {
        Self { ctrl: false, alt: false, shift: false, key }
    }

    /// Works although a text field has the caret: it writes no text and moves no caret there.
    fn beside_text(self) -> bool {
        match self.key {
            Key::F(_) | Key::Escape => true,
            // Ctrl+A, C, V, X belong to the field; Ctrl+Z and Ctrl+Y to the draft, whose undo is the field's.
            Key::Char(c) => self.ctrl && !matches!(c, 'A' | 'C' | 'V' | 'X'),
            Key::Enter => self.ctrl,
            _ => false,
        }
    }
}

/// The keys as delivered (ui reference §6). One line: context, chord, intent.
const DEFAULTS: &[(Context, &str, Intent)] = &[
    (Context::Everywhere, "Ctrl+K", Intent::Palette),
    (Context::Everywhere, "F1", Intent::Help),
    (Context::Everywhere, "Ctrl+,", Intent::Settings),
    (Context::Everywhere, "Ctrl+L", Intent::Lock),
    (Context::Everywhere, "Esc", Intent::Cancel),
    (Context::Everywhere, "F2", Intent::ShowWorklist),
    (Context::Everywhere, "F3", Intent::ShowOutbox),
    (Context::Everywhere, "F6", Intent::SendNow),
    (Context::Worklist, "Up", Intent::SelectPrevious),
    (Context::Worklist, "Down", Intent::SelectNext),
    (Context::Worklist, "Enter", Intent::OpenSelected),
    (Context::Worklist, "Space", Intent::TogglePreview),
    (Context::Worklist, "/", Intent::FocusSearch),
    (Context::Worklist, "F5", Intent::Refresh),
    (Context::Reading, "1", Intent::Preset(1)),
    (Context::Reading, "2", Intent::Preset(2)),
    (Context::Reading, "3", Intent::Preset(3)),
    (Context::Reading, "4", Intent::Preset(4)),
    (Context::Reading, "5", Intent::Preset(5)),
    (Context::Reading, "6", Intent::Preset(6)),
    (Context::Reading, "7", Intent::Preset(7)),
    (Context::Reading, "8", Intent::Preset(8)),
    (Context::Reading, "9", Intent::Preset(9)),
    (Context::Reading, "Space", Intent::NextStep),
    (Context::Reading, "Shift+Space", Intent::PreviousStep),
    (Context::Reading, "]", Intent::NextSeries),
    (Context::Reading, "[", Intent::PreviousSeries),
    (Context::Reading, "Down", Intent::NextSlice),
    (Context::Reading, "Right", Intent::NextSlice),
    (Context::Reading, "Up", Intent::PreviousSlice),
    (Context::Reading, "Left", Intent::PreviousSlice),
    (Context::Reading, "PgDn", Intent::PageDown),
    (Context::Reading, "PgUp", Intent::PageUp),
    (Context::Reading, "Home", Intent::FirstSlice),
    (Context::Reading, "End", Intent::LastSlice),
    (Context::Reading, "Q", Intent::NextView),
    (Context::Reading, "F", Intent::Fit),
    (Context::Reading, "G", Intent::OneToOne),
    (Context::Reading, "R", Intent::Reset),
    (Context::Reading, "I", Intent::Invert),
    (Context::Reading, "N", Intent::NextVoi),
    (Context::Reading, "X", Intent::ToggleOverlays),
    (Context::Reading, "Shift+X", Intent::ToggleShutters),
    (Context::Reading, "H", Intent::FlipHorizontal),
    (Context::Reading, "V", Intent::FlipVertical),
    (Context::Reading, "O", Intent::Rotate),
    (Context::Reading, "D", Intent::ToolScroll),
    (Context::Reading, "W", Intent::ToolWindow),
    (Context::Reading, "J", Intent::ToolPan),
    (Context::Reading, "Z", Intent::ToolZoom),
    (Context::Reading, "L", Intent::ToolLength),
    (Context::Reading, "E", Intent::ToolEllipse),
    (Context::Reading, "P", Intent::ToolProbe),
    (Context::Reading, "K", Intent::KeyImage),
    (Context::Reading, "S", Intent::ToggleLink),
    (Context::Reading, "T", Intent::ToggleTexts),
    (Context::Reading, "U", Intent::ToggleMaximise),
    (Context::Reading, "C", Intent::ToggleCine),
    (Context::Reading, "F4", Intent::ToggleReport),
    (Context::Reading, "Tab", Intent::SwitchFocus),
    (Context::Reading, "Shift+Tab", Intent::SwitchFocus),
    (Context::Reading, "Ctrl+N", Intent::NewFinding),
    (Context::Reading, "Ctrl+Enter", Intent::Sign),
    (Context::Reading, "Ctrl+Z", Intent::Undo),
    (Context::Reading, "Ctrl+Shift+Z", Intent::Redo),
    (Context::Reading, "Ctrl+Y", Intent::Redo),
    (Context::Reading, "Ctrl+S", Intent::Save),
];

/// The keys in force. Kept as a setting.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(from = "Vec<(Intent, Vec<Chord>)>", into = "Vec<(Intent, Vec<Chord>)>")]
pub struct Keymap {
    bindings: Vec<(Context, Chord, Intent)>,
}

impl Default for Keymap {
    fn default() -> Self {
        let parsed = DEFAULTS
            .iter()
            .filter_map(|(context, chord, intent)| chord.parse().ok().map(|chord: Chord| (*context, chord, *intent)));
        Self { bindings: parsed.collect() }
    }
}

impl From<Vec<(Intent, Vec<Chord>)>> for Keymap {
    /// Intents not named keep their keys as delivered.
    fn from(kept: Vec<(Intent, Vec<Chord>)>) -> Self {
        let mut map = Self::default();
        for (intent, chords) in kept {
            let Some(context) = Self::context_of(intent) else { continue };
            map.bindings.retain(|(_, _, i)| *i != intent);
            for chord in chords {
                map.take(context, chord);
                map.bindings.push((context, chord, intent));
            }
        }
        map
    }
}

impl From<Keymap> for Vec<(Intent, Vec<Chord>)> {
    fn from(map: Keymap) -> Self {
        let mut out: Vec<(Intent, Vec<Chord>)> = Vec::new();
        for (_, _, intent) in DEFAULTS {
            if !out.iter().any(|(i, _)| i == intent) {
                out.push((*intent, map.chords(*intent).collect()));
            }
        }
        out
    }
}

impl Keymap {
    /// The context of an intent; `None` if it has no place in the table.
    pub fn context_of(intent: Intent) -> Option<Context> {
        DEFAULTS.iter().find(|(_, _, i)| *i == intent).map(|(context, _, _)| *context)
    }

    /// Keys of an intent, for tooltips, the palette and the card of keys.
    pub fn chords(&self, intent: Intent) -> impl Iterator<Item = Chord> {
        self.bindings.iter().filter(move |(_, _, i)| *i == intent).map(|(_, chord, _)| *chord)
    }

    /// Everything bound, in the order delivered.
    pub fn bindings(&self) -> &[(Context, Chord, Intent)] {
        &self.bindings
    }

    /// What a chord means in a context. With the caret in a text field only chords that write nothing count.
    pub fn lookup(&self, context: Context, chord: Chord, text_focus: bool) -> Option<Intent> {
        if text_focus && !chord.beside_text() {
            return None;
        }
        let in_context = |wanted: Context| self.bindings.iter().find(|(c, k, _)| *c == wanted && *k == chord);
        in_context(context).or_else(|| in_context(Context::Everywhere)).map(|(_, _, intent)| *intent)
    }

    /// Gives an intent one chord, or none; whatever had that chord in reach loses it.
    pub fn bind(&mut self, intent: Intent, chord: Option<Chord>) {
        let Some(context) = Self::context_of(intent) else { return };
        self.bindings.retain(|(_, _, i)| *i != intent);
        if let Some(chord) = chord {
            self.take(context, chord);
            self.bindings.push((context, chord, intent));
        }
    }

    fn take(&mut self, context: Context, chord: Chord) {
        let overlap =
            |other: Context| other == context || other == Context::Everywhere || context == Context::Everywhere;
        self.bindings.retain(|(c, k, _)| !(overlap(*c) && *k == chord));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn chord(text: &str) -> Chord {
        text.parse().expect("a chord")
    }

    #[test]
    fn every_default_parses_and_is_unambiguous() {
        let map = Keymap::default();
        assert_eq!(map.bindings.len(), DEFAULTS.len());
        for (i, (context, key, _)) in map.bindings.iter().enumerate() {
            for (other, same, _) in &map.bindings[i + 1..] {
                let reach = context == other || *context == Context::Everywhere || *other == Context::Everywhere;
                assert!(!(reach && key == same), "{key} is bound twice");
            }
            assert_eq!(chord(&key.to_string()), *key);
        }
    }

    #[test]
    fn text_fields_keep_their_keys() {
        let map = Keymap::default();
        assert_eq!(map.lookup(Context::Reading, chord("L"), false), Some(Intent::ToolLength));
        for typed in ["L", "1", "Space", "Tab", "Home", "Left", "Enter", "Ctrl+C"] {
            assert_eq!(map.lookup(Context::Reading, chord(typed), true), None, "{typed}");
        }
        assert_eq!(map.lookup(Context::Reading, chord("Ctrl+Enter"), true), Some(Intent::Sign));
        assert_eq!(map.lookup(Context::Reading, chord("Ctrl+Z"), true), Some(Intent::Undo));
        assert_eq!(map.lookup(Context::Worklist, chord("L"), false), None);
        assert_eq!(map.lookup(Context::Worklist, chord("F1"), false), Some(Intent::Help));
    }

    #[test]
    fn remapping_survives_being_kept() {
        let mut map = Keymap::default();
        map.bind(Intent::ToolLength, Some(chord("Alt+M")));
        map.bind(Intent::ToolProbe, Some(chord("E")));
        assert_eq!(map.lookup(Context::Reading, chord("L"), false), None);
        assert_eq!(map.lookup(Context::Reading, chord("E"), false), Some(Intent::ToolProbe));
        let kept = serde_json::to_string(&map).expect("json");
        let back: Keymap = serde_json::from_str(&kept).expect("keymap");
        assert_eq!(back.lookup(Context::Reading, chord("Alt+M"), false), Some(Intent::ToolLength));
        assert_eq!(back.lookup(Context::Reading, chord("E"), false), Some(Intent::ToolProbe));
        assert_eq!(back.chords(Intent::ToolEllipse).count(), 0);
        assert!("Hyper+X".parse::<Chord>().is_err());
        assert!("".parse::<Chord>().is_err());
    }
}

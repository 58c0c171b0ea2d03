//! A screen reader: what a running window says of itself through AT-SPI, the way assistive technology sees it.
//!
//! Tests of the real window look here for what stands on the screen and where, so that they click on words and not on
//! coordinates, and what they need is also what a blind or keyboard-only user needs.

use std::collections::BTreeSet;

use zbus::blocking::Connection;
use zbus::blocking::connection::Builder;
use zbus::zvariant::{OwnedObjectPath, OwnedValue, Value};

/// Where the walk ends: a window of ours is far flatter and smaller.
const DEPTH: usize = 40;
const WIDGETS: usize = 5_000;

/// Bits of AT-SPI's state set that tests ask for.
const CHECKED: u32 = 4;
const ENABLED: u32 = 8;
const FOCUSED: u32 = 12;
const PRESSED: u32 = 20;

/// What a thing is, by AT-SPI's numbers (atspi-constants.h); those that stand on our screens.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Role {
    Button,
    CheckBox,
    ComboBox,
    Dialog,
    Entry,
    Image,
    Label,
    Link,
    ListItem,
    MenuItem,
    Password,
    RadioButton,
    Slider,
    SpinButton,
    Tab,
    ToggleButton,
    Other(u32),
}

impl From<u32> for Role {
    fn from(number: u32) -> Self {
        match number {
            7 => Self::CheckBox,
            11 => Self::ComboBox,
            16 => Self::Dialog,
            27 => Self::Image,
            29 => Self::Label,
            32 => Self::ListItem,
            35 => Self::MenuItem,
            37 => Self::Tab,
            40 => Self::Password,
            43 => Self::Button,
            44 => Self::RadioButton,
            51 => Self::Slider,
            52 => Self::SpinButton,
            62 => Self::ToggleButton,
            79 => Self::Entry,
            88 => Self::Link,
            other => Self::Other(other),
        }
    }
}

/// One thing in a window.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Widget {
    /// What it is.
    pub role: Role,
    /// Its accessible name.
    pub name: String,
    /// What is written in it, for text fields.
    pub text: Option<String>,
    /// x, y, width and height in the window's contents; `None` while it is not shown.
    pub place: Option<(i32, i32, i32, i32)>,
    /// Whether it can be used.
    pub enabled: bool,
    /// Whether it has the keyboard.
    pub focused: bool,
    /// Whether it is switched on.
    pub checked: bool,
}

impl Widget {
    /// Its middle.
    ///
    /// # Panics
    /// If it is not shown.
    #[track_caller]
    pub fn middle(&self) -> (i32, i32) {
        let (x, y, width, height) = self.place.unwrap_or_else(|| panic!("not on the screen: {self:?}"));
        (x + width / 2, y + height / 2)
    }
}

/// Who answers for a thing, and under which path.
type Address = (String, OwnedObjectPath);

/// A connection to the accessibility bus of one session.
pub struct Reader {
    bus: Connection,
}

impl Reader {
    /// Switches accessibility on for a session, which starts its bus, and connects to that.
    pub fn connect(session: &str) -> zbus::Result<Self> {
        let session = Builder::address(session)?.build()?;
        let on = ("org.a11y.Status", "IsEnabled", Value::from(true));
        let properties = Some("org.freedesktop.DBus.Properties");
        session.call_method(Some("org.a11y.Bus"), "/org/a11y/bus", properties, "Set", &on)?;
        let answer =
            session.call_method(Some("org.a11y.Bus"), "/org/a11y/bus", Some("org.a11y.Bus"), "GetAddress", &())?;
        let address: String = answer.body().deserialize()?;
        Ok(Self { bus: Builder::address(address.as_str())?.build()? })
    }

    /// Everything in the windows of every program on this session, in reading order.
    pub fn widgets(&self) -> zbus::Result<Vec<Widget>> {
        let root =
            ("org.a11y.atspi.Registry".to_owned(), OwnedObjectPath::try_from("/org/a11y/atspi/accessible/root")?);
        let mut found = Vec::new();
        let mut seen = BTreeSet::new();
        for program in self.children(&root)? {
            self.walk(&program, DEPTH, &mut seen, &mut found);
        }
        Ok(found)
    }

    /// Things come and go while they are read: what is gone already is left out, as on the screen.
    fn walk(&self, at: &Address, depth: usize, seen: &mut BTreeSet<String>, found: &mut Vec<Widget>) {
        if depth == 0 || found.len() >= WIDGETS || !seen.insert(format!("{}{}", at.0, at.1.as_str())) {
            return;
        }
        if let Ok(widget) = self.read(at) {
            found.push(widget);
        }
        for child in self.children(at).unwrap_or_default() {
            self.walk(&child, depth - 1, seen, found);
        }
    }

    fn read(&self, at: &Address) -> zbus::Result<Widget> {
        let role: u32 = self.call(at, "Accessible", "GetRole", &())?;
        let states: Vec<u32> = self.call(at, "Accessible", "GetState", &())?;
        let state = |bit: u32| states.first().is_some_and(|bits| bits & (1 << bit) != 0);
        // Coordinates in the window; a thing that is not shown has none, and one without text has no such interface.
        let place = self.call(at, "Component", "GetExtents", &(1_u32,)).ok();
        let text = self.call(at, "Text", "GetText", &(0_i32, -1_i32)).ok();
        Ok(Widget {
            role: role.into(),
            name: self.name(at)?,
            text,
            place,
            enabled: state(ENABLED),
            focused: state(FOCUSED),
            checked: state(CHECKED) || state(PRESSED),
        })
    }

    fn name(&self, at: &Address) -> zbus::Result<String> {
        let properties = Some("org.freedesktop.DBus.Properties");
        let asked = ("org.a11y.atspi.Accessible", "Name");
        let answer = self.bus.call_method(Some(at.0.as_str()), &at.1, properties, "Get", &asked)?;
        let value: OwnedValue = answer.body().deserialize()?;
        Ok(String::try_from(value)?)
    }

    fn children(&self, at: &Address) -> zbus::Result<Vec<Address>> {
        self.call(at, "Accessible", "GetChildren", &())
    }

    fn call<A, R>(&self, at: &Address, interface: &str, method: &str, arguments: &A) -> zbus::Result<R>
    where
        A: serde::Serialize + zbus::zvariant::DynamicType,
        R: serde::de::DeserializeOwned + zbus::zvariant::Type,
    {
        let interface = format!("org.a11y.atspi.{interface}");
        let answer = self.bus.call_method(Some(at.0.as_str()), &at.1, Some(interface.as_str()), method, arguments)?;
        answer.body().deserialize()
    }
}

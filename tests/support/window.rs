//! A desktop of the test's own: a virtual screen with a window manager and, where asked for, a Japanese input
//! method; a hand that moves the mouse and types; an eye that takes screenshots and reads what stands in the windows.
//!
//! Nothing touches the developer's display, session bus, profile or keyring, and everything ends with the value.

use std::ffi::OsStr;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use super::process::{Process, answer, look_for, output, wait_for, wait_until};
use super::reader::{Reader, Role, Widget};

/// How text is typed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Typing {
    /// A US keyboard.
    Latin,
    /// A US keyboard with fcitx5 and anthy, switched by [`Desktop::japanese`].
    Japanese,
}

/// A virtual screen with everything that a program with a window expects to find.
pub struct Desktop {
    // Ended in this order: who talks to the screen before the screen.
    reader: Reader,
    input_method: Option<Process>,
    manager: Process,
    bus: Process,
    screen: Process,
    place: Place,
    folder: tempfile::TempDir,
}

impl Desktop {
    /// Starts a desktop of this size and waits until it is usable.
    ///
    /// # Panics
    /// If one of its programs is not installed or does not come up.
    #[track_caller]
    pub fn start(width: u32, height: u32, typing: Typing) -> Self {
        let folder = tempfile::Builder::new().prefix("dokuei-desktop-").tempdir().expect("a temporary folder");
        for inner in ["home", "run", "config", "data", "cache", "logs"] {
            private_folder(&folder.path().join(inner));
        }
        let logs = folder.path().join("logs");

        // The server picks a free display by itself and prints its number: no race with other tests.
        let mut command = Command::new("Xvfb");
        command
            .args(["-displayfd", "1", "-nolisten", "tcp", "-noreset", "-screen", "0"])
            .arg(format!("{width}x{height}x24"));
        let mut screen = Process::start(command, &logs);
        let display = screen.wait_for_print("the number of the virtual display", |printed| {
            // Among what it says about displays that are taken.
            let mut lines = printed.split_inclusive('\n').filter(|line| line.ends_with('\n'));
            let number = lines.find_map(|line| line.trim().parse::<u32>().ok())?;
            Some(format!(":{number}"))
        });

        let mut place = Place { display, bus: None };
        let path = folder.path();

        let mut daemon = place.command(path, "dbus-daemon");
        daemon.args(["--session", "--nofork", "--nopidfile", "--print-address=1"]);
        let mut bus = Process::start(daemon, &logs);
        let address = bus.wait_for_print("the address of the session bus", |printed| {
            let mut lines = printed.split_inclusive('\n');
            let line = lines.find(|line| line.starts_with("unix:") && line.ends_with('\n'))?;
            Some(line.trim().to_owned())
        });
        let reader = Reader::connect(&address)
            .unwrap_or_else(|error| panic!("no accessibility bus ({error}); scripts/test installs at-spi2-core"));
        place.bus = Some(address);

        // A file of its own: none at all is an error that openbox tells in a window, on top of ours and with its keyboard.
        let settings = path.join("config/openbox.xml");
        fs::write(&settings, OPENBOX_SETTINGS).expect("the test's folder can be written");
        let mut openbox = place.command(path, "openbox");
        openbox.args(["--sm-disable", "--config-file"]).arg(&settings);
        let manager = Process::start(openbox, &logs);

        let mut desktop = Self { reader, input_method: None, manager, bus, screen, place, folder };
        desktop.wait_for_root_property("_NET_SUPPORTING_WM_CHECK", "window id #");
        if typing == Typing::Japanese {
            desktop.start_input_method(&logs);
        }
        desktop
    }

    fn start_input_method(&mut self, logs: &Path) {
        let config = self.folder.path().join("config/fcitx5");
        private_folder(&config);
        fs::write(config.join("profile"), FCITX_PROFILE).expect("the test's folder can be written");
        // One switch for all input contexts: winit makes a new one whenever the caret comes to a text field, and what
        // was switched on a moment before must hold for it, too.
        fs::write(config.join("config"), "[Behavior]\nShareInputState=All\n")
            .expect("the test's folder can be written");
        // mozc refuses to run as root and would block everyone who waits for it.
        let mut fcitx = self.command("fcitx5");
        fcitx.arg("--disable=mozc,wayland,classicui,notificationitem,kimpanel");
        self.input_method = Some(Process::start(fcitx, logs));
        self.wait_for_root_property("XIM_SERVERS", "@server=fcitx");
    }

    #[track_caller]
    fn wait_for_root_property(&self, property: &str, value: &str) {
        wait_until(&format!("{value} in {property}"), || {
            answer(self.command("xprop").args(["-root", property])).is_ok_and(|printed| printed.contains(value))
        });
    }

    /// A folder of this desktop's own, gone with it.
    pub fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// A command that runs on this desktop and sees no other.
    pub fn command(&self, program: impl AsRef<OsStr>) -> Command {
        let mut command = self.place.command(self.folder.path(), program);
        if self.input_method.is_some() {
            command.env("XMODIFIERS", "@im=fcitx");
        }
        command
    }

    /// Starts a program made with [`Desktop::command`]; it must be dropped before the desktop is.
    #[track_caller]
    pub fn launch(&self, command: Command) -> Process {
        Process::start(command, &self.folder.path().join("logs"))
    }

    /// Waits for a visible window whose title contains `title`, and gives it the keyboard.
    #[track_caller]
    pub fn window(&self, title: &str) -> Window<'_> {
        let id = wait_for(&format!("a window titled «{title}»"), || {
            let found = self.xdotool(&["search", "--onlyvisible", "--name", title]).ok()?;
            found.lines().last().map(str::to_owned)
        });
        let window = Window { desktop: self, id };
        window.focus();
        window
    }

    /// What stands in the windows of every program on this desktop, in reading order.
    #[track_caller]
    pub fn widgets(&self) -> Vec<Widget> {
        self.reader.widgets().unwrap_or_else(|error| panic!("the accessibility bus: {error}"))
    }

    /// Switches between Japanese and Latin input for the text field that has the keyboard.
    ///
    /// # Panics
    /// If the desktop was started without an input method, or if no text field asks for it.
    #[track_caller]
    pub fn japanese(&self, on: bool) {
        assert!(self.input_method.is_some(), "started without an input method");
        let (argument, state) = if on { ("-o", "2") } else { ("-c", "1") };
        wait_until("the input method's switch", || {
            // It changes nothing while no text field has the keyboard: ask again until one does.
            let switched = answer(self.command("fcitx5-remote").arg(argument)).is_ok();
            let now = answer(&mut self.command("fcitx5-remote"));
            switched && now.is_ok_and(|now| now.trim() == state)
        });
    }

    /// From here on the input method answers nobody.
    pub fn freeze_input_method(&self) {
        self.input_method.as_ref().expect("started with an input method").signal("STOP");
    }

    /// The ids of every process group that belongs to this desktop.
    pub fn groups(&self) -> Vec<u32> {
        self.input_method.iter().chain([&self.manager, &self.bus, &self.screen]).map(Process::id).collect()
    }

    fn xdotool(&self, arguments: &[&str]) -> Result<String, String> {
        answer(self.command("xdotool").args(arguments))
    }
}

/// Where the programs of a desktop find it.
struct Place {
    display: String,
    bus: Option<String>,
}

impl Place {
    fn command(&self, folder: &Path, program: impl AsRef<OsStr>) -> Command {
        let mut command = Command::new(program);
        command
            .env_remove("WAYLAND_DISPLAY")
            .env_remove("WAYLAND_SOCKET")
            .env_remove("DBUS_SESSION_BUS_ADDRESS")
            .env_remove("XMODIFIERS")
            .env("DISPLAY", &self.display)
            .env("HOME", folder.join("home"))
            .env("XDG_RUNTIME_DIR", folder.join("run"))
            .env("XDG_CONFIG_HOME", folder.join("config"))
            .env("XDG_DATA_HOME", folder.join("data"))
            .env("XDG_CACHE_HOME", folder.join("cache"))
            .env("LANG", "C.UTF-8")
            .env("LC_ALL", "C.UTF-8")
            .env("LIBGL_ALWAYS_SOFTWARE", "1");
        if let Some(address) = &self.bus {
            command.env("DBUS_SESSION_BUS_ADDRESS", address);
        }
        command
    }
}

/// Nothing but what openbox does by itself: no keys, no menu.
const OPENBOX_SETTINGS: &str = r#"<?xml version="1.0" encoding="UTF-8"?>
<openbox_config xmlns="http://openbox.org/3.4/rc"><keyboard/></openbox_config>
"#;

/// Anthy beside a US keyboard, off until it is switched on.
const FCITX_PROFILE: &str = "\
[Groups/0]
Name=Default
Default Layout=us
DefaultIM=anthy

[Groups/0/Items/0]
Name=keyboard-us
Layout=

[Groups/0/Items/1]
Name=anthy
Layout=

[GroupOrder]
0=Default
";

fn private_folder(path: &Path) {
    use std::os::unix::fs::DirBuilderExt;
    fs::DirBuilder::new().recursive(true).mode(0o700).create(path).expect("the test's folder can be written");
}

/// One window on a [`Desktop`]. Points are in pixels from the upper left corner of its contents.
pub struct Window<'a> {
    desktop: &'a Desktop,
    id: String,
}

/// Buttons of a mouse as X counts them; a wheel turns by clicks of its two.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Button {
    Left = 1,
    Middle = 2,
    Right = 3,
    WheelUp = 4,
    WheelDown = 5,
}

impl Window<'_> {
    #[track_caller]
    fn hand(&self, arguments: &[&str]) {
        if let Err(complaint) = self.desktop.xdotool(arguments) {
            panic!("xdotool {arguments:?}: {complaint}");
        }
    }

    /// Gives it the keyboard, and waits until it has it.
    #[track_caller]
    pub fn focus(&self) {
        wait_until("the keyboard's focus", || {
            self.desktop
                .xdotool(&["windowactivate", "--sync", &self.id])
                .and_then(|_| self.desktop.xdotool(&["getwindowfocus"]))
                .is_ok_and(|focused| focused.trim() == self.id)
        });
    }

    /// Its place on the screen and its size: x, y, width, height of its contents, without the frame.
    #[track_caller]
    pub fn place(&self) -> (i32, i32, i32, i32) {
        let printed = output(self.desktop.command("xwininfo").args(["-id", &self.id]));
        let number = |label: &str| {
            printed
                .lines()
                .find_map(|line| line.trim().strip_prefix(label)?.trim().parse().ok())
                .unwrap_or_else(|| panic!("no {label} in {printed}"))
        };
        (number("Absolute upper-left X:"), number("Absolute upper-left Y:"), number("Width:"), number("Height:"))
    }

    /// Moves the pointer.
    #[track_caller]
    pub fn point(&self, x: i32, y: i32) {
        let (left, top, ..) = self.place();
        let (x, y) = ((left + x).to_string(), (top + y).to_string());
        self.hand(&["mousemove", "--sync", &x, &y]);
    }

    /// Points and clicks; then moves by a pixel, since programs look after a change of focus at the next event.
    #[track_caller]
    pub fn click(&self, x: i32, y: i32, button: Button) {
        self.point(x, y);
        self.hand(&["click", &(button as u32).to_string()]);
        self.point(x + 1, y);
    }

    /// Waits for a widget with this role and name that is on the screen and can be used.
    #[track_caller]
    pub fn find(&self, role: Role, name: &str) -> Widget {
        let look = || {
            let fits = |w: &Widget| w.role == role && w.name == name && w.enabled && w.place.is_some();
            self.desktop.widgets().into_iter().find(fits)
        };
        let Some(found) = look_for(look) else {
            panic!("{role:?} «{name}» is not on the screen, which shows:\n{:#?}", self.desktop.widgets())
        };
        found
    }

    /// Clicks on the middle of a widget.
    #[track_caller]
    pub fn click_on(&self, role: Role, name: &str) {
        let (x, y) = self.find(role, name).middle();
        self.click(x, y, Button::Left);
    }

    /// Presses at one point, goes to the other in steps as a hand does, and lets go.
    #[track_caller]
    pub fn drag(&self, from: (i32, i32), to: (i32, i32), button: Button) {
        const STEPS: i32 = 8;
        let button = (button as u32).to_string();
        self.point(from.0, from.1);
        self.hand(&["mousedown", &button]);
        for step in 1..=STEPS {
            let part = |a: i32, b: i32| a + (b - a) * step / STEPS;
            self.point(part(from.0, to.0), part(from.1, to.1));
        }
        self.hand(&["mouseup", &button]);
    }

    /// Points and presses a button without letting go.
    #[track_caller]
    pub fn press(&self, x: i32, y: i32, button: Button) {
        self.point(x, y);
        self.hand(&["mousedown", &(button as u32).to_string()]);
    }

    /// Lets a pressed button go.
    #[track_caller]
    pub fn release(&self, button: Button) {
        self.hand(&["mouseup", &(button as u32).to_string()]);
    }

    /// Asks the program to close it, as the window manager's button does.
    #[cfg(feature = "gui")]
    #[track_caller]
    pub fn close(&self) {
        use x11rb::connection::Connection as _;
        use x11rb::protocol::xproto::{ClientMessageEvent, ConnectionExt as _, EventMask};
        let window: u32 = self.id.parse().expect("xdotool prints numbers");
        let (x, screen) = x11rb::connect(Some(&self.desktop.place.display)).expect("the virtual display");
        let root = x.setup().roots[screen].root;
        let close = x.intern_atom(false, b"_NET_CLOSE_WINDOW").expect("asked").reply().expect("an atom").atom;
        let message = ClientMessageEvent::new(32, window, close, [0, 2, 0, 0, 0]);
        let mask = EventMask::SUBSTRUCTURE_REDIRECT | EventMask::SUBSTRUCTURE_NOTIFY;
        // Taken by the server before the connection goes: what a server finds on a closed one it throws away unread.
        x.send_event(false, root, mask, message).expect("sent").check().expect("taken");
    }

    /// Takes it off the screen, as the window manager's button does, and waits until it is.
    #[track_caller]
    pub fn minimise(&self) {
        self.hand(&["windowminimize", &self.id]);
        wait_until("a minimised window", || {
            let state = self.desktop.command("xprop").args(["-id", &self.id, "WM_STATE"]).output();
            state.is_ok_and(|done| String::from_utf8_lossy(&done.stdout).contains("Iconic"))
        });
    }

    /// Presses one key or chord, as `F5` or `ctrl+Return`.
    #[track_caller]
    pub fn key(&self, key: &str) {
        self.hand(&["key", "--clearmodifiers", key]);
    }

    /// Types text, key by key.
    #[track_caller]
    pub fn type_text(&self, text: &str) {
        self.hand(&["type", "--clearmodifiers", "--delay", "60", text]);
    }

    /// Writes what the window shows as a PNG file and gives its pixels.
    #[track_caller]
    pub fn screenshot(&self, name: &str) -> (PathBuf, image::RgbImage) {
        let file = self.desktop.folder().join(format!("{name}.png"));
        output(self.desktop.command("import").args(["-window", &self.id]).arg(&file));
        let picture = image::open(&file).expect("import writes PNG").to_rgb8();
        (file, picture)
    }
}

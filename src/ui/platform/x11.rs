//! X11: gives our window the keyboard anew, and says how its wheels turn.
//!
//! winit 0.30 makes a new input context whenever the input method is allowed or not, and never gives it the
//! focus: the input method ignores it until the window loses and regains the keyboard. So the keyboard is taken
//! away and given back, which both reach winit as events, after the new context is made.

use x11rb::connection::Connection;
use x11rb::protocol::xinput::{self, ConnectionExt as _, DeviceClassData};
use x11rb::protocol::xproto::{ConnectionExt, InputFocus};
use x11rb::rust_connection::RustConnection;

/// A connection of our own to the X server, made when first needed.
#[derive(Default)]
pub(super) struct Server {
    connection: Option<RustConnection>,
    /// There is no X server to talk to: not tried again.
    none: bool,
}

impl std::fmt::Debug for Server {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Server").field("connected", &self.connection.is_some()).finish_non_exhaustive()
    }
}

impl Server {
    fn connection(&mut self) -> Option<&RustConnection> {
        if self.none || wayland() {
            return None;
        }
        if self.connection.is_none() {
            match x11rb::connect(None) {
                Ok((connection, _)) => self.connection = Some(connection),
                Err(error) => {
                    let means = "the input method may need another click, the wheel may go by twos";
                    tracing::warn!(%error, "no connection to the X server: {means}");
                    self.none = true;
                }
            }
        }
        self.connection.as_ref()
    }

    /// Gives `window` the keyboard anew, if it has it; another program's keyboard is never taken.
    pub(super) fn refocus(&mut self, window: u64) {
        let Ok(window) = u32::try_from(window) else { return };
        if let Some(Err(error)) = self.connection().map(|connection| refocus(connection, window)) {
            tracing::warn!(%error, "the keyboard could not be given anew");
            self.connection = None;
        }
    }

    /// No pointer of this server has an axis for its wheel (remote desktops, virtual screens): wheels turn by
    /// buttons. False where that cannot be known.
    pub(super) fn wheels_are_buttons(&mut self) -> bool {
        match self.connection().map(wheels_are_buttons) {
            None => false,
            Some(Ok(buttons)) => buttons,
            Some(Err(error)) => {
                tracing::warn!(%error, "the X server does not tell its pointers: the wheel may go by twos");
                self.connection = None;
                self.none = true;
                false
            }
        }
    }
}

fn wheels_are_buttons(connection: &RustConnection) -> Result<bool, x11rb::errors::ReplyError> {
    // The request exists from version 2 of the extension on; a server wants to be told which one is spoken.
    connection.xinput_xi_query_version(2, 1)?.reply()?;
    let devices = connection.xinput_xi_query_device(xinput::Device::ALL)?.reply()?;
    let mut classes = devices.infos.iter().flat_map(|device| &device.classes);
    Ok(!classes.any(|class| matches!(class.data, DeviceClassData::Scroll(_))))
}

fn refocus(connection: &RustConnection, window: u32) -> Result<(), x11rb::errors::ReplyError> {
    let focus = connection.get_input_focus()?.reply()?;
    if focus.focus != window {
        return Ok(());
    }
    connection.set_input_focus(InputFocus::PARENT, x11rb::NONE, x11rb::CURRENT_TIME)?;
    connection.set_input_focus(InputFocus::PARENT, window, x11rb::CURRENT_TIME)?;
    connection.flush()?;
    Ok(())
}

/// winit prefers Wayland where there is one.
fn wayland() -> bool {
    ["WAYLAND_DISPLAY", "WAYLAND_SOCKET"].iter().any(|name| std::env::var_os(name).is_some_and(|v| !v.is_empty()))
}

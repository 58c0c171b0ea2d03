//! X11: gives our window the keyboard anew.
//!
//! winit 0.30 makes a new input context whenever the input method is allowed or not, and never gives it the
//! focus: the input method ignores it until the window loses and regains the keyboard. So the keyboard is taken
//! away and given back, which both reach winit as events, after the new context is made.

use x11rb::connection::Connection;
use x11rb::protocol::xproto::{ConnectionExt, InputFocus};
use x11rb::rust_connection::RustConnection;

/// A connection of its own to the X server, made when first needed.
#[derive(Default)]
pub(super) struct Refocus {
    connection: Option<RustConnection>,
    /// There is no X server to talk to: not tried again.
    none: bool,
}

impl std::fmt::Debug for Refocus {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Refocus").field("connected", &self.connection.is_some()).finish_non_exhaustive()
    }
}

impl Refocus {
    /// Gives `window` the keyboard anew, if it has it; another program's keyboard is never taken.
    pub(super) fn give(&mut self, window: u64) {
        let Ok(window) = u32::try_from(window) else { return };
        if self.none || wayland() {
            return;
        }
        if self.connection.is_none() {
            match x11rb::connect(None) {
                Ok((connection, _)) => self.connection = Some(connection),
                Err(error) => {
                    tracing::warn!(%error, "no connection to the X server: the input method may need another click");
                    self.none = true;
                }
            }
        }
        if let Some(connection) = &self.connection
            && let Err(error) = refocus(connection, window)
        {
            tracing::warn!(%error, "the keyboard could not be given anew");
            self.connection = None;
        }
    }
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

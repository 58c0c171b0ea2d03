//! Drives app and engine without a window: the same state machine and the same engine, steered by a program.

use crate::app::{Action, App};
use crate::engine::message::{EngineLink, Event};
use jiff::Timestamp;
use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::time::{Duration, Instant};

/// Events taken at a time.
const BATCH: usize = 256;
/// Longest sleep between two looks: timers of the app (autosave, cine) need a pulse.
const PULSE: Duration = Duration::from_millis(100);

/// Wakes the driver when the engine has news.
#[derive(Debug, Clone, Default)]
pub struct Alarm(Arc<(Mutex<bool>, Condvar)>);

impl Alarm {
    /// The callback for the engine.
    pub fn callback(&self) -> Arc<dyn Fn() + Send + Sync> {
        let inner = Arc::clone(&self.0);
        Arc::new(move || {
            *inner.0.lock().unwrap_or_else(PoisonError::into_inner) = true;
            inner.1.notify_one();
        })
    }

    fn wait(&self, longest: Duration) {
        let guard = self.0.0.lock().unwrap_or_else(PoisonError::into_inner);
        let waited = self.0.1.wait_timeout_while(guard, longest, |rung| !*rung);
        *waited.unwrap_or_else(PoisonError::into_inner).0 = false;
    }
}

/// What was waited for did not come.
#[derive(Debug, thiserror::Error)]
#[error("waited {seconds} s in vain for {what}")]
pub struct InVain {
    /// What was waited for.
    pub what: String,
    /// How long.
    pub seconds: u64,
}

/// App and engine, and the time.
pub struct Driver<E: EngineLink> {
    /// The app; read it, change it only through [`Driver::act`].
    pub app: App,
    engine: E,
    alarm: Alarm,
    clock: Box<dyn Fn() -> Timestamp>,
}

impl<E: EngineLink> Driver<E> {
    /// Begins with an empty app.
    pub fn new(engine: E, alarm: Alarm, clock: Box<dyn Fn() -> Timestamp>) -> Self {
        let app = App::new(clock());
        Self { app, engine, alarm, clock }
    }

    /// The time by the driver's clock.
    pub fn now(&self) -> Timestamp {
        (self.clock)()
    }

    /// Does one action of the reader.
    pub fn act(&mut self, action: Action) {
        let commands = self.app.update((self.clock)(), action);
        self.hand_over(commands);
    }

    /// Sends a command that no action of the window stands for.
    pub fn send(&mut self, command: crate::engine::message::Command) {
        self.engine.send(command);
    }

    fn hand_over(&mut self, commands: Vec<crate::engine::message::Command>) {
        for command in commands {
            self.engine.send(command);
        }
        self.engine.demand(self.app.demand());
    }

    /// Takes what has come, showing each event to `see` first.
    pub fn take(&mut self, see: &mut dyn FnMut(&Event)) {
        let events = self.engine.drain(BATCH);
        for event in events {
            see(&event);
            let commands = self.app.apply((self.clock)(), event);
            for command in commands {
                self.engine.send(command);
            }
        }
        self.act(Action::Tick);
        // Nothing covers the pictures here: each state counts as drawn.
        for command in self.app.painted((self.clock)()) {
            self.engine.send(command);
        }
    }

    /// Runs until `done` says so; an error after `longest`.
    pub fn until(
        &mut self,
        what: &str,
        longest: Duration,
        see: &mut dyn FnMut(&Event),
        done: &mut dyn FnMut(&App) -> bool,
    ) -> Result<(), InVain> {
        let begin = Instant::now();
        loop {
            self.take(see);
            if done(&self.app) {
                return Ok(());
            }
            if begin.elapsed() > longest {
                return Err(InVain { what: what.to_owned(), seconds: longest.as_secs() });
            }
            self.alarm.wait(PULSE);
        }
    }

    /// Gives the engine back, to shut it down.
    pub fn into_engine(self) -> E {
        self.engine
    }
}

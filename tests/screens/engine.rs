//! A scripted engine: says what a test tells it to, and remembers what it was asked.

use dokuei::engine::message::{Command, Demand, EngineLink, Event};
use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard};

#[derive(Default)]
pub struct Script {
    pub events: VecDeque<Event>,
    pub commands: Vec<Command>,
    pub demand: Demand,
}

/// Both ends of the script share it.
#[derive(Clone, Default)]
pub struct ScriptedEngine(Arc<Mutex<Script>>);

impl ScriptedEngine {
    pub fn script(&self) -> MutexGuard<'_, Script> {
        self.0.lock().expect("no test panics while it holds the script")
    }

    pub fn say(&self, event: Event) {
        self.script().events.push_back(event);
    }

    /// The commands sent so far, by name; none is listed twice.
    pub fn take_commands(&self) -> Vec<Command> {
        std::mem::take(&mut self.script().commands)
    }
}

impl EngineLink for ScriptedEngine {
    fn send(&mut self, command: Command) {
        self.script().commands.push(command);
    }
    fn demand(&mut self, demand: Demand) {
        self.script().demand = demand;
    }
    fn drain(&mut self, max: usize) -> Vec<Event> {
        let mut script = self.script();
        let n = max.min(script.events.len());
        script.events.drain(..n).collect()
    }
    fn stop(self: Box<Self>) -> bool {
        true
    }
}

//! `App::update`: an intent of the reader changes the state and gives commands.

use super::action::{
    AccessAction, Action, ArchiveAction, LayoutAction, NoticeAction, PlatformFact, StudyAction, ViewAction,
};
use super::keymap::{Chord, Context, Intent};
use super::notice::NoticeCode;
use super::state::{App, BuildClass, Place, Screen};
use super::{
    archives, demand, intents, keep, link, masks, objects, open, outboxing, place, seen, setting, sign, view,
    worklisting, write,
};
use crate::engine::message::{Command, Start};
use crate::viewport::ViewId;
use jiff::Timestamp;

impl App {
    /// Takes an intent of the reader; gives what is to be done, in order.
    pub fn update(&mut self, now: Timestamp, action: Action) -> Vec<Command> {
        let mut out = Vec::new();
        self.now = now;
        if !matches!(action, Action::Tick | Action::Platform(_)) {
            self.last_input = now;
        }
        // Behind the lock only the password, leaving and time count.
        let passes = matches!(
            action,
            Action::Tick
                | Action::Input
                | Action::Platform(_)
                | Action::Quit
                | Action::Access(AccessAction::Unlock(_) | AccessAction::SignOut)
        );
        if self.screen() != Screen::Locked || passes {
            seen::steered_by(self, &action);
            act(self, now, action, &mut out);
            objects::follow(self);
        }
        demand::settle(self);
        masks::settle(self, &mut out);
        out
    }

    /// What a key means now; `None` while text is composed, behind the lock, or where it means nothing.
    /// `Palette`, `Help`, `FocusSearch` and `SwitchFocus` are for `ui` to carry out.
    pub fn intent_for(&self, chord: Chord) -> Option<Intent> {
        if self.input.composing {
            return None;
        }
        let context = match self.screen() {
            Screen::At(Place::Worklist) => Context::Worklist,
            Screen::At(Place::Reading) => Context::Reading,
            Screen::At(Place::Outbox) => Context::Everywhere,
            _ => return None,
        };
        let intent = self.settings.keymap.lookup(context, chord, self.input.text_focus)?;
        // A dialog on top has the keyboard; only closing it and locking count.
        (!self.modal() || matches!(intent, Intent::Cancel | Intent::Lock | Intent::Help)).then_some(intent)
    }
}

/// Does one action; intents and keys lead back here.
pub(super) fn act(app: &mut App, now: Timestamp, action: Action, out: &mut Vec<Command>) {
    match action {
        Action::Tick => keep::tick(app, now, out),
        Action::Composing(on) => {
            app.input.composing = on;
            // The pause before a save counts from the committed text.
            if let Some(report) = app.report.as_mut().filter(|_| !on)
                && report.saving.changed_at.is_some()
            {
                report.saving.changed_at = Some(now);
            }
        }
        Action::TextFocus(on) => {
            app.input.text_focus = on;
            if !on {
                app.input.composing = false;
                keep::save_draft(app, out);
            }
        }
        Action::Key(chord) => {
            if let Some(intent) = app.intent_for(chord) {
                intents::act(app, now, intent, out);
            }
        }
        Action::Intent(intent) => intents::act(app, now, intent, out),
        Action::Access(access) => self::access(app, access, out),
        Action::Platform(fact) => platform(app, now, fact),
        Action::Worklist(action) => worklisting::act(app, now, action, out),
        Action::Study(action) => study(app, now, action, out),
        Action::Layout(action) => layout(app, now, action, out),
        Action::Viewport(id, action) => view::act(app, now, id, action, out),
        Action::View(id, action) => view_action(app, now, id, action),
        Action::Object(action) => objects::act(app, now, action, out),
        Action::Report(action) => write::act(app, now, action, out),
        Action::Sign(action) => sign::act(app, now, action, out),
        Action::Outbox(action) => outboxing::act(app, action, out),
        Action::Input => {}
        Action::Notice(NoticeAction::Dismiss(id)) => app.notices.dismiss(id),
        Action::Notice(NoticeAction::Act(id)) => notice(app, now, id, out),
        Action::Settings(action) => setting::act(app, action, out),
        Action::Archive(action) => archives::act(app, action, out),
        Action::Go(place) => go(app, place, out),
        Action::OpenLocal(paths) => out.push(Command::OpenLocal(paths)),
        Action::Quit => {
            keep::save_draft(app, out);
            keep::save_reading(app, out);
            keep::discard_prepared(app, out);
            out.push(Command::Shutdown);
        }
    }
}

fn go(app: &mut App, place: Place, out: &mut Vec<Command>) {
    // Local files without a session have no other place.
    if app.access.local || (place == Place::Reading && app.reading.is_none()) {
        return;
    }
    keep::save_draft(app, out);
    app.place = place;
}

fn access(app: &mut App, action: AccessAction, out: &mut Vec<Command>) {
    let begin = |app: &mut App| {
        app.access.busy = true;
        app.access.failure = None;
    };
    match action {
        AccessAction::Enrol(path) => {
            begin(app);
            out.push(Command::Enrol(path));
        }
        AccessAction::Passphrase { passphrase, create } => {
            if matches!(app.access.start, Some(Start::NeedsPassphrase { .. })) {
                begin(app);
                out.push(Command::UnlockSecrets { passphrase, create });
            }
        }
        AccessAction::SignIn { user, password, otp } => {
            // A second press while the first is under way would be a second attempt at the center.
            if !app.access.busy && app.access.session.is_none() {
                begin(app);
                out.push(Command::SignIn { user, password, otp });
            }
        }
        AccessAction::SignOut => {
            if app.access.session.is_some() {
                open::close(app, out);
                out.push(Command::SignOut);
                app.place = Place::Worklist;
            }
        }
        AccessAction::Lock => keep::lock(app, out),
        AccessAction::Unlock(password) => {
            if app.lock.locked && !app.lock.checking {
                app.lock.checking = true;
                app.lock.wrong = false;
                out.push(Command::Unlock(password));
            }
        }
    }
}

fn platform(app: &mut App, now: Timestamp, fact: PlatformFact) {
    match fact {
        PlatformFact::Adapter { name, software } => {
            app.notices.clear(|n| matches!(n, NoticeCode::SoftwareAdapter(_)));
            if software {
                app.notices.add(now, NoticeCode::SoftwareAdapter(name.clone()));
            }
            app.platform.adapter = Some(name);
            app.platform.software_adapter = software;
        }
        PlatformFact::CertifiedBuild => {
            app.platform.build = BuildClass::Certified;
            app.notices.clear(|n| *n == NoticeCode::UncertifiedBuild);
        }
        PlatformFact::SystemLanguage(language) => app.settings.system_language = language,
    }
}

fn study(app: &mut App, now: Timestamp, action: StudyAction, out: &mut Vec<Command>) {
    match action {
        StudyAction::Pause(uid) => {
            app.pictures.studies.entry(uid).or_default().paused = true;
        }
        StudyAction::Resume(uid) => {
            let state = app.pictures.studies.entry(uid).or_default();
            state.paused = false;
            state.failure = None;
            // What failed before gets another chance.
            let mine: Vec<_> = state.sets.iter().flat_map(|s| &s.frames).cloned().collect();
            for frame in mine {
                app.pictures.failed.remove(&frame);
            }
        }
        StudyAction::ShowLocal(uid) => {
            if app.access.local_studies.contains(&uid) {
                open::open_local(app, now, &uid, out);
            }
        }
    }
}

fn layout(app: &mut App, now: Timestamp, action: LayoutAction, out: &mut Vec<Command>) {
    match action {
        LayoutAction::Grid(layout) => place::grid(app, now, layout),
        LayoutAction::Step(step) => place::go_to_step(app, now, step),
        LayoutAction::NextStep(forward) => {
            let step = app.reading.as_ref().map(|r| r.record.step);
            let next = step.and_then(|s| if forward { s.checked_add(1) } else { s.checked_sub(1) });
            if let Some(next) = next {
                place::go_to_step(app, now, next);
            }
        }
        LayoutAction::ToggleMaximise(id) => view::maximise(app, now, id),
        LayoutAction::ToggleLink => link::toggle(app, now),
        LayoutAction::Activate(id) => view::activate(app, now, id),
        LayoutAction::Tool(tool) => view::tool(app, now, tool),
        LayoutAction::ToggleReport => setting::toggle_report(app, out),
        LayoutAction::ToggleTray => setting::toggle_tray(app, out),
    }
}

fn view_action(app: &mut App, now: Timestamp, id: ViewId, action: ViewAction) {
    match action {
        ViewAction::Show(set) => {
            place::show(app, now, id, &set, None);
        }
        ViewAction::ShowSeries(series) => {
            let set = app.pictures.studies.values().flat_map(|s| &s.sets).find(|s| s.id.series == series);
            if let Some(set) = set.map(|s| s.id.clone()) {
                place::show(app, now, id, &set, None);
            }
        }
        ViewAction::ShowFrame(frame) => {
            if let Some((set, at)) = app.pictures.locate(&frame).map(|(s, p)| (s.id.clone(), p)) {
                place::show(app, now, id, &set, Some(at));
            }
        }
        ViewAction::GoToEnd(last) => link::go_to(app, now, id, if last { usize::MAX } else { 0 }),
        ViewAction::ToggleCine => view::toggle_cine(app, now, id),
        ViewAction::CineRate(rate_hz) => view::cine_rate(app, id, rate_hz),
        ViewAction::Clear => view::clear(app, now, id),
    }
}

/// What a notice offers to do.
fn notice(app: &mut App, now: Timestamp, id: u64, out: &mut Vec<Command>) {
    let Some(code) = app.notices.get(id).map(|n| n.code.clone()) else { return };
    match code {
        NoticeCode::WorklistFailed(_) => out.push(Command::RefreshWorklist),
        NoticeCode::TransitionFailed { assignment, .. } | NoticeCode::NotInProgress { assignment } => {
            let is_open = app.open_assignment().is_some_and(|a| a.id == assignment);
            if is_open && app.worklist.get(&assignment).is_some_and(|a| a.state.open()) {
                app.worklist.pending.insert(assignment.clone());
                let transition = crate::engine::message::Transition::Start;
                out.push(Command::Transition { assignment, transition });
            } else {
                app.worklist.selected = Some(assignment);
                go(app, Place::Worklist, out);
            }
        }
        NoticeCode::DraftFailed { assignment, .. } => {
            let open = app.open_assignment().is_some_and(|a| a.id == assignment);
            if let Some(report) = app.report.as_mut().filter(|r| open && r.history.is_none()) {
                report.loading = true;
                out.push(Command::LoadDraft { assignment });
            }
            if let Some(report) = app.report.as_mut().filter(|r| r.history.is_some() && r.saving.failure.is_some()) {
                report.saving.changed_at = Some(now);
            }
            keep::save_draft(app, out);
        }
        NoticeCode::IdentityMismatch { assignment, .. } => worklisting::ask_wrong_patient(app, &assignment),
        NoticeCode::PatientFlagFailed { assignment, .. } => {
            if let Some(text) = app.worklist.flagging.get(&assignment).cloned() {
                out.push(Command::SuspectPatient { assignment, text: text.into() });
            }
        }
        NoticeCode::PatientFlagRefused { .. } => out.push(Command::SendOutbox),
        NoticeCode::ArchiveWants { archive, .. } => {
            // It stands until the archive gives its pictures.
            archives::act(app, ArchiveAction::Open(archive), out);
            return;
        }
        NoticeCode::OutboxWedged { .. } | NoticeCode::ReportReceived { .. } => go(app, Place::Outbox, out),
        NoticeCode::SoftwareAdapter(_) | NoticeCode::UncertifiedBuild | NoticeCode::ClockSkew(_) => {}
        _ => go(app, Place::Worklist, out),
    }
    app.notices.dismiss(id);
}

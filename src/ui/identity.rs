//! Whose pictures these are, on the reading bar. Name, id, sex, age and birth date are never cut.

use super::text::Words;
use super::widgets::elided;
use super::{format, theme};
use crate::app::App;
use egui::{Galley, Rect, Role, Sense, Ui, WidgetInfo, pos2, vec2};
use std::sync::Arc;

/// Between parts.
const GAP: f32 = 3.0 * theme::GRID;

/// The open patient, laid out.
pub(super) struct Identity {
    name: Arc<Galley>,
    /// Id with its namespace, sex, age and birth date.
    essential: Arc<Galley>,
    /// Name above the rest: where both do not fit side by side.
    stacked: [Arc<Galley>; 2],
    /// Reading, study: as much as fits.
    more: String,
    spoken: String,
}

impl Identity {
    /// `None` while nobody's pictures are open.
    pub(super) fn of(ui: &Ui, words: Words, app: &App) -> Option<Self> {
        let patient = app.open_patient()?;
        let study = app.open_studies().find_map(|(_, s)| s.study.as_ref());
        let assignment = app.open_assignment();
        let date = study.and_then(|s| s.date).or_else(|| assignment.and_then(|a| a.studies.first()?.date));
        let on = date.unwrap_or_else(|| format::day(app.now));
        let facility = patient
            .issuer
            .clone()
            .or_else(|| assignment.map(|a| a.facility.name.clone()))
            .or_else(|| study.map(|s| s.institution.clone()))
            .unwrap_or_default();
        let exam = assignment.map_or_else(
            || study.map_or_else(String::new, |s| s.description.clone()),
            |a| if a.request.exam.is_empty() { a.exam_kind.as_str().to_owned() } else { a.request.exam.clone() },
        );
        let join = |parts: &[String]| {
            let said = parts.iter().filter(|t| !t.trim().is_empty()).cloned().collect::<Vec<_>>();
            // A line feed in somebody's text must not open a second line.
            said.join("   ").replace(['\r', '\n'], " ")
        };
        let name = join(&[patient.name.display()]);
        let born = format::date(patient.birth_date);
        let essential = join(&[
            words.f("patient.id_at", &[("id", &patient.id), ("issuer", &facility)]),
            format!("{} ({born})", format::sex_age(words, patient, on)),
        ]);
        let more = join(&[patient.name.reading(), format!("{}  {exam}", format::date(date))]);
        let spoken = format!("{name}   {essential}   {more}");
        let lay = |text: &str, size: f32, color| ui.painter().layout_no_wrap(text.to_owned(), theme::font(size), color);
        Some(Self {
            stacked: [lay(&name, theme::BODY, theme::TEXT_STRONG), lay(&essential, theme::CAPTION, theme::TEXT)],
            name: lay(&name, theme::SECTION, theme::TEXT_STRONG),
            essential: lay(&essential, theme::BODY, theme::TEXT),
            more,
            spoken,
        })
    }

    /// Width that must be there for everything in one line.
    pub(super) fn width(&self) -> f32 {
        self.name.size().x + GAP + self.essential.size().x
    }

    /// Width that must be there at the very least.
    pub(super) fn least_width(&self) -> f32 {
        self.width().min(self.stacked.iter().map(|g| g.size().x).fold(0.0, f32::max))
    }

    /// Draws it into what room there is.
    pub(super) fn draw(self, ui: &mut Ui) {
        let (rect, response) = ui.allocate_exact_size(vec2(ui.available_width().max(0.0), theme::HIT), Sense::hover());
        response.widget_info(|| WidgetInfo::labeled(Role::Heading, true, &self.spoken));
        let painter = ui.painter().with_clip_rect(rect.expand2(vec2(0.0, 4.0)));
        let middle = rect.center().y;
        let left = rect.left();
        let put = |galley: Arc<Galley>, y: f32| {
            let at = Rect::from_min_size(pos2(left, y - galley.size().y / 2.0), galley.size());
            painter.galley(at.min, galley, theme::TEXT);
            at.right()
        };
        if self.width() > rect.width() + 0.5 {
            let [name, rest] = self.stacked;
            put(name, middle - 6.5);
            put(rest, middle + 8.0);
        } else {
            let mut end = put(self.name, middle) + GAP;
            let mut put = |galley: Arc<Galley>| {
                let size = galley.size();
                painter.galley(pos2(end, middle - size.y / 2.0), galley, theme::TEXT);
                end += size.x + GAP;
            };
            put(self.essential);
            let room = rect.right() - end;
            // Less than some letters say nothing.
            if room > 10.0 * theme::GRID {
                let more = elided(&painter, &self.more, theme::font(theme::BODY), theme::TEXT, room);
                painter.galley(pos2(end, middle - more.size().y / 2.0), more, theme::TEXT);
            }
        }
        response.on_hover_text(self.spoken);
    }
}

//! Stacks that are made or removed: what is known of them, and how it is drawn.

use std::{
    collections::BTreeMap,
    time::{Duration, Instant},
};

use mck_aws::Progress;

use super::frame::Canvas;
use crate::time::elapsed;

/// What resources are, by stack and name in the template.
pub type Descriptions = BTreeMap<(String, String), String>;

/// What is known of the stacks at work.
#[derive(Debug)]
pub struct StacksView {
    descriptions: Descriptions,
    total: usize,
    over: usize,
    active: Vec<ActiveStack>,
}

/// A stack at work.
#[derive(Debug)]
struct ActiveStack {
    id: String,
    what: &'static str,
    since: Instant,
    resources: Vec<ActiveResource>,
}

/// A resource at work.
#[derive(Debug)]
struct ActiveResource {
    logical_id: String,
    status: String,
    since: Instant,
}

impl StacksView {
    /// Nothing is known yet.
    pub const fn new(descriptions: Descriptions, total: usize) -> Self {
        Self {
            descriptions,
            total,
            over: 0,
            active: Vec::new(),
        }
    }

    /// Takes note of what happened; the answer is the line that tells it in a log.
    pub fn note(&mut self, progress: &Progress, now: Instant) -> Option<String> {
        match progress {
            Progress::Begun { stack, what } => {
                self.active.retain(|it| it.id != *stack);
                self.active.push(ActiveStack {
                    id: stack.clone(),
                    what,
                    since: now,
                    resources: Vec::new(),
                });
                Some(format!("{stack}: {what}"))
            }
            Progress::Resource {
                stack,
                logical_id,
                status,
                reason,
                ..
            } => self.resource(stack, logical_id, status, reason, now),
            Progress::Done { stack, changed } => {
                let time = self.end(stack, now);
                Some(match (changed, time) {
                    (true, Some(time)) => format!("{stack}: done ({})", elapsed(time)),
                    (true, None) => format!("{stack}: done"),
                    (false, _) => format!("{stack}: nothing to do"),
                })
            }
            Progress::Failed { stack, message, .. } => {
                self.end(stack, now);
                Some(format!("{stack}: failed: {message}"))
            }
            Progress::Skipped { stack } => {
                self.end(stack, now);
                Some(format!("{stack}: skipped"))
            }
        }
    }

    fn resource(
        &mut self,
        stack: &str,
        logical_id: &str,
        status: &str,
        reason: &str,
        now: Instant,
    ) -> Option<String> {
        let active = self.active.iter_mut().find(|it| it.id == stack)?;
        let known = active
            .resources
            .iter()
            .position(|it| it.logical_id == logical_id);
        if status.ends_with("_IN_PROGRESS") {
            match known {
                Some(index) => status.clone_into(&mut active.resources[index].status),
                None => active.resources.push(ActiveResource {
                    logical_id: logical_id.to_owned(),
                    status: status.to_owned(),
                    since: now,
                }),
            }
            return None;
        }
        let time = known.map(|index| now - active.resources.remove(index).since);
        let description = self.description(stack, logical_id);
        let time = time.map_or_else(String::new, |time| format!(" ({})", elapsed(time)));
        let reason = if status.ends_with("FAILED") && !reason.is_empty() {
            format!(": {reason}")
        } else {
            String::new()
        };
        Some(format!(
            "{stack}: {description} {}{time}{reason}",
            words(status)
        ))
    }

    fn end(&mut self, stack: &str, now: Instant) -> Option<Duration> {
        self.over += 1;
        let index = self.active.iter().position(|it| it.id == stack)?;
        Some(now - self.active.remove(index).since)
    }

    /// A resource's name and sentence.
    fn description(&self, stack: &str, logical_id: &str) -> String {
        let key = (stack.to_owned(), logical_id.to_owned());
        match self.descriptions.get(&key) {
            Some(text) if !text.is_empty() => format!("{logical_id} ({text})"),
            _ => logical_id.to_owned(),
        }
    }

    /// The lines of a frame; never more than fit.
    pub fn lines(&self, title: &str, begin: Instant, now: Instant, canvas: Canvas) -> Vec<String> {
        let heading = format!(
            "{title}: {} of {} stacks, {}",
            self.over,
            self.total,
            elapsed(now - begin)
        );
        let mut lines = vec![canvas.style.bold(cut(&heading, canvas.width))];
        for stack in &self.active {
            let time = elapsed(now - stack.since);
            let text = format!("  {}: {}, {time}", stack.id, stack.what);
            lines.push(canvas.style.cyan(cut(&text, canvas.width)));
            for resource in &stack.resources {
                let description = self.description(&stack.id, &resource.logical_id);
                let time = elapsed(now - resource.since);
                let text = format!("    {description} {}, {time}", words(&resource.status));
                lines.push(cut(&text, canvas.width));
            }
        }
        // The cursor waits on a line of its own.
        lines.truncate(canvas.height.saturating_sub(1));
        lines
    }
}

/// A status such as `CREATE_IN_PROGRESS` in words.
fn words(status: &str) -> String {
    status.to_ascii_lowercase().replace('_', " ")
}

fn cut(text: &str, width: usize) -> String {
    if text.chars().count() <= width {
        return text.to_owned();
    }
    let kept: String = text.chars().take(width.saturating_sub(1)).collect();
    kept + "…"
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::style::Style;

    fn resource(id: &str, status: &str, reason: &str) -> Progress {
        Progress::Resource {
            stack: "data".to_owned(),
            logical_id: id.to_owned(),
            kind: "AWS::RDS::DBCluster".to_owned(),
            status: status.to_owned(),
            reason: reason.to_owned(),
            time: String::new(),
        }
    }

    fn view() -> StacksView {
        let key = ("data".to_owned(), "Database".to_owned());
        StacksView::new(BTreeMap::from([(key, "Aurora, of all apps".to_owned())]), 3)
    }

    #[test]
    fn a_log_has_a_line_for_each_end() {
        let (mut view, begin) = (view(), Instant::now());
        let later = begin + Duration::from_secs(75);
        let stack = "data".to_owned();
        let story = [
            Progress::Begun {
                stack: stack.clone(),
                what: "create",
            },
            resource("Database", "CREATE_IN_PROGRESS", ""),
            resource("Topic", "CREATE_FAILED", "no such thing"),
        ];
        let mut told: Vec<String> = story.iter().filter_map(|it| view.note(it, begin)).collect();
        told.extend(view.note(&resource("Database", "CREATE_COMPLETE", ""), later));
        told.extend(view.note(
            &Progress::Done {
                stack,
                changed: true,
            },
            later,
        ));
        assert_eq!(
            told,
            [
                "data: create",
                "data: Topic create failed: no such thing",
                "data: Database (Aurora, of all apps) create complete (1 min 15 s)",
                "data: done (1 min 15 s)",
            ]
        );
    }

    #[test]
    fn a_frame_shows_what_is_waited_for_and_fits() {
        let (mut view, begin) = (view(), Instant::now());
        view.note(
            &Progress::Begun {
                stack: "data".to_owned(),
                what: "create",
            },
            begin,
        );
        view.note(&resource("Database", "CREATE_IN_PROGRESS", ""), begin);
        let later = begin + Duration::from_secs(5);
        let canvas = |height| Canvas {
            width: 60,
            height,
            style: Style::new(false),
            tick: 0,
        };
        assert_eq!(
            view.lines("production", begin, later, canvas(10)),
            [
                "production: 0 of 3 stacks, 5.0 s",
                "  data: create, 5.0 s",
                "    Database (Aurora, of all apps) create in progress, 5.0 s",
            ]
        );
        assert_eq!(view.lines("production", begin, later, canvas(3)).len(), 2);
    }
}

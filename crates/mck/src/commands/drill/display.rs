//! How far a drill is, for a person.

use std::time::Duration;

use mck_drill::{DrillPhase, Progress};

use crate::{
    printer::Printer,
    progress::{frame::cut, screen::Screen},
    time::elapsed,
};

/// How often a line is printed where nothing can be redrawn.
const INTERVAL: Duration = Duration::from_secs(10);

/// Shows how far a drill is.
pub struct Display<'a> {
    printer: &'a Printer,
    name: &'a str,
    screen: Screen,
    size: Option<(usize, usize)>,
    told: Option<(DrillPhase, Duration)>,
}

impl<'a> Display<'a> {
    /// A display of the drill of that name.
    pub fn new(printer: &'a Printer, name: &'a str) -> Self {
        Self {
            printer,
            name,
            screen: Screen::default(),
            size: printer.live_size(),
            told: None,
        }
    }

    /// Shows it now.
    pub fn show(&mut self, progress: &Progress) {
        if let Some((width, _)) = self.size {
            let lines = lines(self.name, progress).map(|line| cut(&line, width));
            self.printer.draw(&self.screen.frame(&lines));
            return;
        }
        let due = self.told.is_none_or(|(phase, at)| {
            phase != progress.phase || progress.elapsed.saturating_sub(at) >= INTERVAL
        });
        if due {
            self.told = Some((progress.phase, progress.elapsed));
            let [heading, counts, detail] = lines(self.name, progress);
            let text = format!("{heading}: {}; {}", counts.trim(), detail.trim());
            self.printer.note(text.trim_end_matches("; "));
        }
    }

    /// Leaves nothing of it on the terminal.
    pub fn clear(&mut self) {
        let text = self.screen.clear();
        self.printer.draw(&text);
    }
}

fn lines(name: &str, progress: &Progress) -> [String; 3] {
    [
        format!(
            "{name}: {}, {}",
            phase(progress.phase),
            elapsed(progress.elapsed)
        ),
        format!(
            "  {} requests sent, {} failed, {:.0} a second",
            progress.sent, progress.failed, progress.requests_per_second
        ),
        format!("  {}", progress.detail),
    ]
}

const fn phase(phase: DrillPhase) -> &'static str {
    match phase {
        DrillPhase::Preparing => "prepares the load",
        DrillPhase::Before => "load before the fault",
        DrillPhase::During => "load until all is whole again",
        DrillPhase::After => "load afterwards",
        DrillPhase::Verifying => "looks up what was acknowledged",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_says_what_it_does_and_what_came_of_the_load() {
        let progress = Progress {
            phase: DrillPhase::During,
            elapsed: Duration::from_millis(12_300),
            sent: 615,
            failed: 3,
            requests_per_second: 49.8,
            detail: "shop: 1 of 2 tasks healthy".to_owned(),
        };
        assert_eq!(
            lines("task-loss", &progress).join("\n"),
            "task-loss: load until all is whole again, 12.3 s\n  615 requests sent, 3 failed, \
             50 a second\n  shop: 1 of 2 tasks healthy"
        );
    }
}

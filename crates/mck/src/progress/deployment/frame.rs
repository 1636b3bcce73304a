//! A deployment as the lines of one frame.

use std::time::Duration;

use mck_local::supervisor::snapshot::State;

use super::view::{Role, Task, View};
use crate::{
    progress::{
        frame::{Canvas, cut, mark, one_line},
        state_word,
    },
    time::elapsed,
};

/// The lines of a frame; never more than fit.
pub fn lines(title: &str, view: &View, time: Duration, canvas: Canvas) -> Vec<String> {
    let heading = format!(
        "{title}: {} of {} new tasks take requests, {}",
        view.new_ready(),
        view.desired,
        elapsed(time)
    );
    let mut lines = vec![canvas.style.bold(cut(&heading, canvas.width))];
    lines.extend(view.tasks.iter().map(|task| draw(task, canvas)));
    if view.failures > 0 {
        let text = format!("  Failed tasks in a row: {}", view.failures);
        lines.push(canvas.style.yellow(cut(&text, canvas.width)));
    }
    if !view.waits.is_empty() {
        let text = format!("  Waits for {}", view.waits.join(", "));
        lines.push(canvas.style.dim(cut(&text, canvas.width)));
    }
    // The line on which the cursor waits.
    lines.truncate(canvas.height.saturating_sub(1).max(1));
    lines
}

fn draw(task: &Task, canvas: Canvas) -> String {
    let how = match (task.role, task.state, task.detail.as_str()) {
        (_, State::Ready, _) => "takes requests".to_owned(),
        (_, state, "") => state_word(state).to_owned(),
        (_, state, detail) => format!("{}: {}", state_word(state), one_line(detail)),
    };
    let word = task.role.word();
    let text = format!("{word:4}  {}  {}  {how}", task.id, task.place);
    let text = cut(&text, canvas.width.saturating_sub(4));
    let text = match task.role {
        Role::Old => canvas.style.dim(text),
        Role::New | Role::Hook => text,
    };
    format!("  {} {text}", mark(task.state, canvas))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{progress::deployment::example::in_progress, style::Style};

    fn frame(width: usize, height: usize) -> Vec<String> {
        let canvas = Canvas {
            width,
            height,
            style: Style::new(false),
            tick: 0,
        };
        let view = View::of(&in_progress(), "shop", 2).unwrap();
        lines(
            "Deploying shop",
            &view,
            Duration::from_millis(4_200),
            canvas,
        )
    }

    #[test]
    fn every_task_has_a_line_and_what_is_waited_for_the_last() {
        insta::assert_snapshot!(frame(110, 30).join("\n"));
    }

    #[test]
    fn a_frame_never_outgrows_the_terminal() {
        for (width, height) in [(20, 3), (40, 5), (80, 24), (1, 1)] {
            let frame = frame(width, height);
            assert!(frame.len() < height.max(2), "{width}x{height}");
            let longest = frame.iter().map(|line| line.chars().count()).max();
            // A mark and the space around it are always there.
            assert!(longest <= Some(width.max(5)), "{frame:?}");
        }
    }
}

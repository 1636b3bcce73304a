//! An environment that comes up, as the lines of one frame.

use std::time::Duration;

use mck_local::supervisor::snapshot::{AppStatus, ComponentStatus, Snapshot, State};

use crate::{style::Style, time::elapsed};

/// What a frame is drawn for.
#[derive(Debug, Clone, Copy)]
pub struct Canvas {
    /// Columns.
    pub width: usize,
    /// Rows.
    pub height: usize,
    /// Colour.
    pub style: Style,
    /// Counts frames, for what moves.
    pub tick: usize,
}

const SPINNER: [&str; 8] = ["⣾", "⣽", "⣻", "⢿", "⡿", "⣟", "⣯", "⣷"];

/// One row: a mark, a name, what it is, how it is.
struct Row {
    state: State,
    name: String,
    what: String,
    how: String,
}

/// The lines of a frame; never more than fit.
pub fn lines(title: &str, snapshot: &Snapshot, time: Duration, canvas: Canvas) -> Vec<String> {
    let rows: Vec<Row> = snapshot
        .components
        .iter()
        .map(component_row)
        .chain(snapshot.apps.iter().map(app_row))
        .collect();
    let ready = rows.iter().filter(|row| row.state == State::Ready).count();
    let heading = format!(
        "{title}: {ready} of {} ready, {}",
        rows.len(),
        elapsed(time)
    );
    let mut lines = vec![canvas.style.bold(cut(&heading, canvas.width))];

    // The heading, and the line on which the cursor waits.
    let room = canvas.height.saturating_sub(2);
    let shown: Vec<&Row> = if rows.len() <= room {
        rows.iter().collect()
    } else {
        // What is ready is told by the heading's count.
        rows.iter()
            .filter(|row| row.state != State::Ready)
            .take(room)
            .collect()
    };
    let name_width = shown
        .iter()
        .map(|row| row.name.chars().count())
        .max()
        .unwrap_or(0);
    let what_width = shown
        .iter()
        .map(|row| row.what.chars().count())
        .max()
        .unwrap_or(0);
    lines.extend(
        shown
            .iter()
            .map(|row| draw(row, name_width, what_width, canvas)),
    );
    lines
}

fn draw(row: &Row, name_width: usize, what_width: usize, canvas: Canvas) -> String {
    let style = canvas.style;
    let mark = mark(row.state, canvas);
    // The mark is one column, with two before it and one after it.
    let left = canvas.width.saturating_sub(4);
    let text = cut(
        &format!(
            "{:name_width$}  {:what_width$}  {}",
            row.name, row.what, row.how
        ),
        left,
    );
    let text = match row.state {
        State::Ready | State::Waiting => style.dim(text.trim_end()),
        State::Failed => style.red(text.trim_end()),
        _ => text.trim_end().to_owned(),
    };
    format!("  {mark} {text}")
}

/// A state in one column.
pub fn mark(state: State, canvas: Canvas) -> String {
    let style = canvas.style;
    match state {
        State::Ready => style.green("✓"),
        State::Failed => style.red("✗"),
        State::Unhealthy | State::Draining => style.yellow("!"),
        State::Waiting => style.dim("·"),
        State::Starting => style.cyan(SPINNER[canvas.tick % SPINNER.len()]),
    }
}

fn component_row(component: &ComponentStatus) -> Row {
    let word = super::state_word(component.state);
    let how = match (&component.detail, component.state) {
        (Some(detail), State::Failed) => format!("failed: {}", one_line(detail)),
        (Some(detail), _) => one_line(detail),
        (None, _) => word.to_owned(),
    };
    Row {
        state: component.state,
        name: component.name.clone(),
        what: component.description.clone(),
        how,
    }
}

fn app_row(app: &AppStatus) -> Row {
    let own: Vec<_> = app
        .tasks
        .iter()
        .filter(|task| task.purpose.is_none())
        .collect();
    let troubled = own
        .iter()
        .find(|task| matches!(task.state, State::Failed | State::Unhealthy));
    let starting = own.iter().find(|task| task.state == State::Starting);
    let state = match (troubled, own.is_empty()) {
        _ if app.desired > 0 && app.healthy >= app.desired => State::Ready,
        (Some(task), _) => task.state,
        (None, true) => State::Waiting,
        (None, false) => State::Starting,
    };
    let detail = troubled.or(starting).and_then(|task| task.detail.as_ref());
    let count = format!("{} of {} tasks healthy", app.healthy, app.desired);
    let how = match detail {
        Some(detail) if state != State::Ready => format!("{count}; {}", one_line(detail)),
        _ => count,
    };
    Row {
        state,
        name: app.name.clone(),
        what: "App".to_owned(),
        how,
    }
}

/// Text without its line breaks.
pub fn one_line(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// The text, or its beginning with an ellipsis.
pub fn cut(text: &str, width: usize) -> String {
    if text.chars().count() <= width {
        return text.to_owned();
    }
    let mut beginning: String = text.chars().take(width.saturating_sub(1)).collect();
    beginning.push('…');
    beginning
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::progress::example::snapshot;

    fn canvas(width: usize, height: usize) -> Canvas {
        Canvas {
            width,
            height,
            style: Style::new(false),
            tick: 0,
        }
    }

    #[test]
    fn every_part_has_a_line_that_says_how_it_is() {
        let time = Duration::from_millis(1_234);
        let frame = lines(
            "Bringing up demo (local)",
            &snapshot(),
            time,
            canvas(110, 40),
        );
        insta::assert_snapshot!(frame.join("\n"));
    }

    #[test]
    fn a_frame_never_outgrows_the_terminal() {
        for (width, height) in [(20, 3), (40, 5), (80, 24), (1, 1)] {
            let frame = lines(
                "Bringing up demo (local)",
                &snapshot(),
                Duration::ZERO,
                canvas(width, height),
            );
            assert!(frame.len() < height.max(2), "{width}x{height}");
            // A mark and the space around it are always there.
            assert!(
                frame
                    .iter()
                    .all(|line| line.chars().count() <= width.max(5)),
                "{frame:?}"
            );
        }
    }
}

//! A deployment as lines for a log: one whenever something changed.

use mck_local::supervisor::snapshot::State;

use super::view::{Role, Task, View};
use crate::progress::{frame::one_line, state_word};

/// What is new since the last view.
pub fn news(before: Option<&View>, now: &View) -> Vec<String> {
    let known = |id: &str| before?.tasks.iter().find(|task| task.id == id);
    let mut lines: Vec<String> = now
        .tasks
        .iter()
        .filter_map(|task| task_news(known(&task.id), task))
        .collect();
    let gone = before.into_iter().flat_map(|before| &before.tasks);
    let gone = gone.filter(|task| !now.tasks.iter().any(|it| it.id == task.id));
    lines.extend(gone.map(|task| match task.role {
        Role::Hook => format!("the hook {} has ended", task.detail),
        role => format!("{} task {} is stopped", role.word(), task.id),
    }));
    let failures = before.map_or(0, |before| before.failures);
    if now.failures > failures {
        lines.push(format!("failed tasks in a row: {}", now.failures));
    }
    lines
}

fn task_news(before: Option<&Task>, now: &Task) -> Option<String> {
    let (word, id) = (now.role.word(), &now.id);
    if now.role == Role::Hook {
        return before
            .is_none()
            .then(|| format!("runs the hook {}", now.detail));
    }
    if before.is_some_and(|before| before.state == now.state) {
        return None;
    }
    Some(match now.state {
        State::Ready => format!("{word} task {id} takes requests"),
        State::Starting if before.is_none() => {
            format!("{word} task {id} starts on {}", now.place)
        }
        state if now.detail.is_empty() => format!("{word} task {id} is {}", state_word(state)),
        state => {
            let detail = one_line(&now.detail);
            format!("{word} task {id} is {}: {detail}", state_word(state))
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::progress::deployment::example::in_progress;

    #[test]
    fn only_what_changed_is_told() {
        let mut snapshot = in_progress();
        let first = View::of(&snapshot, "shop", 2).unwrap();
        insta::assert_snapshot!(news(None, &first).join("\n"));
        assert!(news(Some(&first), &first).is_empty());
        let tasks = &mut snapshot.apps[0].tasks;
        tasks.remove(0);
        tasks[1].state = State::Ready;
        let mut second = View::of(&snapshot, "shop", 2).unwrap();
        second.failures = 1;
        assert_eq!(
            news(Some(&first), &second),
            [
                "new task shop-00000002 takes requests",
                "old task shop-00000000 is stopped",
                "failed tasks in a row: 1",
            ]
        );
    }
}

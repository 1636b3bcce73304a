//! An environment that comes up, as lines for a log: one whenever something changed.

use mck_local::supervisor::snapshot::{AppStatus, ComponentStatus, Snapshot, State};

/// What is new since the last snapshot.
pub fn news(before: Option<&Snapshot>, now: &Snapshot) -> Vec<String> {
    let component_before = |name: &str| -> Option<&ComponentStatus> {
        before?
            .components
            .iter()
            .find(|component| component.name == name)
    };
    let app_before =
        |name: &str| -> Option<&AppStatus> { before?.apps.iter().find(|app| app.name == name) };
    let components = now
        .components
        .iter()
        .filter_map(|component| component_news(component_before(&component.name), component));
    let apps = now
        .apps
        .iter()
        .filter_map(|app| app_news(app_before(&app.name), app));
    components.chain(apps).collect()
}

fn component_news(before: Option<&ComponentStatus>, now: &ComponentStatus) -> Option<String> {
    let same =
        before.is_some_and(|before| before.state == now.state && before.detail == now.detail);
    match (now.state, &now.detail) {
        _ if same => None,
        (State::Ready, _) => Some(format!("ready: {} - {}", now.name, now.description)),
        (State::Failed, Some(reason)) => {
            let reason = reason.replace('\n', " ");
            Some(format!("failed: {} - {reason}", now.name))
        }
        (State::Failed, None) => Some(format!("failed: {}", now.name)),
        _ => None,
    }
}

fn app_news(before: Option<&AppStatus>, now: &AppStatus) -> Option<String> {
    let healthy_before = before.map_or(0, |before| before.healthy);
    (healthy_before != now.healthy).then(|| {
        format!(
            "{}: {} of {} tasks healthy",
            now.name, now.healthy, now.desired
        )
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::progress::example::snapshot;

    #[test]
    fn only_what_changed_is_told() {
        let first = snapshot();
        insta::assert_snapshot!(news(None, &first).join("\n"));
        assert!(news(Some(&first), &first).is_empty());
        let mut second = first.clone();
        second.components[1].state = State::Ready;
        second.components[1].detail = None;
        second.apps[0].healthy = 2;
        assert_eq!(
            news(Some(&first), &second),
            [
                "ready: db-0 - Database writer (MariaDB), in a",
                "shop: 2 of 2 tasks healthy"
            ]
        );
    }
}

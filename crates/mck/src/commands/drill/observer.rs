//! Sees whether an environment is whole.

use mck_drill::{Observation, Observer};
use mck_local::{
    client,
    layout::Layout,
    supervisor::{
        deployment::DeploymentState,
        snapshot::{Snapshot, State},
    },
};

use crate::commands::status::without_words;

/// Watches an environment through its supervisor.
pub struct Watcher<'a> {
    layout: &'a Layout,
    app: &'a str,
    /// The app's last deployment before the drill.
    last_before: Option<u64>,
}

impl<'a> Watcher<'a> {
    /// A watcher of an app in its environment.
    pub fn new(layout: &'a Layout, app: &'a str) -> Self {
        Self {
            layout,
            app,
            last_before: None,
        }
    }
}

impl Observer for Watcher<'_> {
    fn observe(&mut self) -> Observation {
        match client::snapshot(self.layout) {
            Ok(snapshot) => {
                let last = last_number(&snapshot, self.app);
                let before = *self.last_before.get_or_insert(last);
                seen(&snapshot, self.app, before)
            }
            Err(error) => Observation {
                is_whole: false,
                detail: error.to_string(),
                rolled_back: None,
            },
        }
    }
}

fn last_number(snapshot: &Snapshot, app: &str) -> u64 {
    let app = snapshot.apps.iter().find(|it| it.name == app);
    let last = app.and_then(|app| app.deployments.last());
    last.map_or(0, |last| last.number)
}

/// What a snapshot says, with the reason of a rollback of a deployment after number `before`.
fn seen(snapshot: &Snapshot, app: &str, before: u64) -> Observation {
    let apps = snapshot.apps.iter();
    let mut parts: Vec<String> = apps
        .map(|app| {
            format!(
                "{}: {} of {} tasks healthy",
                app.name, app.healthy, app.desired
            )
        })
        .collect();
    let broken = snapshot
        .components
        .iter()
        .filter(|it| it.state != State::Ready);
    parts.extend(broken.map(|it| {
        let word = crate::progress::state_word(it.state);
        format!("{} {word}", it.name)
    }));
    let app = snapshot.apps.iter().find(|it| it.name == app);
    let deployments = app.map_or(&[][..], |app| app.deployments.as_slice());
    if let Some(last) = deployments
        .last()
        .filter(|it| it.state == DeploymentState::InProgress)
    {
        parts.push(format!("deployment {} in progress", last.number));
    }
    let rolled_back = deployments.iter().rev().filter(|it| it.number > before);
    let rolled_back = rolled_back.into_iter().find_map(|it| match &it.state {
        DeploymentState::RolledBack(reason) => Some(without_words(reason)),
        _ => None,
    });
    Observation {
        is_whole: snapshot.settled,
        detail: parts.join(", "),
        rolled_back,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::progress::deployment::example::{deployment, in_progress};

    #[test]
    fn what_is_not_whole_is_named() {
        let mut snapshot = in_progress();
        let observation = seen(&snapshot, "shop", 1);
        assert!(!observation.is_whole);
        assert_eq!(
            observation.detail,
            "shop: 1 of 2 tasks healthy, db-0 starting, database-schemas waiting, lb-a failed, \
             deployment 2 in progress"
        );
        assert_eq!(observation.rolled_back, None);
        let why = DeploymentState::RolledBack("why".to_owned());
        snapshot.apps[0].deployments[1] = deployment(2, "new", why);
        snapshot.settled = true;
        let observation = seen(&snapshot, "shop", 1);
        assert!(observation.is_whole);
        assert_eq!(observation.rolled_back.as_deref(), Some("why"));
        assert_eq!(seen(&snapshot, "shop", 2).rolled_back, None);
    }
}

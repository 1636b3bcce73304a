//! Following one deployment until it has ended.

mod display;
mod frame;
mod plain;
mod view;

use std::time::Instant;

use mck_local::{
    layout::Layout,
    supervisor::{
        deployment::{Deployment, DeploymentState},
        snapshot::{AppStatus, Snapshot},
    },
};

use super::watch::watch;
use crate::{failure::Failure, interrupt::Interrupt, printer::Printer};

pub use display::Display;
pub use view::{Role, Task, View, waits_of_tasks};

/// How a deployment ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outcome {
    /// All tasks are of it and healthy.
    Deployed,
    /// It was given up for this reason, and the one before serves.
    RolledBack(String),
    /// It was given up for this reason, and there was none before.
    Failed(String),
    /// Another one began before it ended.
    Superseded,
}

/// How following ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Ended {
    /// With the deployment.
    With(Outcome),
    /// With Ctrl-C; the deployment goes on.
    Interrupted,
}

/// How the deployment of that number ended, if it has.
pub fn outcome(snapshot: &Snapshot, app: &str, number: u64) -> Option<Outcome> {
    match &find(snapshot, app, number)?.1.state {
        DeploymentState::InProgress => None,
        DeploymentState::Completed => Some(Outcome::Deployed),
        DeploymentState::RolledBack(reason) => Some(Outcome::RolledBack(reason.clone())),
        DeploymentState::Failed(reason) => Some(Outcome::Failed(reason.clone())),
        DeploymentState::Superseded => Some(Outcome::Superseded),
    }
}

fn find<'a>(
    snapshot: &'a Snapshot,
    app: &str,
    number: u64,
) -> Option<(&'a AppStatus, &'a Deployment)> {
    let app = snapshot.apps.iter().find(|it| it.name == app)?;
    let deployment = app.deployments.iter().find(|it| it.number == number)?;
    Some((app, deployment))
}

/// Follows a deployment until it has ended or Ctrl-C is pressed.
///
/// # Errors
/// When the supervisor does not run, or ends.
pub fn follow(
    printer: &Printer,
    layout: &Layout,
    app: &str,
    number: u64,
    title: &str,
    begin: Instant,
) -> Result<Ended, Failure> {
    let interrupt = Interrupt::listen()?;
    let mut display = Display::new(printer, title, begin);
    let mut ended = Ended::Interrupted;
    let result = watch(layout, &interrupt, &mut |snapshot| {
        if let Some(now) = View::of(snapshot, app, number) {
            display.show(&now);
        }
        match outcome(snapshot, app, number) {
            Some(outcome) => ended = Ended::With(outcome),
            None => return false,
        }
        true
    });
    if ended == Ended::With(Outcome::Deployed) {
        display.clear();
    }
    result.map(|()| ended)
}

#[cfg(test)]
pub mod example {
    //! Deployments for tests of what is drawn of them.

    use jiff::Timestamp;
    use mck_blueprint::{model::DeploymentConfiguration, rollout::CircuitBreaker};
    use mck_local::{
        release::Release,
        supervisor::{
            deployment::{Deployment, DeploymentState},
            snapshot::{Snapshot, State},
        },
    };

    /// A deployment of that number and mark.
    pub fn deployment(number: u64, revision: &str, state: DeploymentState) -> Deployment {
        let rules = DeploymentConfiguration {
            minimum_healthy_percent: 100,
            maximum_percent: 200,
            circuit_breaker: true,
            rollback: true,
            failure_threshold: 2,
        };
        let ended = state != DeploymentState::InProgress;
        let at = |seconds: i64| Timestamp::from_second(1_800_000_000 + seconds).unwrap();
        Deployment {
            number,
            revision: revision.to_owned(),
            release: Some(Release {
                id: format!("{number:012}"),
                revision: format!("v{number}"),
            }),
            images: std::collections::BTreeMap::new(),
            started: at(0),
            ended: ended.then(|| at(9)),
            by: "ann@host".to_owned(),
            state,
            breaker: CircuitBreaker::new(&rules),
        }
    }

    /// Deployment 2 in its midst: an old task drains, a new one takes requests, one is checked.
    pub fn in_progress() -> Snapshot {
        let mut snapshot = crate::progress::example::snapshot();
        let app = &mut snapshot.apps[0];
        app.deployments = vec![
            deployment(1, "old", DeploymentState::Completed),
            deployment(2, "new", DeploymentState::InProgress),
        ];
        let mut old = app.tasks[0].clone();
        old.id = "shop-00000000".to_owned();
        old.revision = "old".to_owned();
        old.state = State::Draining;
        old.detail = Some("1 request in flight".to_owned());
        app.tasks.insert(0, old);
        snapshot
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::progress::deployment::example::{deployment, in_progress};

    #[test]
    fn the_deployment_of_that_number_decides() {
        let mut snapshot = in_progress();
        assert_eq!(outcome(&snapshot, "shop", 1), Some(Outcome::Deployed));
        assert_eq!(outcome(&snapshot, "shop", 2), None);
        assert_eq!(outcome(&snapshot, "shop", 3), None);
        assert_eq!(outcome(&snapshot, "blog", 1), None);
        let given_up = DeploymentState::RolledBack("why".to_owned());
        snapshot.apps[0].deployments = vec![
            deployment(2, "new", given_up),
            deployment(3, "old", DeploymentState::InProgress),
        ];
        let ended = outcome(&snapshot, "shop", 2);
        assert_eq!(ended, Some(Outcome::RolledBack("why".to_owned())));
    }
}

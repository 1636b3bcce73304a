//! How far a rollout is, by what ECS says of the service. Pure.

use aws_sdk_ecs::types::{Deployment, DeploymentRolloutState, Service};

/// A deployment's status while it is the one that is wanted (ECS API, `Deployment.status`).
const PRIMARY: &str = "PRIMARY";

/// How far a rollout is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Rollout {
    /// Tasks are being replaced.
    InProgress,
    /// All tasks are of it, and healthy.
    Completed,
    /// Given up; the one before serves.
    RolledBack(Option<String>),
    /// Given up, with nothing to go back to.
    Failed(Option<String>),
    /// Another one began before it ended.
    Superseded,
}

/// How far the rollout of a task definition is; `before` is the one that it replaces.
pub(crate) fn state(service: &Service, definition: &str, before: Option<&str>) -> Rollout {
    let Some(primary) = primary(service) else {
        return Rollout::InProgress;
    };
    let reason = |it: &Deployment| it.rollout_state_reason().map(str::to_owned);
    if primary.task_definition() == Some(definition) {
        return match primary.rollout_state() {
            Some(DeploymentRolloutState::Failed) => Rollout::Failed(reason(primary)),
            _ if is_steady(service) => Rollout::Completed,
            _ => Rollout::InProgress,
        };
    }
    let ours = service.deployments().iter();
    let mut ours = ours.filter(|it| it.task_definition() == Some(definition));
    let has_failed = |it: &&Deployment| it.rollout_state() == Some(&DeploymentRolloutState::Failed);
    match ours.find(has_failed) {
        // The circuit breaker made the one before the primary again.
        Some(failed) => Rollout::RolledBack(reason(primary).or_else(|| reason(failed))),
        None if before.is_some() && primary.task_definition() == before => {
            Rollout::RolledBack(reason(primary))
        }
        None => Rollout::Superseded,
    }
}

/// The deployment that is wanted.
pub(crate) fn primary(service: &Service) -> Option<&Deployment> {
    let mut deployments = service.deployments().iter();
    deployments.find(|it| it.status() == Some(PRIMARY))
}

/// Whether the wanted deployment has come to its end. Only ECS knows how long it watches new tasks;
/// where it does not say, all tasks run and no other deployment has any (`aws ecs wait
/// services-stable`).
pub(crate) fn is_steady(service: &Service) -> bool {
    let Some(primary) = primary(service) else {
        return false;
    };
    match primary.rollout_state() {
        Some(state) => *state == DeploymentRolloutState::Completed,
        None => {
            service.deployments().len() == 1 && service.running_count() == service.desired_count()
        }
    }
}

/// The task definition that a deployment in progress, or one that begins now, would go back to: of the
/// primary where that has come to its end, else of the one that it replaces.
pub(crate) fn to_go_back_to(service: &Service) -> Option<&str> {
    let wanted = primary(service)?;
    if is_steady(service) {
        return wanted.task_definition();
    }
    let others = service.deployments().iter();
    let others = others.filter(|it| it.id() != wanted.id() && it.running_count() > 0);
    let is_completed =
        |it: &&Deployment| it.rollout_state() == Some(&DeploymentRolloutState::Completed);
    let completed = others.clone().find(is_completed);
    completed
        .or_else(|| others.max_by_key(|it| it.running_count()))
        .and_then(Deployment::task_definition)
}

#[cfg(test)]
mod tests {
    use super::*;
    use DeploymentRolloutState::{Completed, Failed, InProgress};

    fn deployment(
        status: &str,
        definition: &str,
        state: Option<DeploymentRolloutState>,
    ) -> Deployment {
        Deployment::builder()
            .id(format!("ecs-svc/{definition}"))
            .status(status)
            .task_definition(definition)
            .running_count(2)
            .set_rollout_state(state)
            .build()
    }

    fn service(deployments: Vec<Deployment>) -> Service {
        Service::builder()
            .desired_count(2)
            .running_count(2)
            .set_deployments(Some(deployments))
            .build()
    }

    #[test]
    fn the_primary_and_its_state_decide() {
        let of = |status, definition, state| deployment(status, definition, Some(state));
        for (deployments, expected) in [
            (
                vec![
                    of("PRIMARY", "new", InProgress),
                    of("ACTIVE", "old", Completed),
                ],
                Rollout::InProgress,
            ),
            (vec![of("PRIMARY", "new", Completed)], Rollout::Completed),
            (vec![of("PRIMARY", "new", Failed)], Rollout::Failed(None)),
            (
                vec![
                    of("PRIMARY", "old", InProgress),
                    of("ACTIVE", "new", Failed),
                ],
                Rollout::RolledBack(None),
            ),
            // The failed one is gone already.
            (
                vec![of("PRIMARY", "old", Completed)],
                Rollout::RolledBack(None),
            ),
            (
                vec![
                    of("PRIMARY", "newer", InProgress),
                    of("ACTIVE", "new", InProgress),
                ],
                Rollout::Superseded,
            ),
            (vec![], Rollout::InProgress),
        ] {
            let service = service(deployments);
            assert_eq!(state(&service, "new", Some("old")), expected, "{service:?}");
        }
    }

    #[test]
    fn why_the_circuit_breaker_acted_is_told() {
        let mut back = deployment("PRIMARY", "old", Some(InProgress));
        back.rollout_state_reason = Some("ECS deployment circuit breaker: rolling back".to_owned());
        let service = service(vec![back, deployment("ACTIVE", "new", Some(Failed))]);
        let reason = Some("ECS deployment circuit breaker: rolling back".to_owned());
        assert_eq!(state(&service, "new", None), Rollout::RolledBack(reason));
    }

    #[test]
    fn without_a_state_the_numbers_decide() {
        let alone = service(vec![deployment("PRIMARY", "new", None)]);
        assert_eq!(state(&alone, "new", None), Rollout::Completed);
        let both = vec![
            deployment("PRIMARY", "new", None),
            deployment("ACTIVE", "old", None),
        ];
        assert_eq!(state(&service(both), "new", None), Rollout::InProgress);
    }

    #[test]
    fn what_to_go_back_to_is_what_came_to_its_end() {
        let of = |status, definition, state| deployment(status, definition, Some(state));
        let steady = service(vec![of("PRIMARY", "old", Completed)]);
        assert_eq!(to_go_back_to(&steady), Some("old"));
        let under_way = service(vec![
            of("PRIMARY", "newest", InProgress),
            of("ACTIVE", "new", InProgress),
            of("ACTIVE", "old", Completed),
        ]);
        assert_eq!(to_go_back_to(&under_way), Some("old"));
        let first = service(vec![of("PRIMARY", "new", InProgress)]);
        assert_eq!(to_go_back_to(&first), None);
    }
}

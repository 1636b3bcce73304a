//! How an app's deployments stand, as far as a change of its stack must know: the stack's template reads
//! the release from Parameter Store, where a deployment writes it only at its end.

use std::collections::BTreeMap;

use aws_sdk_ecs::types::{DeploymentRolloutState, Service};
use mck_aws_stacks::NO_RELEASE;
use tokio::task::JoinSet;

use super::{DeployError, DeployedApp, Deployer, release::release_of, rollout};
use crate::{Account, AwsError, parameters::Parameters};

/// How an app's deployments stand.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AppStanding {
    /// The app.
    pub app: String,
    /// Whether it has a service that wants tasks, which a change of its stack replaces.
    pub has_tasks: bool,
    /// What its tasks are of, or become, and Parameter Store does not know.
    pub unrecorded: Option<Unrecorded>,
}

/// A release that ECS was told of and Parameter Store was not.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unrecorded {
    /// The release.
    pub release: String,
    /// The release that is recorded: to it a change of the stack would go back. None before the first
    /// deployment has ended.
    pub recorded: Option<String>,
    /// Whether its rollout has come to its end.
    pub is_rolled_out: bool,
}

/// What is there of an app.
struct Seen {
    app: DeployedApp,
    recorded: String,
    service: Service,
}

impl Account {
    /// How the deployments of apps stand, in their order. Apps that are not in the account are left out.
    ///
    /// # Errors
    /// Where AWS does not answer.
    pub fn standing(&self, apps: &[DeployedApp]) -> Result<Vec<AppStanding>, AwsError> {
        self.runtime.block_on(self.read_standing(apps))
    }

    /// Does what is left of a deployment whose rollout has come to its end: the release is recorded, and
    /// jobs and commands of people are of it. It may be done again.
    ///
    /// # Errors
    /// Where AWS refuses or does not answer.
    pub fn settle_deployment(&self, app: &DeployedApp, release: &str) -> Result<(), DeployError> {
        let deployer = Deployer::new(self, app);
        self.runtime.block_on(deployer.settle(release))
    }

    async fn read_standing(&self, apps: &[DeployedApp]) -> Result<Vec<AppStanding>, AwsError> {
        let Some(first) = apps.first() else {
            return Ok(Vec::new());
        };
        let ecs = self.ecs(&first.region);
        let parameters = Parameters::new(self.clients.config(&first.region));
        let names: Vec<&str> = apps
            .iter()
            .map(|it| it.located.release_parameter.as_str())
            .collect();
        let recorded = parameters.values(&names).await?;
        let mut by_cluster: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
        for app in apps {
            let located = &app.located;
            let services = by_cluster.entry(&located.cluster).or_default();
            services.push(&located.service);
        }
        let mut services = Vec::new();
        for (cluster, names) in by_cluster {
            let found = ecs.services(cluster, &names).await?;
            services.extend(found.into_iter().map(|it| (cluster, it)));
        }
        let mut asked = JoinSet::new();
        for (place, app) in apps.iter().enumerate() {
            let located = &app.located;
            let service = services.iter().find(|(cluster, it)| {
                *cluster == located.cluster && it.service_name() == Some(located.service.as_str())
            });
            let recorded = recorded.get(&located.release_parameter);
            let (Some((_, service)), Some(recorded)) = (service, recorded) else {
                continue;
            };
            let seen = Seen {
                app: app.clone(),
                recorded: recorded.clone(),
                service: service.clone(),
            };
            let ecs = ecs.clone();
            asked.spawn(async move {
                let wanted = rollout::primary(&seen.service).and_then(|it| it.task_definition());
                let definition = match wanted.or(seen.service.task_definition()) {
                    Some(arn) => ecs.task_definition(arn).await?,
                    None => None,
                };
                let release = definition.as_ref().and_then(|(it, _)| release_of(it));
                Ok::<_, AwsError>((place, standing(&seen, release)))
            });
        }
        let mut found = Vec::new();
        while let Some(answer) = asked.join_next().await {
            found.push(answer.expect("a call is never cancelled, and does not panic")?);
        }
        found.sort_by_key(|(place, _)| *place);
        Ok(found.into_iter().map(|(_, standing)| standing).collect())
    }
}

fn standing(seen: &Seen, release: Option<&str>) -> AppStanding {
    AppStanding {
        app: seen.app.located.app.clone(),
        has_tasks: seen.service.desired_count() > 0,
        unrecorded: release.and_then(|it| unrecorded(&seen.service, it, &seen.recorded)),
    }
}

/// What of a service's wanted release is not recorded. A rollout that was given up is not: the recorded
/// release is what is meant to come back.
fn unrecorded(service: &Service, release: &str, recorded: &str) -> Option<Unrecorded> {
    let primary = rollout::primary(service)?;
    if release == recorded || primary.rollout_state() == Some(&DeploymentRolloutState::Failed) {
        return None;
    }
    Some(Unrecorded {
        release: release.to_owned(),
        recorded: (recorded != NO_RELEASE).then(|| recorded.to_owned()),
        is_rolled_out: rollout::is_steady(service),
    })
}

#[cfg(test)]
mod tests {
    use aws_sdk_ecs::types::Deployment;

    use super::*;

    fn service(state: Option<DeploymentRolloutState>) -> Service {
        let primary = Deployment::builder()
            .status("PRIMARY")
            .set_rollout_state(state)
            .build();
        Service::builder()
            .desired_count(2)
            .running_count(2)
            .deployments(primary)
            .build()
    }

    #[test]
    fn what_ecs_knows_and_parameter_store_does_not_is_found() {
        use DeploymentRolloutState::{Completed, Failed, InProgress};
        let of = |recorded: Option<&str>, is_rolled_out| {
            Some(Unrecorded {
                release: "new".to_owned(),
                recorded: recorded.map(str::to_owned),
                is_rolled_out,
            })
        };
        for (state, recorded, expected) in [
            (Some(Completed), "new", None),
            (Some(InProgress), "new", None),
            (Some(Completed), "old", of(Some("old"), true)),
            (Some(InProgress), "old", of(Some("old"), false)),
            (Some(Failed), "old", None),
            (Some(Completed), NO_RELEASE, of(None, true)),
            // Without a state, the numbers of tasks decide.
            (None, "old", of(Some("old"), true)),
        ] {
            let told = unrecorded(&service(state.clone()), "new", recorded);
            assert_eq!(told, expected, "{state:?} {recorded}");
        }
        let none = Service::builder().build();
        assert_eq!(unrecorded(&none, "new", "old"), None);
    }
}

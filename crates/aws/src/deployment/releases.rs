//! The releases of an app.

use std::collections::BTreeSet;

use super::{
    DeployError, Deployer, PushedRelease,
    begin::number,
    history::{Known, Revision},
    release::{deployed_by, release_of},
    rollout,
};
use crate::{AwsError, parameters::time};

impl Deployer<'_> {
    pub(super) async fn releases(&self) -> Result<Vec<PushedRelease>, DeployError> {
        let located = &self.app.located;
        let pushed = self.images.releases(&self.app.repositories()).await?;
        let recorded = self.parameters.recorded(&located.release_parameter).await?;
        let service = self.ecs.service(&located.cluster, &located.service).await?;
        let rolling_out = service.as_ref().filter(|it| !rollout::is_steady(it));
        let rolling_out = rolling_out
            .and_then(rollout::primary)
            .and_then(|it| it.task_definition());
        let revisions = self.history().await?;
        let known = Known {
            revisions: &revisions,
            recorded: &recorded,
            rolling_out,
        };
        let told = |id: &str| (known.state(id), known.deployments(id));
        let mut releases: Vec<PushedRelease> = pushed
            .iter()
            .map(|it| {
                let (state, deployments) = told(&it.id);
                PushedRelease {
                    id: it.id.clone(),
                    pushed: Some(it.at),
                    bytes: it.bytes,
                    state,
                    deployments,
                }
            })
            .collect();
        // Of others only what is deployed matters, such as an app's that has no images of its own.
        let gone: BTreeSet<&str> = revisions.iter().map(|it| it.release.as_str()).collect();
        for id in gone.into_iter().rev() {
            let (state, deployments) = told(id);
            if pushed.iter().all(|it| it.id != id) {
                releases.push(PushedRelease {
                    id: id.to_owned(),
                    pushed: None,
                    bytes: 0,
                    state,
                    deployments,
                });
            }
        }
        Ok(releases)
    }

    /// The newest revisions of the service's family, oldest first.
    async fn history(&self) -> Result<Vec<Revision>, AwsError> {
        let revisions = self.revisions().await?.into_iter();
        let mut revisions: Vec<Revision> = revisions
            .filter_map(|(definition, tags)| {
                Some(Revision {
                    number: number(&definition),
                    arn: definition.task_definition_arn.clone()?,
                    release: release_of(&definition)?.to_owned(),
                    started: time(definition.registered_at.as_ref()?),
                    by: deployed_by(&definition, &tags),
                })
            })
            .collect();
        revisions.sort_by_key(|it| it.number);
        Ok(revisions)
    }
}

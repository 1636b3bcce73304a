//! Releases: made without being deployed, and told with what became of them.

use std::path::{Path, PathBuf};

use jiff::Timestamp;
use mck_blueprint::model::App;
use serde::Serialize;

use super::ClientError;
use crate::{
    layout::Layout,
    release::{Built, Release, ReleaseStore},
    supervisor::{
        deployment::{Deployment, DeploymentState},
        record::Record,
    },
};

/// A release that is kept.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub struct KeptRelease {
    /// What it is.
    #[serde(flatten)]
    pub release: Release,
    /// Its tree.
    pub path: PathBuf,
    /// When it was made first.
    pub made: Option<Timestamp>,
    /// What it is now.
    pub state: ReleaseState,
    /// The deployments that wanted it, oldest first.
    pub deployments: Vec<Use>,
}

/// A deployment that wanted a release.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub struct Use {
    /// Its number.
    pub number: u64,
    /// Who asked for it.
    pub by: String,
    /// When it began.
    pub started: Timestamp,
    /// What became of it.
    pub outcome: DeploymentState,
}

/// What a release is to its app.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum ReleaseState {
    /// A deployment of it is in progress.
    Deploying,
    /// The last deployment that completed was of it.
    Serving,
    /// A rollback goes back to it.
    Previous,
    /// It can be deployed.
    Available,
}

/// Makes a release of an app's source, relative to `folder`, without deploying it. `revision` is one
/// line for its `REVISION.txt`; without it the source's git revision is taken, else its id.
///
/// # Errors
/// When the app has no source, that can't be read, or the release not be written.
pub fn build(
    layout: &Layout,
    folder: &Path,
    app: &App,
    revision: Option<&str>,
) -> Result<Built, ClientError> {
    let Some(source) = &app.source else {
        return Err(no_source(&app.name));
    };
    build_from(layout, &app.name, &folder.join(source), revision)
}

/// Makes a release of an app of any folder.
///
/// # Errors
/// When the folder can't be read or the release not be written.
pub fn build_from(
    layout: &Layout,
    app: &str,
    source: &Path,
    revision: Option<&str>,
) -> Result<Built, ClientError> {
    layout.prepare().map_err(|source| ClientError::File {
        path: layout.top().to_owned(),
        source,
    })?;
    let store = ReleaseStore::new(&layout.releases(), app);
    Ok(store.build_as(source, &["REVISION.txt".to_owned()], revision)?)
}

/// The releases of an app that are kept, newest first. Needs no supervisor.
///
/// # Errors
/// When what was recorded can't be read.
pub fn releases(layout: &Layout, app: &str) -> Result<Vec<KeptRelease>, ClientError> {
    let path = layout.state();
    let record = Record::load(&path).map_err(|source| ClientError::File { path, source })?;
    let deployments = record.deployments.get(app).map_or(&[][..], Vec::as_slice);
    let store = ReleaseStore::new(&layout.releases(), app);
    let ids = store.list();
    let kept = ids.iter().filter_map(|id| {
        let release = store.find(id)?;
        let made = store
            .made(id)
            .and_then(|time| Timestamp::try_from(time).ok());
        Some(describe(release, store.tree(id), made, deployments))
    });
    let mut kept: Vec<KeptRelease> = kept.collect();
    kept.sort_by_key(|it| std::cmp::Reverse(it.made));
    Ok(kept)
}

fn describe(
    release: Release,
    path: PathBuf,
    made: Option<Timestamp>,
    deployments: &[Deployment],
) -> KeptRelease {
    let is_of = |it: &&Deployment| it.release.as_ref().is_some_and(|own| own.id == release.id);
    let uses = deployments.iter().filter(is_of).map(|it| Use {
        number: it.number,
        by: it.by.clone(),
        started: it.started,
        outcome: it.state.clone(),
    });
    KeptRelease {
        path,
        made,
        state: state(&release.id, deployments),
        deployments: uses.collect(),
        release,
    }
}

fn state(id: &str, deployments: &[Deployment]) -> ReleaseState {
    let is_it = |it: &Deployment| it.release.as_ref().is_some_and(|own| own.id == id);
    let completed = || {
        let all = deployments.iter().rev();
        all.filter(|it| it.state == DeploymentState::Completed)
    };
    let serving = completed().next();
    let previous =
        serving.and_then(|serving| completed().find(|it| it.revision != serving.revision));
    let deploying = deployments
        .last()
        .filter(|it| it.state == DeploymentState::InProgress);
    if deploying.is_some_and(is_it) {
        ReleaseState::Deploying
    } else if serving.is_some_and(is_it) {
        ReleaseState::Serving
    } else if previous.is_some_and(is_it) {
        ReleaseState::Previous
    } else {
        ReleaseState::Available
    }
}

fn no_source(app: &str) -> ClientError {
    ClientError::Refused {
        reason: format!("{app} has no source that a release could be made of"),
    }
}

#[cfg(test)]
mod tests {
    use mck_blueprint::rollout::CircuitBreaker;

    use super::*;

    fn deployment(number: u64, release: &str, state: DeploymentState) -> Deployment {
        let rules = mck_blueprint::model::DeploymentConfiguration {
            minimum_healthy_percent: 100,
            maximum_percent: 200,
            circuit_breaker: true,
            rollback: true,
            failure_threshold: 2,
        };
        Deployment {
            number,
            revision: format!("mark of {release}"),
            release: Some(Release {
                id: release.to_owned(),
                revision: release.to_owned(),
            }),
            images: std::collections::BTreeMap::new(),
            started: Timestamp::UNIX_EPOCH,
            ended: None,
            by: "someone".to_owned(),
            state,
            breaker: CircuitBreaker::new(&rules),
        }
    }

    #[test]
    fn a_release_is_told_by_the_deployments_of_it() {
        use DeploymentState::{Completed, InProgress, RolledBack};
        let mut all = vec![
            deployment(1, "a", Completed),
            deployment(2, "b", Completed),
            deployment(3, "c", RolledBack("broken".to_owned())),
            deployment(4, "b", Completed),
        ];
        assert_eq!(state("b", &all), ReleaseState::Serving);
        assert_eq!(state("a", &all), ReleaseState::Previous);
        assert_eq!(state("c", &all), ReleaseState::Available);
        assert_eq!(state("never deployed", &all), ReleaseState::Available);
        all.push(deployment(5, "c", InProgress));
        assert_eq!(state("c", &all), ReleaseState::Deploying);
        assert_eq!(state("b", &all), ReleaseState::Serving);
        let release = all[4].release.clone().unwrap();
        let uses = describe(release, PathBuf::new(), None, &all).deployments;
        assert_eq!(uses.iter().map(|it| it.number).collect::<Vec<_>>(), [3, 5]);
    }
}

//! What became of releases, by the revisions of a service's family and by what Parameter Store
//! recorded. Pure.
//!
//! A deployment registers a revision at its beginning and writes the release into the parameter at
//! its end. So a revision's deployment completed where the parameter got its release before the next
//! revision was registered, or had it already: `mck apply` registers revisions of the release that is
//! deployed.

use std::time::SystemTime;

use crate::parameters::Recorded;

/// A revision of a service's task definition.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Revision {
    /// Its number in the family.
    pub(crate) number: u64,
    /// Its ARN.
    pub(crate) arn: String,
    /// Its release.
    pub(crate) release: String,
    /// When it was registered.
    pub(crate) started: SystemTime,
    /// Who did that.
    pub(crate) by: String,
}

/// A release of an app.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PushedRelease {
    /// Its id: the tag of its images.
    pub id: String,
    /// When the last of its images was pushed; none where they are gone.
    pub pushed: Option<SystemTime>,
    /// The size of its images as they are in the registry, in bytes.
    pub bytes: u64,
    /// What it is now.
    pub state: ReleaseState,
    /// The deployments of it, oldest first.
    pub deployments: Vec<Use>,
}

/// A deployment of a release.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Use {
    /// Its number: that of the service's task definition.
    pub number: u64,
    /// Who asked for it.
    pub by: String,
    /// When it began.
    pub started: SystemTime,
    /// What became of it.
    pub outcome: UseOutcome,
}

/// What became of a deployment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum UseOutcome {
    /// Tasks are being replaced.
    InProgress,
    /// All tasks were of it, and healthy.
    Completed,
    /// It was given up, or another one took its place.
    NotCompleted,
}

/// What a release is to its app.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
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

/// What is known of an app's deployments.
pub(crate) struct Known<'a> {
    /// Revisions of its service's family, oldest first.
    pub(crate) revisions: &'a [Revision],
    /// Releases that were recorded, oldest first.
    pub(crate) recorded: &'a [Recorded],
    /// The task definition whose rollout is in progress.
    pub(crate) rolling_out: Option<&'a str>,
}

/// The release to go back to: the newest that was deployed before and is another one.
pub(crate) fn previous<'a>(recorded: &'a [Recorded], current: &str) -> Option<&'a str> {
    let mut newest = recorded.iter().rev();
    newest
        .find(|it| it.release != current)
        .map(|it| it.release.as_str())
}

impl Known<'_> {
    /// What a release is to its app.
    pub(crate) fn state(&self, release: &str) -> ReleaseState {
        let rolling_out = self.revisions.iter();
        let mut rolling_out = rolling_out.filter(|it| Some(it.arn.as_str()) == self.rolling_out);
        let serving = self.recorded.last().map(|it| it.release.as_str());
        let previous = serving.and_then(|serving| previous(self.recorded, serving));
        if rolling_out.any(|it| it.release == release) {
            ReleaseState::Deploying
        } else if serving == Some(release) {
            ReleaseState::Serving
        } else if previous == Some(release) {
            ReleaseState::Previous
        } else {
            ReleaseState::Available
        }
    }

    /// The deployments of a release, oldest first.
    pub(crate) fn deployments(&self, release: &str) -> Vec<Use> {
        let all = self.revisions.iter().enumerate();
        all.filter(|(_, it)| it.release == release)
            .map(|(index, it)| Use {
                number: it.number,
                by: it.by.clone(),
                started: it.started,
                outcome: self.outcome(it, self.revisions.get(index + 1)),
            })
            .collect()
    }

    fn outcome(&self, of: &Revision, next: Option<&Revision>) -> UseOutcome {
        if Some(of.arn.as_str()) == self.rolling_out {
            return UseOutcome::InProgress;
        }
        let mut before = self.recorded.iter().rev();
        let at_start = before.find(|it| it.at <= of.started);
        let had_it = at_start.is_some_and(|it| it.release == of.release);
        let is_own = |it: &Recorded| {
            let is_in_time = next.is_none_or(|next| it.at < next.started);
            it.release == of.release && it.at >= of.started && is_in_time
        };
        if had_it || self.recorded.iter().any(is_own) {
            UseOutcome::Completed
        } else {
            UseOutcome::NotCompleted
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    fn at(seconds: u64) -> SystemTime {
        SystemTime::UNIX_EPOCH + Duration::from_secs(1_800_000_000 + seconds)
    }

    fn revision(number: u64, release: &str) -> Revision {
        Revision {
            number,
            arn: format!("shop:{number}"),
            release: release.to_owned(),
            started: at(number * 100),
            by: "ann@laptop".to_owned(),
        }
    }

    fn recorded(seconds: u64, release: &str) -> Recorded {
        Recorded {
            release: release.to_owned(),
            at: at(seconds),
        }
    }

    #[test]
    fn a_rollback_goes_to_the_newest_other_release_that_was_deployed() {
        let all = [recorded(1, "a"), recorded(2, "b"), recorded(3, "a")];
        assert_eq!(previous(&all, "a"), Some("b"));
        assert_eq!(previous(&all, "b"), Some("a"));
        // A deployment of it was stopped.
        assert_eq!(previous(&all, "c"), Some("a"));
        assert_eq!(previous(&all[..1], "a"), None);
        assert_eq!(previous(&[], "a"), None);
    }

    #[test]
    fn what_became_of_a_deployment_is_told_by_the_parameter() {
        // 1: a, the first; 2: b; 3: c, given up; 4: b again by an apply; 5: c, in progress.
        let revisions = [
            revision(1, "a"),
            revision(2, "b"),
            revision(3, "c"),
            revision(4, "b"),
            revision(5, "c"),
        ];
        let recorded = [recorded(110, "a"), recorded(250, "b")];
        let known = Known {
            revisions: &revisions,
            recorded: &recorded,
            rolling_out: Some("shop:5"),
        };
        let outcomes = |release: &str| -> Vec<(u64, UseOutcome)> {
            let all = known.deployments(release).into_iter();
            all.map(|it| (it.number, it.outcome)).collect()
        };
        assert_eq!(outcomes("a"), [(1, UseOutcome::Completed)]);
        assert_eq!(
            outcomes("b"),
            [(2, UseOutcome::Completed), (4, UseOutcome::Completed)]
        );
        assert_eq!(
            outcomes("c"),
            [(3, UseOutcome::NotCompleted), (5, UseOutcome::InProgress)]
        );
        for (release, state) in [
            ("a", ReleaseState::Previous),
            ("b", ReleaseState::Serving),
            ("c", ReleaseState::Deploying),
            ("d", ReleaseState::Available),
        ] {
            assert_eq!(known.state(release), state, "{release}");
        }
    }
}

//! Why a deployment was not begun.

use crate::AwsError;

/// Why a deployment was not begun.
#[derive(Debug, thiserror::Error)]
pub enum DeployError {
    /// A call failed.
    #[error(transparent)]
    Aws(#[from] AwsError),
    /// The app's stacks are not there.
    #[error("{app} is not in the account yet: there is no {missing}")]
    NotApplied {
        /// The app.
        app: String,
        /// What there is not.
        missing: String,
    },
    /// No release was pushed.
    #[error("no release of {app} is in its repositories {}", repositories.join(", "))]
    NoReleases {
        /// The app.
        app: String,
        /// Its ECR repositories.
        repositories: Vec<String>,
    },
    /// The release is not in all of the app's repositories.
    #[error("release {release} of {app} is not in its repositories")]
    NoSuchRelease {
        /// The app.
        app: String,
        /// What was asked for.
        release: String,
        /// Releases that there are, the newest first.
        known: Vec<String>,
    },
    /// Secrets that only people know have no value.
    #[error("secrets without a value: {}", names.join(", "))]
    SecretsMissing {
        /// Their names.
        names: Vec<String>,
    },
    /// A hook of another deployment runs.
    #[error("another deployment of {app} runs its {stage} hook (task {task})")]
    Busy {
        /// The app.
        app: String,
        /// The hook's stage.
        stage: &'static str,
        /// The task's id.
        task: String,
    },
    /// There is no release before.
    #[error("{app} has no earlier deployment that completed")]
    NothingBefore {
        /// The app.
        app: String,
    },
    /// There is nothing to stop.
    #[error("no deployment of {app} is in progress")]
    NoDeployment {
        /// The app.
        app: String,
    },
}

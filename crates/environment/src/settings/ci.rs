//! `[ci]`

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// How continuous integration comes into the account, and how many images it keeps there (AWS
/// only). Without any of the doors there is none.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
pub struct Ci {
    /// GitHub Actions, by OpenID Connect: no key is kept anywhere.
    pub github: Option<GitHub>,
    /// CircleCI, by OpenID Connect.
    pub circleci: Option<CircleCi>,
    /// GitLab CI/CD, by OpenID Connect.
    pub gitlab: Option<GitLab>,
    /// An IAM user, for a service without OpenID Connect; its access key is made by hand.
    pub user: bool,
    /// Images kept in each of the project's repositories, 1 to 1000; older ones are deleted.
    #[schemars(range(min = 1, max = 1000))]
    pub keep_images: u16,
}

impl Default for Ci {
    fn default() -> Self {
        Self {
            github: None,
            circleci: None,
            gitlab: None,
            user: false,
            keep_images: 50,
        }
    }
}

/// Workflows of a GitHub repository that may deploy.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct GitHub {
    /// The repository, `owner/name`.
    #[schemars(regex(pattern = r"^[A-Za-z0-9-]{1,39}/[A-Za-z0-9._-]{1,100}$"))]
    pub repository: String,
    /// The branches whose workflows may deploy. Default: `["main"]`.
    #[serde(default = "GitHub::default_branches")]
    #[schemars(inner(regex(pattern = r"^[A-Za-z0-9._/-]{1,244}$")))]
    pub branches: Vec<String>,
    /// The account's identity provider for GitHub, where it has one already: an account can have
    /// only one.
    #[serde(default)]
    #[schemars(regex(pattern = r"^arn:aws[a-z-]*:iam::[0-9]{12}:oidc-provider/.+$"))]
    pub oidc_provider_arn: Option<String>,
}

impl GitHub {
    fn default_branches() -> Vec<String> {
        vec!["main".to_owned()]
    }
}

/// Pipelines of a CircleCI organization that may deploy.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct CircleCi {
    /// The organization's id, a UUID.
    #[schemars(regex(
        pattern = r"^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$"
    ))]
    pub organization_id: String,
    /// The project's id, a UUID. Default: every project of the organization.
    #[serde(default)]
    #[schemars(regex(
        pattern = r"^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$"
    ))]
    pub project_id: Option<String>,
    /// The account's identity provider for the organization, where it has one already.
    #[serde(default)]
    #[schemars(regex(pattern = r"^arn:aws[a-z-]*:iam::[0-9]{12}:oidc-provider/.+$"))]
    pub oidc_provider_arn: Option<String>,
}

/// Pipelines of a GitLab project that may deploy.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct GitLab {
    /// The project with its groups, `group/project`.
    #[schemars(regex(pattern = r"^[A-Za-z0-9_][A-Za-z0-9._-]*(/[A-Za-z0-9_][A-Za-z0-9._-]*)+$"))]
    pub project: String,
    /// The branches whose pipelines may deploy. Default: `["main"]`.
    #[serde(default = "GitHub::default_branches")]
    #[schemars(inner(regex(pattern = r"^[A-Za-z0-9._/-]{1,244}$")))]
    pub branches: Vec<String>,
    /// The host of the GitLab server, which AWS must reach over HTTPS. Default: `gitlab.com`.
    #[serde(default = "GitLab::default_host")]
    #[schemars(regex(
        pattern = r"^[a-z0-9]([a-z0-9-]*[a-z0-9])?(\.[a-z0-9]([a-z0-9-]*[a-z0-9])?)+$"
    ))]
    pub host: String,
    /// The account's identity provider for the host, where it has one already.
    #[serde(default)]
    #[schemars(regex(pattern = r"^arn:aws[a-z-]*:iam::[0-9]{12}:oidc-provider/.+$"))]
    pub oidc_provider_arn: Option<String>,
}

impl GitLab {
    fn default_host() -> String {
        "gitlab.com".to_owned()
    }
}

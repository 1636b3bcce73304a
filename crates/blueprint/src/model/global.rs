//! What a project has once in each region of the account, whatever its environments.

use mck_environment::units::Duration;
use serde::Serialize;

/// What a project has once in a region: image repositories, and the doors of continuous
/// integration. [`Global::plan`](crate::model::Global::plan) makes it of all blueprints on AWS.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub struct Global {
    /// The project's name.
    pub project: String,
    /// The region.
    pub region: String,
    /// Image repositories, by name.
    pub repositories: Vec<ImageRepository>,
    /// Identity providers to make; an account has one for each host, so they are in the project's
    /// first region alone. One that exists already is not among them.
    pub identity_providers: Vec<IdentityProvider>,
    /// Roles of continuous integration, by name; each environment's are in its own region.
    pub roles: Vec<CiRole>,
    /// Users of continuous integration, by name.
    pub users: Vec<CiUser>,
}

/// A repository of images (ECR): scanned on push, tags immutable, encrypted.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub struct ImageRepository {
    /// Its name: `<project>/<environment>/<app>/<image>`. Images hold their environment's
    /// configuration, so each environment has its own.
    pub name: String,
    /// The environment.
    pub environment: String,
    /// The app.
    pub app: String,
    /// The image ([`Container::made_image`](crate::model::Container::made_image)), such as `php-fpm`.
    pub image: String,
    /// Images that are kept, the newest.
    pub keep_images: u16,
    /// Images without a tag are deleted after this long.
    pub untagged_after: Duration,
}

/// An OpenID Connect identity provider of the account (IAM).
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub struct IdentityProvider {
    /// Host and path of its URL, `https://` left out: also the prefix of condition keys and the end
    /// of its ARN (`arn:aws:iam::<account>:oidc-provider/<host>`).
    pub host: String,
    /// The audience of its tokens.
    pub audience: String,
}

/// A role that a service's tokens may assume.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub struct CiRole {
    /// Its name: `<project>-<environment>-ci-<service>`.
    pub name: String,
    /// The environment that it may deploy to.
    pub environment: String,
    /// The service: `github`, `circleci` or `gitlab`.
    pub service: String,
    /// Who vouches for it.
    pub provider: IdentityProvider,
    /// The provider's ARN, where it existed before.
    pub provider_arn: Option<String>,
    /// Patterns of the tokens' subjects, any of which (`StringLike` on `<host>:sub`).
    pub subjects: Vec<String>,
}

impl CiRole {
    /// The name of the role with which `service` deploys to an environment.
    pub fn name_of(project: &str, environment: &str, service: &str) -> String {
        format!("{project}-{environment}-ci-{service}")
    }
}

/// A user for a service without OpenID Connect; it has no access key until a person makes one.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub struct CiUser {
    /// Its name: `<project>-<environment>-ci`.
    pub name: String,
    /// The environment that it may deploy to.
    pub environment: String,
}

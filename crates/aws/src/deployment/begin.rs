//! What is there, and what is to be done.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use aws_sdk_ecs::types::{Service, Tag, TaskDefinition, TaskDefinitionStatus};

use super::{DeployError, Deployer, history::previous, images::choose, release, rollout};
use crate::AwsError;

/// How many revisions are looked through for one of a release; also the number of deployments that
/// are told of.
pub(super) const LOOKED_THROUGH: u8 = 20;

/// What is asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum DeploymentRequest {
    /// A release, by its id or the beginning of it; the newest that was pushed where none is named.
    Deploy(Option<String>),
    /// The release of the deployment before.
    RollBack,
    /// That the deployment in progress ends, and the one before comes back.
    Stop,
}

/// What was done with a request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Begun {
    /// The app's tasks are of that release already.
    Unchanged {
        /// The release.
        release: String,
    },
    /// It can be carried out.
    Started(StartedDeployment),
}

/// A deployment that can be carried out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StartedDeployment {
    /// Its number: the revision of the service's task definition.
    pub number: u64,
    /// Its release.
    pub release: String,
    /// Whether it was in progress already, and is only followed.
    pub is_followed: bool,
    /// The ARN of the task definition.
    pub(super) definition: String,
    /// The ARN of the one that serves until then; none where there is none.
    pub(super) before: Option<String>,
    /// What is done before the service is updated.
    pub(super) preparation: Preparation,
}

impl StartedDeployment {
    /// Whether the app was never deployed before, so that its hooks find an empty database.
    pub fn is_first(&self) -> bool {
        self.preparation == Preparation::Install
    }
}

/// What is done before the service is updated.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Preparation {
    /// The hooks of the first deployment; then the stack makes the service.
    Install,
    /// The hook of an upgrade.
    Upgrade,
    /// Nothing: its data is of a newer release, and is not taken back.
    None,
}

impl Deployer<'_> {
    pub(super) async fn begin(&self, request: &DeploymentRequest) -> Result<Begun, DeployError> {
        let located = &self.app.located;
        let recorded = self.parameters.value(&located.release_parameter).await?;
        let recorded = recorded
            .ok_or_else(|| self.not_applied(format!("parameter {}", located.release_parameter)))?;
        let service = self.ecs.service(&located.cluster, &located.service).await?;
        match (request, service) {
            (DeploymentRequest::Deploy(wanted), service) => {
                self.begin_release(wanted.as_deref(), service.as_ref(), &recorded)
                    .await
            }
            (DeploymentRequest::RollBack, Some(service)) => self.begin_rollback(&service).await,
            (DeploymentRequest::Stop, Some(service)) => self.begin_stop(&service, &recorded).await,
            (DeploymentRequest::RollBack, None) => Err(self.nothing_before()),
            (DeploymentRequest::Stop, None) => self.stop_hooks_alone().await,
        }
    }

    async fn begin_release(
        &self,
        wanted: Option<&str>,
        service: Option<&Service>,
        recorded: &str,
    ) -> Result<Begun, DeployError> {
        let release = self.choose(wanted).await?;
        self.check_secrets().await?;
        if let Some(service) = service {
            let current = self.wanted_definition(service).await?;
            if release::release_of(&current) == Some(release.as_str()) {
                if rollout::is_steady(service) && recorded == release {
                    return Ok(Begun::Unchanged { release });
                }
                return Ok(Begun::Started(followed(&current, service, release)));
            }
        }
        self.refuse_foreign_hooks(&release).await?;
        let (latest, tags) = self.latest(&self.app.located.family).await?;
        let preparation = match service {
            Some(_) => Preparation::Upgrade,
            None => Preparation::Install,
        };
        self.start(&latest, &tags, release, service, preparation)
            .await
    }

    /// The release that is wanted. An app without images of its own has no releases; each deployment
    /// of it pulls the images anew, and is named by its time.
    async fn choose(&self, wanted: Option<&str>) -> Result<String, DeployError> {
        let repositories = self.app.repositories();
        if repositories.is_empty() {
            return Ok(wanted.map_or_else(moment, str::to_owned));
        }
        let pushed = self.images.releases(&repositories).await?;
        choose(&self.app.located.app, &pushed, &repositories, wanted)
    }

    async fn begin_rollback(&self, service: &Service) -> Result<Begun, DeployError> {
        let located = &self.app.located;
        let current = self.wanted_definition(service).await?;
        let recorded = self.parameters.recorded(&located.release_parameter).await?;
        let current = release::release_of(&current).unwrap_or_default();
        let release = previous(&recorded, current).ok_or_else(|| self.nothing_before())?;
        self.refuse_foreign_hooks(release).await?;
        // The definition goes back with its release; where that is gone, only the release does.
        let (definition, tags) = match self.definition_of(release).await? {
            Some(found) => found,
            None => self.latest(&located.family).await?,
        };
        let release = release.to_owned();
        self.start(
            &definition,
            &tags,
            release,
            Some(service),
            Preparation::None,
        )
        .await
    }

    async fn begin_stop(&self, service: &Service, recorded: &str) -> Result<Begun, DeployError> {
        let stopped_hooks = self.stop_hooks().await?;
        let is_over = rollout::is_steady(service);
        if is_over && !stopped_hooks {
            return Err(self.no_deployment());
        }
        let definition = match rollout::to_go_back_to(service) {
            Some(arn) => self.definition(arn).await?,
            None => {
                let found = self.definition_of(recorded).await?;
                found.ok_or_else(|| self.nothing_before())?.0
            }
        };
        let release = release::release_of(&definition)
            .unwrap_or_default()
            .to_owned();
        let mut started = followed(&definition, service, release);
        started.is_followed = false;
        started.before = None;
        Ok(Begun::Started(started))
    }

    /// Before the first deployment has made the service, its hooks are all there is to stop.
    async fn stop_hooks_alone(&self) -> Result<Begun, DeployError> {
        if self.stop_hooks().await? {
            Err(self.nothing_before())
        } else {
            Err(self.no_deployment())
        }
    }

    /// Registers the revision of a deployment.
    async fn start(
        &self,
        like: &TaskDefinition,
        tags: &[Tag],
        release: String,
        service: Option<&Service>,
        preparation: Preparation,
    ) -> Result<Begun, DeployError> {
        let registered = self.register(like, tags, &release).await?;
        let before = service.and_then(rollout::to_go_back_to);
        Ok(Begun::Started(StartedDeployment {
            number: number(&registered),
            release,
            is_followed: false,
            definition: arn(&registered),
            before: before.map(str::to_owned),
            preparation,
        }))
    }

    /// A definition like another, of a release.
    pub(super) async fn register(
        &self,
        like: &TaskDefinition,
        tags: &[Tag],
        release: &str,
    ) -> Result<TaskDefinition, AwsError> {
        let repositories = self.app.repositories();
        let by = &self.app.by;
        let definition = release::with_release(like, tags, &repositories, release, by);
        self.ecs.register(definition).await
    }

    /// The latest revision of a family, of that release: one is registered where it is of another.
    pub(super) async fn of_release(
        &self,
        family: &str,
        release: &str,
    ) -> Result<TaskDefinition, DeployError> {
        let (latest, tags) = self.latest(family).await?;
        if release::release_of(&latest) == Some(release) {
            return Ok(latest);
        }
        Ok(self.register(&latest, &tags, release).await?)
    }

    /// The latest active revision of a family.
    pub(super) async fn latest(
        &self,
        family: &str,
    ) -> Result<(TaskDefinition, Vec<Tag>), DeployError> {
        let found = self.ecs.task_definition(family).await?;
        found.ok_or_else(|| self.not_applied(format!("task definition {family}")))
    }

    /// The task definition that a service wants its tasks to be of.
    pub(super) async fn wanted_definition(
        &self,
        service: &Service,
    ) -> Result<TaskDefinition, DeployError> {
        let primary = rollout::primary(service).and_then(|it| it.task_definition());
        let arn = primary.or(service.task_definition()).unwrap_or_default();
        self.definition(arn).await
    }

    pub(super) async fn definition(&self, arn: &str) -> Result<TaskDefinition, DeployError> {
        let found = self.ecs.task_definition(arn).await?;
        let found = found.ok_or_else(|| self.not_applied(format!("task definition {arn}")))?;
        Ok(found.0)
    }

    /// The newest revision of the service's family that is of a release. A stack's update takes the
    /// revision before out of use; what it was made of can still be read.
    async fn definition_of(
        &self,
        release: &str,
    ) -> Result<Option<(TaskDefinition, Vec<Tag>)>, AwsError> {
        let mut newest: Option<(TaskDefinition, Vec<Tag>)> = None;
        for (definition, tags) in self.revisions().await? {
            let is_newer = newest
                .as_ref()
                .is_none_or(|(there, _)| there.revision < definition.revision);
            if is_newer && release::release_of(&definition) == Some(release) {
                newest = Some((definition, tags));
            }
        }
        Ok(newest)
    }

    /// The newest revisions of the service's family, in use or not.
    pub(super) async fn revisions(&self) -> Result<Vec<(TaskDefinition, Vec<Tag>)>, AwsError> {
        let family = &self.app.located.family;
        let mut arns = Vec::new();
        for status in [TaskDefinitionStatus::Active, TaskDefinitionStatus::Inactive] {
            arns.extend(self.ecs.revisions(family, status, LOOKED_THROUGH).await?);
        }
        // The newest of both kinds.
        let revision = |arn: &String| -> u64 {
            let number = arn.rsplit(':').next().and_then(|it| it.parse().ok());
            number.unwrap_or(0)
        };
        arns.sort_by_key(|it| std::cmp::Reverse(revision(it)));
        arns.truncate(LOOKED_THROUGH.into());
        let mut running = tokio::task::JoinSet::new();
        for arn in arns {
            let ecs = self.ecs.clone();
            running.spawn(async move { ecs.task_definition(&arn).await });
        }
        let mut found = Vec::new();
        for result in running.join_all().await {
            found.extend(result?);
        }
        Ok(found)
    }

    fn not_applied(&self, missing: String) -> DeployError {
        let app = self.app.located.app.clone();
        DeployError::NotApplied { app, missing }
    }

    fn nothing_before(&self) -> DeployError {
        let app = self.app.located.app.clone();
        DeployError::NothingBefore { app }
    }

    fn no_deployment(&self) -> DeployError {
        let app = self.app.located.app.clone();
        DeployError::NoDeployment { app }
    }
}

/// A deployment whose task definition the service has, or has to get, without hooks before it.
fn followed(definition: &TaskDefinition, service: &Service, release: String) -> StartedDeployment {
    let own = arn(definition);
    let before = rollout::to_go_back_to(service).filter(|it| *it != own);
    StartedDeployment {
        number: number(definition),
        release,
        is_followed: true,
        before: before.map(str::to_owned),
        definition: own,
        preparation: Preparation::None,
    }
}

fn arn(definition: &TaskDefinition) -> String {
    definition.task_definition_arn.clone().unwrap_or_default()
}

pub(super) fn number(definition: &TaskDefinition) -> u64 {
    u64::try_from(definition.revision).unwrap_or(0)
}

/// The time in seconds, as a word.
fn moment() -> String {
    let now = SystemTime::now().duration_since(UNIX_EPOCH);
    format!("deployed-{}", now.unwrap_or(Duration::ZERO).as_secs())
}

//! Apps: task definitions, routes, jobs and hooks.

pub(in crate::planning) mod container;
mod order;
mod preset;
mod routing;
mod variables;

pub(super) use routing::priorities;

use std::collections::{BTreeMap, BTreeSet};

use mck_environment::{
    PRESET_CONTAINERS,
    settings::{App as Settings, Cluster},
    units::{Duration, Size},
};

use super::{
    PlanningError, cluster,
    context::{Context, shortened},
    data::{self, DataStores},
    edge, groups,
    integrations::{Contribution, PublicApp},
    secrets::Secrets,
};
use crate::model::{
    App, Container, DatabaseSchema, DeploymentConfiguration, Hook, HookStage, ListenerRule,
    Network, ScalingPolicy, ScheduledJob, TargetGroup, TaskCount, TaskDefinition,
};

/// What planning one app needs to know.
struct AppPlanner<'a> {
    context: &'a Context<'a>,
    name: &'a str,
    settings: &'a Settings,
    network: &'a Network,
    data: &'a DataStores,
    schema: Option<&'a DatabaseSchema>,
    /// The name of the store that it belongs to; most often its own.
    store: String,
    /// Whether it does what the store needs once, such as cron.
    is_leader: bool,
    hosts: Vec<String>,
    base_url: Option<String>,
    priority: Option<u16>,
}

/// Where a person finds an app; for an internal one, where they find the store that it works for.
fn store_url(context: &Context<'_>, name: &str) -> Option<String> {
    let apps = &context.settings.app;
    let shown = if apps.get(name)?.routing.internal {
        data::leader(context, name)
    } else {
        name
    };
    let settings = apps.get(shown)?;
    if settings.routing.internal {
        return None;
    }
    routing::base_url(context, &routing::hosts(context, shown, settings))
}

/// The apps that people find from outside, for vendors that watch them. An app of some paths is
/// watched at the first of them, since its health check's path is most often another app's.
pub(super) fn public_apps(context: &Context<'_>) -> Vec<PublicApp> {
    let apps = context.settings.app.iter();
    apps.filter(|(_, settings)| !settings.routing.internal)
        .filter_map(|(name, settings)| {
            let url = routing::base_url(context, &routing::hosts(context, name, settings))?;
            let health_check = settings.health_check.path.as_deref();
            let path = match settings.routing.paths.first() {
                Some(pattern) => pattern.split(['*', '?']).next().unwrap_or("/"),
                None => health_check.unwrap_or("/health_check.php"),
            };
            Some(PublicApp {
                name: name.clone(),
                health_url: format!("{url}{path}"),
            })
        })
        .collect()
}

pub(super) fn plan(
    context: &Context<'_>,
    network: &Network,
    data: &DataStores,
    priorities: &BTreeMap<String, u16>,
    vendors: &[(&'static str, Contribution)],
    secrets: &mut Secrets,
) -> Result<Vec<App>, PlanningError> {
    let clusters = cluster::settings(context);
    let mut apps = Vec::new();
    for (name, settings) in &context.settings.app {
        let hosts = routing::hosts(context, name, settings);
        let schema = data::schema_name(context, name);
        let planner = AppPlanner {
            context,
            name,
            settings,
            network,
            data,
            schema: data
                .database
                .schemas
                .iter()
                .find(|known| Some(&known.name) == schema.as_ref()),
            store: data::store(context, name),
            is_leader: data::leader(context, name) == name,
            base_url: store_url(context, name),
            hosts,
            priority: priorities.get(name).copied(),
        };
        apps.push(planner.plan(&clusters, vendors, secrets)?);
    }
    Ok(apps)
}

/// The parts of an app before they are put together.
#[derive(Default)]
struct Parts {
    containers: Vec<Container>,
    hooks: Vec<Hook>,
    jobs: Vec<ScheduledJob>,
    command_prefix: Vec<String>,
    php_extensions: Vec<String>,
    health_check_path: Option<String>,
    admin_path: Option<String>,
    admin_password_secret: Option<String>,
}

impl Parts {
    /// A command as it runs in a container: after the preparation of a preset's PHP container.
    fn prefixed(&self, container: &str, command: &[String]) -> Vec<String> {
        let prefix = if container == preset::PHP {
            self.command_prefix.as_slice()
        } else {
            &[]
        };
        [prefix, command].concat()
    }
}

impl AppPlanner<'_> {
    fn plan(
        &self,
        clusters: &BTreeMap<String, Cluster>,
        vendors: &[(&'static str, Contribution)],
        secrets: &mut Secrets,
    ) -> Result<App, PlanningError> {
        let mut parts = self.preset_parts(vendors, secrets);
        self.apply_containers(&mut parts)?;
        self.apply_variables(&mut parts, secrets);
        self.apply_jobs(&mut parts)?;
        self.apply_hooks(&mut parts);
        let routed = self.routed_container(&parts)?;
        let target_group = routed.map(|(container, port)| {
            self.target_group(container, port, parts.health_check_path.as_deref())
        });
        let containers = order::by_dependency(self.name, parts.containers)?;
        let tasks = self.tasks();
        Ok(App {
            name: self.name.to_owned(),
            preset: self.settings.preset,
            source: self.settings.source.clone(),
            cluster: self.cluster(clusters)?,
            tasks,
            task_definition: self.task_definition(containers),
            listener_rule: target_group.as_ref().and_then(|_| self.listener_rule()),
            target_group,
            url: self
                .priority
                .is_some()
                .then(|| self.base_url.clone())
                .flatten(),
            scaling: self.scaling(),
            deployment: self.deployment(tasks.desired),
            jobs: parts.jobs,
            hooks: parts.hooks,
            command_prefix: parts.command_prefix,
            php_extensions: parts.php_extensions,
            security_group: groups::app(self.name),
            log_group: self.context.log_group(&format!("app/{}", self.name)),
            database_schema: self.schema.map(|schema| schema.name.clone()),
            admin_user: parts
                .admin_path
                .as_ref()
                .map(|_| self.settings.admin.user.clone()),
            admin_password_secret: parts.admin_password_secret,
            admin_path: parts.admin_path,
        })
    }

    fn preset_parts(
        &self,
        vendors: &[(&'static str, Contribution)],
        secrets: &mut Secrets,
    ) -> Parts {
        let Some(preset) = self.settings.preset else {
            return Parts::default();
        };
        let parts = preset::plan(self, preset, vendors, secrets);
        Parts {
            containers: parts.containers,
            hooks: parts.hooks,
            jobs: parts.jobs,
            command_prefix: parts.command_prefix,
            php_extensions: parts.php_extensions,
            health_check_path: Some(parts.health_check_path),
            admin_path: parts.admin_path,
            admin_password_secret: parts.admin_password_secret,
        }
    }

    /// Adds the file's containers, or changes a preset's of the same name.
    fn apply_containers(&self, parts: &mut Parts) -> Result<(), PlanningError> {
        let is_free_form = self.settings.preset.is_none();
        let place = container::Place {
            app: self.name,
            media_folder: &self.store,
            has_file_system: self.data.file_system.is_some(),
            image: self.settings.image.as_ref().filter(|_| is_free_form),
            has_release: is_free_form && self.settings.source.is_some(),
            builds_image: is_free_form
                && self.settings.source.is_some()
                && !self.context.is_local(),
        };
        for (name, settings) in &self.settings.container {
            let known = parts.containers.iter_mut().find(|item| item.name == *name);
            if let Some(known) = known {
                container::change(known, &self.store, settings, place.has_file_system);
            } else if !self.is_vendors(name) || settings.image.is_some() {
                let container = container::from_settings(&place, name, settings)?;
                parts.containers.push(container);
            }
        }
        let there: BTreeSet<String> = parts.containers.iter().map(|it| it.name.clone()).collect();
        for container in &mut parts.containers {
            let waits = &mut container.depends_on;
            waits.retain(|name, _| there.contains(name) || !self.is_vendors(name));
        }
        if parts.containers.is_empty() {
            return Err(PlanningError::NoContainer {
                app: self.name.to_owned(),
            });
        }
        Ok(())
    }

    /// Whether a container comes with a preset or a vendor. Where it does not come, as vendors'
    /// agents do not locally, what the file says of it has no effect.
    fn is_vendors(&self, name: &str) -> bool {
        self.settings.preset.is_some() && PRESET_CONTAINERS.contains(&name)
    }

    /// Adds the app's variables to all its containers, then each container's own. A free-form app
    /// learns where the data stores are; a preset's PHP container knows already, and is the only
    /// one of a preset that gets the app's secrets: the web server and agents need none.
    fn apply_variables(&self, parts: &mut Parts, secrets: &mut Secrets) {
        for container in &mut parts.containers {
            if self.settings.preset.is_none() {
                let known = variables::of_data_stores(self);
                container::add_variables(container, &known.plain, &known.secrets);
            }
            container::add_variables(container, &self.settings.environment, &BTreeMap::new());
            if self.settings.preset.is_none() || container.name == preset::PHP {
                container::add_variables(container, &BTreeMap::new(), &self.settings.secrets);
            }
            if let Some(own) = self.settings.container.get(&container.name) {
                container::add_variables(container, &own.environment, &own.secrets);
            }
            for secret in container.secrets.values() {
                secrets.provided(
                    secret.clone(),
                    format!(
                        "Used by container `{}` of app `{}`",
                        container.name, self.name
                    ),
                );
            }
        }
    }

    /// The container of jobs and hooks of which the file does not say it: PHP's, else the first.
    fn default_container(&self, parts: &Parts) -> String {
        if self.settings.preset.is_some() {
            return preset::PHP.to_owned();
        }
        parts
            .containers
            .first()
            .map(|container| container.name.clone())
            .unwrap_or_default()
    }

    fn apply_jobs(&self, parts: &mut Parts) -> Result<(), PlanningError> {
        let default = self.default_container(parts);
        for (name, settings) in &self.settings.job {
            parts.jobs.retain(|job| job.name != *name);
            if !settings.enabled {
                continue;
            }
            let container = settings
                .container
                .clone()
                .unwrap_or_else(|| default.clone());
            self.expect_container(parts, &container, format!("job `{name}`"))?;
            parts.jobs.push(ScheduledJob {
                name: name.clone(),
                schedule: settings.schedule.clone(),
                command: parts.prefixed(&container, &settings.command),
                container,
                overlap: settings.overlap,
                timeout: settings.timeout.unwrap_or(preset::JOB_TIMEOUT),
            });
        }
        parts.jobs.sort_by(|left, right| left.name.cmp(&right.name));
        Ok(())
    }

    fn apply_hooks(&self, parts: &mut Parts) {
        let settings = &self.settings.hooks;
        for (stage, command) in [
            (HookStage::Install, &settings.install),
            (HookStage::Upgrade, &settings.upgrade),
            (HookStage::CacheFlush, &settings.cache_flush),
        ] {
            let Some(command) = command else { continue };
            parts.hooks.retain(|hook| hook.stage != stage);
            let container = self.default_container(parts);
            if !command.is_empty() {
                parts.hooks.push(Hook {
                    stage,
                    command: parts.prefixed(&container, command),
                    container,
                });
            }
        }
        parts.hooks.sort_by_key(|hook| hook.stage);
    }

    fn expect_container(
        &self,
        parts: &Parts,
        container: &str,
        what: String,
    ) -> Result<(), PlanningError> {
        if parts.containers.iter().any(|known| known.name == container) {
            return Ok(());
        }
        Err(PlanningError::UnknownContainer {
            app: self.name.to_owned(),
            what,
            container: container.to_owned(),
        })
    }

    /// The container that gets the requests, and its port; none for an internal app.
    fn routed_container(&self, parts: &Parts) -> Result<Option<(String, u16)>, PlanningError> {
        if self.settings.routing.internal {
            return Ok(None);
        }
        let preset = self.settings.preset.map(|_| preset::NGINX);
        let wanted = self.settings.routing.container.as_deref().or(preset);
        let mut candidates = parts
            .containers
            .iter()
            .filter(|container| wanted.is_none_or(|wanted| container.name == wanted))
            .filter_map(|container| Some((container.name.clone(), container.port?)));
        match (candidates.next(), candidates.next()) {
            (Some(only), None) => Ok(Some(only)),
            _ => Err(PlanningError::NoRoutedContainer {
                app: self.name.to_owned(),
            }),
        }
    }

    fn cluster(&self, clusters: &BTreeMap<String, Cluster>) -> Result<String, PlanningError> {
        let wanted = match &self.settings.cluster {
            Some(name) => name.clone(),
            None if clusters.len() == 1 => clusters.keys().next().cloned().unwrap_or_default(),
            None => "app".to_owned(),
        };
        if clusters.contains_key(&wanted) {
            return Ok(wanted);
        }
        Err(PlanningError::UnknownCluster {
            app: self.name.to_owned(),
            cluster: wanted,
        })
    }

    fn tasks(&self) -> TaskCount {
        let settings = &self.settings.tasks;
        TaskCount {
            minimum: settings.minimum,
            desired: settings.desired.unwrap_or(settings.minimum),
            maximum: settings.maximum,
        }
    }

    fn task_definition(&self, containers: Vec<Container>) -> TaskDefinition {
        let memory = containers
            .iter()
            .map(|container| container.memory_reservation.as_mib())
            .sum();
        TaskDefinition {
            family: self.context.name(self.name),
            cpu: containers.iter().map(|container| container.cpu).sum(),
            memory: Size::from_mib(memory),
            containers,
        }
    }

    fn target_group(&self, container: String, port: u16, preset_path: Option<&str>) -> TargetGroup {
        let delay = self.settings.deployment.deregistration_delay;
        TargetGroup {
            name: shortened(&self.context.name(self.name), edge::NAME_LIMIT),
            container,
            port,
            health_check: routing::health_check(
                self.context,
                &self.settings.health_check,
                preset_path,
                &self.hosts,
            ),
            deregistration_delay: delay.unwrap_or_else(|| {
                self.context
                    .by_target(Duration::from_secs(5), Duration::from_secs(300))
            }),
            stickiness: self.settings.stickiness,
        }
    }

    fn listener_rule(&self) -> Option<ListenerRule> {
        let priority = self.priority?;
        Some(routing::listener_rule(self.settings, &self.hosts, priority))
    }

    fn scaling(&self) -> ScalingPolicy {
        let settings = &self.settings.scaling;
        ScalingPolicy {
            cpu_percent: settings.cpu_percent,
            memory_percent: settings.memory_percent,
            requests_per_task: settings.requests_per_task,
            scale_out_cooldown: settings.scale_out_cooldown,
            scale_in_cooldown: settings.scale_in_cooldown,
        }
    }

    fn deployment(&self, desired: u32) -> DeploymentConfiguration {
        let settings = &self.settings.deployment;
        let breaker = settings.circuit_breaker;
        DeploymentConfiguration {
            minimum_healthy_percent: settings.minimum_healthy_percent,
            maximum_percent: settings.maximum_percent,
            circuit_breaker: breaker.enabled,
            rollback: breaker.rollback,
            failure_threshold: breaker
                .failure_threshold
                .unwrap_or_else(|| failure_threshold(desired)),
        }
    }
}

/// Half the wanted tasks, rounded up, at least 3 and at most 200 (ECS developer guide, "How the
/// Amazon ECS deployment circuit breaker detects failures").
fn failure_threshold(desired: u32) -> u16 {
    u16::try_from(desired.div_ceil(2).clamp(3, 200)).unwrap_or(200)
}

/// The hosts of all apps that people find from outside, without patterns' doubles.
pub(super) fn public_hosts(apps: &[App]) -> Vec<String> {
    let hosts: BTreeSet<String> = apps
        .iter()
        .filter_map(|app| app.listener_rule.as_ref())
        .flat_map(|rule| rule.hosts.iter().cloned())
        .collect();
    hosts.into_iter().collect()
}

#[cfg(test)]
mod tests {
    use super::failure_threshold;

    #[test]
    fn the_failure_threshold_is_that_of_ecs() {
        for (desired, threshold) in [
            (1, 3),
            (2, 3),
            (6, 3),
            (7, 4),
            (25, 13),
            (400, 200),
            (800, 200),
        ] {
            assert_eq!(failure_threshold(desired), threshold, "{desired}");
        }
    }
}

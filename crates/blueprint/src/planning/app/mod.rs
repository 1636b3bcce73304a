//! Apps: task definitions, routes, jobs and hooks.

pub(in crate::planning) mod container;
mod endpoints;
mod order;
mod parts;
mod preset;
mod routing;
mod variables;

pub(super) use routing::priorities;

use parts::Parts;

use std::collections::{BTreeMap, BTreeSet};

use mck_environment::{
    settings::{App as Settings, Cluster, PhpMode},
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
    App, Container, DatabaseSchema, DeploymentConfiguration, ListenerRule, Network, ScalingPolicy,
    TargetGroup, TaskCount, TaskDefinition,
};
use crate::rollout::circuit_breaker_threshold;

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
            live_source: self.context.is_local() && self.settings.php.mode == PhpMode::Developer,
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
            failure_threshold: circuit_breaker_threshold(desired, breaker.failure_threshold),
        }
    }
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

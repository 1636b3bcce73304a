//! What a preset brings to an app, and what the file changes of it.

use std::collections::{BTreeMap, BTreeSet};

use mck_environment::PRESET_CONTAINERS;

use super::{AppPlanner, PlanningError, container, preset, variables};
use crate::{
    model::{Container, Hook, HookStage, ScheduledJob},
    planning::{integrations::Contribution, secrets::Secrets},
};

/// The parts of an app before they are put together.
#[derive(Default)]
pub(super) struct Parts {
    pub(super) containers: Vec<Container>,
    pub(super) hooks: Vec<Hook>,
    pub(super) jobs: Vec<ScheduledJob>,
    pub(super) command_prefix: Vec<String>,
    pub(super) php_extensions: Vec<String>,
    pub(super) health_check_path: Option<String>,
    pub(super) admin_path: Option<String>,
    pub(super) admin_password_secret: Option<String>,
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
    /// What the app's preset brings.
    pub(super) fn preset_parts(
        &self,
        vendors: &[(&'static str, Contribution)],
        secrets: &mut Secrets,
    ) -> Parts {
        match self.settings.preset {
            None => Parts::default(),
            Some(preset) => preset::plan(self, preset, vendors, secrets),
        }
    }

    /// Adds the file's containers, or changes a preset's of the same name.
    pub(super) fn apply_containers(&self, parts: &mut Parts) -> Result<(), PlanningError> {
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
    pub(super) fn apply_variables(&self, parts: &mut Parts, secrets: &mut Secrets) {
        for container in &mut parts.containers {
            if self.settings.preset.is_none() {
                let known = variables::of_free_form(self);
                container::add_variables(container, &known.plain, &known.secrets);
                container::add_endpoints(container, &known.endpoints);
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

    /// Adds the file's jobs, or puts them in place of a preset's of the same name.
    pub(super) fn apply_jobs(&self, parts: &mut Parts) -> Result<(), PlanningError> {
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

    /// Puts the file's hooks in place of a preset's; an empty command switches one off.
    pub(super) fn apply_hooks(&self, parts: &mut Parts) {
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
}

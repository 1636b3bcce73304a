//! Starting and stopping tasks, each in a thread of its own.

use std::{
    fs, io,
    path::PathBuf,
    time::{Duration, Instant},
};

use mck_blueprint::model::{App, Container};
use mck_environment::settings::DependencyCondition;

use super::{
    record::TaskRecord,
    work::{WorkError, Workshop},
};
use crate::{
    container::{ContainerPlan, ContainerState},
    network::{self, Attachment},
    servers::{
        Readiness,
        task::{self, TaskPlace},
    },
    wait,
};

/// How long a container that others depend on may take to reach its state.
const DEPENDENCY_WITHIN: Duration = Duration::from_secs(120);

impl Workshop {
    /// Where a recorded task runs and what it runs.
    ///
    /// # Errors
    /// When its images can't be read.
    pub fn place(&self, app: &App, id: &str, record: &TaskRecord) -> Result<TaskPlace, WorkError> {
        let release = record.release.as_ref();
        Ok(TaskPlace {
            id: id.to_owned(),
            address: record.address,
            server: record.server.clone(),
            tree: task::tree(&self.context, app, release),
            revision: release.map_or_else(
                || record.revision.clone(),
                |release| release.revision.clone(),
            ),
            images: self.images.of(&record.images)?,
        })
    }

    /// How a task is joined to the network.
    pub fn attachment(app: &App, id: &str, record: &TaskRecord) -> Attachment {
        Attachment::member(
            task::namespace_part(id),
            record.address,
            app.security_group.clone(),
        )
    }

    /// Starts a task's containers in order; gives their first processes.
    ///
    /// # Errors
    /// When the network or a container fails; what was started is stopped by the caller.
    pub fn start_task(
        &self,
        app: &App,
        id: &str,
        record: &TaskRecord,
    ) -> Result<Vec<(String, u32)>, WorkError> {
        let attachment = Self::attachment(app, id, record);
        network::attach(self.context.layout.id(), &attachment)?;
        let plans = task::containers(&self.context, app, &self.place(app, id, record)?)?;
        let mut started = Vec::new();
        for (container, plan) in app.task_definition.containers.iter().zip(&plans) {
            self.wait_for_dependencies(id, app, container)?;
            let pid = self.runtime.start(plan, &record.revision, Vec::new())?;
            started.push((plan.id.clone(), pid));
        }
        for ((container, plan), (_, pid)) in app
            .task_definition
            .containers
            .iter()
            .zip(&plans)
            .zip(&started)
        {
            if let Some(port) = container.port {
                self.wait_until_ready(plan, *pid, Readiness::Tcp(port))?;
            }
        }
        Ok(started)
    }

    fn wait_for_dependencies(
        &self,
        id: &str,
        app: &App,
        container: &Container,
    ) -> Result<(), WorkError> {
        for (name, condition) in &container.depends_on {
            let other = task::container_id(id, name);
            let reached = wait::until(DEPENDENCY_WITHIN, || {
                let state = self.runtime.state(&other);
                match (condition, state) {
                    (DependencyCondition::Start, ContainerState::Running { .. })
                    | (DependencyCondition::Complete, ContainerState::Exited(_))
                    | (DependencyCondition::Success, ContainerState::Exited(Some(0))) => {
                        Some(Ok(()))
                    }
                    (DependencyCondition::Healthy, ContainerState::Running { .. }) => {
                        self.check_passes(app, name, &other).then_some(Ok(()))
                    }
                    (DependencyCondition::Complete, _)
                    | (DependencyCondition::Success, ContainerState::Running { .. }) => None,
                    (_, ContainerState::Exited(code)) => Some(Err(self.ended(&other, code))),
                    _ => None,
                }
            });
            reached.unwrap_or_else(|| {
                Err(WorkError::Ended {
                    how: format!(
                        "waited {} s for the container {name}",
                        DEPENDENCY_WITHIN.as_secs()
                    ),
                    log: crate::logs::last_lines(&self.runtime.log(&other), 3),
                })
            })?;
        }
        Ok(())
    }

    /// Whether a container's own check passes now.
    fn check_passes(&self, app: &App, name: &str, id: &str) -> bool {
        let containers = &app.task_definition.containers;
        let check = containers
            .iter()
            .find(|container| container.name == name)
            .and_then(|container| container.health_check.as_ref());
        check.is_none_or(|check| {
            let within = Duration::from(check.timeout);
            self.runtime.execute(id, &check.command, within) == Some(0)
        })
    }

    fn ended(&self, id: &str, code: Option<i32>) -> WorkError {
        WorkError::Ended {
            how: crate::text::exit(code),
            log: crate::logs::last_lines(&self.runtime.log(id), 3),
        }
    }

    /// Stops a task's containers, in reverse, and takes it off the network. Goes on past errors.
    ///
    /// # Errors
    /// The first thing that could not be undone.
    pub fn stop_task(
        &self,
        app: Option<&App>,
        id: &str,
        record: &TaskRecord,
    ) -> Result<(), WorkError> {
        let prefix = format!("{id}.");
        let mut containers: Vec<String> = self
            .runtime
            .list()
            .into_iter()
            .filter(|container| container.starts_with(&prefix))
            .collect();
        let order = |container: &String| {
            let definition = app.map(|app| &app.task_definition.containers);
            definition.and_then(|all| {
                all.iter()
                    .position(|candidate| container[prefix.len()..] == candidate.name)
            })
        };
        containers.sort_by_key(|container| std::cmp::Reverse(order(container)));
        let mut first_error = None;
        for container in &containers {
            if let Err(error) = self.runtime.stop_as_planned(container) {
                first_error.get_or_insert(WorkError::from(error));
            }
        }
        let group = app.map(|app| app.security_group.clone());
        let attachment = Attachment::member(
            task::namespace_part(id),
            record.address,
            group.unwrap_or_else(|| mck_blueprint::model::SecurityGroupName(String::new())),
        );
        if let Err(error) = network::detach(self.context.layout.id(), &attachment) {
            first_error.get_or_insert(error.into());
        }
        let volumes = self.context.layout.run().join("volumes").join(id);
        remove_if_there(&volumes).map_err(|source| WorkError::File {
            path: volumes,
            source,
        })?;
        let cgroup = PathBuf::from(self.context.layout.id().as_str())
            .join(&record.server)
            .join(id);
        // The last processes of a container are reaped a moment after its first has ended.
        wait::until(Duration::from_secs(2), || {
            self.runtime.cgroups.remove(&cgroup).ok()
        });
        first_error.map_or(Ok(()), Err)
    }

    /// Runs a command in a task of its own, like a container of the app's; gives its exit code.
    ///
    /// # Errors
    /// When it can't be started.
    pub fn run_one_off(
        &self,
        app: &App,
        container: &Container,
        command: Vec<String>,
        id: &str,
        record: &TaskRecord,
        limit: Duration,
    ) -> Result<Option<i32>, WorkError> {
        let attachment = Self::attachment(app, id, record);
        network::attach(self.context.layout.id(), &attachment)?;
        let place = self.place(app, id, record)?;
        let plan = task::one_off(&self.context, container, &place, command)?;
        self.runtime.start_and_forget(&plan, &record.revision)?;
        Ok(self.wait_for_end(&plan, limit))
    }

    fn wait_for_end(&self, plan: &ContainerPlan, limit: Duration) -> Option<i32> {
        let deadline = Instant::now() + limit;
        loop {
            match self.runtime.state(&plan.id) {
                // One that was quick ends before its exit code is noted.
                ContainerState::Exited(code) => {
                    return code.or_else(|| self.runtime.exit_code(&plan.id));
                }
                ContainerState::Running { pid } => {
                    let left = deadline.saturating_duration_since(Instant::now());
                    if !self.runtime.wait_for_exit(&plan.id, pid, left) {
                        let _ =
                            self.runtime
                                .signal_and_wait(&plan.id, "SIGTERM", plan.stop_timeout);
                        return None;
                    }
                }
                _ => return None,
            }
        }
    }
}

fn remove_if_there(folder: &std::path::Path) -> io::Result<()> {
    match fs::remove_dir_all(folder) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
        _ => Ok(()),
    }
}

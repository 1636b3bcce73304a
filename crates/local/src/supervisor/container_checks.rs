//! Containers' own health checks: a command run inside, again and again. A task with an unhealthy
//! essential container is replaced, as ECS does it.

use std::{
    collections::BTreeMap,
    thread,
    time::{Duration, Instant},
};

use mck_environment::settings::ContainerHealthCheck;

use super::{Supervisor, mailbox::Message, record::Purpose, service::Phase};
use crate::servers::task;

/// The checks of a container.
#[derive(Debug, Clone)]
pub(super) struct Checks {
    since: Instant,
    due: Instant,
    running: bool,
    failures: u8,
}

impl Checks {
    fn begin(check: &ContainerHealthCheck) -> Self {
        let now = Instant::now();
        Self {
            since: now,
            due: now + Duration::from(check.interval),
            running: false,
            failures: 0,
        }
    }

    /// Takes a result on; whether the container is unhealthy now. Failures in the start period do
    /// not count (ECS).
    fn take(&mut self, check: &ContainerHealthCheck, passed: bool) -> bool {
        self.running = false;
        self.due = Instant::now() + Duration::from(check.interval);
        let starting = self.since.elapsed() < Duration::from(check.start_period);
        self.failures = match (passed, starting) {
            (true, _) => 0,
            (false, true) => self.failures,
            (false, false) => self.failures.saturating_add(1),
        };
        self.failures >= check.retries
    }
}

impl Supervisor {
    /// Starts the checks that are due.
    pub(super) fn check_containers(&mut self) {
        let now = Instant::now();
        let mut known = BTreeMap::new();
        for (id, record) in &self.record.tasks {
            let runs = self.tasks.get(id).is_some_and(|state| {
                matches!(
                    state.phase,
                    Phase::Running | Phase::Healthy | Phase::Unhealthy
                )
            });
            let app = self
                .app(&record.app)
                .filter(|_| runs && record.purpose == Purpose::Service);
            for container in app.iter().flat_map(|app| &app.task_definition.containers) {
                let Some(check) = &container.health_check else {
                    continue;
                };
                let name = task::container_id(id, &container.name);
                let before = self.checks.get(&name).cloned();
                let mut checks = before.unwrap_or_else(|| Checks::begin(check));
                if !checks.running && checks.due <= now {
                    checks.running = true;
                    let (runtime, sender) = (self.workshop.runtime.clone(), self.mailbox.sender());
                    let (command, limit) = (check.command.clone(), Duration::from(check.timeout));
                    let container = name.clone();
                    thread::spawn(move || {
                        let passed = runtime.execute(&container, &command, limit) == Some(0);
                        sender.send(Message::Checked { container, passed });
                    });
                }
                known.insert(name, checks);
            }
        }
        self.checks = known;
    }

    pub(super) fn container_checked(&mut self, container: &str, passed: bool) {
        let Some((id, name)) = container.split_once('.') else {
            return;
        };
        let app = self
            .record
            .tasks
            .get(id)
            .and_then(|record| self.app(&record.app));
        let definition = app.and_then(|app| {
            app.task_definition
                .containers
                .iter()
                .find(|it| it.name == name)
                .cloned()
        });
        let Some((definition, checks)) = definition.zip(self.checks.get_mut(container)) else {
            return;
        };
        let Some(check) = &definition.health_check else {
            return;
        };
        if checks.take(check, passed) && definition.essential {
            let failures = check.retries;
            self.checks.remove(container);
            self.task_failed(
                id,
                &format!("its container {name} failed its health check {failures} times in a row"),
            );
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn failures_in_a_row_count_but_not_at_the_start() {
        let check: ContainerHealthCheck =
            toml::from_str("command = [\"true\"]\nretries = 2").unwrap();
        let mut checks = Checks::begin(&check);
        assert!(!checks.take(&check, false));
        assert!(!checks.take(&check, true));
        assert!(!checks.take(&check, false));
        assert!(checks.take(&check, false));
        let check: ContainerHealthCheck =
            toml::from_str("command = [\"true\"]\nretries = 1\nstart-period = \"60s\"").unwrap();
        assert!(!Checks::begin(&check).take(&check, false));
    }
}

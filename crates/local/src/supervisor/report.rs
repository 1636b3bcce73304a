//! The supervisor's view of the environment as a [`Snapshot`].

use mck_blueprint::model::App;
use rustix::fs::statvfs;

use super::{
    Supervisor,
    component::{self, Component, Condition},
    deployment::DeploymentState,
    record::{Purpose, TaskRecord},
    service::Phase,
    snapshot::{AppStatus, ComponentStatus, JobStatus, Problem, Snapshot, State, TaskStatus},
};

/// A disk with less room than this is full: a database needs more for its redo log alone. 64 MiB.
const ALMOST_NOTHING: u64 = 64 << 20;

/// With less room than this nothing can be written: 1 MiB.
const NOTHING: u64 = 1 << 20;

/// Failures in a row after which a person should know.
const PROBLEM_AFTER: u32 = 4;

impl Supervisor {
    /// Publishes how the environment is now.
    pub(super) fn publish(&self) {
        self.publisher.publish(self.snapshot());
    }

    fn snapshot(&self) -> Snapshot {
        let blueprint = self.blueprint();
        let components: Vec<ComponentStatus> = self
            .components
            .iter()
            .map(|component| self.component_status(component))
            .collect();
        let apps: Vec<AppStatus> = blueprint
            .apps
            .iter()
            .map(|app| self.app_status(app))
            .collect();
        let settled = components
            .iter()
            .all(|component| component.state == State::Ready || self.is_lost(&component.name))
            && self.record.failover.is_none()
            && self
                .apps()
                .iter()
                .all(|app| self.is_steady(app) && !self.is_deploying(app));
        Snapshot {
            project: blueprint.project.clone(),
            environment: blueprint.environment.clone(),
            settled,
            problem: self.problem(settled),
            components,
            apps,
        }
    }

    fn is_steady(&self, app: &App) -> bool {
        let revision = self.revision(app);
        revision.is_some_and(|revision| self.service(app, &revision).is_steady())
    }

    pub(super) fn is_deploying(&self, app: &App) -> bool {
        let last = self.last_deployment(&app.name);
        last.is_none_or(|last| last.state == DeploymentState::InProgress)
    }

    fn component_status(&self, component: &Component) -> ComponentStatus {
        let condition = self
            .conditions
            .get(&component.name)
            .unwrap_or(&Condition::Absent);
        let waits = component::waits_for(component, &self.conditions);
        let (state, detail) = match condition {
            Condition::Absent if waits.is_empty() => (State::Starting, None),
            Condition::Absent => (
                State::Waiting,
                Some(format!("waits for {}", waits.join(", "))),
            ),
            Condition::Working { .. } => (State::Starting, None),
            Condition::Ready => (State::Ready, None),
            Condition::Failed { reason, .. } | Condition::Held { reason } => {
                (State::Failed, Some(reason.clone()))
            }
        };
        let node = super::node(self.blueprint(), &component.name);
        ComponentStatus {
            name: component.name.clone(),
            description: component.description.clone(),
            state,
            detail,
            address: node.map(|node| node.address),
            zone: node.map(|node| node.zone.clone()),
            restarts: self
                .restarts
                .get(&component.name)
                .map_or(0, |restarts| restarts.total),
        }
    }

    fn app_status(&self, app: &App) -> AppStatus {
        let tasks: Vec<TaskStatus> = self
            .record
            .tasks
            .iter()
            .filter(|(_, task)| task.app == app.name)
            .map(|(id, task)| self.task_status(app, id, task))
            .collect();
        let healthy = tasks
            .iter()
            .filter(|task| task.purpose.is_none() && task.state == State::Ready);
        let release = self.record.releases.get(&app.name);
        AppStatus {
            name: app.name.clone(),
            urls: app.url.iter().cloned().collect(),
            admin_url: app
                .url
                .as_ref()
                .zip(app.admin_path.as_ref())
                .map(|(url, path)| format!("{url}{path}")),
            admin_user: app.admin_user.clone(),
            admin_password_secret: app.admin_password_secret.clone(),
            revision: release.map(|release| release.revision.clone()),
            desired: self.desired_tasks(app),
            healthy: u32::try_from(healthy.count()).unwrap_or(u32::MAX),
            tasks,
            jobs: self.job_statuses(app),
            deployments: self
                .record
                .deployments
                .get(&app.name)
                .cloned()
                .unwrap_or_default(),
        }
    }

    fn task_status(&self, app: &App, id: &str, task: &TaskRecord) -> TaskStatus {
        let state = self.tasks.get(id);
        let held = self.is_held(app, id);
        let detail = state.and_then(|state| match state.phase {
            Phase::Draining(_) => Some(match state.in_flight {
                1 => "1 request in flight".to_owned(),
                count => format!("{count} requests in flight"),
            }),
            Phase::Healthy if held => Some(format!(
                "{}; watched before it takes requests",
                state.detail
            )),
            _ => Some(state.detail.clone()).filter(|text| !text.is_empty()),
        });
        TaskStatus {
            id: id.to_owned(),
            state: state.map_or(State::Starting, |state| match state.phase {
                Phase::Starting | Phase::Running => State::Starting,
                Phase::Healthy if held => State::Starting,
                Phase::Healthy => State::Ready,
                Phase::Unhealthy => State::Unhealthy,
                Phase::Draining(_) | Phase::Stopping => State::Draining,
            }),
            detail,
            revision: task.revision.clone(),
            zone: task.zone.clone(),
            server: task.server.clone(),
            address: task.address,
            purpose: match &task.purpose {
                Purpose::Service => None,
                Purpose::Hook(name) => Some(name.clone()),
                Purpose::Job(name) => Some(format!("job {name}")),
                Purpose::OneOff => Some("mck run".to_owned()),
            },
            created: task.created,
        }
    }

    fn job_statuses(&self, app: &App) -> Vec<JobStatus> {
        let status = |job: &mck_blueprint::model::ScheduledJob| {
            let record = self.record.jobs.get(&format!("{}/{}", app.name, job.name));
            JobStatus {
                name: job.name.clone(),
                schedule: job.schedule.clone(),
                last_started: record.map(|record| record.started),
                last_ended: record.and_then(|record| record.ended),
                last_exit_code: record.and_then(|record| record.exit_code),
                next: self.next_run(app, job),
            }
        };
        app.jobs.iter().map(status).collect()
    }

    /// What does not mend itself. On a full disk all kinds of things fail, each in words of its
    /// own: then the disk is what to tell first. Some only wait, as a database does before it
    /// commits, so that nothing fails.
    fn problem(&self, settled: bool) -> Option<Problem> {
        let top = self.workshop.context.layout.top();
        let room =
            statvfs(top).map_or(u64::MAX, |disk| disk.f_bavail.saturating_mul(disk.f_frsize));
        let failing = self.failing();
        let reason = match &failing {
            Some(problem) if room < ALMOST_NOTHING => {
                format!("; {}: {}", problem.subject, problem.message)
            }
            None if room < NOTHING && !settled => String::new(),
            _ => return failing,
        };
        Some(Problem {
            subject: Problem::DISK.to_owned(),
            message: format!("no space is left for {}{reason}", top.display()),
        })
    }

    /// What failed again and again, and a state that can't be written.
    fn failing(&self) -> Option<Problem> {
        if let Some(message) = &self.storage_problem {
            return Some(Problem {
                subject: "state".to_owned(),
                message: message.clone(),
            });
        }
        let failed =
            self.apps()
                .into_iter()
                .find_map(|app| match &self.last_deployment(&app.name)?.state {
                    DeploymentState::Failed(reason) => Some(Problem {
                        subject: app.name,
                        message: reason.clone(),
                    }),
                    _ => None,
                });
        if failed.is_some() {
            return failed;
        }
        let component = self.components.iter().find_map(|component| {
            match self.conditions.get(&component.name) {
                Some(Condition::Failed {
                    attempts, reason, ..
                }) if *attempts >= PROBLEM_AFTER => Some(Problem {
                    subject: component.name.clone(),
                    message: reason.clone(),
                }),
                _ => None,
            }
        });
        component.or_else(|| {
            let failing = self
                .throttles
                .iter()
                .find(|(_, it)| it.attempts >= PROBLEM_AFTER && it.ready_since.is_none());
            failing.map(|(app, it)| Problem {
                subject: app.clone(),
                message: it.reason.clone(),
            })
        })
    }
}

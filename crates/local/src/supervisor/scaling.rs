//! Scaling: the number of an app's tasks and of a cluster's App Servers, by what they use. What is
//! used comes from control groups and the load balancer; what follows is decided by the
//! blueprint's `scaling`.

use std::{
    collections::BTreeMap,
    path::PathBuf,
    time::{Duration, Instant},
};

use jiff::{SignedDuration, Timestamp};
use mck_blueprint::{
    model::{App, AppCluster, TaskCount},
    scaling::{self, Reservation, ServerStep, Usage},
};
use serde::{Deserialize, Serialize};

use super::{Supervisor, record::Purpose, service::demand};
use crate::events::Level;

/// How often use is measured.
const MEASURE_EVERY: Duration = Duration::from_secs(15);

/// How many measurements make the mean that tasks are added by: one minute, as CloudWatch's
/// periods.
const SAMPLES: usize = 4;

/// How many servers or tasks were wanted by whom, and since when.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct Scale {
    /// The number.
    pub count: u32,
    /// When it was changed last.
    pub changed: Timestamp,
}

/// What was measured of an app at a moment.
#[derive(Debug, Clone, Copy)]
struct Sample {
    at: Instant,
    /// Processor time of all its tasks since they began, in microseconds.
    cpu_time: u64,
    memory: u64,
    requests: u64,
    tasks: u32,
}

/// Measurements, newest last.
#[derive(Debug, Default)]
pub(super) struct Measurements {
    samples: BTreeMap<String, Vec<Sample>>,
    measured: Option<Instant>,
    /// Since when a cluster should have another number of servers.
    pending: BTreeMap<String, (ServerStep, Instant)>,
}

impl Supervisor {
    /// The number of tasks that an app should have now: as scaled, within its limits.
    pub(super) fn desired_tasks(&self, app: &App) -> u32 {
        let scaled = self
            .record
            .desired_tasks
            .get(&app.name)
            .map(|scale| scale.count);
        let TaskCount {
            minimum,
            desired,
            maximum,
        } = app.tasks;
        scaled.unwrap_or(desired).clamp(minimum, maximum)
    }

    /// Somebody asks for another number of tasks.
    pub(super) fn scale_tasks(&mut self, app: &str, count: u32, by: &str) -> Result<(), String> {
        let app = self
            .app(app)
            .cloned()
            .ok_or_else(|| format!("there is no app {app}"))?;
        let TaskCount {
            minimum, maximum, ..
        } = app.tasks;
        if !(minimum..=maximum).contains(&count) {
            return Err(format!(
                "{} may have {minimum} to {maximum} tasks; change `tasks` in the file for others",
                app.name
            ));
        }
        self.set_desired_tasks(&app.name, count, by);
        Ok(())
    }

    fn set_desired_tasks(&mut self, app: &str, count: u32, why: &str) {
        let scale = Scale {
            count,
            changed: Timestamp::now(),
        };
        self.record.desired_tasks.insert(app.to_owned(), scale);
        self.save();
        self.note(
            app,
            Level::Info,
            format!("{count} tasks are wanted ({why})."),
        );
    }

    /// Somebody asks for another number of App Servers.
    pub(super) fn scale_servers(
        &mut self,
        cluster: &str,
        count: u32,
        by: &str,
    ) -> Result<(), String> {
        let found = self
            .blueprint()
            .clusters
            .iter()
            .find(|it| it.name == cluster)
            .cloned();
        let cluster = found.ok_or_else(|| format!("there is no cluster {cluster}"))?;
        if !(cluster.minimum..=cluster.maximum).contains(&count) {
            return Err(format!(
                "{} may have {} to {} App Servers; change `servers` in the file for others",
                cluster.name, cluster.minimum, cluster.maximum
            ));
        }
        self.set_servers(&cluster, count, by)
    }

    /// Servers come at once; they go when they have no tasks left.
    fn set_servers(&mut self, cluster: &AppCluster, count: u32, why: &str) -> Result<(), String> {
        let scale = Scale {
            count,
            changed: Timestamp::now(),
        };
        self.record
            .desired_servers
            .insert(cluster.name.clone(), scale);
        self.save();
        let message = format!("{count} App Servers are wanted ({why}).");
        self.note(&cluster.name, Level::Info, message);
        let there = u32::try_from(cluster.servers.len()).unwrap_or(u32::MAX);
        if count > there {
            self.plan_again()
        } else {
            Ok(())
        }
    }

    /// Whether an App Server takes no new tasks, since there are to be fewer: the last ones go.
    pub(super) fn is_draining_server(&self, name: &str) -> bool {
        self.blueprint().clusters.iter().any(|cluster| {
            let wanted = self
                .record
                .desired_servers
                .get(&cluster.name)
                .map(|scale| scale.count);
            let keep = wanted
                .and_then(|count| usize::try_from(count).ok())
                .unwrap_or(usize::MAX);
            cluster
                .servers
                .iter()
                .skip(keep)
                .any(|server| server.node.name == name)
        })
    }

    /// Measures, and scales what is due.
    pub(super) fn look_at_use(&mut self) {
        self.remove_drained_servers();
        if self
            .measurements
            .measured
            .is_some_and(|last| last.elapsed() < MEASURE_EVERY)
        {
            return;
        }
        self.measurements.measured = Some(Instant::now());
        for app in self.apps() {
            let sample = self.sample(&app);
            let samples = self
                .measurements
                .samples
                .entry(app.name.clone())
                .or_default();
            samples.push(sample);
            if samples.len() > SAMPLES + 1 {
                samples.remove(0);
            }
            self.scale_app(&app);
        }
        for cluster in self.blueprint().clusters.clone() {
            self.scale_cluster(&cluster);
        }
    }

    fn sample(&self, app: &App) -> Sample {
        let tasks: Vec<PathBuf> = self
            .record
            .service_tasks(&app.name)
            .map(|(id, task)| {
                PathBuf::from(self.workshop.context.layout.id().as_str())
                    .join(&task.server)
                    .join(id)
            })
            .collect();
        let cgroups = &self.workshop.runtime.cgroups;
        let group = app.target_group.as_ref().map(|group| &group.name);
        let requests = self
            .requests
            .iter()
            .filter(|((name, _), _)| Some(name) == group);
        Sample {
            at: Instant::now(),
            cpu_time: tasks.iter().filter_map(|path| cgroups.cpu_time(path)).sum(),
            memory: tasks
                .iter()
                .filter_map(|path| cgroups.memory_in_use(path))
                .sum(),
            requests: requests.map(|(_, count)| count).sum(),
            tasks: u32::try_from(tasks.len()).unwrap_or(u32::MAX),
        }
    }

    fn scale_app(&mut self, app: &App) {
        let samples = self
            .measurements
            .samples
            .get(&app.name)
            .map_or(&[][..], Vec::as_slice);
        let Some(usage) = usage(app, samples) else {
            return;
        };
        // A deployment changes what is measured.
        if self.is_deploying(app) {
            return;
        }
        let current = self.desired_tasks(app);
        let wanted = scaling::target_tracking(&app.scaling, app.tasks, current, usage);
        let last = self
            .record
            .desired_tasks
            .get(&app.name)
            .map(|scale| scale.changed);
        let pause = if wanted > current {
            app.scaling.scale_out_cooldown
        } else {
            app.scaling.scale_in_cooldown
        };
        if wanted != current && is_over(last, pause.into()) {
            self.set_desired_tasks(&app.name, wanted, "autoscaling");
        }
    }

    fn scale_cluster(&mut self, cluster: &AppCluster) {
        let count = u32::try_from(cluster.servers.len()).unwrap_or(u32::MAX);
        let draining = cluster
            .servers
            .iter()
            .any(|server| self.is_draining_server(&server.node.name));
        let step = scaling::server_step(cluster, count, self.reservation(cluster));
        let now = Instant::now();
        let since = match self.measurements.pending.get(&cluster.name) {
            Some((pending, since)) if *pending == step => *since,
            _ => now,
        };
        self.measurements
            .pending
            .insert(cluster.name.clone(), (step, since));
        let (after, wanted) = match step {
            ServerStep::Stay => return,
            ServerStep::Out => (cluster.scaling.scale_out_after, count + 1),
            ServerStep::In => (cluster.scaling.scale_in_after, count - 1),
        };
        let last = self
            .record
            .desired_servers
            .get(&cluster.name)
            .map(|scale| scale.changed);
        let after = Duration::from(after);
        if draining || now.duration_since(since) < after || !is_over(last, after) {
            return;
        }
        if let Err(error) = self.set_servers(cluster, wanted, "autoscaling") {
            self.note(
                &cluster.name,
                Level::Warning,
                format!("Not scaled: {error}"),
            );
        }
    }

    fn reservation(&self, cluster: &AppCluster) -> Reservation {
        let (mut cpu, mut memory) = (0.0, 0.0);
        for task in self
            .record
            .tasks
            .values()
            .filter(|task| task.purpose == Purpose::Service)
        {
            if let Some(app) = self
                .app(&task.app)
                .filter(|app| app.cluster == cluster.name)
            {
                let demand = demand(app);
                cpu += f64::from(demand.cpu);
                memory += as_f64(demand.memory.as_mib());
            }
        }
        let servers = as_f64(u64::try_from(cluster.servers.len()).unwrap_or(0)).max(1.0);
        Reservation {
            cpu_percent: 100.0 * cpu / (servers * f64::from(cluster.capacity.cpu)),
            memory_percent: 100.0 * memory / (servers * as_f64(cluster.capacity.memory.as_mib())),
        }
    }

    /// Takes the App Servers away that are to go and have no tasks any more.
    fn remove_drained_servers(&mut self) {
        let servers = self
            .blueprint()
            .clusters
            .iter()
            .flat_map(|cluster| &cluster.servers);
        let gone = servers
            .filter(|server| self.is_draining_server(&server.node.name))
            .any(|server| {
                !self
                    .record
                    .tasks
                    .values()
                    .any(|task| task.server == server.node.name)
            });
        if gone && let Err(error) = self.plan_again() {
            self.note(
                "environment",
                Level::Warning,
                format!("Not planned again: {error}"),
            );
        }
    }
}

/// Whether a pause after a change is over.
fn is_over(changed: Option<Timestamp>, pause: Duration) -> bool {
    let pause = SignedDuration::try_from(pause).unwrap_or(SignedDuration::MAX);
    changed.is_none_or(|changed| Timestamp::now().duration_since(changed) >= pause)
}

/// The means over all samples; none before there are enough.
fn usage(app: &App, samples: &[Sample]) -> Option<Usage> {
    let (first, last) = samples.first().zip(samples.last())?;
    if samples.len() <= SAMPLES || last.tasks == 0 {
        return None;
    }
    let seconds = last.at.duration_since(first.at).as_secs_f64();
    let tasks = f64::from(last.tasks);
    let reserved = demand(app);
    let cores = f64::from(reserved.cpu) / 1_024.0;
    let cpu = as_f64(last.cpu_time.saturating_sub(first.cpu_time)) / 1e6;
    let memory = as_f64(last.memory >> 20) / tasks;
    Some(Usage {
        cpu_percent: (cores > 0.0).then(|| 100.0 * cpu / (seconds * cores * tasks)),
        memory_percent: Some(100.0 * memory / as_f64(reserved.memory.as_mib()).max(1.0)),
        requests_per_task: Some(
            as_f64(last.requests.saturating_sub(first.requests)) * 60.0 / (seconds * tasks),
        ),
    })
}

/// Exact up to 2^53, which is more than any of these numbers.
#[expect(clippy::cast_precision_loss)]
fn as_f64(value: u64) -> f64 {
    value as f64
}

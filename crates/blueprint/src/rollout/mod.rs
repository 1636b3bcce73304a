//! Rolling deployments: ECS's decisions of which tasks to start and stop, as pure functions.
//!
//! A target observes an app's tasks, asks for [`steps`], carries them out in any order, all, some
//! or none of them, and asks again. Source of the rules: Amazon ECS Developer Guide, "Deploy Amazon
//! ECS services by replacing tasks" (rolling update) and `DeploymentConfiguration` of the API.

mod circuit_breaker;
mod stops;

use crate::{model::DeploymentConfiguration, placement::PlacedTask};

pub use circuit_breaker::{CircuitBreaker, circuit_breaker_threshold};

/// An app with the tasks that it has and the number that it should have.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Service {
    /// The number of tasks wanted; 0 stops all.
    pub desired: u32,
    /// The rules of its deployments.
    pub rules: DeploymentConfiguration,
    /// How many more tasks the servers have room for at this moment; `u32::MAX` where room does not
    /// matter. When the wanted tasks do not fit, the rules decide whether others make room.
    pub placeable: u32,
    /// The zones with a server that has room for one more at this moment.
    pub zones_with_room: Vec<String>,
    /// Whether no task may be started: the circuit breaker tripped and there is no rollback.
    pub halted: bool,
    /// Its tasks. One whose containers have all exited, or whose server is gone, is not running
    /// and is left out.
    pub tasks: Vec<Task>,
}

/// A task that runs, is being started or is being taken out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Task {
    /// Its id, unique.
    pub id: String,
    /// Whether it is of the wanted revision.
    pub current: bool,
    /// Its zone's name.
    pub zone: String,
    /// Its server's name.
    pub server: String,
    /// Its place in the order of starts: greater is newer.
    pub started: u64,
    /// What is known of its health.
    pub health: Health,
}

/// What is known of a task's health.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Health {
    /// Placed, not yet healthy, within its grace period. Counts as running.
    Starting,
    /// Takes requests. Counts as running and as healthy.
    Healthy,
    /// Failed its health checks, to be replaced. Counts as running, since it holds resources.
    Unhealthy,
    /// Being taken out; counts as neither.
    Draining,
}

/// What to do next.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Step {
    /// Start tasks of the wanted revision.
    Start {
        /// How many, at least 1.
        count: u32,
    },
    /// Take a task out: deregister it, let it finish its requests, stop it.
    Stop {
        /// The task's id.
        id: String,
        /// Why.
        reason: StopReason,
    },
}

/// Why a task is stopped.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum StopReason {
    /// It is of an older revision.
    Replaced,
    /// It is unhealthy.
    Unhealthy,
    /// There are more than wanted: fewer are wanted now, or one was started in another zone.
    ScaledIn,
}

/// How many tasks must be healthy and may run during a deployment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Bounds {
    /// Healthy tasks that must stay.
    pub minimum_healthy: u32,
    /// Tasks that may run, starting ones included, draining ones not.
    pub maximum_running: u32,
}

/// The bounds for a number of tasks: the minimum's percentage rounded up, the maximum's down.
pub fn bounds(desired: u32, rules: &DeploymentConfiguration) -> Bounds {
    let hundredths = |percent: u16| u64::from(desired) * u64::from(percent);
    let tasks = |count: u64| u32::try_from(count).unwrap_or(u32::MAX);
    Bounds {
        minimum_healthy: tasks(hundredths(rules.minimum_healthy_percent).div_ceil(100)),
        maximum_running: tasks(hundredths(rules.maximum_percent) / 100),
    }
}

/// Whether tasks are moved to another zone when zones have become uneven: one is started where
/// there are fewest, then one is stopped where there are most. There must be room for one more than
/// wanted (Amazon ECS Developer Guide, "Availability Zone rebalancing").
pub fn rebalances(rules: &DeploymentConfiguration) -> bool {
    rules.maximum_percent > 100
}

/// What to start and stop now; nothing where only waiting helps or all is as it should be.
///
/// Tasks are replaced start-first as far as the maximum and the servers allow; only where they do
/// not are old tasks stopped before their successors are healthy, and never below the minimum. The
/// bounds hold in whatever order the steps are taken and however many of them: starts count on no
/// stop, and stops count on no start.
pub fn steps(service: &Service) -> Vec<Step> {
    let bounds = bounds(service.desired, &service.rules);
    let (count, shortfall) = starts(service, bounds);
    let start = (count > 0).then_some(Step::Start { count });
    start
        .into_iter()
        .chain(stops::stops(service, bounds.minimum_healthy, shortfall))
        .collect()
}

/// How many tasks to start now, and for how many others room must be made first.
fn starts(service: &Service, bounds: Bounds) -> (u32, u32) {
    if service.halted {
        return (0, 0);
    }
    let missing = service
        .desired
        .saturating_sub(service.count(Task::is_staying));
    let allowed = bounds
        .maximum_running
        .saturating_sub(service.count(Task::is_running));
    if service.is_uneven() {
        return (1.min(allowed).min(service.placeable), 0);
    }
    // Draining tasks leave room soon, so no more need to make it.
    let soon = service
        .placeable
        .saturating_add(service.count(|task| task.health == Health::Draining));
    (
        missing.min(allowed).min(service.placeable),
        missing.saturating_sub(allowed.min(soon)),
    )
}

impl Service {
    /// The tasks that [`place`](crate::placement::place) spreads the next one among: those that
    /// stay. Old, unhealthy and draining ones would leave the zones uneven when they go.
    pub fn placed(&self) -> Vec<PlacedTask> {
        self.tasks
            .iter()
            .filter(|task| task.is_staying())
            .map(Task::placed)
            .collect()
    }

    /// Whether the app is as wanted: exactly the wanted number of tasks runs, all of the wanted
    /// revision and healthy. A deployment is complete when this holds.
    pub fn is_steady(&self) -> bool {
        let healthy = self.count(|task| task.current && task.health == Health::Healthy);
        healthy == self.desired && self.count(Task::is_running) == self.desired
    }

    /// Whether the app is as wanted but for its zones: one with room has at least two tasks fewer
    /// than another.
    fn is_uneven(&self) -> bool {
        let at_rest = self.is_steady() && self.tasks.iter().all(Task::is_running);
        let in_zone = |zone: &str| self.count(|task| task.zone == zone);
        let most = self.tasks.iter().map(|task| in_zone(&task.zone)).max();
        let fewest = self.zones_with_room.iter().map(|zone| in_zone(zone)).min();
        let uneven = fewest
            .zip(most)
            .is_some_and(|(fewest, most)| most > fewest + 1);
        at_rest && uneven && rebalances(&self.rules)
    }

    fn count(&self, which: impl Fn(&Task) -> bool) -> u32 {
        let count = self.tasks.iter().filter(|task| which(task)).count();
        u32::try_from(count).unwrap_or(u32::MAX)
    }
}

impl Task {
    fn is_running(&self) -> bool {
        self.health != Health::Draining
    }

    /// Of the wanted revision, and healthy or on the way there.
    fn is_staying(&self) -> bool {
        self.current && matches!(self.health, Health::Starting | Health::Healthy)
    }

    fn placed(&self) -> PlacedTask {
        PlacedTask {
            id: self.id.clone(),
            zone: self.zone.clone(),
            server: self.server.clone(),
            started: self.started,
        }
    }
}

#[cfg(test)]
mod simulation;
#[cfg(test)]
mod tests;

//! Which tasks to stop.

use super::{Health, Service, Step, StopReason, Task};
use crate::placement::{PlacedTask, choose_to_stop};

/// The stops that leave at least `minimum` tasks healthy and, where the rules allow it, make room
/// for `shortfall` tasks more.
pub(super) fn stops(service: &Service, minimum: u32, shortfall: u32) -> Vec<Step> {
    let mut stops = Stops {
        service,
        spare: service.count(is_healthy).saturating_sub(minimum),
        chosen: Vec::new(),
    };
    stops.old_and_not_healthy();
    stops.unhealthy(shortfall);
    stops.old_and_healthy(shortfall);
    stops.too_many();
    stops.chosen
}

struct Stops<'a> {
    service: &'a Service,
    /// Healthy tasks above the minimum.
    spare: u32,
    chosen: Vec<Step>,
}

impl<'a> Stops<'a> {
    /// An old task that is not healthy counts for nothing: it goes at once.
    fn old_and_not_healthy(&mut self) {
        let pool = self.pool(|task| {
            !task.current && matches!(task.health, Health::Starting | Health::Unhealthy)
        });
        for task in pool {
            self.stop(task);
        }
    }

    /// An unhealthy task stays until its successor is healthy, since it may still answer some
    /// requests, or until its place is needed.
    fn unhealthy(&mut self, shortfall: u32) {
        let pool = self.pool(|task| task.current && task.health == Health::Unhealthy);
        let unhealthy = u32::try_from(pool.len()).unwrap_or(u32::MAX);
        let kept = self
            .service
            .desired
            .saturating_sub(self.service.count(is_healthy));
        let count = unhealthy
            .saturating_sub(kept)
            .max(shortfall.saturating_sub(self.stopped()));
        self.stop_some(pool, count);
    }

    /// Old tasks go as new ones become healthy in their stead, and to make room.
    fn old_and_healthy(&mut self, shortfall: u32) {
        let pool = self.pool(|task| !task.current && is_healthy(task));
        let replaced = self
            .service
            .count(is_healthy)
            .saturating_sub(self.service.desired);
        let count = replaced.max(shortfall.saturating_sub(self.stopped()));
        self.stop_some(pool, count.min(self.spare));
    }

    /// Scaling in, and the end of a move to another zone. Where the task that keeps the zones even
    /// is one of the wanted healthy ones, it waits for those that start rather than leave the zones
    /// uneven.
    fn too_many(&mut self) {
        let mut pool = self.pool(Task::is_staying);
        while pool.len() > self.service.desired as usize {
            let next = choose(&pool);
            let healthy = pool.iter().filter(|task| is_healthy(task)).count();
            let wanted = healthy <= self.service.desired as usize;
            let needed = is_healthy(pool[next]) && (wanted || self.spare == 0);
            if needed {
                break;
            }
            self.stop(pool.swap_remove(next));
        }
    }

    fn pool(&self, which: impl Fn(&Task) -> bool) -> Vec<&'a Task> {
        let tasks = self.service.tasks.iter();
        tasks.filter(|task| which(task)).collect()
    }

    /// Stops as many of the pool, or all, in ECS's order.
    fn stop_some(&mut self, mut pool: Vec<&'a Task>, count: u32) {
        for _ in 0..count {
            if pool.is_empty() {
                break;
            }
            let next = choose(&pool);
            self.stop(pool.swap_remove(next));
        }
    }

    fn stop(&mut self, task: &Task) {
        if is_healthy(task) {
            self.spare = self.spare.saturating_sub(1);
        }
        let reason = match task.health {
            Health::Unhealthy => StopReason::Unhealthy,
            _ if task.current || self.service.desired == 0 => StopReason::ScaledIn,
            _ => StopReason::Replaced,
        };
        let id = task.id.clone();
        self.chosen.push(Step::Stop { id, reason });
    }

    fn stopped(&self) -> u32 {
        u32::try_from(self.chosen.len()).unwrap_or(u32::MAX)
    }
}

fn is_healthy(task: &Task) -> bool {
    task.health == Health::Healthy
}

/// The place of the task that ECS stops first of a pool that is not empty.
fn choose(pool: &[&Task]) -> usize {
    let placed: Vec<PlacedTask> = pool.iter().map(|task| task.placed()).collect();
    let first = choose_to_stop(&placed).map(|task| &task.id);
    pool.iter()
        .position(|task| Some(&task.id) == first)
        .expect("the chosen task is one of a pool that is not empty")
}

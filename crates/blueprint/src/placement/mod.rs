//! Where tasks go: ECS's placement strategies, as pure functions.
//!
//! Tasks are spread over zones, then over servers, and between equals the one with the least free
//! memory that still fits is taken (ECS developer guide, "Use strategies to define Amazon ECS task
//! placement": `spread(attribute:ecs.availability-zone)`, `spread(instanceId)`, `binpack(memory)`).

mod addresses;

use mck_environment::units::Size;

pub use addresses::lowest_free;

/// A server that can take tasks.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Server {
    /// Its name, unique.
    pub name: String,
    /// Its zone's name.
    pub zone: String,
    /// CPU units that no task has.
    pub free_cpu: u32,
    /// Memory that no task has.
    pub free_memory: Size,
}

/// A task of the app being placed, on one of the servers or on one that is gone.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PlacedTask {
    /// Its id, unique.
    pub id: String,
    /// Its zone's name.
    pub zone: String,
    /// Its server's name.
    pub server: String,
    /// Its place in the order of starts: greater is newer.
    pub started: u64,
}

/// What a task needs of a server.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Demand {
    /// CPU units.
    pub cpu: u32,
    /// Memory.
    pub memory: Size,
}

impl Server {
    /// Whether a task fits.
    pub fn fits(&self, demand: Demand) -> bool {
        self.free_cpu >= demand.cpu && self.free_memory >= demand.memory
    }

    /// Takes a task; one that does not fit leaves it full.
    pub fn take(&mut self, demand: Demand) {
        self.free_cpu = self.free_cpu.saturating_sub(demand.cpu);
        let left = self
            .free_memory
            .as_mib()
            .saturating_sub(demand.memory.as_mib());
        self.free_memory = Size::from_mib(left);
    }
}

/// The server for the next task of an app with these tasks; none where it fits nowhere.
pub fn place<'a>(
    tasks: &[PlacedTask],
    servers: &'a [Server],
    demand: Demand,
) -> Option<&'a Server> {
    let in_zone = |zone: &str| tasks.iter().filter(|task| task.zone == zone).count();
    let on_server = |name: &str| tasks.iter().filter(|task| task.server == name).count();
    servers
        .iter()
        .filter(|server| server.fits(demand))
        .min_by_key(|server| {
            (
                in_zone(&server.zone),
                on_server(&server.name),
                server.free_memory,
                server.name.as_str(),
            )
        })
}

/// The task to stop when an app is to have one fewer: in the zone with the most tasks, there on the
/// server with the most, there the newest (ECS keeps the spread when it scales in).
pub fn choose_to_stop(tasks: &[PlacedTask]) -> Option<&PlacedTask> {
    let in_zone = |zone: &str| tasks.iter().filter(|task| task.zone == zone).count();
    let on_server = |name: &str| tasks.iter().filter(|task| task.server == name).count();
    tasks.iter().max_by_key(|task| {
        (
            in_zone(&task.zone),
            on_server(&task.server),
            task.started,
            task.id.as_str(),
        )
    })
}

#[cfg(test)]
mod tests;

//! Deployments in every order of events: steps are taken one by one in a random order, some never,
//! while tasks start, fail, exit, fall ill, recover and finish draining in between.

use proptest::{prelude::*, sample::Index};

use super::{tests::rules, *};
use crate::placement::{Demand, Server, place};
use mck_environment::units::Size;

const DEMAND: Demand = Demand {
    cpu: 256,
    memory: Size::from_mib(512),
};

#[derive(Debug, Clone)]
enum Event {
    TakeStep(Index),
    BecomesHealthy(Index),
    FailsToStart(Index),
    Exits(Index),
    FallsIll(Index),
    Recovers(Index),
    FinishesDraining(Index),
}

struct Simulation {
    service: Service,
    zones: Vec<String>,
    /// The tasks that the servers hold, draining ones included.
    capacity: usize,
    breaker: CircuitBreaker,
    starts: u64,
    /// Healthy tasks that were lost since the steps were decided, by no decision.
    lost: u32,
    /// Healthy and running tasks when the steps were decided: scaling moves the bounds.
    healthy_before: u32,
    running_before: u32,
}

impl Simulation {
    /// As many healthy tasks of the old revision as wanted, and a deployment that begins.
    fn new(desired: u32, rules: DeploymentConfiguration, zones: usize) -> Self {
        let mut simulation = Self {
            service: Service {
                desired,
                rules,
                placeable: u32::MAX,
                zones_with_room: Vec::new(),
                halted: false,
                tasks: Vec::new(),
            },
            zones: (0..zones).map(|zone| format!("zone-{zone}")).collect(),
            capacity: usize::MAX,
            breaker: CircuitBreaker::new(&rules),
            starts: 0,
            lost: 0,
            healthy_before: 0,
            running_before: 0,
        };
        (0..desired).for_each(|_| simulation.start());
        for task in &mut simulation.service.tasks {
            (task.current, task.health) = (false, Health::Healthy);
        }
        simulation
    }

    fn servers(&self) -> Vec<Server> {
        let server = |zone: &String, number: u8| Server {
            name: format!("{zone}-{number}"),
            zone: zone.clone(),
            free_cpu: 100_000,
            free_memory: Size::from_mib(100_000),
        };
        let zones = self.zones.iter();
        zones
            .flat_map(|zone| [server(zone, 0), server(zone, 1)])
            .collect()
    }

    fn start(&mut self) {
        let servers = self.servers();
        let server = place(&self.service.placed(), &servers, DEMAND).expect("servers have room");
        self.starts += 1;
        self.service.tasks.push(Task {
            id: format!("task-{}", self.starts),
            current: true,
            zone: server.zone.clone(),
            server: server.name.clone(),
            started: self.starts,
            health: Health::Starting,
        });
    }

    /// The steps of now, starts one by one.
    fn decide(&mut self) -> Vec<Step> {
        let free = self.capacity.saturating_sub(self.service.tasks.len());
        self.service.placeable = u32::try_from(free).unwrap_or(u32::MAX);
        self.service.zones_with_room = match free {
            0 => Vec::new(),
            _ => self.zones.clone(),
        };
        (self.lost, self.healthy_before) = (0, self.healthy());
        self.running_before = self.service.count(Task::is_running);
        let single = |step| match step {
            Step::Start { count } => vec![Step::Start { count: 1 }; count as usize],
            stop => vec![stop],
        };
        steps(&self.service).into_iter().flat_map(single).collect()
    }

    fn take(&mut self, step: &Step) {
        match step {
            Step::Start { .. } => self.start(),
            Step::Stop { id, .. } => {
                let task = self.service.tasks.iter_mut().find(|task| task.id == *id);
                if let Some(task) = task {
                    task.health = Health::Draining;
                }
            }
        }
    }

    fn healthy(&self) -> u32 {
        self.service.count(|task| task.health == Health::Healthy)
    }

    fn happen(&mut self, event: &Event, steps: &mut Vec<Step>) {
        match event {
            Event::TakeStep(index) if !steps.is_empty() => {
                let step = steps.swap_remove(index.index(steps.len()));
                self.take(&step);
            }
            Event::TakeStep(_) => {}
            Event::BecomesHealthy(index) => {
                self.turn(*index, Health::Starting, Some(Health::Healthy));
            }
            Event::FailsToStart(index) => {
                self.turn(*index, Health::Starting, Some(Health::Unhealthy));
            }
            Event::Exits(index) => {
                let from = [Health::Starting, Health::Healthy, Health::Unhealthy];
                self.turn(*index, from[index.index(3)], None);
            }
            Event::FallsIll(index) => self.turn(*index, Health::Healthy, Some(Health::Unhealthy)),
            Event::Recovers(index) => {
                self.turn(*index, Health::Unhealthy, Some(Health::Healthy));
            }
            Event::FinishesDraining(index) => self.turn(*index, Health::Draining, None),
        }
    }

    /// One of the tasks in a state, if any, goes to another or away.
    fn turn(&mut self, index: Index, from: Health, to: Option<Health>) {
        let tasks = &mut self.service.tasks;
        let places: Vec<usize> = (0..tasks.len())
            .filter(|place| tasks[*place].health == from)
            .collect();
        if places.is_empty() {
            return;
        }
        let place = *index.get(&places);
        match from {
            Health::Healthy => self.lost += 1,
            Health::Starting if tasks[place].current && to == Some(Health::Healthy) => {
                self.breaker.task_became_healthy();
            }
            Health::Starting if tasks[place].current => self.breaker.task_failed(),
            _ => {}
        }
        match to {
            Some(health) => tasks[place].health = health,
            None => drop(tasks.remove(place)),
        }
    }

    /// What must hold at every instant.
    fn check(&self) -> Result<(), TestCaseError> {
        let bounds = bounds(self.service.desired, &self.service.rules);
        let running = self.service.count(Task::is_running);
        let most = bounds.maximum_running.max(self.running_before);
        prop_assert!(running <= most, "{running} run");
        let least = bounds.minimum_healthy.min(self.healthy_before);
        let healthy = self.healthy();
        prop_assert!(healthy + self.lost >= least, "{healthy} are healthy");
        prop_assert!(self.service.tasks.len() <= self.capacity.max(self.service.desired as usize));
        Ok(())
    }

    fn run(&mut self, rounds: &[Vec<Event>]) -> Result<(), TestCaseError> {
        for events in rounds {
            let mut steps = self.decide();
            for event in events {
                self.happen(event, &mut steps);
                self.check()?;
            }
        }
        Ok(())
    }

    /// From here on all goes well: it must come to rest, as wanted.
    fn settle(&mut self) -> Result<(), TestCaseError> {
        for _ in 0..200 {
            let steps = self.decide();
            if steps.is_empty() && self.service.is_steady() && self.all_run() {
                return Ok(());
            }
            for step in &steps {
                self.take(step);
                self.check()?;
            }
            let tasks = &mut self.service.tasks;
            tasks.retain(|task| task.health != Health::Draining);
            let starting = tasks
                .iter_mut()
                .filter(|task| task.health == Health::Starting);
            starting.for_each(|task| task.health = Health::Healthy);
            self.check()?;
        }
        let tasks = &self.service.tasks;
        Err(TestCaseError::fail(format!("never settles: {tasks:?}")))
    }

    /// Whether there is room for one more than wanted.
    fn may_move(&self) -> bool {
        let Service { desired, rules, .. } = &self.service;
        bounds(*desired, rules).maximum_running > *desired
    }

    fn all_run(&self) -> bool {
        self.service.tasks.iter().all(Task::is_running)
    }

    fn check_zones(&self) -> Result<(), TestCaseError> {
        let tasks = &self.service.tasks;
        let counts = self
            .zones
            .iter()
            .map(|zone| tasks.iter().filter(|task| task.zone == *zone).count());
        let most = counts.clone().max().unwrap_or(0);
        prop_assert!(most - counts.min().unwrap_or(0) <= 1, "{tasks:?}");
        Ok(())
    }
}

fn event() -> impl Strategy<Value = Event> {
    let index = any::<Index>;
    prop_oneof![
        6 => index().prop_map(Event::TakeStep),
        3 => index().prop_map(Event::BecomesHealthy),
        1 => index().prop_map(Event::FailsToStart),
        1 => index().prop_map(Event::Exits),
        1 => index().prop_map(Event::FallsIll),
        1 => index().prop_map(Event::Recovers),
        3 => index().prop_map(Event::FinishesDraining),
    ]
}

/// All but the task's own misfortunes: it never becomes healthy, but old tasks stay as they are.
fn event_of_a_bad_revision() -> impl Strategy<Value = Event> {
    let index = any::<Index>;
    prop_oneof![
        4 => index().prop_map(Event::TakeStep),
        3 => index().prop_map(Event::FailsToStart),
        2 => index().prop_map(Event::FinishesDraining),
    ]
}

fn rounds(event: impl Strategy<Value = Event>) -> impl Strategy<Value = Vec<Vec<Event>>> {
    prop::collection::vec(prop::collection::vec(event, 0..12), 0..25)
}

prop_compose! {
    /// A number of tasks and rules by which a deployment can move.
    fn movable()(
        desired in 1_u32..=9,
        minimum in prop_oneof![Just(0_u16), Just(50), Just(100), 0_u16..=100],
        maximum in prop_oneof![Just(100_u16), Just(150), Just(200), 100_u16..=200],
    ) -> (u32, DeploymentConfiguration) {
        (desired, rules(minimum, maximum))
    }
}

fn can_move(setting: &(u32, DeploymentConfiguration)) -> bool {
    let (desired, rules) = setting;
    can_stop_first(setting) || bounds(*desired, rules).maximum_running > *desired
}

fn can_stop_first((desired, rules): &(u32, DeploymentConfiguration)) -> bool {
    bounds(*desired, rules).minimum_healthy < *desired
}

proptest! {
    #[test]
    fn a_good_revision_always_ends_with_the_wanted_tasks_in_even_zones(
        (desired, rules) in movable().prop_filter("can move", can_move),
        zones in 1_usize..=4,
        rounds in rounds(event()),
    ) {
        let mut simulation = Simulation::new(desired, rules, zones);
        simulation.run(&rounds)?;
        simulation.settle()?;
        // Tasks that may only be stopped first are not moved when one recovers after it was replaced.
        if simulation.may_move() {
            simulation.check_zones()?;
        }
    }

    #[test]
    fn a_zone_that_comes_back_gets_its_share_and_nobody_misses_a_task(
        (desired, rules) in movable().prop_filter("can move", can_move),
        lost in 0_usize..3,
    ) {
        let mut simulation = Simulation::new(desired, rules, 3);
        let zone = simulation.zones.remove(lost);
        simulation.service.tasks.retain(|task| task.zone != zone);
        simulation.settle()?;
        simulation.zones.push(zone);
        let healthy = simulation.healthy();
        simulation.settle()?;
        if simulation.may_move() {
            simulation.check_zones()?;
        }
        prop_assert_eq!(healthy, desired);
    }

    #[test]
    fn full_servers_stop_no_deployment_that_may_stop_tasks_first(
        (desired, rules) in movable().prop_filter("may stop first", can_stop_first),
        rounds in rounds(event()),
    ) {
        let mut simulation = Simulation::new(desired, rules, 3);
        simulation.capacity = desired as usize;
        simulation.run(&rounds)?;
        simulation.settle()?;
    }

    #[test]
    fn a_bad_revision_trips_the_breaker_and_never_takes_the_minimum_down(
        (desired, rules) in movable().prop_filter("can move", can_move),
        rounds in rounds(event_of_a_bad_revision()),
    ) {
        let mut simulation = Simulation::new(desired, rules, 3);
        simulation.run(&rounds)?;
        for _ in 0..20 {
            for step in simulation.decide() {
                simulation.take(&step);
            }
            for task in &mut simulation.service.tasks {
                if task.health == Health::Starting {
                    task.health = Health::Unhealthy;
                    simulation.breaker.task_failed();
                }
            }
            simulation.service.tasks.retain(Task::is_running);
            simulation.check()?;
        }
        prop_assert!(simulation.healthy() >= bounds(desired, &rules).minimum_healthy);
        prop_assert!(simulation.breaker.is_tripped());

        // The rollback: the tasks of the old revision are the wanted ones again.
        for task in &mut simulation.service.tasks {
            task.current = !task.current;
        }
        simulation.settle()?;
    }

    #[test]
    fn scaling_keeps_the_bounds_and_the_zones_even(
        (desired, rules) in movable().prop_filter("can move", can_move),
        numbers in prop::collection::vec((0_u32..=12, any::<bool>()), 1..6),
        zones in 1_usize..=4,
    ) {
        let mut simulation = Simulation::new(desired, rules, zones);
        for (desired, settles) in numbers {
            let before = simulation.service.desired;
            simulation.service.desired = desired;
            // A number for which the rules leave no room can't replace the old tasks.
            if !can_move(&(desired, rules)) && desired > 0 {
                simulation.service.desired = before;
                continue;
            }
            for step in simulation.decide() {
                simulation.take(&step);
                simulation.check()?;
            }
            if settles {
                simulation.settle()?;
                simulation.check_zones()?;
            }
        }
    }
}

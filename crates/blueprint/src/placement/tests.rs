use std::collections::BTreeMap;

use proptest::prelude::*;

use super::*;

const DEMAND: Demand = Demand {
    cpu: 640,
    memory: Size::from_mib(896),
};

fn server(name: &str, zone: &str, free_memory: u64) -> Server {
    Server {
        name: name.to_owned(),
        zone: zone.to_owned(),
        free_cpu: 2_048,
        free_memory: Size::from_mib(free_memory),
    }
}

fn task(id: u64, zone: &str, server: &str) -> PlacedTask {
    PlacedTask {
        id: format!("task-{id}"),
        zone: zone.to_owned(),
        server: server.to_owned(),
        started: id,
    }
}

/// Places tasks until `count` run or none fits.
fn fill(servers: &mut [Server], count: usize) -> Vec<PlacedTask> {
    let mut tasks = Vec::new();
    for id in 0..count {
        let Some(chosen) = place(&tasks, servers, DEMAND) else {
            break;
        };
        let (zone, name) = (chosen.zone.clone(), chosen.name.clone());
        let server = servers.iter_mut().find(|server| server.name == name);
        server
            .expect("the chosen server is one of them")
            .take(DEMAND);
        tasks.push(task(id as u64, &zone, &name));
    }
    tasks
}

fn spread(tasks: &[PlacedTask], zones: &[String]) -> (usize, usize) {
    let counts = zones
        .iter()
        .map(|zone| tasks.iter().filter(|task| task.zone == *zone).count());
    (counts.clone().min().unwrap_or(0), counts.max().unwrap_or(0))
}

#[test]
fn zones_come_first_then_servers_then_the_fullest_that_fits() {
    let servers = [
        server("a-1", "a", 3_000),
        server("a-2", "a", 2_000),
        server("b-1", "b", 1_000),
    ];
    let placed =
        |tasks: &[PlacedTask]| place(tasks, &servers, DEMAND).map(|server| server.name.clone());
    assert_eq!(placed(&[]).as_deref(), Some("b-1"), "the least free memory");
    let one = [task(0, "b", "b-1")];
    assert_eq!(placed(&one).as_deref(), Some("a-2"), "the emptier zone");
    let two = [
        task(0, "b", "b-1"),
        task(1, "a", "a-2"),
        task(2, "b", "b-1"),
    ];
    assert_eq!(placed(&two).as_deref(), Some("a-1"), "the emptier server");
}

#[test]
fn a_task_that_fits_nowhere_is_not_placed() {
    assert_eq!(place(&[], &[server("a-1", "a", 100)], DEMAND), None);
    assert_eq!(place(&[], &[], DEMAND), None);
}

#[test]
fn the_newest_task_of_the_fullest_zone_stops_first() {
    let tasks = [
        task(0, "a", "a-1"),
        task(1, "b", "b-1"),
        task(2, "a", "a-1"),
        task(3, "c", "c-1"),
    ];
    assert_eq!(choose_to_stop(&tasks).map(|task| task.started), Some(2));
    assert_eq!(choose_to_stop(&[]), None);
}

prop_compose! {
    fn servers()(
        zones in 1_usize..=4,
        memories in prop::collection::vec(1_000_u64..8_000, 1..12),
    ) -> Vec<Server> {
        memories
            .iter()
            .enumerate()
            .map(|(index, memory)| {
                server(&format!("server-{index}"), &format!("zone-{}", index % zones), *memory)
            })
            .collect()
    }
}

proptest! {
    #[test]
    fn no_server_gets_more_than_it_has(mut pool in servers(), count in 0_usize..40) {
        let before = pool.clone();
        let tasks = fill(&mut pool, count);
        let mut used: BTreeMap<&str, u64> = BTreeMap::new();
        for task in &tasks {
            *used.entry(&task.server).or_default() += 1;
        }
        for server in &before {
            let count = used.get(server.name.as_str()).copied().unwrap_or(0);
            prop_assert!(count * u64::from(DEMAND.cpu) <= u64::from(server.free_cpu));
            prop_assert!(count * DEMAND.memory.as_mib() <= server.free_memory.as_mib());
        }
        // Nothing is refused while something fits.
        let full = pool.iter().all(|server| !server.fits(DEMAND));
        prop_assert!(tasks.len() == count || full);
    }

    #[test]
    fn zones_differ_by_one_at_most_while_they_have_room(
        zones in 1_usize..=4,
        per_zone in 1_usize..=3,
        count in 0_usize..40,
    ) {
        let mut pool: Vec<Server> = (0..zones * per_zone)
            .map(|index| server(&format!("s-{index}"), &format!("z-{}", index % zones), 3_840))
            .collect();
        let names: Vec<String> = (0..zones).map(|index| format!("z-{index}")).collect();
        let mut tasks = fill(&mut pool, count);
        let (least, most) = spread(&tasks, &names);
        prop_assert!(most - least <= 1);
        // Scaling in keeps the spread at every step.
        while let Some(stopped) = choose_to_stop(&tasks).map(|task| task.id.clone()) {
            tasks.retain(|task| task.id != stopped);
            let (least, most) = spread(&tasks, &names);
            prop_assert!(most - least <= 1);
        }
    }
}

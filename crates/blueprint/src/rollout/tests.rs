use super::*;

pub(super) fn rules(minimum: u16, maximum: u16) -> DeploymentConfiguration {
    DeploymentConfiguration {
        minimum_healthy_percent: minimum,
        maximum_percent: maximum,
        circuit_breaker: true,
        rollback: true,
        failure_threshold: 3,
    }
}

/// A service in short: old tasks in small letters, current ones in capitals; `h`ealthy, `s`tarting,
/// `u`nhealthy, `d`raining. Ids are the letter and the place.
fn service(desired: u32, (minimum, maximum): (u16, u16), tasks: &str) -> Service {
    let tasks = tasks.chars().enumerate().map(|(place, letter)| Task {
        id: format!("{letter}{place}"),
        current: letter.is_uppercase(),
        zone: format!("zone-{}", place % 3),
        server: format!("server-{}", place % 3),
        started: place as u64,
        health: match letter.to_ascii_lowercase() {
            's' => Health::Starting,
            'h' => Health::Healthy,
            'u' => Health::Unhealthy,
            _ => Health::Draining,
        },
    });
    Service {
        desired,
        rules: rules(minimum, maximum),
        placeable: u32::MAX,
        zones_with_room: Vec::new(),
        halted: false,
        tasks: tasks.collect(),
    }
}

/// The steps in short: `+2 -h1` starts two and stops `h1`.
fn said(steps: &[Step]) -> String {
    let words: Vec<String> = steps
        .iter()
        .map(|step| match step {
            Step::Start { count } => format!("+{count}"),
            Step::Stop { id, .. } => format!("-{id}"),
        })
        .collect();
    words.join(" ")
}

#[test]
fn the_minimum_is_rounded_up_and_the_maximum_down() {
    for (desired, percent, minimum_healthy, maximum_running) in [
        (1, (50, 150), 1, 1),
        (3, (50, 150), 2, 4),
        (4, (100, 200), 4, 8),
        (0, (100, 200), 0, 0),
        (5_000, (99, 101), 4_950, 5_050),
        (7, (0, 100), 0, 7),
    ] {
        let expected = Bounds {
            minimum_healthy,
            maximum_running,
        };
        assert_eq!(bounds(desired, &rules(percent.0, percent.1)), expected);
    }
}

#[test]
fn the_steps_are_those_of_ecs() {
    for (desired, percents, tasks, expected) in [
        // A new service, and one as wanted.
        (2, (100, 200), "", "+2"),
        (2, (100, 200), "HH", ""),
        (2, (100, 200), "HHdd", ""),
        // 100/200: the new ones first, each replaces one old.
        (2, (100, 200), "hh", "+2"),
        (2, (100, 200), "hhSS", ""),
        (2, (100, 200), "hhHS", "-h1"),
        (2, (100, 200), "hhHH", "-h1 -h0"),
        // 100/150 of 2: one more at a time.
        (2, (100, 150), "hh", "+1"),
        (2, (100, 150), "hhS", ""),
        (2, (100, 150), "hhH", "-h1"),
        (2, (100, 150), "hdH", "+1"),
        // 50/100: one of two makes room.
        (2, (50, 100), "hh", "-h1"),
        (2, (50, 100), "hd", "+1"),
        (2, (50, 100), "hdS", ""),
        (2, (50, 100), "hdH", "-h0"),
        // 50/200: nothing stops as long as the maximum leaves room.
        (4, (50, 200), "hhhh", "+4"),
        (1, (0, 100), "h", "-h0"),
        // Old tasks that are not healthy go at once.
        (2, (100, 200), "hu", "+2 -u1"),
        (2, (100, 200), "hs", "+2 -s1"),
        // Unhealthy ones stay until replaced, unless their place is needed.
        (2, (100, 200), "HU", "+1"),
        (2, (100, 200), "HUS", ""),
        (2, (100, 200), "HUH", "-U1"),
        (2, (100, 100), "HU", "-U1"),
        (2, (100, 100), "H", "+1"),
        (2, (100, 200), "UU", "+2"),
        (2, (100, 200), "UUUU", "-U3 -U2"),
        // A bad revision beside a good one goes at once.
        (2, (100, 200), "hhUU", "-U3 -U2"),
        // Scaling out and in.
        (4, (100, 200), "HH", "+2"),
        (2, (100, 200), "HHHH", "-H3 -H2"),
        (2, (100, 200), "HHSS", "-S3 -S2"),
        (2, (100, 200), "HHhh", "-h3 -h2"),
        // The one that keeps the zones even is needed: it waits for the one that starts.
        (2, (100, 200), "SHHS", "-S3"),
        (0, (100, 200), "hHSUs", "-s4 -U3 -h0 -S2 -H1"),
    ] {
        let service = service(desired, percents, tasks);
        assert_eq!(
            said(&steps(&service)),
            expected,
            "{desired} {percents:?} {tasks}"
        );
    }
}

#[test]
fn full_servers_make_the_rules_choose_who_makes_room() {
    let full = |percents, tasks| Service {
        placeable: 0,
        ..service(2, percents, tasks)
    };
    assert_eq!(said(&steps(&full((50, 200), "hh"))), "-h1");
    assert_eq!(said(&steps(&full((50, 200), "hd"))), "", "draining is room");
    assert_eq!(said(&steps(&full((100, 200), "hh"))), "", "the minimum");
    assert_eq!(said(&steps(&full((100, 200), "HU"))), "-U1");
}

#[test]
fn a_halted_deployment_starts_nothing_and_takes_nothing_healthy_down() {
    let halted = |percents, tasks| Service {
        halted: true,
        ..service(2, percents, tasks)
    };
    assert_eq!(said(&steps(&halted((50, 100), "hh"))), "");
    assert_eq!(said(&steps(&halted((100, 200), "hhUU"))), "-U3 -U2");
}

#[test]
fn a_stop_says_why() {
    let reasons = |desired, tasks| -> Vec<StopReason> {
        let steps = steps(&service(desired, (0, 100), tasks));
        let reasons = steps.into_iter().filter_map(|step| match step {
            Step::Stop { reason, .. } => Some(reason),
            Step::Start { .. } => None,
        });
        reasons.collect()
    };
    assert_eq!(reasons(1, "h"), [StopReason::Replaced]);
    assert_eq!(reasons(1, "u"), [StopReason::Unhealthy]);
    assert_eq!(reasons(1, "HH"), [StopReason::ScaledIn]);
    assert_eq!(reasons(0, "h"), [StopReason::ScaledIn]);
}

#[test]
fn the_circuit_breaker_threshold_is_that_of_ecs() {
    for (desired, configured, threshold) in [
        (1, None, 3),
        (6, None, 3),
        (7, None, 4),
        (25, None, 13),
        (400, None, 200),
        (5_000, None, 200),
        (400, Some(1), 1),
    ] {
        assert_eq!(circuit_breaker_threshold(desired, configured), threshold);
    }
}

#[test]
fn the_circuit_breaker_trips_on_failures_in_a_row_and_stays_tripped() {
    let mut breaker = CircuitBreaker::new(&rules(100, 200));
    breaker.task_failed();
    breaker.task_failed();
    breaker.task_became_healthy();
    assert_eq!(breaker.failures(), 0);
    breaker.task_failed();
    breaker.task_failed();
    assert!(!breaker.is_tripped());
    breaker.task_failed();
    assert!(breaker.is_tripped());
    breaker.task_became_healthy();
    assert!(breaker.is_tripped());

    let mut off = CircuitBreaker::new(&DeploymentConfiguration {
        circuit_breaker: false,
        ..rules(100, 200)
    });
    (0..500).for_each(|_| off.task_failed());
    assert!(!off.is_tripped());
}

#[test]
fn uneven_zones_are_made_even_one_task_at_a_time_where_there_is_room() {
    let uneven = |percentages, tasks: &str, room: &[&str]| {
        let mut service = service(3, percentages, tasks);
        for task in &mut service.tasks {
            let zone = if task.id == "S3" { "zone-1" } else { "zone-0" };
            task.zone = zone.to_owned();
        }
        service.zones_with_room = room.iter().map(|zone| (*zone).to_owned()).collect();
        said(&steps(&service))
    };
    assert_eq!(uneven((50, 200), "HHH", &["zone-1", "zone-2"]), "+1");
    assert_eq!(uneven((50, 200), "HHH", &["zone-0"]), "");
    assert_eq!(uneven((50, 200), "HHH", &[]), "");
    // Nothing is stopped before the one in the other zone is healthy.
    assert_eq!(uneven((50, 200), "HHHS", &["zone-1"]), "");
    // No room for one more than wanted, by rule and by rounding.
    assert_eq!(uneven((50, 100), "HHH", &["zone-1"]), "");
    assert_eq!(uneven((50, 110), "HHH", &["zone-1"]), "");
    // Others first: a deployment, tasks that go.
    assert_eq!(uneven((50, 200), "hhh", &["zone-1"]), "+3");
    assert_eq!(uneven((50, 200), "HHHd", &["zone-1"]), "");
}
